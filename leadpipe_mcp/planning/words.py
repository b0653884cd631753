"""Words: what a sentence is made of, and what the data file says that people mean by them."""

import math
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal, TypeVar, cast, get_args

from leadpipe_mcp.planning.ranges import Span
from leadpipe_mcp.text import singular

Phrase = tuple[str, ...]
Negation = Literal["short", "long", "never", "needless"]
"""Whether a "not" ends at a comma, goes on over it, is none at all ("not only"), or says that
what follows need not be."""
Afterthought = Literal["out", "optional", "waived"]
"""What is said of a wish after it: not wanted, need not be, or "needed" after a "no"."""

_TOKEN = re.compile(
    r"(?:[A-Za-z]\.){2,}|(?i:e-?mails?)\b|(?i:\bw/(?:o(?:ut)?\b)?)"
    r"|(?i:sr|jr|mgr|dir|exec|dept|mktg|eng|asst|assoc|approx|inc|corp|st|ft|mt)\.(?=\s|,|$)"
    r"|(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?[^\W_]*"
    r"|[^\W_]+(?:['\N{RIGHT SINGLE QUOTATION MARK}]\w+)?|[,;:.!?/|&+@()\n]"
)
_BREAKS = frozenset(",;:.!?/|()\n")
_Kind = TypeVar("_Kind", bound=str)
_SHORT_FOR = {
    "&": "and",
    "@": "at",
    "w/": "with",
    "w/o": "without",
    "w/out": "without",
    "cos": "company",
}
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
    part: bool = False
    """Whether what was said is only a part of it: to be found with it, not left out with it."""


@dataclass(frozen=True)
class Meaning:
    """What a saying stands for: the first of the readings that the service has."""

    readings: tuple[Reading, ...]
    chief_of: tuple[str, ...] = ()
    """Of a title: the department whose chief it is."""


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
    raises: frozenset[Phrase]
    """What is said before a level and makes it no other: "senior finance managers"."""


@dataclass(frozen=True)
class Words:
    """Everything that the data file knows, by phrase."""

    meanings: Mapping[Phrase, tuple[Meaning, ...]]
    impossible: Mapping[Phrase, Impossible]
    capitals: frozenset[Phrase]
    fillers: frozenset[str]
    alone: frozenset[str]
    """Words that stand in the names of values and say nothing of them by themselves."""
    no_slips: frozenset[str]
    """Words that look like a slip of another, and are none."""
    negations: Mapping[Phrase, Negation]
    undoing: frozenset[Phrase]
    """Those that undo one before them: "nobody without a phone"."""
    afterthoughts: Mapping[Phrase, Afterthought]
    people: frozenset[str]
    companies: frozenset[str]
    ladder: Ladder
    namesakes: Mapping[Phrase, frozenset[str]]
    """Places that lie in one state and have a namesake in these."""
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


def spellings(name: str) -> tuple[Phrase, ...]:
    """The phrases that name something: "technology, information" with its comma or not."""
    return phrase(name), tuple(token.word for token in tokens(name))


def _compared(text: str) -> str:
    word = text.casefold().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").removesuffix("'s")
    if word in _SHORT_FOR:
        return _SHORT_FOR[word]
    if word.endswith("."):
        word = word.removesuffix(".") if word.count(".") == 1 and len(word) > 1 else word
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
        for key in spellings(said):
            meanings[key] = tuple(dict.fromkeys([*meanings.get(key, ()), *made]))
        capitals |= {phrase(said)} if _in_capitals(said) else set()
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
        fillers=_each(data["fillers"].split()),
        alone=_each(data["alone"].split()),
        no_slips=_each(data["no_slips"].split()),
        negations=_phrases(data["not"], get_args(Negation)),
        undoing=frozenset(phrase(said) for said in data["not"]["undoing"]),
        afterthoughts=_phrases(data["afterthought"], get_args(Afterthought)),
        people=_each(data["cues"]["people"]),
        companies=_each(data["cues"]["companies"]),
        ladder=_ladder(data["ladder"]),
        namesakes={phrase(city): frozenset(its) for city, its in data["namesakes"].items()},
        longest=max(len(key) for key in known),
    )


def _each(said: Iterable[str]) -> frozenset[str]:
    return frozenset(word for one in said for word in phrase(one))


def _phrases(data: Mapping[str, Any], kinds: tuple[_Kind, ...]) -> dict[Phrase, _Kind]:
    return {phrase(said): kind for kind in kinds for said in data[kind]}


def _meanings(data: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Meaning, ...]]]:
    for entry in data["meaning"]:
        made = _meaning(entry)
        for said in entry["words"]:
            yield said, made
    for title in data["titles"]["as_said"]:
        yield title, (Meaning((Reading("jobTitle", (title,), data["titles"]["close"]),)),)
    for name, code in data["states"].items():
        made = (Meaning((Reading("state", (name, code)),)),)
        yield name, made
        yield code, made
    for state, cities in data["cities"].items():
        if state == "close":
            continue
        place = Reading("state", (state, data["states"][state]), data["cities"]["close"], part=True)
        for city in cities:
            yield city, (Meaning((place,)),)


def _meaning(entry: Mapping[str, Any]) -> tuple[Meaning, ...]:
    readings = tuple(
        Reading(key, _wanted(value), entry.get("close"), part=entry.get("part", False))
        for key, value in entry.items()
        if key not in {"words", "close", "either", "part", "chief_of"}
    )
    if entry.get("either"):
        return tuple(Meaning((reading,)) for reading in readings)
    return (Meaning(readings, tuple(entry.get("chief_of", ()))),)


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
        raises=frozenset(phrase(said) for said in data["raises"]),
    )


def _in_capitals(said: str) -> bool:
    return said.rstrip("s").isupper() and len(said) <= _CAPITALS and said.isalpha()
