"""The tools for LinkedIn audiences in Sonarly: list, show, create, change, delete."""

from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from leadpipe_mcp.api.sonarly_models import LinkedinAudience, Overview
from leadpipe_mcp.errors import Conflict, NotPossible
from leadpipe_mcp.text import clean, counted
from leadpipe_mcp.toolkit import Action, Reply, Suggestion, tool
from leadpipe_mcp.tools import sonarly_accounts, sonarly_folders, sonarly_prospects
from leadpipe_mcp.tools.arguments import ConfirmCode, StrictInt
from leadpipe_mcp.tools.replies import NAME_LENGTH, Cell, Table, cell, filled, suggestions, warnings
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
    prospects,
)

MOST_AUDIENCES = 100
MOST_FOLDERS = 50
Description = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2_000)]


class ListLinkedinAudiences(InAccount):
    """Which audiences."""

    name_contains: str | None = Field(
        default=None, max_length=255, description="Only those with these words in their name."
    )
    limit: StrictInt = Field(
        default=50, ge=1, le=MOST_AUDIENCES, description="Maximum number to return (1-100)."
    )
    cursor: SonarlyId | None = Field(default=None, description="nextCursor of the last page.")


class LinkedinAudienceList(Reply):
    """LinkedIn audiences and their folders."""

    account: str | None = Field(default=None, description="The account's id.")
    audiences: Table | None = None
    folders: Table | None = None
    next_cursor: str | None = Field(default=None, description="Pass as cursor for the next page.")


@tool("List LinkedIn audiences", reads=True)
async def sonarly_list_audiences(call: Call, asked: ListLinkedinAudiences) -> LinkedinAudienceList:
    """List the LinkedIn audiences (prospect lists) in Sonarly with their sizes and folders.

    Use it to find the ids that the other sonarly tools take. Sonarly leaves out audiences that a
    prospecting job is still filling. For intent audiences in Leadpipe, use list_audiences.
    """
    account = await account_of(call, asked)
    there = await call.sonarly.overview(account.id)
    words = (asked.name_contains or "").casefold()
    matching = [audience for audience in there.audiences if words in audience.name.casefold()]
    start = _start(matching, asked.cursor)
    shown = matching[start : start + asked.limit]
    left = len(matching) - start - len(shown)
    named_so = f" with '{clean(words, NAME_LENGTH)}' in the name" if words else ""
    size = "" if there.folders is None else f" and {counted(len(there.folders), 'folder')}"
    return LinkedinAudienceList(
        summary=f"{counted(len(matching), 'LinkedIn audience')}{named_so}{size}"
        f" in {named(account)}." + (f" {left} more follow." if left else ""),
        account=clean(account.id, ID_LENGTH),
        audiences=filled(*_audience_rows(shown, there)),
        folders=None if asked.cursor else filled(*_folder_rows(there)),
        next_cursor=clean(shown[-1].id, ID_LENGTH) if left and shown else None,
        warnings=warnings(_gaps(there)),
        next=suggestions(
            Suggestion(tool="sonarly_create_audience", why="make the first audience")
            if not there.audiences
            else None
        ),
    )


def _start(audiences: list[LinkedinAudience], cursor: str | None) -> int:
    if cursor is None:
        return 0
    for number, audience in enumerate(audiences):
        if audience.id == cursor:
            return number + 1
    raise NotPossible("The list has changed, so this cursor is no longer valid.", "Leave it out.")


def _audience_rows(
    shown: list[LinkedinAudience], there: Overview
) -> tuple[list[str], list[list[Cell]]]:
    names = {folder.id: clean(folder.name, NAME_LENGTH) for folder in there.folders or ()}
    rows: list[list[Cell]] = [
        [
            clean(audience.id, ID_LENGTH),
            clean(audience.name, NAME_LENGTH),
            clean(audience.type or "", 40),
            cell(audience.size),
            names.get(audience.folder_id or "", clean(audience.folder_id or "", ID_LENGTH)),
            clean(audience.created_at or "", 40)[:10],
        ]
        for audience in shown
    ]
    return ["id", "name", "type", "size", "folder", "created"], rows


def _folder_rows(there: Overview) -> tuple[list[str], list[list[Cell]]]:
    held = [audience.folder_id for audience in there.audiences]
    rows: list[list[Cell]] = [
        [
            clean(folder.id, ID_LENGTH),
            clean(folder.name, NAME_LENGTH),
            clean(folder.audience_type or "", 40),
            held.count(folder.id),
        ]
        for folder in (there.folders or ())[:MOST_FOLDERS]
    ]
    return ["id", "name", "type", "audiences"], rows


def _gaps(there: Overview) -> list[str]:
    """Say what could not be read."""
    if there.folders is None:
        return ["The folders could not be read just now."]
    hidden = len(there.folders) - MOST_FOLDERS
    return [
        *([f"{counted(hidden, 'more folder')} not shown."] if hidden > 0 else []),
        *(
            []
            if there.complete
            else ["There may be more: Sonarly's list could not be read to the end."]
        ),
    ]


class OneLinkedinAudience(InAccount):
    """Which audience."""

    id: SonarlyId = Field(description=AUDIENCE_ID)


class LinkedinAudienceShown(Reply):
    """One LinkedIn audience."""

    audience: SonarlyAudience


@tool("Show a LinkedIn audience", reads=True)
async def sonarly_get_audience(call: Call, asked: OneLinkedinAudience) -> LinkedinAudienceShown:
    """Show one LinkedIn audience: name, type, number of prospects, description and folder.

    While a prospecting job is filling it, it says that it is not ready and how to wait. To see its
    people, use sonarly_list_prospects.
    """
    account = await account_of(call, asked)
    audience = await call.sonarly.get(account.id, asked.id)
    return LinkedinAudienceShown(
        summary=f"{named(audience)} has {prospects(audience.size)}.",
        audience=SonarlyAudience.of(audience),
        next=suggestions(_to_people(asked, audience) if audience.size else None),
    )


def _to_people(asked: InAccount, audience: LinkedinAudience) -> Suggestion:
    arguments = asked.with_account(id=clean(audience.id, ID_LENGTH))
    return Suggestion(tool="sonarly_list_prospects", arguments=arguments, why="see the people")


class CreateLinkedinAudience(InAccount):
    """What to create."""

    name: SonarlyName = Field(description="Its name, up to 255 characters.")
    type: Kind = Field(
        description="on_demand: filled on request; monitoring: for continuous watching."
    )
    description: Description | None = Field(default=None, description="What it is for.")
    same_name: bool = Field(
        default=False, description="true creates it even if another has this name."
    )


@tool("Create a LinkedIn audience")
async def sonarly_create_audience(
    call: Call, asked: CreateLinkedinAudience
) -> LinkedinAudienceShown:
    """Create an empty LinkedIn audience (a prospect list) in Sonarly.

    It starts empty: prospecting jobs in Sonarly fill it. If one with this name exists, it is named
    and nothing is created, so repeating the call makes no second one. For an audience of people who
    research topics, use create_audience.
    """
    account = await account_of(call, asked)
    before = await call.sonarly.before_creating(account.id)
    if not asked.same_name:
        _refuse_namesake(before, asked.name)
    made = await call.sonarly.create(
        account.id, asked.name, asked.type, asked.description or None, before=before
    )
    audience = made.result
    return LinkedinAudienceShown(
        summary=f"{named(audience)} was created in {named(account)}"
        + (f" and has {prospects(audience.size)}." if audience.size else "; it is empty so far."),
        audience=SonarlyAudience.of(audience),
        warnings=warnings(
            None
            if audience.name.strip() == asked.name
            else ["Sonarly gave it a different name from the one asked for."],
            _unseen(before),
        ),
        next=suggestions(
            Suggestion(tool="sonarly_move_audience", why="put it in a folder")
            if before.folders
            else None
        ),
    )


def _unseen(before: Overview) -> list[str]:
    if before.complete:
        return []
    return ["Not all audiences could be checked, so another one may have this name."]


def _refuse_namesake(before: Overview, name: str) -> None:
    """Refuse a name that another audience has."""
    there = [one for one in before.audiences if one.name.strip().casefold() == name.casefold()]
    if there:
        one = there[0]
        since = f", created {clean(one.created_at[:10], 10)}" if one.created_at else ""
        raise Conflict(
            f"There already is an audience {named(one)} (id {clean(one.id, ID_LENGTH)},"
            f" {prospects(one.size)}{since}). Nothing was created.",
            "Use it, choose another name, or pass sameName: true if the user wants a second one.",
        )


class UpdateLinkedinAudience(OneLinkedinAudience):
    """Which audience, and what to change."""

    name: SonarlyName | None = Field(default=None, description="The new name.")
    description: Description | None = Field(
        default=None, description="The new description; an empty text removes it."
    )

    @model_validator(mode="after")
    def _something(self) -> "UpdateLinkedinAudience":
        if self.name is None and self.description is None:
            raise NotPossible("Pass what to change: name or description.")
        return self


class LinkedinAudienceChanged(Reply):
    """A LinkedIn audience, before and after."""

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
    if _is_so(before, asked):
        return LinkedinAudienceChanged(
            summary=f"{named(before)} already looks like that, so nothing was changed.",
            audience=SonarlyAudience.of(before),
        )
    done = await call.sonarly.update(
        account.id, asked.id, name=asked.name, description=asked.description
    )
    after = done.result
    hides = bool(asked.description) and "description" not in after.model_fields_set
    called = f"{named(before)} is now called {named(after)}" if asked.name else named(before)
    joint = " has" if asked.name is None else ", with"
    described = f"{joint} a new description" if asked.description else f"{joint} no description"
    return LinkedinAudienceChanged(
        summary=f"{called}{described if asked.description is not None else ''}.",
        audience=SonarlyAudience.of(after),
        before=SonarlyAudience.of(before),
        warnings=warnings(
            ["Sonarly does not show the description, so that part is not confirmed."]
            if hides
            else None,
        ),
    )


def _is_so(audience: LinkedinAudience, asked: UpdateLinkedinAudience) -> bool:
    if asked.description is not None and "description" not in audience.model_fields_set:
        return False
    pairs = [(asked.name, audience.name), (asked.description, audience.description or "")]
    return all(wanted is None or wanted == seen for wanted, seen in pairs)


class DeleteLinkedinAudience(OneLinkedinAudience):
    """Which audience."""

    confirm: ConfirmCode = None


class LinkedinAudienceDeleted(Reply):
    """What was deleted."""

    id: str
    name: str | None = None


@tool("Delete a LinkedIn audience", destroys=True)
async def sonarly_delete_audience(
    call: Call, asked: DeleteLinkedinAudience
) -> LinkedinAudienceDeleted:
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
    shown = SonarlyAudience.of(audience)
    return LinkedinAudienceDeleted(
        summary=f"{named(audience)} was deleted.",
        id=shown.id,
        name=shown.name,
    )


TOOLS = (
    sonarly_accounts.sonarly_list_accounts,
    sonarly_list_audiences,
    sonarly_get_audience,
    sonarly_create_audience,
    sonarly_update_audience,
    sonarly_delete_audience,
    sonarly_prospects.sonarly_list_prospects,
    sonarly_folders.sonarly_move_audience,
    sonarly_folders.sonarly_save_folder,
)
