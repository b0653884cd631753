import pytest
from starlette.responses import JSONResponse

from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.errors import ServiceDown, UnusableAnswer
from tests.api.answering import Connect
from tests.faults.service import Fault, Sandbox

pytestmark = pytest.mark.anyio


async def test_an_account_is_read_as_it_is_documented(connect: Connect) -> None:
    data = {
        "healthy": True,
        "organization": {"name": "Acme", "status": "trial"},
        "credits": {
            "used": 10,
            "limit": 500,
            "remaining": 490,
            "percentUsed": 2,
            "resetsAt": "2026-06-01T00:00:00.000Z",
        },
        "pixels": {"total": 3, "active": 2, "paused": 1},
    }
    account = await connect(JSONResponse({"data": data})).account()
    assert account.model_dump(by_alias=True, exclude_none=True) == data


SLOTS: list[tuple[dict[str, object], tuple[int, int, int] | None]] = [
    ({}, None),
    *(({"slots": odd}, None) for odd in (None, 3, {"used": 1}, {"limit": 1})),
    *(({"slots": {"used": odd, "limit": 3}}, None) for odd in ("one", True, -1)),
    ({"slots": {"used": "1", "limit": 3}}, (1, 3, 2)),
    ({"SLOTS": {"used": 0, "limit": 2}}, (0, 2, 2)),
    ({"intent.slots": {"used": 0, "limit": 2}}, (0, 2, 2)),
    ({"intentSlots": {"active": 4, "total": 3}}, (4, 3, 0)),
    ({"slots": {"used": 1, "limit": 3, "active": 2, "total": 9}}, (1, 3, 2)),
    ({"slotsAt": "2026", "audienceSlots": {"used": 0, "limit": 3}}, (0, 3, 3)),
    ({"limits": {"intent": {"slots": {"taken": 1, "max": 3}}}}, (1, 3, 2)),
    ({"slots": {"audiences": {"used": 2, "limit": 3}}}, (2, 3, 1)),
    ({"slots": {"free": 1, "limit": 3}}, (2, 3, 1)),
    ({"audience_slots": {"used": 2, "remaining": 1}}, (2, 3, 1)),
    ({"slotsUsed": 2, "slotsLimit": 3}, (2, 3, 1)),
    ({"intent": {"audienceSlotsActive": 2, "audienceSlotsTotal": 3}}, (2, 3, 1)),
    ({"audiences": {"active": 2, "total": 9}}, None),
    ({"credits": {"slots": {"used": 2, "limit": 9}}}, None),
    ({"timeslots": {"used": 2, "limit": 9}}, None),
]


async def test_slots_are_not_made_up(connect: Connect) -> None:
    for more, slots in SLOTS:
        account = await connect(JSONResponse({"data": {"healthy": True, **more}})).account()
        shown = account.slots
        assert (shown and (shown.used, shown.limit, shown.free)) == slots, more


async def test_an_account_of_another_form_is_none(connect: Connect) -> None:
    others: list[object] = [{}, [], None, "ok", {"credits": {}}, {"healthy": "x"}]
    for data in [*others, {"organization": "x"}]:
        with pytest.raises(UnusableAnswer, match="status 200"):
            await connect(JSONResponse({"data": data})).account()


async def test_each_topic_is_asked_for_once(client: LeadpipeClient, sandbox: Sandbox) -> None:
    assert await client.topic_names(()) == ()
    for topics in ((117805,), (117805, 117890), (117890, 117805), (7, 117805), (7,)):
        await client.topic_names(topics)
    asked = [request.body for request in sandbox.requests]
    assert asked == [{"topicIds": [117805]}, {"topicIds": [117890]}, {"topicIds": [7]}]
    assert await client.topic_names((7,)) == ()


async def test_many_topics_are_looked_up_in_the_catalogue_at_once(
    client: LeadpipeClient, sandbox: Sandbox
) -> None:
    topics = tuple(range(114_001, 114_012))
    names = await client.topic_names((*topics, 7, *topics))
    assert [topic.id for topic in names] == [*topics, *topics]
    assert await client.topic_names(topics) == names[:11]
    asked = [(request.method, request.path) for request in sandbox.requests]
    assert asked == [("GET", "/v1/intent/topics")]


async def test_a_failure_is_not_remembered_as_a_name(
    client: LeadpipeClient, sandbox: Sandbox
) -> None:
    sandbox.faults.add(Fault("wrong_shape"))
    with pytest.raises(UnusableAnswer, match="what should be a list is not one"):
        await client.topic_names((117805,))
    sandbox.faults.add(Fault("status", times=3))
    with pytest.raises(ServiceDown, match="Try again in a minute"):
        await client.topic_names((117805,))
    assert [topic.name for topic in await client.topic_names((117805,))] == ["Marketing ROI"]
