"""create_audience: saved under a name, as a draft unless it is to be more."""

import pytest
from starlette.responses import JSONResponse

from leadpipe_mcp.settings import Settings
from tests.faults.service import Fault, Sandbox
from tests.tools.assistant import UNASKED, Altered, Connect, Start, changes

pytestmark = pytest.mark.anyio

WANTED = {"topicIds": [117805], "minScore": 80, "filters": {"seniority": ["vp"]}}
VPS = {"name": "VPs", "config": WANTED}


async def test_an_audience_is_saved_as_a_draft_paused_or_active(
    start: Start, connect: Connect
) -> None:
    sandbox = start(run_seconds=60)
    async with connect(sandbox, settings=UNASKED) as client:
        preview = await client.call("preview_audience", **WANTED)
        draft = await client.call("create_audience", name="  VPs  ", config=WANTED)
        made = changes(sandbox)
        listed = await client.call("list_audiences", status="draft")
        paused = await client.call("create_audience", **VPS, status="paused", sameName=True)
        active = await client.call("create_audience", **VPS, status="active", sameName=True)
    size = preview["size"]
    assert draft["summary"] == f"'VPs' is saved (draft). {size} people match now."
    assert (draft["name"], draft["status"], draft["size"]) == ("VPs", "draft", size)
    assert draft["config"] == preview["config"]
    (step,) = draft["next"]
    assert step["arguments"] == {"id": draft["id"], "status": "active"}
    assert not {"slots", "run", "question", "confirm"} & {*draft, *paused}
    assert listed["audiences"]["rows"][0][:3] == [draft["id"], "VPs", "draft"]
    assert made == ["POST /audiences"]
    assert paused["summary"] == f"'VPs' is saved (paused). {size} people match."
    assert active["summary"] == (
        f"'VPs' is saved (active). {size} people match."
        " Slots in use: 2 of 3. The people are still being put together."
    )
    assert active["slots"] == {"before": 1, "after": 2, "limit": 3}
    assert active["run"]["state"] in {"queued", "running"}
    assert [step["tool"] for step in active["next"]] == ["get_audience"]
    assert changes(sandbox)[-2:] == ["POST /audiences", f"PATCH /audiences/{active['id']}"]


@pytest.mark.parametrize("settings", [Settings(sandbox=True), UNASKED], ids=["asked", "unasked"])
async def test_an_account_without_a_free_slot_is_refused_before_anything_is_saved(
    settings: Settings, start: Start, connect: Connect
) -> None:
    sandbox = start(slots=1)
    async with connect(sandbox, settings=settings) as client:
        active = (await client.saved())["active"]
        said = await client.refused("create_audience", **VPS, status="active")
        assert said.startswith(
            "SLOTS_FULL: every audience slot is in use, so 'VPs' cannot be active and was not"
            " saved; with status draft it can be saved now."
            " Active now: 'Marketing Directors at Tech Companies' ("
        )
        assert f"id {active}). Ask the user which of them to pause, then activate again." in said
        assert changes(sandbox) == []


async def test_a_slot_that_is_taken_meanwhile_leaves_a_draft(connect: Connect) -> None:
    # As far as can be seen before: the service does not show its slots.
    async with connect(slots=1, slots_key="", settings=UNASKED) as client:
        reply = await client.call("create_audience", **VPS, status="active")
        drafts = await client.call("list_audiences", status="draft")
    assert reply["summary"].startswith(
        "'VPs' is saved, but not active: SLOTS_FULL: every audience slot is in use, so 'VPs' stays"
        " a draft. Active now: 'Marketing Directors at Tech Companies'"
    )
    assert reply["status"] == "draft"
    assert "slots" not in reply
    assert [step["tool"] for step in reply["next"]] == ["set_status"]
    assert [row[0] for row in drafts["audiences"]["rows"]] == [reply["id"]]


@pytest.mark.parametrize("status", ["active", "paused"])
async def test_an_audience_whose_status_fails_is_not_called_unsaved(
    sandbox: Sandbox, connect: Connect, status: str
) -> None:
    sandbox.faults.add(Fault("status", method="PATCH", message="Out of order", times=None))
    async with connect(settings=UNASKED) as client:
        reply = await client.call("create_audience", **VPS, status=status)
        assert reply["summary"] == (
            f"'VPs' is saved, but not {status}: The service failed with status 500: Out of order."
            " A look afterwards: the audience is not as was asked for. It can be tried again."
        )
        assert reply["status"] == "draft"
        assert reply["next"][0]["arguments"] == {"id": reply["id"], "status": status}
        sandbox.faults.clear()
        sandbox.faults.add(Fault("status", method="PATCH", status=504, times=None))
        reply = await client.call("create_audience", name="CIOs", config=WANTED, status=status)
    assert reply["summary"].startswith(
        f"'CIOs' is saved, but its status ({status}) was not confirmed: The service failed with"
    )
    assert "status" not in reply
    assert [step["tool"] for step in reply["next"]] == ["get_audience"]


async def test_the_same_audience_is_not_saved_twice_unless_that_is_wanted(
    start: Start, connect: Connect
) -> None:
    sandbox = start()
    async with connect(sandbox) as client:
        made = await client.call("create_audience", **VPS)
        again = {"name": " vps", "config": {**WANTED, "filters": {"seniority": "VPs"}}}
        said = await client.refused("create_audience", **again)
        assert said == (
            f"'VPs' is already saved with exactly this config (draft, id {made['id']}). Nothing"
            " was created. Use it, or pass sameName: true if the user wants a second one."
        )
        # Nobody is asked about an activation that will not be.
        assert await client.refused("create_audience", **again, status="active") == said
        assert changes(sandbox) == ["POST /audiences"]
        other = await client.call("create_audience", name="VPs", config={"topicIds": [117805]})
        third = await client.call("create_audience", name="Directors", config=WANTED)
        second = await client.call("create_audience", **again, sameName=True)
    also = f"'VPs' is also the name of another audience (draft, id {made['id']})."
    assert also in other["warnings"]
    assert "also the name" not in str([third, second])
    assert second["id"] != made["id"]


async def test_where_not_all_audiences_can_be_seen_that_is_said(
    sandbox: Sandbox, connect: Connect, altered: Altered
) -> None:
    failing = JSONResponse({"error": {"message": "Out of order"}}, 500)
    async with connect(altered(sandbox, {"GET /intent/audiences": failing})) as client:
        reply = await client.call("create_audience", **VPS)
    assert reply["warnings"][:1] == [
        "Not all audiences could be checked, so another one may have this name."
    ]
