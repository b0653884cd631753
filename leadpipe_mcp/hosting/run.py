"""The life of a server for a team: one process or several, until it is told to stop."""

import asyncio
import gc
import os
import secrets
import signal
import socket
import sys
import tempfile
from functools import partial
from importlib import import_module
from types import FrameType

import h11
from pydantic import SecretStr
from sse_starlette.sse import AppStatus
from starlette.types import ASGIApp
from uvicorn import Config, Server
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.supervisors import Multiprocess

from leadpipe_mcp.hosting.settings import HostingSettings, need
from leadpipe_mcp.hosting.tracing import collector, trace_if_asked
from leadpipe_mcp.logs import set_up
from leadpipe_mcp.scratch import scratch_folder
from leadpipe_mcp.settings import SettingsError

GRACE_SECONDS = 20
HEADERS_SECONDS = 10.0
IDLE_SECONDS = 75


def run(settings: HostingSettings) -> None:
    """Answer over HTTP until a signal says to stop; calls at work are answered first.

    Raises:
        SettingsError: If something is missing, or the port cannot be used.
    """
    settings.check()
    if named := collector():
        need("otel", named)
    if settings.secret is None:
        settings = settings.model_copy(update={"secret": SecretStr(secrets.token_hex(32))})
    listening = listen(settings)
    settings = settings.model_copy(update={"port": listening.getsockname()[1]})
    config = Config(
        partial(application, settings),
        factory=True,
        workers=settings.workers,
        http=Impatient,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=512,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    for line in said_at_start(settings):
        sys.stderr.write(f"leadpipe-mcp: {line}\n")
    if settings.workers > 1:
        with scratch_folder():
            # Where the processes count together; see metrics.FOLDER.
            os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", tempfile.mkdtemp())
            Multiprocess(config, [listening]).run()
        return
    # uvicorn raises the signal again when the last call is answered.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    Server(config).run([listening])


def listen(settings: HostingSettings) -> socket.socket:
    """Take the port, for this process and its children."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listening = socket.create_server((settings.host, settings.port), family=family)
    except OSError as error:
        place, why = f"port {settings.port} of {settings.host}", str(error.strerror)
        raise SettingsError(f"{place} cannot be used: {why.partition(' (')[0]}") from None
    # Every connection has it from here. Without it the end of an answer waits 40 ms for the
    # client to acknowledge its beginning.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listening.set_inheritable(True)
    return listening


def said_at_start(settings: HostingSettings) -> list[str]:
    """Say where the server is, for whom, and what several processes without Redis mean."""
    whose = "whoever has a token of your issuer" if settings.oauth_issuer else "callers' own keys"
    lines = [f"listening on {settings.address}/mcp for {whose}"]
    if settings.workers > 1 and not settings.redis_url:
        lines.append(
            f"{settings.workers} processes without LEADPIPE_REDIS_URL: in each of them a caller may"
            " make as many requests as the limit says, a confirmation can be used once, and topics"
            " are fetched"
        )
    if settings.confirm == "off":
        lines.append("LEADPIPE_CONFIRM=off, nothing is asked first")
    return lines


def _end(_: int, __: FrameType | None) -> None:
    """End the program in an orderly way: whoever sends the signal has asked for it."""
    sys.exit(0)


def application(settings: HostingSettings) -> ASGIApp:
    """Build the application of one process."""
    set_up(settings.log_level, as_json=settings.log_json)
    trace_if_asked()
    gc.disable()
    # All of it now: the first call would hold up those of other callers while it imports.
    import_module("leadpipe_mcp.backend")
    from leadpipe_mcp.hosting.app import build_app

    # Streams end once their call is answered, and not as soon as the server is to stop.
    AppStatus.disable_automatic_graceful_drain()
    app = build_app(settings)
    gc.freeze()
    gc.enable()
    return app


class Impatient(H11Protocol):
    """HTTP that gives a request's headers only so long to arrive."""

    _silence: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._silence = self.loop.call_later(HEADERS_SECONDS, self._give_up)

    def data_received(self, data: bytes) -> None:
        """Wait for the rest of a request that has begun."""
        super().data_received(data)
        is_waiting = self.conn.their_state is h11.IDLE
        if self._silence and not is_waiting:
            self._silence.cancel()
            self._silence = None
        elif is_waiting and not self._silence:
            self._silence = self.loop.call_later(HEADERS_SECONDS, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        if self._silence:
            self._silence.cancel()
        super().connection_lost(exc)

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(
                b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            )
            self.transport.close()
