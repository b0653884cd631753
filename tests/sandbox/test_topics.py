"""Topics: browsed, followed from day to day, and found for a web site."""

import hashlib
import json

import httpx
import pytest

from tests.sandbox.asking import AUDIENCES, Play, ask

pytestmark = pytest.mark.anyio
TOPICS = "/v1/intent/topics"
ALL_TOPICS = 20_068
ANALYZE = f"{TOPICS}/analyze"
SITE = {"url": "https://www.bluefern-crm.example/pricing?from=mail"}


@pytest.fixture
def client(play: Play) -> httpx.AsyncClient:
    return play(people=1_000)


async def test_the_inventory_comes_at_once_and_never_changes_its_names(
    client: httpx.AsyncClient,
) -> None:
    answer = (await client.get(TOPICS)).json()
    nothing = {"type": None, "industry": None, "category": None, "q": None}
    assert answer["meta"] == {"count": ALL_TOPICS, "total": ALL_TOPICS, "filters": nothing}
    assert len({topic["topicId"] for topic in answer["data"]}) == ALL_TOPICS
    known = [list(topic.values()) for topic in answer["data"] if topic["topicId"] < 600_001]
    digest = hashlib.sha256(json.dumps(known).encode()).hexdigest()
    assert digest[:16] == "2f9442e971563263"


async def test_topics_are_listed_by_kind_and_name(client: httpx.AsyncClient) -> None:
    params = {"type": "b2b", "industry": "Sales", "category": "Product", "q": "crm"}
    answer = (await client.get(TOPICS, params=params)).json()
    assert answer["meta"] == {"count": 27, "total": 27, "filters": params}
    for topic in answer["data"]:
        assert "CRM" in topic["topicName"].split()
        assert (topic["type"], topic["industry"], topic["category"]) == ("b2b", "Sales", "Product")
    assert await ask(client, "GET", TOPICS, industry="sales") == []


async def test_what_the_topic_routes_refuse(client: httpx.AsyncClient) -> None:
    for path in (
        *("/search", "/search?q=", f"/search?q={'x' * 101}", "/search?q=crm&limit=51"),
        *(f"?category={'x' * 101}", "?type=all", "/movers?direction=sideways", "/crm/trend"),
    ):
        error = await ask(client, "GET", f"{TOPICS}{path}", expect=400)
        assert error["code"] == "VALIDATION_ERROR"


@pytest.mark.parametrize(
    "url",
    ["http://[crm.example", "ftp://crm.example/", "https://10.0.0.7/crm", "https://crm.local/"],
)
async def test_an_address_that_is_not_public_is_not_analysed(
    url: str, client: httpx.AsyncClient
) -> None:
    error = await ask(client, "POST", ANALYZE, {"url": url}, expect=400)
    assert error["message"] == "Invalid URL"


async def test_all_routes_agree_on_an_audience(client: httpx.AsyncClient) -> None:
    for direction, sign in (("up", 1), ("down", -1)):
        moved = await ask(client, "GET", f"{TOPICS}/movers", direction=direction, limit=50)
        changes = [sign * topic["pctChange"] for topic in moved]
        assert len(moved) > 20
        assert changes == sorted(changes, reverse=True)
        assert changes[-1] > 0
        topic = moved[0]
        trend = await ask(client, "GET", f"{TOPICS}/{topic['topicId']}/trend")
        assert (len(trend), trend[0]["date"], trend[-1]["date"]) == (90, "2026-02-04", "2026-05-04")
        assert trend[-2]["uniqueAudience"] == topic["yesterdayAudience"]
        body = {"topicIds": [topic["topicId"]]}
        compared = (await ask(client, "POST", f"{TOPICS}/compare", body))[0]["data"]
        assert compared == [{key: day[key] for key in compared[0]} for day in trend[-30:]]
        preview = await ask(client, "POST", f"{AUDIENCES}/preview", {**body, "minScore": 50})
        assert preview["totalCount"] == trend[-1]["uniqueAudience"] == topic["todayAudience"]


async def test_a_site_is_about_the_words_of_its_address(client: httpx.AsyncClient) -> None:
    data = await ask(client, "POST", ANALYZE, SITE)
    assert (data["company"], data["keywords"]) == ("Bluefern Crm", ["crm", "pricing"])
    similarities = [topic["similarity"] for topic in data["topics"]]
    assert similarities == sorted(similarities, reverse=True)
    assert 0 < similarities[-1] < similarities[0] < 1
    for topic in data["topics"]:
        assert topic["matchedKeyword"] in topic["topicName"].lower()
    assert await ask(client, "POST", ANALYZE, SITE) == data
    silent = await ask(client, "POST", ANALYZE, {"url": "https://123.co.example/"})
    assert (silent["company"], silent["summary"], silent["topics"]) == (None, None, [])
