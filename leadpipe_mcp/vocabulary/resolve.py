"""Resolves a word to values of a filter: exactly, nearly, or not at all."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Literal

from leadpipe_mcp.text import form, likeness, nearest, quoted
from leadpipe_mcp.vocabulary.catalog import FilterEntry, FilterValue
from leadpipe_mcp.vocabulary.keys import RANGES
from leadpipe_mcp.vocabulary.ranges import Span, cover, read_range
from leadpipe_mcp.vocabulary.words import Names, known_words, plain

Sure = Literal["exact", "close", "ambiguous", "none"]

USE_EXCLUDE = "To leave people out, name the value in exclude, without a sign or a 'not'."
_SLIP = 0.85
_NOT = re.compile(
    r"(?:not|no|non|never|without|except|excluding|exclude|minus|other than|outside(?: of)?"
    r"|(?:all|any|every)\w* (?:but|except))\b",
    re.IGNORECASE,
)


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


def resolve(word: str, entry: FilterEntry, key: str) -> Meaning:  # noqa: PLR0911 -- one a rule
    """Look a word up among the values of a filter.

    Args:
        word: One value as somebody writes it: "CA", "VPs", "director or above", "51-200".
        entry: The filter of the live catalogue.
        key: The filter's flat name if it has one, under which its everyday names are kept.
    """
    if found := _of_that_name(word, entry):
        return Meaning("exact", found)
    if key in RANGES and (span := read_range(word, key)):
        return resolve_range(span, entry, key)
    names = _by_plain_name(entry.values)
    # "VP+" is a rung; a sign anywhere else may mean "not".
    if has_sign(word.rstrip(" +") if key == "seniority" else word):
        return Meaning("none", note=USE_EXCLUDE)
    if key == "seniority" and (found := _rungs(word, names)):
        return Meaning("exact", found)
    if found := _values_of(_same(word, key), names):
        # Several names of one thing may each be a value; two things with one name may not.
        if len(names.get(plain(word), ())) > 1:
            return Meaning("ambiguous", could_be=found, note="Several values have this name.")
        return Meaning("exact", found)
    if _NOT.match(form(word)):
        return Meaning("none", note=USE_EXCLUDE)
    return _near(word, entry, key) or Meaning(
        "none", could_be=tuple(_nearest(word, entry)), note=_if_several(word, entry, key)
    )


def resolve_range(span: Span, entry: FilterEntry, key: str) -> Meaning:
    """Look up which values of a filter lie inside a range of numbers."""
    values = [value.value for value in entry.values]
    covered = cover(span, values, key)
    if covered is None:
        return Meaning("none", note="Its values are not ranges of numbers.")
    if not covered.inside:
        nearest_ones = covered.cut or (covered.nearest,)
        return Meaning("none", could_be=nearest_ones, note="None of its ranges lies inside.")
    return Meaning("exact", covered.inside, cut=covered.cut)


def has_sign(word: str) -> bool:
    """Return whether a word has a sign that may mean "not": !, -, ≠, a stop sign."""
    text = word.strip()
    kinds = [unicodedata.category(letter) for letter in text]
    return (
        any(kind[0] == "S" and letter != "`" for letter, kind in zip(text, kinds, strict=True))
        or bool(set(text) & set("!*\\"))
        or "Pd" in {*kinds[:1], *kinds[-1:]}
    )


def _same(word: str, key: str) -> Names:
    """Return all names of what the word names, in their plain form."""
    name = plain(word)
    return known_words().same.get(key, {}).get(name, frozenset({name}))


def _of_that_name(word: str, entry: FilterEntry) -> tuple[str, ...]:
    """Return the value that is the word, or the only one with this name in another case."""
    if any(value.value == word for value in entry.values):
        return (word,)
    folded = " ".join(word.casefold().split())
    found = {v.value for v in entry.values if folded in {v.value.casefold(), v.label.casefold()}}
    return tuple(found) if len(found) == 1 else ()


@lru_cache(maxsize=64)
def _by_plain_name(values: tuple[FilterValue, ...]) -> dict[str, tuple[str, ...]]:
    names: dict[str, tuple[str, ...]] = {}
    for value in values:
        for name in dict.fromkeys([plain(value.value), plain(value.label)]):
            names[name] = tuple(dict.fromkeys([*names.get(name, ()), value.value]))
    names.pop("", None)
    return names


def _values_of(same: Names, names: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(v for name, values in names.items() if name in same for v in values))


def _rungs(word: str, names: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the values from a rung of the ladder up or down: "VP+", "director or above"."""
    words, padded = known_words(), f" {form(word)} "
    ways = [(padded.removesuffix(f" {end} "), way) for end, way in words.after.items()]
    ways += [(padded.removeprefix(f" {start} "), way) for start, way in words.before.items()]
    # "VP level and above" without "level and above" is shorter than without "above", and the rung.
    ways = sorted((each for each in ways if each[0] != padded), key=lambda each: len(each[0]))
    ways += [(padded, "up")] if word.strip().endswith("+") else []
    for level, way in ways:
        same = _same(level, "seniority")
        at = next((n for n, rung in enumerate(words.rungs) if rung & same), None)
        if at is not None:
            upward = way in {"up", "above"}
            first, end = (at + (way == "above"), None) if upward else (0, at + (way == "down"))
            taken = words.rungs[first:end]
            every = {alias for rung in taken for name in rung for alias in _same(name, "seniority")}
            return _values_of(frozenset(every), names)
    return ()


def _near(word: str, entry: FilterEntry, key: str) -> Meaning | None:
    """Return what a word is near: an everyday name, a typo, the only value that contains it."""
    words, names = known_words(), _by_plain_name(entry.values)
    meant = words.near.get(key, {}).get(plain(word), ())
    because = words.because.get(key, "the nearest that the service has")
    for each in meant:
        if key in RANGES and (span := read_range(each, key)):
            ranged = resolve_range(span, entry, key)
            if ranged.values:
                return Meaning("close", ranged.values, f"Taken as {each}: {because}.", ranged.cut)
    found = [v for each in meant for v in _matching(each, key, names)]
    if found:
        return Meaning("close", tuple(dict.fromkeys(found)), f"{because[:1].upper()}{because[1:]}.")
    slips = {v for name in _slips(word, entry, key) for v in _matching(name, key, names)}
    if len(slips) == 1:
        return Meaning("close", tuple(slips), "Taken as another spelling.")
    holding = _holding(word, entry)
    if len(holding) == 1:
        return Meaning("close", tuple(holding), "The only value with these words in its name.")
    if len(holding) > 1:
        note = f"{len(holding)} values have these words in their names."
        return Meaning("ambiguous", could_be=tuple(holding), note=note)
    return None


def _matching(name: str, key: str, names: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the values that a name of the data file means; * means any words."""
    if "*" in name:
        pattern = "*".join(plain(part) for part in name.split("*"))
        return tuple(
            v for known, values in names.items() if fnmatchcase(known, pattern) for v in values
        )
    return _values_of(_same(name, key), names)


def _slips(word: str, entry: FilterEntry, key: str) -> Iterable[str]:
    """Yield the names that the word may be a typo of: as many words, each nearly the same."""
    asked = form(word).split()
    aliases = known_words().same.get(key, {})
    for name in dict.fromkeys([*(n for v in entry.values for n in (v.value, v.label)), *aliases]):
        parts = form(name).split()
        if len(parts) == len(asked) and all(map(_is_slip, asked, parts)):
            yield name


def _is_slip(one: str, other: str) -> bool:
    if one == other:
        return True
    # Only words of some length that begin alike can be a slip of each other.
    may_be = min(len(one), len(other)) > 3 and one[0] == other[0] and one.isalpha()
    return may_be and likeness(one, other) >= _SLIP


def _holding(word: str, entry: FilterEntry) -> list[str]:
    asked = {plain(part) for part in form(word).split()}
    if not asked or not all(part.isalpha() and len(part) > 3 for part in asked):
        return []
    return [
        value.value
        for value in entry.values
        if asked <= {plain(part) for part in form(f"{value.value} {value.label}").split()}
    ]


def _nearest(word: str, entry: FilterEntry) -> list[str]:
    names = {v.label: v.value for v in entry.values} | {v.value: v.value for v in entry.values}
    return list(dict.fromkeys(names[name] for name in nearest(word, names, limit=4)))


def _if_several(word: str, entry: FilterEntry, key: str) -> str:
    """Say that a text is a list, if each part of it is a value."""
    parts = [part.strip() for part in re.split(r"[,;/|]|\band\b|\bor\b", word) if part.strip()]
    if len(parts) < 2 or not all(resolve(part, entry, key).values for part in parts):
        return ""
    return f"Send a list, one value each: {quoted(parts)}."
