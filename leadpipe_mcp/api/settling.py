"""Changes that must not be made twice: after an unclear failure, a look tells what became of them.

A change is repeated only where it is asked for, and only after looks have shown that it was not
made. A change that may still be under way, because its answer is late, is never repeated.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import anyio

from leadpipe_mcp.api.budget import LOOK_SECONDS, present_budget
from leadpipe_mcp.errors import (
    SERVICE,
    NotDone,
    NotFound,
    ServiceError,
    TooManyRequests,
    Unclear,
    Unreachable,
    UnusableAnswer,
    WrongAddress,
)
from leadpipe_mcp.text import clean, listed

T = TypeVar("T")
PAUSES = (0.0, 1.0, 2.0)
"""Before each look. A service may be at work for a moment on what it was asked."""
_IGNORED = f"{SERVICE} ignored the change: tell the user; another try may not help."


@dataclass(frozen=True)
class OutcomeWords:
    """How the outcome of a change is put into words."""

    undone: str
    """What a look shows if nothing was changed, as a sentence."""
    check: str
    """What to look at if a look could not tell, as a sentence."""
    firm: bool = True
    """Whether the thing itself is looked at. A list may show what is new a little later."""


async def settled(
    change: Callable[[], Awaitable[T]],
    look: Callable[[], Awaitable[T | None]],
    words: OutcomeWords,
    *,
    again: bool = False,
) -> T:
    """What the change made, as its answer says or as a look shows.

    `look` gives what it made, or None where that is not there; it raises if it cannot tell. With
    `again` the change is made once more where looks show that it was not made.

    Raises:
        NotDone: If it failed and a look shows that nothing was changed.
        Unclear: If it failed and no look could tell.
        ServiceError: As the change raised it, if that leaves no doubt.
    """
    try:
        return await change()
    except ServiceError as error:
        failed = error
    # It may still be under way; or the service says that it is done, and nothing that can be read.
    late = failed.status == 504 or (isinstance(failed, Unreachable) and failed.how == "late")
    claimed = isinstance(failed, UnusableAnswer) and failed.status in range(200, 300)
    if isinstance(failed, TooManyRequests):
        # The service says that it did nothing; with a look it is certain.
        again = again and (failed.retry_after or 0) < present_budget().left - LOOK_SECONDS
        if not again:
            raise failed
    elif not failed.leaves_doubt:
        raise failed
    found = await _looked(look, words, failed)
    if found is not None:
        return found
    problem = f"{failed.problem} A look afterwards: {words.undone}"
    if late or (claimed and not words.firm):
        raise Unclear(f"{problem} But it may still come.", words.check, like=failed)
    not_done = NotDone(problem, _IGNORED if claimed else "", like=failed)
    if claimed or not again:
        raise not_done
    try:
        return await settled(change, look, words)
    except Unreachable:
        # Without doubt, or it would have been looked after: this time nothing was sent.
        raise not_done from None


async def _looked(
    look: Callable[[], Awaitable[T | None]], words: OutcomeWords, failed: ServiceError
) -> T | None:
    """What looks show of a change whose own answer was lost; None if it was not made."""
    budget = present_budget()
    doubt: ServiceError | None = Unclear("No time was left to look.")
    for pause in PAUSES:
        if pause > budget.left:
            break
        await anyio.sleep(pause)
        try:
            found, doubt = await look(), None
        except ServiceError as error:
            doubt = error
            continue
        if found is not None:
            budget.looked = True
            return found
    if doubt is not None:
        problem = f"{failed.problem} Whether it was done is unclear. {doubt.problem}"
        raise Unclear(problem, words.check, like=failed)
    return None


class _Named(Protocol):
    @property
    def id(self) -> str | None: ...


N = TypeVar("N", bound=_Named)


def the_new_one(fresh: Sequence[N], thing: str, *, certain: bool) -> N | None:
    """Return what was made, of the things that were not there before, or refuse to guess."""
    if len(fresh) == 1 and certain:
        return fresh[0]
    if fresh:
        ids = listed([clean(one.id or "", 40) for one in fresh[:5]], "or")
        raise Unclear(f"It may be the {thing} with the id {ids}.")
    return None


async def is_gone(get: Callable[[], Awaitable[object]]) -> bool | None:
    """Look for what was deleted: true if it is not found, None if it is still there."""
    try:
        await get()
    except NotFound as error:
        if isinstance(error, WrongAddress):
            raise
        return True
    return None
