"""What a task is: what a user says, what is there before, and what has to be there afterwards."""

import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from leadpipe_mcp.sandbox.settings import Profile
from leadpipe_mcp.sandbox.store import AudienceStatus

FOLDER = Path(__file__).parent / "tasks"
Range = tuple[int, int]
Words = str | list[str]
"""Words that an answer has to hold; of a list, one is enough."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Not(_Part):
    """Every value of a filter but these, which is how the service leaves people out."""

    but: list[str]


class Either(_Part):
    """Readings of an ambiguous word, of which each is right."""

    either: list[list[str]]


Wanted = bool | list[str] | Not | Either


class GivenAudience(_Part):
    """An audience that is there before; filters are spelled as the task's generation does."""

    name: str
    topics: list[str]
    status: AudienceStatus = "draft"
    minScore: int = 70  # noqa: N815 -- as the service calls it
    filters: dict[str, Any] = {}


class Given(_Part):
    """The account before: what the sandbox has of its own, and more audiences."""

    profile: Profile = "mixed"
    slots: int = 3
    audiences: list[GivenAudience] = []


class Saved(_Part):
    """An audience afterwards; what is not named here may be anything, except filters."""

    name: str = ""
    """Words of its name."""
    status: AudienceStatus = "draft"
    topics: list[Words]
    """Words: each is in the name of a topic, and each topic has one in its name."""
    minScore: int | None = None  # noqa: N815 -- as the service calls it
    filters: dict[str, Wanted] = {}
    """These and no others, under the sandbox's names."""
    size: Range | None = None
    """From how many to how many people it finds."""
    told: bool = False
    """Whether the answer has to say how many that are."""


class Changed(_Part):
    """What is to be different about an audience that was there; all else is as it was."""

    name: str | None = None
    status: AudienceStatus | None = None
    topics: list[Words] | None = None
    minScore: int | None = None  # noqa: N815 -- as the service calls it
    filters: dict[str, Wanted] = {}
    """Those that are to be so; an empty list is a filter that is gone."""


class ExportedFile(_Part):
    """A file that was exported."""

    columns: list[str]
    rows: int
    ending: str = ".csv"


class LinkedInList(_Part):
    """A list in Sonarly: its type, and the folder that it is in."""

    type: Literal["on_demand", "monitoring"]
    folder: str | None = None


class Expected(_Part):
    """The account and the answer afterwards; what is not named must be as it was."""

    saved: list[Saved] = []
    changed: dict[str, Changed] = {}
    deleted: list[str] = []
    slots: int | None = None
    files: list[ExportedFile] = []
    lists: dict[str, LinkedInList] = {}
    """Lists of Sonarly that are new or in another folder, by name."""
    folders: list[str] = []
    """New folders of Sonarly."""
    pixels: dict[str, Literal["active", "paused"]] = {}
    """Pixels that are new or have another status, by domain."""
    says: list[Words] = []
    """What the answer holds: numbers, names, words. /Between slashes/ is a pattern."""
    never: list[str] = []
    """What it does not hold."""

    @property
    def changes_nothing(self) -> bool:
        """Whether the whole account has to be as it was."""
        wanted = (self.saved, self.changed, self.deleted, self.lists, self.folders, self.pixels)
        return not any(wanted)


class Task(_Part):
    """One task."""

    id: str
    about: str
    """What it looks at, for those who read the table."""
    says: str
    """What the user says, whole."""
    language: str = "en"
    answers: Literal["yes", "no", ""] = ""
    """What the user answers when asked before something is done; empty: nothing need be asked."""
    given: Given = Field(default_factory=Given)
    then: Expected

    @property
    def prompt(self) -> str:
        """What the assistant is told, with the user's answer in it, as nobody can be asked."""
        lines = tomllib.loads((FOLDER.parent / "answers.toml").read_text(encoding="utf-8"))
        said = lines[self.language]
        parts = [self.says, said["alone"], said.get(self.answers, "")]
        return "\n\n".join(part for part in parts if part)


def all_tasks() -> list[Task]:
    """Return every task there is, file by file."""
    files = sorted(FOLDER.glob("*.toml"))
    read = (tomllib.loads(file.read_text(encoding="utf-8")) for file in files)
    return [Task.model_validate(task) for document in read for task in document["task"]]
