"""Audience configs, their filters in three spellings: flat keys, dotted keys, nested objects."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import cached_property
from typing import NamedTuple

from leadpipe_mcp.sandbox.facets import (
    BY_FLAT_KEY,
    FACETS,
    SINGLE_VALUED,
    Facet,
    by_catalog_key,
    respelled,
)
from leadpipe_mcp.sandbox.interest import HIGHEST, LOWEST
from leadpipe_mcp.sandbox.matching import Criteria, Criterion, Match, Mode, match
from leadpipe_mcp.sandbox.replies import Form, Json, is_array, is_object, is_texts
from leadpipe_mcp.sandbox.settings import Profile, SandboxSettings

_YES_NO = {"y": True, "n": False}
_MODES: dict[object, Mode] = {"any": "any", "all": "all"}


def read_filters(form: Form, settings: SandboxSettings) -> tuple[Criterion, ...]:
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
    return tuple(
        _in_lower_case(criterion)
        for criterion in criteria.values()
        if criterion is not None and _says_something(criterion, settings)
    )


def write_filters(criteria: Iterable[Criterion], settings: SandboxSettings) -> Json:
    """The filters as the catalogue spells them; what it has no key for keeps its flat one."""
    return {_key(criterion, settings): _written(criterion) for criterion in criteria}


def _key(criterion: Criterion, settings: SandboxSettings) -> str:
    facet = FACETS[criterion.facet]
    return facet.catalog_key(settings) or facet.flat


def _written(criterion: Criterion) -> object:
    facet = FACETS[criterion.facet]
    if facet.kind == "flag":
        return criterion.wanted
    values: Json = {"values": list(criterion.values)}
    if facet.kind == "terms":
        values |= {"operator": criterion.operator, "mode": criterion.mode}
    return values


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
        for name, inner in value.items():
            if name not in modes:
                yield f"{key}.{name}", _with_mode(inner, value.get(f"{name}Mode"))


def _with_mode(inner: object, mode: object) -> object:
    values: object = {"values": inner} if is_array(inner) else inner
    return {**values, "mode": mode} if mode is not None and is_object(values) else values


def _read_flat(
    form: Form, facet: Facet, value: object, settings: SandboxSettings
) -> Criterion | None:
    if facet.name == "isB2b":
        sign = form.choice(facet.flat, tuple(_YES_NO))
        return None if sign is None else Criterion(facet.name, wanted=_YES_NO[sign])
    if facet.kind == "flag":
        return _read_flag(form, facet, facet.flat, value)
    if facet.kind == "terms":
        text = form.text(facet.flat, facet.longest)
        return Criterion(facet.name, (text,), operator=facet.operators[0]) if text else None
    values = [value] if facet.name in SINGLE_VALUED and isinstance(value, str) else value
    if not is_texts(values) or (facet.name in SINGLE_VALUED and values is value):
        expected = "a string" if facet.name in SINGLE_VALUED else "an array of strings"
        return form.wrong(facet.flat, f"Expected {expected}")
    return Criterion(facet.name, tuple(respelled(text, settings.profile) for text in values))


def _read_catalog(form: Form, facet: Facet, key: str, value: object) -> Criterion | None:
    if facet.kind == "flag":
        return _read_flag(form, facet, key, value)
    values = value.get("values") if is_object(value) else None
    if not is_object(value) or not is_texts(values):
        return form.wrong(key, 'Expected {"values": [...]} with strings')
    if facet.kind == "choice":
        return Criterion(facet.name, tuple(values))
    operator = value.get("operator", facet.operators[0])
    mode = _MODES.get(value.get("mode", "any"))
    if operator not in facet.operators or mode is None:
        return form.wrong(
            key, f"Expected operator {' or '.join(facet.operators)} and mode any or all"
        )
    equals = operator == "equals"
    return Criterion(
        facet.name, tuple(values), operator="equals" if equals else "contains", mode=mode
    )


def _read_flag(form: Form, facet: Facet, key: str, value: object) -> Criterion | None:
    if not isinstance(value, bool):
        return form.wrong(key, "Expected a boolean")
    return Criterion(facet.name, wanted=value)


def _says_something(criterion: Criterion, settings: SandboxSettings) -> bool:
    """Whether the criterion leaves anybody out: an empty list of values does not."""
    facet = FACETS[criterion.facet]
    if facet.kind == "flag":
        return criterion.wanted or settings.false_filter == "exclude" or facet.name == "isB2b"
    return bool(criterion.values)


def _in_lower_case(criterion: Criterion) -> Criterion:
    """Terms are looked for in any case, values as they are written."""
    if FACETS[criterion.facet].kind == "terms":
        return replace(criterion, values=tuple(value.lower() for value in criterion.values))
    return criterion


# The score from which people count when a config names none.
_DEFAULT_MIN_SCORE = 70
_FIELDS = ("topicIds", "minScore", "maxScore", "minTopicOverlap", "filters", "sourceUrl")


class Bounds(NamedTuple):
    """What a generation allows in a config."""

    topics: int
    lowest: tuple[int, int]
    highest: tuple[int, int]
    overlap: int
    clamps: bool
    """Whether scores are clamped into those that occur, and null is a score."""


BOUNDS: dict[Profile, Bounds] = {
    "flat": Bounds(10, (1, 100), (1, 100), 10, clamps=False),
    "catalog": Bounds(250, (0, 99), (50, 99), 250, clamps=True),
    "mixed": Bounds(250, (0, 100), (1, 100), 250, clamps=True),
}


@dataclass(frozen=True)
class Config:
    """A config that was accepted: as it was sent, and ready to be applied."""

    sent: Json
    criteria: Criteria

    @cached_property
    def hash(self) -> str:
        """64 hexadecimal digits, equal for configs that mean the same."""
        meaning = asdict(self.criteria)
        meaning["topics"] = sorted(self.criteria.topics)
        meaning["filters"] = sorted(
            [
                criterion.facet,
                str(sorted(criterion.values)),
                criterion.wanted,
                criterion.operator,
                criterion.mode,
            ]
            for criterion in self.criteria.filters
        )
        return hashlib.sha256(json.dumps(meaning, sort_keys=True).encode()).hexdigest()

    @property
    def key(self) -> str:
        """A shorter mark, for the caches of the flat generation."""
        return self.hash[:32]

    def match(self, people: int, day: date) -> Match:
        """The people that the config finds on a day."""
        return match(people, self.criteria, day)

    def normalized(self, settings: SandboxSettings) -> Json:
        """The config as it will be applied, in the catalogue's spelling."""
        return {
            "topicIds": list(self.criteria.topics),
            "minScore": self.criteria.lowest,
            "maxScore": self.criteria.highest,
            "minTopicOverlap": self.criteria.overlap,
            "filters": write_filters(self.criteria.filters, settings),
            "sourceUrl": self.sent.get("sourceUrl"),
        }

    def applied(self, settings: SandboxSettings) -> list[str]:
        """The keys of the filters that are applied."""
        return list(write_filters(self.criteria.filters, settings))


def read_config(form: Form, settings: SandboxSettings) -> Config:
    """The config in a form; what is wrong with it stands in the form's issues afterwards."""
    bounds = BOUNDS[settings.profile]
    form.require("topicIds")
    topics = list(dict.fromkeys(form.integers("topicIds", bounds.topics) or ()))
    lowest = form.integer("minScore", *bounds.lowest, may_be_null=bounds.clamps)
    highest = form.integer("maxScore", *bounds.highest)
    overlap = form.integer("minTopicOverlap", 1, bounds.overlap) or 1
    _read_source(form)
    criteria = Criteria(
        topics=tuple(topics),
        lowest=max(1, _DEFAULT_MIN_SCORE if lowest is None else lowest),
        highest=bounds.highest[1] if highest is None else highest,
        overlap=overlap,
        filters=_read_filters(form, settings),
    )
    if bounds.clamps:
        criteria = _clamped(criteria)
    _note_impossible(form, criteria, settings)
    return Config({key: form.fields[key] for key in _FIELDS if form.has(key)}, criteria)


def _read_filters(form: Form, settings: SandboxSettings) -> tuple[Criterion, ...]:
    if not form.has("filters"):
        return ()
    return read_filters(form.inner("filters"), settings)


def _read_source(form: Form) -> None:
    url = form.text("sourceUrl", 2_048)
    if url is not None and not url.startswith(("http://", "https://")):
        form.wrong("sourceUrl", "Invalid URL")


def _clamped(criteria: Criteria) -> Criteria:
    return replace(
        criteria,
        lowest=max(criteria.lowest, LOWEST),
        highest=min(criteria.highest, HIGHEST),
    )


def _note_impossible(form: Form, criteria: Criteria, settings: SandboxSettings) -> None:
    if settings.impossible_config == "reject":
        if criteria.lowest > criteria.highest:
            form.wrong("minScore", "Must not be above maxScore")
        if criteria.overlap > len(criteria.topics):
            form.wrong("minTopicOverlap", "Must not exceed the number of topics")
