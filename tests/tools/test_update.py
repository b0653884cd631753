"""update_audience, set_status and delete_audience; the asking is in test_confirm."""

import pytest
from pydantic import JsonValue

from leadpipe_mcp.api.models import Audience
from leadpipe_mcp.settings import Settings
from leadpipe_mcp.tools.configs import Change
from leadpipe_mcp.tools.services import MOST_REMEMBERED, LastActive
from tests.faults.service import Fault, Sandbox
from tests.tools.assistant import UNASKED, Assistant, Connect, Reply, Start, changes, each_profile

pytestmark = pytest.mark.anyio

WANTED = {
    "topicIds": [117805, 117890],
    "minScore": 60,
    "maxScore": 95,
    "minTopicOverlap": 2,
    "filters": {"seniority": ["vp"], "hasPhone": True},
    "sourceUrl": "https://acme.example/crm",
}
VPS = {"name": "VPs", "config": WANTED}
SAME = "'VPs' already looks like that, so nothing was changed."
FULL = (
    "SLOTS_FULL: every audience slot is in use, so 'CRM Buyers in California' stays paused."
    " Active now: 'Marketing Directors at Tech Companies' ("
)


async def test_filters_are_merged_by_key_and_null_removes_one(
    client: Assistant, sandbox: Sandbox
) -> None:
    made = await client.call("create_audience", **VPS)
    change = {"minScore": 70, "filters": {"department": ["Sales"], "hasPhone": None}}
    reply = await client.call("update_audience", id=made["id"], config=change)
    shown = await client.call("get_audience", id=made["id"])
    wanted = {**WANTED, "minScore": 70}
    wanted["filters"] = {"seniority": ["vp"], "department": ["sales"]}
    right = await client.call("preview_audience", **wanted)
    assert reply["config"] == shown["config"] == right["config"]
    assert reply["size"] == right["size"]
    assert reply["changes"]["columns"] == ["what", "before", "after"]
    assert sorted(reply["changes"]["rows"]) == [
        ["department", "", '["sales"]'],
        ["hasPhone", "true", ""],
        ["minScore", "60", "70"],
    ]
    assert reply["summary"].startswith("'VPs' was changed: ")
    assert reply["summary"].endswith(f". {right['size']} people match now.")
    assert [step["tool"] for step in reply["next"]] == ["set_status"]
    assert changes(sandbox) == ["POST /audiences", f"PATCH /audiences/{made['id']}"]


async def test_an_audience_is_renamed_without_a_look_at_its_people(
    client: Assistant, sandbox: Sandbox
) -> None:
    audience = (await client.saved())["paused"]
    before = len(sandbox.requests)
    reply = await client.call("update_audience", id=audience, name=" CRM ")
    assert reply["summary"] == "'CRM' was changed: name."
    assert reply["changes"]["rows"] == [["name", "CRM Buyers in California", "CRM"]]
    assert reply["size"] > 0
    assert "config" not in reply
    assert [request.method for request in sandbox.requests][before:] == ["GET", "PATCH"]
    assert [step["tool"] for step in reply["next"]] == ["query_audience"]


@each_profile
async def test_a_change_to_what_is_so_already_changes_nothing(
    profile: str, start: Start, connect: Connect
) -> None:
    sandbox = start(profile=profile)
    same = {"minScore": "60", "filters": {"seniority": "VP", "role.departments": None}}
    parts: list[Reply] = [
        {"filters": {"companySize": ["over 10"]}},
        {"filters": {"seniority": ["VP or below"]}},
        {"exclude": {"gender": ["male"]}},
    ]
    async with connect(sandbox) as client:
        made = await client.call("create_audience", **VPS)
        for change in (same, {}, made["config"]):
            reply = await client.call("update_audience", id=made["id"], name="VPs", config=change)
            assert reply["summary"] == SAME
            assert not {"changes", "next"} & set(reply)
        for part in parts:
            config = {"topicIds": [117805], **part}
            made = await client.call("create_audience", name="VPs", config=config)
            reply = await client.call("update_audience", id=made["id"], config=made["config"])
            assert reply["summary"] == SAME, "the config of a reply changes nothing"
    assert set(changes(sandbox)) == {"POST /audiences"}


async def test_a_change_that_does_not_fit_is_refused(client: Assistant, sandbox: Sandbox) -> None:
    cases: list[tuple[Reply, str]] = [
        ({"minScore": 96}, "With this change, minScore (96) is above maxScore (95)."),
        ({"topicIds": [7]}, "With this change, minTopicOverlap (2) is above the number of topics"),
        ({"filters": {"role.senority": None}}, "There is no filter 'role.senority'. Did you mean"),
        ({"filters": {"seniority": ["wizard"]}}, "'seniority' has no value 'wizard'."),
        ({"exclude": {"state": ["!texas"]}}, "'exclude.state' has no value '!texas'."),
        ({"filters": {"exclude.state": None}}, "There is no filter 'exclude.state'. To leave"),
        ({"topicIds": [117805, 5]}, "There is no topic with the id 5"),
    ]
    made = await client.call("create_audience", **VPS)
    for change, said in cases:
        text = await client.refused("update_audience", id=made["id"], config=change)
        assert text.startswith(said)
    assert changes(sandbox) == ["POST /audiences"]


async def test_a_part_of_a_config_that_is_hidden_cannot_be_changed(
    start: Start, connect: Connect
) -> None:
    sandbox = start(profile="catalog", detail_has_config=False)
    async with connect(sandbox) as client:
        made = await client.call("create_audience", **VPS)
        said = await client.refused("update_audience", id=made["id"], config={"minScore": 70})
        assert changes(sandbox) == ["POST /audiences"]
        renamed = await client.call("update_audience", id=made["id"], name="Others")
    assert said == (
        "The service does not show the config of 'VPs', so part of it cannot be changed"
        " without losing the rest. Nothing was changed."
        " Create a new audience with the whole config instead."
    )
    assert renamed["summary"] == "'Others' was changed: name."


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        (None, True, "part: not set → true"),
        ("a", "b's", "part: 'a' → 'b\u2019s'"),
        (["a", "b"], ["b", "c"], "part adds 'c', drops 'a'"),
        (["a"], None, "part: 'a' → not set"),
        ({"min": 1, "max": 5}, None, 'part: {"min": 1, "max": 5} → not set'),
        (None, [*"abcdefghij"], f"part: not set → {', '.join(map(repr, 'abcdefgh'))} and 2 more"),
    ],
)
def test_a_change_is_said_by_what_comes_and_what_goes(
    before: JsonValue, after: JsonValue, sentence: str
) -> None:
    assert Change("part", before, after).sentence() == sentence


def test_only_so_many_audiences_are_remembered_and_only_what_can_be_compared() -> None:
    seen = LastActive()
    told: Reply = {"name": "A", "status": "active", "config": {"topicIds": [1]}}
    for number in range(MOST_REMEMBERED + 1):
        seen.note(Audience.model_validate({**told, "id": str(number)}))
    seen.note(Audience.model_validate({**told, "id": "p", "status": "paused"}))
    seen.note(Audience.model_validate({**told, "id": "h", "config": None}))
    assert list(seen) == [str(number) for number in range(1, MOST_REMEMBERED + 1)]


@each_profile
async def test_an_audience_is_activated_changed_and_put_away(
    profile: str, start: Start, connect: Connect
) -> None:
    sandbox = start(profile=profile)
    async with connect(sandbox, settings=UNASKED) as client:
        made = await client.call("create_audience", **VPS)
        this, size = {"id": made["id"]}, made["size"]
        active = await client.call("set_status", **this, status="active")
        changed = await client.call("update_audience", **this, config={"minScore": 61})
        paused = await client.call("set_status", **this, status="Paused")
        shelved = await client.call("set_status", **this, status="draft")
        again = await client.call("set_status", **this, status="draft")
        deleted = await client.call("delete_audience", **this)
        gone = await client.refused("delete_audience", **this)
    assert active["summary"] == (
        "'VPs' is now active (was a draft). Slots in use: 2 of 3."
        f" The people are ready: {size} people, data from 2026-05-04."
    )
    assert (active["id"], active["name"], active["size"]) == (made["id"], "VPs", size)
    assert (active["before"], active["status"]) == ("draft", "active")
    assert active["slots"] == {"before": 1, "after": 2, "limit": 3}
    assert active["run"]["state"] == "ready"
    assert [step["tool"] for step in active["next"]] == ["query_audience"]
    assert [step["tool"] for step in changed["next"]] == ["get_audience"]
    assert paused["summary"] == "'VPs' is now paused (was active). Slots in use: 1 of 3."
    assert paused["slots"] == {"before": 2, "after": 1, "limit": 3}
    assert paused["size"] == size
    assert "is now a draft (was paused)." in shelved["summary"]
    assert not {"run", "next"} & {*paused, *shelved}
    assert "is already a draft, so nothing was changed." in again["summary"]
    assert deleted == {"summary": "'VPs' was deleted.", **this, "name": "VPs", "sandbox": True}
    assert gone.startswith("The service refused with status 404: Audience not found.")
    path = f"/audiences/{made['id']}"
    assert changes(sandbox) == ["POST /audiences", *[f"PATCH {path}"] * 4, f"DELETE {path}"]


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


async def test_whoever_activates_can_wait_for_the_people(
    connect: Connect, moments: list[float]
) -> None:
    async def listen(progress: float, total: float | None, message: str | None) -> None:
        moments.append(moments[-1] + 60)

    async with connect(run_seconds=60, settings=UNASKED) as client:
        made = await client.call("create_audience", **VPS)
        asked = {"id": made["id"], "status": "active", "waitSeconds": 100}
        result = await client.call_tool("set_status", asked, progress_callback=listen)
    reply: Reply = result.structured_content or {}
    assert (reply["status"], reply["run"]["state"]) == ("active", "ready")
    assert reply["size"] == made["size"]


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
    sandbox = start()
    refusal = Fault("status", "PATCH", status=400, message="It cannot become a draft again")
    async with connect(sandbox, settings=UNASKED) as client:
        ids = await client.saved()
        sandbox.faults.add(refusal)
        said = await client.refused("set_status", id=ids["active"], status="draft")
        assert said == (
            "The service refused with status 400: It cannot become a draft again. Change what it"
            " names, then call again."
        )
        sandbox.faults.add(Fault("wrong_shape", method="PATCH"))
        said = await client.refused("set_status", id=ids["paused"], status="active")
    assert said.endswith("The service ignored the change: tell the user; another try may not help.")
