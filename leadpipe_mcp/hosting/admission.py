"""What one caller may do at once and in a minute, and how long a request may take to arrive."""

from collections import defaultdict

import anyio
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leadpipe_mcp.callers import Callers
from leadpipe_mcp.hosting.limits import Limits
from leadpipe_mcp.text import counted

ARRIVAL_SECONDS = 10.0
TOO_MANY = -32_000
"""JSON-RPC's code for an error of a server's own."""


class Admission:
    """Lets a caller's requests through to the application, as many as each may make.

    Args:
        app: What answers.
        callers: Who calls.
        limits: How many requests a caller may make in a minute.
        at_once: How many of them may be answered at the same time.
    """

    def __init__(self, app: ASGIApp, callers: Callers, limits: Limits, at_once: int) -> None:
        self._app = app
        self._callers = callers
        self._limits = limits
        self._at_once = at_once
        self._answering: defaultdict[tuple[str, bool], int] = defaultdict(int)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or say how many seconds to wait."""
        who = self._callers.id()
        # A stream that only listens stays open, and takes no place of a call's.
        is_listening = Headers(scope=scope).get("mcp-method") == "subscriptions/listen"
        place = (who, is_listening)
        if self._answering[place] >= self._at_once:
            said = f"{self._at_once} of your calls are still being answered. Wait a second."
            return await too_many(said, 1)(scope, receive, send)
        self._answering[place] += 1
        try:
            if seconds := await self._limits.seconds_to_wait(who):
                most = self._limits.per_minute
                said = f"More than {most} requests in a minute. Wait {counted(seconds, 'second')}."
                return await too_many(said, seconds)(scope, receive, send)
            await self._app(scope, _hurried(receive), send)
        except Late:
            await Response("The request did not arrive in time.", 408)(scope, receive, send)
        finally:
            self._answering[place] -= 1
            if not self._answering[place]:
                del self._answering[place]


class Late(Exception):
    """A request's body did not arrive in time."""


def _hurried(receive: Receive) -> Receive:
    """Give the body of a request only so long to arrive."""
    until = anyio.current_time() + ARRIVAL_SECONDS
    is_whole = False

    async def received() -> Message:
        nonlocal is_whole
        if is_whole:
            return await receive()
        with anyio.move_on_after(until - anyio.current_time()):
            message = await receive()
            is_whole = not message.get("more_body", False)
            return message
        raise Late

    return received


def too_many(said: str, seconds: int) -> Response:
    """Answer in the protocol's way that the caller has to wait."""
    error = {"code": TOO_MANY, "message": said, "data": {"retryAfterSeconds": seconds}}
    body = {"jsonrpc": "2.0", "id": None, "error": error}
    return JSONResponse(body, 429, {"retry-after": str(seconds)})
