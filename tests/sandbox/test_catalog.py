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
SOME_ID = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
CONFIG: dict[str, Any] = {
    "topicIds": [117805, 117890],
    "minScore": 60,
    "filters": {
        "company.industries": {"values": ["software development"]},
        "role": {"isDecisionMaker": True},
    },
}


@pytest.fixture
def client(start: Start, connect: Connect) -> httpx.AsyncClient:
    return connect(start(SandboxSettings(profile="catalog", examples=False)))


@pytest.fixture
def quick(start: Start, connect: Connect) -> httpx.AsyncClient:
    return connect(start(SandboxSettings(profile="catalog", run_seconds=0, examples=False)))


async def create(client: httpx.AsyncClient, **body: object) -> dict[str, Any]:
    response = await client.post(AUDIENCES, json={"name": "Buyers", "config": CONFIG, **body})
    assert response.status_code == 201, response.text
    return response.json()["data"]


async def queue(client: httpx.AsyncClient, audience_id: str) -> dict[str, Any]:
    response = await client.post(f"{AUDIENCES}/{audience_id}/runs", json={"runType": "manual"})
    assert response.status_code == 201, response.text
    return response.json()["data"]


async def test_a_valid_config_comes_back_normalized(client: httpx.AsyncClient) -> None:
    body = {**CONFIG, "minScore": 20, "topicIds": [117805, 117890, 117805]}
    answer = (await client.post(f"{AUDIENCES}/validate", json=body)).json()
    assert set(answer["meta"]) == {"timestamp", "request_id"}
    data = answer["data"]
    assert data["valid"] is True
    assert data["strategy"] == "serving_table_in"
    assert len(data["configHash"]) == 64
    assert data["appliedFilters"] == ["company.industries", "role.isDecisionMaker"]
    assert data["normalizedConfig"] == {
        "topicIds": [117805, 117890],
        "minScore": 50,
        "maxScore": 99,
        "minTopicOverlap": 1,
        "filters": {
            "company.industries": {"values": ["software development"]},
            "role.isDecisionMaker": True,
        },
        "sourceUrl": None,
    }


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"topicIds": list(range(1, 251))}, 200),
        ({"topicIds": list(range(1, 252))}, 400),
        ({"minScore": None}, 200),
        ({"minScore": 0}, 200),
        ({"minScore": -1}, 400),
        ({"minScore": 100}, 400),
        ({"maxScore": 49}, 400),
        ({"maxScore": 50}, 200),
        ({"maxScore": 100}, 400),
        ({"maxScore": None}, 400),
        ({"minTopicOverlap": 250}, 200),
        ({"minTopicOverlap": 251}, 400),
        ({"sourceUrl": "https://example.com/about"}, 200),
        ({"sourceUrl": 5}, 400),
    ],
)
async def test_the_bounds_of_a_config(
    change: dict[str, object], status: int, client: httpx.AsyncClient
) -> None:
    response = await client.post(f"{AUDIENCES}/validate", json={**CONFIG, **change})
    assert response.status_code == status


async def test_a_preview_says_how_many_and_of_what_kind(client: httpx.AsyncClient) -> None:
    data = (await client.post(f"{AUDIENCES}/preview", json=CONFIG)).json()["data"]
    assert set(data) == {
        "configHash",
        "dataDate",
        "strategy",
        "totalCount",
        "breakdowns",
        "sample",
        "appliedFilters",
    }
    assert data["breakdowns"]["industries"] == [
        {
            "value": "software development",
            "label": "Software Development",
            "count": data["totalCount"],
        }
    ]
    assert {part["label"] for part in data["breakdowns"]["seniorities"]} >= {"VP", "C-Suite"}
    row = data["sample"][0]
    assert set(row["company"]) == {"name", "domain", "industry"}
    assert row["lastName"].endswith(".")
    assert row["intent"]["matchedTopics"][0]["topicName"].startswith("Marketing")


async def test_audiences_are_created_read_listed_changed_and_deleted(
    client: httpx.AsyncClient,
) -> None:
    created = await create(client)
    assert created == {
        "id": created["id"],
        "organizationId": created["organizationId"],
        "name": "Buyers",
        "status": "draft",
        "accessType": "paid",
        "dailyRefreshEnabled": False,
        "audienceSize": 0,
        "createdAt": "2026-05-05T09:15:00.000Z",
        "updatedAt": "2026-05-05T09:15:00.000Z",
    }
    path = f"{AUDIENCES}/{created['id']}"
    read = (await client.get(path)).json()["data"]
    assert read == {**created, "lastRefreshedAt": None, "config": CONFIG}
    active = await create(client, name="Active", status="active")
    assert active["dailyRefreshEnabled"] is True
    listed = (await client.get(AUDIENCES)).json()["data"]
    assert [audience["name"] for audience in listed] == ["Active", "Buyers"]
    assert set(listed[0]) == {
        "id",
        "name",
        "status",
        "accessType",
        "dailyRefreshEnabled",
        "audienceSize",
        "lastRefreshedAt",
        "createdAt",
    }
    for params, names in (
        ({"status": "active"}, ["Active"]),
        ({"status": "paused"}, []),
        ({"limit": "1"}, ["Active"]),
    ):
        found = (await client.get(AUDIENCES, params=params)).json()["data"]
        assert [audience["name"] for audience in found] == names
    for params in ({"status": "gone"}, {"limit": "101"}):
        assert (await client.get(AUDIENCES, params=params)).status_code == 400
    changed = (await client.patch(path, json={"name": "Renamed"})).json()["data"]
    assert (changed["name"], changed["config"]) == ("Renamed", CONFIG)
    response = await client.delete(path)
    assert response.json()["data"] == {"deleted": True}
    assert (await client.get(path)).status_code == 404


async def test_a_run_goes_from_queued_to_completed(
    client: httpx.AsyncClient, moments: list[float]
) -> None:
    audience = await create(client)
    path = f"{AUDIENCES}/{audience['id']}/runs"
    run = await queue(client, audience["id"])
    assert (run["status"], run["runType"], run["dataDate"]) == ("queued", "manual", "2026-05-04")
    assert (run["candidateCount"], run["resultCount"], run["startedAt"]) == (0, 0, None)
    assert run["audienceId"] == audience["id"]
    assert run["organizationId"] == audience["organizationId"]
    moments.append(moments[-1] + 0.6)
    run = (await client.get(f"{path}/{run['id']}")).json()["data"]
    assert (run["status"], run["startedAt"]) == ("running", "2026-05-05T09:15:00.500Z")
    response = await client.get(f"{path}/{run['id']}/results")
    assert response.status_code == 202
    page = response.json()["data"]
    assert (page["state"], page["results"], page["total"]) == ("running", [], 0)
    moments.append(moments[-1] + 1.4)
    run = (await client.get(path)).json()["data"][0]
    assert (run["status"], run["completedAt"]) == ("completed", "2026-05-05T09:15:02.000Z")
    preview = (await client.post(f"{AUDIENCES}/preview", json=CONFIG)).json()["data"]
    assert run["resultCount"] == preview["totalCount"] < run["candidateCount"]
    assert run["configHash"] == preview["configHash"]
    read = (await client.get(f"{AUDIENCES}/{audience['id']}")).json()["data"]
    assert read["audienceSize"] == run["resultCount"]
    assert read["lastRefreshedAt"] == run["completedAt"]


async def test_results_come_by_offset(quick: httpx.AsyncClient) -> None:
    audience = await create(quick)
    run = await queue(quick, audience["id"])
    path = f"{AUDIENCES}/{audience['id']}/runs/{run['id']}/results"
    people: list[str] = []
    scores: list[int] = []
    while True:
        params = {"limit": 100, "offset": len(people)}
        page = (await quick.get(path, params=params)).json()["data"]
        people += [row["hashedEmail"] for row in page["results"]]
        scores += [row["intent"]["score"] for row in page["results"]]
        if not page["results"]:
            break
    assert len(set(people)) == len(people) == page["total"] == run["resultCount"]
    assert scores == sorted(scores, reverse=True)
    assert page["run"]["status"] == "completed"
    assert len((await quick.get(path)).json()["data"]["results"]) == 50
    for params in ({"limit": 101}, {"limit": 0}, {"offset": -1}):
        assert (await quick.get(path, params=params)).status_code == 400


async def test_a_row_of_results_has_the_documented_fields(quick: httpx.AsyncClient) -> None:
    audience = await create(quick)
    run = await queue(quick, audience["id"])
    path = f"{AUDIENCES}/{audience['id']}/runs/{run['id']}/results?limit=100"
    rows = (await quick.get(path)).json()["data"]["results"]
    for row in rows:
        assert row["fullName"] == f"{row['firstName']} {row['lastName']}"
        assert row["email"] == row["personalEmail"] or row["personalEmail"] is None
        assert row["primaryContactEmail"] == row["businessEmail"] or row["businessEmail"] is None
        assert row["company"]["industryGroup"].startswith("techno")
        assert len(row["hashedEmail"]) == 64


async def test_one_idempotency_key_makes_one_run(client: httpx.AsyncClient) -> None:
    audience = await create(client)
    path = f"{AUDIENCES}/{audience['id']}/runs"
    ids = [
        (await client.post(path, headers={"Idempotency-Key": key})).json()["data"]["id"]
        for key in ("one", "one", "two")
    ]
    assert ids[0] == ids[1] != ids[2]
    listed = (await client.get(path, params={"limit": "1"})).json()["data"]
    assert [(run["id"], run["idempotencyKey"]) for run in listed] == [(ids[2], "two")]
    response = await client.post(path, headers={"Idempotency-Key": "x" * 121})
    assert response.status_code == 400


@pytest.mark.parametrize("body", [{"runType": "daily"}, {"runType": None}, [1]])
async def test_only_manual_runs_can_be_queued(body: object, client: httpx.AsyncClient) -> None:
    audience = await create(client)
    path = f"{AUDIENCES}/{audience['id']}/runs"
    assert (await client.post(path, json=body)).status_code == 400
    assert (await client.post(path, json={})).status_code == 201


async def test_only_queued_runs_can_be_cancelled(
    client: httpx.AsyncClient, moments: list[float]
) -> None:
    audience = await create(client)
    path = f"{AUDIENCES}/{audience['id']}/runs"
    run = await queue(client, audience["id"])
    other = await queue(client, audience["id"])
    cancelled = (await client.delete(f"{path}/{run['id']}")).json()["data"]
    assert (cancelled["status"], cancelled["cancelledAt"]) == (
        "cancelled",
        "2026-05-05T09:15:00.000Z",
    )
    assert (await client.get(f"{path}/{run['id']}/results")).status_code == 409
    moments.append(moments[-1] + 1)
    for settled in (run, other):
        response = await client.delete(f"{path}/{settled['id']}")
        assert response.status_code == 409
        assert response.json()["error"]["code"] == "HTTP_ERROR"


async def test_unknown_runs_are_not_found(client: httpx.AsyncClient) -> None:
    audience = await create(client)
    path = f"{AUDIENCES}/{audience['id']}/runs"
    for run_id, status in ((SOME_ID, 404), ("what", 400)):
        assert (await client.get(f"{path}/{run_id}")).status_code == status


async def test_a_failed_run_has_a_reason_and_no_results(start: Start, connect: Connect) -> None:
    settings = SandboxSettings(profile="catalog", run_seconds=0, runs_fail=True, examples=False)
    client = connect(start(settings))
    audience = await create(client)
    run = await queue(client, audience["id"])
    assert (run["status"], run["errorCode"]) == ("failed", "RUN_FAILED")
    path = f"{AUDIENCES}/{audience['id']}/runs/{run['id']}/results"
    assert (await client.get(path)).status_code == 409
    read = (await client.get(f"{AUDIENCES}/{audience['id']}")).json()["data"]
    assert read["audienceSize"] == 0


async def test_activation_starts_a_run_and_each_day_another(
    client: httpx.AsyncClient, moments: list[float]
) -> None:
    audience = await create(client, status="active")
    path = f"{AUDIENCES}/{audience['id']}/runs"
    runs = (await client.get(path)).json()["data"]
    assert [(run["status"], run["runType"]) for run in runs] == [("queued", "daily")]
    moments.append(moments[-1] + 3 * 86_400)
    runs = (await client.get(path)).json()["data"]
    assert [run["dataDate"] for run in runs] == [f"2026-05-0{day}" for day in (7, 6, 5, 4)]
    assert all(run["status"] == "completed" for run in runs)
    await client.patch(f"{AUDIENCES}/{audience['id']}", json={"status": "paused"})
    moments.append(moments[-1] + 3 * 86_400)
    assert len((await client.get(path)).json()["data"]) == 4
    listed = (await client.get(AUDIENCES)).json()["data"]
    assert (listed[0]["status"], listed[0]["dailyRefreshEnabled"]) == ("paused", False)


async def test_a_run_keeps_the_config_it_was_queued_with(quick: httpx.AsyncClient) -> None:
    audience = await create(quick)
    run = await queue(quick, audience["id"])
    body = {"config": {"topicIds": [117918]}, "status": "active"}
    await quick.patch(f"{AUDIENCES}/{audience['id']}", json=body)
    newer, older = (await quick.get(f"{AUDIENCES}/{audience['id']}/runs")).json()["data"]
    assert older == run
    assert newer["configHash"] != older["configHash"]
    assert newer["resultCount"] != older["resultCount"]


async def test_the_mixed_profile_answers_with_the_fields_of_both(
    start: Start, connect: Connect
) -> None:
    client = connect(start(SandboxSettings(examples=False)))
    created = await create(client)
    fields = {
        "id",
        "organizationId",
        "name",
        "status",
        "accessType",
        "dailyRefreshEnabled",
        "config",
        "topics",
        "audienceSize",
        "lastRefreshedAt",
        "createdAt",
        "updatedAt",
    }
    assert set(created) == fields
    listed = (await client.get(AUDIENCES)).json()["data"]
    assert set(listed[0]) == fields
    path = f"{AUDIENCES}/{created['id']}"
    assert set((await client.get(path)).json()["data"]) == fields
    changed = (await client.patch(path, json={"audienceSize": 5})).json()["data"]
    assert set(changed) == fields
    assert changed["audienceSize"] == 5
    preview = (await client.post(f"{AUDIENCES}/preview", json=CONFIG)).json()["data"]
    assert preview["configHash"].startswith(preview["previewKey"])


async def test_the_mixed_profile_reads_one_run_either_way(start: Start, connect: Connect) -> None:
    client = connect(start(SandboxSettings(run_seconds=0)))
    active = (await client.get(AUDIENCES, params={"status": "active"})).json()["data"][0]
    path = f"{AUDIENCES}/{active['id']}"
    run = (await client.get(f"{path}/runs")).json()["data"][0]
    status = (await client.get(f"{path}/status")).json()["data"]
    assert (status["runId"], status["totalCount"]) == (run["id"], run["resultCount"])
    flat = (await client.get(f"{path}/results", params={"limit": "9"})).json()["data"]
    catalog = (await client.get(f"{path}/runs/{run['id']}/results?limit=9")).json()["data"]
    assert [row["email"] for row in flat] == [row["email"] for row in catalog["results"]]
