"""An assistant in front of the server, and a simulated service behind it."""

import zlib
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp.client.session import ClientRequestContext, ElicitationFnT
from mcp.types import ElicitRequestParams, ElicitResult

from leadpipe_mcp.api.connections import Application
from leadpipe_mcp.sandbox import SandboxSettings
from leadpipe_mcp.server import build_server
from leadpipe_mcp.settings import Settings
from tests.faults.service import Sandbox
from tests.tools.assistant import Assistant, Connect, Human, Start

SANDBOX = Settings(sandbox=True, toolsets="all")
DEADLINE_SECONDS = 2_000  # which pass at once, where nothing happens


@pytest.fixture
def anyio_backend(no_waiting: object) -> object:
    return no_waiting


@pytest.fixture
def era(request: pytest.FixtureRequest) -> str:
    """How a client speaks: half of all tests in each way, those marked `each_era` in both."""
    return ("auto", "legacy")[zlib.crc32(request.node.name.encode()) % 2]


@pytest.fixture(scope="session", autouse=True)
def a_home_of_their_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Files that are exported go to no person's home."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        patch.setenv("USERPROFILE", str(home))
        yield home


@pytest.fixture
def moments() -> list[float]:
    """What the service's clock has shown; the last is now."""
    return [datetime(2026, 5, 5, 9, 15, tzinfo=UTC).timestamp()]


@pytest.fixture
def start(moments: list[float]) -> Start:
    """A service in which runs take no time, unless its settings say otherwise."""

    def start(**settings: Any) -> Sandbox:  # noqa: ANN401 -- whatever SandboxSettings takes
        chosen: dict[str, Any] = {"people": 3_000, "run_seconds": 0, **settings}
        return Sandbox(SandboxSettings(**chosen), clock=lambda: moments[-1])

    return start


@pytest.fixture
def sandbox(start: Start) -> Sandbox:
    """The service that `connect` speaks to, unless it is told another."""
    return start()


@pytest.fixture
def connect(era: str, start: Start, request: pytest.FixtureRequest) -> Connect:
    """An assistant of the test's era; it can ask its human if it is given an answer."""

    @asynccontextmanager
    async def connect(
        service: Application | None = None,
        *,
        settings: Settings = SANDBOX,
        answer: ElicitationFnT | None = None,
        **world: Any,  # noqa: ANN401 -- whatever SandboxSettings takes
    ) -> AsyncGenerator[Assistant]:
        if service is None:
            service = start(**world) if world else request.getfixturevalue("sandbox")
        server = build_server(settings, service=service)
        with anyio.fail_after(DEADLINE_SECONDS):
            async with Assistant(server, mode=era, elicitation_callback=answer) as client:
                yield client

    return connect


@pytest.fixture
async def client(connect: Connect) -> AsyncGenerator[Assistant]:
    """An assistant that cannot ask its human."""
    async with connect() as client:
        yield client


@pytest.fixture
def questions() -> list[str]:
    """What the human was asked so far."""
    return []


@pytest.fixture
def human(questions: list[str]) -> Human:
    """A human who answers every question alike."""

    def human(action: Any) -> ElicitationFnT:  # noqa: ANN401 -- a Literal
        async def answer(
            context: ClientRequestContext, params: ElicitRequestParams
        ) -> ElicitResult:
            questions.append(params.message)
            return ElicitResult(action=action, content={"approve": True})

        return answer

    return human
