"""The make-up of an audience, counted by SQLite."""

# ruff: noqa: S608 -- the names in these statements are our own columns

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.people.columns import COLUMNS, Column, Value, choose_columns
from leadpipe_mcp.people.layout import SEEN_COLUMNS
from leadpipe_mcp.people.snapshot import Snapshot
from leadpipe_mcp.text import listed, quoted

CONTACTABLE = ("businessEmail", "personalEmail", "phone", "linkedinUrl")
MOST_GROUPED = 3

_BROKEN_DOWN = {
    "seniority": 8,
    "department": 8,
    "companyIndustry": 10,
    "companySize": 10,
    "state": 10,
    "company": 10,
    "topic": 10,
}
_LOWEST, _ABOVE = 50, 100


@dataclass(frozen=True)
class Share:
    """How many people have a value, also in percent of everyone."""

    value: Value
    people: int
    percent: float


@dataclass(frozen=True)
class TopValues:
    """The most frequent values of a field.

    Of the rest it says how many other values there are and how many people have them (None where
    one person may have several), and for how many people the field is unknown.
    """

    top: tuple[Share, ...]
    other_values: int
    other_people: int | None
    unknown: int


@dataclass(frozen=True)
class Scores:
    """How much people research: the average, and people per ten-point score band."""

    average: float
    buckets: tuple[Share, ...]


@dataclass(frozen=True)
class Profile:
    """The make-up of an audience. `filled` says for how many percent each field is known."""

    size: int
    companies: int
    filled: Mapping[str, float]
    scores: Scores | None
    breakdowns: Mapping[str, TopValues]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Groups:
    """People per combination of values, the most frequent first.

    Each row has the values, the number of people and its percentage. `others` is the number of
    further rows, and `other_people` the people in them (None where one person may count in several
    rows).
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    size: int
    others: int
    other_people: int | None
    notes: tuple[str, ...]


async def profile(snapshot: Snapshot) -> Profile:
    """Return the make-up of everyone in the snapshot."""

    def work(connection: sqlite3.Connection) -> Profile:
        filled = _filled(connection)
        return Profile(
            size=snapshot.size,
            companies=_companies(connection),
            filled={name: _percent(people, snapshot.size) for name, people in filled.items()},
            scores=_scores(connection, snapshot.size),
            breakdowns={
                name: _breakdown(connection, snapshot, COLUMNS[name], top, filled[name])
                for name, top in _BROKEN_DOWN.items()
                if filled.get(name)
            },
            notes=snapshot.notes,
        )

    return await snapshot.ask(work)


async def group(snapshot: Snapshot, by: Sequence[str], top: int = 20) -> Groups:
    """Count people by combinations of up to three fields.

    No group is held back for being small: who may ask this may see each person as well.

    Raises:
        NotPossible: If a field is unknown, or not one to count by.
    """
    columns = _to_count_by(by)
    return await snapshot.ask(lambda connection: _groups(connection, snapshot, columns, top))


def _to_count_by(names: Sequence[str]) -> tuple[Column, ...]:
    """Return the columns of these names, if people can be counted by them."""
    columns = choose_columns(tuple(names)) if names else ()
    if not 1 <= len(columns) <= MOST_GROUPED:
        raise NotPossible(
            f"People can be counted by one to {MOST_GROUPED} fields; {len(columns)} were named.",
            "Name fewer, or ask with sql." if columns else "Name one, such as seniority or state.",
        )
    free_text = [column.name for column in columns if column.kind == "untrusted"]
    if free_text:
        raise NotPossible(
            f"{quoted(free_text)} is free text, which people cannot be counted by.",
            "Count by jobTitle, seniority, department or companyIndustry.",
        )
    persons = [column.name for column in columns if column.identifies]
    if persons:
        raise NotPossible(
            f"{quoted(persons)} identifies single people, which groups are not for.",
            "Count by company, jobTitle, state or the like; query_audience shows people.",
        )
    return columns


def _groups(
    connection: sqlite3.Connection, snapshot: Snapshot, columns: tuple[Column, ...], top: int
) -> Groups:
    counts, others, people = _counts(connection, snapshot, columns, top)
    several = [column.name for column in columns if column.holds == "list"]
    shown = sum(count for _, count in counts)
    note = (
        f"People with several values of {listed(several)} count in each of those rows, so the rows"
        " add up to more than everyone."
    )
    return Groups(
        columns=(*(column.name for column in columns), "people", "percent"),
        rows=tuple((*values, n, _percent(n, snapshot.size)) for values, n in counts),
        size=snapshot.size,
        others=others,
        other_people=None if several else people - shown,
        notes=(*snapshot.notes, note) if several else snapshot.notes,
    )


def _counts(
    connection: sqlite3.Connection,
    snapshot: Snapshot,
    columns: Sequence[Column],
    top: int,
    *,
    known: bool = False,
) -> tuple[list[tuple[tuple[Value, ...], int]], int, int]:
    """Return the most frequent combinations, how many others there are, and the people in all.

    An unknown field is an empty text; with `known`, people with one are left out.
    """
    values: list[str] = []
    tables = ["people p"]
    for number, column in enumerate(columns):
        if column.holds == "list":
            cell = snapshot.topics if column.name == "topic" else column.name
            values.append(f"v{number}.part")
            tables.append(
                f"LEFT JOIN kept_parts v{number}"
                f" ON v{number}.field = '{column.name}' AND v{number}.cell = p.{cell}"
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
    counts = [(tuple(row[: len(values)]), int(row[-3])) for row in found]
    groups, people = (int(found[0][-2]), int(found[0][-1])) if found else (0, 0)
    return counts, groups - len(counts), people


def _breakdown(
    connection: sqlite3.Connection, snapshot: Snapshot, column: Column, top: int, filled: int
) -> TopValues:
    counts, others, people = _counts(connection, snapshot, [column], top, known=True)
    shown = sum(count for _, count in counts)
    return TopValues(
        top=shares([(values[0], count) for values, count in counts], snapshot.size),
        other_values=others,
        other_people=None if column.holds == "list" else people - shown,
        unknown=snapshot.size - filled,
    )


def _filled(connection: sqlite3.Connection) -> dict[str, int]:
    """Count for how many people each field is known, the ways to reach them first."""
    names = list(dict.fromkeys([*CONTACTABLE, *SEEN_COLUMNS]))
    counts = connection.execute(
        f"SELECT {', '.join(f'count({name})' for name in names)} FROM people"
    ).fetchone()
    found = zip(names, counts, strict=True)
    return {name: count for name, count in found if count or name in CONTACTABLE}


def _companies(connection: sqlite3.Connection) -> int:
    (companies,) = connection.execute(
        "SELECT count(DISTINCT lower(coalesce(companyDomain, company))) FROM people"
    ).fetchone()
    return int(companies)


def _scores(connection: sqlite3.Connection, size: int) -> Scores | None:
    rows = connection.execute(
        f"SELECT CASE WHEN score < {_LOWEST} THEN 0 WHEN score >= {_ABOVE} THEN {_ABOVE}"
        " ELSE CAST(score / 10 AS INTEGER) * 10 END AS bucket, count(*), sum(score) FROM people"
        " WHERE typeof(score) IN ('integer', 'real') GROUP BY bucket"
    ).fetchall()
    if not rows:
        return None
    people = {bucket: count for bucket, count, _ in rows}
    usual = dict.fromkeys(range(_LOWEST, _ABOVE, 10), 0)
    total = sum(score for _, _, score in rows)
    return Scores(
        average=round(total / sum(people.values()), 1),
        buckets=shares(
            [(_bucket(bucket), count) for bucket, count in sorted((usual | people).items())], size
        ),
    )


def _bucket(lowest: int) -> str:
    if lowest < _LOWEST:
        return f"below {_LOWEST}"
    return f"{_ABOVE} and above" if lowest == _ABOVE else f"{lowest}-{lowest + 9}"


def shares(counts: Sequence[tuple[Value, int]], size: int) -> tuple[Share, ...]:
    """Return the counts, also in percent of the size."""
    return tuple(Share(value, count, _percent(count, size)) for value, count in counts)


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 1) if whole else 0.0
