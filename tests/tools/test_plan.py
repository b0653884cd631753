"""plan_audience: from the user's words to a config, said so that an assistant knows what to do."""

import json
from typing import Any

import pytest

from tests.faults.service import Sandbox
from tests.tools.assistant import Assistant, Connect, Start, changes

pytestmark = pytest.mark.anyio
FILTERS = {"seniority": ["directors", "VPs"], "companyIndustry": ["SaaS"], "hasBusinessEmail": True}
EXCLUDE = {"department": ["legal"]}


def rows(table: dict[str, Any]) -> list[dict[str, Any]]:
    return [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]


@pytest.fixture
def wide(start: Start) -> Sandbox:
    """A service with enough people for narrow briefs."""
    return start(people=20_000)


async def test_it_says_for_each_word_what_was_taken_and_how_surely(
    connect: Connect, wide: Sandbox
) -> None:
    async with connect(wide) as client:
        plan = await client.call(
            "plan_audience",
            topics=["CRM", "marketing ROI"],
            filters={**FILTERS, "state": ["california"], "companySize": {"min": 51, "max": 200}},
            exclude={**EXCLUDE, "seniority": ["C-level"]},
        )

    assert [row["sure"] for row in rows(plan["topics"])] == ["exact", "exact"]
    assert all(row["uniquePeople"] > 0 for row in rows(plan["topics"]))
    values = {row["key"] + "|" + row["asked"]: row for row in rows(plan["values"])}
    # What is a value of the service as it was asked for needs no row.
    assert set(values) == {
        "seniority|directors",
        "seniority|VPs",
        "companyIndustry|SaaS",
        "companySize|51 to 200",
        "exclude.seniority|C-level",
    }
    assert values["seniority|VPs"]["became"] == "vp"
    assert values["seniority|VPs"]["sure"] == "exact"
    assert values["companyIndustry|SaaS"]["became"] == "software development"
    assert values["companyIndustry|SaaS"]["sure"] == "close"
    assert values["companyIndustry|SaaS"]["note"]
    assert values["companySize|51 to 200"]["became"] == "51 to 100"
    assert "1 choice is not exact: check with the user." in plan["summary"]
    without = plan["sizeWithout"]
    assert set(without) == {*plan["config"]["filters"], "exclude.department"}
    assert all(size >= plan["size"] for size in without.values())


async def test_five_topics_and_six_filters_cost_less_than_1800_tokens(
    connect: Connect, wide: Sandbox
) -> None:
    async with connect(wide) as client:
        plan = await client.call(
            "plan_audience",
            topics=["CRM", "marketing automation", "sales enablement", "Payroll", "ERP"],
            filters={
                **FILTERS,
                "department": ["mktg", "sales"],
                "companySize": ["51-1000 employees"],
                "state": ["CA", "TX"],
            },
            targetSize={"min": 1_000, "max": 3_000},
        )

    assert len(plan["config"]["topicIds"]) == 5
    assert len(plan["config"]["filters"]) == 6
    assert len(json.dumps(plan, separators=(",", ":"))) / 4 < 1_800
    assert {"ladder", "recommended", "sizeWithout", "industries"} <= set(plan)


async def test_what_makes_no_sense_is_refused(client: Assistant) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({}, "Pass topics, a website, or both"),
        ({"topics": ["CRM"], "targetSize": {}}, "targetSize needs min, max or both."),
        ({"topics": ["CRM"], "targetSize": {"min": 5, "max": 2}}, "targetSize.min (5) is above"),
        ({"topics": ["CRM"], "filters": "VPs in Texas"}, "'filters' must be an object"),
        ({"topics": ["CRM"], "exclude": ["Texas"]}, "'exclude' must be an object"),
        ({"topics": ["CRM"], "filters": {"exclude": {}}}, "Pass this beside filters"),
        ({"topics": ["CRM"], "exclude": {"audience": ["CRM Buyers"]}}, "another audience"),
        ({"topics": ["CRM"], "minTopicOverlap": 2}, "minTopicOverlap (2) is above"),
        ({"website": "http://10.0.0.1"}, "only public websites"),
        ({"topics": ["zzzyx"]}, "'zzzyx'"),
    ]
    for arguments, says in cases:
        assert says in await client.refused("plan_audience", **arguments)


async def test_progress_is_told_and_nothing_is_created(connect: Connect, wide: Sandbox) -> None:
    told: list[str | None] = []

    async def listen(progress: float, total: float | None, message: str | None) -> None:
        told.append(message)

    brief = {"topics": ["CRM"], "website": "www.acme-payroll.example"}
    async with connect(wide) as client:
        await client.call_tool("plan_audience", brief, progress_callback=listen)

    (message,) = told
    assert message is not None
    assert message.endswith("found; counting people")
    assert changes(wide) == []
