"""The service's CSV files, line by line, as the same people come in its answers."""

import csv
from typing import Literal

import pytest
from pydantic import SecretStr

from leadpipe_mcp.api.in_process import serve_in_process
from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.models import AudienceConfig
from leadpipe_mcp.api.transport import Transport
from leadpipe_mcp.errors import FileFailed, UnusableAnswer
from leadpipe_mcp.people.columns import COLUMNS, completed
from leadpipe_mcp.people.csv_rows import CsvReader, CsvRows
from leadpipe_mcp.people.write import as_it_came
from leadpipe_mcp.sandbox import SandboxSettings
from tests.faults.service import Sandbox

Row = dict[str, object]


def read(reader: CsvRows, *lines: list[str]) -> list[Row]:
    """The people of some lines, without what is not known of each."""
    columns = reader.columns(lines)
    people = zip(*columns.values(), strict=True)
    return [
        {key: value for key, value in zip(columns, person, strict=True) if value not in (None, "")}
        for person in people
    ]


def row(**cells: str) -> Row:
    return read(CsvRows(list(cells)), list(cells.values()))[0]


def told(row: Row) -> Row:
    """What is kept of a row, without what is not known."""
    found = {name: as_it_came(column, column.of(row)) for name, column in COLUMNS.items()}
    return {name: value for name, value in found.items() if value is not None}


@pytest.mark.anyio
@pytest.mark.parametrize("profile", ["flat", "catalog"])
async def test_a_file_has_the_same_people_as_pages(profile: Literal["flat", "catalog"]) -> None:
    settings = SandboxSettings(
        profile=profile, people=5_000, examples=False, run_seconds=0, csv_starts_with_bom=True
    )
    sandbox = Sandbox(settings, clock=lambda: 1_777_972_500.0)
    client = LeadpipeClient(
        Transport("https://x.test", SecretStr("sk_x"), network=serve_in_process(sandbox))
    )
    config = AudienceConfig(topic_ids=(117805, 117890))
    audience = await client.audiences.create("Buyers", await client.configs.spell(config), "active")
    run = await client.runs.latest(audience.id)
    paged = [
        completed(person)
        async for page in client.exports.pages(audience.id, run)
        for person in page.people
    ]
    async with client.exports.file(audience.id, run) as file:
        assert file is not None
        text = b"".join([piece or b"" async for piece in file.pieces()]).decode()
        lines = csv.reader(text.splitlines())
    headings = next(lines)
    reader = CsvRows(headings)
    assert reader.unknown == ()
    filed = read(reader, *lines)
    assert len(filed) == len(paged) == run.size
    assert [told(one) for one in filed] == [told(one) for one in paged]


def test_what_is_not_known_is_left_out() -> None:
    reader = CsvRows(["firstName", "shoe size", "company.phone", "", "city"])
    assert reader.unknown == ("shoe size", "company.phone", "")
    assert read(reader, ["Ada", "38", "+15550100142", "x", ""]) == [
        {"firstName": "Ada", "fullName": "Ada"}
    ]


@pytest.mark.parametrize(
    ("heading", "key"),
    [
        ("\ufefffirstName", "firstName"),
        ("First Name", "firstName"),
        ("FIRST_NAME", "firstName"),
        ("company", "company"),
        ("company.name", "company"),
        ("company_name", "company"),
        ("company.industryGroup", "companyIndustryGroup"),
        ("company.country", "companyCountry"),
        ("location.country", "personalCountry"),
        ("location.zip", "zip"),
        ("person.location.city", "city"),
        ("demographics.ageRange", "ageRange"),
        ("intent.score", "intentScore"),
        ("intent.topicOverlap", "topicOverlap"),
        ("intent.matchedTopics", "topicName"),
        ("hashedEmail", "id"),
        ("personId", "id"),
        ("headline", "headline"),
    ],
)
def test_a_heading_is_known_however_it_is_written(heading: str, key: str) -> None:
    assert CsvRows([heading]).unknown == ()
    assert row(**{heading: "7"})[key] in {"7", 7}


@pytest.mark.parametrize("heading", ["contactEmail", "company.email", "intent.id", "emails.0.x"])
def test_what_only_looks_like_a_field_is_unknown(heading: str) -> None:
    assert CsvRows([heading]).unknown == (heading,)


def test_cells_become_what_their_column_holds() -> None:
    found = row(
        intentScore="91.5",
        topicId="117805",
        topicOverlap="two",
        companyRevenue="-10000000",
        zip="02134",
        companyNaics="511210",
        isB2b="y",
        hasChildren="True",
        isMarried="FALSE",
        matchedTopicIds="[117805; 117890|x]",
    )
    assert found["intentScore"] == 91.5
    assert found["topicId"] == 117805
    assert found["topicOverlap"] == "two"
    assert found["companyRevenue"] == -10_000_000
    assert (found["zip"], found["companyNaics"]) == ("02134", "511210")
    assert (found["isB2b"], found["hasChildren"], found["isMarried"]) == ("y", True, False)
    assert found["matchedTopicIds"] == "117805, 117890, x"
    assert [type(found[key]) for key in ("intentScore", "topicId")] == [float, int]


@pytest.mark.parametrize(
    "number", ["9" * 400, "1e999", "nan", "\uff11\uff12", "0x10", "1_000", " 7", "-"]
)
def test_what_is_not_a_plain_number_stays_text(number: str) -> None:
    assert row(intentScore=number)["intentScore"] == number


def test_the_one_is_taken_from_the_several() -> None:
    assert row(personalEmails="a@x.test, b@x.test")["personalEmail"] == "a@x.test, b@x.test"
    both = row(personalEmail="b@x.test", personalEmails="a@x.test, b@x.test")
    assert both["personalEmail"] == "b@x.test"
    assert row(phones="1, 2, 3", directNumbers="2")["phone"] == "2"
    assert row(phones="1, 2, 3", directNumbers="2", mobilePhones="3")["phone"] == "3"
    assert row(phone="4")["phone"] == "4"
    assert "phone" not in row(city="Austin")


def test_of_two_headings_for_one_field_the_first_with_a_value_counts() -> None:
    reader = CsvRows(["personId", "hem"])
    both, second, neither = read(reader, ["p1", "h1"], ["", "h1"], ["", ""])
    assert (both["id"], second["id"]) == ("p1", "h1")
    assert "id" not in neither


@pytest.mark.parametrize("cells", [[], ["Ada"], ["Ada", "King", "x"]])
def test_a_line_that_does_not_fit_its_headings_is_refused(cells: list[str]) -> None:
    with pytest.raises(UnusableAnswer) as caught:
        CsvRows(["firstName", "lastName"]).columns([["Ada", "King"], cells])
    assert caught.value.problem.endswith("under 2 headings.")
    assert "Ada" not in str(caught.value)


def test_a_first_line_that_never_ends_is_not_kept_until_it_does() -> None:
    reader = CsvReader()
    assert reader.read(b"x" * 2**18) is None
    with pytest.raises(FileFailed, match="not a list of people"):
        reader.read(b"x" * 2**19)
