"""The tools that change LinkedIn audiences in Sonarly, and their folders."""

import re
from typing import Annotated

from pydantic import Field, StringConstraints, WithJsonSchema, model_validator

from leadpipe_mcp.api import sonarly_models
from leadpipe_mcp.api.sonarly_models import Folder, matching
from leadpipe_mcp.errors import Conflict, NotPossible
from leadpipe_mcp.text import listed
from leadpipe_mcp.toolkit import Action, Reply, tool
from leadpipe_mcp.tools import replies, sonarly
from leadpipe_mcp.tools.arguments import ConfirmCode, not_with
from leadpipe_mcp.tools.lifecycle import UNSEEN, AudienceDeleted
from leadpipe_mcp.tools.replies import Part, suggest, warnings
from leadpipe_mcp.tools.services import Call
from leadpipe_mcp.tools.sonarly import SonarlyAudience, SonarlyId, account_of, named, prospects

# All ids in the vendor's documents have this form.
_LIKE_AN_ID = re.compile(r"[0-9a-f]{24}")

Description = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2_000)]


class CreateLinkedinAudience(sonarly.InAccount):
    name: sonarly.SonarlyName = Field(description="Its name, up to 255 characters.")
    type: sonarly.Kind = Field(
        description="on_demand: filled on request; monitoring: for continuous watching."
    )
    description: Description | None = Field(default=None, description="What it is for.")
    same_name: bool = Field(
        default=False, description="true creates it even if another has this name."
    )


@tool("Create a LinkedIn audience")
async def sonarly_create_audience(
    call: Call, asked: CreateLinkedinAudience
) -> sonarly.LinkedinAudienceShown:
    """Create an empty LinkedIn audience (a prospect list) in Sonarly.

    It starts empty: prospecting jobs in Sonarly fill it. If one with this name exists, it is named
    and nothing is created, so repeating the call makes no second one. For an audience of people who
    research topics, use create_audience.
    """
    account = await account_of(call, asked)
    before = await call.sonarly.before_creating(account.id)
    twins = [] if asked.same_name else matching(before.audiences, asked.name, by_id=False)
    for twin in twins:
        since = f", created {twin.created_at[:10]}" if twin.created_at else ""
        raise Conflict(
            f"There already is an audience {named(twin)} (id {twin.id}, {prospects(twin.size)}"
            f"{since}). Nothing was created.",
            "Use it, choose another name, or pass sameName: true if the user wants a second one.",
        )
    audience = await call.sonarly.create(
        account.id, asked.name, asked.type, asked.description or None, before=before
    )
    other_name = "Sonarly gave it a different name from the one asked for."
    move = suggest("sonarly_move_audience", "put it in a folder")
    return sonarly.LinkedinAudienceShown(
        summary=f"{named(audience)} was created in {named(account)}"
        + (f" and has {prospects(audience.size)}." if audience.size else "; it is empty so far."),
        audience=SonarlyAudience.of(audience),
        warnings=warnings(
            other_name if audience.name.strip() != asked.name else None,
            None if before.complete else UNSEEN,
        ),
        next=replies.suggestions(move if before.folders else None),
    )


class UpdateLinkedinAudience(sonarly.OneLinkedinAudience):
    name: sonarly.SonarlyName | None = Field(default=None, description="The new name.")
    description: Description | None = Field(
        default=None, description="The new description; an empty text removes it."
    )

    @model_validator(mode="after")
    def _something(self) -> "UpdateLinkedinAudience":
        if self.name is None and self.description is None:
            raise NotPossible("Pass what to change: name or description.")
        return self


class LinkedinAudienceChanged(Reply):
    audience: SonarlyAudience
    before: SonarlyAudience | None = None


@tool("Change a LinkedIn audience", destroys=True, idempotent=True)
async def sonarly_update_audience(
    call: Call, asked: UpdateLinkedinAudience
) -> LinkedinAudienceChanged:
    """Change the name or description of a LinkedIn audience; anything not named stays.

    The reply shows it before and after. Its type cannot be changed; to move it into a folder, use
    sonarly_move_audience.
    """
    account = await account_of(call, asked)
    before = await call.sonarly.get(account.id, asked.id)
    wanted = {"name": asked.name, "description": asked.description}
    is_shown = asked.description is None or "description" in before.model_fields_set
    if is_shown and sonarly_models.is_as_wanted(before, wanted):
        return LinkedinAudienceChanged(
            summary=f"{named(before)} already looks like that, so nothing was changed.",
            audience=SonarlyAudience.of(before),
        )
    after = await call.sonarly.update(
        account.id, asked.id, name=asked.name, description=asked.description
    )
    changes = [f"is now called {named(after)}"] if asked.name else []
    if asked.description is not None:
        changes.append("has a new description" if asked.description else "has no description")
    hidden = "Sonarly does not show the description, so that part is not confirmed."
    return LinkedinAudienceChanged(
        summary=f"{named(before)} {listed(changes)}.",
        audience=SonarlyAudience.of(after),
        before=SonarlyAudience.of(before),
        warnings=warnings(
            hidden if sonarly_models.hides_description(after, asked.description) else None
        ),
    )


class DeleteLinkedinAudience(sonarly.OneLinkedinAudience):
    confirm: ConfirmCode = None


@tool("Delete a LinkedIn audience", destroys=True)
async def sonarly_delete_audience(call: Call, asked: DeleteLinkedinAudience) -> AudienceDeleted:
    """Permanently delete a LinkedIn audience in Sonarly.

    The user is asked first, with its name and number of prospects. Sonarly does not say what
    happens to campaigns that use it.
    """
    account = await account_of(call, asked)
    audience = await call.sonarly.get(account.id, asked.id)
    question = (
        f"Delete the LinkedIn audience {named(audience)} ({prospects(audience.size)}) in"
        f" {named(account)}? This cannot be undone; campaigns that use it may stop."
    )
    seen = [account.id, audience.model_dump(mode="json")]
    await call.confirm(Action("sonarly delete", question, seen, "Sonarly"), asked.confirm)
    await call.sonarly.delete(account.id, asked.id)
    return AudienceDeleted(
        summary=f"{named(audience)} was deleted.", id=audience.id, name=audience.name
    )


class MoveLinkedinAudience(sonarly.OneLinkedinAudience):
    folder_id: Annotated[
        SonarlyId | None,
        WithJsonSchema({"type": ["string", "null"], "maxLength": sonarly.LONGEST_ID}),
    ] = Field(description="The folder's id or name; null takes the audience out of its folder.")


class FolderPart(Part):
    id: str
    name: str | None = None
    type: str | None = None

    @classmethod
    def of(cls, folder: Folder) -> "FolderPart":
        """Return the folder as a reply shows it."""
        return cls(id=folder.id, name=folder.name or None, type=folder.audience_type or None)


class LinkedinAudienceMoved(Reply):
    audience: SonarlyAudience
    before: FolderPart | None = None
    after: FolderPart | None = None


@tool("Move a LinkedIn audience to a folder", idempotent=True)
async def sonarly_move_audience(call: Call, asked: MoveLinkedinAudience) -> LinkedinAudienceMoved:
    """Move a LinkedIn audience into a folder, or out of its folder with null.

    Audience and folder must have the same type, on_demand or monitoring. Its people stay. To make a
    new folder, use sonarly_save_folder.
    """
    account = await account_of(call, asked)
    there = await call.sonarly.navigation(account.id)
    target = _folder(there, asked.folder_id) if asked.folder_id else None
    audience = await call.sonarly.get(account.id, asked.id)
    placed = {one.id: one.folder_id for one in there.audiences}
    folder_id, to = audience.folder_id or placed.get(audience.id), target.id if target else None
    before = next((one for one in there.folders if one.id == folder_id), None)
    if folder_id and not before:
        before = Folder(id=folder_id)
    after = FolderPart.of(target) if target else None
    where = f"in the folder {named(target)}" if target else "in no folder"
    if folder_id == to:
        return LinkedinAudienceMoved(
            summary=f"{named(audience)} is already {where}, so nothing was changed.",
            audience=SonarlyAudience.of(audience),
            after=after,
        )
    done = await call.sonarly.move(account.id, asked.id, to)
    return LinkedinAudienceMoved(
        summary=f"{named(audience)} is now {where}.",
        audience=SonarlyAudience.of(done),
        before=FolderPart.of(before) if before else None,
        after=after,
    )


def _folder(there: sonarly_models.Overview, said: str) -> Folder:
    # Sonarly may not show an empty folder, so it is asked about an id as it is.
    if _LIKE_AN_ID.fullmatch(said) and not matching(there.folders, said):
        return Folder(id=said, name=said)
    advice = "Pass one of them, or make one with sonarly_save_folder."
    return sonarly.only_one(there.folders, said, "folder", advice)


class SaveFolder(sonarly.InAccount):
    name: sonarly.SonarlyName = Field(description="The folder's name, or its new name.")
    type: sonarly.Kind | None = Field(
        default=None, description="For a new folder: the type of its audiences."
    )
    folder_id: Annotated[
        SonarlyId | None,
        not_with("type", "The type of a folder cannot be changed: leave type out."),
    ] = Field(default=None, description="To rename a folder: its id or current name.")

    @model_validator(mode="after")
    def _new_or_old(self) -> "SaveFolder":
        if not self.folder_id and not self.type:
            raise NotPossible(
                "A new folder needs a type, on_demand or monitoring.",
                "To rename one, pass folderId.",
            )
        return self


class FolderSaved(Reply):
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
        folder = _folder(there, asked.folder_id)
        if folder.name == asked.name:
            return FolderSaved(
                summary=f"The folder already has the name {named(folder)}, so nothing was changed.",
                folder=FolderPart.of(folder),
            )
        done = await call.sonarly.rename_folder(account.id, folder.id, asked.name)
        return FolderSaved(
            summary=f"The folder {named(folder)} is now called {named(done)}.",
            folder=FolderPart.of(done),
            before=folder.name,
        )
    # The arguments ensure that a new folder has a type.
    kind: sonarly_models.AudienceType = asked.type or "on_demand"
    for twin in matching(there.folders, asked.name, by_id=False):
        if twin.audience_type == kind:
            raise Conflict(
                f"There already is a folder {named(twin)} of this type (id {twin.id}). Nothing was"
                " created.",
                "Use it, or choose another name.",
            )
    done = await call.sonarly.create_folder(account.id, asked.name, kind, before=there)
    return FolderSaved(
        summary=f"The folder {named(done)} was created in {named(account)}.",
        folder=FolderPart.of(done),
        next=[suggest("sonarly_move_audience", "put an audience into it")],
    )
