"""run_audience: queue a run, or cancel one."""

import uuid

from pydantic import Field

from leadpipe_mcp.api.models import Audience, Run
from leadpipe_mcp.api.runs import MOST_RUNS
from leadpipe_mcp.errors import Conflict, NotFound, NotPossible, RequestRefused, ServiceError
from leadpipe_mcp.toolkit import Arguments, Reply, tool
from leadpipe_mcp.tools.arguments import AudienceId
from leadpipe_mcp.tools.lifecycle import next_step
from leadpipe_mcp.tools.replies import (
    RunPart,
    name_of,
    named,
    run_sentence,
    state,
    suggestions,
)
from leadpipe_mcp.tools.services import Call

BUILDING = ("queued", "running")


class RunAudience(Arguments):
    """Which audience, and which run to cancel instead of queuing one."""

    id: AudienceId = Field(description="The audience's id.")
    cancel_run_id: str | None = Field(
        default=None,
        max_length=120,
        description="Cancel this queued run instead; get_audience lists runs.",
    )


class RunOrdered(Reply):
    """A run that was queued or cancelled."""

    id: str
    name: str
    status: str
    run: RunPart


@tool("Run an audience now")
async def run_audience(call: Call, asked: RunAudience) -> RunOrdered:
    """Refresh a saved audience now: queue a run that puts its people together again.

    Use it after a change, or to get today's data before the daily refresh. If a run is already
    queued or running, it is named and no second one is queued. With cancelRunId it cancels a queued
    run instead. It takes no slot; for a daily refresh, use set_status.
    """
    audience = await call.leadpipe.audiences.get(asked.id)
    if asked.cancel_run_id:
        return await _cancel(call, audience, asked.cancel_run_id)
    before = await runs_of(call, audience)
    for run in before:
        if run.state in BUILDING:
            return _ordered(
                audience, run, f"A run of {named(audience)} is already {run.state}; none was added."
            )
    try:
        run = await call.leadpipe.runs.queue(asked.id, uuid.uuid4().hex, before)
    except NotPossible:
        raise _by_date(audience) from None
    except ServiceError as refused:
        # The audience exists, so the route does not: runs go by date here.
        if refused.status in {404, 405}:
            raise _by_date(audience) from None
        raise
    sentence = f" {run_sentence(run)}" if run.state == "ready" else ""
    return _ordered(audience, run, f"A run of {named(audience)} is {run.state}.{sentence}")


async def runs_of(call: Call, audience: Audience) -> tuple[Run, ...]:
    """Return the audience's latest runs; none if the service does not show them."""
    try:
        return await call.leadpipe.runs.list(audience.id, MOST_RUNS)
    except NotFound:
        return ()


def _ordered(audience: Audience, run: Run, summary: str) -> RunOrdered:
    return RunOrdered(
        summary=summary,
        id=audience.id,
        name=name_of(audience),
        status=audience.status,
        run=RunPart.of(run),
        next=suggestions(next_step(run, audience.id)),
    )


def _by_date(audience: Audience) -> NotPossible:
    problem = "This service makes one run a day on its own, and none can be ordered."
    if audience.status == "active":
        return NotPossible(
            f"{problem} {named(audience)} is active, so its next run comes automatically.",
            "get_audience shows its latest run.",
        )
    return NotPossible(
        f"{problem} Only active audiences get them; {named(audience)} is {state(audience.status)}.",
        "Activate it with set_status.",
    )


async def _cancel(call: Call, audience: Audience, run_id: str) -> RunOrdered:
    run = await call.leadpipe.exports.run_of(audience.id, run_id=run_id)
    if run.state == "cancelled":
        return _ordered(audience, run, "The run was already cancelled, so nothing was changed.")
    if run.state != "queued":
        raise _too_late(run)
    try:
        await call.leadpipe.runs.cancel(audience.id, run_id)
    except (Conflict, RequestRefused) as refused:
        run = await call.leadpipe.exports.run_of(audience.id, run_id=run_id)
        # Which status means that it is too late is not documented.
        if run.state == "queued":
            raise
        raise _too_late(run, refused) from None
    cancelled = run.model_copy(update={"state": "cancelled"})
    return _ordered(audience, cancelled, f"The queued run of {named(audience)} was cancelled.")


def _too_late(run: Run, refused: ServiceError | None = None) -> Conflict:
    is_what = {"running": "already running", "ready": "finished"}.get(run.state, run.state)
    return Conflict(
        f"The run is {is_what}, and only queued runs can be cancelled, so nothing was changed.",
        "Let it finish." if run.state == "running" else "There is nothing left to cancel.",
        status=refused.status if refused else None,
    )
