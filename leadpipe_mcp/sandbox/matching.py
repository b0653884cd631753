"""A config applied to the world: how many people fit, who they are, and how well they fit."""

from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from itertools import compress
from typing import Literal, NamedTuple

from leadpipe_mcp.sandbox.dice import BYTE, larger, number
from leadpipe_mcp.sandbox.facets import FACETS, Meaning, Operator
from leadpipe_mcp.sandbox.interest import HIGHEST, LOWEST, scores
from leadpipe_mcp.sandbox.world import World, world_of

Mode = Literal["any", "all"]
_ANYTHING = bytes(map(bool, range(BYTE)))


@dataclass(frozen=True, slots=True)
class Criterion:
    """One filter, in the sandbox's own words: a facet and what it has to be."""

    facet: str
    values: tuple[str, ...] = ()
    """The accepted values of a choice, or the terms of a text, in lower case."""
    wanted: bool = True
    """What a yes-or-no facet has to be."""
    operator: Operator = "contains"
    mode: Mode = "any"


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

    world: World
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
        fitting, total = number(self.best.translate(_ANYTHING)), 0
        in_range = _in_range(self.criteria)
        for topic in self.criteria.topics:
            column = scores(self.world.people, topic, self.day).translate(in_range)
            total += (number(column.translate(_ANYTHING)) & fitting).bit_count()
        return total

    def top(self, many: int) -> list[int]:
        """The first of the ranking, without ranking everybody."""
        found: list[int] = []
        for score in range(HIGHEST, LOWEST - 1, -1):
            person = self.best.find(score)
            while person >= 0:
                if len(found) == many:
                    return found
                found.append(person)
                person = self.best.find(score, person + 1)
        return found

    def hits(self, people: Iterable[int]) -> list[Hit]:
        """The same people with their scores and topics."""
        found = [Hit(self.world, person, self.best[person], []) for person in people]
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
        chosen = bytes(compress(self.world.columns[FACETS[facet].column], self.best))
        return _tally(chosen, FACETS[facet].meanings)


@lru_cache(maxsize=24)
def match(people: int, criteria: Criteria, day: date) -> Match:
    """Apply the criteria as of a day."""
    world = world_of(people)
    in_range = _in_range(criteria)
    touched = bytes(map(bool, in_range))
    overlaps, best = 0, 0
    for topic in criteria.topics:
        column = scores(people, topic, day)
        overlaps += number(column.translate(touched))
        best = larger(best, number(column.translate(in_range)), people)
    # Up to 250 topics: a person's overlap still fits into their byte.
    enough = bytes(code >= criteria.overlap for code in range(BYTE))
    fitting = number(overlaps.to_bytes(people, "little").translate(enough))
    candidates = fitting.bit_count()
    for criterion in criteria.filters:
        fitting &= holders(world, criterion)
    return Match(
        criteria=criteria,
        day=day,
        world=world,
        candidates=candidates,
        best=(best & (fitting * 255)).to_bytes(people, "little"),
    )


def holders(world: World, criterion: Criterion) -> int:
    """Those who meet one criterion, as 1 per person."""
    facet, accepts = FACETS[criterion.facet], _test(criterion)
    if facet.column == "company":
        return _staff(world, accepts, of_domain=facet.name == "companyDomain")
    accepted = bytes(map(accepts, facet.meanings)).ljust(BYTE, b"\0")
    return number(world.columns[facet.column].translate(accepted))


def population(world: World, facet: str) -> dict[str, int]:
    """How many of all people have each value."""
    return _tally(world.columns[FACETS[facet].column], FACETS[facet].meanings)


def _in_range(criteria: Criteria) -> bytes:
    return bytes(code if criteria.lowest <= code <= criteria.highest else 0 for code in range(BYTE))


def _tally(column: bytes, meanings: tuple[Meaning, ...]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for code, meaning in enumerate(meanings):
        if meaning and (many := column.count(code)):
            counts[str(meaning)] = counts.get(str(meaning), 0) + many
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _staff(world: World, accepts: Callable[[Meaning], bool], *, of_domain: bool) -> int:
    """Those who work at a company whose name or domain is accepted."""
    by_high: dict[int, bytearray] = {}
    for index, company in enumerate(world.companies):
        if accepts(company.domain if of_domain else company.name):
            by_high.setdefault(index // BYTE, bytearray(BYTE))[index % BYTE] = 1
    found = 0
    for high, lows in by_high.items():
        exactly = bytes(code == high for code in range(BYTE))
        found |= number(world.company_high.translate(exactly)) & number(
            world.company_low.translate(lows)
        )
    return found


def _test(criterion: Criterion) -> Callable[[Meaning], bool]:
    """A question to one meaning of a column: does it meet the criterion?"""
    kind = FACETS[criterion.facet].kind
    if kind == "flag":
        return lambda meaning: meaning is criterion.wanted
    if kind == "choice":
        return frozenset(criterion.values).__contains__
    among = any if criterion.mode == "any" else all
    equals = criterion.operator == "equals"
    unwanted = criterion.facet == "titleExclude"

    def reads(meaning: Meaning) -> bool:
        text = str(meaning).lower()
        return (
            among(text == term if equals else term in text for term in criterion.values)
            is not unwanted
        )

    return reads
