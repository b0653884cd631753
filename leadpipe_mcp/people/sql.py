"""Questions in SQL about the people of a snapshot, answered within narrow limits.

From the outside in: the file that is opened holds nothing that must not be seen; a process of its
own opens it, read-only, and is ended when its time is up; SQLite asks a guard about every table,
column and function of a statement before it runs; and memory, values and rows are limited.
`sql_process` is the program that these processes run.
"""

import json
import math
import os
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal, NoReturn

import anyio
from anyio import to_thread
from pydantic import TypeAdapter

from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.people import sql_process
from leadpipe_mcp.people.columns import Value
from leadpipe_mcp.people.layout import SEEN, SEEN_COLUMNS, address
from leadpipe_mcp.people.snapshot import Snapshot, too_slow
from leadpipe_mcp.people.sql_process import (
    FUNCTIONS,
    LONGEST_CELL,
    LONGEST_RESULT,
    LONGEST_STATEMENT,
    LONGEST_VALUE,
    Question,
)
from leadpipe_mcp.text import clean, counted, listed, nearest, quoted, redact

MOST_ROWS = 200
MOST_SECONDS = 2.0
AT_ONCE = 2
PATIENCE_SECONDS = 20.0
COMMAND = [sys.executable or "", "-I", sql_process.__file__]

# The processes need no keys.
_WITHHELD = ("LEADPIPE_", "SONARLY_")
_LONGEST_ANSWER = 4_000_000
_COLUMNS = frozenset(SEEN_COLUMNS)
_PRIVATE = [name for name, c in SEEN_COLUMNS.items() if c.kind == "private"]
_COMMENT = r"--[^\n]*(?:\n|\Z)|/\*(?:[^*]|\*(?!/))*(?:\*/|\Z)"
# The tables that SQLite and we keep beside the people. The guard is not asked about every join.
_OTHER_TABLES = re.compile(r"\b(?:sqlite|pragma|kept)_\w*", re.IGNORECASE)
_BEGINNING = re.compile(rf"(?:\s|{_COMMENT})*(\w*)")
_TEXT_OR_COMMENT = re.compile(rf"'(?:[^']|'')*(?:'|\Z)|{_COMMENT}")
# Together with what makes it a name in the statement: AS "x", "x" AS (, "x".name.
_IN_DOUBLE_QUOTES = re.compile(r'(\bas\s*)?"([^"]*)"(\s*\.|\s*(?:as\s*)?\()?', re.IGNORECASE)


@dataclass(frozen=True)
class Rows:
    """The answer to a statement; an empty text means NULL."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Answer:
    """What the process says: rows, or SQLite's error with what the guard refused."""

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
    workers: "SqlWorkers",
    *,
    limit: int = MOST_ROWS,
    seconds: float = MOST_SECONDS,
) -> Rows:
    """Run one SELECT on the table `people`, and return at most `limit` rows.

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
        await to_thread.run_sync(_drop, snapshot, answer)
    if answer.error is not None:
        raise _refusal(answer)
    rows = tuple(tuple(_shown(cell) for cell in row) for row in answer.rows)
    columns = tuple(clean(name, 100) for name in answer.columns)
    return Rows(columns, rows, (*snapshot.notes, *_notes(answer, sql, most)))


def _drop(snapshot: Snapshot, answer: _Answer) -> NoReturn:
    with snapshot.gone():
        raise sqlite3.DatabaseError(answer.error)


def _notes(answer: _Answer, sql: str, most: int) -> list[str]:
    """Say what to know about the answer to the statement."""
    notes: list[str] = []
    if answer.withheld:
        withheld = listed(answer.withheld)
        notes.append(f"* leaves out private columns: {withheld}. Name them to see them.")
    if misread := _misread(sql):
        notes.append(
            f"{listed(misread)} in double quotes: there is no such column, so it was taken as text."
            " Put text in single quotes."
        )
    if answer.cut == "rows":
        notes.append(f"Cut after {counted(most, 'row')}; there are more.")
    if answer.cut == "characters":
        notes.append(
            f"Cut after {counted(len(answer.rows), 'row')}, to fit into {LONGEST_RESULT:,}"
            " characters; there are more. Select fewer columns."
        )
    return notes


def _check_statement(sql: str) -> None:
    """Refuse what cannot be one SELECT of people, or is too long."""
    if len(sql) > LONGEST_STATEMENT:
        raise NotPossible(
            f"The statement has {len(sql):,} characters; the limit is {LONGEST_STATEMENT:,}.",
            "Ask a shorter question, or several shorter ones.",
        )
    beginning = _BEGINNING.match(sql)
    if not beginning or beginning[1].lower() not in {"select", "with"}:
        raise NotPossible(
            "Only one SELECT is allowed here.",
            "It may begin with WITH, and reads the table people.",
        )
    if other := _OTHER_TABLES.search(sql):
        raise _no_table(other[0])
    if "\0" in sql or any("\ud800" <= character <= "\udfff" for character in sql):
        raise NotPossible("The statement contains invalid characters.", "Rewrite it.")


def _shown(cell: str | float | None) -> Value:
    """Return a value as an answer may hold it: no NULL, no infinity, no invisible characters."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return clean(cell, LONGEST_CELL)
    return cell if math.isfinite(cell) else str(cell)


def _misread(sql: str) -> list[str]:
    """Return what is in double quotes though no column or other name in the statement is that."""
    quotes = _IN_DOUBLE_QUOTES.findall(_TEXT_OR_COMMENT.sub(" ", sql))
    known = {name.lower() for name in _COLUMNS} | {"people", "main"}
    known |= {name.lower() for before, name, after in quotes if before or after}
    return list(
        dict.fromkeys(clean(name, 40) for _, name, _ in quotes if name.lower() not in known)
    )


def _refusal(answer: _Answer) -> NotPossible:
    """Explain what SQLite or its guard says about a statement, in our words where they help."""
    error = answer.error or ""
    if answer.refused:
        refused = {"table": _no_table, "column": _no_column, "function": _no_function}
        return refused.get(answer.refused[0], _no_action)(answer.refused[1])
    kind, _, rest = error.partition(": ")
    missing = {
        "no such column": _no_column,
        "no such table": _no_table,
        "no such function": _no_function,
    }.get(kind)
    if missing:
        return missing(rest.partition('" - ')[0].strip('"'))
    if "variable" in error or "binding" in error:
        return NotPossible("Parameters are not supported.", "Write the value out.")
    if any(words in error for words in ("too big", "too large", "too many", "memory")):
        return NotPossible(
            f"The statement asks for too much at once: {redact(error)}.",
            "Ask a simpler question, or add a LIMIT after ORDER BY; no value may exceed"
            f" {LONGEST_VALUE:,} characters.",
        )
    if "one statement" in error:
        return NotPossible("Only one statement is allowed at a time.", "Ask them one by one.")
    return NotPossible(f"SQLite does not understand the statement: {redact(error)}.", _COLUMNS_ARE)


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
    return NotPossible("Only one SELECT is allowed here, and nothing else.")


class SqlWorkers:
    """The processes of a server: two statements run at once, and others wait for their turn.

    Each process runs one statement after another. It ends itself when a statement takes too long,
    and is ended when nobody waits for the answer any more.
    """

    def __init__(self) -> None:
        self._turns = anyio.CapacityLimiter(AT_ONCE)
        self._idle: list[_Worker] = []

    async def answer(self, question: Question) -> bytes:
        """Ask one of the processes.

        Raises:
            NotPossible: If the statement takes too long, or no process can be started for it.
        """
        async with self._turn():
            worker = self._take()
            started, answer = time.monotonic(), b""
            try:
                answer = await to_thread.run_sync(worker.answer, question, abandon_on_cancel=True)
            finally:
                if answer:
                    self._idle.append(worker)
                else:
                    worker.end()
        if answer:
            return answer
        if time.monotonic() - started >= question["seconds"]:
            raise too_slow(question["seconds"])
        raise NotPossible("SQLite failed on this statement.", "Ask it another way.")

    def close(self) -> None:
        """End the processes."""
        while self._idle:
            self._idle.pop().end()

    @asynccontextmanager
    async def _turn(self) -> AsyncGenerator[None]:
        borrower = object()
        try:
            with anyio.fail_after(PATIENCE_SECONDS):
                await self._turns.acquire_on_behalf_of(borrower)
        except TimeoutError:
            raise NotPossible(
                "Other SQL statements are still running, two at a time.",
                "Ask again in a few seconds.",
            ) from None
        try:
            yield
        finally:
            self._turns.release_on_behalf_of(borrower)

    def _take(self) -> "_Worker":
        """Return a free process, or a new one."""
        while self._idle:
            worker = self._idle.pop()
            if worker.is_alive():
                return worker
            worker.end()
        try:
            return _Worker()
        except OSError:
            raise NotPossible(
                "SQL cannot be run here: the system does not let this server start a process.",
                "Use groupBy, or the profile, which need none.",
            ) from None


class _Worker:
    """One process, which runs `sql_process`."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603 -- a fixed command, our own program
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={k: v for k, v in os.environ.items() if not k.startswith(_WITHHELD)},
        )

    def is_alive(self) -> bool:
        """Return whether it can be asked."""
        return self._process.poll() is None

    def answer(self, question: Question) -> bytes:
        """Wait for the answer, which is empty if the process ends before it is complete."""
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            return b""
        try:
            stdin.write(json.dumps(question).encode() + b"\n")
            stdin.flush()
            line = stdout.readline(_LONGEST_ANSWER)
        except (OSError, ValueError):
            return b""
        return line if line.endswith(b"\n") else b""

    def end(self) -> None:
        """End the process, even in the middle of a statement, and let go of it."""
        self._process.kill()
        # Closes its ends of the pipes as well, so that a thread that still reads from it goes on.
        self._process.communicate()
