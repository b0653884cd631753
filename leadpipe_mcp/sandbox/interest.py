"""Who is interested in a topic on a day, and how much: a score for everybody, or 0."""

from datetime import date
from functools import lru_cache
from math import sin

from leadpipe_mcp.sandbox.dice import BYTE, dice, number
from leadpipe_mcp.sandbox.topics import field_of, find_topic
from leadpipe_mcp.sandbox.vocabulary import DEPARTMENT_OF_ROLE, INDUSTRIES
from leadpipe_mcp.sandbox.world import world_of

LOWEST, HIGHEST = 50, 99
# High scores are rarer than low ones: about one interested person in eight has 90 or more.
_SCORE_OF_ROLL = bytes(
    LOWEST + int((HIGHEST + 1 - LOWEST) * (roll / BYTE) ** 1.6) for roll in range(BYTE)
)
_BITS = 8
_CHURN = 0.03
_FITTING, _OTHERS = 1.6, 0.8
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
    interested = _interested(people, topic_id, day)
    if not interested:
        return bytes(people)
    _, how_much = _rolls(people, topic_id)
    marks = (how_much ^ _churned(people, day)).to_bytes(people, "little").translate(_SCORE_OF_ROLL)
    return (number(marks) & interested).to_bytes(people, "little")


def audience_of_day(people: int, topic_id: int, day: date) -> int:
    """How many people have a score for the topic that day, without looking at the scores."""
    return _interested(people, topic_id, day).bit_count() // _BITS


def popularity(topic_id: int) -> float:
    """How large a part of everybody the topic reaches over the weeks; 1 or more is all."""
    if topic_id in _KNOWN_REACH:
        return _KNOWN_REACH[topic_id]
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
    whom, _ = _rolls(people, topic_id)
    who = (whom ^ _churned(people, day)).to_bytes(people, "little")
    fitting = _fitting(people, topic.industry)
    return (number(who.translate(_below(reach * _FITTING))) & fitting) | (
        number(who.translate(_below(reach * _OTHERS))) & ~fitting
    )


@lru_cache(maxsize=32)
def _rolls(people: int, topic_id: int) -> tuple[int, int]:
    rolls = dice(f"topic {topic_id}").randbytes(2 * people)
    return number(rolls[:people]), number(rolls[people:])


@lru_cache(maxsize=128)
def _churned(people: int, day: date) -> int:
    """A few people's rolls fall anew each day, so that no two days have the same audience."""
    rolls = dice(f"day {day.isoformat()}")
    kept = bytes(0 if roll >= _CHURN * BYTE else 255 for roll in range(BYTE))
    return number(rolls.randbytes(people).translate(kept)) & number(rolls.randbytes(people))


def _drift(topic_id: int, day: date) -> float:
    """Interest comes and goes over weeks, at each topic's own pace."""
    return 1 + 0.12 * sin(topic_id + day.toordinal() / (5 + topic_id % 7))


@lru_cache(maxsize=64)
def _below(part: float) -> bytes:
    return bytes(255 if roll < part * BYTE else 0 for roll in range(BYTE))


@lru_cache(maxsize=24)
def _fitting(people: int, industry: str) -> int:
    """Those whose work the topic is about, as 255 per person."""
    columns, field = world_of(people).columns, field_of(industry)
    by_role = bytes(255 * (department in field.departments) for department in DEPARTMENT_OF_ROLE)
    by_industry = bytearray(BYTE)
    for code, company_industry in enumerate(INDUSTRIES, start=1):
        by_industry[code] = 255 * (company_industry.name in field.industries)
    return number(columns["role"].translate(by_role)) | number(
        columns["industry"].translate(by_industry)
    )
