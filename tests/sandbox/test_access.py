"""Who may ask for what, and which routes each profile serves."""

import pytest

from tests.sandbox.asking import AUDIENCES, SOME_ID, Play, Start, ask, client_of

pytestmark = pytest.mark.anyio
ACCOUNT = "/v1/data/account"
ONE = f"{AUDIENCES}/{SOME_ID}"
RUN = f"{ONE}/runs/{SOME_ID}"
ONLY_FLAT = [
    *(("POST", f"{AUDIENCES}/query"), ("GET", f"{ONE}/status"), ("GET", f"{ONE}/results")),
    *(("GET", f"{ONE}/stats"), ("POST", f"{ONE}/export")),
]
ONLY_CATALOG = [
    *(("POST", f"{AUDIENCES}/validate"), ("POST", f"{ONE}/runs"), ("GET", RUN), ("DELETE", RUN)),
    *(("GET", f"{RUN}/results"), ("GET", f"{RUN}/stats"), ("GET", f"{RUN}/export.csv")),
    *(("POST", f"{RUN}/exports"), ("GET", f"{RUN}/exports/{SOME_ID}")),
]
BOTH = [
    *(("GET", f"{AUDIENCES}/filters"), ("POST", f"{AUDIENCES}/preview"), ("GET", f"{ONE}/runs")),
    *(("GET", AUDIENCES), ("POST", AUDIENCES), ("GET", ONE), ("PATCH", ONE), ("DELETE", ONE)),
    *(("GET", "/v1/data"), ("GET", "/v1/data/pixels"), ("POST", "/v1/data/pixels")),
    ("PATCH", f"/v1/data/pixels/{SOME_ID}"),
]
PRIVATE = [*BOTH, *ONLY_FLAT, *ONLY_CATALOG]


@pytest.mark.parametrize("headers", [{}, {"X-API-Key": "sk_"}, {"Authorization": "Bearer sk_test"}])
async def test_without_a_key_only_topics_are_told(headers: dict[str, str], play: Play) -> None:
    client = play()
    del client.headers["X-API-Key"]
    client.headers.update(headers)
    for method, path in [*PRIVATE, ("GET", ACCOUNT)]:
        error = await ask(client, method, path, expect=401)
        assert error == {"code": "HTTP_ERROR", "message": "Invalid API key"}
    await ask(client, "GET", "/v1/intent/topics/117805/trend")


async def test_a_body_that_is_no_json_is_refused(play: Play) -> None:
    client = play()
    refused = await client.post(AUDIENCES, content=b'{"name": ')
    assert refused.status_code == 400
    assert refused.json()["error"]["message"] == "Malformed JSON in request body"


async def test_where_no_audience_may_be_active_there_is_none_to_begin_with(start: Start) -> None:
    client = client_of(start(examples=True, slots=0))
    assert await ask(client, "GET", AUDIENCES) == []
    assert len(await ask(client, "GET", "/v1/data/pixels")) == 1


async def test_an_expired_organisation_sees_its_account_alone(start: Start) -> None:
    client = client_of(start(examples=True), "sk_expired_1")
    for method, path in PRIVATE:
        error = await ask(client, method, path, expect=403)
        assert error == {"code": "HTTP_ERROR", "message": "Organization is expired"}
    data = await ask(client, "GET", ACCOUNT)
    assert (data["healthy"], data["organization"]["status"]) == (False, "expired")
    assert (data["credits"]["used"], data["pixels"]["total"]) == (0, 0)


@pytest.mark.parametrize(
    ("profile", "served", "missing"),
    [
        ("flat", [*BOTH, *ONLY_FLAT], ONLY_CATALOG),
        ("catalog", [*BOTH, *ONLY_CATALOG], ONLY_FLAT),
        ("mixed", PRIVATE, [("GET", "/v1/nothing"), ("PUT", ACCOUNT)]),
    ],
)
async def test_each_profile_serves_its_own_routes(
    profile: str, served: list[tuple[str, str]], missing: list[tuple[str, str]], play: Play
) -> None:
    client = play(profile=profile)
    nowhere = {"error": {"code": "HTTP_ERROR", "message": "Not Found"}}
    for method, path in served:
        assert (await client.request(method, path)).json() != nowhere
    for method, path in missing:
        assert (await client.request(method, path)).json() == nowhere


async def test_organisations_do_not_see_each_other(start: Start) -> None:
    sandbox, body = start(), {"name": "Buyers", "config": {"topicIds": [117805]}}
    mine, yours = client_of(sandbox, "sk_mine"), client_of(sandbox, "sk_yours")
    audience = await ask(mine, "POST", AUDIENCES, body, expect=201)
    await ask(yours, "GET", f"{AUDIENCES}/{audience['id']}", expect=404)
    assert await ask(yours, "GET", AUDIENCES) == []
