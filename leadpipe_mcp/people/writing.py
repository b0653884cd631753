"""Writes the people of a run into the two files of a snapshot."""

# ruff: noqa: S608 -- the names in these statements are our own columns

import os
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from pathlib import Path

from leadpipe_mcp.people.cells import Cells, Stored
from leadpipe_mcp.people.columns import COLUMNS, Batch, Column
from leadpipe_mcp.people.layout import ABOUT, APPLICATION, SEEN_COLUMNS, TABLES, About

# Rows are a kilobyte long; larger pages waste less of them and are read faster in a row.
_PAGE_BYTES = 16_384
_SEEN, _CAME = itemgetter(0), itemgetter(1)
_BETWEEN = re.compile(r"\s*[,;|]\s*")


class PeopleWriter:
    """Writes people into a new folder, for one thread at a time.

    Args:
        folder: Where; it is there, empty and private.

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
        """Nothing; the people stand behind those that were written before."""
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

    def begin_anew(self) -> None:
        """Nothing; nobody was written."""
        for connection in (self._seen, self._whole):
            connection.execute("DELETE FROM people")
        self.size = 0

    def bytes(self) -> int:
        """How large the files are so far."""
        return sum(file.stat().st_size for file in self._files)

    def repeated(self) -> int:
        """How many rows are of somebody who came before, as far as ids tell."""
        # Different ids may be seen alike where they had to be masked or cut.
        found = self._seen.execute(
            "SELECT count(id) - count(DISTINCT id) FROM people"
            " WHERE id NOT LIKE '%•%' AND id NOT LIKE '%…'"
        )
        return int(found.fetchone()[0])

    def finish(self, key: str, notes: Sequence[str]) -> About:
        """What is now kept, whole and on disk."""
        topics = "matchedTopicIds" if self._has("matchedTopicIds") else "topic"
        self._seen.executemany(
            "INSERT OR IGNORE INTO kept_parts VALUES (?, ?, ?)", self._parts(topics)
        )
        told = About(key, self.size, notes=tuple(notes), topics=topics)
        for connection in (self._seen, self._whole):
            connection.execute(
                "INSERT INTO kept_about VALUES (?)", [ABOUT.dump_json(told).decode()]
            )
            connection.execute("COMMIT")
        self.close()
        return told

    def close(self) -> None:
        """Nothing; the files are let go."""
        self._seen.close()
        self._whole.close()

    def _has(self, column: str) -> bool:
        found = self._seen.execute(f"SELECT 1 FROM people WHERE {column} IS NOT NULL LIMIT 1")
        return found.fetchone() is not None

    def _parts(self, topics: str) -> Iterator[tuple[str, str, str]]:
        """The single values in the cells that hold several, by column; topics by their names."""
        for column in SEEN_COLUMNS.values():
            if column.holds == "list" and not column.identifies and column.name != "topic":
                for (cell,) in self._distinct(column.name):
                    yield from ((column.name, cell, part) for part in set(_split(cell)))
        if topics == "matchedTopicIds":
            names = {str(topic): name for topic, name in self._distinct("topicId", "topic")}
            for (cell,) in self._distinct(topics):
                for part in set(_split(cell)):
                    yield "topic", cell, names.get(part) or f"topic {part}"
        else:
            yield from self._topic_parts()

    def _topic_parts(self) -> Iterator[tuple[str, str, str]]:
        """The topics of each cell that has their names and nothing else."""
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


def topics_of(cell: str, overlap: object, known: set[str]) -> list[str]:
    """The topics in a cell with commas between, some of which may belong to a name.

    Args:
        cell: The names.
        overlap: How many topics they are, as far as that is told.
        known: The names that are known from elsewhere.
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
    """Nothing; the cells, which are given by column, stand in the table of people."""
    told = {name: cells for name, cells in columns.items() if cells.count(None) < len(cells)}
    told = told or dict(list(columns.items())[:1])
    # For every None Python looks long for somebody who knows how to write it.
    lists = (
        ["" if cell is None else cell for cell in cells] if None in cells else cells
        for cells in told.values()
    )
    places = ", ".join(["nullif(?, '')"] * len(told))
    connection.executemany(
        f"INSERT INTO people ({', '.join(told)}) VALUES ({places})", zip(*lists, strict=True)
    )


def _new_file(file: Path, tables: tuple[str, ...]) -> sqlite3.Connection:
    """A connection to a new file that nobody else may read, within one transaction."""
    os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    try:
        # If anything fails the file is thrown away, so nothing is kept to take a step back.
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
