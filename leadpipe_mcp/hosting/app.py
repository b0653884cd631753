"""The application that answers over HTTP: /mcp, and what an operator looks at."""

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from anyio import to_thread
from mcp.server import Server
from mcp.server.auth.middleware.auth_context import AuthContextMiddleware
from mcp.server.auth.middleware.bearer_auth import RequireAuthMiddleware
from mcp.server.auth.routes import build_resource_metadata_url, create_protected_resource_routes
from mcp.server.streamable_http_manager import StreamableHTTPASGIApp, StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import AnyHttpUrl
from starlette.applications import Starlette
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from leadpipe_mcp import __version__
from leadpipe_mcp.api.connections import Application
from leadpipe_mcp.callers import Shared
from leadpipe_mcp.downloads import PATH as FILES
from leadpipe_mcp.downloads import Downloads
from leadpipe_mcp.hosting.admission import Admission
from leadpipe_mcp.hosting.files import Files
from leadpipe_mcp.hosting.identity import (
    READ,
    WRITE,
    ManyCallers,
    OwnKeys,
    TeamTokens,
    refusal,
)
from leadpipe_mcp.hosting.limits import Limits
from leadpipe_mcp.hosting.settings import HostingSettings
from leadpipe_mcp.logs import also_told
from leadpipe_mcp.scratch import scratch_folder
from leadpipe_mcp.server import build_server

PATH = "/mcp"


def build_app(
    settings: HostingSettings,
    *,
    service: Application | None = None,
    sonarly: Application | None = None,
    furnish: Callable[[Server[Any]], None] | None = None,
) -> Starlette:
    """Build the application of one process.

    Args:
        settings: Who may call, and how often.
        service: An application that answers in the service's place, without a network.
        sonarly: The same for Sonarly.
        furnish: Adds to what the server shows.
    """
    shared, limits = opened(settings)
    downloads = None
    if folder := settings.download_dir:
        downloads = Downloads(folder, settings.address, shared.key("files"), shared.clock)
    is_team = settings.oauth_issuer is not None
    callers = ManyCallers(shared, of_a_team=is_team, downloads=downloads)
    server = build_server(settings, service=service, sonarly=sonarly, callers=callers)
    if furnish:
        furnish(server)
    manager = StreamableHTTPSessionManager(
        server,
        stateless=True,
        security_settings=TransportSecuritySettings(
            allowed_hosts=settings.hosts(), allowed_origins=settings.origins()
        ),
        max_request_body_size=settings.body_bytes,
    )
    admitted = Admission(StreamableHTTPASGIApp(manager), callers, limits, settings.calls_at_once)
    resource = AnyHttpUrl(settings.address + PATH)
    routes = [
        Route("/healthz", _healthy),
        Route("/readyz", partial(_ready, shared)),
    ]
    if issuer := settings.oauth_issuer:
        keys_at = settings.oauth_jwks_url or f"{issuer.rstrip('/')}/.well-known/jwks.json"
        audience = settings.oauth_audience or str(resource)
        identity = TeamTokens(shared, issuer, audience, keys_at)
        metadata = build_resource_metadata_url(resource)
        routes += create_protected_resource_routes(
            resource, [AnyHttpUrl(issuer)], [READ, WRITE], "Leadpipe"
        )
    else:
        identity = OwnKeys(shared, are_needed=not settings.sandbox)
        metadata = None
    refused = partial(refusal, metadata)
    guarded = AuthenticationMiddleware(
        AuthContextMiddleware(RequireAuthMiddleware(admitted, [READ], metadata)),
        backend=identity,
        on_error=refused,
    )
    if downloads:
        files = Files(downloads, identity, refused)
        routes.append(Route(f"{FILES}/{{token}}", files.serve))
    answering: ASGIApp = guarded
    if settings.metrics:
        from leadpipe_mcp.hosting.metrics import Counted, Metrics

        metrics = Metrics()
        also_told.append(metrics.count)
        answering = Counted(guarded, metrics.answers)
        routes.append(Route("/metrics", metrics.show))
    routes.append(Route(PATH, answering, methods=["POST"]))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        with scratch_folder():
            if downloads:
                await to_thread.run_sync(downloads.sweep)
            async with manager.run():
                yield
            await shared.close()

    return Starlette(routes=routes, lifespan=lifespan)


def opened(settings: HostingSettings) -> tuple[Shared, Limits]:
    """Open what the processes share, and what counts their callers' requests."""
    secret = settings.secret.get_secret_value().encode() if settings.secret else None
    if settings.redis_url is None:
        return Shared(secret, time.time), Limits(settings.requests_per_minute)
    from leadpipe_mcp.hosting.redis import LimitsInRedis, SharedInRedis

    shared = SharedInRedis(settings.redis_url.get_secret_value(), secret)
    return shared, LimitsInRedis(settings.requests_per_minute, shared)


async def _healthy(_: Request) -> JSONResponse:
    return JSONResponse({"status": "ok", "version": __version__})


async def _ready(shared: Shared, _: Request) -> JSONResponse:
    """Say whether calls can be answered; without Redis they can, if not as well."""
    state = await shared.state()
    return JSONResponse({"status": "ready"} | ({"redis": state} if state else {}))
