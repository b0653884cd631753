"""Asking for what a plan cannot do without: again, where the service failed in passing."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from leadpipe_mcp.errors import LeadpipeError, TooManyRequests

T = TypeVar("T")

TRIES = 3


def may_pass(error: LeadpipeError) -> bool:
    """Whether the same question may be answered if it is put again at once."""
    return error.retryable and not isinstance(error, TooManyRequests)


async def insist(ask: Callable[[], Awaitable[T]]) -> T:
    """The answer, which is asked for up to three times.

    Raises:
        LeadpipeError: The last of the failures.
    """
    for _ in range(TRIES - 1):
        try:
            return await ask()
        except LeadpipeError as error:
            if not may_pass(error):
                raise
    return await ask()
