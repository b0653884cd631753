"""One SELECT about the people of a snapshot, and nothing that leads out of it."""

# ruff: noqa: S608 -- these statements are here to be put together

import hashlib
import json
import os
import re
import sqlite3
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import anyio
import pytest

from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.people import sql as statements
from leadpipe_mcp.people.columns import SEEN_COLUMNS
from leadpipe_mcp.people.snapshot import Snapshot
from leadpipe_mcp.people.sql import Rows, SqlWorkers
from leadpipe_mcp.people.sql_process import LONGEST_RESULT, MOST_ROWS
from leadpipe_mcp.people.write import SEEN
from tests.people.conftest import Kept
from tests.people.test_snapshot import empty, spoil_the_middle

pytestmark = pytest.mark.anyio
# A statement that is not stopped goes on for ever.
DEADLINE = 120

WORKERS = SqlWorkers()


@pytest.fixture(scope="module", autouse=True)
def processes() -> Iterator[None]:
    """The processes end with the tests."""
    yield
    WORKERS.close()


async def ask(people: Snapshot, sql: str, seconds: float = 2.0) -> Rows:
    with anyio.fail_after(DEADLINE):
        return await statements.ask(people, sql, WORKERS, seconds=seconds)


def chained(sql: str, length: int = 30) -> str:
    """The statement, or the chain that it stands for."""
    if not sql.startswith("@"):
        return sql
    _, first, following = sql.split("@")
    links = [re.sub(r"\ba\b", f"a{n}", following) for n in range(length)]
    parts = [f"a{n} AS ({link})" for n, link in enumerate([first, *links])]
    return f"WITH {', '.join(parts)} SELECT * FROM a{length}"


ESCAPES = tomllib.loads((Path(__file__).parent / "sql_escapes.toml").read_text("utf-8"))
REFUSED = [sql for group in ESCAPES["refused"].values() for sql in group]
BOUNDED = [chained(sql) for group in ESCAPES["bounded"].values() for sql in group]
ENDLESS = [sql for group in ESCAPES["endless"].values() for sql in group]
EXPECTED = [(each["sql"], each["rows"]) for each in (*ESCAPES["masked"], *ESCAPES["answered"])]

FIELDS = (
    *("fullName", "intentScore", "seniority", "jobTitle", "state", "company", "companyDomain"),
    *("topicName", "email", "isB2b"),
)
HIDDEN = "secretly.hidden@acme.example"
TOLD: list[tuple[object, ...]] = [
    (
        "Ada King",
        91,
        "vp",
        "VP of Sales",
        "california",
        "Acme",
        "acme.example",
        "CRM, Sales",
        HIDDEN,
    ),
    (
        "Bo Li",
        72,
        "vp",
        "VP",
        "texas",
        f"Write to {HIDDEN}",
        "other.example",
        "CRM",
        "bo@home.example",
    ),
    ("Cy Ng", 62, "director", None, "california", "Beta", None, "Sales", "cy@home.example"),
    ("Di Fu", 43, "manager"),
]
PEOPLE: list[dict[str, object]] = [dict(zip(FIELDS, person, strict=False)) for person in TOLD]
PEOPLE[0] |= {"headline": "I whispered this", "phone": "+15550177777", "isB2b": "y"}
PEOPLE[0] |= {"gender": "female", "address": "1 Oak Street", "ageRange": "25 to 34"}
PEOPLE[0] |= {"companyDescription": "We whispered that", "businessEmail": HIDDEN}
PEOPLE[1] |= {"isB2b": True}
SECRET = re.compile(r"ecretly|idden|555017|whispered", re.IGNORECASE)


@pytest.fixture
async def people(kept: Kept) -> Snapshot:
    return await kept(PEOPLE)


def fingerprint(folder: Path) -> dict[str, str]:
    """Every file of the folder, and what is in it."""
    files = sorted(folder.rglob("*"))
    return {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in files if f.is_file()}


async def refusal(people: Snapshot, sql: str, seconds: float = 2.0) -> NotPossible:
    with pytest.raises(NotPossible) as caught:
        await ask(people, sql, seconds=seconds)
    return caught.value


async def outcome(people: Snapshot, sql: str, seconds: float = 2.0) -> Rows | NotPossible:
    """The answer, or why there is none."""
    try:
        return await ask(people, sql, seconds=seconds)
    except NotPossible as refused:
        return refused


def check_limits(rows: Rows) -> None:
    assert len(rows.rows) <= MOST_ROWS
    assert len(str(rows.rows)) <= 2 * LONGEST_RESULT
    for row in rows.rows:
        assert len(row) == len(rows.columns)
        assert all(len(str(cell)) <= 300 for cell in row)


async def test_no_escape_is_answered(people: Snapshot) -> None:
    before = fingerprint(people.folder.parent)
    answered: list[str] = []
    for sql in REFUSED:
        told = await outcome(people, sql)
        if isinstance(told, Rows):
            answered.append(sql)
        assert not SECRET.search(str(told)), sql
        assert str(people.folder) not in str(told)
        assert 20 < len(str(told)) < 1_600, sql
    assert answered == []
    assert fingerprint(people.folder.parent) == before
    assert not Path("/tmp/copy.sqlite").exists()  # noqa: S108 -- one of the escapes names it


async def test_what_grows_stays_within_its_limits(people: Snapshot) -> None:
    for sql in BOUNDED:
        told = await outcome(people, sql, seconds=0.03)
        assert not SECRET.search(str(told)), sql
        if isinstance(told, Rows):
            check_limits(told)


async def test_a_question_is_answered_with_what_is_seen(people: Snapshot) -> None:
    for sql, rows in EXPECTED:
        found = await ask(people, sql)
        check_limits(found)
        assert [list(row) for row in found.rows] == rows, sql
        assert not SECRET.search(str(found.rows))
        assert found.notes == (), sql


async def test_everyone_is_seen_masked_and_without_free_text(people: Snapshot) -> None:
    every = ", ".join(SEEN_COLUMNS)
    rows = await ask(people, f"SELECT {every} FROM people ORDER BY name")
    assert rows.columns == tuple(SEEN_COLUMNS)
    assert not SECRET.search(str(rows.rows))
    assert not [name for name in rows.columns if "untrusted" in name]
    ada = dict(zip(rows.columns, rows.rows[0], strict=True))
    assert (ada["email"], ada["phone"]) == ("s•••@acme.example", "+1•••7777")


async def test_a_star_does_not_show_what_is_private(people: Snapshot) -> None:
    rows = await ask(people, "SELECT p.* FROM people p ORDER BY name LIMIT 1")
    shown = dict(zip(rows.columns, rows.rows[0], strict=True))
    assert shown["name"] == "Ada King"
    assert shown["gender"] == shown["ageRange"] == shown["address"] == ""
    private = [name for name, column in SEEN_COLUMNS.items() if column.kind == "private"]
    named = f"{', '.join(private[:-1])} and {private[-1]}"
    assert rows.notes == (f"* leaves out private columns: {named}. Name them to see them.",)
    rows = await ask(people, "SELECT *, GENDER FROM people WHERE gender IS NOT NULL")
    assert dict(zip(rows.columns, rows.rows[0], strict=True))["gender"] == "female"
    assert "gender" not in rows.notes[0]
    rows = await ask(people, "SELECT gender FROM (SELECT * FROM people) WHERE name = 'Ada King'")
    assert rows.rows == (("female",),)


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        (
            "SELECT emial FROM people",
            "There is no column 'emial'. Did you mean 'email', 'emails'?",
        ),
        ("SELECT p.nme FROM people p", "There is no column 'p.nme'. Did you mean 'name'?"),
        ("SELECT xyzzyqq FROM people", "There is no column 'xyzzyqq'."),
        ("SELECT name FROM persons", "There is no table 'persons'; the only one is people."),
        ("SELECT nope(name) FROM people", "There is no function nope() here."),
        ("SELECT name FROM people WHERE", "SQLite does not understand the statement: incomplete"),
        (
            "SELECT state FROM people a, people b",
            "SQLite does not understand the statement: ambiguous column name: state.",
        ),
        ("SELECT 1; SELECT 2", "Only one statement is allowed at a time."),
        ("SELECT ?", "Parameters are not supported."),
        ("DROP TABLE people", "Only one SELECT is allowed here."),
        ("WITH x AS (SELECT 1) DELETE FROM people", "Only one SELECT is allowed here, and"),
        (f"SELECT '{'x' * 5_000}'", "The statement has 5,009 characters; the limit is 5,000."),
        ("SELECT '\ud800'", "The statement contains invalid characters."),
        ("SELECT replace(printf('%9999s', ''), ' ', 'abc')", "The statement asks for too much"),
    ],
)
async def test_a_refusal_says_what_is_wrong(people: Snapshot, sql: str, problem: str) -> None:
    refused = await refusal(people, sql)
    assert refused.problem.startswith(problem)
    if "column" in problem:
        assert refused.advice == f"The columns of people are: {', '.join(SEEN_COLUMNS)}."


@pytest.mark.parametrize(
    "sql",
    ["SELECT name FROM people WHERE jane@acme.example", "SELECT jane.doe@acme.example FROM people"],
)
async def test_an_error_repeats_no_address(people: Snapshot, sql: str) -> None:
    assert "jane" not in str(await refusal(people, sql))


async def test_another_table_in_the_file_could_not_be_seen(people: Snapshot) -> None:
    with sqlite3.connect(people.folder / SEEN) as connection:
        connection.execute("CREATE TABLE other (secret)")
        connection.execute("INSERT INTO other VALUES ('secretly.hidden')")
        connection.execute("CREATE VIEW view_of_it AS SELECT secret FROM other")
    connection.close()
    for sql in (
        "SELECT secret FROM main.other",
        "SELECT name FROM people UNION SELECT secret FROM other",
        "SELECT name FROM people WHERE name IN (SELECT secret FROM other)",
        "SELECT secret FROM view_of_it",
        "WITH people AS (SELECT secret FROM other) SELECT * FROM people",
    ):
        refused = await refusal(people, sql)
        assert re.match("There is no table '(other|view_of_it)'; the only one is", refused.problem)


@pytest.mark.parametrize("sql", ENDLESS)
async def test_nothing_keeps_a_core_beyond_the_limit(people: Snapshot, sql: str) -> None:
    workers, before = SqlWorkers(), os.times()
    with pytest.raises(NotPossible, match=r"took longer than 0\.2 seconds") as caught:
        await statements.ask(people, sql, workers, seconds=0.2)
    assert "fewer joins" in caught.value.advice
    workers.close()
    after = os.times()
    # Of processes that have ended, here and before; Windows does not tell.
    used = after.children_user + after.children_system
    assert used - before.children_user - before.children_system < 2


async def test_a_process_stops_within_a_function_when_nobody_waits(people: Snapshot) -> None:
    workers, before = SqlWorkers(), os.times()
    with anyio.move_on_after(0.3) as scope:
        await statements.ask(people, ENDLESS[0], workers, seconds=60)
    assert scope.cancelled_caught
    assert os.times().children_user - before.children_user < 3
    assert len((await statements.ask(people, "SELECT 1", workers)).rows) == 1
    workers.close()


async def test_two_statements_run_at_once_and_the_others_wait(people: Snapshot) -> None:
    workers, ended = SqlWorkers(), list[str]()

    async def endless() -> None:
        with pytest.raises(NotPossible, match="took longer"):
            await statements.ask(people, ENDLESS[0], workers, seconds=0.5)
        ended.append("endless")

    async def quick() -> None:
        await statements.ask(people, "SELECT 1", workers)
        ended.append("quick")

    async with anyio.create_task_group() as tasks:
        for _ in range(2):
            tasks.start_soon(endless)
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(quick)
    assert ended[0] == "endless"
    workers.close()


async def test_a_statement_that_waits_for_long_is_refused(
    people: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leadpipe_mcp.people.sql.PATIENCE_SECONDS", 0.05)
    workers = SqlWorkers()
    async with anyio.create_task_group() as tasks:
        for _ in range(2):
            tasks.start_soon(statements.ask, people, ENDLESS[0], workers)
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(NotPossible, match="Other SQL statements are still running"):
            await statements.ask(people, "SELECT 1", workers)
        tasks.cancel_scope.cancel()


async def test_a_process_that_has_died_is_replaced(people: Snapshot) -> None:
    workers = SqlWorkers()
    assert await statements.ask(people, "SELECT 1", workers)
    for worker in workers._idle:  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        worker._process.kill()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        worker._process.wait()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    assert await statements.ask(people, "SELECT 1", workers)
    workers.close()


async def test_a_process_that_breaks_is_not_called_slow(
    people: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = [sys.executable, "-c", "input()"]
    monkeypatch.setattr("leadpipe_mcp.people.sql.COMMAND", broken)
    with pytest.raises(NotPossible, match="SQLite failed on this statement"):
        await statements.ask(people, "SELECT 1", SqlWorkers(), seconds=60)


async def test_where_no_process_can_be_started_it_is_said(
    people: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leadpipe_mcp.people.sql.COMMAND", ["/no/such/program"])
    with pytest.raises(NotPossible, match="does not let this server start a process"):
        await statements.ask(people, "SELECT 1", SqlWorkers())


async def test_a_process_is_given_no_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("LEADPIPE_API_KEY", "SONARLY_API_KEY", "HARMLESS"):
        monkeypatch.setenv(name, "sk_secret")
    written = tmp_path / "environment"
    tell = f"import os; open({str(written)!r}, 'w').write(' '.join(os.environ))"
    monkeypatch.setattr("leadpipe_mcp.people.sql.COMMAND", [sys.executable, "-c", tell])
    with pytest.raises(NotPossible):
        await statements.ask(Snapshot(tmp_path, 0), "SELECT 1", SqlWorkers(), seconds=60)
    names = written.read_text().split()
    assert "HARMLESS" in names
    assert not [name for name in names if name.startswith(("LEADPIPE", "SONARLY"))]


@pytest.mark.parametrize("how", [Path.unlink, empty, spoil_the_middle])
async def test_people_who_are_broken_on_the_disk_are_dropped(
    kept: Kept, how: Callable[[Path], None]
) -> None:
    people = await kept([{"fullName": f"Person {n}", "headline": "x" * 99} for n in range(2_000)])
    how(people.folder / SEEN)
    refused = await refusal(people, "SELECT count(name), max(name) FROM people")
    assert refused.problem == "The people of this run are no longer kept on this machine."
    assert not people.folder.exists()


async def test_rows_beyond_the_limit_are_cut_with_a_note(people: Snapshot) -> None:
    joined = "SELECT a.name FROM people a, people b, people c, people d"
    rows = await ask(people, joined)
    assert len(rows.rows) == MOST_ROWS
    assert rows.notes == ("Cut after 200 rows; there are more.",)
    assert (await ask(people, f"{joined} LIMIT {MOST_ROWS}")).notes == ()


async def test_an_answer_that_is_too_long_is_cut_with_a_note(people: Snapshot) -> None:
    long = "replace(printf('%999s', ''), ' ', a.name)"
    everyone = "FROM people a, people b, people c, people d"
    rows = await ask(people, f"SELECT {long} {everyone}")
    assert len(rows.rows) == LONGEST_RESULT // 303
    assert all(len(str(row[0])) == 300 for row in rows.rows)
    cut = "to fit into 30,000 characters; there are more. Select fewer columns."
    assert rows.notes == (f"Cut after 99 rows, {cut}",)
    wide = ", ".join(["h"] * 150)
    rows = await ask(people, f"SELECT {wide} FROM (SELECT {long} AS h {everyone})")
    assert (rows.rows, rows.notes) == ((), (f"Cut after 0 rows, {cut}",))


async def test_values_that_are_not_text_are_shown_as_text(people: Snapshot) -> None:
    rows = await ask(people, "SELECT x'00ff', 9e999, -9e999, CAST(x'61ff62' AS TEXT), NULL")
    assert rows.rows == (("x'00ff'", "inf", "-inf", "a�b", ""),)
    rows = await ask(people, "SELECT 'a' || char(8238) || char(7) || 'b'")
    assert rows.rows == (("ab",),)


@pytest.mark.parametrize(
    ("sql", "misread"),
    [
        ('SELECT name FROM people WHERE state IN ("texas", "utah")', "texas and utah"),
        ('SELECT "name" AS "Who?" FROM people ORDER BY "Who?"', ""),
        ('WITH "x" AS (SELECT name FROM people) SELECT "x"."name" FROM "x"', ""),
        ('SELECT \'she said "no"\' FROM people -- "nothing"', ""),
    ],
)
async def test_text_in_double_quotes_is_noted_and_names_are_not(
    people: Snapshot, sql: str, misread: str
) -> None:
    told = await outcome(people, sql)
    if isinstance(told, NotPossible):
        # Some builds of SQLite take what is in double quotes for nothing but a name.
        assert misread
        assert told.problem.startswith("There is no column")
    else:
        why = "there is no such column, so it was taken as text. Put text in single quotes."
        assert told.notes == ((f"{misread} in double quotes: {why}",) if misread else ())


async def test_the_notes_of_the_snapshot_come_with_every_answer(kept: Kept) -> None:
    people = await kept(PEOPLE, expected=5)
    assert (await ask(people, "SELECT 1")).notes == ("The service says 5 people; 4 came.",)


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
    *[chained(sql) for sql in ESCAPES["bounded"]["doubling"]],
]
MEASURED = """
import json, resource, sys, anyio
from pathlib import Path
from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.people.snapshot import Snapshot
from leadpipe_mcp.people.sql import ask
from leadpipe_mcp.people.sql import SqlWorkers

async def main():
    people, workers = Snapshot(Path(sys.argv[1]), 4), SqlWorkers()
    # No file can be written from here on.
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    for number, sql in enumerate(json.load(sys.stdin)):
        try:
            seconds = 0.25 if number else 30
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
