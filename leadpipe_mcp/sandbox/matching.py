"""Who is interested in a topic, and who fits a config: how many, who they are, and how well."""

from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from itertools import compress
from math import fsum, sin
from typing import NamedTuple

from leadpipe_mcp.sandbox.configs import FACETS, HIGHEST, LOWEST, Config, Facet
from leadpipe_mcp.sandbox.dice import BYTE, dice, larger, mask, number
from leadpipe_mcp.sandbox.topics import FIELDS, Topic, find_topic
from leadpipe_mcp.sandbox.vocabulary import AGE_RANGES, DEPARTMENT_OF_ROLE, INDUSTRIES
from leadpipe_mcp.sandbox.world import World, world_of

# How much likelier than strangers people are interested whose trade the topic is about, whose
# department (or, in private life, whose age), and those for whom it is both.
_LIKELIER = (1.0, 2.1, 3.4, 4.4)
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
    luck = dice(f"reach {topic.id}").random()
    # Some topics interest nobody.
    return topic.reach or (0.0 if luck < 0.03 else 0.01 + 0.45 * luck**2.5)


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
    return own ^ ((own ^ _rolls(people, *path[:-1])) & _broad(people, _BROAD[len(path) - 2]))


@lru_cache(maxsize=12)
def _broad(people: int, share: float) -> int:
    """Mask this share of all people, the broadest."""
    return mask(dice("who is broad").randbytes(people), range(round(share * BYTE)))


@lru_cache(maxsize=128)
def _churned(people: int, day: date) -> int:
    """What is rolled anew that day, so that no two days have the same audience."""
    fickle = mask(dice(f"day {day}").randbytes(people), range(_CHURN))
    return fickle & _rolls(people, f"rolls of {day}")


class Hit(NamedTuple):
    """One person who fits."""

    people: int
    """How many there are in the world."""
    person: int
    score: int
    """Their best score."""
    topics: list[int]
    """The topics that they fit, the one with the best score first."""


@dataclass(frozen=True, eq=False)
class Match:
    """The people who fit a config on a day."""

    config: Config
    day: date
    world: World
    candidates: int
    """How many fit by topic and score alone."""
    best: bytes
    """Everybody's best score among the topics, 0 for those who do not fit."""

    @cached_property
    def count(self) -> int:
        """How many people fit."""
        return self.world.people - self.best.count(0)

    @cached_property
    def ranking(self) -> "array[int]":
        """Those who fit, best score first, and by person among equals."""
        fitting = compress(range(self.world.people), self.best)
        return array("I", sorted(fitting, key=self.best.__getitem__, reverse=True))

    @cached_property
    def overlap(self) -> int:
        """How many topics those who fit have in all."""
        return sum(len(hit.topics) for hit in self.hits(self.ranking))

    def hits(self, people: Iterable[int]) -> list[Hit]:
        """The same people with their scores and topics."""
        found = [Hit(self.world.people, person, self.best[person], []) for person in people]
        marks: dict[tuple[int, int], int] = {}
        # Topic by topic, because hundreds of them do not fit into the memory of scores at once.
        for topic in self.config.topics:
            column = scores(self.world.people, topic, self.day)
            for hit in found:
                if self.config.lowest <= column[hit.person] <= self.config.highest:
                    hit.topics.append(topic)
                    marks[hit.person, topic] = column[hit.person]
        for hit in found:
            hit.topics.sort(key=lambda topic, person=hit.person: -marks[person, topic])
        return found

    def tally(self, facet: Facet) -> Counter[str]:
        """How many of those who fit have each value."""
        return tally(facet, compress(self.world.columns[facet.column], self.best))


def tally(facet: Facet, codes: Iterable[int]) -> Counter[str]:
    """How many of those with the codes have each value."""
    return Counter(str(facet.meanings[code]) for code in codes)


@lru_cache(maxsize=24)
def match(people: int, config: Config, day: date) -> Match:
    """Apply a config to the data of a day."""
    world, overlaps, best = world_of(people), 0, 0
    in_range = bytes(code if config.lowest <= code <= config.highest else 0 for code in range(BYTE))
    anything = bytes(map(bool, range(BYTE)))
    for topic in config.topics:
        column = scores(people, topic, day).translate(in_range)
        # Up to 250 topics: a person's overlap still fits into their byte.
        overlaps += number(column.translate(anything))
        best = larger(best, number(column), people)
    enough = bytes(code >= config.overlap for code in range(BYTE))
    fitting = number(overlaps.to_bytes(people, "little").translate(enough))
    candidates = fitting.bit_count()
    for criterion in config.filters:
        facet = FACETS[criterion.facet]
        accepted = bytes(map(criterion.accepts, facet.meanings))
        if facet.column == "employer":
            holders = bytes(map(accepted.__getitem__, world.employers))
        else:
            holders = world.columns[facet.column].translate(accepted.ljust(BYTE, b"\0"))
        fitting &= number(holders)
    found = (best & (fitting * 255)).to_bytes(people, "little")
    return Match(config, day, world, candidates, found)
