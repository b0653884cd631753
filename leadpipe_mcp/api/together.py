"""Requests that go out at once, because none of them needs another's answer."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

import anyio

from leadpipe_mcp.errors import LeadpipeError

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
Work = Callable[[], Awaitable[A]]


@overload
async def together(a: Work[A], b: Work[B], /) -> tuple[A, B]: ...
@overload
async def together(a: Work[A], b: Work[B], c: Work[C], /) -> tuple[A, B, C]: ...
@overload
async def together(a: Work[A], b: Work[B], c: Work[C], d: Work[D], /) -> tuple[A, B, C, D]: ...
async def together(*works: Work[Any]) -> tuple[Any, ...]:
    """Return what each gives, all of them awaited side by side.

    For reading only: the first error ends all the others.

    Raises:
        LeadpipeError: The first that one of them raised.
    """
    given: list[Any] = [None] * len(works)
    errors: list[LeadpipeError] = []

    async def keep(place: int, work: Work[Any]) -> None:
        try:
            given[place] = await work()
        except LeadpipeError as error:
            errors.append(error)
            tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        for place, work in enumerate(works):
            tasks.start_soon(keep, place, work)
    if errors:
        raise errors[0]
    return tuple(given)
