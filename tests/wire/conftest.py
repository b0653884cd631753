"""What a client sees of the server, on the wire."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.types import Tool

from leadpipe_mcp.sandbox import SandboxSettings
from leadpipe_mcp.server import build_server, shown
from leadpipe_mcp.settings import Settings
from tests.faults.service import Sandbox

DEADLINE_SECONDS = 20


@pytest.fixture
def connect(era: str) -> Callable[..., AbstractAsyncContextManager[Client]]:
    """A client of the given era, in front of a sandbox of the given settings."""

    @asynccontextmanager
    async def connect(**settings: object) -> AsyncGenerator[Client]:
        played: dict[str, Any] = {"run_seconds": 0, "people": 3_000, **settings}
        service = Sandbox(SandboxSettings(**played))
        server = build_server(Settings(sandbox=True, toolsets="all"), service=service)
        with anyio.fail_after(DEADLINE_SECONDS):
            async with Client(server, mode=era) as client:
                yield client

    return connect


@pytest.fixture(scope="session")
def tools() -> list[Tool]:
    """The tools as they are listed; test_snapshot holds that every client gets them so."""
    return [Tool.model_validate(tool) for tools in shown()["tools"].values() for tool in tools]
