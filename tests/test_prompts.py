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

BUILD = PromptReference(name="build-audience")


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(SandboxSettings(people=2_000))


@pytest.fixture
async def client(era: str, sandbox: Sandbox) -> AsyncGenerator[Client]:
    with anyio.fail_after(60):
        server = build_server(Settings(sandbox=True, toolsets="all"), service=sandbox)
        async with Client(server, mode=era) as client:
            yield client


async def text_of(client: Client, name: str, arguments: dict[str, str]) -> str:
    result = await client.get_prompt(name, arguments)
    (message,) = result.messages
    assert message.role == "user"
    assert isinstance(message.content, TextContent)
    return message.content.text


async def test_what_was_given_stands_in_the_text_and_what_was_not_leaves_no_trace(
    client: Client,
) -> None:
    bare = await text_of(client, "build-audience", {"goal": "CFOs in Texas"})
    full = await text_of(client, "build-audience", {"goal": "CFOs", "audienceType": "b2b"})

    assert "What I want: CFOs in Texas\n" in bare
    assert "Whom I sell to" not in bare
    assert "Whom I sell to: b2b\n" in full
    assert "{" not in bare + full
    # Words that are given open no new places.
    odd = await text_of(client, "build-audience", {"goal": "{audienceType} \u202e{0}"})
    assert "What I want: {audienceType} {0}\n" in odd


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("build-audience", {}, "'build-audience' needs 'goal'"),
        ("operate-saved-audience", {"goal": "pause"}, "needs 'audienceId'"),
        ("build-audience", {"goal": " "}, "needs 'goal'"),
        ("build-audience", {"goal": "x", "size": "9"}, "has no 'size'"),
        ("build-an-audience", {}, "There are: build-audience, discover"),
    ],
)
async def test_a_wrong_call_is_the_protocols_own_error(
    client: Client, name: str, arguments: dict[str, str], said: str
) -> None:
    with pytest.raises(MCPError) as refused:
        await client.get_prompt(name, arguments)

    assert refused.value.error.code == INVALID_PARAMS
    assert said in refused.value.error.message


async def offered(client: Client, argument: str, typed: str) -> list[str]:
    told = await client.complete(BUILD, {"name": argument, "value": typed})
    return told.completion.values


async def test_ids_of_audiences_are_offered_by_name_and_by_their_beginning(
    client: Client,
) -> None:
    found = await offered(client, "audienceId", "marketing dir")
    reference = ResourceTemplateReference(uri="leadpipe://audiences/{id}")
    told = await client.complete(reference, {"name": "id", "value": found[0][:6]})

    assert len(found) == 1
    assert told.completion.values == found


async def test_industries_categories_types_and_domains_are_offered(client: Client) -> None:
    assert (await offered(client, "industry", "mark"))[0] == "Marketing"
    assert "Service" in await offered(client, "category", "serv")
    assert await offered(client, "audienceType", "b2") == ["b2b", "b2c"]
    assert await offered(client, "domain", "north") == ["northwind-shop.example"]
    assert len(await offered(client, "industry", "")) == 20


async def test_where_there_is_nothing_to_offer_typing_goes_on(
    client: Client, sandbox: Sandbox
) -> None:
    sandbox.faults.add(Fault("status", status=503, times=None))

    assert await offered(client, "goal", "x") == []
    assert await offered(client, "audienceId", "x") == []
