"""Ranges of numbers, and the values of a list, such as "51 to 100", that they touch."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from leadpipe_mcp.planning.numbers import AMOUNT, AMOUNT_BEFORE_AND, Amount, read_amount
from leadpipe_mcp.text import listed

_NUANCE = r"(?:(?:just|well|slightly|a\s+(?:little|bit))\s+)?"
_LEAST = (
    r"(?:at|of\s+at)\s+least|(?:a\s+)?minimum(?:\s+of)?|min\b\.?|no(?:t)?\s+(?:less|fewer)\s+than"
    r"|starting\s+(?:at|from)|upwards?\s+of|no\s+smaller\s+than|>=|≥"
)
_MORE_THAN = (
    rf"{_NUANCE}(?:over|above|(?:more|greater|larger|bigger|older|higher)\s+than|exceeding|beyond"
    r"|north\s+of|in\s+excess\s+of)|>"
)
_MOST = (
    r"at\s+most|up\s+to|(?:a\s+)?maximum(?:\s+of)?|max\b\.?|capped\s+at|not\s+(?:over|above)"
    r"|no(?:t)?\s+(?:more|greater|larger|bigger|older|higher)\s+than|<=|≤"
)
_LESS_THAN = (
    rf"{_NUANCE}(?:under|below|(?:less|fewer|smaller|younger|lower)\s+than|south\s+of)"
    r"|sub(?=[\s-]*[$\d])|<"
)
_ABOUT = (
    r"about|around|approximately|approx\b\.?|roughly|circa|nearly|almost|close\s+to|some|exactly"
    r"|(?:anywhere\s+)?from|~"
)
_UP = (
    r"\+|or\s+(?:more|above|over|higher|larger|older|greater|bigger|up)"
    r"|and\s+(?:up|above|over|older|more|larger)|plus"
)
_DOWN = r"or\s+(?:less|fewer|below|under|smaller|younger)|and\s+(?:below|under|younger|less|fewer)"
_DASH = r"-|–|—|to|through|thru|until"  # noqa: RUF001 -- dashes are meant
_TOP = (
    rf"|(?:\s*,)?\s*(?:(?:but|and|yet)\s+)?(?:(?P<to_most>{_MOST})|(?P<to_less>{_LESS_THAN}))"
    rf"\s*(?P<top>{AMOUNT})"
)


def range_pattern(*, with_top: bool) -> str:
    """The pattern of a range: "51-200", "over a hundred", "10 or fewer".

    `with_top`: also with both ends in words: "at least 50 but no more than 200".
    """
    return (
        r"(?:between\s+(?:(?P<ages>(?:the\s+)?ages?(?:\s+of)?)\s+)?"
        rf"(?P<from>{AMOUNT_BEFORE_AND})\s*(?:and|{_DASH})\s*(?P<to>{AMOUNT})"
        rf"|(?:(?P<least>{_LEAST})|(?P<most>{_MOST})|(?P<more>{_MORE_THAN})"
        rf"|(?P<less>{_LESS_THAN})|(?P<about>{_ABOUT}))?"
        rf"[\s-]*(?P<low>(?<![\w.]){AMOUNT})"
        rf"(?:\s*(?:{_DASH})\s*(?P<high>{AMOUNT}){_TOP if with_top else ''})?"
        rf"(?:\s*(?:(?P<up>{_UP})|(?P<down>{_DOWN}))(?!\s*{AMOUNT}))?)(?!\w)"
    )


_RANGE = re.compile(range_pattern(with_top=False), re.IGNORECASE)
_BOUNDS = ("to", "least", "more", "less", "most", "high", "top", "up", "down")


@dataclass(frozen=True)
class Span:
    """A range of numbers, both ends in it."""

    low: float
    high: float = math.inf


@dataclass(frozen=True)
class Cover:
    """The values of a list that together hold a range, and where they do not fit."""

    values: tuple[str, ...]
    misfit: str | None = None


def is_bounded(found: re.Match[str]) -> bool:
    """Whether a range says where it begins or ends, and is not a number by itself."""
    return any(found.groupdict().get(name) for name in _BOUNDS)


def span_of(found: re.Match[str], *, whole: bool = False) -> Span:
    """The span that a range stands for.

    `whole`: of whole things. Over 50 employees are 51 and more; of money it stays as it is.
    """
    parts = found.groupdict()
    step = 1 if whole else 0
    low = read_amount(parts["from"] or parts["low"])
    if end := parts["to"] or parts["high"]:
        return _between(low, read_amount(end))
    if end := parts.get("top"):
        least = low.low + (step if parts["more"] else 0)
        return Span(least, read_amount(end).high - (step if parts.get("to_less") else 0))
    if parts["more"]:
        return Span(low.low + step)
    if parts["least"] or parts["up"]:
        return Span(low.low)
    if parts["less"]:
        return Span(0, low.high - step)
    return Span(0, low.high) if parts["most"] or parts["down"] else Span(low.low, low.high)


def _between(one: Amount, other: Amount) -> Span:
    low = one.low
    # "10-50 million" is 10 million to 50 million, and "one to three thousand" 1,000 to 3,000.
    if one.unit == 1 and low * other.unit <= other.high:
        low *= other.unit
    return Span(min(low, other.low), max(one.high, other.high))


def value_span(value: str) -> Span | None:
    """The range that a value of a list stands for: "51 to 100", "10000+", "under 1 million"."""
    found = _RANGE.search(value)
    if found is None or not re.search(r"\d", value):
        return None
    return span_of(found)


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
