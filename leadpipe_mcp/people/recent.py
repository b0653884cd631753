"""Which run was meant a moment ago, so that a second question asks nothing of the service."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from leadpipe_mcp.api.models import Run

REMEMBERED_SECONDS = 300


@dataclass(frozen=True)
class Which:
    """Which run of an audience is meant: the named one, that of the date, or the newest."""

    audience_id: str
    date: str | None = None
    run_id: str | None = None


class RecentRuns:
    """The runs that were looked up in the last minutes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._runs: dict[Which, tuple[float, Run]] = {}

    def run(self, which: Which) -> Run | None:
        """The run, if it was looked up in the last five minutes."""
        found = self._runs.get(which)
        return found[1] if found and self._clock() - found[0] < REMEMBERED_SECONDS else None

    def note(self, which: Which, run: Run) -> None:
        """Nothing; the run is remembered."""
        self._runs[which] = (self._clock(), run)

    def forget(self) -> None:
        """Nothing; something was changed, and the newest run may be another one."""
        self._runs.clear()
