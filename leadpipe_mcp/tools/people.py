"""query_audience: people in an audience, page by page."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

from pydantic import Field, JsonValue, TypeAdapter, model_validator

from leadpipe_mcp.api.models import DEFAULT_SCORE, Audience, AudienceConfig, PeoplePage, Run
from leadpipe_mcp.api.runs import wait_until_made
from leadpipe_mcp.api.spelling import SpelledConfig
from leadpipe_mcp.api.together import together
from leadpipe_mcp.errors import NotFound, NotPossible, ServiceError
from leadpipe_mcp.people.columns import Column, choose_columns
from leadpipe_mcp.people.privacy import table
from leadpipe_mcp.text import listed
from leadpipe_mcp.toolkit import (
    Arguments,
    Reply,
    Suggestion,
    read_cursor,
    subject_of,
    tool,
    write_cursor,
)
from leadpipe_mcp.tools.arguments import (
    AudienceId,
    Date,
    ManyOf,
    Named,
    Overlap,
    Score,
    StrictInt,
    TopicIds,
    WebAddress,
    twice_named,
)
from leadpipe_mcp.tools.configs import (
    EXCLUDE,
    FILTERS,
    MAX_SCORE,
    Exclusions,
    Filters,
    check_config,
    spell,
)
from leadpipe_mcp.tools.lifecycle import MAX_WAIT, age_of_list, to_activate
from leadpipe_mcp.tools.replies import (
    RunPart,
    Table,
    day,
    fitting,
    matches,
    people,
    run_sentence,
    table_of,
    third_party_warning,
    warnings,
)
from leadpipe_mcp.tools.services import Call

LARGEST_PAGE = 100

SAMPLE_ONLY = (
    "This is a sample from the preview, with few fields: the service shows everyone only for saved"
    " audiences."
)

_CONFIG = ("min_score", "max_score", "min_topic_overlap", "filters", "exclude", "source_url")


class QueryAudience(Arguments):
    """Which audience, which fields, and how many people."""

    audience_id: AudienceId | None = Field(default=None, description="A saved audience.")
    topic_ids: TopicIds | None = Field(
        default=None, description="Topic ids, instead of audienceId."
    )
    min_score: Score | None = Field(
        default=None, description="Lowest intent score (0-100); default 70."
    )
    max_score: Score | None = Field(default=None, description=MAX_SCORE)
    min_topic_overlap: Overlap | None = Field(
        default=None, description="Minimum number of topics a person must research."
    )
    filters: Filters | None = Field(default=None, description=FILTERS)
    exclude: Exclusions | None = Field(default=None, description=EXCLUDE)
    source_url: WebAddress | None = Field(default=None, description="Website the topics came from.")
    date: Date | None = Field(default=None, description="People from this day.")
    run_id: str | None = Field(
        default=None, max_length=120, description="People from this run; get_audience lists runs."
    )
    fields: ManyOf[str] | None = Field(
        default=None,
        max_length=60,
        description="Columns, such as name, mobilePhones; an unknown one lists all.",
    )
    limit: StrictInt = Field(
        default=25, ge=1, le=LARGEST_PAGE, description="Maximum number of people (1-100)."
    )
    cursor: str | None = Field(
        default=None,
        max_length=4000,
        description="nextCursor of the last page; keep the other arguments.",
    )
    wait_seconds: StrictInt = Field(
        default=0,
        ge=0,
        le=MAX_WAIT,
        description="Seconds to wait for people not ready yet (0-300).",
    )
    contact: Named[Literal["masked", "full"]] = Field(
        default="masked",
        description="full: unmasked e-mail and phone, only if the user asked.",
    )

    @model_validator(mode="after")
    def _one_question(self) -> "QueryAudience":
        config = [name for name in _CONFIG if getattr(self, name) not in (None, {})]
        if self.audience_id and (self.topic_ids or config):
            names = [QueryAudience.model_fields[name].alias or name for name in config]
            raise ValueError(
                f"A saved audience has its own config; leave out"
                f" {listed([*(['topicIds'] if self.topic_ids else []), *names])}, or audienceId."
            )
        if not self.audience_id and not self.topic_ids:
            raise ValueError("Pass an audienceId, or topicIds for an audience that is not saved.")
        if self.run_id and (self.date or not self.audience_id):
            raise ValueError("runId needs an audienceId, and no date.")
        fixed = [name for name in ("date", "run_id", "cursor") if getattr(self, name)]
        if self.wait_seconds and fixed:
            names = [QueryAudience.model_fields[name].alias or name for name in fixed]
            raise ValueError(f"waitSeconds waits for the newest people; leave out {listed(names)}.")
        if self.topic_ids:
            check_config(self.config())
        return self

    def config(self) -> AudienceConfig:
        """Return the config of a query that is not about a saved audience."""
        return AudienceConfig(
            topic_ids=tuple(dict.fromkeys(self.topic_ids or ())),
            min_score=DEFAULT_SCORE if self.min_score is None else self.min_score,
            max_score=self.max_score,
            min_topic_overlap=self.min_topic_overlap or 1,
            filters=self.filters or {},
            exclude=self.exclude or {},
            source_url=self.source_url,
        )

    def subject(self) -> str:
        """Return a mark that two pages of one query share and two queries do not."""
        return subject_of(self, {"audience_id", "topic_ids", *_CONFIG, "date", "run_id"})


class PeopleFound(Reply):
    """Some of an audience's people."""

    size: int | None = Field(default=None, description="Total number of people.")
    data_date: str | None = None
    run: RunPart | None = None
    config: dict[str, JsonValue] | None = Field(
        default=None, description="As applied, if the audience is not saved."
    )
    people: Table | None = None
    next_cursor: str | None = Field(default=None, description="Pass as cursor for the next page.")


@dataclass(frozen=True)
class Place:
    """Where a page starts: the run that it belongs to, the service's cursor, rows to skip."""

    subject: str
    run_id: str | None = None
    date: str | None = None
    cursor: JsonValue = None
    skip: Annotated[int, Field(ge=0, lt=LARGEST_PAGE)] = 0


_PLACE = TypeAdapter(Place)


@tool("Show people of an audience", reads=True)
async def query_audience(call: Call, asked: QueryAudience) -> PeopleFound:
    """Show people (leads, prospects) in a saved audience, or matching topics and filters.

    E-mail addresses and phone numbers are masked unless contact is full. If people are still being
    put together it says so, or waits with waitSeconds. For counts alone, preview_audience is
    cheaper.
    """
    columns = choose_columns(asked.fields)
    call.is_whole(asked.contact)
    subject = asked.subject()
    if asked.cursor:
        place = read_cursor(_PLACE, asked.cursor, subject)
    else:
        place = Place(subject, asked.run_id, asked.date)
    limit = min(LARGEST_PAGE, place.skip + asked.limit)
    spelled, unsure = await spell(call, asked.config()) if asked.topic_ids else (None, [])
    page, audience = await together(
        partial(_page_once_made, call, asked, spelled, place, limit),
        partial(_audience_of, call, asked),
    )
    if page is None:
        return await _sample(call, asked, columns)
    if page.run.state != "ready":
        return await _not_ready(call, asked, page.run)
    shown = _shown(asked, columns, place, page)
    if spelled and not asked.cursor:
        shown.config = spelled.shown.as_shown()
        shown.warnings = warnings(unsure, spelled.notes, shown.warnings)
    if audience:
        shown.warnings = warnings(await age_of_list(call, audience, page.run), shown.warnings)
    return shown


async def _audience_of(call: Call, asked: QueryAudience) -> Audience | None:
    """Return the audience, if its newest people could be from an older config."""
    of_newest = asked.audience_id and not (asked.cursor or asked.date or asked.run_id)
    # Runs that go by date do not name the config that they are of.
    if not of_newest or call.leadpipe.profile.runs == "dated":
        return None
    try:
        return await call.leadpipe.audiences.get(asked.audience_id or "")
    except ServiceError:
        return None


async def _page_once_made(
    call: Call, asked: QueryAudience, spelled: SpelledConfig | None, place: Place, limit: int
) -> PeoplePage | None:
    """Return the page, waiting as long as was asked for while its people are put together."""
    page: PeoplePage | None = None

    async def look() -> Run:
        nonlocal page
        page = await _page(call, asked, spelled, place, limit)
        return page.run if page else Run(state="none")

    async def report(run: Run, waited: float) -> None:
        if asked.wait_seconds:
            await call.progress(waited, asked.wait_seconds, run_sentence(run))

    await wait_until_made(look, asked.wait_seconds, report)
    return page


async def _page(
    call: Call, asked: QueryAudience, spelled: SpelledConfig | None, place: Place, limit: int
) -> PeoplePage | None:
    if asked.audience_id:
        try:
            return await call.leadpipe.runs.people(
                asked.audience_id,
                run_id=place.run_id,
                date=place.date,
                limit=limit,
                cursor=place.cursor,
            )
        except NotFound as missing:
            if asked.run_id is None:
                raise
            raise NotFound(
                missing.problem,
                "get_audience lists the audience's runs; where they have no runId, pass date.",
                status=missing.status,
            ) from None
    return await call.leadpipe.runs.query(
        spelled, date=place.date, limit=limit, cursor=place.cursor
    )


def _shown(
    asked: QueryAudience, columns: tuple[Column, ...], place: Place, page: PeoplePage
) -> PeopleFound:
    chosen = page.people[place.skip : place.skip + asked.limit]
    rows = fitting(table(chosen, columns, contact=asked.contact == "full"))
    cut = len(rows) < len(chosen)
    shown = place.skip + len(rows)
    run = page.run
    following = None
    # The pages that follow are of the same run, even if a newer one comes meanwhile.
    date = run.data_date or place.date
    unsaid = place.date and not run.data_date
    if shown < len(page.people):
        following = Place(place.subject, run.id, date, place.cursor, shown)
    elif page.next_cursor is not None:
        following = Place(place.subject, run.id, date, page.next_cursor)
    return PeopleFound(
        summary=f"{len(rows):,} of {people(run.size)}, data from {day(run.data_date)}.",
        size=run.size,
        data_date=run.data_date,
        people=table_of([c.name for c in columns], rows),
        next_cursor=write_cursor(_PLACE, following) if following else None,
        warnings=warnings(
            [f"{place.date} was asked for; the service does not say which day this is."]
            if unsaid
            else None,
            [f"Only {len(rows)} rows fit in one reply; continue with nextCursor."] if cut else None,
            twice_named(asked.topic_ids),
            third_party_warning(columns),
        ),
    )


async def _not_ready(call: Call, asked: QueryAudience, run: Run) -> PeopleFound:
    """Reply without people: why, and how to get them."""
    if asked.date and asked.audience_id and run.state == "none":
        runs = await call.leadpipe.runs.list(asked.audience_id, 10)
        dates = dict.fromkeys(run.data_date or "" for run in runs if run.state == "ready")
        raise NotPossible(
            f"This audience has no people for {asked.date}.",
            f"It has people for: {', '.join(dates)}." if dates else "It has no people yet.",
        )
    way = await _way_to_people(call, asked.audience_id, run)
    return PeopleFound(summary=run_sentence(run), run=RunPart.of(run), next=[way])


async def _way_to_people(call: Call, audience_id: str | None, run: Run) -> Suggestion:
    """Suggest a call that may lead to people, as this run has none."""
    building = run.state in {"queued", "running"}
    if audience_id is None:
        later = "with waitSeconds: 60" if building else "later"
        return Suggestion(tool="query_audience", why=f"repeat this call {later}")
    if building:
        return Suggestion(
            tool="query_audience",
            arguments={"audienceId": audience_id, "waitSeconds": 60},
            why="wait until its people are ready, and see them",
        )
    why = "an earlier run may have people: pass its date or runId"
    if run.state == "none":
        if (await call.leadpipe.audiences.get(audience_id)).status != "active":
            return to_activate(audience_id)
        why = "it is active; its first run comes with the next daily refresh"
    return Suggestion(tool="get_audience", arguments={"id": audience_id}, why=why)


async def _sample(call: Call, asked: QueryAudience, columns: tuple[Column, ...]) -> PeopleFound:
    """Reply with the preview's sample, as the service shows people only for saved audiences."""
    if asked.date:
        raise NotPossible(
            "The service shows people from another day only for saved audiences.",
            "Leave date out, or save the audience with create_audience.",
        )
    spelled, unsure = await spell(call, asked.config())
    preview = await call.leadpipe.configs.preview(spelled)
    config = preview.config.as_shown()
    sample = preview.sample[: asked.limit]
    rows = fitting(table(sample, columns, contact=asked.contact == "full"))
    if not rows:
        return PeopleFound(
            summary=f"{matches(preview.size)}, data from {day(preview.data_date)}.",
            size=preview.size,
            data_date=preview.data_date,
            config=config,
        )
    save = Suggestion(tool="create_audience", why="save it, to read everyone once it is active")
    return PeopleFound(
        summary=f"A sample of {len(rows)} of {people(preview.size)},"
        f" data from {day(preview.data_date)}.",
        size=preview.size,
        data_date=preview.data_date,
        config=config,
        people=Table(columns=[c.name for c in columns], rows=rows),
        warnings=warnings(
            [SAMPLE_ONLY],
            unsure,
            twice_named(asked.topic_ids),
            preview.notes,
            third_party_warning(columns),
        ),
        next=[save],
    )
