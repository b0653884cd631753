"""The tools for folders of LinkedIn audiences in Sonarly."""

import re
from typing import Annotated

from pydantic import Field, WithJsonSchema, model_validator

from leadpipe_mcp.api.sonarly_models import AudienceType, Folder, Navigation
from leadpipe_mcp.errors import Conflict, NotPossible
from leadpipe_mcp.text import clean, listed, redact
from leadpipe_mcp.toolkit import Reply, Suggestion, tool
from leadpipe_mcp.tools.replies import LONGEST_NAME, Part, suggestions
from leadpipe_mcp.tools.services import Call
from leadpipe_mcp.tools.sonarly_accounts import (
    AUDIENCE_ID,
    ID_LENGTH,
    InAccount,
    Kind,
    SonarlyAudience,
    SonarlyId,
    SonarlyName,
    account_of,
    named,
)

MOST_NAMED = 10
# All ids in the vendor's documents have this form.
_LIKE_AN_ID = re.compile(r"[0-9a-f]{24}")


class MoveLinkedinAudience(InAccount):
    """Which audience, and which folder."""

    id: SonarlyId = Field(description=AUDIENCE_ID)
    folder_id: Annotated[
        SonarlyId | None, WithJsonSchema({"type": ["string", "null"], "maxLength": ID_LENGTH})
    ] = Field(description="The folder's id or name; null takes the audience out of its folder.")


class FolderPart(Part):
    """A folder."""

    id: str
    name: str | None = None
    type: str | None = None

    @classmethod
    def of(cls, folder: Folder) -> "FolderPart":
        """Return the folder as a reply shows it."""
        return cls(
            id=clean(folder.id, ID_LENGTH),
            name=clean(folder.name, LONGEST_NAME) or None,
            type=clean(folder.audience_type or "", 40) or None,
        )


class LinkedinAudienceMoved(Reply):
    """Which folder an audience was and is in."""

    audience: SonarlyAudience
    before: FolderPart | None = Field(default=None, description="The folder before.")
    after: FolderPart | None = Field(default=None, description="The folder now.")


@tool("Move a LinkedIn audience to a folder", idempotent=True)
async def sonarly_move_audience(call: Call, asked: MoveLinkedinAudience) -> LinkedinAudienceMoved:
    """Move a LinkedIn audience into a folder, or out of its folder with null.

    Audience and folder must have the same type, on_demand or monitoring. Its people stay. To make a
    new folder, use sonarly_save_folder.
    """
    account = await account_of(call, asked)
    there = await call.sonarly.navigation(account.id)
    target = _target(there, asked.folder_id) if asked.folder_id else None
    audience = await call.sonarly.get(account.id, asked.id)
    placed = {one.id: one.folder_id for one in there.audiences()}
    before = _shown_folder(there, audience.folder_id or placed.get(audience.id))
    if (before.id if before else None) == (target.id if target else None):
        where = f"in {named(target)}" if target else "in no folder"
        return LinkedinAudienceMoved(
            summary=f"{named(audience)} is already {where}, so nothing was changed.",
            audience=SonarlyAudience.of(audience),
            after=FolderPart.of(target) if target else None,
        )
    if target:
        done = await call.sonarly.move(account.id, asked.id, target.id)
        summary = f"{named(audience)} is now in the folder {named(target)}."
    else:
        done = await call.sonarly.remove_from_folder(account.id, asked.id)
        summary = f"{named(audience)} is now in no folder."
    return LinkedinAudienceMoved(
        summary=summary,
        audience=SonarlyAudience.of(done.result),
        before=FolderPart.of(before) if before else None,
        after=FolderPart.of(target) if target else None,
    )


def _shown_folder(there: Navigation, folder_id: str | None) -> Folder | None:
    if not folder_id:
        return None
    return next((one for one in there.folders if one.id == folder_id), Folder(id=folder_id))


def _target(there: Navigation, said: str) -> Folder:
    """Return the folder that is named, by id or name."""
    found = there.folder(said)
    if len(found) == 1:
        return found[0]
    if found:
        ids = listed([f"{clean(one.id, ID_LENGTH)} ({one.audience_type})" for one in found])
        raise NotPossible(f"Several folders have this name: {ids}.", "Pass the id.")
    # Sonarly may not show an empty folder, so it is asked about an id as it is.
    if _LIKE_AN_ID.fullmatch(said):
        return Folder(id=said, name=said)
    shown = [f"{named(one)} (id {clean(one.id, ID_LENGTH)})" for one in there.folders[:MOST_NAMED]]
    known = f"There are: {listed(shown)}." if shown else "No folders are shown."
    raise NotPossible(
        f"There is no folder '{redact(said, 60)}'. {known}",
        "Pass one of them, or make one with sonarly_save_folder.",
    )


class SaveFolder(InAccount):
    """Which folder, and what to call it."""

    name: SonarlyName = Field(description="The folder's name, or its new name.")
    type: Kind | None = Field(
        default=None, description="For a new folder: the type of its audiences."
    )
    folder_id: SonarlyId | None = Field(
        default=None, description="To rename a folder: its id or current name."
    )

    @model_validator(mode="after")
    def _new_or_old(self) -> "SaveFolder":
        if self.folder_id and self.type:
            raise NotPossible("The type of a folder cannot be changed: leave type out.")
        if not self.folder_id and not self.type:
            raise NotPossible(
                "A new folder needs a type, on_demand or monitoring.",
                "To rename one, pass folderId.",
            )
        return self


class FolderSaved(Reply):
    """A folder that was created or renamed."""

    folder: FolderPart
    before: str | None = Field(default=None, description="The name before.")


@tool("Create or rename a folder of LinkedIn audiences")
async def sonarly_save_folder(call: Call, asked: SaveFolder) -> FolderSaved:
    """Create a folder for LinkedIn audiences, or rename one with folderId.

    If a folder with this name and type exists, it is named and nothing is created. To put an
    audience into it, use sonarly_move_audience. Folders cannot be deleted here.
    """
    account = await account_of(call, asked)
    there = await call.sonarly.navigation(account.id)
    if asked.folder_id:
        return await _renamed(call, account.id, asked.name, _target(there, asked.folder_id))
    # The arguments ensure that a new folder has a type.
    kind: AudienceType = asked.type or "on_demand"
    for one in there.folders:
        if one.name.strip().casefold() == asked.name.casefold() and one.audience_type == kind:
            raise Conflict(
                f"There already is a folder {named(one)} of this type"
                f" (id {clean(one.id, ID_LENGTH)}). Nothing was created.",
                "Use it, or choose another name.",
            )
    done = await call.sonarly.create_folder(account.id, asked.name, kind, before=there)
    return FolderSaved(
        summary=f"The folder {named(done.result)} was created in {named(account)}.",
        folder=FolderPart.of(done.result),
        next=suggestions(Suggestion(tool="sonarly_move_audience", why="put an audience into it")),
    )


async def _renamed(call: Call, group: str, name: str, folder: Folder) -> FolderSaved:
    if folder.name == name:
        return FolderSaved(
            summary=f"The folder already has the name {named(folder)}, so nothing was changed.",
            folder=FolderPart.of(folder),
        )
    done = await call.sonarly.rename_folder(group, folder.id, name)
    return FolderSaved(
        summary=f"The folder {named(folder)} is now called {named(done.result)}.",
        folder=FolderPart.of(done.result),
        before=clean(folder.name, LONGEST_NAME),
    )
