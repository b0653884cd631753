"""A config applied to the world: how many people fit, who they are, and how well they fit."""

from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from itertools import compress
from typing import NamedTuple

from leadpipe_mcp.sandbox.dice import BYTE, larger, number
from leadpipe_mcp.sandbox.facets import FACETS, Criterion, Facet
from leadpipe_mcp.sandbox.interest import scores
from leadpipe_mcp.sandbox.world import World, world_of


@dataclass(frozen=True, slots=True)
class Criteria:
    """A whole config, ready to be applied; its spelling no longer matters."""

    topics: tuple[int, ...]
    lowest: int
    highest: int
    overlap: int
    filters: tuple[Criterion, ...] = ()


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

    criteria: Criteria
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
        for topic in self.criteria.topics:
            column = scores(self.world.people, topic, self.day)
            for hit in found:
                if self.criteria.lowest <= column[hit.person] <= self.criteria.highest:
                    hit.topics.append(topic)
                    marks[hit.person, topic] = column[hit.person]
        for hit in found:
            hit.topics.sort(key=lambda topic, person=hit.person: -marks[person, topic])
        return found

    def breakdown(self, facet: str) -> dict[str, int]:
        """How many of those who fit have each value, the commonest value first."""
        return _tally(FACETS[facet], compress(self.world.columns[FACETS[facet].column], self.best))


@lru_cache(maxsize=24)
def match(people: int, criteria: Criteria, day: date) -> Match:
    """Apply the criteria as of a day."""
    world, overlaps, best = world_of(people), 0, 0
    in_range = bytes(
        code if criteria.lowest <= code <= criteria.highest else 0 for code in range(BYTE)
    )
    for topic in criteria.topics:
        column = scores(people, topic, day).translate(in_range)
        # Up to 250 topics: a person's overlap still fits into their byte.
        overlaps += number(column.translate(_ANYTHING))
        best = larger(best, number(column), people)
    enough = bytes(code >= criteria.overlap for code in range(BYTE))
    fitting = number(overlaps.to_bytes(people, "little").translate(enough))
    candidates = fitting.bit_count()
    for criterion in criteria.filters:
        fitting &= number(_holders(world, criterion))
    found = (best & (fitting * 255)).to_bytes(people, "little")
    return Match(criteria, day, world, candidates, found)


_ANYTHING = bytes(map(bool, range(BYTE)))


@lru_cache(maxsize=32)
def population(people: int, facet: str) -> dict[str, int]:
    """How many of all people have each value."""
    return _tally(FACETS[facet], world_of(people).columns[FACETS[facet].column])


def _tally(facet: Facet, codes: Iterable[int]) -> dict[str, int]:
    return dict(Counter(str(facet.meanings[code]) for code in codes).most_common())


def _holders(world: World, criterion: Criterion) -> bytes:
    """Those who meet the criterion, as 1 per person."""
    facet = FACETS[criterion.facet]
    accepted = bytes(map(criterion.accepts, facet.meanings))
    if facet.column == "employer":
        return bytes(map(accepted.__getitem__, world.employers))
    return world.columns[facet.column].translate(accepted.ljust(BYTE, b"\0"))
