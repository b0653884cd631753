"""Snapshots of invented people, made as the server makes them."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from itertools import count

import pytest

from leadpipe_mcp.people.columns import Batch, batch_of
from leadpipe_mcp.people.snapshot import Snapshot, Snapshots

Row = Mapping[str, object]
Kept = Callable[..., Awaitable[Snapshot]]


ADA = ("Ada King", 91, "ada@acme.example", "https://linkedin.com/in/ada")


def many(number: int) -> Iterator[tuple[object, ...]]:
    """People with a name, a score, an address and a profile."""
    for person in range(number):
        yield (f"Ada {person}", person, f"ada{person}@acme.example", f"linkedin.com/in/a{person}")


@pytest.fixture
def snapshots() -> Iterator[Snapshots]:
    """Those of a server without a folder of its own."""
    snapshots = Snapshots(None)
    yield snapshots
    snapshots.close()


@pytest.fixture
def kept(snapshots: Snapshots) -> Kept:
    """Keeps rows as the people of a run, each time of another one."""
    numbers = count(1)

    async def kept(rows: Sequence[Row], expected: int | None = None) -> Snapshot:
        async def batches() -> AsyncGenerator[Batch]:
            yield batch_of(rows)

        async def report(_: int) -> None:
            pass

        key = f"{next(numbers):032x}"
        return await snapshots.of_run(key, lambda: aclosing(batches()), expected, report)

    return kept
