"""Writes the people of a run into two SQLite files, which lie side by side in a folder.

`seen.sqlite` holds what questions may see: the table `people` without the columns that third
parties wrote, and with e-mail addresses and phone numbers masked. A question opens only this file.
`whole.sqlite` holds, row by row, what came in another form than it is seen; only exports and
comparisons of ids read it. `about.json` holds what is known of the people as a whole, and the
fingerprints of both files: a disk may lose what was written in the middle of one, and SQLite does
not notice.
"""

# ruff: noqa: S608 -- the names in these statements are our own columns

import hashlib
import math
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from leadpipe_mcp import __version__
from leadpipe_mcp.people.columns import COLUMNS, SEEN_COLUMNS, Batch, Column
from leadpipe_mcp.people.privacy import as_text, show

Stored = str | int | float | None
"""What a cell holds; None where nothing is known."""

SEEN, WHOLE, ABOUT = "seen.sqlite", "whole.sqlite", "about.json"
LONGEST_TEXT = 100_000

_INTEGER = re.compile(r"-?\d{1,18}", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,15}\.\d{1,15}", re.ASCII)
_LARGEST = 2**63
_FLAGS = {"true": "y", "yes": "y", "1": "y", "false": "n", "no": "n", "0": "n", "y": "y", "n": "n"}
# How many characters of values are remembered with what was made of them.
_MOST_REMEMBERED = 250_000
_HASHABLE = {str, int, type(None)}
_BETWEEN = re.compile(r"\s*[,;|]\s*")
# If anything fails the files are thrown away, so there is no need to be able to roll back.
_SETTINGS = (
    # Rows are a kilobyte long; larger pages waste less of them and are read faster in a row.
    "page_size = 16384",
    "journal_mode = OFF",
    "synchronous = OFF",
    "locking_mode = EXCLUSIVE",
    "cache_size = -4000",
)
_PARTS = (
    "CREATE TABLE kept_parts (field TEXT, cell TEXT, part TEXT, PRIMARY KEY (field, cell, part))"
    " WITHOUT ROWID"
)


@dataclass(frozen=True)
class About:
    """What is known of the kept people as a whole. `run` is the key of the run that they are of."""

    run: str
    size: int
    notes: tuple[str, ...]
    sums: Mapping[str, str]
    version: str = __version__


_ABOUT = TypeAdapter(About)


def address(file: Path) -> str:
    """Return where SQLite finds the file, for reading only."""
    return f"{file.absolute().as_uri()}?mode=ro&immutable=1"


def about(folder: Path, run: str, *, in_full: bool) -> About | None:
    """Return what is kept in the folder; None if it is broken, or of another run or version.

    `in_full` also compares the fingerprints: a second for a few hundred megabytes.
    """
    try:
        found = _ABOUT.validate_json((folder / ABOUT).read_bytes())
        is_whole = not in_full or found.sums == _sums(folder)
    except (OSError, ValueError):
        return None
    # Another version may mask differently.
    return found if is_whole and (found.run, found.version) == (run, __version__) else None


def _sums(folder: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in (SEEN, WHOLE):
        with (folder / name).open("rb") as file:
            found[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


class PeopleWriter:
    """Writes people into a new, private folder, for one thread at a time; `size` counts them."""

    def __init__(self, folder: Path) -> None:
        self.size = 0
        self._folder = folder
        self._seen, self._whole = (
            sqlite3.connect(_private(folder / name), isolation_level=None, check_same_thread=False)
            for name in (SEEN, WHOLE)
        )
        # Columns that hold the same addresses share what was made of them.
        shared = {kind: Cells(Column(kind, kind)) for kind in ("email", "phone")}
        self._cells = {c.name: shared.get(c.kind) or Cells(c) for c in COLUMNS.values()}

    def begin(self) -> None:
        """Make the tables, in the only transaction, which `finish` ends."""
        for connection, columns in ((self._seen, SEEN_COLUMNS), (self._whole, COLUMNS)):
            for setting in _SETTINGS:
                connection.execute(f"PRAGMA {setting}").close()
            connection.execute("BEGIN")
            kinds = {"number": "NUMERIC"}
            typed = [f"{name} {kinds.get(c.holds, 'TEXT')}" for name, c in columns.items()]
            connection.execute(f"CREATE TABLE people ({', '.join(typed)})")
        self._seen.execute(_PARTS)

    def add(self, batch: Batch) -> None:
        """Write people after those that were written before."""
        seen: dict[str, Sequence[Stored]] = {}
        whole: dict[str, Sequence[Stored]] = {}
        for name, cells in self._cells.items():
            if values := batch.get(COLUMNS[name].key):
                seen[name], whole[name] = zip(*cells.of(values), strict=True)
        if whole:
            _insert(self._seen, {name: seen[name] for name in seen if name in SEEN_COLUMNS})
            _insert(self._whole, whole)
            self.size += len(next(iter(whole.values())))

    def bytes(self) -> int:
        """Return how large the files are so far."""
        return sum((self._folder / name).stat().st_size for name in (SEEN, WHOLE))

    def repeated(self) -> int:
        """Return how many rows repeat a person, judging by the ids."""
        # Different ids may look alike where they had to be masked or cut.
        found = self._seen.execute(
            "SELECT count(id) - count(DISTINCT id) FROM people"
            " WHERE id NOT LIKE '%•%' AND id NOT LIKE '%…'"
        )
        return int(found.fetchone()[0])

    def finish(self, run: str, notes: Sequence[str]) -> None:
        """Complete and seal the files."""
        self._seen.executemany("INSERT OR IGNORE INTO kept_parts VALUES (?, ?, ?)", self._parts())
        for connection in (self._seen, self._whole):
            connection.execute("COMMIT")
        self.close()
        file = _private(self._folder / ABOUT)
        told = About(run, self.size, tuple(notes), _sums(self._folder))
        file.write_bytes(_ABOUT.dump_json(told))

    def close(self) -> None:
        """Let go of the files."""
        self._seen.close()
        self._whole.close()

    def _parts(self) -> Iterator[tuple[str, str, str]]:
        """Yield the single values in cells that hold several, by column; topics by their names."""
        for column in SEEN_COLUMNS.values():
            if column.holds == "list" and not column.identifies and column.name != "topic":
                for (cell,) in self._distinct(f"{column.name} FROM people"):
                    yield from ((column.name, cell, part) for part in _split(cell))
        names = {str(topic): name for topic, name in self._distinct("topicId, topic FROM people")}
        for (cell,) in self._distinct("matchedTopicIds FROM people"):
            yield from (("topic", cell, names.get(p) or f"topic {p}") for p in _split(cell))
        # With an id beside it, it is the name of one topic.
        cells = self._distinct(
            "topic, CASE WHEN topicId IS NULL THEN topicOverlap ELSE 1 END FROM people"
            " WHERE matchedTopicIds IS NULL"
        )
        known = {cell for cell, overlap in cells if overlap == 1}
        for cell, overlap in cells:
            yield from (("topic", cell, part) for part in _topics(cell, overlap, known))

    def _distinct(self, what: str) -> list[tuple[Any, ...]]:
        found = self._seen.execute(f"SELECT DISTINCT {what}")
        return [row for row in found if row[0] is not None]


class Cells:
    """Makes the cells of one column: each value as questions may see it, and as it came.

    Most columns repeat the same texts, so each is looked at once and the result remembered.
    """

    def __init__(self, column: Column) -> None:
        self._column = column
        self._known: dict[object, tuple[Stored, Stored]] = {}
        self._room = _MOST_REMEMBERED

    def of(self, values: Sequence[object]) -> list[tuple[Stored, Stored]]:
        """Return each value as it may be seen, and as it came if that is something else."""
        # Other kinds may be equal and yet mean something else: True is 1 and 1.0.
        if not set(map(type, values)) <= _HASHABLE:
            return [self._made(value) for value in values]
        new = set(values).difference(self._known)
        self._room -= sum(len(value) for value in new if isinstance(value, str))
        if self._room < 0:
            self._known, self._room = {}, _MOST_REMEMBERED
            new = set(values)
        self._known.update((value, self._made(value)) for value in new)
        return list(map(self._known.__getitem__, values))

    def _made(self, value: object) -> tuple[Stored, Stored]:
        came = as_it_came(self._column, value)
        if came is None or self._column.kind == "untrusted":
            return None, came
        seen = show(self._column, came, contact=False)
        return None if seen == "" else seen, None if seen == came else came


def as_it_came(column: Column, value: object) -> Stored:
    """Return the value as the column holds it, without what no database takes."""
    if column.holds == "number" and isinstance(value, int | float):
        if isinstance(value, float):
            return value if math.isfinite(value) else None
        return value if -_LARGEST <= value < _LARGEST else str(value)
    text = as_text(value)[:LONGEST_TEXT]
    if not text.isprintable():
        text = text.encode("utf-8", "ignore").decode().replace("\0", "")
    if column.holds == "number":
        if _INTEGER.fullmatch(text):
            return int(text)
        return float(text) if _NUMBER.fullmatch(text) else text or None
    if column.holds == "flag":
        text = _FLAGS.get(text.strip().lower(), text)
    return text or None


def _topics(cell: str, number: object, known: set[str]) -> list[str]:
    """Split a cell of this number of topics at its commas, except those within a known name."""
    if number == 1:
        return [cell]
    parts = _split(cell)
    if number == len(parts):
        return parts
    topics: list[str] = []
    while parts:
        length = next((n for n in range(len(parts), 1, -1) if ", ".join(parts[:n]) in known), 1)
        topics.append(", ".join(parts[:length]))
        parts = parts[length:]
    return topics


def _split(cell: object) -> list[str]:
    return [part for part in _BETWEEN.split(str(cell)) if part]


def _insert(connection: sqlite3.Connection, columns: Mapping[str, Sequence[Stored]]) -> None:
    """Insert cells, given by column, into the table of people."""
    filled = {name: cells for name, cells in columns.items() if cells.count(None) < len(cells)}
    filled = filled or dict(list(columns.items())[:1])
    # Python searches long for a way to write each None.
    lists = (
        ["" if cell is None else cell for cell in cells] if None in cells else cells
        for cells in filled.values()
    )
    values = ", ".join(["nullif(?, '')"] * len(filled))
    connection.executemany(
        f"INSERT INTO people ({', '.join(filled)}) VALUES ({values})", zip(*lists, strict=True)
    )


def _private(file: Path) -> Path:
    """Make the new file one that only this user may read."""
    file.touch(0o600, exist_ok=False)
    return file
