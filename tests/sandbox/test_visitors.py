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
DATA, PIXELS, ACCOUNT = "/v1/data", "/v1/data/pixels", "/v1/data/account"
SOME_ID = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
DAY = 86_400
ALIASES = {"allPhones", "primaryPhone", "companySizeRange", "countryCode"}


@pytest.fixture
def play(start: Start, connect: Connect) -> Play:
    return lambda settings: connect(start(settings))


@pytest.fixture
def client(play: Play) -> httpx.AsyncClient:
    return play(SandboxSettings())


async def page(client: httpx.AsyncClient, **params: str) -> dict[str, Any]:
    response = await client.get(DATA, params=params)
    assert response.status_code == 200, response.text
    return response.json()


async def total(client: httpx.AsyncClient, **params: str) -> int:
    return (await page(client, **params))["meta"]["total"]


async def create(client: httpx.AsyncClient, domain: str, **more: object) -> dict[str, Any]:
    response = await client.post(PIXELS, json={"domain": domain, **more})
    assert response.status_code == 201, response.text
    return response.json()["data"]


async def example(client: httpx.AsyncClient) -> str:
    pixel = (await client.get(PIXELS)).json()["data"][0]
    return f"{PIXELS}/{pixel['id']}"


async def test_visitors_come_in_pages_the_last_seen_first(client: httpx.AsyncClient) -> None:
    first = await page(client)
    assert len(first["data"]) == 50
    total = first["meta"]["total"]
    assert first["meta"] == {
        "total": total,
        "page": 1,
        "pageSize": 50,
        "totalPages": -(-total // 50),
        "hasMore": True,
    }
    answers = [
        await page(client, page=str(number)) for number in range(1, first["meta"]["totalPages"] + 1)
    ]
    assert [answer["meta"]["hasMore"] for answer in answers[-2:]] == [True, False]
    visitors = [visitor for answer in answers for visitor in answer["data"]]
    assert len({visitor["email"] for visitor in visitors}) == total == len(visitors)
    seen = [visitor["lastSeenAt"] for visitor in visitors]
    assert seen == sorted(seen, reverse=True)
    assert seen[0] <= "2026-05-05T09:15"
    assert seen[-1] >= "2026-04-05T09:15"
    assert (await page(client, page="99"))["data"] == []


async def test_visitors_are_invented_people_known_more_or_less(client: httpx.AsyncClient) -> None:
    visitors = (await page(client))["data"]
    full = [visitor for visitor in visitors if visitor["enrichmentLevel"] == "full"]
    thin = [visitor for visitor in visitors if visitor["enrichmentLevel"] == "email_only"]
    assert 0 < len(thin) < len(full)
    for visitor in full:
        assert visitor["email"] in visitor["emails"]
        assert visitor["companyDomain"].endswith(".example")
        assert visitor["enrichmentScore"] >= 60
        assert visitor["primaryPhone"] in [*visitor["phones"], None]
        assert visitor["countryCode"] == "US"
    for visitor in thin:
        assert visitor["enrichmentScore"] == 0
        assert visitor["firstName"] is visitor["company"] is visitor["countryCode"] is None
        assert visitor["phones"] == visitor["allPhones"] == []
    for visitor in visitors:
        assert visitor["pageviews"] >= len(visitor["visitedPages"])
        assert visitor["landingPage"] in visitor["visitedPages"]
        assert visitor["landingPage"].startswith("https://northwind-shop.example/")
        assert visitor["intentScore"] in ("low", "medium", "high")
        assert visitor["visit_duration"] > 0
    assert {visitor["intentScore"] for visitor in visitors} == {"low", "medium", "high"}


async def test_a_longer_timeframe_shows_more(client: httpx.AsyncClient) -> None:
    totals = [
        await total(client, timeframe=timeframe)
        for timeframe in ("24h", "7d", "14d", "30d", "90d", "all")
    ]
    assert totals == sorted(totals)
    assert totals[0] > 0
    assert totals[3] < totals[4] == totals[5]
    assert await total(client) == totals[3]


async def test_visits_go_on_as_the_clock_does(
    client: httpx.AsyncClient, moments: list[float]
) -> None:
    before = await page(client, timeframe="all")
    assert await page(client, timeframe="all") == before
    moments.append(moments[-1] + 3 * DAY)
    after = await page(client, timeframe="all")
    assert after["meta"]["total"] > before["meta"]["total"]
    assert after["data"][0]["lastSeenAt"] > "2026-05-07"


async def test_without_a_watching_pixel_there_are_no_visitors(
    client: httpx.AsyncClient, moments: list[float]
) -> None:
    assert await total(client, domain="https://WWW.northwind-shop.example/") == await total(client)
    assert await page(client, domain="other.example") == {
        "data": [],
        "meta": {"total": 0, "page": 1, "pageSize": 50, "totalPages": 0, "hasMore": False},
    }
    pixel = await example(client)
    before = await total(client, timeframe="all")
    await client.patch(pixel, json={"status": "paused"})
    assert await total(client, timeframe="all") == 0
    moments.append(moments[-1] + 10 * DAY)
    await client.patch(pixel, json={"status": "active"})
    assert await total(client, timeframe="all") == before
    assert await total(client, timeframe="7d") == 0


async def test_a_new_pixel_has_to_wait_for_visitors(play: Play, moments: list[float]) -> None:
    client = play(SandboxSettings(examples=False, visits_per_day=40))
    assert await total(client) == 0
    await create(client, "shop.example")
    assert await total(client) == 0
    moments.append(moments[-1] + 2 * DAY)
    assert await total(client, domain="shop.example") > 20


@pytest.mark.parametrize("params", [{"timeframe": "1y"}, {"page": "0"}, {"page": "two"}])
async def test_what_visitors_cannot_be_asked_for(
    params: dict[str, str], client: httpx.AsyncClient
) -> None:
    assert (await client.get(DATA, params=params)).status_code == 400


async def test_pixels_are_created_listed_and_paused(
    client: httpx.AsyncClient, moments: list[float]
) -> None:
    created = await create(client, "https://www.Shop.example/start")
    assert created == {
        "id": created["id"],
        "domain": "shop.example",
        "name": "shop.example",
        "status": "active",
        "code": f'<script src="https://pixel.example/p/{created["id"]}.js" async></script>',
        "createdAt": "2026-05-05T09:15:00.000Z",
    }
    listed = (await client.get(PIXELS)).json()["data"]
    assert [pixel["domain"] for pixel in listed] == ["shop.example", "northwind-shop.example"]
    assert listed[0] == {
        **{key: value for key, value in created.items() if key != "code"},
        "pausedReason": None,
        "excludedPaths": None,
        "includedPaths": None,
        "updatedAt": "2026-05-05T09:15:00.000Z",
    }
    moments.append(moments[-1] + 60)
    path = f"{PIXELS}/{created['id']}"
    for _ in range(2):
        changed = (await client.patch(path, json={"status": "paused"})).json()["data"]
        assert changed == {
            "id": created["id"],
            "domain": "shop.example",
            "name": "shop.example",
            "status": "paused",
            "excludedPaths": None,
            "includedPaths": None,
            "updatedAt": "2026-05-05T09:16:00.000Z",
        }
    assert (await client.get(PIXELS)).json()["data"][0]["pausedReason"] == "manual"
    account = (await client.get(ACCOUNT)).json()["data"]
    assert account["pixels"] == {"total": 2, "active": 1, "paused": 1}


async def test_a_domain_has_one_pixel(client: httpx.AsyncClient) -> None:
    response = await client.post(PIXELS, json={"domain": "Northwind-Shop.example"})
    assert response.status_code == 409
    assert response.json() == {
        "error": {"code": "HTTP_ERROR", "message": "Pixel already exists for this domain"}
    }


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"domain": ""},
        {"domain": "shop"},
        {"domain": "two words.example"},
        {"domain": "http://[shop.example"},
        {"domain": "x" * 256},
        {"domain": "shop.example", "name": ""},
        {"domain": "shop.example", "includedPaths": ["blog"]},
        {"domain": "shop.example", "includedPaths": ["/"]},
        {"domain": "shop.example", "includedPaths": "/blog"},
        {"domain": "shop.example", "includedPaths": ["/blog"] * 51},
        {"domain": "shop.example", "includedPaths": ["/blog"], "excludedPaths": ["/docs"]},
    ],
)
async def test_a_pixel_out_of_bounds_is_refused(
    body: dict[str, object], client: httpx.AsyncClient
) -> None:
    assert (await client.post(PIXELS, json=body)).status_code == 400
    assert len((await client.get(PIXELS)).json()["data"]) == 1


async def test_lists_of_paths_are_set_and_cleared(client: httpx.AsyncClient) -> None:
    path = await example(client)
    everything = await total(client)
    body: dict[str, object] = {"includedPaths": ["/blog"]}
    assert (await client.patch(path, json=body)).json()["data"]["includedPaths"] == ["/blog"]
    visitors = (await page(client))["data"]
    pages = {url for visitor in visitors for url in visitor["visitedPages"]}
    assert {url.rpartition(".example")[2] for url in pages} == {"/blog", "/blog/getting-started"}
    body = {"includedPaths": None, "excludedPaths": ["/blog", "/docs/*"]}
    changed = (await client.patch(path, json=body)).json()["data"]
    assert (changed["includedPaths"], changed["excludedPaths"]) == (None, ["/blog", "/docs/*"])
    assert 0 < await total(client) < everything
    await client.patch(path, json={"excludedPaths": None})
    assert await total(client) == everything


@pytest.mark.parametrize(
    "body", [{"status": "gone"}, {"excludedPaths": [5]}, {"includedPaths": ["x"]}, [], None]
)
async def test_a_change_out_of_bounds_is_refused(body: object, client: httpx.AsyncClient) -> None:
    assert (await client.patch(await example(client), json=body)).status_code == 400


async def test_unknown_pixels_are_not_found(client: httpx.AsyncClient) -> None:
    response = await client.patch(f"{PIXELS}/{SOME_ID}", json={"status": "paused"})
    assert (response.status_code, response.json()["error"]["message"]) == (404, "Pixel not found")
    assert (await client.patch(f"{PIXELS}/what", json={})).status_code == 400


@pytest.mark.parametrize(("choice", "status"), [("accept", 200), ("reject", 400)])
async def test_a_change_of_nothing_follows_the_settings(
    choice: Literal["accept", "reject"], status: int, play: Play
) -> None:
    client = play(SandboxSettings(empty_patch=choice))
    assert (await client.patch(await example(client), json={})).status_code == status


async def test_organisations_have_their_own_pixels(start: Start, connect: Connect) -> None:
    sandbox = start(SandboxSettings(examples=False))
    mine, yours = connect(sandbox, "sk_mine"), connect(sandbox, "sk_yours")
    pixel = await create(mine, "shop.example")
    assert (await yours.get(PIXELS)).json()["data"] == []
    assert (await create(yours, "shop.example"))["id"] != pixel["id"]
