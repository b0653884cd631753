"""The HTTP protocol of the server, with a hand on the connection; slow to import."""

import asyncio
import socket

from uvicorn.protocols.http.h11_impl import H11Protocol

from leadpipe_mcp.sandbox.trouble import TRANSPORT


class AbortableProtocol(H11Protocol):
    """Lets the application of a request reach its transport, so that it can drop it."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Put the transport into the state that is copied into every request's scope."""
        super().connection_made(transport)
        # asyncio does this itself only for sockets whose protocol is named, and ours is not: the
        # second half of each answer would wait for the client's delayed acknowledgement.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.app_state = {**self.app_state, TRANSPORT: transport}
