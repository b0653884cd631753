"""Choices: what a wish comes to with the filters and values that the service has."""

import re
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from pydantic import JsonValue

from leadpipe_mcp.api.filters import MAX_WORDS
from leadpipe_mcp.api.spelling import FilterEntry, FilterValue
from leadpipe_mcp.planning.lexicon import Lexicon
from leadpipe_mcp.planning.ranges import Span, cover
from leadpipe_mcp.planning.wishes import Wish
from leadpipe_mcp.planning.words import Meaning, Reading, phrase
from leadpipe_mcp.text import form, quoted

_WHOLE = frozenset({"companySize", "ageRange"})
_SAID_AS_WORDS = {True: ("y", "yes", "true"), False: ("n", "no", "false")}


@dataclass(frozen=True)
class Choice:
    """One filter of the service with what it shall hold."""

    entry: FilterEntry
    values: tuple[str, ...] = ()
    flag: bool | None = None
    close: str | None = None
    """Why it is not quite what was said; None if it is."""
    but: tuple[str, ...] = ()
    """What is left out, where the values are all others."""
    part: bool = False
    """Whether what was said is only a part of it."""

    @property
    def key(self) -> str:
        """The service's own key."""
        return self.entry.key

    @property
    def people(self) -> int | None:
        """How many people have one of the values, where the catalogue counts them."""
        counts = [known.count for known in self.entry.values if known.value in self.values]
        known = [count for count in counts if count is not None]
        return sum(known) if known and len(known) == len(counts) else None

    def noting(self, *notes: str | None) -> "Choice":
        """The choice with more to say about why it is not quite what was said."""
        said = dict.fromkeys(note for note in (self.close, *notes) if note)
        return replace(self, close=" ".join(said) or None)

    def written(self, *, one: bool) -> JsonValue:
        """The filter's value as a config takes it; `one` where the service takes a single word."""
        if self.flag is not None:
            yes_no = "y" if self.flag else "n"
            return yes_no if self.entry.kind == "yes_no" else self.flag
        return self.values[0] if one else list(self.values)


def choices_of(wish: Wish, lexicon: Lexicon) -> list[Choice]:
    """What the wish can come to, most fitting first; several if the user has to choose."""
    found: list[Choice] = []
    for meaning in wish.meanings:
        choice = _first_live(meaning, wish, lexicon)
        if choice and not any(_same(choice, other) for other in found):
            found.append(choice)
    found = _of_kin(found, lexicon)
    if wish.numbered:
        # Of what a bare number may count, first that of which it is a range: "25-34".
        found.sort(key=lambda choice: choice.close is not None)
    cued = [choice for choice in found if _speaks_of(choice) == wish.cue]
    return cued or found


def choice_with(wish: Wish, key: str, lexicon: Lexicon) -> Choice | None:
    """The wish said with this filter of the service, if it can be."""
    for meaning in wish.meanings:
        for reading in meaning.readings:
            choice = _live(reading, wish, lexicon)
            if choice and choice.key == key:
                return choice
    return None


def without(choice: Choice, lexicon: Lexicon) -> Choice | None:
    """What leaves out what the choice would find; None if no filter can."""
    entry = choice.entry
    if choice.part:
        return None
    if choice.flag is not None:
        note = "Whether the service finds those without it when told false is not documented."
        return replace(choice, flag=not choice.flag).noting(note)
    if entry.kind == "text":
        titles, exclude = lexicon.entry("jobTitle"), lexicon.entry("jobTitle.exclude")
        return replace(choice, entry=exclude) if exclude and entry == titles else None
    others = tuple(known.value for known in entry.values if known.value not in choice.values)
    if entry.kind != "values" or not others or len(others) > MAX_WORDS:
        return None
    note = "By naming all other values: those of whom it is not known are left out too."
    return replace(choice, values=others, but=choice.values).noting(note)


def _first_live(meaning: Meaning, wish: Wish, lexicon: Lexicon) -> Choice | None:
    live = (_live(reading, wish, lexicon) for reading in meaning.readings)
    return next((choice for choice in live if choice), None)


def _live(reading: Reading, wish: Wish, lexicon: Lexicon) -> Choice | None:
    """The reading in the service's words; None if it has no such filter or none of the values."""
    entry = lexicon.entry(reading.key)
    if entry is None or entry.kind == "range":
        return None
    if isinstance(reading.wanted, Span):
        choice = _ranged(entry, reading.wanted, reading)
    elif isinstance(reading.wanted, bool):
        choice = _flagged(entry, reading.wanted, reading)
    else:
        choice = _worded(entry, reading.wanted, reading.close, wish, lexicon)
    return replace(choice, part=reading.part and choice.close is not None) if choice else None


def _worded(
    entry: FilterEntry, wanted: tuple[str, ...], close: str | None, wish: Wish, lexicon: Lexicon
) -> Choice | None:
    if entry.kind == "text":
        return Choice(entry, wanted, close=close)
    if not entry.values:
        note = "The service does not list the values of this filter."
        return Choice(entry, wanted[:1]).noting(note)
    values = _values(entry, wanted)
    if not values:
        return None
    choice = Choice(entry, values, close=None if _is_called(entry, values, wish) else close)
    return _climbed(choice, wish, lexicon)


def _ranged(entry: FilterEntry, span: Span, reading: Reading) -> Choice | None:
    names = [known.value for known in entry.values]
    found = cover(span, names, whole=reading.key in _WHOLE)
    if found is None or not found.values:
        return None
    return Choice(entry, found.values, close=reading.close).noting(found.misfit)


def _flagged(entry: FilterEntry, wanted: bool, reading: Reading) -> Choice | None:  # noqa: FBT001 -- it is what the filter holds
    close = reading.close if reading.close and not _is_named_so(entry, reading) else None
    if entry.kind in {"flag", "yes_no"}:
        return Choice(entry, flag=wanted, close=close)
    values = _values(entry, _SAID_AS_WORDS[wanted])
    return Choice(entry, values, close=close) if values else None


def _is_named_so(entry: FilterEntry, reading: Reading) -> bool:
    """Whether it is the one filter made for what was said: role.isCeo for CEOs."""
    return reading.key == entry.key and reading.key.startswith("role.is")


def _values(entry: FilterEntry, wanted: tuple[str, ...]) -> tuple[str, ...]:
    """The entry's values that are wanted: by value or label, in the order of the service."""
    return tuple(
        known.value
        for known in entry.values
        if any(_fits(name, word) for word in wanted for name in (known.value, known.label))
    )


def _fits(name: str, word: str) -> bool:
    return name == word or fnmatchcase(form(name), re.sub(r"[^\w*]+", " ", word).casefold())


def _is_called(entry: FilterEntry, values: tuple[str, ...], wish: Wish) -> bool:
    """Whether the one value is called just as the user says."""
    said = phrase(wish.asked)
    names = [(v.value, v.label) for v in entry.values if v.value in values]
    return len(names) == 1 and said in {phrase(name) for name in names[0]}


def _climbed(choice: Choice, wish: Wish, lexicon: Lexicon) -> Choice:
    """The choice with the seniorities above or below it, where the wish has a reach."""
    if not (wish.reach or wish.until) or choice.entry != lexicon.entry("seniority"):
        return choice
    steps = lexicon.words.ladder.steps
    height = {known.value: _height(known, steps) for known in choice.entry.values}
    heights = [height[value] for value in choice.values]
    low, high = float(min(heights)), float(max(heights))
    match wish.reach:
        case "up" | "least":
            high = len(steps)
        case "over":
            low, high = high + 1, len(steps)
        case "down" | "most":
            low = 0
        case "under":
            low, high = 0, low - 1
        case _:
            ends = [choice_with(Wish("", (other,)), choice.key, lexicon) for other in wish.until]
            tops = [height[value] for end in ends if end for value in end.values]
            low, high = min([low, *tops]), max([high, *tops])
    values = tuple(value for value, step in height.items() if low <= step <= high)
    climbed = replace(choice, values=values, close=None)
    beside = [value for value in values if height[value] == len(steps) - 1]
    if not beside or high == low:
        return climbed
    return climbed.noting(f"Counting {quoted(beside)} as above the C-level.")


def _height(known: FilterValue, steps: tuple[frozenset[str], ...]) -> int:
    """The step of the ladder on which a seniority stands; below it if it is not known."""
    names = {form(known.value), form(known.label)}
    return next((number for number, step in enumerate(steps) if names & step), -1)


def _same(choice: Choice, other: Choice) -> bool:
    """Whether two choices are the same filter, holding some of the same."""
    if choice.key != other.key:
        return False
    return choice.flag is not None or bool(set(choice.values) & set(other.values))


def _of_kin(found: list[Choice], lexicon: Lexicon) -> list[Choice]:
    """The choices without a group of industries where an industry fits as well, or better."""
    industry, group = lexicon.entry("companyIndustry"), lexicon.entry("company.industryGroups")
    both = [choice for choice in found if choice.entry in (industry, group)]
    if len({choice.key for choice in both}) < 2:
        return found
    exact = [choice for choice in both if choice.close is None] or both
    kept = [choice for choice in exact if choice.entry == industry] or exact
    left = next(choice for choice in both if choice not in kept)
    kept = [choice.noting(_or_the_other(choice, left)) for choice in kept]
    return [*kept, *(choice for choice in found if choice not in both)]


def _or_the_other(choice: Choice, left: Choice) -> str | None:
    """Where both are exact, what else could have been meant."""
    return None if left.close or choice.close else f"'{left.key}' has one of this name too."


def _speaks_of(choice: Choice) -> str:
    return "companies" if choice.key.startswith("company") else "people"
