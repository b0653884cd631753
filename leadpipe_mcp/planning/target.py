"""Advice on which change brings the size to what is wanted."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from leadpipe_mcp.planning.variations import Thing, Variation

_LEAST_MEDDLING: Sequence[Thing] = ("score", "overlap", "topic", "filter", "pair")
"""What to change first: a filter was asked for by name, so it comes late."""


@dataclass(frozen=True)
class Option:
    """One possible change, and how many people there would be."""

    variation: Variation
    size: int


@dataclass(frozen=True)
class Advice:
    """What to do to reach the target, and why."""

    reason: str
    change: Option | None = None
    """None: change nothing."""


def changes_into(target: range, options: Iterable[Option]) -> tuple[Option, ...]:
    """Return the changes whose size is in the target, the least intrusive first."""
    middle = _middle(target)
    return tuple(
        sorted(
            (change for change in options if change.size in target),
            key=lambda change: (
                _LEAST_MEDDLING.index(change.variation.thing),
                abs(change.size - middle),
            ),
        )
    )


def advise(target: range, size: int | None, options: Sequence[Option]) -> Advice:
    """Advise the config as it is, the change that reaches the target, or the nearest."""
    wanted = describe(target)
    if size is not None and size in target:
        return Advice(f"That is within {wanted}.")
    if reaching := changes_into(target, options):
        best = reaching[0]
        return Advice(f"{_with(best)}, within {wanted}: {_stays(best)}.", best)
    nearest = min(options, key=lambda change: distance(change.size, target), default=None)
    if nearest is None:
        return Advice(f"It is not known whether any change reaches {wanted}.")
    if size is not None and distance(size, target) <= distance(nearest.size, target):
        return Advice(f"No change comes closer to {wanted}.")
    return Advice(
        f"No change, nor any two together, reaches {wanted}. {_with(nearest)}, the closest.",
        nearest,
    )


def _with(change: Option) -> str:
    words = change.variation.words
    given = words[:1].upper() + words[1:] if words.startswith("without") else f"With {words}"
    return f"{given} there would be {change.size:,}"


def _stays(change: Option) -> str:
    match change.variation.thing:
        case "score" | "overlap":
            return "every topic and filter stays"
        case "topic":
            return "every filter stays"
        case _:
            return "the rest stays"


def describe(target: range) -> str:
    """Return the target in words."""
    if target.stop - 1 >= NO_END:
        return f"{target.start:,} or more"
    return f"{target.start:,} to {target.stop - 1:,}"


NO_END = 10**9
"""A target that ends here or above has no upper end."""


def _middle(target: range) -> float:
    return target.start if target.stop - 1 >= NO_END else (target.start + target.stop - 1) / 2


def distance(size: int, target: range) -> float:
    """Return how far a size is from the target, as a factor: 500 is as far from 1,000 as 2,000."""
    if size in target:
        return 0.0
    edge = target.start if size < target.start else target.stop - 1
    return abs(math.log(max(size, 0.5) / max(edge, 0.5)))
