"""Filters in the user's own words: what of it the service can apply, how surely, and what not."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

from pydantic import JsonValue

from leadpipe_mcp.api.spelling import FilterCatalog, FilterEntry, FilterValue
from leadpipe_mcp.planning.choices import Choice, choice_with, choices_of, without
from leadpipe_mcp.planning.lexicon import Lexicon
from leadpipe_mcp.planning.sentences import Unsayable, Wish, read_sentence
from leadpipe_mcp.text import quoted

Sure = Literal["exact", "close", "ambiguous"]

MOST_FREQUENT = 3

_NOT_LIVE = "The service has no filter or no value for it now."
_CANNOT_EXCLUDE = "The service has no way to leave this out; leave it out of the results instead."
_CONTRADICTION = "What is wanted here is also left out."
_EITHER = "All filters must hold, so 'or' between '{one}' and '{other}' needs an audience for each."
_ONE_AT_A_TIME = "The service takes one value here: choose one, or make an audience for each."
_ONE_TITLE = "The service takes one title; {others} would need an audience of its own."


@dataclass(frozen=True)
class Match:
    """What was found for one wish: a choice, or several of which the user has to choose."""

    asked: str
    sure: Sure
    choices: tuple[Choice, ...]
    out: bool = False
    note: str | None = None


@dataclass(frozen=True)
class Found:
    """What was found for a sentence; every part of it is in one of these."""

    matches: tuple[Match, ...]
    filters: Mapping[str, JsonValue]
    """What a config takes: of the matches those that are exact or close."""
    not_possible: tuple[Unsayable, ...]
    not_understood: tuple[str, ...]


@dataclass(frozen=True)
class FilterOverview:
    """One filter of the catalogue, with as many of its values as were asked for."""

    key: str
    label: str
    kind: str
    total: int
    values: tuple[FilterValue, ...]


@dataclass(frozen=True)
class _Wanted:
    wish: Wish
    choices: tuple[Choice, ...]
    note: str | None = None

    @property
    def choice(self) -> Choice | None:
        return self.choices[0] if len(self.choices) == 1 else None


def find_filters(about: str, catalog: FilterCatalog) -> Found:
    """The filters that the words stand for, as the live catalogue spells them.

    Args:
        about: What is wanted of the people, in free words: "VP or above at SaaS companies".
        catalog: The filters that the service has now.
    """
    lexicon = Lexicon(catalog)
    sentence = read_sentence(about, lexicon)
    impossible = list(sentence.not_possible)
    wanted: list[_Wanted] = []
    for wish in sentence.wishes:
        if choices := choices_of(wish, lexicon):
            wanted.append(_Wanted(wish, tuple(choices)))
        else:
            impossible.append(Unsayable(wish.asked, _NOT_LIVE))
    wanted = _agreed(wanted, lexicon)
    wanted, unsayable = _turned(wanted, lexicon)
    wanted = [_single(one, wanted, catalog) for one in wanted]
    wanted, contradictions = _held_apart(wanted)
    return Found(
        matches=tuple(dict.fromkeys(_match(one) for one in wanted)),
        filters=_merged(wanted, catalog),
        not_possible=tuple(dict.fromkeys([*impossible, *unsayable, *contradictions])),
        not_understood=tuple(dict.fromkeys(sentence.not_understood)),
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


def _agreed(wanted: list[_Wanted], lexicon: Lexicon) -> list[_Wanted]:
    """The wishes, those joined by 'or' under one filter, and none that excludes another."""
    made = _decided(wanted)
    for one, other in combinations(range(len(made)), 2):
        joined = other == one + 1 and made[other].wish.joint == "or"
        pair = made[one], made[other]
        if _agree(*pair) or not (joined or _are_kin(*pair, lexicon)):
            continue
        if agreement := _agreement(*pair, lexicon):
            made[one], made[other] = agreement
        elif joined:
            note = _EITHER.format(one=pair[0].wish.asked, other=pair[1].wish.asked)
            made[one], made[other] = (replace(part, note=note) for part in pair)
    return made


def _decided(wanted: list[_Wanted]) -> list[_Wanted]:
    """The wishes, those that are listed with one of a certain filter taken as of that filter."""
    made = list(wanted)
    pairs = [(number, number + 1) for number in range(len(made) - 1)]
    for one, other in (*pairs, *((after, before) for before, after in reversed(pairs))):
        choice = made[one].choice
        listed = made[max(one, other)].wish.joint in {"or", "and", ","}
        if choice is None or not listed:
            continue
        alike = tuple(each for each in made[other].choices if each.key == choice.key)
        if len(alike) == 1:
            made[other] = replace(made[other], choices=alike)
    return made


def _agree(one: _Wanted, other: _Wanted) -> bool:
    """Whether two wishes are or may be of one filter, or one is not wanted at all."""
    keys = [{choice.key for choice in part.choices} for part in (one, other)]
    return one.wish.out or other.wish.out or bool(keys[0] & keys[1])


def _are_kin(one: _Wanted, other: _Wanted, lexicon: Lexicon) -> bool:
    """Whether two filters ask for the same kind of thing, so that hardly anybody fits both."""
    kinds = (
        ("companyIndustry", "company.industryGroups"),
        ("seniority", "role.isCeo", "role.isVp", "jobTitle"),
    )
    named = one.wish.named or other.wish.named
    entries = [{lexicon.entry(key) for key in kind} - {None} for kind in kinds]
    both = {choice.entry.key for part in (one, other) for choice in part.choices}
    return not named and any(both <= {entry.key for entry in kind if entry} for kind in entries)


def _agreement(one: _Wanted, other: _Wanted, lexicon: Lexicon) -> tuple[_Wanted, _Wanted] | None:
    """Both under one filter, if one of them can be said with the other's."""
    for part, model in ((one, other), (other, one)):
        said = choice_with(part.wish, model.choice.key, lexicon) if model.choice else None
        if said:
            note = f"Taken as {quoted(said.values)}, to be one filter with '{model.wish.asked}'."
            agreed = replace(part, choices=(replace(said, close=note),))
            return (agreed, other) if part is one else (one, agreed)
    return None


def _turned(wanted: list[_Wanted], lexicon: Lexicon) -> tuple[list[_Wanted], list[Unsayable]]:
    """The wishes with what is not wanted expressed as what leaves it out, and what cannot be."""
    made: list[_Wanted] = []
    impossible: list[Unsayable] = []
    named = {one.choice.key for one in wanted if one.choice and not one.wish.out}
    for one in wanted:
        if not one.wish.out:
            made.append(one)
        elif turned := [choice for each in one.choices if (choice := without(each, lexicon))]:
            # What is left out of values that are named needs no naming of all others.
            plain = [replace(t, close=None) if t.but and t.key in named else t for t in turned]
            made.append(replace(one, choices=tuple(plain)))
        else:
            impossible.append(Unsayable(one.wish.asked, _CANNOT_EXCLUDE))
    return made, impossible


def _single(one: _Wanted, wanted: list[_Wanted], catalog: FilterCatalog) -> _Wanted:
    """The wish, left to the user where the service takes one value and several are wanted."""
    choice = one.choice
    if choice is None or not _takes_one(choice, catalog):
        return one
    rivals = {
        value
        for other in wanted
        if other.choice and other.choice.key == choice.key and other != one
        for value in other.choice.values[:1]
    }
    if choice.entry.kind == "text" and not one.wish.named and not rivals - {choice.values[0]}:
        others = quoted(choice.values[1:])
        note = _ONE_TITLE.format(others=others) if others else None
        return replace(one, choices=(replace(choice, values=choice.values[:1]).noting(note),))
    if len({*choice.values, *rivals}) == 1:
        return one
    each = tuple(replace(choice, values=(value,)) for value in choice.values)
    return replace(one, choices=each, note=_ONE_AT_A_TIME)


def _takes_one(choice: Choice, catalog: FilterCatalog) -> bool:
    return catalog.vocabulary == "flat" and choice.entry.kind in {"value", "text"}


def _held_apart(wanted: list[_Wanted]) -> tuple[list[_Wanted], list[Unsayable]]:
    """The wishes without those of a filter of which nothing would be left."""
    empty = {
        one.choice.key
        for one in wanted
        if one.choice and one.note is None and _left(one.choice, wanted) == ()
    }
    kept = [one for one in wanted if one.choice is None or one.choice.key not in empty]
    gone = [Unsayable(one.wish.asked, _CONTRADICTION) for one in wanted if one not in kept]
    return kept, gone


def _left(choice: Choice, wanted: list[_Wanted]) -> tuple[str, ...] | None:
    """The values of a filter that are wanted and not left out; None if it holds no values."""
    chosen = [
        (one.choice, one.wish.out)
        for one in wanted
        if one.choice and one.note is None and one.choice.key == choice.key
    ]
    if choice.flag is not None:
        flags = {each.flag for each, _ in chosen}
        return None if len(flags) == 1 else ()
    out = {value for each, _ in chosen for value in each.but}
    named = [value for each, _ in chosen if not each.but for value in each.values]
    every = named or [value for each, _ in chosen for value in each.values]
    return tuple(value for value in dict.fromkeys(every) if value not in out)


def _match(one: _Wanted) -> Match:
    choice = one.choice
    if choice is None or one.note:
        return Match(one.wish.asked, "ambiguous", one.choices, one.wish.out, one.note)
    noted = choice.noting(one.wish.note)
    sure: Sure = "close" if noted.close else "exact"
    return Match(one.wish.asked, sure, (noted,), one.wish.out, noted.close)


def _merged(wanted: list[_Wanted], catalog: FilterCatalog) -> dict[str, JsonValue]:
    """The filters of a config: what is certain enough, each key once."""
    filters: dict[str, JsonValue] = {}
    for one in wanted:
        choice = one.choice
        if choice is None or one.note:
            continue
        values = _left(choice, wanted)
        whole = choice if values is None else replace(choice, values=values)
        filters[choice.key] = whole.written(one=_takes_one(choice, catalog))
    return filters
