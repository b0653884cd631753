"""The make-up of an audience, people counted by any columns, and two lists side by side."""

from typing import Any

import pytest

from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.people.columns import COLUMNS
from leadpipe_mcp.people.profile import Counts, Profile, Segment, compare, group, profile
from leadpipe_mcp.people.snapshot import Snapshot
from leadpipe_mcp.people.write import SEEN
from tests.people.conftest import Kept, Row

pytestmark = pytest.mark.anyio

PEOPLE: list[Row] = [
    {
        "seniority": seniority,
        "state": state,
        "company": company,
        "companyDomain": f"{company.lower()}.example" if company and company != "Gamma" else None,
        "intentScore": score,
        "businessEmail": email,
    }
    for seniority, state, company, score, email in (
        ("vp", "california", "Acme", 91, "a@acme.example"),
        ("vp", "texas", "Acme", 78, "b@acme.example"),
        ("vp", "california", "Beta", 71, None),
        ("director", "california", "Beta", 55, None),
        ("director", None, "Beta", 50.5, ""),
        ("manager", "utah", None, None, None),
        (None, "california", "Gamma", 99, "c@gamma.example"),
        ("vp", "california", "ACME", 90, None),
    )
]


@pytest.fixture
async def people(kept: Kept) -> Snapshot:
    return await kept(PEOPLE)


async def test_a_profile_counts_people_companies_scores_and_values(people: Snapshot) -> None:
    assert await profile(people) == Profile(
        size=8,
        companies=3,
        # Ways to reach people come first, and are named even where nobody has one.
        filled={
            **dict.fromkeys(("businessEmail", "personalEmail", "phone", "linkedinUrl"), 0.0),
            **dict.fromkeys(("score", "seniority", "company", "state"), 87.5),
            "businessEmail": 37.5,
            "companyDomain": 75.0,
        },
        average_score=76.4,
        scores={"50-59": 2, "60-69": 0, "70-79": 2, "80-89": 0, "90-99": 3},
        breakdowns={
            "seniority": {"vp": 4, "director": 2, "manager": 1},
            "state": {"california": 5, "texas": 1, "utah": 1},
            "company": {"Beta": 3, "Acme": 2, "ACME": 1, "Gamma": 1},
        },
        notes=(),
    )


async def test_unusual_scores_are_shown_and_the_long_tail_is_counted_as_others(kept: Kept) -> None:
    scores = [1, 49.9, 50, 99, 99.9, 100, 250, "high", None]
    rows: list[Row] = [{"intentScore": each, "company": f"C{n}"} for n, each in enumerate(scores)]
    told = await profile(await kept([*rows, {"company": "C3"}, {}], expected=2))
    assert list(told.scores.items()) == [
        *(("below 50", 2), ("50-59", 1), ("60-69", 0), ("70-79", 0), ("80-89", 0), ("90-99", 2)),
        ("100 and above", 2),
    ]
    assert told.average_score == 92.8
    companies = told.breakdowns["company"]
    assert list(companies.items())[:2] == [("C3", 2), ("C0", 1)]
    assert (len(companies), companies["others"]) == (7, 3)
    assert told.notes == ("The service says 2 people; 11 came.",)
    told = await profile(await kept([]))
    assert (told.size, told.companies, told.average_score, told.breakdowns) == (0, 0, None, {})
    assert set(told.filled.values()) == {0.0}


async def test_people_are_counted_by_up_to_three_columns(people: Snapshot) -> None:
    groups = await group(people, ["state", "state"])
    assert groups.columns == ("state", "people", "percent")
    assert groups.rows[:2] == (("california", 5, 62.5), ("", 1, 12.5))
    assert (groups.size, groups.others, groups.other_people, groups.notes) == (8, 0, 0, ())
    groups = await group(people, ["seniority", "state", "company"], top=2)
    assert groups.rows == (
        ("", "california", "Gamma", 1, 12.5),
        ("director", "", "Beta", 1, 12.5),
    )
    assert (groups.others, groups.other_people) == (6, 6)


async def test_people_are_not_counted_by_what_identifies_them_or_is_free_text(
    people: Snapshot,
) -> None:
    for name, column in COLUMNS.items():
        if column.identifies or column.kind == "untrusted":
            reason = "identifies single people" if column.identifies else "is free text"
            with pytest.raises(NotPossible, match=f"^'{name}' {reason}"):
                await group(people, ["state", name])
        else:
            assert (await group(people, [name])).size == 8


SEVERAL = (
    "People with several values of topic count in each of those rows, so the rows add up to more"
    " than everyone."
)


async def test_who_researches_several_topics_counts_for_each(kept: Kept) -> None:
    rows: list[Row] = [
        {"topicName": "CRM", "topicOverlap": 1, "seniority": "vp"},
        {"topicName": "Health, Wellness", "topicOverlap": 1, "seniority": "vp"},
        {"topicName": "CRM, Health, Wellness", "topicOverlap": 2, "seniority": "vp"},
        {"topicName": "CRM, Sales", "topicOverlap": 2, "seniority": "director"},
        {"topicName": "Sales; CRM", "topicOverlap": None, "seniority": "director"},
        {"seniority": "director"},
    ]
    people = await kept(rows, expected=9)
    topics = (await profile(people)).breakdowns["topic"]
    assert topics == {"CRM": 4, "Health, Wellness": 2, "Sales": 2}
    groups = await group(people, ["topic", "seniority"])
    assert groups.rows == (
        ("CRM", "director", 2, 33.3),
        ("CRM", "vp", 2, 33.3),
        ("Health, Wellness", "vp", 2, 33.3),
        ("Sales", "director", 2, 33.3),
        ("", "director", 1, 16.7),
    )
    assert groups.notes == ("The service says 9 people; 6 came.", SEVERAL)
    assert groups.other_people is None


async def test_topics_given_by_id_are_counted_by_name(kept: Kept) -> None:
    people = await kept(
        [
            {"topicId": 1, "topicName": "CRM", "matchedTopicIds": [1, 2], "topicOverlap": 2},
            {"topicId": 2, "topicName": "Health, Wellness", "matchedTopicIds": "2, 3"},
            {"topicId": 1, "topicName": "CRM", "matchedTopicIds": [1]},
            {"topicId": 2, "topicName": "Health, Wellness", "topicOverlap": 2},
            {"seniority": "vp"},
        ]
    )
    topics = (await profile(people)).breakdowns["topic"]
    assert topics == {"Health, Wellness": 3, "CRM": 2, "topic 3": 1}
    by_id = await group(people, ["matchedTopicIds"])
    assert set(by_id.rows[:3]) == {("1", 2, 40.0), ("2", 2, 40.0), ("", 2, 40.0)}


async def test_lists_numbers_flags_and_private_fields_are_counted_by_value(kept: Kept) -> None:
    told = {"intentScore": 91, "isB2b": True, "ageRange": "25 to 34"}
    rows = [{"jobFunctions": "sales, marketing"}, {"jobFunctions": ["sales", "sales"], **told}]
    people = await kept(rows)
    groups = await group(people, ["jobFunctions"])
    assert groups.rows == (("sales", 2, 100.0), ("marketing", 1, 50.0))
    groups = await group(people, ["score", "isB2b", "ageRange"])
    assert groups.rows == ((91, "y", "25 to 34", 1, 50.0), ("", "", "", 1, 50.0))


def person(id_: object, score: object = 80, **told: object) -> Row:
    return {"id": id_, "intentScore": score, **told}


FIRST = [
    person("a", 90, seniority="vp", state="texas"),
    person("b", 80, seniority="vp", state="utah"),
    person("c", 60, seniority="director"),
]
SECOND = [
    person("b", 70, seniority="manager", state="utah"),
    person("d", 51, seniority="owner", companyIndustry="retail"),
    person("e", 52.5, seniority="owner"),
    person("f", None),
]


async def test_who_is_in_both_and_who_in_one_alone(kept: Kept) -> None:
    one, other = await kept(FIRST, expected=4), await kept(SECOND)
    told = await compare(one, other)
    assert told.both == Segment(1, 80.0, {"seniority": {"vp": 1}, "state": {"utah": 1}})
    only_one: dict[str, Counts] = {"seniority": {"director": 1, "vp": 1}, "state": {"texas": 1}}
    assert told.only_one == Segment(2, 75.0, only_one)
    only_other: dict[str, Counts] = {"seniority": {"owner": 2}, "companyIndustry": {"retail": 1}}
    assert told.only_other == Segment(3, 51.8, only_other)
    assert told.notes == ("The service says 4 people; 3 came.",)
    back = await compare(other, one)
    assert (back.only_one, back.only_other) == (told.only_other, told.only_one)
    assert (back.both.people, back.both.average_score) == (1, 70.0)
    crowd = await compare(await kept([person(n, state=f"{n % 8}") for n in range(20)]), one)
    assert crowd.both == Segment(0, None, {})
    assert crowd.only_one.top["state"] == {"0": 3, "1": 3, "2": 3, "3": 3, "4": 2}


async def test_people_without_an_id_and_repeated_people_are_noted(kept: Kept) -> None:
    first = await kept([*FIRST, person(None), FIRST[0], FIRST[1], FIRST[1]])
    told = await compare(first, await kept([*SECOND, person(""), person(None)]))
    assert told.notes == (
        "3 rows repeat a person.",
        "1 person of the first list cannot be compared: they have no id.",
        "3 rows of the first list repeat a person, who counts once.",
        "2 people of the second list cannot be compared: they have no id.",
    )
    assert (told.both.people, told.only_one.people, told.only_other.people) == (1, 2, 3)


async def test_ids_are_compared_as_they_came_and_only_with_those_of_their_kind(kept: Kept) -> None:
    one = await kept([person("jane@x.example"), person(f"{'x' * 200}1")])
    other = await kept([person("joe@x.example"), person(f"{'x' * 200}2")])
    assert (await compare(one, other)).both.people == 0
    hashes = await kept([person(f"{number:064x}") for number in range(10)])
    with pytest.raises(NotPossible, match="The two lists cannot be compared: one identifies"):
        await compare(hashes, one)
    assert (await compare(hashes, hashes)).both.people == 10


@pytest.mark.parametrize("which", [0, 1])
async def test_a_list_that_is_gone_is_named(kept: Kept, which: int) -> None:
    lists: list[Any] = [await kept(FIRST), await kept(SECOND)]
    (lists[which].folder / SEEN).unlink()
    with pytest.raises(NotPossible) as caught:
        await compare(*lists)
    assert caught.value.problem == "The people of this run are no longer kept on this machine."
    assert [people.folder.exists() for people in lists] == [which == 1, which == 0]
