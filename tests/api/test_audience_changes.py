"""What became of a change to a saved audience whose answer was lost, late or of no use."""

from dataclasses import replace

import anyio
import pytest
from starlette.responses import JSONResponse, Response
from starlette.types import Message, Receive, Scope, Send

from leadpipe_mcp.api.connections import Application
from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.errors import NotDone, TooManyRequests, Unclear, WrongAddress
from tests.api.answering import Connect, Start
from tests.api.test_audiences import CONFIG, SAVED, change, create
from tests.faults.service import Fault, FaultKind, Sandbox

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("other", [{"name": "Sellers"}, {"status": "paused"}])
async def test_a_change_that_is_not_confirmed_is_not_claimed(
    other: dict[str, object], sandbox: Sandbox, connect: Connect, with_answers: Connect
) -> None:
    saved = await create(connect(sandbox), "Buyers", CONFIG)
    answer = JSONResponse({"data": {**SAVED, "status": "active", **other}})
    client = with_answers({f"PATCH /{saved.id}": answer}, sandbox)
    with pytest.raises(NotDone, match=r"has not changed as asked\. A look afterwards: ") as caught:
        await client.audiences.update(saved.id, name="Buyers", status="active")
    assert "tell the user" in caught.value.advice


def unheard(application: Application, answer: Application) -> Application:
    """Does what the application does, and answers something else."""

    async def service(scope: Scope, receive: Receive, send: Send) -> None:
        async def swallow(_: Message) -> None: ...

        await application(scope, receive, swallow)
        await answer(scope, receive, send)

    return service


@pytest.mark.parametrize(
    "answer",
    [
        Response(b"", 204),
        Response(b"deleted", 200),
        JSONResponse({"data": {}}),
        JSONResponse({"data": {"deleted": False}}),
    ],
)
async def test_a_deletion_without_an_answer_is_looked_after(
    answer: Response, sandbox: Sandbox, connect: Connect, with_answers: Connect
) -> None:
    saved = await create(connect(sandbox), "Buyers", CONFIG)
    done = with_answers({f"DELETE /{saved.id}": unheard(sandbox, answer)}, sandbox)
    await done.audiences.delete(saved.id)
    assert (sandbox.requests[-1].method, sandbox.requests[-1].status) == ("GET", 404)
    saved = await create(connect(sandbox), "Buyers", CONFIG)
    not_done = with_answers({f"DELETE /{saved.id}": answer}, sandbox)
    with pytest.raises(NotDone, match="the audience is still there") as caught:
        await not_done.audiences.delete(saved.id)
    assert caught.value.status == answer.status_code
    assert await connect(sandbox).audiences.list()


async def test_where_nobody_can_look_a_deletion_stays_unclear(
    sandbox: Sandbox, connect: Connect, with_answers: Connect
) -> None:
    saved = await create(connect(sandbox), "Buyers", CONFIG)
    sandbox.faults.add(Fault("status", method="GET", times=None))
    client = with_answers({f"DELETE /{saved.id}": Response(b"", 204)}, sandbox)
    with pytest.raises(Unclear, match="status 204, but the answer is empty"):
        await client.audiences.delete(saved.id)


@pytest.mark.parametrize("kind", ["status", "reset_after", "cut"])
async def test_a_change_whose_answer_is_lost_is_made_exactly_once(
    kind: FaultKind, client: LeadpipeClient, sandbox: Sandbox
) -> None:
    fault = Fault(kind, path="/audiences")
    sandbox.faults.add(replace(fault, method="POST"))
    saved = await create(client, "Buyers", CONFIG)
    sandbox.faults.add(replace(fault, method="PATCH"))
    renamed = await client.audiences.update(saved.id, name="Sellers")
    assert renamed.name == "Sellers"
    assert [(a.id, a.name) for a in await client.audiences.list()] == [(saved.id, "Sellers")]
    sandbox.faults.add(replace(fault, method="DELETE"))
    await client.audiences.delete(saved.id)
    assert await client.audiences.list() == ()
    assert [each["happened"] for each in sandbox.faults.listed()] == [1, 1, 1]


async def test_a_change_that_fails_and_fails_is_said_to_be_not_done(
    client: LeadpipeClient, sandbox: Sandbox
) -> None:
    saved = await create(client, "Buyers", CONFIG)
    refused = Fault("status", status=503, times=None)
    sandbox.faults.add(replace(refused, method="DELETE"))
    with pytest.raises(NotDone, match=r"still there\. It can be tried again"):
        await client.audiences.delete(saved.id)
    sandbox.faults.add(replace(refused, method="POST"))
    with pytest.raises(NotDone, match="so none was saved"):
        await create(client, "Sellers", CONFIG)
    sandbox.faults.add(replace(refused, method="PATCH"))
    with pytest.raises(NotDone, match="is not as was asked for"):
        await client.audiences.update(saved.id, name="Sellers")
    sent = [r.method for r in sandbox.requests if r.status == 503]
    assert sent == ["DELETE"] * 2 + ["POST"] * 2 + ["PATCH"] * 2
    assert await client.audiences.list() == (saved,)


async def test_a_change_whose_answer_is_late_is_not_repeated(
    client: LeadpipeClient, sandbox: Sandbox
) -> None:
    late = Fault("status", method="POST", path="/audiences", status=504, times=None)
    sandbox.faults.add(late)
    with pytest.raises(Unclear, match="But it may still come") as caught:
        await create(client, "Buyers", CONFIG)
    assert caught.value.advice == "Look with list_audiences in a minute, before trying again."
    assert [r.status for r in sandbox.requests if r.method == "POST"] == [504]


async def test_a_refusal_for_haste_is_waited_out_and_the_change_made_once(
    client: LeadpipeClient, sandbox: Sandbox
) -> None:
    haste = Fault("status", method="POST", path="/audiences", status=429, retry_after=20)
    sandbox.faults.add(haste)
    started = anyio.current_time()
    saved = await create(client, "Buyers", CONFIG)
    assert anyio.current_time() - started >= 20
    assert await client.audiences.list() == (saved,)
    sandbox.faults.add(replace(haste, retry_after=3_600))
    with pytest.raises(TooManyRequests, match="Try again in 3600 seconds"):
        await create(client, "Sellers", CONFIG)
    assert await client.audiences.list() == (saved,)


async def test_a_new_audience_that_cannot_be_told_from_another_is_named_and_left(
    client: LeadpipeClient, sandbox: Sandbox
) -> None:
    first = await create(client, "Buyers", CONFIG)
    # What there was cannot be seen; after the failure there is one of this name.
    sandbox.faults.add(Fault("status", method="GET", path="/audiences", times=3))
    sandbox.faults.add(Fault("reset", method="POST", path="/audiences"))
    with pytest.raises(Unclear, match=f"It may be the audience with the id {first.id}"):
        await create(client, "Buyers", CONFIG)
    assert await client.audiences.list() == (first,)


async def test_a_deletion_that_was_only_seen_late_is_done(
    sandbox: Sandbox, connect: Connect, with_answers: Connect
) -> None:
    saved = await create(connect(sandbox), "Buyers", CONFIG)
    still_shown = JSONResponse({"data": {**SAVED, "id": saved.id}})
    client = with_answers({f"GET /{saved.id}": still_shown}, sandbox)
    sandbox.faults.add(Fault("reset_after", method="DELETE"))
    await client.audiences.delete(saved.id)
    assert [r.status for r in sandbox.requests if r.method == "DELETE"] == [None, 404]


async def test_a_web_page_that_answers_a_second_deletion_is_not_taken_for_its_success(
    client: LeadpipeClient, sandbox: Sandbox
) -> None:
    saved = await create(client, "Buyers", CONFIG)
    sandbox.faults.add(Fault("reset", method="DELETE"))
    sandbox.faults.add(Fault("html", method="DELETE", status=404))
    with pytest.raises(WrongAddress):
        await client.audiences.delete(saved.id)
    assert await client.audiences.list() == (saved,)


async def test_a_config_that_is_not_shown_is_neither_made_up_nor_claimed(
    start: Start, connect: Connect
) -> None:
    sandbox = start(profile="catalog", detail_has_config=False)
    client = connect(sandbox)
    saved = await create(client, "Buyers", CONFIG)
    other = CONFIG.model_copy(update={"min_score": 80})
    assert (await change(client, saved, other)).config is None
    # The service has confirmed the change: whoever cannot look now can look later.
    sandbox.faults.add(Fault("status", method="GET", path=saved.id, times=3))
    assert (await change(client, saved, CONFIG)).config is None
    assert [each["happened"] for each in sandbox.faults.listed()] == [3]
    sandbox.faults.add(Fault("reset_after", method="PATCH"))
    with pytest.raises(Unclear, match="does not show what the audience is made of"):
        await change(client, saved, other)


async def test_among_more_audiences_than_can_be_seen_nothing_is_said_not_to_be(
    sandbox: Sandbox, with_answers: Connect
) -> None:
    many = [{**SAVED, "id": f"a-{number}", "name": f"Old {number}"} for number in range(100)]
    client = with_answers({"GET /audiences": JSONResponse({"data": many})}, sandbox)
    sandbox.faults.add(Fault("reset", method="POST", path="/audiences", times=None))
    with pytest.raises(Unclear, match="Not all audiences could be looked at; among those seen"):
        await create(client, "Buyers", CONFIG)
