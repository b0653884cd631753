"""The program that runs SQL statements: a question on each line of stdin, an answer on each line.

`sql` starts it as a process of its own. Within one function, `printf('%.*c', 2147483647, 'x')` for
example, SQLite never checks whether to go on, so only the end of its process is sure to stop a
statement; and SQLite's limit of memory holds for a whole process. To start quickly it imports
nothing of the package, and knows only what a question tells it. It ends when its stdin does.
"""

import contextlib
import faulthandler
import json
import re
import sqlite3
import sys
from typing import TypedDict

# Rows of people have two thousand characters; what a statement makes of them may have ten times
# that.
LONGEST_VALUE = 20_000
LONGEST_CELL = 300
LONGEST_RESULT = 30_000
MOST_ROWS = 200
# How much of a text is sent to be cleaned, which may leave less of it.
_SENT_CHARACTERS = 1_000
_MOST_MEMORY = 192 * 2**20

_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: LONGEST_VALUE,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: LONGEST_VALUE,
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
# Temporary tables and sorts stay in memory, under its limit, rather than filling the disk.
_SETTINGS = (
    f"hard_heap_limit = {_MOST_MEMORY}",
    "temp_store = MEMORY",
    "cache_size = -8000",
    "query_only = ON",
    "trusted_schema = OFF",
)

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


class Question(TypedDict):
    """A statement about the table `people` of a file, and its limits."""

    database: str
    sql: str
    columns: list[str]
    private: list[str]
    seconds: float


# SQLite's codes for a file that is not as it was written.
_BROKEN = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR}


class _Guard:
    """Tells SQLite what a statement may read and call, and remembers what was refused."""

    def __init__(self, question: Question) -> None:
        self._columns = frozenset(question["columns"])
        self._private = frozenset(question["private"])
        self._named = set(re.findall(r"\w+", question["sql"].lower()))
        self.withheld: dict[str, None] = {}
        self.refused: tuple[str, str] | None = None

    def __call__(self, action: int, *what: str | None) -> int:
        """Tell SQLite whether an action is allowed, while it reads the statement."""
        first, second, database, _ = what
        if action in {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE}:
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_READ:
            return self._read(first or "", second or "", database)
        if action != sqlite3.SQLITE_FUNCTION:
            return self._refuse("action", "")
        function = (second or "").lower()
        return sqlite3.SQLITE_OK if function in FUNCTIONS else self._refuse("function", function)

    def refuse_modules(self, connection: sqlite3.Connection) -> None:
        """Refuse a statement that names one of SQLite's modules, which act as tables."""
        for (name,) in connection.execute("PRAGMA module_list"):
            if name.lower() in self._named:
                self._refuse("table", name)

    def _read(self, table: str, column: str, database: str | None) -> int:
        # What count(*) reads: no column, of anything that the statement calls by this name.
        if not column and database in {None, "main"}:
            return sqlite3.SQLITE_OK
        if table != "people" or database != "main":
            return self._refuse("table", table)
        if column not in self._columns:
            return self._refuse("column", column)
        if column in self._private and column.lower() not in self._named:
            self.withheld[column] = None
            return sqlite3.SQLITE_IGNORE
        return sqlite3.SQLITE_OK

    def _refuse(self, kind: str, name: str) -> int:
        self.refused = self.refused or (kind, name)
        return sqlite3.SQLITE_DENY


def main() -> None:
    """Answer one question after another; end in the middle of one that takes too long."""
    for line in sys.stdin.buffer:
        question: Question = json.loads(line)
        # A thread in C, which needs no lock of Python's.
        faulthandler.dump_traceback_later(question["seconds"], exit=True)
        answered = json.dumps(answer(question), ensure_ascii=False)
        faulthandler.cancel_dump_traceback_later()
        sys.stdout.buffer.write(answered.encode() + b"\n")
        sys.stdout.buffer.flush()


def answer(question: Question) -> dict[str, object]:
    """Run the statement, and return its rows or its error."""
    guard = _Guard(question)
    is_confined = False
    try:
        with contextlib.closing(
            sqlite3.connect(question["database"], uri=True, isolation_level=None)
        ) as connection:
            _confine(connection, guard)
            is_confined = True
            if guard.refused:
                return {"error": "", "refused": guard.refused}
            cursor = connection.execute(question["sql"])
            rows, cut = _rows(cursor)
            columns = [name[:_SENT_CHARACTERS] for name, *_ in cursor.description]
    except (MemoryError, sqlite3.Error, sqlite3.Warning) as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        is_broken = not isinstance(error, MemoryError) and (not is_confined or code in _BROKEN)
        said = str(error) or "out of memory"
        return {"error": said, "refused": guard.refused, "broken": is_broken}
    return {"columns": columns, "rows": rows, "cut": cut, "withheld": list(guard.withheld)}


def _confine(connection: sqlite3.Connection, guard: _Guard) -> None:
    """Limit the connection to what anybody's statement may do."""
    for setting in _SETTINGS:
        connection.execute(f"PRAGMA {setting}").close()
    guard.refuse_modules(connection)
    connection.text_factory = _readable
    # The schema is read before the limits hold, which are for statements.
    connection.execute("SELECT 1 FROM people LIMIT 0").close()
    for limit, most in _LIMITS.items():
        connection.setlimit(limit, most)
    connection.set_authorizer(guard)


def _rows(cursor: sqlite3.Cursor) -> tuple[list[list[object]], str | None]:
    """Return the rows that fit into an answer, and what cut them short."""
    rows: list[list[object]] = []
    room = LONGEST_RESULT
    for row in cursor:
        if len(rows) == MOST_ROWS:
            return rows, "rows"
        cells: list[object] = [
            f"x'{cell[:LONGEST_CELL].hex()}'" if isinstance(cell, bytes) else cell for cell in row
        ]
        room -= sum(min(len(str(cell)), LONGEST_CELL) + 3 for cell in cells if cell is not None)
        if room < 0:
            return rows, "characters"
        rows.append([c[:_SENT_CHARACTERS] if isinstance(c, str) else c for c in cells])
    return rows, None


def _readable(text: bytes) -> str:
    return text.decode(errors="replace")


if __name__ == "__main__":
    main()
