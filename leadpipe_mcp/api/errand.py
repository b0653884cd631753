"""Errands: what one tool call may take of time, and what it has asked of the services.

The time that a call spends on purpose does not count: its turn behind other calls, a human who
is asked, a list that is being put together. So a call may last longer than its seconds, but a
service that hangs cannot make it.
"""

import math
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import anyio

from leadpipe_mcp.text import counted

CALL_SECONDS = 50.0
SAID_SECONDS = 1.0
"""Kept back from a call's time, to put what happened into words."""
LOOK_SECONDS = 10.0
"""What a change leaves of a call's time, to look what became of it."""
PAGES_SECONDS = 15.0
"""What a file leaves of a call's time, to fetch page by page what did not come as a file."""
LONG_SECONDS = 2.0
"""Who waits longer than this is told why."""

Tell = Callable[[str], Awaitable[None]]
Noun = tuple[str, str]
"""What one thing is called, and what several are called."""


class Errand:
    """One piece of work: how much of its time is left, and what it asked for.

    Args:
        seconds: How long the services may keep it.
    """

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
        """What else whoever reads the reply has to know of the services' answers."""
        self.done = 0.0
        """How far it was said to be."""
        self.tell: Tell | None = None
        """Who is told why it takes longer, while it does."""
        self._until = anyio.current_time() + seconds - SAID_SECONDS
        self._queued = 0.0
        self._busy = 0
        self._queueing = 0
        self._since: float | None = None

    @property
    def left(self) -> float:
        """How many seconds the services still have; the time behind other calls is not theirs."""
        waiting = 0.0 if self._since is None else anyio.current_time() - self._since
        return self.left_in_all + self._queued + waiting

    @property
    def left_in_all(self) -> float:
        """How many seconds there are if the time behind other calls counts as well."""
        return self._until - anyio.current_time()

    def gaps(self) -> list[str]:
        """Say what is missing of what the services sent."""
        odd = [_gap(noun, list(lists.values())) for noun, lists in self.left_out.items()]
        return [*odd, *self.notes]

    async def rest(self, seconds: float) -> None:
        """Nothing, after so many seconds in which the service is left alone."""
        if self.tell and seconds >= LONG_SECONDS:
            await self.tell(f"The service asked for a pause of {math.ceil(seconds)} seconds.")
        await anyio.sleep(seconds)

    def extend(self, seconds: float) -> None:
        """Nothing; the work waits on purpose for up to so many seconds."""
        self._until += seconds

    @contextmanager
    def busy(self) -> Generator[None]:
        """While a service is being asked: this is what the time is for."""
        self._busy += 1
        self._note()
        try:
            yield
        finally:
            self._busy -= 1
            self._note()

    @contextmanager
    def asking_a_human(self) -> Generator[None]:
        """While a human is asked, who takes the time that a human takes."""
        started = anyio.current_time()
        try:
            yield
        finally:
            self._until += anyio.current_time() - started

    @contextmanager
    def queueing(self) -> Generator[None]:
        """While one of its requests waits behind others, or is under way itself."""
        self._queueing += 1
        self._note()
        try:
            yield
        finally:
            self._queueing -= 1
            self._note()

    def _note(self) -> None:
        """Begin or end the time in which it waits behind others and nothing of it is under way."""
        waits = self._queueing > 0 and self._busy == 0
        if waits and self._since is None:
            self._since = anyio.current_time()
        elif not waits and self._since is not None:
            self._queued += anyio.current_time() - self._since
            self._since = None


_present: ContextVar[Errand | None] = ContextVar("errand", default=None)


@contextmanager
def errand(seconds: float = CALL_SECONDS) -> Generator[Errand]:
    """Every request made inside, by whatever task that was started there, belongs to this one."""
    made = Errand(seconds)
    token = _present.set(made)
    try:
        yield made
    finally:
        _present.reset(token)


def present_errand(seconds: float) -> Errand:
    """The errand that is being run; where there is none, one of so many seconds."""
    return _present.get() or Errand(seconds)


def time_left() -> float:
    """How many seconds the services still have in the present errand."""
    return present_errand(CALL_SECONDS).left


def note_left_out(noun: Noun, odd: Sequence[object], of: int) -> None:
    """Let the present errand, if there is one, know of things in a list that cannot be read."""
    if found := _present.get():
        # A list that is looked at again and again counts once.
        found.left_out.setdefault(noun, {})[hash(repr(odd))] = (len(odd), of)


def note(gap: str) -> None:
    """Let the present errand, if there is one, know what else is missing of an answer."""
    if found := _present.get():
        found.notes[gap] = None


def _gap(noun: Noun, lists: Sequence[tuple[int, int]]) -> str:
    odd = sum(number for number, _ in lists)
    are = "is" if odd == 1 else "are"
    # Of several lists it is not known how many different things they hold.
    what = f"{odd} of {counted(lists[0][1], *noun)}" if len(lists) == 1 else counted(odd, *noun)
    return f"{what} could not be read and {are} left out."


def note_look() -> None:
    """Nothing; the present errand, if there is one, knows that a look made something certain."""
    if found := _present.get():
        found.looked = True


def wait_on_purpose(seconds: float) -> None:
    """Nothing; the present errand, if there is one, may take so much longer."""
    if found := _present.get():
        found.extend(seconds)
