"""The processes that run SQL: bounded in time, number and memory, and without keys."""

# ruff: noqa: S608 -- these statements are here to be put together

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.people import sql as statements
from leadpipe_mcp.people.columns import SEEN_COLUMNS
from leadpipe_mcp.people.snapshot import Snapshot
from leadpipe_mcp.people.sql import SqlWorkers
from leadpipe_mcp.people.write import SEEN, address
from tests.people.conftest import Kept
from tests.people.test_sql import ESCAPES, chained

pytestmark = pytest.mark.anyio
ENDLESS = [sql for group in ESCAPES["endless"].values() for sql in group]


@pytest.fixture
async def people(kept: Kept) -> Snapshot:
    return await kept([{"fullName": f"Person {n}", "intentScore": n} for n in range(4)])


@pytest.fixture
def workers() -> Iterator[SqlWorkers]:
    """The processes of a server of its own."""
    workers = SqlWorkers()
    yield workers
    workers.close()


async def test_nothing_keeps_a_core_beyond_the_limit(people: Snapshot, workers: SqlWorkers) -> None:
    before = os.times()
    for sql in ENDLESS:
        with pytest.raises(NotPossible, match=r"longer than 0\.05 seconds .*fewer joins"):
            await statements.ask(people, sql, workers, seconds=0.05)
    with anyio.move_on_after(0.1) as scope:
        await statements.ask(people, ENDLESS[0], workers, seconds=60)
    assert scope.cancelled_caught
    after = os.times()
    # Of processes that have ended, here and before; Windows does not tell.
    used = after.children_user + after.children_system
    assert used - before.children_user - before.children_system < len(ENDLESS)
    assert len((await statements.ask(people, "SELECT 1", workers)).rows) == 1


async def test_a_statement_that_waits_for_long_is_refused(
    people: Snapshot, workers: SqlWorkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leadpipe_mcp.people.sql.PATIENCE_SECONDS", 0.05)
    async with anyio.create_task_group() as tasks:
        for _ in range(2):
            tasks.start_soon(statements.ask, people, ENDLESS[0], workers)
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(NotPossible, match="Other SQL statements are still running"):
            await statements.ask(people, "SELECT 1", workers)
        tasks.cancel_scope.cancel()
    assert await statements.ask(people, "SELECT 1", workers)


async def test_a_process_that_has_died_is_replaced(people: Snapshot, workers: SqlWorkers) -> None:
    for _ in range(2):
        assert await statements.ask(people, "SELECT 1", workers)
        for process in workers._idle:  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
            process.kill()
            process.wait()


NUMBERS = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 300)"
ANSWERED: list[tuple[str, str, object]] = [
    ("SELECT count(*), x'00ff' FROM people", "rows", [[4, "x'00ff'"]]),
    ("SELECT * FROM people", "withheld", ["ageRange", "gender"]),
    (f"{NUMBERS} SELECT n FROM c", "cut", "rows"),
    (f"{NUMBERS} SELECT printf('%999s', n) FROM c", "cut", "characters"),
    ("SELECT rowid FROM people", "refused", ["column", "ROWID"]),
    ("SELECT cell FROM kept_parts", "refused", ["table", "kept_parts"]),
    ("SELECT value FROM json_each('[1]')", "refused", ["table", "json_each"]),
    ("SELECT load_extension('x')", "refused", ["function", "load_extension"]),
    ("DELETE FROM people", "refused", ["action", ""]),
    ("SELECT", "error", "incomplete input"),
]


async def test_one_process_answers_question_after_question_and_ends_with_its_stdin(
    people: Snapshot,
) -> None:
    asked = {
        "database": address(people.folder / SEEN),
        "columns": list(SEEN_COLUMNS),
        "private": ["ageRange", "gender"],
        "seconds": 60,
    }
    questions = [{**asked, "sql": sql} for sql, _, _ in ANSWERED]
    questions.append({**asked, "sql": "SELECT 1", "database": "file:not-there?mode=ro"})
    lines = "".join(f"{json.dumps(question)}\n" for question in questions)
    done = await anyio.run_process(statements.COMMAND, input=lines.encode())
    *answers, unreadable = [json.loads(line) for line in done.stdout.splitlines()]
    for answer, (sql, name, expected) in zip(answers, ANSWERED, strict=True):
        told = answer[name]
        assert (sorted(told) if name == "withheld" else told) == expected, sql
        assert not answer.get("broken"), sql
    assert unreadable["broken"]


# It writes down which variables it is given, and breaks.
TELL = "import os, pathlib; pathlib.Path('environment').write_text(' '.join(os.environ)); input()"


async def test_a_process_gets_no_key_and_one_that_breaks_or_cannot_start_is_reported(
    people: Snapshot, workers: SqlWorkers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("LEADPIPE_API_KEY", "SONARLY_API_KEY", "HARMLESS"):
        monkeypatch.setenv(name, "sk_secret")
    longer_than_a_pipe = f"SELECT {'1' * 200_000}"
    for command, sql, problem in (
        # One that breaks is not called slow, whether it has heard the question or not.
        ([sys.executable, "-c", TELL], "SELECT 1", "SQLite failed on this statement"),
        ([sys.executable, "-c", ""], longer_than_a_pipe, "SQLite failed on this statement"),
        (["/no/such/program"], "SELECT 1", "does not let this server start a process"),
    ):
        monkeypatch.setattr("leadpipe_mcp.people.sql.COMMAND", command)
        with pytest.raises(NotPossible, match=problem):
            await statements.ask(people, sql, workers, seconds=60)
    names = (tmp_path / "environment").read_text().split()
    assert "HARMLESS" in names
    assert not [name for name in names if name.startswith(("LEADPIPE", "SONARLY"))]


LONG_ROWS = (
    "WITH RECURSIVE c(n, s) AS (SELECT 1, printf('%19000s', 'x')"
    " UNION ALL SELECT n + 1, s FROM c LIMIT 100000)"
)
TABLES = "".join(f", m{i} AS MATERIALIZED (SELECT * FROM c LIMIT 150)" for i in range(60))
HEAVY = [
    f"{LONG_ROWS} SELECT {', '.join(f'count(DISTINCT s || (n + {i}))' for i in range(90))} FROM c",
    f"{LONG_ROWS}{TABLES} SELECT count(*) FROM {', '.join(f'm{i}' for i in range(60))}",
    f"{LONG_ROWS} SELECT * FROM c ORDER BY n DESC",
    f"{LONG_ROWS} SELECT {', '.join('s || n' for _ in range(200))} FROM c",
    *[chained(sql) for sql in ESCAPES["bounded"]["doubling"][:2]],
]
MEASURED = """
import json, resource, sys, anyio
from pathlib import Path
from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.people.snapshot import Snapshot
from leadpipe_mcp.people.sql import SqlWorkers, ask

async def main():
    people, workers = Snapshot(Path(sys.argv[1]), 4), SqlWorkers()
    # No file can be written from here on.
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    for number, sql in enumerate(json.load(sys.stdin)):
        try:
            seconds = 0.15 if number else 30
            print(len((await ask(people, sql, workers, seconds=seconds)).rows))
        except NotPossible as refused:
            print(refused)
    workers.close()
    unit = 1 if sys.platform == "darwin" else 1024
    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit // 2**20)

anyio.run(main)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="how much memory is used is not told there")
async def test_no_question_takes_much_memory_or_any_disk(people: Snapshot) -> None:
    sorted_in_memory = LONG_ROWS.replace("100000", "2000") + " SELECT n FROM c ORDER BY s || n"
    command = [sys.executable, "-c", MEASURED, str(people.folder)]
    asked = json.dumps([sorted_in_memory, *HEAVY]).encode()
    done = await anyio.run_process(command, input=asked, stderr=None)
    first, *_, most = done.stdout.decode().splitlines()
    assert first == "200"
    assert int(most) < 280
