"""Connections to a service: where it may be, how bytes get there and back, and why they did not.

This is the only module that knows httpx.
"""

import ipaddress
import logging
import os
import re
import ssl
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import anyio

from leadpipe_mcp.api.incoming import Incoming, Outgoing
from leadpipe_mcp.errors import (
    AGAIN,
    BASE_URL,
    SERVICE,
    THE_SERVICE,
    Misconfigured,
    NotPossible,
    Unreachable,
)
from leadpipe_mcp.text import redact

if TYPE_CHECKING:
    import httpx

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
Network = Callable[[Outgoing, Incoming], Awaitable[None]]
"""Carries a request to a service and its answer back."""
_Message = MutableMapping[str, Any]
Application = Callable[
    [_Message, Callable[[], Awaitable[_Message]], Callable[[_Message], Awaitable[None]]],
    Awaitable[None],
]
"""An ASGI application, as the sandbox is one."""


class Connections:
    """A pool of HTTP connections, opened when first needed, or a network in their place."""

    def __init__(self, network: Network | None = None) -> None:
        self._carry = network or self._stream
        self._clients: dict[bool, httpx.AsyncClient] = {}

    async def exchange(self, sending: Outgoing, incoming: Incoming) -> None:
        """Send a request and take in its whole answer, or say why it has not come."""
        import httpx

        try:
            await self._carry(sending, incoming)
        except Misconfigured:
            raise
        except (httpx.ConnectError, httpx.ConnectTimeout, ConnectionRefusedError) as error:
            raise _not_sent(error) from None
        except httpx.ProxyError:
            raise Unreachable(
                f"The proxy did not connect to {THE_SERVICE}; nothing was sent.",
                f"Check the proxy that {_proxies() or 'HTTPS_PROXY'} names.",
                how="not sent",
            ) from None
        except (httpx.TimeoutException, TimeoutError):
            raise Unreachable(f"{SERVICE} took too long to answer.", how="late") from None
        # ConnectionError is how an application in this process loses its connection.
        except (httpx.RequestError, ConnectionError, Unreachable):
            raise Unreachable(
                f"The connection to {THE_SERVICE} was lost before its answer was complete."
            ) from None
        except httpx.InvalidURL:
            raise NotPossible("This is not an address that can be asked.") from None

    async def _stream(self, sending: Outgoing, incoming: Incoming) -> None:
        is_direct = is_this_machine(urlsplit(sending.address).hostname or "")
        if is_direct not in self._clients:
            self._clients[is_direct] = _opened(is_direct=is_direct)
        async with self._clients[is_direct].stream(
            sending.method,
            sending.address,
            headers=dict(sending.headers),
            content=sending.body or None,
        ) as response:
            # The names of the headers come in lower case.
            incoming.start(response.status_code, dict(response.headers))
            # Decoded, a piece could be of any length before anybody has counted it.
            async for piece in response.aiter_raw():
                incoming.add(piece)

    async def close(self) -> None:
        """Let go of the connections; a later request opens new ones."""
        while self._clients:
            await self._clients.popitem()[1].aclose()


def _opened(*, is_direct: bool) -> "httpx.AsyncClient":
    """A client that uses the proxies and certificates of the environment."""
    import httpx

    # Its log of requests holds whole addresses, and an address may hold a person's e-mail.
    # The server's own log leaves it out; whoever imports this package has another.
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        return httpx.AsyncClient(
            timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            # A redirect would carry the key to wherever the answer says.
            follow_redirects=False,
            # A transport of its own asks no proxy: to this machine itself plain http is spoken,
            # and a proxy would read the key.
            transport=httpx.AsyncHTTPTransport() if is_direct else None,
        )
    except OSError:
        raise Misconfigured(
            "SSL_CERT_FILE names no file of certificates that can be read, so nothing was sent."
        ) from None
    except (ValueError, ImportError, httpx.InvalidURL):
        named = _proxies("http_proxy", "no_proxy")
        raise Misconfigured(
            f"{named} names no proxy that can be used (like http://proxy:3128), so nothing was"
            " sent."
        ) from None


def _proxies(*others: str) -> str:
    """The variables that are set, of those that name a proxy on the way to other machines."""
    wanted = {"https_proxy", "all_proxy", *others}
    return " or ".join(
        name for name, value in os.environ.items() if value and name.lower() in wanted
    )


def _not_sent(error: BaseException) -> Unreachable:
    """Why no connection was made, and what to check."""
    causes = [error]
    while cause := causes[-1].__cause__ or causes[-1].__context__:
        causes.append(cause)
    problem = f"{SERVICE} could not be reached"
    check = f"check the network and {BASE_URL}"
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        problem = f"No secure connection to {THE_SERVICE} could be made"
        check = (
            f"check {BASE_URL}, and SSL_CERT_FILE or SSL_CERT_DIR where a company's network has"
            " certificates of its own"
        )
    elif proxies := _proxies():
        check = f"check the network, the proxy that {proxies} names, and {BASE_URL}"
    # By its name, because importing its module is what only listeners do here.
    elif any(type(cause).__name__ == "gaierror" for cause in causes):
        problem += ", because the network does not know its name"
    return Unreachable(f"{problem}; nothing was sent.", f"{AGAIN} {check}.", how="not sent")


def serve_in_process(application: Application) -> Network:
    """Return what carries requests to the application, and its answers back as they are made."""

    async def carry(sending: Outgoing, incoming: Incoming) -> None:
        parts = urlsplit(sending.address)
        asked: list[_Message] = [
            {"type": "http.request", "body": sending.body, "more_body": False},
        ]
        promised = 0

        async def receive() -> _Message:
            if not asked:
                await anyio.sleep_forever()
            return asked.pop()

        async def send(message: _Message) -> None:
            nonlocal promised
            waiting.deadline = anyio.current_time() + READ_SECONDS
            if message["type"] == "http.response.start":
                headers = {
                    name.decode().lower(): value.decode("latin-1")
                    for name, value in message["headers"]
                }
                promised = int(headers.get("content-length", 0))
                incoming.start(message["status"], headers)
            else:
                piece: bytes = message.get("body", b"")
                promised -= len(piece)
                incoming.add(piece)

        headers = {"host": parts.netloc, **sending.headers}
        scope: _Message = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": sending.method,
            "scheme": parts.scheme,
            "server": (parts.hostname, parts.port),
            "path": unquote(parts.path),
            "raw_path": parts.path.encode("ascii"),
            "query_string": parts.query.encode("ascii"),
            "root_path": "",
            "headers": [(name.lower().encode(), text.encode()) for name, text in headers.items()],
        }
        with anyio.CancelScope(deadline=anyio.current_time() + READ_SECONDS) as waiting:
            await application(scope, receive, send)
        if waiting.cancelled_caught:
            raise TimeoutError
        if promised > 0:
            raise Unreachable("The answer broke off.")

    return carry


_PART = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")


def path_of(*parts: str, shown_by: str = "list_audiences") -> str:
    """The parts as one path; none of them can reach into another route.

    Escaping would not do: a slash is one again where the service reads the path, and dots are gone
    before it is sent.
    """
    for part in parts:
        if not _PART.fullmatch(part):
            raise NotPossible(
                f"'{redact(part, 60)}' cannot be an id: ids are of letters, digits and dashes.",
                f"{shown_by} shows those that exist.",
            )
    return "".join(f"/{part}" for part in parts)


# The words of the services' routes. Whatever else stands in a path is the id of something.
_ROUTE = re.compile(
    "/v1(/(accounts?|analyze|audiences|compare|data|facets|filters|intent|movers|pixels|preview"
    "|query|search|topics|validate))*"
)


def names_a_thing(path: str) -> bool:
    """Whether the path is about a single thing, by its id: then a 404 may mean that one."""
    return not _ROUTE.fullmatch(path)


_NO_ADDRESS = "must be an address like https://api.example.com"


def checked_base_url(url: str) -> str:
    """The URL without a slash at its end, if a key may be sent there.

    Raises:
        ValueError: If it is not an https address (http is for this machine only), or carries
            more than a host, a port and a path.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:  # half of an IPv6 address, or a port that is none
        raise ValueError(_NO_ADDRESS) from None
    is_plain = url.isprintable() and " " not in url
    if parts.scheme not in {"http", "https"} or not host or port == 0 or not is_plain:
        raise ValueError(_NO_ADDRESS)
    if "@" in parts.netloc or "?" in url or "#" in url:
        raise ValueError("must be a plain address, without user, question mark or hash")
    if parts.scheme == "http" and not is_this_machine(host):
        raise ValueError("must start with https:// (http is only for this machine)")
    return url.rstrip("/")


def is_this_machine(host: str) -> bool:
    """Whether the host is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
