"""The server as a whole: what it says of itself, and how its parts are put together."""

import re
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import anyio
import pytest
from mcp import Client, MCPError

from leadpipe_mcp import __version__
from leadpipe_mcp.api.connections import Application
from leadpipe_mcp.prompts import CONVERSATIONS
from leadpipe_mcp.sandbox import SandboxSettings
from leadpipe_mcp.server import INSTRUCTIONS, build_server
from leadpipe_mcp.settings import Settings
from leadpipe_mcp.tools.toolsets import TOOLS, TOOLSETS
from tests.faults.service import Sandbox

pytestmark = pytest.mark.anyio
Connect = Callable[..., AbstractAsyncContextManager[Client]]

SANDBOX = Settings(sandbox=True)
WANTED = {"topicIds": [117805], "filters": {"seniority": ["vp"]}}


@pytest.fixture
def connect(era: str) -> Connect:
    """A client of the given era."""

    @asynccontextmanager
    async def connect(
        settings: Settings = SANDBOX, service: Application | None = None
    ) -> AsyncGenerator[Client]:
        with anyio.fail_after(60):
            async with Client(build_server(settings, service=service), mode=era) as client:
                yield client

    return connect


async def test_the_server_says_who_it_is(connect: Connect) -> None:
    async with connect() as client:
        info = client.server_info
        assert info is not None
        assert (info.name, info.title, info.version) == ("leadpipe", "Leadpipe", __version__)
        listed = (await client.list_tools()).model_dump(by_alias=True)
        modern = client.protocol_version > "2026"
    if modern:  # Only this revision knows for how long a list holds.
        assert (listed["ttlMs"], listed["cacheScope"]) == (3_600_000, "public")


async def test_instructions_say_first_what_the_server_is_for(connect: Connect) -> None:
    async with connect(Settings()) as client:
        text = client.instructions or ""
    assert 500 < len(text) < 2_000
    for word in ("audiences", "segments", "lead", "prospects", "ICP", "intent", "preview"):
        assert word in text[:250]
    assert "set_status active (takes one of the account's slots)" in text[:512]
    assert "invented" not in text
    assert "LEADPIPE_CONFIRM" not in text


def test_instructions_and_conversations_name_only_tools_that_there_are() -> None:
    for text in (INSTRUCTIONS, *(talk.text for talk in CONVERSATIONS)):
        named = set(re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", text))
        assert named
        assert named <= {tool.name for tool in TOOLS}


async def test_instructions_say_that_it_is_the_sandbox_and_that_nothing_is_asked(
    connect: Connect,
) -> None:
    async with connect(Settings(sandbox=True, confirm="off")) as client:
        text = client.instructions or ""
    assert len(text) < 2_000
    assert "This is the sandbox: all people and companies are invented. Say so to the user." in text
    assert "LEADPIPE_CONFIRM=off: nothing is asked before spending or deleting." in text


async def test_the_sandbox_comes_with_its_own_service(connect: Connect) -> None:
    settings = Settings(sandbox=True, sandbox_profile="flat", sandbox_delay_ms=1)
    async with connect(settings) as client:
        result = await client.call_tool("preview_audience", WANTED)
    assert result.structured_content is not None
    assert result.structured_content["config"]["filters"] == {"seniority": ["vp"]}
    assert result.structured_content["sandbox"] is True


async def test_two_servers_share_nothing(connect: Connect) -> None:
    async with connect() as one, connect() as other:
        await one.call_tool("create_audience", {"name": "Mine", "config": WANTED})
        listed = await other.call_tool("list_audiences", {})
    assert "Mine" not in str(listed.structured_content)


async def test_a_pinned_profile_is_not_found_out(connect: Connect) -> None:
    # This service has the query route; the pin says that there is none.
    sandbox = Sandbox(SandboxSettings(people=1_000, run_seconds=0))
    async with connect(Settings(sandbox=True, api_profile="catalog"), sandbox) as client:
        result = await client.call_tool("query_audience", WANTED)
    assert result.structured_content is not None
    assert result.structured_content["summary"].startswith("A sample of ")
    assert not any(request.path.endswith("/query") for request in sandbox.requests)


async def test_a_server_can_be_left_and_entered_again(era: str) -> None:
    server = build_server(SANDBOX)
    for _ in range(2):
        with anyio.fail_after(60):
            async with Client(server, mode=era) as client:
                assert not (await client.call_tool("list_audiences", {})).is_error


async def names(client: Client) -> list[str]:
    return [tool.name for tool in (await client.list_tools()).tools]


async def test_toolsets_are_named_in_any_case_and_order_and_two_are_on_only_by_name(
    connect: Connect,
) -> None:
    async with connect(Settings()) as client:
        usual = await names(client)
    async with connect(Settings(toolsets="all", sandbox=True)) as client:
        everything = await names(client)
    async with connect(Settings(toolsets="Account, topics")) as client:
        assert await names(client) == [t.name for n in ("topics", "account") for t in TOOLSETS[n]]
    assert everything == [tool.name for tool in TOOLS]
    assert len(set(everything)) == len(everything) == 31
    by_name = (*TOOLSETS["visitors"], *TOOLSETS["sonarly"])
    assert set(everything) - set(usual) == {tool.name for tool in by_name}


async def test_read_only_offers_only_what_changes_nothing(connect: Connect) -> None:
    async with connect(Settings(toolsets="all", read_only=True, sandbox=True)) as client:
        tools = (await client.list_tools()).tools
        with pytest.raises(MCPError, match="There is no tool 'delete_audience'"):
            await client.call_tool("delete_audience", {})
        assert "Read-only" in (client.instructions or "")
    assert {tool.name for tool in tools} == {t.name for t in TOOLS if t.hints.read_only_hint}
    assert all(tool.annotations and tool.annotations.read_only_hint for tool in tools)
