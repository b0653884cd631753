"""Budgets: the time and the requests that one tool call may take, and what became of them.

What a call waits for on purpose does not count: a human who is asked, a list that is being put
together, a file that keeps coming. All else does, its turn behind other calls included.
"""

import math
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any, TypeVar, overload

import anyio

from leadpipe_mcp.errors import AllowanceSpent
from leadpipe_mcp.text import counted

CALL_SECONDS = 50.0
REPLY_SECONDS = 1.0
"""Kept back from a call's time, to put what happened into words."""
LOOK_SECONDS = 10.0
"""What a change leaves of a call's time, to look what became of it."""
PAGES_SECONDS = 15.0
"""What a file leaves of a call's time, to fetch page by page what did not come as a file."""
LONG_SECONDS = 2.0
"""A longer pause is explained while it lasts."""
AT_ONCE = 8
"""How many requests one service, and so one call, has under way at a time."""

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
T = TypeVar("T")
Work = Callable[[], Awaitable[A]]
Noun = tuple[str, str]
"""What one thing is called, and what several are called."""


class CallBudget:
    """How much time is left to one call, what it asked for, and what was odd in the answers."""

    def __init__(self, seconds: float = CALL_SECONDS) -> None:
        self.requests = 0
        """How many requests went out, each try counted."""
        self.retries = 0
        """How many of them were tries after the first."""
        self.request_id: str | None = None
        """The service's name for the last of them."""
        self.looked = False
        """Whether a change's own answer was lost, and a look showed that it was made."""
        self.left_out: dict[Noun, dict[int, tuple[int, int]]] = {}
        """How many things of how many could not be read, list by list, each list once."""
        self.notes: dict[str, None] = {}
        """What else a reader of the reply has to know of the services' answers."""
        self.done = 0.0
        """How much progress was reported."""
        self.tell: Callable[[str], Awaitable[None]] | None = None
        """Explains to the client why it takes longer, while it does."""
        self.turns = anyio.CapacityLimiter(AT_ONCE)
        """Its requests wait here first, so that many of them never stand in front of another's."""
        self._until = anyio.current_time() + seconds - REPLY_SECONDS

    @property
    def left(self) -> float:
        """How many seconds the services still have."""
        return self._until - anyio.current_time()

    def gaps(self) -> list[str]:
        """Say what is missing of what the services sent."""
        found: list[str] = []
        for noun, lists in self.left_out.items():
            odd = sum(number for number, _ in lists.values())
            # Of several lists it is not known how many different things they hold.
            of = next(iter(lists.values()))[1] if len(lists) == 1 else None
            what = f"{odd} of {counted(of, *noun)}" if of else counted(odd, *noun)
            found.append(f"{what} could not be read and {'is' if odd == 1 else 'are'} left out.")
        return [*found, *self.notes]

    async def rest(self, seconds: float) -> None:
        """Leave the service alone for this long."""
        if self.tell and seconds >= LONG_SECONDS:
            await self.tell(f"The service asked for a pause of {math.ceil(seconds)} seconds.")
        await anyio.sleep(seconds)

    def extend(self, seconds: float) -> None:
        """Add time that the work spends waiting on purpose."""
        self._until += seconds

    @contextmanager
    def asking_a_human(self) -> Generator[None]:
        """Leave out the time that a human takes to answer."""
        started = anyio.current_time()
        try:
            yield
        finally:
            self.extend(anyio.current_time() - started)


class Allowance:
    """A bounded number of requests within a call.

    Args:
        requests: How many there may be in all.
        at_once: How many may wait for their answer at the same time; later ones wait their turn.
    """

    def __init__(self, requests: int, at_once: int) -> None:
        self._requests = requests
        self._turns = anyio.CapacityLimiter(at_once)
        self._parent: Allowance | None = None
        self.used = 0

    @property
    def left(self) -> int:
        """How many more requests there may be."""
        own = self._requests - self.used
        return min(own, self._parent.left) if self._parent else own

    def part(self, requests: int) -> "Allowance":
        """Set some of these requests aside for a part of the work."""
        made = Allowance(requests, 1)
        made._turns = self._turns
        made._parent = self
        return made

    def end(self) -> None:
        """Allow no more requests, not even those that wait for their turn."""
        self._requests = self.used

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[None]:
        """Hold room for one request, if there may be one more."""
        async with self._turns:
            if not self.left:
                raise AllowanceSpent
            self.used += 1
            if self._parent:
                self._parent.used += 1
            yield


_budget: ContextVar[CallBudget | None] = ContextVar("budget", default=None)
_allowance: ContextVar[Allowance | None] = ContextVar("allowance", default=None)


@contextmanager
def _with(variable: ContextVar[T | None], value: T) -> Generator[T]:
    token = variable.set(value)
    try:
        yield value
    finally:
        variable.reset(token)


def call_budget(seconds: float = CALL_SECONDS) -> AbstractContextManager[CallBudget]:
    """Put every request made inside, by any task that was started there, on one budget."""
    return _with(_budget, CallBudget(seconds))


def allowed(allowance: Allowance) -> AbstractContextManager[Allowance]:
    """Take every request made inside, by any task that was started there, from the allowance."""
    return _with(_allowance, allowance)


def present_budget() -> CallBudget:
    """The budget of the present call; outside of one, a new one."""
    return _budget.get() or CallBudget()


@asynccontextmanager
async def turn(budget: CallBudget, service: anyio.CapacityLimiter) -> AsyncGenerator[None]:
    """Hold room for one request: under the allowance if there is one, in the call, at the service.

    Those who wait for the service stand in one queue, in which no call has more than a few.
    """
    allowance = _allowance.get()
    async with allowance.turn() if allowance else nullcontext(), budget.turns, service:
        yield


def note_left_out(noun: Noun, odd: Sequence[object], of: int) -> None:
    """Tell the present call, if there is one, of things in a list that cannot be read."""
    if odd and (found := _budget.get()):
        # A list that is looked at several times counts once.
        found.left_out.setdefault(noun, {})[hash(repr(odd))] = (len(odd), of)


def note(gap: str) -> None:
    """Tell the present call, if there is one, what else is missing of an answer."""
    if found := _budget.get():
        found.notes[gap] = None


@overload
async def together(a: Work[A], b: Work[B], /) -> tuple[A, B]: ...
@overload
async def together(a: Work[A], b: Work[B], c: Work[C], d: Work[D], /) -> tuple[A, B, C, D]: ...
async def together(*works: Work[Any]) -> tuple[Any, ...]:
    """Return what each gives, all of them awaited side by side; the first error ends the others.

    For reading only.
    """
    given: list[Any] = [None] * len(works)

    async def keep(place: int, work: Work[Any]) -> None:
        given[place] = await work()

    try:
        async with anyio.create_task_group() as tasks:
            for place, work in enumerate(works):
                tasks.start_soon(keep, place, work)
    except ExceptionGroup as group:
        raise group.exceptions[0] from None
    return tuple(given)
