"""What account groups have: audiences with their prospects, and folders."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from leadpipe_mcp.sandbox.dice import identity
from leadpipe_mcp.sandbox.sonarly_settings import SonarlySettings

Category = Literal["on_demand", "monitoring"]
CATEGORIES: tuple[Category, ...] = ("on_demand", "monitoring")
_SHAPES = {
    "hex": re.compile(r"[0-9a-f]{24}"),
    "uuid": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
}


@dataclass(frozen=True, slots=True)
class Prospect:
    """A person in an audience."""

    id: str
    created: int
    """When they came into the audience, in milliseconds."""
    person: int
    """The number of the person in the sandbox's world."""


@dataclass(slots=True, eq=False)
class Audience:
    """A list of prospects; `category` is what it was created as."""

    id: str
    created: int
    name: str
    category: Category
    description: str | None
    folder_id: str | None = None
    prospects: list[Prospect] = field(default_factory=list[Prospect])
    filled_until: float = 0
    """When the prospecting job that fills it ends."""

    def is_ready(self, now: float) -> bool:
        """Whether no prospecting job is filling it."""
        return now >= self.filled_until


@dataclass(slots=True, eq=False)
class Folder:
    """Where audiences of one category can be."""

    id: str
    created: int
    updated: int
    name: str
    category: Category
    position: int
    pinned: bool = False


class Moments:
    """Moments in milliseconds, each after the one before, if the settings want that."""

    def __init__(self, settings: SonarlySettings) -> None:
        self._increasing = settings.created_at == "increasing"
        self._last = 0

    def next(self, now: float) -> int:
        """The moment of something that happens now."""
        moment = int(now * 1000)
        if self._increasing:
            moment = max(moment, self._last + 1)
        self._last = moment
        return moment


class Group:
    """Everything that belongs to one account group."""

    def __init__(self, group_id: str, name: str, created: int, settings: SonarlySettings) -> None:
        self.id = group_id
        self.name = name
        self.created = created
        self.settings = settings
        self.audiences: dict[str, Audience] = {}
        self.folders: dict[str, Folder] = {}
        self.moments = Moments(settings)
        self._issued = 0

    def ready_audiences(self, now: float) -> list[Audience]:
        """Those that no prospecting job is filling."""
        return [audience for audience in self.audiences.values() if audience.is_ready(now)]

    def create_audience(
        self, name: str, category: Category, description: str | None, now: float
    ) -> Audience:
        """A new audience, without prospects and outside all folders."""
        created = self.moments.next(now)
        audience = Audience(self._new_id("audience"), created, name, category, description)
        self.audiences[audience.id] = audience
        return audience

    def create_folder(self, name: str, category: Category, now: float) -> Folder:
        """A new folder behind the others."""
        created = self.moments.next(now)
        folder_id, position = self._new_id("folder"), len(self.folders)
        folder = Folder(folder_id, created, created, name, category, position)
        self.folders[folder.id] = folder
        return folder

    def add_prospects(self, audience: Audience, people: Iterable[int], now: float) -> None:
        """Put people into an audience."""
        for person in people:
            prospect = Prospect(self._new_id("prospect"), self.moments.next(now), person)
            audience.prospects.append(prospect)

    def _new_id(self, kind: str) -> str:
        self._issued += 1
        return new_id(f"{kind} {self._issued} of {self.id}", self.settings)


def new_id(seed: str, settings: SonarlySettings) -> str:
    """An id that depends on `seed` alone."""
    if settings.ids == "uuid":
        return identity(seed)
    return hashlib.sha256(seed.encode()).hexdigest()[:24]


def can_be_id(text: str, settings: SonarlySettings) -> bool:
    """Whether an id may read like this."""
    return _SHAPES[settings.ids].fullmatch(text) is not None
