"""How the people of one run lie on disk: a folder with two SQLite files.

`seen.sqlite` holds what questions may see: the table `people` without the columns that third
parties wrote, and with e-mail addresses and phone numbers masked. A question opens only this file.
`whole.sqlite` holds, row by row, what came in another form than it is seen; only exports read it.
`sums.json` holds the fingerprints of both: a disk may lose what was written in the middle of a
file, and SQLite does not notice.
"""

import contextlib
import hashlib
import json
import os
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from leadpipe_mcp import __version__
from leadpipe_mcp.people.columns import COLUMNS, Column

SEEN, WHOLE, SUMS = "seen.sqlite", "whole.sqlite", "sums.json"
SEEN_COLUMNS: Mapping[str, Column] = {
    name: column for name, column in COLUMNS.items() if column.kind != "untrusted"
}

# So that another program's file is not taken for one of these.
APPLICATION = 0x6C656164


def _table(columns: Mapping[str, Column]) -> str:
    typed = (f'"{c.name}" {"NUMERIC" if c.holds == "number" else "TEXT"}' for c in columns.values())
    return f"CREATE TABLE people ({', '.join(typed)})"


_ABOUT = "CREATE TABLE kept_about (told TEXT)"
_PARTS = (
    "CREATE TABLE kept_parts (field TEXT, cell TEXT, part TEXT, PRIMARY KEY (field, cell, part))"
    " WITHOUT ROWID"
)
TABLES = {SEEN: (_table(SEEN_COLUMNS), _ABOUT, _PARTS), WHOLE: (_table(COLUMNS), _ABOUT)}


@dataclass(frozen=True)
class About:
    """What is known of the kept people as a whole.

    `topics` is the column whose parts are all the topics of a person.
    """

    key: str
    size: int
    version: str = __version__
    notes: tuple[str, ...] = ()
    topics: str = "topic"


ABOUT = TypeAdapter(About)


def address(file: Path) -> str:
    """Return where SQLite finds the file, for reading only."""
    return f"{file.absolute().as_uri()}?mode=ro&immutable=1"


def about(folder: Path) -> About | None:
    """Return what is kept in the folder; None if it is broken, foreign or of another version."""
    try:
        seen, whole = (_read_about(folder / name, tables) for name, tables in TABLES.items())
        found = ABOUT.validate_json(seen)
    except (sqlite3.Error, OSError, ValueError, TypeError):
        return None
    # Another version may mask differently.
    return found if seen == whole and found.version == __version__ else None


def seal(folder: Path) -> None:
    """Write down the fingerprints of both files, which do not change any more."""
    handle = os.open(folder / SUMS, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(_sums(folder), file)


def is_whole(folder: Path) -> bool:
    """Return whether both files are as they were sealed; a second for a few hundred megabytes."""
    try:
        return _sums(folder) == json.loads((folder / SUMS).read_bytes())
    except (OSError, ValueError):
        return False


def _sums(folder: Path) -> dict[str, str]:
    sums: dict[str, str] = {}
    for name in (SEEN, WHOLE):
        with (folder / name).open("rb") as file:
            sums[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return sums


def _read_about(file: Path, tables: tuple[str, ...]) -> str:
    with contextlib.closing(sqlite3.connect(address(file), uri=True)) as connection:
        connection.execute("PRAGMA trusted_schema = OFF")
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        made = {sql for (sql,) in connection.execute("SELECT sql FROM sqlite_master") if sql}
        if (application, made) != (APPLICATION, set(tables)):
            raise ValueError("not a file of ours")
        (json_text,) = connection.execute("SELECT told FROM kept_about").fetchone()
        return str(json_text)
