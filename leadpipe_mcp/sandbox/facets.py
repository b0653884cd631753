"""Everything a filter can ask for: its names in both generations and where the answer lies."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import leadpipe_mcp.sandbox.vocabulary as words
from leadpipe_mcp.sandbox.settings import Profile, SandboxSettings
from leadpipe_mcp.sandbox.world import COMPANIES

Kind = Literal["choice", "flag", "terms"]
Section = Literal["recommended", "standard", "advanced"]


class Facet(NamedTuple):
    """One thing about a person that a filter can ask for."""

    key: str
    """The catalogue key."""
    flat: str
    """The flat key; empty where the flat generation has none."""
    kind: Kind
    column: str
    """The column of the world that answers; "employer" is the company itself."""
    meanings: tuple[str | bool, ...] = (False, True)
    """What each code of the column says about the facet."""
    section: Section = "standard"
    operators: tuple[str, ...] = ("contains", "equals")
    """For terms: what may be asked, the default first."""
    documented: bool = True
    """Whether the documents show the catalogue key; the others are the sandbox's own."""

    @property
    def name(self) -> str:
        """What the sandbox calls it."""
        return self.flat or self.key

    def values(self, profile: Profile) -> list[str]:
        """The values of a choice, in the spelling of the profile and in their natural order."""
        return [respelled(str(value), profile) for value in dict.fromkeys(self.meanings)]


def respelled(value: str, profile: Profile) -> str:
    """The value as the profile spells it, or the profile's spelling as we do.

    The generations disagree on the highest seniority, and neither knows the other's word.
    """
    return {"c_suite": "cxo", "cxo": "c_suite"}.get(value, value) if profile == "flat" else value


_INDUSTRIES = tuple(industry.name for industry in words.INDUSTRIES)
_INDUSTRY_GROUPS = tuple(industry.group for industry in words.INDUSTRIES)
_NAMES = tuple(company.name for company in COMPANIES)
_DOMAINS = tuple(company.domain for company in COMPANIES)
_SENIORITIES, _DEPARTMENTS = words.SENIORITY_OF_ROLE, words.DEPARTMENT_OF_ROLE
_DECIDERS = tuple(seniority in words.DECISION_MAKERS for seniority in _SENIORITIES)
_CEOS = tuple(title in words.CHIEF_EXECUTIVES for title in words.TITLES)
_VPS = tuple(seniority == "vp" for seniority in _SENIORITIES)
_FINANCE = tuple(department == "finance" for department in _DEPARTMENTS)
_TITLES = words.TITLES
_EMAIL, _PERSONAL = "contact.hasBusinessEmail", "contact.hasPersonalEmail"
_ALL = (
    Facet(
        "company.industries", "companyIndustry", "choice", "industry", _INDUSTRIES, "recommended"
    ),
    Facet("company.industryGroups", "", "choice", "industry", _INDUSTRY_GROUPS),
    Facet("company.sizes", "companySize", "choice", "size", words.SIZES, documented=False),
    Facet("company.revenueRanges", "companyRevenueRange", "choice", "revenue", words.REVENUES),
    Facet("company.names", "companyName", "terms", "employer", _NAMES, "advanced"),
    Facet(
        *("company.domains", "companyDomain", "terms", "employer", _DOMAINS, "advanced"),
        operators=("equals", "contains"),
    ),
    Facet("company.isB2b", "isB2b", "flag", "isB2b", documented=False),
    Facet("role.seniority", "seniority", "choice", "role", _SENIORITIES, "recommended"),
    Facet("role.departments", "department", "choice", "role", _DEPARTMENTS, "recommended"),
    Facet("role.isDecisionMaker", "", "flag", "role", _DECIDERS),
    Facet("role.isCeo", "", "flag", "role", _CEOS, "advanced"),
    Facet("role.isVp", "", "flag", "role", _VPS, "advanced"),
    Facet("role.isFinance", "", "flag", "role", _FINANCE, "advanced"),
    Facet("jobTitle.include", "jobTitle", "terms", "role", _TITLES),
    Facet("jobTitle.exclude", "", "terms", "role", _TITLES),
    Facet("jobTitle.exact", "", "terms", "role", _TITLES, operators=("equals",)),
    Facet(_EMAIL, "hasBusinessEmail", "flag", "hasBusinessEmail", section="recommended"),
    Facet(_PERSONAL, "hasPersonalEmail", "flag", "hasPersonalEmail", documented=False),
    Facet("contact.hasLinkedin", "hasLinkedin", "flag", "hasLinkedin", documented=False),
    Facet("contact.hasPhone", "hasPhone", "flag", "hasPhone", documented=False),
    Facet("location.states", "state", "choice", "state", words.STATES, documented=False),
    Facet(
        *("demographics.ageRanges", "ageRange", "choice", "age", words.AGE_RANGES, "advanced"),
        documented=False,
    ),
    Facet(
        *("demographics.genders", "gender", "choice", "gender", words.GENDERS, "advanced"),
        documented=False,
    ),
)
FACETS = {facet.name: facet for facet in _ALL}
BY_FLAT_KEY = {facet.flat: facet for facet in _ALL if facet.flat}


def by_catalog_key(settings: SandboxSettings) -> dict[str, Facet]:
    """The catalogue that these settings serve, in its order."""
    return {facet.key: facet for facet in _ALL if facet.documented or settings.catalog_twins}


@dataclass(frozen=True, slots=True)
class Criterion:
    """One filter, in the sandbox's own words: a facet and what it has to be."""

    facet: str
    values: tuple[str | bool, ...]
    """The accepted values, or the terms of a text in lower case."""
    operator: str = ""
    """For terms: contains or equals."""
    mode: Literal["any", "all"] = "any"

    def accepts(self, meaning: str | bool) -> bool:  # noqa: FBT001 - a value as any other
        """Whether somebody of whom this is true meets the criterion."""
        if not self.operator:
            return meaning in self.values
        text, every = str(meaning).lower(), any if self.mode == "any" else all
        found = every(
            text == term if self.operator == "equals" else str(term) in text for term in self.values
        )
        return found is not (self.facet == "jobTitle.exclude")
