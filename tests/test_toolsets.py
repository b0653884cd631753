"""Which tools a server offers: by toolset, and in read-only mode only those that change nothing."""

import anyio
import pytest
from mcp import Client, MCPError

from leadpipe_mcp.server import build_server
from leadpipe_mcp.settings import Settings
from leadpipe_mcp.tools.toolsets import TOOLS, TOOLSETS

pytestmark = pytest.mark.anyio


async def offered(era: str, settings: Settings) -> list[str]:
    with anyio.fail_after(60):
        async with Client(build_server(settings), mode=era) as client:
            return [tool.name for tool in (await client.list_tools()).tools]


async def test_visitors_and_sonarly_are_on_only_by_name(era: str) -> None:
    usual = await offered(era, Settings())
    everything = await offered(era, Settings(toolsets="all", sandbox=True))

    assert everything == [tool.name for tool in TOOLS]
    assert len(set(everything)) == len(everything) == 31
    by_name = (*TOOLSETS["visitors"], *TOOLSETS["sonarly"])
    assert set(everything) - set(usual) == {tool.name for tool in by_name}


async def test_toolsets_are_named_with_commas_in_any_case_and_order(era: str) -> None:
    names = await offered(era, Settings(toolsets="Account, topics"))

    assert names == [tool.name for tool in (*TOOLSETS["topics"], *TOOLSETS["account"])]


async def test_read_only_offers_only_what_changes_nothing(era: str) -> None:
    settings = Settings(toolsets="all", read_only=True, sandbox=True)
    with anyio.fail_after(60):
        async with Client(build_server(settings), mode=era) as client:
            tools = (await client.list_tools()).tools
            with pytest.raises(MCPError, match="There is no tool 'delete_audience'"):
                await client.call_tool("delete_audience", {})
            assert "Read-only" in (client.instructions or "")

    assert {tool.name for tool in tools} == {t.name for t in TOOLS if t.hints.read_only_hint}
    assert all(tool.annotations and tool.annotations.read_only_hint for tool in tools)
