"""Filters in their three spellings: flat keys, dotted catalogue keys, nested objects."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from leadpipe_mcp.sandbox.facets import (
    BY_FLAT_KEY,
    FACETS,
    SINGLE_VALUED,
    Facet,
    by_catalog_key,
    respelled,
)
from leadpipe_mcp.sandbox.matching import Criterion, Mode
from leadpipe_mcp.sandbox.reading import Form, is_array, is_object, is_texts
from leadpipe_mcp.sandbox.replies import Json
from leadpipe_mcp.sandbox.settings import SandboxSettings

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
        _in_case(criterion, settings)
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


def _in_case(criterion: Criterion, settings: SandboxSettings) -> Criterion:
    """Terms are looked for in any case, values only where the settings say so."""
    if FACETS[criterion.facet].kind == "terms" or settings.values_ignore_case:
        return replace(criterion, values=tuple(value.lower() for value in criterion.values))
    return criterion
