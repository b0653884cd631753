"""Leadpipe, played from its documents: who asks, and which routes the profile serves."""

import json
import re
import time
from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from leadpipe_mcp.sandbox.audiences import ACCOUNT, AUDIENCES, VALIDATE
from leadpipe_mcp.sandbox.calls import LIVE_KEY, Answering, Call, LeadpipeEndpoint
from leadpipe_mcp.sandbox.exports import DATED_EXPORTS, DOWNLOAD, EXPORTS
from leadpipe_mcp.sandbox.runs import DATED_RUNS, LIST_RUNS, RUNS
from leadpipe_mcp.sandbox.settings import Profile, SandboxSettings
from leadpipe_mcp.sandbox.simulator import Refusal, Simulator
from leadpipe_mcp.sandbox.store import Organisation, furnish
from leadpipe_mcp.sandbox.topic_routes import ANALYSIS, TOPICS
from leadpipe_mcp.sandbox.visitors import PIXELS, VISITORS

_KEY = re.compile(r"sk_\S+")
_EXPIRED_KEY = "sk_expired"
_SHARED = (ACCOUNT, *TOPICS, *ANALYSIS, *VISITORS, *PIXELS, LIST_RUNS)
_ONLY_FLAT = (*DATED_RUNS, *DATED_EXPORTS)
_ONLY_CATALOG = (VALIDATE, *RUNS, *EXPORTS)
# What has a fixed name comes before `{id}`, which would fit it as well.
ENDPOINTS: Mapping[Profile, tuple[LeadpipeEndpoint, ...]] = {
    "flat": (*_SHARED, *_ONLY_FLAT, *AUDIENCES),
    "catalog": (*_SHARED, *_ONLY_CATALOG, *AUDIENCES),
    "mixed": (*_SHARED, *_ONLY_FLAT, *_ONLY_CATALOG, *AUDIENCES),
}


class Sandbox(Simulator[Answering]):
    """An ASGI application that plays the Leadpipe API with invented people."""

    def __init__(
        self,
        settings: SandboxSettings | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings or SandboxSettings()
        endpoints = (*ENDPOINTS[self.settings.profile], DOWNLOAD)
        super().__init__(endpoints, clock, self.settings.delay_ms)
        self._organisations: dict[str, Organisation] = {}

    def _answer(self, request: Request, body: bytes) -> Response:
        now = self._clock()
        endpoint, path = self._find(request)
        # One that is sent as a Bearer token is none.
        key = request.headers.get("x-api-key", "")
        if not _KEY.fullmatch(key):
            if endpoint.needs:
                raise Refusal(401, "Invalid API key")
            key = ""
        expired = key.startswith(_EXPIRED_KEY)
        if expired and endpoint.needs == LIVE_KEY:
            raise Refusal(403, "Organization is expired")
        if key not in self._organisations:
            self._organisations[key] = Organisation(key, self.settings)
            if self.settings.examples and not expired:
                furnish(self._organisations[key], now)
        try:
            content: object = json.loads(body) if body else None
        except ValueError:
            raise Refusal(400, "Malformed JSON in request body") from None
        call = Call(
            settings=self.settings,
            organisation=self._organisations[key],
            organisations=self._organisations,
            now=now,
            path=path,
            query=dict(request.query_params),
            headers=request.headers,
            body=content,
            base_url=str(request.base_url).rstrip("/"),
            has_key=bool(key),
            expired=expired,
        )
        return endpoint.handler(call)

    def _refuse(self, refusal: Refusal) -> Response:
        error: dict[str, object] = {"code": refusal.code, "message": refusal.message}
        if refusal.issues and self.settings.invalid_config == "zod":
            issues = [
                {"code": "custom", "path": path.split(".") if path else [], "message": message}
                for path, message in refusal.issues
            ]
            error = {"code": "ZodError", "message": "Validation failed", "issues": issues}
        elif refusal.issues:
            parts = (": ".join(filter(None, issue)) for issue in refusal.issues)
            error = {"code": "VALIDATION_ERROR", "message": "; ".join(parts)}
        return JSONResponse({"error": error}, refusal.status, refusal.headers)
