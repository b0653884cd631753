"""list_audiences, get_audience and run_audience."""

import uuid
from functools import partial

from pydantic import Field, JsonValue, model_validator

from leadpipe_mcp.api.budget import together
from leadpipe_mcp.api.models import Audience, Run, Status
from leadpipe_mcp.api.runs import MOST_RUNS
from leadpipe_mcp.errors import Conflict, NotFound, NotPossible, ServiceError
from leadpipe_mcp.text import clean, counted, listed
from leadpipe_mcp.toolkit import Arguments, Reply, tool
from leadpipe_mcp.tools import arguments, replies
from leadpipe_mcp.tools.arguments import LARGEST_PAGE, AudienceId, Named
from leadpipe_mcp.tools.replies import Table, cell, named, size_of, warnings
from leadpipe_mcp.tools.services import Call, if_shown

OLD_LIST = (
    "The people shown are from before the audience was last changed; the next run applies its"
    " current config."
)
_MOST_NAMED = 5


class ListAudiences(Arguments):
    status: Named[Status] | None = Field(default=None, description="Only those with this status.")
    name_contains: arguments.PartOfName = None
    limit: arguments.ListLength = 50


class AudienceList(Reply):
    audiences: Table | None = None


class GetAudience(Arguments):
    id: AudienceId = Field(description="The audience's id.")
    wait_seconds: arguments.WaitSeconds = 0
    fill_rates: bool = Field(
        default=False, description="Add the percentage of people with a phone, e-mail and so on."
    )
    date: arguments.Day = None
    run_id: arguments.RunId = None

    @model_validator(mode="after")
    def _newest_alone(self) -> "GetAudience":
        if self.wait_seconds and (self.run_id or self.date):
            raise NotPossible("waitSeconds waits for the newest run: leave date and runId out.")
        return self


class AudienceDetail(replies.AboutAudience):
    status: str
    size: int | None = None
    data_date: str | None = None
    config: dict[str, JsonValue] | None = Field(default=None, description="Who is in it.")
    topics: dict[str, str] | None = Field(default=None, description="Names of the topic ids.")
    run: replies.RunPart | None = None
    runs: Table | None = Field(default=None, description="The latest five runs.")
    fill_rates: dict[str, float] | None = Field(default=None, description="Percent, by field.")
    created_at: str | None = None
    last_refreshed_at: str | None = None


class RunAudience(Arguments):
    id: AudienceId = Field(description="The audience's id.")
    cancel_run_id: str | None = Field(
        default=None,
        max_length=120,
        description="Cancel this queued run instead; get_audience lists runs.",
    )


class RunOrdered(replies.AboutAudience):
    status: str
    run: replies.RunPart


@tool("List audiences", reads=True)
async def list_audiences(call: Call, asked: ListAudiences) -> AudienceList:
    """List the saved audiences (segments) with id, name, status, size and last refresh.

    Use it to find the id that other tools take. It costs nothing. A size that may predate the
    audience's last change is pointed out.
    """
    # Names are looked through here, because the service cannot.
    limit = LARGEST_PAGE if asked.name_contains else asked.limit
    found = await call.leadpipe.audiences.list(asked.status, limit)
    words = (asked.name_contains or "").casefold()
    matching = [audience for audience in found if words in audience.name.casefold()]
    shown, hidden = matching[: asked.limit], len(matching) - asked.limit
    kind = f"{asked.status} audience" if asked.status else "audience"
    called = f" with '{cell(words)}' in the name" if words else ""
    how = "; raise limit to see them" if limit < LARGEST_PAGE else ""
    rows = [
        [a.id, a.name, a.status, size_of(a), replies.day_of(a.last_refreshed_at)] for a in shown
    ]
    # Their size is from a refresh before the last change.
    in_doubt = [
        named(a)
        for a in shown
        if size_of(a) is not None and (a.updated_at or "") > (a.last_refreshed_at or "")
    ]
    few = replies.some(in_doubt, _MOST_NAMED) if len(in_doubt) > _MOST_NAMED else listed(in_doubt)
    size, they_were = ("size", "it was") if len(in_doubt) == 1 else ("sizes", "they were")
    doubt = (
        f"The {size} of {few} may be out of date: {they_were} changed (or only renamed or paused)"
        " after the last refresh; see get_audience."
    )
    return AudienceList(
        summary=f"{counted(len(matching), kind)}{called}.",
        audiences=replies.listing(["id", "name", "status", "size", "refreshed"], rows),
        warnings=warnings(
            f"{hidden} more not shown; raise limit to see them." if hidden > 0 else None,
            f"There may be more than the first {limit}{how}." if len(found) == limit else None,
            doubt if in_doubt else None,
        ),
    )


@tool("Show an audience", reads=True)
async def get_audience(call: Call, asked: GetAudience) -> AudienceDetail:
    """Show a saved audience: topics by name, scores, filters, status, size, latest five runs.

    With waitSeconds it waits until its people are ready and reports progress, which is useful after
    activating. To see people, use query_audience.
    """
    if asked.wait_seconds:
        await newest_run(call, asked.id, asked.wait_seconds)
    audience, (run, runs) = await together(
        partial(call.leadpipe.audiences.get, asked.id), partial(_runs, call, asked)
    )
    config, topics, fill_rates, age = await together(
        lambda: if_shown(_shown_config, call, audience),
        lambda: if_shown(_topic_names, call, audience),
        partial(_fill_rates, call, asked, run),
        partial(age_of_list, call, audience, run),
    )
    # The audience's own size is that of the newest run.
    size = None if asked.date or asked.run_id else size_of(audience)
    people = replies.run_sentence(run) if run else "The service does not show its runs."
    if asked.date and run and run.state == "none":
        people = f"It has no people for {asked.date}."
    return AudienceDetail.of(
        audience,
        f"{named(audience)} is {replies.state(audience.status)}. {people}",
        size=run.size if run and run.state == "ready" else size,
        data_date=run.data_date if run else None,
        config=config,
        topics=topics,
        run=replies.RunPart.of(run),
        runs=replies.listing(
            ["runId", "state", "dataDate", "size"],
            [
                [one.id, one.state, one.data_date, one.size if one.state == "ready" else None]
                for one in runs
            ],
        ),
        fill_rates=fill_rates,
        created_at=audience.created_at,
        last_refreshed_at=audience.last_refreshed_at,
        warnings=warnings(
            age,
            "The service does not show the fill rates of these people."
            if asked.fill_rates and fill_rates is None
            else None,
            "The service does not show this audience's config." if not audience.config else None,
            "Its config cannot be shown, because the service's filters could not be read just now."
            if audience.config and not config
            else None,
        ),
        next=replies.suggestions(
            replies.next_step(run, asked.id) if run else None,
            replies.to_activate(asked.id) if audience.status == "draft" else None,
        ),
    )


async def _runs(call: Call, asked: GetAudience) -> tuple[Run | None, tuple[Run, ...]]:
    runs, exports = call.leadpipe.runs, call.leadpipe.exports
    if asked.run_id or asked.date:
        return await together(
            partial(exports.run_of, asked.id, date=asked.date, run_id=asked.run_id),
            partial(runs.list, asked.id),
        )
    try:
        return await runs.overview(asked.id)
    except NotFound:
        return None, ()


async def _shown_config(call: Call, audience: Audience) -> dict[str, JsonValue] | None:
    if audience.config is None:
        return None
    return (await call.leadpipe.configs.as_saved(audience.config)).shown.written()


async def _topic_names(call: Call, audience: Audience) -> dict[str, str]:
    ids = audience.config.topic_ids if audience.config else ()
    topics = audience.topics or (await call.leadpipe.topic_names(ids) if ids else ())
    return {str(topic.id): clean(topic.name, replies.NAME_LENGTH) for topic in topics}


async def _fill_rates(call: Call, asked: GetAudience, run: Run | None) -> dict[str, float] | None:
    if run is None or not asked.fill_rates:
        return None
    return await call.leadpipe.exports.fill_rates(asked.id, run)


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
        if run.is_being_made:
            summary = f"A run of {named(audience)} is already {run.state}; none was added."
            return _ordered(audience, run, summary)
    try:
        run = await call.leadpipe.runs.queue(asked.id, uuid.uuid4().hex, before)
    except (NotPossible, ServiceError) as refused:
        # The audience exists, so a missing route means that runs go by date here.
        if isinstance(refused, ServiceError) and refused.status not in {404, 405}:
            raise
        problem = "This service makes one run a day on its own, and none can be ordered."
        if audience.status == "active":
            raise NotPossible(
                f"{problem} {named(audience)} is active, so its next run comes automatically.",
                "get_audience shows its latest run.",
            ) from None
        raise NotPossible(
            f"{problem} Only active audiences get them; {named(audience)} is"
            f" {replies.state(audience.status)}.",
            "Activate it with set_status.",
        ) from None
    sentence = f" {replies.run_sentence(run)}" if run.state == "ready" else ""
    return _ordered(audience, run, f"A run of {named(audience)} is {run.state}.{sentence}")


async def runs_of(call: Call, audience: Audience) -> tuple[Run, ...]:
    """Return the audience's latest runs; none if the service does not show them."""
    try:
        return await call.leadpipe.runs.list(audience.id, MOST_RUNS)
    except NotFound:
        return ()


def _ordered(audience: Audience, run: Run, summary: str) -> RunOrdered:
    steps = replies.suggestions(replies.next_step(run, audience.id))
    return RunOrdered.of(audience, summary, run=replies.RunPart.of(run), next=steps)


async def _cancel(call: Call, audience: Audience, run_id: str) -> RunOrdered:
    run = await call.leadpipe.exports.run_of(audience.id, run_id=run_id)
    if run.state == "cancelled":
        return _ordered(audience, run, "The run was already cancelled, so nothing was changed.")
    if run.state != "queued":
        is_what = {"running": "already running", "ready": "finished"}.get(run.state, run.state)
        raise Conflict(
            f"The run is {is_what}, and only queued runs can be cancelled, so nothing was changed.",
            "Let it finish." if run.state == "running" else "There is nothing left to cancel.",
        )
    await call.leadpipe.runs.cancel(audience.id, run_id)
    run = run.model_copy(update={"state": "cancelled"})
    return _ordered(audience, run, f"The queued run of {named(audience)} was cancelled.")


async def newest_run(call: Call, audience_id: str, seconds: int = 0) -> Run | None:
    """Wait for the audience's newest run; None if the service does not show it.

    A failure now does not hide what was confirmed before.
    """

    async def report(run: Run, waited: float) -> None:
        if seconds:
            await call.progress(waited, seconds, replies.run_sentence(run))

    return await if_shown(call.leadpipe.runs.wait, audience_id, seconds, report)


async def age_of_list(call: Call, audience: Audience, run: Run | None) -> str | None:
    """Warn if the people are from before the audience was last changed."""
    outdated = run and await if_shown(call.leadpipe.runs.is_outdated, audience, run)
    return OLD_LIST if outdated else None
