"""An application in this process, asked as a service on the network would be."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote, urlsplit

import anyio

from leadpipe_mcp.api.connections import READ_SECONDS, Network
from leadpipe_mcp.api.incoming import Incoming, Outgoing
from leadpipe_mcp.errors import Unreachable

_Message = MutableMapping[str, Any]
Application = Callable[
    [_Message, Callable[[], Awaitable[_Message]], Callable[[_Message], Awaitable[None]]],
    Awaitable[None],
]
"""An ASGI application, as the sandbox is one."""


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
