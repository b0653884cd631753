"""Passages: what stands at each place of a sentence, before it is decided what is wanted."""

from bisect import bisect_left
from collections.abc import Container, Iterable
from dataclasses import replace

from leadpipe_mcp.planning.lexicon import Lexicon
from leadpipe_mcp.planning.quantities import Quantity
from leadpipe_mcp.planning.wishes import Cue, Wish
from leadpipe_mcp.planning.words import Impossible, Meaning, Phrase, Reading, Token, tokens

OR = frozenset({"or", "nor"})
AND = frozenset({"and", "+"})
_TURNS_ASIDE = frozenset({"in", "at", "from", "with", "who", "for", "of"})
_ENDS_REST = frozenset({"in", "at", "from", "with", "who", "but"})
_AFTER_NUMBERS = _TURNS_ASIDE | OR | AND | {"but", "plus", "that", "to"}
_AREA = frozenset({"metro", "area", "metropolitan", "region", "suburb", "vicinity"})
_TEAMS = frozenset({"team", "department", "dept", "staff"})
_SIGHT = 6
"""How many words are looked at before or behind one."""


class Passage:
    """A sentence as words, read with what a lexicon knows.

    Places are those of the text, numbers those of its words.
    """

    def __init__(self, text: str, lexicon: Lexicon) -> None:
        self.text = text
        self.lexicon = lexicon
        self.words = lexicon.words
        self.tokens = tokens(text)
        self._starts = [token.start for token in self.tokens]

    def said(self, start: int, end: int) -> str:
        """The text between two places, on one line."""
        return " ".join(self.text[start:end].split())

    def number_at(self, place: int) -> int:
        """The number of the first word that begins there or later."""
        return bisect_left(self._starts, place)

    def longest(self, known: Container[Phrase], at: int) -> Phrase | None:
        """The longest of the known phrases that stands here."""
        said = phrase_of(self.tokens[at : at + _SIGHT])
        parts = (said[:length] for length in range(len(said), 0, -1))
        return next((part for part in parts if part in known), None)

    def begins_with(self, at: int, signs: str) -> int:
        """The place where the word begins, with the sign before it, which is no word."""
        start = self.tokens[at].start
        return start - 1 if start and self.text[start - 1] in signs else start

    def word_before(self, at: int) -> str:
        """The word before this one."""
        return self.tokens[at - 1].word if at else ""

    def follows_joint(self, place: int) -> bool:
        """Whether an "or", an "and" or a comma stands right before."""
        before = self.word_before(self.number_at(place))
        return before in OR | AND or before in {",", "/"}

    def head(self, place: int) -> tuple[Cue | None, int]:
        """What the words after a number are of, people or companies, and where those end."""
        head: Cue | None = None
        end, at = place, self.number_at(place)
        last = min(at + _SIGHT, len(self.tokens))
        while at < last and not self._ends_phrase(at):
            found = self.lexicon.find(self.tokens, at)
            if found is None or isinstance(found[1], Impossible):
                kind, at = self._cue_of(self.tokens[at].word), at + 1
            else:
                kind, at = self.lexicon.speaks_of(found[1]), found[0]
            if kind:
                head, end = kind, self.tokens[at - 1].end
        return head, end

    def may_be_bare(self, quantity: Quantity) -> bool:
        """Whether a number can count what is usual: "200+" can, but "200+ beds" counts beds."""
        at = self.number_at(quantity.end)
        ends = at == len(self.tokens) or self._ends_phrase(at)
        if not quantity.bounded and quantity.measures != ("companyRevenueRange",):
            return ends and (quantity.having or "people" in quantity.measures)
        return ends or self.lexicon.find(self.tokens, at) is not None

    def of_those_before(self, quantity: Quantity, at: int, last: Wish | None) -> Quantity:
        """The number, of what stands before it: "women over 50", "companies under 80"."""
        before = self._cue_of(self.word_before(at))
        if last and not before:
            before = self.lexicon.speaks_of(last.meanings)
        if len(quantity.measures) < 2 or before is None or self.word_before(at) in _TEAMS:
            return quantity
        measure = "ageRange" if before == "people" else "companySize"
        return replace(quantity, measures=(measure,), said=True)

    def ladder(self, at: int) -> tuple[int, tuple[Meaning, ...], str] | None:
        """A seniority with a word before it that points up or down: 'above director'.

        It comes as its end, what it means and which way.
        """
        before = self.words.ladder.before
        pointer = self.longest(before, at)
        if pointer is None:
            return None
        start = at + len(pointer)
        if start < len(self.tokens) and self.tokens[start].word in {"a", "an", "the"}:
            start += 1
        found = self.seniority(start)
        return (*found, before[pointer]) if found else None

    def seniority(self, at: int) -> tuple[int, tuple[Meaning, ...]] | None:
        """The seniority that stands here, as its end and what it means."""
        found = self.lexicon.find(self.tokens, at)
        if found is None or isinstance(found[1], Impossible):
            return None
        return (found[0], found[1]) if self.lexicon.are_levels(found[1]) else None

    def reaching(self, wish: Wish, end: int) -> tuple[Wish, int]:
        """The seniority with what follows it: 'or above', or 'to' another one."""
        ladder = self.words.ladder
        after = self.longest(ladder.after, end)
        # "VP+" is VP or above, but "VP + marketing" is both.
        glued = end < len(self.tokens) and self.tokens[end].start == self.tokens[end - 1].end
        if after and (after != ("+",) or glued):
            return replace(wish, reach=ladder.after[after]), end + len(after)
        through = self.longest(ladder.through, end)
        found = self.seniority(end + len(through)) if through else None
        return (replace(wish, until=found[1]), found[0]) if found else (wish, end)

    def placed(self, wish: Wish, start: int, end: int) -> tuple[Wish, int]:
        """The place with what follows it: "area", or the state that it lies in."""
        name = phrase_of(self.tokens[start:end])
        while end < len(self.tokens) and self.tokens[end].word in _AREA:
            end += 1
        comma = end < len(self.tokens) and self.tokens[end].text == ","
        found = self.lexicon.find(self.tokens, end + comma)
        if found is None or isinstance(found[1], Impossible):
            return wish, end
        own = self.lexicon.states_of(wish.meanings)
        namesakes = self.words.namesakes.get(name, frozenset())
        part = next((r for m in wish.meanings for r in m.readings if r.part), None)
        state = self.lexicon.states_of(found[1])
        if not state & (own | namesakes) or not (part or namesakes):
            return wish, end
        its = Reading("state", tuple(state), part.close if part else None, part=part is not None)
        return replace(wish, meanings=(Meaning((its,)),)), found[0]

    def lists(self, at: int, keys: frozenset[str]) -> bool:
        """Whether wishes of these filters stand here in a list that ends with 'or' or 'and'."""
        while at < len(self.tokens) and self.tokens[at].word in self.words.fillers:
            at += 1
        found = self.lexicon.find(self.tokens, at)
        if found is None or isinstance(found[1], Impossible):
            return False
        if not keys & self.lexicon.keys(found[1]) or found[0] >= len(self.tokens):
            return False
        after = self.tokens[found[0]]
        return after.word in OR | AND or (after.text == "," and self.lists(found[0] + 1, keys))

    def ends_rest(self, at: int) -> bool:
        """Whether what cannot be said ends here, before something else that is wanted."""
        token = self.tokens[at]
        if token.word in OR | AND:
            return at + 1 == len(self.tokens) or self._begins_wish(at + 1)
        found = self.lexicon.find(self.tokens, at)
        other = found is not None and isinstance(found[1], Impossible)
        return token.is_break or other or token.word in _ENDS_REST

    def cue(self, start: int, end: int) -> Cue | None:
        """Whether people or companies are spoken of: by the words after, else by those before."""
        for token in self.tokens[end : end + _SIGHT]:
            if token.is_break or token.word in _TURNS_ASIDE:
                break
            if cue := self._cue_of(token.word):
                return cue
        before = [t for t in self.tokens[max(0, start - 3) : start] if t.word not in _TURNS_ASIDE]
        return self._cue_of(before[-1].word) if before else None

    def _cue_of(self, word: str) -> Cue | None:
        if word in self.words.companies:
            return "companies"
        return "people" if word in self.words.people else None

    def _ends_phrase(self, at: int) -> bool:
        token = self.tokens[at]
        return token.is_break or token.word in _AFTER_NUMBERS

    def _begins_wish(self, at: int) -> bool:
        token = self.tokens[at]
        known = self.lexicon.find(self.tokens, at) or self.longest(self.words.negations, at)
        return bool(known) or token.is_break or token.word in self.words.fillers


def phrase_of(run: Iterable[Token]) -> Phrase:
    """The words as they are compared."""
    return tuple(token.word for token in run)
