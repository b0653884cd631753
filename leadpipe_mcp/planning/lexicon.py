"""What is known by name: the sayings of the data file beside the values of a live catalogue."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from leadpipe_mcp.api.spelling import FilterCatalog, FilterEntry
from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.planning.words import (
    Impossible,
    Meaning,
    Phrase,
    Reading,
    Token,
    Words,
    known_words,
    phrase,
    tokens,
)

_CLOSE = 0.82
_FEW = 6
_JOINTS = frozenset({"in", "or"})
"""State codes that join words as well, in capitals too."""
_BEFORE_CODES = frozenset({"in", "from", ",", "/", "|", "(", "or", "and"})
"""What stands before them where they are codes: "in OR", "TX, IN"."""
_AFTER_CODES = frozenset({"and", "or", "in", "with", "at", "who"})


class Lexicon:
    """Every phrase that means something with this catalogue.

    Args:
        catalog: The filters that the service has now.
        words: What people say.
    """

    def __init__(self, catalog: FilterCatalog, words: Words | None = None) -> None:
        self.catalog = catalog
        self.words = words or known_words()
        self._live: Mapping[Phrase, tuple[Meaning, ...]] = _live_phrases(catalog, self.words)
        self._longest = max([self.words.longest, *map(len, self._live)])

    def meanings(self, said: Phrase) -> tuple[Meaning, ...]:
        """What the phrase can mean: by the catalogue's own words first, then by our synonyms."""
        return (*self._live.get(said, ()), *self.words.meanings.get(said, ()))

    def find(
        self, sentence: Sequence[Token], start: int
    ) -> tuple[int, tuple[Meaning, ...] | Impossible] | None:
        """The longest phrase that is known at this place, as its end and what it means."""
        said = tuple(token.word for token in sentence[start : start + self._longest])
        for length in range(len(said), 0, -1):
            part, end = said[:length], start + length
            found = self.meanings(part) or self.words.impossible.get(part)
            if found and self._stands(sentence, start, end, part):
                return end, found
        return None

    def _stands(self, sentence: Sequence[Token], start: int, end: int, part: Phrase) -> bool:
        """Whether a short form (IT, CA) can be meant as such; other phrases always can."""
        if part not in self.words.capitals:
            return True
        before = sentence[start - 1].word if start else ","
        after = sentence[end] if end < len(sentence) else None
        capital = sentence[start].text.rstrip("s").isupper()
        shouted = all(token.text.upper() == token.text for token in sentence)
        if part[0] in _JOINTS or (shouted and part[0] in self.words.fillers):
            closed = after is None or after.is_break or after.word in _AFTER_CODES
            return capital and closed and before in _BEFORE_CODES
        return capital or (before == "in" and part[0] not in self.words.fillers)

    def knows(self, said: Phrase) -> bool:
        """Whether the phrase, or one of its words, means something."""
        return any(
            part[0] in self.words.fillers or part in self.words.impossible or self.meanings(part)
            for part in (said, *((word,) for word in said))
        )

    def keys(self, meanings: Iterable[Meaning]) -> frozenset[str]:
        """The service's keys that the meanings can be said with."""
        readings = [reading for meaning in meanings for reading in meaning.readings]
        return frozenset(entry.key for reading in readings if (entry := self.entry(reading.key)))

    def entry(self, key: str) -> FilterEntry | None:
        """The service's filter for a key of either spelling, if it has one."""
        try:
            return self.catalog.entry_for(key)
        except NotPossible:
            return None

    def guess(self, said: Phrase) -> tuple[tuple[Meaning, ...], str] | None:
        """What a phrase that nobody knows may mean, and why it is thought so."""
        if any(word[0].isdigit() for word in said):
            return None
        found = self._values_with(said)
        if len(found) > _FEW:
            return None
        if found:
            why = "The only value with these words." if len(found) == 1 else "Several have it."
            return found, why
        written = " ".join(said)
        if len(written) < 5:
            return None
        known = {" ".join(key): key for key in (*self._live, *self.words.meanings)}
        close = difflib.get_close_matches(written, known, n=1, cutoff=_CLOSE)
        return (self.meanings(known[close[0]]), f"Taken for '{close[0]}'.") if close else None

    def _values_with(self, said: Phrase) -> tuple[Meaning, ...]:
        """The values that have all of these words in their name; ranges of numbers do not count."""
        found = [
            meaning
            for name, meanings in self._live.items()
            if set(said) <= set(name) and not any(word[0].isdigit() for word in name)
            for meaning in meanings
        ]
        return tuple(dict.fromkeys(found))


def _live_phrases(catalog: FilterCatalog, words: Words) -> dict[Phrase, tuple[Meaning, ...]]:
    known: dict[Phrase, tuple[Meaning, ...]] = {}
    for entry in catalog.entries.values():
        for value in entry.values:
            meaning = Meaning((Reading(entry.key, (value.value,)),))
            for said in {*_said(value.value), *_said(value.label)}:
                if len("".join(said)) > 1 and not words.fillers.issuperset(said):
                    known[said] = tuple(dict.fromkeys([*known.get(said, ()), meaning]))
    return known


@lru_cache(maxsize=4_096)
def _said(name: str) -> tuple[Phrase, ...]:
    """The phrases that name a value: "technology, information and media" with its comma or not."""
    return phrase(name), tuple(token.word for token in tokens(name))
