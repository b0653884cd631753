"""What both simulated services do alike: they find who answers, read forms, and refuse."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple, TypeGuard, TypeVar, cast
from urllib.parse import unquote

import anyio
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

SECONDS_PER_DAY = 86_400
Json = dict[str, object]
Choice = TypeVar("Choice", bound=str)
_VARIABLE = re.compile(r"\{(\w+)\}")


class Endpoint(NamedTuple):
    """A route and the function that answers it."""

    method: Literal["GET", "POST", "PATCH", "DELETE"]
    path: str
    handler: Callable[..., Any]
    only: str = ""
    """The only generation that has it; empty is both."""


class Issue(NamedTuple):
    """One thing that is wrong with a request, and where."""

    path: str
    message: str

    def __str__(self) -> str:
        return ": ".join(filter(None, self))


class Refusal(Exception):
    """An answer that is an error, raised from wherever it becomes clear."""

    def __init__(
        self,
        status: int,
        message: str = "Request validation failed",
        code: str = "HTTP_ERROR",
        *,
        issues: Sequence[Issue] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.code = status, message, code
        self.issues, self.headers = issues, headers


def invalid(path: str, message: str) -> Refusal:
    """400 for a request in which this breaks the schema."""
    return Refusal(400, issues=[Issue(path, message)])


def not_found(what: str) -> Refusal:
    """404 for something that the caller does not have."""
    return Refusal(404, f"{what} not found")


def timestamp(moment: float) -> str:
    """2026-05-05T09:15:00.000Z."""
    written = datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
    return written.replace("+00:00", "Z")


def choose(facts: Mapping[str, object], names: str) -> Json:
    """Those of the facts that are named, in that order."""
    return {name: facts[name] for name in names.split()}


class Simulator(ABC):
    """An ASGI application that plays a service with invented people."""

    def __init__(
        self, endpoints: Sequence[Endpoint], clock: Callable[[], float], delay_ms: int
    ) -> None:
        self._clock, self._delay_ms = clock, delay_ms
        self._endpoints = [
            (re.compile(_VARIABLE.sub(r"(?P<\1>[^/]+)", endpoint.path)), endpoint)
            for endpoint in endpoints
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        body = await request.body()
        await anyio.sleep(self._delay_ms / 1000)
        try:
            response = self._answer(request, body)
        except Refusal as refusal:
            response = self._refuse(refusal)
        await response(scope, receive, send)

    def _find(self, request: Request) -> tuple[Endpoint, Mapping[str, str]]:
        """Who answers, and what the variables of the path are."""
        # The path as it was sent: an encoded slash inside an id separates nothing.
        raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
        for pattern, endpoint in self._endpoints:
            found = pattern.fullmatch(raw.decode("latin-1"))
            if found and endpoint.method == request.method:
                return endpoint, {name: unquote(text) for name, text in found.groupdict().items()}
        raise Refusal(404, "Not Found")

    @abstractmethod
    def _answer(self, request: Request, body: bytes) -> Response: ...

    @abstractmethod
    def _refuse(self, refusal: Refusal) -> Response: ...


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

    def check(self) -> None:
        """Refuse the request if anything is wrong with it."""
        if self.issues:
            raise Refusal(400, issues=self.issues)

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
        if isinstance(value, str) and shortest <= len(value) <= longest:
            return value
        return self._expect(field, f"a string of {shortest} to {longest} characters")

    def integer(self, field: str, low: int, high: int) -> int | None:
        """A whole number within its bounds; the text "5" is not one, nor is true."""
        value = self.fields.get(field)
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        return self._expect(field, f"an integer from {low} to {high}")

    def integers(self, field: str, most: int) -> list[int] | None:
        """A list of 1 to `most` whole numbers."""
        value = self.fields.get(field)
        numbers = value if is_array(value) else []
        if 1 <= len(numbers) <= most and all(type(number) is int for number in numbers):
            return cast("list[int]", numbers)
        return self._expect(field, f"an array of 1 to {most} integers")

    def choice(self, field: str, choices: Sequence[Choice]) -> Choice | None:
        """One of a closed set of strings."""
        for known in choices:
            if self.fields.get(field) == known:
                return known
        return self._expect(field, f"one of {', '.join(choices)}")

    def _expect(self, field: str, what: str) -> None:
        if field in self.fields:
            self.wrong(field, f"Expected {what}")
