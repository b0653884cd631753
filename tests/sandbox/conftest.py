"""Sandboxes whose clock stands still until a test moves it, and clients for them."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from leadpipe_mcp.sandbox import Sandbox, SandboxSettings
from tests.sandbox.asking import Play, Start, client_of


@pytest.fixture
def moments() -> list[float]:
    """What the clock has shown; the last is now."""
    return [datetime(2026, 5, 5, 9, 15, tzinfo=UTC).timestamp()]


@pytest.fixture
def start(moments: list[float]) -> Start:
    """A small Leadpipe whose runs are done at once, but for the settings that are given."""

    def start(**chosen: Any) -> Sandbox:  # noqa: ANN401 -- settings
        settings: dict[str, Any] = {"people": 3_000, "run_seconds": 0, "examples": False, **chosen}
        return Sandbox(SandboxSettings(**settings), clock=lambda: moments[-1])

    return start


@pytest.fixture
def play(start: Start) -> Play:
    """A client of a Leadpipe with these settings."""

    def play(**chosen: Any) -> httpx.AsyncClient:  # noqa: ANN401 -- settings
        return client_of(start(**chosen))

    return play


@pytest.fixture
def flat(play: Play) -> httpx.AsyncClient:
    return play(profile="flat")


@pytest.fixture
def catalog(play: Play) -> httpx.AsyncClient:
    return play(profile="catalog")
