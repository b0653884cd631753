"""Callers with keys of their own."""

from pathlib import Path

import anyio
import pytest
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from leadpipe_mcp.callers import KeptTogether, Shared
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


async def test_people_are_kept_in_a_folder_of_the_caller_s_own_which_tells_no_key(
    host: Host, tmp_path: Path
) -> None:
    async with host(cache_dir=tmp_path) as hosted:
        for key in (ANNA, BEN):
            async with hosted.client(key) as client:
                audience = (await called(client, "list_audiences"))["audiences"]["rows"][0][0]
                await called(client, "analyze_audience", audienceId=audience)
    folders = [path for path in tmp_path.iterdir() if path.is_dir()]
    assert len(folders) == 2
    assert not any(key in str(path) for path in tmp_path.rglob("*") for key in (ANNA, BEN))


class Remembering(Shared):
    """What processes keep for each other, as a store beside them does."""

    def __init__(self, kept: dict[str, bytes], moments: list[float]) -> None:
        super().__init__(b"one secret for all", lambda: moments[-1])
        self._kept = kept

    async def read(self, name: str) -> bytes | None:
        return self._kept.get(name)

    async def keep(self, name: str, what: bytes, seconds: float) -> None:  # noqa: ARG002 -- for good
        self._kept[name] = what


async def test_what_a_process_keeps_another_reads_with_its_age_and_half_of_it_is_nothing() -> None:
    kept, moments = dict[str, bytes](), [100.0]
    one, other = [KeptTogether(Remembering(kept, moments), "topics", 60) for _ in range(2)]
    assert await other.read() is None
    await one.keep(b"all of them")
    moments.append(130.0)
    assert await other.read() == (30.0, b"all of them")
    kept |= dict.fromkeys(kept, b"half")
    assert await other.read() is None


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
