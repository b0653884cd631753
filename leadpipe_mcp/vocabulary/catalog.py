"""The filters that the service has now, the flat keys, and which filter a key stands for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.text import listed, nearest, quoted, redact

Vocabulary = Literal["flat", "catalog"]
FilterKind = Literal["values", "value", "text", "flag", "yes_no", "range"]
"""What a filter holds: listed values (several, or one), free text, or a yes or no."""

NAME_LENGTH = 64
_TAKES_PLAINLY = {"in", "is", "any", "equals", "is_any_of"}


@dataclass(frozen=True)
class FlatKey:
    """One of the keys of the April 2026 API.

    `twin` is its key in the catalogue of May 2026 if the documentation names one. If not, `like`
    matches the keys that can only be this filter: `location.states` is `state`.
    """

    name: str
    kind: FilterKind
    twin: str | None = None
    like: str = ""

    def looks_like(self, key: str) -> bool:
        """Return whether a catalogue key can only be this filter."""
        return bool(self.like) and re.fullmatch(self.like, key, re.IGNORECASE) is not None


_PLACE = "(location|geo(graphy)?|person(al)?|contact|demographics)"
_PERSON = "(demographics?|person(al)?)"
_REACHED = "(contact(ability)?|person|reach)"
_SIZE = "company[.](company)?(sizes?|sizeranges|employee(s|sizes|counts?|ranges)|headcounts?)"
FLAT_KEYS: Mapping[str, FlatKey] = {
    key.name: key
    for key in (
        FlatKey("companyIndustry", "values", "company.industries"),
        FlatKey("seniority", "values", "role.seniority"),
        FlatKey("companySize", "values", like=_SIZE),
        FlatKey("department", "values", "role.departments"),
        FlatKey("state", "value", like=f"{_PLACE}[.](us)?states?"),
        FlatKey("companyRevenueRange", "values", "company.revenueRanges"),
        FlatKey("ageRange", "values", like=f"{_PERSON}[.]ages?(ranges?)?"),
        FlatKey("gender", "value", like=f"{_PERSON}[.]genders?"),
        FlatKey("isB2b", "yes_no", like="(company|contact|role|person)[.]isB2b"),
        FlatKey("jobTitle", "text", "jobTitle.include"),
        FlatKey("hasBusinessEmail", "flag", "contact.hasBusinessEmail"),
        FlatKey("hasPersonalEmail", "flag", like=f"{_REACHED}[.]hasPersonalEmail"),
        FlatKey("hasLinkedin", "flag", like=f"{_REACHED}[.]hasLinkedin(url|profile)?"),
        FlatKey("hasPhone", "flag", like=f"{_REACHED}[.]hasPhone(number)?"),
        FlatKey("companyDomain", "text", "company.domains"),
        FlatKey("companyName", "text", "company.names"),
    )
}
EXCLUDING: Mapping[str, str] = {"jobTitle.include": "jobTitle.exclude"}
"""The catalogue's filters that exclude what another one asks for."""
RANGES = frozenset({"companySize", "companyRevenueRange", "ageRange"})
"""The flat keys whose values are ranges of numbers."""
NOT_FILTERED = (
    "No filter knows technologies used, funding, hiring, tenure, income or who is in another"
    " audience."
)


@dataclass(frozen=True)
class FilterValue:
    """A value that a filter can take, its label, and how many people have it."""

    value: str
    label: str
    count: int | None = None


@dataclass(frozen=True)
class FilterEntry:
    """One filter of the live catalogue."""

    key: str
    label: str
    kind: FilterKind
    values: tuple[FilterValue, ...] = ()
    operators: tuple[str, ...] = ()

    @property
    def is_closed(self) -> bool:
        """Whether it takes listed values, one or several."""
        return self.kind in {"values", "value"}


@dataclass(frozen=True)
class FilterCatalog:
    """The filters that the service has now, and the generation of its keys."""

    vocabulary: Vocabulary
    entries: Mapping[str, FilterEntry]

    def entry_for(self, key: str) -> FilterEntry:
        """Return the entry that a key of either generation means.

        Raises:
            NotPossible: If the service has no such filter, or more than one could be meant.
        """
        if key in self.entries:
            return self.entries[key]
        if key in FLAT_KEYS:
            return self._twin_of(FLAT_KEYS[key])
        for flat in FLAT_KEYS.values():
            if flat.name in self.entries and (key == flat.twin or flat.looks_like(key)):
                return self.entries[flat.name]
        said = redact(key, NAME_LENGTH)
        none = f"There is no filter '{said}'"
        if said.partition(".")[0].casefold() in {"exclude", "excluded", "not", "without", "no"}:
            example = 'use the argument exclude beside filters: {"state": ["texas"]}.'
            raise NotPossible(f"{none}. To leave people out, {example}")
        if key in EXCLUDING.values():
            raise NotPossible(f"{none} here, nor another that leaves out titles.")
        if close := self._near(said):
            raise NotPossible(f"{none}. Did you mean {quoted(close)}?")
        names = dict.fromkeys(map(self.name_of, self.entries))
        raise NotPossible(f"{none}. There are: {', '.join(names)}. {NOT_FILTERED}")

    def name_of(self, key: str) -> str:
        """Return the name of a service's key in replies: its flat name if it has one."""
        for flat in FLAT_KEYS.values():
            if key in {flat.name, flat.twin}:
                return flat.name
            if flat.looks_like(key) and [*filter(flat.looks_like, self.entries)] == [key]:
                return flat.name
        return key

    def excluding(self, entry: FilterEntry) -> FilterEntry | None:
        """Return the service's own filter for excluding what this one asks for."""
        return self.entries.get(EXCLUDING.get(entry.key, ""))

    def is_stand_in(self, key: str, entry: FilterEntry) -> bool:
        """Return whether this filter was taken for a flat key that has no documented twin."""
        flat = FLAT_KEYS.get(key)
        return flat is not None and entry.key not in {flat.name, flat.twin}

    def _near(self, said: str) -> list[str]:
        """Return the keys that look like a wrong one."""
        if "." not in said:
            return nearest(said, FLAT_KEYS) or nearest(said, self.entries)
        # Keys of one area begin alike, whatever they are about.
        about = said.rpartition(".")[2]
        keys = [key for key in self.entries if nearest(about, [key.rpartition(".")[2]])]
        return nearest(said, [*keys, *FLAT_KEYS])

    def _twin_of(self, flat: FlatKey) -> FilterEntry:
        if flat.twin and flat.twin in self.entries:
            return self.entries[flat.twin]
        found = [*filter(flat.looks_like, self.entries)]
        if len(found) == 1:
            # It must take values, or a yes or no, as the flat key does.
            entry = self.entries[found[0]]
            fits = entry.is_closed if flat.kind in {"values", "value"} else entry.kind == "flag"
            operators = {operator.casefold() for operator in entry.operators}
            if fits and (not operators or operators & _TAKES_PLAINLY):
                return entry
        if found:
            keys = listed([f"'{key}'" for key in found], "or")
            raise NotPossible(f"'{flat.name}' could be {keys} here. Use that key itself.")
        raise NotPossible(
            f"The service has no filter for '{flat.name}' now; it has {', '.join(self.entries)}."
        )
