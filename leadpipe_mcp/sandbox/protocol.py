"""The HTTP protocol of the server, with a hand on the connection; slow to import."""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

from leadpipe_mcp.sandbox.trouble import TRANSPORT


class AbortableProtocol(H11Protocol):
    """Lets the application of a request reach its transport, so that it can drop it."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Put the transport into the state that is copied into every request's scope."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, TRANSPORT: transport}
