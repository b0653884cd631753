"""Over a real port. It takes a moment: a second Python has to start."""

import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from pydantic import SecretStr

from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.models import AudienceConfig
from leadpipe_mcp.api.sonarly import SonarlyClient, sonarly_transport
from leadpipe_mcp.api.transport import Transport
from leadpipe_mcp.errors import Unreachable
from leadpipe_mcp.settings import Settings

pytestmark = pytest.mark.anyio
CONTROL = "/_sandbox/faults"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def url(serving: Callable[[str], AbstractContextManager[str]]) -> Iterator[str]:
    with serving("people=300, examples=False") as url:
        yield url


@pytest.fixture
async def transport(url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Transport]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    transport = Transport(url, SecretStr("sk_test"), total_seconds=20)
    yield transport
    await transport.close()


@pytest.fixture
def said() -> Iterator[dict[str, str]]:
    """The variables that `leadpipe-mcp sandbox` says to set."""
    command = [sys.executable, "-m", "leadpipe_mcp", "sandbox", "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        words = [word for _ in range(2) for word in process.stdout.readline().split()]
        yield dict(word.split("=") for word in words)
        process.terminate()
        process.wait(timeout=10)


async def arm(transport: Transport, **fault: str | int) -> None:
    await transport.request("POST", CONTROL, body=fault)


async def test_a_client_speaks_over_a_port(transport: Transport) -> None:
    client = LeadpipeClient(transport)
    config = AudienceConfig(topic_ids=(117805,), filters={"hasPhone": True})
    saved = await client.audiences.create("Buyers", await client.configs.spell(config))
    assert [audience.id for audience in await client.audiences.list()] == [saved.id]
    await client.audiences.delete(saved.id)
    assert await client.audiences.list() == ()
    await client.close()
    assert (await client.account()).healthy is True


async def test_the_sandbox_on_a_port_says_how_to_reach_both_services(
    said: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    settings = Settings.read(said, {})
    leadpipe = LeadpipeClient(Transport(settings.base_url, settings.api_key))
    sonarly = SonarlyClient(sonarly_transport(settings.sonarly_base_url, settings.sonarly_api_key))
    assert (await leadpipe.account()).healthy is True
    assert [group.name for group in await sonarly.accounts()] == ["Acme Growth"]
    await leadpipe.close()
    await sonarly.close()


@pytest.mark.parametrize("kind", ["reset", "reset_after", "cut"])
async def test_a_lost_connection_is_said_to_be_one(kind: str, transport: Transport) -> None:
    lost = "The connection to the service was lost before its answer was complete."
    await arm(transport, kind=kind, times=3)
    with pytest.raises(Unreachable) as caught:
        await transport.request("GET", "/v1/data/account")
    assert caught.value.problem == lost
    assert "Try again in a minute" in caught.value.advice
    await arm(transport, kind=kind)
    body = {"name": "Buyers", "config": {"topicIds": [117805]}}
    with pytest.raises(Unreachable, match="look before trying again") as caught:
        await transport.request("POST", "/v1/intent/audiences", body=body)
    assert caught.value.problem == lost
    answer = await transport.request("GET", "/v1/intent/audiences")
    saved = answer.items()
    # Only with "reset" was nothing done: the error does not pretend to know.
    assert len(saved) == (0 if kind == "reset" else 1)
    for audience in await LeadpipeClient(transport).audiences.list():
        await LeadpipeClient(transport).audiences.delete(audience.id)


async def test_a_slow_answer_is_given_up(url: str, transport: Transport) -> None:
    await arm(transport, kind="delay", delay_ms=300, path="/account")
    hasty = Transport(url, SecretStr("sk_test"), total_seconds=0.05)
    with pytest.raises(Unreachable, match="did not answer in the time"):
        await hasty.request("GET", "/v1/data/account")
    await hasty.close()


async def test_where_nobody_listens_nothing_was_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    transport = Transport(f"http://127.0.0.1:{port}", SecretStr("sk_test"), total_seconds=20)
    with pytest.raises(Unreachable, match="nothing was sent"):
        await transport.request("POST", "/v1/intent/audiences", body={})
    await transport.close()
