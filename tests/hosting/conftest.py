"""The application for a team, asked without a network."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from leadpipe_mcp.api.connections import Application
from leadpipe_mcp.hosting.app import build_app
from leadpipe_mcp.hosting.settings import HostingSettings
from leadpipe_mcp.sandbox import Sandbox, SandboxSettings

URL = "http://127.0.0.1:8787"
HEADERS = {"accept": "application/json, text/event-stream", "content-type": "application/json"}


class Hosted:
    """A server for a team, and ways to ask it."""

    def __init__(self, transport: httpx2.AsyncBaseTransport) -> None:
        self._transport = transport

    def http(self, key: str | None = None, **headers: str) -> httpx2.AsyncClient:
        """Return a client of HTTP."""
        own = {"authorization": f"Bearer {key}"} if key else {}
        return httpx2.AsyncClient(
            transport=self._transport, base_url=URL, headers=HEADERS | own | headers
        )

    async def post(self, key: str | None = None, /, **headers: str) -> httpx2.Response:
        """Ask for the list of tools, in the handshake era."""
        body: dict[str, object] = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
        async with self.http(key, **headers) as client:
            return await client.post("/mcp", json=body)

    @asynccontextmanager
    async def client(
        self, key: str | None = None, era: str = "auto", **headers: str
    ) -> AsyncGenerator[Client]:
        """Connect a client of the protocol."""
        async with self.http(key, **headers) as http:
            transport = streamable_http_client(f"{URL}/mcp", http_client=http)
            async with Client(transport, mode=era) as client:
                yield client


Host = Callable[..., AbstractAsyncContextManager[Hosted]]


@pytest.fixture
def host() -> Host:
    """Return what starts a server for a team with these settings."""

    @asynccontextmanager
    async def host(
        service: Application | None = None,
        sonarly: Application | None = None,
        **settings: object,
    ) -> AsyncGenerator[Hosted]:
        service = service or Sandbox(SandboxSettings(people=300))
        wanted = HostingSettings.model_validate(settings)
        app = build_app(wanted, service=service, sonarly=sonarly)
        async with app.router.lifespan_context(app):
            yield Hosted(httpx2.ASGITransport(app))

    return host


async def called(client: Client, tool: str, **arguments: object) -> dict[str, Any]:
    """Call a tool, which has to succeed, and return what it answers."""
    answer = await client.call_tool(tool, arguments)
    assert not answer.is_error, answer.content
    return answer.structured_content or {}
