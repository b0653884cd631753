"""Where requests go: to the addresses in the settings, and nowhere else; keys even less."""

import asyncio
import io
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import NamedTuple

import pytest
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from leadpipe_mcp.api.connections import Application, serve_in_process
from leadpipe_mcp.api.transport import Transport
from leadpipe_mcp.errors import UnusableAnswer
from leadpipe_mcp.sandbox import SandboxSettings
from leadpipe_mcp.settings import Settings
from tests.faults.cells import LINKED
from tests.faults.service import Sandbox
from tests.security.services import CANARIES, ONE_CALL_EACH, Connect, World, ids, said

pytestmark = pytest.mark.anyio
# More people than pages are asked for, so that they come as the service's file.
CONFIG = {"topicIds": [117805], "minScore": 0}
WIDE = {"name": "Wide", "config": CONFIG, "status": "active"}


class Seen(NamedTuple):
    """A request that came in."""

    host: str
    path: str
    has_key: bool


class Watched:
    """An application behind a prefix, and all that it was asked."""

    def __init__(self, application: Application, prefix: str = "") -> None:
        self.application, self.prefix = application, prefix
        self.seen: list[Seen] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        sent = (*request.headers.values(), str(request.url))
        has_key = any(CANARIES["key"] in text for text in sent)
        self.seen.append(Seen(request.url.netloc, request.url.path, has_key))
        path: str = scope["path"]
        assert path.startswith(self.prefix), path
        inner = path.removeprefix(self.prefix)
        scope = {**scope, "path": inner, "raw_path": inner.encode()}
        await self.application(scope, receive, send)


async def test_a_prefix_in_the_address_stays_in_front_of_every_request(
    connect: Connect, real: Settings, world: World
) -> None:
    leadpipe, sonarly = Watched(world.leadpipe, "/gate/one"), Watched(world.sonarly, "/two")
    addresses = {
        "base_url": "https://gate.test:8443/gate/one/",
        "sonarly_base_url": "https://s.test/two",
    }
    settings = Settings.model_validate({**real.model_dump(), **addresses})
    async with connect(leadpipe, sonarly, settings=settings) as client:
        linked = (await ids(client))[LINKED]
        made = (await said(client, "create_audience", **WIDE))["id"]
        await said(client, "query_audience", audienceId=made)
        await said(client, "analyze_audience", audienceId=made)
        await said(client, "set_status", id=made, status="paused")
        await said(client, "sonarly_list_prospects", id=linked)
    assert {seen.host for seen in leadpipe.seen} == {"gate.test:8443"}
    assert {seen.host for seen in sonarly.seen} == {"s.test"}
    assert any(seen.path.endswith("/export.csv") for seen in leadpipe.seen)


async def test_a_signed_link_on_another_host_is_asked_without_the_key(
    connect: Connect, real: Settings
) -> None:
    flat = Sandbox(SandboxSettings(people=1_000, run_seconds=0, profile="flat"))

    async def elsewhere(scope: Scope, receive: Receive, send: Send) -> None:
        """The service, whose links lead to another host, as those of real files do."""

        async def change(message: Message) -> None:
            if b"downloadUrl" in message.get("body", b""):
                # Of the same length.
                message["body"] = message["body"].replace(b"//service.test/", b"//elsewhe.test/")
            await send(message)

        await flat(scope, receive, change)

    service = Watched(elsewhere)
    pinned = Settings.model_validate({**real.model_dump(), "api_profile": "flat"})
    async with connect(service, settings=pinned) as client:
        made = await said(client, "create_audience", **WIDE)
        await said(client, "analyze_audience", audienceId=made["id"])
    theirs = [seen.has_key for seen in service.seen if seen.host != "service.test"]
    assert theirs == [False]
    assert sum(seen.has_key for seen in service.seen) == len(service.seen) - 1 > 0


async def test_a_service_elsewhere_cannot_have_a_file_fetched_from_this_machine() -> None:
    watched, came = Watched(Response("id\n1\n")), io.BytesIO()

    def at(address: str) -> Transport:
        return Transport(address, SecretStr(CANARIES["key"]), network=serve_in_process(watched))

    for link in ("http://127.0.0.1:8080/people.csv", "http://localhost/people.csv"):
        with pytest.raises(UnusableAnswer, match="leads into this machine, and was not followed"):
            await at("https://service.test").download(link, came)
    assert (watched.seen, came.getvalue()) == ([], b"")
    await at("http://127.0.0.1:8787").download("http://127.0.0.1:8787/people.csv", came)
    assert [one.has_key for one in watched.seen] == [False]


# Over sockets of this machine, which take the time that they take: no clock may leap over it


@asynccontextmanager
async def origin(answer: str) -> AsyncGenerator[tuple[str, list[str]]]:
    """The address of a server that answers every request in one way, and what it was asked."""
    asked: list[str] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(f"HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("status", [302, 307])
async def test_the_other_origin_gets_no_request(
    status: int, connect: Connect, real: Settings
) -> None:
    key = CANARIES["key"]
    async with (
        origin("200 OK") as (other, asked_of_other),
        origin(f"{status} Found\r\nLocation: {other}/steal?key={key}") as (service, asked),
    ):
        addresses = {"base_url": service, "sonarly_base_url": service}
        settings = Settings.model_validate({**real.model_dump(), **addresses})
        async with connect(None, None, settings=settings) as client:
            for tool in ("list_audiences", "delete_audience", "sonarly_list_accounts"):
                told = str((await client.call_tool(tool, ONE_CALL_EACH[tool])).content)
                assert "answered with a redirect" in told, tool
                assert other.rpartition(":")[2] not in told
    assert len(asked) >= 3
    assert all(key in request for request in asked)
    assert asked_of_other == []
