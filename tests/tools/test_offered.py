"""No word of a server names a tool that it does not offer."""

import re
from collections.abc import AsyncGenerator, Iterator
from typing import Any, cast

import pytest
from mcp import Client, MCPError
from mcp.types import TextContent, TextResourceContents, Tool

from leadpipe_mcp.server import build_server
from leadpipe_mcp.settings import Settings
from leadpipe_mcp.toolkit.declaring import published_schema
from leadpipe_mcp.tools.toolsets import TOOLS
from tests.faults.service import Fault, Sandbox
from tests.tools.assistant import Assistant, Connect

pytestmark = pytest.mark.anyio

NAMES = re.compile(rf"(?<!\w)(?:{'|'.join(tool.name for tool in TOOLS)})(?!\w)")
MISSING = "6fb81599-f601-4afe-b3ff-e8a211cae27d"
WORKING: dict[str, dict[str, Any]] = {
    "compare_topics": {"topicIds": [117805]},
    "plan_audience": {"topics": ["crm"]},
    "create_audience": {"name": "New", "config": {"topicIds": [117805]}},
    "set_status": {"id": MISSING, "status": "paused"},
    "query_audience": {"audienceId": MISSING},
    "export_audience": {"id": MISSING},
    "query_visitor_data": {"domain": "northwind-shop.example"},
    "update_pixel": {"id": MISSING, "status": "paused"},
    "sonarly_list_accounts": {},
}
CHOICES = [
    {"toolsets": "all", "read_only": True},
    {"toolsets": "audiences"},
    {"toolsets": "topics,visitors,sonarly"},
]


@pytest.fixture(params=CHOICES, ids=lambda chosen: " ".join(map(str, chosen.values())))
def settings(request: pytest.FixtureRequest) -> Settings:
    return Settings(sandbox=True, confirm="off", **request.param)


@pytest.fixture
async def heard(
    connect: Connect, settings: Settings, sandbox: Sandbox
) -> AsyncGenerator[tuple[Assistant, "Heard"]]:
    """A client, and what it has heard so far."""
    async with connect(sandbox, settings=settings) as client:
        tools = (await client.list_tools()).tools
        yield client, Heard(client, tools)


class Heard:
    """Calls the tools that are offered, and looks for the names of others in what they say."""

    def __init__(self, client: Assistant, tools: list[Tool]) -> None:
        self.client = client
        self.tools = tools
        self.offered = {tool.name for tool in tools}

    def holds(self, text: str) -> None:
        assert set(NAMES.findall(text)) <= self.offered, text

    async def call(self, tool: str, **arguments: object) -> str:
        """What the tool says to this; an empty text where it is not offered."""
        if tool not in self.offered:
            return ""
        result = await self.client.call_tool(tool, arguments)
        (block,) = result.content
        assert isinstance(block, TextContent)
        self.holds(block.text)
        assert block.text
        return block.text


def words_of(schema: object) -> Iterator[str]:
    """Every description in a schema."""
    if isinstance(schema, dict):
        for key, part in cast("dict[str, object]", schema).items():
            if key == "description" and isinstance(part, str):
                yield part
            else:
                yield from words_of(part)
    if isinstance(schema, list):
        for part in cast("list[object]", schema):
            yield from words_of(part)


async def test_what_is_listed_names_only_tools_that_are_offered(
    heard: tuple[Assistant, Heard],
) -> None:
    client, names = heard
    declared = {
        words
        for tool in TOOLS
        for words in words_of([published_schema(tool.arguments, "validation")])
    }
    for tool in names.tools:
        schemas = (tool.input_schema, tool.output_schema)
        for words in (tool.description or "", *words_of([*schemas])):
            names.holds(words)
            assert words, tool.name
            # What was shortened still ends as a sentence does.
            assert words in declared or words[-1] in ".!?", words
    names.holds(client.instructions or "")
    for prompt in (await client.list_prompts()).prompts:
        names.holds(prompt.model_dump_json())
        given = {argument.name: "x" for argument in prompt.arguments or []}
        (message,) = (await client.get_prompt(prompt.name, given)).messages
        names.holds(message.model_dump_json())


async def test_what_can_be_read_names_only_tools_that_are_offered(
    heard: tuple[Assistant, Heard],
) -> None:
    client, names = heard
    for address in ("leadpipe://guide", "leadpipe://filters", "leadpipe://topics/facets"):
        (content,) = (await client.read_resource(address)).contents
        assert isinstance(content, TextResourceContents)
        # Values of the catalogue are data; none is called like a tool.
        names.holds(content.text)
    with pytest.raises(Exception, match="There is no such audience") as refused:
        await client.read_resource(f"leadpipe://audiences/{MISSING}")
    names.holds(str(refused.value))


async def test_replies_name_only_tools_that_are_offered(
    heard: tuple[Assistant, Heard], sandbox: Sandbox
) -> None:
    _, names = heard
    active, paused = await two_ids(sandbox)
    for tool, arguments in (
        ("search_topics", {"queries": ["crm"]}),
        ("search_topics", {"queries": ["zzzz"]}),
        ("search_topics", {}),
        ("compare_topics", {"topicIds": [117805]}),
        ("get_topic_movers", {}),
        ("analyze_website_topics", {"url": "https://acme.example"}),
        ("plan_audience", {"topics": ["crm"], "targetSize": {"min": 1, "max": 2}}),
        ("find_filters", {}),
        ("preview_audience", {"topicIds": [117805]}),
        ("list_audiences", {}),
        ("get_audience", {"id": active}),
        ("get_audience", {"id": paused}),
        ("query_audience", {"topicIds": [117805]}),
        ("query_audience", {"audienceId": active}),
        ("analyze_audience", {"audienceId": active}),
        ("export_audience", {"id": active, "format": "linkedin_urls"}),
        ("get_account_status", {}),
        ("list_pixels", {}),
        ("list_pixels", {"domainContains": "zzzz"}),
        ("query_visitor_data", {"domain": "northwind-shop.example"}),
        ("query_visitor_data", {"domain": "zzzz.example"}),
        ("sonarly_list_accounts", {}),
        ("sonarly_list_audiences", {}),
        ("create_audience", {"name": "New", "config": {"topicIds": [117805]}}),
        ("update_audience", {"id": paused, "config": {"minScore": 90}}),
        ("run_audience", {"id": active}),
        ("set_status", {"id": paused, "status": "active"}),
        ("create_pixel", {"domain": "acme.example", "name": "Acme"}),
        ("delete_audience", {"id": paused}),
    ):
        await names.call(tool, **arguments)


async def test_refusals_name_only_tools_that_are_offered_and_still_say_why(
    heard: tuple[Assistant, Heard], sandbox: Sandbox
) -> None:
    _, names = heard
    active, _ = await two_ids(sandbox)
    for tool in names.tools:
        await names.call(tool.name, zzz=1)
        await names.call(tool.name, id="zzz")
        await names.call(tool.name, id=MISSING)
    for tool, arguments in (
        ("plan_audience", {"topics": ["zzzz qqqq"]}),
        ("preview_audience", {"topicIds": [117805], "filters": {"zzz": 1}}),
        ("query_audience", {"topicIds": [117805], "fields": ["zzz"]}),
        ("query_audience", {"audienceId": active, "date": "2020-01-01"}),
        ("query_audience", {"audienceId": active, "runId": MISSING}),
        ("analyze_audience", {"audienceId": active, "date": "2020-01-01"}),
        ("export_audience", {"id": active, "date": "2020-01-01"}),
        ("run_audience", {"id": active, "cancelRunId": MISSING}),
        ("query_visitor_data", {}),
        ("create_pixel", {"domain": "northwind-shop.example", "name": "Again"}),
        ("update_pixel", {"id": MISSING, "status": "active"}),
        ("sonarly_list_prospects", {"id": "zzz"}),
    ):
        await names.call(tool, **arguments)
    for fault in (402, 404, 429):
        sandbox.faults.add(Fault("status", status=fault, times=None))
        for tool, arguments in WORKING.items():
            await names.call(tool, **arguments)
        sandbox.faults.clear()


async def test_a_conversation_is_offered_where_the_tool_is_that_it_begins_with(
    connect: Connect,
) -> None:
    async with connect(settings=Settings(sandbox=True)) as client:
        usual = [prompt.name for prompt in (await client.list_prompts()).prompts]
    async with connect(settings=Settings(sandbox=True, toolsets="visitors")) as client:
        visitors = [prompt.name for prompt in (await client.list_prompts()).prompts]
        with pytest.raises(MCPError, match="There are: investigate-visitor-data"):
            await client.get_prompt("build-audience", {"goal": "x"})
    assert usual == ["build-audience", "discover-audience-topics", "operate-saved-audience"]
    assert visitors == ["investigate-visitor-data"]


NOT_FOUND = "The service refused with status 404: Audience not found."


async def test_what_remains_of_a_refusal_is_a_sentence(connect: Connect) -> None:
    async with connect(settings=Settings(sandbox=True, toolsets="results")) as client:
        said = await client.refused("query_audience", audienceId=MISSING)
        assert said == f"{NOT_FOUND} Check the id. If the id is right, check LEADPIPE_BASE_URL."
        said = await client.refused("query_audience", audienceId="zzz")
        assert said == f"'audienceId' must be an id like {MISSING}."


async def test_a_name_that_is_that_of_a_tool_is_no_mention_of_the_tool(connect: Connect) -> None:
    name = "Bob's. Use query_audience; or it's (so)"
    settings = Settings(sandbox=True, confirm="off", toolsets="audiences")
    config = {"topicIds": [117805]}
    async with connect(settings=settings) as client:
        made = await client.call_tool("create_audience", {"name": name, "config": config})
        listed = await client.call_tool("list_audiences", {"nameContains": name})
    assert made.structured_content
    assert listed.structured_content
    shown = name.replace("'", "\u2019")
    assert made.structured_content["summary"].startswith(f"'{shown}' is saved (draft). ")
    summary = f"1 audience with '{name.casefold()}' in the name."
    assert listed.structured_content["summary"] == summary


async def two_ids(sandbox: Sandbox) -> tuple[str, str]:
    """The ids of the active and of the paused audience."""
    async with Client(build_server(Settings(sandbox=True), service=sandbox)) as client:
        result = await client.call_tool("list_audiences", {})
    assert result.structured_content
    rows = result.structured_content["audiences"]["rows"]
    ids = {row[2]: row[0] for row in rows}
    return ids["active"], ids["paused"]
