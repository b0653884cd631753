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
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import IO, Literal, cast

import anyio
from anyio import to_thread
from pydantic import TypeAdapter

from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.people import sql_process
from leadpipe_mcp.people.columns import SEEN_COLUMNS, Value
from leadpipe_mcp.people.snapshot import Snapshot
from leadpipe_mcp.people.sql_process import LONGEST_CELL, Question
from leadpipe_mcp.people.write import SEEN, address
from leadpipe_mcp.text import clean, counted, listed, nearest, quoted, redact

MOST_SECONDS = 2.0
AT_ONCE = 2
PATIENCE_SECONDS = 20.0
COMMAND = [sys.executable or "", "-I", sql_process.__file__]

# The processes need no keys.
_WITHHELD = ("LEADPIPE_", "SONARLY_")
_LONGEST_ANSWER = 4_000_000
_PRIVATE = [name for name, c in SEEN_COLUMNS.items() if c.kind == "private"]
_COLUMNS_ARE = f"The columns of people are: {', '.join(SEEN_COLUMNS)}."
_COMMENT = r"--[^\n]*(?:\n|\Z)|/\*(?:[^*]|\*(?!/))*(?:\*/|\Z)"
# The tables that SQLite and we keep beside the people. The guard is not asked about every join.
_OTHER_TABLES = re.compile(r"\b(?:sqlite|pragma|kept)_\w*", re.IGNORECASE)
_BEGINNING = re.compile(rf"(?:\s|{_COMMENT})*(?:select|with)\b", re.IGNORECASE)
_TEXT_OR_COMMENT = re.compile(rf"'(?:[^']|'')*(?:'|\Z)|{_COMMENT}")
# Together with what makes it a name in the statement: AS "x", "x" AS (, "x".name.
_IN_DOUBLE_QUOTES = re.compile(r'(\bas\s*)?"([^"]*)"(\s*\.|\s*(?:as\s*)?\()?', re.IGNORECASE)
_Process = subprocess.Popen[bytes]
_MISSING = {"no such table": "table", "no such column": "column", "no such function": "function"}


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
    refused: tuple[str, str] | None = None


_ANSWER = TypeAdapter(_Answer)


async def ask(
    snapshot: Snapshot, sql: str, workers: "SqlWorkers", *, seconds: float = MOST_SECONDS
) -> Rows:
    """Run one SELECT on the table `people`.

    Raises:
        NotPossible: If it is anything else, is wrong, takes too long or grows too large.
    """
    if not _BEGINNING.match(sql):
        raise NotPossible(
            "Only one SELECT is allowed here.",
            "It may begin with WITH, and reads the table people.",
        )
    if other := _OTHER_TABLES.search(sql):
        raise _no("table", other[0])
    if "\0" in sql or any("\ud800" <= character <= "\udfff" for character in sql):
        raise NotPossible("The statement contains invalid characters.", "Rewrite it.")
    line = await workers.answer(
        {
            "database": address(snapshot.folder / SEEN),
            "sql": sql,
            "columns": list(SEEN_COLUMNS),
            "private": _PRIVATE,
            "seconds": seconds,
        }
    )
    answer = _ANSWER.validate_json(line)
    if answer.broken:
        await to_thread.run_sync(snapshot.drop_broken)
    if answer.error is not None:
        raise _refusal(answer.error, answer.refused)
    rows = tuple(tuple(_shown(cell) for cell in row) for row in answer.rows)
    columns = tuple(clean(name, 100) for name in answer.columns)
    return Rows(columns, rows, (*snapshot.notes, *_notes(answer, sql)))


def _shown(cell: str | float | None) -> Value:
    """Return a value as an answer may hold it: no NULL, no infinity, no invisible characters."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return clean(cell, LONGEST_CELL)
    return cell if math.isfinite(cell) else str(cell)


def _notes(answer: _Answer, sql: str) -> list[str]:
    """Say what to know about the answer to the statement."""
    notes: list[str] = []
    if answer.withheld:
        withheld = listed(answer.withheld)
        notes.append(f"* leaves out private columns: {withheld}. Name them to see them.")
    quotes = _IN_DOUBLE_QUOTES.findall(_TEXT_OR_COMMENT.sub(" ", sql))
    names = {*SEEN_COLUMNS, "people", "main"} | {name for as_, name, dot in quotes if as_ or dot}
    known = {name.lower() for name in names}
    misread = [clean(name, 40) for _, name, _ in quotes if name.lower() not in known]
    if misread:
        notes.append(
            f"{listed(list(dict.fromkeys(misread)))} in double quotes: there is no such column, so"
            " it was taken as text. Put text in single quotes."
        )
    shown = counted(len(answer.rows), "row")
    if answer.cut == "rows":
        notes.append(f"Cut after {shown}; there are more.")
    if answer.cut == "characters":
        notes.append(
            f"Cut after {shown}, to fit into {sql_process.LONGEST_RESULT:,} characters; there are"
            " more. Select fewer columns."
        )
    return notes


def _refusal(error: str, refused: tuple[str, str] | None) -> NotPossible:
    """Explain what SQLite or its guard says about a statement, in our words where they help."""
    kind, _, rest = error.partition(": ")
    if refused:
        return _no(*refused)
    if kind in _MISSING:
        return _no(_MISSING[kind], rest.partition('" - ')[0].strip('"'))
    if "variable" in error or "binding" in error:
        return NotPossible("Parameters are not supported.", "Write the value out.")
    if any(words in error for words in ("too big", "too large", "too many", "memory")):
        return NotPossible(
            f"The statement asks for too much at once: {redact(error)}.",
            "Ask a simpler question, or add a LIMIT after ORDER BY; no value may exceed"
            f" {sql_process.LONGEST_VALUE:,} characters.",
        )
    if "one statement" in error:
        return NotPossible("Only one statement is allowed at a time.", "Ask them one by one.")
    return NotPossible(f"SQLite does not understand the statement: {redact(error)}.", _COLUMNS_ARE)


def _no(kind: str, name: str) -> NotPossible:
    """Return the refusal of a table, a column, a function, or anything but a SELECT."""
    shown = redact(name, 60)
    if kind == "table":
        return NotPossible(f"There is no table '{shown}'; the only one is people.")
    if kind == "column":
        close = nearest(name.rpartition(".")[2], SEEN_COLUMNS)
        hint = f" Did you mean {quoted(close)}?" if close else ""
        return NotPossible(f"There is no column '{shown}'.{hint}", _COLUMNS_ARE)
    if kind == "function":
        functions = f"The functions are: {', '.join(sorted(sql_process.FUNCTIONS))}."
        return NotPossible(f"There is no function {shown}() here.", functions)
    return NotPossible("Only one SELECT is allowed here, and nothing else.")


class SqlWorkers:
    """The processes of a server: two statements run at once, and others wait for their turn.

    Each process runs one statement after another. It ends itself when a statement takes too long,
    and is ended when nobody waits for the answer any more.
    """

    def __init__(self) -> None:
        self._turns = anyio.Semaphore(AT_ONCE)
        self._idle: list[_Process] = []

    async def answer(self, question: Question) -> bytes:
        """Ask one of the processes."""
        try:
            with anyio.fail_after(PATIENCE_SECONDS):
                await self._turns.acquire()
        except TimeoutError:
            raise NotPossible(
                "Other SQL statements are still running, two at a time.",
                "Ask again in a few seconds.",
            ) from None
        started = time.monotonic()
        answer = b""
        try:
            process = self._free()
            try:
                answer = await to_thread.run_sync(
                    _answer_of, process, question, abandon_on_cancel=True
                )
            finally:
                self._idle.append(process)
                if not answer.endswith(b"\n"):
                    self.close()
        finally:
            self._turns.release()
        if answer.endswith(b"\n"):
            return answer
        if time.monotonic() - started >= question["seconds"]:
            raise NotPossible(
                f"The question took longer than {question['seconds']:g} seconds and was stopped.",
                "Ask for less: fewer joins, a narrower WHERE, or groupBy instead of sql.",
            )
        raise NotPossible("SQLite failed on this statement.", "Ask it another way.")

    def _free(self) -> _Process:
        """Return a process that waits for a question, or a new one."""
        if self._idle and self._idle[-1].poll() is None:
            return self._idle.pop()
        self.close()
        try:
            return subprocess.Popen(  # noqa: S603 -- a fixed command, our own program
                COMMAND,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={k: v for k, v in os.environ.items() if not k.startswith(_WITHHELD)},
            )
        except OSError:
            raise NotPossible(
                "SQL cannot be run here: the system does not let this server start a process.",
                "Use groupBy, or the profile, which need none.",
            ) from None

    def close(self) -> None:
        """End the processes that run no statement, or one that nobody waits for."""
        while self._idle:
            process = self._idle.pop()
            process.kill()
            # Closes its ends of the pipes as well, so that a thread that still reads goes on.
            process.communicate()


def _answer_of(process: _Process, question: Question) -> bytes:
    """Wait for the answer, whose line has no end if the process ends before."""
    stdin, stdout = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
    try:
        stdin.write(json.dumps(question).encode() + b"\n")
        stdin.flush()
        return stdout.readline(_LONGEST_ANSWER)
    except (OSError, ValueError):
        return b""
