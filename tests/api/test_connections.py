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

from leadpipe_mcp.api.in_process import serve_in_process
from leadpipe_mcp.api.transport import Transport
from leadpipe_mcp.errors import Misconfigured, Unreachable

pytestmark = pytest.mark.anyio
KEY = "sk_test_0123456789"
FINE = b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"data":"fine"}'
PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXY_VARIABLES, "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"):
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


async def asked(url: str) -> object:
    transport = Transport(url, SecretStr(KEY), total_seconds=20)
    try:
        return (await transport.request("GET", "/v1/x")).data
    finally:
        await transport.close()


async def refusal(url: str) -> Unreachable:
    with pytest.raises(Unreachable) as caught:
        await asked(url)
    return caught.value


@pytest.mark.parametrize("name", PROXY_VARIABLES)
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.8.9.10"])
async def test_no_proxy_is_told_what_goes_to_this_machine(
    name: str, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if host == "127.8.9.10" and sys.platform != "linux":
        pytest.skip("only Linux listens on all of 127.0.0.0/8")
    bound = "127.0.0.1" if host == "localhost" else host
    async with Listener.listening(FINE) as proxy, Listener.listening(FINE, bound) as service:
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert await asked(f"http://{host}:{service.port}") == "fine"
    assert KEY.encode() in service.heard
    assert proxy.heard == b""


async def test_elsewhere_a_proxy_is_asked_and_never_told_the_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with Listener.listening(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:secret@127.0.0.1:{proxy.port}")
        error = await refusal("https://service.test")
    assert proxy.heard.startswith(b"CONNECT service.test:443")
    assert KEY.encode() not in proxy.heard
    assert (error.problem, error.how) == (
        "The proxy did not connect to the service; nothing was sent.",
        "not sent",
    )
    assert error.advice == "Check the proxy that HTTPS_PROXY names."


async def test_a_proxy_that_is_not_there_is_among_what_to_check(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    monkeypatch.setenv("ALL_PROXY", f"http://me:secret@127.0.0.1:{port}")
    error = await refusal("https://service.test")
    assert error.problem == "The service could not be reached; nothing was sent."
    assert "the proxy that ALL_PROXY names" in error.advice
    assert "secret" not in str(error)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HTTP_PROXY", "foo://me:secret@proxy"),
        ("https_proxy", "foo://me:secret@proxy"),
        ("ALL_PROXY", "socks5://me:secret@proxy"),
        ("HTTPS_PROXY", "http://secret:port"),
    ],
)
async def test_a_proxy_that_makes_no_sense_is_named_by_its_variable(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if value.startswith("socks"):
        monkeypatch.setitem(sys.modules, "socksio", None)
    monkeypatch.setenv(name, value)
    error = await refusal("https://service.test")
    assert type(error) is Misconfigured
    assert str(error) == (
        f"{name} names no proxy that can be used (like http://proxy:3128), so nothing was sent."
        " Check the variable: correct or unset it, then restart the server."
    )


async def test_exceptions_from_proxies_that_make_no_sense_are_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_PROXY", "http://[::1")
    error = await refusal("https://service.test")
    assert error.problem.startswith("NO_PROXY names no")


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
@pytest.mark.parametrize("value", ["/secret/is/not/there", __file__])
async def test_certificates_that_cannot_be_read_are_named_by_their_variable(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    error = await refusal("https://service.test")
    assert type(error) is Misconfigured
    assert error.problem.startswith(f"{name} names no ")
    assert error.problem.endswith("so nothing was sent.")
    assert value not in str(error)


async def test_a_service_is_not_blamed_for_what_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "foo://proxy")
    transport = Transport("https://service.test", SecretStr(KEY))
    for _ in range(7):
        with pytest.raises(Misconfigured, match="HTTPS_PROXY"):
            await transport.request("GET", "/v1/x")


async def test_a_service_that_speaks_no_tls_is_said_to_be_one() -> None:
    async with Listener.listening(b"Hello, this is no TLS") as listener:
        error = await refusal(f"https://127.0.0.1:{listener.port}")
    assert error.problem == "No secure connection to the service could be made; nothing was sent."
    assert "SSL_CERT_FILE" in error.advice
    assert KEY.encode() not in listener.heard


async def test_a_name_that_the_network_does_not_know_is_said_to_be_one() -> None:
    async def service(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise httpx.ConnectError("x") from socket.gaierror(-2, "Name or service not known")

    transport = Transport("https://service.test", SecretStr(KEY), network=serve_in_process(service))
    with pytest.raises(Unreachable, match="the network does not know its name; nothing was sent"):
        await transport.request("GET", "/v1/x")
