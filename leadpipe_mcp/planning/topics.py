"""Finds the service's topics by what a user calls them: plainly, or by a near spelling."""

import math
import re
import threading
import unicodedata
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache, partial
from typing import Literal
from weakref import WeakKeyDictionary

import anyio
import anyio.to_thread

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
_singular = lru_cache(maxsize=65_536)(singular)


@dataclass(frozen=True)
class TopicFilter:
    """Which topics are wanted; None means any."""

    type: TopicType | None = None
    industry: str | None = None
    category: str | None = None

    def fits(self, topic: Topic) -> bool:
        """Return whether the topic is one of these."""
        pairs = (
            (self.type, topic.type),
            (self.industry, topic.industry),
            (self.category, topic.category),
        )
        return all(
            wish is None or (has is not None and wish.casefold() == has.casefold())
            for wish, has in pairs
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
    known: dict[str, str] = {}
    kinds = {"industry": (wanted.industry, facets.industries)}
    kinds["category"] = (wanted.category, facets.categories)
    for what, (word, having) in kinds.items():
        names = {form(facet.value): facet.value for facet in having}
        if word is None or not names:
            continue
        if form(word) not in names:
            close = nearest(word, [clean(name, 60) for name in names.values()])
            raise NotPossible(
                f"No topic has the {what} '{clean(word, 60)}'.",
                f"The nearest: {quoted(close)}."
                if close
                else "search_topics without queries lists them.",
            )
        known[what] = names[form(word)]
    return replace(wanted, **known)


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
    words = tuple(w if w in _NO_PLURAL else _singular(w) for w in _WORD.findall(plain))
    return tuple(word for word in words if word not in _GLUE) or words


@lru_cache(maxsize=256)
def ways_to_say(phrase: str) -> tuple[Words, ...]:
    """Return the phrase itself, then the same with an abbreviation written out or the reverse."""
    words = spelled(phrase)
    ways = [words]
    for short, long in _abbreviations():
        for have, want in ((short, long), (long, short)):
            ways += [
                (*words[:start], *want, *words[start + len(have) :])
                for start in range(len(words))
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
    share = len(asked) / max(len(text), len(asked))
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
        edges = (start, f"{start}\U0010ffff")
        first, end = (bisect_left(self._in_order, (edge,)) for edge in edges)
        beginning = {number for _, number in self._in_order[first:end]}
        holding = [self._with_word.get(word, set[int]()) for word in phrase]
        return beginning | set[int].intersection(*holding)

    def near(self, phrase: Words, among: Iterable[int] | None) -> set[int]:
        """Return the names that look most like the phrase, or hold words like each of its own."""
        from rapidfuzz import fuzz, process

        names = self._texts if among is None else {n: self._texts[n] for n in among}
        likest = process.extract(" ".join(phrase), names, scorer=fuzz.ratio, limit=_CANDIDATES)
        words, found, least = self._with_word.keys(), names.keys(), 100 * CLOSE
        for word in phrase:
            like = process.extract(word, words, scorer=fuzz.ratio, score_cutoff=least, limit=None)
            found &= set[int]().union(*(self._with_word[other] for other, _, _ in like))
        return {number for _, _, number in likest} | found


_indexes: WeakKeyDictionary[Catalogue, _Index] = WeakKeyDictionary()
_indexing = threading.Lock()


def _index_of(catalogue: Catalogue) -> _Index:
    """Return the index of the catalogue, which is made once and goes with it."""
    with _indexing:
        if catalogue not in _indexes:
            _indexes[catalogue] = _Index(topic.name for topic in catalogue.topics)
        return _indexes[catalogue]


def find_topics(
    phrases: Iterable[str], catalogue: Catalogue, kind: TopicFilter = ANY, limit: int = 10
) -> tuple[Found, ...]:
    """Search all topics of a kind for each phrase; the first search takes a fifth of a second."""
    topics = catalogue.topics
    index = _index_of(catalogue)
    fitting = None if kind == ANY else {n for n, topic in enumerate(topics) if kind.fits(topic)}

    def find(phrase: str) -> Found:
        own, *others = ways_to_say(phrase)
        if not own:
            return Found(phrase)
        numbers = set[int]().union(*map(index.plain, (own, *others)))
        numbers = numbers if fitting is None else numbers & fitting
        found = [_match(phrase, topics[n], index.names[n]) for n in numbers]
        if len(found) >= LITTLE:
            return Found(phrase, best_of(found, limit))
        looking_like = index.near(own, fitting)
        near = best_of((_match(phrase, topics[n], index.names[n]) for n in looking_like), limit)
        found += [match for match in near if match.how == "close" and match.likeness >= CLOSE]
        like = () if found else [m.topic for m in near[:_NEAREST] if m.likeness >= _FAR]
        return Found(phrase, best_of(found, limit), tuple(like))

    return tuple(map(find, phrases))


def _match(phrase: str, topic: Topic, name: Words) -> TopicMatch:
    """Return how the topic matches at best, however the phrase is said."""
    own, *others = ways_to_say(phrase)
    matches = [TopicMatch(topic, *compare(own, name))]
    for how, alike in (compare(other, name) for other in others):
        matches.append(TopicMatch(topic, how, alike * _OTHERWISE))
    return min(matches, key=lambda match: match.order)


def best_of(matches: Iterable[TopicMatch], limit: int) -> tuple[TopicMatch, ...]:
    """Return the best matches, each topic once."""
    best: dict[int, TopicMatch] = {}
    for match in sorted(matches, key=lambda match: match.order):
        best.setdefault(match.topic.id, match)
    return tuple(best.values())[:limit]


def _may_be_more(phrase: str, found: Sequence[TopicMatch], wanted: int) -> bool:
    """Return whether little was found plainly, or there is another way to say the phrase."""
    return sum(match.how != "close" for match in found) < wanted or len(ways_to_say(phrase)) > 1


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
    searched: dict[str, list[TopicMatch]] = {}
    failures: list[LeadpipeError] = []
    # The service's search has no category, so it is asked for more, and what fits is kept.
    most = MOST_FOUND if kind.category else min(MOST_FOUND, limit)
    wanted = limit if kind.category else min(LITTLE, limit)

    async def search(phrase: str) -> None:
        try:
            found = await topics.search(phrase, type=kind.type, industry=kind.industry, limit=most)
        except LeadpipeError as error:
            failures.append(error)
        else:
            fitting = filter(kind.fits, found)
            # Close, if only the service knows why it found it.
            searched[phrase] = [_match(phrase, topic, spelled(topic.name)) for topic in fitting]

    patience = SEARCH_SECONDS if await topics.at_hand() else math.inf
    with anyio.move_on_after(patience) as waiting:
        async with anyio.create_task_group() as tasks:
            for phrase in dict.fromkeys(phrases):
                tasks.start_soon(search, phrase)
    if waiting.cancelled_caught:
        problem = f"The service did not answer within {SEARCH_SECONDS:g} seconds."
        failures.append(OutOfTime(problem))

    listed: dict[str, Found] = {}
    little = [p for p in phrases if everywhere or _may_be_more(p, searched.get(p, ()), wanted)]
    if little:
        try:
            find = partial(find_topics, little, await topics.all(), kind, limit)
            listed = {one.phrase: one for one in await anyio.to_thread.run_sync(find)}
        except LeadpipeError as error:
            if not searched:
                raise
            failures.append(error)
    found: list[Found] = []
    for phrase in phrases:
        more = listed.get(phrase, Found(phrase))
        best = best_of([*searched.get(phrase, ()), *more.matches], limit)
        found.append(Found(phrase, best, () if best else more.nearest))
    return Findings(tuple(found), tuple(failures), searched=bool(searched))
