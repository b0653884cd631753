"""How often something was asked lately."""

from collections import deque

_SECONDS = 60.0


class Pace:
    """The moments of the last minute at which something was asked."""

    def __init__(self) -> None:
        self._asked: deque[float] = deque()

    def wait(self, now: float, a_minute: int) -> float:
        """How many seconds until it may be asked again; 0 if it may now, which then counts."""
        while self._asked and self._asked[0] <= now - _SECONDS:
            self._asked.popleft()
        if len(self._asked) < a_minute:
            self._asked.append(now)
            return 0
        return self._asked[0] + _SECONDS - now if self._asked else _SECONDS
