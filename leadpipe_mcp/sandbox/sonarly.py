"""Sonarly, played from its documents: finds who asks, what they may do, and who answers."""

import hashlib
import re
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from leadpipe_mcp.sandbox.replies import SECONDS_PER_DAY, Json
from leadpipe_mcp.sandbox.simulator import Simulator
from leadpipe_mcp.sandbox.sonarly_calls import SonarlyCall, SonarlyEndpoint, SonarlyRefusal, Success
from leadpipe_mcp.sandbox.sonarly_routes import ENDPOINTS
from leadpipe_mcp.sandbox.sonarly_store import Group
from leadpipe_mcp.sandbox.world import world_of

_CODES = {
    400: "VALIDATION_ERROR",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    409: "AUDIENCE_NOT_READY",
    422: "UNPROCESSABLE_ENTITY",
}
_BEARER = re.compile(r"bearer +(\S+)", re.IGNORECASE)
_KEY = re.compile(r"sk_(live_|sandbox)\S*")
_VARIABLE = re.compile(r"\{(\w+)\}")
# The groups are older than the examples in them.
_FOUNDED = 60 * SECONDS_PER_DAY
ACME_GROWTH = "6650a1b2c3d4e5f607182930"
"""The account group that everybody sees unless the settings say otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SonarlySettings:
    """How the sandbox plays Sonarly."""

    groups: Mapping[str, str] = field(default_factory=lambda: {ACME_GROWTH: "Acme Growth"})
    """The names of the account groups by their ids."""
    key_permissions: Mapping[str, Collection[str]] = field(
        default_factory=dict[str, Collection[str]]
    )
    """What a key may do; one that is not named may do all, if it looks like a key."""
    examples: bool = True
    """Whether a group starts with four audiences and two folders."""
    people: int = 50_000
    """How many people live in the sandbox; those with a LinkedIn profile are the prospects."""
    delay_ms: int = 0
    """How long every answer takes."""


class SonarlySandbox(Simulator):
    """An ASGI application that plays the Sonarly API with invented people."""

    def __init__(
        self,
        settings: SonarlySettings | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings or SonarlySettings()
        super().__init__(self.settings.delay_ms)
        self._clock = clock
        self._sent = 0
        self.groups = self._found_groups()
        """What every account group has, by its id."""
        self._endpoints = [
            (re.compile(_VARIABLE.sub(r"(?P<\1>[^/]+)", endpoint.path)), endpoint)
            for endpoint in ENDPOINTS
        ]

    def fill(self, audience_id: str, seconds: float, prospects: int = 0) -> None:
        """Let a prospecting job fill an audience from now on, and bring it more people."""
        now = self._clock()
        for group in self.groups.values():
            if audience := group.audiences.get(audience_id):
                audience.filled_until = now + seconds
                start = audience.created % self.settings.people
                group.add_prospects(audience, prospects, start, now)
                return
        raise LookupError(f"There is no audience {audience_id}")

    def _respond(self, request: Request, body: bytes) -> Response:
        self._sent += 1
        trace = hashlib.sha256(f"trace {self._sent}".encode()).hexdigest()[:24]
        try:
            success = self._answer(request, body)
        except SonarlyRefusal as refusal:
            details = "; ".join(": ".join(filter(None, issue)) for issue in refusal.issues)
            code = _CODES[refusal.status]
            error: Json = {"code": code, "message": refusal.message, "details": details}
            refused: Json = {"success": False, "data": None, "error": error, "traceId": trace}
            return JSONResponse(refused, refusal.status)
        answered: Json = {"success": True, "data": success.data, "error": None, "traceId": trace}
        return JSONResponse(answered, success.status)

    def _answer(self, request: Request, body: bytes) -> Success:
        """What the endpoint answers; 401 and 403 come before it looks at the request."""
        endpoint, path = self._find(request)
        self._require_permission(_key(request), endpoint)
        query = dict(request.query_params)
        call = SonarlyCall(self.groups, self._clock(), path, query, body)
        call.require_path()
        return endpoint.handler(call)

    def _find(self, request: Request) -> tuple[SonarlyEndpoint, Mapping[str, str]]:
        # The path as it was sent: an encoded slash inside an id separates nothing.
        raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
        for pattern, endpoint in self._endpoints:
            found = pattern.fullmatch(raw.decode("latin-1"))
            if found and endpoint.method == request.method:
                return endpoint, {name: unquote(text) for name, text in found.groupdict().items()}
        raise SonarlyRefusal(404, "Not Found")

    def _require_permission(self, key: str, endpoint: SonarlyEndpoint) -> None:
        needed = endpoint.permission
        if needed and needed not in self.settings.key_permissions.get(key, (needed,)):
            raise SonarlyRefusal(403, f"Missing required permission: {needed}")

    def _found_groups(self) -> dict[str, Group]:
        now, groups = self._clock(), dict[str, Group]()
        for group_id, name in self.settings.groups.items():
            created = int((now - _FOUNDED) * 1000) + len(groups)
            group = Group(group_id, name, created, world_of(self.settings.people))
            groups[group_id] = group
            if self.settings.examples:
                group.furnish(now)
        return groups


def _key(request: Request) -> str:
    sent = _BEARER.fullmatch(request.headers.get("authorization", ""))
    if sent is None:
        raise SonarlyRefusal(401, "Missing API key")
    if not _KEY.fullmatch(sent[1]):
        raise SonarlyRefusal(401, "Invalid API key")
    return sent[1]
