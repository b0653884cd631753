"""Chance that falls the same way on every start and every Python."""

import hashlib
import random
import uuid
from collections.abc import Sequence

BYTE = 256


def dice(seed: str) -> random.Random:
    """A generator whose rolls depend on `seed` alone.

    Text seeds go through SHA-512, so neither hash randomisation nor the version of Python matter;
    `random` and `randbytes` are the methods whose results are kept stable.
    """
    return random.Random(seed)  # noqa: S311 - invents people, guards nothing


def column(seed: str, weights: Sequence[float], size: int, codes: Sequence[int]) -> bytes:
    """One of `codes` per person, each about as often as its weight says, none left out."""
    return dice(seed).randbytes(size).translate(_shares(weights, codes))


def share(seed: str, part: float, size: int) -> int:
    """A set of people holding about `part` of them, as an integer of 0/1 bytes."""
    rolls = dice(seed).randbytes(size)
    return number(rolls.translate(bytes(roll < part * BYTE for roll in range(BYTE))))


def identity(seed: str) -> str:
    """A UUID that depends on `seed` alone."""
    digest = hashlib.sha256(seed.encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))


def number(column_of_bytes: bytes) -> int:
    """The column as one integer, so that `&`, `|` and `+` work on all people at once."""
    return int.from_bytes(column_of_bytes, "little")


def _shares(weights: Sequence[float], codes: Sequence[int]) -> bytes:
    total = sum(weights)
    slots = [max(1, round(weight / total * BYTE)) for weight in weights]
    largest = max(range(len(slots)), key=slots.__getitem__)
    slots[largest] += BYTE - sum(slots)
    return b"".join(bytes([code]) * many for code, many in zip(codes, slots, strict=True))
