"""Exports over HTTP, where a caller has no disk of the server's to look at."""

from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from leadpipe_mcp.hosting.settings import HostingSettings
from leadpipe_mcp.settings import SettingsError
from tests.hosting.conftest import Host, called

pytestmark = pytest.mark.anyio
ANNA = "sk_live_anna_0001"


async def active(client: Client) -> str:
    """Return the id of an audience that has people."""
    return (await called(client, "list_audiences"))["audiences"]["rows"][0][0]


async def declared(client: Client) -> dict[str, Any]:
    """Return the tool as it is listed, by the names of its parts."""
    (tool,) = [one for one in (await client.list_tools()).tools if one.name == "export_audience"]
    return tool.model_dump(by_alias=True)


async def test_without_a_folder_for_files_only_the_service_s_own_link_is_offered(
    host: Host, era: str
) -> None:
    async with host(confirm="off") as hosted, hosted.client(ANNA, era) as client:
        tool = await declared(client)
        given = await called(client, "export_audience", id=await active(client))
    assert list(tool["inputSchema"]["properties"]) == ["id", "format", "date", "runId", "confirm"]
    assert tool["inputSchema"]["properties"]["format"]["const"] == "url"
    assert "where this server runs" not in tool["description"]
    assert "path" not in tool["outputSchema"]["properties"]
    assert given["url"].startswith("http")
    assert "path" not in given


@pytest.mark.parametrize("format", ["csv", "jsonl", " LinkedIn_URLs"])
async def test_without_a_folder_a_file_is_refused_by_name(host: Host, format: str) -> None:  # noqa: A002 -- the argument's name
    async with host(confirm="off") as hosted, hosted.client(ANNA) as client:
        asked = {"id": await active(client), "format": format, "fields": ["name"]}
        refused = await client.call_tool("export_audience", asked)
    assert refused.is_error
    said = str(refused.content)
    assert f"format {format.strip().lower()} is not offered" in said
    assert "Use format url" in said
    assert "There is no argument 'fields'" in said


async def test_where_nothing_may_go_out_unmasked_the_service_s_link_is_not_offered(
    host: Host,
) -> None:
    async with host(contact="mask") as hosted, hosted.client(ANNA) as client:
        assert "export_audience" not in {one.name for one in (await client.list_tools()).tools}
        guide = await client.read_resource("leadpipe://guide")
        with pytest.raises(Exception, match="There is no tool 'export_audience'"):
            await client.call_tool("export_audience", {"id": "x"})
    assert "export_audience" not in str(guide)


def test_a_folder_that_no_caller_can_get_at_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="set LEADPIPE_DOWNLOAD_DIR"):
        HostingSettings(export_dir=tmp_path).check()
