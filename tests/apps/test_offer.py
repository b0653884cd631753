"""What clients that show pages are told of ours, and other clients are not."""

import json

import pytest
from mcp import Client
from mcp.client.extension import advertise
from mcp.types import TextResourceContents, Tool

from leadpipe_mcp.apps import DRAWN, PAGE, page, page_with
from leadpipe_mcp.sandbox import Sandbox, SandboxSettings
from leadpipe_mcp.server import build_server
from leadpipe_mcp.settings import Settings
from leadpipe_mcp.toolkit.calls import KIND_OF_PAGE, PAGES

pytestmark = pytest.mark.anyio


async def listed(era: str, *, kinds: list[str] | None) -> dict[str, Tool]:
    """The tools as a client gets them that shows pages of these kinds, or none."""
    service = Sandbox(SandboxSettings(people=300))
    server = build_server(Settings(sandbox=True, toolsets="all"), service=service)
    shows = [] if kinds is None else [advertise(PAGES, {"mimeTypes": kinds})]
    async with Client(server, mode=era, extensions=shows) as client:
        return {tool.name: tool for tool in (await client.list_tools()).tools}


async def test_a_client_that_shows_pages_is_told_which_tools_have_one(era: str) -> None:
    tools = await listed(era, kinds=[KIND_OF_PAGE])
    pages = {name: tool.meta["ui"] for name, tool in tools.items() if tool.meta}
    for name in DRAWN:
        assert pages.pop(name) == {"resourceUri": PAGE}
    assert pages.keys() == {
        name
        for name, tool in tools.items()
        if tool.annotations and not tool.annotations.read_only_hint and name != "create_audience"
    }
    assert {"set_status", "delete_audience", "export_audience", "update_pixel"} <= pages.keys()
    for told in pages.values():
        assert told == {"visibility": ["model"]}  # a host refuses it to the page


@pytest.mark.parametrize("kinds", [None, [], ["text/html"]])
async def test_other_clients_get_the_very_same_as_without_pages(
    era: str, kinds: list[str] | None
) -> None:
    tools = await listed(era, kinds=kinds)
    assert {tool.meta is None for tool in tools.values()} == {True}
    with_pages = await listed(era, kinds=[KIND_OF_PAGE])
    for name, tool in with_pages.items():
        assert tool.model_copy(update={"meta": None}) == tools[name]


async def test_the_page_is_read_like_any_resource(era: str) -> None:
    server = build_server(Settings(sandbox=True))
    async with Client(server, mode=era) as client:
        (content,) = (await client.read_resource(PAGE)).contents
        uris = {str(one.uri) for one in (await client.list_resources()).resources}
    assert isinstance(content, TextResourceContents)
    assert (content.mime_type, content.text) == (KIND_OF_PAGE, page())
    assert content.meta == {"ui": {"prefersBorder": True}}
    assert PAGE not in uris  # tools name it; nobody else needs it


def test_what_a_report_holds_cannot_end_its_element() -> None:
    hostile = "</script><script>alert(1)</script><!--\u2028"
    text = page_with([{"summary": hostile}], "2026-11-29")
    start = text.index('id="report">') + len('id="report">')
    held = text[start : text.index("</script>", start)]
    assert json.loads(held) == {"made": "2026-11-29", "replies": [{"summary": hostile}]}
    assert text.count("<script") == page().count("<script")


async def test_where_a_page_could_send_a_code_back_nothing_is_activated_by_what_it_may_call(
    era: str,
) -> None:
    service = Sandbox(SandboxSettings(people=300))
    server = build_server(Settings(sandbox=True), service=service)
    shows = [advertise(PAGES, {"mimeTypes": [KIND_OF_PAGE]})]
    given = {"name": "New", "config": {"topicIds": [117805]}}
    async with Client(server, mode=era, extensions=shows) as client:
        refused = await client.call_tool("create_audience", {**given, "status": "active"})
        assert refused.is_error
        assert "set_status" in refused.content[0].model_dump()["text"]
        saved = await client.call_tool("create_audience", given)
        assert saved.structured_content
        made = {"id": saved.structured_content["id"], "status": "active"}
        asked = await client.call_tool("set_status", made)  # which hosts refuse to the page
        assert asked.structured_content
        assert asked.structured_content["confirm"]
    async with Client(server, mode=era) as client:  # which shows no page
        twice = {**given, "name": "Another", "status": "active"}
        asked = await client.call_tool("create_audience", twice)
        assert asked.structured_content
        assert asked.structured_content["confirm"]
