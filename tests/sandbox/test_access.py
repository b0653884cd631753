from collections.abc import Callable

import httpx
import pytest

from leadpipe_mcp.sandbox import SandboxSettings
from leadpipe_mcp.sandbox.settings import Profile
from tests.faults.service import Sandbox

pytestmark = pytest.mark.anyio
Start = Callable[[SandboxSettings], Sandbox]
Connect = Callable[..., httpx.AsyncClient]
AUDIENCES = "/v1/intent/audiences"
ACCOUNT = "/v1/data/account"
SOME_ID = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
ONLY_FLAT = [
    ("POST", f"{AUDIENCES}/query"),
    ("GET", f"{AUDIENCES}/{SOME_ID}/status"),
    ("GET", f"{AUDIENCES}/{SOME_ID}/results"),
    ("GET", f"{AUDIENCES}/{SOME_ID}/stats"),
    ("POST", f"{AUDIENCES}/{SOME_ID}/export"),
]
ONLY_CATALOG = [
    ("POST", f"{AUDIENCES}/validate"),
    ("POST", f"{AUDIENCES}/{SOME_ID}/runs"),
    ("GET", f"{AUDIENCES}/{SOME_ID}/runs/{SOME_ID}"),
    ("DELETE", f"{AUDIENCES}/{SOME_ID}/runs/{SOME_ID}"),
    ("GET", f"{AUDIENCES}/{SOME_ID}/runs/{SOME_ID}/results"),
    ("GET", f"{AUDIENCES}/{SOME_ID}/runs/{SOME_ID}/stats"),
    ("GET", f"{AUDIENCES}/{SOME_ID}/runs/{SOME_ID}/export.csv"),
    ("POST", f"{AUDIENCES}/{SOME_ID}/runs/{SOME_ID}/exports"),
    ("GET", f"{AUDIENCES}/{SOME_ID}/runs/{SOME_ID}/exports/{SOME_ID}"),
]
BOTH = [
    ("GET", f"{AUDIENCES}/filters"),
    ("POST", f"{AUDIENCES}/preview"),
    ("GET", AUDIENCES),
    ("POST", AUDIENCES),
    ("GET", f"{AUDIENCES}/{SOME_ID}"),
    ("PATCH", f"{AUDIENCES}/{SOME_ID}"),
    ("DELETE", f"{AUDIENCES}/{SOME_ID}"),
    ("GET", f"{AUDIENCES}/{SOME_ID}/runs"),
    ("GET", "/v1/data"),
    ("GET", "/v1/data/pixels"),
    ("POST", "/v1/data/pixels"),
    ("PATCH", f"/v1/data/pixels/{SOME_ID}"),
    ("GET", ACCOUNT),
]
TOPICS = "/v1/intent/topics"
PUBLIC: list[tuple[str, str, dict[str, object] | None]] = [
    ("GET", f"{TOPICS}?industry=Legal", None),
    ("GET", f"{TOPICS}/facets", None),
    ("GET", f"{TOPICS}/search?q=crm", None),
    ("GET", f"{TOPICS}/movers?limit=1", None),
    ("GET", f"{TOPICS}/117805/trend", None),
    ("POST", f"{TOPICS}/compare", {"topicIds": [117805]}),
    ("POST", f"{TOPICS}/analyze", {"url": "https://crm.example/"}),
]
INVALID_KEY = {"error": {"code": "HTTP_ERROR", "message": "Invalid API key"}}
NOT_FOUND = {"error": {"code": "HTTP_ERROR", "message": "Not Found"}}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-API-Key": ""},
        {"X-API-Key": "sk_"},
        {"X-API-Key": "pk_123"},
        {"Authorization": "Bearer sk_test"},
    ],
)
async def test_without_a_key_every_data_route_answers_401(
    headers: dict[str, str], start: Start
) -> None:
    sandbox = start(SandboxSettings())
    transport = httpx.ASGITransport(app=sandbox)
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox.test") as client:
        for method, path in [*BOTH, *ONLY_FLAT, *ONLY_CATALOG]:
            response = await client.request(method, path, headers=headers)
            assert response.status_code == 401
            assert response.json() == INVALID_KEY


@pytest.mark.parametrize("profile", ["flat", "catalog", "mixed"])
async def test_topics_are_public_in_both_generations(profile: Profile, start: Start) -> None:
    transport = httpx.ASGITransport(app=start(SandboxSettings(profile=profile, people=1_000)))
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox.test") as client:
        for method, path, body in PUBLIC:
            assert (await client.request(method, path, json=body)).status_code == 200


async def test_an_expired_organisation_sees_its_account_alone(
    start: Start, connect: Connect
) -> None:
    client = connect(start(SandboxSettings()), "sk_expired_1")
    for method, path in [*BOTH[:-1], *ONLY_FLAT, *ONLY_CATALOG]:
        response = await client.request(method, path)
        assert response.status_code == 403
        assert response.json() == {
            "error": {"code": "HTTP_ERROR", "message": "Organization is expired"}
        }
    response = await client.get(ACCOUNT)
    assert response.status_code == 200
    data = response.json()["data"]
    assert data["healthy"] is False
    assert data["organization"]["status"] == "expired"
    assert data["credits"]["used"] == 0
    assert data["credits"]["limit"] == data["credits"]["remaining"] == 500
    assert data["pixels"]["total"] == 0
    for method, path, body in PUBLIC:
        assert (await client.request(method, path, json=body)).status_code == 200


@pytest.mark.parametrize(
    ("profile", "served", "missing"),
    [
        ("flat", [*BOTH, *ONLY_FLAT], ONLY_CATALOG),
        ("catalog", [*BOTH, *ONLY_CATALOG], ONLY_FLAT),
        ("mixed", [*BOTH, *ONLY_FLAT, *ONLY_CATALOG], [("GET", "/v1/nothing"), ("PUT", ACCOUNT)]),
    ],
)
async def test_each_profile_serves_its_own_routes(
    profile: Profile,
    served: list[tuple[str, str]],
    missing: list[tuple[str, str]],
    start: Start,
    connect: Connect,
) -> None:
    client = connect(start(SandboxSettings(profile=profile)))
    for method, path in served:
        assert (await client.request(method, path)).json() != NOT_FOUND
    for method, path in missing:
        response = await client.request(method, path)
        assert (response.status_code, response.json()) == (404, NOT_FOUND)


async def test_the_account_shows_credits_pixels_and_slots(start: Start, connect: Connect) -> None:
    client = connect(start(SandboxSettings()))
    data = (await client.get(ACCOUNT)).json()["data"]
    assert data["healthy"] is True
    assert data["audienceSlots"] == {"used": 1, "limit": 3, "remaining": 2}
    credit = data["credits"]
    assert credit["used"] + credit["remaining"] == credit["limit"]
    assert data["pixels"] == {"total": 1, "active": 1, "paused": 0}
    client = connect(start(SandboxSettings(slots_key="", examples=False)))
    assert "audienceSlots" not in (await client.get(ACCOUNT)).json()["data"]


async def test_organisations_do_not_see_each_other(start: Start, connect: Connect) -> None:
    sandbox = start(SandboxSettings(profile="flat", examples=False))
    mine, yours = connect(sandbox, "sk_mine"), connect(sandbox, "sk_yours")
    body = {"name": "Mine", "config": {"topicIds": [117805]}}
    audience = (await mine.post(AUDIENCES, json=body)).json()["data"]
    assert (await yours.get(AUDIENCES)).json()["data"] == []
    response = await yours.get(f"{AUDIENCES}/{audience['id']}")
    assert response.status_code == 404
    assert response.json() == {"error": {"code": "HTTP_ERROR", "message": "Audience not found"}}


async def test_broken_json_is_refused(start: Start, connect: Connect) -> None:
    sandbox = start(SandboxSettings())
    client = connect(sandbox)
    response = await client.post(f"{AUDIENCES}/preview", content=b'{"topicIds": [')
    assert response.status_code == 400
    assert "error" in response.json()
    assert sandbox.requests[-1].body == '{"topicIds": ['


async def test_what_was_asked_is_on_record_without_the_key(start: Start, connect: Connect) -> None:
    sandbox = start(SandboxSettings())
    client = connect(sandbox, "sk_very_secret")
    await client.get(f"{AUDIENCES}?status=active&limit=5")
    headers = {"Idempotency-Key": "one"}
    await client.post(f"{AUDIENCES}/{SOME_ID}/runs", json={"runType": "manual"}, headers=headers)
    listed, queued = sandbox.requests
    assert (listed.method, listed.path, listed.status) == ("GET", AUDIENCES, 200)
    assert listed.query == {"status": "active", "limit": "5"}
    assert listed.body is None
    assert queued.body == {"runType": "manual"}
    assert queued.status == 404
    assert queued.headers == {"X-API-Key": "redacted", "Idempotency-Key": "one"}
    assert "secret" not in repr(sandbox.requests)


async def test_the_record_keeps_the_last_two_thousand(start: Start) -> None:
    assert start(SandboxSettings()).requests.maxlen == 2_000


async def test_it_speaks_http_alone(start: Start) -> None:
    async def receive() -> dict[str, object]:
        return {}

    async def send(_: object) -> None:
        pass

    with pytest.raises(NotImplementedError, match="lifespan"):
        await start(SandboxSettings())({"type": "lifespan"}, receive, send)


@pytest.mark.parametrize("body", [{}, {"topicIds": []}, {"topicIds": [1] * 11}, [1]])
async def test_a_comparison_needs_one_to_ten_topics(
    body: object, start: Start, connect: Connect
) -> None:
    client = connect(start(SandboxSettings()))
    assert (await client.post("/v1/intent/topics/compare", json=body)).status_code == 400
