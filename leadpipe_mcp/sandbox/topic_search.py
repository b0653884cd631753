"""Topics found by what they are called and by their kind."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

from leadpipe_mcp.sandbox.reading import Form
from leadpipe_mcp.sandbox.settings import SandboxSettings, TopicSearch
from leadpipe_mcp.sandbox.topics import TOPIC_TYPES, Topic, TopicType, inventory

LONGEST_WORDS = 100
_BREAKS = str.maketrans("-/&,.", "     ")


class Kind(NamedTuple):
    """What kind of topics are looked for; None is any."""

    type: TopicType | None = None
    industry: str | None = None
    category: str | None = None


def read_kind(form: Form, shortest_industry: int = 0) -> Kind:
    """The kind that a query string asks for; an empty industry or category is any."""
    return Kind(
        form.choice("type", TOPIC_TYPES),
        form.text("industry", LONGEST_WORDS, shortest_industry) or None,
        form.text("category", LONGEST_WORDS) or None,
    )


def of_kind(topics: Sequence[Topic], kind: Kind, settings: SandboxSettings) -> Sequence[Topic]:
    """The topics of that kind."""
    if kind == Kind():
        return topics
    types = {kind.type, "both"} if settings.both_is_either and kind.type else {kind.type}

    def same(wanted: str | None, value: str) -> bool:
        alike = settings.values_ignore_case and wanted and wanted.lower() == value.lower()
        return wanted in (None, value) or bool(alike)

    return [
        topic
        for topic in topics
        if (kind.type is None or topic.type in types)
        and same(kind.industry, topic.industry)
        and same(kind.category, topic.category)
    ]


@lru_cache(maxsize=128)
def named(words: str, search: TopicSearch) -> tuple[Topic, ...]:
    """The topics that the words may mean, the likeliest first; by id for `substring`."""
    wanted = " ".join(words.lower().split())
    parts = _parts(wanted)
    tests: dict[TopicSearch, Callable[[str, str], bool]] = {
        "words": lambda _, padded: all(f" {part}" in padded for part in parts),
        "prefix": lambda name, _: name.startswith(wanted),
        "substring": lambda name, _: wanted in name,
    }
    fits = tests[search]
    found = [
        (name, topic)
        for (name, padded), topic in zip(_names(), inventory(), strict=True)
        if fits(name, padded)
    ]
    if search != "substring":
        found.sort(key=lambda pair: (_distance(wanted, pair[0]), pair[1].name))
    return tuple(topic for _, topic in found)


def _distance(wanted: str, name: str) -> tuple[bool, bool, bool, int]:
    """How far a name is from what is wanted: the name itself, its start, a part of it, the rest."""
    return (name != wanted, not name.startswith(wanted), f" {wanted}" not in f" {name}", len(name))


def _parts(name: str) -> list[str]:
    return name.translate(_BREAKS).split()


@lru_cache(maxsize=1)
def _names() -> tuple[tuple[str, str], ...]:
    """Every name in lower case, and its words with a space before each."""
    names = [topic.name.lower() for topic in inventory()]
    return tuple((name, f" {' '.join(_parts(name))}") for name in names)
