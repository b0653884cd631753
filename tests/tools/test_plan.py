"""plan_audience: from the user's words to a config, said so that an assistant knows what to do."""

import json
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from mcp import Client

from leadpipe_mcp.sandbox import Sandbox
from leadpipe_mcp.sandbox.faults import Fault
from leadpipe_mcp.settings import Settings

pytestmark = pytest.mark.anyio
Connect = Callable[..., AbstractAsyncContextManager[Client]]
Ask = Callable[..., Awaitable[dict[str, Any]]]
Refused = Callable[..., Awaitable[str]]
WORDS = "directors and VPs at software companies, business email, not agencies, using Salesforce"


def rows(table: dict[str, Any]) -> list[dict[str, Any]]:
    return [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]


@pytest.fixture
def wide(start: Callable[..., Sandbox]) -> Sandbox:
    """A service with enough people for narrow briefs."""
    return start(people=20_000)


@pytest.mark.parametrize("profile", ["mixed", "flat", "catalog"])
async def test_the_config_is_taken_as_it_stands_by_preview_and_create(
    connect: Connect, start: Callable[..., Sandbox], call: Ask, profile: str
) -> None:
    async with connect(start(people=10_000, profile=profile)) as client:
        plan = await call(client, "plan_audience", topics=["CRM, Payroll"], filters=WORDS)
        preview = await call(client, "preview_audience", **plan["config"])
        created = await call(client, "create_audience", name="Planned", config=plan["config"])

    assert plan["size"] == preview["size"] == created["size"] > 0
    assert plan["config"] == preview["config"] == created["config"]
    assert plan["sandbox"] is True


async def test_it_says_for_each_word_what_was_taken_and_how_surely(
    connect: Connect, wide: Sandbox, call: Ask
) -> None:
    async with connect(wide) as client:
        plan = await call(
            client, "plan_audience", topics=["Kubernetes", "marketing ROI"], filters=WORDS
        )

    kubernetes, roi = rows(plan["topics"])
    assert (kubernetes["name"], kubernetes["sure"]) == ("Kubernetes Software", "close")
    assert roi["sure"] == "exact"
    assert {row["asked"] for row in rows(plan["topicAlternatives"])} == {"Kubernetes"}
    assert all(row["people"] for row in rows(plan["topicAlternatives"]))
    filters = {row["key"]: row for row in rows(plan["filters"])}
    assert set(filters) == set(plan["config"]["filters"])
    assert filters["role.seniority"]["asked"] == "directors, VPs"
    assert filters["role.seniority"]["without"] > plan["size"]
    assert [unsaid["asked"] for unsaid in plan["notPossible"]][-1] == "using Salesforce"


async def test_five_topics_and_six_filters_cost_less_than_1800_tokens(
    connect: Connect, wide: Sandbox, call: Ask
) -> None:
    async with connect(wide) as client:
        plan = await call(
            client,
            "plan_audience",
            topics=["CRM", "marketing automation", "sales enablement", "lead scoring", "Payroll"],
            filters="directors or VPs in marketing or sales at software or IT services companies,"
            " 51-1000 employees, in California or Texas, with business email",
            targetSize={"min": 1_000, "max": 3_000},
        )

    assert len(plan["config"]["topicIds"]) == 5
    assert len(plan["config"]["filters"]) == 6
    assert len(json.dumps(plan, separators=(",", ":"))) / 4 < 1_800
    assert {"ladder", "recommended", "reachable", "industries"} <= set(plan)


async def test_a_target_is_answered_with_what_reaches_it(
    connect: Connect, wide: Sandbox, call: Ask
) -> None:
    async with connect(wide) as client:
        asked = {"topics": ["marketing automation"], "filters": "directors at software companies"}
        plan = await call(client, "plan_audience", **asked)
        ladder = plan["ladder"]
        target = {"min": ladder["60"], "max": ladder["60"]}
        aimed = await call(client, "plan_audience", **asked, targetSize=target)

    assert aimed["size"] == plan["size"]
    assert aimed["config"] == plan["config"]
    assert aimed["changes"]["minScore 60"] == ladder["60"]
    assert aimed["recommended"] == {
        "change": "minScore 60",
        "size": ladder["60"],
        "config": plan["config"] | {"minScore": 60},
    }
    assert f"With minScore 60 there would be {ladder['60']:,}" in aimed["summary"]


async def test_a_quick_look_asks_little(connect: Connect, wide: Sandbox, call: Ask) -> None:
    async with connect(wide) as client:
        asked = {"topics": ["CRM", "Payroll", "ERP"], "filters": WORDS, "depth": "size"}
        plan = await call(client, "plan_audience", **asked)

    assert len(wide.requests) <= 10
    assert plan["size"]
    assert not {"ladder", "reachable", "notMeasured"} & set(plan)


async def test_a_list_of_wishes_an_id_and_a_slip_are_understood(
    connect: Connect, wide: Sandbox, call: Ask
) -> None:
    async with connect(wide) as client:
        plan = await call(
            client,
            "plan_audience",
            topics=["117805", 117890],
            filters=["directors", "in California"],
            targetSize='{"min": "1"}',
            depth="SIZE",
        )

    assert plan["config"]["topicIds"] == [117805, 117890]
    assert set(plan["config"]["filters"]) == {"role.seniority", "location.states"}
    assert plan["target"] == "1 or more"


async def test_what_could_not_be_measured_is_said(
    connect: Connect, wide: Sandbox, call: Ask
) -> None:
    wide.faults.add(Fault("status", path="/preview", times=None, status=503))
    async with connect(wide) as client:
        plan = await call(client, "plan_audience", topics=["CRM"], filters=WORDS)

    assert "size" not in plan
    assert plan["summary"].startswith("How many people match could not be measured just now.")
    assert plan["notMeasured"][0] == "the size as asked"
    assert any("status 503" in warning for warning in plan["warnings"])


async def test_a_careful_colleague_points_out_what_is_odd(
    connect: Connect, start: Callable[..., Sandbox], call: Ask
) -> None:
    # The service's clock stands in May.
    async with connect(start(people=20_000)) as client:
        plan = await call(
            client,
            "plan_audience",
            topics=["marketing automation", "zzzyx"],
            filters="owners in Wyoming",
        )

    warned = " ".join(plan["warnings"])
    assert "No topic for 'zzzyx': it is not in the config." in warned
    assert "alone removes" in warned
    assert "days old" in warned
    assert "Nobody matches." in warned or "small for outreach" in warned


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({}, "Name topics, a website, or both"),
        ({"topics": ["CRM"], "targetSize": {}}, "targetSize needs min, max or both."),
        ({"topics": ["CRM"], "targetSize": {"min": 5, "max": 2}}, "targetSize.min (5) is above"),
        ({"topics": ["CRM"], "filters": {"seniority": ["vp"]}}, "'filters' must be a text"),
        ({"topics": ["CRM"], "minTopicOverlap": 2}, "minTopicOverlap (2) is above"),
        ({"website": "http://10.0.0.1"}, "only public websites"),
        ({"topics": ["zzzyx"]}, "No topic was found for 'zzzyx'"),
        ({"topics": [f"topic {number}" for number in range(11)]}, "'topics' takes at most 10"),
        ({"topics": ["CRM"], "filter": "VPs"}, "filters"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    client: Client, refused: Refused, arguments: dict[str, Any], says: str
) -> None:
    assert says in await refused(client, "plan_audience", **arguments)


async def test_nothing_is_created(
    connect: Connect, wide: Sandbox, call: Ask, changes: Callable[[Sandbox], list[str]]
) -> None:
    async with connect(wide) as client:
        await call(client, "plan_audience", topics=["CRM"], website="www.acme-payroll.example")

    assert changes(wide) == []


async def test_progress_is_told(connect: Connect, wide: Sandbox) -> None:
    told: list[str | None] = []

    async def listen(progress: float, total: float | None, message: str | None) -> None:
        told.append(message)

    async with connect(wide) as client:
        await client.call_tool("plan_audience", {"topics": ["CRM"]}, progress_callback=listen)

    assert told == ["1 topic found; counting people"]


async def test_what_the_server_does_not_offer_is_not_suggested(
    connect: Connect, wide: Sandbox, call: Ask
) -> None:
    async with connect(wide, settings=Settings(sandbox=True, read_only=True)) as client:
        plan = await call(client, "plan_audience", topics=["CRM"])

    assert [step["tool"] for step in plan["next"]] == ["preview_audience"]
