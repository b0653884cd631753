"""The public routes that browse topics and follow them from day to day."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

from leadpipe_mcp.sandbox.calls import Call, Endpoint
from leadpipe_mcp.sandbox.interest import (
    HIGHEST,
    LOWEST,
    audience_of_day,
    popularity,
    scores_of_day,
)
from leadpipe_mcp.sandbox.replies import Form, Json, Reply, answer, not_found
from leadpipe_mcp.sandbox.topics import (
    ASPECTS_PER_SUBJECT,
    LONGEST_WORDS,
    Kind,
    Topic,
    find_topic,
    inventory,
    named,
    of_kind,
    read_kind,
)

_FOUND, _MOST_FOUND = 10, 50


def list_topics(call: Call) -> Reply:
    """Every topic, or those of a kind and a name; there are no pages."""
    form = Form(dict(call.query))
    kind, words = read_kind(form), form.text("q", LONGEST_WORDS)
    call.refuse_issues(form)
    topics = of_kind(inventory(), kind)
    if words:
        among = {topic.id for topic in named(words)}
        topics = [topic for topic in topics if topic.id in among]
    return answer([describe(topic) for topic in topics], _meta(call, topics, kind))


def list_facets(_: Call) -> Reply:
    """The types, industries and categories of topics, the commonest first, and how many topics."""
    topics = inventory()
    return answer(
        {
            "types": _counted(topic.type for topic in topics),
            "industries": _counted(topic.industry for topic in topics),
            "categories": _counted(topic.category for topic in topics),
            "total": len(topics),
        }
    )


def search_topics(call: Call) -> Reply:
    """The topics whose names fit the words best."""
    form = Form(dict(call.query))
    form.require("q")
    words, kind = form.text("q", LONGEST_WORDS, shortest=1), read_kind(form)
    call.refuse_issues(form)
    limit = call.number("limit", _FOUND, 1, _MOST_FOUND)
    # A category is no parameter of this route.
    topics = of_kind(named(words or ""), kind._replace(category=None))
    return answer([describe(topic) for topic in topics[:limit]])


def describe(topic: Topic) -> Json:
    """A topic as the API shows it."""
    return {
        "topicId": topic.id,
        "topicName": topic.name,
        "type": topic.type,
        "industry": topic.industry,
        "category": topic.category,
    }


def _meta(call: Call, topics: Sequence[Topic], kind: Kind) -> Json:
    filters = {**kind._asdict(), "q": call.query.get("q") or None}
    return {"count": len(topics), "total": len(topics), "filters": filters}


def _counted(values: Iterable[str]) -> list[Json]:
    return [{"value": value, "count": count} for value, count in Counter(values).most_common()]


_TOPICS = "/v1/intent/topics"
BROWSING = (
    Endpoint("GET", _TOPICS, list_topics, "nothing"),
    Endpoint("GET", f"{_TOPICS}/facets", list_facets, "nothing"),
    Endpoint("GET", f"{_TOPICS}/search", search_topics, "nothing"),
)


_TREND_DAYS, _DAYS_COMPARED = 90, 30
_MOST_COMPARED = 10
_MOVED, _MOST_MOVED = 20, 50
_LARGEST_ID = 10**9
# Of every subject's hundred topics every seventh is looked at, and the two most popular are taken.
_STEP, _TAKEN = 7, 2


class Move(NamedTuple):
    """The audience of a topic on two days in a row."""

    topic: Topic
    before: int
    now: int

    @property
    def change(self) -> float:
        """By which part of itself the audience grew."""
        return (self.now - self.before) / self.before


def trend(call: Call) -> Reply:
    """Every day's figures of one topic, ending at the newest data."""
    text = call.path["topic_id"]
    if not (text.isascii() and text.isdigit() and int(text) <= _LARGEST_ID):
        raise call.refuse("topicId", "Expected an integer")
    topic = find_topic(int(text))
    if topic is None and call.settings.unknown_trend_status == 404:
        raise not_found("Topic")
    if topic is None:
        return answer([])
    about = {
        "topicName": topic.name,
        "type": topic.type,
        "industry": topic.industry,
        "category": topic.category,
    }
    series = _series(call, topic, _TREND_DAYS)
    return answer([{"date": figures["date"], **about, **figures} for figures in series])


def compare(call: Call) -> Reply:
    """Thirty days of figures for each of up to ten topics, ending at the newest data."""
    form = Form(call.body)
    form.require("topicIds")
    topic_ids = form.integers("topicIds", _MOST_COMPARED) or []
    call.refuse_issues(form)
    topics = [topic for topic_id in topic_ids if (topic := find_topic(topic_id))]
    return answer(
        [
            {
                "topicId": topic.id,
                "topicName": topic.name,
                "data": _series(call, topic, _DAYS_COMPARED),
            }
            for topic in topics
        ]
    )


def movers(call: Call) -> Reply:
    """The popular topics whose audience grew or shrank most since the day before."""
    form = Form(dict(call.query))
    direction = form.choice("direction", ("up", "down")) or "up"
    kind = read_kind(form, shortest_industry=1)._replace(category=None)
    call.refuse_issues(form)
    limit = call.number("limit", _MOVED, 1, _MOST_MOVED)
    sign = 1 if direction == "up" else -1
    wanted = {topic.id for topic in of_kind(popular_topics(), kind)}
    moves = [
        move
        for move in _moves(call.settings.people, call.data_date)
        if move.topic.id in wanted and sign * move.change > 0
    ]
    moves.sort(key=lambda move: (-sign * move.change, move.topic.id))
    return answer([_moved(move) for move in moves[:limit]])


@lru_cache(maxsize=1)
def popular_topics() -> tuple[Topic, ...]:
    """Two topics of every subject, some 400 in all.

    Counting the audiences of all twenty thousand topics takes over ten seconds, and a list of the
    top movers shows fifty at most; so these stand for all, counted exactly as a trend counts.
    """
    topics, found = inventory(), list[Topic]()
    for first in range(0, len(topics), ASPECTS_PER_SUBJECT):
        subject = topics[first : first + ASPECTS_PER_SUBJECT : _STEP]
        found += sorted(subject, key=lambda topic: -popularity(topic.id))[:_TAKEN]
    return tuple(found)


@lru_cache(maxsize=4)
def _moves(people: int, day: date) -> tuple[Move, ...]:
    """The moves of all popular topics that had an audience the day before."""
    moves = (
        Move(
            topic,
            audience_of_day(people, topic.id, day - timedelta(days=1)),
            audience_of_day(people, topic.id, day),
        )
        for topic in popular_topics()
    )
    return tuple(move for move in moves if move.before)


def _moved(move: Move) -> Json:
    return {
        "topicId": move.topic.id,
        "topicName": move.topic.name,
        "type": move.topic.type,
        "industry": move.topic.industry,
        "todayAudience": move.now,
        "yesterdayAudience": move.before,
        "pctChange": round(100 * move.change, 2),
    }


def _series(call: Call, topic: Topic, days: int) -> list[Json]:
    newest, people = call.data_date, call.settings.people
    return [_figures(people, topic, newest - timedelta(days=ago)) for ago in reversed(range(days))]


def _figures(people: int, topic: Topic, day: date) -> Json:
    interested = scores_of_day(people, topic.id, day).replace(b"\0", b"")
    by_score = {score: interested.count(score) for score in range(LOWEST, HIGHEST + 1)}
    points = sum(score * many for score, many in by_score.items())

    def band(lowest: int, highest: int) -> int:
        return sum(by_score[score] for score in range(lowest, highest + 1))

    return {
        "date": day.isoformat(),
        "uniqueAudience": len(interested),
        "totalSignals": 3 * len(interested) + 4 * band(90, 99),
        "avgScore": round(points / len(interested), 1) if interested else 0,
        "highAudience": band(90, 99),
        "mediumAudience": band(70, 89),
        "lowAudience": band(60, 69),
    }


TRENDS = (
    Endpoint("GET", f"{_TOPICS}/movers", movers, "nothing"),
    Endpoint("POST", f"{_TOPICS}/compare", compare, "nothing"),
    Endpoint("GET", f"{_TOPICS}/{{topic_id}}/trend", trend, "nothing"),
)
