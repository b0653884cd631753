"""Wishes: what one part of a sentence asks of the people, before any filter is chosen for it."""

from dataclasses import dataclass, field
from typing import Literal

from leadpipe_mcp.planning.ranges import Span
from leadpipe_mcp.planning.words import Meaning

Joint = Literal["", "and", "or", ",", "."]
Cue = Literal["people", "companies"]
Limit = Literal["", "low", "high", "both", "vague"]


@dataclass(frozen=True)
class Wish:
    """One thing that is wanted, or not wanted, of the people."""

    asked: str
    meanings: tuple[Meaning, ...]
    """Several where the words can mean several things."""
    out: bool = False
    joint: Joint = ""
    """What stands between it and the wish before."""
    reach: str | None = None
    """Up or down the ladder of seniorities."""
    until: tuple[Meaning, ...] = ()
    """The other end, of a range of seniorities."""
    cue: Cue | None = None
    """Whether the words beside it speak of people or of companies."""
    note: str | None = None
    named: bool = False
    """Whether the sentence gives the very words of a title or a company."""
    numbered: bool = False
    """Whether it is a range that the sentence gives in numbers."""
    place: tuple[int, int] = field(default=(0, 0), compare=False)
    """Where in the sentence it stands."""

    @property
    def limit(self) -> Limit:
        """Which ends of a range it sets; "vague" where a word such as "small" sets them."""
        if self.reach:
            return "low" if self.reach in {"up", "least", "over"} else "high"
        spans = [r.wanted for m in self.meanings for r in m.readings if isinstance(r.wanted, Span)]
        if not spans:
            return ""
        if not self.numbered:
            return "vague"
        if spans[0].high == float("inf"):
            return "low"
        return "high" if spans[0].low <= 1 < spans[0].high else "both"


@dataclass(frozen=True)
class Unsayable:
    """What no filter can say, and why."""

    asked: str
    why: str


@dataclass(frozen=True)
class Sentence:
    """What was said, with nothing dropped."""

    text: str
    wishes: tuple[Wish, ...]
    not_possible: tuple[Unsayable, ...]
    not_understood: tuple[str, ...]
    people_wanted: Span | None = None
    """How many people the words ask for."""
