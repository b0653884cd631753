"""How the people of one run lie on disk: a folder with two SQLite files.

`seen.sqlite` has what questions may see: the table `people` with every column but what strangers
wrote, e-mail addresses and phone numbers masked. It is the only file that a question opens.
`whole.sqlite` has, row by row, what came otherwise than it is seen; only exports read it.
`sums.json` has the fingerprints of both, for a disk may lose what was written in the middle of a
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

# So that nobody takes another program's file for one of these.
APPLICATION = 0x6C656164


def _table(columns: Mapping[str, Column]) -> str:
    told = (f'"{c.name}" {"NUMERIC" if c.holds == "number" else "TEXT"}' for c in columns.values())
    return f"CREATE TABLE people ({', '.join(told)})"


_ABOUT = "CREATE TABLE kept_about (told TEXT)"
_PARTS = (
    "CREATE TABLE kept_parts (field TEXT, cell TEXT, part TEXT, PRIMARY KEY (field, cell, part))"
    " WITHOUT ROWID"
)
TABLES = {SEEN: (_table(SEEN_COLUMNS), _ABOUT, _PARTS), WHOLE: (_table(COLUMNS), _ABOUT)}


@dataclass(frozen=True)
class About:
    """What is known of kept people as a whole.

    `topics` is the column whose parts are all the topics of a person.
    """

    key: str
    size: int
    version: str = __version__
    notes: tuple[str, ...] = ()
    topics: str = "topic"


ABOUT = TypeAdapter(About)


def address(file: Path) -> str:
    """Where SQLite finds the file, to read it and nothing else."""
    return f"{file.absolute().as_uri()}?mode=ro&immutable=1"


def about(folder: Path) -> About | None:
    """What is kept in the folder; None if it is broken, foreign or of another version."""
    try:
        seen, whole = (_told(folder / name, tables) for name, tables in TABLES.items())
        told = ABOUT.validate_json(seen)
    except (sqlite3.Error, OSError, ValueError, TypeError):
        return None
    # Another version may mask otherwise.
    return told if seen == whole and told.version == __version__ else None


def seal(folder: Path) -> None:
    """Write down the fingerprints of both files, which change no more."""
    handle = os.open(folder / SUMS, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(_sums(folder), file)


def is_whole(folder: Path) -> bool:
    """Whether both files are as they were sealed; takes a second for some hundred megabytes."""
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


def _told(file: Path, tables: tuple[str, ...]) -> str:
    with contextlib.closing(sqlite3.connect(address(file), uri=True)) as connection:
        connection.execute("PRAGMA trusted_schema = OFF")
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        made = {sql for (sql,) in connection.execute("SELECT sql FROM sqlite_master") if sql}
        if (application, made) != (APPLICATION, set(tables)):
            raise ValueError("not a file of ours")
        (told,) = connection.execute("SELECT told FROM kept_about").fetchone()
        return str(told)
