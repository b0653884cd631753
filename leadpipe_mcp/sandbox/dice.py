"""Chance that falls the same way on every start and every Python, for a byte per person."""

import hashlib
import random
import uuid
from collections.abc import Sequence
from functools import lru_cache
from math import fsum

BYTE = 256
_TOP = 0x80


def number(column: bytes) -> int:
    """The column as one integer, so that `&`, `|` and `+` work on all people at once."""
    return int.from_bytes(column, "little")


@lru_cache(maxsize=16)
def everyone(people: int, code: int) -> int:
    """The same code for everybody."""
    return number(bytes([code]) * people)


def lower(one: int, other: int, people: int) -> int:
    """Those whose byte of `one` is below that of `other`, as 255 per person.

    No byte of the one may be above 127, and none of the other above 128.
    """
    tops = everyone(people, _TOP)
    found = tops ^ (((one | tops) - other) & tops)
    return (found - (found >> 7)) | found


def larger(one: int, other: int, people: int) -> int:
    """The larger of each two bytes, none above 127."""
    return chosen(lower(one, other, people), other, one)


def chosen(where: int, one: int, other: int) -> int:
    """The bits of `one` where those of `where` are set, and those of the other elsewhere."""
    return other ^ ((one ^ other) & where)


PERCENT = 100
SIDES = 128
_PERCENT_OF_ROLL = bytes(roll * PERCENT // BYTE for roll in range(BYTE))
_SIDE_OF_ROLL = bytes(roll % SIDES for roll in range(BYTE))


def dice(seed: str) -> random.Random:
    """A generator whose rolls depend on `seed` alone.

    Text seeds go through SHA-512, so neither hash randomisation nor the version of Python matter;
    `random` and `randbytes` are the methods whose results are kept stable.
    """
    return random.Random(seed)  # noqa: S311 - invents people, guards nothing


def rolls(seed: str, people: int) -> int:
    """A roll for everybody, 0 to 127."""
    return number(dice(seed).randbytes(people).translate(_SIDE_OF_ROLL))


def percents(seed: str, people: int) -> int:
    """A roll for everybody, 0 to 99."""
    return number(dice(seed).randbytes(people).translate(_PERCENT_OF_ROLL))


def column(seed: str, weights: Sequence[float], size: int, codes: Sequence[int]) -> bytes:
    """One of `codes` per person, each about as often as its weight says, none left out."""
    return dice(seed).randbytes(size).translate(_shares(weights, codes))


def column_by(
    kinds: bytes, seed: str, weights: Sequence[Sequence[float]], codes: Sequence[int]
) -> bytes:
    """As `column`, for people of several kinds: those of kind 2 by the weights at index 2."""
    rolled, found = dice(seed).randbytes(len(kinds)), 0
    for kind, weights_of_kind in enumerate(weights):
        of_kind = number(kinds.translate(bytes(255 * (code == kind) for code in range(BYTE))))
        found |= number(rolled.translate(_shares(weights_of_kind, codes))) & of_kind
    return found.to_bytes(len(kinds), "little")


def identity(seed: str) -> str:
    """A UUID that depends on `seed` alone."""
    digest = hashlib.sha256(seed.encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))


def _shares(weights: Sequence[float], codes: Sequence[int]) -> bytes:
    # `sum` rounds differently from Python 3.12 on.
    total = fsum(weights)
    slots = [max(1, round(weight / total * BYTE)) for weight in weights]
    largest = max(range(len(slots)), key=slots.__getitem__)
    slots[largest] += BYTE - sum(slots)
    return b"".join(bytes([code]) * many for code, many in zip(codes, slots, strict=True))
