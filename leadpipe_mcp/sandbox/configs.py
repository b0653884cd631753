"""Audience configs, their filters in three spellings: flat keys, dotted keys, nested objects."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import NamedTuple

from leadpipe_mcp.sandbox.facets import (
    BY_FLAT_KEY,
    FACETS,
    Criterion,
    Facet,
    by_catalog_key,
    respelled,
)
from leadpipe_mcp.sandbox.matching import HIGHEST, LOWEST, Criteria, Match, match
from leadpipe_mcp.sandbox.settings import Profile, SandboxSettings
from leadpipe_mcp.sandbox.simulator import Form, Json, is_array, is_object, is_texts

_SINGLE_VALUED = ("state", "gender")
# The longest flat value of a text.
_LONGEST = {"jobTitle": 200, "companyName": 255, "companyDomain": 255}
# The score from which people count when a config names none.
_DEFAULT_MIN_SCORE = 70
_FIELDS = ("topicIds", "minScore", "maxScore", "minTopicOverlap", "filters", "sourceUrl")


def _read_filters(form: Form, settings: SandboxSettings) -> tuple[Criterion, ...]:
    """The criteria that a filters object asks for, whichever spelling the profile knows."""
    catalog = by_catalog_key(settings) if settings.profile != "flat" else {}
    flat_keys = dict(BY_FLAT_KEY) if settings.profile != "catalog" else {}
    criteria: dict[str, Criterion | None] = {}
    for key, value in _flattened(form.fields, catalog):
        facet = flat_keys.get(key) or catalog.get(key)
        if facet is None:
            if settings.unknown_filters == "reject":
                form.wrong(key, "Unrecognized filter")
        elif facet.name in criteria:
            form.wrong(key, "Filtered twice, in two spellings")
        elif key in flat_keys:
            criteria[facet.name] = _read_flat(form, facet, value, settings)
        else:
            criteria[facet.name] = _read_catalog(form, facet, key, value)
    # An empty list of values leaves nobody out.
    return tuple(
        criterion
        for criterion in criteria.values()
        if criterion and criterion.values and not _is_ignored(criterion, settings)
    )


def _is_ignored(criterion: Criterion, settings: SandboxSettings) -> bool:
    is_false = criterion.values == (False,) and criterion.facet != "isB2b"
    return is_false and settings.false_filter == "ignore"


def _flattened(filters: Json, catalog: Mapping[str, Facet]) -> Iterator[tuple[str, object]]:
    """Nested groups as dotted keys: {"role": {"isVp": true}} is {"role.isVp": true}.

    A list becomes {"values": [...]}, and "includeMode" beside "include" the mode in it (R-valid).
    """
    groups = {key.split(".")[0] for key in catalog}
    for key, value in filters.items():
        if key not in groups or not is_object(value):
            yield key, value
            continue
        modes = {name for name in value if name.removesuffix("Mode") in value.keys() - {name}}
        for name in (name for name in value if name not in modes):
            inner: object = value[name]
            if is_array(inner):
                inner = {"values": inner}
            if f"{name}Mode" in modes and is_object(inner):
                inner = {**inner, "mode": value[f"{name}Mode"]}
            yield f"{key}.{name}", inner


def _read_flat(
    form: Form, facet: Facet, value: object, settings: SandboxSettings
) -> Criterion | None:
    if facet.name == "isB2b":
        sign = form.choice(facet.flat, ("y", "n"))
        return Criterion(facet.name, (sign == "y",)) if sign else None
    if facet.kind == "flag":
        return _read_flag(form, facet, facet.flat, value)
    if facet.kind == "terms":
        text = form.text(facet.flat, _LONGEST[facet.flat])
        return Criterion(facet.name, (text.lower(),), facet.operators[0]) if text else None
    is_single = facet.flat in _SINGLE_VALUED
    values = [value] if is_single else value
    if not is_texts(values):
        return form.wrong(facet.flat, f"Expected {'a string' if is_single else 'strings'}")
    return Criterion(facet.name, tuple(respelled(text, settings.profile) for text in values))


def _read_catalog(form: Form, facet: Facet, key: str, value: object) -> Criterion | None:
    if facet.kind == "flag":
        return _read_flag(form, facet, key, value)
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


def _read_flag(form: Form, facet: Facet, key: str, value: object) -> Criterion | None:
    if not isinstance(value, bool):
        return form.wrong(key, "Expected a boolean")
    return Criterion(facet.name, (value,))


class _Bounds(NamedTuple):
    """What a generation allows in a config."""

    topics: int
    lowest: tuple[int, int]
    highest: tuple[int, int]
    overlap: int


_BOUNDS: dict[Profile, _Bounds] = {
    "flat": _Bounds(10, (1, 100), (1, 100), 10),
    "catalog": _Bounds(250, (0, 99), (50, 99), 250),
    "mixed": _Bounds(250, (0, 100), (1, 100), 250),
}


@dataclass(frozen=True)
class Config:
    """A config that was accepted: as it was sent, and ready to be applied."""

    sent: Json
    criteria: Criteria

    @cached_property
    def hash(self) -> str:
        """64 hexadecimal digits, equal for configs that mean the same."""
        filters = sorted(
            repr((each.facet, sorted(map(str, each.values)), each.operator, each.mode))
            for each in self.criteria.filters
        )
        topics, criteria = sorted(self.criteria.topics), self.criteria
        meaning = (topics, criteria.lowest, criteria.highest, criteria.overlap, filters)
        return hashlib.sha256(repr(meaning).encode()).hexdigest()

    @property
    def key(self) -> str:
        """A shorter mark, for the caches of the flat generation."""
        return self.hash[:32]

    def match(self, people: int, day: date) -> Match:
        """The people that the config finds on a day."""
        return match(people, self.criteria, day)

    def filters(self, settings: SandboxSettings) -> Json:
        """The filters as the catalogue spells them; what it has no key for keeps its flat one."""
        written: Json = {}
        for criterion in self.criteria.filters:
            facet, values = FACETS[criterion.facet], list(criterion.values)
            value: object = {"values": values}
            if facet.kind == "flag":
                value = values[0]
            elif facet.kind == "terms":
                value = {"values": values, "operator": criterion.operator, "mode": criterion.mode}
            written[facet.catalog_key(settings) or facet.flat] = value
        return written

    def normalized(self, settings: SandboxSettings) -> Json:
        """The config as it will be applied, in the catalogue's spelling."""
        return {
            "topicIds": list(self.criteria.topics),
            "minScore": self.criteria.lowest,
            "maxScore": self.criteria.highest,
            "minTopicOverlap": self.criteria.overlap,
            "filters": self.filters(settings),
            "sourceUrl": self.sent.get("sourceUrl"),
        }


def read_config(form: Form, settings: SandboxSettings) -> Config:
    """The config in a form; what is wrong with it is in the form's issues afterwards."""
    bounds, is_newer = _BOUNDS[settings.profile], settings.profile != "flat"
    form.require("topicIds")
    topics = tuple(dict.fromkeys(form.integers("topicIds", bounds.topics) or ()))
    lowest = form.integer("minScore", *bounds.lowest, may_be_null=is_newer)
    highest = form.integer("maxScore", *bounds.highest)
    overlap = form.integer("minTopicOverlap", 1, bounds.overlap) or 1
    url = form.text("sourceUrl", 2_048)
    if url is not None and not url.startswith(("http://", "https://")):
        form.wrong("sourceUrl", "Invalid URL")
    filters = _read_filters(form.inner("filters"), settings) if form.has("filters") else ()
    lowest = _DEFAULT_MIN_SCORE if lowest is None else lowest
    highest = bounds.highest[1] if highest is None else highest
    if is_newer:
        # Scores are clamped into those that occur.
        lowest, highest = max(lowest, LOWEST), min(highest, HIGHEST)
    if settings.impossible_config == "reject" and lowest > highest:
        form.wrong("minScore", "Must not be above maxScore")
    if settings.impossible_config == "reject" and overlap > len(topics):
        form.wrong("minTopicOverlap", "Must not exceed the number of topics")
    criteria = Criteria(topics, lowest, highest, overlap, filters)
    return Config({key: form.fields[key] for key in _FIELDS if form.has(key)}, criteria)
