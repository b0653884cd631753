"""JSON schemas as a model should read them: nothing twice, nothing that only pydantic needs."""

from collections.abc import Mapping
from functools import cache
from typing import Any, cast

from mcp.types import Tool
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode

from leadpipe_mcp.toolkit.declaring import Declaration, Question

Schema = dict[str, Any]

_NULL: Schema = {"type": "null"}


def definition(declaration: Declaration[Any, Any, Any]) -> Tool:
    """Define a tool as clients get it."""
    return Tool(
        name=declaration.name,
        title=declaration.title,
        description=declaration.description,
        input_schema=published_schema(declaration.arguments, "validation"),
        output_schema=_output_schema(declaration),
        annotations=declaration.hints,
    )


def _output_schema(declaration: Declaration[Any, Any, Any]) -> Schema:
    """The schema of the reply, or of the question that a tool which takes a code may ask first."""
    reply = published_schema(declaration.reply, "serialization")
    if "confirm" not in declaration.arguments.model_fields:
        return reply
    question = published_schema(Question, "serialization")
    return {
        **reply,
        "properties": {**reply["properties"], **question["properties"]},
        "required": ["summary"],
        # The root stays an object, as the protocol wants it.
        "anyOf": [{"required": reply["required"]}, {"required": question["required"]}],
    }


@cache
def published_schema(model: type[BaseModel], mode: JsonSchemaMode) -> Schema:
    """The model's schema without titles, references and the null of optional fields.

    A client may send null for an optional argument all the same.
    """
    schema = model.model_json_schema(by_alias=True, mode=mode)
    definitions = schema.pop("$defs", {})
    # What the whole is, the tool's own description says.
    schema.pop("description", None)
    return cast("Schema", _plain(schema, definitions))


def _plain(part: object, definitions: Mapping[str, Schema]) -> object:
    if isinstance(part, list):
        return [_plain(item, definitions) for item in cast("list[object]", part)]
    if not isinstance(part, dict):
        return part
    schema = cast("Schema", part)
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        return _plain({**definitions[name], **rest}, definitions)
    if _NULL in schema.get("anyOf", []):
        return _plain(_without_null(schema), definitions)
    if kinds := _simple_kinds(schema):
        return {**{key: value for key, value in schema.items() if key != "anyOf"}, "type": kinds}
    return {
        _bound(key, schema): _value(key, value, definitions)
        for key, value in schema.items()
        if key != "title" and not (key == "default" and value is None)
    }


def _simple_kinds(schema: Schema) -> list[str]:
    """The types of a choice among types alone: clients check a list of types much faster."""
    choices = schema.get("anyOf", [])
    if any(choice.keys() != {"type"} for choice in choices):
        return []
    kinds = [str(choice["type"]) for choice in choices]
    return [kind for kind in kinds if kind != "integer" or "number" not in kinds]


def _bound(key: str, schema: Schema) -> str:
    """The keyword as JSON Schema knows it: pydantic has its own for bounds behind a validator."""
    if schema.get("type") == "array":
        key = key.replace("Length", "Items")
    return {"ge": "minimum", "le": "maximum"}.get(key, key)


def _value(key: str, value: object, definitions: Mapping[str, Schema]) -> object:
    if key in {"properties", "patternProperties"}:
        return _properties(cast("Schema", value), definitions)
    # An empty schema and `true` mean the same; strict readers warn of the first.
    return True if key == "additionalProperties" and value == {} else _plain(value, definitions)


def _properties(properties: Mapping[str, object], definitions: Mapping[str, Schema]) -> Schema:
    """Properties by name: one called `title` is no title."""
    return {name: _plain(value, definitions) for name, value in properties.items()}


def _without_null(schema: Schema) -> Schema:
    kinds = [kind for kind in schema["anyOf"] if kind != _NULL]
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**kinds[0], **rest} if len(kinds) == 1 else {"anyOf": kinds, **rest}
