"""Tool definitions: what a directory and a model ask of them."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import jsonschema
import pytest
from mcp.types import Tool

pytestmark = pytest.mark.anyio
Schema = dict[str, Any]

# read only, destructive, idempotent, open world
HINTS = {
    "preview_audience": (True, False, True, True),
    "create_audience": (False, False, False, True),
    "update_audience": (False, True, True, True),
    "list_audiences": (True, False, True, True),
    "get_audience": (True, False, True, True),
    "set_status": (False, False, True, True),
    "delete_audience": (False, True, False, True),
    "query_audience": (True, False, True, True),
    "get_account_status": (True, False, True, True),
}
WORDS_OF_SCHEMAS = {
    *("type", "properties", "patternProperties", "additionalProperties", "required", "items"),
    *("description", "enum", "const", "default", "format", "pattern", "anyOf"),
    *("minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems"),
}
WORDS_OF_USERS = ["audience", "segment", "lead", "prospect", "ICP", "people", "intent"]


@pytest.fixture
def era() -> str:
    """Both list the same; test_snapshot holds that."""
    return "auto"


def objects(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    """Every schema inside a schema, with its place."""
    yield path, schema
    for key in ("properties", "patternProperties"):
        for name, inner in schema.get(key, {}).items():
            yield from objects(inner, f"{path}.{name}")
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield from objects(schema[key], f"{path}.{key}")
    for key in ("anyOf", "oneOf", "allOf"):
        for number, inner in enumerate(schema.get(key, [])):
            yield from objects(inner, f"{path}.{key}{number}")


def asks(tool: Tool) -> bool:
    """Whether a tool may ask the user before it does what it is for."""
    return "confirm" in tool.input_schema["properties"]


def keys(part: object) -> Iterator[str]:
    """Every keyword in a schema; names of properties are none."""
    if isinstance(part, list):
        for item in cast("list[object]", part):
            yield from keys(item)
    if isinstance(part, dict):
        for key, value in cast("Schema", part).items():
            yield key
            named = key in {"properties", "patternProperties"}
            yield from keys(list(value.values()) if named else value)


async def test_every_tool_has_four_hints_and_they_are_true(tools: list[Tool]) -> None:
    hints = {
        tool.name: (
            tool.annotations.read_only_hint,
            tool.annotations.destructive_hint,
            tool.annotations.idempotent_hint,
            tool.annotations.open_world_hint,
        )
        for tool in tools
        if tool.annotations
    }
    assert hints == hints | HINTS
    assert all(None not in four for four in hints.values())
    assert len(hints) == len(tools)


async def test_every_tool_has_a_title_and_a_name_that_clients_take(tools: list[Tool]) -> None:
    for tool in tools:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", tool.name)
        assert len(f"mcp__leadpipe__{tool.name}") <= 64
        assert tool.title
        assert tool.annotations
        assert tool.annotations.title == tool.title
    assert len({tool.title for tool in tools}) == len(tools)


async def test_every_description_is_two_to_five_plain_sentences(tools: list[Tool]) -> None:
    for tool in tools:
        words = tool.description or ""
        assert 2 <= len(re.findall(r"\.(?= |$)", words)) <= 5, tool.name
        assert not re.search(r"\b(IMPORTANT|MUST|NEVER|ALWAYS|WARNING)\b|!", words), tool.name
        assert "\n" not in words


async def test_the_words_that_users_use_stand_where_a_search_finds_them(tools: list[Tool]) -> None:
    text = " ".join(f"{tool.name} {tool.description}" for tool in tools)
    assert [word for word in WORDS_OF_USERS if word not in text] == []


async def test_every_parameter_is_described_and_typed(tools: list[Tool]) -> None:
    for tool in tools:
        for path, schema in objects(tool.input_schema):
            parameter = path and not path.endswith((".items", ".additionalProperties"))
            if parameter and not re.search(r"\.anyOf\d$", path):
                assert schema.get("description"), f"{tool.name}{path}"
            assert schema.get("type") or schema.get("anyOf"), f"{tool.name}{path}"


async def test_nothing_unknown_is_allowed_at_any_level(tools: list[Tool]) -> None:
    for tool in tools:
        for path, schema in objects(tool.input_schema):
            if "properties" in schema:
                assert schema["additionalProperties"] is False, f"{tool.name}{path}"


async def test_schemas_are_objects_without_noise(tools: list[Tool]) -> None:
    for tool in tools:
        for schema in (tool.input_schema, tool.output_schema or {}):
            jsonschema.Draft202012Validator.check_schema(schema)
            assert schema["type"] == "object"
            assert not {"oneOf", "allOf", "$schema"} & set(schema)
            assert ("anyOf" in schema) == (schema is tool.output_schema and asks(tool))
            assert None not in [part.get("default", 0) for _, part in objects(schema)]


async def test_schemas_hold_only_words_of_json_schema(tools: list[Tool]) -> None:
    for tool in tools:
        for schema in (tool.input_schema, tool.output_schema):
            assert set(keys(schema)) <= WORDS_OF_SCHEMAS, tool.name


async def test_what_a_filter_takes_is_told_and_null_only_where_it_removes(
    tools: list[Tool],
) -> None:
    by_name = {tool.name: tool.input_schema["properties"] for tool in tools}
    asked = by_name["preview_audience"]["filters"]
    changed = by_name["update_audience"]["config"]["properties"]["filters"]
    assert set(asked["properties"]) == set(changed["properties"])
    assert len(asked["properties"]) == 16
    assert asked["properties"]["isB2b"]["type"] == "boolean"
    for name, schema in asked["properties"].items():
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        assert changed["properties"][name]["type"] == [*kinds, "null"]
        for tool in ("plan_audience", "query_audience"):
            assert by_name[tool]["filters"]["properties"][name] == schema


async def test_every_reply_begins_with_a_summary_that_is_required(tools: list[Tool]) -> None:
    for tool in tools:
        schema = tool.output_schema or {}
        assert next(iter(schema["properties"])) == "summary"
        assert "summary" in schema["required"]
        assert {"warnings", "next", "sandbox"} <= set(schema["properties"])


async def test_tools_that_ask_can_answer_with_a_question_and_no_others(tools: list[Tool]) -> None:
    for tool in tools:
        properties = (tool.output_schema or {})["properties"]
        assert ({"question", "confirm"} <= set(properties)) == asks(tool), tool.name


async def test_a_reply_is_a_whole_question_or_a_whole_success(tools: list[Tool]) -> None:
    (schema,) = (tool.output_schema for tool in tools if tool.name == "set_status")
    question = {"summary": "Ask.", "question": "Activate it?", "confirm": "c0ffee"}
    success = {"summary": "Done.", "id": "aud_1", "status": "active"}

    jsonschema.validate(question, schema or {})
    jsonschema.validate(success, schema or {})
    for half in ({"summary": "Done.", "id": "aud_1"}, {"summary": "Ask.", "question": "So?"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(half, schema or {})


async def test_a_judge_from_outside_finds_no_error_and_warns_only_of_a_required_config(
    tools: list[Tool], tmp_path: Path
) -> None:
    dump = tmp_path / "tools.json"
    listed = [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools]
    dump.write_text(json.dumps({"tools": listed}), encoding="utf-8")
    judged = subprocess.run(  # noqa: ASYNC221 -- nothing else runs meanwhile
        [sys.executable, "-m", "tdqs", "lint", "--file", str(dump), "--fail-on", "error"],
        capture_output=True,
        timeout=60,
        check=False,
        text=True,
    )
    assert judged.returncode == 0, judged.stdout + judged.stderr
    # An audience cannot be created without a config, so the schema says that it is required.
    warned = [line.strip() for line in judged.stdout.splitlines() if " warning " in line]
    assert all(line.startswith("warning shadow-candidate: create_audience") for line in warned)
    assert f"0 errors, {len(warned)} warning" in judged.stdout
