"""Audience configs as they are sent, their filters in three spellings: flat, dotted, nested."""

from collections.abc import Collection, Iterator
from typing import NamedTuple

from leadpipe_mcp.sandbox.facets import BY_FLAT_KEY, Criterion, Facet, by_catalog_key, respelled
from leadpipe_mcp.sandbox.matching import HIGHEST, LOWEST, Config
from leadpipe_mcp.sandbox.settings import Profile, SandboxSettings
from leadpipe_mcp.sandbox.simulator import Form, Json, is_array, is_object, is_texts

_SINGLE_VALUED = ("state", "gender")
# The longest flat value of a text.
_LONGEST = {"jobTitle": 200, "companyName": 255, "companyDomain": 255}
# The score from which people count when a config names none.
_DEFAULT_MIN_SCORE = 70
_FIELDS = ("topicIds", "minScore", "maxScore", "minTopicOverlap", "filters", "sourceUrl")


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


def read_config(form: Form, settings: SandboxSettings) -> Config:
    """The config in a form; what is wrong with it is in the form's issues afterwards."""
    bounds, is_newer = _BOUNDS[settings.profile], settings.profile != "flat"
    form.require("topicIds")
    topics = tuple(dict.fromkeys(form.integers("topicIds", bounds.topics) or ()))
    lowest = None
    if not is_newer or form.fields.get("minScore") is not None:
        lowest = form.integer("minScore", *bounds.lowest)
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
            if settings.unknown_filters == "reject":
                form.wrong(key, "Unrecognized filter")
        elif facet.name in criteria:
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
