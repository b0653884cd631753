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
    near: Mapping[str, Mapping[str, tuple[str, ...]]]
    """For each name, the nearest values; with * for any words, or a range."""
    because: Mapping[str, str]
    rungs: tuple[Names, ...]
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
    ladder = data["ladder"]
    return KnownWords(
        same={key: _groups(lines) for key, lines in data["same"].items()},
        near={
            key: {
                plain(name): tuple(_split(meant))
                for said, _, meant in (line.partition(" -> ") for line in lines)
                for name in _split(said)
            }
            for key, lines in data["near"].items()
        },
        because=data["because"],
        rungs=tuple(frozenset(map(plain, _split(rung))) for rung in ladder["rungs"]),
        after={form(said): way for way in ("up", "down") for said in ladder[way]},
        before={form(said): way for key, way in _BEFORE.items() for said in ladder[key]},
        inside=data["inside"],
    )


def _groups(lines: list[str]) -> dict[str, Names]:
    groups = [frozenset(map(plain, _split(line))) for line in lines]
    return {name: group for group in groups for name in group}


def _split(names: str) -> list[str]:
    return [name.strip() for name in names.split("|")]
