"""A sandbox on a port of this machine."""

import contextlib
import socket
import sys

from leadpipe_mcp.sandbox.app import Sandbox
from leadpipe_mcp.sandbox.settings import SandboxSettings
from leadpipe_mcp.sandbox.sonarly import SonarlySandbox
from leadpipe_mcp.sandbox.sonarly_settings import SonarlySettings


def serve(
    settings: SandboxSettings | SonarlySettings | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
) -> None:
    """Serve until interrupted; the base URL is printed as soon as it can be used.

    The settings decide which service is played: Leadpipe, or Sonarly.
    """
    import uvicorn

    from leadpipe_mcp.sandbox.protocol import AbortableProtocol

    with socket.create_server((host, port)) as listener:
        sys.stdout.write(f"http://{host}:{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        config = uvicorn.Config(
            SonarlySandbox(settings)
            if isinstance(settings, SonarlySettings)
            else Sandbox(settings),
            http=AbortableProtocol,
            ws="none",
            lifespan="off",
            log_level="warning",
            access_log=False,
        )
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])
