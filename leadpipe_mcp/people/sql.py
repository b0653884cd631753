"""Questions in SQL about the people of a snapshot, answered within narrow limits.

What holds, from the outside in: the file that is opened has nothing in it that must not be seen;
it is opened to read and never to write; SQLite asks a guard about every table, column and function
of a statement before it runs; and what a statement may grow to, and how long it may take, is
limited.
"""

import math
import re
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.people.asking import answer
from leadpipe_mcp.people.columns import Value
from leadpipe_mcp.people.layout import SEEN_COLUMNS
from leadpipe_mcp.people.snapshot import Snapshot
from leadpipe_mcp.text import clean, counted, listed, nearest, quoted, redact

MOST_ROWS = 200
MOST_SECONDS = 2.0
LONGEST_STATEMENT = 5_000
LONGEST_CELL = 300
LONGEST_RESULT = 30_000
# Rows of people have two thousand characters; what a statement makes of them may have ten times as
# many. It also bounds how long a single step can take.
LONGEST_VALUE = 20_000
# For all of SQLite in this process, which knows no narrower bounds: above the first it rather uses
# temporary files, above the second it gives up. A statement of ten lines can name the lines before
# so often that understanding it takes all memory, before it runs and could be stopped.
_MEMORY, _MOST_MEMORY = 32 * 2**20, 64 * 2**20

_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: LONGEST_VALUE,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 4 * LONGEST_STATEMENT,
    sqlite3.SQLITE_LIMIT_COLUMN: 200,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 100,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 20,
    sqlite3.SQLITE_LIMIT_VDBE_OP: 5_000,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 20,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 100,
    sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER: 0,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 0,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}

_FUNCTIONS = """
    avg count group_concat max min string_agg sum total
    cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank
    row_number coalesce ifnull iif nullif typeof
    char concat concat_ws format glob hex instr length like lower ltrim printf quote replace rtrim
    substr substring trim unicode upper
    abs ceil ceiling exp floor ln log log10 log2 mod pow power round sign sqrt trunc
    current_date current_time current_timestamp date datetime julianday strftime time timediff
    unixepoch
"""
FUNCTIONS = frozenset(_FUNCTIONS.split())

_COLUMNS = frozenset(SEEN_COLUMNS)
_PRIVATE = frozenset(name for name, c in SEEN_COLUMNS.items() if c.kind == "private")
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


async def ask(
    snapshot: Snapshot, sql: str, *, limit: int = MOST_ROWS, seconds: float = MOST_SECONDS
) -> Rows:
    """What one SELECT says of the table `people`, at most `limit` rows of it.

    Raises:
        NotPossible: If it is anything else, is wrong, takes too long or grows too large.
    """
    _check_statement(sql)
    guard = _Guard(sql)

    def work(connection: sqlite3.Connection) -> Rows:
        _confine(connection, guard)
        try:
            cursor = connection.execute(sql)
            return _rows(cursor, limit, [*snapshot.notes, *guard.notes()])
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname == "SQLITE_INTERRUPT":
                raise
            raise guard.refusal(error) from None
        except (sqlite3.Error, sqlite3.Warning, MemoryError) as error:
            raise guard.refusal(error) from None

    return await answer(snapshot, work, seconds)


class _Guard:
    """Says to SQLite what one statement may read and call, and remembers what it may not."""

    def __init__(self, sql: str) -> None:
        self._named = set(re.findall(r"\w+", sql.lower()))
        self._misread = _misread(sql)
        self._withheld: dict[str, None] = {}
        self._refused: NotPossible | None = None

    def __call__(
        self,
        action: int,
        first: str | None,
        second: str | None,
        database: str | None,
        _: str | None,
    ) -> int:
        """SQLite's question whether an action is allowed, while it reads the statement."""
        if action in {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE}:
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_READ:
            return self._read(first or "", second or "", database)
        if action == sqlite3.SQLITE_FUNCTION:
            return self._call((second or "").lower())
        return self._refuse(NotPossible("Only one SELECT is possible here, and nothing else."))

    def refuse_tables(self, names: Iterable[str]) -> None:
        """Nothing, if the statement has none of these names: SQLite makes tables of them.

        Raises:
            NotPossible: If it has one.
        """
        for name in names:
            if name.lower() in self._named:
                raise _no_table(name)

    def notes(self) -> list[str]:
        """What is to be known of the answer to the statement."""
        notes: list[str] = []
        if self._withheld:
            withheld = listed(list(self._withheld))
            notes.append(f"* does not show what is private: {withheld}. Name it to see it.")
        if self._misread:
            notes.append(
                f"{listed(self._misread)} in double quotes: there is no such column, so it was"
                " taken for a text. Texts stand in single quotes."
            )
        return notes

    def refusal(self, error: Exception) -> NotPossible:
        """Why the statement was not answered, in words that help to put it right."""
        if isinstance(error, MemoryError):
            return NotPossible(
                "The statement takes too much memory.", "Ask a simpler question, or several."
            )
        return self._refused or _refusal(str(error))

    def _read(self, table: str, column: str, database: str | None) -> int:
        # What count(*) reads: no column, of whatever the statement calls by this name.
        if not column and database in {None, "main"}:
            return sqlite3.SQLITE_OK
        if table != "people" or database != "main":
            return self._refuse(_no_table(table))
        if column not in _COLUMNS:
            return self._refuse(_no_column(column))
        if column in _PRIVATE and column.lower() not in self._named:
            self._withheld[column] = None
            return sqlite3.SQLITE_IGNORE
        return sqlite3.SQLITE_OK

    def _call(self, function: str) -> int:
        if function in FUNCTIONS:
            return sqlite3.SQLITE_OK
        return self._refuse(_no_function(function))

    def _refuse(self, refused: NotPossible) -> int:
        self._refused = self._refused or refused
        return sqlite3.SQLITE_DENY


def _check_statement(sql: str) -> None:
    """Nothing, if it may be one SELECT of people, of a bearable length."""
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


def _confine(connection: sqlite3.Connection, guard: _Guard) -> None:
    """Nothing; from now on the connection does what a stranger's statement may do."""
    guard.refuse_tables(name for (name,) in connection.execute("PRAGMA module_list"))
    connection.text_factory = _readable
    for setting in (
        f"hard_heap_limit = {_MOST_MEMORY}",
        f"soft_heap_limit = {_MEMORY}",
        "temp_store = FILE",
    ):
        connection.execute(f"PRAGMA {setting}").close()
    for name, strip in _STRIPS.items():
        connection.create_function(name, 2, _stripped(strip), deterministic=True)
    # The tables are read before the limits hold, which are for statements.
    connection.execute("SELECT 1 FROM people LIMIT 0").close()
    for limit, most in _LIMITS.items():
        connection.setlimit(limit, most)
    connection.set_authorizer(guard)


def _rows(cursor: sqlite3.Cursor, limit: int, notes: list[str]) -> Rows:
    most = max(1, min(limit, MOST_ROWS))
    rows: list[tuple[Value, ...]] = []
    room = LONGEST_RESULT
    for row in cursor:
        if len(rows) == most:
            notes.append(f"This is cut after {counted(most, 'row')}; there are more.")
            break
        cells = tuple(_shown(cell) for cell in row)
        room -= sum(len(str(cell)) + 3 for cell in cells)
        if room < 0:
            notes.append(
                f"This is cut after {counted(len(rows), 'row')}, to fit into {LONGEST_RESULT:,}"
                " characters; there are more. Select fewer columns."
            )
            break
        rows.append(cells)
    columns = tuple(clean(str(name), 100) for name, *_ in cursor.description)
    return Rows(columns, tuple(rows), tuple(notes))


# SQLite's own looks at every character of the second text for every one of the first, in a single
# step that nothing can stop.
_STRIPS = {"trim": str.strip, "ltrim": str.lstrip, "rtrim": str.rstrip}


def _stripped(strip: Callable[[str, str], str]) -> Callable[[object, object], str | None]:
    def stripped(text: object, characters: object) -> str | None:
        if text is None or characters is None:
            return None
        return strip(_as_text(text), _as_text(characters))

    return stripped


def _as_text(value: object) -> str:
    return _readable(value) if isinstance(value, bytes) else str(value)


def _readable(text: bytes) -> str:
    return text.decode(errors="replace")


def _shown(cell: object) -> Value:
    """A value as an answer may hold it: no NULL, no bytes, nothing endless or invisible."""
    if cell is None:
        return ""
    if isinstance(cell, bytes):
        return clean(f"x'{cell[:LONGEST_CELL].hex()}'", LONGEST_CELL)
    if isinstance(cell, int | float):
        return cell if math.isfinite(cell) else str(cell)
    return clean(str(cell), LONGEST_CELL)


def _misread(sql: str) -> list[str]:
    """What stands in double quotes though no column is called so, nor anything in the statement."""
    quotes = _IN_DOUBLE_QUOTES.findall(_TEXT_OR_COMMENT.sub(" ", sql))
    known = {name.lower() for name in _COLUMNS} | {"people", "main"}
    known |= {name.lower() for before, name, after in quotes if before or after}
    return list(
        dict.fromkeys(clean(name, 40) for _, name, _ in quotes if name.lower() not in known)
    )


def _refusal(said: str) -> NotPossible:
    """What SQLite says of a statement, in our words where they tell more."""
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
    if "too big" in said or "too large" in said or "too many" in said:
        return NotPossible(
            f"The statement asks for too much at once: {redact(said)}.",
            f"Ask a simpler question; no value may grow beyond {LONGEST_VALUE:,} characters.",
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
