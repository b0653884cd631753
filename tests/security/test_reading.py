"""Tools that are said to read change nothing: neither at a service nor on the disk."""

import pytest

from leadpipe_mcp.tools.toolsets import TOOLS
from tests.faults.cells import given
from tests.security.services import ONE_CALL_EACH, Connect, World, ids

pytestmark = pytest.mark.anyio


async def test_a_tool_that_is_said_to_read_changes_nothing(connect: Connect, world: World) -> None:
    reading = [tool.name for tool in TOOLS if tool.hints.read_only_hint]
    async with connect() as client:
        known = await ids(client)
        for name in reading:
            result = await client.call_tool(name, given(ONE_CALL_EACH[name], known))
            assert world.changes() == [], (name, result)
    assert len(reading) > 15
