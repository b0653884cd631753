"""What is refused before anybody looks at it."""

import anyio
import pytest

from leadpipe_mcp.sandbox import Sandbox, SandboxSettings
from tests.hosting.conftest import Host, Hosted, called

pytestmark = pytest.mark.anyio
KEY = "sk_live_anna_0001"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example.com"}, 421),
        ({"host": "127.0.0.1.evil.example.com"}, 421),
        ({"origin": "https://evil.example.com"}, 403),
        ({"origin": "null"}, 403),
        ({"content-type": "text/plain"}, 400),
    ],
)
async def test_a_foreign_host_or_origin_is_refused(
    host: Host, headers: dict[str, str], status: int
) -> None:
    pages = "https://app.example.com, https://crm.example.com"
    async with host(public_url="https://mcp.example.com", allowed_origins=pages) as hosted:
        assert (await hosted.post(KEY, **headers)).status_code == status
        assert (await hosted.post(KEY, host="mcp.example.com")).status_code == 200
        for own in ("https://mcp.example.com", "https://crm.example.com"):
            assert (await hosted.post(KEY, origin=own)).status_code == 200


async def test_a_large_body_is_refused(host: Host) -> None:
    async with host() as hosted, hosted.http(KEY) as http:
        assert (await http.post("/mcp", content=b"x" * 5_000_000)).status_code == 413


async def test_too_many_requests_in_a_minute_are_told_how_long_to_wait(host: Host) -> None:
    async with host(requests_per_minute=3) as hosted:
        answers = [await hosted.post(KEY) for _ in range(4)]
        other = await hosted.post("sk_live_ben_0002")
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    refused = answers[3]
    seconds = int(refused.headers["retry-after"])
    error = refused.json()["error"]
    assert error["data"] == {"retryAfterSeconds": seconds}
    assert 1 <= seconds <= 60
    assert f"{seconds} second" in error["message"]
    assert other.status_code == 200


async def test_what_an_operator_looks_at_needs_no_key(host: Host) -> None:
    async with host() as hosted, hosted.http() as http:
        assert (await http.get("/healthz")).json()["status"] == "ok"
        assert (await http.get("/readyz")).json() == {"status": "ready"}
        assert (await http.get("/mcp")).status_code in {401, 405}


async def test_without_its_redis_a_server_says_so_and_answers(host: Host) -> None:
    async with (
        host(redis_url="redis://127.0.0.1:1", secret="0123456789abcdef" * 2) as hosted,
        hosted.http() as http,
    ):
        assert (await http.get("/readyz")).json() == {"status": "ready", "redis": "away"}
        assert (await hosted.post(KEY)).status_code == 200


async def test_an_answer_that_is_too_large_is_refused_with_what_to_ask_for_instead(
    host: Host, era: str
) -> None:
    asked = {"topicIds": [117805], "limit": 100, "fields": ["name", "jobTitle", "company"]}
    service = Sandbox(SandboxSettings(people=3_000, run_seconds=0))
    async with host(service, reply_bytes=10_000) as hosted, hosted.client(KEY, era) as client:
        refused = await client.call_tool("query_audience", asked)
        fewer = await called(client, "query_audience", **asked | {"limit": 5})
    said = str(refused.content)
    assert refused.is_error
    assert refused.structured_content is None
    assert "bytes, and this server sends at most 10,000. Ask for less: a smaller limit" in said
    assert len(said) < 1_000
    assert len(fewer["people"]["rows"]) == 5


async def test_what_was_done_is_said_though_the_answer_is_too_large(host: Host) -> None:
    domains = [f"a-company-of-many-{number}.example.com" for number in range(200)]
    config = {"topicIds": [117805], "filters": {"companyDomain": domains}}
    made = {"name": "Many companies", "config": config}
    async with host(reply_bytes=10_000) as hosted, hosted.client(KEY) as client:
        done = await client.call_tool("create_audience", made)
        listed = await called(client, "list_audiences")
    said = str(done.content)
    assert "This was done, so do not repeat it: 'Many companies' is saved (draft)" in said
    assert "this server sends at most 10,000" in said
    assert "Many companies" in str(listed)


async def test_more_calls_at_once_than_a_caller_may_make_are_refused(host: Host) -> None:
    statuses: list[tuple[int, str | None]] = []

    async def ask(hosted: Hosted, method: str) -> None:
        answer = await hosted.post(KEY, **{"mcp-method": method})
        statuses.append((answer.status_code, answer.headers.get("retry-after")))

    # One that only listens takes no place of theirs.
    for methods in (["tools/list"] * 2, ["tools/list", "subscriptions/listen"]):
        async with host(calls_at_once=1) as hosted, anyio.create_task_group() as tasks:
            for method in methods:
                tasks.start_soon(ask, hosted, method)
    assert sorted(statuses, key=str) == [(200, None), (200, None), (200, None), (429, "1")]
