"""Stats and exports of both generations."""

import csv
import hashlib
import io
import re

import httpx
import pytest

from tests.sandbox.asking import DAY, SOME_ID, Play, ask, saved

pytestmark = pytest.mark.anyio
CONFIG = {"topicIds": [117805, 117890], "filters": {"role.isDecisionMaker": True}}


async def ready(client: httpx.AsyncClient) -> str:
    """An audience with results of the day."""
    path = await saved(client, CONFIG, name="A B!")
    await client.get(f"{path}/results")
    return path


async def run_of(client: httpx.AsyncClient, config: object = CONFIG) -> str:
    path = await saved(client, config)
    return f"{path}/runs/{(await ask(client, 'POST', f'{path}/runs', expect=201))['id']}"


async def table(client: httpx.AsyncClient, url: str) -> list[dict[str, str]]:
    response = await client.get(url)
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(response.text, newline="")))


async def test_a_flat_export_is_a_link_to_every_row(play: Play) -> None:
    client = play()
    path = await ready(client)
    data = await ask(client, "POST", f"{path}/export")
    url = data.pop("downloadUrl")
    about = {"fileName": "a-b-2026-05-04.csv", "dataDate": "2026-05-04", "expiresIn": "24h"}
    assert data == {**about, "rows": data["rows"], "cached": False}
    assert (await ask(client, "POST", f"{path}/export"))["cached"] is True
    rows = await ask(client, "GET", f"{path}/results", limit=100)
    del client.headers["X-API-Key"]
    people = await table(client, url)
    assert len(people) == data["rows"] > 100
    for person, row in zip(people, rows, strict=False):
        assert list(person) == list(row)
        assert person["personId"] == row["personId"]
        assert person["matchedTopicIds"] == ", ".join(map(str, row["matchedTopicIds"]))


async def test_a_link_that_was_changed_or_is_a_day_old_leads_nowhere(
    play: Play, moments: list[float]
) -> None:
    client = play()
    url = (await ask(client, "POST", f"{await ready(client)}/export"))["downloadUrl"]
    longer = re.sub(r"expires=\d+", "expires=9999999999", url)
    assert (await ask(client, "GET", longer, expect=403))["message"] == "Invalid signature"
    moments.append(moments[-1] + DAY)
    assert (await ask(client, "GET", url, expect=403))["message"] == "The link has expired"


async def test_a_day_without_results_has_no_stats(flat: httpx.AsyncClient) -> None:
    path = await saved(flat, {"topicIds": [117805]})
    await ask(flat, "GET", f"{path}/stats", expect=404)


async def test_nobody_is_a_file_with_a_header(play: Play) -> None:
    client = play()
    path = await run_of(client, {"topicIds": [5]})
    assert (await client.get(f"{path}/export.csv")).text.count("\r\n") == 1
    stats = (await ask(client, "GET", f"{path}/stats"))["stats"]
    assert (stats["total"], stats["averages"]) == (0, {})


async def test_the_csv_of_a_run_is_capped_and_its_stored_export_is_whole_and_made_once(
    play: Play, moments: list[float]
) -> None:
    client = play(export_row_cap=7, csv_starts_with_bom=True)
    path = await run_of(client)
    response = await client.get(f"{path}/export.csv")
    assert response.headers["X-Export-Row-Cap"] == "7"
    assert response.content.startswith("\ufeffhashedEmail".encode())
    assert response.text.count("\r\n") == 8
    data = await ask(client, "POST", f"{path}/exports", expect=201)
    export = data["export"]
    assert (export["status"], export["runId"]) == ("completed", path.rpartition("/")[2])
    moments.append(moments[-1] + 60)
    assert (await ask(client, "POST", f"{path}/exports"))["export"] == export
    fresh = await ask(client, "GET", f"{path}/exports/{export['id']}")
    assert fresh["export"] == export
    assert fresh["downloadUrlExpiresAt"] == "2026-05-06T09:16:00.000Z"
    file = (await client.get(fresh["downloadUrl"])).content
    assert file.count(b"\r\n") == export["rowCount"] + 1 > 8
    assert export["byteSize"] == len(file)
    assert export["contentSha1"] == hashlib.sha1(file, usedforsecurity=False).hexdigest()
    for export_id, status in ((SOME_ID, 404), ("what", 400)):
        await ask(client, "GET", f"{path}/exports/{export_id}", expect=status)
