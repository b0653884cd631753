"""Services that keep a record of requests and fail on purpose: the sandbox with test equipment.

`Sandbox` and `SonarlySandbox` behave as those of the package until a test adds a fault to
`.faults`; `.requests` holds what was asked. On a port, faults are managed at `CONTROL_PATH`.
"""

import asyncio
import json
import re
import subprocess
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal

import anyio
import anyio.lowlevel
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from leadpipe_mcp import sandbox as plain
from leadpipe_mcp.sandbox import SandboxSettings
from leadpipe_mcp.sandbox.serve import serve_application

CONTROL_PATH = "/_sandbox/faults"
READING = ("/validate", "/preview", "/query", "/compare", "/analyze")
"""How the paths of POSTs end that change nothing."""
_TRANSPORT = "sandbox_transport"
_PIECE = b'{"id": "again and again"}, ' * 2_500
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
    status: an error with `status`, `message` and `retry_after`
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
    path: str = ""
    """Only requests in whose path this pattern is found."""
    times: int | None = 1
    """How often it happens; None is always."""
    every: int = 1
    """It happens to every n-th request that it concerns."""
    status: int = 500
    message: str = "Something went wrong"
    retry_after: int | None = None
    delay_ms: int = 0


class Faults:
    """The faults that are waiting for their requests, each with how many it met and struck."""

    def __init__(self) -> None:
        self._armed: list[tuple[Fault, dict[str, int]]] = []

    def add(self, fault: Fault) -> None:
        """Let this go wrong from now on; the fault that was added first strikes first."""
        self._armed.append((fault, {"met": 0, "happened": 0}))

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        self._armed.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that strikes this request, if any."""
        for fault, count in self._armed:
            concerned = fault.method in (None, method) and re.search(fault.path, path)
            if concerned and (fault.times is None or count["happened"] < fault.times):
                count["met"] += 1
                if count["met"] % fault.every == 0:
                    count["happened"] += 1
                    return fault
        return None

    def listed(self) -> list[dict[str, Any]]:
        """All of them, with how often they happened."""
        return [{**asdict(fault), **count} for fault, count in self._armed]


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


class _Equipped:
    """The record and the faults of a service, around its application."""

    shapeless = b'{"data":{}}'

    @cached_property
    def faults(self) -> Faults:
        return Faults()

    @cached_property
    def requests(self) -> deque[Recorded]:
        return deque(maxlen=2_000)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, well or badly."""
        request = Request(scope, receive)
        body = await request.body()
        if request.url.path == CONTROL_PATH:
            await self._control(request.method, body)(scope, receive, send)
            return
        # An encoded slash inside an id separates nothing, so the path is compared as it was sent.
        path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
        rest: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
        application: ASGIApp = super().__call__  # type: ignore[misc] -- the sandbox's
        status: int | None = None

        async def replayed() -> Message:
            return rest.pop() if rest else await receive()

        async def noted(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        async def answer(send: Send) -> None:
            await application(scope, replayed, send)

        try:
            fault = self.faults.take(request.method, path)
            await (self._strike(fault, request, body, answer, noted) if fault else answer(noted))
        finally:
            self.requests.append(_record(request, path, body, status))

    async def _strike(
        self,
        fault: Fault,
        request: Request,
        body: bytes,
        answer: Callable[[Send], Awaitable[None]],
        send: Send,
    ) -> None:
        await anyio.sleep(fault.delay_ms / 1000)
        match fault.kind:
            case "delay":
                await answer(send)
            case "hang":
                await _gone(request)
            case "refused" | "reset":
                await _drop(request, fault.kind)
            case "reset_after":
                await _answered(answer)
                await _drop(request, fault.kind)
            case "cut":
                await _send_half(await _answered(answer), request, send)
            case "huge":
                await _send_without_end(send)
            case _:
                await self._spoilt(fault, request, body)(request.scope, request.receive, send)

    def _spoilt(self, fault: Fault, request: Request, body: bytes) -> Response:
        """The answer in place of the right one."""
        said = fault.message
        useless = {"malformed": b'{"data": [{"id": ', "empty": b"", "wrong_shape": self.shapeless}
        match fault.kind:
            case "malformed" | "empty" | "wrong_shape":
                return Response(useless[fault.kind], media_type="application/json")
            case "redirect":
                return Response(None, 302, {"Location": "https://elsewhere.example/"})
            case "html":
                return HTMLResponse(_PAGE.format(status=fault.status, message=said), fault.status)
            case "echo":
                sent = " ".join(f"{name}: {value}" for name, value in request.headers.items())
                said = f"{said}: {request.method} {request.url} {sent} {body.decode()}"
            case _:
                pass
        wait = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
        return JSONResponse(self.refusal(said), fault.status, wait)

    def refusal(self, said: str) -> object:
        """The body of an error."""
        return {"error": {"code": "HTTP_ERROR", "message": said}}

    def _control(self, method: str, body: bytes) -> Response:
        """Faults over HTTP: POST one, GET them all, DELETE them all."""
        if method == "POST":
            self.faults.add(Fault(**json.loads(body)))
        elif method == "DELETE":
            self.faults.clear()
        return JSONResponse({"data": self.faults.listed()}, 201 if method == "POST" else 200)


class Sandbox(_Equipped, plain.Sandbox):
    """Leadpipe's sandbox, equipped."""


class SonarlySandbox(_Equipped, plain.SonarlySandbox):
    """Sonarly's sandbox, equipped; errors come in its envelope."""

    shapeless = b'{"success":true,"data":{},"error":null,"traceId":"0"}'

    def refusal(self, said: str) -> object:
        """The body of an error."""
        error = {"code": "HTTP_ERROR", "message": said, "details": said}
        return {"success": False, "data": None, "error": error, "traceId": "0" * 24}


class _AbortableProtocol(H11Protocol):
    """Lets the application of a request reach its connection, so that it can drop it."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Put the transport into the state that is copied into every request's scope."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, _TRANSPORT: transport}


@contextmanager
def served(**settings: object) -> Generator[str]:
    """The address of Leadpipe's equipped sandbox, in a process of its own."""
    command = [sys.executable, "-m", "tests.faults.service", json.dumps(settings)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.kill()


async def _drop(request: Request, kind: FaultKind) -> None:
    """Drop the connection: abort its socket, or raise where there is none."""
    transport = request.scope.get("state", {}).get(_TRANSPORT)
    if transport is None:
        raise ConnectionRefusedError if kind == "refused" else ConnectionResetError
    transport.abort()
    await _gone(request)


async def _answered(answer: Callable[[Send], Awaitable[None]]) -> list[Message]:
    """The messages of an answer, which goes nowhere."""
    messages: list[Message] = []

    async def keep(message: Message) -> None:
        await anyio.lowlevel.checkpoint()
        messages.append(message)

    await answer(keep)
    return messages


async def _send_half(messages: list[Message], request: Request, send: Send) -> None:
    """Send half of a body under the headers of the whole, and hang up."""
    transport = request.scope.get("state", {}).get(_TRANSPORT)
    start, body = messages[0], b"".join(one.get("body", b"") for one in messages[1:])
    kept = [header for header in start["headers"] if header[0].lower() != b"content-length"]
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
    for piece in (b'{"data": [', *[_PIECE] * 1_600):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        # A client that hangs up is noticed here.
        await anyio.lowlevel.checkpoint()
    await send({"type": "http.response.body", "body": b"{}]}"})


async def _gone(request: Request) -> None:
    """Wait until the client has hung up."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _record(request: Request, path: str, body: bytes, status: int | None) -> Recorded:
    keys = ("X-API-Key", "Authorization")
    headers = {name: "redacted" for name in keys if name in request.headers}
    if "idempotency-key" in request.headers:
        headers["Idempotency-Key"] = request.headers["idempotency-key"]
    try:
        content: object = json.loads(body) if body else None
    except ValueError:
        content = body.decode(errors="replace")
    query = dict(request.query_params)
    return Recorded(request.method, path, query, content, headers, status)


if __name__ == "__main__":
    played = SandboxSettings(**json.loads(sys.argv[1]))
    serve_application(Sandbox(played), http=_AbortableProtocol)
