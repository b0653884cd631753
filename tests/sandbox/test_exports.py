import csv
import hashlib
import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from leadpipe_mcp.sandbox import SandboxSettings
from tests.faults.service import Fault, Sandbox

pytestmark = pytest.mark.anyio
Start = Callable[[SandboxSettings], Sandbox]
Connect = Callable[..., httpx.AsyncClient]
AUDIENCES = "/v1/intent/audiences"
SOME_ID = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
CONFIG: dict[str, Any] = {
    "topicIds": [117805, 117890],
    "minScore": 60,
    "filters": {"companyIndustry": ["software development"]},
}
DOTTED: dict[str, Any] = {
    "topicIds": [117805, 117890],
    "minScore": 60,
    "filters": {"company.industries": {"values": ["software development"]}},
}
SMALL = SandboxSettings(people=6_000, run_seconds=0, examples=False)
FLAT, CATALOG = replace(SMALL, profile="flat"), replace(SMALL, profile="catalog")
NOT_READY = {
    "error": {"code": "HTTP_ERROR", "message": "Audience not found or not yet materialized"}
}


async def audience(
    client: httpx.AsyncClient, config: dict[str, Any] = CONFIG, name: str = "A B!"
) -> str:
    response = await client.post(AUDIENCES, json={"name": name, "config": config})
    return f"{AUDIENCES}/{response.json()['data']['id']}"


async def ready(client: httpx.AsyncClient, config: dict[str, Any] = CONFIG) -> str:
    path = await audience(client, config)
    await client.get(f"{path}/results")
    return path


async def run_of(client: httpx.AsyncClient, config: dict[str, Any] = DOTTED) -> str:
    path = await audience(client, config)
    run = (await client.post(f"{path}/runs")).json()["data"]
    return f"{path}/runs/{run['id']}"


def table(response: httpx.Response) -> list[dict[str, str]]:
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(response.text, newline="")))


async def pages(client: httpx.AsyncClient, path: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        params = {"limit": "100", "cursor": cursor}
        answer = (await client.get(f"{path}/results", params=params)).json()
        rows += answer["data"]
        cursor = answer["meta"]["nextCursor"]
    return rows


async def test_a_flat_export_is_a_link_to_every_row(start: Start, connect: Connect) -> None:
    client = connect(start(FLAT))
    path = await ready(client)
    rows = await pages(client, path)
    data = (await client.post(f"{path}/export")).json()["data"]
    url = data.pop("downloadUrl")
    assert data == {
        "fileName": "a-b-2026-05-04.csv",
        "rows": len(rows),
        "dataDate": "2026-05-04",
        "expiresIn": "24h",
        "cached": False,
    }
    assert url.startswith("http://sandbox.test/_files/")
    del client.headers["X-API-Key"]
    response = await client.get(url)
    assert 'filename="a-b-2026-05-04.csv"' in response.headers["Content-Disposition"]
    people = table(response)
    assert len(people) == len(rows) > 500
    for person, row in zip(people, rows, strict=True):
        assert list(person) == list(row)
        assert len(person) == 55
        assert person["personId"] == row["personId"]
        assert person["matchedTopicIds"] == ", ".join(map(str, row["matchedTopicIds"]))
        assert person["emails"] == row["emails"]
        assert person["photoUrl"] == ""


async def test_a_second_export_is_the_first_one_again(start: Start, connect: Connect) -> None:
    client = connect(start(FLAT))
    path = await ready(client)
    assert [run["hasExport"] for run in (await client.get(f"{path}/runs")).json()["data"]] == [
        False
    ]
    exports = [(await client.post(f"{path}/export")).json()["data"] for _ in range(2)]
    assert [export["cached"] for export in exports] == [False, True]
    assert {export["expiresIn"] for export in exports} == {"24h"}
    assert [run["hasExport"] for run in (await client.get(f"{path}/runs")).json()["data"]] == [True]


async def test_stats_and_exports_of_a_day(start: Start, connect: Connect) -> None:
    client = connect(start(FLAT))
    path = await ready(client)
    params = {"date": "2026-05-01"}
    for method, route in (("GET", "stats"), ("POST", "export")):
        response = await client.request(method, f"{path}/{route}", params=params)
        assert (response.status_code, response.json()) == (404, NOT_READY)
    await client.get(f"{path}/results", params=params)
    for method, route in (("GET", "stats"), ("POST", "export")):
        response = await client.request(method, f"{path}/{route}", params=params)
        assert response.json()["data"]["dataDate"] == "2026-05-01"
        response = await client.request(method, f"{path}/{route}", params={"date": "may"})
        assert response.status_code == 400


async def test_flat_stats_say_how_full_each_field_is(start: Start, connect: Connect) -> None:
    client = connect(start(FLAT))
    path = await ready(client)
    rows = await pages(client, path)
    data = (await client.get(f"{path}/stats")).json()["data"]
    assert (data["total"], data["dataDate"]) == (len(rows), "2026-05-04")
    assert data["fields"] == {
        field: round(100 * sum(row[field] is not None for row in rows) / len(rows), 2)
        for field in rows[0]
    }
    assert data["fields"]["email"] == 100
    assert 0 < data["fields"]["businessEmail"] < 100
    assert data["fields"]["photoUrl"] == 0


async def test_what_is_not_materialised_has_no_stats_and_no_export(
    start: Start, connect: Connect, moments: list[float]
) -> None:
    client = connect(start(replace(FLAT, run_seconds=2)))
    path = await audience(client)
    for _ in range(2):
        for method, route in (("GET", "stats"), ("POST", "export")):
            response = await client.request(method, f"{path}/{route}")
            assert (response.status_code, response.json()) == (404, NOT_READY)
        await client.get(f"{path}/results")
    moments.append(moments[-1] + 2)
    assert (await client.get(f"{path}/stats")).status_code == 200


async def test_nobody_is_a_file_with_a_header(start: Start, connect: Connect) -> None:
    client = connect(start(SMALL))
    nobody = {"topicIds": [5]}
    path = await ready(client, nobody)
    stats = (await client.get(f"{path}/stats")).json()["data"]
    assert stats["total"] == sum(stats["fields"].values()) == 0
    url = (await client.post(f"{path}/export")).json()["data"]["downloadUrl"]
    assert (await client.get(url)).text.count("\r\n") == 1
    data = (await client.get(f"{await run_of(client, nobody)}/stats")).json()["data"]
    assert data["stats"]["averages"] == {}


async def test_run_stats_count_fields_and_scores(start: Start, connect: Connect) -> None:
    client = connect(start(CATALOG))
    path = await run_of(client)
    data = (await client.get(f"{path}/stats")).json()["data"]
    stats = data["stats"]
    assert list(data["run"]) == [
        "id",
        "status",
        "runType",
        "resultCount",
        "completedAt",
        "audienceId",
    ]
    people = table(await client.get(f"{path}/export.csv"))
    assert stats["total"] == data["run"]["resultCount"] == len(people)
    assert stats["fillRates"]["company.name"] == {"count": len(people), "percent": 100.0}
    for field, rate in stats["fillRates"].items():
        assert rate["count"] == sum(bool(person[field]) for person in people)
        assert rate["percent"] == round(100 * rate["count"] / len(people), 2)
    histogram = {part["bucket"]: part["count"] for part in stats["scoreHistogram"]}
    assert list(histogram) == ["50-69", "70-89", "90-99"]
    assert sum(histogram.values()) == len(people)
    scores = [int(person["intent.score"]) for person in people]
    overlaps = [int(person["intent.topicOverlap"]) for person in people]
    assert stats["averages"] == {
        "score": round(sum(scores) / len(scores), 2),
        "topicOverlap": round(sum(overlaps) / len(overlaps), 2),
    }


async def test_a_run_comes_as_csv_with_dotted_columns(start: Start, connect: Connect) -> None:
    client = connect(start(CATALOG))
    path = await run_of(client)
    response = await client.get(f"{path}/export.csv")
    assert response.headers["X-Export-Row-Cap"] == "300000"
    assert response.headers["X-ClickHouse-Query-Id"]
    first = table(response)[0]
    row = (await client.get(f"{path}/results")).json()["data"]["results"][0]
    assert first["hashedEmail"] == row["hashedEmail"]
    assert first["company.industryGroup"] == row["company"]["industryGroup"]
    names = [topic["topicName"] for topic in row["intent"]["matchedTopics"]]
    assert first["intent.matchedTopics"] == ", ".join(names)


async def test_the_csv_of_a_run_is_capped(start: Start, connect: Connect) -> None:
    client = connect(start(replace(CATALOG, export_row_cap=7, csv_starts_with_bom=True)))
    path = await run_of(client)
    response = await client.get(f"{path}/export.csv")
    assert response.headers["X-Export-Row-Cap"] == "7"
    assert response.content.startswith("\ufeffhashedEmail".encode())
    assert len(table(response)) == 7
    url = (await client.post(f"{path}/exports")).json()["data"]["downloadUrl"]
    assert len(table(await client.get(url))) > 7


async def test_a_stored_export_is_created_once_and_read_again(
    start: Start, connect: Connect, moments: list[float]
) -> None:
    client = connect(start(CATALOG))
    path = await run_of(client)
    response = await client.post(f"{path}/exports")
    assert response.status_code == 201
    data = response.json()["data"]
    export = data["export"]
    assert data["downloadUrlTtlSeconds"] == 86_400
    assert data["downloadUrlExpiresAt"] == "2026-05-06T09:15:00.000Z"
    assert (export["status"], export["exportType"], export["runId"]) == (
        "completed",
        "csv",
        path.rpartition("/")[2],
    )
    moments.append(moments[-1] + 60)
    again = await client.post(f"{path}/exports")
    assert (again.status_code, again.json()["data"]["export"]) == (200, export)
    fresh = (await client.get(f"{path}/exports/{export['id']}")).json()["data"]
    assert fresh["export"] == export
    assert fresh["downloadUrlExpiresAt"] == "2026-05-06T09:16:00.000Z"
    assert fresh["downloadUrl"] != data["downloadUrl"]
    file = (await client.get(fresh["downloadUrl"])).content
    assert export["byteSize"] == len(file)
    assert export["contentSha1"] == hashlib.sha1(file, usedforsecurity=False).hexdigest()
    assert export["rowCount"] == file.count(b"\r\n") - 1


async def test_an_unfinished_run_has_nothing_to_export(start: Start, connect: Connect) -> None:
    client = connect(start(replace(SMALL, run_seconds=2)))
    path = await run_of(client)
    for method, route in (("GET", "stats"), ("GET", "export.csv"), ("POST", "exports")):
        response = await client.request(method, f"{path}/{route}")
        assert response.status_code == 409
        assert response.json()["error"]["message"] == "Run is queued and has no results"


async def test_unknown_exports_are_not_found(start: Start, connect: Connect) -> None:
    client = connect(start(CATALOG))
    path = await run_of(client)
    for _ in range(2):
        for export_id, status in ((SOME_ID, 404), ("what", 400)):
            assert (await client.get(f"{path}/exports/{export_id}")).status_code == status
        await client.post(f"{path}/exports")


async def test_a_link_expires_and_cannot_be_bent(
    start: Start, connect: Connect, moments: list[float]
) -> None:
    client = connect(start(SMALL))
    path = await ready(client)
    url = httpx.URL((await client.post(f"{path}/export")).json()["data"]["downloadUrl"])
    bent = [
        url.copy_remove_param("signature"),
        url.copy_remove_param("expires"),
        url.copy_set_param("expires", "9999999999"),
        url.copy_set_param("signature", "ü"),
        url.copy_with(path=f"/_files/{SOME_ID}/people.csv"),
    ]
    for wrong in bent:
        response = await client.get(wrong)
        assert (response.status_code, response.json()["error"]["message"]) == (
            403,
            "Invalid signature",
        )
    moments.append(moments[-1] + 86_399)
    assert (await client.get(url)).status_code == 200
    moments.append(moments[-1] + 1)
    response = await client.get(url)
    assert (response.status_code, response.json()["error"]["message"]) == (
        403,
        "The link has expired",
    )


async def test_a_deleted_audience_takes_its_files_along(start: Start, connect: Connect) -> None:
    client = connect(start(SMALL))
    path = await ready(client)
    url = (await client.post(f"{path}/export")).json()["data"]["downloadUrl"]
    await client.delete(path)
    assert (await client.get(url)).status_code == 404


async def test_a_name_without_letters_still_makes_a_file(start: Start, connect: Connect) -> None:
    client = connect(start(FLAT))
    path = await audience(client, name="!!!")
    await client.get(f"{path}/results")
    data = (await client.post(f"{path}/export")).json()["data"]
    assert data["fileName"] == "audience-2026-05-04.csv"


async def test_faults_strike_downloads_and_the_record_has_them(
    start: Start, connect: Connect
) -> None:
    sandbox = start(FLAT)
    client = connect(sandbox)
    path = await ready(client)
    url = (await client.post(f"{path}/export")).json()["data"]["downloadUrl"]
    whole = (await client.get(url)).content
    sandbox.faults.add(Fault("cut", path="/_files/"))
    half = await client.get(url)
    assert half.content == whole[: len(whole) // 2]
    assert half.headers["Content-Length"] == str(len(whole))
    sandbox.faults.add(Fault("status", path="/_files/", status=503))
    assert (await client.get(url)).status_code == 503
    sandbox.faults.add(Fault("reset_after", path="/_files/"))
    with pytest.raises(ConnectionResetError):
        await client.get(url)
    assert [request.status for request in list(sandbox.requests)[-3:]] == [200, 503, None]
