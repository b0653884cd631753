"""plan_audience: from the user's words to a config, said so that an assistant knows what to do."""

import json
import re
from typing import Any

import pytest

from tests.tools.assistant import Assistant, Connect, Start, changes

pytestmark = pytest.mark.anyio
MAKE_UP = {"industries", "seniorities", "countedOver"}
FILTERS = {"seniority": ["directors", "VPs"], "companyIndustry": ["SaaS"], "hasBusinessEmail": True}
BECAME = {
    # What is a value of the service as it was asked for needs no row.
    "seniority directors": ("director", "exact"),
    "seniority VPs": ("vp", "exact"),
    "companyIndustry SaaS": ("software development", "close"),
    "companySize 51 to 200": ("51 to 100", "exact"),
    "exclude.seniority C-level": ("c_suite", "exact"),
}


def rows(table: dict[str, Any]) -> list[dict[str, Any]]:
    return [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]


async def test_it_says_for_each_word_what_was_taken_and_creates_nothing(
    connect: Connect, start: Start
) -> None:
    told: list[str | None] = []

    async def listen(progress: float, total: float | None, message: str | None) -> None:
        told.append(message)

    sandbox = start(people=20_000)
    async with connect(sandbox) as client:
        plan = await client.call(
            "plan_audience",
            topics=["CRM", "marketing ROI"],
            filters={**FILTERS, "state": ["california"], "companySize": {"min": 51, "max": 200}},
            exclude={"department": ["legal"], "seniority": ["C-level"]},
        )
        large = await client.call(
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
        brief = {"topics": ["CRM"], "website": "www.acme-payroll.example"}
        await client.call_tool("plan_audience", brief, progress_callback=listen)

    assert [row["sure"] for row in rows(plan["topics"])] == ["exact", "exact"]
    assert all(row["uniquePeople"] > 0 for row in rows(plan["topics"]))
    (twin,) = rows(plan["topicAlternatives"])
    assert twin["name"] == "Customer Relationship Management"
    assert twin["people"] > 0
    values = {f"{row['key']} {row['asked']}": row for row in rows(plan["values"])}
    assert {name: (row["became"], row["sure"]) for name, row in values.items()} == BECAME
    assert values["companyIndustry SaaS"]["note"]
    assert "1 choice is not exact: check with the user." in plan["summary"]
    without = plan["sizeWithout"]
    assert set(without) == {*plan["config"]["filters"], "exclude.department"}
    assert all(size >= plan["size"] for size in without.values())
    # Five topics and six filters cost less than 1,800 tokens.
    assert (len(large["config"]["topicIds"]), len(large["config"]["filters"])) == (5, 6)
    assert len(json.dumps(large, separators=(",", ":"))) / 4 < 1_800
    assert {"ladder", "recommended", "sizeWithout", *MAKE_UP} <= set(large)
    (message,) = told
    assert re.fullmatch(r"\d topics found; counting people", message or "")
    assert changes(sandbox) == []


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
