"""One browser for all tests of the page."""

from collections.abc import AsyncGenerator

import pytest
from playwright.async_api import Browser

from leadpipe_mcp.sandbox import Sandbox, SandboxSettings
from leadpipe_mcp.server import build_server
from leadpipe_mcp.settings import Settings
from tests.apps.host import BRIDGE, CHROMIUM, FRAMED, HOST, Host, bridge, chromium, hosting

SENDS = {
    "ui/initialize",
    "ui/notifications/initialized",
    "ui/notifications/size-changed",
    "tools/call",
    "ui/update-model-context",
}
"""What our page sends."""


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """The browser's, for all tests of a module: it outlives each of them."""
    return "asyncio"


@pytest.fixture(scope="module")
async def browser(anyio_backend: str) -> AsyncGenerator[Browser]:
    """The system's Chromium."""
    assert anyio_backend
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine")
    try:
        bridge()  # takes a while, once
    except SystemExit as missing:
        pytest.skip(str(missing))
    async with chromium() as browser:
        yield browser


@pytest.fixture
async def host(browser: Browser) -> AsyncGenerator[Host]:
    """A host for a server of its own; at its end, no page has asked for what it should not."""
    server = build_server(Settings(sandbox=True), service=Sandbox(SandboxSettings()))
    async with hosting(browser, server) as host:
        yield host
        assert set(host.requests) <= {HOST, BRIDGE, FRAMED}
        assert {
            message["method"] for message in await host.posted("byPage") if "method" in message
        } <= SENDS
        assert host.problems == []
