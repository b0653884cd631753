import hashlib
import json
from collections.abc import Callable
from typing import Any, Literal

import httpx
import pytest

from leadpipe_mcp.sandbox import SandboxSettings
from tests.faults.service import Sandbox

pytestmark = pytest.mark.anyio
Start = Callable[[SandboxSettings], Sandbox]
Connect = Callable[..., httpx.AsyncClient]
Play = Callable[[SandboxSettings], httpx.AsyncClient]
TOPICS = "/v1/intent/topics"
SEARCH = f"{TOPICS}/search"
ALL_TOPICS = 20_068


@pytest.fixture
def play(start: Start, connect: Connect) -> Play:
    return lambda settings: connect(start(settings))


@pytest.fixture
def client(play: Play) -> httpx.AsyncClient:
    return play(SandboxSettings())


async def names(client: httpx.AsyncClient, **params: str) -> list[str]:
    response = await client.get(SEARCH, params=params)
    assert response.status_code == 200, response.text
    return [topic["topicName"] for topic in response.json()["data"]]


async def test_the_whole_inventory_comes_at_once(client: httpx.AsyncClient) -> None:
    answer = (await client.get(TOPICS)).json()
    assert len(answer["data"]) == len({topic["topicId"] for topic in answer["data"]}) == ALL_TOPICS
    assert {
        "topicId": 117805,
        "topicName": "Marketing ROI",
        "type": "b2b",
        "industry": "Marketing",
        "category": "Service",
    } in answer["data"]
    nothing = {"type": None, "industry": None, "category": None, "q": None}
    assert answer["meta"] == {"count": ALL_TOPICS, "total": ALL_TOPICS, "filters": nothing}


async def test_what_was_once_called_something_is_called_so_for_ever(
    client: httpx.AsyncClient,
) -> None:
    topics = (await client.get(TOPICS)).json()["data"]
    known = json.dumps([list(topic.values()) for topic in topics if topic["topicId"] < 600_001])
    assert hashlib.sha256(known.encode()).hexdigest()[:16] == "2f9442e971563263"


async def test_some_names_are_near_each_other(client: httpx.AsyncClient) -> None:
    assert (await names(client, q="crm"))[0] == "CRM"
    assert await names(client, q="crm platform") == ["CRM Platform", "CRM Platforms"]
    assert await names(client, q="crm tool") == ["CRM Tool", "CRM Tools"]
    automation = await names(client, q="marketing automation")
    assert automation[:2] == ["Marketing Automation", "Marketing Automation Tools"]
    assert {"Marketing Automation Software", "Email Marketing Automation"} < {*automation}


async def test_one_name_can_be_a_topic_of_business_and_one_of_private_life(
    client: httpx.AsyncClient,
) -> None:
    topics = (await client.get(TOPICS)).json()["data"]
    by_name: dict[str, list[dict[str, str]]] = {}
    for topic in topics:
        by_name.setdefault(topic["topicName"], []).append(topic)
    shared = [called for called in by_name.values() if len(called) > 1]
    assert len(shared) == 12
    assert all({topic["type"] for topic in called} == {"b2b", "b2c"} for called in shared)
    facets = (await client.get(f"{TOPICS}/facets")).json()["data"]
    assert (len(facets["industries"]), len(facets["categories"])) == (20, 9)


async def test_near_names_have_an_audience_and_a_trend(client: httpx.AsyncClient) -> None:
    topics = (await client.get(TOPICS)).json()["data"]
    for topic in topics[-68::11]:
        body: dict[str, Any] = {"topicIds": [topic["topicId"]], "minScore": 50}
        found = (await client.post("/v1/intent/audiences/preview", json=body)).json()["data"]
        assert 500 < found["totalCount"] < 20_000
    trend = (await client.get(f"{TOPICS}/{topics[-1]['topicId']}/trend")).json()["data"]
    assert trend[-1]["uniqueAudience"] > 0
    assert (await client.get(f"{TOPICS}/{topics[-1]['topicId'] + 1}/trend")).json()["data"] == []


async def test_topics_are_listed_by_kind_and_name(client: httpx.AsyncClient) -> None:
    params = {"type": "b2b", "industry": "Sales", "category": "Product", "q": "crm"}
    answer = (await client.get(TOPICS, params=params)).json()
    assert len(answer["data"]) == 27
    for topic in answer["data"]:
        assert "CRM" in topic["topicName"].split()
        assert (topic["type"], topic["industry"], topic["category"]) == ("b2b", "Sales", "Product")
    assert answer["meta"] == {"count": 27, "total": 27, "filters": params}
    nothing = (await client.get(TOPICS, params={"industry": "sales"})).json()
    assert nothing["data"] == []
    everything = (await client.get(TOPICS, params={"industry": "", "q": ""})).json()
    assert everything["meta"]["count"] == ALL_TOPICS


async def test_facets_count_the_inventory(client: httpx.AsyncClient) -> None:
    data = (await client.get(f"{TOPICS}/facets")).json()["data"]
    assert data["total"] == ALL_TOPICS
    assert data["types"] == [
        {"value": "b2b", "count": 12_060},
        {"value": "b2c", "count": 6_007},
        {"value": "both", "count": 2_001},
    ]
    for facet in ("types", "industries", "categories"):
        assert sum(part["count"] for part in data[facet]) == ALL_TOPICS
    assert {"value": "Marketing", "count": 1_016} in data["industries"]


async def test_a_search_puts_the_name_itself_first(client: httpx.AsyncClient) -> None:
    assert (await names(client, q="crm software"))[0] == "CRM Software"
    assert (await names(client, q="  software CRM"))[0] == "CRM Software"
    found = await names(client, q="market", limit="50")
    assert len(found) == 50
    starts = [name.startswith("Market") for name in found]
    assert starts == sorted(starts, reverse=True)
    assert len(await names(client, q="soft")) == 10
    assert "Freight Benchmarks" not in await names(client, q="marks", limit="50")
    assert await names(client, q="nothing of the kind") == []


async def test_a_search_keeps_to_its_kind(client: httpx.AsyncClient) -> None:
    params = {"q": "courses", "industry": "Finance", "type": "b2b", "limit": "50"}
    found = await names(client, **params)
    assert len(found) == 10
    assert await names(client, q="crm", type="b2c") == []


@pytest.mark.parametrize(
    "path",
    [
        "/search",
        "/search?q=",
        f"/search?q={'x' * 101}",
        "/search?q=crm&limit=51",
        "/search?q=crm&limit=0",
        "/search?q=crm&type=b2d",
        f"?q={'x' * 101}",
        f"?category={'x' * 101}",
        "?type=all",
        "/movers?industry=",
        "/movers?limit=51",
        "/movers?direction=sideways",
        "/crm/trend",
        "/-5/trend",
    ],
)
async def test_what_the_topic_routes_refuse(path: str, client: httpx.AsyncClient) -> None:
    response = await client.get(f"{TOPICS}{path}")
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "VALIDATION_ERROR"


async def test_a_trend_is_ninety_days_up_to_the_newest_data(client: httpx.AsyncClient) -> None:
    days = (await client.get(f"{TOPICS}/117805/trend")).json()["data"]
    assert len(days) == 90
    assert (days[0]["date"], days[-1]["date"]) == ("2026-02-04", "2026-05-04")
    for day in days:
        assert list(day) == [
            "date",
            "topicName",
            "type",
            "industry",
            "category",
            "uniqueAudience",
            "totalSignals",
            "avgScore",
            "highAudience",
            "mediumAudience",
            "lowAudience",
        ]


async def test_a_topic_that_interests_nobody_has_a_flat_trend(play: Play) -> None:
    client = play(SandboxSettings(people=1_000))
    for topic in range(114_001, 114_101):
        days = (await client.get(f"{TOPICS}/{topic}/trend")).json()["data"]
        assert len(days) == 90
        if days[0]["uniqueAudience"] == 0:
            assert (days[0]["avgScore"], days[0]["totalSignals"]) == (0, 0)
            break
    else:
        pytest.fail("every topic interests somebody")


@pytest.mark.parametrize("status", [200, 404])
async def test_an_unknown_topic_has_an_empty_trend_or_none(
    status: Literal[200, 404], play: Play
) -> None:
    client = play(SandboxSettings(unknown_trend_status=status))
    response = await client.get(f"{TOPICS}/123/trend")
    assert response.status_code == status
    assert response.json().get("data", []) == []


async def test_movers_are_ordered_by_how_much_they_moved(client: httpx.AsyncClient) -> None:
    for direction, sign in (("up", 1), ("down", -1)):
        params = {"direction": direction, "limit": "50"}
        moved = (await client.get(f"{TOPICS}/movers", params=params)).json()["data"]
        assert len(moved) == 50
        changes = [sign * topic["pctChange"] for topic in moved]
        assert min(changes) > 0
        assert changes == sorted(changes, reverse=True)
        for topic in moved:
            growth = topic["todayAudience"] / topic["yesterdayAudience"] - 1
            assert topic["pctChange"] == round(100 * growth, 2)


async def test_movers_keep_to_their_kind(client: httpx.AsyncClient) -> None:
    params = {"type": "b2c", "industry": "Family"}
    moved = (await client.get(f"{TOPICS}/movers", params=params)).json()["data"]
    assert 0 < len(moved) <= 20
    assert {(topic["type"], topic["industry"]) for topic in moved} == {("b2c", "Family")}


async def test_all_routes_agree_on_an_audience(client: httpx.AsyncClient) -> None:
    moved = (await client.get(f"{TOPICS}/movers", params={"limit": "3"})).json()["data"]
    for topic in moved:
        topic_id = topic["topicId"]
        trend = (await client.get(f"{TOPICS}/{topic_id}/trend")).json()["data"]
        assert trend[-1]["uniqueAudience"] == topic["todayAudience"]
        assert trend[-2]["uniqueAudience"] == topic["yesterdayAudience"]
        body: dict[str, Any] = {"topicIds": [topic_id]}
        compared = (await client.post(f"{TOPICS}/compare", json=body)).json()["data"][0]["data"]
        figures = [{key: day[key] for key in compared[0]} for day in trend[-30:]]
        assert compared == figures
        body["minScore"] = 50
        preview = await client.post("/v1/intent/audiences/preview", json=body)
        assert preview.json()["data"]["totalCount"] == topic["todayAudience"]
