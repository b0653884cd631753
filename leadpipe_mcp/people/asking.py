"""Asks a snapshot beside the event loop, for a limited time, and stops when nobody waits."""

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from anyio import to_thread

from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.people.snapshot import Snapshot

Answer = TypeVar("Answer")
Work = Callable[[sqlite3.Connection], Answer]

# Our own questions take about a second where there are 300,000 people.
OUR_SECONDS = 60.0
# More than SQLite takes on any machine: it ends a question even where a clock stands still.
_MOST_STEPS_PER_SECOND = 500_000_000
_STEPS_AT_ONCE = 2_000


async def answer(snapshot: Snapshot, work: Work[Answer], seconds: float = OUR_SECONDS) -> Answer:
    """What the work makes of a connection to the snapshot, in a thread of its own.

    If the caller is cancelled the work stops as well.

    Raises:
        NotPossible: If it takes longer than the seconds, or the snapshot has gone away.
    """
    nobody_waits = threading.Event()
    try:
        return await to_thread.run_sync(
            _answered, snapshot, work, seconds, nobody_waits, abandon_on_cancel=True
        )
    finally:
        nobody_waits.set()


def _answered(
    snapshot: Snapshot, work: Work[Answer], seconds: float, nobody_waits: threading.Event
) -> Answer:
    with snapshot.gone(), contextlib.closing(snapshot.connect()) as connection:
        deadline = time.monotonic() + seconds
        steps_left = int(seconds * _MOST_STEPS_PER_SECOND)

        def is_over() -> bool:
            nonlocal steps_left
            steps_left -= _STEPS_AT_ONCE
            return steps_left < 0 or nobody_waits.is_set() or time.monotonic() > deadline

        connection.set_progress_handler(is_over, _STEPS_AT_ONCE)
        try:
            return work(connection)
        except sqlite3.OperationalError:
            if not is_over():
                raise
            raise too_slow(seconds) from None


def too_slow(seconds: float) -> NotPossible:
    """The refusal of a question that was stopped."""
    return NotPossible(
        f"The question took longer than {seconds:g} seconds and was stopped.",
        "Ask for less: fewer joins, a narrower WHERE, or groupBy instead of sql.",
    )
