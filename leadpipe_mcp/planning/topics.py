"""Finds the service's topics by what a user calls them."""

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
"""How long the service's search may take if the list of all topics is at hand."""
LITTLE = 3
"""If fewer than this are found plainly, near spellings are searched as well."""

_HOWS: tuple[How, ...] = ("exact", "prefix", "words", "close")
_NEAREST = 3
_FAR = 0.35
_OTHERWISE = 0.99
"""What a match of another way to say a phrase counts, against one of the phrase itself."""


@dataclass(frozen=True)
class TopicFilter:
    """Which topics are wanted; None means any."""

    type: TopicType | None = None
    industry: str | None = None
    category: str | None = None

    @property
    def is_any(self) -> bool:
        """Whether every topic will do."""
        return self == ANY

    def fits(self, topic: Topic) -> bool:
        """Return whether the topic is one of these."""
        wishes = (self.type, self.industry, self.category)
        has = (topic.type, topic.industry, topic.category)
        return all(
            wish is None or wish.casefold() == (value or "").casefold()
            for wish, value in zip(wishes, has, strict=True)
        )


ANY = TopicFilter()


async def known_kind(topics: Topics, wanted: TopicFilter) -> TopicFilter:
    """Return the filter in the service's own words, if it can be asked for them.

    Raises:
        NotPossible: If it has no such industry or category, with the nearest.
    """
    if wanted.industry is None and wanted.category is None:
        return wanted
    try:
        facets = await topics.facets()
    except ServiceError:
        return wanted
    return TopicFilter(
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
        f"No topic has the {what} '{clean(word, 60)}'.",
        f"The nearest: {quoted(close)}." if close else "search_topics without queries lists them.",
    )


@dataclass(frozen=True)
class TopicMatch:
    """A topic that a phrase may mean, how it matches, and how alike they are (0 to 1)."""

    topic: Topic
    how: How
    likeness: float

    @property
    def order(self) -> tuple[int, float, str, int]:
        """The sort key that puts the best first."""
        topic = self.topic
        return (_HOWS.index(self.how), -self.likeness, topic.name.casefold(), topic.id)


@dataclass(frozen=True)
class Found:
    """What a phrase finds, the best first; if nothing, the nearest names."""

    phrase: str
    matches: tuple[TopicMatch, ...] = ()
    nearest: tuple[Topic, ...] = ()


@dataclass(frozen=True)
class Findings:
    """What each phrase finds, and what failed."""

    found: tuple[Found, ...]
    failures: tuple[LeadpipeError, ...] = ()
    searched: bool = True
    """Whether the service's own search answered for any phrase."""

    def problems(self) -> list[str]:
        """Say what failed, and where the results come from."""
        what = (
            "Part of the search failed."
            if self.searched
            else "The service's search failed; its list of all topics was searched instead."
        )
        return list(dict.fromkeys(f"{what} {failure.problem}" for failure in self.failures))


def find_topics(
    phrases: Iterable[str], catalogue: Catalogue, kind: TopicFilter = ANY, limit: int = 10
) -> tuple[Found, ...]:
    """Search all topics of a kind for each phrase.

    The first search in a catalogue takes a fifth of a second to build its index.
    """
    index = _index_of(catalogue)
    return tuple(_find(phrase, catalogue.topics, index, kind, limit) for phrase in phrases)


def _find(
    phrase: str, topics: Sequence[Topic], index: NameIndex, kind: TopicFilter, limit: int
) -> Found:
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
    """Return the best matches, each topic once."""
    best: dict[int, TopicMatch] = {}
    for match in sorted(matches, key=lambda match: match.order):
        best.setdefault(match.topic.id, match)
    return tuple(best.values())[:limit]


_building = threading.Lock()


@lru_cache(maxsize=1)
def _index_of(catalogue: Catalogue) -> NameIndex:
    with _building:
        # A catalogue that is fetched again usually has the same names.
        return _built(tuple(topic.name for topic in catalogue.topics))


@lru_cache(maxsize=1)
def _built(names: tuple[str, ...]) -> NameIndex:
    return NameIndex(names)


async def look_up(
    topics: Topics,
    phrases: Sequence[str],
    kind: TopicFilter = ANY,
    limit: int = 10,
    *,
    everywhere: bool = False,
) -> Findings:
    """Return what each phrase finds by the service's search and, if that is little, among all.

    If the list of all topics is at hand, the search gets only a few seconds.

    Args:
        topics: The service's topics.
        phrases: What to look for.
        kind: Which topics are wanted.
        limit: The most to find for each phrase.
        everywhere: Whether to search all topics in any case.

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
    """The service's own search for some phrases, and its answers."""

    def __init__(self, topics: Topics, kind: TopicFilter, limit: int) -> None:
        self._topics = topics
        self._kind = kind
        self._limit = limit
        self._matches: dict[str, list[TopicMatch]] = {}
        self.failures: list[LeadpipeError] = []

    async def ask(self, phrase: str) -> None:
        """Note what the service finds for the phrase, or why it fails."""
        kind = self._kind
        # The service's search has no category, so it is asked for more, and what fits is kept.
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
        """Return whether the catalogue may have more, or knows another way to say it."""
        plain = [match for match in self._matches.get(phrase, ()) if match.how != "close"]
        wanted = self._limit if self._kind.category else min(LITTLE, self._limit)
        return len(plain) < wanted or len(ways_to_say(phrase)) > 1

    def joined(self, phrase: str, listed: Found) -> Found:
        """Merge what the service and the catalogue find for the phrase."""
        matches = best_of([*self._matches.get(phrase, ()), *listed.matches], self._limit)
        return Found(phrase, matches, () if matches else listed.nearest)


def _match(phrase: str, topic: Topic) -> TopicMatch:
    """Return how a topic that the service found matches; close if only the service knows why."""
    name, (own, *others) = spelled(topic.name), ways_to_say(phrase)
    matches = [TopicMatch(topic, *compare(own, name))]
    for other in others:
        how, likeness = compare(other, name)
        matches.append(TopicMatch(topic, how, likeness * _OTHERWISE))
    return min(matches, key=lambda match: match.order)
