"""Wishes with what they come to: a choice that stands, several to choose from, or none of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import JsonValue

from leadpipe_mcp.api.spelling import FilterCatalog
from leadpipe_mcp.planning.choices import Choice
from leadpipe_mcp.planning.wishes import Unsayable, Wish

_CONTRADICTION = "What is wanted here is also left out."
_NOT_IN_NUMBERS = "'{other}' says it in numbers, and they do not fit."
_IN_NUMBERS = "In numbers it is '{other}'."
_SIDE_BY_SIDE = frozenset({"or", "and"})


@dataclass(frozen=True)
class Wanted:
    """A wish and its choices."""

    wish: Wish
    choices: tuple[Choice, ...]
    """One that it comes to, or several of which the user has to choose."""
    others: tuple[Choice, ...] = ()
    """What it could have come to, where the choice was made for the user."""
    note: str | None = None
    """Why the user has to choose."""
    left: Unsayable | None = None
    """Why it is left out, if another was taken in its place."""
    settled: bool = False
    """Whether choices are made for the user."""

    @property
    def choice(self) -> Choice | None:
        """The choice that it comes to, if it is one."""
        return self.choices[0] if len(self.choices) == 1 else None

    @property
    def standing(self) -> Choice | None:
        """The choice that goes into the filters, if one does."""
        open_ = self.left or (self.note and not self.settled)
        return None if open_ else self.choice

    @property
    def wants(self) -> Choice | None:
        """The choice that goes into the filters and is not one that leaves out."""
        return None if self.wish.out else self.standing

    def settle(self) -> "Wanted":
        """The wish with the likeliest of its choices taken."""
        return replace(self, choices=self.choices[:1], others=self.choices[1:], settled=True)


def narrowed(wanted: Sequence[Wanted]) -> tuple[list[Wanted], list[Unsayable]]:
    """The wishes with ranges that bound each other as one range, and what contradicts another.

    "Over 50 employees, under 500" are 51 to 499, and "SMBs with 10-50 employees" are of 10 to 50;
    but "under 50 or over 500 employees" are two ranges.
    """
    made: list[Wanted | None] = list(wanted)
    impossible: list[Unsayable] = []
    for one in range(len(made)):
        for other in range(one + 1, len(made)):
            first, second = made[one], made[other]
            if first is None or second is None or not _bound(first, second):
                continue
            made[one], made[other] = _joined(first, second)
            for before, after in ((first, made[one]), (second, made[other])):
                if after is None:
                    impossible.append(_contradicted(before, first, second))
    return [one for one in made if one], impossible


def _bound(one: Wanted, other: Wanted) -> bool:
    """Whether two are ranges of one filter, and meant of the same people."""
    first, second = one.wants, other.wants
    if not first or not second or first.key != second.key:
        return False
    limits, joint = {one.wish.limit, other.wish.limit}, other.wish.joint
    overlap = set(first.values) & set(second.values)
    if limits == {"low", "high"}:
        return joint != "or"
    if limits == {"vague"}:
        return joint == "" and bool(overlap)
    mixed = "vague" in limits and bool(limits & {"low", "high", "both"})
    return mixed and joint != "or" and (bool(overlap) or joint not in _SIDE_BY_SIDE)


def _joined(one: Wanted, other: Wanted) -> tuple[Wanted | None, Wanted | None]:
    """Both with what they have in common; None for what does not fit the other."""
    parts = one, other
    choices = tuple(part.choices[0] for part in parts)
    common = tuple(value for value in choices[0].values if value in choices[1].values)
    limits = [part.wish.limit for part in parts]
    if "vague" in limits and set(limits) != {"vague"}:
        vague = limits.index("vague")
        said = parts[1 - vague]
        if not common:
            return (None, said) if vague == 0 else (said, None)
        if said.wish.limit == "both":
            common = said.choices[0].values
        note = _IN_NUMBERS.format(other=said.wish.asked)
        taken = [_holding(part, common) for part in parts]
        taken[vague] = _holding(parts[vague], common, note)
        return taken[0], taken[1]
    if not common:
        return None, None
    return _holding(one, common), _holding(other, common)


def _holding(one: Wanted, values: tuple[str, ...], note: str | None = None) -> Wanted:
    choice = replace(one.choices[0], values=values)
    return replace(one, choices=(choice.noting(note),))


def _contradicted(gone: Wanted, one: Wanted, other: Wanted) -> Unsayable:
    rival = other if gone is one else one
    if gone.wish.limit == "vague":
        return Unsayable(gone.wish.asked, _NOT_IN_NUMBERS.format(other=rival.wish.asked))
    return Unsayable(gone.wish.asked, f"It contradicts '{rival.wish.asked}'.")


def held_apart(wanted: Sequence[Wanted]) -> tuple[list[Wanted], list[Unsayable]]:
    """The wishes without those of which another leaves nothing."""
    empty = {
        choice.key
        for one in wanted
        if (choice := one.standing) and values_left(choice, wanted) == ()
    }
    kept = [one for one in wanted if not _is_gone(one, wanted, empty)]
    return kept, [Unsayable(one.wish.asked, _CONTRADICTION) for one in wanted if one not in kept]


def _is_gone(one: Wanted, wanted: Sequence[Wanted], empty: set[str]) -> bool:
    choice = one.standing
    if choice is None or choice.key in empty:
        return choice is not None
    out = {value for other in wanted if (each := _same(other, choice)) for value in each.but}
    return not one.wish.out and bool(choice.values) and out.issuperset(choice.values)


def _same(one: Wanted, choice: Choice) -> Choice | None:
    """What stands of a wish under the same filter."""
    each = one.standing
    return each if each and each.key == choice.key else None


def values_left(choice: Choice, wanted: Sequence[Wanted]) -> tuple[str, ...] | None:
    """The values of a filter that are wanted and not left out; None if it holds no values."""
    chosen = [each for one in wanted if (each := _same(one, choice))]
    if choice.flag is not None:
        flags = {each.flag for each in chosen}
        return None if len(flags) == 1 else ()
    out = {value for each in chosen for value in each.but}
    named = [value for each in chosen if not each.but for value in each.values]
    every = named or [value for each in chosen for value in each.values]
    return tuple(value for value in dict.fromkeys(every) if value not in out)


def takes_one(choice: Choice, catalog: FilterCatalog) -> bool:
    """Whether the service takes a single value for this filter."""
    return catalog.vocabulary == "flat" and choice.entry.kind in {"value", "text"}


def merged(wanted: Sequence[Wanted], catalog: FilterCatalog) -> Mapping[str, JsonValue]:
    """The filters of a config: what stands, each key once."""
    filters: dict[str, JsonValue] = {}
    for choice in filter(None, (one.standing for one in wanted)):
        values = values_left(choice, wanted)
        whole = choice if values is None else replace(choice, values=values)
        filters[choice.key] = whole.written(one=takes_one(choice, catalog))
    return filters
