"""Everything a filter can ask for: its names in both generations and where the answer lies."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from leadpipe_mcp.sandbox.settings import Profile, SandboxSettings
from leadpipe_mcp.sandbox.vocabulary import (
    AGE_RANGES,
    CHIEF_EXECUTIVES,
    CONTACT_BITS,
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

Kind = Literal["choice", "flag", "terms"]
Operator = Literal["contains", "equals"]
Section = Literal["recommended", "standard", "advanced"]
Meaning = str | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Facet:
    """One thing about a person that a filter can ask for."""

    name: str
    """What the sandbox calls it."""
    kind: Kind
    column: str
    """The column of the world that answers, or the attribute of a company for "company"."""
    meanings: tuple[Meaning, ...] = ()
    """What each code of the column says about the facet."""
    key: str = ""
    """The documented catalogue key; empty where the documents show none."""
    flat: str = ""
    """The flat key; empty where the flat generation has none."""
    section: Section = "standard"
    operators: tuple[Operator, ...] = ("contains", "equals")
    """For terms: what may be asked, the default first."""
    longest: int = 255
    """For terms: the longest flat value."""

    def catalog_key(self, settings: SandboxSettings) -> str:
        """The key in the catalogue of this sandbox; empty when it is not served."""
        return self.key or settings.catalog_twins.get(self.flat, "")

    def values(self, profile: Profile) -> tuple[str, ...]:
        """The values of a choice, in the spelling of the profile and in their natural order."""
        values = tuple(dict.fromkeys(str(meaning) for meaning in self.meanings if meaning))
        return tuple(respelled(value, profile) for value in values)


def respelled(value: str, profile: Profile) -> str:
    """The value as the profile spells it, or the profile's spelling as we do.

    The generations disagree on the highest seniority, and neither knows the other's word.
    """
    return _RESPELLED.get(value, value) if profile == "flat" else value


_RESPELLED = {"c_suite": "cxo", "cxo": "c_suite"}
SINGLE_VALUED = frozenset({"state", "gender"})


def _coded(values: tuple[str, ...]) -> tuple[str, ...]:
    return ("", *values)


def _reachable(name: str, key: str = "", section: Section = "standard") -> Facet:
    bit = CONTACT_BITS[name]
    meanings = tuple(bool(code & bit) for code in range(2 * max(CONTACT_BITS.values())))
    return Facet(
        name=name,
        kind="flag",
        column="contact",
        meanings=meanings,
        key=key,
        flat=name,
        section=section,
    )


def _role_flag(name: str, meanings: tuple[bool, ...], section: Section = "advanced") -> Facet:
    return Facet(
        name=name,
        kind="flag",
        column="role",
        meanings=meanings,
        key=f"role.{name}",
        section=section,
    )


def _title(name: str, key: str, operators: tuple[Operator, ...], flat: str = "") -> Facet:
    return Facet(
        name=name,
        kind="terms",
        column="role",
        meanings=TITLES,
        key=key,
        flat=flat,
        operators=operators,
        longest=200,
    )


_ALL = (
    Facet(
        name="industry",
        kind="choice",
        column="industry",
        meanings=_coded(tuple(industry.name for industry in INDUSTRIES)),
        key="company.industries",
        flat="companyIndustry",
        section="recommended",
    ),
    Facet(
        name="industryGroup",
        kind="choice",
        column="industry",
        meanings=_coded(tuple(industry.group for industry in INDUSTRIES)),
        key="company.industryGroups",
    ),
    Facet(
        name="companySize",
        kind="choice",
        column="size",
        meanings=_coded(SIZES),
        flat="companySize",
    ),
    Facet(
        name="revenue",
        kind="choice",
        column="revenue",
        meanings=_coded(REVENUES),
        key="company.revenueRanges",
        flat="companyRevenueRange",
    ),
    Facet(
        name="companyName",
        kind="terms",
        column="company",
        key="company.names",
        flat="companyName",
        section="advanced",
    ),
    Facet(
        name="companyDomain",
        kind="terms",
        column="company",
        key="company.domains",
        flat="companyDomain",
        section="advanced",
        operators=("equals", "contains"),
    ),
    _reachable("isB2b"),
    Facet(
        name="seniority",
        kind="choice",
        column="role",
        meanings=SENIORITY_OF_ROLE,
        key="role.seniority",
        flat="seniority",
        section="recommended",
    ),
    Facet(
        name="department",
        kind="choice",
        column="role",
        meanings=DEPARTMENT_OF_ROLE,
        key="role.departments",
        flat="department",
        section="recommended",
    ),
    _role_flag(
        "isDecisionMaker",
        tuple(seniority in DECISION_MAKERS for seniority in SENIORITY_OF_ROLE),
        "standard",
    ),
    _role_flag("isCeo", tuple(title in CHIEF_EXECUTIVES for title in TITLES)),
    _role_flag("isVp", tuple(seniority == "vp" for seniority in SENIORITY_OF_ROLE)),
    _role_flag("isFinance", tuple(department == "finance" for department in DEPARTMENT_OF_ROLE)),
    _title("titleInclude", "jobTitle.include", ("contains", "equals"), flat="jobTitle"),
    _title("titleExclude", "jobTitle.exclude", ("contains", "equals")),
    _title("titleExact", "jobTitle.exact", ("equals",)),
    _reachable("hasBusinessEmail", "contact.hasBusinessEmail", "recommended"),
    _reachable("hasPersonalEmail"),
    _reachable("hasLinkedin"),
    _reachable("hasPhone"),
    Facet(
        name="state",
        kind="choice",
        column="state",
        meanings=_coded(STATES),
        flat="state",
    ),
    Facet(
        name="ageRange",
        kind="choice",
        column="age",
        meanings=_coded(AGE_RANGES),
        flat="ageRange",
        section="advanced",
    ),
    Facet(
        name="gender",
        kind="choice",
        column="gender",
        meanings=_coded(GENDERS),
        flat="gender",
        section="advanced",
    ),
)
FACETS: Mapping[str, Facet] = {facet.name: facet for facet in _ALL}
BY_FLAT_KEY: Mapping[str, Facet] = {facet.flat: facet for facet in _ALL if facet.flat}


def by_catalog_key(settings: SandboxSettings) -> dict[str, Facet]:
    """The catalogue that these settings serve, in its order."""
    return {key: facet for facet in _ALL if (key := facet.catalog_key(settings))}
