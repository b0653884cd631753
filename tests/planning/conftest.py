"""A simulated service to plan with, and a client of it."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from pydantic import SecretStr

from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.transport import Application, Transport
from leadpipe_mcp.sandbox import Sandbox, SandboxSettings


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
        transport = Transport("https://service.test", SecretStr("sk_test"), application=service)
        return LeadpipeClient(transport)

    return connect
