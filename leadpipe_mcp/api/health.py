"""The health of a service: whether to ask it now, and whether to ask it again.

Three things keep a service that is in trouble from being hammered. Each retry is paid for from a
budget that only successes fill. After six failures in a row nothing is sent for some seconds, and
then one request tries whether it is back; where all six were of one route, only this route rests.
And a route that asked for a pause gets it.
"""

import random

import anyio

from leadpipe_mcp.errors import (
    SERVICE,
    Misconfigured,
    ServiceDown,
    ServiceError,
    TooManyRequests,
    Unreachable,
)

MOST_TRIES = 3
BACKOFF = 0.5
MOST_RETRIES = 20.0
EARNED = 0.5
"""What a success adds to the budget for retries."""
FAILURES = 6
FIRST_REST, LONGEST_REST = 5.0, 60.0
_SHORTEST = 1.0


class Health:
    """How one service has been doing."""

    def __init__(self) -> None:
        self._retries = MOST_RETRIES
        self._failed: list[str] = []
        self._last_problem = ""
        self._rest = FIRST_REST
        self._resting_until = 0.0
        self._pauses: dict[str, float] = {}
        self.has_answered = False
        """Whether the service has ever answered as it should."""

    def admit(self, route: str) -> None:
        """Refuse a request to a service at rest, except one from time to time, to try."""
        if not self._rests(route):
            return
        now = anyio.current_time()
        wait = self._resting_until - now
        if wait > 0:
            raise Unreachable(
                f"{SERVICE} failed {len(self._failed)} times in a row, so nothing was sent."
                f" The last failure: {self._last_problem}",
                f"The next try makes sense in {max(wait, _SHORTEST):.0f} seconds.",
                how="not sent",
            )
        self._rest = min(LONGEST_REST, self._rest * 2)
        self._resting_until = now + self._rest

    def wait_for(self, route: str) -> float:
        """How many seconds this route has asked to be left alone."""
        return max(0.0, self._pauses.get(route, 0.0) - anyio.current_time())

    def answered(self) -> None:
        """Take note that the service does answer."""
        self.has_answered = True
        self._failed.clear()
        self._rest = FIRST_REST
        self._retries = min(MOST_RETRIES, self._retries + EARNED)

    def failed(self, error: ServiceError, route: str) -> None:
        """Take note of what the failure shows of the service."""
        now = anyio.current_time()
        if isinstance(error, Misconfigured):
            return
        if isinstance(error, Unreachable | ServiceDown):
            self._failed.append(route)
            # Only its words: an error that is kept holds all that led to it.
            self._last_problem = error.args[0]
            if len(self._failed) == FAILURES:
                self._resting_until = now + self._rest
        else:
            self._failed.clear()
            self._rest = FIRST_REST
        if isinstance(error, TooManyRequests) and error.retry_after:
            self._pauses = {route: end for route, end in self._pauses.items() if end > now}
            self._pauses[route] = now + error.retry_after

    def pause(self, error: ServiceError, route: str, tries: int, left: float) -> float | None:
        """How long to wait before the same is tried once more; None if it makes no sense."""
        if not error.retryable or tries >= MOST_TRIES or self._rests(route):
            return None
        jitter = random.uniform(0, BACKOFF * 2 ** (tries - 1))  # noqa: S311 -- no secret
        wait = max(jitter, error.retry_after or 0.0)
        if wait + _SHORTEST > left or self._retries < 1:
            return None
        self._retries -= 1
        return wait

    def _rests(self, route: str) -> bool:
        """Whether the service, or at least this route of it, failed too often in a row."""
        routes = set(self._failed)
        return len(self._failed) >= FAILURES and (route in routes or len(routes) > 1)
