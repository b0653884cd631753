"""Agreement: wishes that are lists of one filter, and those that no one audience can hold."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise, product

from leadpipe_mcp.planning.choices import Choice, choice_with
from leadpipe_mcp.planning.lexicon import Lexicon
from leadpipe_mcp.planning.wanted import Wanted
from leadpipe_mcp.planning.wishes import Unsayable
from leadpipe_mcp.text import quoted

_EITHER = "All filters must hold, so 'or' between '{one}' and '{other}' needs an audience for each."
_BOTH = "All filters must hold, so '{one}' and '{other}' need an audience for each."
_APART = "It needs an audience of its own: all filters must hold, and here '{one}' was taken."
_KIN = (
    ("companyIndustry", "company.industryGroups"),
    ("seniority", "role.isCeo", "role.isVp", "jobTitle"),
)
"""Filters that ask for the same kind of thing, so that hardly anybody fits both."""
_ROLE = ("seniority", "role.isCeo", "role.isVp", "jobTitle", "department")
_LISTED = frozenset({"or", "and", ","})
_NEW_PHRASE = re.compile(r"\b(?:in|at|with|from|who|that|based|located|having|has|have)\b")
Held = frozenset[str | bool]


@dataclass(frozen=True)
class _Clause:
    """The wishes between two joints: "sales VPs at banks"."""

    numbers: tuple[int, ...]
    joint: str
    held: Mapping[str, Held]
    """What is wanted, by filter."""
    level: bool
    """Whether it has a seniority, or a title that is one."""
    apart: bool
    """Whether that is of no department: founders, CEOs."""
    chief_of: frozenset[str]
    """The departments whose chiefs it names."""
    departments: frozenset[str]
    titles: frozenset[str]
    """What stands in a title for a department: growth."""

    @property
    def has_area(self) -> bool:
        """Whether it says of what the people are."""
        return bool(self.departments or self.titles)


def by_neighbours(wanted: Sequence[Wanted], lexicon: Lexicon) -> list[Wanted]:
    """The wishes, those that are listed with one of a certain filter taken as of that filter."""
    made = list(wanted)
    pairs = [(number, number + 1) for number in range(len(made) - 1)]
    for one, other in (*pairs, *((after, before) for before, after in reversed(pairs))):
        choice = made[one].choice
        listed = made[max(one, other)].wish.joint in _LISTED
        listed = listed and made[one].wish.out == made[other].wish.out
        if choice is None or not listed:
            continue
        alike = [each for each in made[other].choices if each.key == choice.key]
        if not alike:
            kin = {each.key for each in made[one].choices} | _kin_of(choice.key, lexicon)
            alike = [each for each in made[other].choices if each.key in kin]
        if len(alike) > 1:
            alike = [each for each in alike if (each.close is None) == (choice.close is None)]
        if len(alike) == 1:
            made[other] = replace(made[other], choices=(alike[0],))
    return made


def agreed(wanted: Sequence[Wanted], text: str, lexicon: Lexicon) -> list[Wanted]:
    """The wishes, those joined by 'or' under one filter, and none that excludes another.

    What no one audience can hold is noted so; of two such, the latter is left.
    """
    agreeing = _Agreement(wanted, text, lexicon)
    agreeing.part()
    agreeing.unite()
    agreeing.choose()
    return agreeing.made


def _kin_of(key: str, lexicon: Lexicon) -> frozenset[str]:
    """The filters of industries, if it is one."""
    entries = (lexicon.entry(name) for name in _KIN[0])
    kin = frozenset(entry.key for entry in entries if entry)
    return kin if key in kin else frozenset()


class _Agreement:
    def __init__(self, wanted: Sequence[Wanted], text: str, lexicon: Lexicon) -> None:
        self.made = list(wanted)
        self._text = text
        self._lexicon = lexicon
        self._kin = [self._keys(kind) for kind in _KIN]
        self._role = self._keys(_ROLE)

    def part(self) -> None:
        """Note the clauses that ask for other people than one before: VPs here, managers there."""
        kept: list[_Clause] = []
        clauses = list(self._clauses())
        for clause in clauses:
            rival = next((one for one in kept if self._are_rivals(one, clause, clauses)), None)
            if rival is None:
                kept.append(clause)
                continue
            role = self._role if _roles_apart(rival, clause) else frozenset[str]()
            differing = {key for key, held in clause.held.items() if rival.held.get(key) != held}
            keys = role | (differing & {key for one in kept for key in one.held})
            theirs = self._with_keys(rival, keys)
            self._note(theirs, self._with_keys(clause, keys), clause.joint)

    def unite(self) -> None:
        """Bring what asks for the same kind of thing under one filter: "CEO or VP"."""
        for one, other in combinations(range(len(self.made)), 2):
            pair = self.made[one], self.made[other]
            if not _agree(*pair) and self._are_kin(*pair) and (both := self._agreement(*pair)):
                self.made[one], self.made[other] = both

    def choose(self) -> None:
        """Note where 'or' stands between two filters, which must both hold."""
        clauses = [clause for clause in self._clauses() if clause.numbers]
        either = self._listed_by_or(clauses)
        for kept, clause in self._after_kept(clauses):
            areas = clause.joint == "and" and _areas_apart(kept, clause)
            if (clause in either or areas) and not self._united(kept, clause):
                self._note(kept.numbers[-1:], self._beginning(clause, kept), clause.joint)
        self._spread()

    def _after_kept(self, clauses: Sequence[_Clause]) -> Iterator[tuple[_Clause, _Clause]]:
        """Each clause of other filters than the one before, with the last that is not left."""
        kept = clauses[0] if clauses else None
        for clause in clauses[1:]:
            if kept and not self._shares(kept, clause):
                yield kept, clause
            if not self.made[clause.numbers[0]].left:
                kept = clause

    def _listed_by_or(self, clauses: Sequence[_Clause]) -> list[_Clause]:
        """The clauses with an 'or' before them, also that of a list: "email, phone or LinkedIn"."""
        listed = [clause for clause in clauses if clause.joint == "or"]
        for first, second, last in reversed(
            list(zip(clauses, clauses[1:], clauses[2:], strict=False))
        ):
            flags = all(
                choice.flag is not None
                for clause in (first, second, last)
                for number in clause.numbers[-1:]
                for choice in self.made[number].choices
            )
            if flags and last in listed and second.joint == ",":
                listed.append(second)
        return listed

    def _united(self, before: _Clause, clause: _Clause) -> bool:
        for one, other in product(reversed(before.numbers), clause.numbers):
            if both := self._agreement(self.made[one], self.made[other]):
                self.made[one], self.made[other] = both
                return True
        return False

    def _spread(self) -> None:
        """Note what stands beside a choice that the user has to make: "Texas or women or Ohio"."""
        noted = {
            one.choice.key: one.note
            for one in self.made
            if one.note and one.choice and not one.left
        }
        for number, one in enumerate(self.made):
            if one.wants and not one.note and one.wants.key in noted:
                self.made[number] = replace(one, note=noted[one.wants.key])

    def _note(self, taken: Sequence[int], left: Sequence[int], joint: str) -> None:
        one, other = self._said(taken), self._said(left)
        note = (_EITHER if joint == "or" else _BOTH).format(one=one, other=other)
        unsayable = Unsayable(other, _APART.format(one=one))
        for number in taken:
            self.made[number] = replace(self.made[number], note=note)
        for number in left:
            self.made[number] = replace(self.made[number], note=note, left=unsayable)

    def _said(self, numbers: Sequence[int]) -> str:
        places = [self.made[number].wish.place for number in numbers]
        return " ".join(self._text[places[0][0] : places[-1][1]].split())

    def _clauses(self) -> Iterator[_Clause]:
        """The clauses of what is wanted and not yet left, in order."""
        numbers: list[int] = []
        joint = ""
        for number, one in enumerate(self.made):
            if one.wish.joint:
                yield self._clause(numbers, joint)
                numbers, joint = [], one.wish.joint
            if one.left:
                # What stays of a clause that is left was meant of all.
                joint = ","
            elif not one.wish.out:
                numbers.append(number)
        yield self._clause(numbers, joint)

    def _clause(self, numbers: Sequence[int], joint: str) -> _Clause:
        held: dict[str, Held] = {}
        chiefs, departments, titles = set[str](), set[str](), set[str]()
        level = apart = False
        for one in (self.made[number] for number in numbers):
            choice = one.choice
            if choice is None:
                continue
            has = frozenset(choice.values) if choice.flag is None else frozenset({choice.flag})
            held[choice.key] = held.get(choice.key, frozenset()) | has
            if self._is_chief(one, choice):
                chief_of = self._lexicon.departments(one.wish.meanings)
                level, apart = True, apart or not chief_of
                chiefs |= chief_of
            elif choice.entry == self._lexicon.entry("seniority"):
                level, apart = True, apart or self._lexicon.are_of_no_department(choice.values)
            elif choice.entry == self._lexicon.entry("department"):
                departments |= set(choice.values)
            elif choice.key in self._role and not one.wish.named:
                titles |= set(choice.values)
        return _Clause(
            tuple(numbers),
            joint,
            held,
            level,
            apart,
            frozenset(chiefs),
            frozenset(departments),
            frozenset(titles),
        )

    def _is_chief(self, one: Wanted, choice: Choice) -> bool:
        """Whether it is a title, or the flag of one, that could be said as a seniority."""
        level = self._lexicon.entry("seniority")
        readings = [reading for meaning in one.wish.meanings for reading in meaning.readings]
        return (
            level is not None
            and choice.entry != level
            and choice.key in self._role
            and any(self._lexicon.entry(reading.key) == level for reading in readings)
        )

    def _are_rivals(self, one: _Clause, other: _Clause, clauses: Sequence[_Clause]) -> bool:
        keys = [key for key in one.held if key in other.held and one.held[key] != other.held[key]]
        if len(keys) >= 2 and not _is_crossed(one, other, keys, clauses):
            return True
        return _roles_apart(one, other)

    def _with_keys(self, clause: _Clause, keys: frozenset[str] | set[str]) -> list[int]:
        chosen = [(number, self.made[number].choice) for number in clause.numbers]
        return [number for number, choice in chosen if choice and choice.key in keys]

    def _beginning(self, clause: _Clause, kept: _Clause) -> list[int]:
        """The wishes up to those that may be meant of all that is listed.

        That is what a new phrase begins, or a level: "SaaS or marketing VPs", "phone or email in
        Texas".
        """
        begun = [clause.numbers[0]]
        last = self._lexicon.speaks_of(self.made[kept.numbers[-1]].wish.meanings)
        for before, number in pairwise(clause.numbers):
            one, other = self.made[before].wish, self.made[number].wish
            between = self._text[one.place[1] : other.place[0]].casefold()
            shared = last and not kept.level and self._lexicon.are_levels(other.meanings)
            if shared or _NEW_PHRASE.search(between):
                break
            begun.append(number)
        return begun

    def _shares(self, one: _Clause, other: _Clause) -> bool:
        """Whether both are, or may be, of one filter."""
        keys = [
            {choice.key for number in clause.numbers for choice in self.made[number].choices}
            for clause in (one, other)
        ]
        return bool(keys[0] & keys[1])

    def _are_kin(self, one: Wanted, other: Wanted) -> bool:
        named = one.wish.named or other.wish.named or one.left or other.left
        keys = {choice.key for part in (one, other) for choice in part.choices}
        return not named and any(keys <= kin for kin in self._kin)

    def _agreement(self, one: Wanted, other: Wanted) -> tuple[Wanted, Wanted] | None:
        """Both under one filter, if one of them can be said with the other's."""
        for part, model in ((one, other), (other, one)):
            key = model.choice.key if model.choice else None
            said = choice_with(part.wish, key, self._lexicon) if key else None
            if said:
                note = (
                    f"Taken as {quoted(said.values)}, to be one filter with '{model.wish.asked}'."
                )
                agreed = replace(part, choices=(replace(said, close=note),))
                return (agreed, other) if part is one else (one, agreed)
        return None

    def _keys(self, keys: Sequence[str]) -> frozenset[str]:
        entries = (self._lexicon.entry(key) for key in keys)
        return frozenset(entry.key for entry in entries if entry)


def _agree(one: Wanted, other: Wanted) -> bool:
    """Whether two wishes are or may be of one filter, or one is not wanted at all."""
    keys = [{choice.key for choice in part.choices} for part in (one, other)]
    return one.wish.out or other.wish.out or bool(keys[0] & keys[1])


def _is_crossed(
    one: _Clause, other: _Clause, keys: Sequence[str], clauses: Sequence[_Clause]
) -> bool:
    """Whether all that comes of mixing two clauses is asked for too."""
    mixes = product(*((one.held[key], other.held[key]) for key in keys))
    return all(
        any(
            all(clause.held.get(k) == h for k, h in zip(keys, mix, strict=True))
            for clause in clauses
        )
        for mix in mixes
    )


def _roles_apart(one: _Clause, other: _Clause) -> bool:
    """Whether one names people of no department, or its chief, and the other those of another."""
    if one.level and other.level and _areas_apart(one, other):
        return True
    for lone, of_area in ((one, other), (other, one)):
        if not of_area.has_area or lone.has_area or not (lone.apart or lone.chief_of):
            continue
        if of_area.level:
            if lone.apart or of_area.titles or lone.chief_of != of_area.departments:
                return True
        elif other.joint == "and" and of_area.departments:
            return True
    return False


def _areas_apart(one: _Clause, other: _Clause) -> bool:
    """Whether one says by title and the other by department of what the people are."""
    return bool(one.titles and other.departments) != bool(one.departments and other.titles)
