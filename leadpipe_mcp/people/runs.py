"""Everyone of a run, fetched once: from the service's file, or else page by page."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import BinaryIO

from anyio import to_thread

from leadpipe_mcp.api.budget import note
from leadpipe_mcp.api.exports import Exports
from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.models import Run
from leadpipe_mcp.errors import FileFailed, NotPossible, ServiceError
from leadpipe_mcp.people.columns import Batch, batch_of, completed
from leadpipe_mcp.people.csv_rows import read_people
from leadpipe_mcp.people.snapshot import Snapshot, Snapshots, run_key

REMEMBERED_SECONDS = 300

Progress = Callable[[float, float, str], Awaitable[None]]
"""Takes how many people were fetched, of how many, and a sentence about it."""

_NOT_READY = {
    "queued": "The people are still being put together.",
    "running": "The people are still being put together.",
    "none": "The people have not been put together yet.",
    "failed": "The last run failed.",
}
_ADVICE = {
    "queued": "query_audience with waitSeconds waits for them.",
    "running": "query_audience with waitSeconds waits for them.",
    "none": "Activate the audience with set_status first.",
}


@dataclass(frozen=True)
class RunRef:
    """The run of an audience that is meant: the named one, that of the date, or the newest."""

    audience_id: str
    date: str | None = None
    run_id: str | None = None


class LoadedRuns:
    """The runs whose people a server has fetched.

    A run that was looked up in the last five minutes is not looked up again, so a second question
    about the same people sends no request.
    """

    def __init__(self, snapshots: Snapshots, clock: Callable[[], float] = time.monotonic) -> None:
        self._snapshots = snapshots
        self._clock = clock
        self._recent: dict[RunRef, tuple[float, Run]] = {}

    async def load(
        self, leadpipe: LeadpipeClient, ref: RunRef, progress: Progress
    ) -> tuple[Run, Snapshot]:
        """Return the run that is meant with everyone in it, fetching them the first time."""
        looked_up, run = self._recent.get(ref, (0.0, None))
        if run is None or self._clock() - looked_up >= REMEMBERED_SECONDS:
            run = await leadpipe.exports.run_of(ref.audience_id, date=ref.date, run_id=ref.run_id)
            if ref.date and run.state == "none":
                raise NotPossible(
                    f"This audience has no people for {ref.date}.",
                    "Pass another date; get_audience lists the latest runs with their days.",
                )
            if run.state != "ready":
                other = "Pass an earlier date, or start another run with run_audience."
                raise NotPossible(why_not_ready(run), _ADVICE.get(run.state, other))
            self._recent[ref] = (self._clock(), run)
        return run, await self.people(leadpipe, ref.audience_id, run, progress)

    async def people(
        self, leadpipe: LeadpipeClient, audience_id: str, run: Run, progress: Progress
    ) -> Snapshot:
        """Return everyone of a finished run.

        The service's file is only the cheaper way: where it fails, the pages are the other.
        """
        key = run_key(leadpipe.base_url, audience_id, run)

        async def report(done: int) -> None:
            await progress(done, max(run.size or 0, done), f"{done:,} people fetched")

        async def fetch(*, from_file: bool) -> Snapshot:
            return await self._snapshots.of_run(
                key,
                lambda: gather(leadpipe.exports, audience_id, run, from_file=from_file),
                run.size,
                report,
            )

        try:
            return await fetch(from_file=True)
        except FileFailed as failed:
            no_file = failed.problem
        try:
            snapshot = await fetch(from_file=False)
        except ServiceError as error:
            error.add_note(f"Fetching the file failed before that: {no_file}")
            raise
        note(f"{no_file} So the people were fetched page by page.")
        return snapshot

    def forget(self) -> None:
        """Forget which runs were looked up: after a change, another run may be the newest."""
        self._recent.clear()

    def close(self) -> None:
        """Remove the people that are kept only while the server runs."""
        self._snapshots.close()


def why_not_ready(run: Run) -> str:
    """Say why the people of a run cannot be read."""
    return _NOT_READY.get(run.state, "The last run was cancelled.")


@asynccontextmanager
async def gather(
    exports: Exports, audience_id: str, run: Run, *, from_file: bool = True
) -> AsyncGenerator[AsyncIterator[Batch]]:
    """Give the people of a finished run in batches.

    Raises:
        FileFailed: If the service's file does not come whole; try without `from_file` then.
        LeadpipeError: If the pages do not come whole.
    """
    wanted = exports.file(audience_id, run) if from_file else nullcontext()
    async with wanted as file:
        found = _of_file(file) if file else _of_pages(exports, audience_id, run)
        async with aclosing(found) as batches:
            yield batches


async def _of_file(file: BinaryIO) -> AsyncGenerator[Batch]:
    batches = read_people(file)
    while batch := await to_thread.run_sync(next, batches, None):
        yield batch


async def _of_pages(exports: Exports, audience_id: str, run: Run) -> AsyncGenerator[Batch]:
    async with aclosing(exports.pages(audience_id, run)) as pages:
        async for page in pages:
            yield batch_of([completed(person) for person in page.people])
