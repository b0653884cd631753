"""The application: finds who asks and who answers."""

import json
import re
import time
from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import compile_path

from leadpipe_mcp.sandbox.audiences import ACCOUNT, CATALOG, FLAT, ONLY_FLAT
from leadpipe_mcp.sandbox.calls import Call, Endpoint
from leadpipe_mcp.sandbox.exports import DOWNLOADS
from leadpipe_mcp.sandbox.files import Files
from leadpipe_mcp.sandbox.pixels import PIXELS
from leadpipe_mcp.sandbox.replies import Download, Refusal, Reply
from leadpipe_mcp.sandbox.settings import Profile, SandboxSettings
from leadpipe_mcp.sandbox.simulator import Simulator
from leadpipe_mcp.sandbox.sites import ANALYSIS
from leadpipe_mcp.sandbox.store import Organisation, furnish
from leadpipe_mcp.sandbox.topic_routes import BROWSING, TRENDS
from leadpipe_mcp.sandbox.visitors import VISITORS

_KEY = re.compile(r"sk_\S+")
_EXPIRED_KEY = "sk_expired"
_SHARED = (*ACCOUNT, *BROWSING, *TRENDS, *ANALYSIS, *VISITORS, *PIXELS)
ENDPOINTS: Mapping[Profile, tuple[Endpoint, ...]] = {
    "flat": (*_SHARED, *FLAT),
    "catalog": (*_SHARED, *CATALOG),
    "mixed": (*_SHARED, *CATALOG, *ONLY_FLAT),
}


class Sandbox(Simulator):
    """An ASGI application that plays the Leadpipe API with invented people."""

    def __init__(
        self,
        settings: SandboxSettings | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings or SandboxSettings()
        super().__init__(self.settings.delay_ms)
        self._clock = clock
        self._files = Files()
        self._organisations: dict[str, Organisation] = {}
        self._endpoints = [
            (compile_path(endpoint.path)[0], endpoint)
            for endpoint in (*ENDPOINTS[self.settings.profile], *DOWNLOADS)
        ]

    def _respond(self, request: Request, body: bytes) -> Response:
        try:
            reply = self._reply(request, body)
        except Refusal as refusal:
            reply = refusal.reply
        if isinstance(reply, Download):
            return StreamingResponse(reply.pieces, headers=reply.headers)
        return JSONResponse(reply.body, reply.status, reply.headers)

    def _reply(self, request: Request, body: bytes) -> Reply | Download:
        now = self._clock()
        endpoint, path = self._find(request)
        key = self._key(endpoint, request)
        expired = key.startswith(_EXPIRED_KEY)
        if expired and endpoint.needs == "live key":
            raise Refusal(403, "Organization is expired")
        call = Call(
            settings=self.settings,
            organisation=self._organisation(key, now),
            now=now,
            path=path,
            query=dict(request.query_params),
            headers=request.headers,
            body=_parsed(body),
            files=self._files,
            base_url=str(request.base_url).rstrip("/"),
            has_key=bool(key),
            expired=expired,
        )
        return endpoint.handler(call)

    def _key(self, endpoint: Endpoint, request: Request) -> str:
        """The key of the request; empty where none is needed and none that is one was sent."""
        sent = request.headers.get("x-api-key")
        if endpoint.needs == "nothing":
            return sent if sent and _KEY.fullmatch(sent) else ""
        return _authenticated(request)

    def _find(self, request: Request) -> tuple[Endpoint, Mapping[str, str]]:
        for pattern, endpoint in self._endpoints:
            found = pattern.match(request.url.path)
            if found and endpoint.method == request.method:
                return endpoint, found.groupdict()
        raise Refusal(404, "Not Found")

    def _organisation(self, key: str, now: float) -> Organisation:
        if key not in self._organisations:
            organisation = self._organisations[key] = Organisation(key, self.settings)
            if self.settings.examples and not key.startswith(_EXPIRED_KEY):
                furnish(organisation, now)
        return self._organisations[key]


def _authenticated(request: Request) -> str:
    """The key of the request; one sent as a Bearer token is none."""
    key = request.headers.get("x-api-key", "")
    if not _KEY.fullmatch(key):
        raise Refusal(401, "Invalid API key")
    return key


def _parsed(body: bytes) -> object:
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError:
        raise Refusal(400, "Malformed JSON in request body") from None
