"""Filters found for what people say, through a client."""

import json
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from mcp import Client
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from leadpipe_mcp.sandbox import Sandbox

pytestmark = pytest.mark.anyio
Reply = dict[str, Any]
Start = Callable[..., Sandbox]
Connect = Callable[..., AbstractAsyncContextManager[Client]]
Call = Callable[..., Awaitable[Reply]]
Refused = Callable[..., Awaitable[str]]

each_profile = pytest.mark.parametrize("profile", ["mixed", "flat", "catalog"])
IDEAL = (
    "VP or above in marketing or sales at SaaS companies, 51-200 employees, over $10M revenue,"
    " California, women, with a business email and a phone"
)


def tokens(part: object) -> float:
    return len(json.dumps(part, ensure_ascii=False, separators=(",", ":"))) / 4


async def test_words_become_filters_with_how_sure_each_is(client: Client, call: Call) -> None:
    reply = await call(client, "find_filters", about="VPs at SaaS companies in TX")
    assert reply["summary"] == (
        "3 filters found; 1 of the wishes taken as the nearest there is (close)."
    )
    assert reply["found"]["columns"] == ["asked", "key", "values", "sure", "people", "note"]
    level, industry, state = reply["found"]["rows"]
    assert level[:4] == ["VPs", "role.seniority", "vp", "exact"]
    assert industry[:4] == ["SaaS", "company.industries", "software development", "close"]
    assert industry[5] == "The catalogue has software companies, however they sell it."
    assert state[:4] == ["TX", "location.states", "texas", "exact"]
    assert all(row[4] > 0 for row in (level, industry, state))
    assert reply["filters"] == {
        "role.seniority": ["vp"],
        "company.industries": ["software development"],
        "location.states": ["texas"],
    }
    assert reply["next"][0]["tool"] == "preview_audience"


@each_profile
async def test_what_is_found_is_taken_by_preview_audience_and_create_audience(
    profile: str, start: Start, connect: Connect, call: Call
) -> None:
    async with connect(start(profile=profile)) as client:
        found = await call(client, "find_filters", about=IDEAL)
        config = {"topicIds": [117805], "filters": found["filters"]}
        await call(client, "preview_audience", **config)
        made = await call(client, "create_audience", name="Ideal", config=config)
    assert made["config"]["filters"].keys() == found["filters"].keys()
    assert len(found["filters"]) == 9
    assert tokens(found) < 800


async def test_the_ambiguous_is_left_to_the_user(client: Client, call: Call) -> None:
    reply = await call(client, "find_filters", about="finance, Texas or women")
    assert reply["summary"] == "No filter found; 3 to choose by the user."
    assert "filters" not in reply
    finance, texas, _ = reply["alternatives"]
    assert finance == {
        "asked": "finance",
        "choices": [
            {"role.departments": ["finance"]},
            {"company.industries": ["financial services"]},
        ],
    }
    assert texas["why"].startswith("All filters must hold")
    assert texas["choices"] == [{"location.states": ["texas"]}]
    assert reply["next"] == [
        {"tool": "find_filters", "why": "without arguments: see the filters there are"}
    ]


async def test_alternatives_are_spelled_as_a_service_of_one_value_takes_them(
    start: Start, connect: Connect, call: Call
) -> None:
    async with connect(start(profile="flat")) as client:
        reply = await call(client, "find_filters", about="west coast, email")
    coast, email = reply["alternatives"]
    assert coast["choices"] == [
        {"state": "california"},
        {"state": "oregon"},
        {"state": "washington"},
    ]
    assert email["choices"] == [{"hasBusinessEmail": True}, {"hasPersonalEmail": True}]


async def test_what_cannot_be_said_and_what_is_not_understood_come_back(
    client: Client, call: Call
) -> None:
    reply = await call(client, "find_filters", about="using Salesforce, hiring, quux\u202eflib")
    assert reply["summary"] == "No filter found; 2 not possible; 1 not understood."
    assert [unsaid["asked"] for unsaid in reply["notPossible"]] == ["using Salesforce", "hiring"]
    assert "topic" in reply["notPossible"][0]["why"]
    assert len(reply["notUnderstood"]) == 1
    assert "\u202e" not in json.dumps(reply, ensure_ascii=False)


async def test_a_long_list_is_named_by_what_it_leaves_out(client: Client, call: Call) -> None:
    reply = await call(client, "find_filters", about="not agencies, no phone")
    agencies, phone = reply["found"]["rows"]
    assert agencies[2] == "all but advertising services"
    assert phone[2] == "no"
    assert len(reply["filters"]["company.industries"]) == 46
    reply = await call(client, "find_filters", about="over 10 employees")
    assert reply["found"]["rows"][0][2] == (
        "11 to 50, 51 to 100, 101 to 250, 251 to 500, 501 to 1000 and 3 more"
    )


async def test_a_wish_list_that_is_too_long_for_the_table_is_cut_and_said_so(
    client: Client, call: Call
) -> None:
    states = (
        "AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IA KS KY LA MD MA MI MN MS MO MT NE NV NH NJ"
    )
    about = ", ".join([*states.split(), "NM", "NY", "NC"])
    reply = await call(client, "find_filters", about=about)
    assert len(reply["found"]["rows"]) == 30
    assert len(reply["filters"]["location.states"]) == 32
    assert reply["warnings"] == ["2 more wishes found, not in the table."]


@each_profile
async def test_without_arguments_all_filters_are_shown(
    profile: str, start: Start, connect: Connect, call: Call
) -> None:
    async with connect(start(profile=profile)) as client:
        reply = await call(client, "find_filters")
    rows = reply["found"]["rows"]
    assert reply["summary"].startswith(f"There are {len(rows)} filters.")
    assert len(rows) == (16 if profile == "flat" else 23)
    by_key = {row[0]: row[1:] for row in rows}
    if profile == "flat":
        assert by_key["state"][:2] == ["one of its values", 51]
        assert by_key["isB2b"] == ["y or n", "", ""]
    else:
        assert by_key["location.states"] == ["any of its values", 51, "california, texas, new york"]
        assert by_key["jobTitle.include"] == ["free words", "", ""]
    assert tokens(reply) < 800


async def test_a_key_shows_its_values(client: Client, call: Call) -> None:
    reply = await call(client, "find_filters", key="seniority")
    assert reply["summary"] == "'role.seniority' takes any of its values; it has 8 values."
    assert reply["key"] == "role.seniority"
    assert reply["values"]["columns"] == ["value", "label", "people"]
    assert reply["values"]["rows"][4][:2] == ["vp", "VP"]
    reply = await call(client, "find_filters", key="role.isCeo")
    assert reply["summary"] == "'role.isCeo' takes true or false."
    assert "values" not in reply


async def test_a_key_of_the_flat_service_shows_values_alone(
    start: Start, connect: Connect, call: Call
) -> None:
    async with connect(start(profile="flat")) as client:
        reply = await call(client, "find_filters", key="role.seniority")
    assert reply["key"] == "seniority"
    assert reply["values"]["columns"] == ["value"]


async def test_hundreds_of_values_come_page_by_page(
    connect: Connect, call: Call, sandbox: Sandbox
) -> None:
    catalog = {"companyIndustry": [f"industry {number}" for number in range(250)]}

    async def service(scope: Scope, receive: Receive, send: Send) -> None:
        listing = scope["path"].endswith("/audiences/filters")
        await (JSONResponse({"data": catalog}) if listing else sandbox)(scope, receive, send)

    async with connect(service) as client:
        first = await call(client, "find_filters", key="companyIndustry")
        last = await call(client, "find_filters", key="companyIndustry", cursor="200")
        beyond = await call(client, "find_filters", key="companyIndustry", cursor="900")
    assert first["summary"] == (
        "'companyIndustry' takes any of its values; it has 250 values, 1 to 100 here."
    )
    assert (len(first["values"]["rows"]), first["nextCursor"]) == (100, "100")
    assert (len(last["values"]["rows"]), "nextCursor" in last) == (50, False)
    assert last["summary"].endswith("201 to 250 here.")
    assert "values" not in beyond


async def test_an_unknown_key_is_refused_with_the_nearest(client: Client, refused: Refused) -> None:
    text = await refused(client, "find_filters", key="role.seniorty")
    assert text == "There is no filter 'role.seniorty'. Did you mean 'role.seniority'?"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"about": "VP", "key": "state"}, "about and key are two questions: ask one at a time."),
        ({"about": "VP", "cursor": "100"}, "cursor goes on with the values of a key"),
        ({"key": "state", "cursor": "next"}, "cursor"),
        ({"about": ""}, "about"),
        ({"about": "x" * 1001}, "about"),
        ({"words": "VP"}, "words"),
    ],
    ids=str,
)
async def test_what_makes_no_sense_is_refused(
    arguments: Reply, said: str, client: Client, refused: Refused
) -> None:
    assert said in await refused(client, "find_filters", **arguments)


async def test_looking_for_filters_changes_nothing_and_costs_little(
    client: Client, call: Call, changes: Callable[[Sandbox], list[str]], sandbox: Sandbox
) -> None:
    (tool,) = [t for t in (await client.list_tools()).tools if t.name == "find_filters"]
    assert tool.annotations
    assert tool.annotations.read_only_hint
    shown = {"name": tool.name, "description": tool.description, "schema": tool.input_schema}
    assert tokens(shown) < 450
    for _ in range(3):
        await call(client, "find_filters", about=IDEAL)
    assert changes(sandbox) == []
    assert len(sandbox.requests) == 1
