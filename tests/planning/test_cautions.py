"""What a careful colleague points out about a plan, and which change is advised."""

import datetime as dt
from typing import Any

import pytest

from leadpipe_mcp.api.models import AudienceConfig, Person, Preview
from leadpipe_mcp.api.topics import Topic
from leadpipe_mcp.planning.cautions import cautions, of_size
from leadpipe_mcp.planning.choosing import ChosenTopics, TopicChoice
from leadpipe_mcp.planning.plan import Plan
from leadpipe_mcp.planning.sizing import Sized
from leadpipe_mcp.planning.target import NO_END, Change, advise, said
from leadpipe_mcp.planning.variations import at_score, other_overlap, without_each_topic

CONFIG = AudienceConfig(
    topic_ids=(1, 2), min_score=70, filters={"hasBusinessEmail": True, "state": "texas"}
)
TODAY = dt.date(2026, 5, 5)
CRM, ERP = Topic(id=1, name="CRM"), Topic(id=2, name="ERP")
CHOSEN = ChosenTopics((TopicChoice("crm", "exact", CRM), TopicChoice("erp", "exact", ERP)))


def plan(
    size: int = 1_000,
    *,
    day: str | None = "2026-05-04",
    sample: tuple[Person, ...] = (),
    **sized: Any,  # noqa: ANN401 -- whatever Sized holds
) -> Plan:
    preview = Preview(size=size, data_date=day, config=CONFIG, sample=sample)
    return Plan(CONFIG, CHOSEN, None, Sized(preview, **sized))


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

    assert told == ["'CRM' hardly adds anybody: 5 of 1,000."]


@pytest.mark.parametrize(
    ("day", "told"),
    [
        ("2026-05-02", []),
        ("2026-05-01", ["The service's data is of 2026-05-01, 4 days old."]),
        ("2026-05-01T08:00:00Z", ["The service's data is of 2026-05-01, 4 days old."]),
        ("yesterday", []),
        (None, []),
    ],
)
def test_old_data_are_said_to_be_old(day: str | None, told: list[str]) -> None:
    assert cautions(plan(day=day), TODAY) == told


def test_personal_addresses_alone_are_pointed_out_where_business_ones_were_wanted() -> None:
    personal = Person(personal_email="a•••@example.com")
    business = Person(business_email="b•••@acme.example")

    assert cautions(plan(sample=(personal, personal)), TODAY) == [
        "Business e-mail was wanted, but all 2 of the sample have personal ones only."
    ]
    assert cautions(plan(sample=(personal, business)), TODAY) == []
    assert cautions(plan(sample=(Person(full_name="Ann Vale"),)), TODAY) == []


def test_small_sizes_are_said_to_be_small() -> None:
    assert of_size(0)[0].startswith("Nobody matches.")
    assert of_size(1) == ["Only 1 person: small for outreach. Fewer filters bring more."]
    assert of_size(100) == []


def change(score: int, size: int) -> Change:
    return Change(at_score(CONFIG, score), size)


def test_the_change_that_meddles_least_is_advised_and_what_stays_is_said() -> None:
    topic = Change(without_each_topic(CONFIG, {1: "CRM"})[0], 300)
    told = advise(range(200, 401), 1_000, [topic, change(90, 250)])
    assert told.change == change(90, 250)
    assert told.reason == (
        "With minScore 90 there would be 250, within 200 to 400: every topic and filter stays."
    )
    told = advise(range(200, 401), 1_000, [topic, change(90, 150)])
    assert told.reason == (
        "Without 'CRM' (1) there would be 300, within 200 to 400: every filter stays."
    )
    (overlap,) = other_overlap(CONFIG, more_people=False)
    assert advise(range(200, 401), 1_000, [topic, Change(overlap, 350)]).reason.startswith(
        "With minTopicOverlap 2 there would be 350"
    )


def test_where_nothing_reaches_the_target_the_nearest_is_named() -> None:
    target = range(2_000, NO_END + 1)
    nearer = advise(target, 100, [change(50, 900), change(90, 20)])
    assert nearer.change == change(50, 900)
    assert nearer.reason == (
        "No single change reaches 2,000 or more. With minScore 50 there would be 900, the nearest."
    )
    best = advise(target, 1_500, [change(50, 900)])
    assert (best.change, best.reason) == (None, "No single change comes nearer to 2,000 or more.")
    unknown = advise(target, None, [])
    assert unknown.reason == "Whether one change reaches 2,000 or more is not known."


def test_a_target_is_said_in_words() -> None:
    assert said(range(1_000, 3_001)) == "1,000 to 3,000"
    assert said(range(500, NO_END + 1)) == "500 or more"


def test_fewer_topics_can_be_required_than_are() -> None:
    strict = CONFIG.model_copy(update={"min_topic_overlap": 2})
    (looser,) = other_overlap(strict, more_people=True)
    assert looser.config.min_topic_overlap == 1
    assert other_overlap(strict, more_people=False) == []
    (stricter,) = other_overlap(CONFIG, more_people=False)
    assert (stricter.words, stricter.config.min_topic_overlap) == ("minTopicOverlap 2", 2)
