"""What goes into a tool and comes out: arguments, replies, and cursors for what is left."""

import base64
import hashlib
import json
from typing import ClassVar, Self, cast

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator
from pydantic.alias_generators import to_camel

from leadpipe_mcp.errors import NotPossible


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
        """Take null for what has a default as not given, and `audienceId` for `id` or vice versa.

        Raises:
            NotPossible: If both name the thing, and differ.
        """
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


class Cursor(BaseModel):
    """A place in the answer to one question; each tool adds what it needs to find it again."""

    model_config = ConfigDict(frozen=True)

    subject: str = ""

    @classmethod
    def at(cls, cursor: str | None, asked: BaseModel, parts: set[str], **start: object) -> Self:
        """Return the place that the cursor names, or the start, in the answer to what is asked.

        Raises:
            NotPossible: If it is not a cursor of ours, or one of another question.
        """
        question = json.dumps(asked.model_dump(mode="json", include=parts), sort_keys=True)
        subject = hashlib.sha256(question.encode()).hexdigest()[:8]
        if not cursor:
            return cls.model_validate({"subject": subject, **start})
        try:
            padded = cursor + "=" * (-len(cursor) % 4)
            place = cls.model_validate_json(base64.urlsafe_b64decode(padded))
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
