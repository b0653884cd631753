"""Two processes of the server, with a real Redis, behind a real nginx that takes them in turn."""

import shutil
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path

import anyio
import httpx2
import pytest
from mcp import Client, MCPError
from mcp.client import ClientRequestContext
from mcp.client.streamable_http import streamable_http_client
from mcp.types import ElicitRequestParams, ElicitResult

from tests.hosting import machines
from tests.hosting.conftest import Host, called
from tests.hosting.test_many import Service, found

pytestmark = [
    pytest.mark.machines,
    pytest.mark.anyio,
    pytest.mark.skipif(
        not (shutil.which("redis-server") and shutil.which("nginx")),
        reason="needs redis-server and nginx (of Debian: redis-server, nginx-light)",
    ),
]
KEY = "sk_live_anna_0001"
WANTED = {"topicIds": [117805], "filters": {"hasPhone": True}}


class Machines:
    """Where the two are, their processes, and Redis."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.redis_port = machines.free_port()
        self.redis = stack.enter_context(machines.redis(folder, self.redis_port))
        service = stack.enter_context(machines.sandbox())
        self.logs = [folder / f"{number}.log" for number in range(2)]
        self.servers = [
            stack.enter_context(
                machines.server(
                    log,
                    base_url=service,
                    secret=machines.SECRET,
                    redis_url=f"redis://127.0.0.1:{self.redis_port}",
                    requests_per_minute="10000",
                )
            )
            for log in self.logs
        ]
        ports = [port for port, _ in self.servers]
        self.url = stack.enter_context(machines.nginx(folder, ports))

    def http(self) -> httpx2.AsyncClient:
        """Return a client with a key, which asks the two in turn."""
        return httpx2.AsyncClient(headers={"authorization": f"Bearer {KEY}"}, timeout=30)


@pytest.fixture
def two(tmp_path: Path) -> Generator[Machines]:
    with ExitStack() as stack:
        yield Machines(tmp_path, stack)


async def agree(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
    del context, params  # whatever is asked
    return ElicitResult(action="accept", content={"approve": True})


async def test_a_conversation_goes_on_with_whichever_process_is_next(two: Machines) -> None:
    async with two.http() as http:
        transport = streamable_http_client(f"{two.url}/mcp", http_client=http)
        async with Client(transport, elicitation_callback=agree) as client:
            made = await called(client, "create_audience", name="Buyers", config=WANTED)
            active = await called(client, "set_status", id=made["id"], status="active")
            assert active["status"] == "active"
        transport = streamable_http_client(f"{two.url}/mcp", http_client=http)
        async with Client(transport, mode="legacy") as client:
            asked = await called(client, "delete_audience", id=made["id"])
            gone = await called(client, "delete_audience", id=made["id"], confirm=asked["confirm"])
            assert "deleted" in gone["summary"]
    for log in two.logs:
        text = log.read_text()
        assert " ok " in text
        assert KEY not in text


async def test_a_process_that_dies_loses_no_more_than_the_call_it_was_answering(
    two: Machines,
) -> None:
    async with two.http() as http:
        transport = streamable_http_client(f"{two.url}/mcp", http_client=http)
        async with Client(transport) as client:
            lost = 0
            for number in range(40):
                if number == 10:
                    two.servers[0][1].kill()
                try:
                    await called(client, "list_audiences")
                except (MCPError, httpx2.HTTPError):
                    lost += 1
    assert lost <= 1


async def test_redis_may_go_away_and_come_back(two: Machines) -> None:
    async with two.http() as http:
        transport = streamable_http_client(f"{two.url}/mcp", http_client=http)
        async with Client(transport, mode="legacy") as client:
            made = await called(client, "create_audience", name="Buyers", config=WANTED)
            asked = await called(client, "set_status", id=made["id"], status="active")
            two.redis.kill()
            two.redis.wait()
            active = await called(
                client, "set_status", id=made["id"], status="active", confirm=asked["confirm"]
            )
            assert active["status"] == "active"
            ready = await http.get(f"http://127.0.0.1:{two.servers[0][0]}/readyz")
            assert ready.json() == {"status": "ready", "redis": "away"}
            with machines.redis(two.folder, two.redis_port):
                for port, _ in two.servers:
                    await until_redis_is_back(http, port)
                assert (await called(client, "list_audiences"))["audiences"]
    assert all("Redis is back" in log.read_text() for log in two.logs)


async def until_redis_is_back(http: httpx2.AsyncClient, port: int) -> None:
    for _ in range(200):
        ready = await http.get(f"http://127.0.0.1:{port}/readyz")
        if ready.json()["redis"] == "ok":
            return
        await anyio.sleep(0.05)
    raise AssertionError


async def test_a_catalogue_in_redis_is_read_by_its_caller_alone(host: Host, tmp_path: Path) -> None:
    port = machines.free_port()
    url, keys = f"redis://127.0.0.1:{port}", (KEY, "sk_live_ben_0002")
    asked: list[list[str]] = []
    with machines.redis(tmp_path, port):
        for wanted in ([KEY], list(keys)):
            service = Service()
            async with host(service, secret=machines.SECRET, redis_url=url) as hosted:
                for key in wanted:
                    assert await found(hosted, key)
            asked.append(service.asked)
        async with await anyio.connect_tcp("127.0.0.1", port) as asking:
            await asking.send(b"KEYS *kept*\r\n")
            names = await asking.receive()
    # The second process asks the service only for whoever has not been answered yet.
    assert asked == [[KEY], [keys[1]]]
    assert names.startswith(b"*2\r\n")
    assert b"sk_" not in names
