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

TABLE = Path(__file__).parents[1] / "docs/coming-from-the-official-server.md"
ROWS: list[tuple[str, str, str]] = re.findall(
    r"^\| `(\w+)`[^|]*\| `(\w+)` \| `(\{.*\})` \|$", TABLE.read_text("utf-8"), re.MULTILINE
)
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
async def test_each_row_of_the_table_works(profile: Any) -> None:  # noqa: ANN401 -- a Literal
    service = Sandbox(SandboxSettings(profile=profile, people=3_000, run_seconds=0))
    settings = Settings(sandbox=True, toolsets="all", confirm="off")
    with anyio.fail_after(60):
        async with Client(build_server(settings, service=service)) as client:

            async def reply(tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
                result = await client.call_tool(tool, arguments)
                (block,) = result.content
                assert isinstance(block, TextContent)
                assert not result.is_error, f"{tool}: {block.text}"
                return result.structured_content or {}

            listed = await reply("list_audiences", {"status": "active"})
            audience = listed["audiences"]["rows"][0][0]
            pixel = (await reply("list_pixels", {}))["pixels"]["rows"][0][0]
            # What deletes comes last.
            for theirs, ours, row in sorted(ROWS, key=lambda row: "delete" in row[0]):
                filled = row.replace("<audience>", audience).replace("<pixel>", pixel)
                found = await reply(ours, json.loads(filled))
                assert found
                if theirs == "get_audience_stats":
                    assert found["fillRates"]["companyIndustry"] == 100
