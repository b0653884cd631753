import pytest
from starlette.responses import JSONResponse

from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.models import AudienceConfig, Run
from leadpipe_mcp.errors import NotDone, NotFound, NotPossible, Unclear, UnusableAnswer
from tests.api.answering import UNKNOWN_ID, Connect, Start, each_profile
from tests.faults.service import Fault, FaultKind, Sandbox

pytestmark = pytest.mark.anyio
CONFIG = AudienceConfig(topic_ids=(117805,), min_score=90)


async def saved(client: LeadpipeClient, *, active: bool = True) -> str:
    spelled = await client.configs.spell(CONFIG)
    audience = await client.audiences.create("Buyers", spelled, "active" if active else "draft")
    return audience.id


@pytest.fixture
def sandbox(profile: str, start: Start) -> Sandbox:
    """One in which a run takes a while."""
    return start(profile=profile, run_seconds=100)


@each_profile
async def test_an_audience_that_was_never_active_has_no_run_and_an_unknown_one_is_refused(
    client: LeadpipeClient, sandbox: Sandbox
) -> None:
    audience = await saved(client, active=False)
    assert await client.runs.list(audience) == ()
    assert (await client.runs.latest(audience)).state == "none"
    run = await client.runs.latest(audience, "2026-05-01")
    assert (run.state, run.size or 0) == ("none", 0)
    page = await client.runs.people(audience)
    assert (page.run.state, page.people) == ("none", ())
    # Asking for people must not start what nobody ordered.
    assert not any(request.path.endswith("/results") for request in sandbox.requests)
    # What is known of the API must make no difference.
    for _ in range(2):
        for call in (client.runs.list, client.runs.latest, client.runs.people):
            with pytest.raises(NotFound, match="Audience not found"):
                await call(UNKNOWN_ID)
        await client.runs.list(await saved(client))


async def test_runs_are_listed_newest_first_whatever_their_order(with_answers: Connect) -> None:
    runs = [
        {"id": f"r{number}", "status": "completed", "createdAt": f"2026-05-0{number}T07:00:00Z"}
        for number in (3, 1, 4, 2)
    ]
    client = with_answers({"GET /runs": JSONResponse({"data": runs})})
    assert [run.id for run in await client.runs.list(UNKNOWN_ID)] == ["r4", "r3", "r2", "r1"]
    assert (await client.runs.latest(UNKNOWN_ID)).id == "r4"


async def test_waiting_ends_when_the_time_is_over(client: LeadpipeClient) -> None:
    audience = await saved(client)
    looks: list[float] = []

    async def report(_run: Run, waited: float) -> None:
        looks.append(waited)

    assert (await client.runs.wait(audience, 0.05, report)).state == "queued"
    assert len(looks) == 2
    assert looks[-1] >= 0.05
    await client.runs.wait(audience, 0, report)
    assert len(looks) == 3


async def test_a_cursor_of_something_else_is_refused(
    client: LeadpipeClient, sandbox: Sandbox
) -> None:
    for cursor in ("x", "-1", "²"):
        with pytest.raises(NotPossible, match="is no cursor of this run"):
            await client.runs.people(UNKNOWN_ID, run_id=UNKNOWN_ID, cursor=cursor)
    assert not sandbox.requests


async def test_a_run_that_is_ordered_twice_with_one_key_is_one_run(
    client: LeadpipeClient, sandbox: Sandbox
) -> None:
    audience = await saved(client, active=False)
    first = await client.runs.queue(audience, "once")
    assert (first.state, first.run_type, first.data_date) == ("queued", "manual", "2026-05-04")
    assert (await client.runs.queue(audience, "once")).id == first.id
    assert sandbox.requests[-1].headers["Idempotency-Key"] == "once"
    assert sandbox.requests[-1].body == {"runType": "manual"}
    second = await client.runs.queue(audience, "again")
    assert second.id != first.id
    assert {run.id for run in await client.runs.list(audience)} == {first.id, second.id}


async def test_where_the_answer_does_not_tell_the_runs_do(
    client: LeadpipeClient, sandbox: Sandbox, with_answers: Connect
) -> None:
    audience = await saved(client)
    run = await client.runs.latest(audience)
    assert run.id is not None
    for data in (None, {"status": "queued"}):
        untold = with_answers({f"DELETE /{run.id}": JSONResponse({"data": data})}, sandbox)
        with pytest.raises(NotDone, match="the run is not cancelled"):
            await untold.runs.cancel(audience, run.id)
    await client.runs.cancel(audience, run.id)
    await untold.runs.cancel(audience, run.id)


async def test_a_page_of_another_form_is_no_page(with_answers: Connect) -> None:
    run = {"id": "r", "status": "completed"}
    numbered: list[object] = [
        {"run": run},
        {"run": run, "total": 1},
        {"run": run, "total": "x", "results": []},
        {"run": {"id": "r", "status": "done"}, "total": 0, "results": []},
        {"run": run, "total": 1, "results": [{}]},
    ]
    for data in numbered:
        client = with_answers({"GET /results": JSONResponse({"data": data})})
        with pytest.raises(UnusableAnswer, match="status 200"):
            await client.runs.people(UNKNOWN_ID, run_id=UNKNOWN_ID)
    ready = {"totalCount": 1, "status": "ready"}
    dated: list[object] = [
        {"data": {}, "meta": ready},
        {"data": [], "meta": {"status": "ready"}},
        {"data": ["x"], "meta": ready},
    ]
    for body in dated:
        changes = {"GET /results": JSONResponse(body), "POST /query": JSONResponse(body)}
        client = with_answers(changes, profile="flat")
        with pytest.raises(UnusableAnswer, match="status 200"):
            await client.runs.people(await saved(client))
        with pytest.raises(UnusableAnswer, match="status 200"):
            await client.runs.query(await client.configs.spell(CONFIG))


async def test_nested_parts_of_a_person_are_lifted_and_another_run_is_refused(
    with_answers: Connect,
) -> None:
    person = {
        "hashedEmail": "abc",
        "email": "ada@example.com",
        "company": {"name": "Acme", "domain": "acme.example", "employees": 7, "city": None},
        "intent": {"score": 91.5, "topicOverlap": 2, "matchedTopics": [{"topicName": "CRM"}, {}]},
        "location": {"city": "Austin", "state": "texas", "email": "wrong@example.com"},
    }
    other = {"hashedEmail": "def", "company": "Acme", "phone": ["1", "2"], "intentScore": 7}

    def holding(**run: str) -> LeadpipeClient:
        told = {"id": "r", "status": "completed", **run}
        data = {"run": told, "total": 2, "results": [person, other]}
        return with_answers({"GET /results": JSONResponse({"data": data})})

    page = await holding().runs.people(UNKNOWN_ID, run_id="r", date="2026-05-04")
    first, second = page.people
    assert {name: value for name, value in first.items() if value is not None} == {
        "id": "abc",
        "hashedEmail": "abc",
        "email": "ada@example.com",
        "company": "Acme",
        "companyName": "Acme",
        "companyDomain": "acme.example",
        "companyEmployees": 7,
        "intentScore": 91.5,
        "topicOverlap": 2,
        "topicName": "CRM",
        "city": "Austin",
        "state": "texas",
    }
    assert (second["company"], second["phone"], second["intentScore"]) == ("Acme", ["1", "2"], 7)
    assert page.run.data_date == "2026-05-04"
    earlier = holding(dataDate="2026-05-03")
    assert (await earlier.runs.people(UNKNOWN_ID, run_id="r")).run.data_date == "2026-05-03"
    with pytest.raises(UnusableAnswer, match="asked about 2026-05-04 and answered with 2026-05-03"):
        await earlier.runs.people(UNKNOWN_ID, run_id="r", date="2026-05-04")
    with pytest.raises(UnusableAnswer, match="of another run"):
        await holding(id="another").runs.people(UNKNOWN_ID, run_id="r")


async def test_a_page_of_a_run_that_is_still_being_made_has_nobody(with_answers: Connect) -> None:
    for status, said in ((202, "running"), (202, "queued")):
        answer = JSONResponse({"data": {"run": {"id": "r", "status": said}}}, status)
        page = await with_answers({"GET /results": answer}).runs.people(UNKNOWN_ID, run_id="r")
        assert (page.run.state, page.people, page.next_cursor) == (said, (), None)


@pytest.mark.parametrize("profile", ["flat"])
async def test_where_people_are_looked_for_by_date_a_missing_run_is_told_from_a_missing_audience(
    sandbox: Sandbox, connect: Connect
) -> None:
    client = connect(sandbox, "flat")
    page = await client.runs.people(await saved(client), date="2026-01-01")
    assert (page.run.state, page.people) == ("none", ())
    with pytest.raises(NotFound, match="Audience not found"):
        await client.runs.people(UNKNOWN_ID)


@pytest.mark.parametrize("kind", ["status", "reset_after", "cut"])
async def test_a_run_whose_answer_is_lost_is_queued_or_cancelled_once(
    kind: FaultKind, client: LeadpipeClient, sandbox: Sandbox
) -> None:
    audience = await saved(client)
    before = await client.runs.list(audience)
    sandbox.faults.add(Fault(kind, method="POST", path="/runs", times=3))
    if kind == "status":
        with pytest.raises(NotDone, match="no new run is there, so none was queued"):
            await client.runs.queue(audience, "one", before)
    run = await client.runs.queue(audience, "two", before)
    runs = await client.runs.list(audience)
    assert [one.id for one in runs if one not in before] == [run.id]
    assert run.id is not None
    sandbox.faults.add(Fault(kind, method="DELETE", path="/runs"))
    await client.runs.cancel(audience, run.id)
    assert {one.id: one.state for one in await client.runs.list(audience)}[run.id] == "cancelled"


async def test_a_run_that_cannot_be_told_from_another_is_not_claimed(
    client: LeadpipeClient, sandbox: Sandbox, with_answers: Connect
) -> None:
    audience = await saved(client)
    before = await client.runs.list(audience)
    told = JSONResponse({"data": [{"id": "new", "status": "queued"}]})
    client = with_answers({"GET /runs": told}, sandbox)
    sandbox.faults.add(Fault("reset", method="POST", path="/runs", times=None))
    assert (await client.runs.queue(audience, "one", before)).id == "new"
    with pytest.raises(Unclear, match="It may be the run with the id new"):
        await client.runs.queue(audience, "two")
