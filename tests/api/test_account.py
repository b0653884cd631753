from collections.abc import Callable

import pytest
from starlette.responses import JSONResponse

from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.models import AudienceConfig, Slots
from leadpipe_mcp.errors import KeyRefused, ServiceDown, UnusableAnswer
from tests.faults.service import Fault, Sandbox

pytestmark = pytest.mark.anyio
Start = Callable[..., Sandbox]
Connect = Callable[..., LeadpipeClient]
CONFIG = AudienceConfig(topic_ids=(117805,))


async def test_the_account_tells_its_state(start: Start, connect: Connect) -> None:
    client = connect(start(slots=3))
    spelled = await client.configs.spell(CONFIG)
    await client.audiences.create("Buyers", spelled, "active")
    account = await client.account()
    assert account.healthy is True
    assert (account.organization.name, account.organization.status) == (
        "Sandbox Organization",
        "active",
    )
    assert account.credits is not None
    assert (account.credits.used, account.credits.limit, account.credits.remaining) == (
        123,
        500,
        377,
    )
    assert account.credits.resets_at == "2026-06-04T09:15:00.000Z"
    assert account.pixels is not None
    assert account.pixels.total == (account.pixels.active or 0) + (account.pixels.paused or 0)
    assert account.slots is not None
    assert (account.slots.used, account.slots.limit, account.slots.free) == (1, 3, 2)


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


async def test_an_expired_organization_still_has_an_account(start: Start, connect: Connect) -> None:
    account = await connect(start(), key="sk_expired").account()
    assert (account.healthy, account.organization.status) == (False, "expired")
    with pytest.raises(KeyRefused):
        await connect(start(), key="junk").account()


@pytest.mark.parametrize("name", ["intentSlots", "audience_slots", "SLOTS", "intent.slots"])
async def test_slots_are_found_under_other_names(name: str, start: Start, connect: Connect) -> None:
    account = await connect(start(slots_key=name, slots=2)).account()
    assert account.slots == Slots(used=0, limit=2)


@pytest.mark.parametrize(
    ("more", "slots"),
    [
        ({}, None),
        ({"slots": None}, None),
        ({"slots": 3}, None),
        ({"slots": {"used": 1}}, None),
        ({"slots": {"limit": 1}}, None),
        ({"slots": {"used": "one", "limit": 3}}, None),
        ({"slots": {"used": "1", "limit": 3}}, (1, 3, 2)),
        ({"intentSlots": {"active": 4, "total": 3}}, (4, 3, 0)),
        ({"slots": {"used": 1, "limit": 3, "active": 2, "total": 9}}, (1, 3, 2)),
        ({"slotsAt": "2026", "audienceSlots": {"used": 0, "limit": 3}}, (0, 3, 3)),
        ({"limits": {"intent": {"slots": {"taken": 1, "max": 3}}}}, (1, 3, 2)),
        ({"slots": {"audiences": {"used": 2, "limit": 3}}}, (2, 3, 1)),
        ({"slots": {"free": 1, "limit": 3}}, (2, 3, 1)),
        ({"audience_slots": {"used": 2, "remaining": 1}}, (2, 3, 1)),
        ({"slotsUsed": 2, "slotsLimit": 3}, (2, 3, 1)),
        ({"intent": {"audienceSlotsActive": 2, "audienceSlotsTotal": 3}}, (2, 3, 1)),
        ({"slots": {"used": True, "limit": 3}}, None),
        ({"slots": {"used": -1, "limit": 3}}, None),
        ({"audiences": {"active": 2, "total": 9}}, None),
        ({"credits": {"slots": {"used": 2, "limit": 9}}}, None),
        ({"timeslots": {"used": 2, "limit": 9}}, None),
    ],
)
async def test_slots_are_not_made_up(
    more: dict[str, object], slots: tuple[int, int, int] | None, connect: Connect
) -> None:
    account = await connect(JSONResponse({"data": {"healthy": True, **more}})).account()
    shown = account.slots
    assert (shown and (shown.used, shown.limit, shown.free)) == slots


@pytest.mark.parametrize(
    "data", [{}, [], None, "ok", {"credits": {}}, {"healthy": "x"}, {"organization": []}]
)
async def test_an_account_of_another_form_is_none(data: object, connect: Connect) -> None:
    with pytest.raises(UnusableAnswer, match="status 200"):
        await connect(JSONResponse({"data": data})).account()


async def test_each_topic_is_asked_for_once(start: Start, connect: Connect) -> None:
    sandbox = start()
    client = connect(sandbox)
    assert await client.topic_names(()) == ()
    for topics in ((117805,), (117805, 117890), (117890, 117805), (7, 117805), (7,)):
        await client.topic_names(topics)
    asked = [request.body for request in sandbox.requests]
    assert asked == [{"topicIds": [117805]}, {"topicIds": [117890]}, {"topicIds": [7]}]
    assert await client.topic_names((7,)) == ()


async def test_many_topics_are_looked_up_in_the_catalogue_at_once(
    start: Start, connect: Connect
) -> None:
    sandbox = start()
    client = connect(sandbox)
    topics = tuple(range(114_001, 114_012))
    names = await client.topic_names((*topics, 7, *topics))
    assert [topic.id for topic in names] == [*topics, *topics]
    assert await client.topic_names(topics) == names[:11]
    asked = [(request.method, request.path) for request in sandbox.requests]
    assert asked == [("GET", "/v1/intent/topics")]


async def test_a_failure_is_not_remembered_as_a_name(start: Start, connect: Connect) -> None:
    sandbox = start()
    client = connect(sandbox)
    sandbox.faults.add(Fault("wrong_shape"))
    with pytest.raises(UnusableAnswer, match="what should be a list is not one"):
        await client.topic_names((117805,))
    sandbox.faults.add(Fault("status", times=3))
    with pytest.raises(ServiceDown, match="Try again in a minute"):
        await client.topic_names((117805,))
    assert [topic.name for topic in await client.topic_names((117805,))] == ["Marketing ROI"]
