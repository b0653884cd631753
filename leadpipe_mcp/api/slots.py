"""The account's audience slots, known by their shape: where they stand is not documented."""

import re
from collections.abc import Iterator, Mapping

from leadpipe_mcp.api.answers import as_object
from leadpipe_mcp.api.models import Slots
from leadpipe_mcp.api.reading import whole_number

_USED = ("used", "taken", "occupied", "active", "current")
_LIMIT = ("limit", "max", "maximum", "allowed", "included", "quota", "total")
_FREE = ("free", "available", "remaining", "left")
_OTHERS = {"credits", "pixels", "organization"}
"""Parts of the account that are documented, and count something else."""
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_DEEPEST = 4


def find_slots(account: Mapping[str, object]) -> Slots | None:
    """Return how many audience slots there are and are used; None where that is not shown."""
    for part, of_slots in _parts(account, of_slots=False, depth=_DEEPEST):
        counts = {
            word: number
            for name, value in part.items()
            if (of_slots or _is_of_slots(name)) and (number := _number(value)) is not None
            for word in _words(name)
        }
        used, limit, free = (_first(counts, words) for words in (_USED, _LIMIT, _FREE))
        if limit is not None and used is None and free is not None:
            used = max(0, limit - free)
        if limit is None and used is not None and free is not None:
            limit = used + free
        if used is not None and limit is not None:
            return Slots(used=used, limit=limit)
    return None


def _parts(
    part: Mapping[str, object], *, of_slots: bool, depth: int
) -> Iterator[tuple[Mapping[str, object], bool]]:
    """Give every object in the account, and whether its name or one around it speaks of slots."""
    yield part, of_slots
    if not depth:
        return
    for name, value in part.items():
        if name not in _OTHERS and (inner := as_object(value)):
            yield from _parts(inner, of_slots=of_slots or _is_of_slots(name), depth=depth - 1)


def _is_of_slots(name: str) -> bool:
    return bool({"slot", "slots"} & _words(name))


def _words(name: str) -> set[str]:
    return {word.lower() for word in _WORDS.findall(name)}


def _number(value: object) -> int | None:
    try:
        return whole_number(value)
    except ValueError:
        return None


def _first(counts: Mapping[str, int], words: tuple[str, ...]) -> int | None:
    return next((counts[word] for word in words if word in counts), None)
