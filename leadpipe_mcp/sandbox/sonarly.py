"""Sonarly, played from its documents: account groups, audiences, their prospects, and folders."""

import base64
import hashlib
import json
import re
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar, get_args

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from leadpipe_mcp.sandbox.simulator import (
    SECONDS_PER_DAY,
    Endpoint,
    Form,
    Issue,
    Json,
    Refusal,
    Simulator,
    invalid,
    is_object,
    not_found,
    timestamp,
)
from leadpipe_mcp.sandbox.sonarly_store import Audience, Category, Folder, Group, Prospect

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
_ID = re.compile(r"[0-9a-f]{24}")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
_CATEGORIES: tuple[Category, ...] = get_args(Category)
_LIMIT, _LARGEST_LIMIT = 25, 100
_LONGEST_NAME, _LONGEST_DESCRIPTION = 255, 2_000
# The groups are older than the examples in them.
_FOUNDED = 60 * SECONDS_PER_DAY
Item = TypeVar("Item", Audience, Prospect)


@dataclass(frozen=True, slots=True, kw_only=True)
class SonarlySettings:
    """How the sandbox plays Sonarly."""

    groups: Mapping[str, str] = field(
        default_factory=lambda: {"6650a1b2c3d4e5f607182930": "Acme Growth"}
    )
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


@dataclass(frozen=True, slots=True)
class SonarlyCall:
    """A request that a handler answers.

    A handler reads the body before it asks for what the path names, so that 400 comes before 404.
    """

    groups: Mapping[str, Group]
    now: float
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes

    @property
    def group(self) -> Group:
        """The account group that the path names."""
        try:
            return self.groups[self.path["accountGroupId"]]
        except KeyError:
            raise Refusal(403, "No access to this account group") from None

    def audience(self) -> Audience:
        """The audience that the path names, if it is ready."""
        audience = self.group.audiences.get(self.path["audienceId"])
        if audience is None:
            raise not_found("Audience")
        if self.now < audience.filled_until:
            raise Refusal(409, "The audience is being filled by an active prospecting job")
        return audience

    def folder(self, folder_id: str) -> Folder:
        """A folder of the group."""
        if folder_id not in self.group.folders:
            raise not_found("Folder")
        return self.group.folders[folder_id]

    def ready_audiences(self) -> list[Audience]:
        """The audiences that no prospecting job is filling, newest first."""
        ready = (one for one in self.group.audiences.values() if self.now >= one.filled_until)
        return sorted(ready, key=_place, reverse=True)

    def form(self) -> Form:
        """The body, to be read field by field."""
        try:
            return Form(json.loads(self.body))
        except ValueError:
            raise invalid("", "Expected JSON") from None

    def page(self, items: Callable[[], Iterable[Item]]) -> tuple[list[Item], Json]:
        """The page that the query asks for, and what its end says about the next one."""
        limit, cursor = self.query.get("limit", str(_LIMIT)), self.query.get("cursor")
        if not re.fullmatch("[0-9]{1,9}", limit) or int(limit) < 1:
            raise invalid("limit", "Expected an integer from 1 on")
        place = None if cursor is None else _read_cursor(cursor)
        listed = sorted(items(), key=_place, reverse=True)
        if place is not None:
            listed = [item for item in listed if _place(item) < place]
        page = listed[: min(int(limit), _LARGEST_LIMIT)]
        cursor = _write_cursor(page[-1]) if len(page) < len(listed) else None
        return page, {"nextCursor": cursor, "hasMore": cursor is not None}


def _place(item: Audience | Prospect) -> tuple[str, str]:
    """Newest first, and by id among equals."""
    return timestamp(item.created / 1000), item.id


def _write_cursor(last: Audience | Prospect) -> str:
    moment, item_id = _place(last)
    content = json.dumps({"createdAt": moment, "id": item_id}, separators=(",", ":"))
    return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[str, str]:
    padded = cursor + "=" * (-len(cursor) % 4)
    try:
        content: object = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except ValueError:
        content = None
    fields = content if is_object(content) else {}
    moment, item_id = fields.get("createdAt"), fields.get("id", "")
    if isinstance(moment, str) and _MOMENT.fullmatch(moment) and isinstance(item_id, str):
        return moment, item_id
    raise invalid("cursor", "Invalid cursor")


def _accounts(call: SonarlyCall) -> Json:
    groups = call.groups.values()
    return {
        "items": [
            {"id": group.id, "name": group.name, "createdAt": timestamp(group.created / 1000)}
            for group in groups
        ]
    }


def _list_audiences(call: SonarlyCall) -> Json:
    page, end = call.page(call.ready_audiences)
    return {"items": [audience.shown() for audience in page], **end}


def _create_audience(call: SonarlyCall) -> Json:
    form = call.form()
    form.require("name", "type")
    name, category = _name(form) or "", form.choice("type", _CATEGORIES) or "on_demand"
    description = _description(form)
    form.check()
    return call.group.create_audience(name, category, description, call.now).shown()


def _read_audience(call: SonarlyCall) -> Json:
    return call.audience().shown()


def _update_audience(call: SonarlyCall) -> Json:
    """Change what is sent; the rest stays."""
    form = call.form()
    name, description = _name(form), _description(form)
    if not (form.has("name") or form.has("description")):
        form.wrong("", "Expected name or description")
    form.check()
    audience = call.audience()
    audience.name = name or audience.name
    if form.has("description"):
        audience.description = description
    return audience.shown()


def _delete_audience(call: SonarlyCall) -> Json:
    del call.group.audiences[call.audience().id]
    return {"deleted": True}


def _list_prospects(call: SonarlyCall) -> Json:
    page, end = call.page(lambda: call.audience().prospects)
    return {"items": [call.group.prospect_row(prospect) for prospect in page], **end}


def _navigation(call: SonarlyCall) -> Json:
    """Folders with their audiences, and the audiences in no folder."""
    ready = call.ready_audiences()

    def inside(folder_id: str | None) -> list[Json]:
        return [audience.shown() for audience in ready if audience.folder_id == folder_id]

    folders = sorted(call.group.folders.values(), key=lambda folder: folder.position)
    shown = [{**folder.shown(), "audiences": inside(folder.id)} for folder in folders]
    return {"folders": shown, "ungroupedAudiences": inside(None)}


def _create_folder(call: SonarlyCall) -> Json:
    """Create a folder; folders may share a name."""
    form = call.form()
    form.require("name", "audienceType")
    name, category = _name(form) or "", form.choice("audienceType", _CATEGORIES) or "on_demand"
    form.check()
    return call.group.create_folder(name, category, call.now).shown()


def _rename_folder(call: SonarlyCall) -> Json:
    """Rename a folder; audiences that are being filled do not matter."""
    form = call.form()
    form.require("name")
    name = _name(form) or ""
    form.check()
    folder = call.folder(call.path["folderId"])
    folder.name, folder.updated = name, call.group.moment(call.now)
    return folder.shown()


def _move(call: SonarlyCall) -> Json:
    form = call.form()
    form.require("folderId")
    folder_id = form.text("folderId", _LONGEST_NAME) or ""
    if not form.issues and not _ID.fullmatch(folder_id):
        form.wrong("folderId", "Invalid id")
    form.check()
    # What is not there comes before what is not ready: 404, then 409.
    if call.path["audienceId"] not in call.group.audiences:
        raise not_found("Audience")
    folder, audience = call.folder(folder_id), call.audience()
    if folder.category != audience.category:
        message = f"A folder of type {folder.category} takes no {audience.category} audience"
        raise Refusal(422, message, issues=[Issue("folderId", message)])
    audience.folder_id = folder.id
    return audience.shown()


def _remove(call: SonarlyCall) -> Json:
    """Take an audience out of its folder; a body would not be read."""
    audience = call.audience()
    audience.folder_id = None
    return audience.shown()


def _name(form: Form) -> str | None:
    name = form.text("name", _LONGEST_NAME, shortest=1)
    if name is not None and not name.strip():
        return form.wrong("name", "Expected more than spaces")
    return name


def _description(form: Form) -> str | None:
    """The description in a form; None for one that is absent, wrong or empty."""
    if form.fields.get("description") is None:
        return None
    return form.text("description", _LONGEST_DESCRIPTION) or None


Answering = Callable[[SonarlyCall], Json]
_READ, _WRITE = "audiences:read", "audiences:write"
_AUDIENCES = "/v1/accounts/{accountGroupId}/audiences"
_AUDIENCE = f"{_AUDIENCES}/{{audienceId}}"
_FOLDERS = f"{_AUDIENCES}/folders"
# The folders come first: `navigation` is where the id of an audience would be.
_ENDPOINTS: tuple[Endpoint[Answering], ...] = (
    Endpoint("GET", "/v1/accounts", _accounts),
    Endpoint("GET", f"{_AUDIENCES}/navigation", _navigation, _READ),
    Endpoint("POST", _FOLDERS, _create_folder, _WRITE),
    Endpoint("PATCH", f"{_FOLDERS}/{{folderId}}", _rename_folder, _WRITE),
    Endpoint("POST", f"{_AUDIENCE}/move-to-folder", _move, _WRITE),
    Endpoint("POST", f"{_AUDIENCE}/remove-from-folder", _remove, _WRITE),
    Endpoint("GET", _AUDIENCES, _list_audiences, _READ),
    Endpoint("POST", _AUDIENCES, _create_audience, _WRITE),
    Endpoint("GET", _AUDIENCE, _read_audience, _READ),
    Endpoint("PATCH", _AUDIENCE, _update_audience, _WRITE),
    Endpoint("DELETE", _AUDIENCE, _delete_audience, _WRITE),
    Endpoint("GET", f"{_AUDIENCE}/prospects", _list_prospects, "prospects:read"),
)


class SonarlySandbox(Simulator[Answering]):
    """An ASGI application that plays the Sonarly API with invented people."""

    def __init__(
        self,
        settings: SonarlySettings | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings or SonarlySettings()
        super().__init__(_ENDPOINTS, clock, self.settings.delay_ms)
        self._sent, now = 0, clock()
        self.groups: dict[str, Group] = {}
        """What every account group has, by its id."""
        for group_id, name in self.settings.groups.items():
            created = int((now - _FOUNDED) * 1000) + len(self.groups)
            group = Group(group_id, name, created, self.settings.people)
            self.groups[group_id] = group
            if self.settings.examples:
                group.furnish(now)

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

    def _answer(self, request: Request, body: bytes) -> Response:
        """What the endpoint answers; 401 and 403 come before it looks at the request."""
        endpoint, path = self._find(request)
        sent = _BEARER.fullmatch(request.headers.get("authorization", ""))
        if sent is None or not _KEY.fullmatch(sent[1]):
            raise Refusal(401, "Invalid API key" if sent else "Missing API key")
        allowed = self.settings.key_permissions.get(sent[1])
        if endpoint.needs and allowed is not None and endpoint.needs not in allowed:
            raise Refusal(403, f"Missing required permission: {endpoint.needs}")
        for name, text in path.items():
            if not _ID.fullmatch(text) and text not in self.groups:
                raise invalid(name, "Invalid id")
        call = SonarlyCall(self.groups, self._clock(), path, dict(request.query_params), body)
        if "accountGroupId" in path:
            _ = call.group
        created = endpoint.handler in (_create_audience, _create_folder)
        return self._envelope(201 if created else 200, data=endpoint.handler(call))

    def _refuse(self, refusal: Refusal) -> Response:
        issues = refusal.issues or [Issue("", refusal.message)]
        details = "; ".join(": ".join(filter(None, issue)) for issue in issues)
        code = _CODES[refusal.status]
        error: Json = {"code": code, "message": refusal.message, "details": details}
        return self._envelope(refusal.status, error=error)

    def _envelope(
        self, status: int, *, data: Json | None = None, error: Json | None = None
    ) -> Response:
        self._sent += 1
        trace = hashlib.sha256(f"trace {self._sent}".encode()).hexdigest()[:24]
        body: Json = {"success": error is None, "data": data, "error": error, "traceId": trace}
        return JSONResponse(body, status)
