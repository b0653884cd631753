"""Where requests go: to the addresses in the settings, and nowhere else; keys even less."""

import io
from dataclasses import dataclass

import pytest
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Message, Receive, Scope, Send

from leadpipe_mcp import cli
from leadpipe_mcp.api.connections import Application, serve_in_process
from leadpipe_mcp.api.transport import Transport
from leadpipe_mcp.errors import UnusableAnswer
from leadpipe_mcp.sandbox import SandboxSettings
from leadpipe_mcp.settings import Settings
from leadpipe_mcp.tools.toolsets import TOOLS
from tests.faults.service import Sandbox
from tests.security.services import CANARIES, ONE_CALL_EACH, Connect, World, words

pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class Seen:
    """A request that came in."""

    host: str
    path: str
    has_key: bool


class Watched:
    """The application, and all that it was asked."""

    def __init__(self, application: Application, key: str) -> None:
        self.application = application
        self.key = key
        self.seen: list[Seen] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        has_key = any(self.key in text for text in (*request.headers.values(), str(request.url)))
        self.seen.append(Seen(request.url.netloc, request.url.path, has_key))
        await self.application(scope, receive, send)


# A prefix in the address


async def test_a_prefix_in_the_address_stays_in_front_of_every_request(
    connect: Connect, real: Settings, world: World
) -> None:
    def behind(gate: str, application: Application) -> Watched:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            path: str = scope["path"]
            assert path.startswith(gate), path
            inner = path.removeprefix(gate)
            await application({**scope, "path": inner, "raw_path": inner.encode()}, receive, send)

        return Watched(answer, CANARIES["key"])

    leadpipe, sonarly = behind("/gate/one", world.leadpipe), behind("/two", world.sonarly)
    addresses = {
        "base_url": "https://gate.test:8443/gate/one/",
        "sonarly_base_url": "https://s.test/two",
    }
    settings = Settings.model_validate({**real.model_dump(), **addresses})
    async with connect(leadpipe, sonarly, settings=settings) as client:
        listed = (await client.call_tool("list_audiences", {})).structured_content
        linked = (await client.call_tool("sonarly_list_audiences", {})).structured_content
        assert listed
        assert linked
        # More people than pages are asked for, so that they come as the service's file.
        wide = {"name": "Wide", "config": {"topicIds": [117805], "minScore": 0}}
        made = await client.call_tool("create_audience", {**wide, "status": "active"})
        assert made.structured_content
        everyone = {"audienceId": made.structured_content["id"]}
        for tool, arguments in (
            ("query_audience", everyone),
            ("analyze_audience", everyone),
            ("set_status", {"id": everyone["audienceId"], "status": "paused"}),
            ("sonarly_list_prospects", {"id": linked["audiences"]["rows"][0][0]}),
        ):
            result = await client.call_tool(tool, arguments)
            assert not result.is_error, (tool, result)
    assert {seen.host for seen in leadpipe.seen} == {"gate.test:8443"}
    assert {seen.host for seen in sonarly.seen} == {"s.test"}
    assert any(seen.path.endswith("/export.csv") for seen in leadpipe.seen)


@pytest.mark.parametrize("name", ["LEADPIPE_BASE_URL", "SONARLY_BASE_URL"])
def test_a_server_that_would_send_a_key_in_the_open_does_not_start(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for host in ("api.example", "192.0.2.7", "localhost.example", "0.0.0.0:80"):
        monkeypatch.setenv(name, f"http://{host}")
        with pytest.raises(SystemExit) as ended:
            cli.main([])
        assert ended.value.code == (
            f"leadpipe-mcp: {name}: must start with https:// (http is only for this machine)."
        )


async def test_a_signed_link_on_another_host_is_asked_without_the_key(
    connect: Connect, real: Settings
) -> None:
    flat = Sandbox(SandboxSettings(people=3_000, run_seconds=0, profile="flat"))

    async def elsewhere(scope: Scope, receive: Receive, send: Send) -> None:
        """The service, whose links lead to another host, as those of real files do."""

        async def change(message: Message) -> None:
            if b"downloadUrl" in message.get("body", b""):
                # Of the same length.
                message["body"] = message["body"].replace(b"//service.test/", b"//elsewhe.test/")
            await send(message)

        await flat(scope, receive, change)

    service = Watched(elsewhere, CANARIES["key"])
    pinned = Settings.model_validate({**real.model_dump(), "api_profile": "flat"})
    async with connect(service, settings=pinned) as client:
        wide = {"name": "Wide", "config": {"topicIds": [117805], "minScore": 0}}
        made = await client.call_tool("create_audience", {**wide, "status": "active"})
        assert made.structured_content
        of = {"audienceId": made.structured_content["id"]}
        result = await client.call_tool("analyze_audience", of)
    assert not result.is_error, result
    own = [seen.has_key for seen in service.seen if seen.host == "service.test"]
    theirs = [seen.has_key for seen in service.seen if seen.host == "elsewhe.test"]
    assert theirs == [False]
    assert len(own) == len(service.seen) - 1
    assert any(own)


async def test_a_service_elsewhere_cannot_have_a_file_fetched_from_this_machine() -> None:
    watched = Watched(Response("id\n1\n"), "sk_canary")
    elsewhere = Transport(
        "https://service.test", SecretStr("sk_canary"), network=serve_in_process(watched)
    )
    came = io.BytesIO()
    for link in ("http://127.0.0.1:8080/people.csv", "http://localhost/people.csv"):
        with pytest.raises(UnusableAnswer, match="leads into this machine, and was not followed"):
            await elsewhere.download(link, came)
    assert (watched.seen, came.getvalue()) == ([], b"")
    here = Transport(
        "http://127.0.0.1:8787", SecretStr("sk_canary"), network=serve_in_process(watched)
    )
    await here.download("http://127.0.0.1:8787/people.csv", came)
    assert [one.has_key for one in watched.seen] == [False]


# Another address than the service's


async def test_no_tool_takes_a_wrong_address_for_a_wrong_id(
    connect: Connect, real: Settings
) -> None:
    reads = {tool.name for tool in TOOLS if tool.hints.read_only_hint}
    for elsewhere in (
        JSONResponse({"error": {"code": "HTTP_ERROR", "message": "Cannot GET /x"}}, 404),
        HTMLResponse("<!doctype html><h1>Not found</h1>", 404),
        HTMLResponse("\n<html><h1>Welcome</h1></html>"),
    ):
        for tool, arguments in ONE_CALL_EACH.items():
            async with connect(elsewhere, elsewhere, settings=real) as client:
                shown = words(await client.call_tool(tool, arguments))
            variable = "SONARLY_BASE_URL" if tool.startswith("sonarly") else "LEADPIPE_BASE_URL"
            # After a change it is more important to look what became of it.
            change = "a web page came instead of JSON"
            assert variable in shown or (tool not in reads and change in shown), tool
            assert "service.test" not in shown, tool
