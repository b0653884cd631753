"""Names found by what they are, how they begin, the words in them, or a near spelling."""

import difflib
import heapq
import re
import unicodedata
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, lru_cache
from typing import Literal, NamedTuple

from leadpipe_mcp.text import singular

How = Literal["exact", "prefix", "words", "close"]

_WORD = re.compile(r"[^\W_]+[+#]*")
_GLUE = frozenset("a an and for in of or the to with".split())  # noqa: SIM905 -- it reads better
_NO_PLURAL = frozenset({"news"})
CLOSE = 0.8
"""From this likeness on, a spelling may be meant for another; below, it is the nearest at best."""

_ALL_BUT_SAME = 0.9
_SHORT = 3
"""A word of so many letters is another with one of them changed."""
_CANDIDATES = 24
"""So many names, those that share most with the phrase, are compared with it letter by letter."""
_MOST_LOOKED_AT = 30_000
"""So many places of three letters are counted; those that are in most names tell least."""
_WITHIN = 0.85
"""What a near spelling of a part of a name counts, against one of the whole."""


class Spelled(NamedTuple):
    """A name as it is compared: its words in lower case and the singular, without joints."""

    words: tuple[str, ...]

    @property
    def text(self) -> str:
        """The words with spaces between."""
        return " ".join(self.words)

    @property
    def run_together(self) -> str:
        """The words without spaces: e-commerce and ecommerce are one."""
        return "".join(self.words)


class Place(NamedTuple):
    """A name's place in the list, how it was found, and from 0 to 1 how like the phrase it is."""

    number: int
    how: How
    likeness: float


def spelled(text: str) -> Spelled:
    """The text as it is compared."""
    plain = text.casefold().replace("'", "").replace("\N{RIGHT SINGLE QUOTATION MARK}", "")
    if not plain.isascii():
        parts = unicodedata.normalize("NFKD", plain)
        plain = "".join(c for c in parts if unicodedata.category(c) != "Mn")
    words = tuple(map(_singular, _WORD.findall(plain)))
    return Spelled(tuple(word for word in words if word not in _GLUE) or words)


@lru_cache(maxsize=65_536)
def _singular(word: str) -> str:
    return word if word in _NO_PLURAL else singular(word)


def compare(phrase: Spelled, name: Spelled) -> tuple[How, float]:
    """How a name matches a phrase, and how like it is; close where nothing plain does."""
    if phrase.run_together == name.run_together:
        return "exact", 1.0
    share = len(phrase.text) / max(len(name.text), len(phrase.text), 1)
    if name.run_together.startswith(phrase.run_together):
        # A word that goes on is less than one that ends: "car" begins "car rental" and "cargo".
        return "prefix", share if name.text.startswith(f"{phrase.text} ") else share / 2
    if set(phrase.words) <= set(name.words):
        return "words", share
    return "close", _nearness(phrase, name)


def _nearness(phrase: Spelled, name: Spelled) -> float:
    """From 0 to 1: how near two spellings are; from `CLOSE` on, one may be meant for the other."""
    ours, theirs = _threes(phrase.text), _threes(name.text)
    common = len(ours & theirs)
    alike = 2 * common / (len(ours) + len(theirs))
    whole = max(_alike(phrase.text, name.text), alike, _WITHIN * common / len(ours))
    # What two names share may be the least of them: "HR software" is far from "VR software".
    short_ones = {word for word in phrase.words if len(word) <= _SHORT}
    if whole >= _ALL_BUT_SAME and short_ones <= set(name.words):
        return whole
    return max(whole, CLOSE) if words_are_near(phrase.words, name.words) else whole * CLOSE


def words_are_near(words: Iterable[str], others: Iterable[str]) -> bool:
    """Whether each of the words is spelled nearly as one of the others."""
    known = tuple(others)
    return all(any(_is_close(word, other) for other in known) for word in words)


def _is_close(one: str, other: str) -> bool:
    # Words of very different lengths cannot be, and need no look.
    both = len(one) + len(other)
    return 2 * min(len(one), len(other)) >= CLOSE * both and _alike(one, other) >= CLOSE


@lru_cache(maxsize=4096)
def _alike(one: str, other: str) -> float:
    """From 0 to 1: how much of two spellings is the same, in order."""
    return difflib.SequenceMatcher(None, other, one, autojunk=False).ratio()


def _threes(text: str) -> set[str]:
    """Every three letters in a row, the spaces around the text among them."""
    padded = f" {text} "
    return {padded[start : start + 3] for start in range(len(padded) - 2)} or {padded}


class SpellingIndex:
    """A list of names, made ready for looking up phrases in them.

    Args:
        names: What to look among; a `Place` gives a name's number in this list.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = [spelled(name) for name in names]
        self._in_order = sorted((name.run_together, n) for n, name in enumerate(self._names))
        self._lengths = [len(name.text) for name in self._names]
        self._whole: dict[str, list[int]] = defaultdict(list)
        self._by_word: dict[str, set[int]] = defaultdict(set)
        for number, name in enumerate(self._names):
            self._whole[name.run_together].append(number)
            for word in name.words:
                self._by_word[word].add(number)

    @cached_property
    def _by_three(self) -> dict[str, list[int]]:
        """The names by three letters in a row; made when first a spelling is not plain."""
        places: dict[str, list[int]] = defaultdict(list)
        for number, name in enumerate(self._names):
            for three in _threes(name.text):
                places[three].append(number)
        return dict(places)

    def plain(self, phrase: Spelled) -> list[Place]:
        """The names that are the phrase, begin with it, or hold all of its words; in no order."""
        if not phrase.words:
            return []
        numbers = {*self._whole.get(phrase.run_together, ()), *self._beginning(phrase.run_together)}
        first, *rest = (self._by_word.get(word, set[int]()) for word in phrase.words)
        numbers |= first.intersection(*rest)
        return [Place(number, *compare(phrase, self._names[number])) for number in numbers]

    def _beginning(self, text: str) -> Iterator[int]:
        for start in range(bisect_left(self._in_order, (text, -1)), len(self._in_order)):
            name, number = self._in_order[start]
            if not name.startswith(text):
                return
            yield number

    def near(self, phrase: Spelled, fits: Callable[[int], bool] | None = None) -> list[Place]:
        """The names that fit and look most like the phrase, the likest first, however little."""
        if not phrase.words:
            return []
        ours = _threes(phrase.text)
        found = sorted((self._by_three[t] for t in ours if t in self._by_three), key=len)
        common: Counter[int] = Counter()
        looked_at = 0
        for numbers in found:
            looked_at += len(numbers)
            if common and looked_at > _MOST_LOOKED_AT:
                break
            common.update(numbers)
        if fits:
            common = Counter({number: many for number, many in common.items() if fits(number)})
        # Whatever shares less than half of what the best shares is not worth a look.
        least = max(common.values(), default=0) / 2
        pool = [number for number, many in common.items() if many >= least]
        likest = heapq.nlargest(
            _CANDIDATES, pool, lambda n: common[n] / (len(ours) + self._lengths[n])
        )
        places = [Place(number, *compare(phrase, self._names[number])) for number in likest]
        return sorted(places, key=lambda place: -place.likeness)
