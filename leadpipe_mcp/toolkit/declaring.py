"""How a tool is declared: its arguments, its reply, its words and hints; and how clients get it."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, Literal, TypeVar, cast, get_type_hints

from mcp.types import Tool, ToolAnnotations
from pydantic import BaseModel

from leadpipe_mcp.toolkit.calls import Call
from leadpipe_mcp.toolkit.models import Arguments, Question, Reply

C = TypeVar("C", bound=Call)
A = TypeVar("A", bound=Arguments)
R = TypeVar("R", bound=Reply)
Schema = dict[str, Any]

_NULL: Schema = {"type": "null"}


@dataclass(frozen=True)
class Declaration(Generic[C, A, R]):
    """A tool as it is written down: its words, its hints, and the function that does it."""

    name: str
    title: str
    description: str
    hints: ToolAnnotations
    arguments: type[A]
    reply: type[R]
    function: Callable[[C, A], Awaitable[R]]

    def definition(self) -> Tool:
        """Return the tool as clients get it."""
        reply = published_schema(self.reply, "serialization")
        if "confirm" in self.arguments.model_fields:
            # It may answer with a question first. The root stays an object, as the protocol wants.
            question = published_schema(Question, "serialization")
            reply = {
                **reply,
                "properties": {**reply["properties"], **question["properties"]},
                "required": ["summary"],
                "anyOf": [{"required": reply["required"]}, {"required": question["required"]}],
            }
        return Tool(
            name=self.name,
            title=self.title,
            description=self.description,
            input_schema=published_schema(self.arguments, "validation"),
            output_schema=reply,
            annotations=self.hints,
        )


def tool(
    title: str, *, reads: bool = False, destroys: bool = False, idempotent: bool = False
) -> Callable[[Callable[[C, A], Awaitable[R]]], Declaration[C, A, R]]:
    """Declare a tool: its name is the function's, its description the docstring.

    Args:
        title: What a person sees in a list of tools.
        reads: It changes nothing.
        destroys: What it changes cannot be had back.
        idempotent: Calling it twice is calling it once.
    """

    def declare(function: Callable[[C, A], Awaitable[R]]) -> Declaration[C, A, R]:
        types = get_type_hints(function)
        hints = ToolAnnotations(
            title=title,
            read_only_hint=reads,
            destructive_hint=destroys,
            idempotent_hint=reads or idempotent,
            open_world_hint=True,
        )
        return Declaration(
            name=function.__name__,
            title=title,
            description=" ".join((function.__doc__ or "").split()),
            hints=hints,
            arguments=types["asked"],
            reply=types["return"],
            function=function,
        )

    return declare


@cache
def published_schema(
    model: type[BaseModel], mode: Literal["validation", "serialization"]
) -> Schema:
    """The model's schema without titles, references and the null of optional fields.

    A client may send null for an optional argument all the same.
    """
    schema = model.model_json_schema(by_alias=True, mode=mode)
    definitions = schema.pop("$defs", {})
    # What the whole is, the tool's own description says.
    schema.pop("description", None)
    return cast("Schema", _plain(schema, definitions))


def _plain(part: object, definitions: Mapping[str, Schema]) -> object:
    """The part of a schema without what only pydantic needs, and nothing twice."""
    if isinstance(part, list):
        return [_plain(item, definitions) for item in cast("list[object]", part)]
    if not isinstance(part, dict):
        return part
    schema = cast("Schema", part)
    if "$ref" in schema:
        referred = definitions[str(schema["$ref"]).rpartition("/")[2]]
        return _plain(referred | _without("$ref", schema), definitions)
    choices: list[Schema] = schema.get("anyOf", [])
    if _NULL in choices:
        others = [choice for choice in choices if choice != _NULL]
        left = others[0] if len(others) == 1 else {"anyOf": others}
        return _plain(left | _without("anyOf", schema), definitions)
    if choices and all(choice.keys() == {"type"} for choice in choices):
        # Clients check a list of types much faster than a choice.
        kinds = [str(choice["type"]) for choice in choices]
        kinds = [kind for kind in kinds if kind != "integer" or "number" not in kinds]
        return {**_without("anyOf", schema), "type": kinds}
    return dict(_keywords(schema, definitions))


def _keywords(schema: Schema, definitions: Mapping[str, Schema]) -> Iterator[tuple[str, object]]:
    for key, value in schema.items():
        if key in {"properties", "patternProperties"}:
            # By name: a property that is called `title` is no title.
            yield key, {name: _plain(one, definitions) for name, one in value.items()}
        elif key == "additionalProperties" and value == {}:
            # It means the same as `true`, but strict readers warn of it.
            yield key, True
        elif key != "title" and not (key == "default" and value is None):
            # pydantic has words of its own for bounds behind a validator.
            word = key.replace("Length", "Items") if schema.get("type") == "array" else key
            word = {"ge": "minimum", "le": "maximum"}.get(word, word)
            yield word, _plain(value, definitions)


def _without(key: str, schema: Schema) -> Schema:
    return {name: value for name, value in schema.items() if name != key}
