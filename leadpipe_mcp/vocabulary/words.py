"""Everyday names for values, read from words.toml: the same, or only near."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from leadpipe_mcp.text import form, singular

Names = frozenset[str]
_BEFORE = {"at_least": "up", "above": "above", "at_most": "down", "below": "below"}


@dataclass(frozen=True)
class KnownWords:
    """Everything that the data file knows, by flat key."""

    same: Mapping[str, Mapping[str, Names]]
    """For each name, in its plain form, all names of the same thing."""
    near: Mapping[str, Mapping[str, list[str]]]
    """For each name, the nearest values; with * for any words, or a range."""
    because: Mapping[str, str]
    rungs: list[Names]
    after: Mapping[str, str]
    """Words after a rung, and which way they point: up or down."""
    before: Mapping[str, str]
    """Words before a rung, and which way they point: up, above, down or below."""
    inside: Mapping[str, str]
    """Short titles that are also part of other words."""


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
    ladder = data["ladder"]
    return KnownWords(
        same,
        near,
        because=data["because"],
        rungs=[_names(rung) for rung in ladder["rungs"]],
        after={form(said): way for way in ("up", "down") for said in ladder[way]},
        before={form(said): way for key, way in _BEFORE.items() for said in ladder[key]},
        inside=data["inside"],
    )


def _names(line: str) -> Names:
    return frozenset(map(plain, line.split(" | ")))
