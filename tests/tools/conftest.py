"""An assistant's client in front of the server, and a simulated service behind it.

Every reply and every refusal in these tests passes through `call` and `refused`, which hold it
to what all of them promise.
"""

import json
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import anyio
import pytest
from mcp import Client
from mcp.client.session import ClientRequestContext, ElicitationFnT
from mcp.types import CallToolResult, ElicitRequestParams, ElicitResult, TextContent

from leadpipe_mcp.api.transport import Application
from leadpipe_mcp.sandbox import Sandbox, SandboxSettings
from leadpipe_mcp.server import build_server
from leadpipe_mcp.settings import Settings

Reply = dict[str, Any]
SANDBOX = Settings(sandbox=True, toolsets="all")
DEADLINE_SECONDS = 2_000  # which pass at once, where nothing happens
LARGEST_REPLY = 40_000
# Requests that change nothing, though they are POSTs.
READING = ("/validate", "/preview", "/query", "/compare", "/analyze")
# No ordinary name, title or text of the sandbox is taken for an order.
ALARM = "reads like an instruction to you"
MAY_ALARM = re.compile(r"ignore|disregard|forget|system:|you must", re.IGNORECASE)
NEVER_SAID = re.compile(
    r"Traceback|Error executing|pydantic|httpx|127\.0\.0\.1|localhost|https?://\w|\bsk_\w",
    re.IGNORECASE,
)


@pytest.fixture
def anyio_backend(no_waiting: object) -> object:
    return no_waiting


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
def start(moments: list[float]) -> Callable[..., Sandbox]:
    """A service in which runs take no time, unless its settings say otherwise."""

    def start(**settings: Any) -> Sandbox:  # noqa: ANN401 -- whatever SandboxSettings takes
        chosen: dict[str, Any] = {"people": 3_000, "run_seconds": 0, **settings}
        return Sandbox(SandboxSettings(**chosen), clock=lambda: moments[-1])

    return start


@pytest.fixture
def sandbox(start: Callable[..., Sandbox]) -> Sandbox:
    """The service that `connect` speaks to, unless it is told another."""
    return start()


@pytest.fixture
def connect(era: str, sandbox: Sandbox) -> Callable[..., AbstractAsyncContextManager[Client]]:
    """A client of the given era; it can ask its human if it is given an answer."""

    @asynccontextmanager
    async def connect(
        service: Application = sandbox,
        *,
        settings: Settings = SANDBOX,
        answer: ElicitationFnT | None = None,
    ) -> AsyncGenerator[Client]:
        server = build_server(settings, service=service)
        with anyio.fail_after(DEADLINE_SECONDS):
            async with Client(server, mode=era, elicitation_callback=answer) as client:
                yield client

    return connect


@pytest.fixture
async def client(
    connect: Callable[..., AbstractAsyncContextManager[Client]],
) -> AsyncGenerator[Client]:
    """A client that cannot ask its human."""
    async with connect() as client:
        yield client


@pytest.fixture
def questions() -> list[str]:
    """What the human was asked so far."""
    return []


@pytest.fixture
def human(questions: list[str]) -> Callable[[Any], ElicitationFnT]:
    """A human who answers every question alike."""

    def human(action: Any) -> ElicitationFnT:  # noqa: ANN401 -- a Literal
        async def answer(
            context: ClientRequestContext, params: ElicitRequestParams
        ) -> ElicitResult:
            questions.append(params.message)
            return ElicitResult(action=action, content={"approve": True})

        return answer

    return human


@pytest.fixture
def call() -> Callable[..., Awaitable[Reply]]:
    """Call a tool, and give its reply after holding it to what every reply promises."""

    async def call(client: Client, tool: str, /, **arguments: object) -> Reply:
        # The client itself holds the reply to the tool's output schema, and raises.
        result = await client.call_tool(tool, arguments)
        text = _text(result)
        assert not result.is_error, text
        reply = result.structured_content
        assert reply is not None
        assert text == json.dumps(reply, ensure_ascii=False, separators=(",", ":"))
        assert len(text) < LARGEST_REPLY
        assert ALARM not in text or MAY_ALARM.search(text), text
        last = [key for key in ("warnings", "next", "sandbox") if key in reply]
        assert list(reply) == [
            "summary",
            *(key for key in reply if key not in {"summary", *last}),
            *last,
        ]
        _has_no_gaps(reply)
        return reply

    return call


@pytest.fixture
def refused() -> Callable[..., Awaitable[str]]:
    """Call a tool that must refuse, and give what it said."""

    async def refused(client: Client, tool: str, /, **arguments: object) -> str:
        result = await client.call_tool(tool, arguments)
        text = _text(result)
        assert result.is_error, text
        assert result.structured_content is None
        assert not NEVER_SAID.search(text), text
        assert len(text) < 2_000
        return text

    return refused


@pytest.fixture
def saved(
    call: Callable[..., Awaitable[Reply]],
) -> Callable[[Client], Awaitable[dict[str, str]]]:
    """The ids of the two audiences that a new account has, by status: active and paused."""

    async def saved(client: Client) -> dict[str, str]:
        rows = (await call(client, "list_audiences"))["audiences"]["rows"]
        return {row[2]: row[0] for row in rows}

    return saved


@pytest.fixture
def changes() -> Callable[[Sandbox], list[str]]:
    """What a service was asked to change, as methods and the end of their paths."""

    def changes(sandbox: Sandbox) -> list[str]:
        return [
            f"{request.method} {request.path.removeprefix('/v1/intent')}"
            for request in sandbox.requests
            if request.method != "GET" and not request.path.endswith(READING)
        ]

    return changes


def _text(result: CallToolResult) -> str:
    (block,) = result.content
    assert isinstance(block, TextContent)
    return block.text


def _has_no_gaps(part: object) -> None:
    """Nothing in the part is null, and no list or object in it is empty."""
    assert part is not None
    assert part not in ([], {})
    if isinstance(part, dict):
        part = list(cast("dict[str, object]", part).values())
    if isinstance(part, list):
        for value in cast("list[object]", part):
            _has_no_gaps(value)
