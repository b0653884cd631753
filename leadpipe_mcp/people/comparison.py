"""Two snapshots compared: who is in both, who is in only one, and what people these are."""

# ruff: noqa: S608 -- the names in these statements are our own

import sqlite3
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.people.layout import SEEN, WHOLE, address
from leadpipe_mcp.people.profile import Share, shares
from leadpipe_mcp.people.snapshot import Snapshot
from leadpipe_mcp.text import counted

FIELDS = ("seniority", "companyIndustry", "state")
TOP = 5

Side = Literal["one", "other"]


@dataclass(frozen=True)
class Segment:
    """Some of the people of two lists: how many, their average score, and their most common values.

    `top` is by field, in percent of the people of this segment.
    """

    people: int
    average_score: float | None
    top: Mapping[str, tuple[Share, ...]]


@dataclass(frozen=True)
class Comparison:
    """Who is in both lists, and who is in only one of them.

    The make-up of those in both is that of the first list.
    """

    both: Segment
    only_one: Segment
    only_other: Segment
    notes: tuple[str, ...]


async def compare(one: Snapshot, other: Snapshot) -> Comparison:
    """Compare who is in both snapshots, only in `one` and only in `other`.

    People are recognized by the service's id, which is mostly the hash of an address. Those without
    one are counted in the notes.

    Raises:
        NotPossible: If the two lists have ids of different kinds.
    """

    def work(connection: sqlite3.Connection) -> Comparison:
        _attach(connection, one, other)
        _check_ids(connection)
        _pair_up(connection)
        both, only_one = _segments(connection, "one")
        _, only_other = _segments(connection, "other")
        notes = [*one.notes, *other.notes, *_left_out(connection, one, other)]
        return Comparison(both, only_one, only_other, tuple(dict.fromkeys(notes)))

    with other.gone():
        return await one.ask(work)


def _attach(connection: sqlite3.Connection, one: Snapshot, other: Snapshot) -> None:
    """Create the views `one` and `other` with the number and the id of everyone."""
    # Temporary views and tables go with the connection.
    connection.execute("PRAGMA query_only = OFF").close()
    files = {
        "one_whole": one.folder / WHOLE,
        "other_seen": other.folder / SEEN,
        "other_whole": other.folder / WHOLE,
    }
    for name, file in files.items():
        connection.execute(f"ATTACH ? AS {name}", [address(file)])
    for side, seen in (("one", "main"), ("other", "other_seen")):
        connection.execute(
            f"CREATE TEMP VIEW {side} AS SELECT p.rowid AS number, coalesce(w.id, p.id) AS id"
            f" FROM {seen}.people p JOIN {side}_whole.people w ON w.rowid = p.rowid"
        )


def _check_ids(connection: sqlite3.Connection) -> None:
    """Refuse lists whose ids are plainly of different kinds."""
    kinds = [
        connection.execute(
            "SELECT avg(length(id) = 64 AND id NOT GLOB '*[^0-9a-f]*') FROM"
            f" (SELECT id FROM {side} WHERE id IS NOT NULL LIMIT 1000)"
        ).fetchone()[0]
        for side in ("one", "other")
    ]
    if None not in kinds and abs(kinds[0] - kinds[1]) > 0.5:
        raise NotPossible(
            "The two lists cannot be compared: one identifies people by the hash of their address,"
            " the other by numbers of its own.",
            "Compare two runs of the same kind, both with a runId or both with a date.",
        )


def _pair_up(connection: sqlite3.Connection) -> None:
    """Create the table `persons`, with everyone who has an id once, and their numbers."""
    connection.execute(
        "CREATE TEMP TABLE persons (id TEXT PRIMARY KEY, one INTEGER, other INTEGER) WITHOUT ROWID"
    )
    for side in ("one", "other"):
        connection.execute(
            f"INSERT INTO persons (id, {side}) SELECT id, min(number) FROM {side}"
            f" WHERE id IS NOT NULL GROUP BY id"
            f" ON CONFLICT (id) DO UPDATE SET {side} = excluded.{side}"
        )
    for side, opposite in (("one", "other"), ("other", "one")):
        connection.execute(
            f"CREATE TEMP TABLE of_{side} (number INTEGER PRIMARY KEY, is_both INTEGER)"
        )
        connection.execute(
            f"INSERT INTO of_{side} SELECT {side}, {opposite} IS NOT NULL FROM persons"
            f" WHERE {side} IS NOT NULL ORDER BY {side}"
        )


def _segments(connection: sqlite3.Connection, side: Side) -> tuple[Segment, Segment]:
    """Return the people of a list who are in both, and those who are only in it."""
    seen = "main" if side == "one" else "other_seen"
    # In the order of the file, which is far faster than that of the ids.
    people = f"temp.of_{side} q CROSS JOIN {seen}.people p ON p.rowid = q.number"
    totals = {
        is_both: (count, None if score is None else round(score, 1))
        for is_both, count, score in connection.execute(
            f"SELECT is_both, count(*), avg(score) FROM {people} GROUP BY is_both"
        )
    }
    found: dict[tuple[int, str], Counter[str]] = {}
    for name in FIELDS:
        for is_both, value, count in connection.execute(
            f"SELECT is_both, {name}, count(*) FROM {people} WHERE {name} IS NOT NULL"
            f" GROUP BY is_both, {name} ORDER BY {name}"
        ):
            found.setdefault((is_both, name), Counter())[value] = count
    return _segment(1, totals, found), _segment(0, totals, found)


def _segment(
    is_both: int,
    totals: Mapping[int, tuple[int, float | None]],
    found: Mapping[tuple[int, str], Counter[str]],
) -> Segment:
    people, score = totals.get(is_both, (0, None))
    return Segment(
        people,
        score,
        {
            name: shares(found[is_both, name].most_common(TOP), people)
            for name in FIELDS
            if (is_both, name) in found
        },
    )


def _left_out(connection: sqlite3.Connection, one: Snapshot, other: Snapshot) -> list[str]:
    """Say how many were not compared, and how many rows repeat a person."""
    notes: list[str] = []
    for side, snapshot, list_ in (("one", one, "first"), ("other", other, "second")):
        with_id, persons = connection.execute(
            f"SELECT (SELECT count(id) FROM {side}), (SELECT count(*) FROM of_{side})"
        ).fetchone()
        if without := snapshot.size - with_id:
            people = counted(without, "person", "people")
            notes.append(f"{people} of the {list_} list cannot be compared: they have no id.")
        if again := with_id - persons:
            rows = counted(again, "row")
            notes.append(f"{rows} of the {list_} list repeat a person, who counts once.")
    return notes
