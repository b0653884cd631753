"""A simulated service to plan with, and a client of it."""

from collections.abc import Callable
from dataclasses import replace
from typing import cast

import httpx
import pytest
from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from leadpipe_mcp.api.in_process import Application, serve_in_process
from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.transport import Transport
from leadpipe_mcp.sandbox import SandboxSettings
from tests.faults.service import Sandbox


@pytest.fixture
def anyio_backend(no_waiting: object) -> object:
    return no_waiting


@pytest.fixture
def start() -> Callable[..., Sandbox]:
    """Starts a service in which runs take no time, unless its settings say otherwise."""

    def start(**settings: object) -> Sandbox:
        usual = SandboxSettings(people=5_000, examples=False, run_seconds=0)
        return Sandbox(replace(usual, **settings))

    return start


@pytest.fixture
def connect() -> Callable[[Application], LeadpipeClient]:
    """A client of a service."""

    def connect(service: Application) -> LeadpipeClient:
        transport = Transport(
            "https://service.test", SecretStr("sk_test"), network=serve_in_process(service)
        )
        return LeadpipeClient(transport)

    return connect


@pytest.fixture
def without_value() -> Callable[[Application, str], Application]:
    """A service whose catalogue does not name a value that people have nevertheless."""

    def without_value(service: Application, value: str) -> Application:
        def without(part: object) -> object:
            if isinstance(part, list):
                parts = cast("list[object]", part)
                return [without(one) for one in parts if one != value and not _names(one, value)]
            if isinstance(part, dict):
                held = cast("dict[str, object]", part)
                return {key: without(one) for key, one in held.items()}
            return part

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            if not scope["path"].endswith("/audiences/filters"):
                await service(scope, receive, send)
                return
            transport = httpx.ASGITransport(service)
            async with httpx.AsyncClient(transport=transport, base_url="https://in.test") as client:
                whole = await client.get(scope["path"], headers=Headers(scope=scope))
            await JSONResponse(without(whole.json()))(scope, receive, send)

        return answer

    return without_value


def _names(part: object, value: str) -> bool:
    return isinstance(part, dict) and cast("dict[str, object]", part).get("value") == value
