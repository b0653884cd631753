"""Routes that both generations share: the account and the public topic routes."""

from datetime import date, timedelta

from leadpipe_mcp.sandbox.calls import Call, Endpoint
from leadpipe_mcp.sandbox.days import timestamp
from leadpipe_mcp.sandbox.interest import HIGHEST, LOWEST, scores_of_day
from leadpipe_mcp.sandbox.reading import Form
from leadpipe_mcp.sandbox.replies import Json, Reply, answer
from leadpipe_mcp.sandbox.topics import Topic, find_topic

_CREDITS = 500
_CREDITS_USED = 123
_DAYS_OF_SERIES = 30
_MOST_COMPARED = 10
_DAYS_UNTIL_RESET = 30


def account(call: Call) -> Reply:
    """The health of the organisation, its credits, pixels and slots; answers expired ones too."""
    used = 0 if call.expired else _CREDITS_USED
    pixels = 0 if call.expired else 1
    data: Json = {
        "healthy": not call.expired,
        "organization": {
            "name": "Sandbox Organization",
            "status": "expired" if call.expired else "active",
        },
        "credits": {
            "used": used,
            "limit": _CREDITS,
            "remaining": _CREDITS - used,
            "percentUsed": round(100 * used / _CREDITS, 1),
            "resetsAt": timestamp(call.now + timedelta(days=_DAYS_UNTIL_RESET).total_seconds()),
        },
        "pixels": {"total": pixels, "active": pixels, "paused": 0},
    }
    if call.settings.slots_key:
        taken = call.organisation.slots_used
        data[call.settings.slots_key] = {
            "used": taken,
            "limit": call.settings.slots,
            "remaining": call.settings.slots - taken,
        }
    return answer(data)


def compare(call: Call) -> Reply:
    """Thirty days of figures for each of up to ten topics, ending at the newest data."""
    form = Form(call.body)
    form.require("topicIds")
    topic_ids = form.integers("topicIds", _MOST_COMPARED) or []
    call.refuse_issues(form)
    days = [call.data_date - timedelta(days=ago) for ago in reversed(range(_DAYS_OF_SERIES))]
    topics = [topic for topic_id in topic_ids if (topic := find_topic(topic_id))]
    return answer(
        [
            {
                "topicId": topic.id,
                "topicName": topic.name,
                "data": [_figures(call.settings.people, topic, day) for day in days],
            }
            for topic in topics
        ]
    )


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


ENDPOINTS = (
    Endpoint("GET", "/v1/data/account", account, "key"),
    Endpoint("POST", "/v1/intent/topics/compare", compare, "nothing"),
)
