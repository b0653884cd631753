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


async def text_of(client: Client, address: str) -> str:
    (content,) = (await client.read_resource(address)).contents
    assert isinstance(content, TextResourceContents)
    return content.text


async def test_the_guide_names_only_tools_that_there_are(client: Client) -> None:
    guide = await text_of(client, "leadpipe://guide")

    names = set(re.findall(r"`([a-z]+_[a-z_]+)`", guide))
    assert names <= {tool.name for tool in TOOLS}
    assert len(names) == 11
    assert len(guide) < 8_000


async def test_filters_and_facets_are_live(client: Client) -> None:
    filters = json.loads(await text_of(client, "leadpipe://filters"))
    facets = json.loads(await text_of(client, "leadpipe://topics/facets"))

    assert "software development" in filters["filters"]["companyIndustry"]
    assert len(json.dumps(filters)) / 4 < 1_200
    assert facets["total"] == 20_068
    assert facets["sandbox"] is True


async def test_an_audience_is_read_by_its_id(client: Client) -> None:
    listed = await client.call_tool("list_audiences", {})
    assert listed.structured_content
    row = listed.structured_content["audiences"]["rows"][0]

    audience = json.loads(await text_of(client, f"leadpipe://audiences/{row[0]}"))

    assert audience["name"] == row[1]
    assert audience["config"]["topicIds"]


async def test_what_is_not_there_is_said_not_to_be(client: Client) -> None:
    for address, said in (
        ("audiences/nobody", "There is no such audience; list_audiences shows them."),
        ("audiences/6fb81599-f601-4afe-b3ff-e8a211cae27d", "There is no such audience"),
        ("audiences/", "There is no resource"),
        ("people", "There is no resource"),
    ):
        with pytest.raises(MCPError) as refused:
            await client.read_resource(f"leadpipe://{address}")
        assert refused.value.error.code == INVALID_PARAMS
        assert said in refused.value.error.message


async def test_a_service_that_fails_is_told_in_our_words(client: Client, sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault("status", status=503, path="/filters", times=3))

    with pytest.raises(MCPError, match="The service failed with status 503"):
        await client.read_resource("leadpipe://filters")
