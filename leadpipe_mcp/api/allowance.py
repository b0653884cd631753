"""Allowances: how many requests one piece of work may make, and how many of them at once."""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar

import anyio

from leadpipe_mcp.errors import AllowanceSpent


class Allowance:
    """So many requests, and no more.

    Args:
        requests: How many there may be in all.
        at_once: How many may wait for their answer at the same time; who comes later waits.
    """

    def __init__(self, requests: int, at_once: int) -> None:
        self._requests = requests
        self._turns = anyio.Semaphore(at_once, max_value=at_once)
        self._whole: Allowance | None = None
        self._ended = False
        self.used = 0

    @property
    def left(self) -> int:
        """How many more requests there may be."""
        own = 0 if self._ended else self._requests - self.used
        return own if self._whole is None else min(own, self._whole.left)

    def part(self, requests: int) -> "Allowance":
        """An allowance for a part of the work, whose requests are some of these."""
        made = Allowance(requests, 1)
        made._turns = self._turns
        made._whole = self
        return made

    def end(self) -> None:
        """Nothing; there are no more requests, not even for those who wait for their turn."""
        self._ended = True

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[None]:
        """One request, as soon as there is room for it.

        Raises:
            AllowanceSpent: If there may be no more.
        """
        async with self._turns:
            if not self.left:
                raise AllowanceSpent
            self.used += 1
            if self._whole is not None:
                self._whole.used += 1
            yield


_present: ContextVar[Allowance | None] = ContextVar("allowance", default=None)


@contextmanager
def allowed(allowance: Allowance) -> Generator[Allowance]:
    """Every request made inside, by whatever task that was started there, is one of these."""
    token = _present.set(allowance)
    try:
        yield allowance
    finally:
        _present.reset(token)


@asynccontextmanager
async def one_request() -> AsyncGenerator[None]:
    """Room for one request, under the allowance that there is, if there is one."""
    allowance = _present.get()
    if allowance is None:
        yield
    else:
        async with allowance.turn():
            yield
