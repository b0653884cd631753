"""plan_audience and find_filters: from everyday words to a config, and to its filters."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import BeforeValidator, Field, JsonValue, StringConstraints, model_validator

from leadpipe_mcp.planning.plan import Brief, Depth, Plan, cautions, make_plan
from leadpipe_mcp.planning.sizing import NO_END, describe
from leadpipe_mcp.text import counted, quoted
from leadpipe_mcp.toolkit import Arguments, Reply, tool
from leadpipe_mcp.tools import replies
from leadpipe_mcp.tools.arguments import ManyOf, Named, ObjectOf, Overlap, Score, StrictInt
from leadpipe_mcp.tools.configs import FILTERS, MIN_SCORE, OVERLAP, Exclusions, Filters
from leadpipe_mcp.tools.replies import Cell, Part, Table, cell, suggest
from leadpipe_mcp.tools.services import Call
from leadpipe_mcp.tools.topics import Phrase, Website, topic_name
from leadpipe_mcp.vocabulary import catalog, resolve

_MAKE_UP_SIZE = 4
_SHOWN_CHANGES = 4
_SHOWN_GAPS = 6
_SHOWN_VALUES = 8
_PAGE = 100
_LONGEST_NOTE = 160
_LISTED = 60
"""The overview shows all values of a filter with at most this many."""
_FREQUENT = 25
_SHOWN_READINGS = 4
_TAKES: dict[catalog.FilterKind, str] = {
    "values": "any of its values",
    "value": "one of its values",
    "text": "free words",
    "flag": "true or false",
    "yes_no": "true or false",
    "range": "a range of numbers",
}


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class Target(Arguments):
    min: StrictInt | None = Field(default=None, ge=1, le=NO_END, description="Fewest wanted.")
    max: StrictInt | None = Field(default=None, ge=1, le=NO_END, description="Most wanted.")

    @model_validator(mode="after")
    def _some_size(self) -> "Target":
        if self.min is None and self.max is None:
            raise ValueError("targetSize needs min, max or both.")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"targetSize.min ({self.min}) is above targetSize.max ({self.max}).")
        return self


class PlanAudience(Arguments):
    topics: ManyOf[Annotated[Phrase, BeforeValidator(_as_text)]] = Field(
        default=(),
        max_length=10,
        description='What they research: up to 10 phrases or topic ids, such as ["CRM", "117805"].',
    )
    website: Website | None = Field(
        default=None, description="A public website whose topics to add: www.acme.example."
    )
    filters: Filters | None = Field(
        default=None,
        description=FILTERS
        + " One value per entry. No filter covers technologies, funding, hiring,"
        " tenure, income or membership of another audience.",
    )
    exclude: Exclusions | None = Field(
        default=None,
        description='Leave out anyone who matches any of these: {"department": ["HR"]}.',
    )
    min_score: Score | None = Field(default=None, description=MIN_SCORE + " Default 70.")
    min_topic_overlap: Overlap = Field(default=1, description=OVERLAP)
    target_size: ObjectOf[Target] | None = Field(
        default=None, description="Wanted size: {min, max}."
    )
    depth: Named[Depth] = Field(
        default="full", description="size: a quick count, without ladder and weights."
    )

    @model_validator(mode="after")
    def _something_researched(self) -> "PlanAudience":
        if not self.topics and self.website is None:
            raise ValueError("Pass topics, a website, or both: what do the people research?")
        return self

    def brief(self) -> Brief:
        """Return the brief as the planner takes it."""
        wanted = self.target_size
        return Brief(
            topics=tuple(int(t) if t.isascii() and t.isdigit() else t for t in self.topics),
            website=self.website,
            filters=self.filters or {},
            exclude=self.exclude or {},
            min_score=self.min_score,
            overlap=self.min_topic_overlap,
            target=range(wanted.min or 1, (wanted.max or NO_END) + 1) if wanted else None,
        )


class Recommended(Part):
    change: str
    size: int
    config: dict[str, JsonValue]


class AudiencePlan(Reply):
    size: int | None = None
    data_date: str | None = None
    config: dict[str, JsonValue] = Field(
        description="As asked; create_audience and preview_audience take it as it is."
    )
    topics: Table | None = Field(
        default=None,
        description="sure: exact, close, ambiguous. people: all who research it. uniquePeople:"
        " people in config that no other topic finds.",
    )
    topic_alternatives: Table | None = None
    values: Table | None = Field(default=None, description="What each value became.")
    size_without: dict[str, int] | None = Field(default=None, description="By filter.")
    left_out: list[str] | None = Field(default=None, description="Topics over the limit.")
    ladder: dict[str, int] | None = Field(default=None, description="People from each minScore.")
    target: str | None = None
    changes: dict[str, int] | None = Field(default=None, description="Sizes after each change.")
    recommended: Recommended | None = Field(default=None, description="If the user agrees.")
    industries: dict[str, int] | None = None
    seniorities: dict[str, int] | None = None
    counted_over: str | None = Field(default=None, description="What the counts cover.")
    reachable: dict[str, int] | None = Field(default=None, description="People with each of these.")
    not_measured: list[str] | None = None


@tool("Plan an audience", reads=True)
async def plan_audience(call: Call, asked: PlanAudience) -> AudiencePlan:
    """Turn a brief into an audience config with its size: start here.

    Split the user's sentence: what people research goes into topics (intent), who they are into
    filters (ICP), who to leave out into exclude. Everyday words work ("SaaS", "CA", "C-level"); the
    reply says what each became, and what fits nothing is refused. It shows how each score, filter
    and topic affects the size, and which change reaches a target; nothing is created or spent.
    Check its choices with the user, then pass config to create_audience.
    """

    async def report(message: str) -> None:
        await call.progress(1, 2, message)

    plan = await make_plan(call.leadpipe, asked.brief(), asked.depth, report)
    preview, sized = plan.sized.preview, plan.sized
    ladder = {str(score): size for score, size in sized.ladder.items()}
    score_note = preview.notes[len(plan.spelled.notes) :] if preview else ()
    gaps, more = sized.not_measured[:_SHOWN_GAPS], len(sized.not_measured) - _SHOWN_GAPS
    topics, alternatives = _topics(plan)
    best = plan.advice.change if plan.advice else None
    recommended = best and Recommended(
        change=best.words, size=sized.measured[best], config=best.config.written()
    )
    create = suggest("create_audience", "save config under a name, as a draft")
    change = suggest("preview_audience", "try a change to config, and see people")
    again = suggest("plan_audience", "try fewer filters or other topics")
    return AudiencePlan(
        summary=_summary(plan),
        size=plan.size,
        data_date=preview.data_date if preview else None,
        config=plan.config.written(),
        topics=topics,
        topic_alternatives=alternatives,
        values=_values(plan),
        size_without=sized.sizes("filter"),
        left_out=[topic_name(c.topic) for c in plan.topics.left_out if c.topic],
        ladder=ladder if len(ladder) > 1 else None,
        target=describe(plan.target) if plan.target else None,
        changes={change.words: size for change, size in [*plan.changes.items()][:_SHOWN_CHANGES]},
        recommended=recommended,
        **replies.make_up(preview, _MAKE_UP_SIZE),
        reachable=sized.sizes("contact"),
        not_measured=[*gaps, *([f"{more} more"] if more > 0 else [])],
        warnings=[*score_note, *cautions(plan, dt.datetime.now(dt.UTC).date())],
        next=[again] if plan.size == 0 else [create, change],
    )


def _summary(plan: Plan) -> str:
    preview = plan.sized.preview
    size = "The size could not be measured just now."
    if preview:
        size = f"{replies.matches(preview.size)}, {replies.data_from(preview.data_date)}"
    near = sum(match.sure == "close" for match in plan.spelled.matches)
    near += sum(choice.sure != "exact" for choice in plan.topics.choices)
    choices = f"{counted(near, 'choice is', 'choices are')} not exact: check with the user."
    reason = plan.advice.reason if plan.advice else ""
    return " ".join(filter(None, [size, reason, choices if near else ""]))


def _topics(plan: Plan) -> tuple[Table | None, Table | None]:
    """Return the topics that were taken, and what each phrase could have been instead."""
    people = plan.topics.audiences
    taken: list[list[Cell]] = []
    for one, topic in [(one, one.topic) for one in plan.topics.choices if one.topic]:
        counts = [cell(people.get(topic.id)), cell(plan.unique_people.get(topic.id))]
        named = [cell(one.asked), topic.id, cell(topic.name), one.sure]
        taken.append([*named, *counts, cell(one.note, _LONGEST_NOTE)])
    others: list[list[Cell]] = [
        [cell(one.asked), other.id, cell(other.name), cell(people.get(other.id))]
        for one in plan.topics.choices
        for other in one.alternatives
    ]
    columns = ("asked", "id", "name", "sure", "people", "uniquePeople", "note")
    return replies.filled(columns, taken), replies.filled(("asked", "id", "name", "people"), others)


def _values(plan: Plan) -> Table | None:
    """Return what each value became; those that already were values of the service are left out."""
    rows = [
        [
            match.key if match.part == "filters" else f"exclude.{match.key}",
            match.asked,
            replies.some(match.values, _SHOWN_VALUES),
            match.sure,
            cell(match.note, _LONGEST_NOTE),
        ]
        for match in plan.spelled.matches
        if [value.casefold() for value in match.values] != [match.asked.casefold()]
    ]
    return replies.filled(("key", "asked", "became", "sure", "note"), rows)


class FindFilters(Arguments):
    words: ManyOf[Annotated[str, StringConstraints(min_length=1, max_length=100)]] | None = Field(
        default=None,
        min_length=1,
        max_length=20,
        description='Up to 20 words, each looked up alone: ["VP or above", "SaaS", "CA"].',
    )
    key: str | None = Field(
        default=None,
        min_length=1,
        max_length=100,
        description="Instead: a filter whose values to list, such as companyIndustry.",
    )
    cursor: str | None = Field(
        default=None, pattern=r"^\d{1,6}$", description="With key: nextCursor of the page before."
    )

    @model_validator(mode="after")
    def _one_question(self) -> "FindFilters":
        if self.words is not None and self.key is not None:
            raise ValueError("Pass words or key, not both.")
        if self.cursor is not None and self.key is None:
            raise ValueError("cursor continues the values of a key: pass the key too.")
        return self


class FilterAnswer(Reply):
    found: Table | None = Field(
        default=None, description="sure: exact, close, ambiguous (choose one), none."
    )
    filters: dict[str, str] | None = None
    key: str | None = None
    takes: str | None = None
    values: Table | None = None
    next_cursor: str | None = None


@tool("Find filters", reads=True)
async def find_filters(call: Call, asked: FindFilters) -> FilterAnswer:
    """Look up which filter (ICP, firmographics, contact data) and value a word means.

    With words, each is looked up separately, however people say it ("C-level", "HR", "mid-market",
    "director or above"); with key, all values of one filter; with neither, every filter. Not for
    sentences: split them first. plan_audience looks words up itself.
    """
    known = await call.leadpipe.configs.filters()
    if asked.words is not None:
        return _found({word: resolve.look_up(word, known) for word in asked.words})
    if asked.key is not None:
        return _values_of(known.entry_for(asked.key), int(asked.cursor or 0), known)
    return FilterAnswer(
        summary=f"{counted(len(known.entries), 'filter')} in all. Filters are joined by 'and',"
        f" the values of one by 'or'. {catalog.NOT_FILTERED}",
        filters={known.name_of(e.key): _in_short(e) for e in known.entries.values()},
    )


def _in_short(entry: catalog.FilterEntry) -> str:
    """Say what a filter takes: all its values, or the most frequent of many."""
    values = [value.value for value in _by_frequency(entry)]
    if len(values) <= _LISTED:
        return ", ".join(values) or _TAKES[entry.kind]
    return f"{', '.join(values[:_FREQUENT])}; {len(values)} in all"


def _by_frequency(entry: catalog.FilterEntry) -> Sequence[catalog.FilterValue]:
    """The values; where people are counted and the list is long, the most frequent first."""
    if len(entry.values) > _LISTED and all(value.count is not None for value in entry.values):
        return sorted(entry.values, key=lambda value: -(value.count or 0))
    return entry.values


def _found(words: Mapping[str, Sequence[resolve.Reading]]) -> FilterAnswer:
    rows: list[list[Cell]] = []
    several = 0
    for word, readings in words.items():
        shown = readings[:_SHOWN_READINGS]
        several += len(shown) > 1 or any(reading.sure == "ambiguous" for reading in shown)
        for one in shown:
            values, note = replies.some(one.values, _SHOWN_VALUES), cell(one.note, _LONGEST_NOTE)
            rows.append([cell(word), one.key, values, one.sure, note])
    missing = [word for word, readings in words.items() if not readings]
    summary = f"{len(words) - len(missing)} of {counted(len(words), 'word')} found"
    summary += f"; {several} could mean several things" if several else ""
    if missing:
        summary += f"; no filter has a value called {quoted(missing)}"
        summary += "; titles go into jobTitle, companies into companyName"
    count = suggest("plan_audience", "count the people with these filters")
    every = suggest("find_filters", "without arguments: every filter there is")
    return FilterAnswer(
        summary=f"{summary}.",
        found=replies.filled(("word", "key", "values", "sure", "note"), rows),
        next=[count if rows else every],
    )


def _values_of(
    entry: catalog.FilterEntry, start: int, known: catalog.FilterCatalog
) -> FilterAnswer:
    name, values = known.name_of(entry.key), _by_frequency(entry)
    takes = _TAKES[entry.kind]
    if not values:
        return FilterAnswer(summary=f"'{name}' takes {takes}.", key=name, takes=takes)
    page = values[start : start + _PAGE]
    end = start + len(page)
    labels = any(one.label.casefold() != one.value.casefold() for one in page)
    rows = [[one.value, cell(one.label) if labels else "", cell(one.count)] for one in page]
    part = f", {start + 1} to {end} here" if rows and len(rows) < len(values) else ""
    return FilterAnswer(
        summary=f"'{name}' takes {takes}; it has {counted(len(values), 'value')}{part}.",
        key=name,
        takes=takes,
        values=replies.filled(("value", "label", "people"), rows),
        next_cursor=str(end) if end < len(values) else None,
    )
