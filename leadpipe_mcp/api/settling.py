"""Changes that must not be made twice: after an unclear failure, a look tells what became of them.

No request that changes something is ever repeated here. What is repeated is the look.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import anyio

from leadpipe_mcp.errors import (
    NotDone,
    ServiceDown,
    ServiceError,
    Unclear,
    Unreachable,
    UnusableAnswer,
)

T = TypeVar("T")
LOOKS = 2
PAUSE = 1.0


@dataclass(frozen=True)
class Done(Generic[T]):
    """What a change made; `looked` says that its own answer was lost, and a look found it."""

    result: T
    looked: bool = False


@dataclass(frozen=True)
class Words:
    """How the outcome of a change is said.

    Args:
        undone: What a look shows if nothing was changed, as a sentence.
        check: What to look at if a look could not tell, as a sentence.
        firm: Whether the thing itself is looked at. A list may show what is new a little later.
    """

    undone: str
    check: str
    firm: bool = True


def is_unclear(error: ServiceError) -> bool:
    """Whether the change may have been made all the same."""
    if isinstance(error, Unreachable):
        return error.how != "not sent"
    return isinstance(error, ServiceDown | UnusableAnswer)


async def settled(
    change: Callable[[], Awaitable[T]],
    look: Callable[[], Awaitable[T | None]],
    words: Words,
) -> Done[T]:
    """What the change made, as its answer says or as a look shows.

    Args:
        change: Makes the change, once.
        look: Gives what the change made, or None where it is not there; raises if it cannot tell.
        words: How it is said.

    Raises:
        NotDone: If it failed and a look shows that nothing was changed.
        Unclear: If it failed and no look could tell.
        ServiceError: As the change raised it, if that leaves no doubt.
    """
    try:
        return Done(await change())
    except ServiceError as error:
        if not is_unclear(error):
            raise
        failed = error
    doubt: ServiceError | None = None
    for number in range(LOOKS):
        if number:
            await anyio.sleep(PAUSE)
        try:
            found = await look()
        except ServiceError as error:
            doubt = error
            continue
        if found is not None:
            return Done(found, looked=True)
        doubt = None
    raise _outcome(failed, doubt, words)


def _outcome(failed: ServiceError, doubt: ServiceError | None, words: Words) -> ServiceError:
    """The error for a change that was not seen."""
    status, code, request_id = failed.status, failed.code, failed.request_id
    if doubt is not None:
        problem = f"{failed.problem} Whether it was done is unclear. {doubt.problem}"
        return Unclear(problem, words.check, status=status, code=code, request_id=request_id)
    claimed = isinstance(failed, UnusableAnswer) and 200 <= (failed.status or 0) < 300
    late = isinstance(failed, Unreachable) and failed.how == "late"
    if late or (claimed and not words.firm):
        problem = f"{failed.problem} A look afterwards: {words.undone} But it may still come."
        return Unclear(problem, words.check, status=status, code=code, request_id=request_id)
    problem = f"{failed.problem} A look afterwards: {words.undone}"
    return NotDone(problem, status=status, code=code, request_id=request_id)
