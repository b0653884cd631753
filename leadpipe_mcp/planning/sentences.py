"""Sentences, taken apart into wishes: what is wanted, what is not, and what joins them."""

from dataclasses import replace

from leadpipe_mcp.planning.lexicon import Lexicon
from leadpipe_mcp.planning.naming import read_naming
from leadpipe_mcp.planning.passages import AND, OR, Passage, phrase_of
from leadpipe_mcp.planning.quantities import Quantity, Uncounted, people_wanted, read_quantity
from leadpipe_mcp.planning.ranges import Span
from leadpipe_mcp.planning.turns import Turn
from leadpipe_mcp.planning.wishes import Joint, Sentence, Unsayable, Wish
from leadpipe_mcp.planning.words import Impossible, Meaning, Phrase, Reading, Token, phrase

_PEOPLE_WANTED = (
    "How many people are wanted is no filter: a preview shows how many there are. For the size of"
    " a company say employees."
)
_COMPANIES_WANTED = "How many companies are wanted is no filter; for their size say employees."
_OF_ONE_KIND = "No filter counts the people of one kind in a company. The nearest is its size."
_TOGETHER = "Filters leave out one thing at a time; the two together cannot be left out."
_OPTIONAL = "A filter holds for everybody: what need not be is none."
_UNSAID = {
    "companySize": "Taken as the company's employees.",
    "companyRevenueRange": "Taken as the company's revenue a year.",
    "ageRange": "Taken as the person's age.",
}
_THOSE = frozenset({"people", "anyone", "those", "company", "who", "that"})
_HAVING = frozenset({"with", "having", "have", "has"})
_QUOTES = '"\N{LEFT DOUBLE QUOTATION MARK}'
_CURRENCIES = "$€£"


def read_sentence(text: str, lexicon: Lexicon) -> Sentence:
    """The wishes of a sentence, in what the lexicon knows."""
    reader = _Reader(Passage(text, lexicon))
    while reader.at < len(reader.tokens):
        reader.step()
    reader.flush()
    return Sentence(
        text,
        tuple(reader.wishes),
        tuple(reader.unsayable),
        tuple(reader.unknown),
        reader.people_wanted,
    )


class _Reader:
    """Goes through a sentence from left to right."""

    def __init__(self, passage: Passage) -> None:
        self.passage = passage
        self.lexicon = passage.lexicon
        self.words = passage.words
        self.tokens = passage.tokens
        self.at = 0
        self.wishes: list[Wish] = []
        self.unsayable: list[Unsayable] = []
        self.unknown: list[str] = []
        self.people_wanted: Span | None = None
        self._run: list[Token] = []
        self._joint: Joint = ""
        self._turn: Turn | None = None
        self._needless = False
        """Whether what comes next need not be."""
        self._fresh = False
        """Whether the last wish was a word or a filler ago, so that more can be said of it."""

    def step(self) -> None:
        """Read what begins at the present word."""
        token = self.tokens[self.at]
        if token.is_break:
            self._break(token.text)
        elif not (
            self._afterthought()
            or self._afterreach()
            or self._naming()
            or self._quantity()
            or self._ladder()
            or self._known()
        ):
            self._plain(token)

    def flush(self) -> None:
        """Make what can be made of the words that nobody knows."""
        run, self._run = self._run, []
        if not run:
            return
        guesses = [(run, self.lexicon.guess(phrase_of(run)))]
        if guesses[0][1] is None and len(run) > 1:
            guesses = [([token], self.lexicon.guess((token.word,))) for token in run]
        if all(guess is None for _, guess in guesses):
            guesses = [(run, None)]
        for part, guess in guesses:
            if guess is None:
                self.unknown.append(self.passage.said(self._from(part[0].start), part[-1].end))
                self._joint, self._fresh = "", False
            else:
                meanings, note = guess
                wish = self._wish(part[0].start, part[-1].end, meanings)
                self._add(replace(wish, note=note))

    def _break(self, mark: str) -> None:
        self.flush()
        self.at += 1
        self._fresh = False
        if mark in "/|":
            self._joint = "or"
        elif mark != ":":
            self._needless = False
            self._joint = "," if mark == "," else "."
            turn = self._turn
            if turn and (mark != "," or not (turn.long or self._lists(turn))):
                self._turn = None
            elif turn:
                turn.paused = True

    def _lists(self, turn: Turn) -> bool:
        """Whether a list goes on after a comma to its last 'or': "not in Ohio, Texas or Utah"."""
        return turn.used and self.passage.lists(self.at, turn.keys)

    def _afterthought(self) -> bool:
        """Read what is said of a wish after it: "agencies excluded", "phone not required"."""
        said = self.passage.longest(self.words.afterthoughts, self.at)
        if said is None or not self._fresh or self._run:
            return False
        kind = self.words.afterthoughts[said]
        if kind == "waived" and not self.wishes[-1].out:
            return False
        first = len(self.wishes) - 1
        while first and self._goes_on(first):
            first -= 1
        for number in reversed(range(first, len(self.wishes))):
            if kind == "out":
                self.wishes[number] = replace(self.wishes[number], out=True)
            else:
                self.unsayable.append(Unsayable(self.wishes.pop().asked, _OPTIONAL))
        self.at += len(said)
        self._fresh = False
        return True

    def _afterreach(self) -> bool:
        """Read what reaches up or down behind what a level is of: "director of IT or above"."""
        after = self.passage.longest(self.words.ladder.after, self.at)
        if after is None or after == ("+",) or not self._fresh or self._run:
            return False
        number = len(self.wishes) - 1
        while number and self._is_of_level(number):
            number -= 1
        if not self._is_level(number):
            return False
        wish, end = self.wishes[number], self.tokens[self.at + len(after) - 1].end
        self.wishes[number] = replace(
            wish,
            asked=self.passage.said(wish.place[0], end),
            reach=self.words.ladder.after[after],
            place=(wish.place[0], end),
        )
        self.at += len(after)
        return True

    def _is_of_level(self, number: int) -> bool:
        """Whether it may say of what a level before it is: the IT of "director of IT"."""
        wish = self.wishes[number]
        speaks = self.lexicon.speaks_of(wish.meanings)
        return wish.joint == "" and speaks == "people" and not self._is_level(number)

    def _is_level(self, number: int) -> bool:
        wish = self.wishes[number]
        return self.lexicon.are_levels(wish.meanings) and not wish.reach and not wish.until

    def _goes_on(self, number: int) -> bool:
        """Whether a wish goes on with a list: "agencies, banks and insurers excluded"."""
        wish, before = self.wishes[number], self.wishes[number - 1]
        keys = self.lexicon.keys(wish.meanings) & self.lexicon.keys(before.meanings)
        return wish.joint in {"and", "or"} or (wish.joint == "," and bool(keys))

    def _plain(self, token: Token) -> None:
        """A word that is no wish: one that joins or turns wishes, a filler, or one not known."""
        if negation := self.passage.longest(self.words.negations, self.at):
            self._negation(negation)
            return
        if token.word in OR | AND:
            self.flush()
            self._joint = "or" if token.word in OR else "and"
            self._fresh = False
        elif token.word in self.words.fillers:
            self.flush()
        else:
            self._run.append(token)
        self.at += 1

    def _negation(self, said: Phrase) -> None:
        self.flush()
        kind, start = self.words.negations[said], self.tokens[self.at].start
        self._needless = kind == "needless"
        if kind == "short" and self._undoes(said):
            self._turn = None
        elif kind in {"short", "long"}:
            self._turn = Turn(start, long=kind == "long")
            self._joint = self._joint or "and"
        self._fresh = False
        self.at += len(said)

    def _undoes(self, said: Phrase) -> bool:
        """Whether a 'not' undoes the one before it: "exclude people without a phone"."""
        turn, before = self._turn, self.passage.word_before(self.at)
        negates = said in self.words.undoing or before in _HAVING
        if turn is None or not negates or (turn.used and not turn.long):
            return False
        return not turn.paused or before in _THOSE

    def _naming(self) -> bool:
        start = self.passage.begins_with(self.at, _QUOTES)
        naming = read_naming(self.passage.text, start, self.lexicon)
        if naming is None:
            return False
        wish = self._wish(start, naming.end, (naming.meaning,))
        self._take(replace(wish, out=naming.out, named=True))
        if naming.without:
            other = self._wish(naming.without_at, naming.end, (naming.without,))
            self._add(replace(other, out=not naming.out, named=True))
        return True

    def _quantity(self) -> bool:
        quantity = read_quantity(self.passage.text, self.passage.begins_with(self.at, _CURRENCIES))
        if isinstance(quantity, Uncounted):
            self._cannot(quantity.start, quantity.end, quantity.why)
            return True
        if quantity is None:
            return False
        if quantity.said:
            self._count(quantity)
            return True
        head, end = self.passage.head(quantity.end)
        having = quantity.having or self.passage.word_before(self.at) in _HAVING
        if head == "people" and having:
            self._cannot(quantity.start, end, _OF_ONE_KIND)
        elif head == "companies" and ("people" in quantity.measures or not quantity.bounded):
            self._cannot(quantity.start, quantity.end, _COMPANIES_WANTED)
        elif head == "people" and "companyRevenueRange" not in quantity.measures:
            self._count(replace(quantity, measures=("people",)))
        elif self.passage.may_be_bare(quantity):
            last = self.wishes[-1] if self._fresh else None
            self._count(self.passage.of_those_before(quantity, self.at, last))
        else:
            return False
        return True

    def _count(self, quantity: Quantity) -> None:
        if quantity.measures == ("people",):
            self._cannot(quantity.start, quantity.end, _PEOPLE_WANTED)
            self.people_wanted = self.people_wanted or people_wanted(quantity)
            return
        meanings = tuple(Meaning((Reading(name, quantity.span),)) for name in quantity.measures)
        sure = quantity.said or len(meanings) > 1
        note = None if sure else _UNSAID[quantity.measures[0]]
        wish = self._wish(quantity.start, quantity.end, meanings)
        self._take(replace(wish, note=note, numbered=True))

    def _ladder(self) -> bool:
        """Read a seniority with a word before it that points up or down: 'above director'."""
        found = self.passage.ladder(self.at)
        if found is None:
            return False
        end, meanings, reach = found
        start, stop = self.tokens[self.at].start, self.tokens[end - 1].end
        self._take(replace(self._wish(start, stop, meanings), reach=reach))
        return True

    def _known(self) -> bool:
        found = self.lexicon.find(self.tokens, self.at)
        # The longer one counts: "non profit" is an industry, "non" leaves something out.
        negation = self.passage.longest(self.words.negations, self.at) or ()
        if found is None or len(negation) >= found[0] - self.at:
            return False
        end, meanings = found
        if isinstance(meanings, Impossible):
            self._impossible(meanings, end)
            return True
        wish = Wish("", meanings, cue=self.passage.cue(self.at, end))
        if self.lexicon.are_levels(meanings):
            wish, end = self.passage.reaching(wish, end)
        elif self.lexicon.states_of(meanings):
            wish, end = self.passage.placed(wish, self.at, end)
        start, stop = self.tokens[self.at].start, self.tokens[end - 1].end
        self._take(replace(wish, asked=self.passage.said(start, stop), place=(start, stop)))
        return True

    def _impossible(self, impossible: Impossible, end: int) -> None:
        start = self.tokens[self.at].start
        while impossible.rest and end < len(self.tokens) and not self.passage.ends_rest(end):
            end += 1
        self._cannot(start, self.tokens[end - 1].end, impossible.why)

    def _cannot(self, start: int, end: int, why: str) -> None:
        """Note what no filter can say, and go on behind it."""
        self.flush()
        self.unsayable.append(Unsayable(self.passage.said(self._from(start), end), why))
        self._skip_to(end)
        self._joint = ""
        self._fresh = False

    def _wish(self, start: int, end: int, meanings: tuple[Meaning, ...]) -> Wish:
        return Wish(self.passage.said(start, end), meanings, place=(start, end))

    def _take(self, wish: Wish) -> None:
        """Add a wish, and go on behind it."""
        self.flush()
        self._add(wish)
        self._skip_to(wish.place[1])

    def _skip_to(self, end: int) -> None:
        while self.at < len(self.tokens) and self.tokens[self.at].start < end:
            self.at += 1

    def _add(self, wish: Wish) -> None:
        joint, self._joint = self._joint, ""
        if self._needless:
            self.unsayable.append(Unsayable(wish.asked, _OPTIONAL))
            return
        keys, turn = self.lexicon.keys(wish.meanings), self._turn
        follows = self.passage.follows_joint(wish.place[0])
        if turn and not turn.reaches(keys, joint, follows=follows):
            if joint == "" and not turn.blind and not turn.keys & keys and self._adjoins(wish):
                self.unsayable.append(
                    Unsayable(f"{self.wishes.pop().asked} {wish.asked}", _TOGETHER)
                )
                return
            turn = self._turn = None
        if turn:
            turn.turn(keys)
        self.wishes.append(replace(wish, out=wish.out or turn is not None, joint=joint))
        self._raise()
        self._fresh = True

    def _adjoins(self, wish: Wish) -> bool:
        """Whether nothing but a space lies between it and the last wish."""
        return bool(self.wishes) and wish.place[0] <= self.wishes[-1].place[1] + 1

    def _raise(self) -> None:
        """Join a "senior" with the level that it stands before: "senior finance managers"."""
        level = self.wishes[-1]
        raising = self._raising() if self.lexicon.are_levels(level.meanings) else None
        if raising is None:
            return
        start = self.wishes[raising].place[0]
        self.wishes[raising + 1] = replace(
            self.wishes[raising + 1], joint=self.wishes[raising].joint
        )
        asked = self.passage.said(start, level.place[1])
        whole = replace(self.wishes[-1], asked=asked, place=(start, level.place[1]))
        self.wishes = [*self.wishes[:raising], *self.wishes[raising + 1 : -1], whole]

    def _raising(self) -> int | None:
        """Which wish is a "senior" before a level, with at most departments between."""
        for number in range(len(self.wishes) - 2, -1, -1):
            wish, after = self.wishes[number], self.wishes[number + 1]
            if phrase(wish.asked) in self.words.ladder.raises:
                return number if after.place[0] <= wish.place[1] + 1 else None
            if after.joint not in {"", "and", "or"} or self.lexicon.are_levels(wish.meanings):
                return None
        return None

    def _from(self, start: int) -> int:
        """Where something begins that is no filter: with the 'not' that turns it."""
        turn = self._turn
        if turn is None or turn.used:
            return start
        turn.spend()
        return turn.start
