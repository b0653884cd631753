"""Sonarly, played from its documents: account groups, audiences, their prospects, and folders."""

import hashlib
import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
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
    not_found,
    timestamp,
)
from leadpipe_mcp.sandbox.sonarly_store import Audience, Category, Folder, Group, Prospect

_CODES = {
    400: "VALIDATION_ERROR",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    422: "UNPROCESSABLE_ENTITY",
}
_BEARER = re.compile(r"bearer +(\S+)", re.IGNORECASE)
_KEY = re.compile(r"sk_(live_|sandbox)\S*")
_ID = re.compile(r"[0-9a-f]{24}")
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
        return self.groups[self.path["accountGroupId"]]

    def audience(self) -> Audience:
        """The audience that the path names."""
        if self.path["audienceId"] not in self.group.audiences:
            raise not_found("Audience")
        return self.group.audiences[self.path["audienceId"]]

    def folder(self, folder_id: str) -> Folder:
        """A folder of the group."""
        if folder_id not in self.group.folders:
            raise not_found("Folder")
        return self.group.folders[folder_id]

    def form(self, *required: str) -> Form:
        """The body, to be read field by field."""
        try:
            form = Form(json.loads(self.body))
        except ValueError:
            raise invalid("", "Expected JSON") from None
        form.require(*required)
        return form

    def page(self, items: Callable[[], Sequence[Item]]) -> tuple[list[Item], Json]:
        """The page that the query asks for, newest first, and where the next one starts."""
        limit, cursor = self.query.get("limit", str(_LIMIT)), self.query.get("cursor")
        if not re.fullmatch("[0-9]{1,9}", limit) or int(limit) < 1:
            raise invalid("limit", "Expected an integer from 1 on")
        if cursor is not None and not re.fullmatch("[0-9a-f]{1,16}", cursor):
            raise invalid("cursor", "Invalid cursor")
        # A cursor is the moment of the last item; no two items have the same.
        before = inf if cursor is None else int(cursor, 16)
        listed = [item for item in reversed(items()) if item.created < before]
        page = listed[: min(int(limit), _LARGEST_LIMIT)]
        following = f"{page[-1].created:x}" if len(page) < len(listed) else None
        return page, {"nextCursor": following, "hasMore": following is not None}


def _list_accounts(call: SonarlyCall) -> Json:
    groups = call.groups.values()
    return {
        "items": [
            {"id": group.id, "name": group.name, "createdAt": timestamp(group.created / 1000)}
            for group in groups
        ]
    }


def _list_audiences(call: SonarlyCall) -> Json:
    page, end = call.page(lambda: list(call.group.audiences.values()))
    return {"items": [audience.shown() for audience in page], **end}


def _create_audience(call: SonarlyCall) -> Json:
    form = call.form("name", "type")
    name, category = _name(form), form.choice("type", _CATEGORIES) or "on_demand"
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


def _navigate(call: SonarlyCall) -> Json:
    """Folders with their audiences, and the audiences in no folder."""
    newest_first = list(call.group.audiences.values())[::-1]

    def inside(folder_id: str | None) -> list[Json]:
        return [audience.shown() for audience in newest_first if audience.folder_id == folder_id]

    folders = call.group.folders.values()
    shown = [{**folder.shown(), "audiences": inside(folder.id)} for folder in folders]
    return {"folders": shown, "ungroupedAudiences": inside(None)}


def _create_folder(call: SonarlyCall) -> Json:
    """Create a folder; folders may share a name."""
    form = call.form("name", "audienceType")
    name, category = _name(form), form.choice("audienceType", _CATEGORIES) or "on_demand"
    form.check()
    return call.group.create_folder(name, category, call.now).shown()


def _rename_folder(call: SonarlyCall) -> Json:
    form = call.form("name")
    name = _name(form)
    form.check()
    folder = call.folder(call.path["folderId"])
    folder.name, folder.updated = name, call.group.moment(call.now)
    return folder.shown()


def _move(call: SonarlyCall) -> Json:
    form = call.form("folderId")
    folder_id = form.text("folderId", _LONGEST_NAME) or ""
    if not form.issues and not _ID.fullmatch(folder_id):
        form.wrong("folderId", "Invalid id")
    form.check()
    audience, folder = call.audience(), call.folder(folder_id)
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


def _name(form: Form) -> str:
    name = form.text("name", _LONGEST_NAME, shortest=1) or ""
    if name.isspace():
        form.wrong("name", "Expected more than spaces")
    return name


def _description(form: Form) -> str | None:
    """The description in a form; None for one that is absent, wrong or empty."""
    if form.fields.get("description") is None:
        return None
    return form.text("description", _LONGEST_DESCRIPTION) or None


_AUDIENCES = "/v1/accounts/{accountGroupId}/audiences"
_AUDIENCE = f"{_AUDIENCES}/{{audienceId}}"
_FOLDERS = f"{_AUDIENCES}/folders"
# The folders come first: `navigation` is where the id of an audience would be.
_ENDPOINTS = (
    Endpoint("GET", "/v1/accounts", _list_accounts),
    Endpoint("GET", f"{_AUDIENCES}/navigation", _navigate),
    Endpoint("POST", _FOLDERS, _create_folder),
    Endpoint("PATCH", f"{_FOLDERS}/{{folderId}}", _rename_folder),
    Endpoint("POST", f"{_AUDIENCE}/move-to-folder", _move),
    Endpoint("POST", f"{_AUDIENCE}/remove-from-folder", _remove),
    Endpoint("GET", _AUDIENCES, _list_audiences),
    Endpoint("POST", _AUDIENCES, _create_audience),
    Endpoint("GET", _AUDIENCE, _read_audience),
    Endpoint("PATCH", _AUDIENCE, _update_audience),
    Endpoint("DELETE", _AUDIENCE, _delete_audience),
    Endpoint("GET", f"{_AUDIENCE}/prospects", _list_prospects),
)


class SonarlySandbox(Simulator):
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
        for number, (group_id, name) in enumerate(self.settings.groups.items()):
            created = int((now - _FOUNDED) * 1000) + number
            self.groups[group_id] = Group(group_id, name, created, self.settings.people)
            if self.settings.examples:
                self.groups[group_id].furnish(now)

    def _answer(self, request: Request, body: bytes) -> Response:
        """What the endpoint answers; 401 and 403 come before it looks at the request."""
        endpoint, path = self._find(request)
        sent = _BEARER.fullmatch(request.headers.get("authorization", ""))
        if sent is None or not _KEY.fullmatch(sent[1]):
            raise Refusal(401, "Invalid API key" if sent else "Missing API key")
        for name, text in path.items():
            if not _ID.fullmatch(text) and text not in self.groups:
                raise invalid(name, "Invalid id")
        if path and path["accountGroupId"] not in self.groups:
            raise Refusal(403, "No access to this account group")
        call = SonarlyCall(self.groups, self._clock(), path, request.query_params, body)
        created = endpoint.handler in (_create_audience, _create_folder)
        return self._envelope(201 if created else 200, data=endpoint.handler(call))

    def _refuse(self, refusal: Refusal) -> Response:
        details = "; ".join(map(str, refusal.issues)) or refusal.message
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
