"""What Sonarly speaks of: account groups, audiences, folders and the people in audiences.

Reading is lenient, as no document is complete: only ids have to be there.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, cast

from pydantic import BeforeValidator, Field, model_validator

from leadpipe_mcp.api.answers import Answer, as_object
from leadpipe_mcp.api.models import Model, Person, Text

AudienceType = Literal["on_demand", "monitoring"]
"""What an audience or a folder is made as. Answers show other words for audiences."""


def _id(said: object) -> object:
    return str(said) if isinstance(said, int) and not isinstance(said, bool) else said


def _words(said: object) -> object:
    return "" if said is None else said if isinstance(said, str) else str(said)


def _count(said: object) -> int | None:
    """A number, as navigation shows it: it may come as text."""
    try:
        number = int(said) if isinstance(said, int | float | str) else None
    except (ValueError, OverflowError):
        return None
    return number if number is not None and number >= 0 and not isinstance(said, bool) else None


def _moment(said: object) -> object:
    """A moment as text; one that comes as seconds or milliseconds since 1970 is put into words."""
    text = str(said) if isinstance(said, int | float) else said
    if not isinstance(text, str) or not text.isascii() or not text.isdigit():
        return text if isinstance(text, str) else None
    number = int(text[:15])
    try:
        made = dt.datetime.fromtimestamp(number / 1000 if number > 1e11 else number, dt.UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return made.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _items(said: object) -> object:
    return () if said is None else said


Id = Annotated[str, Field(min_length=1), BeforeValidator(_id)]
Words = Annotated[str, BeforeValidator(_words)]
Moment = Annotated[str | None, BeforeValidator(_moment)]


class AccountGroup(Model):
    """One account: whatever there is belongs to exactly one."""

    id: Id
    name: Words = ""
    created_at: Moment = None


class LinkedinAudience(Model):
    """One audience. Fields that the answer left out are not set."""

    id: Id
    name: Words = ""
    type: Text = None
    description: Text = None
    folder_id: Text = None
    size: Annotated[int | None, BeforeValidator(_count)] = Field(
        default=None, alias="prospectCount"
    )
    created_at: Moment = None

    def made_since(self, moment: float) -> bool | None:
        """Whether it was made after this moment; None where that cannot be told."""
        try:
            made = dt.datetime.fromisoformat(self.created_at or "")
            return made.replace(tzinfo=made.tzinfo or dt.UTC).timestamp() >= moment
        except (ValueError, OverflowError):
            return None


class Folder(Model):
    """One folder, with its audiences where navigation shows it."""

    id: Id
    name: Words = ""
    audience_type: Text = None
    audiences: Annotated[tuple[LinkedinAudience, ...], BeforeValidator(_items)] = ()


class Navigation(Model):
    """All folders with their audiences, and the audiences that are in none."""

    folders: Annotated[tuple[Folder, ...], BeforeValidator(_items)] = ()
    ungrouped_audiences: Annotated[tuple[LinkedinAudience, ...], BeforeValidator(_items)] = ()

    def audiences(self) -> tuple[LinkedinAudience, ...]:
        """Every audience, with the id of the folder that it is in."""
        grouped = (
            audience.model_copy(update={"folder_id": folder.id})
            for folder in self.folders
            for audience in folder.audiences
        )
        return (*grouped, *self.ungrouped_audiences)

    def folder(self, id_or_name: str) -> tuple[Folder, ...]:
        """The folder with this id, or else all with this name, whatever its case."""
        by_id = [folder for folder in self.folders if folder.id == id_or_name]
        word = id_or_name.strip().casefold()
        return tuple(by_id or [f for f in self.folders if f.name.strip().casefold() == word])


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

    items: tuple[LinkedinAudience, ...]
    next_cursor: Text = None


class ProspectPage(Model):
    """Some people of an audience, and where the next page starts (None at the end)."""

    items: tuple[Prospect, ...]
    next_cursor: Text = None


class AccountPage(Model):
    """The accounts that the key may see. No document shows a second page."""

    items: tuple[AccountGroup, ...]
    next_cursor: Text = None


@dataclass(frozen=True)
class Overview:
    """Everything that could be seen of an account's audiences.

    Those that a prospecting job fills just now are shown nowhere.
    """

    audiences: tuple[LinkedinAudience, ...] = ()
    folders: tuple[Folder, ...] | None = None
    """None where they could not be read."""
    complete: bool = False
    """Whether every page was read."""


def page_of(answer: Answer) -> dict[str, object]:
    """The answer's page, where an end that is only said in one of two ways is one all the same."""
    data = as_object(answer.data)
    ended = data.get("hasMore") is False
    return {**data, "nextCursor": None if ended else data.get("nextCursor") or None}
