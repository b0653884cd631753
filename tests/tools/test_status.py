"""set_status and delete_audience, where nobody is asked; the asking is in test_confirm."""

import pytest

from leadpipe_mcp.settings import Settings
from tests.faults.service import Fault, Sandbox
from tests.tools.assistant import UNASKED, Connect, Start, changes, each_profile

pytestmark = pytest.mark.anyio

WANTED = {"topicIds": [117805]}
FULL = (
    "SLOTS_FULL: every audience slot is in use, so 'CRM Buyers in California' stays paused."
    " Active now: 'Marketing Directors at Tech Companies' ("
)


@each_profile
async def test_activating_takes_a_slot_and_starts_a_run(
    profile: str, start: Start, connect: Connect
) -> None:
    sandbox = start(profile=profile)
    async with connect(sandbox, settings=UNASKED) as client:
        made = await client.call("create_audience", name="New", config=WANTED)
        reply = await client.call("set_status", id=made["id"], status="active")
        shown = await client.call("get_audience", id=made["id"])
    size = made["size"]
    assert reply["summary"] == (
        "'New' is now active (was a draft). Slots in use: 2 of 3."
        f" The people are ready: {size} people, data from 2026-05-04."
    )
    assert (reply["id"], reply["name"], reply["size"]) == (made["id"], "New", size)
    assert (reply["before"], reply["status"], shown["status"]) == ("draft", "active", "active")
    assert reply["slots"] == {"before": 1, "after": 2, "limit": 3}
    assert reply["run"]["state"] == "ready"
    assert [step["tool"] for step in reply["next"]] == ["query_audience"]
    assert changes(sandbox) == ["POST /audiences", f"PATCH /audiences/{made['id']}"]


async def test_pausing_or_shelving_frees_the_slot(connect: Connect) -> None:
    async with connect() as client:
        audience = (await client.saved())["active"]
        size = (await client.call("get_audience", id=audience))["size"]
        paused = await client.call("set_status", id=audience, status="Paused")
        shelved = await client.call("set_status", id=audience, status="draft")
        again = await client.call("set_status", id=audience, status="draft")
    assert paused["summary"] == (
        "'Marketing Directors at Tech Companies' is now paused (was active). Slots in use: 0 of 3."
    )
    assert paused["slots"] == {"before": 1, "after": 0, "limit": 3}
    assert paused["size"] == size > 0
    assert "is now a draft (was paused)." in shelved["summary"]
    assert not {"run", "next"} & {*paused, *shelved}
    assert "is already a draft, so nothing was changed." in again["summary"]


@pytest.mark.parametrize("settings", [Settings(sandbox=True), UNASKED], ids=["asked", "unasked"])
async def test_a_full_account_is_refused_with_the_audiences_that_could_be_paused(
    settings: Settings, start: Start, connect: Connect
) -> None:
    sandbox = start(slots=1)
    async with connect(sandbox, settings=settings) as client:
        ids = await client.saved()
        activate = {"id": ids["paused"], "status": "active"}
        said = await client.refused("set_status", **activate)
        assert said.startswith(FULL)
        assert f"id {ids['active']}). Ask the user which of them to pause, then act" in said
        assert changes(sandbox) == []
        # GET of the audience, of the account, and then of the list.
        sandbox.faults.add(Fault("wrong_shape", method="GET", path="/audiences", every=2))
        said = await client.refused("set_status", **activate)
    assert said.endswith("Pause an active audience to free a slot, then activate again.")


async def test_a_slot_that_is_taken_meanwhile_is_refused_alike(
    start: Start, connect: Connect
) -> None:
    # As far as can be seen before: the service does not show its slots.
    sandbox = start(slots=1, slots_key="", deletion_frees_slot=False)
    async with connect(sandbox, settings=UNASKED) as client:
        ids = await client.saved()
        said = await client.refused("set_status", id=ids["paused"], status="active")
        assert said.startswith(FULL)
        assert changes(sandbox) == [f"PATCH /audiences/{ids['paused']}"]
        await client.call("delete_audience", id=ids["active"])
        said = await client.refused("set_status", id=ids["paused"], status="active")
    assert said.endswith(
        " No audience is listed as active; a deleted one may still hold its slot. The Leadpipe"
        " dashboard shows it."
    )


async def test_what_fails_after_the_change_does_not_hide_it(
    sandbox: Sandbox, connect: Connect
) -> None:
    async with connect(settings=UNASKED) as client:
        audience = (await client.saved())["paused"]
        sandbox.faults.add(Fault("status", path="/runs", times=None))
        sandbox.faults.add(Fault("wrong_shape", path="/account", every=2))
        reply = await client.call("set_status", id=audience, status="active")
    assert reply["summary"] == (
        "'CRM Buyers in California' is now active (was paused)."
        " Its people could not be checked just now."
    )
    assert reply["status"] == "active"
    assert reply["slots"] == {"before": 1, "limit": 3}
    assert "run" not in reply
    assert [step["tool"] for step in reply["next"]] == ["get_audience"]


async def test_a_change_that_the_service_refuses_or_does_not_confirm_is_not_reported_as_done(
    start: Start, connect: Connect
) -> None:
    sandbox = start(back_to_draft="reject")
    async with connect(sandbox, settings=UNASKED) as client:
        ids = await client.saved()
        said = await client.refused("set_status", id=ids["active"], status="draft")
        assert said == (
            "The service refused with status 400 VALIDATION_ERROR: status: An audience cannot"
            " become a draft again. Change what it names, then call again."
        )
        sandbox.faults.add(Fault("wrong_shape", method="PATCH"))
        said = await client.refused("set_status", id=ids["paused"], status="active")
    assert said.endswith("The service ignored the change: tell the user; another try may not help.")


async def test_a_deleted_audience_is_gone(start: Start, connect: Connect) -> None:
    sandbox = start()
    async with connect(sandbox, settings=UNASKED) as client:
        audience = (await client.saved())["paused"]
        reply = await client.call("delete_audience", id=audience)
        assert (await client.call("list_audiences"))["summary"] == "1 audience."
        said = await client.refused("delete_audience", id=audience)
    assert reply == {
        "summary": "'CRM Buyers in California' was deleted.",
        "id": audience,
        "name": "CRM Buyers in California",
        "sandbox": True,
    }
    assert said.startswith("The service refused with status 404: Audience not found.")
    assert changes(sandbox) == [f"DELETE /audiences/{audience}"]
