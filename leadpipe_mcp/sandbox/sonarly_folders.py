"""Sonarly's folders: the navigation, and audiences that move between them."""

from leadpipe_mcp.sandbox.replies import Issue
from leadpipe_mcp.sandbox.sonarly_audiences import AUDIENCE, AUDIENCES, READ, WRITE
from leadpipe_mcp.sandbox.sonarly_calls import SonarlyCall, SonarlyEndpoint, Success
from leadpipe_mcp.sandbox.sonarly_pages import in_order
from leadpipe_mcp.sandbox.sonarly_replies import SonarlyRefusal, invalid
from leadpipe_mcp.sandbox.sonarly_shapes import audience_row, folder_row, nested_row
from leadpipe_mcp.sandbox.sonarly_store import CATEGORIES, Folder, Group, can_be_id

_FOLDERS = f"{AUDIENCES}/folders"


def _navigation(call: SonarlyCall) -> Success:
    """GET /audiences/navigation: folders with their audiences, and those in no folder."""
    group = call.group()
    ready = in_order(group.ready_audiences(call.now), call.settings)
    folders = [
        {
            **folder_row(folder, call),
            "audiences": [
                nested_row(audience, call) for audience in ready if audience.folder_id == folder.id
            ],
        }
        for folder in _sorted(group)
    ]
    if not call.settings.navigation_empty_folders:
        folders = [folder for folder in folders if folder["audiences"]]
    ungrouped = [audience_row(audience, call) for audience in ready if audience.folder_id is None]
    return Success({"folders": folders, "ungroupedAudiences": ungrouped})


def _sorted(group: Group) -> list[Folder]:
    def place(folder: Folder) -> tuple[int, int]:
        if group.settings.folder_order == "newest":
            return -folder.created, 0
        first = folder.pinned and group.settings.folder_order == "pinned"
        return 0 if first else 1, folder.position

    return sorted(group.folders.values(), key=place)


def _move(call: SonarlyCall) -> Success:
    """POST /audiences/{audienceId}/move-to-folder."""
    form = call.form("folderId")
    form.require("folderId")
    folder_id = form.text("folderId", call.settings.longest_name, shortest=1)
    if folder_id and call.settings.malformed_id == 400 and not can_be_id(folder_id, call.settings):
        form.wrong("folderId", "Invalid id")
    if form.issues or folder_id is None:
        raise invalid(*form.issues)
    # What is not there comes before what is not ready: 404, then 409.
    folder = _folder_unless_audience_is_missing(call, folder_id)
    audience = call.audience()
    if folder.category != audience.category:
        message = f"A folder of type {folder.category} takes no {audience.category} audience"
        raise SonarlyRefusal(422, message, issues=[Issue("folderId", message)])
    if audience.folder_id == folder.id and call.settings.same_folder_move == 422:
        raise SonarlyRefusal(422, "The audience is in this folder already")
    audience.folder_id = folder.id
    return Success(audience_row(audience, call))


def _folder_unless_audience_is_missing(call: SonarlyCall, folder_id: str) -> Folder:
    if call.path["audienceId"] not in call.group().audiences:
        call.audience()
    return call.folder(folder_id)


def _remove(call: SonarlyCall) -> Success:
    """POST /audiences/{audienceId}/remove-from-folder; a body would not be read."""
    audience = call.audience()
    if audience.folder_id is None and call.settings.remove_ungrouped != 200:
        raise SonarlyRefusal(call.settings.remove_ungrouped, "The audience is in no folder")
    audience.folder_id = None
    return Success(audience_row(audience, call))


def _create(call: SonarlyCall) -> Success:
    """POST /audiences/folders; folders may share a name."""
    form = call.form("name", "audienceType")
    form.require("name", "audienceType")
    name, category = call.name(form), form.choice("audienceType", CATEGORIES)
    if form.issues or name is None or category is None:
        raise invalid(*form.issues)
    return Success(folder_row(call.group().create_folder(name, category, call.now), call), 201)


def _rename(call: SonarlyCall) -> Success:
    """PATCH /audiences/folders/{folderId}; audiences that are being filled do not matter."""
    form = call.form("name")
    form.require("name")
    name = call.name(form)
    if form.issues or name is None:
        raise invalid(*form.issues)
    folder = call.folder(call.path["folderId"])
    folder.name, folder.updated = name, call.group().moments.next(call.now)
    return Success(folder_row(folder, call))


ENDPOINTS = (
    SonarlyEndpoint("GET", f"{AUDIENCES}/navigation", _navigation, READ),
    SonarlyEndpoint("POST", _FOLDERS, _create, WRITE),
    SonarlyEndpoint("PATCH", f"{_FOLDERS}/{{folderId}}", _rename, WRITE),
    SonarlyEndpoint("POST", f"{AUDIENCE}/move-to-folder", _move, WRITE),
    SonarlyEndpoint("POST", f"{AUDIENCE}/remove-from-folder", _remove, WRITE),
)
