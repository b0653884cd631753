"""Audience configs and their filters: what can be asked for, how it is spelled and read.

A filter can be spelled flat, with dotted keys, or as nested objects.
"""

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple, get_args

import leadpipe_mcp.sandbox.vocabulary as words
from leadpipe_mcp.sandbox.settings import Profile, SandboxSettings
from leadpipe_mcp.sandbox.simulator import Form, Json, is_array, is_object, is_texts
from leadpipe_mcp.sandbox.world import COMPANIES

LOWEST, HIGHEST = 50, 99
"""The scores that occur."""
Kind = Literal["choice", "flag", "terms"]
Section = Literal["recommended", "standard", "advanced"]
SECTIONS: tuple[Section, ...] = get_args(Section)


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


_TRADES = tuple(industry.name for industry in words.INDUSTRIES)
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
    Facet("company.industries", "companyIndustry", "choice", "industry", _TRADES, "recommended"),
    Facet("company.industryGroups", "", "choice", "industry", _INDUSTRY_GROUPS),
    Facet("company.sizes", "companySize", "choice", "size", words.SIZES),
    Facet("company.revenueRanges", "companyRevenueRange", "choice", "revenue", words.REVENUES),
    Facet("company.names", "companyName", "terms", "employer", _NAMES, "advanced"),
    Facet(
        *("company.domains", "companyDomain", "terms", "employer", _DOMAINS, "advanced"),
        operators=("equals", "contains"),
    ),
    Facet("company.isB2b", "isB2b", "flag", "isB2b"),
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
    Facet(_PERSONAL, "hasPersonalEmail", "flag", "hasPersonalEmail"),
    Facet("contact.hasLinkedin", "hasLinkedin", "flag", "hasLinkedin"),
    Facet("contact.hasPhone", "hasPhone", "flag", "hasPhone"),
    Facet("location.states", "state", "choice", "state", words.STATES),
    Facet("demographics.ageRanges", "ageRange", "choice", "age", words.AGE_RANGES, "advanced"),
    Facet("demographics.genders", "gender", "choice", "gender", words.GENDERS, "advanced"),
)
# The flat keys of those whose catalogue keys no document shows, so that they are our own.
_TWINS = (
    *("companySize", "isB2b", "hasPersonalEmail", "hasLinkedin", "hasPhone"),
    *("state", "ageRange", "gender"),
)
FACETS = {facet.name: facet for facet in _ALL}
BY_FLAT_KEY = {facet.flat: facet for facet in _ALL if facet.flat}


def by_catalog_key(settings: SandboxSettings) -> dict[str, Facet]:
    """The catalogue that these settings serve, in its order."""
    has_twins = settings.catalog_twins
    return {facet.key: facet for facet in _ALL if has_twins or facet.flat not in _TWINS}


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


@dataclass(frozen=True)
class Config:
    """A config that was accepted, ready to be applied."""

    topics: tuple[int, ...]
    lowest: int
    highest: int
    overlap: int
    filters: tuple[Criterion, ...] = ()
    sent: Json = field(default_factory=Json, compare=False)
    """The config as it was written."""

    @cached_property
    def hash(self) -> str:
        """64 hexadecimal digits, equal for configs that mean the same."""
        filters = sorted(
            repr((each.facet, sorted(map(str, each.values)), each.operator, each.mode))
            for each in self.filters
        )
        meaning = (sorted(self.topics), self.lowest, self.highest, self.overlap, filters)
        return hashlib.sha256(repr(meaning).encode()).hexdigest()


_SINGLE_VALUED = ("state", "gender")
# The longest flat value of a text.
_LONGEST = {"jobTitle": 200, "companyName": 255, "companyDomain": 255}
# The score from which people count when a config names none.
_DEFAULT_MIN_SCORE = 70
_FIELDS = ("topicIds", "minScore", "maxScore", "minTopicOverlap", "filters", "sourceUrl")


# How many topics a generation allows, and where its minScore and maxScore may lie.
_BOUNDS: dict[Profile, tuple[int, tuple[int, int], tuple[int, int]]] = {
    "flat": (10, (1, 100), (1, 100)),
    "catalog": (250, (0, 99), (50, 99)),
    "mixed": (250, (0, 100), (1, 100)),
}


def read_config(form: Form, settings: SandboxSettings) -> Config:
    """The config in a form; what is wrong with it is in the form's issues afterwards."""
    most, lows, highs = _BOUNDS[settings.profile]
    is_newer = settings.profile != "flat"
    form.require("topicIds")
    topics = tuple(dict.fromkeys(form.integers("topicIds", most) or ()))
    lowest = None
    if not is_newer or form.fields.get("minScore") is not None:
        lowest = form.integer("minScore", *lows)
    highest = form.integer("maxScore", *highs)
    overlap = form.integer("minTopicOverlap", 1, most) or 1
    url = form.text("sourceUrl", 2_048)
    if url is not None and not url.startswith(("http://", "https://")):
        form.wrong("sourceUrl", "Invalid URL")
    filters = _read_filters(form.inner("filters"), settings) if form.has("filters") else ()
    lowest = _DEFAULT_MIN_SCORE if lowest is None else lowest
    highest = highs[1] if highest is None else highest
    if is_newer:
        # Scores are clamped into those that occur.
        lowest, highest = max(lowest, LOWEST), min(highest, HIGHEST)
    if settings.impossible_config == "reject" and lowest > highest:
        form.wrong("minScore", "Must not be above maxScore")
    if settings.impossible_config == "reject" and overlap > len(topics):
        form.wrong("minTopicOverlap", "Must not exceed the number of topics")
    sent = {name: form.fields[name] for name in _FIELDS if form.has(name)}
    return Config(topics, lowest, highest, overlap, filters, sent)


def _read_filters(form: Form, settings: SandboxSettings) -> tuple[Criterion, ...]:
    """The criteria that a filters object asks for, whichever spelling the profile knows."""
    catalog = by_catalog_key(settings) if settings.profile != "flat" else {}
    flat_keys = BY_FLAT_KEY if settings.profile != "catalog" else {}
    criteria: dict[str, Criterion | None] = {}
    for key, value in _flattened(form.fields, {name.split(".")[0] for name in catalog}):
        facet = flat_keys.get(key) or catalog.get(key)
        if facet is None:
            continue  # a filter that the profile does not know is not applied
        if facet.name in criteria:
            form.wrong(key, "Filtered twice, in two spellings")
        elif facet.kind == "flag" and key != "isB2b":
            if not isinstance(value, bool):
                form.wrong(key, "Expected a boolean")
            is_ignored = value is False and settings.false_filter == "ignore"
            if facet.name == "isB2b" or not is_ignored:
                criteria[facet.name] = Criterion(facet.name, (value is True,))
        elif key in flat_keys:
            criteria[facet.name] = _read_flat(form, facet, value, settings)
        else:
            criteria[facet.name] = _read_catalog(form, facet, key, value)
    # An empty list of values leaves nobody out.
    return tuple(criterion for criterion in criteria.values() if criterion and criterion.values)


def _flattened(filters: Json, groups: Collection[str]) -> Iterator[tuple[str, object]]:
    """Nested groups as dotted keys: {"role": {"isVp": true}} is {"role.isVp": true}.

    A list becomes {"values": [...]}, and "includeMode" beside "include" the mode in it (R-valid).
    """
    for key, value in filters.items():
        if key not in groups or not is_object(value):
            yield key, value
            continue
        for name, inner in value.items():
            if name.removesuffix("Mode") in value.keys() - {name}:
                continue
            written = {"values": inner} if is_array(inner) else inner
            if f"{name}Mode" in value and is_object(written):
                written = {**written, "mode": value[f"{name}Mode"]}
            yield f"{key}.{name}", written


def _read_flat(
    form: Form, facet: Facet, value: object, settings: SandboxSettings
) -> Criterion | None:
    if facet.kind == "flag":
        sign = form.choice(facet.flat, ("y", "n"))
        return Criterion(facet.name, (sign == "y",)) if sign else None
    if facet.kind == "terms":
        text = form.text(facet.flat, _LONGEST[facet.flat])
        return Criterion(facet.name, (text.lower(),), facet.operators[0]) if text else None
    is_single = facet.flat in _SINGLE_VALUED
    values = [value] if is_single else value
    if not is_texts(values):
        return form.wrong(facet.flat, f"Expected {'a string' if is_single else 'strings'}")
    return Criterion(facet.name, tuple(respelled(text, settings.profile) for text in values))


def _read_catalog(form: Form, facet: Facet, key: str, value: object) -> Criterion | None:
    values = value.get("values") if is_object(value) else None
    if not is_object(value) or not is_texts(values):
        return form.wrong(key, 'Expected {"values": [...]} with strings')
    if facet.kind == "choice":
        return Criterion(facet.name, tuple(values))
    operator, mode = value.get("operator", facet.operators[0]), value.get("mode", "any")
    if operator not in facet.operators or mode not in ("any", "all"):
        known = " or ".join(facet.operators)
        return form.wrong(key, f"Expected operator {known} and mode any or all")
    terms = tuple(text.lower() for text in values)
    return Criterion(facet.name, terms, str(operator), "all" if mode == "all" else "any")
