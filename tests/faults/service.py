"""Services that keep a record of requests and fail on purpose: the sandbox with test equipment.

`Sandbox` and `SonarlySandbox` behave as those of the package until a test adds a fault to
`.faults`; `.requests` holds what was asked. On a port, faults are managed at `CONTROL_PATH`.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import anyio
import anyio.lowlevel
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from leadpipe_mcp import sandbox as plain
from leadpipe_mcp.sandbox import SandboxSettings, SonarlySettings
from leadpipe_mcp.sandbox.serve import serve_application

CONTROL_PATH = "/_sandbox/faults"
_TRANSPORT = "sandbox_transport"
_REMEMBERED = 2_000
_KEY_HEADERS = ("X-API-Key", "Authorization")
# Kinds for which the request is handled, though its answer may be lost.
_HANDLED = ("delay", "cut", "reset_after")
_USELESS = {"malformed": b'{"data": [{"id": ', "empty": b"", "wrong_shape": b'{"data":{}}'}
_PIECE = b'{"id": "again and again"}, ' * 2_500
_PIECES = 1_600
_PAGE = "<!doctype html><title>{status}</title><h1>{status} {message}</h1>"

FaultKind = Literal[
    "status", "echo", "redirect", "delay", "hang", "malformed", "empty", "html", "huge",
    "wrong_shape", "cut", "refused", "reset", "reset_after",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong, for which requests, and how often."""

    kind: FaultKind
    """
    status: an error with `status`, `code`, `message` and `retry_after`
    echo: the same, and the message repeats the request, its key included
    redirect: to elsewhere
    delay: the right answer, after `delay_ms`
    hang: no answer, however long the client waits
    malformed: 200 with text that is not JSON
    empty: 200 with no body
    html: a web page, with `status`
    huge: 200 with JSON of a hundred megabytes
    wrong_shape: 200 with JSON that lacks everything that matters
    cut: half of the right answer, though Content-Length promises the whole
    refused: no connection is made; on a port, where it is too late for that, it is a reset
    reset: the connection is dropped before the request is handled
    reset_after: the request is handled, then the connection is dropped
    """
    method: str | None = None
    """Only requests with this method."""
    path: str | None = None
    """Only requests whose path contains this."""
    path_end: str | None = None
    """Only requests whose path ends with this."""
    times: int | None = 1
    """How often it happens; None is always."""
    every: int = 1
    """It happens to every n-th request that it concerns."""
    status: int = 500
    code: str = "HTTP_ERROR"
    message: str = "Something went wrong"
    retry_after: str | int | None = None
    delay_ms: int = 0
    """How long to wait before; on top of what the settings say."""


@dataclass(slots=True)
class _Armed:
    fault: Fault
    met: int = 0
    happened: int = 0


class Faults:
    """The faults that are waiting for their requests."""

    def __init__(self) -> None:
        self._armed: list[_Armed] = []

    def add(self, fault: Fault) -> None:
        """Let this go wrong from now on; the fault that was added first strikes first."""
        self._armed.append(_Armed(fault))

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        self._armed.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that strikes this request, if any."""
        for armed in self._armed:
            fault = armed.fault
            concerned = fault.method in (None, method) and (fault.path or "") in path
            concerned = concerned and path.endswith(fault.path_end or "")
            if concerned and (fault.times is None or armed.happened < fault.times):
                armed.met += 1
                if armed.met % fault.every == 0:
                    armed.happened += 1
                    return fault
        return None

    def listed(self) -> list[dict[str, Any]]:
        """All of them, with how often they happened."""
        return [{**asdict(armed.fault), "happened": armed.happened} for armed in self._armed]


@dataclass(frozen=True, slots=True)
class Recorded:
    """A request as it arrived, and the status of the answer (None: there was none)."""

    method: str
    path: str
    query: Mapping[str, str]
    body: object
    """The JSON of the body, its text if it is not JSON, None if there is none."""
    headers: Mapping[str, str]
    """The header with the key, redacted, and Idempotency-Key, where they were sent."""
    status: int | None


class Equipment:
    """The record and the faults of one service, around its application."""

    def __init__(self, spoil: Callable[[Fault], Response], delay_ms: int) -> None:
        self.requests: deque[Recorded] = deque(maxlen=_REMEMBERED)
        self.faults = Faults()
        self._spoil = spoil
        self._delay_ms = delay_ms

    async def handle(
        self, application: ASGIApp, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Answer one request, well or badly."""
        if scope["type"] != "http":
            await application(scope, receive, send)
            return
        request = Request(scope, receive)
        body = await request.body()
        if request.url.path == CONTROL_PATH:
            await self._control(request.method, body)(scope, receive, send)
            return
        # An encoded slash inside an id separates nothing, so the path is compared as it was sent.
        path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
        statuses: list[int] = []

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])
            await send(message)

        try:
            await self._answer(application, request, path, body, noted)
        finally:
            status = statuses[0] if statuses else None
            self.requests.append(_record(request, path, body, status))

    async def _answer(
        self, application: ASGIApp, request: Request, path: str, body: bytes, send: Send
    ) -> None:
        fault = self.faults.take(request.method, path)
        scope, receive = request.scope, _replayed(body, request.receive)
        if fault is None:
            await application(scope, receive, send)
            return
        handled = fault.kind in _HANDLED
        await anyio.sleep((fault.delay_ms + (0 if handled else self._delay_ms)) / 1000)
        match fault.kind:
            case "hang":
                await _gone(request)
            case "refused" | "reset":
                await _drop(request, refused=fault.kind == "refused")
            case "reset_after":
                await application(scope, receive, _unsent)
                await _drop(request)
            case "cut":
                await _send_half(application, request, receive, send)
            case "delay":
                await application(scope, receive, send)
            case "huge":
                await _send_without_end(send)
            case "echo":
                sent = " ".join(f"{name}: {value}" for name, value in request.headers.items())
                said = f"{fault.message}: {request.method} {request.url} {sent} {body.decode()}"
                await self._spoil(replace(fault, message=said))(scope, receive, send)
            case _:
                await self._spoil(fault)(scope, receive, send)

    def _control(self, method: str, body: bytes) -> Response:
        """Faults over HTTP: POST one, GET them all, DELETE them all."""
        if method == "POST":
            self.faults.add(Fault(**json.loads(body)))
        elif method == "DELETE":
            self.faults.clear()
        return JSONResponse({"data": self.faults.listed()}, 201 if method == "POST" else 200)


class Sandbox(plain.Sandbox):
    """Leadpipe's sandbox, equipped."""

    def __init__(self, settings: SandboxSettings | None = None, **clock: Any) -> None:  # noqa: ANN401 -- the clock, as there
        super().__init__(settings, **clock)
        self._equipment = Equipment(_spoil, self.settings.delay_ms)
        self.faults, self.requests = self._equipment.faults, self._equipment.requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self._equipment.handle(super().__call__, scope, receive, send)


class SonarlySandbox(plain.SonarlySandbox):
    """Sonarly's sandbox, equipped."""

    def __init__(self, settings: SonarlySettings | None = None, **clock: Any) -> None:  # noqa: ANN401 -- the clock, as there
        super().__init__(settings, **clock)
        self._equipment = Equipment(_spoil_sonarly, self.settings.delay_ms)
        self.faults, self.requests = self._equipment.faults, self._equipment.requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self._equipment.handle(super().__call__, scope, receive, send)


class AbortableProtocol(H11Protocol):
    """Lets the application of a request reach its connection, so that it can drop it."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Put the transport into the state that is copied into every request's scope."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, _TRANSPORT: transport}


def serve(settings: SandboxSettings | None = None) -> None:
    """Serve Leadpipe's equipped sandbox on a free port until interrupted; print its address."""
    serve_application(Sandbox(settings), http=AbortableProtocol)


def _spoil(fault: Fault) -> Response:
    """The answer that stands in place of the right one."""
    if fault.kind in _USELESS:
        return Response(_USELESS[fault.kind], media_type="application/json")
    if fault.kind == "redirect":
        return Response(None, 302, {"Location": "https://elsewhere.example/"})
    if fault.kind == "html":
        page = _PAGE.format(status=fault.status, message=fault.message)
        return HTMLResponse(page, fault.status)
    return _error(fault, {"error": {"code": fault.code, "message": fault.message}})


def _spoil_sonarly(fault: Fault) -> Response:
    """The same in Sonarly's envelope, where there is one."""
    if fault.kind == "wrong_shape":
        return JSONResponse({"success": True, "data": {}, "error": None, "traceId": "0" * 24})
    if fault.kind not in {"status", "echo"}:
        return _spoil(fault)
    error = {"code": fault.code, "message": fault.message, "details": fault.message}
    return _error(fault, {"success": False, "data": None, "error": error, "traceId": "0" * 24})


def _error(fault: Fault, body: object) -> Response:
    wait = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    return JSONResponse(body, fault.status, wait)


async def _drop(request: Request, *, refused: bool = False) -> None:
    """Drop the connection: abort its socket, or raise where there is none."""
    transport = request.scope.get("state", {}).get(_TRANSPORT)
    if transport is None:
        lost = ConnectionRefusedError if refused else ConnectionResetError
        raise lost("The sandbox dropped the connection")
    transport.abort()
    await _gone(request)


async def _send_half(application: ASGIApp, request: Request, receive: Receive, send: Send) -> None:
    """Send half of a body under the headers of the whole, and hang up."""
    transport = request.scope.get("state", {}).get(_TRANSPORT)
    messages: list[Message] = []

    async def keep(message: Message) -> None:
        await anyio.lowlevel.checkpoint()
        messages.append(message)

    await application(request.scope, receive, keep)
    start, body = messages[0], b"".join(each.get("body", b"") for each in messages[1:])
    headers: Sequence[tuple[bytes, bytes]] = start["headers"]
    kept = [header for header in headers if header[0].lower() != b"content-length"]
    await send({**start, "headers": [*kept, (b"content-length", str(len(body)).encode())]})
    half = body[: len(body) // 2]
    await send({"type": "http.response.body", "body": half, "more_body": transport is not None})
    if transport is not None:
        transport.close()
        await _gone(request)


async def _send_without_end(send: Send) -> None:
    """Send JSON in very many pieces, each made when the one before has been sent."""
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for piece in (b'{"data": [', *(_PIECE for _ in range(_PIECES))):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        # A client that hangs up is noticed here.
        await anyio.lowlevel.checkpoint()
    await send({"type": "http.response.body", "body": b"{}]}"})


async def _unsent(_: Message) -> None:
    await anyio.lowlevel.checkpoint()


async def _gone(request: Request) -> None:
    """Wait until the client has hung up."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _replayed(body: bytes, receive: Receive) -> Receive:
    """The body once more, then what else comes."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay


def _record(request: Request, path: str, body: bytes, status: int | None) -> Recorded:
    headers = {name: "redacted" for name in _KEY_HEADERS if name in request.headers}
    if "idempotency-key" in request.headers:
        headers["Idempotency-Key"] = request.headers["idempotency-key"]
    try:
        content: object = json.loads(body) if body else None
    except ValueError:
        content = body.decode(errors="replace")
    query = dict(request.query_params)
    return Recorded(request.method, path, query, content, headers, status)
