"""Who is interested in a topic on a day, and how much: a score for everybody, or 0."""

from collections.abc import Container, Sequence
from datetime import date
from functools import lru_cache
from math import fsum, sin
from typing import Literal, NamedTuple

from leadpipe_mcp.sandbox.dice import BYTE, SIDES, chosen, dice, everyone, lower, number, rolls
from leadpipe_mcp.sandbox.topics import (
    Field,
    Topic,
    TopicType,
    field_of,
    find_topic,
    near_name,
    subject_of,
)
from leadpipe_mcp.sandbox.vocabulary import (
    AGE_RANGES,
    CONTACT_BITS,
    DECISION_MAKERS,
    DEPARTMENT_OF_ROLE,
    INDUSTRIES,
    SENIORITY_OF_ROLE,
)
from leadpipe_mcp.sandbox.world import World, world_of

# How near a topic is to somebody, as bits: it is about their trade; it is about their department
# or, in private life, for their age; and they are those who decide, or who live in private.
TRADE, DEPARTMENT, DECIDES = 1, 2, 4
# By the first two bits: how much likelier those people are interested than strangers.
_LIKELIER = (1.0, 2.1, 3.4, 4.4)
_DECIDING = 1.4
# No topic reaches quite everybody.
_MOST = 0.97
_WEIGHTS = tuple(_LIKELIER[code % DECIDES] * _DECIDING ** (code // DECIDES) for code in range(8))
_HEAVIEST_FIRST = sorted(range(len(_WEIGHTS)), key=_WEIGHTS.__getitem__, reverse=True)


class Nearness(NamedTuple):
    """How near the topics of a field are to everybody."""

    codes: bytes
    """The bits above, for each person."""
    parts: tuple[float, ...]
    """How large a part of all people has each code."""


@lru_cache(maxsize=24)
def nearness_of(people: int, industry: str) -> Nearness:
    """How near the topics of an industry are to everybody."""
    world, field = world_of(people), field_of(industry)
    found = _in_private(world, field) if field.type == "b2c" else _at_work(world, field)
    codes = found.to_bytes(people, "little")
    return Nearness(codes, tuple(codes.count(code) / people for code in range(len(_WEIGHTS))))


def chances(reach: float, parts: Sequence[float]) -> list[float]:
    """The chance of interest by nearness, so that together they make the reach."""
    found = [0.0] * len(_WEIGHTS)
    # `sum` rounds differently from Python 3.12 on.
    weight = fsum(part * each for part, each in zip(parts, _WEIGHTS, strict=True))
    # What the nearest cannot take because they are all interested is left to the others.
    for code in _HEAVIEST_FIRST:
        if parts[code]:
            found[code] = min(_MOST, reach * _WEIGHTS[code] / weight)
            reach -= found[code] * parts[code]
            weight -= _WEIGHTS[code] * parts[code]
    return found


def _at_work(world: World, field: Field) -> int:
    trades = [industry.name for industry in INDUSTRIES]
    return (
        _marked(world.columns["industry"], ["", *trades], field.industries, TRADE)
        | _marked(world.columns["role"], DEPARTMENT_OF_ROLE, field.departments, DEPARTMENT)
        | _marked(world.columns["role"], SENIORITY_OF_ROLE, DECISION_MAKERS, DECIDES)
    )


def _in_private(world: World, field: Field) -> int:
    known_from_business = [code & CONTACT_BITS["isB2b"] for code in range(BYTE)]
    return _marked(world.columns["age"], ["", *AGE_RANGES], field.ages, DEPARTMENT) | _marked(
        world.columns["contact"], known_from_business, {0}, DECIDES
    )


def _marked(column: bytes, meanings: Sequence[object], wanted: Container[object], bit: int) -> int:
    """The bit for everybody whose code in the column means something that is wanted."""
    marks = bytes(bit * (meaning in wanted) for meaning in meanings)
    return number(column.translate(marks.ljust(BYTE, b"\0")))


Question = Literal["whether", "how much"]
"""What is rolled for: the lower, the sooner a person is interested; the higher, the more."""
# How many people are broad enough to research all that is business, or private, and whole fields.
_EVERYTHING, _FIELD = 0.18, 0.42
# The same for a whole subject; topics differ in how close to its core they are.
_LOOSEST, _CLOSEST = 0.45, 0.95


@lru_cache(maxsize=64)
def rolls_for(people: int, topic: Topic, question: Question) -> int:
    """Everybody's roll for a topic, 0 to 127."""
    subject = _subject(people, subject_of(topic), topic.industry, topic.type, question)
    return _shared(people, f"topic {topic.id} {question}", subject, closeness(topic.id))


def closeness(topic_id: int) -> float:
    """How large a part of all people take the topic for its whole subject."""
    if near_name(topic_id):
        return _CLOSEST
    return _LOOSEST + (_CLOSEST - _LOOSEST) * dice(f"closeness {topic_id}").random()


@lru_cache(maxsize=32)
def _subject(people: int, subject: str, industry: str, kind: TopicType, question: Question) -> int:
    field = _field(people, industry, kind, question)
    return _shared(people, f"subject {subject} {question}", field, _FIELD)


@lru_cache(maxsize=16)
def _field(people: int, industry: str, kind: TopicType, question: Question) -> int:
    everything = rolls(f"{'private life' if kind == 'b2c' else 'business'} {question}", people)
    return _shared(people, f"field {industry} {question}", everything, _EVERYTHING)


def _shared(people: int, seed: str, whole: int, part: float) -> int:
    """Rolls of their own for all but a part of people, who take those for the whole."""
    broad = bytes(255 * (breadth < part * BYTE) for breadth in range(BYTE))
    return chosen(number(_breadth(people).translate(broad)), whole, rolls(seed, people))


@lru_cache(maxsize=2)
def _breadth(people: int) -> bytes:
    """How many others everybody is broader than; the broadest have 0."""
    return dice("who is broad").randbytes(people)


LOWEST, HIGHEST = 50, 99
# High scores are rarer than low ones, and rarer among strangers than among those whose trade and
# whose department the topic is about.
_RARITY = (1.9, 1.6, 1.2, 0.9)
# Those who take two topics for one have much the same score for both, but not quite.
_TWISTS = 8
_BITS = 8
_CHURN = 0.03
_NOBODY_BELOW, _NEARLY_ALL_ABOVE = 0.03, 0.985
# The topics of the documents' examples, and CRM Software and CRM Integration, are neither empty
# nor everybody's.
_KNOWN_REACH = {
    117805: 0.30,
    117890: 0.26,
    117918: 0.22,
    117801: 0.18,
    102391: 0.12,
    102081: 0.28,
    102082: 0.16,
}


@lru_cache(maxsize=96)
def scores(people: int, topic_id: int, day: date) -> bytes:
    """One score per person, 50 to 99, or 0 for those the topic leaves cold that day."""
    return scores_of_day(people, topic_id, day)


def scores_of_day(people: int, topic_id: int, day: date) -> bytes:
    """As `scores`, for series over many days that are not worth remembering."""
    topic, interested = find_topic(topic_id), _interested(people, topic_id, day)
    if not topic or not interested:
        return bytes(people)
    near = number(nearness_of(people, topic.industry).codes) & everyone(people, TRADE | DEPARTMENT)
    heat = rolls_for(people, topic, "how much") ^ _churned(people, day)
    # Six bits of a roll above two that say how near the topic is.
    heat = (heat & everyone(people, SIDES - 2)) << 1
    marks = (heat | near).to_bytes(people, "little").translate(_scores(topic_id % _TWISTS))
    return (number(marks) & interested).to_bytes(people, "little")


def audience_of_day(people: int, topic_id: int, day: date) -> int:
    """How many people have a score for the topic that day, without looking at the scores."""
    return _interested(people, topic_id, day).bit_count() // _BITS


def popularity(topic_id: int) -> float:
    """How large a part of everybody the topic reaches over the weeks; 1 or more is all."""
    if topic_id in _KNOWN_REACH:
        return _KNOWN_REACH[topic_id]
    near = near_name(topic_id)
    if near:
        return near.reach
    luck = dice(f"reach {topic_id}").random()
    if luck < _NOBODY_BELOW:
        return 0.0
    if luck > _NEARLY_ALL_ABOVE:
        return 1.3
    return 0.01 + 0.45 * luck**2.5


def _interested(people: int, topic_id: int, day: date) -> int:
    """Those interested in the topic that day, as 255 per person."""
    topic = find_topic(topic_id)
    reach = popularity(topic_id) * _drift(topic_id, day)
    if topic is None or reach == 0:
        return 0
    codes, parts = nearness_of(people, topic.industry)
    limits = [divmod(round(SIDES**2 * chance), SIDES) for chance in chances(reach, parts)]
    whole, rest = (
        number(codes.translate(bytes(limit).ljust(BYTE, b"\0")))
        for limit in zip(*limits, strict=True)
    )
    # A second roll decides between two sides of the first, for topics that reach very few.
    one_more = lower(_second_rolls(people), rest, people) & everyone(people, 1)
    rolled = rolls_for(people, topic, "whether") ^ _churned(people, day)
    return lower(rolled, whole + one_more, people)


@lru_cache(maxsize=128)
def _churned(people: int, day: date) -> int:
    """Roll again for a few people each day, so that no two days have the same audience."""
    rolled = dice(f"day {day.isoformat()}")
    kept = bytes(0 if roll >= _CHURN * BYTE else SIDES - 1 for roll in range(BYTE))
    return number(rolled.randbytes(people).translate(kept)) & number(rolled.randbytes(people))


def _drift(topic_id: int, day: date) -> float:
    """Interest comes and goes over weeks, at each topic's own pace."""
    return 1 + 0.12 * sin(topic_id + day.toordinal() / (5 + topic_id % 7))


@lru_cache(maxsize=2)
def _second_rolls(people: int) -> int:
    return rolls("second", people)


@lru_cache(maxsize=_TWISTS)
def _scores(twist: int) -> bytes:
    """The score by six bits of heat and two of nearness."""
    steps = BYTE // len(_RARITY)
    return bytes(
        LOWEST + int((HIGHEST + 1 - LOWEST) * (((step ^ twist) + 0.5) / steps) ** rarity)
        for step in range(steps)
        for rarity in _RARITY
    )
