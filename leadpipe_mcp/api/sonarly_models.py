"""What Sonarly speaks of: account groups, audiences, folders and the people in audiences.

Reading is lenient, as no document is complete: only ids have to be there.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, TypeVar, cast

from pydantic import BeforeValidator, Field, JsonValue, model_validator

from leadpipe_mcp.api.answers import Answer, as_list, as_object, cursor_in
from leadpipe_mcp.api.budget import Noun
from leadpipe_mcp.api.models import Person
from leadpipe_mcp.api.reading import Count, Each, Id, Label, Model, Moment, Name, Text, Told

AudienceType = Literal["on_demand", "monitoring"]
"""What an audience or a folder is made as. Answers show other words for audiences."""


def _words(said: object) -> object:
    return "" if said is None else str(said) if isinstance(said, int | float) else said


OptionalName = Annotated[Name, BeforeValidator(_words)]
"""A name, which may be missing."""


class AccountGroup(Told):
    """One account: everything else belongs to exactly one."""

    noun: ClassVar[Noun] = ("account", "accounts")
    id: Id
    name: OptionalName = ""
    created_at: Moment = None


class LinkedinAudience(Told):
    """One audience. Fields that the answer left out are not set."""

    noun: ClassVar[Noun] = ("LinkedIn audience", "LinkedIn audiences")
    id: Id
    name: OptionalName = ""
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
    name: OptionalName = ""
    audience_type: Label | None = None
    audiences: Each[LinkedinAudience] = ()


class Navigation(Model):
    """All folders with their audiences, and the audiences that are in none."""

    folders: Each[Folder] = ()
    ungrouped_audiences: Each[LinkedinAudience] = ()
    complete: bool = True
    """Whether everything in it could be read."""

    def audiences(self) -> tuple[LinkedinAudience, ...]:
        """Every audience, with the id of the folder that it is in."""
        grouped = (
            audience.model_copy(update={"folder_id": folder.id})
            for folder in self.folders
            for audience in folder.audiences
        )
        return (*grouped, *self.ungrouped_audiences)


Thing = TypeVar("Thing", AccountGroup, Folder, LinkedinAudience)


def matching(things: Sequence[Thing], said: str, *, by_id: bool = True) -> list[Thing]:
    """Return the thing with this id, or else all with this name, in any case."""
    word = said.strip().casefold()
    found = [thing for thing in things if by_id and thing.id == said]
    return found or [thing for thing in things if thing.name.strip().casefold() == word]


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


class Prospect(Person):
    """One person in an audience, under the names that people have everywhere here."""

    noun: ClassVar[Noun] = ("prospect", "prospects")

    @model_validator(mode="before")
    @classmethod
    def _in_our_words(cls, said: object) -> object:
        row = as_object(said)
        if not row:
            return said
        company = row.pop("company") if isinstance(row.get("company"), dict) else None
        found = dict(row)
        for name, key in _OF_COMPANY.items():
            value = as_object(company).get(key)
            if value is not None:
                found.setdefault(name, value)
        for name, others in _ELSEWHERE.items():
            values = (found.get(other) for other in (name, *others))
            found[name] = next((value for value in values if value is not None), None)
        return _without_nested(found)


def _without_nested(row: Mapping[str, object]) -> dict[str, object]:
    """The row, where an object that should have been a text is its name or its title."""
    return {name: _named(value) for name, value in row.items()}


def _named(value: object) -> object:
    if not isinstance(value, dict):
        return value
    inner = cast("dict[str, object]", value)
    return next((inner[key] for key in ("name", "title", "text") if inner.get(key)), None)


class AudiencePage(Model):
    """Some audiences, and where the next page starts (None at the end)."""

    items: Each[LinkedinAudience]
    next_cursor: JsonValue = None
    complete: bool = True
    """Whether everything in it could be read."""


class ProspectPage(Model):
    """Some people of an audience, and where the next page starts (None at the end)."""

    items: Each[Prospect]
    next_cursor: JsonValue = None


class AccountPage(Model):
    """The accounts that the key may see. No document shows a second page."""

    items: Each[AccountGroup]


@dataclass(frozen=True)
class Overview:
    """Everything that could be seen of an account's audiences.

    Those that a prospecting job fills just now are shown nowhere.
    """

    audiences: tuple[LinkedinAudience, ...] = ()
    folders: tuple[Folder, ...] | None = None
    """None where they could not be read."""
    complete: bool = False
    """Whether every page was read, and all that is on it."""


def page_of(answer: Answer) -> dict[str, object]:
    """The answer's page, where an end that is only said in one of two ways is one all the same."""
    data = as_object(answer.data)
    ended = data.get("hasMore") is False
    return {**data, "nextCursor": None if ended else cursor_in(data)}


def held_by(answer: Answer) -> int:
    """How many folders and audiences navigation holds, whether they can be read or not."""
    data = as_object(answer.data)
    folders = as_list(data.get("folders"))
    grouped = [as_list(as_object(folder).get("audiences")) for folder in folders]
    return len(folders) + sum(map(len, grouped)) + len(as_list(data.get("ungroupedAudiences")))
