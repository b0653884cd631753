"""Whose work a topic is about, and how much sooner it interests them than strangers."""

from collections.abc import Container, Sequence
from functools import lru_cache
from math import fsum
from typing import NamedTuple

from leadpipe_mcp.sandbox.bytewise import BYTE, number
from leadpipe_mcp.sandbox.topics import Field, field_of
from leadpipe_mcp.sandbox.vocabulary import (
    AGE_RANGES,
    CONTACT_BITS,
    DECISION_MAKERS,
    DEPARTMENT_OF_ROLE,
    INDUSTRIES,
    SENIORITY_OF_ROLE,
)
from leadpipe_mcp.sandbox.world import World, world_of

# How near a topic is to somebody, as bits: it is about their trade; it is about their department
# or, in private life, for their age; and they are those who decide, or who live in private.
TRADE, DEPARTMENT, DECIDES = 1, 2, 4
# By the first two bits: how much likelier those people are interested than strangers.
_LIKELIER = (1.0, 2.1, 3.4, 4.4)
_DECIDING = 1.4
# No topic reaches quite everybody.
_MOST = 0.97
_WEIGHTS = tuple(_LIKELIER[code % DECIDES] * _DECIDING ** (code // DECIDES) for code in range(8))
_HEAVIEST_FIRST = sorted(range(len(_WEIGHTS)), key=_WEIGHTS.__getitem__, reverse=True)


class Nearness(NamedTuple):
    """How near the topics of a field are to everybody."""

    codes: bytes
    """The bits above, for each person."""
    parts: tuple[float, ...]
    """How large a part of all people has each code."""


@lru_cache(maxsize=24)
def nearness_of(people: int, industry: str) -> Nearness:
    """How near the topics of an industry are to everybody."""
    world, field = world_of(people), field_of(industry)
    found = _private(world, field) if field.type == "b2c" else _at_work(world, field)
    codes = found.to_bytes(people, "little")
    return Nearness(codes, tuple(codes.count(code) / people for code in range(len(_WEIGHTS))))


def chances(reach: float, parts: Sequence[float]) -> list[float]:
    """The chance of interest by nearness, so that together they make the reach."""
    found = [0.0] * len(_WEIGHTS)
    # `sum` rounds differently from Python 3.12 on.
    weight = fsum(part * each for part, each in zip(parts, _WEIGHTS, strict=True))
    # What the nearest cannot take because they are all interested is left to the others.
    for code in _HEAVIEST_FIRST:
        if parts[code]:
            found[code] = min(_MOST, reach * _WEIGHTS[code] / weight)
            reach -= found[code] * parts[code]
            weight -= _WEIGHTS[code] * parts[code]
    return found


def _at_work(world: World, field: Field) -> int:
    trades = [industry.name for industry in INDUSTRIES]
    return (
        _marked(world.columns["industry"], ["", *trades], field.industries, TRADE)
        | _marked(world.columns["role"], DEPARTMENT_OF_ROLE, field.departments, DEPARTMENT)
        | _marked(world.columns["role"], SENIORITY_OF_ROLE, DECISION_MAKERS, DECIDES)
    )


def _private(world: World, field: Field) -> int:
    known_from_business = [code & CONTACT_BITS["isB2b"] for code in range(BYTE)]
    return _marked(world.columns["age"], ["", *AGE_RANGES], field.ages, DEPARTMENT) | _marked(
        world.columns["contact"], known_from_business, {0}, DECIDES
    )


def _marked(column: bytes, meanings: Sequence[object], wanted: Container[object], bit: int) -> int:
    """The bit for everybody whose code in the column means something that is wanted."""
    marks = bytes(bit * (meaning in wanted) for meaning in meanings)
    return number(column.translate(marks.ljust(BYTE, b"\0")))
