"""A sandbox with a clock, a client for it, and services whose answers a test chooses."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from leadpipe_mcp.api.connections import Application, serve_in_process
from leadpipe_mcp.api.generations import Pin
from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.transport import Transport
from leadpipe_mcp.sandbox import SandboxSettings
from tests.faults.service import Sandbox

URL = "https://service.test"
KEY = "sk_test_0123456789"


@pytest.fixture
def anyio_backend(no_waiting: object) -> object:
    return no_waiting


@pytest.fixture
def moments() -> list[float]:
    """What the sandbox's clock has shown; the last is now."""
    return [datetime(2026, 5, 5, 9, 15, tzinfo=UTC).timestamp()]


@pytest.fixture
def start(moments: list[float]) -> Callable[..., Sandbox]:
    """Starts a sandbox, small and empty unless the settings say otherwise."""

    def start(**settings: object) -> Sandbox:
        usual = SandboxSettings(people=3_000, examples=False, run_seconds=0)
        return Sandbox(replace(usual, **settings), clock=lambda: moments[-1])

    return start


@pytest.fixture
def connect() -> Callable[..., LeadpipeClient]:
    """A client of an application, which stands in the service's place."""

    def connect(
        application: Application,
        pin: Pin = "auto",
        key: str | None = KEY,
        clock: Callable[[], float] = time.monotonic,
    ) -> LeadpipeClient:
        secret = None if key is None else SecretStr(key)
        return LeadpipeClient(
            Transport(URL, secret, network=serve_in_process(application)), pin, clock
        )

    return connect


@pytest.fixture
def profile() -> str:
    """The generation of the usual sandbox."""
    return SandboxSettings().profile


@pytest.fixture
def sandbox(profile: str, start: Callable[..., Sandbox]) -> Sandbox:
    return start(profile=profile)


@pytest.fixture
def client(sandbox: Sandbox, connect: Callable[..., LeadpipeClient]) -> LeadpipeClient:
    return connect(sandbox)


@pytest.fixture
def with_answers(
    start: Callable[..., Sandbox],
    connect: Callable[..., LeadpipeClient],
    altered: Callable[[Application, Mapping[str, Application]], Application],
) -> Callable[..., LeadpipeClient]:
    """A client of a sandbox, a new one or the one given, that answers these routes otherwise."""

    def changed(
        changes: Mapping[str, Application], sandbox: Sandbox | None = None, **settings: object
    ) -> LeadpipeClient:
        return connect(altered(sandbox or start(**settings), changes))

    return changed
