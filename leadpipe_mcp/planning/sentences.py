"""Sentences, taken apart into wishes: what is wanted, what is not, and what joins them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from leadpipe_mcp.planning.lexicon import Lexicon
from leadpipe_mcp.planning.naming import read_naming
from leadpipe_mcp.planning.ranges import Quantity, read_quantity
from leadpipe_mcp.planning.words import Impossible, Meaning, Phrase, Reading, Token, tokens

Joint = Literal["", "and", "or", ",", "."]
Cue = Literal["people", "companies"]

_PEOPLE_WANTED = (
    "How many people are wanted is no filter: a preview shows how many there are. For the size of"
    " a company say employees."
)
_TOGETHER = "Filters leave out one thing at a time; the two together cannot be left out."
_UNSAID = {
    "companySize": "Taken as the company's employees.",
    "companyRevenueRange": "Taken as the company's revenue a year.",
    "ageRange": "Taken as the person's age.",
}
_OR = frozenset({"or", "nor"})
_AND = frozenset({"and", "+"})
_TURNS_ASIDE = frozenset({"in", "at", "from", "with", "who", "for", "of"})
_ENDS_REST = frozenset({"in", "at", "from", "with", "who", "but"})
_QUOTES = '"\N{LEFT DOUBLE QUOTATION MARK}'
_CURRENCIES = "$€£"
_SIGHT = 6


@dataclass(frozen=True)
class Wish:
    """One thing that is wanted, or not wanted, of the people."""

    asked: str
    meanings: tuple[Meaning, ...]
    """Several where the words can mean several things."""
    out: bool = False
    joint: Joint = ""
    """What stands between it and the wish before."""
    reach: str | None = None
    """Up or down the ladder of seniorities."""
    until: tuple[Meaning, ...] = ()
    """The other end, of a range of seniorities."""
    cue: Cue | None = None
    """Whether the words beside it speak of people or of companies."""
    note: str | None = None
    named: bool = False
    """Whether the sentence gives the very words of a title or a company."""


@dataclass(frozen=True)
class Unsayable:
    """What no filter can say, and why."""

    asked: str
    why: str


@dataclass(frozen=True)
class Sentence:
    """What was said, with nothing dropped."""

    wishes: tuple[Wish, ...]
    not_possible: tuple[Unsayable, ...]
    not_understood: tuple[str, ...]


@dataclass
class _Turn:
    """A 'not' that is still in force."""

    long: bool
    """Whether it goes on over commas."""
    keys: frozenset[str] = frozenset()
    """The filters of what it turned so far; it goes on over those alone."""
    used: bool = False


def read_sentence(text: str, lexicon: Lexicon) -> Sentence:
    """The wishes of a sentence, in what the lexicon knows."""
    reader = _Reader(text, lexicon)
    while reader.at < len(reader.tokens):
        reader.step()
    reader.flush()
    return Sentence(tuple(reader.wishes), tuple(reader.unsayable), tuple(reader.unknown))


class _Reader:
    """Goes through a sentence from left to right."""

    def __init__(self, text: str, lexicon: Lexicon) -> None:
        self.text = text
        self.lexicon = lexicon
        self.words = lexicon.words
        self.tokens = tokens(text)
        self.at = 0
        self.wishes: list[Wish] = []
        self.unsayable: list[Unsayable] = []
        self.unknown: list[str] = []
        self._run: list[Token] = []
        self._joint: Joint = ""
        self._turn: _Turn | None = None
        self._wish_ended = -1

    def step(self) -> None:
        """Read what begins at the present word."""
        token = self.tokens[self.at]
        if token.is_break:
            self._break(token.text)
        elif not (self._naming() or self._quantity() or self._ladder() or self._known()):
            self._plain(token)

    def flush(self) -> None:
        """Make what can be made of the words that nobody knows."""
        run, self._run = self._run, []
        if not run:
            return
        guesses = [(run, self.lexicon.guess(_phrase(run)))]
        if guesses[0][1] is None and len(run) > 1:
            guesses = [([token], self.lexicon.guess((token.word,))) for token in run]
        if all(guess is None for _, guess in guesses):
            guesses = [(run, None)]
        for part, guess in guesses:
            if guess is None:
                self.unknown.append(self._said(part[0].start, part[-1].end))
            else:
                meanings, note = guess
                self._add(Wish(self._said(part[0].start, part[-1].end), meanings, note=note))

    def _break(self, mark: str) -> None:
        self.flush()
        self.at += 1
        if mark in "/|":
            self._joint = "or"
        elif mark != ":":
            self._joint = "," if mark == "," else "."
            if mark != "," or (self._turn and not self._turn.long):
                self._turn = None

    def _plain(self, token: Token) -> None:
        """A word that is no wish: one that joins or turns wishes, a filler, or one not known."""
        if negation := self._longest(self.words.negations, self.at):
            self.flush()
            self._turn = _Turn(self.words.negations[negation])
            self._joint = self._joint or "and"
            self.at += len(negation)
            return
        if token.word in _OR | _AND:
            self.flush()
            self._joint = "or" if token.word in _OR else "and"
        elif token.word in self.words.fillers:
            self.flush()
        else:
            self._run.append(token)
        self.at += 1

    def _naming(self) -> bool:
        start = self._with_sign(_QUOTES)
        naming = read_naming(self.text, start, self.lexicon.knows)
        if naming is None:
            return False
        wish = Wish(self._said(start, naming.end), (naming.meaning,), out=naming.out, named=True)
        self._take(wish, naming.end)
        return True

    def _quantity(self) -> bool:
        start = self._with_sign(_CURRENCIES)
        quantity = read_quantity(self.text, start)
        if quantity is None or not (quantity.said or self._may_be_bare(quantity)):
            return False
        asked = self._said(start, quantity.end)
        if quantity.measures == ("people",):
            self.flush()
            self.unsayable.append(Unsayable(asked, _PEOPLE_WANTED))
            self._skip_to(quantity.end)
        else:
            self._take(_counted(asked, quantity), quantity.end)
        return True

    def _with_sign(self, signs: str) -> int:
        """Where the present word begins, with the sign before it, which is no word."""
        start = self.tokens[self.at].start
        return start - 1 if start and self.text[start - 1] in signs else start

    def _may_be_bare(self, quantity: Quantity) -> bool:
        """Whether a number can count what is usual: "200+" can, but "200+ beds" counts beds."""
        following = [number for number, t in enumerate(self.tokens) if t.start >= quantity.end]
        if not following:
            return True
        token = self.tokens[following[0]]
        plain = token.word in self.words.fillers | _OR | _AND
        known = self.lexicon.find(self.tokens, following[0])
        return plain or token.is_break or known is not None

    def _ladder(self) -> bool:
        """Read a seniority with a word before it that points up or down: 'above director'."""
        ladder = self.words.ladder
        pointer = self._longest(ladder.before, self.at)
        if pointer is None:
            return False
        start = self.at + len(pointer)
        if start < len(self.tokens) and self.tokens[start].word in {"a", "an", "the"}:
            start += 1
        found = self._seniority(start)
        if found is None:
            return False
        end, meanings = found
        asked = self._said(self.tokens[self.at].start, self.tokens[end - 1].end)
        wish = Wish(asked, meanings, reach=ladder.before[pointer])
        self._take(wish, self.tokens[end - 1].end)
        return True

    def _known(self) -> bool:
        found = self.lexicon.find(self.tokens, self.at)
        # The longer one counts: "non profit" is an industry, "non" leaves something out.
        negation = self._longest(self.words.negations, self.at) or ()
        if found is None or len(negation) >= found[0] - self.at:
            return False
        end, meanings = found
        if isinstance(meanings, Impossible):
            self._impossible(meanings, end)
            return True
        wish = Wish("", meanings, cue=self._cue(self.at, end))
        if self._seniority(self.at):
            wish, end = self._reaching(wish, end)
        said = self._said(self.tokens[self.at].start, self.tokens[end - 1].end)
        self._take(replace(wish, asked=said), self.tokens[end - 1].end)
        return True

    def _reaching(self, wish: Wish, end: int) -> tuple[Wish, int]:
        """The seniority with what follows it: 'or above', or 'to' another one."""
        ladder = self.words.ladder
        after = self._longest(ladder.after, end)
        # "VP+" is VP or above, but "VP + marketing" is both.
        glued = end < len(self.tokens) and self.tokens[end].start == self.tokens[end - 1].end
        if after and (after != ("+",) or glued):
            return replace(wish, reach=ladder.after[after]), end + len(after)
        through = self._longest(ladder.through, end)
        found = self._seniority(end + len(through)) if through else None
        return (replace(wish, until=found[1]), found[0]) if found else (wish, end)

    def _seniority(self, at: int) -> tuple[int, tuple[Meaning, ...]] | None:
        """The seniority that stands at this place, as its end and what it means."""
        end, meanings = self.lexicon.find(self.tokens, at) or (at, ())
        entry = self.lexicon.entry("seniority")
        if entry is None or isinstance(meanings, Impossible):
            return None
        firsts = [self.lexicon.entry(meaning.readings[0].key) for meaning in meanings]
        return (end, meanings) if entry in firsts else None

    def _impossible(self, impossible: Impossible, end: int) -> None:
        self.flush()
        start = self.at
        while impossible.rest and end < len(self.tokens) and not self._ends_rest(end):
            end += 1
        asked = self._said(self.tokens[start].start, self.tokens[end - 1].end)
        self.unsayable.append(Unsayable(asked, impossible.why))
        self.at = end
        self._joint = ""

    def _ends_rest(self, at: int) -> bool:
        """Whether what cannot be said ends here, before something else that is wanted."""
        token = self.tokens[at]
        if token.word in _OR | _AND:
            return at + 1 == len(self.tokens) or self._begins_wish(at + 1)
        found = self.lexicon.find(self.tokens, at)
        other = found is not None and isinstance(found[1], Impossible)
        return token.is_break or other or token.word in _ENDS_REST

    def _begins_wish(self, at: int) -> bool:
        token = self.tokens[at]
        known = self.lexicon.find(self.tokens, at) or self._longest(self.words.negations, at)
        return bool(known) or token.is_break or token.word in self.words.fillers

    def _cue(self, start: int, end: int) -> Cue | None:
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

    def _take(self, wish: Wish, end: int) -> None:
        """Add a wish that ends at this place of the text, and go on behind it."""
        self.flush()
        self._add(wish)
        self._skip_to(end)
        self._wish_ended = end

    def _skip_to(self, end: int) -> None:
        while self.at < len(self.tokens) and self.tokens[self.at].start < end:
            self.at += 1

    def _add(self, wish: Wish) -> None:
        keys = self.lexicon.keys(wish.meanings)
        joint, self._joint = self._joint, ""
        turn = self._turn
        if turn and turn.used and joint == "" and not turn.keys & keys and self._adjoins():
            last = self.wishes.pop()
            self.unsayable.append(Unsayable(f"{last.asked} {wish.asked}", _TOGETHER))
            return
        if turn and turn.used and (joint == "" or not turn.keys & keys):
            turn = self._turn = None
        if turn:
            turn.keys, turn.used = keys, True
        self.wishes.append(replace(wish, out=wish.out or turn is not None, joint=joint))

    def _adjoins(self) -> bool:
        """Whether nothing but a space lies between the last wish and the present word."""
        return self.at < len(self.tokens) and self.tokens[self.at].start <= self._wish_ended + 1

    def _longest(self, known: Iterable[Phrase], at: int) -> Phrase | None:
        """The longest of the known phrases that stands at this place."""
        standing = [said for said in known if _phrase(self.tokens[at : at + len(said)]) == said]
        return max(standing, key=len, default=None)

    def _said(self, start: int, end: int) -> str:
        return " ".join(self.text[start:end].split())


def _phrase(run: Iterable[Token]) -> Phrase:
    return tuple(token.word for token in run)


def _counted(asked: str, quantity: Quantity) -> Wish:
    meanings = tuple(Meaning((Reading(measure, quantity.span),)) for measure in quantity.measures)
    sure = quantity.said or len(meanings) > 1
    return Wish(asked, meanings, note=None if sure else _UNSAID[quantity.measures[0]])
