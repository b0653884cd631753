"""Plans: a brief in, a config out, with its size; never more requests than are allowed."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import anyio
import pytest
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from leadpipe_mcp.api.in_process import Application
from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.models import AudienceConfig
from leadpipe_mcp.errors import KeyRefused, NotPossible, ServiceDown
from leadpipe_mcp.planning.cautions import cautions
from leadpipe_mcp.planning.plan import AT_ONCE, MOST_REQUESTS, Brief, Depth, make_plan
from tests.faults.service import Fault, Sandbox

pytestmark = pytest.mark.anyio
Start = Callable[..., Sandbox]
Connect = Callable[..., LeadpipeClient]

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


def aimed(brief: Brief, low: int, high: int) -> Brief:
    return replace(brief, target=range(low, high + 1))


async def size(leadpipe: LeadpipeClient, config: AudienceConfig, **changed: Any) -> int:  # noqa: ANN401
    """What a preview says of the config with a change in it."""
    changed_config = config.model_copy(update=changed)
    return await leadpipe.configs.size(await leadpipe.configs.spell(changed_config))


@pytest.mark.parametrize("profile", ["flat", "catalog"])
async def test_an_audience_created_from_a_plan_has_the_planned_size(
    start: Start, connect: Connect, profile: str
) -> None:
    leadpipe = connect(start(profile=profile))
    plan = await make_plan(leadpipe, SOFTWARE)
    created = await leadpipe.audiences.create("Planned", plan.spelled)
    await leadpipe.audiences.update(created.id, status="active")
    run = await leadpipe.runs.latest(created.id)

    assert plan.size
    assert (run.state, run.size) == ("ready", plan.size)


@pytest.mark.parametrize("profile", ["flat", "catalog"])
@pytest.mark.parametrize("depth", ["full", "size"])
async def test_a_plan_makes_no_more_requests_than_it_may_and_asks_for_no_config_twice(
    start: Start, connect: Connect, depth: Depth, profile: str
) -> None:
    sandbox = start(profile=profile)
    plan = await make_plan(connect(sandbox), LARGE, depth)

    assert plan.requests == len(sandbox.requests) <= MOST_REQUESTS[depth]
    asked = previews(sandbox)
    assert all(body not in asked[:number] for number, body in enumerate(asked))
    assert plan.sized.not_measured == ()


async def test_of_more_than_can_be_asked_for_the_rest_is_said_not_to_be_measured(
    start: Start, connect: Connect
) -> None:
    sandbox = start()
    widest = replace(
        LARGE,
        filters={**LARGE.filters, "companySize": ["50-900"], "companyRevenueRange": ["$2M-$60M"]},
        exclude={"jobTitle": ["assistant"], "ageRange": ["18-24"]},
        target=range(10**6, 10**7),
    )
    plan = await make_plan(connect(sandbox), widest)

    assert plan.requests == len(sandbox.requests) <= MOST_REQUESTS["full"]
    assert plan.size is not None
    assert plan.sized.not_measured


async def test_no_more_than_six_requests_are_under_way_at_a_time(
    start: Start, connect: Connect
) -> None:
    sandbox, under_way = start(delay_ms=2), [0]

    async def counting(scope: Scope, receive: Receive, send: Send) -> None:
        under_way.append(under_way[-1] + 1)
        await sandbox(scope, receive, send)
        under_way.append(under_way[-1] - 1)

    await make_plan(connect(counting), LARGE)

    assert max(under_way) == AT_ONCE


async def test_what_is_said_of_a_size_is_what_a_preview_says(
    start: Start, connect: Connect
) -> None:
    leadpipe = connect(start())
    plan = await make_plan(leadpipe, LARGE)
    config, sized = plan.config, plan.sized

    assert list(sized.ladder) == [50, 60, 70, 80, 90]
    assert [*sized.ladder.values()] == [
        await size(leadpipe, config, min_score=score) for score in sized.ladder
    ]
    assert sized.ladder[70] == plan.size
    assert set(sized.without_filter) == set(config.filters)
    for key, without in sized.without_filter.items():
        kept = {other: value for other, value in config.filters.items() if other != key}
        assert without == await size(leadpipe, config, filters=kept)
    for topic, only in plan.unique_people.items():
        others = tuple(other for other in config.topic_ids if other != topic)
        assert only == (plan.size or 0) - await size(leadpipe, config, topic_ids=others)
    assert sized.reachable == {
        key: await size(leadpipe, config, filters={**config.filters, key: True})
        for key in ("hasPhone", "hasLinkedin")
    }


async def test_what_is_left_out_is_weighed_as_well(start: Start, connect: Connect) -> None:
    leadpipe = connect(start())
    excluding = replace(SOFTWARE, exclude={"department": ["sales"], "state": ["CA", "TX"]})
    plan = await make_plan(leadpipe, excluding)

    assert set(plan.sized.without_filter) == {
        *SOFTWARE.filters,
        "exclude.department",
        "exclude.state",
    }
    for key in ("department", "state"):
        kept = {other: value for other, value in plan.config.exclude.items() if other != key}
        without = await size(leadpipe, plan.config, exclude=kept)
        assert plan.sized.without_filter[f"exclude.{key}"] == without > (plan.size or 0)


async def test_those_whose_value_is_not_known_are_counted_where_others_are_left_out(
    start: Start, connect: Connect, without_value: Callable[..., Application]
) -> None:
    sandbox = start()
    # Retailers are there, but not in the catalogue: their industry has no known value.
    leadpipe = connect(without_value(sandbox, "retail"))
    excluding = Brief(("CRM",), exclude={"companyIndustry": ["software development"]})
    plan = await make_plan(leadpipe, excluding)
    retailers = {"companyIndustry": ["retail"]}
    unknown = await size(connect(sandbox), plan.config, filters=retailers, exclude={})

    assert plan.sized.unknown == {"companyIndustry": unknown}
    assert unknown > 0
    assert (
        f"exclude.companyIndustry also leaves out {unknown} people whose companyIndustry is not"
        " known."
    ) in cautions(plan, dt.date(2026, 5, 5))


async def test_where_every_value_is_known_an_exclusion_needs_no_caution(
    start: Start, connect: Connect
) -> None:
    excluding = Brief(("CRM",), exclude={"companyIndustry": ["software development"]})
    plan = await make_plan(connect(start()), excluding)

    assert plan.sized.unknown == {"companyIndustry": 0}
    assert "not known" not in " ".join(cautions(plan, dt.date(2026, 5, 5)))


async def test_what_a_range_cuts_is_named_with_what_it_would_add(
    start: Start, connect: Connect
) -> None:
    leadpipe = connect(start())
    plan = await make_plan(
        leadpipe, Brief(("CRM",), filters={"companySize": {"min": 50, "max": 200}})
    )
    with_cut = {
        value: await size(leadpipe, plan.config, filters={"companySize": ["51 to 100", value]})
        for value in ("11 to 50", "101 to 250")
    }

    assert plan.config.filters == {"companySize": ["51 to 100"]}
    assert plan.sized.with_cut == {f"companySize {value}": n for value, n in with_cut.items()}
    assert (
        "companySize '11 to 50', '101 to 250' are only partly within 50 to 200, so left out."
        f" With '11 to 50' there would be {with_cut['11 to 50']:,};"
        f" with '101 to 250' there would be {with_cut['101 to 250']:,}."
    ) in cautions(plan, dt.date(2026, 5, 5))


async def test_a_quick_look_gives_the_size_alone(start: Start, connect: Connect) -> None:
    plan = await make_plan(connect(start()), SOFTWARE, "size")

    assert plan.size
    assert list(plan.sized.ladder) == [70]
    assert not plan.sized.without_filter
    assert plan.sized.not_measured == ()


async def test_a_target_that_the_size_is_in_needs_no_change(start: Start, connect: Connect) -> None:
    leadpipe = connect(start())
    there = (await make_plan(leadpipe, SOFTWARE)).size or 0
    plan = await make_plan(leadpipe, aimed(SOFTWARE, 1, there))

    assert plan.advice
    assert plan.advice.change is None
    assert plan.advice.reason == f"That is within 1 to {there:,}."


async def test_a_target_between_two_steps_of_the_ladder_is_approached(
    start: Start, connect: Connect
) -> None:
    leadpipe = connect(start(people=50_000))
    brief = Brief(("Marketing Automation",))
    ladder = (await make_plan(leadpipe, brief)).sized.ladder
    wanted = (ladder[70] + ladder[80]) // 2
    plan = await make_plan(leadpipe, aimed(brief, int(wanted * 0.93), int(wanted * 1.07)))

    assert plan.advice
    change = plan.advice.change
    assert change
    assert change.variation.thing == "score"
    assert 70 < (change.variation.config.min_score or 0) < 80
    assert plan.changes[0] == change
    assert "every topic and filter stays" in plan.advice.reason


async def test_the_least_intrusive_change_is_recommended(start: Start, connect: Connect) -> None:
    there = (await make_plan(connect(start()), SOFTWARE, "size")).size or 0
    reaching = await make_plan(connect(start()), aimed(SOFTWARE, there + 1, 10**6))

    parts = [change.variation.thing for change in reaching.changes]
    assert len(set(parts)) > 1
    assert parts == sorted(parts, key=("score", "overlap", "topic", "filter").index)


async def test_two_changes_together_reach_what_no_single_one_does(
    start: Start, connect: Connect
) -> None:
    sandbox = start()
    brief = Brief(
        ("CRM",),
        filters={"seniority": ["director", "vp"], "companyIndustry": ["software development"]},
    )
    everybody = (await make_plan(connect(sandbox), Brief(("CRM",)), "size")).size or 0
    sandbox.requests.clear()
    plan = await make_plan(connect(sandbox), aimed(brief, everybody - 5, everybody + 5))

    assert plan.requests <= MOST_REQUESTS["full"]
    assert plan.advice
    assert plan.advice.change == plan.changes[0]
    (change,) = plan.changes
    assert change.variation.thing == "pair"
    assert change.variation.words == "without seniority and without companyIndustry"
    assert change.variation.config.filters == {}
    assert change.size == everybody


async def test_where_no_change_reaches_the_target_the_nearest_is_named(
    start: Start, connect: Connect
) -> None:
    plan = await make_plan(connect(start()), aimed(SOFTWARE, 40_000, 50_000))

    assert plan.advice
    assert plan.changes == ()
    assert plan.advice.change
    assert plan.advice.change.size == max(option.size for option in plan.sized.options)
    assert plan.advice.reason.startswith(
        "No change, nor any two together, reaches 40,000 to 50,000."
    )


async def test_more_topics_than_are_allowed_are_left_out_by_name(
    start: Start, connect: Connect
) -> None:
    names = ("CRM", "Payroll", "ERP", "DevOps", "Chatbots", "Live Chat", "Machine Learning")
    more = ("Sales Enablement", "Brand Strategy", "Demand Generation", "Meal Kit Delivery")
    brief = Brief((*names, *more, "Investing Apps"))
    flat = await make_plan(connect(start(profile="flat")), brief, "size")
    catalog = await make_plan(connect(start(profile="catalog")), brief, "size")

    assert len(flat.config.topic_ids) == 10
    assert [choice.asked for choice in flat.topics.left_out] == [
        "Meal Kit Delivery",
        "Investing Apps",
    ]
    assert len(catalog.config.topic_ids) == 12


async def test_a_website_adds_topics_that_are_not_named_already(
    start: Start, connect: Connect
) -> None:
    leadpipe = connect(start())
    url = "https://www.payroll-onboarding.example"
    alone = await make_plan(leadpipe, Brief(website=url), "size")
    named = alone.topics.topics[0]
    both = await make_plan(leadpipe, Brief((named.id,), website=url), "size")

    assert 1 < len(alone.topics.topics) <= 5
    assert all("similarity" in (choice.note or "") for choice in alone.topics.choices)
    assert alone.config.source_url == url
    assert [choice.asked for choice in both.topics.choices].count(str(named.id)) == 1
    assert both.config.topic_ids.count(named.id) == 1


@pytest.mark.parametrize("profile", ["flat", "catalog"])
async def test_all_that_fits_nothing_is_said_at_once_and_nobody_is_counted(
    start: Start, connect: Connect, profile: str
) -> None:
    sandbox = start(profile=profile)
    wrong = Brief(
        ("CRM", "Kubernettez Finops", 5),
        filters={"seniority": ["vp", "wizard"], "income": ["high"], "hasPhone": True},
        exclude={"department": ["alchemy"], "companyName": ["Acme"]},
    )
    with pytest.raises(NotPossible) as refusal:
        await make_plan(connect(sandbox), wrong)

    for problem in (
        "'Kubernettez Finops'",
        "'5'",
        "'seniority' has no value 'wizard'.",
        "There is no filter 'income'.",
        "'exclude.department' has no value 'alchemy'.",
        "'exclude.companyName' cannot be applied",
        "seniority takes: entry, senior, manager,",
        "department takes: marketing, sales,",
    ):
        assert problem in str(refusal.value)
    assert previews(sandbox) == []
    assert [r.path for r in sandbox.requests if r.path.endswith("/validate")] == []


async def test_an_unknown_topic_is_refused_with_what_was_found_for_the_others(
    start: Start, connect: Connect
) -> None:
    sandbox = start()
    with pytest.raises(NotPossible, match=r"'5'.* Nobody was counted.*'117805' is 117805"):
        await make_plan(connect(sandbox), Brief((117805, 5)))
    with pytest.raises(NotPossible, match=r"'Kubernettez Finops'.* [Nn]earest"):
        await make_plan(connect(sandbox), Brief(("Kubernettez Finops",)))
    assert previews(sandbox) == []


async def test_more_overlap_than_topics_is_refused(start: Start, connect: Connect) -> None:
    with pytest.raises(NotPossible, match=r"minTopicOverlap \(3\) is above"):
        await make_plan(connect(start()), Brief(("CRM", "Kubernetes"), overlap=3))


async def test_where_a_person_must_research_several_topics_none_brings_people_of_its_own(
    start: Start, connect: Connect
) -> None:
    leadpipe = connect(start())
    topics = ("CRM", "Marketing Automation", "Sales Enablement")
    alone = await make_plan(leadpipe, Brief(topics))
    several = await make_plan(leadpipe, Brief(topics, overlap=2))
    all_of_them = await make_plan(leadpipe, Brief(topics, overlap=3))

    assert set(alone.unique_people) == set(alone.config.topic_ids)
    assert several.unique_people == all_of_them.unique_people == {}
    assert several.config.min_topic_overlap == 2
    # A topic is left out only where enough of them remain.
    assert set(several.sized.without_topic) == set(several.config.topic_ids)
    assert all_of_them.sized.without_topic == {}


@pytest.mark.parametrize("profile", ["flat", "catalog"])
async def test_with_every_third_request_failing_the_plan_comes_and_says_what_is_missing(
    start: Start, connect: Connect, profile: str
) -> None:
    sandbox = start(profile=profile)
    sandbox.faults.add(Fault("status", times=None, every=3, status=503))
    plan = await make_plan(connect(sandbox), LARGE)

    assert len(sandbox.requests) <= MOST_REQUESTS["full"]
    assert plan.size
    assert len(plan.config.filters) == 6
    assert len(plan.config.topic_ids) == 5
    measured = [*plan.sized.options, *plan.sized.reachable]
    assert len(plan.sized.not_measured) + len(measured) == 4 + 6 + 5 + 2
    if plan.sized.not_measured:
        assert plan.sized.problems == ("The service failed with status 503: Something went wrong.",)


async def test_after_the_service_asks_for_a_pause_nothing_more_is_asked(
    start: Start, connect: Connect
) -> None:
    sandbox = start(delay_ms=1)
    sandbox.faults.add(
        Fault("status", path=PREVIEW, times=None, every=7, status=429, retry_after=60)
    )
    plan = await make_plan(connect(sandbox), LARGE)

    assert plan.size
    assert len(previews(sandbox)) < 7 + AT_ONCE
    assert plan.sized.not_measured
    assert "429" in plan.sized.problems[0]


async def test_a_size_that_cannot_be_measured_is_named_and_the_rest_is_given(
    start: Start, connect: Connect
) -> None:
    sandbox = start()
    sandbox.faults.add(Fault("status", path=PREVIEW, times=None, status=500))
    plan = await make_plan(connect(sandbox), SOFTWARE)

    assert plan.size is None
    assert plan.sized.not_measured[0] == "the size as asked"
    assert plan.config.topic_ids
    assert plan.advice is None


async def test_a_slow_service_is_not_waited_for_without_end(
    start: Start, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leadpipe_mcp.planning.plan.PATIENCE_SECONDS", 0.05)
    sandbox = start()
    sandbox.faults.add(Fault("delay", path=PREVIEW, times=None, every=2, delay_ms=600_000))
    with anyio.fail_after(120):
        plan = await make_plan(connect(sandbox), SOFTWARE)

    assert plan.config.topic_ids
    assert plan.sized.not_measured


async def test_without_the_list_of_filters_there_is_no_plan(start: Start, connect: Connect) -> None:
    sandbox = start()
    sandbox.faults.add(Fault("status", path="/filters", times=None, status=500))
    with pytest.raises(ServiceDown):
        await make_plan(connect(sandbox), SOFTWARE)


async def test_a_wrong_key_is_said_as_such(start: Start, connect: Connect) -> None:
    sandbox = start()
    sandbox.faults.add(Fault("status", path="/filters", times=None, status=401))
    with pytest.raises(KeyRefused):
        await make_plan(connect(sandbox), SOFTWARE)
    assert len([r for r in sandbox.requests if r.path.endswith("/filters")]) == 1


async def test_without_the_catalogue_the_services_own_search_finds_the_topics(
    start: Start, connect: Connect
) -> None:
    sandbox = start()
    sandbox.faults.add(Fault("status", method="GET", path="/intent/topics", times=3, status=500))
    plan = await make_plan(connect(sandbox), Brief(("CRM Software", "Marketing Automation")))

    assert [topic.name for topic in plan.topics.topics] == ["CRM Software", "Marketing Automation"]


async def test_a_website_that_cannot_be_read_costs_only_its_topics(
    start: Start, connect: Connect
) -> None:
    brief = Brief(("CRM Software",), website="https://nobody.invalid")
    plan = await make_plan(connect(start()), brief, "size")

    assert [topic.name for topic in plan.topics.topics] == ["CRM Software"]
    assert plan.topics.problems
    assert plan.config.source_url is None


async def test_a_config_that_the_service_does_not_take_is_said_with_its_reason(
    start: Start, connect: Connect
) -> None:
    sandbox = start()
    sandbox.faults.add(Fault("status", path="/validate", times=None, status=422, message="Odd"))
    plan = await make_plan(connect(sandbox), SOFTWARE)

    assert plan.size is None
    assert plan.sized.problems == ("The service refused with status 422: Odd.",)


async def test_a_config_that_the_service_calls_invalid_is_no_plan(
    start: Start, connect: Connect
) -> None:
    with pytest.raises(NotPossible, match="invalid: Too many cooks"):
        await make_plan(connect(_invalid(start())), SOFTWARE)


def _invalid(service: Sandbox) -> Application:
    """The service, which finds every config invalid."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].endswith("/validate"):
            response = JSONResponse({"data": {"valid": False, "message": "Too many cooks"}})
            await response(scope, receive, send)
        else:
            await service(scope, receive, send)

    return answer
