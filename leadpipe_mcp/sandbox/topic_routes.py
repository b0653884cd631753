"""The routes that browse topics, follow them from day to day, and find them for a web site."""

import hashlib
import ipaddress
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from functools import cache, lru_cache
from urllib.parse import urlsplit

from starlette.responses import Response

from leadpipe_mcp.sandbox.calls import Call, answer
from leadpipe_mcp.sandbox.dice import dice
from leadpipe_mcp.sandbox.matching import popularity, scores
from leadpipe_mcp.sandbox.simulator import Endpoint, Form, Json, Refusal, choose, invalid
from leadpipe_mcp.sandbox.topics import (
    FIELDS,
    TOPIC_TYPES,
    Topic,
    find_topic,
    inventory,
    named,
)

_LONGEST_WORDS = 100
_FOUND, _MOVED, _MOST_FOUND = 10, 20, 50
_TREND_DAYS, _DAYS_COMPARED, _MOST_COMPARED = 90, 30, 10
_LARGEST_ID = 10**9


def _list_topics(call: Call) -> Response:
    """Every topic, or those of a kind and a name; there are no pages."""
    form = Form(call.query)
    kind = _read_kind(form)
    kind["category"] = form.text("category", _LONGEST_WORDS) or None
    words = form.text("q", _LONGEST_WORDS) or None
    form.check()
    if words is None and not any(kind.values()):
        return Response(_everything(), media_type="application/json")
    among = {topic.id for topic in named(words)} if words else None
    topics = [topic for topic in _of_kind(inventory(), kind) if among is None or topic.id in among]
    filters: Json = {**kind, "q": words}
    meta: Json = {"count": len(topics), "total": len(topics), "filters": filters}
    return answer([topic.row for topic in topics], meta)


@cache
def _everything() -> bytes:
    """The answer that holds every topic: most clients ask for it first, and it takes a while."""
    rows = [topic.row for topic in inventory()]
    filters = dict.fromkeys(["type", "industry", "category", "q"])
    meta: Json = {"count": len(rows), "total": len(rows), "filters": filters}
    return bytes(answer(rows, meta).body)


def _list_facets(_: Call) -> Response:
    """The types, industries and categories of topics, the commonest first, and how many topics."""

    def counted(values: Iterable[str]) -> list[Json]:
        return [{"value": value, "count": many} for value, many in Counter(values).most_common()]

    topics = inventory()
    return answer(
        {
            "types": counted(topic.type for topic in topics),
            "industries": counted(topic.industry for topic in topics),
            "categories": counted(topic.category for topic in topics),
            "total": len(topics),
        }
    )


def _search_topics(call: Call) -> Response:
    """The topics whose names fit the words best."""
    form = Form(call.query)
    form.require("q")
    words, kind = form.text("q", _LONGEST_WORDS, shortest=1), _read_kind(form)
    form.check()
    limit = call.number("limit", _FOUND, 1, _MOST_FOUND)
    return answer([topic.row for topic in _of_kind(named(words or ""), kind)[:limit]])


def _read_kind(form: Form) -> dict[str, str | None]:
    """What kind of topics a query string asks for; None is any."""
    industry = form.text("industry", _LONGEST_WORDS)
    return {"type": form.choice("type", TOPIC_TYPES), "industry": industry or None}


def _of_kind(topics: Sequence[Topic], kind: dict[str, str | None]) -> Sequence[Topic]:
    wanted = [(name, value) for name, value in kind.items() if value is not None]
    return [
        topic for topic in topics if all(getattr(topic, name) == value for name, value in wanted)
    ]


def _trend(call: Call) -> Response:
    """Every day's figures of one topic, ending at the newest data; empty for an unknown one."""
    text = call.path["topic_id"]
    if not (text.isascii() and text.isdigit() and int(text) <= _LARGEST_ID):
        raise invalid("topicId", "Expected an integer")
    topic = find_topic(int(text))
    if topic is None:
        return answer([])
    about = choose(topic.row, "topicName type industry category")
    days = _series(call, topic, _TREND_DAYS)
    return answer([{"date": figures["date"], **about, **figures} for figures in days])


def _compare(call: Call) -> Response:
    """Thirty days of figures for each of up to ten topics, ending at the newest data."""
    form = Form(call.body)
    form.require("topicIds")
    topic_ids = form.integers("topicIds", _MOST_COMPARED) or []
    form.check()
    topics = [topic for topic_id in topic_ids if (topic := find_topic(topic_id))]
    return answer(
        [
            {**choose(topic.row, "topicId topicName"), "data": _series(call, topic, _DAYS_COMPARED)}
            for topic in topics
        ]
    )


def _movers(call: Call) -> Response:
    """The popular topics whose audience grew or shrank most since the day before."""
    form = Form(call.query)
    direction = form.choice("direction", ("up", "down")) or "up"
    kind = _read_kind(form)
    form.check()
    limit = call.number("limit", _MOVED, 1, _MOST_FOUND)
    people, day, sign = call.settings.people, call.data_date, 1 if direction == "up" else -1
    moves: list[tuple[float, Json]] = []
    for topic in _of_kind(_popular_topics(), kind):
        now, before = (_audience(people, topic.id, when) for when in (day, day - timedelta(days=1)))
        change = (now - before) / before if before else 0
        if sign * change > 0:
            row = choose(topic.row, "topicId topicName type industry")
            figures = {"todayAudience": now, "yesterdayAudience": before}
            moves.append((-sign * change, {**row, **figures, "pctChange": round(100 * change, 2)}))
    moves.sort(key=lambda move: move[0])
    return answer([row for _, row in moves[:limit]])


@lru_cache(maxsize=1)
def _popular_topics() -> list[Topic]:
    """The most popular of every seventh topic of each subject.

    They stand for all: counting all twenty thousand audiences would take over ten seconds.
    """
    best: dict[tuple[str, str], Topic] = {}
    for topic in inventory()[::7]:
        place = (topic.industry, topic.subject)
        best[place] = max(best.get(place, topic), topic, key=popularity)
    return list(best.values())


@lru_cache(maxsize=1_024)
def _audience(people: int, topic_id: int, day: date) -> int:
    return people - scores(people, topic_id, day).count(0)


def _series(call: Call, topic: Topic, days: int) -> list[Json]:
    dates = [call.data_date - timedelta(days=ago) for ago in reversed(range(days))]
    return [_figures(call.settings.people, topic, day) for day in dates]


@lru_cache(maxsize=4_096)
def _figures(people: int, topic: Topic, day: date) -> Json:
    column = scores(people, topic.id, day)
    interested = people - column.count(0)
    high, medium, low = (
        sum(map(column.count, range(*edges))) for edges in ((90, 100), (70, 90), (60, 70))
    )
    return {
        "date": day.isoformat(),
        "uniqueAudience": interested,
        "totalSignals": 3 * interested + 4 * high,
        "avgScore": round(sum(column) / interested, 1) if interested else 0,
        "highAudience": high,
        "mediumAudience": medium,
        "lowAudience": low,
    }


_WORD = re.compile(r"[a-z]{2,}")
# What an address says about no site in particular.
_SILENT = frozenset({"www", "com", "co", "net", "org", "index", "html", "php", "en", "us", "the"})
_NOT_PUBLIC = ("localhost", "local", "internal", "lan", "home", "arpa", "onion")
_LONGEST_URL = 2_048
_MOST_KEYWORDS, _TOPICS_OF_KEYWORD, _MOST_TOPICS = 8, 4, 10


def _analyze(call: Call) -> Response:
    """What a web site is about, invented from the words of its address."""
    form = Form(call.body)
    form.require("url")
    url = form.text("url", _LONGEST_URL) or ""
    form.check()
    # OA asks for ten characters; no address of a public site has fewer.
    host = _public_host(url)
    if not host:
        raise Refusal(400, "Invalid URL")
    if host.endswith(".invalid"):
        raise Refusal(500, "Processing error")  # nothing under it can ever be read (RFC 2606)
    text = f"{host.rpartition('.')[0]} {urlsplit(url).path}".lower()
    words = [word for word in dict.fromkeys(_WORD.findall(text)) if word not in _SILENT]
    labels = [label for label in host.split(".")[:-1] if label not in _SILENT]
    company = " ".join(word.capitalize() for word in _WORD.findall(labels[-1] if labels else ""))
    keywords = [word for word in words if len(word) > 2 and named(word)][:_MOST_KEYWORDS]
    if company and not keywords:
        # A name that says nothing: any line of business will do.
        field = dice(f"site {host}").choice(tuple(FIELDS.values()))
        keywords = [subject.lower() for subject in field.subjects[:3]]
    keyword_of: dict[Topic, str] = {}
    industry = named(keywords[0])[0].industry if keywords else ""
    for keyword in keywords:
        # Those of the line of business that the first word is about come before others.
        ours = [topic for topic in named(keyword) if topic.industry == industry]
        for topic in (ours or named(keyword))[:_TOPICS_OF_KEYWORD]:
            keyword_of.setdefault(topic, keyword)
    topics: list[Json] = [
        {**topic.row, "similarity": round(0.95 - place / 40, 3), "matchedKeyword": keyword}
        for place, (topic, keyword) in enumerate(keyword_of.items())
    ]
    return answer(
        {
            "company": company or None,
            "summary": f"{company} offers {', '.join(keywords)}." if company else None,
            "keywords": keywords,
            "topics": topics[:_MOST_TOPICS],
            "contentHash": hashlib.sha256(" ".join((host, *words)).encode()).hexdigest(),
        }
    )


def _public_host(url: str) -> str:
    """The host of an address; empty when it is none that the public could visit."""
    try:
        parts = urlsplit(url)
        host, _ = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or " " in url:
        return ""
    try:
        return host if ipaddress.ip_address(host).is_global else ""
    except ValueError:
        name, _, suffix = host.rpartition(".")
        return host if name and suffix not in _NOT_PUBLIC else ""


_TOPICS = "/v1/intent/topics"
TOPICS = (
    Endpoint("GET", _TOPICS, _list_topics),
    Endpoint("GET", f"{_TOPICS}/facets", _list_facets),
    Endpoint("GET", f"{_TOPICS}/search", _search_topics),
    Endpoint("GET", f"{_TOPICS}/movers", _movers),
    Endpoint("POST", f"{_TOPICS}/compare", _compare),
    Endpoint("GET", f"{_TOPICS}/{{topic_id}}/trend", _trend),
    Endpoint("POST", f"{_TOPICS}/analyze", _analyze),
)
