"""Words: what a sentence is made of, and what the data file says that people mean by them."""

import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, cast

from leadpipe_mcp.planning.ranges import Span
from leadpipe_mcp.text import singular

Phrase = tuple[str, ...]

_TOKEN = re.compile(
    r"(?:[A-Za-z]\.){2,}|(?i:e-?mails?)\b|[^\W_]+(?:['\N{RIGHT SINGLE QUOTATION MARK}]\w+)?"
    r"|[,;:.!?/|&+()\n]"
)
_BREAKS = frozenset(",;:.!?/|()\n")
_CAPITALS = 4
"""A saying of at most so many letters, all capitals, counts only in capitals."""


@dataclass(frozen=True)
class Token:
    """One word of a sentence, or one mark between words."""

    text: str
    word: str
    """As it is compared: lower case, singular."""
    start: int
    end: int

    @property
    def is_break(self) -> bool:
        """Whether it is a mark that ends a phrase."""
        return self.text in _BREAKS


@dataclass(frozen=True)
class Reading:
    """One way to say something with a filter, whose key is in either spelling."""

    key: str
    wanted: tuple[str, ...] | bool | Span
    close: str | None = None
    """Why it is not quite what was said."""


@dataclass(frozen=True)
class Meaning:
    """What a saying stands for: the first of the readings that the service has."""

    readings: tuple[Reading, ...]


@dataclass(frozen=True)
class Impossible:
    """What no filter can say, and the nearest that there is."""

    why: str
    rest: bool


@dataclass(frozen=True)
class Ladder:
    """The seniorities from the lowest up, and the words that point up and down it."""

    steps: tuple[frozenset[str], ...]
    after: Mapping[Phrase, str]
    before: Mapping[Phrase, str]
    through: frozenset[Phrase]


@dataclass(frozen=True)
class Words:
    """Everything that the data file knows, by phrase."""

    meanings: Mapping[Phrase, tuple[Meaning, ...]]
    impossible: Mapping[Phrase, Impossible]
    capitals: frozenset[Phrase]
    fillers: frozenset[str]
    negations: Mapping[Phrase, bool]
    """Each with whether it goes on over commas."""
    people: frozenset[str]
    companies: frozenset[str]
    ladder: Ladder
    longest: int


def tokens(text: str) -> list[Token]:
    """The words of a sentence and the marks between them, in order."""
    return [
        Token(found[0], _compared(found[0]), found.start(), found.end())
        for found in _TOKEN.finditer(text)
    ]


def phrase(text: str) -> Phrase:
    """The text's words as they are compared."""
    return tuple(token.word for token in tokens(text) if not token.is_break)


def _compared(text: str) -> str:
    word = text.casefold().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").removesuffix("'s")
    if word == "&":
        return "and"
    if re.fullmatch(r"(?:[a-z]\.){2,}", word):
        return word.replace(".", "")
    return singular(word.replace("-", "").replace("'", ""))


@cache
def known_words() -> Words:
    """The data file, read once."""
    text = (files("leadpipe_mcp.planning") / "synonyms.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text)
    meanings: dict[Phrase, tuple[Meaning, ...]] = {}
    capitals: set[Phrase] = set()
    for said, made in _meanings(data):
        key = phrase(said)
        meanings[key] = (*meanings.get(key, ()), *made)
        capitals |= {key} if _in_capitals(said) else set()
    impossible: dict[Phrase, Impossible] = {}
    for entry in data["impossible"]:
        for said in entry["words"]:
            impossible[phrase(said)] = Impossible(entry["why"], entry.get("rest", False))
            capitals |= {phrase(said)} if _in_capitals(said) else set()
    known = (*meanings, *impossible)
    return Words(
        meanings=meanings,
        impossible=impossible,
        capitals=frozenset(capitals),
        fillers=frozenset(word for said in data["fillers"].split() for word in phrase(said)),
        negations={
            phrase(said): length == "long"
            for length in ("short", "long")
            for said in data["not"][length]
        },
        people=frozenset(word for said in data["cues"]["people"] for word in phrase(said)),
        companies=frozenset(word for said in data["cues"]["companies"] for word in phrase(said)),
        ladder=_ladder(data["ladder"]),
        longest=max(len(key) for key in known),
    )


def _meanings(data: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Meaning, ...]]]:
    for entry in data["meaning"]:
        made = _meaning(entry)
        for said in entry["words"]:
            yield said, made
    for name, code in data["states"].items():
        made = (Meaning((Reading("state", (name, code)),)),)
        yield name, made
        yield code, made


def _meaning(entry: Mapping[str, Any]) -> tuple[Meaning, ...]:
    readings = tuple(
        Reading(key, _wanted(value), entry.get("close"))
        for key, value in entry.items()
        if key not in {"words", "close", "either"}
    )
    if entry.get("either"):
        return tuple(Meaning((reading,)) for reading in readings)
    return (Meaning(readings),)


def _wanted(value: object) -> tuple[str, ...] | bool | Span:
    if isinstance(value, bool):
        return value
    if isinstance(value, dict):
        ends = cast("dict[str, int]", value)
        return Span(ends["from"], ends.get("to", math.inf))
    return tuple(cast("list[str]", value))


def _ladder(data: Mapping[str, Any]) -> Ladder:
    after = {phrase(said): way for way in ("up", "down") for said in data[way]}
    ways = ("least", "over", "most", "under")
    return Ladder(
        steps=tuple(frozenset(step) for step in data["steps"]),
        after=after,
        before={phrase(said): way for way in ways for said in data[way]},
        through=frozenset(phrase(said) for said in data["through"]),
    )


def _in_capitals(said: str) -> bool:
    return said.rstrip("s").isupper() and len(said) <= _CAPITALS and said.isalpha()
