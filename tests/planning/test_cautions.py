"""What a careful colleague points out about a plan, and which change is advised."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from leadpipe_mcp.api.models import AudienceConfig, Preview, ServiceConfig
from leadpipe_mcp.api.reading import Row
from leadpipe_mcp.api.spelling import Match, SpelledConfig
from leadpipe_mcp.api.topics import Topic
from leadpipe_mcp.planning.cautions import cautions, of_size
from leadpipe_mcp.planning.choosing import ChosenTopics, TopicChoice
from leadpipe_mcp.planning.plan import Plan
from leadpipe_mcp.planning.sizing import Sized
from leadpipe_mcp.planning.target import NO_END, Option, advise, describe
from leadpipe_mcp.planning.variations import at_score, other_overlap, pair_of, without_each_topic

CONFIG = AudienceConfig(
    topic_ids=(1, 2), min_score=70, filters={"hasBusinessEmail": True, "state": ["texas"]}
)
SPELLED = SpelledConfig(ServiceConfig(topic_ids=(1, 2)), CONFIG)
TODAY = dt.date(2026, 5, 5)
CRM, ERP = Topic(id=1, name="CRM"), Topic(id=2, name="ERP")
CHOSEN = ChosenTopics((TopicChoice("crm", "exact", CRM), TopicChoice("erp", "exact", ERP)))


def plan(
    size: int = 1_000,
    *,
    day: str | None = "2026-05-04",
    sample: tuple[Row, ...] = (),
    spelled: SpelledConfig = SPELLED,
    overlap: int = 1,
    **sized: Any,  # noqa: ANN401 -- whatever Sized holds
) -> Plan:
    config = CONFIG.model_copy(update={"min_topic_overlap": overlap})
    preview = Preview(size=size, data_date=day, config=config, sample=sample)
    return Plan(config, spelled, CHOSEN, Sized(preview, **sized))


def test_a_plan_in_which_nothing_is_odd_needs_no_caution() -> None:
    whole = plan(without_filter={"state": 4_000}, without_topic={1: 600, 2: 500})

    assert cautions(whole, TODAY) == []


def test_a_filter_that_removes_nearly_everybody_is_named_and_only_the_heaviest() -> None:
    told = cautions(plan(without_filter={"state": 20_000, "hasBusinessEmail": 30_000}), TODAY)

    assert told == ["hasBusinessEmail alone removes 97 %: without it there are 30,000."]
    nobody = cautions(plan(0, without_filter={"state": 20}), TODAY)
    assert nobody[-1] == "state alone removes everybody: without it there are 20."


def test_a_topic_that_brings_hardly_anybody_is_named() -> None:
    told = cautions(plan(without_topic={1: 995, 2: 400}), TODAY)

    assert told == ["'CRM' adds hardly anybody: 5 of 1,000."]
    # Where two must be researched, the one without the other brings nobody.
    assert cautions(plan(without_topic={1: 995, 2: 400}, overlap=2), TODAY) == []


@pytest.mark.parametrize(
    ("unknown", "said"),
    [
        ({}, ["exclude.state also leaves out people whose state is not known."]),
        ({"state": 1}, ["exclude.state also leaves out 1 person whose state is not known."]),
        ({"state": 60}, ["exclude.state also leaves out 60 people whose state is not known."]),
        ({"state": 0}, []),
    ],
)
def test_who_is_left_out_for_want_of_a_value_is_said_unless_it_is_nobody(
    unknown: dict[str, int], said: list[str]
) -> None:
    listing = replace(SPELLED, by_listing=("state",))

    assert cautions(plan(spelled=listing, unknown=unknown), TODAY) == said


def test_what_a_range_cuts_is_said_with_how_many_it_would_add_where_that_is_known() -> None:
    match = Match("filters", "ageRange", "20-34", ("25 to 34",), "exact", cut=("18 to 24",))
    cut = replace(SPELLED, matches=(match,))
    note = "ageRange '18 to 24' is only partly within 20-34, so left out."

    assert cautions(plan(spelled=cut), TODAY) == [note]
    known = plan(spelled=cut, with_cut={"ageRange 18 to 24": 1_200})
    assert cautions(known, TODAY) == [f"{note} With '18 to 24' there would be 1,200."]


def test_what_was_made_of_the_words_is_said_first() -> None:
    remarked = replace(SPELLED, remarks=("'cto' is in 'director' too.",))

    assert cautions(plan(20, spelled=remarked), TODAY)[0] == "'cto' is in 'director' too."


@pytest.mark.parametrize(
    ("day", "told"),
    [
        ("2026-05-02", []),
        ("2026-05-01", ["The service's data is from 2026-05-01, 4 days old."]),
        ("2026-05-01T08:00:00Z", ["The service's data is from 2026-05-01, 4 days old."]),
        ("yesterday", []),
        (None, []),
    ],
)
def test_old_data_are_said_to_be_old(day: str | None, told: list[str]) -> None:
    assert cautions(plan(day=day), TODAY) == told


def test_personal_addresses_alone_are_pointed_out_where_business_ones_were_wanted() -> None:
    personal = {"personalEmail": "a•••@example.com"}
    business = {"businessEmail": "b•••@acme.example"}

    assert cautions(plan(sample=(personal, personal)), TODAY) == [
        "Business e-mail was wanted, but all 2 of the sample have only personal ones."
    ]
    assert cautions(plan(sample=(personal, business)), TODAY) == []
    assert cautions(plan(sample=({"fullName": "Ann Vale"},)), TODAY) == []


def test_small_sizes_are_said_to_be_small() -> None:
    assert of_size(0)[0].startswith("Nobody matches.")
    assert of_size(1) == ["Only 1 person: small for outreach. Fewer filters bring more."]
    assert of_size(100) == []


def change(score: int, size: int) -> Option:
    return Option(at_score(CONFIG, score), size)


def test_the_change_that_meddles_least_is_advised_and_what_stays_is_said() -> None:
    topic = Option(without_each_topic(CONFIG, {1: "CRM"})[0], 300)
    score = change(90, 250)
    told = advise(range(200, 401), 1_000, [topic, score])
    assert told.change == score
    assert told.reason == (
        "With minScore 90 there would be 250, within 200 to 400: every topic and filter stays."
    )
    told = advise(range(200, 401), 1_000, [topic, change(90, 150)])
    assert told.reason == (
        "Without 'CRM' (1) there would be 300, within 200 to 400: every filter stays."
    )
    pair = pair_of(CONFIG, at_score(CONFIG, 60), without_each_topic(CONFIG, {1: "CRM"})[0])
    assert pair
    told = advise(range(200, 401), 1_000, [Option(pair, 300)])
    assert told.reason == (
        "With minScore 60 and without 'CRM' (1) there would be 300, within 200 to 400:"
        " the rest stays."
    )
    (overlap,) = other_overlap(CONFIG, more_people=False)
    assert advise(range(200, 401), 1_000, [topic, Option(overlap, 350)]).reason.startswith(
        "With minTopicOverlap 2 there would be 350"
    )


def test_where_nothing_reaches_the_target_the_nearest_is_named() -> None:
    target = range(2_000, NO_END + 1)
    nearest = change(50, 900)
    nearer = advise(target, 100, [nearest, change(90, 20)])
    assert nearer.change == nearest
    assert nearer.reason == (
        "No change, nor any two together, reaches 2,000 or more. With minScore 50 there would be"
        " 900, the closest."
    )
    best = advise(target, 1_500, [change(50, 900)])
    assert (best.change, best.reason) == (None, "No change comes closer to 2,000 or more.")
    unknown = advise(target, None, [])
    assert unknown.reason == "It is not known whether any change reaches 2,000 or more."


def test_a_target_is_said_in_words() -> None:
    assert describe(range(1_000, 3_001)) == "1,000 to 3,000"
    assert describe(range(500, NO_END + 1)) == "500 or more"


def test_fewer_topics_can_be_required_than_are() -> None:
    strict = CONFIG.model_copy(update={"min_topic_overlap": 2})
    (looser,) = other_overlap(strict, more_people=True)
    assert looser.config.min_topic_overlap == 1
    assert other_overlap(strict, more_people=False) == []
    (stricter,) = other_overlap(CONFIG, more_people=False)
    assert (stricter.words, stricter.config.min_topic_overlap) == ("minTopicOverlap 2", 2)


def test_two_changes_of_one_thing_are_no_pair_nor_are_those_that_leave_too_few_topics() -> None:
    (strict,) = other_overlap(CONFIG, more_people=False)
    topic = without_each_topic(CONFIG, {1: "CRM"})[0]

    assert pair_of(CONFIG, at_score(CONFIG, 60), at_score(CONFIG, 80)) is None
    assert pair_of(CONFIG, strict, topic) is None
