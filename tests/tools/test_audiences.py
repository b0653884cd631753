"""Saved audiences, listed and shown; their runs, and whether those are of their config."""

from collections.abc import Awaitable, Callable

import pytest
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from tests.faults.service import Fault, Sandbox
from tests.tools.assistant import UNASKED, Assistant, Connect, Reply, Start, each_era, each_profile

pytestmark = pytest.mark.anyio
Queued = Callable[[Assistant], Awaitable[dict[str, str]]]

WANTED = {"topicIds": [117805]}
DIRECTORS = "'Marketing Directors at Tech Companies'"
NO_RUN = "6fb81599-f601-4afe-b3ff-e8a211cae27d"
OUTDATED = "from before the audience was last changed"


async def test_audiences_are_listed_with_what_other_tools_need(client: Assistant) -> None:
    reply = await client.call("list_audiences")
    assert reply["summary"] == "2 audiences."
    assert reply["audiences"]["columns"] == ["id", "name", "status", "size", "refreshed"]
    active, paused = reply["audiences"]["rows"]
    assert active[1:3] == ["Marketing Directors at Tech Companies", "active"]
    assert (active[4], paused[4]) == ("2026-05-05", "2026-05-01")
    assert 0 < active[3] < paused[3] < 3_000
    assert set(reply) == {"summary", "audiences", "sandbox"}
    listed = await client.call("list_audiences", status="paused")
    assert listed["summary"] == "1 paused audience."
    assert listed["audiences"]["rows"] == [paused]
    none = await client.call("list_audiences", status="draft")
    assert none == {"summary": "0 draft audiences.", "sandbox": True}
    found = await client.call("list_audiences", nameContains="BUYERS in")
    assert found["summary"] == "1 audience with 'buyers in' in the name."
    assert found["audiences"]["rows"] == [paused]
    reply = await client.call("list_audiences", limit=1)
    assert reply["audiences"]["rows"] == [active]
    assert reply["warnings"] == ["There may be more than the first 1; raise limit to see them."]
    reply = await client.call("list_audiences", limit=1, nameContains="a")
    assert reply["summary"] == "2 audiences with 'a' in the name."
    assert reply["warnings"] == ["1 more not shown; raise limit to see them."]


async def test_a_list_that_is_cut_or_cannot_be_read_whole_says_so(connect: Connect) -> None:
    many: list[Reply] = [{"id": f"{n}", "name": f"n{n}", "status": "draft"} for n in range(100)]
    async with connect(JSONResponse({"data": many})) as client:
        reply = await client.call("list_audiences", nameContains="n7", limit=100)
    assert reply["summary"] == "11 audiences with 'n7' in the name."
    assert reply["warnings"] == ["There may be more than the first 100."]
    async with connect(JSONResponse({"data": [many[0], {**many[1], "id": None}]})) as client:
        reply = await client.call("list_audiences")
    assert reply["summary"] == "1 audience."
    assert reply["warnings"] == ["1 of 2 audiences could not be read and is left out."]


@each_profile
async def test_an_audience_is_shown_with_its_config_its_people_and_its_runs(
    profile: str, connect: Connect
) -> None:
    async with connect(profile=profile) as client:
        audience = (await client.saved())["active"]
        reply = await client.call("get_audience", id=audience)
        runs = reply["runs"]
        last = dict(zip(runs["columns"], runs["rows"][-1], strict=True))
        day = last["dataDate"]
        earlier = await client.call("get_audience", id=audience, date=day, fillRates=True)
        nothing = await client.call("get_audience", id=audience, date="2020-01-01")
        if "runId" in last:
            by_id = await client.call("get_audience", id=audience, runId=last["runId"])
            assert by_id["run"] == earlier["run"]
    size = reply["size"]
    assert reply["summary"] == (
        f"{DIRECTORS} is active. The people are ready: {size} people, data from 2026-05-04."
    )
    assert (reply["id"], reply["status"], reply["dataDate"]) == (audience, "active", "2026-05-04")
    assert "director" in reply["config"]["filters"]["seniority"]
    assert reply["topics"] == {
        "117805": "Marketing ROI",
        "117890": "Marketing Automation",
        "117918": "Demand Generation Benchmarks",
    }
    assert (reply["run"]["state"], reply["run"]["size"]) == ("ready", size)
    ids = [] if profile == "flat" else ["runId"]
    assert runs["columns"] == [*ids, "state", "dataDate", "size"]
    days = [f"2026-05-0{day}" for day in (4, 3, 2, 1)] + ["2026-04-30"]
    assert [row[-2] for row in runs["rows"]] == days
    assert runs["rows"][0][-1] == size > 0
    assert [step["tool"] for step in reply["next"]] == ["query_audience"]
    assert "warnings" not in reply
    assert earlier["dataDate"] == earlier["run"]["dataDate"] == day
    assert earlier["size"] == earlier["run"]["size"]
    assert earlier["fillRates"]["jobTitle"] == 100
    assert 0 < earlier["fillRates"]["phones" if profile == "flat" else "phone"] < 100
    assert "It has no people for 2020-01-01." in nothing["summary"]
    assert not {"size", "fillRates"} & set(nothing)


@each_era
async def test_waiting_ends_when_the_people_are_ready_and_tells_how_far_it_is(
    connect: Connect, moments: list[float]
) -> None:
    told: list[tuple[float, float | None, str | None]] = []

    async def listen(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total, message))
        moments.append(moments[-1] + 60)

    async with connect(run_seconds=60, settings=UNASKED) as client:
        # What no reader sees is not in a name.
        made = await client.call("create_audience", name="N\u202eew\u200b", config=WANTED)
        draft = await client.call("get_audience", id=made["id"])
        await client.call("set_status", id=made["id"], status="active")
        moments.append(moments[-1] + 30)
        before = await client.call("get_audience", id=made["id"], waitSeconds=1)
        waiting = {"id": made["id"], "waitSeconds": 100}
        reply = await client.call_tool("get_audience", waiting, progress_callback=listen)
    assert draft["summary"] == "'New' is a draft. The people have not been put together yet."
    assert draft["run"] == {"state": "none"}
    assert not {"size", "runs", "dataDate", "lastRefreshedAt"} & set(draft)
    assert draft["next"][0]["arguments"] == {"id": made["id"], "status": "active"}
    assert before["summary"] == "'New' is active. The people are still being put together."
    assert "size" not in before
    (step,) = before["next"]
    assert (step["tool"], step["arguments"]["waitSeconds"]) == ("get_audience", 60)
    shown: Reply = reply.structured_content or {}
    assert shown["summary"] == (
        f"'New' is active. The people are ready: {made['size']} people, data from 2026-05-04."
    )
    assert shown["size"] == made["size"] == shown["run"]["size"]
    assert [total for _, total, _ in told] == [100, 100]
    assert 0 <= told[0][0] < told[1][0] < 100
    assert told[0][2] == "The people are still being put together."


async def test_what_the_service_hides_or_fails_to_say_is_left_out_and_said(
    start: Start, connect: Connect
) -> None:
    async with connect(profile="catalog", detail_has_config=False) as client:
        reply = await client.call("get_audience", id=(await client.saved())["active"])
    assert reply["warnings"] == ["The service does not show this audience's config."]
    assert not {"config", "topics"} & set(reply)
    sandbox = start(profile="catalog")
    sandbox.faults.add(Fault("status", path="/topics/compare", times=3))
    sandbox.faults.add(Fault("status", path="/runs", status=404, times=None))
    async with connect(sandbox) as client:
        reply = await client.call("get_audience", id=(await client.saved())["active"])
    assert reply["summary"].endswith("is active. The service does not show its runs.")
    assert not {"topics", "run", "runs", "next"} & set(reply)
    assert reply["size"] > 0


@pytest.mark.parametrize("profile", ["mixed", "catalog", "flat"])
async def test_people_and_sizes_from_before_a_change_are_called_outdated_until_the_next_run(
    profile: str, connect: Connect, moments: list[float]
) -> None:
    async with connect(profile=profile, settings=UNASKED) as client:
        ids = await client.saved()
        audience = ids["active"]

        async def shown() -> list[Reply]:
            moments.append(moments[-1] + 60)
            return [
                await client.call("get_audience", id=audience),
                await client.call("query_audience", audienceId=audience, limit=3),
            ]

        moments.append(moments[-1] + 60)
        renamed = await client.call("update_audience", id=audience, name="A")
        assert OUTDATED not in str([renamed, *await shown()])
        one = await client.call("list_audiences", status="active")
        await client.call("update_audience", id=ids["paused"], name="P")
        both = await client.call("list_audiences")
        changed = await client.call("update_audience", id=audience, config={"minScore": 90})
        said = [OUTDATED in str(reply.get("warnings")) for reply in [changed, *await shown()]]
        # Where people are kept by date, there are none of the new config yet.
        assert said == [profile != "flat"] * 3
        moments.append(moments[-1] + 86_400)
        assert OUTDATED not in str(await shown())
        refreshed = await client.call("list_audiences", status="active")
    rest = "changed (or only renamed or paused) after the last refresh; see get_audience."
    # The list of the newer service does not say when audiences were changed.
    if profile != "catalog":
        assert one["warnings"] == [f"The size of 'A' may be out of date: it was {rest}"]
        sizes = f"The sizes of 'A' and 'P' may be out of date: they were {rest}"
        assert both["warnings"] == [sizes]
    assert "warnings" not in refreshed


@pytest.fixture
def queued() -> Queued:
    """What cancels the run that was just queued of a new draft."""

    async def queued(client: Assistant) -> dict[str, str]:
        new = {"name": "New", "config": WANTED, "sameName": True}
        audience = (await client.call("create_audience", **new))["id"]
        run = (await client.call("run_audience", id=audience))["run"]["id"]
        return {"id": audience, "cancelRunId": run}

    return queued


@pytest.mark.parametrize("profile", ["mixed", "catalog"])
async def test_a_run_is_queued(profile: str, start: Start, connect: Connect) -> None:
    sandbox = start(profile=profile)
    async with connect(sandbox) as client:
        audience = (await client.saved())["active"]
        reply = await client.call("run_audience", id=audience)
        await client.call("run_audience", id=audience)
    assert reply["summary"].startswith(f"A run of {DIRECTORS} is ready. The people are ready: ")
    assert reply["run"]["state"] == "ready"
    assert reply["next"][0]["tool"] == "query_audience"
    orders = [request for request in sandbox.requests if request.method == "POST"]
    keys = {request.headers["Idempotency-Key"] for request in orders}
    assert len(keys) == len(orders) == 2, "each order has a key of its own"


async def test_no_second_run_is_queued_while_one_is_on_its_way(
    connect: Connect, queued: Queued, moments: list[float]
) -> None:
    async with connect(run_seconds=60) as client:
        first = await queued(client)
        second = await client.call("run_audience", id=first["id"])
        moments.append(moments[-1] + 30)
        third = await client.call("run_audience", id=first["id"])
    assert second["summary"] == "A run of 'New' is already queued; none was added."
    assert third["summary"] == "A run of 'New' is already running; none was added."
    assert second["run"]["id"] == third["run"]["id"] == first["cancelRunId"]
    assert (second["name"], second["status"]) == ("New", "draft")
    assert second["next"][0]["arguments"] == {"id": first["id"], "waitSeconds": 60}


async def test_where_runs_go_by_date_or_the_route_is_missing_none_can_be_ordered(
    connect: Connect, sandbox: Sandbox
) -> None:
    async with connect(profile="flat") as client:
        audiences = await client.saved()
        active = await client.refused("run_audience", id=audiences["active"])
        paused = await client.refused("run_audience", id=audiences["paused"])
    assert active == (
        "This service makes one run a day on its own, and none can be ordered."
        f" {DIRECTORS} is active, so its next run comes automatically."
        " get_audience shows its latest run."
    )
    assert paused.endswith(
        "Only active audiences get them; 'CRM Buyers in California' is paused."
        " Activate it with set_status."
    )
    async with connect() as client:
        audience = (await client.saved())["active"]
        sandbox.faults.add(Fault("status", method="GET", path="/runs", status=404))
        hidden = await client.call("run_audience", id=audience)
        assert hidden["run"]["state"] == "ready", "runs that are hidden can be ordered all the same"
        for status in (404, 405):
            sandbox.faults.add(Fault("status", method="POST", path="/runs", status=status))
            said = await client.refused("run_audience", id=audience)
            assert said.startswith("This service makes one run a day on its own")
        sandbox.faults.add(Fault("status", method="POST", path="/runs", status=503, times=None))
        said = await client.refused("run_audience", id=audience)
    assert said.startswith("The service failed with status 503")
    assert said.endswith("no new run is there, so none was queued. It can be tried again.")


async def test_only_a_queued_run_is_cancelled(
    connect: Connect, queued: Queued, moments: list[float]
) -> None:
    async with connect(run_seconds=60) as client:
        cancelling = await queued(client)
        first = await client.call("run_audience", **cancelling)
        again = await client.call("run_audience", **cancelling)
        run = cancelling["cancelRunId"]
        cancelling["cancelRunId"] = NO_RUN
        missing = await client.refused("run_audience", **cancelling)
        begun = await queued(client)
        for said in ("already running", "finished"):
            moments.append(moments[-1] + 30)
            assert (await client.refused("run_audience", **begun)).startswith(
                f"The run is {said}, and only queued runs can be cancelled, so nothing was changed."
            )
    assert first["summary"] == "The queued run of 'New' was cancelled."
    assert first["run"] == {"id": run, "state": "cancelled", "dataDate": "2026-05-04"}
    assert "next" not in first
    assert again["summary"] == "The run was already cancelled, so nothing was changed."
    assert missing.startswith("There is no such run among the latest 100 of this audience.")


async def test_a_run_that_begins_while_it_is_being_cancelled_is_not_called_cancelled(
    start: Start, connect: Connect, queued: Queued, moments: list[float]
) -> None:
    sandbox = start(run_seconds=60)

    async def beginning(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "DELETE":
            moments.append(moments[-1] + 30)
        await sandbox(scope, receive, send)

    async with connect(beginning) as client:
        asked = await queued(client)
        said = await client.refused("run_audience", **asked)
        shown = await client.call("get_audience", id=asked["id"])
    assert said.startswith("The service refused with status 409: ")
    assert shown["run"]["state"] == "running"
