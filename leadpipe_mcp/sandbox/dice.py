"""Chance that falls the same way on every start and every Python, for a byte per person."""

import hashlib
import random
import uuid
from bisect import bisect
from collections.abc import Container, Sequence
from itertools import accumulate

BYTE = 256


def dice(seed: str) -> random.Random:
    """A generator whose rolls depend on `seed` alone: text seeds go through SHA-512."""
    return random.Random(seed)  # noqa: S311 - invents people, guards nothing


def identity(seed: str) -> str:
    """A UUID that depends on `seed` alone."""
    digest = hashlib.sha256(seed.encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))


def number(column: bytes) -> int:
    """The column as one integer, so that `&`, `|` and `^` work on all people at once."""
    return int.from_bytes(column, "little")


def mask(column: bytes, codes: Container[int]) -> int:
    """The column with all bits set for those who have one of the codes, and none for others."""
    return number(column.translate(bytes(255 * (code in codes) for code in range(BYTE))))


def larger(one: int, other: int, people: int) -> int:
    """The larger of each two bytes, none above 127."""
    tops = number(b"\x80" * people)
    where_other = ((((other | tops) - one) & tops) >> 7) * 255
    return one ^ ((one ^ other) & where_other)


def column(kinds: bytes, seed: str, weights: Sequence[Sequence[int]]) -> bytes:
    """A code for everybody, each about as often as its weight says in the row of their kind."""
    rolled, found = dice(seed).randbytes(len(kinds)), 0
    for kind, row in enumerate(weights):
        edges = [round(BYTE * part / sum(row)) for part in accumulate(row)]
        codes = bytes(bisect(edges, roll) for roll in range(BYTE))
        found |= number(rolled.translate(codes)) & mask(kinds, {kind})
    return found.to_bytes(len(kinds), "little")
