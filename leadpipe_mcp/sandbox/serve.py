"""The sandbox on a port of this machine: both services at one address."""

import contextlib
import socket
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Receive, Scope, Send

from leadpipe_mcp.sandbox.app import Sandbox
from leadpipe_mcp.sandbox.settings import SandboxSettings
from leadpipe_mcp.sandbox.sonarly import SonarlySandbox

if TYPE_CHECKING:
    from asyncio import Protocol

KEY = "sk_sandbox"
_SONARLY_PATH = "/v1/accounts"
_TO_SET = (
    "LEADPIPE_BASE_URL={url} LEADPIPE_API_KEY={key}",
    "SONARLY_BASE_URL={url} SONARLY_API_KEY={key}",
)


def serve(settings: SandboxSettings | None = None, port: int = 0) -> None:
    """Serve both services until interrupted; say what to set as soon as they answer."""
    serve_application(both(Sandbox(settings), SonarlySandbox()), port, say=_TO_SET)


def both(leadpipe: ASGIApp, sonarly: ASGIApp) -> ASGIApp:
    """Return one application that answers as either service, by the path."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        # No path of Leadpipe's begins as all of Sonarly's do.
        service = sonarly if scope["path"].startswith(_SONARLY_PATH) else leadpipe
        await service(scope, receive, send)

    return answer


def serve_application(
    application: ASGIApp,
    port: int = 0,
    *,
    say: Sequence[str] = ("{url}",),
    http: "type[Protocol] | None" = None,
) -> None:
    """Serve an application on the loopback interface until interrupted."""
    import uvicorn

    # asyncio turns Nagle's algorithm off only for sockets that name their protocol; with it, the
    # second half of each answer would wait for the client's delayed acknowledgement.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        sys.stdout.writelines(f"{line.format(url=url, key=KEY)}\n" for line in say)
        sys.stdout.flush()
        config = uvicorn.Config(
            application,
            http=http or "auto",
            ws="none",
            lifespan="off",
            log_level="warning",
            access_log=False,
        )
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])
