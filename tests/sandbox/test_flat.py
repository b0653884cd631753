from collections.abc import Callable
from typing import Any

import httpx
import pytest

from leadpipe_mcp.sandbox import SandboxSettings
from tests.faults.service import Sandbox

pytestmark = pytest.mark.anyio
Start = Callable[[SandboxSettings], Sandbox]
Connect = Callable[..., httpx.AsyncClient]
AUDIENCES = "/v1/intent/audiences"
QUERY = f"{AUDIENCES}/query"
SOME_ID = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
CONFIG: dict[str, Any] = {
    "topicIds": [117805, 117890],
    "minScore": 60,
    "filters": {"companyIndustry": ["software development"], "seniority": ["vp", "director"]},
}


@pytest.fixture
def sandbox(start: Start) -> Sandbox:
    return start(SandboxSettings(profile="flat", examples=False))


@pytest.fixture
def client(sandbox: Sandbox, connect: Connect) -> httpx.AsyncClient:
    return connect(sandbox)


async def create(client: httpx.AsyncClient, **body: object) -> dict[str, Any]:
    response = await client.post(AUDIENCES, json={"name": "Buyers", "config": CONFIG, **body})
    assert response.status_code == 201, response.text
    return response.json()["data"]


async def test_a_preview_counts_and_shows_masked_people(client: httpx.AsyncClient) -> None:
    data = (await client.post(f"{AUDIENCES}/preview", json=CONFIG)).json()["data"]
    assert set(data) == {"totalCount", "sample", "previewKey", "dataDate"}
    assert data["dataDate"] == "2026-05-04"
    assert len(data["sample"]) <= 50
    for row in data["sample"]:
        assert len(row) == 35  # the 34 typed fields and hem
        assert row["masked"] is True
        assert row["email"][1:5] == "***@"
        assert row["companyDomain"] is row["headline"] is row["emailHashes"]["md5"] is None
        assert len(row["hem"]) == 64
        assert row["matchedTopicIds"][0] == row["topicId"]


async def test_a_query_is_materialised_first(
    client: httpx.AsyncClient, moments: list[float]
) -> None:
    response = await client.post(QUERY, json=CONFIG)
    assert response.status_code == 202
    meta = response.json()["meta"]
    assert meta.pop("cacheKey")
    assert response.json()["data"] == []
    assert meta == {
        "count": 0,
        "totalCount": 0,
        "nextCursor": None,
        "hasMore": False,
        "status": "materializing",
        "dataDate": "2026-05-04",
    }
    moments.append(moments[-1] + 1.9)
    assert (await client.post(QUERY, json=CONFIG)).status_code == 202
    moments.append(moments[-1] + 0.2)
    response = await client.post(QUERY, json=CONFIG)
    assert response.status_code == 200
    answer = response.json()
    assert len(answer["data"]) == answer["meta"]["count"] == 50
    assert answer["meta"]["status"] == "ready"
    preview = await client.post(f"{AUDIENCES}/preview", json=CONFIG)
    assert answer["meta"]["totalCount"] == preview.json()["data"]["totalCount"]


async def test_a_row_of_a_query_has_its_56_fields_and_hem(start: Start, connect: Connect) -> None:
    client = connect(start(SandboxSettings(profile="flat", run_seconds=0)))
    rows = (await client.post(QUERY, json={**CONFIG, "limit": 100})).json()["data"]
    for row in rows:
        assert len(row) == 57
        assert all(not isinstance(row[field], list) for field in ("emails", "phones"))
        assert row["hem"] == row["emailHashes"]["sha256"] in row["allEmailHashes"]
    assert any(", " in row["emails"] for row in rows)
    assert any(row["hasChildren"] is None for row in rows)


async def test_pages_follow_each_other_without_gaps(start: Start, connect: Connect) -> None:
    client = connect(start(SandboxSettings(profile="flat", run_seconds=0)))
    people: list[tuple[int, str]] = []
    cursor = None
    while True:
        body = {**CONFIG, "limit": 100, "cursor": cursor}
        answer = (await client.post(QUERY, json=body)).json()
        people += [(-row["intentScore"], row["hem"]) for row in answer["data"]]
        cursor = answer["meta"]["nextCursor"]
        assert answer["meta"]["hasMore"] is (cursor is not None)
        if cursor is None:
            break
    assert len(people) == len(set(people)) == answer["meta"]["totalCount"]
    assert [score for score, _ in people] == sorted(score for score, _ in people)


async def test_a_cursor_keeps_to_its_run_when_a_newer_one_comes(
    start: Start, connect: Connect, moments: list[float]
) -> None:
    client = connect(start(SandboxSettings(profile="flat", run_seconds=0, examples=False)))
    audience = await create(client)
    await client.patch(f"{AUDIENCES}/{audience['id']}", json={"status": "active"})
    results = f"{AUDIENCES}/{audience['id']}/results"
    first = (await client.get(results, params={"limit": 5})).json()["meta"]
    moments.append(moments[-1] + 86_400)
    newer = (await client.get(results, params={"limit": 5})).json()["meta"]
    params = {"limit": "5", "cursor": first["nextCursor"]}
    second = (await client.get(results, params=params)).json()["meta"]
    assert newer["dataDate"] == "2026-05-05"
    assert second["dataDate"] == first["dataDate"] == "2026-05-04"
    assert second["totalCount"] == first["totalCount"]


@pytest.mark.parametrize("cursor", ["what", "Zm9v", "", "c29tZTox"])
async def test_a_cursor_of_something_else_is_refused(
    cursor: str, start: Start, connect: Connect
) -> None:
    client = connect(start(SandboxSettings(profile="flat", run_seconds=0)))
    response = await client.post(QUERY, json={**CONFIG, "cursor": cursor})
    assert response.status_code == (400 if cursor else 200)


async def test_a_cursor_of_another_query_is_refused(start: Start, connect: Connect) -> None:
    client = connect(start(SandboxSettings(profile="flat", run_seconds=0)))
    cursor = (await client.post(QUERY, json=CONFIG)).json()["meta"]["nextCursor"]
    other = {**CONFIG, "minScore": 61, "cursor": cursor}
    assert (await client.post(QUERY, json=other)).status_code == 400


async def test_a_query_can_ask_for_a_day(start: Start, connect: Connect) -> None:
    client = connect(start(SandboxSettings(profile="flat", run_seconds=0)))
    totals: list[int] = []
    for day in range(28, 31):
        response = await client.post(QUERY, json={**CONFIG, "date": f"2026-04-{day}"})
        assert response.json()["meta"]["dataDate"] == f"2026-04-{day}"
        totals.append(response.json()["meta"]["totalCount"])
    assert len(set(totals)) > 1
    for date in ("2026-04-27", "2026-05-05"):
        response = await client.post(QUERY, json={**CONFIG, "date": date})
        assert response.status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"date": "2026-02-30"},
        {"date": "20260504"},
        {"limit": 0},
        {"limit": 101},
        {"limit": "5"},
        {"limit": True},
        {"cursor": 5},
        {"topicIds": []},
        {"topicIds": list(range(1, 12))},
        {"topicIds": ["117805"]},
        {"topicIds": None},
        {"minScore": 0},
        {"minScore": 101},
        {"minScore": None},
        {"maxScore": 101},
        {"minTopicOverlap": 11},
        {"minTopicOverlap": 1.5},
        {"audienceId": "what"},
        {"audienceId": 5},
    ],
)
async def test_a_query_out_of_bounds_is_refused(
    change: dict[str, object], client: httpx.AsyncClient
) -> None:
    response = await client.post(QUERY, json={**CONFIG, **change})
    assert response.status_code == 400
    assert next(iter(change)) in response.json()["error"]["message"]


async def test_a_query_needs_topics_or_an_audience(client: httpx.AsyncClient) -> None:
    response = await client.post(QUERY, json={"limit": 5})
    assert response.status_code == 400
    response = await client.post(QUERY, json={"audienceId": SOME_ID})
    assert response.status_code == 404


async def test_audiences_are_created_read_listed_changed_and_deleted(
    client: httpx.AsyncClient, moments: list[float]
) -> None:
    created = await create(client)
    assert created == {
        "id": created["id"],
        "name": "Buyers",
        "status": "draft",
        "config": CONFIG,
        "audienceSize": None,
        "lastRefreshedAt": None,
        "createdAt": "2026-05-05T09:15:00.000Z",
    }
    read = (await client.get(f"{AUDIENCES}/{created['id']}")).json()["data"]
    assert read == {
        **created,
        "topics": [
            {"id": 117805, "name": "Marketing ROI"},
            {"id": 117890, "name": "Marketing Automation"},
        ],
        "updatedAt": "2026-05-05T09:15:00.000Z",
    }
    moments.append(moments[-1] + 60)
    newer = await create(client, name="Newer", audienceSize=7)
    assert newer["audienceSize"] == 7
    listed = (await client.get(AUDIENCES, params={"status": "active", "limit": "0"})).json()
    assert [audience["name"] for audience in listed["data"]] == ["Newer", "Buyers"]
    body = {"name": "Renamed", "config": {"topicIds": [117918]}, "audienceSize": 3}
    changed = (await client.patch(f"{AUDIENCES}/{created['id']}", json=body)).json()["data"]
    assert changed == {
        "id": created["id"],
        "name": "Renamed",
        "status": "draft",
        "config": {"topicIds": [117918]},
        "audienceSize": 3,
        "lastRefreshedAt": None,
        "updatedAt": "2026-05-05T09:16:00.000Z",
    }
    response = await client.delete(f"{AUDIENCES}/{created['id']}")
    assert (response.status_code, response.json()) == (200, {"data": {"deleted": True}})
    assert (await client.delete(f"{AUDIENCES}/{created['id']}")).status_code == 404


async def test_a_new_audience_is_a_draft_whatever_it_asks_for(client: httpx.AsyncClient) -> None:
    assert (await create(client, status="active"))["status"] == "draft"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "No config"},
        {"name": "", "config": CONFIG},
        {"name": "x" * 256, "config": CONFIG},
        {"config": CONFIG},
        {"name": "No topics", "config": {}},
        {"name": "Bad source", "config": {**CONFIG, "sourceUrl": "example.com"}},
        {"name": "Negative", "config": CONFIG, "audienceSize": -1},
        None,
    ],
)
async def test_an_audience_out_of_bounds_is_refused(
    body: object, client: httpx.AsyncClient
) -> None:
    assert (await client.post(AUDIENCES, json=body)).status_code == 400
    assert (await client.get(AUDIENCES)).json()["data"] == []


async def test_results_are_none_then_materializing_then_ready(
    client: httpx.AsyncClient, moments: list[float]
) -> None:
    audience = await create(client)
    path = f"{AUDIENCES}/{audience['id']}"
    status = (await client.get(f"{path}/status")).json()["data"]
    assert status == {"status": "none", "totalCount": 0, "dataDate": None, "runId": None}
    response = await client.get(f"{path}/results")
    assert response.status_code == 202
    meta = {"status": "materializing", "dataDate": "2026-05-04"}
    assert response.json() == {"data": [], "meta": meta}
    status = (await client.get(f"{path}/status")).json()["data"]
    assert (status["status"], status["totalCount"]) == ("materializing", 0)
    runs = (await client.get(f"{path}/runs")).json()["data"]
    assert [(run["status"], run["totalCount"]) for run in runs] == [("materializing", 0)]
    moments.append(moments[-1] + 2)
    status = (await client.get(f"{path}/status")).json()["data"]
    assert status["status"] == "ready"
    answer = (await client.get(f"{path}/results", params={"limit": "7"})).json()
    assert len(answer["data"]) == answer["meta"]["count"] == 7
    assert answer["meta"]["totalCount"] == status["totalCount"]
    assert "cacheKey" not in answer["meta"]
    for row in answer["data"]:
        assert len(row) == 55
        assert row["personId"]
        assert "companyCountry" in row
        assert "country" not in row
        assert "emailHashes" not in row
    read = (await client.get(path)).json()["data"]
    assert read["audienceSize"] == status["totalCount"]
    assert read["lastRefreshedAt"] == "2026-05-05T09:15:02.000Z"


async def test_the_active_example_has_a_week_of_days(start: Start, connect: Connect) -> None:
    client = connect(start(SandboxSettings(profile="flat")))
    active, paused = (await client.get(AUDIENCES)).json()["data"]
    assert (active["status"], paused["status"]) == ("active", "paused")
    assert active["name"] == "Marketing Directors at Tech Companies"
    assert active["config"]["filters"]["seniority"] == ["director", "vp", "cxo"]
    assert 500 < active["audienceSize"] < 2_000
    assert paused["audienceSize"] > 0
    runs = (await client.get(f"{AUDIENCES}/{active['id']}/runs")).json()["data"]
    days = [run["dataDate"] for run in runs]
    assert days[:7] == [
        "2026-05-04",
        "2026-05-03",
        "2026-05-02",
        "2026-05-01",
        "2026-04-30",
        "2026-04-29",
        "2026-04-28",
    ]
    params = {"date": "2026-05-01"}
    answer = (await client.get(f"{AUDIENCES}/{active['id']}/results", params=params)).json()
    assert answer["meta"]["dataDate"] == "2026-05-01"
    assert answer["meta"]["totalCount"] == runs[3]["totalCount"]
    status = (await client.get(f"{AUDIENCES}/{active['id']}/status", params=params)).json()
    assert status["data"]["dataDate"] == "2026-05-01"
    assert len({run["totalCount"] for run in runs}) > 1


@pytest.mark.parametrize("params", [{"date": "yesterday"}, {"limit": "0"}, {"limit": "many"}])
async def test_results_out_of_bounds_are_refused(
    params: dict[str, str], client: httpx.AsyncClient
) -> None:
    audience = await create(client)
    response = await client.get(f"{AUDIENCES}/{audience['id']}/results", params=params)
    assert response.status_code == 400


async def test_an_old_day_does_not_become_the_latest(start: Start, connect: Connect) -> None:
    client = connect(start(SandboxSettings(profile="flat", run_seconds=0, examples=False)))
    audience = await create(client)
    path = f"{AUDIENCES}/{audience['id']}"
    await client.get(f"{path}/results")
    await client.get(f"{path}/results", params={"date": "2026-05-01"})
    status = (await client.get(f"{path}/status")).json()["data"]
    assert status["dataDate"] == "2026-05-04"


async def test_a_new_config_has_no_results_yet(start: Start, connect: Connect) -> None:
    client = connect(start(SandboxSettings(profile="flat", run_seconds=0)))
    active = (await client.get(AUDIENCES)).json()["data"][0]
    path = f"{AUDIENCES}/{active['id']}"
    await client.patch(path, json={"config": CONFIG})
    assert (await client.get(f"{path}/status")).json()["data"]["status"] == "none"
    assert (await client.get(f"{path}/results")).status_code == 200


async def test_a_failed_run_is_said_to_have_failed(start: Start, connect: Connect) -> None:
    settings = SandboxSettings(profile="flat", run_seconds=0, runs_fail=True, examples=False)
    client = connect(start(settings))
    audience = await create(client)
    path = f"{AUDIENCES}/{audience['id']}"
    response = await client.get(f"{path}/results")
    assert response.status_code == 202
    assert response.json()["meta"]["status"] == "failed"
    assert (await client.get(f"{path}/status")).json()["data"]["status"] == "failed"
