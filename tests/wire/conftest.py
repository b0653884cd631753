"""What a client sees of the server, on the wire."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import anyio
import pytest
from mcp import Client
from mcp.types import Tool

from leadpipe_mcp.sandbox import SandboxSettings
from leadpipe_mcp.server import build_server
from leadpipe_mcp.settings import Settings
from tests.faults.service import Sandbox

DEADLINE_SECONDS = 20
PLAYED = SandboxSettings(run_seconds=0)
EVERYTHING = Settings(sandbox=True, toolsets="all")


@pytest.fixture
def connect(era: str) -> Callable[..., AbstractAsyncContextManager[Client]]:
    """A client of the given era, in front of a sandbox of the given settings."""

    @asynccontextmanager
    async def connect(played: SandboxSettings = PLAYED) -> AsyncGenerator[Client]:
        server = build_server(EVERYTHING, service=Sandbox(played))
        with anyio.fail_after(DEADLINE_SECONDS):
            async with Client(server, mode=era) as client:
                yield client

    return connect


@pytest.fixture
async def tools(connect: Callable[..., AbstractAsyncContextManager[Client]]) -> list[Tool]:
    """The tools as they are listed."""
    async with connect() as client:
        return (await client.list_tools()).tools
