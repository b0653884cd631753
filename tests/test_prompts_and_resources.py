"""Ready-made conversations, what is offered while a person fills them in, and things to read."""

import json
import re
from collections.abc import AsyncGenerator

import anyio
import pytest
from mcp import Client, MCPError
from mcp.types import (
    INVALID_PARAMS,
    PromptReference,
    ResourceTemplateReference,
    TextContent,
    TextResourceContents,
)
from starlette.types import Receive, Scope, Send

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
        server = build_server(Settings(sandbox=True, toolsets="all"), service=sandbox)
        async with Client(server, mode=era) as client:
            yield client


async def text_of(client: Client, **arguments: str) -> str:
    (message,) = (await client.get_prompt("build-audience", arguments)).messages
    assert message.role == "user"
    assert isinstance(message.content, TextContent)
    return message.content.text


async def test_what_was_given_is_in_the_text_and_what_was_not_leaves_no_trace(
    client: Client,
) -> None:
    bare = await text_of(client, goal="CFOs in Texas")
    full = await text_of(client, goal="CFOs", audienceType="b2b")
    assert "What I want: CFOs in Texas\n" in bare
    assert "Whom I sell to" not in bare
    assert "Whom I sell to: b2b\n" in full
    assert "{" not in bare + full
    # Words that are given open no new places.
    odd = await text_of(client, goal="{audienceType} \u202e{0}")
    assert "What I want: {audienceType} {0}\n" in odd


async def test_a_wrong_call_is_the_protocols_own_error(client: Client) -> None:
    cases: list[tuple[str, dict[str, str], str]] = [
        ("build-audience", {}, "'build-audience' needs 'goal'"),
        ("operate-saved-audience", {"goal": "pause"}, "needs 'audienceId'"),
        ("build-audience", {"goal": " "}, "needs 'goal'"),
        ("build-audience", {"goal": "x", "size": "9"}, "has no 'size'"),
        ("build-an-audience", {}, "There are: build-audience, discover"),
    ]
    for name, arguments, said in cases:
        with pytest.raises(MCPError) as refused:
            await client.get_prompt(name, arguments)
        assert refused.value.error.code == INVALID_PARAMS
        assert said in refused.value.error.message


async def test_what_is_known_is_offered_while_a_person_types(
    client: Client, sandbox: Sandbox
) -> None:
    async def offered(argument: str, typed: str) -> list[str]:
        prompt = PromptReference(name="build-audience")
        told = await client.complete(prompt, {"name": argument, "value": typed})
        return told.completion.values

    assert (await offered("industry", "mark"))[0] == "Marketing"
    assert "Service" in await offered("category", "serv")
    assert await offered("audienceType", "b2") == ["b2b", "b2c"]
    assert await offered("domain", "north") == ["northwind-shop.example"]
    assert len(await offered("industry", "")) == 20
    # Audiences are offered by name, and by the beginning of their ids.
    (found,) = await offered("audienceId", "marketing dir")
    template = ResourceTemplateReference(uri="leadpipe://audiences/{id}")
    told = await client.complete(template, {"name": "id", "value": found[:6]})
    assert told.completion.values == [found]
    # Where there is nothing to offer, typing goes on.
    sandbox.faults.add(Fault("status", status=503, times=None))
    assert await offered("goal", "x") == await offered("audienceId", "x") == []


# Things to read


async def read(client: Client, path: str) -> str:
    (content,) = (await client.read_resource(f"leadpipe://{path}")).contents
    assert isinstance(content, TextResourceContents)
    return content.text


async def test_the_guide_names_only_tools_that_there_are_and_the_rest_is_live(
    client: Client,
) -> None:
    guide = await read(client, "guide")
    names = set(re.findall(r"`([a-z]+_[a-z_]+)`", guide))
    assert names <= {tool.name for tool in TOOLS}
    assert len(names) == 11
    assert len(guide) < 8_000
    filters = json.loads(await read(client, "filters"))
    assert "software development" in filters["filters"]["companyIndustry"]
    assert len(json.dumps(filters)) / 4 < 1_200
    facets = json.loads(await read(client, "topics/facets"))
    assert (facets["total"], facets["sandbox"]) == (20_068, True)
    listed = await client.call_tool("list_audiences", {})
    assert listed.structured_content
    row = listed.structured_content["audiences"]["rows"][0]
    audience = json.loads(await read(client, f"audiences/{row[0]}"))
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
            await read(client, path)
        assert refused.value.error.code == INVALID_PARAMS
        assert said in refused.value.error.message
    sandbox.faults.add(Fault("status", status=503, path="/filters", times=3))
    with pytest.raises(MCPError, match="The service failed with status 503"):
        await read(client, "filters")
    sandbox.faults.add(Fault("html", status=404, path="/audiences"))
    with pytest.raises(MCPError, match="The address of the service looks wrong"):
        await read(client, "audiences/6fb81599-f601-4afe-b3ff-e8a211cae27d")


async def test_a_crash_while_something_is_read_is_said_without_what_it_held(era: str) -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("secretly.hidden@acme.example")

    server = build_server(Settings(sandbox=True), service=broken)
    async with Client(server, mode=era) as client:
        with pytest.raises(MCPError) as refused:
            await read(client, "filters")
    assert refused.value.error.message == (
        "This could not be read: leadpipe-mcp failed. Its log tells where."
    )
