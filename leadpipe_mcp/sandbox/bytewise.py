"""Columns of people as one integer each, a byte per person, so that all are counted at once."""

from functools import lru_cache

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
