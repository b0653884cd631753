"""No word of a server names a tool that it does not offer."""

import re
from collections.abc import AsyncGenerator, Iterator
from typing import Any, cast

import pytest
from mcp import MCPError
from mcp.types import TextResourceContents, Tool

from leadpipe_mcp.settings import Settings
from leadpipe_mcp.toolkit import published_schema
from leadpipe_mcp.tools.toolsets import TOOLS
from tests.faults.service import Fault, Sandbox
from tests.tools.assistant import Assistant, Connect, text_of

pytestmark = pytest.mark.anyio

NAMES = re.compile(rf"(?<!\w)(?:{'|'.join(tool.name for tool in TOOLS)})(?!\w)")
MISSING = "6fb81599-f601-4afe-b3ff-e8a211cae27d"
# Tools and arguments; "active" and "paused" become the ids of such audiences.
ANSWERED: list[tuple[str, dict[str, Any]]] = [
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
    ("get_audience", {"id": "active"}),
    ("get_audience", {"id": "paused"}),
    ("query_audience", {"topicIds": [117805]}),
    ("query_audience", {"audienceId": "active"}),
    ("analyze_audience", {"audienceId": "active"}),
    ("export_audience", {"id": "active", "format": "linkedin_urls"}),
    ("get_account_status", {}),
    ("list_pixels", {}),
    ("list_pixels", {"domainContains": "zzzz"}),
    ("query_visitor_data", {"domain": "northwind-shop.example"}),
    ("query_visitor_data", {"domain": "zzzz.example"}),
    ("sonarly_list_accounts", {}),
    ("sonarly_list_audiences", {}),
    ("create_audience", {"name": "New", "config": {"topicIds": [117805]}}),
    ("update_audience", {"id": "paused", "config": {"minScore": 90}}),
    ("run_audience", {"id": "active"}),
    ("set_status", {"id": "paused", "status": "active"}),
    ("create_pixel", {"domain": "acme.example", "name": "Acme"}),
    ("update_pixel", {"id": MISSING, "status": "paused"}),
    ("delete_audience", {"id": "paused"}),
]
REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("plan_audience", {"topics": ["zzzz qqqq"]}),
    ("preview_audience", {"topicIds": [117805], "filters": {"zzz": 1}}),
    ("query_audience", {"topicIds": [117805], "fields": ["zzz"]}),
    ("query_audience", {"audienceId": "active", "date": "2020-01-01"}),
    ("query_audience", {"audienceId": "active", "runId": MISSING}),
    ("analyze_audience", {"audienceId": "active", "date": "2020-01-01"}),
    ("export_audience", {"id": "active", "date": "2020-01-01"}),
    ("run_audience", {"id": "active", "cancelRunId": MISSING}),
    ("query_visitor_data", {}),
    ("create_pixel", {"domain": "northwind-shop.example", "name": "Again"}),
    ("update_pixel", {"id": MISSING, "status": "active"}),
    ("sonarly_list_prospects", {"id": "zzz"}),
]


class Heard:
    """Calls the tools that are offered, and looks for the names of others in what they say."""

    def __init__(self, client: Assistant, tools: list[Tool], ids: dict[str, str]) -> None:
        self.client = client
        self.tools = tools
        self._offered = {tool.name for tool in tools}
        self._ids = ids

    def holds(self, text: str) -> None:
        assert set(NAMES.findall(text)) <= self._offered, text

    async def call(self, tool: str, arguments: dict[str, Any]) -> None:
        if tool in self._offered:
            given = {
                name: self._ids.get(value, value) if isinstance(value, str) else value
                for name, value in arguments.items()
            }
            said = text_of(await self.client.call_tool(tool, given))
            self.holds(said)
            assert said


@pytest.fixture(
    params=[
        {"toolsets": "all", "read_only": True},
        {"toolsets": "audiences"},
        {"toolsets": "topics,visitors,sonarly"},
    ],
    ids=lambda chosen: " ".join(map(str, chosen.values())),
)
async def heard(
    request: pytest.FixtureRequest, connect: Connect, sandbox: Sandbox
) -> AsyncGenerator[Heard]:
    """A client of a server that lacks some tools."""
    async with connect(sandbox) as client:
        ids = await client.saved()
    settings = Settings(sandbox=True, confirm="off", **request.param)
    async with connect(sandbox, settings=settings) as client:
        yield Heard(client, (await client.list_tools()).tools, ids)


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


async def test_what_is_listed_or_can_be_read_names_only_tools_that_are_offered(
    heard: Heard,
) -> None:
    declared = {words for tool in TOOLS for words in words_of([published_schema(tool.arguments)])}
    for tool in heard.tools:
        schemas = (tool.input_schema, tool.output_schema)
        for words in (tool.description or "", *words_of([*schemas])):
            heard.holds(words)
            assert words, tool.name
            # What was shortened still ends as a sentence does.
            assert words in declared or words[-1] in ".!?", words
    client = heard.client
    heard.holds(client.instructions or "")
    for prompt in (await client.list_prompts()).prompts:
        heard.holds(prompt.model_dump_json())
        given = {argument.name: "x" for argument in prompt.arguments or []}
        (message,) = (await client.get_prompt(prompt.name, given)).messages
        heard.holds(message.model_dump_json())
    for address in ("leadpipe://guide", "leadpipe://filters", "leadpipe://topics/facets"):
        (content,) = (await client.read_resource(address)).contents
        assert isinstance(content, TextResourceContents)
        # Values of the catalogue are data; none is called like a tool.
        heard.holds(content.text)
    with pytest.raises(MCPError, match="There is no such audience") as refused:
        await client.read_resource(f"leadpipe://audiences/{MISSING}")
    heard.holds(str(refused.value))


async def test_replies_and_refusals_name_only_tools_that_are_offered_and_still_say_why(
    heard: Heard, sandbox: Sandbox
) -> None:
    for tool, arguments in [*ANSWERED, *REFUSED]:
        await heard.call(tool, arguments)
    for tool in heard.tools:
        for arguments in ({"zzz": 1}, {"id": "zzz"}, {"id": MISSING}):
            await heard.call(tool.name, arguments)
    for number, (tool, arguments) in enumerate(ANSWERED):
        sandbox.faults.add(Fault("status", status=(402, 404, 429)[number % 3], times=None))
        await heard.call(tool, arguments)
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
