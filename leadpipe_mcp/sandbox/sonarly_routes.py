"""Sonarly's routes: account groups, audiences and their prospects, and folders."""

from leadpipe_mcp.sandbox.replies import Form, Issue, Json
from leadpipe_mcp.sandbox.sonarly_calls import (
    SonarlyCall,
    SonarlyEndpoint,
    SonarlyRefusal,
    Success,
    can_be_id,
    cut_page,
    invalid,
    read_page,
)
from leadpipe_mcp.sandbox.sonarly_store import CATEGORIES, written

_READ, _WRITE = "audiences:read", "audiences:write"
_LONGEST_NAME, _LONGEST_DESCRIPTION = 255, 2_000


def _accounts(call: SonarlyCall) -> Success:
    """GET /v1/accounts."""
    return Success(
        {
            "items": [
                {"id": group.id, "name": group.name, "createdAt": written(group.created)}
                for group in call.groups.values()
            ]
        }
    )


def _list_audiences(call: SonarlyCall) -> Success:
    """GET /audiences: those that are ready."""
    read_page(call.query)
    page, end = cut_page(call.ready_audiences(), call.query)
    return Success({"items": [audience.shown() for audience in page], **end})


def _create_audience(call: SonarlyCall) -> Success:
    """POST /audiences."""
    form = call.form()
    form.require("name", "type")
    name, category = _name(form), form.choice("type", CATEGORIES)
    description = _description(form)
    if form.issues or name is None or category is None:
        raise invalid(*form.issues)
    return Success(call.group.create_audience(name, category, description, call.now).shown(), 201)


def _read_audience(call: SonarlyCall) -> Success:
    """GET /audiences/{audienceId}."""
    return Success(call.audience().shown())


def _update_audience(call: SonarlyCall) -> Success:
    """PATCH /audiences/{audienceId}: what is not sent stays."""
    form = call.form()
    name, description = _name(form), _description(form)
    if not (form.has("name") or form.has("description")):
        form.wrong("", "Expected name or description")
    if form.issues:
        raise invalid(*form.issues)
    audience = call.audience()
    audience.name = name or audience.name
    if form.has("description"):
        audience.description = description
    return Success(audience.shown())


def _delete_audience(call: SonarlyCall) -> Success:
    """DELETE /audiences/{audienceId}."""
    del call.group.audiences[call.audience().id]
    return Success({"deleted": True})


def _list_prospects(call: SonarlyCall) -> Success:
    """GET /audiences/{audienceId}/prospects."""
    read_page(call.query)
    page, end = cut_page(call.audience().prospects, call.query)
    return Success({"items": [call.group.prospect_row(prospect) for prospect in page], **end})


def _navigation(call: SonarlyCall) -> Success:
    """GET /audiences/navigation: folders with their audiences, and those in no folder."""
    ready = call.ready_audiences()

    def inside(folder_id: str | None) -> list[Json]:
        return [audience.shown() for audience in ready if audience.folder_id == folder_id]

    folders = sorted(call.group.folders.values(), key=lambda folder: folder.position)
    shown = [{**folder.shown(), "audiences": inside(folder.id)} for folder in folders]
    return Success({"folders": shown, "ungroupedAudiences": inside(None)})


def _create_folder(call: SonarlyCall) -> Success:
    """POST /audiences/folders; folders may share a name."""
    form = call.form()
    form.require("name", "audienceType")
    name, category = _name(form), form.choice("audienceType", CATEGORIES)
    if form.issues or name is None or category is None:
        raise invalid(*form.issues)
    return Success(call.group.create_folder(name, category, call.now).shown(), 201)


def _rename_folder(call: SonarlyCall) -> Success:
    """PATCH /audiences/folders/{folderId}; audiences that are being filled do not matter."""
    form = call.form()
    form.require("name")
    name = _name(form)
    if form.issues or name is None:
        raise invalid(*form.issues)
    folder = call.folder(call.path["folderId"])
    folder.name, folder.updated = name, call.group.moment(call.now)
    return Success(folder.shown())


def _move(call: SonarlyCall) -> Success:
    """POST /audiences/{audienceId}/move-to-folder."""
    form = call.form()
    form.require("folderId")
    folder_id = form.text("folderId", _LONGEST_NAME, shortest=1)
    if folder_id and not can_be_id(folder_id):
        form.wrong("folderId", "Invalid id")
    if form.issues or folder_id is None:
        raise invalid(*form.issues)
    # What is not there comes before what is not ready: 404, then 409.
    if call.path["audienceId"] not in call.group.audiences:
        call.audience()
    folder = call.folder(folder_id)
    audience = call.audience()
    if folder.category != audience.category:
        message = f"A folder of type {folder.category} takes no {audience.category} audience"
        raise SonarlyRefusal(422, message, [Issue("folderId", message)])
    audience.folder_id = folder.id
    return Success(audience.shown())


def _remove(call: SonarlyCall) -> Success:
    """POST /audiences/{audienceId}/remove-from-folder; a body would not be read."""
    audience = call.audience()
    audience.folder_id = None
    return Success(audience.shown())


def _name(form: Form) -> str | None:
    """The name in a form; None if there is none, or if it is wrong."""
    name = form.text("name", _LONGEST_NAME, shortest=1)
    if name is not None and not name.strip():
        return form.wrong("name", "Expected more than spaces")
    return name


def _description(form: Form) -> str | None:
    """The description in a form; None for one that is absent, wrong or empty."""
    if form.fields.get("description") is None:
        return None
    return form.text("description", _LONGEST_DESCRIPTION) or None


_AUDIENCES = "/v1/accounts/{accountGroupId}/audiences"
_AUDIENCE = f"{_AUDIENCES}/{{audienceId}}"
_FOLDERS = f"{_AUDIENCES}/folders"
# The folders come first: `navigation` stands where the id of an audience does.
ENDPOINTS = (
    SonarlyEndpoint("GET", "/v1/accounts", _accounts),
    SonarlyEndpoint("GET", f"{_AUDIENCES}/navigation", _navigation, _READ),
    SonarlyEndpoint("POST", _FOLDERS, _create_folder, _WRITE),
    SonarlyEndpoint("PATCH", f"{_FOLDERS}/{{folderId}}", _rename_folder, _WRITE),
    SonarlyEndpoint("POST", f"{_AUDIENCE}/move-to-folder", _move, _WRITE),
    SonarlyEndpoint("POST", f"{_AUDIENCE}/remove-from-folder", _remove, _WRITE),
    SonarlyEndpoint("GET", _AUDIENCES, _list_audiences, _READ),
    SonarlyEndpoint("POST", _AUDIENCES, _create_audience, _WRITE),
    SonarlyEndpoint("GET", _AUDIENCE, _read_audience, _READ),
    SonarlyEndpoint("PATCH", _AUDIENCE, _update_audience, _WRITE),
    SonarlyEndpoint("DELETE", _AUDIENCE, _delete_audience, _WRITE),
    SonarlyEndpoint("GET", f"{_AUDIENCE}/prospects", _list_prospects, "prospects:read"),
)
