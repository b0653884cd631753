"""Runs and results: by audience and date with cursors, or by id with offsets."""

import httpx
import pytest

from tests.sandbox.asking import AUDIENCES, DAY, SOME_ID, Play, ask, saved

pytestmark = pytest.mark.anyio
CONFIG = {"topicIds": [117805, 117890], "minScore": 60}
QUERY = f"{AUDIENCES}/query"


async def test_a_query_is_materialised_first(play: Play, moments: list[float]) -> None:
    client = play(profile="flat", run_seconds=2)
    response = await client.post(QUERY, json=CONFIG)
    assert (response.status_code, response.json()["data"]) == (202, [])
    meta = response.json()["meta"]
    assert meta == {
        "count": 0,
        "totalCount": 0,
        "nextCursor": None,
        "hasMore": False,
        "status": "materializing",
        "dataDate": "2026-05-04",
        "cacheKey": meta["cacheKey"],
    }
    moments.append(moments[-1] + 2)
    answer = (await client.post(QUERY, json=CONFIG)).json()
    assert len(answer["data"]) == answer["meta"]["count"] == 50
    assert answer["meta"]["status"] == "ready"
    preview = await ask(client, "POST", f"{AUDIENCES}/preview", CONFIG)
    assert answer["meta"]["totalCount"] == preview["totalCount"]


async def test_a_query_has_the_documented_defaults(play: Play) -> None:
    client = play(profile="flat", run_seconds=0)
    written = {"minScore": 70, "maxScore": 100, "minTopicOverlap": 1, "limit": 50}
    usual, whole, more = [
        (await client.post(QUERY, json={"topicIds": [117805], **asked})).json()
        for asked in ({}, written, {"minScore": 69})
    ]
    assert usual == whole
    assert len(usual["data"]) == 50
    assert more["meta"]["totalCount"] > usual["meta"]["totalCount"]


async def test_a_cursor_keeps_to_its_run_when_a_newer_one_comes(
    play: Play, moments: list[float]
) -> None:
    client = play()
    results = f"{await saved(client, CONFIG, status='active')}/results"
    first = (await client.get(results)).json()["meta"]
    moments.append(moments[-1] + DAY)
    newer = (await client.get(results)).json()["meta"]
    second = (await client.get(results, params={"cursor": first["nextCursor"]})).json()["meta"]
    assert (newer["dataDate"], second["dataDate"]) == ("2026-05-05", "2026-05-04")
    assert second["totalCount"] == first["totalCount"]
    for cursor in (first["nextCursor"], "what"):
        await ask(client, "POST", QUERY, {**CONFIG, "minScore": 61, "cursor": cursor}, expect=400)


async def test_results_are_none_then_materializing_then_ready(
    play: Play, moments: list[float]
) -> None:
    client = play(run_seconds=2)
    path = await saved(client, CONFIG)
    nothing = {"status": "none", "totalCount": 0, "dataDate": None, "runId": None}
    assert await ask(client, "GET", f"{path}/status") == nothing
    response = await client.get(f"{path}/results")
    meta = {"status": "materializing", "dataDate": "2026-05-04"}
    assert (response.status_code, response.json()) == (202, {"data": [], "meta": meta})
    status = await ask(client, "GET", f"{path}/status")
    assert (status["status"], status["totalCount"]) == ("materializing", 0)
    moments.append(moments[-1] + 2)
    status = await ask(client, "GET", f"{path}/status")
    meta = (await client.get(f"{path}/results")).json()["meta"]
    assert status["status"] == meta["status"] == "ready"
    assert status["totalCount"] == meta["totalCount"] > 0
    read = await ask(client, "GET", path)
    assert read["audienceSize"] == status["totalCount"]
    assert read["lastRefreshedAt"] == "2026-05-05T09:15:02.000Z"
    await ask(client, "PATCH", path, {"config": {"topicIds": [117918]}})
    assert (await ask(client, "GET", f"{path}/status"))["status"] == "none"


async def test_a_query_out_of_bounds_is_refused(play: Play) -> None:
    client = play()
    wrong: list[dict[str, object]] = [
        *({"date": "2026-02-30"}, {"limit": 101}, {"limit": True}, {"cursor": 5}),
        *({"topicIds": None}, {"audienceId": "what"}),
    ]
    for change in wrong:
        await ask(client, "POST", QUERY, {**CONFIG, **change}, expect=400)
    await ask(client, "POST", QUERY, {"audienceId": SOME_ID}, expect=404)


async def test_a_run_goes_from_queued_to_completed(play: Play, moments: list[float]) -> None:
    client = play(profile="catalog", run_seconds=2)
    path = await saved(client, CONFIG)
    run = await ask(client, "POST", f"{path}/runs", {"runType": "manual"}, expect=201)
    assert (run["status"], run["runType"], run["dataDate"]) == ("queued", "manual", "2026-05-04")
    assert (run["candidateCount"], run["resultCount"], run["startedAt"]) == (0, 0, None)
    one = f"{path}/runs/{run['id']}"
    moments.append(moments[-1] + 0.6)
    run = await ask(client, "GET", one)
    assert (run["status"], run["startedAt"]) == ("running", "2026-05-05T09:15:00.500Z")
    page = await ask(client, "GET", f"{one}/results", expect=202)
    assert (page["state"], page["results"], page["total"]) == ("running", [], 0)
    moments.append(moments[-1] + 1.4)
    (run,) = await ask(client, "GET", f"{path}/runs")
    assert (run["status"], run["completedAt"]) == ("completed", "2026-05-05T09:15:02.000Z")
    preview = await ask(client, "POST", f"{AUDIENCES}/preview", CONFIG)
    assert (run["resultCount"], run["configHash"]) == (preview["totalCount"], preview["configHash"])
    page = await ask(client, "GET", f"{one}/results", limit=100, offset=run["resultCount"] - 1)
    assert (len(page["results"]), page["total"]) == (1, run["resultCount"])
    for params in ({"limit": 101}, {"offset": -1}):
        await ask(client, "GET", f"{one}/results", expect=400, **params)


async def test_an_idempotency_key_that_is_too_long_is_refused_and_queues_nothing(
    catalog: httpx.AsyncClient,
) -> None:
    path = await saved(catalog, CONFIG)
    catalog.headers["Idempotency-Key"] = "k" * 121
    error = await ask(catalog, "POST", f"{path}/runs", expect=400)
    assert "Idempotency-Key" in error["message"]
    assert await ask(catalog, "GET", f"{path}/runs") == []


async def test_only_queued_runs_can_be_cancelled(play: Play, moments: list[float]) -> None:
    client = play(run_seconds=2)
    runs = f"{await saved(client, CONFIG)}/runs"
    first, second = [await ask(client, "POST", runs, expect=201) for _ in range(2)]
    cancelled = await ask(client, "DELETE", f"{runs}/{first['id']}")
    moment = "2026-05-05T09:15:00.000Z"
    assert (cancelled["status"], cancelled["cancelledAt"]) == ("cancelled", moment)
    await ask(client, "GET", f"{runs}/{first['id']}/results", expect=409)
    moments.append(moments[-1] + 1)
    for settled in (first, second):
        await ask(client, "DELETE", f"{runs}/{settled['id']}", expect=409)
    for unknown, status in ((SOME_ID, 404), ("what", 400)):
        await ask(client, "GET", f"{runs}/{unknown}", expect=status)


async def test_activation_starts_a_run_and_each_day_another(
    play: Play, moments: list[float]
) -> None:
    client = play(run_seconds=2)
    path = await saved(client, CONFIG, status="active")
    (run,) = await ask(client, "GET", f"{path}/runs")
    assert (run["status"], run["runType"]) == ("queued", "daily")
    moments.append(moments[-1] + 3 * DAY)
    runs = await ask(client, "GET", f"{path}/runs")
    assert [run["dataDate"] for run in runs] == [f"2026-05-0{day}" for day in (7, 6, 5, 4)]
    await ask(client, "PATCH", path, {"status": "paused", "config": {"topicIds": [117918]}})
    moments.append(moments[-1] + 3 * DAY)
    # A run keeps the config that it was queued with.
    assert await ask(client, "GET", f"{path}/runs") == runs
