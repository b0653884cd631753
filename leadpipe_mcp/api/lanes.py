"""Lanes: how many requests one service gets at a time, and whose turn is next.

Many tool calls may wait at once, and one of them may want twenty requests. The turns go round
among the calls, so that a small question is never stuck behind all of a large one.
"""

from collections import OrderedDict, deque
from collections.abc import AsyncGenerator, Hashable
from contextlib import asynccontextmanager

import anyio

AT_ONCE = 8


class Lanes:
    """Room for so many requests at a time.

    Args:
        at_once: How many.
    """

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._free = at_once
        self._waiting: OrderedDict[Hashable, deque[anyio.Event]] = OrderedDict()

    @asynccontextmanager
    async def lane(self, who: Hashable) -> AsyncGenerator[None]:
        """Room for one request of this one, as soon as it is its turn."""
        await self._enter(who)
        try:
            yield
        finally:
            self._leave()

    async def _enter(self, who: Hashable) -> None:
        if self._free:
            self._free -= 1
            return
        mine = anyio.Event()
        self._waiting.setdefault(who, deque()).append(mine)
        try:
            await mine.wait()
        except BaseException:
            # Whoever leaves after having been let in lets the next one in.
            if mine.is_set():
                self._leave()
            else:
                self._forget(who, mine)
            raise

    def _leave(self) -> None:
        if not self._waiting:
            self._free += 1
            return
        who, queue = self._waiting.popitem(last=False)
        queue.popleft().set()
        if queue:
            self._waiting[who] = queue

    def _forget(self, who: Hashable, event: anyio.Event) -> None:
        queue = self._waiting[who]
        queue.remove(event)
        if not queue:
            del self._waiting[who]
