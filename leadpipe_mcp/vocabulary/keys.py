"""The flat keys of filters, and what each of them is in the catalogue of May 2026."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

FilterKind = Literal["values", "value", "text", "flag", "yes_no", "range"]
"""What a filter holds: listed values (several, or one), free text, or a yes or no."""


@dataclass(frozen=True)
class FlatKey:
    """One of the keys of the April 2026 API.

    `twin` is its catalogue key if the documentation names one. If not, `lookalikes` are the last
    parts that such a key may have, in one of the `areas`.
    """

    name: str
    kind: FilterKind
    twin: str | None = None
    lookalikes: frozenset[str] = frozenset()
    areas: frozenset[str] = frozenset()

    def looks_like(self, key: str) -> bool:
        """Return whether a catalogue key can only be this filter: `location.states` is `state`."""
        area, _, rest = key.casefold().partition(".")
        return area in self.areas and rest in self.lookalikes


def _key(
    name: str, kind: FilterKind, twin: str | None = None, *, like: str = "", within: str = ""
) -> FlatKey:
    return FlatKey(name, kind, twin, frozenset(like.split()), frozenset(within.split()))


_PLACES = "location geography geo person personal contact demographics"
_PEOPLE = "demographics demographic person personal"
_REACHED = "contact contactability person reach"

FLAT_KEYS: Mapping[str, FlatKey] = {
    key.name: key
    for key in (
        _key("companyIndustry", "values", "company.industries"),
        _key("seniority", "values", "role.seniority"),
        _key(
            "companySize",
            "values",
            like="size sizes sizeranges companysize companysizes employees employeecount"
            " employeecounts employeeranges employeesizes headcount headcounts",
            within="company",
        ),
        _key("department", "values", "role.departments"),
        _key("state", "value", like="state states usstate usstates", within=_PLACES),
        _key("companyRevenueRange", "values", "company.revenueRanges"),
        _key("ageRange", "values", like="age ages agerange ageranges", within=_PEOPLE),
        _key("gender", "value", like="gender genders", within=_PEOPLE),
        _key("isB2b", "yes_no", like="isb2b", within="company contact role person"),
        _key("jobTitle", "text", "jobTitle.include"),
        _key("hasBusinessEmail", "flag", "contact.hasBusinessEmail"),
        _key("hasPersonalEmail", "flag", like="haspersonalemail", within=_REACHED),
        _key(
            "hasLinkedin",
            "flag",
            like="haslinkedin haslinkedinurl haslinkedinprofile",
            within=_REACHED,
        ),
        _key("hasPhone", "flag", like="hasphone hasphonenumber", within=_REACHED),
        _key("companyDomain", "text", "company.domains"),
        _key("companyName", "text", "company.names"),
    )
}

EXCLUDING: Mapping[str, str] = {"jobTitle.include": "jobTitle.exclude"}
"""The catalogue's filters that exclude what another one asks for."""

RANGES = frozenset({"companySize", "companyRevenueRange", "ageRange"})
"""The flat keys whose values are ranges of numbers."""

CATALOG_KEY = re.compile(r"(?!.{101})[A-Za-z]\w*(\.[A-Za-z]\w*)+", re.ASCII)

NOT_FILTERED = (
    "No filter knows technologies used, funding, hiring, tenure, income or who is in another"
    " audience."
)
