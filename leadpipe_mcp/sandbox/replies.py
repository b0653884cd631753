"""Answers and refusals, requests read strictly, and moments as the API writes them."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple, TypeGuard, TypeVar, cast

from leadpipe_mcp.sandbox.settings import SandboxSettings

Json = dict[str, object]
HTTP_ERROR = "HTTP_ERROR"
_INVALID = "VALIDATION_ERROR"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a handler answers; the body is sent as JSON."""

    body: Json
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Download:
    """A file that a handler answers with, made piece by piece while it is sent."""

    pieces: Iterator[bytes]
    headers: Mapping[str, str]


def answer(data: object, meta: Json | None = None, status: int = 200) -> Reply:
    """The success envelope around `data`."""
    body: Json = {"data": data}
    if meta is not None:
        body["meta"] = meta
    return Reply(body, status)


class Issue(NamedTuple):
    """One thing that is wrong with a request, and where."""

    path: str
    message: str


class Refusal(Exception):
    """An answer that is an error, raised from wherever it becomes clear."""

    def __init__(
        self,
        status: int,
        message: str,
        code: str = HTTP_ERROR,
        headers: Mapping[str, str] | None = None,
        **more: object,
    ) -> None:
        super().__init__(message)
        error: Json = {"code": code, "message": message, **more}
        self.reply = Reply({"error": error}, status, headers or {})


def refuse_issues(issues: Sequence[Issue], settings: SandboxSettings) -> Refusal:
    """The refusal of a request that breaks the schema, in the form that the settings choose."""
    sentence = "; ".join(f"{path}: {message}" if path else message for path, message in issues)
    if settings.invalid_config != "zod":
        return Refusal(400, sentence, _INVALID)
    listed = [
        {"code": "custom", "path": path.split(".") if path else [], "message": message}
        for path, message in issues
    ]
    return Refusal(400, "Validation failed", "ZodError", issues=listed)


def not_found(what: str) -> Refusal:
    """404 for something that this organisation does not have."""
    return Refusal(404, f"{what} not found")


SECONDS_PER_DAY = 86_400


def timestamp(moment: float) -> str:
    """2026-05-05T09:15:00.000Z."""
    written = datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
    return written.replace("+00:00", "Z")


def data_date(moment: float) -> date:
    """The newest day with data: the day before, in UTC."""
    return datetime.fromtimestamp(moment, UTC).date() - timedelta(days=1)


def midnights(after: float, until: float) -> list[float]:
    """Every midnight in UTC after the one moment and not after the other."""
    first = int(after // SECONDS_PER_DAY) + 1
    last = int(until // SECONDS_PER_DAY)
    return [float(day * SECONDS_PER_DAY) for day in range(first, last + 1)]


_SECONDS = 60.0


class Pace:
    """The moments of the last minute at which something was asked."""

    def __init__(self) -> None:
        self._asked: deque[float] = deque()

    def wait(self, now: float, a_minute: int) -> float:
        """How many seconds until it may be asked again; 0 if it may now, which then counts."""
        while self._asked and self._asked[0] <= now - _SECONDS:
            self._asked.popleft()
        if len(self._asked) < a_minute:
            self._asked.append(now)
            return 0
        return self._asked[0] + _SECONDS - now if self._asked else _SECONDS


Choice = TypeVar("Choice", bound=str)


def is_object(value: object) -> TypeGuard[Json]:
    """Whether the value is a JSON object."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[list[object]]:
    """Whether the value is a JSON array."""
    return isinstance(value, list)


def is_texts(value: object) -> TypeGuard[list[str]]:
    """Whether the value is an array of strings."""
    return is_array(value) and all(isinstance(item, str) for item in value)


class Form:
    """A JSON object being read; `issues` collects what is wrong with it.

    Every method gives the value, or None for one that is absent or wrong.
    """

    def __init__(self, body: object, path: str = "", issues: list[Issue] | None = None) -> None:
        self.issues: list[Issue] = [] if issues is None else issues
        self._path = path
        self.fields: Json = body if is_object(body) else {}
        if not is_object(body):
            self.wrong("", "Expected an object")

    def wrong(self, field: str, message: str) -> None:
        """Note what is wrong with a field, or with the whole for an empty name."""
        self.issues.append(Issue(".".join(filter(None, (self._path, field))), message))

    def inner(self, field: str) -> "Form":
        """An object inside this one, read as a form of its own."""
        path = ".".join(filter(None, (self._path, field)))
        return Form(self.fields.get(field), path, self.issues)

    def has(self, field: str) -> bool:
        """Whether the field was sent at all."""
        return field in self.fields

    def require(self, *fields: str) -> None:
        """Note those that were not sent."""
        for name in fields:
            if name not in self.fields:
                self.wrong(name, "Required")

    def text(self, field: str, longest: int, shortest: int = 0) -> str | None:
        """A string of a permitted length."""
        value = self.fields.get(field)
        if not self.has(field):
            return None
        if isinstance(value, str) and shortest <= len(value) <= longest:
            return value
        return self.wrong(field, f"Expected a string of {shortest} to {longest} characters")

    def integer(self, field: str, low: int, high: int, *, may_be_null: bool = False) -> int | None:
        """A whole number within its bounds; the text "5" is not one, nor is true."""
        value = self.fields.get(field)
        if not self.has(field) or (value is None and may_be_null):
            return None
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        return self.wrong(field, f"Expected an integer from {low} to {high}")

    def integers(self, field: str, most: int) -> list[int] | None:
        """A list of 1 to `most` whole numbers."""
        value = self.fields.get(field)
        if not self.has(field):
            return None
        numbers = value if is_array(value) else []
        if 1 <= len(numbers) <= most and all(type(number) is int for number in numbers):
            return cast("list[int]", numbers)
        return self.wrong(field, f"Expected an array of 1 to {most} integers")

    def choice(self, field: str, choices: Sequence[Choice]) -> Choice | None:
        """One of a closed set of strings."""
        value = self.fields.get(field)
        if not self.has(field):
            return None
        for known in choices:
            if value == known:
                return known
        return self.wrong(field, f"Expected one of {', '.join(choices)}")
