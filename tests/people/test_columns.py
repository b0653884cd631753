from typing import Literal

import pytest
from pydantic import SecretStr

from leadpipe_mcp.api.in_process import serve_in_process
from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.models import AudienceConfig
from leadpipe_mcp.api.reading import Row
from leadpipe_mcp.api.transport import Transport
from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.people.columns import (
    COLUMNS,
    DEFAULT_COLUMNS,
    VISITOR_COLUMNS,
    choose_columns,
    completed,
)
from leadpipe_mcp.people.privacy import Value, table
from leadpipe_mcp.sandbox import SandboxSettings
from tests.faults.service import Sandbox

# What both generations of the API tell of a person, in the same words.
SHARED = (
    *DEFAULT_COLUMNS,
    *("firstName", "lastName", "department", "companyDomain", "companyRevenueRange", "city"),
    *("linkedinUrl", "topicOverlap", "email", "businessEmail", "personalEmail", "ageRange"),
    *("gender", "zip", "personalCountry", "incomeRange", "netWorth", "companyCity"),
    *("companyCountry", "untrustedHeadline"),
)

NUMBERS = {"intentScore", "topicId", "topicOverlap"}


def cells(person: Row, *names: str, contact: bool = True) -> list[Value]:
    (row,) = table((person,), choose_columns(names), contact=contact)
    return row


def person(**fields: object) -> Row:
    return fields


def test_without_names_there_are_eight_columns() -> None:
    names = [column.name for column in choose_columns(None)]
    assert names == list(DEFAULT_COLUMNS) == [column.name for column in choose_columns(())]
    assert names == [
        *("name", "jobTitle", "company", "companyIndustry", "companySize", "state", "score"),
        "contactEmail",
    ]


def test_named_columns_come_in_their_order_and_once() -> None:
    chosen = choose_columns(("city", "name", "city", "phone"))
    assert [column.name for column in chosen] == ["city", "name", "phone"]


def test_an_unknown_column_is_refused_with_the_nearest_and_the_list() -> None:
    with pytest.raises(NotPossible) as caught:
        choose_columns(("jobTitel", "name", "xyzzyqq", "linkedin"))
    assert caught.value.problem == (
        "There is no field 'jobTitel'. Did you mean 'jobTitle'?"
        " There is no field 'xyzzyqq'."
        " There is no field 'linkedin'. Did you mean 'linkedinUrl'?"
    )
    assert caught.value.advice == f"The fields are: {', '.join(COLUMNS)}."


@pytest.mark.parametrize("name", ["headline", "companyDescription"])
def test_what_others_wrote_has_a_name_that_says_so(name: str) -> None:
    with pytest.raises(NotPossible):
        choose_columns((name,))
    assert [column.kind for column in COLUMNS.values() if column.source == name] == ["untrusted"]
    assert f"untrusted{name[0].upper()}{name[1:]}" in COLUMNS


def test_by_default_nothing_private_or_untrusted_is_shown() -> None:
    kinds = [column.kind for column in choose_columns(None)]
    assert kinds == ["plain"] * 7 + ["email"]


def test_every_way_to_reach_a_person_is_known_as_one() -> None:
    ways = ("mail", "phone", "number")
    for name, column in COLUMNS.items():
        if any(way in name.lower() for way in ways):
            assert column.kind in {"email", "phone"}


def test_money_family_and_home_are_private() -> None:
    private = "ageRange gender address zip personalCountry incomeRange netWorth photoUrl"
    for name in (*private.split(), "hasChildren", "isHomeowner", "isMarried"):
        assert COLUMNS[name].kind == "private"


def test_a_column_shows_the_field_of_its_name() -> None:
    shown = [c for c in COLUMNS.values() if c.kind not in {"email", "phone"}]
    fields = {column.source or column.name for column in shown} - NUMBERS
    everybody = person(**{name: f"{name} of it" for name in fields})
    for column in shown:
        name = column.source or column.name
        if name in fields:
            assert cells(everybody, column.name) == [f"{name} of it"]
    assert cells(person(topicName="CRM", lastName="King"), "topic", "lastName") == ["CRM", "King"]


def started(profile: Literal["flat", "catalog"]) -> LeadpipeClient:
    settings = SandboxSettings(profile=profile, people=3_000, examples=False, run_seconds=0)
    sandbox = Sandbox(settings, clock=lambda: 1_777_972_500.0)
    transport = Transport("https://x.test", SecretStr("sk_x"), network=serve_in_process(sandbox))
    return LeadpipeClient(transport)


async def everyone(profile: Literal["flat", "catalog"]) -> tuple[Row, ...]:
    client = started(profile)
    config = AudienceConfig(topic_ids=(117805, 117890), min_topic_overlap=2)
    audience = await client.audiences.create("Buyers", await client.configs.spell(config), "active")
    return (await client.runs.people(audience.id, limit=100)).people


@pytest.mark.anyio
async def test_both_generations_give_the_same_columns() -> None:
    columns = choose_columns(SHARED)
    older, newer = [
        table(await everyone(profile), columns, contact=True) for profile in ("flat", "catalog")
    ]
    assert len(older) > 50
    assert older == newer
    for position, name in enumerate(SHARED):
        assert any(row[position] != "" for row in older), name


@pytest.mark.anyio
@pytest.mark.parametrize("profile", ["flat", "catalog"])
async def test_every_field_of_a_person_is_a_column(profile: Literal["flat", "catalog"]) -> None:
    # What others are made of: id, company.
    sources = {"personId", "hashedEmail", "companyName"}
    keys = {column.key for column in COLUMNS.values()}
    for person in await everyone(profile):
        assert set(completed(person)) <= keys | sources


@pytest.mark.anyio
async def test_every_field_of_a_query_but_the_hashes_is_a_column() -> None:
    client = started("flat")
    config = await client.configs.spell(AudienceConfig(topic_ids=(117805,)))
    page = await client.runs.query(config)
    assert page is not None
    keys = {column.key for column in COLUMNS.values()}
    left_out = {"hem", "country", "emailHashes", "allEmailHashes"}
    assert {key for person in page.people for key in completed(person)} - keys == left_out


def test_fields_that_identify_somebody_are_marked() -> None:
    persons = {name for name, column in COLUMNS.items() if column.identifies}
    assert {"name", "lastName", "linkedinUrl", "id", "address", "photoUrl"} <= persons
    assert {name for name, c in COLUMNS.items() if c.kind in {"email", "phone"}} <= persons
    assert not persons & {"company", "jobTitle", "state", "score", "topic", "ageRange", "zip"}


def test_numbers_flags_and_lists_are_known_for_what_they_are() -> None:
    def of(holds: str) -> set[str]:
        return {name for name, column in COLUMNS.items() if column.holds == holds}

    assert of("number") == {"score", "topicId", "topicOverlap", "companyRevenue"}
    assert of("flag") == {"isB2b", "isB2c", "hasChildren", "isHomeowner", "isMarried"}
    assert {"topic", "matchedTopicIds", "emails", "phones", "jobFunctions"} <= of("list")


def test_a_column_means_the_same_for_people_and_visitors() -> None:
    # A visitor's country and revenue are told in other words, and under names of their own.
    for name in (COLUMNS.keys() & VISITOR_COLUMNS.keys()) - {"companyRevenue"}:
        assert COLUMNS[name] == VISITOR_COLUMNS[name]


def test_every_column_has_a_name_of_its_own_in_any_case() -> None:
    for columns in (COLUMNS, VISITOR_COLUMNS):
        assert len({name.lower() for name in columns}) == len(columns)


def test_a_name_is_made_of_its_parts_where_there_is_no_whole_one() -> None:
    assert cells(person(fullName="Ada King", firstName="A"), "name") == ["Ada King"]
    assert cells(person(firstName="Ada", lastName="King"), "name") == ["Ada King"]
    assert cells(person(lastName="King"), "name") == ["King"]
    assert cells(person(), "name") == [""]


@pytest.mark.parametrize(
    ("fields", "address"),
    [
        ({"primaryContactEmail": "1@x.test", "businessEmail": "2@x.test"}, "1@x.test"),
        ({"businessEmail": "2@x.test", "email": "3@x.test"}, "2@x.test"),
        ({"businessEmail": "", "email": "3@x.test", "personalEmail": "4@x.test"}, "3@x.test"),
        ({"personalEmail": "4@x.test"}, ""),
        ({}, ""),
    ],
)
def test_the_address_to_write_to_is_the_business_one(
    fields: dict[str, object], address: str
) -> None:
    assert cells(person(**fields), "contactEmail") == [address]


def test_what_is_not_known_is_an_empty_text() -> None:
    assert cells(person(city=None), "city", "score", "phone", "gender", contact=False) == [""] * 4


def test_numbers_stay_numbers() -> None:
    row = cells(
        person(intentScore=91.5, topicId=7, topicOverlap=2, netWorth=5, isB2b=True),
        *("score", "topicId", "topicOverlap", "netWorth", "isB2b"),
    )
    assert row == [91.5, 7, 2, 5, True]
    assert [type(value) for value in row] == [float, int, int, int, bool]


def test_several_values_become_one_text() -> None:
    row = cells(
        person(matchedTopicIds=[1, 2], emails=["a@x.test", "b@x.test"], city=["A", "B"], zip=[]),
        *("matchedTopicIds", "emails", "city", "zip"),
    )
    assert row == ["1, 2", "a@x.test, b@x.test", "A, B", ""]
