"""Finds the service's topics by what a user calls them: plainly, or by a near spelling."""

import math
import re
import unicodedata
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from typing import Literal

import anyio
import anyio.to_thread

from leadpipe_mcp.api.models import Breakdown
from leadpipe_mcp.api.topics import MOST_FOUND, Catalogue, Topic, Topics, TopicType
from leadpipe_mcp.errors import LeadpipeError, NotPossible, OutOfTime, ServiceError
from leadpipe_mcp.text import clean, form, likeness, nearest, quoted, singular
from leadpipe_mcp.vocabulary.resolve import known_words

SEARCH_SECONDS = 3.0
"""How long the service's search may take if the list of all topics is at hand."""
LITTLE = 3
"""If fewer than this are found plainly, near spellings are searched as well."""
CLOSE = 0.8
"""From this likeness on, one spelling may be meant for another."""

How = Literal["exact", "prefix", "words", "close"]
Words = tuple[str, ...]
"""A name in the form in which it is compared: its words, in lower case and the singular."""

_HOWS: tuple[How, ...] = ("exact", "prefix", "words", "close")
_NEAREST = 3
_FAR = 0.35
_OTHERWISE = 0.99
"""What a match of another way to say a phrase counts, against one of the phrase itself."""
_ALL_BUT_SAME = 0.9
_SHORT = 3
"""In a word this short, one other letter makes another word."""
_CANDIDATES = 24
_WORD = re.compile(r"[^\W_]+[+#]*")
_GLUE = frozenset("a an and for in of or the to with".split())  # noqa: SIM905 -- it reads better
_NO_PLURAL = frozenset({"news"})


@dataclass(frozen=True)
class TopicFilter:
    """Which topics are wanted; None means any."""

    type: TopicType | None = None
    industry: str | None = None
    category: str | None = None

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
        what = "The service's search failed; its list of all topics was searched instead."
        what = "Part of the search failed." if self.searched else what
        return list(dict.fromkeys(f"{what} {failure.problem}" for failure in self.failures))


def spelled(text: str) -> Words:
    """Return the form in which a text is compared."""
    plain = text.casefold().replace("'", "").replace("\N{RIGHT SINGLE QUOTATION MARK}", "")
    if not plain.isascii():
        letters = unicodedata.normalize("NFKD", plain)
        plain = "".join(c for c in letters if unicodedata.category(c) != "Mn")
    words = tuple(map(_singular, _WORD.findall(plain)))
    return tuple(word for word in words if word not in _GLUE) or words


@lru_cache(maxsize=65_536)
def _singular(word: str) -> str:
    return word if word in _NO_PLURAL else singular(word)


@lru_cache(maxsize=256)
def ways_to_say(phrase: str) -> tuple[Words, ...]:
    """Return the phrase itself, then the same with an abbreviation written out or the reverse."""
    words = spelled(phrase)
    ways = [words]
    for short, long in _abbreviations():
        for have, want in ((short, long), (long, short)):
            ways += [
                (*words[:start], *want, *words[start + len(have) :])
                for start in range(len(words) - len(have) + 1)
                if words[start : start + len(have)] == have
            ]
    return tuple(dict.fromkeys(ways))


@cache
def _abbreviations() -> list[tuple[Words, Words]]:
    pairs = (line.split(" = ") for line in known_words().abbreviations)
    return [(spelled(short), spelled(long)) for short, long in pairs]


def compare(phrase: Words, name: Words) -> tuple[How, float]:
    """Return how a name matches a phrase, and how like it is; "close" where nothing plain does."""
    start, whole = "".join(phrase), "".join(name)
    if start == whole:
        return "exact", 1.0
    asked, text = " ".join(phrase), " ".join(name)
    share = len(asked) / max(len(text), len(asked), 1)
    if whole.startswith(start):
        # "car" begins both "car rental" and "cargo": a whole word is worth more than a part of one.
        return "prefix", share if text.startswith(f"{asked} ") else share / 2
    if set(phrase) <= set(name):
        return "words", share
    alike = likeness(asked, text)
    # What two names share may tell least about them: "HR software" is far from "VR software".
    short_ones = {word for word in phrase if len(word) <= _SHORT}
    if alike >= _ALL_BUT_SAME and short_ones <= set(name):
        return "close", alike
    if words_are_near(phrase, name):
        return "close", max(alike, CLOSE)
    return "close", alike * CLOSE


def words_are_near(words: Words, others: Words) -> bool:
    """Return whether each of the words is spelled nearly like one of the others."""
    return all(any(likeness(word, other) >= CLOSE for other in others) for word in words)


class _Index:
    """The names of all topics, to look phrases up in."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = [spelled(name) for name in names]
        self._in_order = sorted(("".join(words), n) for n, words in enumerate(self.names))
        self._texts = {n: " ".join(words) for n, words in enumerate(self.names)}
        self._with_word: dict[str, set[int]] = defaultdict(set)
        for number, words in enumerate(self.names):
            for word in words:
                self._with_word[word].add(number)

    def plain(self, phrase: Words) -> set[int]:
        """Return the names that begin with the phrase or hold all of its words."""
        start = "".join(phrase)
        first, end = (
            bisect_left(self._in_order, (edge,)) for edge in (start, f"{start}\U0010ffff")
        )
        beginning = {number for _, number in self._in_order[first:end]}
        holding = [self._with_word.get(word, set[int]()) for word in phrase]
        return beginning | set[int].intersection(*holding)

    def near(self, phrase: Words, among: Iterable[int] | None) -> set[int]:
        """Return the names that look most like the phrase, or hold words like each of its own."""
        from rapidfuzz import fuzz, process

        names = self._texts if among is None else {n: self._texts[n] for n in among}
        likest = process.extract(" ".join(phrase), names, scorer=fuzz.ratio, limit=_CANDIDATES)
        words, found = self._with_word.keys(), names.keys()
        for word in phrase:
            like = process.extract(word, words, scorer=fuzz.ratio, score_cutoff=80, limit=None)
            found &= set[int]().union(*(self._with_word[other] for other, _, _ in like))
        return {number for _, _, number in likest} | found


@lru_cache(maxsize=2)
def _index_of(catalogue: Catalogue) -> _Index:
    return _built(tuple(topic.name for topic in catalogue.topics))


@lru_cache(maxsize=1)
def _built(names: tuple[str, ...]) -> _Index:
    return _Index(names)  # a catalogue that is fetched again usually has the same names


def find_topics(
    phrases: Iterable[str], catalogue: Catalogue, kind: TopicFilter = ANY, limit: int = 10
) -> tuple[Found, ...]:
    """Search all topics of a kind for each phrase; the first search takes a fifth of a second."""
    topics = catalogue.topics
    index = _index_of(catalogue)
    fitting = None if kind == ANY else {n for n, topic in enumerate(topics) if kind.fits(topic)}

    def matches(way: Words, numbers: set[int], worth: float) -> Iterator[TopicMatch]:
        for number in numbers if fitting is None else numbers & fitting:
            how, alike = compare(way, index.names[number])
            yield TopicMatch(topics[number], how, alike * worth)

    def find(phrase: str) -> Found:
        own, *others = ways_to_say(phrase)
        if not own:
            return Found(phrase)
        found = list(matches(own, index.plain(own), 1.0))
        for other in others:
            found += matches(other, index.plain(other), _OTHERWISE)
        if len(found) >= LITTLE:
            return Found(phrase, best_of(found, limit))
        near = best_of(matches(own, index.near(own, fitting), 1.0), limit)
        found += [match for match in near if match.how == "close" and match.likeness >= CLOSE]
        like = () if found else [m.topic for m in near[:_NEAREST] if m.likeness >= _FAR]
        return Found(phrase, best_of(found, limit), tuple(like))

    return tuple(map(find, phrases))


def best_of(matches: Iterable[TopicMatch], limit: int) -> tuple[TopicMatch, ...]:
    """Return the best matches, each topic once."""
    best: dict[int, TopicMatch] = {}
    for match in sorted(matches, key=lambda match: match.order):
        best.setdefault(match.topic.id, match)
    return tuple(best.values())[:limit]


async def look_up(
    topics: Topics,
    phrases: Sequence[str],
    kind: TopicFilter = ANY,
    limit: int = 10,
    *,
    everywhere: bool = False,
) -> Findings:
    """Return what each phrase finds by the service's search and, if that is little, among all.

    If the list of all topics is at hand, the search gets only a few seconds. With `everywhere`,
    all topics are searched in any case.

    Raises:
        LeadpipeError: If neither could be asked.
    """
    failures: list[LeadpipeError] = []
    # The service's search has no category, so it is asked for more, and what fits is kept.
    most = MOST_FOUND if kind.category else min(MOST_FOUND, limit)
    searched = await _searched(topics, phrases, kind, most, failures)

    def is_little(phrase: str) -> bool:
        """Return whether the catalogue may have more, or knows another way to say it."""
        plain = sum(match.how != "close" for match in searched.get(phrase, ()))
        wanted = limit if kind.category else min(LITTLE, limit)
        return plain < wanted or len(ways_to_say(phrase)) > 1

    listed: dict[str, Found] = {}
    if little := [phrase for phrase in phrases if everywhere or is_little(phrase)]:
        try:
            catalogue = await topics.all()
        except LeadpipeError as error:
            if not searched:
                raise
            failures.append(error)
        else:
            find = partial(find_topics, little, catalogue, kind, limit)
            listed = {one.phrase: one for one in await anyio.to_thread.run_sync(find)}
    found: list[Found] = []
    for phrase in phrases:
        more = listed.get(phrase, Found(phrase))
        best = best_of([*searched.get(phrase, ()), *more.matches], limit)
        found.append(Found(phrase, best, () if best else more.nearest))
    return Findings(tuple(found), tuple(failures), searched=bool(searched))


async def _searched(
    topics: Topics,
    phrases: Sequence[str],
    kind: TopicFilter,
    most: int,
    failures: list[LeadpipeError],
) -> dict[str, list[TopicMatch]]:
    """Return what the service's own search finds for each phrase for which it answers."""
    found: dict[str, list[TopicMatch]] = {}

    async def search(phrase: str) -> None:
        try:
            those = await topics.search(phrase, type=kind.type, industry=kind.industry, limit=most)
        except LeadpipeError as error:
            failures.append(error)
        else:
            found[phrase] = [_match(phrase, topic) for topic in those if kind.fits(topic)]

    patience = SEARCH_SECONDS if await topics.at_hand() else math.inf
    with anyio.move_on_after(patience) as waiting:
        async with anyio.create_task_group() as tasks:
            for phrase in dict.fromkeys(phrases):
                tasks.start_soon(search, phrase)
    if waiting.cancelled_caught:
        problem = f"The service did not answer within {SEARCH_SECONDS:g} seconds."
        failures.append(OutOfTime(problem))
    return found


def _match(phrase: str, topic: Topic) -> TopicMatch:
    """Return how a topic that the service found matches; close if only the service knows why."""
    name, (own, *others) = spelled(topic.name), ways_to_say(phrase)
    matches = [TopicMatch(topic, *compare(own, name))]
    for how, alike in (compare(other, name) for other in others):
        matches.append(TopicMatch(topic, how, alike * _OTHERWISE))
    return min(matches, key=lambda match: match.order)
