"""Many callers in one process: what they share, and what stays each one's own."""

import gc
from collections import Counter

import anyio
import pytest
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from leadpipe_mcp import server
from leadpipe_mcp.sandbox import Sandbox, SandboxSettings
from tests.hosting.conftest import Host, Hosted, called

pytestmark = pytest.mark.anyio
ANNA, BEN, EVE = "sk_live_anna_0001", "sk_live_ben_0002", "sk_live_eve_0003"
WANTED = {"topicIds": [117805], "filters": {"hasPhone": True}}
TOPICS = "/v1/intent/topics"


class Service:
    """The sandbox, except that each key may have topics of its own."""

    def __init__(self, **named: str) -> None:
        self._sandbox = Sandbox(SandboxSettings(people=300))
        self._named = named
        self.asked: list[str] = []
        """The keys with which all topics were asked for."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = dict(scope["headers"])[b"x-api-key"].decode()
        if scope["path"] == TOPICS:
            self.asked.append(key)
            name = self._named.get(key, "Beekeeping software")
            data = [{"topicId": number, "topicName": f"{name} {number}"} for number in range(50)]
            return await JSONResponse({"data": data})(scope, receive, send)
        if scope["path"] == f"{TOPICS}/search":
            return await JSONResponse({"data": []})(scope, receive, send)
        return await self._sandbox(scope, receive, send)


async def found(hosted: Hosted, key: str) -> list[str]:
    """Return the names of topics like beekeeping that the caller is shown."""
    async with hosted.client(key) as client:
        reply = await called(client, "search_topics", queries=["beekeping software"])
    return [row[reply["topics"]["columns"].index("name")] for row in reply["topics"]["rows"]]


def alive() -> Counter[str]:
    """Count the things of each class that something still holds."""
    gc.collect()
    return Counter(type(thing).__name__ for thing in gc.get_objects())


@pytest.fixture
def before() -> Counter[str]:
    """Return how many there were before the test, since other tests leave some behind."""
    return alive()


async def test_callers_share_a_catalogue_once_the_service_has_answered_each(
    host: Host, before: Counter[str]
) -> None:
    service = Service()
    async with host(service) as hosted:
        for key in (ANNA, BEN, EVE, ANNA):
            assert all(name.startswith("Beekeeping") for name in await found(hosted, key))
        assert service.asked == [ANNA, BEN, EVE]
        now = alive()
        assert now["Catalogue"] == before["Catalogue"] + 1
        assert now["_Index"] == before["_Index"] + 1
    del hosted
    now = alive()
    assert now["Catalogue"] <= before["Catalogue"]
    assert now["_Index"] <= before["_Index"]


async def test_callers_whose_topics_differ_see_their_own(host: Host) -> None:
    async with host(Service(**{BEN: "Beekeeping software of Ben"})) as hosted:
        for key in (ANNA, BEN, ANNA, BEN):
            of_ben = ["of Ben" in name for name in await found(hosted, key)]
            assert set(of_ben) == {key == BEN}


async def ask(hosted: Hosted, key: str) -> None:
    """Call a tool, in one request."""
    params: dict[str, object] = {"name": "list_audiences", "arguments": {}}
    body: dict[str, object] = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    async with hosted.http(key) as client:
        answer = await client.post("/mcp", json=body)
    assert '"isError":true' not in answer.text


async def test_a_code_still_holds_when_as_many_others_as_may_be_open_have_called(
    host: Host, before: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MOST_OPEN", 20)
    async with host() as hosted:
        async with hosted.client(ANNA, "legacy") as client:
            made = await called(client, "create_audience", name="Buyers", config=WANTED)
            asked = await called(client, "delete_audience", id=made["id"])
        for number in range(25):
            await ask(hosted, f"sk_live_other_{number}")
        assert alive()["Backend"] - before["Backend"] <= server.MOST_OPEN
        async with hosted.client(ANNA, "legacy") as client:
            gone = await called(client, "delete_audience", id=made["id"], confirm=asked["confirm"])
            assert "deleted" in gone["summary"]
            again = await client.call_tool(
                "delete_audience", {"id": made["id"], "confirm": asked["confirm"]}
            )
    assert again.is_error


async def test_a_backend_at_work_is_not_closed(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten at once where two may be open: each is closed only when it has answered."""
    monkeypatch.setattr(server, "MOST_OPEN", 2)
    async with host() as hosted, anyio.create_task_group() as tasks:
        for number in range(30):
            tasks.start_soon(ask, hosted, f"sk_live_other_{number % 10}")
