"""Whatever a client sends as arguments is understood, or refused in our words."""

import copy
import re
from collections.abc import Iterator
from typing import Any, cast

from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from leadpipe_mcp.text import redact
from leadpipe_mcp.toolkit import published_schema
from leadpipe_mcp.toolkit.running import NAME_LENGTH, in_our_words
from leadpipe_mcp.tools.toolsets import TOOLS
from tests.faults.cells import ROWS
from tests.properties.conftest import CHARACTERS

Object = dict[str, Any]
Path = tuple[str | int, ...]

ID = "6fb81599-f601-4afe-b3ff-e8a211cae27d"
CONFIG: Object = {
    "topicIds": [117805, 117890],
    "minScore": 60,
    "maxScore": 90,
    "minTopicOverlap": 2,
    "filters": {"seniority": ["vp"], "role.departments": {"values": ["sales"], "mode": "any"}},
    "exclude": {"jobTitle": ["assistant"], "hasPhone": False},
    "sourceUrl": "https://acme.example/",
}
MODELS: dict[str, type[BaseModel]] = {tool.name: tool.arguments for tool in TOOLS}
# With more arguments than the calls that are tried under every fault.
RICH: list[tuple[str, Object]] = [
    ("plan_audience", {"targetSize": {"min": 100, "max": 5000}, "exclude": {"state": ["Texas"]},
                       "topics": ["CRM"], "filters": {"companySize": {"min": 51, "max": 200}}}),
    ("create_audience", {"name": "Buyers", "config": CONFIG, "status": "active", "confirm": "x"}),
    ("query_audience", {**CONFIG, "fields": ["name"], "cursor": "x", "contact": "full"}),
    ("analyze_audience", {"audienceId": ID, "compareWith": {"audienceId": ID, "runId": "7"}}),
    ("query_visitor_data", {"domain": "acme.example", "timeframe": "24h", "page": 2}),
    ("create_pixel", {"domain": "acme.example", "name": "x", "excludedPaths": ["/private"]}),
]  # fmt: skip
POOR: list[tuple[str, Object]] = [(row.tool, {**row.arguments}) for row in ROWS]
CALLS = [(MODELS[name], right) for name, right in (*RICH, *POOR)]

SECRETS = ("jane.doe@acme.example", "sk_live_0123456789abcdef", "https://x.example/?key=secret")
SHOWN = re.compile(r"jane|doe@|sk_live|0123456789|secret", re.IGNORECASE)
CATALOG_KEY = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)+", re.ASCII)
NEVER_SAID = re.compile(r"pydantic|traceback|input_|type=|validation|NoneType", re.IGNORECASE)
LONGEST = 2_000

words = st.text(CHARACTERS, max_size=30) | st.sampled_from(
    [*SECRETS, ID, "10", "vp", "2026-05-04", "true", "[", "{}", '{"a": [1]}', "9" * 400, "\ud800"]
)
numbers = st.integers() | st.floats() | st.integers(-1, 300)
keys = words | st.sampled_from(
    [*{key for _, right in CALLS for key in (*right, *CONFIG)}, "values", "operator", "mode"]
)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=6,
)
calls = st.sampled_from(CALLS)


def places(value: object, path: Path = ()) -> Iterator[Path]:
    """Where in the arguments a value is, however deep; the whole is no such place."""
    if path:
        yield path
    for key, inner in parts(value):
        yield from places(inner, (*path, key))


def parts(value: object) -> list[tuple[str | int, object]]:
    if isinstance(value, dict):
        return list(cast("dict[str | int, object]", value).items())
    return list(enumerate(cast("list[object]", value))) if isinstance(value, list) else []


def found(arguments: Object, path: Path) -> Any:  # noqa: ANN401 -- JSON
    value: Any = arguments
    for part in path:
        value = value[part]
    return value


def altered(arguments: Object, path: Path, value: object) -> Object:
    other = copy.deepcopy(arguments)
    found(other, path[:-1])[path[-1]] = value
    return other


def refusal(model: type[BaseModel], arguments: Object) -> str | None:
    """What is said of the arguments, or None where they are taken."""
    try:
        model.model_validate(arguments)
    except ValidationError as error:
        return in_our_words(error, model)
    return None


KNOWN = {"values", "operator", "mode"} | {
    path[-1]
    for model in MODELS.values()
    for path in places(published_schema(model))
    if path[-2:-1] == ("properties",)
}


def is_plain(said: str) -> bool:
    return 0 < len(said) <= LONGEST and not NEVER_SAID.search(said) and said.isprintable()


hidden = st.sampled_from(SECRETS).flatmap(
    lambda secret: st.sampled_from([secret, [secret], {"a": secret}, {secret: 1}, f"[{secret}"])
)


@given(calls, json_values | hidden, st.data())
def test_a_value_of_any_other_kind_is_taken_or_refused_in_our_words_without_a_secret(
    call: tuple[type[BaseModel], Object], value: object, data: st.DataObject
) -> None:
    model, right = call
    path = data.draw(st.sampled_from([*places(right), ("x",), (SECRETS[0],)]))
    said = refusal(model, altered(right, path, value))
    assert said is None or is_plain(said)
    assert not SHOWN.search(said or "")


@given(calls, st.text(CHARACTERS, max_size=90), json_values, st.data())
def test_an_unknown_argument_is_refused_by_name_at_any_depth(
    call: tuple[type[BaseModel], Object], name: str, value: object, data: st.DataObject
) -> None:
    model, right = call
    assume(name not in KNOWN and not CATALOG_KEY.fullmatch(name))
    # The keys of filters are checked against the live catalogue, in test_filters.
    objects = [
        path
        for path in [(), *places(right)]
        if isinstance(found(right, path), dict) and not {"filters", "exclude"} & {*path}
    ]
    path = data.draw(st.sampled_from(objects))
    assert refusal(model, right) is None
    said = refusal(model, altered(right, (*path, name), value))
    assert said is not None
    assert redact(name, NAME_LENGTH) in said
