"""Looks up what a user's words mean as filters, each word alone."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from leadpipe_mcp.text import quoted
from leadpipe_mcp.vocabulary.catalog import FilterCatalog
from leadpipe_mcp.vocabulary.resolve import Sure, has_sign, resolve
from leadpipe_mcp.vocabulary.words import plain

_CERTAINTY = ("exact", "close", "ambiguous")


@dataclass(frozen=True)
class Reading:
    """One way to express a word as a filter."""

    key: str
    sure: Sure
    values: tuple[str, ...] = ()
    flag: bool | None = None
    note: str = ""


def look_up(words: Sequence[str], catalog: FilterCatalog) -> dict[str, tuple[Reading, ...]]:
    """Look each word up in every filter; an exact meaning in one hides near ones in others."""
    found: dict[str, tuple[Reading, ...]] = {}
    for word in words:
        readings = sorted(_readings(word, catalog), key=lambda one: _CERTAINTY.index(one.sure))
        found[word] = tuple(one for one in readings if one.sure == "exact") or tuple(readings)
    return found


def _readings(word: str, catalog: FilterCatalog) -> Iterator[Reading]:
    for entry in catalog.entries.values():
        name = catalog.name_of(entry.key)
        if entry.kind in {"flag", "yes_no"}:
            names = {plain(_said_as(entry.key)), plain(_said_as(entry.label))}
            if plain(_said_as(word)) in names and not has_sign(word):
                yield Reading(name, "exact", flag=True)
        elif entry.is_closed:
            meaning = resolve(word, entry, name)
            if values := meaning.values or (
                meaning.could_be if meaning.sure == "ambiguous" else ()
            ):
                cut = f"{quoted(meaning.cut)} only partly within it." if meaning.cut else ""
                yield Reading(name, meaning.sure, values, note=meaning.note or cut)


def _said_as(key: str) -> str:
    """Return what a flag is about in words: contact.hasBusinessEmail is "business email"."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", key.rpartition(".")[2])
    return re.sub(r"^(?:has|is) ", "", apart, flags=re.IGNORECASE)
