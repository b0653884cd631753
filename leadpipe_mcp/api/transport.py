"""One HTTP service: where it is, the key it takes, how long it may take.

This is the only module that knows httpx. Callers get an `Answer` or one of our errors.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

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
DOWNLOAD_SECONDS = 300.0
MOST_DOWNLOADED = 2 * 2**30


class Transport:
    """Requests to one service over one pool of connections, opened when first needed.

    Args:
        base_url: Where the service is; a path in it is kept in front of every request's path.
        key: The API key, or None: then only what is public can be asked.
        application: An ASGI application that answers in the service's place, without a network.
        total_seconds: How long one request may take in all.
        bearer: Whether the key goes as a bearer's token; else in a header of its own.
    """

    def __init__(
        self,
        base_url: str,
        key: SecretStr | None,
        *,
        application: Application | None = None,
        total_seconds: float = TOTAL_SECONDS,
        bearer: bool = False,
    ) -> None:
        self.base_url = checked_base_url(base_url)
        self._key = key
        self._application = application
        self._total_seconds = total_seconds
        self._bearer = bearer
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
        headers = self._key_header()
        if self._key is None and not public:
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
                f"The service did not answer within {self._total_seconds:g} seconds.",
                unclear,
                how="late",
            ) from None
        return read_answer(response, unclear)

    def _key_header(self) -> dict[str, str]:
        """The header that carries the key; none without a key."""
        if self._key is None:
            return {}
        key = self._key.get_secret_value()
        return {"Authorization": f"Bearer {key}"} if self._bearer else {"X-API-Key": key}

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
            raise Unreachable(
                "The service could not be reached; nothing was sent.", how="not sent"
            ) from None
        except httpx.TimeoutException:
            raise Unreachable("The service took too long to answer.", unclear, how="late") from None
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

    async def download(
        self,
        where: str,
        write: Callable[[bytes], object],
        *,
        most_bytes: int = MOST_DOWNLOADED,
    ) -> None:
        """Nothing; a file is handed to `write`, piece by piece, as it comes.

        Args:
            where: A path of the service, or a whole address, to which no key is sent: a link that
                the service has signed.
            write: What takes the pieces. What it has got is of no use if this fails.
            most_bytes: A longer file is not taken.
        """
        is_own = where.startswith("/")
        counted = _Counting(write, most_bytes)
        address = self.base_url + where if is_own else where
        headers = self._key_header() if is_own else {}
        try:
            async with one_request():
                with anyio.fail_after(DOWNLOAD_SECONDS):
                    if self._application is None:
                        await self._stream(address, headers, counted)
                    else:
                        await _play(self._application, address, headers, counted)
        except TimeoutError:
            raise Unreachable(
                f"The file did not come whole within {DOWNLOAD_SECONDS:g} seconds."
            ) from None

    async def _stream(
        self, address: str, headers: Mapping[str, str], write: Callable[[bytes], None]
    ) -> None:
        import httpx

        try:
            async with self._connections().stream("GET", address, headers=headers) as response:
                if not response.is_success:
                    body = await response.aread()
                    read_answer(Received(response.status_code, dict(response.headers), body), "")
                async for piece in response.aiter_bytes():
                    write(piece)
        except (httpx.RequestError, httpx.InvalidURL):
            raise Unreachable("The connection was lost before the file was complete.") from None

    async def close(self) -> None:
        """Let go of the connections; a later request opens new ones."""
        if self._pool is not None:
            pool, self._pool = self._pool, None
            await pool.aclose()


class _Counting:
    """Hands pieces on, up to so many bytes in all."""

    def __init__(self, write: Callable[[bytes], object], most: int) -> None:
        self._write = write
        self._left = most

    def __call__(self, piece: bytes) -> None:
        self._left -= len(piece)
        if self._left < 0:
            raise UnusableAnswer("The service's file is far longer than any list of people.")
        self._write(piece)


async def _play(
    application: Application,
    address: str,
    headers: Mapping[str, str],
    write: Callable[[bytes], None],
) -> None:
    """Hand the pieces of an application's answer on as they are made.

    The library's own way to an application keeps the whole answer in memory first.
    """
    parts = urlsplit(address)
    answer = _Played(write)
    asked: list[_Message] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> _Message:
        if not asked:
            await anyio.sleep_forever()
        return asked.pop()

    sent = {"host": parts.netloc, **{name.lower(): value for name, value in headers.items()}}
    scope: _Message = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": parts.scheme,
        "server": (parts.hostname, parts.port),
        "path": unquote(parts.path),
        "raw_path": parts.path.encode("ascii"),
        "query_string": parts.query.encode("ascii"),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
    }
    try:
        await application(scope, receive, answer.send)
    except ConnectionError:
        answer.missing = -1
    answer.check()


class _Played:
    """What an application answers."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self._status = 0
        self._headers: dict[str, str] = {}
        self._refusal = bytearray()
        self.missing = 0
        """How many bytes were promised and did not come; less than none where all is lost."""

    async def send(self, message: _Message) -> None:
        """Take a message of the application."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            named = [(name.decode().lower(), value.decode()) for name, value in message["headers"]]
            self._headers = dict(named)
            self.missing = int(self._headers.get("content-length", 0))
            return
        piece = message.get("body", b"")
        self.missing = max(0, self.missing - len(piece))
        if 200 <= self._status < 300:
            self._write(piece)
        else:
            self._refusal.extend(piece)

    def check(self) -> None:
        """Nothing, if the whole answer came and is none of an error."""
        if self.missing:
            raise Unreachable("The connection was lost before the file was complete.")
        received = Received(self._status, self._headers, bytes(self._refusal))
        if not received.is_success:
            read_answer(received, "")
