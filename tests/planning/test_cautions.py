"""What a careful colleague points out about a plan, and which change is advised."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from leadpipe_mcp.api.models import AudienceConfig, Match, Preview, ServiceConfig, SpelledConfig
from leadpipe_mcp.api.topics import Topic
from leadpipe_mcp.errors import ServiceDown
from leadpipe_mcp.planning.choosing import ChosenTopics, TopicChoice
from leadpipe_mcp.planning.plan import Plan, cautions, of_size
from leadpipe_mcp.planning.sizing import (
    NO_END,
    Sized,
    Variation,
    advise,
    at_score,
    other_filters,
    other_overlap,
    pair_of,
    without_each_topic,
)

CONFIG = AudienceConfig(
    topic_ids=(1, 2), min_score=70, filters={"hasBusinessEmail": True, "state": ["texas"]}
)
SPELLED = SpelledConfig(ServiceConfig(topic_ids=(1, 2)), CONFIG)
BY_LISTING = replace(SPELLED, by_listing=("state",))
CUT = replace(
    SPELLED,
    matches=(Match("filters", "ageRange", "20-34", ("25 to 34",), "exact", cut=("18 to 24",)),),
)
CRM, ERP = Topic(id=1, name="CRM"), Topic(id=2, name="ERP")
CHOSEN = ChosenTopics((TopicChoice("crm", "exact", CRM), TopicChoice("erp", "exact", ERP)))
PERSONAL = {"personalEmail": "a•••@example.com"}
BUSINESS = {"businessEmail": "b•••@acme.example"}


def plan(
    size: int = 1_000,
    *,
    day: str | None = "2026-05-04",
    sample: tuple[dict[str, Any], ...] = (),
    spelled: SpelledConfig = SPELLED,
    overlap: int | None = 1,
    **measured: dict[str, int],
) -> Plan:
    config = CONFIG.model_copy(update={"min_topic_overlap": overlap})
    things: Any = measured
    sizes = {
        Variation(thing, name, "", config): its
        for thing, sizes in things.items()
        for name, its in sizes.items()
    }
    preview = Preview(size=size, data_date=day, config=config, sample=sample)
    return Plan(config, spelled, CHOSEN, Sized(config, preview, None, [*sizes], sizes))


def unknown(people: int) -> Plan:
    without = {"exclude.state": 1_000 + people}
    return plan(spelled=BY_LISTING, filter=without, unknown={"state": 0})


UNKNOWN = "exclude.state also leaves out {} whose state is not known."
CUT_NOTE = "ageRange '18 to 24' is only partly within 20-34, so left out."
REMARK = "'cto' is in 'director' too."
FEW_PEOPLE = "Only {}: small for outreach. Fewer filters bring more."


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        (plan(filter={"state": 4_000}, topic={"1": 600, "2": 500}), []),
        (
            plan(filter={"state": 20_000, "hasBusinessEmail": 30_000}),
            ["hasBusinessEmail alone removes 97 %: without it there are 30,000."],
        ),
        (
            plan(0, filter={"state": 20}),
            [*of_size(0), "state alone removes everybody: without it there are 20."],
        ),
        (plan(topic={"1": 995, "2": 400}), ["'CRM' adds hardly anybody: 5 of 1,000."]),
        (plan(topic={"1": 990, "2": 400}), []),
        # Sizes that were measured one after the other need not agree.
        (
            plan(topic={"1": 1_005, "2": 400}, overlap=None),
            ["'CRM' adds hardly anybody: 0 of 1,000."],
        ),
        # Where two must be researched, the one without the other brings nobody.
        (plan(topic={"1": 995, "2": 400}, overlap=2), []),
        (plan(spelled=BY_LISTING), [UNKNOWN.format("people")]),
        (unknown(60), [UNKNOWN.format("60 people")]),
        (unknown(1), [UNKNOWN.format("1 person")]),
        (unknown(0), []),
        (plan(spelled=CUT), [CUT_NOTE]),
        (plan(spelled=replace(CUT, matches=(replace(CUT.matches[0], cut=()),))), []),
        (plan(50), [FEW_PEOPLE.format("50 people")]),
        (
            replace(
                plan(),
                topics=replace(CHOSEN, problems=("The search is down.",)),
                sized=Sized(
                    CONFIG,
                    failure=ServiceDown("Away."),
                    failures={at_score(CONFIG, 50): ServiceDown("Down.")},
                ),
            ),
            [
                "Part of the topic search failed. The search is down.",
                "Part of the measuring failed. Away. Down.",
            ],
        ),
        (
            plan(spelled=CUT, cut={"ageRange 18 to 24": 1_200}),
            [f"{CUT_NOTE} With '18 to 24' there would be 1,200."],
        ),
        (
            plan(1, spelled=replace(SPELLED, remarks=(REMARK,))),
            [REMARK, FEW_PEOPLE.format("1 person")],
        ),
        (plan(100, day="2026-05-02"), []),
        (plan(day="2026-05-01T08"), ["The service's data is from 2026-05-01, 4 days old."]),
        (
            plan(sample=(PERSONAL, PERSONAL)),
            ["Business e-mail was wanted, but all 2 of the sample have only personal ones."],
        ),
        (plan(sample=(PERSONAL, BUSINESS)), []),
    ],
)
def test_what_is_odd_about_a_plan_is_pointed_out_and_nothing_else(
    odd: Plan, said: list[str]
) -> None:
    assert cautions(odd, dt.date(2026, 5, 5)) == said


WITHOUT_CRM = next(without_each_topic(CONFIG, {1: "CRM"}))
_, WITHOUT_STATE = other_filters(SPELLED)
HIGH, LOW = at_score(CONFIG, 90), at_score(CONFIG, 50)
(STRICT,) = other_overlap(CONFIG, more_people=False)
PAIR = pair_of(CONFIG, LOW, WITHOUT_CRM)
assert PAIR
assert PAIR.words == "minScore 50 and without 'CRM' (1)"
NONE = "No change, nor any two together, reaches 2,000 or more. "
FEW, MANY = range(20, 41), range(2_000, NO_END + 1)


@pytest.mark.parametrize(
    ("target", "size", "sizes", "reason"),
    [
        (FEW, 30, {HIGH: 25}, "That is within 20 to 40."),
        (
            *(FEW, 100, {WITHOUT_CRM: 30, STRICT: 35, HIGH: 25}),
            "With minScore 90 there would be 25, within 20 to 40: every topic and filter stays.",
        ),
        (
            *(FEW, 100, {PAIR: 32, WITHOUT_CRM: 30, HIGH: 15}),
            "Without 'CRM' (1) there would be 30, within 20 to 40: every filter stays.",
        ),
        (
            *(FEW, 100, {WITHOUT_STATE: 30, HIGH: 15}),
            "Without state there would be 30, within 20 to 40: the rest stays.",
        ),
        (
            *(FEW, None, {PAIR: 21}),
            f"With {PAIR.words} there would be 21, within 20 to 40: the rest stays.",
        ),
        (
            *(MANY, 100, {HIGH: 20, LOW: 900}),
            f"{NONE}With minScore 50 there would be 900, the closest.",
        ),
        (MANY, 1_500, {LOW: 900}, "No change comes closer to 2,000 or more."),
        (MANY, None, {}, "It is not known whether any change reaches 2,000 or more."),
    ],
)
def test_the_change_that_meddles_least_is_advised_or_the_nearest_and_what_stays_is_said(
    target: range, size: int | None, sizes: dict[Variation, int], reason: str
) -> None:
    told = advise(target, size, sizes)
    assert told.reason == reason
    named = [change for change in sizes if change.words.lower() in reason.lower()]
    assert told.change == next(iter(named), None)


def test_fewer_topics_can_be_required_than_are_and_two_changes_of_one_thing_are_no_pair() -> None:
    strict = CONFIG.model_copy(update={"min_topic_overlap": 2})
    (looser,) = other_overlap(strict, more_people=True)
    assert (looser.config.min_topic_overlap, STRICT.config.min_topic_overlap) == (1, 2)
    assert other_overlap(strict, more_people=False) == []
    # A topic is left out only where enough of them remain.
    assert list(without_each_topic(strict, {})) == []
    assert pair_of(CONFIG, HIGH, LOW) is pair_of(CONFIG, STRICT, WITHOUT_CRM) is None
