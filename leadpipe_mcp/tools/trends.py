"""compare_topics and get_topic_movers: topics from day to day."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from leadpipe_mcp.api.topics import MOST_COMPARED, Direction, TopicDay, TopicSeries
from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.planning.topics import TopicFilter, known_kind
from leadpipe_mcp.text import counted, listed
from leadpipe_mcp.toolkit import Arguments, Reply, tool
from leadpipe_mcp.tools import replies
from leadpipe_mcp.tools.arguments import ManyOf, Named, StrictInt, twice_named
from leadpipe_mcp.tools.replies import Cell, Table, cell, people, suggest, warnings
from leadpipe_mcp.tools.services import Call
from leadpipe_mcp.tools.topics import Limit, OfIndustry, OfType, to_preview, topic_cells, topic_name

_STRENGTH = ("avgScore", "high", "medium", "low")
MOST_POINTS = 12
FEW_PEOPLE = 100
MOST_DAILY = 450
"""So many rows of figures fit into a reply."""


class CompareTopics(Arguments):
    topic_ids: Annotated[
        ManyOf[Annotated[StrictInt, Field(ge=1)]], Field(min_length=1, max_length=MOST_COMPARED)
    ] = Field(description="1 to 10 topic ids from search_topics, such as [117805].")
    days: StrictInt = Field(default=30, ge=7, le=90, description="How many days back (7-90).")
    detail: Named[Literal["summary", "series"]] = Field(
        default="summary", description="summary: up to 12 points; series: figures for every day."
    )


class ComparedTopics(Reply):
    data_date: str | None = None
    topics: Table = Field(
        description="Figures for the newest day. audience: people; change7d, change30d: percent"
        " over 7 and 30 days (29 if only 30 are shown); high, medium, low: people scoring from 90,"
        " 70, 60; direction: over the whole span."
    )
    series: Table | None = Field(default=None, description="Audiences, a column per topic id.")
    daily: Table | None = None


class TopicMovers(Arguments):
    direction: Named[Direction] = Field(
        default="up", description="up: growing most; down: shrinking most."
    )
    type: OfType = None
    industry: OfIndustry = None
    limit: Limit = 10


class MoversFound(Reply):
    topics: Table | None = Field(default=None, description="change: percent in a day.")


@tool("Compare topics", reads=True)
async def compare_topics(call: Call, asked: CompareTopics) -> ComparedTopics:
    """Compare topics by how many people research them (intent) and whether interest grows.

    Per topic: latest audience, change over 7 and 30 days, average score, high, medium and low
    intent, direction, and a short series. Use it to choose among topics from search_topics; to
    count people with filters, use preview_audience.
    """
    # A change over thirty days needs the day before the first of them.
    found = await call.leadpipe.topics.series(asked.topic_ids, max(asked.days, 30))
    ids = [series.id for series in found]
    missing = listed([str(topic) for topic in dict.fromkeys(asked.topic_ids) if topic not in ids])
    if not found:
        raise NotPossible(
            f"The service knows none of these topics: {missing}.", "search_topics finds the ids."
        )
    spans = [series.last(asked.days) for series in found]
    newest = max((series.latest.date for series in found if series.latest), default=None)
    longest = max(len(series.days) for series in spans)
    stale = [
        f"The figures for {series.id} end on {series.latest.date.isoformat()}."
        if series.latest
        else f"There are no figures for {series.id}."
        for series in found
        if series.latest is None or series.latest.date != newest
    ]
    daily, left = _daily(spans) if asked.detail == "series" else (None, [])
    same = {"days": asked.days, "detail": "series"}
    rest = suggest("compare_topics", "see the topics that did not fit", topicIds=[*left], **same)
    unknown = f"The service does not know: {missing}." if missing else None
    short = f"The service shows only {counted(longest, 'day')}."
    rows = [
        [
            *(series.id, cell(series.name), cell(series.latest and series.latest.audience)),
            *(_rounded(series.change_over(7)), _rounded(series.change_over(30))),
            *(*_strength(series.latest), cell(span.direction)),
        ]
        for series, span in zip(found, spans, strict=True)
    ]
    return ComparedTopics(
        summary=_summary(found, spans, asked.days),
        data_date=newest.isoformat() if newest else None,
        topics=Table(
            columns=[*("id", "name", "audience", "change7d", "change30d"), *_STRENGTH, "direction"],
            rows=rows,
        ),
        series=_points(spans) if asked.detail == "summary" else None,
        daily=daily,
        warnings=warnings(
            twice_named(asked.topic_ids),
            *(unknown, stale, short if 0 < longest < asked.days else None),
        ),
        next=replies.suggestions(rest if left else None, to_preview(ids)),
    )


def _summary(found: Sequence[TopicSeries], spans: Sequence[TopicSeries], days: int) -> str:
    latest = [(series.latest, series) for series in found if series.latest]
    if not latest:
        return f"The service shows no figures for {counted(len(found), 'topic')}."
    day, largest = max(latest, key=lambda pair: pair[0].audience)
    most = "has the most: " if len(latest) > 1 else "has "
    said = f"{topic_name(largest)} {most}{people(day.audience)} on {day.date.isoformat()}."
    changes = [(change, day, s) for day, s in latest if (change := s.change_over(30)) is not None]
    change, day, fastest = max(changes, key=lambda each: each[0], default=(None, day, largest))
    several, too = len(changes) > 1, fastest is largest
    if change is not None and change > 0:
        grown = round(day.audience - day.audience / (1 + change / 100))
        more = f" ({grown:,} more people)" if grown > 1 else ""
        grew = f"grew most{' too' if too else ''}, by" if several else "grew by"
        said += f" {'It' if too else topic_name(fastest)} {grew} {change:.1f}% in 30 days{more}."
    elif change is not None:
        said += f" {'None of them grew' if several else 'It did not grow'} in 30 days."
    ways = Counter(series.direction for series in spans)
    counts = [f"{ways[way]} {way}" for way in ("rising", "steady", "falling") if ways[way]]
    return said + (f" Over {days} days: {', '.join(counts)}." if counts else "")


def _strength(day: TopicDay | None) -> list[Cell]:
    if day is None:
        return [""] * len(_STRENGTH)
    return [_rounded(day.average_score), cell(day.high), cell(day.medium), cell(day.low)]


def _rounded(number: float | None) -> Cell:
    return "" if number is None else round(number, 1)


def _points(spans: Sequence[TopicSeries]) -> Table | None:
    """Return the audiences on at most twelve days, evenly apart, ending with the newest."""
    audiences = [{day.date: day.audience for day in series.days} for series in spans]
    days = sorted({day for audience in audiences for day in audience})
    points = min(MOST_POINTS, len(days))
    chosen = [days[-1 - round(n * (len(days) - 1) / max(1, points - 1))] for n in range(points)]
    return replies.table_of(
        ["date", *(str(series.id) for series in spans)],
        [
            [day.isoformat(), *(cell(audience.get(day)) for audience in audiences)]
            for day in reversed(chosen)
        ],
    )


def _daily(spans: Sequence[TopicSeries]) -> tuple[Table | None, list[int]]:
    """Return every day's figures for as many whole topics as fit, and the ids of the rest."""
    shown = MOST_DAILY // max(1, *(len(series.days) for series in spans))
    rows: list[list[Cell]] = [
        [series.id, day.date.isoformat(), day.audience, cell(day.signals), *_strength(day)]
        for series in spans[:shown]
        for day in series.days
    ]
    columns = ["id", "date", "audience", "signals", *_STRENGTH]
    return replies.table_of(columns, rows), [series.id for series in spans[shown:]]


@tool("Show trending topics", reads=True)
async def get_topic_movers(call: Call, asked: TopicMovers) -> MoversFound:
    """Show trending topics: those whose audience (people in-market) grew or shrank most in a day.

    Use it for ideas, or to see what an industry researches right now; to find topics by name use
    search_topics. One day says little: compare_topics shows whether a move lasts.
    """
    kind = await known_kind(call.leadpipe.topics, TopicFilter(asked.type, asked.industry))
    movers = await call.leadpipe.topics.movers(
        asked.direction, type=kind.type, industry=kind.industry, limit=asked.limit
    )
    shown = movers[: asked.limit]
    verb = "grew" if asked.direction == "up" else "shrank"
    if not shown:
        none = f"The service shows no topic of this kind that {verb} in the last day."
        return MoversFound(summary=none)
    first, ids = shown[0], [mover.id for mover in shown[:5]]
    by = f" by {abs(first.change):.1f}%" if first.change is not None else ""
    small = any((mover.yesterday or 0) < FEW_PEOPLE for mover in shown)
    return MoversFound(
        summary=f"{topic_name(first)} {verb} most in a day{by}, to {people(first.today)}.",
        topics=Table(
            columns=["id", "name", "type", "industry", "audience", "dayBefore", "change"],
            rows=[
                [*topic_cells(m)[:-1], m.today, cell(m.yesterday), _rounded(m.change)]
                for m in shown
            ],
        ),
        warnings=[f"Percentages of fewer than {FEW_PEOPLE} people say little."] if small else None,
        next=replies.suggestions(
            suggest("compare_topics", "see whether it lasts", topicIds=[*ids]), to_preview(ids)
        ),
    )
