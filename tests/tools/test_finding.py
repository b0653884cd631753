"""Words looked up in the service's filters, and the filters themselves, through a client."""

import json
from collections.abc import Callable

import pytest
from starlette.responses import JSONResponse

from leadpipe_mcp.api.connections import Application
from tests.faults.service import Sandbox
from tests.tools.assistant import Altered, Assistant, Connect, Reply, changes, each_profile

pytestmark = pytest.mark.anyio


async def test_each_word_comes_with_its_filter_its_values_and_how_sure_they_are(
    client: Assistant, sandbox: Sandbox
) -> None:
    words = ["VP or above", "SaaS", "CA", "services", "using Salesforce"]
    reply = await client.call("find_filters", words=words)
    assert reply["summary"] == (
        "4 of 5 words found; 1 could mean several things; no filter has a value called"
        " 'using Salesforce'; titles go into jobTitle, companies into companyName."
    )
    assert reply["found"]["columns"] == ["word", "key", "values", "sure", "note"]
    rows = reply["found"]["rows"]
    assert rows[0] == ["VP or above", "seniority", "vp, c_suite, owner, partner", "exact", ""]
    assert rows[1][:4] == ["SaaS", "companyIndustry", "software development", "close"]
    assert rows[1][4] != ""
    assert rows[2] == ["CA", "state", "california", "exact", ""]
    assert {row[0] for row in rows[3:]} == {"services"}
    assert "ambiguous" in {row[3] for row in rows[3:]}
    assert reply["next"][0]["tool"] == "plan_audience"
    reply = await client.call("find_filters", words="Midwest")
    assert reply["found"]["rows"][0][2] == (
        "illinois, indiana, iowa, kansas, michigan, minnesota, missouri, nebraska and 4 more"
    )
    assert changes(sandbox) == []
    assert len(sandbox.requests) == 1, "what filters there are is asked for once"
    # What no filter knows leads to all that there are.
    reply = await client.call("find_filters", words=["quux\u202eflib", "VPs at banks in TX"])
    none = "0 of 2 words found; no filter has a value called 'quuxflib'"
    assert reply["summary"].startswith(none)
    assert "found" not in reply
    why = "without arguments: every filter there is"
    assert reply["next"] == [{"tool": "find_filters", "why": why}]


async def test_what_is_exact_is_taken_by_preview_audience_word_and_value_alike(
    client: Assistant,
) -> None:
    words = ["director or above", "CA", "51-200", "business email", "C-level"]
    found = await client.call("find_filters", words=words)
    rows = {row[0]: row for row in found["found"]["rows"] if row[1] != "ageRange"}
    for word in words:
        key, values, sure = rows[word][1:4]
        assert sure == "exact"
        ways = [True] if values == "true" else [[word], values.split(", ")]
        replies = [
            await client.call("preview_audience", topicIds=[117805], filters={key: way})
            for way in ways
        ]
        assert len({json.dumps([reply["config"], reply["size"]]) for reply in replies}) == 1


@each_profile
async def test_without_arguments_all_filters_are_shown_and_with_a_key_its_values(
    profile: str, connect: Connect
) -> None:
    async with connect(profile=profile) as client:
        reply = await client.call("find_filters")
        filters = reply["filters"]
        for key in ("state", "companyIndustry", "seniority", "companySize", "gender"):
            rows = (await client.call("find_filters", key=key))["values"]["rows"]
            assert filters[key] == ", ".join(row[0] for row in rows)
        seniority = await client.call("find_filters", key="role.seniority")
        flag = await client.call("find_filters", key="hasPhone")
    assert len(filters) == (16 if profile == "flat" else 23)
    assert reply["summary"].startswith(f"{len(filters)} filters in all.")
    assert "No filter knows technologies used" in reply["summary"]
    assert filters["jobTitle"] == "free words"
    assert filters["hasPhone"] == filters["isB2b"] == "true or false"
    assert len(json.dumps(reply)) / 4 <= 1_200
    assert seniority["summary"] == "'seniority' takes any of its values; it has 8 values."
    assert seniority["key"] == "seniority"
    if profile == "catalog":
        assert seniority["values"]["columns"] == ["value", "label", "people"]
        assert seniority["values"]["rows"][5][:2] == ["c_suite", "C-Suite"]
    assert flag["summary"] == "'hasPhone' takes true or false."
    assert "values" not in flag


@pytest.fixture
def many_industries(sandbox: Sandbox, altered: Altered) -> Callable[..., Application]:
    """A service that has 250 industries, and says how many people each has if it is asked to."""
    names = [f"industry {number}" for number in range(250)]

    def many_industries(*, counted: bool = False) -> Application:
        values = [{"value": name, "count": number + 1} for number, name in enumerate(names)]
        industries = {"key": "company.industries", "type": "multi_select", "values": values}
        catalog = {"groups": [{"key": "company", "filters": [industries]}]}
        data = catalog if counted else {"companyIndustry": names}
        return altered(sandbox, {"GET /audiences/filters": JSONResponse({"data": data})})

    return many_industries


async def test_of_hundreds_of_values_the_most_frequent_are_shown_and_all_of_them_page_by_page(
    connect: Connect, many_industries: Callable[..., Application]
) -> None:
    async with connect(many_industries(counted=True)) as client:
        reply = await client.call("find_filters")
        page = await client.call("find_filters", key="companyIndustry")
    shown = reply["filters"]["companyIndustry"]
    assert shown.startswith("industry 249, industry 248, ")
    assert shown.endswith("; 250 in all")
    assert shown.count("industry") == 25
    assert page["values"]["rows"][0] == ["industry 249", 250]
    assert len(json.dumps(reply)) / 4 <= 1_200
    async with connect(many_industries()) as client:
        first, last, beyond = [
            await client.call("find_filters", key="companyIndustry", cursor=cursor)
            for cursor in (None, "200", "900")
        ]
    assert first["summary"] == (
        "'companyIndustry' takes any of its values; it has 250 values, 1 to 100 here."
    )
    assert (len(first["values"]["rows"]), first["nextCursor"]) == (100, "100")
    assert (len(last["values"]["rows"]), "nextCursor" in last) == (50, False)
    assert last["summary"].endswith("201 to 250 here.")
    assert "values" not in beyond


async def test_what_makes_no_sense_is_refused(client: Assistant) -> None:
    cases: list[tuple[Reply, str]] = [
        ({"words": ["VP"], "key": "state"}, "Pass words or key, not both."),
        ({"words": ["VP"], "cursor": "100"}, "cursor continues the values of a key"),
        ({"key": "state", "cursor": "next"}, "cursor"),
        ({"words": ["x"] * 21}, "'words' takes at most 20 entries."),
        ({"key": "role.seniorty"}, "no filter 'role.seniorty'. Did you mean 'role.seniority'?"),
    ]
    for arguments, said in cases:
        assert said in await client.refused("find_filters", **arguments)
