"""The health of a service: whether to ask it now, and whether to ask it again.

Three things keep a service that is in trouble from being hammered. Each retry is paid for from a
budget that only successes fill. After six failures in a row nothing is sent for some seconds, and
then one request tries whether it is back; where all six were of one route, only this route rests.
And a route that asked for a pause gets it.
"""

import random
from typing import Literal

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

Admission = Literal["usual", "trial"]


class Health:
    """How one service has been doing."""

    def __init__(self) -> None:
        self._retries = MOST_RETRIES
        self._failed: list[str] = []
        self._last = ("", "")
        self._rest = FIRST_REST
        self._resting_until = 0.0
        self._pauses: dict[str, float] = {}

        self.has_answered = False
        """Whether the service has ever answered as it should."""

    @property
    def is_well(self) -> bool:
        """Whether the service answered when it was asked last."""
        return not self._failed

    def admit(self, route: str) -> Admission:
        """Whether a request may go out, and whether it is the one that tries if all is well again.

        Raises:
            Unreachable: If the service failed too often just now.
        """
        if not self._rests(route):
            return "usual"
        now = anyio.current_time()
        wait = self._resting_until - now
        if wait > 0:
            raise _left_alone(len(self._failed), max(wait, _SHORTEST), *self._last)
        self._resting_until = now + self._rest
        return "trial"

    def wait_for(self, route: str) -> float:
        """How many seconds this route has asked to be left alone."""
        return max(0.0, self._pauses.get(route, 0.0) - anyio.current_time())

    def answered(self) -> None:
        """Take note that the service does answer."""
        self.has_answered = True
        self._failed.clear()
        self._rest = FIRST_REST
        self._retries = min(MOST_RETRIES, self._retries + EARNED)

    def failed(self, error: ServiceError, route: str, admission: Admission) -> None:
        """Take note of what the failure shows of the service."""
        if isinstance(error, Misconfigured):
            return
        if not isinstance(error, Unreachable | ServiceDown):
            self._failed.clear()
        else:
            self._failed.append(route)
            # Only its words: an error that is kept holds all that led to it.
            self._last = (error.problem, error.check if isinstance(error, Unreachable) else "")
            if admission == "trial":
                self._rest = min(LONGEST_REST, self._rest * 2)
            if admission == "trial" or len(self._failed) == FAILURES:
                self._resting_until = anyio.current_time() + self._rest
        if isinstance(error, TooManyRequests) and error.retry_after:
            now = anyio.current_time()
            self._pauses = {route: end for route, end in self._pauses.items() if end > now}
            self._pauses[route] = now + error.retry_after

    def pause(self, error: ServiceError, route: str, tries: int, left: float) -> float | None:
        """How long to wait before the same is asked again; None if it makes no sense.

        Args:
            error: Why it failed.
            route: What was asked.
            tries: How often it was tried so far.
            left: How many seconds there are.
        """
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


def _left_alone(failures: int, wait: float, last: str, check: str) -> Unreachable:
    """The error for a service that failed too often in a row to be asked now.

    Args:
        failures: How often it failed.
        wait: After how many seconds the next try makes sense.
        last: The problem of the last failure.
        check: What to check if it goes on failing.
    """
    more = f"; if that fails too, {check}" if check else ""
    return Unreachable(
        f"{SERVICE} failed {failures} times in a row, so nothing was sent."
        f" The last failure: {last}",
        f"The next try makes sense in {wait:.0f} seconds{more}.",
        how="not sent",
    )
