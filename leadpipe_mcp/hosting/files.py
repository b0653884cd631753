"""Exported files, served to whoever has a link to one."""

from collections.abc import Callable
from dataclasses import dataclass

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from starlette.authentication import AuthenticationBackend, AuthenticationError
from starlette.requests import HTTPConnection, Request
from starlette.responses import FileResponse, PlainTextResponse, Response

from leadpipe_mcp.downloads import Downloads

HEADERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
NO_LINK = "No file of yours is behind this link; copy the whole link."
OVER = "This link has expired; have the audience exported again."


@dataclass(frozen=True)
class Files:
    """Serves the files of callers.

    A browser brings no key, so a link is enough by itself. Who brings a key or a token with it has
    to be the one whose file it is.
    """

    downloads: Downloads
    identity: AuthenticationBackend
    refused: Callable[[HTTPConnection, Exception], Response]

    async def serve(self, request: Request) -> Response:
        """Answer with the file."""
        try:
            who = await self._who(request)
        except AuthenticationError as error:
            return self.refused(request, error)
        found = self.downloads.find(request.path_params["token"])
        if found is None or who not in {None, found.caller}:
            return PlainTextResponse(NO_LINK, 404, HEADERS)
        if found.is_over:
            return PlainTextResponse(OVER, 410, HEADERS)
        return FileResponse(
            found.path,
            headers=HEADERS,
            media_type="application/octet-stream",
            filename=found.path.name,
        )

    async def _who(self, request: Request) -> str | None:
        """Return the id of the caller whose key or token came along; None if there was none."""
        scheme = request.headers.get("authorization", "").partition(" ")[0]
        if scheme.lower() != "bearer" and "x-api-key" not in request.headers:
            return None
        known = await self.identity.authenticate(request)
        user = known[1] if known else None
        return user.access_token.client_id if isinstance(user, AuthenticatedUser) else None
