"""Resolves words, each alone, to values of filters: exactly, nearly, or not at all.

Everyday names for values are read from words.toml: the same, or only near.
"""

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from importlib.resources import files
from typing import Literal

from leadpipe_mcp.text import form, likeness, nearest, quoted, singular
from leadpipe_mcp.vocabulary.catalog import RANGES, FilterCatalog, FilterEntry, FilterValue
from leadpipe_mcp.vocabulary.ranges import Span, cover, read_range

Sure = Literal["exact", "close", "ambiguous", "none"]
Names = frozenset[str]

USE_EXCLUDE = "To leave people out, name the value in exclude, without a sign or a 'not'."
_SLIP = 0.85
_NOT = re.compile(
    r"(?:not|no|non|never|without|except|excluding|exclude|minus|other than|outside(?: of)?"
    r"|(?:all|any|every)\w* (?:but|except))\b",
    re.IGNORECASE,
)
_SEVERAL = re.compile(r"[,;/|]|\band\b|\bor\b")


@dataclass(frozen=True)
class Meaning:
    """What a word means: the values, and how certain that is."""

    sure: Sure
    values: tuple[str, ...] = ()
    note: str = ""
    cut: tuple[str, ...] = ()
    """Values that a range cuts, which are left out."""
    could_be: tuple[str, ...] = ()
    """The nearest values, if none is taken."""


@dataclass(frozen=True)
class Reading:
    """One way to express a word as a filter."""

    key: str
    sure: Sure
    values: tuple[str, ...]
    note: str = ""


def look_up(word: str, catalog: FilterCatalog) -> list[Reading]:
    """Look a word up in every filter; an exact meaning in one hides near ones in others."""
    found: list[Reading] = []
    for entry in catalog.entries.values():
        name = catalog.name_of(entry.key)
        if entry.kind in {"flag", "yes_no"}:
            names = {_flag_in_words(entry.key), _flag_in_words(entry.label)}
            if _flag_in_words(word) in names and not has_sign(word):
                found.append(Reading(name, "exact", ("true",)))
        else:
            meaning = resolve(word, entry, name)
            could_be = meaning.could_be if meaning.sure == "ambiguous" else ()
            if values := meaning.values or could_be:
                cut = f"{quoted(meaning.cut)} only partly within it." if meaning.cut else ""
                found.append(Reading(name, meaning.sure, values, meaning.note or cut))
    exact = [one for one in found if one.sure == "exact"]
    return exact or sorted(found, key=lambda one: one.sure == "ambiguous")


def _flag_in_words(key: str) -> str:
    """Return what a flag is about: contact.hasBusinessEmail is "business email", in plain form."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", key.rpartition(".")[2])
    return plain(re.sub(r"^(?:has|is) ", "", apart, flags=re.IGNORECASE))


def resolve(word: str, entry: FilterEntry, key: str) -> Meaning:  # noqa: PLR0911 -- one a rule
    """Look a word up among the values of a filter.

    Args:
        word: One value as somebody writes it: "CA", "VPs", "director or above", "51-200".
        entry: The filter of the live catalogue.
        key: The filter's flat name if it has one, under which its everyday names are kept.
    """
    if any(value.value == word for value in entry.values):
        return Meaning("exact", (word,))
    folded = " ".join(word.casefold().split())
    same = {v.value for v in entry.values if folded in {v.value.casefold(), v.label.casefold()}}
    if len(same) == 1:
        return Meaning("exact", tuple(same))
    if key in RANGES and (span := read_range(word, key)):
        return resolve_range(span, entry, key)
    # "VP+" is a rung; a sign anywhere else may mean "not".
    if has_sign(word.rstrip(" +") if key == "seniority" else word):
        return Meaning("none", note=USE_EXCLUDE)
    values = _by_plain_name(entry.values)
    if key == "seniority" and (found := _rungs(word, values)):
        return Meaning("exact", found)
    if found := _values_named(_names_of(word, key), values):
        # Several names of one thing may each be a value; two things with one name may not.
        if len(values.get(plain(word), ())) > 1:
            return Meaning("ambiguous", could_be=found, note="Several values have this name.")
        return Meaning("exact", found)
    if _NOT.match(form(word)):
        return Meaning("none", note=USE_EXCLUDE)
    if near := _near(word, entry, key):
        return near
    names = {v.label: v.value for v in entry.values} | {v.value: v.value for v in entry.values}
    could_be = dict.fromkeys(names[name] for name in nearest(word, names, limit=4))
    parts = [part.strip() for part in _SEVERAL.split(word) if part.strip()]
    several = len(parts) > 1 and all(resolve(part, entry, key).values for part in parts)
    note = f"Send a list, one value each: {quoted(parts)}." if several else ""
    return Meaning("none", could_be=tuple(could_be), note=note)


def resolve_range(span: Span, entry: FilterEntry, key: str) -> Meaning:
    """Look up which values of a filter lie inside a range of numbers."""
    covered = cover(span, [value.value for value in entry.values], key)
    if covered is None:
        return Meaning("none", note="Its values are not ranges of numbers.")
    if not covered.inside:
        nearest_ones = covered.cut or (covered.nearest,)
        return Meaning("none", could_be=nearest_ones, note="None of its ranges lies inside.")
    return Meaning("exact", covered.inside, cut=covered.cut)


def has_sign(word: str) -> bool:
    """Return whether a word has a sign that may mean "not": !, -, ≠, a stop sign."""
    text = word.strip()
    kinds = {unicodedata.category(letter)[0] for letter in text if letter != "`"}
    dash = text and "Pd" in {unicodedata.category(text[0]), unicodedata.category(text[-1])}
    return bool(dash or set(text) & set("!*\\") or "S" in kinds)


def _names_of(word: str, key: str) -> Names:
    """Return all names of what the word names, in their plain form."""
    name = plain(word)
    return known_words().same.get(key, {}).get(name, frozenset({name}))


@lru_cache(maxsize=64)
def _by_plain_name(values: tuple[FilterValue, ...]) -> Mapping[str, tuple[str, ...]]:
    names: dict[str, tuple[str, ...]] = {}
    for value in values:
        for name in {plain(value.value), plain(value.label)} - {""}:
            names[name] = (*names.get(name, ()), value.value)
    return names


def _values_named(names: Names, values: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(v for name, own in values.items() if name in names for v in own))


def _rungs(word: str, values: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the values from a rung of the ladder up or down: "VP+", "director or above"."""
    ladder, said = known_words().ladder, form(word)
    levels = [(said, "up")] if word.strip().endswith("+") else []
    for way in ("up", "down"):
        ends = (end for end in ladder[way] if said.endswith(f" {end}"))
        levels += [(said.removesuffix(f" {end}"), way) for end in ends]
    for way in ("at_least", "above", "at_most", "below"):
        starts = (start for start in ladder[way] if said.startswith(f"{start} "))
        levels += [(said.removeprefix(f"{start} "), way) for start in starts]
    rungs = [_names(rung) for rung in ladder["rungs"]]
    for level, way in levels:
        names = _names_of(level, "seniority")
        at = next((n for n, rung in enumerate(rungs) if rung & names), None)
        if at is None:
            continue
        if way in {"up", "at_least", "above"}:
            meant = rungs[at + (way == "above") :]
        else:
            meant = rungs[: at + (way != "below")]
        every = (_names_of(name, "seniority") for rung in meant for name in rung)
        return _values_named(frozenset[str]().union(*every), values)
    return ()


def _near(word: str, entry: FilterEntry, key: str) -> Meaning | None:
    """Return what a word is near: an everyday name, a typo, the only value that contains it."""
    words, values = known_words(), _by_plain_name(entry.values)

    def matching(name: str) -> tuple[str, ...]:
        """Return the values that a name of the data file means; * means any words."""
        if "*" not in name:
            return _values_named(_names_of(name, key), values)
        pattern = "*".join(map(plain, name.split("*")))
        return tuple(v for own, held in values.items() if fnmatchcase(own, pattern) for v in held)

    meant = words.near.get(key, {}).get(plain(word), [])
    because = words.because[key] if meant else ""
    for each in meant:
        if key in RANGES and (span := read_range(each, key)):
            ranged = resolve_range(span, entry, key)
            if ranged.values:
                return Meaning("close", ranged.values, f"Taken as {each}: {because}.", ranged.cut)
    if found := dict.fromkeys(value for each in meant for value in matching(each)):
        return Meaning("close", tuple(found), f"{because[:1].upper()}{because[1:]}.")
    names = [*(name for v in entry.values for name in (v.value, v.label)), *words.same.get(key, {})]
    slips = {value for name in names if _is_slip(word, name) for value in matching(name)}
    if len(slips) == 1:
        return Meaning("close", tuple(slips), "Taken as another spelling.")
    asked = {plain(part) for part in form(word).split()}
    if not asked or not all(part.isalpha() and len(part) > 3 for part in asked):
        return None
    holding = tuple(
        value.value
        for value in entry.values
        if asked <= {plain(part) for part in form(f"{value.value} {value.label}").split()}
    )
    if len(holding) == 1:
        return Meaning("close", holding, "The only value with these words in its name.")
    note = f"{len(holding)} values have these words in their names."
    return Meaning("ambiguous", could_be=holding, note=note) if holding else None


def _is_slip(word: str, name: str) -> bool:
    """Return whether the word may be a typo of the name: as many words, each nearly the same."""
    asked, parts = form(word).split(), form(name).split()

    def is_near(one: str, other: str) -> bool:
        # Only words of some length that begin alike can be a slip of each other.
        may_be = min(len(one), len(other)) > 3 and one[0] == other[0] and one.isalpha()
        return one == other or (may_be and likeness(one, other) >= _SLIP)

    return len(asked) == len(parts) and all(map(is_near, asked, parts))


@dataclass(frozen=True)
class KnownWords:
    """What the data file knows, by flat key; its comments say more."""

    same: Mapping[str, Mapping[str, Names]]
    """For each name, in its plain form, all names of the same thing."""
    near: Mapping[str, Mapping[str, list[str]]]
    """For each name, the nearest values; with * for any words, or a range."""
    because: Mapping[str, str]
    ladder: Mapping[str, list[str]]
    inside: Mapping[str, str]
    abbreviations: list[str]


def plain(word: str) -> str:
    """Return the form in which names are compared: "E-Commerce" and "ecommerce" are one."""
    return "".join(singular(part) for part in form(word.replace("&", " and ")).split())


@cache
def known_words() -> KnownWords:
    """Read the data file, once."""
    text = (files("leadpipe_mcp.vocabulary") / "words.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text)
    same: dict[str, dict[str, Names]] = {key: {} for key in data["same"]}
    near: dict[str, dict[str, list[str]]] = {key: {} for key in data["near"]}
    for key, lines in data["same"].items():
        for line in lines:
            same[key] |= dict.fromkeys(names := _names(line), names)
    for key, lines in data["near"].items():
        for line in lines:
            said, _, meant = line.partition(" -> ")
            near[key] |= {name: meant.split(" | ") for name in _names(said)}
    because, ladder, inside = data["because"], data["ladder"], data["inside"]
    return KnownWords(same, near, because, ladder, inside, data["topics"]["abbreviations"])


def _names(line: str) -> Names:
    return frozenset(map(plain, line.split(" | ")))
