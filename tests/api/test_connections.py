"""How requests get to a service: through which proxy, with whose certificates, or not at all."""

import asyncio
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
import pytest
from pydantic import SecretStr
from starlette.types import Receive, Scope, Send

from leadpipe_mcp.api.connections import Connections
from leadpipe_mcp.api.transport import Transport
from leadpipe_mcp.errors import Misconfigured
from tests.api.answering import KEY, URL, refusal, to

pytestmark = pytest.mark.anyio
FINE = b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"data":"fine"}'


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


class Listener:
    """Gives the same answer to whoever connects, and remembers what was said to it."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self.heard = b""
        self.port = 0

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heard += await reader.read(65_536)
        writer.write(self._answer)
        await writer.drain()
        writer.close()

    @classmethod
    @asynccontextmanager
    async def listening(cls, answer: bytes, host: str = "127.0.0.1") -> AsyncGenerator["Listener"]:
        made = cls(answer)
        server = await asyncio.start_server(made._talk, host, 0)
        made.port = server.sockets[0].getsockname()[1]
        async with server:
            yield made


def nobody() -> str:
    """Where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize(
    ("name", "host"),
    [("HTTP_PROXY", "127.0.0.1"), ("ALL_PROXY", "localhost"), ("HTTPS_PROXY", "127.8.9.10")],
)
async def test_no_proxy_is_told_what_goes_to_this_machine(
    name: str, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if host == "127.8.9.10" and sys.platform != "linux":
        pytest.skip("only Linux listens on all of 127.0.0.0/8")
    bound = "127.0.0.1" if host == "localhost" else host
    async with Listener.listening(FINE) as proxy, Listener.listening(FINE, bound) as service:
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        transport = Transport(f"http://{host}:{service.port}", SecretStr(KEY))
        assert (await transport.request("GET", "/v1/x")).data == "fine"
        await transport.close()
    assert KEY.encode() in service.heard
    assert proxy.heard == b""


async def test_elsewhere_a_proxy_is_asked_and_never_told_the_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with Listener.listening(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:secret@127.0.0.1:{proxy.port}")
        error = await refusal(Transport(URL, SecretStr(KEY)))
    assert proxy.heard.startswith(b"CONNECT service.test:443")
    assert KEY.encode() not in proxy.heard
    assert str(error) == (
        "The proxy did not connect to the service; nothing was sent. Check the proxy that"
        " HTTPS_PROXY names."
    )
    assert error.how == "not sent"


async def test_where_nobody_listens_nothing_was_sent_and_a_proxy_is_among_what_to_check(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    error = await refusal(Transport(f"http://{nobody()}", SecretStr(KEY)), "POST")
    assert str(error) == (
        "The service could not be reached; nothing was sent. Try again in a minute; if it still"
        " fails, check the network and LEADPIPE_BASE_URL."
    )
    monkeypatch.setenv("ALL_PROXY", f"http://me:secret@{nobody()}")
    error = await refusal(Transport(URL, SecretStr(KEY)))
    assert error.problem == "The service could not be reached; nothing was sent."
    assert "the proxy that ALL_PROXY names" in error.advice
    assert "secret" not in str(error)


@pytest.mark.parametrize(
    ("name", "value", "what"),
    [
        ("https_proxy", "foo://me:secret@proxy", "proxy that can be used (like http://proxy:3128)"),
        ("ALL_PROXY", "socks5://me:secret@p", "proxy that can be used (like http://proxy:3128)"),
        ("HTTP_PROXY", "http://secret:port", "proxy that can be used (like http://proxy:3128)"),
        ("NO_PROXY", "http://[::1secret", "proxy that can be used (like http://proxy:3128)"),
        ("SSL_CERT_FILE", "/secret/is/not/there", "file of certificates that can be read"),
        ("SSL_CERT_FILE", __file__, "file of certificates that can be read"),
    ],
)
async def test_a_variable_that_makes_no_sense_is_named_and_the_service_not_blamed(
    name: str, value: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "socksio", None)
    monkeypatch.setenv(name, value)
    transport = Transport(URL, SecretStr(KEY))
    for _ in range(7):
        error = await refusal(transport)
        assert type(error) is Misconfigured
        assert str(error) == (
            f"{name} names no {what}, so nothing was sent."
            " Check the variable: correct or unset it, then restart the server."
        )


@pytest.mark.parametrize("host", ["256.1.1.1", "[v1.x]", "xn--a.test"])
async def test_an_address_that_nothing_can_be_sent_to_is_said_to_be_none(host: str) -> None:
    error = await refusal(Transport(f"https://{host}", SecretStr(KEY)))
    assert type(error) is Misconfigured
    assert str(error) == (
        "The address of the service is none that can be asked, so nothing was sent."
        " Check LEADPIPE_BASE_URL, then restart the server."
    )


async def test_a_service_that_speaks_no_tls_is_said_to_be_one() -> None:
    async with Listener.listening(b"Hello, this is no TLS") as listener:
        error = await refusal(Transport(f"https://127.0.0.1:{listener.port}", SecretStr(KEY)))
    assert error.problem == "No secure connection to the service could be made; nothing was sent."
    assert "SSL_CERT_FILE" in error.advice
    assert KEY.encode() not in listener.heard


async def test_a_name_that_the_network_does_not_know_is_said_to_be_one() -> None:
    async def service(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise httpx.ConnectError("x") from socket.gaierror(-2, "Name or service not known")

    error = await refusal(to(service))
    assert "the network does not know its name; nothing was sent" in error.problem


async def test_whoever_shares_connections_shares_no_cookies_and_no_key() -> None:
    """A service that sets a cookie for one caller does not hear it from another."""
    crumbs = FINE.replace(b"OK\r\n", b"OK\r\nSet-Cookie: who=anna; Path=/\r\n")
    shared = Connections()
    async with Listener.listening(crumbs) as service:
        url = f"http://127.0.0.1:{service.port}"
        for key in (SecretStr(KEY), SecretStr("sk_test_of_another")):
            service.heard = b""
            transport = Transport(url, key, network=shared.stream)
            await transport.request("GET", "/v1")
            await transport.close()
            assert key.get_secret_value().encode() in service.heard
            assert b"cookie" not in service.heard.lower()
    await shared.close()
