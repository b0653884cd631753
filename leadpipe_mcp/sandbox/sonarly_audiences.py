"""Sonarly's audiences: list, create, read, change, delete, and the prospects of one."""

from leadpipe_mcp.sandbox.reading import Form
from leadpipe_mcp.sandbox.replies import Issue, Json
from leadpipe_mcp.sandbox.sonarly_calls import SonarlyCall, SonarlyEndpoint, Success
from leadpipe_mcp.sandbox.sonarly_pages import cut_page, read_page
from leadpipe_mcp.sandbox.sonarly_prospects import prospect_row
from leadpipe_mcp.sandbox.sonarly_replies import SonarlyRefusal, invalid
from leadpipe_mcp.sandbox.sonarly_shapes import audience_row
from leadpipe_mcp.sandbox.sonarly_store import CATEGORIES, Audience, Category, Group

AUDIENCES = "/v1/accounts/{accountGroupId}/audiences"
AUDIENCE = f"{AUDIENCES}/{{audienceId}}"
READ, WRITE = "audiences:read", "audiences:write"
_EMPTY = "Expected name or description"


def _list(call: SonarlyCall) -> Success:
    """GET /audiences: those that are ready."""
    read_page(call.query, call.settings)
    shown = [
        audience
        for audience in call.group().ready_audiences(call.now)
        if call.settings.list_monitoring or audience.category != "monitoring"
    ]
    page, cursor = cut_page(shown, call.query, call.settings)
    return _page([audience_row(audience, call) for audience in page], cursor)


def _create(call: SonarlyCall) -> Success:
    """POST /audiences."""
    form = call.form("name", "type", "description")
    form.require("name", "type")
    name, category = call.name(form), form.choice("type", CATEGORIES)
    description = _description(form, call)
    if form.issues or name is None or category is None:
        raise invalid(*form.issues)
    group = call.group()
    _require_name(group, name, None)
    _require_room(group, category)
    audience = group.create_audience(name, category, description, call.now)
    return Success(audience_row(audience, call), 201)


def _read(call: SonarlyCall) -> Success:
    """GET /audiences/{audienceId}."""
    return Success(audience_row(call.audience(), call))


def _update(call: SonarlyCall) -> Success:
    """PATCH /audiences/{audienceId}: what is not sent stays."""
    form = call.form("name", "description")
    name, description = call.name(form), _description(form, call)
    empty = not (form.has("name") or form.has("description"))
    if empty and call.settings.empty_patch == 400:
        form.wrong("", _EMPTY)
    if form.issues:
        raise invalid(*form.issues)
    audience = call.audience()
    if empty:
        raise SonarlyRefusal(422, _EMPTY)
    if name is not None:
        _require_name(call.group(), name, audience)
        audience.name = name
    if form.has("description"):
        audience.description = description
    return Success(audience_row(audience, call))


def _delete(call: SonarlyCall) -> Success:
    """DELETE /audiences/{audienceId}."""
    del call.group().audiences[call.audience().id]
    return Success({"deleted": True})


def _prospects(call: SonarlyCall) -> Success:
    """GET /audiences/{audienceId}/prospects."""
    read_page(call.query, call.settings)
    page, cursor = cut_page(call.audience().prospects, call.query, call.settings)
    return _page([prospect_row(prospect, call.world, call.settings) for prospect in page], cursor)


def _page(items: list[Json], cursor: str | None) -> Success:
    return Success({"items": items, "nextCursor": cursor, "hasMore": cursor is not None})


def _description(form: Form, call: SonarlyCall) -> str | None:
    """The description in a form; None for one that is absent, wrong or empty."""
    settings = call.settings
    sent = form.fields.get("description")
    if sent is None:
        if form.has("description") and settings.null_description == "reject":
            form.wrong("description", "Expected a string")
        return None
    if sent == "" and settings.empty_description != "keep":
        if settings.empty_description == "reject":
            form.wrong("description", "Expected a string of 1 character or more")
        return None
    return form.text("description", settings.longest_description)


def _require_name(group: Group, name: str, own: Audience | None) -> None:
    """Refuse a name that another audience has, if names are unique."""
    others = (audience.name for audience in group.audiences.values() if audience is not own)
    if group.settings.duplicate_names == "reject" and name in others:
        raise SonarlyRefusal(
            422,
            "An audience with this name exists",
            issues=[Issue("name", "Already in use")],
        )


def _require_room(group: Group, category: Category) -> None:
    """Refuse one monitoring audience too many."""
    most = group.settings.monitoring_audiences
    have = sum(audience.category == "monitoring" for audience in group.audiences.values())
    if category == "monitoring" and most is not None and have >= most:
        raise SonarlyRefusal(422, "The plan has no room for another monitoring audience")


ENDPOINTS = (
    SonarlyEndpoint("GET", AUDIENCES, _list, READ),
    SonarlyEndpoint("POST", AUDIENCES, _create, WRITE),
    SonarlyEndpoint("GET", AUDIENCE, _read, READ),
    SonarlyEndpoint("PATCH", AUDIENCE, _update, WRITE),
    SonarlyEndpoint("DELETE", AUDIENCE, _delete, WRITE),
    SonarlyEndpoint("GET", f"{AUDIENCE}/prospects", _prospects, "prospects:read"),
)
