"""Numbers in words: "51-200 employees", "over $100M", and the ranges of a list that they touch."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from leadpipe_mcp.text import listed

Measure = Literal["companySize", "companyRevenueRange", "ageRange", "people"]
"""What a number counts; `people` are those wanted, which is no filter."""

_UNITS = {"k": 10**3, "t": 10**3, "m": 10**6, "b": 10**9}
_AMOUNT = (
    r"[$€£]?\s?\d[\d,]*(?:\.\d+)?\s?"
    r"(?:(?:k|thousand|m|mm|mn|mio|mil|million|b|bn|billion)s?\b)?"
)
_NUMBER = re.compile(r"(?P<number>\d[\d,]*(?:\.\d+)?)\s?(?P<unit>[kmbt])?", re.IGNORECASE)

_MORE = (
    r"over|above|more\s+than|greater\s+than|larger\s+than|bigger\s+than|older\s+than|exceeding|>"
)
_LEAST = r"at\s+least|minimum(?:\s+of)?|min\.?|no\s+less\s+than|starting\s+at|>=|≥"
_LESS = r"under|below|less\s+than|fewer\s+than|smaller\s+than|younger\s+than|<"
_MOST = r"at\s+most|up\s+to|maximum(?:\s+of)?|max\.?|no\s+more\s+than|<=|≤"
_ABOUT = r"about|around|approximately|roughly|between|from|~"
_UP = (
    r"\+|or\s+(?:more|above|over|higher|larger|older|greater)"
    r"|and\s+(?:up|above|over|older|more)|plus"
)
_DOWN = r"or\s+(?:less|fewer|below|under|smaller|younger)|and\s+(?:below|under|younger)"

_MONEY = r"(?:revenues?|turnover|arr)"
_FIRM = r"(?:compan(?:y|ies)|firms?|business(?:es)?|teams?|startups?)"
_BEFORE: Mapping[Measure, str] = {
    "companyRevenueRange": rf"(?:annual\s+)?{_MONEY}",
    "ageRange": r"ages?d?(?:\s+(?:group|range|bracket))?",
    "companySize": (
        r"(?:company\s+|team\s+)?(?:sizes?|headcounts?)|employees?(?:\s+(?:count|range|size))?"
        rf"|staff|{_FIRM}\s+(?:with|of|having)"
    ),
}
_AFTER: Mapping[Measure, str] = {
    "companyRevenueRange": (
        rf"(?:(?:in|of)\s+)?(?:(?:annual|yearly)\s+)?{_MONEY}|in\s+sales|dollars|usd"
    ),
    "ageRange": r"years?[\s-]olds?|yrs?\s+old|y/?o|years?\s+of\s+age",
    "companySize": (
        rf"employees?|headcount|staff|ftes?|(?:people|persons?)\s+{_FIRM}|strong|workers|seats"
    ),
    "people": r"people|persons?|leads?|contacts|prospects|of\s+them|records|profiles",
}
_QUANTITY = re.compile(
    r"(?:(?P<before>" + "|".join(_BEFORE.values()) + r")\b"
    r"\s*(?:(?:of|is|are|range|count|a|an|the|with|in|:|=)\s*)*)?"
    rf"(?:(?P<least>{_LEAST})|(?P<more>{_MORE})|(?P<most>{_MOST})|(?P<less>{_LESS})|(?:{_ABOUT}))?"
    rf"\s*(?P<low>(?<!\w){_AMOUNT})"
    rf"(?:\s*(?:-|–|—|to|and|through)\s*(?P<high>{_AMOUNT}))?"  # noqa: RUF001 -- dashes are meant
    rf"(?:\s*(?:(?P<up>{_UP})|(?P<down>{_DOWN})))?(?!\w)"
    r"(?:[\s-]*(?P<after>" + "|".join(_AFTER.values()) + r")\b)?",
    re.IGNORECASE,
)
_DECADE = re.compile(r"in\s+(?:their|his|her|the)\s+(?P<decade>[2-9]0)s\b", re.IGNORECASE)


@dataclass(frozen=True)
class Span:
    """A range of numbers, both ends in it."""

    low: float
    high: float = math.inf


@dataclass(frozen=True)
class Quantity:
    """A range of numbers as it stands in a sentence."""

    measures: tuple[Measure, ...]
    """What it may count: several where the sentence does not say."""
    span: Span
    end: int
    said: bool
    """Whether the sentence says what is counted."""


@dataclass(frozen=True)
class Cover:
    """The values of a list that together hold a range, and where they do not fit."""

    values: tuple[str, ...]
    misfit: str | None = None


def read_quantity(text: str, start: int) -> Quantity | None:
    """The range of numbers that the text has at this place, if it has one."""
    if decade := _DECADE.match(text, start):
        low = int(decade["decade"])
        return Quantity(("ageRange",), Span(low, low + 9), decade.end(), said=True)
    found = _QUANTITY.match(text, start)
    if found is None:
        return None
    span = _span(found)
    measures = _measured(found, span)
    said = bool(found["before"] or found["after"] or re.search(r"[$€£]", found[0]))
    bounds = ("more", "least", "less", "most", "high", "up", "down")
    bare = not any(found[name] for name in bounds)
    # A number by itself says nothing, unless it is in the millions.
    if bare and not said and span.low < 10**6:
        return None
    return Quantity(measures, _whole(found, span, measures), found.end(), said)


def _span(found: re.Match[str]) -> Span:
    low, unit = _amount(found["low"])
    if found["high"]:
        high, high_unit = _amount(found["high"])
        # "10-50 million" is 10 million to 50 million, and "1-5k" 1,000 to 5,000.
        low = low * high_unit if unit == 1 and low * high_unit <= high else low
        return Span(min(low, high), max(low, high))
    if found["more"] or found["least"] or found["up"]:
        return Span(low)
    if found["less"] or found["most"] or found["down"]:
        return Span(0, low)
    return Span(low, low)


def _whole(found: re.Match[str], span: Span, measures: Sequence[Measure]) -> Span:
    """The span of whole things: over 50 employees are 51 and more; of money it stays as it is."""
    if "companyRevenueRange" in measures:
        return span
    if found["more"]:
        return Span(span.low + 1, span.high)
    return Span(span.low, span.high - 1) if found["less"] else span


def _measured(found: re.Match[str], span: Span) -> tuple[Measure, ...]:
    after = _measure_of(found["after"], _AFTER)
    before = _measure_of(found["before"], _BEFORE)
    # "companies with 500 people" are counted by their employees.
    if measure := before if after in {None, "people"} and before else after:
        return (measure,)
    top = span.low if math.isinf(span.high) else span.high
    if re.search(r"[$€£]", found[0]) or top >= 10**6:
        return ("companyRevenueRange",)
    return ("companySize", "ageRange") if 18 <= span.low <= top <= 99 else ("companySize",)


def _measure_of(text: str | None, names: Mapping[Measure, str]) -> Measure | None:
    for measure, name in names.items():
        if text and re.fullmatch(name, text, re.IGNORECASE):
            return measure
    return None


def _amount(text: str) -> tuple[float, int]:
    found = _NUMBER.search(text)
    if found is None:  # pragma: no cover -- the pattern has a digit
        return 0, 1
    unit = _UNITS.get((found["unit"] or "").lower(), 1)
    return float(found["number"].replace(",", "")) * unit, unit


def value_span(value: str) -> Span | None:
    """The range that a value of a list stands for: "51 to 100", "10000+", "under 1 million"."""
    found = _QUANTITY.search(value)
    if found is None or not re.search(r"\d", value):
        return None
    return _span(found)


def cover(span: Span, values: Sequence[str], *, whole: bool) -> Cover | None:
    """The values that overlap the range; None if none of them is a range.

    Args:
        span: What is wanted.
        values: The values of a list, such as "51 to 100".
        whole: Whether they count whole things (employees), or something in between (money).
    """
    spans = {value: found for value in values if (found := value_span(value))}
    if not spans:
        return None
    taken = [value for value, its in spans.items() if _overlaps(span, its, whole=whole)]
    touching = [
        value
        for value, its in spans.items()
        if whole and value not in taken and span.low <= its.high and its.low <= span.high
    ]
    edges = [edge for value in taken for edge in _edges(value, spans[value], span, whole=whole)]
    if touching and taken:
        names = listed([f"'{value}'" for value in touching])
        edges.append(f"{names} holds only the edge and is left out")
    return Cover(tuple(taken), f"{'; '.join(edges)}." if edges else None)


def _overlaps(span: Span, its: Span, *, whole: bool) -> bool:
    """Whether more than an edge is shared; a single number counts where it lies."""
    if span.low == span.high or its.low == its.high:
        inside = span.low <= its.high if whole else span.low < its.high
        return inside and its.low <= span.high
    return min(span.high, its.high) > max(span.low, its.low)


def _edges(value: str, its: Span, span: Span, *, whole: bool) -> list[str]:
    slack = 1 if whole else 0
    begins = [f"'{value}' begins below {number(span.low)}"] if its.low < span.low - slack else []
    ends = [f"'{value}' goes beyond {number(span.high)}"] if its.high > span.high + slack else []
    return begins + ends


def number(value: float) -> str:
    """The number as a person writes it: 200, 50 million."""
    for size, name in ((10**9, "billion"), (10**6, "million")):
        if value >= size:
            return f"{value / size:g} {name}"
    return f"{value:,.0f}"
