"""Services that answer as a test says, and what a client makes of it."""

import io
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

import anyio
import pytest
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from leadpipe_mcp.api.connections import Application, serve_in_process
from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.transport import Transport
from leadpipe_mcp.errors import ServiceError
from tests.faults.service import Sandbox

KEY = "sk_test_0123456789"
URL = "https://service.test"
NEWER = ("catalog", "mixed")
UNKNOWN_ID = "6fb81599-f601-4afe-b3ff-e8a211cae27d"
PROFILES = ("flat", "catalog", "mixed")
each_profile = pytest.mark.parametrize("profile", PROFILES)
Start = Callable[..., Sandbox]
Connect = Callable[..., LeadpipeClient]
Altered = Callable[[Application, Mapping[str, Application]], Application]
Asking = Callable[[], Coroutine[Any, Any, object]]


def to(application: Application, url: str = URL, *, bearer: bool = False) -> Transport:
    return Transport(url, SecretStr(KEY), network=serve_in_process(application), bearer=bearer)


async def refusal(answer: Application | Transport, method: str = "GET", path: str = "/v1/x") -> Any:  # noqa: ANN401 -- whichever error it is
    transport = answer if isinstance(answer, Transport) else to(answer)
    with pytest.raises(ServiceError) as caught:
        await transport.request(method, path)
    return caught.value


def failing(status: int, body: object = None, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return JSONResponse(body, status, named)


FINE = JSONResponse({"data": "fine"})


class Service:
    """Gives the answers in turn, the last one again and again, and remembers what was asked."""

    def __init__(self, *answers: Application) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []
        self.keys: list[str | None] = []
        self.at_once = self.most_at_once = 0
        self.transport = to(self)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.append(scope["path"])
        self.keys.append(Request(scope).headers.get("idempotency-key"))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await answer(scope, receive, send)
        finally:
            self.at_once -= 1

    async def read(self, path: str = "/v1/x") -> object:
        return (await self.transport.request("GET", path)).data

    async def write(self, key: str | None = None) -> object:
        return (await self.transport.request("POST", "/v1/x", idempotency_key=key)).data

    async def fetch(self) -> bytes:
        file = io.BytesIO()
        await self.transport.download("/file.csv", file)
        return file.getvalue()


async def error_of(asking: Callable[[], Awaitable[object]], times: int = 1) -> ServiceError:
    """The last of the errors that asking so often comes to."""
    for _ in range(times - 1):
        await error_of(asking)
    with pytest.raises(ServiceError) as caught:
        await asking()
    return caught.value


async def at_once(times: int, asking: Asking) -> None:
    async with anyio.create_task_group() as tasks:
        for _ in range(times):
            tasks.start_soon(asking)


async def lost(scope: Scope, receive: Receive, send: Send) -> None:
    raise ConnectionResetError


async def refused(scope: Scope, receive: Receive, send: Send) -> None:
    raise ConnectionRefusedError


async def hanging(scope: Scope, receive: Receive, send: Send) -> None:
    await anyio.sleep_forever()


def slow(seconds: float) -> Application:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await anyio.sleep(seconds)
        await FINE(scope, receive, send)

    return answer


def pieces(
    *given: bytes, every: float = 0, then: Exception | None = None, ends: bool = True
) -> Application:
    """What comes in these pieces, with so many seconds before each, and may break off."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for piece in given:
            await anyio.sleep(every)
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        if then:
            raise then
        if not ends:
            await anyio.sleep_forever()
        await send({"type": "http.response.body", "body": b""})

    return answer


def only(path: str, answer: Application) -> Application:
    """Answers so where the path begins so; else all is fine."""

    async def service(scope: Scope, receive: Receive, send: Send) -> None:
        await (answer if scope["path"].startswith(path) else FINE)(scope, receive, send)

    return service
