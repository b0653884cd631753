"""What both simulated services do alike."""

from abc import ABC, abstractmethod

import anyio
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send


class Simulator(ABC):
    """An ASGI application that plays a service with invented people."""

    def __init__(self, delay_ms: int = 0) -> None:
        self._delay_ms = delay_ms

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise NotImplementedError(f"The sandbox speaks HTTP alone, not {scope['type']}")
        request = Request(scope, receive)
        body = await request.body()
        await anyio.sleep(self._delay_ms / 1000)
        await self._respond(request, body)(scope, receive, send)

    @abstractmethod
    def _respond(self, request: Request, body: bytes) -> Response:
        """The answer."""
