"""Numbers as people write and say them: "1,500", "2.5k", "fifty", "a couple of hundred"."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_DIGITS = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_SIZE = r"(?:hundred|k|thousand|m|mm|mn|mio|mil|million|b|bn|billion)s?\b"
_SMALL: Mapping[str, int] = {
    name: number
    for number, name in enumerate(
        [
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ],
        start=1,
    )
}
_TENS: Mapping[str, int] = {
    name: number * 10
    for number, name in enumerate(
        ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], start=2
    )
}
_SIZES: Mapping[str, int] = {
    "dozen": 12,
    "hundred": 100,
    "thousand": 10**3,
    "million": 10**6,
    "billion": 10**9,
}
_UNITS: Mapping[str, int] = {"h": 10**2, "k": 10**3, "t": 10**3, "m": 10**6, "b": 10**9}
_HEADS: Mapping[str, tuple[float, float]] = {
    "a": (1, 1),
    "an": (1, 1),
    "half a": (0.5, 0.5),
    "a couple": (2, 2),
    "a couple of": (2, 2),
    "couple of": (2, 2),
    "a few": (2, 5),
    "few": (2, 5),
    "several": (3, 9),
}
"""What stands for a number before a hundred or a thousand, from and to."""
_VAGUE: Mapping[str, tuple[float, float]] = {
    "dozens of": (24, 99),
    "hundreds of": (100, 999),
    "thousands of": (1_000, 9_999),
    "tens of thousands of": (10_000, 99_999),
    "hundreds of thousands of": (100_000, 999_999),
}


def _any_of(names: Mapping[str, object]) -> str:
    return "|".join(re.sub(" ", r"\\s+", name) for name in sorted(names, key=len, reverse=True))


_TENS_AND_ONES = rf"(?:(?:{_any_of(_TENS)})(?:[\s-](?:{_any_of(_SMALL)})\b)?|(?:{_any_of(_SMALL)}))"
_LARGE = rf"(?:{_any_of(_SIZES)})s?\b"
_LED = (
    rf"(?:{_any_of(_VAGUE)}"
    rf"|(?:{_any_of(_HEADS)}|{_TENS_AND_ONES})(?:[\s-]+{_LARGE})+|{_TENS_AND_ONES}\b|{_LARGE})"
)
_MORE = rf"\s+{_TENS_AND_ONES}\b(?!\s+and\b)(?:\s+{_LARGE})*"
# "two hundred and fifty thousand" is one number; "two hundred and five hundred" are two.
_AND_MORE = (
    rf"(?<=hundred)\s+and\s+{_TENS_AND_ONES}\b(?:\s+(?:thousand|million)\b)?(?!\s+{_LARGE})"
    rf"|(?<=thousand)\s+and\s+{_TENS_AND_ONES}\b(?!\s+{_LARGE})"
)
_IN_DIGITS = rf"[$€£]?\s?{_DIGITS}(?!\d)\s?(?:{_SIZE})?"

AMOUNT = rf"(?:{_IN_DIGITS}|{_LED}(?:{_MORE}|{_AND_MORE})*(?!\w))"
"""The pattern of a number, in digits or in words."""
AMOUNT_BEFORE_AND = rf"(?:{_IN_DIGITS}|{_LED}(?:{_MORE})*(?!\w))"
"""The same where an "and" leads to another number: "between a hundred and five thousand"."""


@dataclass(frozen=True)
class Amount:
    """A number, or from and to where the words leave it open ("a few hundred")."""

    low: float
    high: float
    unit: int = 1
    """What it is counted in: 1,000 in "two thousand" and in "2k"."""


def read_amount(text: str) -> Amount:
    """The number that a text matching `AMOUNT` stands for."""
    written = " ".join(text.casefold().replace("-", " ").split())
    if found := re.search(rf"(?P<number>{_DIGITS})\s?(?P<unit>[hkmbt])?", written):
        unit = _UNITS.get(found["unit"] or "", 1)
        value = float(found["number"].replace(",", "")) * unit
        return Amount(value, value, unit)
    return Amount(*_VAGUE[written]) if written in _VAGUE else _in_words(written)


def _in_words(written: str) -> Amount:
    """A number in words: what stands before a hundred or a thousand is multiplied, all is added."""
    head = max((each for each in _HEADS if written.startswith(f"{each} ")), key=len, default="")
    low, high = _HEADS.get(head, (0.0, 0.0))
    sums, unit = [0.0, 0.0], 1
    words = written.removeprefix(head).split()
    for word in words:
        size = _SIZES.get(word) or _SIZES.get(word.removesuffix("s"))
        if size is None:
            small = _SMALL.get(word, 0) + _TENS.get(word, 0)
            low, high = low + small, high + small
            continue
        low, high, unit = (low or 1) * size, (high or 1) * size, size
        if size >= 10**3:
            sums, low, high = [sums[0] + low, sums[1] + high], 0.0, 0.0
    return Amount(sums[0] + low, sums[1] + high, unit if len(words) <= 2 else 1)
