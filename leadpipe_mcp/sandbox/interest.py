"""Who is interested in a topic on a day, and how much: a score for everybody, or 0."""

from datetime import date
from functools import lru_cache
from math import sin

from leadpipe_mcp.sandbox.bytewise import BYTE, everyone, lower, number
from leadpipe_mcp.sandbox.dice import SIDES, dice, rolls
from leadpipe_mcp.sandbox.kinship import rolls_for
from leadpipe_mcp.sandbox.nearness import DEPARTMENT, TRADE, chances, nearness_of
from leadpipe_mcp.sandbox.topics import find_topic, near_name

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
    """Those whom the topic interests that day, as 255 per person."""
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
    """A few people's rolls fall anew each day, so that no two days have the same audience."""
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
