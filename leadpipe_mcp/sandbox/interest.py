"""Who is interested in a topic on a day, and how much: a score for everybody, or 0."""

from datetime import date
from functools import lru_cache
from math import fsum, sin

from leadpipe_mcp.sandbox.dice import BYTE, dice, mask, number
from leadpipe_mcp.sandbox.topics import FIELDS, Topic, find_topic
from leadpipe_mcp.sandbox.vocabulary import AGE_RANGES, DEPARTMENT_OF_ROLE, INDUSTRIES
from leadpipe_mcp.sandbox.world import world_of

LOWEST, HIGHEST = 50, 99
# How much likelier than strangers people are interested whose trade the topic is about, whose
# department (or, in private life, whose age), and those for whom it is both.
_LIKELIER = (1.0, 2.1, 3.4, 4.4)
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
# How many people are as interested in a whole industry as in all that is business or private, in a
# subject as in its industry, in a topic as in its subject.
_BROAD = (0.18, 0.42, 0.7)
# How many of 256 change their minds from one day to the next.
_CHURN = 8


@lru_cache(maxsize=128)
def scores(people: int, topic_id: int, day: date) -> bytes:
    """One score per person, 50 to 99, or 0 for those the topic leaves cold that day."""
    topic = find_topic(topic_id)
    if topic is None:
        return bytes(people)
    # Interest comes and goes over weeks, at each topic's own pace.
    reach = popularity(topic) * (1 + 0.12 * sin(topic.id + day.toordinal() / (5 + topic.id % 7)))
    life = "private life" if topic.type == "b2c" else "business"
    usual = _rolls(people, life, topic.industry, topic.subject, f"topic {topic.id}")
    rolls = (usual ^ _churned(people, day)).to_bytes(people, "little")
    classes, found = _nearness(people, topic.industry), 0
    # `sum` rounds differently from Python 3.12 on.
    everyone = fsum(many * likelier for (_, many), likelier in zip(classes, _LIKELIER, strict=True))
    for (these, _), likelier in zip(classes, _LIKELIER, strict=True):
        chance = min(reach * people * likelier / everyone, 1)
        found |= number(rolls.translate(_scores_below(round(chance * BYTE)))) & these
    return found.to_bytes(people, "little")


def popularity(topic: Topic) -> float:
    """How large a part of everybody the topic reaches over the weeks."""
    known = _KNOWN_REACH.get(topic.id, topic.reach)
    luck = dice(f"reach {topic.id}").random()
    # Some topics interest nobody.
    return known or (0.0 if luck < 0.03 else 0.01 + 0.45 * luck**2.5)


@lru_cache(maxsize=BYTE + 1)
def _scores_below(limit: int) -> bytes:
    """The score by the roll: the lower it is, the higher, and low scores are the commonest."""
    spread = HIGHEST + 1 - LOWEST
    return bytes(
        LOWEST + int(spread * (1 - (roll + 0.5) / limit) ** 1.2) if roll < limit else 0
        for roll in range(BYTE)
    )


@lru_cache(maxsize=24)
def _nearness(people: int, industry: str) -> list[tuple[int, int]]:
    """Masks of those for whom each of `_LIKELIER` is true, and how many they are."""
    columns, field = world_of(people).columns, FIELDS[industry]
    trade = {place for place, each in enumerate(INDUSTRIES) if each.name in field.industries}
    departments = {
        role for role, name in enumerate(DEPARTMENT_OF_ROLE) if name in field.departments
    }
    ages = {place for place, age in enumerate(AGE_RANGES) if age in field.ages}
    near = mask(columns["industry"], trade)
    nearer = mask(columns["role"], departments) | mask(columns["age"], ages)
    classes = [near ^ (near & nearer), nearer ^ (near & nearer), near & nearer]
    strangers = ((1 << 8 * people) - 1) ^ (near | nearer)
    return [(these, these.bit_count() // 8) for these in (strangers, *classes)]


@lru_cache(maxsize=64)
def _rolls(people: int, *path: str) -> int:
    """Everybody's roll for the last of the path, the lower the keener.

    The broadest people have the same one for whatever comes before it.
    """
    own = number(dice(" / ".join(path)).randbytes(people))
    if len(path) == 1:
        return own
    broad = mask(_breadth(people), range(round(_BROAD[len(path) - 2] * BYTE)))
    return own ^ ((own ^ _rolls(people, *path[:-1])) & broad)


@lru_cache(maxsize=4)
def _breadth(people: int) -> bytes:
    return dice("who is broad").randbytes(people)


@lru_cache(maxsize=128)
def _churned(people: int, day: date) -> int:
    """What is rolled anew that day, so that no two days have the same audience."""
    fickle = mask(dice(f"day {day}").randbytes(people), range(_CHURN))
    return fickle & _rolls(people, f"rolls of {day}")
