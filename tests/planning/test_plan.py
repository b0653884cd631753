"""Plans: a brief in, a config out, with its size and what sways it; never more than is allowed."""

from collections.abc import Callable
from typing import Any

import anyio
import pytest
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.transport import Application
from leadpipe_mcp.errors import KeyRefused, NotPossible, ServiceDown
from leadpipe_mcp.planning.plan import AT_ONCE, MOST_REQUESTS, Brief, Depth, make_plan
from leadpipe_mcp.sandbox import Sandbox
from leadpipe_mcp.sandbox.faults import Fault

pytestmark = pytest.mark.anyio
Start = Callable[..., Sandbox]
Connect = Callable[..., LeadpipeClient]

SOFTWARE = Brief(
    topics=("CRM and marketing automation",),
    about="directors and VPs at software companies, business email",
)
LARGE = Brief(
    topics=("CRM", "marketing automation", "sales enablement", "lead scoring", "marketing ROI"),
    about="directors or VPs in marketing or sales at software or IT services companies,"
    " 51-1000 employees, in California, with business email",
)
PREVIEW = "/v1/intent/audiences/preview"


def previews(sandbox: Sandbox) -> list[Any]:
    return [request.body for request in sandbox.requests if request.path == PREVIEW]


@pytest.mark.parametrize("profile", ["mixed", "flat", "catalog"])
async def test_a_plans_config_created_as_it_stands_has_a_run_of_the_planned_size(
    start: Start, connect: Connect, profile: str
) -> None:
    leadpipe = connect(start(profile=profile))
    plan = await make_plan(leadpipe, SOFTWARE)
    created = await leadpipe.audiences.create("Planned", plan.config)
    await leadpipe.audiences.update(created.id, status="active")
    run = await leadpipe.runs.latest(created.id)

    assert plan.size
    assert (run.state, run.size) == ("ready", plan.size)


@pytest.mark.parametrize("profile", ["mixed", "flat", "catalog"])
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

    async def size(**changed: Any) -> int:  # noqa: ANN401 -- whatever a config holds
        return await leadpipe.configs.size(config.model_copy(update=changed))

    assert list(sized.ladder) == [50, 60, 70, 80, 90]
    assert [*sized.ladder.values()] == [await size(min_score=score) for score in sized.ladder]
    assert sized.ladder[70] == plan.size
    assert set(sized.without_filter) == set(config.filters)
    for key, without in sized.without_filter.items():
        kept = {other: value for other, value in config.filters.items() if other != key}
        assert without == await size(filters=kept)
    for topic, only in plan.only_by_topic.items():
        others = tuple(other for other in config.topic_ids if other != topic)
        assert only == (plan.size or 0) - await size(topic_ids=others)
    assert sized.reachable == {
        key: await size(filters={**config.filters, key: True})
        for key in ("contact.hasPhone", "contact.hasLinkedin")
    }


async def test_a_quick_look_gives_the_size_alone(start: Start, connect: Connect) -> None:
    plan = await make_plan(connect(start()), SOFTWARE, "size")

    assert plan.size
    assert list(plan.sized.ladder) == [70]
    assert not plan.sized.without_filter
    assert plan.sized.not_measured == ()


async def test_a_target_that_the_size_is_in_needs_no_change(start: Start, connect: Connect) -> None:
    leadpipe = connect(start())
    size = (await make_plan(leadpipe, SOFTWARE)).size or 0
    plan = await make_plan(
        leadpipe, Brief(SOFTWARE.topics, about=SOFTWARE.about, target=range(1, size + 1))
    )

    assert plan.advice
    assert plan.advice.change is None
    assert plan.advice.reason == f"That is within 1 to {size:,}."


async def test_a_target_between_two_steps_of_the_ladder_is_approached(
    start: Start, connect: Connect
) -> None:
    leadpipe = connect(start(people=50_000))
    brief = Brief(("Marketing Automation",))
    ladder = (await make_plan(leadpipe, brief)).sized.ladder
    wanted = (ladder[70] + ladder[80]) // 2
    target = range(int(wanted * 0.93), int(wanted * 1.07))
    plan = await make_plan(leadpipe, Brief(brief.topics, target=target))

    assert plan.advice
    change = plan.advice.change
    assert change
    assert change.variation.part == "score"
    assert 70 < (change.variation.config.min_score or 0) < 80
    assert change.size in target
    assert plan.changes[0] == change
    assert "every topic and filter stays" in plan.advice.reason


async def test_what_meddles_least_is_recommended(start: Start, connect: Connect) -> None:
    plan = await make_plan(
        connect(start()), Brief(SOFTWARE.topics, about=SOFTWARE.about, target=range(1, 10**6))
    )
    assert plan.advice
    assert plan.advice.change is None

    more = Brief(LARGE.topics, about=LARGE.about, target=range((plan.size or 0) + 1, 10**6))
    reaching = await make_plan(connect(start()), more)
    parts = [change.variation.part for change in reaching.changes]
    assert parts == sorted(parts, key=("score", "overlap", "topic", "filter").index)


async def test_where_no_single_change_reaches_the_target_the_nearest_is_named(
    start: Start, connect: Connect
) -> None:
    brief = Brief(SOFTWARE.topics, about=SOFTWARE.about, target=range(40_000, 50_001))
    plan = await make_plan(connect(start()), brief)

    assert plan.advice
    assert plan.changes == ()
    assert plan.advice.change
    assert plan.advice.change.size == max(option.size for option in plan.sized.options)
    assert plan.advice.reason.startswith("No single change reaches 40,000 to 50,000.")


async def test_how_many_are_wanted_may_be_said_among_the_words(
    start: Start, connect: Connect
) -> None:
    brief = Brief(("CRM",), about="directors in California, one to three thousand people")
    plan = await make_plan(connect(start()), brief)

    assert plan.target == range(1_000, 3_001)
    assert set(plan.config.filters) == {"role.seniority", "location.states"}


async def test_several_topics_more_than_are_allowed_are_left_out_by_name(
    start: Start, connect: Connect
) -> None:
    phrases = ("CRM, Kubernetes, Payroll, ERP, Billing, Treasury, DevOps, SIEM, Zero Trust",)
    brief = Brief((*phrases, "Onboarding", "Recruiting", "HRIS"))
    flat = await make_plan(connect(start(profile="flat")), brief, "size")
    catalog = await make_plan(connect(start(profile="catalog")), brief, "size")

    assert len(flat.config.topic_ids) == 10
    assert [choice.asked for choice in flat.topics.left_out] == ["Recruiting", "HRIS"]
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
    assert all("likeness" in (choice.note or "") for choice in alone.topics.choices)
    assert alone.config.source_url == url
    assert [choice.asked for choice in both.topics.choices].count(str(named.id)) == 1
    assert both.config.topic_ids.count(named.id) == 1


async def test_ids_are_checked_and_an_unknown_one_is_not_taken(
    start: Start, connect: Connect
) -> None:
    plan = await make_plan(connect(start()), Brief((117805, 5)), "size")

    assert plan.config.topic_ids == (117805,)
    known, unknown = plan.topics.choices
    assert known.topic
    assert known.topic.name == "Marketing ROI"
    assert (unknown.topic, unknown.sure) == (None, "none")


async def test_a_brief_without_any_topic_is_refused_with_the_nearest(
    start: Start, connect: Connect
) -> None:
    with pytest.raises(NotPossible, match=r"No topic was found for 'Kubernettez Finops'.*nearest"):
        await make_plan(connect(start()), Brief(("Kubernettez Finops",)))


async def test_more_overlap_than_topics_is_refused(start: Start, connect: Connect) -> None:
    with pytest.raises(NotPossible, match=r"minTopicOverlap \(3\) is above"):
        await make_plan(connect(start()), Brief(("CRM", "Kubernetes"), overlap=3))


async def test_with_overlap_a_topic_is_left_out_only_where_enough_remain(
    start: Start, connect: Connect
) -> None:
    plan = await make_plan(connect(start()), Brief(("CRM", "Kubernetes"), overlap=2))

    assert plan.only_by_topic == {}
    assert plan.config.min_topic_overlap == 2


@pytest.mark.parametrize("profile", ["mixed", "flat", "catalog"])
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


async def test_a_size_that_cannot_be_had_is_said_and_the_rest_stands(
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
    sandbox.faults.add(Fault("delay", path=PREVIEW, times=None, every=2, delay_ms=10_000))
    with anyio.fail_after(5):
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
