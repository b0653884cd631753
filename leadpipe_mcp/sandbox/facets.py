"""Everything a filter can ask for: its names in both generations and where the answer lies."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from leadpipe_mcp.sandbox.settings import Profile, SandboxSettings
from leadpipe_mcp.sandbox.vocabulary import (
    AGE_RANGES,
    CHIEF_EXECUTIVES,
    DECISION_MAKERS,
    DEPARTMENT_OF_ROLE,
    GENDERS,
    INDUSTRIES,
    REVENUES,
    SENIORITY_OF_ROLE,
    SIZES,
    STATES,
    TITLES,
)
from leadpipe_mcp.sandbox.world import COMPANIES

Kind = Literal["choice", "flag", "terms"]
Section = Literal["recommended", "standard", "advanced"]


class Facet(NamedTuple):
    """One thing about a person that a filter can ask for."""

    key: str
    """The documented catalogue key; empty where the documents show none."""
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

    @property
    def name(self) -> str:
        """What the sandbox calls it."""
        return self.flat or self.key

    def catalog_key(self, settings: SandboxSettings) -> str:
        """The key in the catalogue of this sandbox; empty when it is not served."""
        return self.key or settings.catalog_twins.get(self.flat, "")

    def values(self, profile: Profile) -> list[str]:
        """The values of a choice, in the spelling of the profile and in their natural order."""
        return [respelled(str(value), profile) for value in dict.fromkeys(self.meanings)]


def respelled(value: str, profile: Profile) -> str:
    """The value as the profile spells it, or the profile's spelling as we do.

    The generations disagree on the highest seniority, and neither knows the other's word.
    """
    return {"c_suite": "cxo", "cxo": "c_suite"}.get(value, value) if profile == "flat" else value


_INDUSTRIES = tuple(industry.name for industry in INDUSTRIES)
_INDUSTRY_GROUPS = tuple(industry.group for industry in INDUSTRIES)
_NAMES = tuple(company.name for company in COMPANIES)
_DOMAINS = tuple(company.domain for company in COMPANIES)
_DECIDERS = tuple(seniority in DECISION_MAKERS for seniority in SENIORITY_OF_ROLE)
_CEOS = tuple(title in CHIEF_EXECUTIVES for title in TITLES)
_VPS = tuple(seniority == "vp" for seniority in SENIORITY_OF_ROLE)
_FINANCE = tuple(department == "finance" for department in DEPARTMENT_OF_ROLE)
_DOMAIN_OPERATORS, _EXACT = ("equals", "contains"), ("equals",)
_HAS_EMAIL = "contact.hasBusinessEmail"
_DEPARTMENTS = DEPARTMENT_OF_ROLE
_ALL = (
    Facet(
        "company.industries", "companyIndustry", "choice", "industry", _INDUSTRIES, "recommended"
    ),
    Facet("company.industryGroups", "", "choice", "industry", _INDUSTRY_GROUPS),
    Facet("", "companySize", "choice", "size", SIZES),
    Facet("company.revenueRanges", "companyRevenueRange", "choice", "revenue", REVENUES),
    Facet("company.names", "companyName", "terms", "employer", _NAMES, "advanced"),
    Facet(
        *("company.domains", "companyDomain", "terms", "employer", _DOMAINS, "advanced"),
        _DOMAIN_OPERATORS,
    ),
    Facet("", "isB2b", "flag", "isB2b"),
    Facet("role.seniority", "seniority", "choice", "role", SENIORITY_OF_ROLE, "recommended"),
    Facet("role.departments", "department", "choice", "role", _DEPARTMENTS, "recommended"),
    Facet("role.isDecisionMaker", "", "flag", "role", _DECIDERS),
    Facet("role.isCeo", "", "flag", "role", _CEOS, "advanced"),
    Facet("role.isVp", "", "flag", "role", _VPS, "advanced"),
    Facet("role.isFinance", "", "flag", "role", _FINANCE, "advanced"),
    Facet("jobTitle.include", "jobTitle", "terms", "role", TITLES),
    Facet("jobTitle.exclude", "", "terms", "role", TITLES),
    Facet("jobTitle.exact", "", "terms", "role", TITLES, operators=_EXACT),
    Facet(_HAS_EMAIL, "hasBusinessEmail", "flag", "hasBusinessEmail", section="recommended"),
    Facet("", "hasPersonalEmail", "flag", "hasPersonalEmail"),
    Facet("", "hasLinkedin", "flag", "hasLinkedin"),
    Facet("", "hasPhone", "flag", "hasPhone"),
    Facet("", "state", "choice", "state", STATES),
    Facet("", "ageRange", "choice", "age", AGE_RANGES, "advanced"),
    Facet("", "gender", "choice", "gender", GENDERS, "advanced"),
)
FACETS: Mapping[str, Facet] = {facet.name: facet for facet in _ALL}
BY_FLAT_KEY: Mapping[str, Facet] = {facet.flat: facet for facet in _ALL if facet.flat}


def by_catalog_key(settings: SandboxSettings) -> dict[str, Facet]:
    """The catalogue that these settings serve, in its order."""
    return {key: facet for facet in _ALL if (key := facet.catalog_key(settings))}


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
