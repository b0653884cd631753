"""Redirects over real sockets of this machine: the other origin hears nothing."""

import http.server
import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import pytest

from leadpipe_mcp.settings import Settings
from tests.security.services import CANARIES, Connect

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """What a network does takes the time that it takes: no clock may leap over it."""
    return "asyncio"


class Origin(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """An HTTP server on a port of this machine, which answers every request in one way."""

    daemon_threads = True

    def __init__(self, status: int, headers: Mapping[str, str]) -> None:
        self.status, self.headers = status, headers
        self.requests: list[str] = []
        super().__init__(("127.0.0.1", 0), _Answers)
        self.url = f"http://127.0.0.1:{self.server_port}"


class _Answers(http.server.BaseHTTPRequestHandler):
    server: Origin  # pyright: ignore[reportIncompatibleVariableOverride] -- there is no other
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.requests.append(f"{self.command} {self.path} {dict(self.headers)}")
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(self.server.status)
        for name, text in self.server.headers.items():
            self.send_header(name, text)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815 -- the library's names

    def log_message(self, *_: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Ignore it."""


@pytest.fixture
def origins() -> Iterator[Callable[..., Origin]]:
    """Servers that end with the test."""
    started: list[Origin] = []

    def origin(status: int = 200, **headers: str) -> Origin:
        one = Origin(status, headers)
        threading.Thread(target=partial(one.serve_forever, 0.01), daemon=True).start()
        started.append(one)
        return one

    yield origin
    for one in started:
        one.shutdown()
        one.server_close()


@pytest.mark.parametrize("status", [302, 307])
async def test_the_other_origin_gets_no_request(
    *, status: int, connect: Connect, origins: Callable[..., Origin], real: Settings
) -> None:
    other = origins()
    location = f"{other.url}/steal?key={CANARIES['key']}"
    service = origins(status, Location=location)
    addresses = {"base_url": service.url, "sonarly_base_url": service.url}
    settings = Settings.model_validate(real.model_dump() | addresses)
    calls: list[tuple[str, dict[str, Any]]] = [
        ("list_audiences", {}),
        ("delete_audience", {"id": "6fb81599-f601-4afe-b3ff-e8a211cae27d"}),
        ("sonarly_list_accounts", {}),
    ]
    async with connect(None, None, settings=settings) as client:
        for tool, arguments in calls:
            result = await client.call_tool(tool, arguments)
            assert "answered with a redirect" in str(result.content), tool
            assert str(other.server_port) not in str(result.content)
    assert len(service.requests) >= len(calls)
    assert all(CANARIES["key"] in request for request in service.requests)
    assert other.requests == []
