"""What the suite's scenarios are given works with a client of ours as well."""

import httpx2
import pytest
from mcp import Client, types

from leadpipe_mcp.hosting.app import build_app
from leadpipe_mcp.hosting.settings import HostingSettings
from leadpipe_mcp.server import build_server
from leadpipe_mcp.settings import Settings
from tests.conformance.fixtures import TOOLS, furnish
from tests.hosting.conftest import Hosted

pytestmark = pytest.mark.anyio


async def test_a_server_for_a_team_shows_them_beside_its_own_tools() -> None:
    app = build_app(HostingSettings(sandbox=True), furnish=furnish)
    async with (
        app.router.lifespan_context(app),
        Hosted(httpx2.ASGITransport(app)).client() as client,
    ):
        shown = {tool.name for tool in (await client.list_tools()).tools}
    assert {"list_audiences", *TOOLS} <= shown


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
