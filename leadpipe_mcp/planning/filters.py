"""Filters in the user's own words: what of it the service can apply, how surely, and what not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pydantic import JsonValue

from leadpipe_mcp.api.spelling import FilterCatalog, FilterEntry, FilterValue
from leadpipe_mcp.planning.agreeing import agreed, by_neighbours
from leadpipe_mcp.planning.choices import Choice, choices_of, without
from leadpipe_mcp.planning.lexicon import Lexicon
from leadpipe_mcp.planning.ranges import Span
from leadpipe_mcp.planning.sentences import read_sentence
from leadpipe_mcp.planning.wanted import Wanted, held_apart, merged, narrowed, takes_one
from leadpipe_mcp.planning.wishes import Unsayable
from leadpipe_mcp.text import quoted

Sure = Literal["exact", "close", "ambiguous"]

MOST_FREQUENT = 3

_NOT_LIVE = "The service has no filter or no value for it now."
_CANNOT_EXCLUDE = "The service has no way to leave this out; leave it out of the results instead."
_TOO_MUCH = "It cannot be left out by itself. {close}"
_ONE_AT_A_TIME = "The service takes one value here: choose one, or make an audience for each."
_ONE_TITLE = "The service takes one title; {others} would need an audience of its own."
_ONE_TAKEN = (
    "It needs an audience of its own: the service takes one value here, and {one} was taken."
)
_REST_LEFT = (
    "The service takes one value here, and {one} was taken; {others} need audiences of their own."
)
_EVERYBODY = "All that the service tells apart is wanted, so it needs no filter."


@dataclass(frozen=True)
class Match:
    """What was found for one wish: a choice, or several of which one has to be chosen."""

    asked: str
    sure: Sure
    choices: tuple[Choice, ...]
    """Where one is taken, it is the first; the others could have been meant as well."""
    out: bool = False
    """Whether it is not wanted, and the choice leaves it out."""
    note: str | None = None
    taken: bool = True
    """Whether the first choice is in the filters."""

    @property
    def key(self) -> str:
        """The service's own key of the first choice."""
        return self.choices[0].key


@dataclass(frozen=True)
class Found:
    """What was found for a sentence; every part of it is in one of these."""

    matches: tuple[Match, ...]
    filters: Mapping[str, JsonValue]
    """What a config takes: the matches that are taken."""
    not_possible: tuple[Unsayable, ...]
    """What no filter can say, and what is left out because another was taken, as it was said."""
    not_understood: tuple[str, ...]
    people_wanted: Span | None = None
    """How many people the words ask for, which is no filter."""


@dataclass(frozen=True)
class FilterOverview:
    """One filter of the catalogue, with as many of its values as were asked for."""

    key: str
    label: str
    kind: str
    total: int
    values: tuple[FilterValue, ...]


def find_filters(about: str, catalog: FilterCatalog, *, decide: bool = False) -> Found:
    """The filters that the words stand for, as the live catalogue spells them.

    Args:
        about: What is wanted of the people, in free words: "VP or above at SaaS companies".
        catalog: The filters that the service has now.
        decide: Whether to choose where the user would have to. Of readings of one word the
            likeliest is taken; of what no one audience can hold, the first. So everybody in the
            audience fits what was said, and what is missing is named in `not_possible`.
    """
    lexicon = Lexicon(catalog)
    sentence = read_sentence(about, lexicon)
    impossible = list(sentence.not_possible)
    wanted: list[Wanted] = []
    for wish in sentence.wishes:
        if choices := choices_of(wish, lexicon):
            wanted.append(Wanted(wish, tuple(choices)))
        else:
            impossible.append(Unsayable(wish.asked, _NOT_LIVE))
    wanted = by_neighbours(wanted, lexicon)
    if decide:
        wanted = [one.settle() for one in wanted]
    wanted = agreed(wanted, sentence.text, lexicon)
    wanted, unsayable = _turned(wanted, lexicon)
    wanted, beyond_one = _single(wanted, catalog)
    wanted, contradictions = narrowed(wanted)
    wanted, excluded = held_apart(wanted)
    left = [one.left for one in wanted if one.left] if decide else []
    text = " ".join(about.split())
    said = [*impossible, *unsayable, *beyond_one, *contradictions, *excluded, *left]
    return Found(
        matches=tuple(dict.fromkeys(_match(one) for one in wanted)),
        filters=merged(wanted, catalog),
        not_possible=tuple(sorted(dict.fromkeys(said), key=lambda one: text.find(one.asked))),
        not_understood=tuple(dict.fromkeys(sentence.not_understood)),
        people_wanted=sentence.people_wanted,
    )


def describe_filters(
    catalog: FilterCatalog, *, most: int = MOST_FREQUENT
) -> tuple[FilterOverview, ...]:
    """Every filter of the catalogue with the values that most people have."""
    return tuple(describe_filter(entry, most=most) for entry in catalog.entries.values())


def describe_filter(entry: FilterEntry, *, start: int = 0, most: int) -> FilterOverview:
    """One filter with so many of its values, from a place in their list on.

    Where people are counted and the list is long, the values that most people have come first.
    """
    values = entry.values
    if len(values) > most and all(value.count is not None for value in values):
        values = tuple(sorted(values, key=lambda value: -(value.count or 0)))
    return FilterOverview(
        entry.key, entry.label, entry.kind, len(values), values[start : start + most]
    )


def _turned(wanted: Sequence[Wanted], lexicon: Lexicon) -> tuple[list[Wanted], list[Unsayable]]:
    """The wishes with what is not wanted expressed as what leaves it out, and what cannot be."""
    made: list[Wanted] = []
    impossible: list[Unsayable] = []
    named = {one.wants.key for one in wanted if one.wants}
    for one in wanted:
        if not one.wish.out:
            made.append(one)
            continue
        every = tuple(
            replace(each, part=each.part or _is_more_than(each, wanted))
            for each in (*one.choices, *one.others)
        )
        turned = tuple(choice for each in every if (choice := without(each, lexicon)))
        if turned and not every[0].part:
            # What is left out of values that are named needs no naming of all others.
            plain = [replace(t, close=None) if t.but and t.key in named else t for t in turned]
            again = replace(one, choices=tuple(plain), others=())
            made.append(again.settle() if one.settled else again)
        else:
            close = next((each.close for each in every if each.part), None)
            why = _TOO_MUCH.format(close=close) if close else _CANNOT_EXCLUDE
            impossible.append(Unsayable(one.wish.asked, why))
    return made, impossible


def _is_more_than(choice: Choice, wanted: Sequence[Wanted]) -> bool:
    """Whether what it finds is more than was said, and holds what is wanted by its own name."""
    return choice.close is not None and any(
        each.key == choice.key and not each.close and set(each.values) <= set(choice.values)
        for one in wanted
        if (each := one.wants) and each.values
    )


def _single(
    wanted: Sequence[Wanted], catalog: FilterCatalog
) -> tuple[list[Wanted], list[Unsayable]]:
    """The wishes with one value where the service takes one, and those that need no filter.

    Where several are wanted it is the user's to choose; if that is decided, the first is taken.
    """
    made: list[Wanted] = []
    unsayable: list[Unsayable] = []
    for one in wanted:
        choice = one.wants
        if choice is None or not takes_one(choice, catalog):
            made.append(one)
            continue
        rivals = {
            value
            for other in wanted
            if other is not one and (each := other.wants) and each.key == choice.key
            for value in each.values[:1]
        }
        known = {known.value for known in choice.entry.values}
        if len(known) > 1 and rivals | set(choice.values) == known:
            unsayable.append(Unsayable(one.wish.asked, _EVERYBODY))
            continue
        taken = [each for before in made if (each := before.wants) and each.key == choice.key]
        single = _with_one_value(one, choice, rivals, taken[0].values[0] if taken else None)
        made.append(single)
        if single.others and single.others != one.others:
            others = quoted(other.values[0] for other in single.others)
            why = _REST_LEFT.format(one=f"'{single.choices[0].values[0]}'", others=others)
            unsayable.append(Unsayable(one.wish.asked, why))
    return made, unsayable


def _with_one_value(one: Wanted, choice: Choice, rivals: set[str], taken: str | None) -> Wanted:
    """The wish with the one value that can be sent; where it is not decided, left to the user.

    `taken` is the value that a wish before it has.
    """
    synonyms = choice.entry.kind == "text" and not one.wish.named
    if synonyms and not rivals - {choice.values[0]}:
        others = quoted(choice.values[1:])
        note = _ONE_TITLE.format(others=others) if others else None
        return replace(one, choices=(replace(choice, values=choice.values[:1]).noting(note),))
    if len({*choice.values, *rivals}) == 1:
        return one
    each = tuple(replace(choice, values=(value,)) for value in choice.values)
    if not one.settled:
        return replace(one, choices=each, note=_ONE_AT_A_TIME)
    ways = [way for way in each if way.values[0] == taken] if taken else list(each[:1])
    if not ways:
        left = Unsayable(one.wish.asked, _ONE_TAKEN.format(one=f"'{taken}'"))
        return replace(one, choices=each[:1], note=_ONE_AT_A_TIME, left=left)
    rest = () if synonyms else tuple(way for way in each if way not in ways)
    return replace(one, choices=(ways[0],), others=(*rest, *one.others), note=_ONE_AT_A_TIME)


def _match(one: Wanted) -> Match:
    wish, choice = one.wish, one.choice
    if choice is None or one.others or one.note:
        choices = (*one.choices, *one.others)
        return Match(wish.asked, "ambiguous", choices, wish.out, one.note, bool(one.standing))
    noted = choice.noting(wish.note)
    sure: Sure = "close" if noted.close else "exact"
    return Match(wish.asked, sure, (noted,), wish.out, noted.close)
