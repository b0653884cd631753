"""How bytes get to a service and back, within bounds, and why they did not.

This is the only module that knows httpx.
"""

import json
import logging
import mmap
import os
import ssl
import zlib
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import unquote, urlencode, urlsplit

import anyio

from leadpipe_mcp import errors
from leadpipe_mcp.api.addresses import is_this_machine
from leadpipe_mcp.api.answers import Received
from leadpipe_mcp.errors import SERVICE, THE_SERVICE, Misconfigured, NotPossible, Unreachable
from leadpipe_mcp.text import redact

if TYPE_CHECKING:
    import httpx

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
MOST_ANSWERED = 32 * 2**20
"""The catalogue of 20,000 topics is the longest answer: about a tenth of this."""
MOST_AT_WORK = 8
"""In one pool: for each request it looks at all of its connections, so a large one is slow."""
_LONGEST_ADDRESS = 60_000
_PIECE = 2**16
_Message = MutableMapping[str, Any]
Application = Callable[
    [_Message, Callable[[], Awaitable[_Message]], Callable[[_Message], Awaitable[None]]],
    Awaitable[None],
]
"""An ASGI application, as the sandbox is one."""


@dataclass(frozen=True)
class Outgoing:
    """A request as it is sent."""

    method: str
    address: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""


def outgoing(
    method: str,
    address: str,
    query: Mapping[str, str | int | None] | None,
    body: Mapping[str, object] | None,
    headers: Mapping[str, str],
) -> Outgoing:
    """A request with its query and its body as JSON, written so that a service reads the same."""
    content = b""
    try:
        given = {name: value for name, value in (query or {}).items() if value is not None}
        address += f"?{urlencode(given)}" if given else ""
        if body is not None:
            content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
            headers = {**headers, "Content-Type": "application/json"}
        is_possible = len(address) <= _LONGEST_ADDRESS
    except UnicodeError:
        is_possible = False
    if not is_possible:
        raise NotPossible(
            "A word of the request is too long, or holds half a character; nothing was sent."
        )
    return Outgoing(method, address, headers, content)


class Incoming:
    """An answer that is coming, refused where it is too long or is not what it says.

    Args:
        most_bytes: A longer one is not taken, whether it is long as it comes or when unpacked.
        file: What takes the pieces of a success, from its beginning; without it they are kept.
        on_piece: Called for each piece that goes into the file.
    """

    def __init__(
        self,
        most_bytes: int = MOST_ANSWERED,
        file: BinaryIO | None = None,
        on_piece: Callable[[], object] | None = None,
    ) -> None:
        self._most = most_bytes
        self._file = file
        self._on_piece = on_piece
        self._came = self._size = 0
        self._unpacking = None
        # In pages of its own: freed, they go back to the system. The C library would keep a freed
        # block of 32 MB for itself, and put small things into it.
        self._kept = mmap.mmap(-1, MOST_ANSWERED)
        self._status = 0
        self._headers: Mapping[str, str] = {}

    def start(self, status: int, headers: Mapping[str, str]) -> None:
        """Take the status and the headers, whose names are in lower case."""
        self._status, self._headers = status, headers
        coding = headers.get("content-encoding", "").strip().lower()
        if coding == "gzip":
            self._unpacking = zlib.decompressobj(16 + zlib.MAX_WBITS)
        elif coding not in {"", "identity"}:
            raise errors.NeverUsable(
                f"{SERVICE}'s answer is compressed as '{redact(coding, 40)}', which was not asked"
                " for, and was not read."
            )
        if self._file and 200 <= status < 300:
            self._file.seek(0)
            self._file.truncate()
        else:
            self._file, self._most = None, min(self._most, MOST_ANSWERED)

    def add(self, piece: bytes) -> None:
        """Take a piece of the body as it came."""
        self._came += len(piece)
        for part in self._unpacked(piece):
            self._size += len(part)
            if max(self._came, self._size) > self._most:
                raise errors.NeverUsable(
                    f"{SERVICE}'s answer (status {self._status}) is far longer than any answer"
                    " should be, and was not read to its end.",
                    status=self._status,
                )
            (self._file or self._kept).write(part)
        if self._file and self._on_piece:
            self._on_piece()

    def _unpacked(self, came: bytes) -> Iterator[bytes]:
        """What the bytes stand for: a few hundred can stand for gigabytes, so in small pieces."""
        if self._unpacking is None:
            yield came
            return
        part = b""
        # A full piece may have more behind it, even where all that came has been read.
        while came or len(part) == _PIECE:
            try:
                part = self._unpacking.decompress(came, _PIECE)
            except zlib.error:
                raise errors.UnusableAnswer(f"{SERVICE}'s compressed answer is broken.") from None
            yield part
            if self._unpacking.unused_data:
                raise errors.UnusableAnswer(f"{SERVICE}'s compressed answer goes on after its end.")
            came = self._unpacking.unconsumed_tail

    def received(self) -> Received:
        """The answer, now that all of it has come."""
        if self._came and self._unpacking and not self._unpacking.eof:
            raise errors.UnusableAnswer(f"{SERVICE}'s compressed answer breaks off.")
        return Received(self._status, self._headers, self._kept[: self._kept.tell()])

    def drop(self) -> None:
        """Let go of what came: an error that somebody keeps holds all that led to it."""
        self._kept.close()


Network = Callable[[Outgoing, Incoming], Awaitable[None]]
"""Carries a request to a service and its answer back."""


class Connections:
    """A pool of HTTP connections, opened when first needed, or a network in their place.

    The network may be the `stream` of another pool: then both share its connections.
    """

    def __init__(self, network: Network | None = None) -> None:
        self._carry = network or self.stream
        self._pools: list[_Pool] = []
        self._certificates: ssl.SSLContext | None = None

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

    async def stream(self, sending: Outgoing, incoming: Incoming) -> None:
        """Send a request over one of the connections and take in its answer."""
        import httpx

        try:
            address = httpx.URL(sending.address)
            is_direct = is_this_machine(address.host)
        except (httpx.InvalidURL, UnicodeError):
            raise Misconfigured(
                f"The address of {THE_SERVICE} is none that can be asked, so nothing was sent.",
                f"Check {errors.BASE_URL}, then restart the server.",
            ) from None
        free = (p for p in self._pools if p.is_direct == is_direct and p.at_work < MOST_AT_WORK)
        if (pool := next(free, None)) is None:
            self._certificates = self._certificates or _trusted()
            pool = _Pool(is_direct, _opened(self._certificates, is_direct=is_direct))
            self._pools.append(pool)
        pool.at_work += 1
        try:
            async with pool.client.stream(
                sending.method,
                address,
                headers=dict(sending.headers),
                content=sending.body or None,
            ) as response:
                # The names of the headers come in lower case.
                incoming.start(response.status_code, dict(response.headers))
                # Decoded, a piece could be of any length before anybody has counted it.
                async for piece in response.aiter_raw():
                    incoming.add(piece)
        finally:
            pool.at_work -= 1

    async def close(self) -> None:
        """Let go of the connections; a later request opens new ones."""
        while self._pools:
            await self._pools.pop().client.aclose()


@dataclass
class _Pool:
    is_direct: bool
    client: "httpx.AsyncClient"
    at_work: int = 0


def _trusted() -> ssl.SSLContext:
    """The certificates of the environment, which take a while to read."""
    import httpx

    try:
        return httpx.create_ssl_context()
    except OSError:
        what = "SSL_CERT_FILE names no file of certificates that can be read"
        raise Misconfigured(f"{what}, so nothing was sent.") from None


def _opened(certificates: ssl.SSLContext, *, is_direct: bool) -> "httpx.AsyncClient":
    """A client that uses the proxies of the environment."""
    from http.cookiejar import CookieJar, DefaultCookiePolicy

    import httpx

    # Its log of requests holds whole addresses, and an address may hold a person's e-mail.
    # The server's own log leaves it out; whoever imports this package has another.
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=MOST_AT_WORK)
    try:
        return httpx.AsyncClient(
            verify=certificates,
            # What a service would remember of one caller, it must not hear from another.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            limits=limits,
            timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            # A redirect would carry the key to wherever the answer says.
            follow_redirects=False,
            # A transport of its own asks no proxy: to this machine itself plain http is spoken,
            # and a proxy would read the key.
            transport=httpx.AsyncHTTPTransport(certificates, limits=limits) if is_direct else None,
        )
    except (ValueError, ImportError, httpx.InvalidURL):
        named = _proxies("http_proxy", "no_proxy")
        what = f"{named} names no proxy that can be used (like http://proxy:3128)"
        raise Misconfigured(f"{what}, so nothing was sent.") from None


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
    check = f"check the network and {errors.BASE_URL}"
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        problem = f"No secure connection to {THE_SERVICE} could be made"
        check = (
            f"check {errors.BASE_URL}, and SSL_CERT_FILE or SSL_CERT_DIR where a company's network"
            " has certificates of its own"
        )
    elif proxies := _proxies():
        check = f"check the network, the proxy that {proxies} names, and {errors.BASE_URL}"
    # By its name, because importing its module is what only listeners do here.
    elif any(type(cause).__name__ == "gaierror" for cause in causes):
        problem += ", because the network does not know its name"
    return Unreachable(f"{problem}; nothing was sent.", f"{errors.AGAIN} {check}.", how="not sent")


def serve_in_process(application: Application) -> Network:
    """Return what carries requests to the application, and its answers back as they are made."""

    async def carry(sending: Outgoing, incoming: Incoming) -> None:
        parts = urlsplit(sending.address)
        asked: list[_Message] = [{"type": "http.request", "body": sending.body}]
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
