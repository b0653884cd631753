"""Writes the people of a run into the two files of a snapshot.

Each value is kept as it came, and as questions may see it where that differs.
"""

# ruff: noqa: S608 -- the names in these statements are our own columns

import math
import os
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import cast

from leadpipe_mcp.people.columns import COLUMNS, Batch, Column
from leadpipe_mcp.people.layout import ABOUT, APPLICATION, SEEN_COLUMNS, TABLES, About
from leadpipe_mcp.people.masking import HIDDEN, is_harmless
from leadpipe_mcp.people.privacy import PLAIN_LIMIT, as_text, show

Stored = str | int | float | None
"""What a cell holds; None where nothing is known."""

Made = tuple[Stored, Stored]
"""A value as questions may see it, and as it came if that is something else."""

NOTHING: Made = (None, None)
LONGEST_TEXT = 100_000

_INTEGER = re.compile(r"-?\d{1,18}", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,15}\.\d{1,15}", re.ASCII)
_LARGEST = 2**63
_FLAGS = {"true": "y", "yes": "y", "1": "y", "false": "n", "no": "n", "0": "n", "y": "y", "n": "n"}
# What most addresses and numbers look like. They are masked here, which is ten times as fast.
_USUAL_EMAIL = re.compile(
    r"([A-Za-z0-9])[A-Za-z0-9._+-]{0,63}@([A-Za-z0-9-]{1,63}(?:\.[a-z]{2,63})+)"
)
_USUAL_PHONE = re.compile(r"\+1\d{6}(\d{4})", re.ASCII)
_USUAL_LENGTH = 200
_HASH = re.compile(r"[0-9a-f]{32,128}")
# How many characters of values are remembered with what was made of them.
_MOST_REMEMBERED = 250_000
_HASHABLE = {str, int, type(None)}
# Rows are a kilobyte long; larger pages waste less of them and are read faster in a row.
_PAGE_BYTES = 16_384
_SEEN, _CAME = itemgetter(0), itemgetter(1)
_BETWEEN = re.compile(r"\s*[,;|]\s*")


class PeopleWriter:
    """Writes people into a new folder, for one thread at a time.

    Args:
        folder: Where; it exists, empty and private.

    Attributes:
        size: How many people were written.
    """

    def __init__(self, folder: Path) -> None:
        self.size = 0
        self._files = [folder / name for name in TABLES]
        self._seen, self._whole = (_new_file(folder / name, TABLES[name]) for name in TABLES)
        shared = {kind: Cells(Column(kind, kind)) for kind in ("email", "phone")}
        self._cells = {c.name: shared.get(c.kind) or Cells(c) for c in COLUMNS.values()}

    def add(self, batch: Batch) -> None:
        """Write people after those that were written before."""
        seen: dict[str, Sequence[Stored]] = {}
        whole: dict[str, Sequence[Stored]] = {}
        for name, cells in self._cells.items():
            if values := batch.get(COLUMNS[name].key):
                made = cells.of(values)
                whole[name] = list(map(_CAME, made))
                if name in SEEN_COLUMNS:
                    seen[name] = list(map(_SEEN, made))
        if whole:
            _insert(self._seen, seen)
            _insert(self._whole, whole)
            self.size += len(next(iter(whole.values())))

    def start_over(self) -> None:
        """Remove everyone who was written."""
        for connection in (self._seen, self._whole):
            connection.execute("DELETE FROM people")
        self.size = 0

    def bytes(self) -> int:
        """Return how large the files are so far."""
        return sum(file.stat().st_size for file in self._files)

    def repeated(self) -> int:
        """Return how many rows repeat a person, judging by the ids."""
        # Different ids may look alike where they had to be masked or cut.
        found = self._seen.execute(
            "SELECT count(id) - count(DISTINCT id) FROM people"
            " WHERE id NOT LIKE '%•%' AND id NOT LIKE '%…'"
        )
        return int(found.fetchone()[0])

    def finish(self, key: str, notes: Sequence[str]) -> About:
        """Complete both files, and return what they hold."""
        topics = "matchedTopicIds" if self._has("matchedTopicIds") else "topic"
        self._seen.executemany(
            "INSERT OR IGNORE INTO kept_parts VALUES (?, ?, ?)", self._parts(topics)
        )
        kept = About(key, self.size, notes=tuple(notes), topics=topics)
        for connection in (self._seen, self._whole):
            connection.execute(
                "INSERT INTO kept_about VALUES (?)", [ABOUT.dump_json(kept).decode()]
            )
            connection.execute("COMMIT")
        self.close()
        return kept

    def close(self) -> None:
        """Let go of the files."""
        self._seen.close()
        self._whole.close()

    def _has(self, column: str) -> bool:
        found = self._seen.execute(f"SELECT 1 FROM people WHERE {column} IS NOT NULL LIMIT 1")
        return found.fetchone() is not None

    def _parts(self, topics: str) -> Iterator[tuple[str, str, str]]:
        """Yield the single values in cells that hold several, by column; topics by their names."""
        for column in SEEN_COLUMNS.values():
            if column.holds == "list" and not column.identifies and column.name != "topic":
                for (cell,) in self._distinct(column.name):
                    yield from ((column.name, cell, part) for part in set(_split(cell)))
        if topics == "matchedTopicIds":
            names = {str(topic): name for topic, name in self._distinct("topicId", "topic")}
            for (cell,) in self._distinct(topics):
                for part in set(_split(cell)):
                    yield "topic", cell, names.get(part) or f"topic {part}"
            return
        # With an id beside it, it is the name of one topic.
        one = self._has("topicId")
        cells = [
            (cell, 1 if one else overlap)
            for cell, overlap in self._distinct("topic", "topicOverlap")
        ]
        known = {cell for cell, overlap in cells if overlap == 1}
        for cell, overlap in cells:
            for part in set(topics_of(cell, overlap, known)):
                yield "topic", cell, part

    def _distinct(self, *columns: str) -> list[tuple[str, ...]]:
        names = ", ".join(columns)
        where = f"{columns[0]} IS NOT NULL"
        return self._seen.execute(f"SELECT DISTINCT {names} FROM people WHERE {where}").fetchall()


class Cells:
    """Makes the cells of one column.

    Most columns repeat the same texts, so each is looked at once and the result remembered.
    Columns that hold the same addresses may share one of these.
    """

    def __init__(self, column: Column) -> None:
        self._column = column
        self._usual = _USUAL.get(column.kind) if column.holds in {"text", "list"} else None
        self._forget()

    def of(self, values: Sequence[object]) -> list[Made]:
        """Return what is made of each value."""
        # Other kinds may be equal and yet mean something else: True is 1 and 1.0.
        if not set(map(type, values)) <= _HASHABLE:
            return [self._new(value) for value in values]
        new = set(values).difference(self._known)
        self._room -= sum(len(value) for value in new if isinstance(value, str))
        if self._room < 0:
            self._forget()
            new = set(values).difference(self._known)
        self._known.update((value, self._new(value)) for value in new)
        return list(map(self._known.__getitem__, values))

    def _forget(self) -> None:
        self._known: dict[object, Made] = {None: NOTHING, "": NOTHING}
        self._room = _MOST_REMEMBERED

    def _new(self, value: object) -> Made:
        if self._usual and isinstance(value, str) and len(value) < _USUAL_LENGTH:
            # As below, in one step for what nearly every text is.
            seen = self._usual(value) if value.isprintable() else None
            if seen:
                return (seen, None if seen == value else value)
        if value.__class__ is int and self._column.holds == "number":
            number = _number(cast("int", value))
            return (number, None)
        came = as_it_came(self._column, value)
        seen = as_seen(self._column, came)
        return (seen, None if came == seen else came)


def as_it_came(column: Column, value: object) -> Stored:
    """Return the value as the column holds it, without what no database takes."""
    if column.holds == "number" and isinstance(value, int | float):
        return _number(value)
    text = _storable(as_text(value))
    if column.holds == "number":
        return _read_number(text)
    if column.holds == "flag":
        text = _FLAGS.get(text.strip().lower(), text)
    return text or None


def as_seen(column: Column, value: Stored) -> Stored:
    """Return what `as_it_came` made, as questions may see it; None for third parties' words."""
    if value is None or column.kind == "untrusted":
        return None
    if isinstance(value, str) and len(value) < _USUAL_LENGTH:
        usual = _USUAL[column.kind](value)
        if usual:
            return usual
    seen = show(column, value, contact=False)
    return None if seen == "" else seen


def _usual_emails(text: str) -> str | None:
    """Mask the addresses, if each is a usual one."""
    found = [_USUAL_EMAIL.fullmatch(part) for part in text.split(", ")]
    return ", ".join([f"{m[1]}{HIDDEN}@{m[2]}" for m in found if m]) if all(found) else None


def _usual_phones(text: str) -> str | None:
    found = [_USUAL_PHONE.fullmatch(part) for part in text.split(", ")]
    return ", ".join([f"+1{HIDDEN}{m[1]}" for m in found if m]) if all(found) else None


def _usual_plain(text: str) -> str | None:
    """Return the text as it is, if an answer shows it like that."""
    is_tidy = len(text) <= PLAIN_LIMIT and "  " not in text and text.strip() == text
    if is_tidy and is_harmless(text):
        return text
    return text if _HASH.fullmatch(text) else None


_USUAL = {
    "email": _usual_emails,
    "phone": _usual_phones,
    "plain": _usual_plain,
    "private": _usual_plain,
}


def _number(value: float) -> Stored:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if -_LARGEST <= value < _LARGEST else str(value)


def _read_number(text: str) -> Stored:
    """Return the number that a text is, or the text if it is not a number."""
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text or None


def _storable(text: str) -> str:
    """Return the text without NULs and lone surrogates, cut where no reader would go on."""
    text = text[:LONGEST_TEXT]
    if text.isprintable():
        return text
    if not text.isascii():
        text = text.encode("utf-8", "ignore").decode()
    return text.replace("\0", "")


def topics_of(cell: str, overlap: object, known: set[str]) -> list[str]:
    """Split a cell of topics at its commas, except those that belong to a name.

    Args:
        cell: The names.
        overlap: How many topics they are, if that is known.
        known: Names that are known from elsewhere.
    """
    if overlap == 1:
        return [cell]
    parts = _split(cell)
    if overlap == len(parts):
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


def _new_file(file: Path, tables: tuple[str, ...]) -> sqlite3.Connection:
    """Open a new file that only this user may read, within one transaction."""
    os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    try:
        # If anything fails the file is thrown away, so there is no need to be able to roll back.
        for setting in (
            f"page_size = {_PAGE_BYTES}",
            "journal_mode = OFF",
            "synchronous = OFF",
            "locking_mode = EXCLUSIVE",
            "cache_size = -4000",
            f"application_id = {APPLICATION}",
        ):
            connection.execute(f"PRAGMA {setting}").close()
        connection.execute("BEGIN")
        for table in tables:
            connection.execute(table)
    except sqlite3.Error:
        connection.close()
        raise
    return connection
