"""What the suite's scenarios are given works with a client of ours as well."""

import pytest
from mcp import Client, types

from leadpipe_mcp.server import build_server
from leadpipe_mcp.settings import Settings
from tests.conformance.fixtures import furnish

pytestmark = pytest.mark.anyio


async def test_answers_of_every_kind_reach_a_tool_that_asked_for_them() -> None:
    async def say(context: object, params: object) -> types.CreateMessageResult:
        return types.CreateMessageResult(
            role="assistant", content=types.TextContent(text="Paris."), model="a model"
        )

    async def fill(context: object, params: object) -> types.ElicitResult:
        return types.ElicitResult(action="accept", content={"name": "Ann"})

    async def roots(context: object) -> types.ListRootsResult:
        return types.ListRootsResult(roots=[])

    server = build_server(Settings(sandbox=True))
    furnish(server)
    async with Client(
        server,
        sampling_callback=say,
        elicitation_callback=fill,
        list_roots_callback=roots,
    ) as client:
        answer = await client.call_tool("test_input_required_result_multiple_inputs", {})
    assert isinstance(answer.content[0], types.TextContent)
    assert answer.content[0].text == "state-ok: user_name, greeting, client_roots"
