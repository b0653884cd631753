"""How the facts about people hang together, and what it does to the size of an audience."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import httpx
import pytest

from leadpipe_mcp.sandbox import SandboxSettings
from tests.faults.service import Sandbox

pytestmark = pytest.mark.anyio
Start = Callable[[SandboxSettings], Sandbox]
Connect = Callable[..., httpx.AsyncClient]
Filters = dict[str, Any]

CRM_SOFTWARE, CRM_INTEGRATION = 102_081, 102_082
MARKETING_AUTOMATION, MARKETING_PLATFORM, MARKETING_ROI = 117_890, 117_883, 117_805
DEMAND_GENERATION_BENCHMARKS, RETIREMENT_REVIEWS = 117_918, 503_402
# A topic that interests nearly everybody.
LUCKY = 118_081
SOFTWARE: Filters = {"companyIndustry": ["software development"]}
HOSPITALS: Filters = {"companyIndustry": ["hospitals and health care"]}
MACHINES: Filters = {"companyIndustry": ["machinery manufacturing"]}
BANKS: Filters = {"companyIndustry": ["banking", "financial services"]}
OIL: Filters = {"companyIndustry": ["oil and gas"]}
LAWYERS: Filters = {"companyIndustry": ["law practice"]}
TINY: Filters = {"companySize": ["1 to 10"]}
HUGE: Filters = {"companySize": ["5001 to 10000", "10000+"]}
ENTRY: Filters = {"seniority": ["entry"]}
LEADERS: Filters = {"seniority": ["vp", "director"]}
# VPs and directors of marketing at software companies in California, with a business email.
BRIEF: Filters = {
    **SOFTWARE,
    **LEADERS,
    "department": ["marketing"],
    "state": "california",
    "hasBusinessEmail": True,
}


@pytest.fixture
def client(start: Start, connect: Connect) -> httpx.AsyncClient:
    return connect(start(SandboxSettings(sample_rows=0)))


async def size(
    client: httpx.AsyncClient, *topics: int, filters: Filters | None = None, **config: int
) -> int:
    body = {"topicIds": topics, "minScore": 50, "filters": filters or {}, **config}
    response = await client.post("/v1/intent/audiences/preview", json=body)
    assert response.status_code == 200, response.text
    return response.json()["data"]["totalCount"]


async def part(client: httpx.AsyncClient, of: Filters, who: Filters) -> float:
    """How many of some people are also others, as far as a topic tells that interests nearly all.

    A filter that both name is the second's, so the first must not narrow it.
    """
    both = await size(client, LUCKY, filters={**of, **who})
    return both / await size(client, LUCKY, filters=of)


@pytest.mark.parametrize(
    ("people", "state", "times"),
    [
        (SOFTWARE, "california", 1.4),
        (SOFTWARE, "washington", 1.4),
        (SOFTWARE, "massachusetts", 1.3),
        (BANKS, "new york", 2),
        (BANKS, "connecticut", 2),
        (OIL, "texas", 3),
    ],
)
async def test_trades_have_their_states(
    people: Filters, state: str, times: float, client: httpx.AsyncClient
) -> None:
    assert await part(client, people, {"state": state}) > times * await part(
        client, {}, {"state": state}
    )


async def test_software_people_live_in_california_more_often_than_others(
    client: httpx.AsyncClient,
) -> None:
    californians: Filters = {"state": "california"}
    assert 0.18 < await part(client, SOFTWARE, californians) < 0.3
    assert 0.06 < await part(client, HOSPITALS, californians) < 0.14


@pytest.mark.parametrize(
    ("people", "department", "least", "most"),
    [
        (SOFTWARE, "engineering", 0.15, 0.27),
        (SOFTWARE, "marketing", 0.13, 0.23),
        (SOFTWARE, "healthcare services", 0, 0.01),
        (HOSPITALS, "healthcare services", 0.35, 0.6),
        (HOSPITALS, "product management", 0, 0.04),
        (MACHINES, "operations", 0.25, 0.42),
        (BANKS, "finance", 0.25, 0.42),
        (LAWYERS, "legal", 0.35, 0.6),
    ],
)
async def test_departments_follow_the_industry(
    people: Filters, department: str, least: float, most: float, client: httpx.AsyncClient
) -> None:
    assert least <= await part(client, people, {"department": [department]}) < most


async def test_tiny_companies_have_owners_and_chiefs_and_large_ones_have_ranks(
    client: httpx.AsyncClient,
) -> None:
    owners: Filters = {"seniority": ["owner"]}
    chiefs: Filters = {"seniority": ["c_suite"]}
    assert 0.2 < await part(client, TINY, owners) < 0.35
    assert await part(client, HUGE, owners) < 0.01
    assert await part(client, TINY, chiefs) > 6 * await part(client, HUGE, chiefs)
    assert await part(client, HUGE, ENTRY) > 1.5 * await part(client, TINY, ENTRY)


async def test_partners_are_found_where_the_firm_is_theirs(client: httpx.AsyncClient) -> None:
    partners: Filters = {"seniority": ["partner"]}
    assert await part(client, LAWYERS, partners) > 5 * await part(client, SOFTWARE, partners)


async def test_business_emails_are_rarer_at_tiny_firms_and_in_low_ranks(
    client: httpx.AsyncClient,
) -> None:
    email: Filters = {"hasBusinessEmail": True}
    assert await part(client, TINY, email) + 0.15 < await part(client, HUGE, email)
    assert await part(client, ENTRY, email) + 0.1 < await part(client, LEADERS, email)


async def test_profiles_are_commoner_in_software(client: httpx.AsyncClient) -> None:
    profile: Filters = {"hasLinkedin": True}
    assert await part(client, MACHINES, profile) + 0.15 < await part(client, SOFTWARE, profile)


async def test_revenue_follows_size_and_industry(client: httpx.AsyncClient) -> None:
    small: Filters = {"companyRevenueRange": ["under 1 million", "1 million to 5 million"]}
    large: Filters = {"companyRevenueRange": ["500 million to 1 billion", "over 1 billion"]}
    assert await part(client, TINY, small) > 0.5
    assert await part(client, HUGE, small) == await part(client, TINY, large) == 0
    colleges: Filters = {"companyIndustry": ["higher education"]}
    assert await part(client, {**SOFTWARE, **HUGE}, large) > 0.8
    assert await part(client, {**colleges, **HUGE}, large) < 0.6


async def test_rank_comes_with_age(client: httpx.AsyncClient) -> None:
    young: Filters = {"ageRange": ["18 to 24"]}
    assert 10 * await part(client, LEADERS, young) < await part(client, ENTRY, young)


async def test_a_topic_interests_those_whose_work_it_is_about_much_more_than_others(
    client: httpx.AsyncClient,
) -> None:
    async def interested(filters: Filters) -> float:
        everybody = await size(client, LUCKY, filters=filters)
        return await size(client, MARKETING_AUTOMATION, filters=filters) / everybody

    lawyers = await interested({**LAWYERS, "department": ["legal"]})
    marketers = await interested({**LAWYERS, "department": ["marketing"]})
    at_home = await interested({**SOFTWARE, "department": ["marketing"]})
    leading = await interested({**SOFTWARE, **LEADERS, "department": ["marketing"]})
    assert 3 * lawyers < marketers < at_home < leading < 0.9


async def test_private_topics_interest_people_of_an_age(client: httpx.AsyncClient) -> None:
    async def interested(age: str) -> float:
        filters: Filters = {"ageRange": [age]}
        everybody = await size(client, LUCKY, filters=filters)
        return await size(client, RETIREMENT_REVIEWS, filters=filters) / everybody

    assert await interested("55 to 64") > 1.4 * await interested("25 to 34")


async def test_related_topics_are_researched_by_the_same_people(
    client: httpx.AsyncClient,
) -> None:
    async def lift(one: int, other: int) -> float:
        """How many times as many people have both as would if one had nothing to do with other."""
        both = await size(client, one, other, minTopicOverlap=2)
        return both * 50_000 / await size(client, one) / await size(client, other)

    one_subject = await lift(MARKETING_AUTOMATION, MARKETING_ROI)
    one_field = await lift(MARKETING_AUTOMATION, DEMAND_GENERATION_BENCHMARKS)
    two_fields = await lift(MARKETING_AUTOMATION, CRM_INTEGRATION)
    assert 1 < two_fields < one_field < one_subject < 4


async def test_leaving_out_a_related_topic_costs_little(client: httpx.AsyncClient) -> None:
    both = await size(client, CRM_SOFTWARE, CRM_INTEGRATION)
    assert 0.9 < await size(client, CRM_SOFTWARE) / both < 1
    assert await size(client, CRM_INTEGRATION) / both < 0.65


async def test_leaving_out_a_topic_can_cost_nothing_or_nearly_all(
    client: httpx.AsyncClient,
) -> None:
    topics = [CRM_SOFTWARE, *range(102_101, 102_121)]
    whole = await size(client, *topics, minScore=70)
    kept = [
        await size(client, *(topic for topic in topics if topic != left_out), minScore=70) / whole
        for left_out in topics
    ]
    assert max(kept) == 1
    assert min(kept) < 0.9
    assert len(set(kept)) > 8
    both = await size(client, MARKETING_AUTOMATION, MARKETING_PLATFORM)
    assert await size(client, MARKETING_PLATFORM) < 0.2 * both


async def test_asking_for_more_topics_at_once_narrows_step_by_step(
    client: httpx.AsyncClient,
) -> None:
    topics = [*range(117_888, 117_892), DEMAND_GENERATION_BENCHMARKS]
    sizes = [
        await size(client, *topics, minScore=70, minTopicOverlap=many)
        for many in range(1, len(topics) + 1)
    ]
    assert all(0.1 < fewer / more < 0.8 for more, fewer in pairwise(sizes))
    assert sizes[-1] > 10


@pytest.mark.parametrize(
    ("left_out", "least", "most"),
    [
        ((), 60, 250),
        (("state",), 300, 900),
        (("state", "department"), 1_000, 4_000),
        (tuple(BRIEF), 8_000, 16_000),
    ],
)
async def test_a_narrow_brief_finds_a_usable_number(
    left_out: tuple[str, ...], least: int, most: int, client: httpx.AsyncClient
) -> None:
    filters = {key: value for key, value in BRIEF.items() if key not in left_out}
    topics = CRM_SOFTWARE, MARKETING_AUTOMATION
    assert least < await size(client, *topics, filters=filters, minScore=70) < most


async def test_every_rung_of_a_ladder_is_shorter(client: httpx.AsyncClient) -> None:
    brief = {key: value for key, value in BRIEF.items() if key != "state"}
    ladder = [
        await size(client, CRM_SOFTWARE, MARKETING_AUTOMATION, filters=brief, minScore=score)
        for score in (50, 60, 70, 80, 90)
    ]
    assert all(0.3 < fewer / more < 0.97 for more, fewer in pairwise(ladder))


async def test_every_filter_of_a_brief_narrows_it_by_its_own_measure(
    client: httpx.AsyncClient,
) -> None:
    topics = CRM_SOFTWARE, MARKETING_AUTOMATION
    whole = await size(client, *topics, filters=BRIEF, minScore=70)
    times = {
        left_out: await size(
            client,
            *topics,
            filters={key: value for key, value in BRIEF.items() if key != left_out},
            minScore=70,
        )
        / whole
        for left_out in BRIEF
    }
    assert 1.05 < times["hasBusinessEmail"] < 1.5
    assert all(1.5 < times[key] < 6 for key in BRIEF if key != "hasBusinessEmail")


@pytest.mark.parametrize(
    ("topics", "filters"),
    [
        (
            (101_081, 101_281),
            {**BANKS, "department": ["information technology"], "state": "new york"},
        ),
        (
            (104_681, 104_181),
            {
                "department": ["human resources"],
                "seniority": ["manager", "director"],
                "companySize": ["501 to 1000", "1001 to 5000"],
            },
        ),
        (
            (115_081, 115_187),
            {**HOSPITALS, "seniority": ["director", "vp"], "hasBusinessEmail": True},
        ),
        ((103_781,), {**TINY, "seniority": ["owner"]}),
        ((105_181,), {"companyIndustry": ["transportation", "logistics and supply chain"]}),
        ((114_201, 114_291), {**OIL, "state": "texas"}),
        ((100_094,), {**SOFTWARE, "jobTitle": "Chief Executive Officer"}),
    ],
)
async def test_briefs_of_other_trades_find_somebody_too(
    topics: tuple[int, ...], filters: Filters, client: httpx.AsyncClient
) -> None:
    assert 20 < await size(client, *topics, filters=filters, minScore=70) < 1_000


async def test_a_small_world_has_room_for_a_brief(start: Start, connect: Connect) -> None:
    client = connect(start(SandboxSettings(people=2_000)))
    topics = CRM_SOFTWARE, MARKETING_AUTOMATION
    assert await size(client, *topics, filters=BRIEF) > 0
    assert 20 < await size(client, *topics, filters={**SOFTWARE, **LEADERS}, minScore=70) < 200


@pytest.mark.parametrize("people", [100, 300_000])
async def test_a_world_can_be_of_any_size(people: int, start: Start, connect: Connect) -> None:
    # The largest takes a quarter of a second, because it is built here.
    client = connect(start(SandboxSettings(people=people)))
    assert 0.9 < await size(client, LUCKY) / people <= 1
    assert 0.3 < await size(client, CRM_SOFTWARE, MARKETING_AUTOMATION) / people < 0.6
