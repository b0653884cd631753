"""Callers with keys of their own."""

import anyio
import pytest
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from leadpipe_mcp.sandbox import SonarlySandbox
from tests.hosting.conftest import Host, Hosted, called

pytestmark = pytest.mark.anyio
ANNA, BEN = "sk_live_anna_0001", "sk_live_ben_0002"
WANTED = {"topicIds": [117805], "filters": {"hasPhone": True}}


async def test_a_call_works_in_both_eras(host: Host, era: str) -> None:
    async with host() as hosted, hosted.client(ANNA, era) as client:
        assert len((await client.list_tools()).tools) == 18
        found = await client.call_tool("list_audiences", {})
    assert (found.structured_content or {})["summary"] == "2 audiences."


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({}, "Send your Leadpipe API key"),
        ({"authorization": "Basic c2tfbGl2ZQ=="}, "Send your Leadpipe API key"),
        ({"authorization": "Bearer hunter2hunter2"}, "begins with sk_"),
        ({"x-api-key": "sk_live_a b"}, "begins with sk_"),
        ({"authorization": f"Bearer {ANNA}", "x-api-key": BEN}, "different keys"),
        ({"x-api-key": ANNA, "x-sonarly-key": "a b"}, "X-Sonarly-Key"),
    ],
)
async def test_without_a_key_that_can_be_one_nobody_is_admitted(
    host: Host, headers: dict[str, str], said: str
) -> None:
    async with host() as hosted:
        refused = await hosted.post(**headers)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith('Bearer error="invalid_token"')
    assert said in refused.json()["error_description"]
    assert "hunter2" not in refused.text
    assert "sk_live" not in refused.text


async def test_a_key_may_come_in_a_header_of_its_own(host: Host) -> None:
    async with host() as hosted:
        assert (await hosted.post(**{"x-api-key": ANNA})).status_code == 200


async def test_a_key_of_sonarly_goes_to_sonarly_and_each_caller_brings_their_own(
    host: Host,
) -> None:
    keys: list[str] = []
    sandbox = SonarlySandbox()

    async def sonarly(scope: Scope, receive: Receive, send: Send) -> None:
        keys.append(Request(scope).headers["authorization"])
        await sandbox(scope, receive, send)

    async with host(sonarly=sonarly, toolsets="audiences,sonarly") as hosted:
        for key in (ANNA, BEN):
            own = {"x-sonarly-key": f"{key}_so"}
            async with hosted.client(key, **own) as client:
                await called(client, "sonarly_list_audiences")
        async with hosted.client(ANNA) as client:
            refused = await client.call_tool("sonarly_list_audiences", {})
    assert set(keys) == {f"Bearer {ANNA}_so", f"Bearer {BEN}_so"}
    assert refused.is_error
    assert "X-Sonarly-Key" in str(refused.content)


@pytest.mark.parametrize("lists", [40, pytest.param(500, marks=pytest.mark.machines)])
async def test_callers_with_different_keys_never_see_each_others_audiences(
    host: Host, lists: int
) -> None:
    async def look(hosted: Hosted, key: str) -> None:
        name = f"Of {key[8:11]}"
        async with hosted.client(key) as client:
            made = await called(client, "create_audience", name=name, config=WANTED)
            for _ in range(lists):
                listed = await called(client, "list_audiences")
                names = {row[1] for row in listed["audiences"]["rows"]}
                assert {one for one in names if one.startswith("Of ")} == {name}
            await called(client, "delete_audience", id=made["id"])

    async with (
        host(confirm="off", requests_per_minute=10_000) as hosted,
        anyio.create_task_group() as tasks,
    ):
        for key in (ANNA, BEN):
            tasks.start_soon(look, hosted, key)
