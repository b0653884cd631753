"""Ordering and cancelling runs, and letting everyone of an audience out."""

from collections.abc import Awaitable, Callable

import pytest
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from leadpipe_mcp.api.in_process import Application
from leadpipe_mcp.settings import Settings
from leadpipe_mcp.tools import export
from tests.faults.service import Fault, Sandbox
from tests.tools.assistant import (
    UNASKED,
    Assistant,
    Connect,
    Human,
    Start,
    changes,
    each_era,
    each_profile,
)

pytestmark = pytest.mark.anyio
Draft = Callable[[Assistant], Awaitable[str]]
Queued = Callable[[Assistant], Awaitable[dict[str, str]]]
AlteredExport = Callable[[Application, object], Application]

numbered = pytest.mark.parametrize("profile", ["mixed", "catalog"])
DIRECTORS = "'Marketing Directors at Tech Companies'"
SANDBOX = Settings(sandbox=True)
WANTED = {"topicIds": [117805]}
NO_RUN = "6fb81599-f601-4afe-b3ff-e8a211cae27d"


@pytest.fixture
def draft() -> Draft:
    """The id of a new draft."""

    async def draft(client: Assistant) -> str:
        return (await client.call("create_audience", name="New", config=WANTED))["id"]

    return draft


@pytest.fixture
def queued(draft: Draft) -> Queued:
    """What cancels the run that was just queued of a new draft."""

    async def queued(client: Assistant) -> dict[str, str]:
        audience = await draft(client)
        run = (await client.call("run_audience", id=audience))["run"]["id"]
        return {"id": audience, "cancelRunId": run}

    return queued


@numbered
async def test_a_run_is_queued(profile: str, start: Start, connect: Connect) -> None:
    sandbox = start(profile=profile)
    async with connect(sandbox) as client:
        audience = (await client.saved())["active"]
        reply = await client.call("run_audience", id=audience)
    assert reply["summary"].startswith(f"A run of {DIRECTORS} is ready. The people are ready: ")
    assert reply["run"]["state"] == "ready"
    assert reply["next"][0]["tool"] == "query_audience"


@numbered
async def test_a_run_that_takes_time_is_waited_for_with_get_audience(
    profile: str, start: Start, connect: Connect, draft: Draft
) -> None:
    sandbox = start(profile=profile, run_seconds=60)
    async with connect(sandbox) as client:
        audience = await draft(client)
        reply = await client.call("run_audience", id=audience)
    assert reply["summary"] == "A run of 'New' is queued."
    assert (reply["id"], reply["name"], reply["status"]) == (audience, "New", "draft")
    assert reply["run"]["state"] == "queued"
    assert reply["next"][0]["arguments"] == {"id": audience, "waitSeconds": 60}


async def test_each_order_has_a_key_of_its_own(client: Assistant, sandbox: Sandbox) -> None:
    audience = (await client.saved())["active"]
    for _ in range(2):
        await client.call("run_audience", id=audience)
    orders = [request for request in sandbox.requests if request.method == "POST"]
    keys = {request.headers["Idempotency-Key"] for request in orders}
    assert len(keys) == len(orders) == 2
    assert all(len(key) <= 120 for key in keys)


@pytest.mark.parametrize(("seconds", "state"), [(0, "queued"), (30, "running")])
async def test_no_second_run_is_queued_while_one_is_on_its_way(
    *,
    seconds: float,
    state: str,
    start: Start,
    connect: Connect,
    queued: Queued,
    moments: list[float],
) -> None:
    sandbox = start(run_seconds=60)
    async with connect(sandbox) as client:
        first = await queued(client)
        moments.append(moments[-1] + seconds)
        second = await client.call("run_audience", id=first["id"])
    assert second["summary"] == f"A run of 'New' is already {state}; none was added."
    assert second["run"]["id"] == first["cancelRunId"]
    orders = [request for request in sandbox.requests if request.path.endswith("/runs")]
    assert [request.method for request in orders].count("POST") == 1


async def test_where_runs_go_by_date_none_can_be_ordered(connect: Connect) -> None:
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


@pytest.mark.parametrize("status", [404, 405])
async def test_a_route_that_is_not_there_is_told_as_runs_by_date(
    status: int, start: Start, connect: Connect, draft: Draft
) -> None:
    sandbox = start()
    sandbox.faults.add(Fault("status", method="POST", path="/runs", status=status))
    async with connect(sandbox) as client:
        said = await client.refused("run_audience", id=await draft(client))
    assert said.startswith("This service makes one run a day on its own")


async def test_a_service_that_hides_its_runs_takes_orders_all_the_same(
    client: Assistant, sandbox: Sandbox
) -> None:
    audience = (await client.saved())["active"]
    sandbox.faults.add(Fault("status", method="GET", path="/runs", status=404))
    assert (await client.call("run_audience", id=audience))["run"]["state"] == "ready"


async def test_a_service_that_fails_is_not_told_as_runs_by_date(
    client: Assistant, sandbox: Sandbox
) -> None:
    audience = (await client.saved())["active"]
    sandbox.faults.add(Fault("status", method="POST", path="/runs", status=503, times=None))
    said = await client.refused("run_audience", id=audience)
    assert said.startswith("The service failed with status 503")
    assert said.endswith("no new run is there, so none was queued. It can be tried again.")


async def test_a_queued_run_is_cancelled(connect: Connect, queued: Queued) -> None:
    async with connect(run_seconds=60) as client:
        cancelling = await queued(client)
        first = await client.call("run_audience", **cancelling)
        again = await client.call("run_audience", **cancelling)
    run = cancelling["cancelRunId"]
    assert first["summary"] == "The queued run of 'New' was cancelled."
    assert first["run"] == {"id": run, "state": "cancelled", "dataDate": "2026-05-04"}
    assert "next" not in first
    assert again["summary"] == "The run was already cancelled, so nothing was changed."


@pytest.mark.parametrize(("seconds", "said"), [(30, "already running"), (60, "finished")])
async def test_a_run_that_has_begun_is_not_cancelled(
    *, seconds: float, said: str, connect: Connect, queued: Queued, moments: list[float]
) -> None:
    async with connect(run_seconds=60) as client:
        cancelling = await queued(client)
        moments.append(moments[-1] + seconds)
        answer = await client.refused("run_audience", **cancelling)
    assert answer.startswith(
        f"The run is {said}, and only queued runs can be cancelled, so nothing was changed."
    )


@pytest.mark.parametrize("status", [400, 409])
async def test_a_run_that_begins_meanwhile_is_told_with_its_state(
    status: int, start: Start, connect: Connect, queued: Queued, moments: list[float]
) -> None:
    sandbox = start(run_seconds=60, cancel_conflict_status=status)

    async def service(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "DELETE":
            moments.append(moments[-1] + 30)
        await sandbox(scope, receive, send)

    async with connect(service) as client:
        said = await client.refused("run_audience", **await queued(client))
    assert said.startswith("The run is already running")


async def test_a_refusal_of_a_run_that_is_still_queued_is_passed_on(
    start: Start, connect: Connect, queued: Queued
) -> None:
    sandbox = start(run_seconds=60)
    sandbox.faults.add(Fault("status", method="DELETE", status=409, message="Not now"))
    async with connect(sandbox) as client:
        said = await client.refused("run_audience", **await queued(client))
    assert said.startswith("The service refused with status 409")


@each_profile
async def test_a_run_that_does_not_exist_is_not_cancelled(profile: str, connect: Connect) -> None:
    async with connect(profile=profile) as client:
        audience = (await client.saved())["active"]
        said = await client.refused("run_audience", id=audience, cancelRunId=NO_RUN)
    assert said.startswith("There is no such run among the latest 100 of this audience.")


@each_profile
async def test_everyone_is_exported_once_the_human_agreed(
    profile: str, connect: Connect, human: Human, questions: list[str]
) -> None:
    async with connect(profile=profile, answer=human("accept")) as client:
        audience = (await client.saved())["active"]
        reply = await client.call("export_audience", format="url", id=audience)
    size = reply["size"]
    assert size > 0
    (question,) = questions
    assert question == (
        f"Export {DIRECTORS} ({size} people, data from 2026-05-04) as a link to a CSV file? E-mail"
        " addresses and phone numbers go out unmasked, to anyone with the link."
    )
    until = "for 24h" if profile == "flat" else f"until {reply.get('expiresAt')}"
    assert reply["summary"] == (
        f"A link to the CSV of {DIRECTORS}: {size} people, unmasked, data from 2026-05-04."
        f" It works {until}."
    )
    assert reply["url"].startswith("http://127.0.0.1/")
    assert reply["fileName"] == "marketing-directors-at-tech-companies-2026-05-04.csv"
    assert reply["dataDate"] == "2026-05-04"
    assert reply["warnings"] == [export.ANYONE, export.ONLY_HERE]
    assert "next" not in reply


@pytest.mark.parametrize("action", ["decline", "cancel"])
@each_era
async def test_nothing_goes_out_when_the_human_does_not_agree(
    action: str, connect: Connect, sandbox: Sandbox, human: Human
) -> None:
    async with connect(answer=human(action)) as client:
        audience = (await client.saved())["active"]
        said = await client.refused("export_audience", format="url", id=audience)
    assert said.startswith("The user did not agree to this: Export ")
    assert changes(sandbox) == []


async def test_without_a_human_at_hand_the_assistant_asks_and_brings_a_code(
    client: Assistant, sandbox: Sandbox
) -> None:
    audience = (await client.saved())["active"]
    asked = await client.call("export_audience", format="url", id=audience)
    assert asked["question"].startswith(f"Export {DIRECTORS} (")
    assert "url" not in asked
    assert changes(sandbox) == []
    same = {"id": audience, "format": "url", "confirm": asked["confirm"]}
    reply = await client.call("export_audience", **same)
    assert reply["url"]
    assert "url" not in await client.call("export_audience", **same, date="2026-05-02")


async def test_a_server_that_masks_lets_nobody_out(connect: Connect, sandbox: Sandbox) -> None:
    settings = Settings(sandbox=True, confirm="off", contact="mask")
    async with connect(settings=settings) as client:
        said = await client.refused("export_audience", format="url", id=NO_RUN)
    assert said == (
        "This server lets no unmasked e-mail addresses or phone numbers out"
        " (LEADPIPE_CONTACT=mask), and the service's file has them."
        " format csv writes a masked file."
    )
    assert not sandbox.requests


@each_profile
async def test_people_of_an_earlier_day_are_exported(profile: str, connect: Connect) -> None:
    async with connect(profile=profile, settings=UNASKED) as client:
        audience = (await client.saved())["active"]
        reply = await client.call("export_audience", format="url", id=audience, date="2026-05-02")
    assert reply["dataDate"] == "2026-05-02"
    assert "data from 2026-05-02" in reply["summary"]


async def test_people_of_a_run_are_exported(connect: Connect) -> None:
    async with connect(profile="catalog", settings=UNASKED) as client:
        audience = (await client.saved())["active"]
        rows = (await client.call("get_audience", id=audience))["runs"]["rows"]
        reply = await client.call("export_audience", format="url", id=audience, runId=rows[2][0])
    assert reply["dataDate"] == rows[2][2]
    assert reply["size"] == rows[2][3]


async def test_a_date_and_a_run_contradict_each_other(client: Assistant) -> None:
    said = await client.refused(
        "export_audience", format="url", id=NO_RUN, runId=NO_RUN, date="2026-05-02"
    )
    assert said == "Name a date or a runId, not both."
    said = await client.refused("export_audience", id=NO_RUN, format="xlsx")
    assert said == "'format' must be 'csv', 'jsonl', 'linkedin_urls' or 'url'."


@each_profile
async def test_a_draft_has_nothing_to_export(profile: str, connect: Connect, draft: Draft) -> None:
    async with connect(profile=profile) as client:
        audience = await draft(client)
        reply = await client.call("export_audience", format="url", id=audience)
    assert reply["summary"] == (
        "The people have not been put together yet. There is nothing to export yet."
    )
    assert reply["run"] == {"state": "none"}
    assert reply["next"][0]["tool"] == "set_status"
    assert reply["next"][0]["arguments"] == {"id": audience, "status": "active"}


@each_profile
async def test_a_run_on_its_way_is_waited_for_before_the_export(
    profile: str, connect: Connect, draft: Draft
) -> None:
    async with connect(profile=profile, run_seconds=60, settings=UNASKED) as client:
        audience = await draft(client)
        await client.call("set_status", id=audience, status="active")
        reply = await client.call("export_audience", format="url", id=audience)
    assert reply["summary"] == (
        "The people are still being put together. There is nothing to export yet."
    )
    assert [step["arguments"] for step in reply["next"]] == [{"id": audience, "waitSeconds": 60}]


@numbered
async def test_while_a_new_run_is_on_its_way_the_earlier_people_are_offered(
    profile: str, connect: Connect, moments: list[float]
) -> None:
    async with connect(profile=profile, run_seconds=60, settings=UNASKED) as client:
        audience = (await client.saved())["active"]
        await client.call("run_audience", id=audience)
        reply = await client.call("export_audience", format="url", id=audience)
        step = reply["next"][1]
        assert step["tool"] == "export_audience"
        assert step["why"] == "the people from 2026-05-04 instead"
        earlier = await client.call(step["tool"], **step["arguments"])
    assert earlier["url"]


@pytest.mark.parametrize(
    ("profile", "tool"), [("flat", "get_audience"), ("catalog", "run_audience")]
)
async def test_after_a_failed_run_there_is_a_way_on(
    profile: str, tool: str, connect: Connect, draft: Draft
) -> None:
    async with connect(profile=profile, runs_fail=True, settings=UNASKED) as client:
        audience = await draft(client)
        await client.call("set_status", id=audience, status="active")
        reply = await client.call("export_audience", format="url", id=audience)
    assert reply["summary"] == "The last run failed. There is nothing to export yet."
    assert [(step["tool"], step["arguments"]) for step in reply["next"]] == [
        (tool, {"id": audience})
    ]


@each_profile
async def test_a_day_without_people_is_answered_with_another(
    profile: str, connect: Connect
) -> None:
    async with connect(profile=profile, settings=UNASKED) as client:
        audience = (await client.saved())["active"]
        reply = await client.call("export_audience", format="url", id=audience, date="2025-01-01")
        assert reply["summary"] == "There are no people for 2025-01-01 to export."
        (step,) = reply["next"]
        export = await client.call(step["tool"], **step["arguments"])
    assert export["dataDate"] == "2026-05-04"


async def test_a_file_that_takes_time_is_told_with_progress(
    connect: Connect, moments: list[float]
) -> None:
    told: list[str | None] = []

    async def listen(progress: float, total: float | None, message: str | None) -> None:
        told.append(message)
        moments.append(moments[-1] + 60)

    async with connect(profile="catalog", export_seconds=60, settings=UNASKED) as client:
        audience = (await client.saved())["active"]
        exporting = {"id": audience, "format": "url"}
        reply = await client.call_tool("export_audience", exporting, progress_callback=listen)
    assert (reply.structured_content or {})["url"]
    assert told == ["The file is being written."]


async def test_a_file_that_is_not_there_in_time_is_asked_for_again(
    start: Start, connect: Connect, altered_export: AlteredExport
) -> None:
    service = altered_export(start(profile="catalog"), {"export": {"status": "processing"}})
    async with connect(service, settings=UNASKED) as client:
        audience = (await client.saved())["active"]
        reply = await client.call("export_audience", format="url", id=audience)
    assert reply["summary"] == f"The file for {DIRECTORS} is still being written."
    assert reply["next"][0]["tool"] == "export_audience"
    assert "url" not in reply


async def test_what_is_odd_about_a_file_is_said(
    start: Start, connect: Connect, altered_export: AlteredExport
) -> None:
    data = {"export": {"rowCount": 7}, "downloadUrl": "https://files.example/a.csv"}
    service = altered_export(start(profile="catalog"), data)
    settings = Settings.model_validate({"confirm": "off", "api_key": "sk_test"})
    async with connect(service, settings=settings) as client:
        audience = (await client.saved())["active"]
        reply = await client.call("export_audience", format="url", id=audience)
    assert reply["size"] == 7
    assert reply["summary"].endswith("The service does not say how long it works.")
    assert reply["warnings"][0] == export.ANYONE
    assert reply["warnings"][1].startswith("The run found ")
    assert reply["warnings"][1].endswith("people, but the file has 7 people.")
    assert "fileName" not in reply


@pytest.fixture
def altered_export() -> AlteredExport:
    """A service that answers the wish for a file with this."""

    def altered(application: Application, data: object) -> Application:
        async def service(scope: Scope, receive: Receive, send: Send) -> None:
            exports = scope["path"].endswith("/exports")
            answer = JSONResponse({"data": data}, 201) if exports else application
            await answer(scope, receive, send)

        return service

    return altered
