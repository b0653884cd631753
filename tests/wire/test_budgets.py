"""What it costs a model to see the tools and to read their answers: characters / 4."""

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from mcp import Client
from mcp.types import TextContent, Tool

from leadpipe_mcp.server import chosen_tools, shown
from leadpipe_mcp.settings import Settings

Connect = Callable[..., AbstractAsyncContextManager[Client]]

WITH_A_CONFIG = {
    *("plan_audience", "preview_audience", "create_audience", "update_audience", "query_audience"),
}
OF_AUDIENCES = {
    *("preview_audience", "create_audience", "update_audience", "query_audience"),
    *("list_audiences", "get_audience", "set_status", "delete_audience", "get_account_status"),
}
WANTED = {"topicIds": [117805, 117890], "filters": {"seniority": ["vp"], "hasPhone": True}}
BRIEF = {"topics": ["CRM"], "filters": {"seniority": ["VP"], "state": ["CA"]}}
FIELDS = ["name", "jobTitle", "company", "companyIndustry", "state", "contactEmail"]


@pytest.fixture
def era() -> str:
    """Both say the same; the tests of the tools hold that."""
    return "auto"


def tokens(text: str) -> float:
    return len(text) / 4


@pytest.fixture
def costs(tools: list[Tool]) -> dict[str, float]:
    """What a model sees of each tool: its name, its words and its arguments."""
    return {
        tool.name: tokens(
            f"{tool.name}{tool.description}"
            + json.dumps(tool.input_schema, ensure_ascii=False, separators=(",", ":"))
        )
        for tool in tools
    }


async def said(client: Client, tool: str, arguments: dict[str, Any]) -> float:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error
    (block,) = result.content
    assert isinstance(block, TextContent)
    return tokens(block.text)


def test_the_tools_cost_no_more_than_they_should(costs: dict[str, float]) -> None:
    usual = [tool["name"] for tool in chosen_tools(Settings(), shown())]
    assert len(usual) == 18
    assert sum(costs[name] for name in usual) < 7_000
    assert sum(costs[name] for name in OF_AUDIENCES) < 5_000
    for name, cost in costs.items():
        assert cost < (900 if name in WITH_A_CONFIG else 450), name


@pytest.mark.anyio
async def test_an_answer_costs_what_it_says_and_no_more(connect: Connect) -> None:
    phrases = ["crm software", "marketing automation", "lead scoring"]
    topics = [117805, 117890, 117918, 117801, 102391]
    async with connect(people=20_000) as client:
        assert 200 < await said(client, "search_topics", {"queries": phrases}) < 1_000
        assert 200 < await said(client, "compare_topics", {"topicIds": topics}) < 1_200
        assert 500 < await said(client, "query_audience", {**WANTED, "limit": 25}) < 2_000
        asked = {"topicIds": [117805], "limit": 100, "fields": FIELDS}
        assert 2_000 < await said(client, "query_audience", asked) < 4_500
        listed = await client.list_tools()
    assert tokens(listed.model_dump_json(by_alias=True, exclude_none=True)) < 23_000


@pytest.mark.anyio
async def test_a_list_of_50_audiences_costs_less_than_3000(connect: Connect) -> None:
    async with connect(profile="flat") as client:
        for number in range(48):
            name = f"Marketing leaders at software companies, {number}"
            made = {"name": name, "config": {"topicIds": [117805]}}
            await client.call_tool("create_audience", made)
        assert 1_000 < await said(client, "list_audiences", {"limit": 50}) < 3_000


@pytest.mark.anyio
@pytest.mark.parametrize("profile", ["flat", "catalog"])
async def test_a_default_reply_costs_less_than_2000(connect: Connect, profile: str) -> None:
    async with connect(profile=profile) as client:
        listed = await client.call_tool("list_audiences", {})
        assert listed.structured_content is not None
        active, paused = (row[0] for row in listed.structured_content["audiences"]["rows"])
        for tool, arguments in [
            ("list_audiences", {}),
            ("get_audience", {"id": active}),
            ("preview_audience", WANTED),
            ("create_audience", {"name": "VPs", "config": WANTED}),
            ("update_audience", {"id": paused, "config": WANTED}),
            ("query_audience", {"audienceId": active}),
            ("query_audience", WANTED),
            ("get_account_status", {}),
            ("analyze_audience", {"audienceId": active}),
            ("plan_audience", BRIEF),
            ("set_status", {"id": paused, "status": "active"}),
            ("delete_audience", {"id": paused}),
        ]:
            assert await said(client, tool, arguments) < 2_000, tool
