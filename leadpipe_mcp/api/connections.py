"""Connections to a service: how bytes get there and back, and why they did not.

This is the only module that knows httpx.
"""

import logging
import os
import ssl
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from leadpipe_mcp.api.addresses import is_this_machine
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

if TYPE_CHECKING:
    import httpx

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
Network = Callable[[Outgoing, Incoming], Awaitable[None]]
"""Carries a request to a service and its answer back."""


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
