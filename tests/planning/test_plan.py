"""Plans: a brief in, a config out, with its size; never more requests than are allowed."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import anyio
import pytest
from starlette.types import Receive, Scope, Send

from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.models import AudienceConfig
from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.planning.plan import AT_ONCE, MOST_REQUESTS, Brief, Depth, cautions, make_plan
from tests.faults.service import Fault, Sandbox
from tests.planning.service import (
    altered,
    client_of,
    planning_with,
    start,
)

pytestmark = pytest.mark.anyio
TODAY = dt.date(2026, 5, 5)
SOFTWARE = Brief(
    topics=("CRM", "Marketing Automation"),
    filters={
        "seniority": ["director", "vp"],
        "companyIndustry": ["software development"],
        "hasBusinessEmail": True,
    },
)
LARGE = Brief(
    topics=("CRM", "Marketing Automation", "Sales Enablement", "Lead Scoring Tools", 117805),
    filters={
        "seniority": ["director", "vp"],
        "department": ["marketing", "sales"],
        "companyIndustry": ["software development", "information technology and services"],
        "companySize": ["51-1000"],
        "state": ["california"],
        "hasBusinessEmail": True,
    },
)
PREVIEW = "/v1/intent/audiences/preview"


def previews(sandbox: Sandbox) -> list[Any]:
    return [request.body for request in sandbox.requests if request.path == PREVIEW]


async def size(leadpipe: LeadpipeClient, config: AudienceConfig, **changed: Any) -> int:  # noqa: ANN401
    """What a preview says of the config with a change in it."""
    changed_config = config.model_copy(update=changed)
    return await leadpipe.configs.size(await leadpipe.configs.spell(changed_config))


@pytest.mark.parametrize("profile", ["flat", "catalog"])
async def test_an_audience_created_from_a_plan_has_the_planned_size(profile: str) -> None:
    leadpipe = planning_with(start(profile=profile))
    plan = await make_plan(leadpipe, SOFTWARE)
    created = await leadpipe.audiences.create("Planned", plan.spelled)
    await leadpipe.audiences.update(created.id, status="active")
    run = await leadpipe.runs.latest(created.id)
    assert plan.size
    assert (run.state, run.size) == ("ready", plan.size)


async def test_a_plan_makes_no_more_requests_than_it_may_and_asks_for_no_config_twice(
    sandbox: Sandbox,
) -> None:
    leadpipe = client_of(sandbox)
    depths: Mapping[Depth, list[int]] = {"full": [50, 60, 70, 80, 90], "size": [70]}
    for depth, ladder in depths.items():
        sandbox.requests.clear()
        plan = await make_plan(leadpipe, LARGE, depth)

        assert plan.requests == len(sandbox.requests) <= MOST_REQUESTS[depth]
        asked = previews(sandbox)
        assert all(body not in asked[:number] for number, body in enumerate(asked))
        assert plan.size
        assert plan.sized.not_measured == []
        # A quick look gives the size alone.
        assert list(plan.sized.ladder) == ladder
    # Of more than can be asked for, the rest is said not to be measured.
    widest = replace(
        LARGE,
        filters={**LARGE.filters, "companySize": ["50-900"], "companyRevenueRange": ["$2M-$60M"]},
        exclude={"jobTitle": ["assistant"], "ageRange": ["18-24"]},
        target=range(10**6, 10**7),
    )
    plan = await make_plan(leadpipe, widest)
    assert plan.requests <= MOST_REQUESTS["full"]
    assert plan.size is not None
    # Two changes together are only tried, and so not missed.
    assert plan.sized.not_measured == [
        *("without 'Lead Scoring Tools' (102284)", "without 'Marketing ROI' (117805)"),
        *("those with hasPhone", "those with hasLinkedin"),
    ]


async def test_no_more_than_six_requests_are_made_at_once(sandbox: Sandbox) -> None:
    at_once: list[int] = [0]
    now = 0

    async def counted(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal now
        now += 1
        at_once.append(now)
        await anyio.sleep(0.1)
        await sandbox(scope, receive, send)
        now -= 1

    await make_plan(planning_with(counted), LARGE)
    assert max(at_once) == 6
    assert MOST_REQUESTS == {"full": 24, "size": 10}


async def test_what_is_said_of_a_size_is_what_a_preview_says(leadpipe: LeadpipeClient) -> None:
    excluding = replace(SOFTWARE, exclude={"department": ["sales"], "state": ["CA", "TX"]})
    plan = await make_plan(leadpipe, excluding)
    config, sized = plan.config, plan.sized
    for score, people in sized.ladder.items():
        assert people == await size(leadpipe, config, min_score=score)
    excluded = {f"exclude.{key}": ("exclude", key) for key in config.exclude}
    places = {key: ("filters", key) for key in config.filters} | excluded
    assert sized.sizes("filter").keys() == places.keys()
    for name, (part, key) in places.items():
        held = getattr(config, part)
        kept = {other: value for other, value in held.items() if other != key}
        without = await size(leadpipe, config, **{part: kept})
        assert sized.sizes("filter")[name] == without > (plan.size or 0)
    for topic, only in plan.unique_people.items():
        others = tuple(other for other in config.topic_ids if other != topic)
        assert only == (plan.size or 0) - await size(leadpipe, config, topic_ids=others)
    assert sized.sizes("contact") == {
        key: await size(leadpipe, config, filters={**config.filters, key: True})
        for key in ("hasPhone", "hasLinkedin")
    }


async def test_those_whose_value_is_not_known_are_counted_where_others_are_left_out() -> None:
    sandbox = start(profile="flat")
    # Retailers are there, but not in the catalogue: their industry has no known value.
    unlisted = altered(sandbox, "/filters", lambda body: body.replace(b'"retail",', b""))
    excluding = Brief(("CRM",), exclude={"companyIndustry": ["software development"]})
    plan = await make_plan(unlisted, excluding)
    retailers = {"companyIndustry": ["retail"]}
    listed = planning_with(sandbox)
    unknown = await size(listed, plan.config, filters=retailers, exclude={})
    known = await make_plan(listed, excluding)
    assert plan.sized.unknown == {"companyIndustry": unknown}
    assert unknown > 0
    assert (
        f"exclude.companyIndustry also leaves out {unknown} people whose companyIndustry is not"
        " known."
    ) in cautions(plan, TODAY)
    assert known.sized.unknown == {"companyIndustry": 0}
    assert "not known" not in " ".join(cautions(known, TODAY))


async def test_what_a_range_cuts_is_named_with_what_it_would_add(leadpipe: LeadpipeClient) -> None:
    brief = Brief(("CRM",), filters={"companySize": {"min": 50, "max": 200}})
    plan = await make_plan(leadpipe, brief)
    wider = [{"companySize": ["51 to 100", value]} for value in ("11 to 50", "101 to 250")]
    fewer, more = [await size(leadpipe, plan.config, filters=filters) for filters in wider]
    assert plan.config.filters == {"companySize": ["51 to 100"]}
    assert (
        "companySize '11 to 50', '101 to 250' are only partly within 50 to 200, so left out."
        f" With '11 to 50' there would be {fewer:,}; with '101 to 250' there would be {more:,}."
    ) in cautions(plan, TODAY)


async def test_a_target_between_two_steps_of_the_ladder_is_approached() -> None:
    leadpipe = planning_with(start(people=20_000))
    brief = Brief(("Marketing Automation",))
    ladder = (await make_plan(leadpipe, brief)).sized.ladder
    wanted = (ladder[70] + ladder[80]) // 2
    target = range(int(wanted * 0.93), int(wanted * 1.07))
    plan = await make_plan(leadpipe, replace(brief, target=target))
    assert plan.advice
    change = plan.advice.change
    assert change
    assert plan.sized.measured[change] in target
    assert change.thing == "score"
    assert 70 < (change.config.min_score or 0) < 80
    assert next(iter(plan.changes)) == change


async def test_more_topics_than_allowed_are_left_out_by_name_and_an_unknown_id_is_refused() -> None:
    sandbox = start(profile="flat")
    leadpipe = planning_with(sandbox)
    names = ("CRM", "Payroll", "ERP", "DevOps", "Chatbots", "Live Chat", "Machine Learning")
    more = ("Sales Enablement", "Brand Strategy", "Demand Generation", "Meal Kit Delivery")
    plan = await make_plan(leadpipe, Brief((*names, *more)), "size")
    assert len(plan.config.topic_ids) == 10
    assert [c.asked for c in plan.topics.left_out] == ["Meal Kit Delivery"]
    sandbox.requests.clear()
    with pytest.raises(NotPossible, match=r"'5'.*Nobody was counted\. Found: '117805' is 117805\."):
        await make_plan(leadpipe, Brief((117805, 5)))
    assert previews(sandbox) == []


async def test_a_website_adds_topics_that_are_not_named_already_and_costs_no_others(
    leadpipe: LeadpipeClient,
) -> None:
    url = "https://www.payroll-onboarding.example"
    alone = await make_plan(leadpipe, Brief(website=url), "size")
    named = alone.topics.topics[0]
    both = await make_plan(leadpipe, Brief((named.id,), website=url), "size")
    assert 1 < len(alone.topics.topics) <= 5
    assert all("similarity" in (choice.note or "") for choice in alone.topics.choices)
    assert alone.config.source_url == url
    assert [choice.asked for choice in both.topics.choices].count(str(named.id)) == 1
    assert both.config.topic_ids.count(named.id) == 1
    assert both.config.source_url == url
    unread = Brief(("CRM Software",), website="https://nobody.invalid")
    plan = await make_plan(leadpipe, unread, "size")
    assert [topic.name for topic in plan.topics.topics] == ["CRM Software"]
    assert (bool(plan.topics.problems), plan.config.source_url) == (True, None)


async def test_after_the_service_asks_for_a_pause_nothing_more_is_asked() -> None:
    sandbox = start(delay_ms=1)
    sandbox.faults.add(
        Fault("status", path=PREVIEW, times=None, every=7, status=429, retry_after=60)
    )
    plan = await make_plan(planning_with(sandbox), LARGE)
    assert plan.size
    assert len(previews(sandbox)) < 7 + AT_ONCE
    assert "those with hasPhone" in plan.sized.not_measured
    assert "429" in plan.sized.problems[0]


async def test_a_size_that_cannot_be_measured_is_named_and_the_rest_is_given() -> None:
    for path, status in ((PREVIEW, 500), ("/validate", 422)):
        sandbox = start()
        sandbox.faults.add(Fault("status", path=path, times=None, status=status, message="Odd"))
        plan = await make_plan(planning_with(sandbox), SOFTWARE)

        assert plan.size is None
        assert plan.sized.not_measured[0] == "the size as asked"
        assert plan.sized.problems[0].endswith(f"with status {status}: Odd.")


async def test_a_slow_service_is_not_waited_for_without_end(
    monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, leadpipe: LeadpipeClient
) -> None:
    monkeypatch.setattr("leadpipe_mcp.planning.plan.PATIENCE_SECONDS", 0.05)
    sandbox.faults.add(Fault("delay", path=PREVIEW, times=None, every=2, delay_ms=600_000))
    with anyio.fail_after(120):
        plan = await make_plan(leadpipe, SOFTWARE)
    assert plan.config.topic_ids
    assert plan.sized.not_measured


async def test_the_config_holds_what_the_brief_says(leadpipe: LeadpipeClient) -> None:
    brief = Brief(
        (600001, 600043), min_score=55, overlap=2, exclude={"seniority": ["owner"]}, filters={}
    )
    plan = await make_plan(leadpipe, brief, "size")
    config = plan.config
    assert (config.topic_ids, config.min_score) == ((600001, 600043), 55)
    assert (config.min_topic_overlap, config.source_url) == (2, None)
    assert (config.filters, config.exclude) == ({}, {"seniority": ["owner"]})
    # The newer API counts scores from 50.
    from_20 = await make_plan(leadpipe, replace(brief, min_score=20), "size")
    assert from_20.config == config.model_copy(update={"min_score": 50})


async def test_the_topics_that_were_found_are_counted_before_anybody_is(
    leadpipe: LeadpipeClient,
) -> None:
    said: list[str] = []

    async def report(message: str) -> None:
        said.append(message)

    for phrases in (("CRM",), ("CRM", "Payroll")):
        await make_plan(leadpipe, Brief(phrases), "size", report)
    assert said == ["1 topic found; counting people", "2 topics found; counting people"]
