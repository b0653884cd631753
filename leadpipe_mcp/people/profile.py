"""The make-up of an audience, and of two side by side, counted by SQLite."""

# ruff: noqa: S608 -- the names in these statements are our own columns

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.people.columns import COLUMNS, SEEN_COLUMNS, Column, Value, choose_columns
from leadpipe_mcp.people.snapshot import Snapshot
from leadpipe_mcp.people.write import SEEN, WHOLE, address
from leadpipe_mcp.text import counted, listed, quoted

_CONTACTABLE = ("businessEmail", "personalEmail", "phone", "linkedinUrl")
_BROKEN_DOWN = (
    *("seniority", "department", "companyIndustry", "companySize", "state", "company", "topic"),
)
_MOST_VALUES = 6
_COMPARED = ("seniority", "companyIndustry", "state")
_MOST_COMPARED = 5
_LOWEST, _ABOVE = 50, 100

Counts = Mapping[Value, int]
"""How many people have each value, the most frequent first."""


@dataclass(frozen=True)
class Profile:
    """The make-up of an audience.

    `filled` says for how many percent each field is known, `scores` how many people there are per
    ten-point score band. In `breakdowns` are the most frequent values of some fields and how many
    people have `others`, unless one person may have several.
    """

    size: int
    companies: int
    filled: Mapping[str, float]
    average_score: float | None
    scores: Counts
    breakdowns: Mapping[str, Counts]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Groups:
    """People per combination of values, the most frequent first, also in percent.

    `others` is the number of further rows, and `other_people` the people in them; None where one
    person may count in several rows.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    size: int
    others: int
    other_people: int | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Segment:
    """Some of the people of two lists, their average score, and the top values of some fields."""

    people: int
    average_score: float | None
    top: Mapping[str, Counts]


@dataclass(frozen=True)
class Comparison:
    """Who is in both lists, and who is in only one of them.

    The make-up of those in both is that of the first list.
    """

    both: Segment
    only_one: Segment
    only_other: Segment
    notes: tuple[str, ...]


async def profile(snapshot: Snapshot) -> Profile:
    """Return the make-up of everyone in the snapshot."""

    def work(connection: sqlite3.Connection) -> Profile:
        names = list(dict.fromkeys([*_CONTACTABLE, *SEEN_COLUMNS]))
        companies, *counts = connection.execute(
            "SELECT count(DISTINCT lower(coalesce(companyDomain, company))),"
            f" {', '.join(f'count({name})' for name in names)} FROM people"
        ).fetchone()
        known = dict(zip(names, counts, strict=True))
        breakdowns: dict[str, Counts] = {}
        for column in (COLUMNS[name] for name in _BROKEN_DOWN if known[name]):
            found, _, rest = _count(connection, [column], _MOST_VALUES, known=True)
            others = {"others": rest} if rest and column.holds != "list" else {}
            breakdowns[column.name] = {value: n for (value,), n in found.items()} | others
        average, scores = _scores(connection)
        return Profile(
            snapshot.size,
            companies,
            {
                name: _percent(people, snapshot.size)
                for name, people in known.items()
                if people or name in _CONTACTABLE
            },
            average,
            scores,
            breakdowns,
            snapshot.notes,
        )

    return await snapshot.ask(work)


def _scores(connection: sqlite3.Connection) -> tuple[float | None, Counts]:
    """Return the average score, and how many people are in each band, in the bands' order."""
    found = connection.execute(
        f"SELECT CASE WHEN score < {_LOWEST} THEN 0 WHEN score >= {_ABOVE} THEN {_ABOVE}"
        " ELSE CAST(score / 10 AS INTEGER) * 10 END AS band, count(*), sum(score) FROM people"
        " WHERE typeof(score) IN ('integer', 'real') GROUP BY band"
    ).fetchall()
    if not found:
        return None, {}
    people = dict.fromkeys(range(_LOWEST, _ABOVE, 10), 0) | {band: n for band, n, _ in found}
    names = {0: f"below {_LOWEST}", _ABOVE: f"{_ABOVE} and above"}
    return (
        round(sum(scores for *_, scores in found) / sum(people.values()), 1),
        {names.get(band, f"{band}-{band + 9}"): people[band] for band in sorted(people)},
    )


async def group(snapshot: Snapshot, by: Sequence[str], top: int = 20) -> Groups:
    """Count people by combinations of fields.

    No group is held back for being small: who may ask this may see each person as well.

    Raises:
        NotPossible: If a field is unknown, or not one to count by.
    """
    columns = choose_columns(tuple(by))
    if free_text := [column.name for column in columns if column.kind == "untrusted"]:
        raise NotPossible(
            f"{quoted(free_text)} is free text, which people cannot be counted by.",
            "Count by jobTitle, seniority, department or companyIndustry.",
        )
    if persons := [column.name for column in columns if column.identifies]:
        raise NotPossible(
            f"{quoted(persons)} identifies single people, which groups are not for.",
            "Count by company, jobTitle, state or the like; query_audience shows people.",
        )
    counts, others, rest = await snapshot.ask(lambda connection: _count(connection, columns, top))
    several = [column.name for column in columns if column.holds == "list"]
    note = (
        f"People with several values of {listed(several)} count in each of those rows, so the rows"
        " add up to more than everyone."
    )
    return Groups(
        columns=(*(column.name for column in columns), "people", "percent"),
        rows=tuple((*values, n, _percent(n, snapshot.size)) for values, n in counts.items()),
        size=snapshot.size,
        others=others,
        other_people=None if several else rest,
        notes=(*snapshot.notes, note) if several else snapshot.notes,
    )


def _count(
    connection: sqlite3.Connection, columns: Sequence[Column], top: int, *, known: bool = False
) -> tuple[Mapping[tuple[Value, ...], int], int, int]:
    """Return the most frequent combinations, how many others there are, and the people in those.

    An unknown field is an empty text; with `known`, people with one are left out.
    """
    values: list[str] = []
    tables = ["people p"]
    for number, column in enumerate(columns):
        if column.holds == "list":
            is_topic = column.name == "topic"
            cell = "coalesce(p.matchedTopicIds, p.topic)" if is_topic else f"p.{column.name}"
            values.append(f"v{number}.part")
            tables.append(
                f"LEFT JOIN kept_parts v{number}"
                f" ON v{number}.field = '{column.name}' AND v{number}.cell = {cell}"
            )
        else:
            values.append(f"p.{column.name}")
    chosen = ", ".join(f"coalesce({value}, '') AS c{n}" for n, value in enumerate(values))
    names = ", ".join(f"c{number}" for number in range(len(values)))
    where = " AND ".join(f"{value} IS NOT NULL" for value in values) if known else "1"
    found = connection.execute(
        f"SELECT {names}, people, count(*) OVER (), sum(people) OVER ()"
        f" FROM (SELECT {chosen}, count(*) AS people FROM {' '.join(tables)} WHERE {where}"
        f" GROUP BY {names}) ORDER BY people DESC, {names} LIMIT ?",
        [top],
    ).fetchall()
    counts: dict[tuple[Value, ...], int] = {row[:-3]: row[-3] for row in found}
    groups, people = found[0][-2:] if found else (0, 0)
    return counts, groups - len(counts), people - sum(counts.values())


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 1) if whole else 0.0


async def compare(one: Snapshot, other: Snapshot) -> Comparison:
    """Compare who is in both snapshots, only in `one` and only in `other`.

    People are recognized by the service's id, which is mostly the hash of an address. Those without
    one are counted in the notes.

    Raises:
        NotPossible: If the two lists have ids of different kinds.
    """

    def work(connection: sqlite3.Connection) -> Comparison:
        connection.execute("ATTACH ? AS there", [address(other.folder / SEEN)])
        notes = [*one.notes, *other.notes]
        hashed: list[float | None] = []
        for table, seen, snapshot, which in (
            ("one", "main", one, "first"),
            ("other", "there", other, "second"),
        ):
            connection.execute(f"ATTACH ? AS whole_{table}", [address(snapshot.folder / WHOLE)])
            # Everyone who has an id, once. It goes with the connection.
            connection.execute(
                f"CREATE TEMP TABLE {table} AS SELECT min(p.rowid) AS number,"
                f" coalesce(w.id, p.id) AS id, count(*) AS rows FROM {seen}.people p"
                f" JOIN whole_{table}.people w ON w.rowid = p.rowid"
                " WHERE coalesce(w.id, p.id) IS NOT NULL GROUP BY 2 ORDER BY 1"
            )
            connection.execute(f"CREATE UNIQUE INDEX temp.ids_of_{table} ON {table} (id)")
            rows, people, are_hashed = connection.execute(
                "SELECT coalesce(sum(rows), 0), count(*),"
                " avg(length(id) = 64 AND id NOT GLOB '*[^0-9a-f]*')"
                f" FROM temp.{table}"
            ).fetchone()
            hashed += [are_hashed]
            if without := snapshot.size - rows:
                who = counted(without, "person", "people")
                notes.append(f"{who} of the {which} list cannot be compared: they have no id.")
            if again := rows - people:
                repeats = counted(again, "row")
                notes.append(f"{repeats} of the {which} list repeat a person, who counts once.")
        here, there = hashed
        if here is not None and there is not None and abs(here - there) > 0.5:
            raise NotPossible(
                "The two lists cannot be compared: one identifies people by the hash of their"
                " address, the other by numbers of its own.",
                "Compare two runs of the same kind, both with a runId or both with a date.",
            )
        return Comparison(
            _segment(connection, "one", "main", "IN (SELECT id FROM temp.other)"),
            _segment(connection, "one", "main", "NOT IN (SELECT id FROM temp.other)"),
            _segment(connection, "other", "there", "NOT IN (SELECT id FROM temp.one)"),
            tuple(dict.fromkeys(notes)),
        )

    with other.gone():
        return await one.ask(work)


def _segment(connection: sqlite3.Connection, table: str, seen: str, where: str) -> Segment:
    """Count those of a list whose ids fulfil the condition."""
    # In the order of the file, which is far faster than that of the ids.
    some = f"temp.{table} q CROSS JOIN {seen}.people p ON p.rowid = q.number WHERE q.id {where}"
    people, average = connection.execute(
        f"SELECT count(*), round(avg(score), 1) FROM {some}"
    ).fetchone()
    top: dict[str, Counts] = {
        name: dict(
            connection.execute(
                f"SELECT {name}, count(*) FROM {some} AND {name} IS NOT NULL GROUP BY 1"
                f" ORDER BY 2 DESC, 1 LIMIT {_MOST_COMPARED}"
            ).fetchall()
        )
        for name in _COMPARED
    }
    return Segment(people, average, {name: counts for name, counts in top.items() if counts})
