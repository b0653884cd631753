"""Runs and results: by audience and date with cursors, or by id with offsets."""

import httpx
import pytest

from tests.sandbox.asking import AUDIENCES, DAY, SOME_ID, Play, ask, create

pytestmark = pytest.mark.anyio
CONFIG = {"topicIds": [117805, 117890], "minScore": 60}
QUERY = f"{AUDIENCES}/query"


async def audience(client: httpx.AsyncClient, **more: object) -> str:
    return f"{AUDIENCES}/{(await create(client, CONFIG, **more))['id']}"


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
    moments.append(moments[-1] + 1.9)
    await ask(client, "POST", QUERY, CONFIG, expect=202)
    moments.append(moments[-1] + 0.2)
    answer = (await client.post(QUERY, json=CONFIG)).json()
    assert len(answer["data"]) == answer["meta"]["count"] == 50
    assert answer["meta"]["status"] == "ready"
    preview = await ask(client, "POST", f"{AUDIENCES}/preview", CONFIG)
    assert answer["meta"]["totalCount"] == preview["totalCount"]


async def test_rows_have_the_fields_that_are_documented(play: Play) -> None:
    client = play()
    rows = await ask(client, "POST", QUERY, {**CONFIG, "limit": 100})
    for row in rows:
        assert len(row) == 57  # the 56 typed fields and hem
        assert row["hem"] == row["emailHashes"]["sha256"] in row["allEmailHashes"]
    assert any(", " in row["emails"] for row in rows)
    path = await audience(client)
    for row in await ask(client, "GET", f"{path}/results"):
        assert len(row) == 55
        assert {"personId", "companyCountry"} < set(row)
        assert {"country", "emailHashes"}.isdisjoint(row)
    run = await ask(client, "POST", f"{path}/runs", expect=201)
    found = await ask(client, "GET", f"{path}/runs/{run['id']}/results")
    assert [row["email"] for row in found["results"]] == [row["email"] for row in rows[:50]]
    for row in found["results"]:
        assert row["fullName"] == f"{row['firstName']} {row['lastName']}"
        assert row["email"] == row["personalEmail"] or row["personalEmail"] is None
        assert row["primaryContactEmail"] == row["businessEmail"] or row["businessEmail"] is None


async def test_a_cursor_keeps_to_its_run_when_a_newer_one_comes(
    play: Play, moments: list[float]
) -> None:
    client = play()
    results = f"{await audience(client, status='active')}/results"
    first = (await client.get(results)).json()["meta"]
    moments.append(moments[-1] + DAY)
    newer = (await client.get(results)).json()["meta"]
    second = (await client.get(results, params={"cursor": first["nextCursor"]})).json()["meta"]
    assert (newer["dataDate"], second["dataDate"]) == ("2026-05-05", "2026-05-04")
    assert second["totalCount"] == first["totalCount"]
    other = {**CONFIG, "minScore": 61}
    for cursor in (first["nextCursor"], "what", "Zm9v"):
        await ask(client, "POST", QUERY, {**other, "cursor": cursor}, expect=400)


async def test_results_are_none_then_materializing_then_ready(
    play: Play, moments: list[float]
) -> None:
    client = play(run_seconds=2)
    path = await audience(client)
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


async def test_a_past_day_can_be_asked_for_and_does_not_become_the_latest(play: Play) -> None:
    client = play()
    path = await audience(client)
    await client.get(f"{path}/results")
    for day in (1, 2):
        date = f"2026-05-0{day}"
        meta = (await client.get(f"{path}/results", params={"date": date})).json()["meta"]
        assert meta["dataDate"] == date
    assert (await ask(client, "GET", f"{path}/status"))["dataDate"] == "2026-05-04"
    for date, status in (("2026-04-27", 404), ("2026-05-05", 404), ("yesterday", 400)):
        await ask(client, "GET", f"{path}/results", expect=status, date=date)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"date": "2026-02-30"}, 400),
        ({"limit": 101}, 400),
        ({"limit": True}, 400),
        ({"cursor": 5}, 400),
        ({"topicIds": None}, 400),
        ({"audienceId": "what"}, 400),
        ({"audienceId": SOME_ID}, 404),
    ],
)
async def test_a_query_out_of_bounds_is_refused(
    change: dict[str, object], status: int, play: Play
) -> None:
    await ask(play(), "POST", QUERY, {**CONFIG, **change}, expect=status)


async def test_a_run_goes_from_queued_to_completed(play: Play, moments: list[float]) -> None:
    client = play(profile="catalog", run_seconds=2)
    path = await audience(client)
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
    people: list[str] = []
    while page["total"] == 0 or len(people) < page["total"]:
        page = await ask(client, "GET", f"{one}/results", limit=100, offset=len(people))
        people += [row["hashedEmail"] for row in page["results"]]
    assert len(people) == len(set(people)) == run["resultCount"]
    for params in ({"limit": 101}, {"offset": -1}):
        await ask(client, "GET", f"{one}/results", expect=400, **params)


async def test_one_idempotency_key_makes_one_run(play: Play) -> None:
    client = play()
    runs = f"{await audience(client)}/runs"
    ids = [
        (await client.post(runs, headers={"Idempotency-Key": key})).json()["data"]["id"]
        for key in ("one", "one", "two")
    ]
    assert ids[0] == ids[1] != ids[2]
    listed = await ask(client, "GET", runs, limit=1)
    assert [(run["id"], run["idempotencyKey"]) for run in listed] == [(ids[2], "two")]
    too_long = await client.post(runs, headers={"Idempotency-Key": "x" * 121})
    assert too_long.status_code == 400
    await ask(client, "POST", runs, {"runType": "daily"}, expect=400)


async def test_only_queued_runs_can_be_cancelled(play: Play, moments: list[float]) -> None:
    client = play(run_seconds=2)
    runs = f"{await audience(client)}/runs"
    first, second = [await ask(client, "POST", runs, expect=201) for _ in range(2)]
    cancelled = await ask(client, "DELETE", f"{runs}/{first['id']}")
    assert (cancelled["status"], cancelled["cancelledAt"]) == (
        "cancelled",
        "2026-05-05T09:15:00.000Z",
    )
    await ask(client, "GET", f"{runs}/{first['id']}/results", expect=409)
    moments.append(moments[-1] + 1)
    for settled in (first, second):
        await ask(client, "DELETE", f"{runs}/{settled['id']}", expect=409)
    await ask(client, "GET", f"{runs}/{SOME_ID}", expect=404)
    await ask(client, "GET", f"{runs}/what", expect=400)


async def test_a_failed_run_has_a_reason_and_no_results(play: Play) -> None:
    client = play(runs_fail=True)
    path = await audience(client)
    run = await ask(client, "POST", f"{path}/runs", expect=201)
    assert (run["status"], run["errorCode"]) == ("failed", "RUN_FAILED")
    await ask(client, "GET", f"{path}/runs/{run['id']}/results", expect=409)
    assert (await client.get(f"{path}/results")).json()["meta"]["status"] == "failed"
    assert (await ask(client, "GET", path))["audienceSize"] == 0


async def test_activation_starts_a_run_and_each_day_another(
    play: Play, moments: list[float]
) -> None:
    client = play(run_seconds=2)
    path = await audience(client, status="active")
    (run,) = await ask(client, "GET", f"{path}/runs")
    assert (run["status"], run["runType"]) == ("queued", "daily")
    moments.append(moments[-1] + 3 * DAY)
    runs = await ask(client, "GET", f"{path}/runs")
    assert [run["dataDate"] for run in runs] == [f"2026-05-0{day}" for day in (7, 6, 5, 4)]
    await ask(client, "PATCH", path, {"status": "paused", "config": {"topicIds": [117918]}})
    moments.append(moments[-1] + 3 * DAY)
    # A run keeps the config that it was queued with.
    assert await ask(client, "GET", f"{path}/runs") == runs
