"""The way back from the service's words: what replies show, and what differs from what was sent."""

import re
from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from leadpipe_mcp.api.models import ServiceConfig
from leadpipe_mcp.api.spelling import PLAIN_OPERATORS, usual_operator, words_of
from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.vocabulary.catalog import EXCLUDING, FLAT_KEYS, FilterCatalog, FilterEntry


def show(
    catalog: FilterCatalog, filters: Mapping[str, JsonValue]
) -> tuple[dict[str, JsonValue], dict[str, JsonValue]]:
    """Return the service's filters as replies show them: what is asked for, what is left out.

    A list of more than half of a filter's values is shown as what it leaves out.
    """
    wanted: dict[str, JsonValue] = {}
    unwanted: dict[str, JsonValue] = {}
    including = {out: own for own, out in EXCLUDING.items()}
    for key, value in own_keys(catalog, filters).items():
        entry, name = catalog.entries.get(key), catalog.name_of(key)
        plainly = _plain_value(entry, value) if entry else None
        if entry is None or plainly is None:
            wanted[name if entry else key] = value
        elif key in including and isinstance(plainly, list):
            unwanted[catalog.name_of(including[key])] = plainly
        elif entry.is_closed and isinstance(plainly, list):
            rest = [known.value for known in entry.values if known.value not in plainly]
            if rest and 2 * len(plainly) > len(entry.values) == len(plainly) + len(rest):
                unwanted[name] = list(rest)
            else:
                wanted[name] = plainly
        else:
            wanted[name] = plainly
    return wanted, unwanted


def _plain_value(entry: FilterEntry, value: JsonValue) -> list[JsonValue] | bool | None:
    """A service's value as a yes or no or as a list of words; None if it says more than that."""
    if entry.kind in {"flag", "yes_no"}:
        if isinstance(value, str):
            return {"y": True, "n": False}.get(value)
        return value if isinstance(value, bool) else None
    if isinstance(value, dict):
        plain = {None, usual_operator(entry)} if entry.kind == "text" else PLAIN_OPERATORS
        if value.keys() - {"values", "operator", "mode"} or value.get("mode") not in {None, "any"}:
            return None
        if value.get("operator") not in plain and (entry.kind == "text" or entry.is_closed):
            return None
        value = value.get("values")
    value = [value] if isinstance(value, str) else value
    words = isinstance(value, list) and all(isinstance(word, str) for word in value)
    return value if words and isinstance(value, list) else None


def own_keys(catalog: FilterCatalog, filters: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return filters under the service's present keys; it also writes {"role": {"seniority": …}}.

    There "includeMode" stands beside "include", and is its mode.
    """
    groups = {key.partition(".")[0] for key in catalog.entries if "." in key}
    found: dict[str, JsonValue] = {}
    for key, value in filters.items():
        is_own = key in catalog.entries or key not in groups
        if is_own or not isinstance(value, dict) or "values" in value:
            found[key] = value
            continue
        modes = {f"{name}Mode" for name in value}
        for name, inner in value.items():
            mode = value.get(f"{name}Mode")
            if name not in modes:
                found[f"{key}.{name}"] = {"values": inner, "mode": mode} if mode else inner
    own: dict[str, JsonValue] = {}
    for key, value in found.items():
        try:
            own[catalog.entry_for(key).key] = value
        except NotPossible:
            own[key] = value
    return own


def differing(catalog: FilterCatalog, sent: ServiceConfig, kept: ServiceConfig) -> tuple[str, ...]:
    """Return the parts of a config that the service holds otherwise than they were sent."""
    # The May 2026 API counts scores from 50 to 99 and says so in what it keeps.
    lowest = max(sent.min_score or 0, 50) if kept.min_score == 50 else sent.min_score
    pairs: dict[str, tuple[object, object]] = {
        "topicIds": (set(sent.topic_ids), set(kept.topic_ids)),
        "minScore": (lowest, kept.min_score),
        "maxScore": (min(sent.max_score or 99, 99), min(kept.max_score or 99, 99)),
        "minTopicOverlap": (sent.min_topic_overlap or 1, kept.min_topic_overlap or 1),
    }
    extra, theirs = sent.model_extra or {}, kept.model_extra or {}
    pairs |= {name: (value, theirs.get(name)) for name, value in extra.items()}
    parts = [name for name, (ours, got) in pairs.items() if ours is not None and ours != got]
    ours, got = own_keys(catalog, sent.filters), own_keys(catalog, kept.filters)
    differ = (key for key in dict.fromkeys([*ours, *got]) if not _same(catalog, key, ours, got))
    return (*parts, *(catalog.name_of(key) for key in differ))


def _same(
    catalog: FilterCatalog, key: str, ours: Mapping[str, JsonValue], got: Mapping[str, JsonValue]
) -> bool:
    """Whether two sets of filters ask the same of one key."""
    one, other = ours.get(key), got.get(key)
    if (entry := catalog.entries.get(key)) is None or one is None or other is None:
        return one == other
    return _meaning(entry, one) == _meaning(entry, other)


def _meaning(entry: FilterEntry, value: JsonValue) -> object:
    """The same for two ways to write one wish: other case, other order, what is usual left out."""
    if (plainly := _plain_value(entry, value)) is not None:
        value = plainly
    usual = usual_operator(entry) or (entry.operators[0] if len(entry.operators) == 1 else None)
    how: tuple[JsonValue, ...] = (usual, "any")
    if isinstance(value, dict) and not value.keys() - {"values", "operator", "mode"}:
        how = (value.get("operator") or usual, value.get("mode") or "any")
        value = value.get("values")
    if isinstance(value, list):
        return ({str(word).casefold() for word in value}, *how)
    return value


def not_applied(
    catalog: FilterCatalog,
    asked: Mapping[str, JsonValue],
    applied: Sequence[tuple[str, JsonValue]] | None,
) -> tuple[str, ...]:
    """Return the filters of which the service says something else than was asked.

    `applied` is None where the service says nothing of them: then nothing can be missed.
    """
    if applied is None:
        return ()
    flat_names = {flat.twin: flat.name for flat in FLAT_KEYS.values()}
    known = {name for key in asked for name in (key, flat_names.get(key, key))}
    wrong: list[str] = []
    for key, value in asked.items():
        names = "|".join(map(re.escape, {key, flat_names.get(key, key)}))
        # An entry of the service's list may hold more behind the key.
        told_of = [its for said, its in applied if re.match(rf"(?:{names})(?![\w.])", said)]
        values = [its for its in told_of if its is not None]
        if not told_of or any(not _same(catalog, key, {key: value}, {key: its}) for its in values):
            wrong.append(key)
    return (*wrong, *(key for key, _ in applied if key in catalog.entries and key not in known))


def without_words(value: JsonValue, *, of: JsonValue) -> JsonValue:
    """Return a filter's value without the words that another one holds; None if none is left."""
    gone = words_of(of)
    left = [word for form, word in words_of(value).items() if form not in gone]
    kept: JsonValue = {**value, "values": list(left)} if isinstance(value, dict) else list(left)
    return kept if left else None
