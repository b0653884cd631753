"""The arguments that several tools take: ids, dates, numbers and lists."""

import datetime as dt
import json
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
)

from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.text import counted

T = TypeVar("T")
MAX_WAIT = 300


def from_json_text(value: object) -> object:
    """The object or list that some clients send as its JSON text."""
    if isinstance(value, str) and value.lstrip()[:1] in {"{", "["}:
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _as_list(value: object) -> object:
    """The one thing that was sent where a list is taken, as a list."""
    value = from_json_text(value)
    return [value] if isinstance(value, str | int) and not isinstance(value, bool) else value


def _no_bool(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("must be a whole number.")  # noqa: TRY004 -- pydantic takes ValueErrors
    return value


def _lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


def checked(read: Callable[[str], str | None], refusal: str) -> AfterValidator:
    """Take a text as it is read, and refuse in these words what cannot be."""

    def check(value: str) -> str:
        with suppress(ValueError):
            if (found := read(value)) is not None:
                return found
        raise ValueError(refusal)

    return AfterValidator(check)


def as_uuid(value: str) -> str:
    """Return a UUID as it is usually written."""
    return str(uuid.UUID(value.strip()))


def not_with(other: str, refusal: str) -> AfterValidator:
    """Refuse an argument where that other one, declared before it, is given as well."""

    def alone(value: T, info: ValidationInfo) -> T:
        if value and info.data.get(other):
            raise NotPossible(refusal)
        return value

    return AfterValidator(alone)


StrictInt = Annotated[int, BeforeValidator(_no_bool)]
UUID_SCHEMA = WithJsonSchema({"type": "string", "format": "uuid"})
AudienceId = Annotated[
    str,
    checked(
        as_uuid,
        "must be an id like 6fb81599-f601-4afe-b3ff-e8a211cae27d; list_audiences shows them.",
    ),
    UUID_SCHEMA,
]
Date = Annotated[
    str,
    checked(lambda day: dt.date.fromisoformat(day).isoformat(), "must be a date like 2026-05-04."),
    WithJsonSchema({"type": "string", "format": "date"}),
]
Named = Annotated[T, BeforeValidator(_lower)]
"""A choice from a closed set, in any case."""
ManyOf = Annotated[tuple[T, ...], BeforeValidator(_as_list)]
ObjectOf = Annotated[T, BeforeValidator(from_json_text)]
AudienceName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255)
]
WebAddress = Annotated[
    str,
    Field(max_length=2048),
    checked(
        lambda url: url if url.startswith(("https://", "http://")) else None,
        "must be a web address that starts with https://.",
    ),
    WithJsonSchema({"type": "string", "format": "uri"}),
]
Contact = Annotated[
    Named[Literal["masked", "full"]],
    Field(description="full: unmasked e-mail and phone, only if the user asked."),
]
Day = Annotated[Date | None, Field(description="People from this day (YYYY-MM-DD).")]
RunId = Annotated[
    str | None,
    Field(max_length=120, description="People from this run; get_audience lists runs."),
    not_with("date", "Name a date or a runId, not both."),
]
WaitSeconds = Annotated[
    StrictInt, Field(ge=0, le=MAX_WAIT, description="Seconds to wait for its people (0-300).")
]
PartOfName = Annotated[
    str | None, Field(max_length=255, description="Only those with these words in their name.")
]
Cursor = Annotated[str | None, Field(max_length=8_000, description="nextCursor of the last page.")]
LARGEST_PAGE = 100
ListLength = Annotated[
    StrictInt, Field(ge=1, le=LARGEST_PAGE, description="Maximum number to return (1-100).")
]
PageSize = Annotated[
    StrictInt, Field(ge=1, le=LARGEST_PAGE, description="Maximum number of people (1-100).")
]
ConfirmCode = Annotated[
    str | None,
    Field(
        description="The code from this tool's earlier reply, once the user agreed. Never guess it."
    ),
]
TopicIds = Annotated[ManyOf[Annotated[StrictInt, Field(ge=1)]], Field(min_length=1, max_length=250)]
Score = Annotated[StrictInt, Field(ge=0, le=100)]
Overlap = Annotated[StrictInt, Field(ge=1, le=250)]


def twice_named(topic_ids: tuple[int, ...] | None) -> list[str]:
    """Note that ids were repeated."""
    again = len(topic_ids or ()) - len(set(topic_ids or ()))
    return [f"{counted(again, 'repeated topic id')} ignored."] if again else []
