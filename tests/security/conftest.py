"""Both services in front of one server."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest
from mcp import Client
from mcp.client.session import ElicitationFnT

from leadpipe_mcp.api.connections import Application
from leadpipe_mcp.sandbox import SandboxSettings, SonarlySettings
from leadpipe_mcp.server import build_server
from leadpipe_mcp.settings import Settings
from tests.faults.service import Sandbox, SonarlySandbox
from tests.security.services import CANARIES, Connect, World

DEADLINE_SECONDS = 10_000
"""Of the loop's own time, which leaps over what is waited for."""


@pytest.fixture
def anyio_backend(no_waiting: object) -> object:
    return no_waiting


@pytest.fixture
def real(tmp_path: Path) -> Settings:
    """The settings of a server with two keys, which asks nobody and writes into `tmp_path`."""
    return Settings.model_validate(
        {
            "api_key": CANARIES["key"],
            "base_url": "https://service.test",
            "sonarly_api_key": CANARIES["key"],
            "sonarly_base_url": "https://sonarly.test",
            "confirm": "off",
            "toolsets": "all",
            "export_dir": tmp_path / "exports",
            "cache_dir": tmp_path / "cache",
            "log_level": "DEBUG",
        }
    )


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A small world that begins at one known moment."""
    moment = datetime(2026, 5, 5, 9, 15, tzinfo=UTC).timestamp()
    return World(
        # Activating starts no run here: a file of people has to be there for an export.
        Sandbox(SandboxSettings(people=1_000, run_seconds=0), clock=lambda: moment),
        SonarlySandbox(SonarlySettings(people=1_000), clock=lambda: moment),
        tmp_path / "exports",
    )


@pytest.fixture
def connect(world: World) -> Connect:
    """A client of a server; it can ask its human if it is given an answer."""

    @asynccontextmanager
    async def connect(
        service: Application = world.leadpipe,
        sonarly: Application = world.sonarly,
        *,
        settings: Settings | None = None,
        answer: ElicitationFnT | None = None,
        mode: str = "auto",
    ) -> AsyncGenerator[Client]:
        usual = Settings(sandbox=True, toolsets="all", export_dir=world.exports)
        server = build_server(settings or usual, service=service, sonarly=sonarly)
        with anyio.fail_after(DEADLINE_SECONDS):
            async with Client(server, mode=mode, elicitation_callback=answer) as client:
                yield client

    return connect
