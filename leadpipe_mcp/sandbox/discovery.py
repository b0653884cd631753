"""The public routes that browse the inventory of topics."""

from collections import Counter
from collections.abc import Iterable, Sequence

from leadpipe_mcp.sandbox.calls import Call, Endpoint
from leadpipe_mcp.sandbox.reading import Form
from leadpipe_mcp.sandbox.replies import Json, Reply, answer
from leadpipe_mcp.sandbox.topic_search import LONGEST_WORDS, Kind, named, of_kind, read_kind
from leadpipe_mcp.sandbox.topics import Topic, inventory

_FOUND, _MOST_FOUND = 10, 50


def list_topics(call: Call) -> Reply:
    """Every topic, or those of a kind and a name; there are no pages."""
    form = Form(dict(call.query))
    kind, words = read_kind(form), form.text("q", LONGEST_WORDS)
    call.refuse_issues(form)
    topics = of_kind(inventory(), kind, call.settings)
    if words:
        among = {topic.id for topic in named(words, call.settings.topic_search)}
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
    topics = of_kind(
        named(words or "", call.settings.topic_search), kind._replace(category=None), call.settings
    )
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
    listed = len(topics)
    if call.settings.topics_meta == "pages":
        return {"total": listed, "page": 1, "pageSize": listed, "hasMore": False}
    total = listed if call.settings.topics_total == "listed" else len(inventory())
    filters = {**kind._asdict(), "q": call.query.get("q") or None}
    return {"count": listed, "total": total, "filters": filters}


def _counted(values: Iterable[str]) -> list[Json]:
    return [{"value": value, "count": count} for value, count in Counter(values).most_common()]


_TOPICS = "/v1/intent/topics"
ENDPOINTS = (
    Endpoint("GET", _TOPICS, list_topics, "nothing"),
    Endpoint("GET", f"{_TOPICS}/facets", list_facets, "nothing"),
    Endpoint("GET", f"{_TOPICS}/search", search_topics, "nothing"),
)
