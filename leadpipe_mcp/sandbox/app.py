"""Leadpipe, played from its documents: who asks, and which routes the profile serves."""

import json
import re
import time
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from leadpipe_mcp.sandbox.audiences import AUDIENCES
from leadpipe_mcp.sandbox.calls import Call
from leadpipe_mcp.sandbox.exports import EXPORTS
from leadpipe_mcp.sandbox.runs import RUNS
from leadpipe_mcp.sandbox.settings import SandboxSettings
from leadpipe_mcp.sandbox.simulator import Refusal, Simulator
from leadpipe_mcp.sandbox.store import File, Organisation, furnish
from leadpipe_mcp.sandbox.topic_routes import TOPICS
from leadpipe_mcp.sandbox.visitors import VISITORS

_KEY = re.compile(r"sk_\S+")
# The first answer to everybody; the account alone to those whose subscription has ended.
_OPEN, _ACCOUNT = ("/v1/intent/topics", "/_files"), "/v1/data/account"
# What has a fixed name comes before `{id}`, which would fit it as well.
ENDPOINTS = (*TOPICS, *VISITORS, *RUNS, *EXPORTS, *AUDIENCES)


class Sandbox(Simulator):
    """An ASGI application that plays the Leadpipe API with invented people."""

    def __init__(
        self,
        settings: SandboxSettings | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings or SandboxSettings()
        played = {"", "flat", "catalog"}
        if self.settings.profile != "mixed":
            played = {"", self.settings.profile}
        endpoints = [endpoint for endpoint in ENDPOINTS if endpoint.only in played]
        super().__init__(endpoints, clock, self.settings.delay_ms)
        self.organisations: dict[str, Organisation] = {}
        """What every organisation has, by its key."""
        self._files: dict[str, File] = {}

    def _answer(self, request: Request, body: bytes) -> Response:
        endpoint, path = self._find(request)
        # A key that is sent as a Bearer token is none.
        key = request.headers.get("x-api-key", "")
        if not _KEY.fullmatch(key):
            if not endpoint.path.startswith(_OPEN):
                raise Refusal(401, "Invalid API key")
            key = ""
        now, is_new = self._clock(), key not in self.organisations
        organisation = self.organisations.setdefault(key, Organisation(key, self.settings))
        if organisation.expired and not endpoint.path.startswith((*_OPEN, _ACCOUNT)):
            raise Refusal(403, "Organization is expired")
        if is_new and self.settings.examples and not organisation.expired:
            furnish(organisation, now)
        try:
            content: object = json.loads(body) if body else None
        except ValueError:
            raise Refusal(400, "Malformed JSON in request body") from None
        query = dict[str, object](request.query_params)
        call = Call(self.settings, organisation, self._files, now, path, query, content, request)
        return endpoint.handler(call)

    def _refuse(self, refusal: Refusal) -> Response:
        code, message = refusal.code, refusal.message
        if refusal.issues:
            code, message = "VALIDATION_ERROR", "; ".join(map(str, refusal.issues))
        error = {"code": code, "message": message}
        return JSONResponse({"error": error}, refusal.status, refusal.headers)
