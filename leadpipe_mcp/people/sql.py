"""Questions in SQL about the people of a snapshot, answered within narrow limits.

What holds, from the outside in: the file that is opened has nothing in it that must not be seen;
a process of its own opens it, to read and never to write, and is ended when its time is over;
SQLite asks a guard about every table, column and function of a statement before it runs; and what
a statement may grow to is limited. `sql_process` is that process.
"""

import math
import re
import sqlite3
from dataclasses import dataclass
from typing import Literal, NoReturn

from anyio import to_thread
from pydantic import TypeAdapter

from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.people.columns import Value
from leadpipe_mcp.people.layout import SEEN, SEEN_COLUMNS, address
from leadpipe_mcp.people.snapshot import Snapshot
from leadpipe_mcp.people.sql_process import (
    FUNCTIONS,
    LONGEST_CELL,
    LONGEST_RESULT,
    LONGEST_STATEMENT,
    LONGEST_VALUE,
)
from leadpipe_mcp.people.sql_workers import SqlWorkers
from leadpipe_mcp.text import clean, counted, listed, nearest, quoted, redact

MOST_ROWS = 200
MOST_SECONDS = 2.0

_COLUMNS = frozenset(SEEN_COLUMNS)
_PRIVATE = [name for name, c in SEEN_COLUMNS.items() if c.kind == "private"]
_COMMENT = r"--[^\n]*(?:\n|\Z)|/\*(?:[^*]|\*(?!/))*(?:\*/|\Z)"
# What SQLite itself and we keep beside the people. Its guard is not asked about every join.
_OTHER_TABLES = re.compile(r"\b(?:sqlite|pragma|kept)_\w*", re.IGNORECASE)
_BEGINNING = re.compile(rf"(?:\s|{_COMMENT})*(\w*)")
_TEXT_OR_COMMENT = re.compile(rf"'(?:[^']|'')*(?:'|\Z)|{_COMMENT}")
# With what makes it the name of something in the statement: AS "x", "x" AS (, "x".name.
_IN_DOUBLE_QUOTES = re.compile(r'(\bas\s*)?"([^"]*)"(\s*\.|\s*(?:as\s*)?\()?', re.IGNORECASE)


@dataclass(frozen=True)
class Rows:
    """The answer to a statement; an empty text stands for NULL."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Answer:
    """What the process says: rows, or an error of SQLite's with what the guard refused."""

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str | int | float | None, ...], ...] = ()
    cut: Literal["rows", "characters"] | None = None
    withheld: tuple[str, ...] = ()
    error: str | None = None
    broken: bool = False
    refused: tuple[Literal["table", "column", "function", "action"], str] | None = None


_ANSWER = TypeAdapter(_Answer)


async def ask(
    snapshot: Snapshot,
    sql: str,
    workers: SqlWorkers,
    *,
    limit: int = MOST_ROWS,
    seconds: float = MOST_SECONDS,
) -> Rows:
    """Ask one SELECT of the table `people`, and take at most `limit` rows of it.

    Raises:
        NotPossible: If it is anything else, is wrong, takes too long or grows too large.
    """
    _check_statement(sql)
    most = max(1, min(limit, MOST_ROWS))
    line = await workers.answer(
        {
            "database": address(snapshot.folder / SEEN),
            "sql": sql,
            "columns": list(SEEN_COLUMNS),
            "private": _PRIVATE,
            "rows": most,
            "seconds": seconds,
        }
    )
    answer = _ANSWER.validate_json(line)
    if answer.broken:
        await to_thread.run_sync(_give_up, snapshot, answer)
    if answer.error is not None:
        raise _refusal(answer)
    rows = tuple(tuple(_shown(cell) for cell in row) for row in answer.rows)
    columns = tuple(clean(name, 100) for name in answer.columns)
    return Rows(columns, rows, (*snapshot.notes, *_notes(answer, sql, most)))


def _give_up(snapshot: Snapshot, answer: _Answer) -> NoReturn:
    with snapshot.gone():
        raise sqlite3.DatabaseError(answer.error)


def _notes(answer: _Answer, sql: str, most: int) -> list[str]:
    """What is to be known of the answer to the statement."""
    notes: list[str] = []
    if answer.withheld:
        withheld = listed(answer.withheld)
        notes.append(f"* does not show what is private: {withheld}. Name it to see it.")
    if misread := _misread(sql):
        notes.append(
            f"{listed(misread)} in double quotes: there is no such column, so it was taken for a"
            " text. Texts stand in single quotes."
        )
    if answer.cut == "rows":
        notes.append(f"This is cut after {counted(most, 'row')}; there are more.")
    if answer.cut == "characters":
        notes.append(
            f"This is cut after {counted(len(answer.rows), 'row')}, to fit into"
            f" {LONGEST_RESULT:,} characters; there are more. Select fewer columns."
        )
    return notes


def _check_statement(sql: str) -> None:
    """Refuse what cannot be one SELECT of people, of a bearable length."""
    if len(sql) > LONGEST_STATEMENT:
        raise NotPossible(
            f"The statement has {len(sql):,} characters, and {LONGEST_STATEMENT:,} are the most.",
            "Ask a shorter question, or several.",
        )
    beginning = _BEGINNING.match(sql)
    if not beginning or beginning[1].lower() not in {"select", "with"}:
        raise NotPossible(
            "Only one SELECT is possible here.",
            "It may begin with WITH, and reads the table people.",
        )
    if other := _OTHER_TABLES.search(sql):
        raise _no_table(other[0])
    if "\0" in sql or any("\ud800" <= character <= "\udfff" for character in sql):
        raise NotPossible("The statement holds characters that are none.", "Write it anew.")


def _shown(cell: str | float | None) -> Value:
    """A value as an answer may hold it: no NULL, nothing endless or invisible."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return clean(cell, LONGEST_CELL)
    return cell if math.isfinite(cell) else str(cell)


def _misread(sql: str) -> list[str]:
    """What stands in double quotes though no column is called so, nor anything in the statement."""
    quotes = _IN_DOUBLE_QUOTES.findall(_TEXT_OR_COMMENT.sub(" ", sql))
    known = {name.lower() for name in _COLUMNS} | {"people", "main"}
    known |= {name.lower() for before, name, after in quotes if before or after}
    return list(
        dict.fromkeys(clean(name, 40) for _, name, _ in quotes if name.lower() not in known)
    )


def _refusal(answer: _Answer) -> NotPossible:
    """What SQLite or its guard says of a statement, in our words where they tell more."""
    said = answer.error or ""
    if answer.refused:
        refused = {"table": _no_table, "column": _no_column, "function": _no_function}
        return refused.get(answer.refused[0], _no_action)(answer.refused[1])
    kind, _, rest = said.partition(": ")
    missing = {
        "no such column": _no_column,
        "no such table": _no_table,
        "no such function": _no_function,
    }.get(kind)
    if missing:
        return missing(rest.partition('" - ')[0].strip('"'))
    if "variable" in said or "binding" in said:
        return NotPossible("There is nothing to put in the place of a parameter.", "Write it out.")
    if any(words in said for words in ("too big", "too large", "too many", "memory")):
        return NotPossible(
            f"The statement asks for too much at once: {redact(said)}.",
            "Ask a simpler question, or add a LIMIT after ORDER BY; no value may grow beyond"
            f" {LONGEST_VALUE:,} characters.",
        )
    if "one statement" in said:
        return NotPossible("Only one statement is possible at a time.", "Ask them one by one.")
    return NotPossible(f"SQLite does not understand the statement: {redact(said)}.", _COLUMNS_ARE)


_COLUMNS_ARE = f"The columns of people are: {', '.join(SEEN_COLUMNS)}."


def _no_column(name: str) -> NotPossible:
    close = nearest(name.rpartition(".")[2], SEEN_COLUMNS)
    hint = f" Did you mean {quoted(close)}?" if close else ""
    return NotPossible(f"There is no column '{redact(name, 60)}'.{hint}", _COLUMNS_ARE)


def _no_table(name: str) -> NotPossible:
    return NotPossible(f"There is no table '{redact(name, 60)}'; the only one is people.")


def _no_function(name: str) -> NotPossible:
    return NotPossible(
        f"There is no function {redact(name, 60)}() here.",
        f"The functions are: {', '.join(sorted(FUNCTIONS))}.",
    )


def _no_action(_: str) -> NotPossible:
    return NotPossible("Only one SELECT is possible here, and nothing else.")
