"""What is known by name: the sayings of the data file beside the values of a live catalogue."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from leadpipe_mcp.api.spelling import FilterCatalog, FilterEntry
from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.planning.wishes import Cue
from leadpipe_mcp.planning.words import (
    Impossible,
    Meaning,
    Phrase,
    Reading,
    Token,
    Words,
    known_words,
    phrase,
    spellings,
    tokens,
)
from leadpipe_mcp.text import form

_CLOSE = 0.87
_SLIP = 2
"""A slip of the keyboard makes a word at most so much longer or shorter."""
_FEW = 6
_CALLS = frozenset({"ok", "hi"})
_JOINTS = frozenset({"in", "or"}) | _CALLS
"""State codes that join or open sentences as well, in capitals too."""
_BEFORE_CODES = frozenset({"in", "from", ",", "/", "|", "(", "or", "and"})
"""What stands before them where they are codes: "in OR", "TX, IN"."""
_AFTER_CODES = frozenset({"and", "or", "in", "with", "at", "who"})

_IN_NAMES = frozenset({"the", "and", "inc", "corp", "llc", "ltd", "co"})
_KINDS: Mapping[str, Cue] = {
    "seniority": "people",
    "department": "people",
    "jobTitle": "people",
    "gender": "people",
    "role.isDecisionMaker": "people",
    "role.isCeo": "people",
    "companyIndustry": "companies",
    "company.industryGroups": "companies",
}


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
        self._kinds: Mapping[str, Cue] = {
            entry.key: kind
            for key, kind in _KINDS.items()
            if (entry := self.entry(key)) is not None
        }
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
        text = sentence[start].text
        capital = text.rstrip("s").isupper() or "." in text
        shouted = all(token.text.upper() == token.text for token in sentence)
        joint = part[0] in _JOINTS and (capital or part[0] not in _CALLS)
        if joint or (shouted and part[0] in self.words.fillers):
            closed = after is None or after.is_break or after.word in _AFTER_CODES
            opens = start == 0 and after is not None and part[0] in _CALLS
            return capital and closed and not opens and before in _BEFORE_CODES
        filler = part[0] in self.words.fillers - _CALLS
        return capital or (before == "in" and not filler)

    def is_level(self, title: str) -> bool:
        """Whether a title begins with a level, or is one: "VP of sales", "CMO"."""
        found = self.find(tokens(title), 0)
        if found is None or isinstance(found[1], Impossible):
            return False
        level = self.entry("seniority")
        keys = [self.entry(reading.key) for meaning in found[1] for reading in meaning.readings]
        return level is not None and level in keys

    def is_name(self, name: str) -> bool:
        """Whether words in capitals are a company's name and no kind of it: "Boston Scientific"."""
        head, of, whose = name.partition(" of ")
        if of and not head.endswith("s"):
            return self._is_place(phrase(whose)) or self.is_name(head)
        said = phrase(name)
        parts = [said[:end] for end in range(2, len(said) + 1)]
        longer = any(self.meanings(part) or part in self.words.impossible for part in parts)
        words = [(word,) for word in said if word not in _IN_NAMES]
        unknown = [word for word in words if not (self.meanings(word) or self._is_plain(word))]
        rest = [word for word in words if word not in unknown]
        kind = len(said) > 1 and said[-1] in self.words.companies
        return bool(unknown) and not longer and not kind and all(map(self._is_place, rest))

    def _is_place(self, said: Phrase) -> bool:
        """Whether a word of a name may be a place: "Texas Instruments", "Bank of America"."""
        return bool(self.states_of(self.meanings(said))) or said in self.words.impossible

    def _is_plain(self, said: Phrase) -> bool:
        return said[0] in self.words.fillers or said in self.words.impossible

    def states_of(self, meanings: Iterable[Meaning]) -> frozenset[str]:
        """The states that the meanings stand for, in every spelling; none if they mean more."""
        state, states = self.entry("state"), set[str]()
        for reading in (reading for meaning in meanings for reading in meaning.readings):
            if not isinstance(reading.wanted, tuple) or self.entry(reading.key) != state:
                return frozenset()
            states.update(word.casefold() for word in reading.wanted)
        return frozenset(states)

    def are_levels(self, meanings: Iterable[Meaning]) -> bool:
        """Whether they stand for a seniority before anything else."""
        entry = self.entry("seniority")
        firsts = [self.entry(meaning.readings[0].key) for meaning in meanings]
        return entry is not None and entry in firsts

    def are_of_no_department(self, levels: Iterable[str]) -> bool:
        """Whether the seniorities stand beside the ladder: owners, partners."""
        beside = self.words.ladder.steps[-1]
        return all(form(level) in beside for level in levels)

    def departments(self, meanings: Iterable[Meaning]) -> frozenset[str]:
        """The departments, as the service calls them, whose chief a title means."""
        entry = self.entry("department")
        names = {form(name) for meaning in meanings for name in meaning.chief_of}
        known = entry.values if entry else ()
        return frozenset(v.value for v in known if names & {form(v.value), form(v.label)})

    def speaks_of(self, meanings: Iterable[Meaning]) -> Cue | None:
        """Whether people or companies are so; None for places and the like, and where both can."""
        kinds: list[Cue | None] = [
            self._kinds.get(entry.key)
            for meaning in meanings
            if (entry := next(filter(None, (self.entry(r.key) for r in meaning.readings)), None))
        ]
        return kinds[0] if len(set(kinds)) == 1 else None

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
        found = () if self.words.alone.issuperset(said) else self._values_with(said)
        if len(found) > _FEW:
            return None
        if found:
            why = "The only value with these words." if len(found) == 1 else "Several have it."
            return found, why
        written = " ".join(said)
        if len(written) < 5 or not self.words.no_slips.isdisjoint(said):
            return None
        known = {
            name: key
            for key in (*self._live, *self.words.meanings)
            for name in (" ".join(key),)
            if _may_slip(written, name)
        }
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


def _may_slip(written: str, name: str) -> bool:
    """Whether a slip could make the one of the other: that hardly changes its first and last."""
    near = abs(len(name) - len(written)) <= _SLIP and name[0] == written[0]
    return near and (name[-1] == written[-1] or name[:-1] == written)


def _live_phrases(catalog: FilterCatalog, words: Words) -> dict[Phrase, tuple[Meaning, ...]]:
    known: dict[Phrase, tuple[Meaning, ...]] = {}
    for entry in catalog.entries.values():
        for value in entry.values:
            meaning = Meaning((Reading(entry.key, (value.value,)),))
            for said in {*_said(value.value), *_said(value.label)}:
                if len("".join(said)) > 1 and not words.fillers.issuperset(said):
                    known[said] = tuple(dict.fromkeys([*known.get(said, ()), meaning]))
    return known


_said = lru_cache(maxsize=4_096)(spellings)
