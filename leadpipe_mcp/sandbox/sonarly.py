"""Sonarly, played from its documents: finds who asks, what they may do, and who answers."""

import re
import time
from collections.abc import Callable, Mapping
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response

from leadpipe_mcp.sandbox.days import SECONDS_PER_DAY
from leadpipe_mcp.sandbox.pace import Pace
from leadpipe_mcp.sandbox.replies import Json
from leadpipe_mcp.sandbox.simulator import Simulator
from leadpipe_mcp.sandbox.sonarly_audiences import ENDPOINTS as AUDIENCES
from leadpipe_mcp.sandbox.sonarly_audiences import READ
from leadpipe_mcp.sandbox.sonarly_calls import SonarlyCall, SonarlyEndpoint, Success
from leadpipe_mcp.sandbox.sonarly_examples import furnish
from leadpipe_mcp.sandbox.sonarly_folders import ENDPOINTS as FOLDERS
from leadpipe_mcp.sandbox.sonarly_prospects import people_on_linkedin
from leadpipe_mcp.sandbox.sonarly_replies import Envelope, SonarlyRefusal
from leadpipe_mcp.sandbox.sonarly_settings import SonarlySettings
from leadpipe_mcp.sandbox.sonarly_store import Group
from leadpipe_mcp.sandbox.world import world_of

_BEARER = re.compile(r"bearer +(\S+)", re.IGNORECASE)
_KEY = re.compile(r"sk_(live_|sandbox)\S*")
_VARIABLE = re.compile(r"\{(\w+)\}")
# The groups are older than the examples in them.
_FOUNDED = 60 * SECONDS_PER_DAY


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
        self._world = world_of(self.settings.people)
        self._envelope = Envelope(self.settings)
        self._paces: dict[str, Pace] = {}
        self._groups = self._found_groups()
        self._endpoints = [(_pattern(endpoint.path), endpoint) for endpoint in _ENDPOINTS]

    def fill(self, audience_id: str, seconds: float, prospects: int = 0) -> None:
        """Let a prospecting job fill an audience from now on, and bring it so many people."""
        now = self._clock()
        for group in self._groups.values():
            if audience := group.audiences.get(audience_id):
                audience.filled_until = now + seconds
                start = audience.created % self._world.people
                have = {prospect.person for prospect in audience.prospects}
                people = people_on_linkedin(self._world, start, prospects + len(have))
                new = [person for person in people if person not in have]
                group.add_prospects(audience, new[:prospects], now)
                return
        raise LookupError(f"There is no audience {audience_id}")

    def _path(self, request: Request) -> str:
        """The path as it was sent: an encoded slash inside an id separates nothing."""
        raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
        return raw.decode("latin-1")

    def _respond(self, request: Request, body: bytes) -> Response:
        try:
            success = self._answer(request, body)
        except SonarlyRefusal as refusal:
            return self._envelope.error(refusal)
        return self._envelope.success(success.data, success.status)

    def _answer(self, request: Request, body: bytes) -> Success:
        """What the endpoint answers; 401, 429 and 403 come before it looks at the request."""
        now = self._clock()
        endpoint, path = self._find(request)
        key = self._key(request)
        self._require_pace(key, now)
        self._require_permission(key, endpoint)
        call = SonarlyCall(
            settings=self.settings,
            groups=self._groups_of(key),
            world=self._world,
            now=now,
            path=path,
            query=dict(request.query_params),
            body=body,
        )
        call.require_path()
        return endpoint.handler(call)

    def _find(self, request: Request) -> tuple[SonarlyEndpoint, Mapping[str, str]]:
        path = self._path(request)
        for pattern, endpoint in self._endpoints:
            found = pattern.fullmatch(path)
            if found and endpoint.method == request.method:
                return endpoint, {name: unquote(text) for name, text in found.groupdict().items()}
        raise SonarlyRefusal(404, "Not Found")

    def _key(self, request: Request) -> str:
        sent = _BEARER.fullmatch(request.headers.get("authorization", ""))
        if sent is None:
            raise SonarlyRefusal(401, "Missing API key")
        key = sent[1]
        known = key in self.settings.key_permissions or key in self.settings.key_groups
        if key in self.settings.revoked_keys or not (known or _KEY.fullmatch(key)):
            raise SonarlyRefusal(401, "Invalid API key")
        return key

    def _require_pace(self, key: str, now: float) -> None:
        if self.settings.requests_a_minute is None:
            return
        wait = self._paces.setdefault(key, Pace()).wait(now, self.settings.requests_a_minute)
        if wait:
            headers = {"Retry-After": str(int(wait) + 1)} if self.settings.retry_after else {}
            raise SonarlyRefusal(429, "Rate limit exceeded", headers=headers)

    def _require_permission(self, key: str, endpoint: SonarlyEndpoint) -> None:
        needed = [endpoint.permission] if endpoint.permission else []
        if endpoint.permission == "prospects:read" and self.settings.prospects_permission == "both":
            needed.append(READ)
        given = self.settings.key_permissions.get(key, needed)
        for permission in needed:
            if permission not in given:
                raise SonarlyRefusal(403, f"Missing required permission: {permission}")

    def _groups_of(self, key: str) -> Mapping[str, Group]:
        seen = self.settings.key_groups.get(key, self._groups)
        return {group.id: group for group in self._groups.values() if group.id in seen}

    def _found_groups(self) -> dict[str, Group]:
        now, groups = self._clock(), dict[str, Group]()
        for group_id, name in self.settings.groups.items():
            created = int((now - _FOUNDED) * 1000) + len(groups)
            group = groups[group_id] = Group(group_id, name, created, self.settings)
            if self.settings.examples:
                furnish(group, self._world, now)
        return groups


def _accounts(call: SonarlyCall) -> Success:
    """GET /v1/accounts."""
    items = [
        {"id": group.id, "name": group.name, "createdAt": call.time(group.created)}
        for group in call.groups.values()
    ]
    end: Json = {"nextCursor": None, "hasMore": False} if call.settings.accounts_paged else {}
    return Success({"items": items, **end})


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(_VARIABLE.sub(r"(?P<\1>[^/]+)", path))


# The folders come first: `navigation` stands where the id of an audience does.
_ENDPOINTS = (SonarlyEndpoint("GET", "/v1/accounts", _accounts), *FOLDERS, *AUDIENCES)
