"""How tools are declared and called: what is the same for every tool of any service.

Here is how one is declared, with its arguments, reply, words and hints; and how clients get it.
"""

import base64
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Generic, Self, TypeVar, cast, get_type_hints

from mcp.types import Tool, ToolAnnotations
from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator
from pydantic.alias_generators import to_camel

from leadpipe_mcp.errors import NotPossible

C = TypeVar("C")
A = TypeVar("A", bound="Arguments")
R = TypeVar("R", bound="Reply")
Schema = dict[str, Any]

_NULL: Schema = {"type": "null"}


class Arguments(BaseModel):
    """The arguments of a tool: camelCase outside, nothing unknown, never shown in an error."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, hide_input_in_errors=True
    )
    thing: ClassVar[str] = "audience"
    """What an `id` is the id of; a client may write it out, as in audienceId."""

    @model_validator(mode="before")
    @classmethod
    def _as_published(cls, given: object) -> object:
        """Take null where there is a default as not given, and either of the two names of an id."""
        if not isinstance(given, dict):
            return given
        fields = cls.model_fields.values()
        filled = {f.alias for f in fields if not f.is_required() and f.default is not None}
        named = {
            name: value
            for name, value in cast("dict[str, object]", given).items()
            if value is not None or name not in filled
        }
        both = {"id", f"{cls.thing}Id"}
        published = both & {field.alias for field in fields}
        if len(published) != 1:
            return named
        (name,), (other,) = published, both - published
        said = named.pop(other, None)
        if said is None:
            return named
        if named.get(name) not in (None, said):
            raise NotPossible(
                f"id and {cls.thing}Id both name the {cls.thing}, and they differ.",
                "Give one of them.",
            )
        return named | {name: said}


class Suggestion(BaseModel):
    """A call that makes sense now."""

    tool: str
    arguments: dict[str, JsonValue] | None = None
    why: str


class Reply(BaseModel):
    """What every reply says: a summary first, then the tool's own data, then what to mind."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, hide_input_in_errors=True
    )

    summary: str = Field(description="The answer in a sentence or two.")
    warnings: list[str] | None = Field(default=None, description="What to mind.")
    next: list[Suggestion] | None = Field(default=None, description="Calls that make sense now.")
    sandbox: bool | None = Field(default=None, description="True: the people are invented.")


class Question(Reply):
    """The reply of a tool that has to ask first: nothing was changed, and `confirm` is the code."""

    question: str = Field(description="To put to the user before going on.")
    confirm: str = Field(description="Repeat the call with this code once the user has agreed.")


@dataclass(frozen=True)
class Action:
    """Something that needs a yes: what it does, and to what, in the state it was seen in."""

    name: str
    question: str
    seen: object
    service: str = "Leadpipe"
    arguments: object = None  # of the call: a question is too short to tell all of them
    holds: object = None  # what no other open question may be about, such as the name of a file


class Cursor(BaseModel):
    """A place in the answer to one question; each tool adds what it needs to find it again."""

    model_config = ConfigDict(frozen=True)

    subject: str = ""

    @classmethod
    def at(cls, cursor: str | None, asked: BaseModel, parts: set[str], **start: object) -> Self:
        """Return the place that the cursor names, or the start, in the answer to what is asked."""
        question = json.dumps(asked.model_dump(mode="json", include=parts), sort_keys=True)
        subject = hashlib.sha256(question.encode()).hexdigest()[:8]
        if not cursor:
            return cls.model_validate({"subject": subject, **start})
        try:
            # It goes without its padding, of which too much does no harm.
            place = cls.model_validate_json(base64.urlsafe_b64decode(f"{cursor}=="))
        except ValueError:
            place = None
        if place is None or place.subject != subject:
            raise NotPossible(
                "The cursor does not belong to this question.",
                "Repeat the arguments of the page that it came from, or leave it out.",
            )
        return place

    def as_text(self) -> str:
        """Return the place as the cursor that a reply gives."""
        told = self.model_dump_json(exclude_defaults=True)
        return base64.urlsafe_b64encode(told.encode()).decode().rstrip("=")


@dataclass(frozen=True)
class Declaration(Generic[C, A, R]):
    """A tool as it is written down: its words, its hints, and the function that does it."""

    name: str
    description: str
    hints: ToolAnnotations
    arguments: type[A]
    reply: type[R]
    function: Callable[[C, A], Awaitable[R]]

    def definition(self) -> Tool:
        """Return the tool as clients get it."""
        reply = published_schema(self.reply)
        if "confirm" in self.arguments.model_fields:
            # It may answer with a question first. The root stays an object, as the protocol wants.
            question = published_schema(Question)
            reply = {
                **reply,
                "properties": {**reply["properties"], **question["properties"]},
                "required": ["summary"],
                "anyOf": [{"required": reply["required"]}, {"required": question["required"]}],
            }
        return Tool(
            name=self.name,
            title=self.hints.title,
            description=self.description,
            input_schema=published_schema(self.arguments),
            output_schema=reply,
            annotations=self.hints,
        )


def tool(
    title: str,
    *,
    name: str | None = None,
    reads: bool = False,
    destroys: bool = False,
    idempotent: bool = False,
) -> Callable[[Callable[[C, A], Awaitable[R]]], Declaration[C, A, R]]:
    """Declare a tool: its name is the function's if none is given, its description the docstring.

    It `reads` if it changes nothing, and `destroys` if what it changes cannot be had back.
    """
    hints = ToolAnnotations(
        title=title,
        read_only_hint=reads,
        destructive_hint=destroys,
        idempotent_hint=reads or idempotent,
        open_world_hint=True,
    )

    def declare(function: Callable[[C, A], Awaitable[R]]) -> Declaration[C, A, R]:
        types = get_type_hints(function)
        words = " ".join((function.__doc__ or "").split())
        asked, reply = types["asked"], types["return"]
        return Declaration(name or function.__name__, words, hints, asked, reply, function)

    return declare


@cache
def published_schema(model: type[BaseModel]) -> Schema:
    """Return the model's schema without titles, references and the null of optional fields.

    A client may send null for an optional argument all the same.
    """
    schema = model.model_json_schema()
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
    schema = {**cast("Schema", part)}
    if "$ref" in schema:
        referred = definitions[str(schema.pop("$ref")).rpartition("/")[2]]
        return _plain(referred | schema, definitions)
    choices: list[Schema] = schema.pop("anyOf", [])
    if _NULL in choices:
        others = [choice for choice in choices if choice != _NULL]
        left = others[0] if len(others) == 1 else {"anyOf": others}
        return _plain(left | schema, definitions)
    if choices and all(choice.keys() == {"type"} for choice in choices):
        # Clients check a list of types much faster than a choice.
        kinds = [str(choice["type"]) for choice in choices]
        return schema | {"type": [k for k in kinds if k != "integer" or "number" not in kinds]}
    return _keywords(schema | ({"anyOf": choices} if choices else {}), definitions)


def _keywords(schema: Schema, definitions: Mapping[str, Schema]) -> Schema:
    # pydantic has words of its own for bounds behind a validator.
    words = {"ge": "minimum", "le": "maximum"}
    if schema.get("type") == "array":
        words |= {"minLength": "minItems", "maxLength": "maxItems"}
    plain: Schema = {}
    for key, value in schema.items():
        if key == "properties":
            # By name: a property that is called `title` is no title.
            plain[key] = {name: _plain(one, definitions) for name, one in value.items()}
        elif key != "title" and not (key == "default" and value is None):
            plain[words.get(key, key)] = _plain(value, definitions)
    return plain
