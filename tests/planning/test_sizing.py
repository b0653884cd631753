"""What is changed in a config to learn what each part of it does, and what two changes are."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.models import AudienceConfig, Match, Preview, ServiceConfig, SpelledConfig
from leadpipe_mcp.errors import ServiceDown
from leadpipe_mcp.planning.plan import Brief, make_plan
from leadpipe_mcp.planning.sizing import (
    NO_END,
    Sized,
    Variation,
    at_score,
    describe,
    distance,
    other_filters,
    other_overlap,
    pair_of,
    reaching,
    without_each_topic,
)
from tests.planning.service import planning_with, start

CONFIG = AudienceConfig(
    topic_ids=(1, 2, 3),
    min_score=70,
    min_topic_overlap=2,
    filters={"ageRange": ["25 to 34"], "jobTitle": "buyer"},
    exclude={"state": ["texas"], "ageRange": ["65 and older"]},
)
CUT = Match("filters", "ageRange", "20-34", ("25 to 34",), "exact", cut=("18 to 24", "35 to 44"))
SPELLED = SpelledConfig(
    ServiceConfig(topic_ids=(1, 2, 3)),
    CONFIG,
    by_listing=("state",),
    matches=(CUT, replace(CUT, part="exclude"), replace(CUT, key="jobTitle")),
)
NAMES = {1: "CRM", 2: "ERP"}


def told(variation: Variation) -> tuple[str, str, str, dict[str, Any]]:
    """What a variation says of itself, and what it changes."""
    own, other = CONFIG.model_dump(), variation.config.model_dump()
    changed = {key: value for key, value in other.items() if value != own[key]}
    return variation.thing, variation.name, variation.words, changed


def test_every_variation_says_what_it_changes_and_changes_that_alone() -> None:
    assert told(at_score(CONFIG, 50)) == ("score", "50", "minScore 50", {"min_score": 50})
    assert [told(one) for one in without_each_topic(CONFIG, NAMES)] == [
        ("topic", "1", "without 'CRM' (1)", {"topic_ids": (2, 3)}),
        ("topic", "2", "without 'ERP' (2)", {"topic_ids": (1, 3)}),
        ("topic", "3", "without '3' (3)", {"topic_ids": (1, 2)}),
    ]
    assert [
        told(one) for more in (True, False) for one in other_overlap(CONFIG, more_people=more)
    ] == [
        ("overlap", "1", "minTopicOverlap 1", {"min_topic_overlap": 1}),
        ("overlap", "3", "minTopicOverlap 3", {"min_topic_overlap": 3}),
    ]
    ages, title = {"ageRange": ["25 to 34"]}, {"jobTitle": "buyer"}
    texas, old = {"state": ["texas"]}, {"ageRange": ["65 and older"]}
    assert [told(one) for one in other_filters(SPELLED)] == [
        ("filter", "ageRange", "without ageRange", {"filters": title}),
        ("filter", "jobTitle", "without jobTitle", {"filters": ages}),
        ("filter", "exclude.state", "without exclude.state", {"exclude": old}),
        ("filter", "exclude.ageRange", "without exclude.ageRange", {"exclude": texas}),
        (
            *("unknown", "state", "those whose state is not known"),
            {"filters": ages | title | texas, "exclude": old},
        ),
        (
            *("cut", "ageRange 18 to 24", "with 18 to 24"),
            {"filters": title | {"ageRange": ["25 to 34", "18 to 24"]}},
        ),
        (
            *("cut", "ageRange 35 to 44", "with 35 to 44"),
            {"filters": title | {"ageRange": ["25 to 34", "35 to 44"]}},
        ),
    ]


def test_without_a_number_of_topics_one_of_them_has_to_be_researched() -> None:
    one = CONFIG.model_copy(update={"topic_ids": (1, 2), "min_topic_overlap": None})
    assert [topic.name for topic in without_each_topic(one, {})] == ["1", "2"]
    assert other_overlap(one, more_people=True) == []
    assert [each.name for each in other_overlap(one, more_people=False)] == ["2"]
    least = one.model_copy(update={"topic_ids": (1,)})
    assert list(without_each_topic(least, {})) == other_overlap(least, more_people=False) == []


LOW, HIGH = at_score(CONFIG, 50), at_score(CONFIG, 90)
((LOOSE,), (STRICT,)) = (other_overlap(CONFIG, more_people=more) for more in (True, False))
NO_CRM, NO_ERP, NO_3 = without_each_topic(CONFIG, NAMES)
NO_AGE, NO_TITLE, NO_STATE, *_ = other_filters(SPELLED)


@pytest.mark.parametrize(
    ("one", "other", "changed"),
    [
        (LOW, NO_CRM, {"min_score": 50, "topic_ids": (2, 3)}),
        (NO_CRM, LOW, {"min_score": 50, "topic_ids": (2, 3)}),
        (LOOSE, NO_CRM, {"min_topic_overlap": 1, "topic_ids": (2, 3)}),
        (NO_CRM, LOOSE, {"min_topic_overlap": 1, "topic_ids": (2, 3)}),
        (NO_AGE, NO_TITLE, {"filters": {}}),
        (NO_AGE, NO_STATE, {"filters": NO_AGE.config.filters, "exclude": NO_STATE.config.exclude}),
        (LOW, STRICT, {"min_score": 50, "min_topic_overlap": 3}),
        # Too few topics would be left, or one thing would be two at once.
        (NO_CRM, NO_ERP, None),
        (STRICT, NO_3, None),
        (LOW, HIGH, None),
        (LOOSE, STRICT, None),
    ],
)
def test_two_changes_are_both_made_or_cannot_be(
    one: Variation, other: Variation, changed: dict[str, Any] | None
) -> None:
    pair = pair_of(CONFIG, one, other)
    words = f"{one.words} and {other.words}"
    assert (pair and told(pair)) == (changed and ("pair", words, words, changed))


def test_the_last_topic_is_never_left_out_of_a_pair() -> None:
    two = CONFIG.model_copy(update={"topic_ids": (1, 2), "min_topic_overlap": None})
    first, second = without_each_topic(two, {})
    assert pair_of(two, first, second) is None
    assert pair_of(two, first, at_score(two, 50))


def test_what_is_measured_is_told_by_what_it_was_and_the_rest_by_its_words() -> None:
    unknown = next(one for one in other_filters(SPELLED) if one.thing == "unknown")
    sized = Sized(CONFIG, variations=[NO_STATE, unknown, HIGH, LOW, LOOSE, NO_CRM])
    sized.measured = {NO_STATE: 160, unknown: 20, HIGH: 30, LOW: 400, LOOSE: 500}
    assert (sized.size, sized.unknown, sized.ladder) == (None, {}, {50: 400, 90: 30})
    assert sized.not_measured == ["the size as asked", "without 'CRM' (1)"]
    sized.preview = Preview(size=100, config=CONFIG)
    assert (sized.size, sized.unknown) == (100, {"state": 40})
    assert list(sized.ladder.items()) == [(50, 400), (70, 100), (90, 30)]
    assert list(sized.changes.items()) == [(HIGH, 30), (LOW, 400), (LOOSE, 500), (NO_STATE, 160)]
    assert sized.sizes("score") == {"90": 30, "50": 400}
    assert sized.not_measured == ["without 'CRM' (1)"]
    sized.failures = {NO_CRM: ServiceDown("Down."), LOOSE: ServiceDown("Down.")}
    sized.failure = ServiceDown("Away.")
    assert sized.problems == ["Away.", "Down."]
    # Sizes that were measured one after the other need not agree.
    sized.measured[unknown] = 200
    assert sized.unknown == {"state": 0}
    del sized.measured[NO_STATE]
    assert sized.unknown == {}
    everybody = CONFIG.model_copy(update={"min_score": None})
    assert Sized(everybody, Preview(size=100, config=everybody)).ladder == {0: 100}


def test_of_the_changes_that_reach_a_target_the_one_that_meddles_least_is_first() -> None:
    at_60 = at_score(CONFIG, 60)
    sizes = {NO_STATE: 150, NO_CRM: 150, HIGH: 120, LOW: 199, at_60: 160, LOOSE: 100, NO_TITLE: 200}
    # Of several scores, the one nearest to the middle of the target.
    assert list(reaching(range(100, 200), sizes)) == [at_60, HIGH, LOW, LOOSE, NO_CRM, NO_STATE]
    # Where there is no upper end, the nearest to the lower one.
    assert list(reaching(range(110, NO_END + 1), {LOW: 199, HIGH: 120, LOOSE: 100})) == [HIGH, LOW]


def test_a_target_is_described_and_a_distance_is_a_factor() -> None:
    assert describe(range(1_000, 2_001)) == "1,000 to 2,000"
    assert describe(range(1_000, NO_END + 1)) == "1,000 or more"
    target = range(1_000, 2_001)
    assert distance(1_000, target) == distance(2_000, target) == 0
    assert distance(500, target) == distance(4_000, target) == pytest.approx(0.693, abs=0.001)
    assert distance(0, target) > distance(1, target) > 6
    assert distance(2, range(1)) > distance(1, range(1)) > 0


def sized_by(size: Callable[[Mapping[str, Any]], int]) -> LeadpipeClient:
    """A client of a service that finds as many people as a function of the config says."""
    sandbox = start()

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if not scope["path"].endswith("/preview"):
            await sandbox(scope, receive, send)
            return
        data: dict[str, object] = {
            "totalCount": size(await Request(scope, receive).json()),
            "sample": [],
        }
        await JSONResponse({"data": data})(scope, receive, send)

    return planning_with(answer)


FACTORS = {"role.seniority": 2.0, "role.departments": 2.0, "company.industries": 1.5}


def apart(config: Mapping[str, Any]) -> int:
    """As if each filter kept a part of everybody, whatever the others keep."""
    kept = 1.0 if config.get("minTopicOverlap", 1) == 1 else 0.1
    for key in config.get("filters", {}):
        kept /= FACTORS.get(key, 1.0)
    return round(600 * kept * (1 + (70 - config.get("minScore", 0)) / 100))


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("target", "pairs", "reached"),
    [
        # One change is enough.
        (range(180, 211), {}, ["filter", "filter"]),
        (range(8, 13), {}, ["overlap"]),
        # Only two together bring as many, and the best guesses are tried.
        (
            range(238, 243),
            {
                "minScore 50 and without seniority": 240,
                "minScore 50 and without department": 240,
                "minScore 60 and without seniority": 220,
                "minScore 60 and without department": 220,
            },
            ["pair", "pair"],
        ),
        # What alone brings too many, or changes nothing, is no help.
        (
            range(178, 183),
            {
                "minScore 50 and without companyIndustry": 180,
                "minScore 60 and without companyIndustry": 165,
            },
            ["pair"],
        ),
        # Where fewer are wanted, what brings more is none, nor what alone brings too few.
        (range(20, 26), {}, []),
        (
            range(5, 9),
            {"minScore 80 and minTopicOverlap 2": 9, "minScore 90 and minTopicOverlap 2": 8},
            ["pair"],
        ),
    ],
)
async def test_two_changes_are_tried_where_none_alone_reaches_the_target(
    target: range, pairs: dict[str, int], reached: list[str]
) -> None:
    filters: dict[str, Any] = {
        "seniority": ["vp"],
        "department": ["marketing"],
        "companyIndustry": ["banking"],
    }
    brief = Brief(topics=(600001, 600043), filters=filters, target=target)
    plan = await make_plan(sized_by(apart), brief)
    assert plan.size == 100
    assert plan.sized.sizes("pair") == pairs
    assert [change.thing for change in plan.changes] == reached


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("own", "falls_at", "tried"),
    [
        (70, 77, ["60", "80", "50", "90", "75", "77", "76"]),
        # There is no score between neighbours.
        (73, 72, ["70", "80", "60", "90", "50", "71", "72"]),
    ],
)
async def test_three_scores_are_tried_between_two_steps_and_no_more(
    own: int, falls_at: int, tried: list[str]
) -> None:
    def falling(config: Mapping[str, Any]) -> int:
        return 1_000 if config["minScore"] < falls_at else 10

    brief = Brief(topics=(600001,), min_score=own, target=range(400, 500))
    plan = await make_plan(sized_by(falling), brief)
    assert [one.name for one in plan.sized.variations if one.thing == "score"] == tried
