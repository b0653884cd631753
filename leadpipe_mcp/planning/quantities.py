"""Numbers in sentences, and what they count: "51-200 employees", "over $100M", "500 leads"."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from leadpipe_mcp.planning.numbers import AMOUNT
from leadpipe_mcp.planning.ranges import Span, is_bounded, range_pattern, span_of

Measure = Literal["companySize", "companyRevenueRange", "ageRange", "people"]
"""What a number counts; `people` are those wanted, which is no filter."""

WITHIN = 0.2
"""Who asks for a number of people is content with a fifth more or less."""

_MONEY_MEANT = 10**6
"""So much money and more is a company's, where nothing is said of whose it is."""

_FIRM = r"(?:compan(?:y|ies)|firms?|business(?:es)?|teams?|startups?|orgs?|organi[sz]ations?)"
_MONEY = r"(?:revenues?|turnover|arr|rev)"
_SOME = r"(?:(?!(?:at|in|from|with|who|of|for|and|or|that|working)\b)[\w-]+\s+){0,3}?"
_GOOD = r"(?:(?:good|qualified|quality|great|new|fresh|warm|solid|relevant|matching|or\s+so)\s+)?"
_LEADS = (
    r"(?:people|persons|ppl|folks|leads?|contacts?|prospects?|of\s+(?:them|these|those)|records?"
    r"|profiles?|names|individuals|candidates?|applicants?)"
)
_VERB = (
    r"(?:need|want|get|give|find|show|send|pull|build|(?:looking|aiming|shooting)\s+for)"
    r"(?:\s+(?:me|us))?"
)
_TIMES = r"(?:days?|weeks?|months?|quarters?|years?)"
_BEFORE: Mapping[Measure, str] = {
    "companyRevenueRange": rf"(?:annual\s+|yearly\s+)?{_MONEY}",
    "ageRange": r"ages?d?(?:\s+(?:group|range|bracket))?",
    "people": (
        rf"{_VERB}|(?:audience|target|segment|list)\s+sizes?"
        r"|(?:audience|list|segment|target|total|batch|sample)\s+of"
    ),
    "companySize": (
        r"(?:company\s+|team\s+)?(?:sizes?|headcounts?|hc)|employees?(?:\s+(?:count|range|size))?"
        rf"|staff|{_FIRM}\s+(?:with|of|having)"
    ),
}
_AFTER: Mapping[Measure, str] = {
    "companyRevenueRange": (
        rf"(?:(?:in|of)\s+)?(?:(?:annual|yearly)\s+)?{_MONEY}|in\s+sales|dollars|usd"
        r"|(?:a|per)\s+year|annually|yearly|/\s?(?:yr|year)\b|per\s+annum"
    ),
    "ageRange": r"(?:years?|yrs?)[\s-]olds?|y/?o|(?:years?|yrs?)\s+of\s+age",
    "companySize": (
        r"employees?|emps?|ees|headcount|hc|staff|ftes?|person"
        rf"|(?:people|persons|ppl)\s+{_SOME}{_FIRM}|strong|workers|seats|in\s+size"
    ),
    "people": rf"{_GOOD}{_LEADS}",
}
_WHEN = "No filter knows since when something is so: an audience shows the people of one day."
_DISTANCE = r"(?:miles?|mi|kms?|kilomet(?:er|re)s?|minutes?|hours?)\b"
_EACH = rf"(?:{_LEADS}|person)\s+(?:per|(?:for|from|at|in)\s+each)\s+\w+"
_OTHERS: Mapping[str, str] = {
    _EACH: "No filter counts the people of one company; the result can be cut down afterwards.",
    rf"{_DISTANCE}(?:\s+radius)?": (
        "No filter knows places smaller than a state. The nearest is state."
    ),
    rf"(?:days?|weeks?|months?|quarters?)(?:\s+ago)?|{_TIMES}\s+ago": _WHEN,
    r"\+?(?:years?|yrs?)(?:\s+of)?(?:\s+\w+)?\s+(?:experience|exp)|\+?(?:years?|yrs?)": (
        "No filter counts years of work or of a company. The nearest are seniority and size."
    ),
}
"""What is counted and no filter knows, and why."""
_UP_TOO = r"or\s+(?:more|above|over|higher|larger|greater)|minimum|min\b\.?|at\s+least|and\s+up"
_DOWN_TOO = r"or\s+(?:less|fewer|below)|maximum|max\b\.?|at\s+most|tops"
_WHOSE_MONEY = (
    "Whose money this is is not said. For a company's revenue a year say revenue; what a person"
    " earns no filter knows."
)
_DECADES = ("twenties", "thirties", "forties", "fifties", "sixties", "seventies")


def _pattern(*, with_top: bool) -> re.Pattern[str]:
    after = "|".join(f"(?:{name})" for name in (_EACH, *_AFTER.values(), *_OTHERS))
    return re.compile(
        rf"(?:within\s+(?=[\w\s-]*{_DISTANCE})|(?P<before>{'|'.join(_BEFORE.values())})\b"
        r"\s*(?:(?:of|is|are|range|count|a|an|the|with|in|:|=)\s*)*)?"
        rf"(?P<range>{range_pattern(with_top=with_top)})"
        rf"(?:[\s-]*(?P<after>{after})\b"
        rf"(?:\s+(?:(?P<up_too>{_UP_TOO})|(?P<down_too>{_DOWN_TOO}))(?!\w|\s*{AMOUNT}))?)?",
        re.IGNORECASE,
    )


_QUANTITY, _WITH_TOP = _pattern(with_top=False), _pattern(with_top=True)
_LATELY = re.compile(
    rf"(?:(?:within|in|over|during|for)\s+)?(?:the\s+)?(?:last|past|next|previous)\s+"
    rf"{range_pattern(with_top=False)}[\s-]*{_TIMES}\b",
    re.IGNORECASE,
)
_AGES = rf"(?:(?:early|mid|late)[\s-]+)?(?P<_>[2-9]0s|{'|'.join(_DECADES)})\b"
_FIRST, _LAST = _AGES.replace("_>", "first>"), _AGES.replace("_>", "last>")
_DECADE = re.compile(
    rf"in\s+(?:their|his|her|the)\s+{_FIRST}(?:\s*(?:or|and|to|-|/)\s*{_LAST})?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Quantity:
    """A range of numbers as it stands in a sentence."""

    measures: tuple[Measure, ...]
    """What it may count: several where the sentence does not say."""
    span: Span
    start: int
    end: int
    said: bool
    """Whether the sentence says what is counted."""
    bounded: bool = True
    """Whether it says where it begins or ends, and is not a number by itself."""
    having: bool = False
    """Whether companies are said to have so many, and not of what: "companies with 50"."""


@dataclass(frozen=True)
class Uncounted:
    """A number of something that no filter counts, and why not."""

    why: str
    start: int
    end: int


def read_quantity(text: str, start: int) -> Quantity | Uncounted | None:
    """The range of numbers that the text has at this place, if it has one."""
    if decade := _DECADE.match(text, start):
        low, high = _decade(decade["first"]), _decade(decade["last"] or decade["first"])
        return Quantity(("ageRange",), Span(low, high + 9), start, decade.end(), said=True)
    if lately := _LATELY.match(text, start):
        return Uncounted(_WHEN, start, lately.end())
    found = _found(text, start)
    if found is None:
        return None
    begins = found.start("range") if _is_asking(found) else start
    if why := _uncounted(found):
        return Uncounted(why, begins, found.end())
    if _counts_one(found):
        return None
    measures = _measured(found)
    span = _of_whole(found, measures)
    having = not found["after"] and _is_called(found["before"], rf"{_FIRM}\s+(?:with|of|having)")
    said = bool(
        (found["before"] and begins == start and not having)
        or found["after"]
        or found["ages"]
        or re.search(r"[$€£]", found["range"])
    )
    return Quantity(measures, span, begins, found.end(), said, is_bounded(found), having)


def people_wanted(quantity: Quantity) -> Span:
    """How many people a number asks for: with nothing said of its ends, a fifth more or less.

    "About 500 leads" and "500 leads" are 400 to 600; "at least 2k" is 2,000 and more.
    """
    low, high = quantity.span.low, quantity.span.high
    if quantity.bounded or low != high:
        return Span(max(low, 1), high)
    return Span(round(low * (1 - WITHIN)), round(high * (1 + WITHIN)))


def _decade(name: str) -> int:
    """The age at which a decade begins: 30 for "30s" and "thirties"."""
    return int(name[:2]) if name[0].isdigit() else 20 + 10 * _DECADES.index(name.lower())


def _found(text: str, start: int) -> re.Match[str] | None:
    """The number with what it counts; with a second end if that is above the first."""
    both = _WITH_TOP.match(text, start)
    if both and both["top"]:
        span = span_of(both)
        return both if span.low <= span.high else _QUANTITY.match(text, start)
    return both


def _counts_one(found: re.Match[str]) -> bool:
    """Whether it is no more than an article: "one of the leads", "one or more"."""
    return bool(re.match(r"\s*one\b", found["range"], re.IGNORECASE)) and not (
        found["high"] or _measure_of(found["after"]) == "companySize"
    )


def _of_whole(found: re.Match[str], measures: tuple[Measure, ...]) -> Span:
    span = span_of(found, whole="companyRevenueRange" not in measures)
    if found["up_too"]:
        return Span(span.low)
    return Span(0, span.high) if found["down_too"] else span


def _uncounted(found: re.Match[str]) -> str | None:
    """Why no filter counts this, if none does."""
    other = next((why for name, why in _OTHERS.items() if _is_called(found["after"], name)), None)
    if other and _measure_of(found["after"]) is None:
        return other
    money = re.search(r"[$€£]", found["range"]) and span_of(found)
    if not money or found["after"] or _measure_of(found["before"]) == "companyRevenueRange":
        return None
    top = money.low if math.isinf(money.high) else money.high
    return _WHOSE_MONEY if top < _MONEY_MEANT else None


def _measured(found: re.Match[str]) -> tuple[Measure, ...]:
    before, after = _measure_of(found["before"]), _measure_of(found["after"])
    span = span_of(found)
    top = span.low if math.isinf(span.high) else span.high
    money = bool(re.search(r"[$€£]", found[0])) or top >= _MONEY_MEANT
    # "companies with 500 people" are counted by their employees; who wants people may go on to
    # say of what kind: "find 200 person companies".
    if after == "people" and (before not in {None, "people"} or _is_bracket(span)):
        after = before if before not in {None, "people"} else "companySize"
    if found["ages"]:
        return ("ageRange",)
    if after or (before and not (before == "people" and money)):
        return (after or before or "people",)
    if money:
        return ("companyRevenueRange",)
    ends = [end for end in (span.low, top) if end]
    may_be_age = all(18 <= end <= 99 for end in ends)
    return ("companySize", "ageRange") if may_be_age else ("companySize",)


def _is_bracket(span: Span) -> bool:
    """Whether it is how lists of company sizes count: "11-50 people", and nobody wants 11 to 50."""
    return span.low % 10 == 1 and span.low < span.high < math.inf and span.high % 10 == 0


def _is_asking(found: re.Match[str]) -> bool:
    """Whether what stands before is only that something is wanted: "find", "give me"."""
    return _is_called(found["before"], _VERB)


def _measure_of(text: str | None) -> Measure | None:
    for names in (_AFTER, _BEFORE):
        for measure, name in names.items():
            if _is_called(text, name):
                return measure
    return None


def _is_called(text: str | None, name: str) -> bool:
    return bool(text and re.fullmatch(name, text, re.IGNORECASE))
