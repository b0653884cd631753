"""The make-up of an audience, and people counted by any columns."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

import pytest
from pydantic import SecretStr

from leadpipe_mcp.api.in_process import serve_in_process
from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.models import AudienceConfig
from leadpipe_mcp.api.transport import Transport
from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.people.columns import COLUMNS, completed
from leadpipe_mcp.people.profile import Profile, Share, TopValues, group, profile
from leadpipe_mcp.people.snapshot import Snapshot
from leadpipe_mcp.sandbox import SandboxSettings
from tests.faults.service import Sandbox

pytestmark = pytest.mark.anyio
Row = Mapping[str, object]
Kept = Callable[..., Awaitable[Snapshot]]

# seniority, state, company, score, business e-mail
_TOLD = [
    ("vp", "california", "Acme", 91, "a@acme.example"),
    ("vp", "texas", "Acme", 78, "b@acme.example"),
    ("vp", "california", "Beta", 71, None),
    ("director", "california", "Beta", 55, None),
    ("director", None, "Beta", 50.5, ""),
    ("manager", "utah", None, None, None),
    (None, "california", "Gamma", 99, "c@gamma.example"),
    ("vp", "california", "ACME", 90, None),
]
PEOPLE: list[Row] = [
    {
        "seniority": seniority,
        "state": state,
        "company": company,
        "companyDomain": f"{company.lower()}.example" if company and company != "Gamma" else None,
        "intentScore": score,
        "businessEmail": email,
    }
    for seniority, state, company, score, email in _TOLD
]


@pytest.fixture
async def people(kept: Kept) -> Snapshot:
    return await kept(PEOPLE)


@pytest.fixture
async def told(people: Snapshot) -> Profile:
    return await profile(people)


async def test_everyone_and_their_companies_are_counted(told: Profile) -> None:
    assert told.size == 8
    assert told.companies == 3
    assert told.notes == ()


async def test_how_many_can_be_reached_comes_first_and_is_said_even_where_nobody_can(
    told: Profile,
) -> None:
    assert list(told.filled)[:4] == ["businessEmail", "personalEmail", "phone", "linkedinUrl"]
    assert told.filled == {
        "businessEmail": 37.5,
        "personalEmail": 0.0,
        "phone": 0.0,
        "linkedinUrl": 0.0,
        "score": 87.5,
        "seniority": 87.5,
        "company": 87.5,
        "companyDomain": 75.0,
        "state": 87.5,
    }


async def test_scores_are_counted_in_ten_point_bands(told: Profile) -> None:
    assert told.scores is not None
    assert told.scores.average == 76.4
    assert told.scores.buckets == (
        Share("50-59", 2, 25.0),
        Share("60-69", 0, 0.0),
        Share("70-79", 2, 25.0),
        Share("80-89", 0, 0.0),
        Share("90-99", 3, 37.5),
    )


async def test_unusual_scores_are_shown_if_there_are_any(kept: Kept) -> None:
    scores = [1, 49.9, 50, 99, 99.9, 100, 250, "high", None]
    told = await profile(await kept([{"intentScore": score} for score in scores]))
    assert told.scores is not None
    assert [(share.value, share.people) for share in told.scores.buckets] == [
        ("below 50", 2),
        ("50-59", 1),
        ("60-69", 0),
        ("70-79", 0),
        ("80-89", 0),
        ("90-99", 2),
        ("100 and above", 2),
    ]
    assert told.scores.average == 92.8


async def test_the_most_frequent_values_come_first_and_what_is_not_known_is_counted(
    told: Profile,
) -> None:
    assert list(told.breakdowns) == ["seniority", "state", "company"]
    assert told.breakdowns["seniority"] == TopValues(
        top=(Share("vp", 4, 50.0), Share("director", 2, 25.0), Share("manager", 1, 12.5)),
        other_values=0,
        other_people=0,
        unknown=1,
    )


async def test_the_long_tail_is_counted_as_others(kept: Kept) -> None:
    rows = [{"company": f"Company {number:02}"} for number in range(15)]
    told = await profile(await kept([*rows, rows[3], {}]))
    breakdown = told.breakdowns["company"]
    assert len(breakdown.top) == 10
    assert breakdown.top[0] == Share("Company 03", 2, 11.8)
    assert breakdown.top[1].value == "Company 00"
    assert (breakdown.other_values, breakdown.other_people, breakdown.unknown) == (5, 5, 1)


async def test_a_list_of_nobody_has_a_profile(kept: Kept) -> None:
    told = await profile(await kept([], expected=2))
    assert (told.size, told.companies, told.scores, told.breakdowns) == (0, 0, None, {})
    assert set(told.filled.values()) == {0.0}
    assert told.notes == ("The service says 2 people; 0 came.",)


async def test_people_are_counted_by_a_column(people: Snapshot) -> None:
    groups = await group(people, ["state"])
    assert groups.columns == ("state", "people", "percent")
    assert groups.rows == (
        ("california", 5, 62.5),
        ("", 1, 12.5),
        ("texas", 1, 12.5),
        ("utah", 1, 12.5),
    )
    assert (groups.size, groups.others, groups.other_people, groups.notes) == (8, 0, 0, ())


async def test_people_are_counted_by_up_to_three_columns(people: Snapshot) -> None:
    groups = await group(people, ["seniority", "state", "company"], top=2)
    assert groups.columns == ("seniority", "state", "company", "people", "percent")
    assert groups.rows == (
        ("", "california", "Gamma", 1, 12.5),
        ("director", "", "Beta", 1, 12.5),
    )
    assert (groups.others, groups.other_people) == (6, 6)
    twice = await group(people, ["state", "state"])
    assert twice.columns == ("state", "people", "percent")


async def test_numbers_flags_and_private_fields_can_be_counted_by(kept: Kept) -> None:
    people = await kept([{"intentScore": 91, "isB2b": True, "ageRange": "25 to 34"}] * 2)
    groups = await group(people, ["score", "isB2b", "ageRange"])
    assert groups.rows == ((91, "y", "25 to 34", 2, 100.0),)


async def test_people_are_not_counted_by_what_identifies_them_or_is_free_text(
    people: Snapshot,
) -> None:
    for name, column in COLUMNS.items():
        if not (column.identifies or column.kind == "untrusted"):
            assert (await group(people, [name])).size == 8
            continue
        with pytest.raises(NotPossible) as caught:
            await group(people, ["state", name])
        reason = "identifies single people" if column.identifies else "is free text"
        assert caught.value.problem.startswith(f"'{name}' {reason}")


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        ([], "People can be counted by one to 3 fields; 0 were named."),
        (
            ["state", "city", "company", "seniority"],
            "People can be counted by one to 3 fields; 4 were named.",
        ),
        (["sate"], "There is no field 'sate'. Did you mean 'state'?"),
    ],
)
async def test_columns_that_cannot_be_counted_by_are_refused(
    people: Snapshot, names: list[str], problem: str
) -> None:
    with pytest.raises(NotPossible) as caught:
        await group(people, names)
    assert caught.value.problem.startswith(problem)


CATALOG: list[Row] = [
    {"topicName": "CRM", "topicOverlap": 1, "seniority": "vp"},
    {"topicName": "Health, Wellness", "topicOverlap": 1, "seniority": "vp"},
    {"topicName": "CRM, Health, Wellness", "topicOverlap": 2, "seniority": "vp"},
    {"topicName": "CRM, Sales", "topicOverlap": 2, "seniority": "director"},
    {"topicName": "Sales; CRM", "topicOverlap": None, "seniority": "director"},
    {"seniority": "director"},
]
SEVERAL = (
    "People with several values of topic count in each of those rows, so the rows add up to more"
    " than everyone."
)


async def test_who_researches_several_topics_counts_for_each(kept: Kept) -> None:
    people = await kept(CATALOG)
    topics = (await profile(people)).breakdowns["topic"]
    assert topics == TopValues(
        top=(
            Share("CRM", 4, 66.7),
            Share("Health, Wellness", 2, 33.3),
            Share("Sales", 2, 33.3),
        ),
        other_values=0,
        other_people=None,
        unknown=1,
    )
    groups = await group(people, ["topic", "seniority"])
    assert groups.rows == (
        ("CRM", "director", 2, 33.3),
        ("CRM", "vp", 2, 33.3),
        ("Health, Wellness", "vp", 2, 33.3),
        ("Sales", "director", 2, 33.3),
        ("", "director", 1, 16.7),
    )
    assert groups.notes == (SEVERAL,)
    assert groups.other_people is None


async def test_topics_given_by_id_are_counted_by_name(kept: Kept) -> None:
    people = await kept(
        [
            {"topicId": 1, "topicName": "CRM", "matchedTopicIds": [1, 2], "topicOverlap": 2},
            {"topicId": 2, "topicName": "Health, Wellness", "matchedTopicIds": "2, 3"},
            {"topicId": 1, "topicName": "CRM", "matchedTopicIds": [1]},
            {"seniority": "vp"},
        ]
    )
    told = await profile(people)
    assert [(share.value, share.people) for share in told.breakdowns["topic"].top] == [
        ("CRM", 2),
        ("Health, Wellness", 2),
        ("topic 3", 1),
    ]
    assert told.breakdowns["topic"].unknown == 1
    by_id = await group(people, ["matchedTopicIds"])
    assert by_id.rows[:2] == (("1", 2, 50.0), ("2", 2, 50.0))


async def test_a_topic_beside_its_id_is_one(kept: Kept) -> None:
    people = await kept([{"topicId": 2, "topicName": "Health, Wellness", "topicOverlap": 2}])
    assert (await group(people, ["topic"])).rows == (("Health, Wellness", 1, 100.0),)


async def test_other_lists_are_counted_by_value(kept: Kept) -> None:
    rows = [{"jobFunctions": "sales, marketing"}, {"jobFunctions": ["sales", "sales"]}]
    groups = await group(await kept(rows), ["jobFunctions"])
    assert groups.rows == (("sales", 2, 100.0), ("marketing", 1, 50.0))


async def test_the_notes_of_the_snapshot_come_with_every_count(kept: Kept) -> None:
    people = await kept(CATALOG, expected=9)
    said = "The service says 9 people; 6 came."
    assert (await profile(people)).notes == (said,)
    assert (await group(people, ["topic"])).notes == (said, SEVERAL)
    assert (await group(people, ["seniority"])).notes == (said,)


@pytest.mark.parametrize("generation", ["flat", "catalog"])
async def test_both_generations_have_the_same_profile(
    kept: Kept, generation: Literal["flat", "catalog"]
) -> None:
    settings = SandboxSettings(profile=generation, people=4_000, examples=False, run_seconds=0)
    sandbox = Sandbox(settings, clock=lambda: 1_777_972_500.0)
    client = LeadpipeClient(
        Transport("https://x.test", SecretStr("sk_x"), network=serve_in_process(sandbox))
    )
    config = AudienceConfig(topic_ids=(117805, 117890))
    audience = await client.audiences.create("Buyers", await client.configs.spell(config), "active")
    run = await client.runs.latest(audience.id)
    rows = [
        completed(person)
        async for page in client.exports.pages(audience.id, run)
        for person in page.people
    ]
    people = await kept(rows, expected=run.size)
    told = await profile(people)
    assert told.notes == ()
    topics = told.breakdowns["topic"]
    overlaps = [(await group(people, ["topicOverlap"])).rows]
    matched = sum(int(row[0]) * int(row[1]) for row in overlaps[0])
    assert {share.value for share in topics.top} == {"Marketing ROI", "Marketing Automation"}
    assert sum(share.people for share in topics.top) == matched > told.size
    assert told.breakdowns["seniority"].unknown == 0
