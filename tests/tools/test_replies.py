"""What every reply and every refusal is, whatever the tool."""

import pytest
from mcp import MCPError
from mcp.types import INVALID_PARAMS
from pydantic import SecretStr

from leadpipe_mcp.settings import Settings
from tests.faults.service import Sandbox
from tests.tools.assistant import Assistant, Connect, each_era

pytestmark = pytest.mark.anyio

ID = "6fb81599-f601-4afe-b3ff-e8a211cae27d"


async def test_only_the_sandbox_says_that_it_is_one(sandbox: Sandbox, connect: Connect) -> None:
    # The same service, taken for the real one.
    settings = Settings(api_key=SecretStr("sk_live_1"), base_url="https://api.example")
    async with connect(settings=settings) as client:
        result = await client.call_tool("list_audiences", {})
    assert result.structured_content is not None
    assert "sandbox" not in result.structured_content
    assert sandbox.requests[0].headers == {"X-API-Key": "redacted"}


@each_era
async def test_a_refusal_is_text_alone(client: Assistant) -> None:
    result = await client.call_tool("get_audience", {"id": ID})
    assert result.is_error
    assert result.structured_content is None
    wire = result.model_dump(mode="json", by_alias=True, exclude_none=True)
    assert wire["content"] == [
        {
            "type": "text",
            "text": "The service refused with status 404: Audience not found."
            " Check the id; list_audiences shows those that exist. If the id is right, check"
            " LEADPIPE_BASE_URL.",
        }
    ]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("plan_audiences", "There is no tool 'plan_audiences'. Did you mean 'plan_audience'?"),
        ("zzz", "There is no tool 'zzz'."),
        ("a\u202eb" + "x" * 200, f"There is no tool 'ab{'x' * 61}…'."),
    ],
)
@each_era
async def test_an_unknown_tool_is_an_error_of_the_protocol(
    client: Assistant, sandbox: Sandbox, name: str, message: str
) -> None:
    with pytest.raises(MCPError) as caught:
        await client.call_tool(name, {})
    assert caught.value.error.code == INVALID_PARAMS == -32602
    assert caught.value.error.message == message
    assert list(sandbox.requests) == []


async def test_without_a_key_a_tool_says_how_to_set_one(connect: Connect) -> None:
    async with connect(settings=Settings()) as client:
        assert (await client.list_tools()).tools
        said = await client.refused("delete_audience", id=ID)
    assert said == (
        "No Leadpipe API key is set, so nothing was asked of the service. Set LEADPIPE_API_KEY (a"
        " key starts with sk_; Settings > API Keys in the Leadpipe dashboard) and restart the"
        " server; 'leadpipe-mcp install' asks for it and puts it into the assistant's"
        " configuration. To try everything with invented people and no key, start it with"
        " --sandbox."
    )
