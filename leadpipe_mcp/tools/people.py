"""query_audience: people in an audience, page by page."""

from functools import partial
from typing import Annotated

from pydantic import Field, JsonValue, model_validator
from pydantic.alias_generators import to_camel

from leadpipe_mcp.api.budget import together
from leadpipe_mcp.api.models import Audience, AudienceConfig, PeoplePage, Run, SpelledConfig
from leadpipe_mcp.api.runs import wait_until
from leadpipe_mcp.errors import NotFound, NotPossible
from leadpipe_mcp.people.columns import Column, choose_columns
from leadpipe_mcp.people.privacy import table
from leadpipe_mcp.text import listed
from leadpipe_mcp.toolkit import Arguments, Cursor, Reply, Suggestion, tool
from leadpipe_mcp.tools import arguments, configs, replies
from leadpipe_mcp.tools.arguments import LARGEST_PAGE, ManyOf, Overlap, Score, TopicIds, WebAddress
from leadpipe_mcp.tools.audiences import age_of_list, runs_of
from leadpipe_mcp.tools.configs import ConfigArguments, Exclusions, Filters, check_config, spell
from leadpipe_mcp.tools.replies import Table, people, suggest, warnings
from leadpipe_mcp.tools.services import Call, if_shown

MOST_DAYS = 10
MOST_SKIPPED = 100_000

SAMPLE_ONLY = (
    "This is a sample from the preview, with few fields: the service shows everyone only for saved"
    " audiences."
)
_CONFIG = tuple(ConfigArguments.model_fields)


class QueryAudience(Arguments):
    audience_id: arguments.AudienceId | None = Field(default=None, description="A saved audience.")
    topic_ids: TopicIds | None = Field(default=None, description="Instead of audienceId.")
    min_score: Score | None = Field(default=None, description="Lowest intent score; default 70.")
    max_score: Score | None = Field(default=None, description=configs.MAX_SCORE)
    min_topic_overlap: Overlap | None = Field(default=None, description=configs.OVERLAP)
    filters: Filters | None = Field(default=None, description=configs.FILTERS)
    exclude: Exclusions | None = Field(default=None, description=configs.EXCLUDE)
    source_url: WebAddress | None = Field(default=None, description="Website the topics came from.")
    date: arguments.Day = None
    run_id: arguments.RunId = None
    fields: ManyOf[str] | None = Field(
        default=None,
        max_length=60,
        description="Columns, such as name, mobilePhones; an unknown one lists all.",
    )
    limit: arguments.PageSize = 25
    cursor: arguments.Cursor = None
    wait_seconds: arguments.WaitSeconds = 0
    contact: arguments.Contact = "masked"

    @model_validator(mode="after")
    def _one_question(self) -> "QueryAudience":
        config = self._named(*_CONFIG)
        if self.audience_id and config:
            raise ValueError(
                f"A saved audience has its own config; leave out {listed(config)}, or audienceId."
            )
        if not self.audience_id and not self.topic_ids:
            raise ValueError("Pass an audienceId, or topicIds for an audience that is not saved.")
        if self.run_id and not self.audience_id:
            raise ValueError("runId needs an audienceId.")
        if self.wait_seconds and (fixed := self._named("date", "run_id", "cursor")):
            raise ValueError(f"waitSeconds waits for the newest people; leave out {listed(fixed)}.")
        if self.topic_ids:
            check_config(self.config())
        return self

    def _named(self, *names: str) -> list[str]:
        return [to_camel(name) for name in names if getattr(self, name) not in (None, {}, "")]

    def config(self) -> AudienceConfig:
        """Return the config of a query that is not about a saved audience."""
        given = {name: value for name in _CONFIG if (value := getattr(self, name)) is not None}
        return ConfigArguments.model_construct(**given).to_config()


class PeopleFound(Reply):
    size: int | None = Field(default=None, description="Total number of people.")
    data_date: str | None = None
    run: replies.RunPart | None = None
    config: dict[str, JsonValue] | None = Field(default=None, description="As applied.")
    people: Table | None = None
    next_cursor: str | None = Field(default=None, description="Pass as cursor for the next page.")


class Place(Cursor):
    """Where a page of people starts: in which run, at the service's cursor, behind some rows."""

    run_id: str | None = None
    date: str | None = None
    cursor: JsonValue = None
    skip: Annotated[int, Field(ge=0, lt=MOST_SKIPPED)] = 0
    limit: Annotated[int, Field(ge=1, le=LARGEST_PAGE)] = LARGEST_PAGE

    def after(self, shown: int, held: int, cursor: JsonValue) -> "Place | None":
        """Return where the next page starts, after these of the people that a page held.

        `cursor` is where the service's next page starts; None is the end.
        """
        if self.skip + shown < held:
            return self.model_copy(update={"skip": self.skip + shown})
        return None if cursor is None else self.model_copy(update={"cursor": cursor, "skip": 0})


@tool("Show people of an audience", reads=True)
async def query_audience(call: Call, asked: QueryAudience) -> PeopleFound:
    """Show people (leads, prospects) in a saved audience, or matching topics and filters.

    E-mail addresses and phone numbers are masked unless contact is full. If people are still being
    put together it says so, or waits with waitSeconds. For counts alone, preview_audience is
    cheaper.
    """
    columns = choose_columns(asked.fields)
    call.is_whole(asked.contact)
    question = {"audience_id", *_CONFIG, "date", "run_id"}
    place = Place.at(asked.cursor, asked, question, run_id=asked.run_id, date=asked.date)
    spelled, unsure = await spell(call, asked.config()) if asked.topic_ids else (None, [])
    page, audience = await together(
        partial(_page, call, asked, spelled, place), partial(_audience_of, call, asked)
    )
    if page is None and spelled:
        return await _sample(call, asked, columns, spelled, unsure)
    if page is None or page.run.state != "ready":
        run = page.run if page else Run(state="none")
        reply = PeopleFound(summary=replies.run_sentence(run), run=replies.RunPart.of(run))
        if asked.audience_id:
            this = {"tool": "query_audience", "audienceId": asked.audience_id}
            found = audience or await call.leadpipe.audiences.get(asked.audience_id)
            reply.next = await ways_to_people(call, found, run, asked.date, **this)
        else:
            later = "with waitSeconds: 60" if run.is_being_made else "later"
            reply.next = [suggest("query_audience", f"repeat this call {later}")]
        return reply
    reply = _shown(asked, columns, place, page)
    if spelled and not asked.cursor:
        reply.config = spelled.shown.written()
        reply.warnings = warnings(unsure, spelled.notes, reply.warnings)
    if audience:
        reply.warnings = warnings(await age_of_list(call, audience, page.run), reply.warnings)
    return reply


async def _audience_of(call: Call, asked: QueryAudience) -> Audience | None:
    """Return the audience, if its newest people could be from an older config."""
    of_newest = asked.audience_id and not (asked.cursor or asked.date or asked.run_id)
    # Runs that go by date do not name the config that they are of.
    if not of_newest or call.leadpipe.profile.runs == "dated":
        return None
    return await if_shown(call.leadpipe.audiences.get, asked.audience_id or "")


async def _page(
    call: Call, asked: QueryAudience, spelled: SpelledConfig | None, place: Place
) -> PeoplePage | None:
    """Return the page, waiting as long as was asked for while its people are put together."""
    runs = call.leadpipe.runs
    limit = min(LARGEST_PAGE, place.skip + asked.limit)

    async def look() -> PeoplePage | None:
        if not asked.audience_id:
            return await runs.query(spelled, date=place.date, limit=limit, cursor=place.cursor)
        which = {"run_id": place.run_id, "date": place.date}
        return await runs.people(asked.audience_id, **which, limit=limit, cursor=place.cursor)

    async def report(page: PeoplePage | None, waited: float) -> None:
        if asked.wait_seconds and page:
            await call.progress(waited, asked.wait_seconds, replies.run_sentence(page.run))

    def is_made(page: PeoplePage | None) -> bool:
        return not (page and page.run.is_being_made)

    try:
        return await wait_until(look, is_made, asked.wait_seconds, report)
    except NotFound as missing:
        if asked.run_id:
            missing.add_note("get_audience lists the audience's runs; without runId, pass date.")
        raise


def _shown(
    asked: QueryAudience, columns: tuple[Column, ...], place: Place, page: PeoplePage
) -> PeopleFound:
    run = page.run
    chosen = page.people[place.skip : place.skip + asked.limit]
    rows = replies.fitting(table(chosen, columns, contact=asked.contact == "full"))
    # The pages that follow are of the same run, even if a newer one comes meanwhile.
    here = place.model_copy(update={"run_id": run.id, "date": run.data_date or place.date})
    following = here.after(len(rows), len(page.people), page.next_cursor)
    cut = f"Only {len(rows)} rows fit in one reply; continue with nextCursor."
    unsaid = f"{place.date} was asked for; the service does not say which day this is."
    return PeopleFound(
        summary=f"{len(rows):,} of {people(run.size)}, {replies.data_from(run.data_date)}",
        size=run.size,
        data_date=run.data_date,
        people=replies.table_of([c.name for c in columns], rows),
        next_cursor=following.as_text() if following else None,
        warnings=warnings(
            unsaid if place.date and not run.data_date else None,
            cut if len(rows) < len(chosen) else None,
            arguments.twice_named(asked.topic_ids),
            replies.third_party_warning(columns),
        ),
    )


async def ways_to_people(
    call: Call, audience: Audience, run: Run, date: str | None, /, tool: str, **more: str
) -> list[Suggestion]:
    """Suggest the calls that lead to people, as this run has none; of its day if one was named.

    One of them is the tool with these arguments and an earlier run, if there is one.
    """
    ready = [other for other in await runs_of(call, audience) if other.state == "ready"]
    if date and run.state == "none":
        days = dict.fromkeys(replies.day(other.data_date) for other in ready[:MOST_DAYS])
        raise NotPossible(
            f"This audience has no people for {date}.",
            f"It has people for: {', '.join(days)}." if days else "It has no people yet.",
        )
    if run.is_being_made:
        way = replies.to_wait(audience.id)
    elif run.state == "none" and audience.status != "active":
        way = replies.to_activate(audience.id)
    elif call.leadpipe.profile.runs == "dated":
        way = suggest("get_audience", "its next run comes with the daily refresh", id=audience.id)
    else:
        way = suggest("run_audience", "have its people put together now", id=audience.id)
    if not ready:
        return [way]
    which = {"runId": ready[0].id} if ready[0].id else {"date": ready[0].data_date}
    why = f"the people from {replies.day(ready[0].data_date)} instead"
    return [way, suggest(tool, why, **more, **which)]


async def _sample(
    call: Call,
    asked: QueryAudience,
    columns: tuple[Column, ...],
    spelled: SpelledConfig,
    unsure: list[str],
) -> PeopleFound:
    """Reply with the preview's sample, as the service shows people only for saved audiences."""
    if asked.date:
        raise NotPossible(
            "The service shows people from another day only for saved audiences.",
            "Leave date out, or save the audience with create_audience.",
        )
    preview = await call.leadpipe.configs.preview(spelled)
    run = Run(state="ready", size=preview.size, data_date=preview.data_date)
    reply = _shown(asked, columns, Place(), PeoplePage(run=run, people=preview.sample))
    reply.config, reply.next_cursor = preview.config.written(), None
    if reply.people:
        reply.summary = f"A sample of {reply.summary}"
        reply.next = [suggest("create_audience", "save it, to read everyone once it is active")]
        reply.warnings = warnings(SAMPLE_ONLY, unsure, reply.warnings, preview.notes)
    return reply
