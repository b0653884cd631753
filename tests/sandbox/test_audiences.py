"""Configs and saved audiences in both generations, and in the profile that mixes them."""

from typing import Any

import httpx
import pytest

from tests.sandbox.asking import AUDIENCES, Play, ask, create

pytestmark = pytest.mark.anyio
FLAT = {"topicIds": [117805, 117890], "filters": {"companyIndustry": ["software development"]}}
CATALOG = {
    "topicIds": [117805, 117890],
    "filters": {"company.industries": {"values": ["software development"]}},
}
NOW = "2026-05-05T09:15:00.000Z"


async def test_a_valid_config_comes_back_normalized(catalog: httpx.AsyncClient) -> None:
    body = {**CATALOG, "minScore": 20, "topicIds": [117805, 117890, 117805]}
    response = await catalog.post(f"{AUDIENCES}/validate", json=body)
    assert set(response.json()["meta"]) == {"timestamp", "request_id"}
    data = response.json()["data"]
    assert len(data.pop("configHash")) == 64
    bounds = {"minScore": 50, "maxScore": 99, "minTopicOverlap": 1, "sourceUrl": None}
    assert data == {
        "valid": True,
        "normalizedConfig": {**CATALOG, **bounds},
        "appliedFilters": ["company.industries"],
        "strategy": "serving_table_in",
    }


async def test_each_generation_has_its_bounds(
    flat: httpx.AsyncClient, catalog: httpx.AsyncClient
) -> None:
    statuses: list[tuple[dict[str, object], int, int]] = [
        ({"topicIds": []}, 400, 400),
        ({"topicIds": ["117805"]}, 400, 400),
        ({"topicIds": list(range(1, 12))}, 400, 200),
        ({"topicIds": list(range(1, 252))}, 400, 400),
        ({"minScore": None}, 400, 200),
        ({"minScore": 0}, 400, 200),
        ({"minScore": 100}, 200, 400),
        ({"maxScore": 49}, 200, 400),
        ({"maxScore": 100}, 200, 400),
        ({"minTopicOverlap": 11}, 400, 200),
        ({"minTopicOverlap": 1.5}, 400, 400),
        ({"sourceUrl": "example.com"}, 400, 400),
    ]
    for change, *expected in statuses:
        for client, status in zip((flat, catalog), expected, strict=True):
            body = {"topicIds": [117805], **change}
            answer = await ask(client, "POST", f"{AUDIENCES}/preview", body, expect=status)
            assert status == 200 or next(iter(change)) in answer["message"]


async def test_a_flat_audience_is_created_read_and_changed(
    flat: httpx.AsyncClient, moments: list[float]
) -> None:
    # The flat generation knows no status when an audience is created.
    created = await create(flat, FLAT, status="active")
    about = {"audienceSize": None, "lastRefreshedAt": None, "createdAt": NOW}
    expected = {"id": created["id"], "name": "Buyers", "status": "draft", "config": FLAT, **about}
    assert created == expected
    path = f"{AUDIENCES}/{created['id']}"
    read = await ask(flat, "GET", path)
    assert [topic["id"] for topic in read.pop("topics")] == FLAT["topicIds"]
    assert read == {**created, "updatedAt": NOW}
    moments.append(moments[-1] + 60)
    body = {"name": "Renamed", "config": {"topicIds": [117918]}, "audienceSize": 3}
    changed = await ask(flat, "PATCH", path, body)
    del created["createdAt"]
    assert changed == {**created, **body, "updatedAt": "2026-05-05T09:16:00.000Z"}


async def test_a_catalogue_audience_is_created_read_and_listed(catalog: httpx.AsyncClient) -> None:
    created = await create(catalog, CATALOG)
    assert created == {
        "id": created["id"],
        "organizationId": created["organizationId"],
        "name": "Buyers",
        "status": "draft",
        "accessType": "paid",
        "dailyRefreshEnabled": False,
        "audienceSize": 0,
        "createdAt": NOW,
        "updatedAt": NOW,
    }
    read = await ask(catalog, "GET", f"{AUDIENCES}/{created['id']}")
    assert read == {**created, "lastRefreshedAt": None, "config": CATALOG}
    active = await create(catalog, CATALOG, name="Active", status="active")
    assert active["dailyRefreshEnabled"] is True
    asked: list[tuple[dict[str, Any], list[str]]] = [
        ({}, ["Active", "Buyers"]),
        ({"status": "active"}, ["Active"]),
        ({"limit": 1}, ["Active"]),
    ]
    for params, names in asked:
        found = await ask(catalog, "GET", AUDIENCES, **params)
        assert [audience["name"] for audience in found] == names
        assert all({"config", "organizationId"}.isdisjoint(audience) for audience in found)
    for params in ({"status": "gone"}, {"limit": 101}):
        await ask(catalog, "GET", AUDIENCES, expect=400, **params)


@pytest.mark.parametrize(("profile", "config"), [("flat", FLAT), ("catalog", CATALOG)])
async def test_an_audience_out_of_bounds_is_refused(
    profile: str, config: dict[str, object], play: Play
) -> None:
    client, no_topics = play(profile=profile), dict[str, object]()
    named: list[dict[str, object]] = [{}, {"name": ""}, {"name": "x" * 256}]
    if profile == "flat":
        named.append({"name": "Buyers", "audienceSize": -1})
    unmade: list[object] = [None, {"name": "Buyers"}]
    unmade += [{"name": "Buyers", "config": odd} for odd in (5, no_topics)]
    for body in (*unmade, *({"config": config, **part} for part in named)):
        await ask(client, "POST", AUDIENCES, body, expect=400)
    assert await ask(client, "GET", AUDIENCES) == []


async def test_the_mixed_profile_answers_with_the_fields_of_both(play: Play) -> None:
    client = play()
    created = await create(client, FLAT)
    path = f"{AUDIENCES}/{created['id']}"
    assert {"organizationId", "config", "topics", "createdAt", "updatedAt"} < set(created)
    changed = await ask(client, "PATCH", path, {"audienceSize": 5})
    for shown in ((await ask(client, "GET", AUDIENCES))[0], await ask(client, "GET", path)):
        assert shown == changed == {**created, "audienceSize": 5}
