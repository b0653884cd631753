"""Ordering and cancelling runs."""

from collections.abc import Awaitable, Callable

import pytest

from tests.faults.service import Fault, Sandbox
from tests.tools.assistant import Assistant, Connect, Start

pytestmark = pytest.mark.anyio
Draft = Callable[[Assistant], Awaitable[str]]
Queued = Callable[[Assistant], Awaitable[dict[str, str]]]

numbered = pytest.mark.parametrize("profile", ["mixed", "catalog"])
DIRECTORS = "'Marketing Directors at Tech Companies'"
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


async def test_only_a_route_that_is_not_there_is_told_as_runs_by_date(
    client: Assistant, sandbox: Sandbox
) -> None:
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


async def test_a_run_that_does_not_exist_is_not_cancelled(connect: Connect) -> None:
    async with connect() as client:
        audience = (await client.saved())["active"]
        said = await client.refused("run_audience", id=audience, cancelRunId=NO_RUN)
    assert said.startswith("There is no such run among the latest 100 of this audience.")
