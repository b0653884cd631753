"""What Sonarly speaks of: accounts, audiences, folders, people; and what its refusals mean.

Reading is lenient, as no document is complete: only ids have to be there.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeVar

from pydantic import Field, JsonValue

from leadpipe_mcp import errors
from leadpipe_mcp.api.answers import Answer, as_list, as_object, cursor_in
from leadpipe_mcp.api.budget import Noun
from leadpipe_mcp.api.reading import Count, Each, Id, Label, Moment, Name, Row, Text, Told, readable
from leadpipe_mcp.errors import BASE_URL, RequestRefused, ServiceError, Vendor

AudienceType = Literal["on_demand", "monitoring"]
"""What an audience or a folder is made as. Answers show other words for audiences."""


Wanted = Mapping[str, str | None]
"""What a thing is to look like, field by field; None leaves a field as it was."""


class AccountGroup(Told):
    """One account: everything else belongs to exactly one."""

    noun: ClassVar[Noun] = ("account", "accounts")
    id: Id
    name: Name = ""
    created_at: Moment = None


class LinkedinAudience(Told):
    """One audience. Fields that the answer left out are not set."""

    noun: ClassVar[Noun] = ("LinkedIn audience", "LinkedIn audiences")
    id: Id
    name: Name = ""
    type: Label | None = None
    description: Text = None
    folder_id: Id | None = None
    size: Count | None = Field(default=None, alias="prospectCount")
    created_at: Moment = None

    def made_since(self, moment: float) -> bool | None:
        """Whether it was made after this moment; None where that cannot be told."""
        try:
            made = dt.datetime.fromisoformat(self.created_at or "")
            return made.replace(tzinfo=made.tzinfo or dt.UTC).timestamp() >= moment
        except (ValueError, OverflowError):
            return None


class Folder(Told):
    """One folder, with its audiences where navigation shows it."""

    noun: ClassVar[Noun] = ("folder", "folders")
    id: Id
    name: Name = ""
    audience_type: Label | None = None
    audiences: Each[LinkedinAudience] = ()


@dataclass(frozen=True)
class Overview:
    """What could be seen of an account's audiences and folders.

    Audiences that a prospecting job fills just now are shown nowhere.
    """

    audiences: tuple[LinkedinAudience, ...] = ()
    """Where it is known, each with the id of the folder that it is in."""
    folders: tuple[Folder, ...] = ()
    complete: bool = False
    """Whether all of it could be read."""
    shows_folders: bool = True
    """Whether the folders could be read."""


Thing = TypeVar("Thing", AccountGroup, Folder, LinkedinAudience)


def matching(things: Sequence[Thing], said: str, *, by_id: bool = True) -> list[Thing]:
    """Return the thing with this id, or else all with this name, in any case."""
    word = said.strip().casefold()
    found = [thing for thing in things if by_id and thing.id == said]
    return found or [thing for thing in things if thing.name.strip().casefold() == word]


def is_as_wanted(thing: LinkedinAudience | Folder, wanted: Wanted) -> bool:
    """Whether a thing looks as wanted in what it shows."""
    return all(
        text is None
        or (field == "description" and hides_description(thing, text))
        or text.strip() == (getattr(thing, field) or "").strip()
        for field, text in wanted.items()
    )


def hides_description(thing: LinkedinAudience | Folder, description: str | None) -> bool:
    """Whether a new description may be there, though it is not shown."""
    return bool(description) and "description" not in thing.model_fields_set


def read_navigation(answer: Answer) -> Overview:
    """All folders and audiences that can be read, and whether these are all that there are."""
    data = as_object(answer.data)
    if not data:
        raise answer.unusable("the folders are missing")
    listed = answer.items(data.get("folders") or [])
    outside = answer.items(data.get("ungroupedAudiences") or [])
    folders = readable(Folder, listed)
    audiences = readable(LinkedinAudience, outside)
    inside = [
        audience.model_copy(update={"folder_id": folder.id})
        for folder in folders
        for audience in folder.audiences
    ]
    held = sum(len(as_list(as_object(folder).get("audiences"))) for folder in listed)
    complete = len(folders) == len(listed) and len(audiences) == len(outside)
    return Overview((*inside, *audiences), folders, complete and len(inside) == held)


@dataclass(frozen=True)
class ProspectPage:
    """Some people of an audience, and where the next page starts (None at the end)."""

    items: tuple[Row, ...]
    next_cursor: JsonValue = None


def read_prospects(answer: Answer) -> ProspectPage:
    """One page of people, under the names that people have everywhere here."""
    items, following = read_page(answer)
    return ProspectPage(answer.people(map(_prospect, items)), following)


def read_page(answer: Answer) -> tuple[list[object], JsonValue]:
    """The items of a page, and its cursor; an end that is said in one of two ways is one."""
    data = as_object(answer.data)
    ended = data.get("hasMore") is False
    return answer.items(data.get("items")), None if ended else cursor_in(data)


_OF_COMPANY = {
    "company": "name",
    "companyIndustry": "industry",
    "companyWebsite": "website",
    "companyLinkedinUrl": "linkedinUrl",
    "companyLinkedinId": "linkedinIdentifier",
    "companySize": "size",
    "companyLocation": "location",
}
# The end of a prospect is not documented: what it holds is taken under any of the usual names.
_ELSEWHERE = {
    "fullName": ("name",),
    "jobTitle": ("title", "position", "occupation"),
    "company": ("companyName",),
}


def _prospect(item: object) -> Row | None:
    """A person's fields under our names; None for what is no person."""
    row = dict(as_object(item))
    if not row:
        return None
    if company := as_object(row.get("company")):
        del row["company"]
        row = {name: company.get(key) for name, key in _OF_COMPANY.items()} | row
    for name, others in _ELSEWHERE.items():
        values = (row.get(other) for other in (name, *others))
        row[name] = next((value for value in values if value is not None), None)
    named = {name: _named(value) for name, value in row.items()}
    return {name: value for name, value in named.items() if value is not None}


def _named(value: object) -> object:
    """What an object that should have been a text is called."""
    inner = as_object(value)
    names = (inner[key] for key in ("name", "title", "text") if inner.get(key))
    return next(names, None) if isinstance(value, dict) else value


SONARLY = Vendor(
    names=("Sonarly", "Sonarly"),
    base_url="SONARLY_BASE_URL",
    no_key="No Sonarly API key is set, so nothing was asked of Sonarly.",
    key_advice=(
        "Set SONARLY_API_KEY (made in the Sonarly dashboard) and restart the server; with one for a"
        " team, send it as X-Sonarly-Key with each request. To try everything with invented people"
        " and no key, start it with --sandbox."
    ),
    advice={
        errors.KeyRefused: (
            "SONARLY_API_KEY must hold a current key of Sonarly (made in its dashboard); a revoked"
            " one stops at once. Restart the server after changing it; on a team's server, change"
            " the X-Sonarly-Key that your client sends."
        ),
        errors.NotFound: (
            "Check the id; sonarly_list_audiences shows the audiences and folders that exist."
        ),
        errors.OutOfCredits: (
            "Someone has to buy credits in Sonarly, or wait for new ones; then try again."
        ),
        errors.NotReady: (
            "A prospecting job is filling this audience, and until it ends the audience can be"
            " neither read nor changed. Wait, and try again in a minute or two; it is listed again"
            " when ready."
        ),
        errors.WrongAddress: (
            "The address of Sonarly looks wrong: check SONARLY_BASE_URL, its host and its path,"
            " then restart the server."
        ),
        errors.Conflict: (
            "Another job may be at work on it: wait a minute, then look at it with"
            " sonarly_get_audience before trying again."
        ),
    },
)
_UNPROCESSED: Mapping[str, str] = {
    "create": (
        "Sonarly does not make an audience with this name, type and description; perhaps the plan"
        " lacks the type. Change one of them, or ask the user."
    ),
    "update": (
        "Sonarly does not take this name or description (or no empty one); change it, then call"
        " again."
    ),
    "move-to-folder": (
        "Audience and folder must be of one account and of the same type (on_demand or monitoring)."
        " Choose another folder; sonarly_list_audiences shows their types."
    ),
}
_INVALID = (
    f"{RequestRefused.what_next} If it does not say what is wrong: ids have to be those that"
    " sonarly_list_audiences shows, and a cursor that of the page before."
)


def operation_advice(error: ServiceError, operation: str, *, reads: bool) -> str:
    """What can be done about an error in this operation; nothing where the usual advice fits."""
    if error.status == 403 and not isinstance(error, errors.OutOfCredits):
        thing = "prospects" if operation == "prospects" else "audiences"
        lacks = f"lacks the permission {thing}:{'read' if reads else 'write'}, which this takes"
        # Listing accounts takes any key.
        return (
            f"The key {'may not do this' if operation == 'accounts' else lacks}, or may not use"
            " this account: someone has to allow it to the key in the Sonarly dashboard."
            " sonarly_list_accounts shows the accounts of the key."
        )
    if isinstance(error, RequestRefused) and error.status in {400, 422}:
        return _UNPROCESSED.get(operation, _INVALID) if error.status == 422 else _INVALID
    is_odd = isinstance(error, errors.UnusableAnswer) and reads and BASE_URL not in error.args[1]
    return "Nothing was changed. Try again in a minute." if is_odd else ""
