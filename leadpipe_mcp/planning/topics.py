"""Topics: from what a user calls them to those that the service has."""

import math
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import anyio
import anyio.to_thread

from leadpipe_mcp.api.models import Breakdown
from leadpipe_mcp.api.topics import MOST_FOUND, Catalogue, Topic, Topics, TopicType
from leadpipe_mcp.errors import LeadpipeError, NotPossible, OutOfTime, ServiceError
from leadpipe_mcp.planning.names import CLOSE, How, NameIndex, compare, spelled, ways_to_say
from leadpipe_mcp.text import clean, form, nearest, quoted

SEARCH_SECONDS = 3.0
"""The service's search may take so long where the list of all topics is at hand."""
LITTLE = 3
"""Where so few are found plainly, near spellings are looked for as well."""

_HOWS: tuple[How, ...] = ("exact", "prefix", "words", "close")
_NEAREST = 3
_FAR = 0.35
_OTHERWISE = 0.99
"""What a match of a phrase said otherwise counts, against the same of the phrase itself."""


@dataclass(frozen=True)
class Kind:
    """What kind of topics is wanted; None is any."""

    type: TopicType | None = None
    industry: str | None = None
    category: str | None = None

    @property
    def is_any(self) -> bool:
        """Whether every topic will do."""
        return self == ANY

    def fits(self, topic: Topic) -> bool:
        """Whether the topic is of this kind."""
        wishes = (self.type, self.industry, self.category)
        has = (topic.type, topic.industry, topic.category)
        return all(
            wish is None or wish.casefold() == (value or "").casefold()
            for wish, value in zip(wishes, has, strict=True)
        )


ANY = Kind()


async def known_kind(topics: Topics, wanted: Kind) -> Kind:
    """The kind in the service's own words, as far as the service tells them.

    Raises:
        NotPossible: If it has no such industry or category, with the nearest.
    """
    if wanted.industry is None and wanted.category is None:
        return wanted
    try:
        facets = await topics.facets()
    except ServiceError:
        return wanted
    return Kind(
        wanted.type,
        _known("industry", wanted.industry, facets.industries),
        _known("category", wanted.category, facets.categories),
    )


def _known(what: str, word: str | None, facets: Sequence[Breakdown]) -> str | None:
    if word is None or not facets:
        return word
    names = {form(facet.value): facet.value for facet in facets}
    if form(word) in names:
        return names[form(word)]
    close = nearest(word, [clean(name, 60) for name in names.values()])
    raise NotPossible(
        f"No topic is of the {what} '{clean(word, 60)}'.",
        f"The nearest: {quoted(close)}." if close else "search_topics without queries lists them.",
    )


@dataclass(frozen=True)
class TopicMatch:
    """A topic that a phrase may mean, how it matches, and from 0 to 1 how like it is."""

    topic: Topic
    how: How
    likeness: float

    @property
    def order(self) -> tuple[int, float, str, int]:
        """What puts the best first."""
        topic = self.topic
        return (_HOWS.index(self.how), -self.likeness, topic.name.casefold(), topic.id)


@dataclass(frozen=True)
class Found:
    """What a phrase finds, the best first; where that is nothing, the nearest names."""

    phrase: str
    matches: tuple[TopicMatch, ...] = ()
    nearest: tuple[Topic, ...] = ()


@dataclass(frozen=True)
class Findings:
    """What each phrase finds, and what of the search did not succeed."""

    found: tuple[Found, ...]
    failures: tuple[LeadpipeError, ...] = ()
    searched: bool = True
    """Whether the service's own search answered for any phrase."""

    def problems(self) -> list[str]:
        """Say what failed, and where what was found is from."""
        what = (
            "Part of the search failed."
            if self.searched
            else "The service's search failed; its list of all topics was searched instead."
        )
        return list(dict.fromkeys(f"{what} {failure.problem}" for failure in self.failures))


def find_topics(
    phrases: Iterable[str], catalogue: Catalogue, kind: Kind = ANY, limit: int = 10
) -> tuple[Found, ...]:
    """What each phrase finds among all topics of the kind.

    The first search in a catalogue takes the fifth of a second that its index takes to build.
    """
    index = _index_of(catalogue)
    return tuple(_find(phrase, catalogue.topics, index, kind, limit) for phrase in phrases)


def _find(phrase: str, topics: Sequence[Topic], index: NameIndex, kind: Kind, limit: int) -> Found:
    def fits(number: int) -> bool:
        return kind.is_any or kind.fits(topics[number])

    own, *others = ways_to_say(phrase)
    matches = [
        TopicMatch(topics[place.number], place.how, place.likeness * worth)
        for way, worth in [(own, 1.0), *((other, _OTHERWISE) for other in others)]
        for place in index.plain(way)
        if fits(place.number)
    ]
    if len(matches) >= LITTLE:
        return Found(phrase, best_of(matches, limit))
    near = index.near(own, None if kind.is_any else fits)
    matches += [
        TopicMatch(topics[place.number], "close", place.likeness)
        for place in near
        if place.how == "close" and place.likeness >= CLOSE
    ]
    nearest = () if matches else [p.number for p in near[:_NEAREST] if p.likeness >= _FAR]
    return Found(phrase, best_of(matches, limit), tuple(topics[number] for number in nearest))


def best_of(matches: Iterable[TopicMatch], limit: int) -> tuple[TopicMatch, ...]:
    """The best matches, each topic once."""
    best: dict[int, TopicMatch] = {}
    for match in sorted(matches, key=lambda match: match.order):
        best.setdefault(match.topic.id, match)
    return tuple(best.values())[:limit]


_building = threading.Lock()


@lru_cache(maxsize=1)
def _index_of(catalogue: Catalogue) -> NameIndex:
    with _building:
        # A catalogue that is fetched anew mostly has the same names.
        return _built(tuple(topic.name for topic in catalogue.topics))


@lru_cache(maxsize=1)
def _built(names: tuple[str, ...]) -> NameIndex:
    return NameIndex(names)


async def look_up(
    topics: Topics,
    phrases: Sequence[str],
    kind: Kind = ANY,
    limit: int = 10,
    *,
    everywhere: bool = False,
) -> Findings:
    """Return what each phrase finds by the service's search and, where that is little, among all.

    Where the list of all topics is at hand, the search gets a few seconds and no more.

    Args:
        topics: The service's topics.
        phrases: What to look for.
        kind: What kind of topics is wanted.
        limit: How many to find for each phrase at most.
        everywhere: Whether to look among all topics in any case.

    Raises:
        LeadpipeError: If neither could be asked.
    """
    searches = _Searches(topics, kind, limit)
    patience = SEARCH_SECONDS if await topics.at_hand() else math.inf
    with anyio.move_on_after(patience) as waiting:
        async with anyio.create_task_group() as tasks:
            for phrase in dict.fromkeys(phrases):
                tasks.start_soon(searches.ask, phrase)
    if waiting.cancelled_caught:
        problem = f"The service did not answer within {SEARCH_SECONDS:g} seconds."
        searches.failures.append(OutOfTime(problem))
    thin = [phrase for phrase in phrases if everywhere or searches.found_little(phrase)]
    listed: dict[str, Found] = {}
    if thin:
        try:
            catalogue = await topics.all()
        except LeadpipeError as error:
            if not searches.answered:
                raise
            searches.failures.append(error)
        else:
            search = partial(find_topics, thin, catalogue, kind, limit)
            listed = dict(zip(thin, await anyio.to_thread.run_sync(search), strict=True))
    found = (searches.joined(phrase, listed.get(phrase, Found(phrase))) for phrase in phrases)
    return Findings(tuple(found), tuple(searches.failures), searches.answered)


class _Searches:
    """The service's own search for some phrases, and what came of it."""

    def __init__(self, topics: Topics, kind: Kind, limit: int) -> None:
        self._topics = topics
        self._kind = kind
        self._limit = limit
        self._matches: dict[str, list[TopicMatch]] = {}
        self.failures: list[LeadpipeError] = []

    async def ask(self, phrase: str) -> None:
        """Nothing; what the service finds for the phrase, or its failure, is noted."""
        kind = self._kind
        # The service's search knows no category: more is asked for, and what fits is kept.
        limit = MOST_FOUND if kind.category else min(MOST_FOUND, self._limit)
        try:
            found = await self._topics.search(
                phrase, type=kind.type, industry=kind.industry, limit=limit
            )
        except LeadpipeError as error:
            self.failures.append(error)
            return
        self._matches[phrase] = [_match(phrase, topic) for topic in found if kind.fits(topic)]

    @property
    def answered(self) -> bool:
        """Whether the service's search answered for any phrase."""
        return bool(self._matches)

    def found_little(self, phrase: str) -> bool:
        """Whether the catalogue may know better: few plain matches, or another way to say it."""
        plain = [match for match in self._matches.get(phrase, ()) if match.how != "close"]
        wanted = self._limit if self._kind.category else min(LITTLE, self._limit)
        return len(plain) < wanted or len(ways_to_say(phrase)) > 1

    def joined(self, phrase: str, listed: Found) -> Found:
        """What the service and the catalogue find for the phrase."""
        matches = best_of([*self._matches.get(phrase, ()), *listed.matches], self._limit)
        return Found(phrase, matches, () if matches else listed.nearest)


def _match(phrase: str, topic: Topic) -> TopicMatch:
    """A topic that the service found; close where only the service knows why."""
    name, (own, *others) = spelled(topic.name), ways_to_say(phrase)
    matches = [TopicMatch(topic, *compare(own, name))]
    for other in others:
        how, likeness = compare(other, name)
        matches.append(TopicMatch(topic, how, likeness * _OTHERWISE))
    return min(matches, key=lambda match: match.order)
