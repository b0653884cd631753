"""Ready-made conversations, and what is offered while a person fills them in."""

from collections.abc import AsyncGenerator

import anyio
import pytest
from mcp import Client, MCPError
from mcp.types import INVALID_PARAMS, PromptReference, ResourceTemplateReference, TextContent

from leadpipe_mcp.sandbox import SandboxSettings
from leadpipe_mcp.server import build_server
from leadpipe_mcp.settings import Settings
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
