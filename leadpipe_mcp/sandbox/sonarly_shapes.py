"""Audiences and folders as Sonarly shows them."""

from leadpipe_mcp.sandbox.replies import Json
from leadpipe_mcp.sandbox.sonarly_calls import SonarlyCall
from leadpipe_mcp.sandbox.sonarly_store import Audience, Folder


def audience_row(audience: Audience, call: SonarlyCall) -> Json:
    """An audience; the same wherever it is shown alone or in a list."""
    settings = call.settings
    echo = settings.response_type == "category"
    row: Json = {
        "id": audience.id,
        "name": audience.name,
        "type": audience.category if echo else settings.source,
        "description": audience.description,
        "folderId": audience.folder_id,
        "prospectCount": len(audience.prospects),
        "createdAt": call.time(audience.created),
    }
    if audience.description is None and settings.unset_description == "empty":
        row["description"] = ""
    if audience.description is None and settings.unset_description == "absent":
        del row["description"]
    if audience.folder_id is None and settings.unset_folder == "absent":
        del row["folderId"]
    return row


def nested_row(audience: Audience, call: SonarlyCall) -> Json:
    """An audience inside a folder of the navigation."""
    row = audience_row(audience, call)
    if call.settings.nested_counts == "text":
        row["prospectCount"] = str(row["prospectCount"])
    return row


def folder_row(folder: Folder, call: SonarlyCall) -> Json:
    """A folder without its audiences."""
    return {
        "id": folder.id,
        "name": folder.name,
        "audienceType": folder.category,
        "isPinned": folder.pinned,
        "position": folder.position,
        "createdAt": call.time(folder.created),
        "updatedAt": call.time(folder.updated),
    }
