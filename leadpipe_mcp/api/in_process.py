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


def serve_in_process(application: Application, patience: float = READ_SECONDS) -> Network:
    """Return what carries requests to the application, and its answers back as they are made.

    Args:
        application: What answers.
        patience: For how many seconds nothing may come of an answer.
    """

    async def carry(sending: Outgoing, incoming: Incoming) -> None:
        await _ask(application, sending, incoming, patience)

    return carry


async def _ask(
    application: Application, sending: Outgoing, incoming: Incoming, patience: float
) -> None:
    """Hand on the application's answer as it is made.

    Raises:
        Unreachable: If the application ends before it has sent what it promised.
        TimeoutError: If nothing comes for too long.
    """
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
        waiting.deadline = anyio.current_time() + patience
        if message["type"] == "http.response.start":
            named = [
                (name.decode().lower(), value.decode("latin-1"))
                for name, value in message["headers"]
            ]
            headers = dict(named)
            promised = int(headers.get("content-length", 0))
            incoming.start(message["status"], headers)
            return
        piece: bytes = message.get("body", b"")
        promised -= len(piece)
        incoming.add(piece)

    sent = {"host": parts.netloc, **{name.lower(): text for name, text in sending.headers.items()}}
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
        "headers": [(name.encode(), text.encode()) for name, text in sent.items()],
    }
    with anyio.CancelScope(deadline=anyio.current_time() + patience) as waiting:
        await application(scope, receive, send)
    if waiting.cancelled_caught:
        raise TimeoutError
    if promised > 0:
        raise Unreachable("The answer broke off.")
