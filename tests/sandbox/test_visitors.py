"""Pixels, and the visitors that they see."""

from typing import Any

import httpx
import pytest

from tests.sandbox.asking import DAY, SOME_ID, Play, ask

pytestmark = pytest.mark.anyio
DATA, PIXELS = "/v1/data", "/v1/data/pixels"


@pytest.fixture
def client(play: Play) -> httpx.AsyncClient:
    return play(examples=True)


async def total(client: httpx.AsyncClient, **params: str) -> int:
    return (await client.get(DATA, params=params)).json()["meta"]["total"]


async def example(client: httpx.AsyncClient) -> str:
    return f"{PIXELS}/{(await ask(client, 'GET', PIXELS))[0]['id']}"


async def test_visitors_come_in_pages_the_last_seen_first(client: httpx.AsyncClient) -> None:
    visitors: list[dict[str, Any]] = []
    meta: dict[str, Any] = {"hasMore": True}
    page = 0
    while meta["hasMore"]:
        page += 1
        answer = (await client.get(DATA, params={"page": page})).json()
        visitors += answer["data"]
        meta = answer["meta"]
    count = len({visitor["email"] for visitor in visitors})
    assert count == len(visitors) > 50
    pages = {"page": page, "pageSize": 50, "totalPages": page, "hasMore": False}
    assert meta == {"total": count, **pages}
    seen = [visitor["lastSeenAt"] for visitor in visitors]
    assert seen == sorted(seen, reverse=True)
    assert "2026-04-05T09:15" <= seen[-1] < seen[0] <= "2026-05-05T09:15"
    one = await ask(client, "GET", DATA, email=visitors[3]["email"].upper())
    assert one == [visitors[3]]


async def test_visitors_are_invented_people_known_more_or_less(client: httpx.AsyncClient) -> None:
    visitors = await ask(client, "GET", DATA)
    thin = [visitor for visitor in visitors if visitor["enrichmentLevel"] == "email_only"]
    assert 0 < len(thin) < len(visitors) / 2
    for visitor in thin:
        assert visitor["enrichmentScore"] == 0
        assert visitor["firstName"] is visitor["company"] is visitor["countryCode"] is None
        assert visitor["phones"] == visitor["allPhones"] == []
    for visitor in visitors:
        assert visitor in thin or visitor["companyDomain"].endswith(".example")
        assert visitor["email"] in visitor["emails"]
        assert visitor["pageviews"] >= len(visitor["visitedPages"])
        assert visitor["landingPage"] in visitor["visitedPages"]
        assert visitor["landingPage"].startswith("https://northwind-shop.example/")
    assert {visitor["intentScore"] for visitor in visitors} == {"low", "medium", "high"}


async def test_a_longer_timeframe_shows_more(client: httpx.AsyncClient) -> None:
    frames = ("24h", "7d", "14d", "30d", "90d", "all")
    totals = [await total(client, timeframe=timeframe) for timeframe in frames]
    assert 0 < totals[0] < totals[3] < totals[4] == totals[5]
    assert totals == sorted(totals)
    assert await total(client) == totals[3]


async def test_only_an_active_pixel_sees_visitors_and_only_while_it_is(
    client: httpx.AsyncClient, moments: list[float]
) -> None:
    before = await total(client, timeframe="all")
    assert await total(client, domain="https://WWW.northwind-shop.example/", timeframe="all") == (
        before
    )
    assert await total(client, domain="other.example") == 0
    pixel = await example(client)
    await ask(client, "PATCH", pixel, {"status": "paused"})
    assert await total(client, timeframe="all") == 0
    moments.append(moments[-1] + 10 * DAY)
    await ask(client, "PATCH", pixel, {"status": "active"})
    assert await total(client, timeframe="all") == before
    assert await total(client, timeframe="7d") == 0
    moments.append(moments[-1] + 3 * DAY)
    assert await total(client, timeframe="7d") > 0


@pytest.mark.parametrize("params", [{"timeframe": "1y"}, {"page": "0"}, {"page": "two"}])
async def test_what_visitors_cannot_be_asked_for(
    params: dict[str, str], client: httpx.AsyncClient
) -> None:
    await ask(client, "GET", DATA, expect=400, **params)


async def test_pixels_are_created_listed_and_paused(
    client: httpx.AsyncClient, moments: list[float]
) -> None:
    body = {"domain": "https://www.Shop.example/start"}
    created = await ask(client, "POST", PIXELS, body, expect=201)
    code = f'<script src="https://pixel.example/p/{created["id"]}.js" async></script>'
    now = "2026-05-05T09:15:00.000Z"
    about = {"id": created["id"], "domain": "shop.example", "name": "shop.example"}
    assert created == {**about, "status": "active", "code": code, "createdAt": now}
    listed = await ask(client, "GET", PIXELS)
    assert [pixel["domain"] for pixel in listed] == ["shop.example", "northwind-shop.example"]
    nothing = {"excludedPaths": None, "includedPaths": None}
    dates = {"createdAt": now, "updatedAt": now}
    assert listed[0] == {**about, "status": "active", "pausedReason": None, **nothing, **dates}
    moments.append(moments[-1] + 60)
    changed = await ask(client, "PATCH", f"{PIXELS}/{created['id']}", {"status": "paused"})
    later = "2026-05-05T09:16:00.000Z"
    assert changed == {**about, "status": "paused", **nothing, "updatedAt": later}
    assert (await ask(client, "GET", PIXELS))[0]["pausedReason"] == "manual"
    error = await ask(client, "POST", PIXELS, {"domain": "SHOP.example"}, expect=409)
    assert error == {"code": "HTTP_ERROR", "message": "Pixel already exists for this domain"}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"domain": "shop"},
        {"domain": "http://[shop.example"},
        {"domain": "x" * 256},
        {"domain": "shop.example", "name": ""},
        {"domain": "shop.example", "includedPaths": ["blog"]},
        {"domain": "shop.example", "includedPaths": ["/"]},
        {"domain": "shop.example", "includedPaths": ["/blog"] * 51},
        {"domain": "shop.example", "includedPaths": ["/blog"], "excludedPaths": ["/docs"]},
    ],
)
async def test_a_pixel_out_of_bounds_is_refused(body: object, client: httpx.AsyncClient) -> None:
    await ask(client, "POST", PIXELS, body, expect=400)
    assert len(await ask(client, "GET", PIXELS)) == 1


async def test_lists_of_paths_are_set_and_cleared(client: httpx.AsyncClient) -> None:
    path, everything = await example(client), await total(client)
    await ask(client, "PATCH", path, {"includedPaths": ["/blog"]})
    visitors = await ask(client, "GET", DATA)
    pages = {url for visitor in visitors for url in visitor["visitedPages"]}
    assert {url.rpartition(".example")[2] for url in pages} == {"/blog", "/blog/getting-started"}
    await ask(client, "PATCH", path, {"excludedPaths": ["/docs"]}, expect=400)
    body = {"includedPaths": None, "excludedPaths": ["/blog", "/docs/*"]}
    changed = await ask(client, "PATCH", path, body)
    assert {field: changed[field] for field in body} == body
    assert 0 < await total(client) < everything
    await ask(client, "PATCH", path, {"excludedPaths": None})
    assert await total(client) == everything


async def test_a_change_out_of_bounds_is_refused(client: httpx.AsyncClient) -> None:
    bodies: list[object] = [{"status": "gone"}, {"excludedPaths": [5]}, []]
    for body in bodies:
        await ask(client, "PATCH", await example(client), body, expect=400)
    error = await ask(client, "PATCH", f"{PIXELS}/{SOME_ID}", {"status": "paused"}, expect=404)
    assert error["message"] == "Pixel not found"
