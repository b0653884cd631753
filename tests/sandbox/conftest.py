"""Sandboxes whose clock stands still until a test moves it, and clients for them."""

from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import pytest

from leadpipe_mcp.sandbox import SandboxSettings, SonarlySettings
from tests.faults.service import Sandbox, SonarlySandbox

Start = Callable[[SandboxSettings], Sandbox]
Connect = Callable[[Sandbox], httpx.AsyncClient]


@pytest.fixture
def moments() -> list[float]:
    """What the clock has shown; the last is now."""
    return [datetime(2026, 5, 5, 9, 15, tzinfo=UTC).timestamp()]


@pytest.fixture
def start(moments: list[float]) -> Start:
    def start(settings: SandboxSettings) -> Sandbox:
        return Sandbox(settings, clock=lambda: moments[-1])

    return start


@pytest.fixture
def connect() -> Callable[..., httpx.AsyncClient]:
    def connect(sandbox: Sandbox, key: str = "sk_test") -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app=sandbox),
            base_url="http://sandbox.test",
            headers={"X-API-Key": key},
        )

    return connect


@pytest.fixture
def play_sonarly(moments: list[float]) -> Callable[..., tuple[SonarlySandbox, httpx.AsyncClient]]:
    """Sonarly as the settings say, and a client that sends a key."""

    def play(
        settings: SonarlySettings | None = None, key: str = "sk_live_test"
    ) -> tuple[SonarlySandbox, httpx.AsyncClient]:
        sandbox = SonarlySandbox(settings, clock=lambda: moments[-1])
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=sandbox),
            base_url="http://sonarly.test",
            headers={"Authorization": f"Bearer {key}"},
        )
        return sandbox, client

    return play
