"""Tool definitions: what a directory and a model ask of them."""

import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from mcp.types import Tool
from tdqs.lint_server import lint_server
from tdqs.parse_tool_definitions import parse_tool_definitions

Schema = dict[str, Any]

DESTRUCTIVE = {
    *("update_audience", "delete_audience"),
    *("sonarly_update_audience", "sonarly_delete_audience"),
}
WORDS_OF_SCHEMAS = {
    *("type", "properties", "patternProperties", "additionalProperties", "required", "items"),
    *("description", "enum", "const", "default", "format", "pattern", "anyOf"),
    *("minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems"),
}
WORDS_OF_USERS = ["audience", "segment", "lead", "prospect", "ICP", "people", "intent"]


def objects(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    """Every schema inside a schema, with its place."""
    yield path, schema
    for key in ("properties", "patternProperties"):
        for name, inner in schema.get(key, {}).items():
            yield from objects(inner, f"{path}.{name}")
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield from objects(schema[key], f"{path}.{key}")
    for number, inner in enumerate(schema.get("anyOf", [])):
        yield from objects(inner, f"{path}.anyOf{number}")


def asks(tool: Tool) -> bool:
    """Whether a tool may ask the user before it does what it is for."""
    return "confirm" in tool.input_schema["properties"]


def test_every_tool_has_a_title_and_a_name_that_clients_take_and_four_hints(
    tools: list[Tool],
) -> None:
    destructive: set[str] = set()
    for tool in tools:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", tool.name)
        assert len(f"mcp__leadpipe__{tool.name}") <= 64
        hints = tool.annotations
        assert hints
        assert hints.title == tool.title != ""
        assert hints.open_world_hint
        assert None not in (hints.read_only_hint, hints.destructive_hint, hints.idempotent_hint)
        # That those which only read say so, the fault matrix holds.
        assert hints.idempotent_hint or not hints.read_only_hint
        if hints.destructive_hint:
            destructive.add(tool.name)
    assert destructive == DESTRUCTIVE
    assert len({tool.title for tool in tools}) == len(tools)


def test_every_description_is_two_to_five_plain_sentences(tools: list[Tool]) -> None:
    for tool in tools:
        words = tool.description or ""
        assert 2 <= len(re.findall(r"\.(?= |$)", words)) <= 5, tool.name
        assert not re.search(r"\b(IMPORTANT|MUST|NEVER|ALWAYS|WARNING)\b|!", words), tool.name
        assert "\n" not in words


def test_the_words_that_users_use_stand_where_a_search_finds_them(tools: list[Tool]) -> None:
    text = " ".join(f"{tool.name} {tool.description}" for tool in tools)
    assert [word for word in WORDS_OF_USERS if word not in text] == []


def test_every_parameter_is_described_and_typed_and_no_level_takes_unknown_ones(
    tools: list[Tool],
) -> None:
    for tool in tools:
        for path, schema in objects(tool.input_schema):
            if path and not re.search(r"\.(items|additionalProperties|anyOf\d)$", path):
                assert schema.get("description"), f"{tool.name}{path}"
            assert schema.get("type") or schema.get("anyOf"), f"{tool.name}{path}"
            if "properties" in schema:
                assert schema["additionalProperties"] is False, f"{tool.name}{path}"


def test_a_closed_set_is_an_enum_and_every_number_has_its_range(tools: list[Tool]) -> None:
    closed = {"status", "type", "direction", "detail", "depth", "format", "contact", "timeframe"}
    for tool in tools:
        for path, schema in objects(tool.input_schema):
            if path.removeprefix(".") in closed:
                assert schema["enum"], f"{tool.name}{path}"
            if schema.get("type") == "integer":
                assert "minimum" in schema, f"{tool.name}{path}"
                is_id = path.endswith("topicIds.items")
                wanted = path.startswith(".targetSize")
                assert "maximum" in schema or is_id or wanted, f"{tool.name}{path}"


def test_schemas_are_objects_in_words_that_clients_know(tools: list[Tool]) -> None:
    for tool in tools:
        for schema in (tool.input_schema, tool.output_schema or {}):
            jsonschema.Draft202012Validator.check_schema(schema)
            assert schema["type"] == "object"
            assert ("anyOf" in schema) == (schema is tool.output_schema and asks(tool))
            for path, part in objects(schema):
                assert part.get("default", 0) is not None, f"{tool.name}{path}"
                assert set(part) <= WORDS_OF_SCHEMAS, f"{tool.name}{path}"


def test_what_a_filter_takes_is_told_and_null_only_where_it_removes(tools: list[Tool]) -> None:
    by_name = {tool.name: tool.input_schema["properties"] for tool in tools}
    asked = by_name["preview_audience"]["filters"]
    changed = by_name["update_audience"]["config"]["properties"]["filters"]
    assert set(asked["properties"]) == set(changed["properties"])
    assert len(asked["properties"]) == 16
    assert asked["properties"]["isB2b"]["type"] == "boolean"
    for unknown in ("technologies", "funding", "hiring", "tenure", "income", "another audience"):
        assert unknown in by_name["plan_audience"]["filters"]["description"]
    for name, schema in asked["properties"].items():
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        assert changed["properties"][name]["type"] == [*kinds, "null"]
        for tool in ("plan_audience", "query_audience"):
            assert by_name[tool]["filters"]["properties"][name] == schema


def test_every_reply_begins_with_a_summary_and_those_of_tools_that_ask_may_be_a_question(
    tools: list[Tool],
) -> None:
    for tool in tools:
        schema = tool.output_schema or {}
        properties = set(schema["properties"])
        assert next(iter(schema["properties"])) == "summary"
        assert "summary" in schema["required"]
        assert {"warnings", "next", "sandbox"} <= properties
        assert ({"question", "confirm"} <= properties) == asks(tool), tool.name


def test_the_same_thing_has_the_same_name_in_every_reply(tools: list[Tool]) -> None:
    others = {
        *("audienceId", "audienceName", "pixelId", "audienceSize", "totalCount", "prospectCount"),
        *("count", "cursor", "hasMore", "resultCount", "people_count", "date", "data_date"),
    }
    for tool in tools:
        shown = {name for _, part in objects(tool.output_schema or {}) for name in properties(part)}
        assert shown.isdisjoint(others), tool.name
        assert not [name for name in shown if "_" in name], tool.name


def properties(schema: Schema) -> Schema:
    return schema.get("properties", {})


def test_a_reply_is_a_whole_question_or_a_whole_success(tools: list[Tool]) -> None:
    (schema,) = (tool.output_schema or {} for tool in tools if tool.name == "set_status")
    jsonschema.validate({"summary": "Ask.", "question": "Activate?", "confirm": "c0ffee"}, schema)
    jsonschema.validate({"summary": "Done.", "id": "aud_1", "status": "active"}, schema)
    for half in ({"summary": "Done.", "id": "aud_1"}, {"summary": "Ask.", "question": "So?"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(half, schema)


def test_a_judge_from_outside_finds_nothing_but_that_a_config_is_required(
    tools: list[Tool],
) -> None:
    listed = [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools]
    judged = lint_server(server_name="leadpipe", tools=parse_tool_definitions(listed).tools)
    found = {(one.rule, one.tool) for one in judged.findings if one.severity != "info"}
    # An audience cannot be created without a config, so the schema says that it is required.
    assert found <= {("shadow-candidate", "create_audience")}
