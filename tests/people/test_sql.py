"""One SELECT about the people of a snapshot, and nothing that leads out of it."""

# ruff: noqa: S608 -- these statements are here to be put together

import re
import sqlite3
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
EXPECTED = [(each["sql"], each["rows"]) for each in (*ESCAPES["masked"], *ESCAPES["answered"])]

FIELDS = (
    *("fullName", "intentScore", "seniority", "jobTitle", "state", "company", "companyDomain"),
    *("topicName", "email"),
)
HIDDEN = "secretly.hidden@acme.example"
TOLD = (
    f"Ada King|91|vp|VP of Sales|california|Acme|acme.example|CRM, Sales|{HIDDEN}",
    f"Bo Li|72|vp|VP|texas|Write to {HIDDEN}|other.example|CRM|bo@home.example",
    "Cy Ng|62|director||california|Beta||Sales|cy@home.example",
    "Di Fu|43|manager||||||",
)
PEOPLE: list[dict[str, object]] = [
    dict(zip(FIELDS, person.split("|"), strict=True)) for person in TOLD
]
PEOPLE[0] |= {"headline": "I whispered this", "phone": "+15550177777", "isB2b": "y"}
PEOPLE[0] |= {"gender": "female", "address": "1 Oak Street", "ageRange": "25 to 34"}
PEOPLE[0] |= {"companyDescription": "We whispered that", "businessEmail": HIDDEN}
PEOPLE[1] |= {"isB2b": True}
SECRET = re.compile(r"ecretly|idden|555017|whispered", re.IGNORECASE)


@pytest.fixture
async def people(kept: Kept) -> Snapshot:
    return await kept(PEOPLE)


async def outcome(people: Snapshot, sql: str, seconds: float = 2.0) -> Rows | NotPossible:
    """The answer, or why there is none."""
    try:
        return await ask(people, sql, seconds=seconds)
    except NotPossible as refused:
        return refused


def check_limits(rows: Rows) -> None:
    assert len(rows.rows) <= MOST_ROWS
    assert len(str(rows.rows)) <= 2 * LONGEST_RESULT
    assert all(len(row) == len(rows.columns) for row in rows.rows)
    assert all(len(str(cell)) <= 300 for row in rows.rows for cell in row)


async def test_no_escape_is_answered(people: Snapshot) -> None:
    before = {file: file.read_bytes() for file in people.folder.iterdir()}
    for sql in REFUSED:
        told = await outcome(people, sql)
        assert isinstance(told, NotPossible), sql
        assert not SECRET.search(str(told)), sql
        assert str(people.folder) not in str(told)
        assert 20 < len(str(told)) < 1_600, sql
    assert {file: file.read_bytes() for file in people.folder.iterdir()} == before
    assert not Path("/tmp/copy.sqlite").exists()  # noqa: S108 -- one of the escapes names it


async def test_what_grows_stays_within_its_limits(people: Snapshot) -> None:
    for sql in BOUNDED:
        told = await outcome(people, sql, seconds=0.03)
        assert not SECRET.search(str(told)), sql
        if isinstance(told, Rows):
            check_limits(told)


async def test_a_question_is_answered_with_what_is_seen_masked_and_without_free_text(
    people: Snapshot,
) -> None:
    for sql, rows in EXPECTED:
        found = await ask(people, sql)
        check_limits(found)
        assert [list(row) for row in found.rows] == rows, sql
        assert not SECRET.search(str(found.rows))
        assert found.notes == (), sql
    everyone = await ask(people, f"SELECT {', '.join(SEEN_COLUMNS)} FROM people ORDER BY name")
    assert everyone.columns == tuple(SEEN_COLUMNS)
    assert not SECRET.search(str(everyone.rows))
    assert not [name for name in everyone.columns if "untrusted" in name]
    ada = dict(zip(everyone.columns, everyone.rows[0], strict=True))
    assert (ada["email"], ada["phone"]) == ("s•••@acme.example", "+1•••7777")


async def test_a_star_does_not_show_what_is_private(people: Snapshot) -> None:
    rows = await ask(people, "SELECT p.* FROM people p ORDER BY name LIMIT 1")
    shown = dict(zip(rows.columns, rows.rows[0], strict=True))
    assert (shown["name"], shown["gender"], shown["ageRange"]) == ("Ada King", "", "")
    private = [name for name, column in SEEN_COLUMNS.items() if column.kind == "private"]
    named = f"{', '.join(private[:-1])} and {private[-1]}"
    assert rows.notes == (f"* leaves out private columns: {named}. Name them to see them.",)
    rows = await ask(people, "SELECT *, GENDER FROM people WHERE gender IS NOT NULL")
    assert dict(zip(rows.columns, rows.rows[0], strict=True))["gender"] == "female"
    assert "gender" not in rows.notes[0]
    rows = await ask(people, "SELECT gender FROM (SELECT * FROM people) WHERE name = 'Ada King'")
    assert rows.rows == (("female",),)


NOT_UNDERSTOOD = "SQLite does not understand the statement:"


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("SELECT p.emial FROM people p", "There is no column 'p.emial'. Did you mean 'email', 'em"),
        ("SELECT name FROM persons", "There is no table 'persons'; the only one is people."),
        ("SELECT nope(name) FROM people", "There is no function nope() here."),
        ("SELECT name FROM people WHERE", f"{NOT_UNDERSTOOD} incomplete"),
        ("SELECT state FROM people a, people b", f"{NOT_UNDERSTOOD} ambiguous column name: state."),
        ("SELECT jane.doe@acme.example FROM people", NOT_UNDERSTOOD),
        ("SELECT 1; SELECT 2", "Only one statement is allowed at a time."),
        ("SELECT ?", "Parameters are not supported."),
        ("DROP TABLE people", "Only one SELECT is allowed here."),
        ("WITH x AS (SELECT 1) DELETE FROM people", "Only one SELECT is allowed here, and"),
        (f"SELECT '{'x' * 20_000}'", "The statement asks for too much at once"),
        ("SELECT '\ud800'", "The statement contains invalid characters."),
        ("SELECT replace(printf('%9999s', ''), ' ', 'abc')", "The statement asks for too much"),
    ],
)
async def test_a_refusal_says_what_is_wrong(people: Snapshot, sql: str, problem: str) -> None:
    refused = await outcome(people, sql)
    assert isinstance(refused, NotPossible)
    assert refused.problem.startswith(problem)
    assert "jane" not in str(refused)
    if "no column" in problem:
        assert refused.advice == f"The columns of people are: {', '.join(SEEN_COLUMNS)}."


async def test_another_table_in_the_file_could_not_be_seen(people: Snapshot) -> None:
    with sqlite3.connect(people.folder / SEEN) as connection:
        connection.execute("CREATE TABLE other AS SELECT 'secretly.hidden' AS secret")
        connection.execute("CREATE VIEW view_of_it AS SELECT secret FROM other")
    connection.close()
    for sql in (
        "SELECT name FROM people UNION SELECT secret FROM other",
        "SELECT name FROM people WHERE name IN (SELECT secret FROM main.other)",
        "SELECT secret FROM view_of_it",
        "WITH people AS (SELECT secret FROM other) SELECT * FROM people",
    ):
        refused = str(await outcome(people, sql))
        assert re.match("There is no table '(other|view_of_it)'; the only one is", refused)


@pytest.mark.parametrize("how", [Path.unlink, empty, spoil_the_middle])
async def test_people_who_are_broken_on_the_disk_are_dropped(
    kept: Kept, how: Callable[[Path], None]
) -> None:
    people = await kept([{"fullName": f"Person {n}", "headline": "x" * 99} for n in range(2_000)])
    how(people.folder / SEEN)
    refused = str(await outcome(people, "SELECT count(name), max(name) FROM people"))
    assert refused.startswith("The people of this run are no longer kept on this machine.")
    assert not people.folder.exists()


async def test_what_does_not_fit_into_an_answer_is_cut_with_a_note(people: Snapshot) -> None:
    everyone = "FROM people a, people b, people c, people d"
    rows = await ask(people, f"SELECT a.name {everyone}")
    assert len(rows.rows) == MOST_ROWS
    assert rows.notes == ("Cut after 200 rows; there are more.",)
    assert (await ask(people, f"SELECT a.name {everyone} LIMIT {MOST_ROWS}")).notes == ()
    rows = await ask(people, f"SELECT replace(printf('%999s', ''), ' ', a.name) {everyone}")
    assert {len(str(row[0])) for row in rows.rows} == {300}
    cut = "to fit into 30,000 characters; there are more. Select fewer columns."
    assert rows.notes == (f"Cut after 99 rows, {cut}",)


async def test_values_are_shown_as_clean_text_with_what_is_odd_about_the_people(kept: Kept) -> None:
    people = await kept(PEOPLE, expected=5)
    values = "x'00ff', 9e999, CAST(x'61ff62' AS TEXT), NULL, 'a' || char(8238) || char(7) || 'b'"
    rows = await ask(people, f"SELECT {values}")
    assert rows.rows == (("x'00ff'", "inf", "a�b", "", "ab"),)
    assert rows.notes == ("The service says 5 people; 4 came.",)


async def test_text_in_double_quotes_is_noted_and_names_are_not(people: Snapshot) -> None:
    for named in (
        'SELECT "name" AS "Who?" FROM people ORDER BY "Who?"',
        'WITH "x" AS (SELECT name FROM people) SELECT "x"."name" FROM "x"',
        'SELECT \'she said "no"\' FROM people -- "nothing"',
    ):
        assert (await ask(people, named)).notes == ()
    told = await outcome(people, 'SELECT name FROM people WHERE state IN ("texas", "utah")')
    # Some builds of SQLite take what is in double quotes for nothing but a name.
    assert (
        told.problem.startswith("There is no column")
        if isinstance(told, NotPossible)
        else (
            told.notes[0].startswith("texas and utah in double quotes: there is no such column, so")
        )
    )
