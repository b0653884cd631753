"""Tools about the making of an audience's people: order it, cancel it, take everyone away."""

import uuid
from typing import Literal

from pydantic import Field, model_validator

from leadpipe_mcp.api.exports import MOST_RUNS, Export
from leadpipe_mcp.api.models import Audience, Run
from leadpipe_mcp.errors import Conflict, NotFound, NotPossible, RequestRefused, ServiceError
from leadpipe_mcp.text import clean, counted
from leadpipe_mcp.tools.activation import next_step, to_activate
from leadpipe_mcp.tools.arguments import AudienceId, ConfirmCode, Date, Named
from leadpipe_mcp.tools.confirm import Action
from leadpipe_mcp.tools.replies import (
    LONGEST_NAME,
    RunPart,
    day,
    name_of,
    named,
    people,
    run_sentence,
    suggestions,
    to_wait,
    warnings,
)
from leadpipe_mcp.tools.toolkit import (
    Arguments,
    Call,
    ConfirmableReply,
    Reply,
    Suggestion,
    tool,
)

# How long a call waits for the file; asking again goes on with the same one.
FILE_SECONDS = 40

ANYONE = "Whoever has the link can read everyone's addresses; give it to the user only."
ONLY_HERE = "The sandbox runs inside this server, so the link cannot be opened."

_BUILDING = ("queued", "running")


class RunAudience(Arguments):
    """Which audience, and whether a run is ordered or cancelled."""

    id: AudienceId = Field(description="The audience's id.")
    cancel_run_id: str | None = Field(
        default=None,
        max_length=120,
        description="Cancel this run instead, which must still be queued; get_audience lists runs.",
    )


class RunOrdered(Reply):
    """What became of a run."""

    id: str
    name: str
    status: str
    run: RunPart


@tool("Run an audience now")
async def run_audience(call: Call, asked: RunAudience) -> RunOrdered:
    """Refresh a saved audience now: queue a run that puts its people together anew.

    Use it after a change, or when today's data is wanted before the daily refresh. A run that is
    queued or running already is named, and no second one is queued. With cancelRunId it cancels a
    queued run instead. It takes no slot; to have the refresh every day, use set_status.
    """
    audience = await call.leadpipe.audiences.get(asked.id)
    if asked.cancel_run_id:
        return await _cancel(call, audience, asked.cancel_run_id)
    for run in await _runs_of(call, audience):
        if run.state in _BUILDING:
            return _ordered(
                audience, run, f"A run of {named(audience)} is {run.state} already; none was added."
            )
    try:
        run = await call.leadpipe.runs.queue(asked.id, uuid.uuid4().hex)
    except NotPossible:
        raise _by_date(audience) from None
    except ServiceError as refused:
        # The audience is there, so it is the route that is not: as where runs go by date.
        if refused.status in {404, 405}:
            raise _by_date(audience) from None
        raise
    sentence = f" {run_sentence(run)}" if run.state == "ready" else ""
    return _ordered(audience, run, f"A run of {named(audience)} is {run.state}.{sentence}")


async def _runs_of(call: Call, audience: Audience) -> tuple[Run, ...]:
    """The audience's latest runs; none where the service does not show them."""
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
    problem = "The service makes runs by itself here, one a day, and takes no orders for them."
    if audience.status == "active":
        return NotPossible(
            f"{problem} {named(audience)} is active, so its next one comes without asking.",
            "get_audience shows its latest run.",
        )
    return NotPossible(
        f"{problem} It makes them for active audiences; {named(audience)} is {audience.status}.",
        "Activate it with set_status.",
    )


async def _cancel(call: Call, audience: Audience, run_id: str) -> RunOrdered:
    run = await call.leadpipe.exports.run_of(audience.id, run_id=run_id)
    if run.state == "cancelled":
        return _ordered(audience, run, "The run was cancelled already; nothing was changed.")
    if run.state != "queued":
        raise _too_late(run)
    try:
        await call.leadpipe.runs.cancel(audience.id, run_id)
    except (Conflict, RequestRefused) as refused:
        run = await call.leadpipe.exports.run_of(audience.id, run_id=run_id)
        # With which status the service says that it is too late is not documented.
        if run.state == "queued":
            raise
        raise _too_late(run, refused) from None
    cancelled = run.model_copy(update={"state": "cancelled"})
    return _ordered(audience, cancelled, f"The queued run of {named(audience)} is cancelled.")


def _too_late(run: Run, refused: ServiceError | None = None) -> Conflict:
    is_what = {"running": "running already", "ready": "finished"}.get(run.state, run.state)
    return Conflict(
        f"The run is {is_what}, and only queued runs can be cancelled; nothing was changed.",
        "Let it finish." if run.state == "running" else "There is nothing left to cancel.",
        status=refused.status if refused else None,
    )


class ExportAudience(Arguments):
    """Whose people, and of which run."""

    id: AudienceId = Field(description="The audience's id.")
    format: Named[Literal["url"]] = Field(
        default="url", description="url: a link to the service's own CSV file."
    )
    date: Date | None = Field(
        default=None, description="People as of this day (YYYY-MM-DD), not the latest."
    )
    run_id: str | None = Field(
        default=None, max_length=120, description="People of this run; get_audience lists runs."
    )
    confirm: ConfirmCode = None

    @model_validator(mode="after")
    def _one_run(self) -> "ExportAudience":
        if self.run_id and self.date:
            raise NotPossible("Name a date or a runId, not both.")
        return self


class AudienceExported(ConfirmableReply):
    """Where everyone of an audience can be had."""

    id: str | None = None
    name: str | None = None
    size: int | None = Field(default=None, description="How many people are in the file.")
    data_date: str | None = None
    run: RunPart | None = None
    url: str | None = Field(default=None, description="Where the CSV is; pass it on as it is.")
    file_name: str | None = None
    expires_at: str | None = None
    expires_in: str | None = Field(default=None, description="How long the link works.")


@tool("Export an audience", idempotent=True)
async def export_audience(call: Call, asked: ExportAudience) -> AudienceExported:
    """Export everyone of a saved audience (the lead list) as a link to a CSV file.

    All fields are in it, e-mail addresses and phone numbers unmasked, so the user is asked first.
    The link needs no key and works for a limited time. To look at a few people, use
    query_audience.
    """
    if not call.shows_contact:
        raise NotPossible(
            "This server lets no unmasked e-mail addresses and phone numbers out"
            " (LEADPIPE_CONTACT=mask), and the file has them.",
            "query_audience shows the people with masked ones.",
        )
    audience = await call.leadpipe.audiences.get(asked.id)
    run = await call.leadpipe.exports.run_of(asked.id, date=asked.date, run_id=asked.run_id)
    if run.state != "ready":
        return await _not_ready(call, asked, audience, run)
    await call.confirm(_letting_out(audience, run), asked.confirm)

    async def report(waited: float) -> None:
        await call.progress(waited, FILE_SECONDS, "The file is being written.")

    export = await call.leadpipe.exports.link(asked.id, run, FILE_SECONDS, report)
    return _exported(call, audience, run, export)


def _letting_out(audience: Audience, run: Run) -> Action:
    question = (
        f"Export {named(audience)} ({people(run.size)}, data of {day(run.data_date)}) as a link to"
        " a CSV file? E-mail addresses and phone numbers go out unmasked, to whoever has the link."
    )
    return Action("export url", question, [audience.id, run.id, run.data_date, run.size])


def _exported(call: Call, audience: Audience, run: Run, export: Export) -> AudienceExported:
    size = run.size if export.rows is None else export.rows
    reply = AudienceExported(
        summary=f"The file of {named(audience)} is still being written.",
        id=audience.id,
        name=name_of(audience),
        size=size,
        data_date=export.data_date,
        next=[Suggestion(tool="export_audience", why="the same call again, in a minute")],
    )
    if export.url is None:
        return reply
    until = _until(export)
    other = run.size is not None and size != run.size
    return reply.model_copy(
        update={
            "summary": f"A link to the CSV of {named(audience)}: {people(size)}, unmasked, data of"
            f" {day(export.data_date)}.{until}",
            "url": export.url,
            "file_name": clean(export.file_name, LONGEST_NAME) if export.file_name else None,
            "expires_at": clean(export.expires_at, 40) if export.expires_at else None,
            "expires_in": clean(export.expires_in, 40) if export.expires_in else None,
            "warnings": warnings(
                [ANYONE],
                [f"The run found {counted(run.size or 0, 'person', 'people')}, not {size:,}."]
                if other
                else None,
                [ONLY_HERE] if call.services.settings.sandbox else None,
            ),
            "next": None,
        }
    )


def _until(export: Export) -> str:
    if export.expires_at:
        return f" It works until {clean(export.expires_at, 40)}."
    if export.expires_in:
        return f" It works for {clean(export.expires_in, 40)}."
    return " The service does not say how long it works."


async def _not_ready(
    call: Call, asked: ExportAudience, audience: Audience, run: Run
) -> AudienceExported:
    """What there is instead of a file: how to wait, or which earlier people there are."""
    runs = await _runs_of(call, audience)
    earlier = next((other for other in runs if other.state == "ready"), None)
    other_day = asked.date and run.state == "none"
    return AudienceExported(
        summary=f"There are no people of {asked.date} to export."
        if other_day
        else f"{run_sentence(run)} There is nothing to export yet.",
        id=audience.id,
        name=name_of(audience),
        run=RunPart.of(run),
        next=suggestions(
            None if other_day and earlier else _way_to_people(call, audience, run),
            _export_of(audience, earlier) if earlier else None,
        ),
    )


def _way_to_people(call: Call, audience: Audience, run: Run) -> Suggestion:
    if run.state in _BUILDING:
        return to_wait(audience.id)
    if run.state == "none" and audience.status != "active":
        return to_activate(audience.id)
    if call.leadpipe.profile.runs == "dated":
        why = "its next run comes with the daily refresh"
        return Suggestion(tool="get_audience", arguments={"id": audience.id}, why=why)
    return Suggestion(
        tool="run_audience", arguments={"id": audience.id}, why="have its people put together now"
    )


def _export_of(audience: Audience, run: Run) -> Suggestion:
    which = {"runId": run.id} if run.id else {"date": run.data_date}
    return Suggestion(
        tool="export_audience",
        arguments={"id": audience.id, **which},
        why=f"the people of {day(run.data_date)} instead",
    )


TOOLS = (run_audience, export_audience)
