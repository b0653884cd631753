"""Everything that the official server's tools do can be done here: the table says how."""

import json
import re
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.types import TextContent

from leadpipe_mcp.sandbox import SandboxSettings
from leadpipe_mcp.server import build_server
from leadpipe_mcp.settings import Settings
from tests.faults.service import Sandbox

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[1]
TABLE = (ROOT / "docs/coming-from-the-official-server.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `(\w+)`[^|]*\| `(\w+)` \| `(\{.*\})` \|$", TABLE, re.MULTILINE)
OFFICIAL = """
list_topics get_topic_facets search_topics get_topic_trend compare_topics get_topic_movers
analyze_website_topics get_audience_filters preview_audience query_audience list_audiences
get_audience create_audience update_audience delete_audience get_audience_status
get_audience_results list_audience_runs get_audience_stats export_audience query_visitor_data
list_pixels create_pixel update_pixel get_account_status
"""


def test_the_table_names_each_of_the_25_tools() -> None:
    assert {row[0] for row in ROWS} == set(OFFICIAL.split())
    assert len(OFFICIAL.split()) == 25


@pytest.mark.parametrize("profile", ["flat", "catalog"])
@pytest.mark.parametrize(("theirs", "ours", "arguments"), ROWS)
async def test_each_row_of_the_table_works(
    profile: Any,  # noqa: ANN401 -- the sandbox's own type of names
    theirs: str,
    ours: str,
    arguments: str,
) -> None:
    service = Sandbox(SandboxSettings(profile=profile, people=3_000, run_seconds=0))
    settings = Settings(sandbox=True, toolsets="all", confirm="off")
    with anyio.fail_after(60):
        async with Client(build_server(settings, service=service)) as client:
            listed = await client.call_tool("list_audiences", {"status": "active"})
            pixels = await client.call_tool("list_pixels", {})
            assert listed.structured_content
            assert pixels.structured_content
            filled = arguments.replace(
                "<audience>", listed.structured_content["audiences"]["rows"][0][0]
            ).replace("<pixel>", pixels.structured_content["pixels"]["rows"][0][0])

            result = await client.call_tool(ours, json.loads(filled))

    (block,) = result.content
    assert isinstance(block, TextContent)
    assert not result.is_error, f"{theirs}: {block.text}"
    assert result.structured_content
    if theirs == "get_audience_stats":
        assert result.structured_content["fillRates"]["companyIndustry"] == 100
