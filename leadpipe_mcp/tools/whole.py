"""Whole runs: everyone of one, fetched once, for the tools that look at all of them."""

from dataclasses import dataclass

from leadpipe_mcp.api.errand import note
from leadpipe_mcp.api.models import Run
from leadpipe_mcp.errors import FileFailed, NotPossible, ServiceError
from leadpipe_mcp.people.gathering import gather
from leadpipe_mcp.people.recent import Which
from leadpipe_mcp.people.snapshot import RunKey, Snapshot
from leadpipe_mcp.tools.replies import run_sentence
from leadpipe_mcp.tools.toolkit import Call


@dataclass(frozen=True)
class Whole:
    """Everyone of a run."""

    run: Run
    snapshot: Snapshot


async def whole_run(call: Call, which: Which) -> Whole:
    """Everyone of the run that is meant; it is fetched if it was not before.

    Raises:
        NotPossible: If it is not ready.
    """
    run = await ready_run(call, which)
    return Whole(run, await snapshot_of(call, which.audience_id, run))


async def ready_run(call: Call, which: Which) -> Run:
    """The finished run that is meant.

    Raises:
        NotPossible: If it is not ready.
    """
    services = call.services
    if run := services.recent.run(which):
        return run
    run = await call.leadpipe.exports.run_of(
        which.audience_id, date=which.date, run_id=which.run_id
    )
    if run.state != "ready":
        raise _not_ready(which, run)
    services.recent.note(which, run)
    return run


async def snapshot_of(call: Call, audience_id: str, run: Run) -> Snapshot:
    """Everyone of a finished run.

    The service's file is only the cheaper way to them: where it fails, the pages are the other.
    """

    async def report(done: int) -> None:
        total = run.size or 0
        await call.progress(done, max(total, done), f"{done:,} people fetched")

    async def fetched(*, from_file: bool) -> Snapshot:
        return await call.services.snapshots.of_run(
            RunKey.of(call.leadpipe.base_url, audience_id, run),
            lambda: gather(call.leadpipe.everyone, audience_id, run, from_file=from_file),
            run.size,
            report,
        )

    try:
        return await fetched(from_file=True)
    except FileFailed as failed:
        no_file = failed.problem
    try:
        snapshot = await fetched(from_file=False)
    except ServiceError as error:
        error.problem = f"{no_file} Page by page they did not come either: {error.problem}"
        raise
    note(f"{no_file} So the people were fetched page by page.")
    return snapshot


def _not_ready(which: Which, run: Run) -> NotPossible:
    if which.date and run.state == "none":
        return NotPossible(
            f"This audience has no people of {which.date}.",
            "Name another date; get_audience lists the latest runs with their days.",
        )
    advice = {
        "queued": "query_audience with waitSeconds waits for them.",
        "running": "query_audience with waitSeconds waits for them.",
        "none": "They come once the audience is active: set_status.",
    }
    again = "Name an earlier date, or have them put together again with run_audience."
    said = advice.get(run.state, again)
    return NotPossible(run_sentence(run), said)
