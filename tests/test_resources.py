"""Things to read: the guide, the filters and topics that there are, one audience."""

import json
import re
from collections.abc import AsyncGenerator

import anyio
import pytest
from mcp import Client, MCPError
from mcp.types import INVALID_PARAMS, TextResourceContents

from leadpipe_mcp.sandbox import SandboxSettings
from leadpipe_mcp.server import build_server
from leadpipe_mcp.settings import Settings
from leadpipe_mcp.tools.toolsets import TOOLS
from tests.faults.service import Fault, Sandbox

pytestmark = pytest.mark.anyio


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(SandboxSettings(people=2_000))


@pytest.fixture
async def client(era: str, sandbox: Sandbox) -> AsyncGenerator[Client]:
    with anyio.fail_after(60):
        server = build_server(Settings(sandbox=True), service=sandbox)
        async with Client(server, mode=era) as client:
            yield client


async def text_of(client: Client, path: str) -> str:
    (content,) = (await client.read_resource(f"leadpipe://{path}")).contents
    assert isinstance(content, TextResourceContents)
    return content.text


async def test_the_guide_names_only_tools_that_there_are_and_the_rest_is_live(
    client: Client,
) -> None:
    guide = await text_of(client, "guide")
    names = set(re.findall(r"`([a-z]+_[a-z_]+)`", guide))
    assert names <= {tool.name for tool in TOOLS}
    assert len(names) == 11
    assert len(guide) < 8_000

    filters = json.loads(await text_of(client, "filters"))
    assert "software development" in filters["filters"]["companyIndustry"]
    assert len(json.dumps(filters)) / 4 < 1_200
    facets = json.loads(await text_of(client, "topics/facets"))
    assert (facets["total"], facets["sandbox"]) == (20_068, True)

    listed = await client.call_tool("list_audiences", {})
    assert listed.structured_content
    row = listed.structured_content["audiences"]["rows"][0]
    audience = json.loads(await text_of(client, f"audiences/{row[0]}"))
    assert audience["name"] == row[1]
    assert audience["config"]["topicIds"]


async def test_what_is_not_there_or_fails_is_said_in_our_words(
    client: Client, sandbox: Sandbox
) -> None:
    for path, said in (
        ("audiences/nobody", "There is no such audience; list_audiences shows them."),
        ("audiences/6fb81599-f601-4afe-b3ff-e8a211cae27d", "There is no such audience"),
        ("audiences/", "There is no resource"),
        ("people", "There is no resource"),
    ):
        with pytest.raises(MCPError) as refused:
            await text_of(client, path)
        assert refused.value.error.code == INVALID_PARAMS
        assert said in refused.value.error.message
    sandbox.faults.add(Fault("status", status=503, path="/filters", times=3))
    with pytest.raises(MCPError, match="The service failed with status 503"):
        await text_of(client, "filters")
