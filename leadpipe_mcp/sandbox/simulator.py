"""What every simulated service does: keep a record of requests, and let faults happen."""

import json
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

import anyio
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from leadpipe_mcp.sandbox.faults import Fault, Faults
from leadpipe_mcp.sandbox.trouble import (
    CONTROL_PATH,
    control,
    drop,
    echoing,
    gone,
    send_half,
    spoil,
)

_REMEMBERED = 2_000
_KEY_HEADERS = ("X-API-Key", "Authorization")
_HANDLED = ("delay", "cut", "reset_after")


@dataclass(frozen=True, slots=True)
class Recorded:
    """A request as it arrived, and the status of the answer (None: there was none)."""

    method: str
    path: str
    query: Mapping[str, str]
    body: object
    """The JSON of the body, its text if it is not JSON, None if there is none."""
    headers: Mapping[str, str]
    """The header with the key, redacted, and Idempotency-Key, as far as they were sent."""
    status: int | None


class Simulator(ABC):
    """An ASGI application that plays a service with invented people."""

    def __init__(self, delay_ms: int = 0) -> None:
        self.requests: deque[Recorded] = deque(maxlen=_REMEMBERED)
        """What was asked, oldest first."""
        self.faults = Faults()
        """What goes wrong on purpose."""
        self._delay_ms = delay_ms

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise NotImplementedError(f"The sandbox speaks HTTP alone, not {scope['type']}")
        request = Request(scope, receive)
        body = await request.body()
        if request.url.path == CONTROL_PATH:
            await control(self.faults, request.method, body)(scope, receive, send)
            return
        status: int | None = None
        try:
            status = await self._handle(request, body, send)
        finally:
            self.requests.append(_record(request, self._path(request), body, status))

    @abstractmethod
    def _respond(self, request: Request, body: bytes) -> Response:
        """The right answer."""

    def _path(self, request: Request) -> str:
        """The path as it is recorded, and as faults are compared with it."""
        return request.url.path

    def _spoil(self, fault: Fault) -> Response:
        """The answer that stands in place of the right one."""
        return spoil(fault)

    async def _handle(self, request: Request, body: bytes, send: Send) -> int | None:
        fault = self.faults.take(request.method, self._path(request))
        kind = fault.kind if fault else None
        await anyio.sleep((self._delay_ms + (fault.delay_ms if fault else 0)) / 1000)
        if kind == "hang":
            return await gone(request)
        if kind in {"refused", "reset"}:
            return await drop(request, refused=kind == "refused")
        if fault and kind == "echo":
            fault = echoing(fault, request, body)
        if fault is None or kind in _HANDLED:
            response = self._respond(request, body)
        else:
            response = self._spoil(fault)
        if kind == "reset_after":
            return await drop(request)
        if kind == "cut":
            await send_half(response, request, send)
        else:
            await response(request.scope, request.receive, send)
        return response.status_code


def _record(request: Request, path: str, body: bytes, status: int | None) -> Recorded:
    headers = {name: "redacted" for name in _KEY_HEADERS if name in request.headers}
    if "idempotency-key" in request.headers:
        headers["Idempotency-Key"] = request.headers["idempotency-key"]
    try:
        content: object = json.loads(body) if body else None
    except ValueError:
        content = body.decode(errors="replace")
    return Recorded(
        method=request.method,
        path=path,
        query=dict(request.query_params),
        body=content,
        headers=headers,
        status=status,
    )
