"""Pixels, and the visitors that they see."""

from typing import Any

import httpx
import pytest

from tests.sandbox.asking import SOME_ID, Play, ask

pytestmark = pytest.mark.anyio
DATA, PIXELS = "/v1/data", "/v1/data/pixels"
NOW = "2026-05-05T09:15:00.000Z"


@pytest.fixture
def client(play: Play) -> httpx.AsyncClient:
    return play(examples=True)


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
    for params in ({"timeframe": "1y"}, {"page": "0"}, {"page": "two"}):
        await ask(client, "GET", DATA, expect=400, **params)


async def test_pixels_are_created_listed_and_paused(
    client: httpx.AsyncClient, moments: list[float]
) -> None:
    body = {"domain": "https://www.Shop.example/start"}
    created = await ask(client, "POST", PIXELS, body, expect=201)
    code = f'<script src="https://pixel.example/p/{created["id"]}.js" async></script>'
    about = {"id": created["id"], "domain": "shop.example", "name": "shop.example"}
    assert created == {**about, "status": "active", "code": code, "createdAt": NOW}
    listed = await ask(client, "GET", PIXELS)
    assert [pixel["domain"] for pixel in listed] == ["shop.example", "northwind-shop.example"]
    nothing = {"excludedPaths": None, "includedPaths": None}
    dates = {"createdAt": NOW, "updatedAt": NOW}
    assert listed[0] == {**about, "status": "active", "pausedReason": None, **nothing, **dates}
    moments.append(moments[-1] + 60)
    changed = await ask(client, "PATCH", f"{PIXELS}/{created['id']}", {"status": "paused"})
    later = "2026-05-05T09:16:00.000Z"
    assert changed == {**about, "status": "paused", **nothing, "updatedAt": later}
    assert (await ask(client, "GET", PIXELS))[0]["pausedReason"] == "manual"
    error = await ask(client, "POST", PIXELS, {"domain": "SHOP.example"}, expect=409)
    assert error == {"code": "HTTP_ERROR", "message": "Pixel already exists for this domain"}


async def test_a_pixel_out_of_bounds_is_refused(client: httpx.AsyncClient) -> None:
    paths: list[dict[str, object]] = [
        {"includedPaths": ["blog"]},
        {"includedPaths": ["/"]},
        {"includedPaths": ["/blog"] * 51},
        {"includedPaths": ["/blog"], "excludedPaths": ["/docs"]},
    ]
    for domain in ("", "shop", "http://[shop.example", "x" * 256):
        await ask(client, "POST", PIXELS, {"domain": domain}, expect=400)
    for wrong in paths:
        await ask(client, "POST", PIXELS, {"domain": "shop.example", **wrong}, expect=400)
    for change in (*paths, {"status": "gone"}, {"excludedPaths": [5]}):
        await ask(client, "PATCH", await example(client), change, expect=400)
    error = await ask(client, "PATCH", f"{PIXELS}/{SOME_ID}", {"status": "paused"}, expect=404)
    assert error["message"] == "Pixel not found"
