"""Ranges of numbers: how people write them, and which values of a list lie inside."""

import math
import operator
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

_UNITS = {"k": 10**3, "t": 10**3, "m": 10**6, "b": 10**9}
_UNIT = r"(?:k|thousand|mm|mn|mio|m|million|bn|b|billion)"
_NUMBER = rf"(?P<{{0}}>\d[\d,]*(?:\.\d+)?)\s*(?P<{{0}}_unit>{_UNIT})?"
_LOW, _HIGH = _NUMBER.format("low"), _NUMBER.format("high")
_ABOUT = {
    "companySize": re.compile(r"\b(?:employees?|people|persons|staff|headcount|fte)\b"),
    "companyRevenueRange": re.compile(
        r"[$€£]|\busd\b|\b(?:in\s+)?(?:annual\s+)?(?:revenue|sales)\b|\barr\b"
        r"|\bannually\b|(?:\b(?:a|per)\s+|/\s*)year\b"
    ),
    "ageRange": re.compile(r"\byears?(?:\s+old)?\b|\b(?:ages?|aged)\b"),
}
"""What people say about the numbers of each filter, and of no other."""
_OLDEST = 130
_FORMS = [
    ("=", "=", rf"(?:between\s+|from\s+)?{_LOW}\s*(?:to|through|and|[-\u2010-\u2015])\s*{_HIGH}"),
    ("=", "", rf"{_LOW}\s*(?:\+|plus|(?:or|and)\s+(?:more|above|over|up|older|larger|higher))"),
    ("=", "", rf"(?:at\s+least|min(?:imum)?(?:\s+of)?|no\s+less\s+than|from|>=|=>|≥)\s*{_LOW}"),
    (">", "", rf"(?:over|above|more\s+than|greater\s+than|larger\s+than|older\s+than|>)\s*{_LOW}"),
    ("", "<", rf"(?:under|below|less\s+than|fewer\s+than|younger\s+than|<)\s*{_HIGH}"),
    ("", "=", rf"(?:up\s+to|at\s+most|max(?:imum)?(?:\s+of)?|no\s+more\s+than|<=|=<|≤)\s*{_HIGH}"),
    ("", "=", rf"{_HIGH}\s*(?:or|and)\s+(?:less|fewer|below|under|younger|smaller|lower)"),
    ("=", "one", _LOW),
]  # fmt: skip
_PATTERNS = [(low, high, re.compile(pattern)) for low, high, pattern in _FORMS]


class Span(NamedTuple):
    """A range of numbers, with both ends."""

    low: float
    high: float


@dataclass(frozen=True)
class Cover:
    """Which of a list of ranges lie inside another, which it cuts, and which is nearest."""

    inside: tuple[str, ...]
    cut: tuple[str, ...]
    nearest: str


def read_range(text: str, key: str) -> Span | None:
    """Return the range that a text means: "51-200", "200+", "under 50", ">1000", "$10M-$50M".

    Ranges of other things than the flat key's are not taken. Employees and years are whole numbers,
    so that more than 1,000 are 1,001 and more; money is not.
    """
    plain = " ".join(_ABOUT[key].sub(" ", text.casefold()).split())
    matches = ((low, high, pattern.fullmatch(plain)) for low, high, pattern in _PATTERNS)
    for low, high, found in matches:
        if found is None:
            continue
        groups = {name: value for name, value in found.groupdict().items() if value}
        ends = {e: float(groups[e].replace(",", "")) for e in ("low", "high") if e in groups}
        units = {end: _UNITS[groups[f"{end}_unit"][0]] for end in ends if f"{end}_unit" in groups}
        if "high" in units and "low" in ends and "low" not in units and ends["low"] < ends["high"]:
            units["low"] = units["high"]  # "10-50 million" is 10 million to 50 million.
        ends = {end: number * units.get(end, 1) for end, number in ends.items()}
        if key == "ageRange" and max(ends.values()) > _OLDEST:
            return None
        step = _step(key)
        least = ends.get("low", 0.0) + step * (low == ">")
        most = least if high == "one" else ends.get("high", math.inf) - step * (high == "<")
        return Span(least, most) if least <= most else None
    return None


def _step(key: str) -> int:
    """How far apart two numbers of a key are that follow each other."""
    return 0 if key == "companyRevenueRange" else 1


def cover(span: Span, values: Sequence[str], key: str) -> Cover | None:
    """Return which values lie inside the range and which it cuts; None if none is a range."""
    spans = {value: its for value in values if (its := read_range(value, key))}
    if not spans:
        return None
    # Beside "5001 to 10000", "10000+" begins at 10,001.
    ends = {its.high for its in spans.values() if its.low < its.high}
    spans = {v: its._replace(low=its.low + (its.low in ends)) for v, its in spans.items()}
    inside = [v for v, its in spans.items() if span.low <= its.low and its.high <= span.high]
    # Ranges of money that only share an edge share nobody.
    meets = operator.le if _step(key) else operator.lt
    cut = [
        value
        for value, its in spans.items()
        if value not in inside and meets(its.low, span.high) and meets(span.low, its.high)
    ]

    def gap(value: str) -> float:
        """Return how far apart the two are."""
        return max(spans[value].low - span.high, span.low - spans[value].high)

    return Cover(tuple(inside), tuple(cut), min(spans, key=gap))


def joined(spans: Sequence[Span], key: str) -> list[Span]:
    """Join ranges that overlap or follow each other: 51-200 and 201-500 are 51-500."""
    made: list[Span] = []
    for span in sorted(spans):
        if made and span.low <= made[-1].high + _step(key):
            made[-1] = Span(made[-1].low, max(made[-1].high, span.high))
        else:
            made.append(span)
    return made


def read_number(text: str) -> float | None:
    """Return the number that a text means: "50M", "1,000", "$2.5 million"."""
    span = read_range(text, "companyRevenueRange")
    return span.low if span and span.low == span.high else None
