"""Briefs that come to no plan: all that is wrong is said at once, with what would do."""

import pytest

from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.errors import NotPossible, ServiceDown
from leadpipe_mcp.planning.plan import Brief, make_plan
from tests.faults.service import Fault, Sandbox
from tests.planning.service import TopicService, altered, audiences, client_of, topics_of

pytestmark = pytest.mark.anyio
BRIEF = Brief(topics=("CRM",), filters={"seniority": ["director"]})
WIZARD = (
    "'seniority' has no value 'wizard'. seniority takes: entry, senior, manager, director, vp, "
    "c_suite, owner, partner."
)
UNKNOWN_BOTH = (
    "No topic was taken for '5'. There is no topic with this id. No topic was taken for 'zzzyx'. No"
    " topic has this name or a similar one."
)
SUITE = (
    "No topic was taken for 'marketing automatons suite'. No topic has this name or a similar one."
    " The nearest: 'Marketing Automation Software' (600010), 'Marketing Automation' (117890) and"
    " 'Marketing Automation Tools' (600011)."
)
INSURANCE = (
    "No topic was taken for 'insurance'. 2 topics are about it, but none is the subject as a whole."
    " Which one is meant? The largest of those compared: 'Pet Insurance' (2, 1,500 people) and 'Tea"
    " Insurance' (1, 1 person)."
)
AGAIN = "Plan again with ids or other phrases."
TAKEN = "Found: 'CRM' is 600001 and 'Payroll' is 600043."


@pytest.mark.parametrize(
    ("brief", "problem", "advice"),
    [
        (
            Brief((117805, 5)),
            "No topic was taken for '5'. There is no topic with this id.",
            f"Nobody was counted. Found: '117805' is 117805. {AGAIN}",
        ),
        (
            Brief(("marketing automatons suite",)),
            SUITE,
            f"Nobody was counted. {AGAIN}",
        ),
        (
            Brief((5, "zzzyx")),
            UNKNOWN_BOTH,
            f"Nobody was counted. {AGAIN}",
        ),
        (
            Brief(("x" * 100,)),
            f"No topic was taken for '{'x' * 59}…'. No topic has this name or a similar one.",
            f"Nobody was counted. {AGAIN}",
        ),
        (
            Brief(("CRM", "Payroll"), overlap=3),
            "minTopicOverlap (3) is above the number of topics (2).",
            f"Nobody was counted. {TAKEN} {AGAIN}",
        ),
        # What is wrong with the filters is named beside what is wrong with the topics.
        (
            Brief(("CRM", "zzzyx"), overlap=3, filters={"seniority": ["wizard"]}),
            "No topic was taken for 'zzzyx'. No topic has this name or a similar one. " + WIZARD,
            "",
        ),
        (
            Brief(("CRM",), overlap=2, filters={"seniority": ["wizard"]}),
            "minTopicOverlap (2) is above the number of topics (1). " + WIZARD,
            "",
        ),
    ],
)
async def test_a_brief_that_comes_to_no_config_is_refused_with_all_that_is_wrong(
    brief: Brief, problem: str, advice: str, leadpipe: LeadpipeClient
) -> None:
    with pytest.raises(NotPossible) as refused:
        await make_plan(leadpipe, brief, "size")
    assert (refused.value.problem, refused.value.advice) == (problem, advice)


@pytest.mark.parametrize(
    ("brief", "problem"),
    [
        (
            Brief(("insurance",)),
            INSURANCE,
        ),
        (
            Brief(website="https://www.acme.example"),
            "No topic was found for this website, and an audience needs at least one.",
        ),
    ],
)
async def test_a_refusal_counts_those_who_research_what_could_be_meant(
    brief: Brief, problem: str, sandbox: Sandbox
) -> None:
    service = client_of(sandbox)
    service.topics = TopicService(
        all=topics_of("Tea Insurance", "Pet Insurance"),
        compare=audiences({1: 1, 2: 1_500}.__getitem__),
        analyze={"topics": []},
    ).topics
    with pytest.raises(NotPossible) as refused:
        await make_plan(service, brief, "size")
    assert refused.value.problem == problem
    assert refused.value.advice == f"Nobody was counted. {AGAIN}"


async def test_without_the_list_of_filters_or_a_valid_config_there_is_no_plan(
    sandbox: Sandbox, leadpipe: LeadpipeClient
) -> None:
    refused = b'{"data": {"valid": false, "message": "Too many cooks"}}'
    with pytest.raises(NotPossible, match="invalid: Too many cooks"):
        await make_plan(altered(sandbox, "/validate", lambda _: refused), BRIEF)
    sandbox.faults.add(Fault("status", path="/filters", times=None))
    with pytest.raises(ServiceDown):
        await make_plan(leadpipe, BRIEF)
