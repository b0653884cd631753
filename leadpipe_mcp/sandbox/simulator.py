"""What both simulated services do alike: they find who answers, and refuse."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Generic, Literal, NamedTuple, TypeVar
from urllib.parse import unquote

import anyio
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

SECONDS_PER_DAY = 86_400
Handler = TypeVar("Handler", bound=Callable[..., object])
_VARIABLE = re.compile(r"\{(\w+)\}")


class Endpoint(NamedTuple, Generic[Handler]):
    """A route and the function that answers it."""

    method: Literal["GET", "POST", "PATCH", "DELETE"]
    path: str
    handler: Handler
    needs: str = ""
    """What a key must be allowed to; each service has its own words for it."""


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
    return Refusal(400, "Request validation failed", issues=[Issue(path, message)])


def not_found(what: str) -> Refusal:
    """404 for something that the caller does not have."""
    return Refusal(404, f"{what} not found")


def timestamp(moment: float) -> str:
    """2026-05-05T09:15:00.000Z."""
    written = datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
    return written.replace("+00:00", "Z")


class Simulator(ABC, Generic[Handler]):
    """An ASGI application that plays a service with invented people."""

    def __init__(
        self,
        endpoints: Sequence[Endpoint[Handler]],
        clock: Callable[[], float],
        delay_ms: int,
    ) -> None:
        self._clock, self._delay_ms = clock, delay_ms
        self._endpoints = [
            (re.compile(_VARIABLE.sub(r"(?P<\1>[^/]+)", endpoint.path)), endpoint)
            for endpoint in endpoints
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise NotImplementedError(f"The sandbox speaks HTTP alone, not {scope['type']}")
        request = Request(scope, receive)
        body = await request.body()
        await anyio.sleep(self._delay_ms / 1000)
        try:
            response = self._answer(request, body)
        except Refusal as refusal:
            response = self._refuse(refusal)
        await response(scope, receive, send)

    def _find(self, request: Request) -> tuple[Endpoint[Handler], Mapping[str, str]]:
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
