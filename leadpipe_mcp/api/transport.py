"""One HTTP service: where it is, the key it takes, how long it may take.

This is the only module that knows httpx. Callers get an `Answer` or one of our errors.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

import anyio
from pydantic import SecretStr

from leadpipe_mcp import __version__
from leadpipe_mcp.api.addresses import checked_base_url
from leadpipe_mcp.api.allowance import one_request
from leadpipe_mcp.api.answers import Answer, Received, read_answer
from leadpipe_mcp.errors import NotConfigured, NotPossible, Unreachable, UnusableAnswer

if TYPE_CHECKING:
    import httpx

_Message = MutableMapping[str, Any]
Application = Callable[
    [_Message, Callable[[], Awaitable[_Message]], Callable[[_Message], Awaitable[None]]],
    Awaitable[None],
]
"""An ASGI application, as the sandbox is one."""

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
TOTAL_SECONDS = 50.0


class Transport:
    """Requests to one service over one pool of connections, opened when first needed.

    Args:
        base_url: Where the service is; a path in it is kept in front of every request's path.
        key: The API key, or None: then only what is public can be asked.
        application: An ASGI application that answers in the service's place, without a network.
        total_seconds: How long one request may take in all.
    """

    def __init__(
        self,
        base_url: str,
        key: SecretStr | None,
        *,
        application: Application | None = None,
        total_seconds: float = TOTAL_SECONDS,
    ) -> None:
        self.base_url = checked_base_url(base_url)
        self._key = key
        self._application = application
        self._total_seconds = total_seconds
        self._pool: httpx.AsyncClient | None = None

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int | None] | None = None,
        body: Mapping[str, object] | None = None,
        idempotency_key: str | None = None,
        public: bool = False,
        reads: bool = False,
    ) -> Answer:
        """The service's answer, or the error that says why there is none.

        This is the one way out of the house; retries, pacing and a breaker belong here, around
        `_attempt`. `reads` says that the request changes nothing, as no GET does: then the advice
        after a failure may be to repeat it.
        """
        headers: dict[str, str] = {}
        if self._key is not None:
            headers["X-API-Key"] = self._key.get_secret_value()
        elif not public:
            raise NotConfigured
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        given = {name: value for name, value in (query or {}).items() if value is not None}
        unclear = "" if reads or method == "GET" else UnusableAnswer.what_next
        try:
            # Waiting for one's turn is not waiting for the service.
            async with one_request():
                with anyio.fail_after(self._total_seconds):
                    response = await self._attempt(method, path, given, body, headers, unclear)
        except TimeoutError:
            raise Unreachable(
                f"The service did not answer within {self._total_seconds:g} seconds.", unclear
            ) from None
        return read_answer(response, unclear)

    async def _attempt(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int],
        body: Mapping[str, object] | None,
        headers: Mapping[str, str],
        unclear: str,
    ) -> Received:
        import httpx

        try:
            response = await self._connections().request(
                method, self.base_url + path, params=query, json=body, headers=headers
            )
        except (httpx.ConnectError, httpx.ConnectTimeout):
            raise Unreachable("The service could not be reached; nothing was sent.") from None
        except httpx.TimeoutException:
            raise Unreachable("The service took too long to answer.", unclear) from None
        # ConnectionError is how an application in the service's place loses its connection.
        except (httpx.RequestError, ConnectionError):
            raise Unreachable(
                "The connection to the service was lost before its answer was complete.", unclear
            ) from None
        except (httpx.InvalidURL, UnicodeError):
            raise NotPossible(
                "A word of the request is too long, or holds half a character; nothing was sent."
            ) from None
        # The names of the headers come in lower case.
        return Received(response.status_code, dict(response.headers), response.content)

    def _connections(self) -> "httpx.AsyncClient":
        if self._pool is None:
            import httpx

            # Its log of requests holds whole addresses, and an address may hold a person's e-mail.
            logging.getLogger("httpx").setLevel(logging.WARNING)
            logging.getLogger("httpcore").setLevel(logging.WARNING)
            self._pool = httpx.AsyncClient(
                transport=httpx.ASGITransport(self._application) if self._application else None,
                timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
                # A redirect would carry the key to wherever the answer says.
                follow_redirects=False,
                headers={
                    "Accept": "application/json",
                    "User-Agent": f"leadpipe-mcp/{__version__}",
                },
            )
        return self._pool

    async def close(self) -> None:
        """Let go of the connections; a later request opens new ones."""
        if self._pool is not None:
            pool, self._pool = self._pool, None
            await pool.aclose()
