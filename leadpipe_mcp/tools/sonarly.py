"""The tools that read LinkedIn audiences in Sonarly, and what all of its tools share."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, TypeVar

from pydantic import BeforeValidator, Field, StringConstraints

from leadpipe_mcp.api import sonarly_models
from leadpipe_mcp.api.sonarly_models import AccountGroup, Folder, LinkedinAudience, matching
from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.people.columns import PROSPECT_COLUMNS, Column, choose_columns
from leadpipe_mcp.people.privacy import show, table
from leadpipe_mcp.text import counted, in_quotes, nearest, quoted, redact
from leadpipe_mcp.toolkit import Arguments, Reply, tool
from leadpipe_mcp.tools import arguments, replies
from leadpipe_mcp.tools.people import Place
from leadpipe_mcp.tools.replies import Part, Table, cell, suggest, warnings
from leadpipe_mcp.tools.services import Call

MOST_ACCOUNTS = 50
MOST_FOLDERS = 50
MOST_NAMED = 10
LONGEST_ID = 120
DEFAULT_FIELDS = ("name", "jobTitle", "company", "companyIndustry", "linkedinUrl")

_DESCRIPTION = Column("untrustedDescription", "untrusted")
Thing = TypeVar("Thing", AccountGroup, Folder)


def _underscored(value: object) -> object:
    """Read "On demand" as on_demand."""
    return re.sub(r"[\s-]+", "_", value.strip().lower()) if isinstance(value, str) else value


Kind = Annotated[sonarly_models.AudienceType, BeforeValidator(_underscored)]
SonarlyId = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_ID)
]
SonarlyName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=replies.LONGEST_NAME)
]


class InAccount(Arguments):
    account_group_id: SonarlyId | None = Field(
        default=None, description="The account's id or name, if there are several."
    )


class OneLinkedinAudience(InAccount):
    id: SonarlyId = Field(description="The audience's id, from sonarly_list_audiences.")


class SonarlyAudience(Part):
    id: str
    name: str
    type: str | None = None
    size: int | None = Field(default=None, description="How many prospects.")
    untrusted_description: str | None = None
    folder_id: str | None = None
    created_at: str | None = None

    @classmethod
    def of(cls, audience: LinkedinAudience) -> "SonarlyAudience":
        """Return the audience as a reply shows it."""
        description = show(_DESCRIPTION, audience.description, contact=False)
        told = audience.model_dump() | {"untrusted_description": str(description) or None}
        return cls.model_validate(told | {"type": audience.type or None})


def named(thing: LinkedinAudience | Folder | AccountGroup) -> str:
    """Return the name in quotation marks, cleaned for a sentence."""
    return in_quotes(thing.name, replies.NAME_LENGTH)


def prospects(number: int | None) -> str:
    """Say how many prospects."""
    return "an unknown number of prospects" if number is None else counted(number, "prospect")


async def account_of(call: Call, asked: InAccount) -> AccountGroup:
    """Return the account that is named, or the one in the settings, or the only one."""
    said = asked.account_group_id or call.services.settings.sonarly_account_group_id
    accounts = call.sonarly.known_accounts
    if not (matching(accounts, said) if said else accounts):
        accounts = await call.sonarly.accounts()
    if not accounts:
        raise NotPossible(
            "The key sees no account in Sonarly, and every audience belongs to one.",
            "Give the key an account in the Sonarly dashboard.",
        )
    if said:
        return only_one(accounts, said, "account", "Pass one of them as accountGroupId.")
    if len(accounts) == 1:
        return accounts[0]
    raise NotPossible(
        f"The key sees {counted(len(accounts), 'account')}: {_list(accounts)}.",
        "Ask the user which one, and pass it as accountGroupId.",
    )


def only_one(things: Sequence[Thing], said: str, noun: str, advice: str) -> Thing:
    """Return the thing with this id, or else the only one with this name."""
    found = matching(things, said)
    if len(found) == 1:
        return found[0]
    if found:
        raise NotPossible(f"Several {noun}s have this name: {_list(found)}.", "Pass the id.")
    close = nearest(said, [thing.name for thing in things])
    hint = f" Did you mean {quoted(str(cell(name)) for name in close)}?" if close else ""
    known = f"There are: {_list(things)}." if things else f"No {noun}s are shown."
    raise NotPossible(f"There is no {noun} '{redact(said, 60)}'.{hint} {known}", advice)


def _list(things: Sequence[AccountGroup | Folder]) -> str:
    return replies.some([f"{named(thing)} (id {thing.id})" for thing in things], MOST_NAMED)


class AccountList(Reply):
    accounts: Table | None = None


@tool("List Sonarly accounts", reads=True)
async def sonarly_list_accounts(call: Call, asked: Arguments) -> AccountList:  # noqa: ARG001
    """List the Sonarly accounts (account groups) that the key may use, with id and name.

    Needed only if there are several: every LinkedIn audience belongs to one. The other sonarly
    tools find a single account themselves.
    """
    accounts = await call.sonarly.accounts()
    shown = accounts[:MOST_ACCOUNTS]
    rows = [[one.id, one.name, replies.day_of(one.created_at)] for one in shown]
    hidden = len(accounts) - len(rows)
    see = suggest("sonarly_list_audiences", "see the audiences of an account")
    return AccountList(
        summary=f"{counted(len(accounts), 'Sonarly account')}.",
        accounts=replies.listing(["id", "name", "created"], rows),
        warnings=warnings(f"{hidden} more not shown; they can still be named." if hidden else None),
        next=replies.suggestions(see if len(rows) == 1 else None),
    )


class ListLinkedinAudiences(InAccount):
    name_contains: arguments.PartOfName = None
    limit: arguments.ListLength = 50
    cursor: SonarlyId | None = Field(default=None, description="nextCursor of the last page.")


class LinkedinAudienceList(Reply):
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
    found = [audience for audience in there.audiences if words in audience.name.casefold()]
    ids = [audience.id for audience in found]
    if asked.cursor and asked.cursor not in ids:
        raise NotPossible(
            "The list has changed, so this cursor is no longer valid.", "Leave it out."
        )
    start = ids.index(asked.cursor) + 1 if asked.cursor else 0
    shown = found[start : start + asked.limit]
    left = len(found) - start - len(shown)
    folders = there.folders
    names = {folder.id: folder.name for folder in folders}
    audience_rows = [
        [
            *(one.id, one.name, one.type, one.size),
            *(names.get(one.folder_id or "", one.folder_id), replies.day_of(one.created_at)),
        ]
        for one in shown
    ]
    held = Counter(audience.folder_id for audience in there.audiences)
    folder_rows = [
        [one.id, one.name, one.audience_type, held[one.id]] for one in folders[:MOST_FOLDERS]
    ]
    named_so = f" with '{cell(words)}' in the name" if words else ""
    size = f" and {counted(len(folders), 'folder')}" if there.shows_folders else ""
    hidden = len(folders) - len(folder_rows)
    cut = f"{counted(hidden, 'more folder')} not shown." if hidden else None
    gap = "There may be more: Sonarly's list could not be read to the end."
    unread = "The folders could not be read just now."
    create = suggest("sonarly_create_audience", "make the first audience")
    return LinkedinAudienceList(
        summary=f"{counted(len(found), 'LinkedIn audience')}{named_so}{size} in {named(account)}."
        + (f" {left} more follow." if left else ""),
        account=account.id,
        audiences=replies.listing(
            ["id", "name", "type", "size", "folder", "created"], audience_rows
        ),
        folders=None
        if asked.cursor
        else replies.listing(["id", "name", "type", "audiences"], folder_rows),
        next_cursor=shown[-1].id if left else None,
        warnings=warnings(cut, None if there.complete else gap)
        if there.shows_folders
        else [unread],
        next=replies.suggestions(None if there.audiences else create),
    )


class LinkedinAudienceShown(Reply):
    audience: SonarlyAudience


@tool("Show a LinkedIn audience", reads=True)
async def sonarly_get_audience(call: Call, asked: OneLinkedinAudience) -> LinkedinAudienceShown:
    """Show one LinkedIn audience: name, type, number of prospects, description and folder.

    While a prospecting job is filling it, it says that it is not ready and how to wait. To see its
    people, use sonarly_list_prospects.
    """
    account = await account_of(call, asked)
    audience = await call.sonarly.get(account.id, asked.id)
    where = {"accountGroupId": asked.account_group_id} if asked.account_group_id else {}
    people = suggest("sonarly_list_prospects", "see the people", id=audience.id, **where)
    return LinkedinAudienceShown(
        summary=f"{named(audience)} has {prospects(audience.size)}.",
        audience=SonarlyAudience.of(audience),
        next=replies.suggestions(people if audience.size else None),
    )


class ListProspects(OneLinkedinAudience):
    fields: arguments.ManyOf[str] | None = Field(
        default=None,
        max_length=60,
        description="Columns, instead of name, title, company, industry, LinkedIn URL; such as"
        " companyWebsite, email. An unknown one lists them all.",
    )
    limit: arguments.PageSize = 25
    cursor: arguments.Cursor = None
    contact: arguments.Contact = "masked"


class ProspectsFound(Reply):
    people: Table | None = None
    next_cursor: str | None = Field(default=None, description="Pass as cursor for the next page.")


@tool("Show the people of a LinkedIn audience", reads=True)
async def sonarly_list_prospects(call: Call, asked: ListProspects) -> ProspectsFound:
    """Show the people (prospects, leads) in a LinkedIn audience, page by page.

    Headlines and self-descriptions are left out unless named in fields; e-mail addresses and phone
    numbers are masked unless contact is full. For people who research a topic, use query_audience.
    """
    columns = choose_columns(asked.fields or DEFAULT_FIELDS, PROSPECT_COLUMNS)
    whole = call.is_whole(asked.contact)
    # The same page with another limit would be a different page.
    place = Place.at(asked.cursor, asked, {"id"}, limit=asked.limit)
    account = await account_of(call, asked)
    page = await call.sonarly.prospects(account.id, asked.id, place.cursor, place.limit)
    people = page.items[place.skip : place.skip + asked.limit]
    if not people:
        nobody = "This audience has no prospects yet; prospecting jobs in Sonarly add them."
        return ProspectsFound(summary="No more prospects." if asked.cursor else nobody)
    rows = replies.fitting(table(people, columns, contact=whole))
    cursor = None if page.next_cursor == place.cursor else page.next_cursor
    following = place.after(len(rows), len(page.items), cursor)
    shown = replies.filled([column.name for column in columns], rows)
    missing = [name for name in asked.fields or () if shown and name not in shown.columns]
    return ProspectsFound(
        summary=f"{counted(len(rows), 'prospect')}{'; more follow' if following else ''}.",
        people=shown,
        next_cursor=following.as_text() if following else None,
        warnings=warnings(
            f"Sonarly shows {quoted(missing)} for nobody here." if missing else None,
            replies.third_party_warning(columns),
        ),
    )
