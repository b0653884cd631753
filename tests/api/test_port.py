"""Over a real port. It takes a moment: a second Python has to start."""

from collections.abc import AsyncIterator, Iterator

import pytest
from pydantic import SecretStr

from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.models import AudienceConfig
from leadpipe_mcp.api.transport import Transport
from leadpipe_mcp.errors import Unreachable
from tests.api.answering import refusal
from tests.faults.service import served

pytestmark = pytest.mark.anyio
AUDIENCES = "/v1/intent/audiences"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with served(people=300, examples=False) as url:
        yield url


@pytest.fixture
async def transport(url: str) -> AsyncIterator[Transport]:
    transport = Transport(url, SecretStr("sk_test"))
    yield transport
    await transport.close()


async def test_a_client_speaks_over_a_port(transport: Transport) -> None:
    client = LeadpipeClient(transport)
    config = AudienceConfig(topic_ids=(117805,), filters={"hasPhone": True})
    saved = await client.audiences.create("Buyers", await client.configs.spell(config))
    assert [audience.id for audience in await client.audiences.list()] == [saved.id]
    await client.audiences.delete(saved.id)
    assert await client.audiences.list() == ()
    await client.close()
    assert (await client.account()).healthy is True


@pytest.mark.parametrize(
    ("kind", "saved"), [("refused", 0), ("reset", 0), ("reset_after", 1), ("cut", 1)]
)
async def test_a_lost_connection_is_said_to_be_one_and_no_more(
    kind: str, saved: int, transport: Transport
) -> None:
    lost = "The connection to the service was lost before its answer was complete."
    await transport.request("POST", "/_sandbox/faults", body={"kind": kind, "times": 4})
    error = await refusal(transport)
    assert (error.problem, "Try again in a minute" in error.advice) == (lost, True)
    body = {"name": kind, "config": {"topicIds": [117805]}}
    with pytest.raises(Unreachable, match="look before trying again") as caught:
        await transport.request("POST", AUDIENCES, body=body)
    assert caught.value.problem == lost
    found = (await transport.request("GET", AUDIENCES)).items()
    assert f"{found}".count(f"'{kind}'") == saved
