"""list_audiences and get_audience."""

from collections.abc import Sequence
from functools import partial

from pydantic import Field, JsonValue, model_validator

from leadpipe_mcp.api.budget import together
from leadpipe_mcp.api.models import Audience, Run, Status
from leadpipe_mcp.errors import NotFound, NotPossible, ServiceError
from leadpipe_mcp.text import clean, counted, listed
from leadpipe_mcp.toolkit import Arguments, Reply, tool
from leadpipe_mcp.tools.arguments import AudienceId, Date, Named, StrictInt
from leadpipe_mcp.tools.lifecycle import MAX_WAIT, age_of_list, newest_run, next_step, to_activate
from leadpipe_mcp.tools.replies import (
    NAME_LENGTH,
    Cell,
    RunPart,
    Table,
    cell,
    name_of,
    named,
    run_sentence,
    size_of,
    state,
    suggestions,
    table_of,
    warnings,
)
from leadpipe_mcp.tools.services import Call

MOST_AUDIENCES = 100
_NO_CONFIG = "The service does not show this audience's config."
_NO_FILTERS = (
    "Its config cannot be shown, because the service's filters could not be read just now."
)
_NO_RATES = "The service does not show the fill rates of these people."
MOST_NAMED = 5


class ListAudiences(Arguments):
    """Which audiences."""

    status: Named[Status] | None = Field(default=None, description="Only those with this status.")
    name_contains: str | None = Field(
        default=None, max_length=255, description="Only those with these words in their name."
    )
    limit: StrictInt = Field(
        default=50, ge=1, le=MOST_AUDIENCES, description="Maximum number to return (1-100)."
    )


class AudienceList(Reply):
    """Saved audiences."""

    audiences: Table | None = None


@tool("List audiences", reads=True)
async def list_audiences(call: Call, asked: ListAudiences) -> AudienceList:
    """List the saved audiences (segments) with id, name, status, size and last refresh.

    Use it to find the id that other tools take. It costs nothing. A size that may predate the
    audience's last change is pointed out.
    """
    # Names are looked through here, because the service cannot.
    limit = MOST_AUDIENCES if asked.name_contains else asked.limit
    found = await call.leadpipe.audiences.list(asked.status, limit)
    words = (asked.name_contains or "").casefold()
    matching = [audience for audience in found if words in audience.name.casefold()]
    shown = matching[: asked.limit]
    rows: list[list[Cell]] = [
        [
            audience.id,
            clean(audience.name, NAME_LENGTH),
            audience.status,
            cell(size_of(audience)),
            (audience.last_refreshed_at or "")[:10],
        ]
        for audience in shown
    ]
    kind = f"{asked.status} audience" if asked.status else "audience"
    named_so = f" with '{clean(words, NAME_LENGTH)}' in the name" if words else ""
    how = "; raise limit to see them" if limit < MOST_AUDIENCES else ""
    hidden = len(matching) - len(shown)
    return AudienceList(
        summary=f"{counted(len(matching), kind)}{named_so}.",
        audiences=table_of(["id", "name", "status", "size", "refreshed"], rows),
        warnings=warnings(
            [f"{hidden} more not shown; raise limit to see them."] if hidden else None,
            [f"There may be more than the first {limit}{how}."] if len(found) == limit else None,
            _sizes_in_doubt(shown),
        ),
    )


def _sizes_in_doubt(audiences: Sequence[Audience]) -> list[str]:
    """Name the audiences that were changed after the refresh that their size is from."""
    names = [
        named(audience)
        for audience in audiences
        if size_of(audience) is not None
        and (audience.updated_at or "") > (audience.last_refreshed_at or "")
    ]
    if not names:
        return []
    more = len(names) - MOST_NAMED
    shown = f"{', '.join(names[:MOST_NAMED])} and {more} more" if more > 0 else listed(names)
    if len(names) == 1:
        what = f"The size of {shown} may be out of date: it was"
    else:
        what = f"The sizes of {shown} may be out of date: they were"
    return [f"{what} changed (or only renamed or paused) after the last refresh; see get_audience."]


class GetAudience(Arguments):
    """Which audience, and how long to wait for it."""

    id: AudienceId = Field(description="The audience's id.")
    wait_seconds: StrictInt = Field(
        default=0,
        ge=0,
        le=MAX_WAIT,
        description="Seconds to wait for its people (0-300).",
    )
    fill_rates: bool = Field(
        default=False,
        description="Also show the percentage of people with a phone, e-mail and so on.",
    )
    date: Date | None = Field(
        default=None, description="Show this day's run (YYYY-MM-DD), not the newest."
    )
    run_id: str | None = Field(
        default=None, max_length=120, description="Show this run, not the newest."
    )

    @model_validator(mode="after")
    def _one_run(self) -> "GetAudience":
        if self.run_id and self.date:
            raise NotPossible("Name a date or a runId, not both.")
        if self.wait_seconds and (self.run_id or self.date):
            raise NotPossible("waitSeconds waits for the newest run: leave date and runId out.")
        return self


class AudienceDetail(Reply):
    """One saved audience."""

    id: str
    name: str
    status: str
    size: int | None = Field(default=None, description="How many people.")
    data_date: str | None = None
    config: dict[str, JsonValue] | None = Field(default=None, description="Who is in it.")
    topics: dict[str, str] | None = Field(default=None, description="Names of the topic ids.")
    run: RunPart | None = Field(default=None, description="The newest run, or the one named.")
    runs: Table | None = Field(default=None, description="The latest five runs.")
    fill_rates: dict[str, float] | None = Field(default=None, description="Percent, by field.")
    created_at: str | None = None
    last_refreshed_at: str | None = None


@tool("Show an audience", reads=True)
async def get_audience(call: Call, asked: GetAudience) -> AudienceDetail:
    """Show a saved audience: topics by name, scores, filters, status, size, latest five runs.

    With waitSeconds it waits until its people are ready and reports progress, which is useful after
    activating. To see people, use query_audience.
    """
    if asked.wait_seconds:
        await newest_run(call, asked.id, asked.wait_seconds)
    audience, (run, runs) = await together(
        partial(call.leadpipe.audiences.get, asked.id), partial(_runs_of, call, asked)
    )
    config, topics, fill_rates, age = await together(
        partial(_shown_config, call, audience),
        partial(_topic_names, call, audience),
        partial(_fill_rates, call, asked, run),
        partial(age_of_list, call, audience, run),
    )
    return AudienceDetail(
        summary=f"{named(audience)} is {state(audience.status)}. {_people_sentence(asked, run)}",
        id=audience.id,
        name=name_of(audience),
        status=audience.status,
        size=_size(asked, audience, run),
        data_date=run.data_date if run else None,
        config=config,
        topics=topics,
        run=RunPart.of(run) if run else None,
        runs=_runs_table(runs),
        fill_rates=fill_rates,
        created_at=audience.created_at,
        last_refreshed_at=audience.last_refreshed_at,
        warnings=warnings(
            age,
            [_NO_RATES] if asked.fill_rates and fill_rates is None else None,
            None if config else [_NO_CONFIG if audience.config is None else _NO_FILTERS],
        ),
        next=suggestions(
            next_step(run, asked.id) if run else None,
            to_activate(asked.id) if audience.status == "draft" else None,
        ),
    )


async def _shown_config(call: Call, audience: Audience) -> dict[str, JsonValue] | None:
    """Return the config as every tool takes it; None if the service does not show enough."""
    if audience.config is None:
        return None
    try:
        return (await call.leadpipe.configs.as_saved(audience.config)).shown.as_shown()
    except ServiceError:
        return None


async def _runs_of(call: Call, asked: GetAudience) -> tuple[Run | None, tuple[Run, ...]]:
    """Return the run that was named, else the newest, and the latest few."""
    runs = call.leadpipe.runs
    try:
        if asked.run_id or asked.date:
            return await together(
                partial(
                    call.leadpipe.exports.run_of, asked.id, date=asked.date, run_id=asked.run_id
                ),
                partial(runs.list, asked.id),
            )
        return await runs.overview(asked.id)
    except NotFound:
        if asked.run_id or asked.date:
            raise
        return None, ()


def _people_sentence(asked: GetAudience, run: Run | None) -> str:
    if run is None:
        return "The service does not show its runs."
    if asked.date and run.state == "none":
        return f"It has no people for {asked.date}."
    return run_sentence(run)


def _size(asked: GetAudience, audience: Audience, run: Run | None) -> int | None:
    """Return how many people the run has; the audience's own size is that of the newest."""
    if run and run.state == "ready":
        return run.size
    return None if asked.date or asked.run_id else size_of(audience)


async def _fill_rates(call: Call, asked: GetAudience, run: Run | None) -> dict[str, float] | None:
    if run is None or not asked.fill_rates:
        return None
    rates = await call.leadpipe.exports.fill_rates(asked.id, run)
    return rates.percent if rates else None


async def _topic_names(call: Call, audience: Audience) -> dict[str, str] | None:
    known = {str(topic.id): topic.name for topic in audience.topics}
    ids = audience.config.topic_ids if audience.config else ()
    if not known and ids:
        try:
            found = await call.leadpipe.topic_names(ids)
        except ServiceError:
            return None
        known = {str(topic.id): topic.name for topic in found}
    return {topic: clean(name, NAME_LENGTH) for topic, name in known.items()} or None


def _runs_table(runs: Sequence[Run]) -> Table | None:
    # Where runs go by date, they have no ids.
    numbered = any(run.id for run in runs)
    rows: list[list[Cell]] = [
        [
            *([run.id or ""] if numbered else []),
            run.state,
            run.data_date or "",
            cell(run.size if run.state == "ready" else None),
        ]
        for run in runs
    ]
    columns = [*(["runId"] if numbered else []), "state", "dataDate", "size"]
    return table_of(columns, rows)
