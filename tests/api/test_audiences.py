from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

import anyio
import pytest
from pydantic import JsonValue
from starlette.responses import JSONResponse, Response
from starlette.types import Message, Receive, Scope, Send

from leadpipe_mcp.api.in_process import Application
from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.models import Audience, AudienceConfig, Status
from leadpipe_mcp.api.service import Pin
from leadpipe_mcp.errors import (
    NotDone,
    NotFound,
    NotPossible,
    RequestRefused,
    SlotsFull,
    TooManyRequests,
    Unclear,
    UnusableAnswer,
)
from tests.faults.service import Fault, FaultKind, Sandbox

pytestmark = pytest.mark.anyio
Start = Callable[..., Sandbox]
Connect = Callable[..., LeadpipeClient]
Altered = Callable[[Application, Mapping[str, Application]], Application]
Filters = dict[str, JsonValue]
PROFILES = ("flat", "catalog", "mixed")
STATUSES: tuple[Status, ...] = ("draft", "active", "paused")
UNKNOWN_ID = "6fb81599-f601-4afe-b3ff-e8a211cae27d"
CONFIG = AudienceConfig(
    topic_ids=(117805, 117890),
    min_score=60,
    max_score=99,
    min_topic_overlap=2,
    filters={"companyIndustry": ["Software Development"], "hasPhone": True},
)
SPELLED: dict[str, Filters] = {
    "flat": {"companyIndustry": ["software development"], "hasPhone": True},
    "catalog": {
        "company.industries": {"values": ["software development"]},
        "contact.hasPhone": True,
    },
}
SPELLED["mixed"] = SPELLED["catalog"]


@pytest.fixture(params=PROFILES)
def profile(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def sandbox(profile: str, start: Start) -> Sandbox:
    return start(profile=profile)


@pytest.fixture
def client(sandbox: Sandbox, connect: Connect) -> LeadpipeClient:
    return connect(sandbox)


async def create(
    client: LeadpipeClient, name: str, config: AudienceConfig, status: Status = "draft"
) -> Audience:
    return await client.audiences.create(name, await client.configs.spell(config), status)


async def change(client: LeadpipeClient, audience: Audience, config: AudienceConfig) -> Audience:
    spelled = await client.configs.spell(config)
    return await client.audiences.update(audience.id, config=spelled)


def sent(sandbox: Sandbox, method: str) -> list[object]:
    return [request.body for request in sandbox.requests if request.method == method]


@pytest.mark.parametrize("status", STATUSES)
async def test_an_audience_is_created_with_the_status_that_was_asked_for(
    status: Status, profile: str, client: LeadpipeClient
) -> None:
    created = await create(client, "Buyers", CONFIG, status)
    assert (created.name, created.status) == ("Buyers", status)
    read = await client.audiences.get(created.id)
    assert (read.id, read.name, read.status) == (created.id, "Buyers", status)
    assert read.config is not None
    assert read.config.as_sent() == {
        "topicIds": [117805, 117890],
        "minScore": 60,
        "maxScore": 99,
        "minTopicOverlap": 2,
        "filters": SPELLED[profile],
    }
    assert read.created_at == "2026-05-05T09:15:00.000Z"
    if status != "active":
        assert read.size in {None, 0}
    # The newer API names no topics.
    names = [] if profile == "catalog" else ["Marketing ROI", "Marketing Automation"]
    assert [topic.name for topic in read.topics] == names


async def test_the_older_api_is_told_the_status_afterwards(
    profile: str, sandbox: Sandbox, client: LeadpipeClient
) -> None:
    await create(client, "Buyers", CONFIG, "active")
    assert len(sent(sandbox, "PATCH")) == (profile == "flat")
    (body,) = sent(sandbox, "POST")
    assert isinstance(body, dict)
    assert ("status" in body) == (profile != "flat")


async def test_a_service_that_ignores_the_status_is_told_again(
    start: Start, connect: Connect, altered: Altered
) -> None:
    sandbox = start()
    draft = await create(connect(sandbox), "Buyers", CONFIG)
    answer = JSONResponse({"data": draft.model_dump(by_alias=True)}, 201)
    client = connect(altered(sandbox, {"POST /audiences": answer}))
    assert (await create(client, "Buyers", CONFIG, "paused")).status == "paused"
    assert (await client.audiences.get(draft.id)).status == "paused"


async def test_without_a_free_slot_nothing_is_activated(
    profile: str, start: Start, connect: Connect
) -> None:
    client = connect(start(profile=profile, slots=1))
    await create(client, "First", CONFIG, "active")
    with pytest.raises(SlotsFull) as caught:
        await create(client, "Second", CONFIG, "active")
    assert (caught.value.status, caught.value.code) == (403, "SLOTS_FULL")
    saved = await client.audiences.list()
    if profile == "flat":
        draft = saved[0]
        assert (draft.name, draft.status) == ("Second", "draft")
        assert f"saved as a draft, with the id {draft.id}." in str(caught.value)
    else:
        assert [audience.name for audience in saved] == ["First"]
        assert "draft" not in str(caught.value)
        draft = await create(client, "Second", CONFIG)
    with pytest.raises(SlotsFull, match="Pause an active audience to free a slot"):
        await client.audiences.update(draft.id, status="active")
    assert (await client.audiences.get(draft.id)).status == "draft"


async def test_a_config_that_cannot_be_said_saves_nothing(client: LeadpipeClient) -> None:
    bad = CONFIG.model_copy(update={"filters": {"companyIndustry": ["softwork"]}})
    with pytest.raises(NotPossible, match="no value 'softwork'"):
        await create(client, "Buyers", bad)
    assert await client.audiences.list() == ()


async def test_a_name_that_the_service_refuses_saves_nothing(client: LeadpipeClient) -> None:
    for name in ("", "x" * 256):
        with pytest.raises(RequestRefused, match="name: Expected a string of 1 to 255"):
            await create(client, name, CONFIG)
    assert await client.audiences.list() == ()


async def test_the_list_is_of_a_status_and_so_long(
    client: LeadpipeClient, moments: list[float]
) -> None:
    for number in range(3):
        for status in STATUSES:
            moments.append(moments[-1] + 1)
            await create(client, f"{status} {number}", CONFIG, status)
    assert len(await client.audiences.list()) == 9
    for status in STATUSES:
        names = [audience.name for audience in await client.audiences.list(status)]
        assert names == [f"{status} {number}" for number in (2, 1, 0)]
        names = [audience.name for audience in await client.audiences.list(status, 2)]
        assert names == [f"{status} {number}" for number in (2, 1)]
    assert [a.name for a in await client.audiences.list(limit=1)] == ["paused 2"]


async def test_the_list_shows_what_there_is(start: Start, connect: Connect) -> None:
    for profile in PROFILES:
        client = connect(start(profile=profile, examples=True))
        active, paused = await client.audiences.list()
        assert (active.name, active.status) == ("Marketing Directors at Tech Companies", "active")
        assert (paused.name, paused.status) == ("CRM Buyers in California", "paused")
        assert active.size is not None
        assert active.size > 0
        assert active.last_refreshed_at == "2026-05-05T00:00:00.000Z"


async def test_what_does_not_exist_is_not_found(client: LeadpipeClient) -> None:
    for call in (
        client.audiences.get(UNKNOWN_ID),
        client.audiences.update(UNKNOWN_ID, name="x"),
        client.audiences.delete(UNKNOWN_ID),
    ):
        with pytest.raises(NotFound, match=r"Audience not found.*list_audiences shows"):
            await call


async def test_a_change_changes_what_it_names(
    client: LeadpipeClient, sandbox: Sandbox, moments: list[float]
) -> None:
    saved = await create(client, "Buyers", CONFIG)
    moments.append(moments[-1] + 60)
    changed = await client.audiences.update(saved.id, name="Old Buyers")
    assert (changed.id, changed.name, changed.status) == (saved.id, "Old Buyers", "draft")
    assert changed.updated_at == "2026-05-05T09:16:00.000Z"
    assert sent(sandbox, "PATCH") == [{"name": "Old Buyers"}]
    for status in STATUSES:
        assert (await client.audiences.update(saved.id, status=status)).status == status
    read = await client.audiences.get(saved.id)
    assert read.config is not None
    assert read.config.topic_ids == CONFIG.topic_ids


async def test_a_config_is_changed_as_a_whole(
    profile: str, client: LeadpipeClient, sandbox: Sandbox
) -> None:
    saved = await create(client, "Buyers", CONFIG)
    other = AudienceConfig(
        topic_ids=(117805,),
        min_score=80,
        filters={"state": "Texas"},
        source_url="https://acme.example/crm",
    )
    changed = await change(client, saved, other)
    filters = (
        {"state": "texas"} if profile == "flat" else {"location.states": {"values": ["texas"]}}
    )
    whole = {
        "topicIds": [117805],
        "minScore": 80,
        "filters": filters,
        "sourceUrl": "https://acme.example/crm",
    }
    assert sent(sandbox, "PATCH") == [{"config": whole}]
    assert changed.config is not None
    assert changed.config.as_sent() == whole
    nothing = await change(client, saved, AudienceConfig(topic_ids=(117805,)))
    assert nothing.config is not None
    assert nothing.config.as_sent() == {"topicIds": [117805]}


async def test_a_size_is_kept_or_said_not_to_be(profile: str, client: LeadpipeClient) -> None:
    saved = await create(client, "Buyers", CONFIG)
    if profile == "catalog":
        with pytest.raises(NotDone, match="has not changed as asked"):
            await client.audiences.update(saved.id, audience_size=123)
    else:
        assert (await client.audiences.update(saved.id, audience_size=123)).size == 123
        assert (await client.audiences.update(saved.id, audience_size=0)).size == 0


async def test_a_config_that_is_not_shown_is_not_made_up(start: Start, connect: Connect) -> None:
    sandbox = start(profile="catalog", detail_has_config=False)
    client = connect(sandbox)
    saved = await create(client, "Buyers", CONFIG)
    assert (await client.audiences.get(saved.id)).config is None
    changed = await change(client, saved, CONFIG)
    assert changed.config is None
    assert sandbox.requests[-1].method == "GET"


async def test_filters_can_go_though_the_service_merges_configs(
    profile: str, start: Start, connect: Connect
) -> None:
    client = connect(start(profile=profile, config_patch="merge"))
    saved = await create(client, "Buyers", CONFIG)
    for filters in ({"hasPhone": True}, {}):
        wanted = CONFIG.model_copy(update={"filters": filters})
        changed = await change(client, saved, wanted)
        assert changed.config is not None
        assert len(changed.config.filters) == len(filters)


async def test_a_part_that_was_to_go_and_stayed_is_noticed(
    profile: str, start: Start, connect: Connect
) -> None:
    client = connect(start(profile=profile, config_patch="merge"))
    below = CONFIG.model_copy(update={"max_score": 90})
    saved = await create(client, "Buyers", below)
    with pytest.raises(UnusableAnswer) as caught:
        await change(client, saved, CONFIG.model_copy(update={"max_score": None}))
    assert caught.value.problem == (
        f"The service saved the audience with the id {saved.id}, but it keeps these otherwise than"
        " they were sent: maxScore."
    )


async def test_what_an_audience_cannot_become_is_refused(start: Start, connect: Connect) -> None:
    client = connect(start(back_to_draft="reject", empty_patch="reject"))
    saved = await create(client, "Buyers", CONFIG, "paused")
    with pytest.raises(RequestRefused, match="An audience cannot become a draft again"):
        await client.audiences.update(saved.id, status="draft")
    with pytest.raises(RequestRefused, match="Nothing to update"):
        await client.audiences.update(saved.id)


SAVED: dict[str, object] = {"id": UNKNOWN_ID, "name": "Buyers", "status": "draft"}
KEPT: dict[str, object] = {
    "topicIds": [117890, 117805],
    "minScore": 60,
    "maxScore": 100,
    "minTopicOverlap": 2,
    "filters": {"company": {"industries": ["software development"]}, "contact.hasPhone": True},
}


@pytest.mark.parametrize(
    "kept",
    [
        KEPT,
        {**KEPT, "maxScore": None},
        {**KEPT, "filters": SPELLED["catalog"], "more": 1},
        {**KEPT, "filters": {"companyIndustry": ["Software Development"], "hasPhone": "y"}},
    ],
)
async def test_what_means_the_same_is_kept(
    kept: object, start: Start, connect: Connect, altered: Altered
) -> None:
    answer = JSONResponse({"data": {**SAVED, "config": kept}}, 201)
    client = connect(altered(start(), {"POST /audiences": answer, "PATCH": answer}))
    created = await create(client, "Buyers", CONFIG)
    assert created.id == UNKNOWN_ID


@pytest.mark.parametrize(
    ("kept", "named"),
    [
        ({**KEPT, "topicIds": [117805]}, "topicIds"),
        ({**KEPT, "minScore": 70}, "minScore"),
        ({**KEPT, "minScore": None}, "minScore"),
        ({**KEPT, "maxScore": 89}, "maxScore"),
        ({**KEPT, "minTopicOverlap": 1}, "minTopicOverlap"),
        ({**KEPT, "minTopicOverlap": None}, "minTopicOverlap"),
        ({**KEPT, "filters": {}}, "companyIndustry, hasPhone"),
        ({**KEPT, "filters": {"company.industries": ["software development"]}}, "hasPhone"),
        (
            {**KEPT, "filters": {**SPELLED["catalog"], "contact.hasPhone": False}},
            "hasPhone",
        ),
        (
            {**KEPT, "filters": {**SPELLED["catalog"], "company.industries": ["banking"]}},
            "companyIndustry",
        ),
        (
            {
                **KEPT,
                "filters": {
                    **SPELLED["catalog"],
                    "company.industries": {
                        "values": ["software development"],
                        "operator": "not_in",
                    },
                },
            },
            "companyIndustry",
        ),
        ({**KEPT, "filters": {**SPELLED["catalog"], "role.isCeo": True}}, "role.isCeo"),
    ],
)
async def test_what_is_kept_otherwise_is_named(
    kept: object, named: str, start: Start, connect: Connect, altered: Altered
) -> None:
    answer = JSONResponse({"data": {**SAVED, "config": kept}}, 201)
    client = connect(altered(start(), {"POST /audiences": answer}))
    with pytest.raises(UnusableAnswer) as caught:
        await create(client, "Buyers", CONFIG)
    assert caught.value.problem.endswith(f"otherwise than they were sent: {named}.")


TERMS = ["chief", "officer"]
SENT_AND_KEPT: list[tuple[dict[str, object], dict[str, object], str | None]] = [
    ({}, {}, None),
    ({}, {"minScore": 70, "maxScore": 99, "minTopicOverlap": 1}, None),
    ({}, {"maxScore": 100}, None),
    ({}, {"maxScore": 98}, "maxScore"),
    ({}, {"minTopicOverlap": 2}, "minTopicOverlap"),
    ({"min_score": 0}, {"minScore": 0}, None),
    # The newer API counts scores from 50.
    ({"min_score": 0}, {"minScore": 50}, None),
    ({"min_score": 49}, {"minScore": 50}, None),
    ({"min_score": 51}, {"minScore": 50}, "minScore"),
    ({"min_score": 40}, {"minScore": 51}, "minScore"),
    ({"min_score": 60}, {"maxScore": 99}, "minScore"),
    ({"max_score": 99}, {"maxScore": 100}, None),
    ({"max_score": 98}, {"maxScore": 99}, "maxScore"),
    ({"max_score": 98}, {}, "maxScore"),
    ({"min_topic_overlap": 1}, {}, None),
    ({"filters": {"jobTitle": TERMS}}, {"filters": {"jobTitle.include": TERMS}}, None),
    (
        {"filters": {"jobTitle": TERMS}},
        {"filters": {"jobTitle": {"include": TERMS, "includeMode": "any"}}},
        None,
    ),
    (
        {"filters": {"jobTitle": {"values": TERMS, "mode": "all"}}},
        {"filters": {"jobTitle": {"include": TERMS, "includeMode": "all"}}},
        None,
    ),
    (
        {"filters": {"jobTitle": {"values": TERMS, "mode": "all"}}},
        {"filters": {"jobTitle.include": TERMS}},
        "jobTitle",
    ),
    (
        {"filters": {"jobTitle": TERMS}},
        {"filters": {"jobTitle.include": {"values": TERMS, "mode": "all"}}},
        "jobTitle",
    ),
    (
        {"filters": {"jobTitle": {"values": TERMS, "operator": "equals"}}},
        {"filters": {"jobTitle.include": TERMS}},
        "jobTitle",
    ),
    (
        {"filters": {"hasPhone": True}},
        {"filters": {"contact.hasPhone": ["maybe"]}},
        "hasPhone",
    ),
]


@pytest.mark.parametrize(("sent", "kept", "differs"), SENT_AND_KEPT)
async def test_what_is_kept_is_compared_part_by_part(
    sent: dict[str, object],
    kept: dict[str, object],
    differs: str | None,
    start: Start,
    connect: Connect,
    altered: Altered,
) -> None:
    config = AudienceConfig.model_validate({"topicIds": [117805], **sent})
    answer = JSONResponse({"data": {**SAVED, "config": {"topicIds": [117805], **kept}}}, 201)
    client = connect(altered(start(), {"POST /audiences": answer}))
    if differs is None:
        assert (await create(client, "Buyers", config)).config is not None
    else:
        with pytest.raises(UnusableAnswer, match=f"than they were sent: {differs}[.]"):
            await create(client, "Buyers", config)


@pytest.mark.parametrize("other", [{"name": "Sellers"}, {"status": "paused"}])
async def test_a_change_that_is_not_confirmed_is_not_claimed(
    other: dict[str, object], start: Start, connect: Connect, altered: Altered
) -> None:
    sandbox = start()
    saved = await create(connect(sandbox), "Buyers", CONFIG)
    answer = JSONResponse({"data": {**SAVED, "status": "active", **other}})
    client = connect(altered(sandbox, {f"PATCH /{saved.id}": answer}))
    with pytest.raises(NotDone, match=r"has not changed as asked\. A look afterwards: ") as caught:
        await client.audiences.update(saved.id, name="Buyers", status="active")
    assert "tell the user" in caught.value.advice


async def test_a_deleted_audience_is_gone(client: LeadpipeClient, sandbox: Sandbox) -> None:
    saved = await create(client, "Buyers", CONFIG)
    await client.audiences.delete(saved.id)
    # The answer says it; nobody has to look.
    assert sandbox.requests[-1].method == "DELETE"
    with pytest.raises(NotFound):
        await client.audiences.get(saved.id)
    assert await client.audiences.list() == ()


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
        Response(b"", 200),
        Response(b"", 204),
        Response(b"deleted", 200),
        JSONResponse({"deleted": True}),
        JSONResponse({"data": None}),
        JSONResponse({"data": {}}),
        JSONResponse({"data": {"id": UNKNOWN_ID}}),
        JSONResponse({"data": {"deleted": "yes"}}),
    ],
)
async def test_a_deletion_without_an_answer_is_looked_after(
    answer: Response, start: Start, connect: Connect, altered: Altered
) -> None:
    sandbox = start()
    saved = await create(connect(sandbox), "Buyers", CONFIG)
    done = connect(altered(sandbox, {f"DELETE /{saved.id}": unheard(sandbox, answer)}))
    await done.audiences.delete(saved.id)
    assert (sandbox.requests[-1].method, sandbox.requests[-1].status) == ("GET", 404)
    saved = await create(connect(sandbox), "Buyers", CONFIG)
    not_done = connect(altered(sandbox, {f"DELETE /{saved.id}": answer}))
    with pytest.raises(NotDone, match="the audience is still there") as caught:
        await not_done.audiences.delete(saved.id)
    assert caught.value.status == answer.status_code
    assert await connect(sandbox).audiences.list()


async def test_a_deletion_that_the_service_denies_did_not_happen(
    start: Start, connect: Connect, altered: Altered
) -> None:
    sandbox = start()
    saved = await create(connect(sandbox), "Buyers", CONFIG)
    denied = JSONResponse({"data": {"deleted": False}})
    client = connect(altered(sandbox, {f"DELETE /{saved.id}": denied}))
    with pytest.raises(NotDone, match="it does not say that it was deleted"):
        await client.audiences.delete(saved.id)


async def test_where_nobody_can_look_a_deletion_stays_unclear(
    start: Start, connect: Connect, altered: Altered
) -> None:
    sandbox = start()
    saved = await create(connect(sandbox), "Buyers", CONFIG)
    sandbox.faults.add(Fault("status", method="GET", times=None))
    client = connect(altered(sandbox, {f"DELETE /{saved.id}": Response(b"", 204)}))
    with pytest.raises(Unclear, match="status 204, but the answer is empty"):
        await client.audiences.delete(saved.id)


@pytest.mark.parametrize("kind", ["status", "reset", "reset_after", "html", "cut"])
async def test_a_change_whose_answer_is_lost_is_made_exactly_once(
    kind: FaultKind, start: Start, connect: Connect, profile: str
) -> None:
    sandbox = start(profile=profile)
    client = connect(sandbox)
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


@pytest.mark.parametrize("kind", ["status", "reset_after"])
async def test_a_change_that_fails_and_fails_is_said_to_be_not_done(
    kind: FaultKind, start: Start, connect: Connect
) -> None:
    sandbox = start()
    client = connect(sandbox)
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
    start: Start, connect: Connect
) -> None:
    sandbox = start()
    client = connect(sandbox)
    late = Fault("status", method="POST", path="/audiences", status=504, times=None)
    sandbox.faults.add(late)
    with pytest.raises(Unclear, match="But it may still come") as caught:
        await create(client, "Buyers", CONFIG)
    assert caught.value.advice == "Look with list_audiences in a minute, before trying again."
    assert [r.status for r in sandbox.requests if r.method == "POST"] == [504]


async def test_a_refusal_for_haste_is_waited_out_and_the_change_made_once(
    start: Start, connect: Connect
) -> None:
    sandbox = start()
    client = connect(sandbox)
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
    start: Start, connect: Connect
) -> None:
    sandbox = start()
    client = connect(sandbox)
    first = await create(client, "Buyers", CONFIG)
    # What there was cannot be seen; after the failure there is one of this name.
    sandbox.faults.add(Fault("status", method="GET", path="/audiences", times=3))
    sandbox.faults.add(Fault("reset", method="POST", path="/audiences"))
    with pytest.raises(Unclear, match=f"It may be the audience with the id {first.id}"):
        await create(client, "Buyers", CONFIG)
    assert await client.audiences.list() == (first,)


async def test_a_deletion_that_was_only_seen_late_is_done(
    start: Start, connect: Connect, altered: Altered
) -> None:
    sandbox = start()
    saved = await create(connect(sandbox), "Buyers", CONFIG)
    still_shown = JSONResponse({"data": {**SAVED, "id": saved.id}})
    client = connect(altered(sandbox, {f"GET /{saved.id}": still_shown}))
    sandbox.faults.add(Fault("reset_after", method="DELETE"))
    await client.audiences.delete(saved.id)
    assert [r.status for r in sandbox.requests if r.method == "DELETE"] == [None, 404]


async def test_a_change_that_cannot_be_seen_is_unclear(start: Start, connect: Connect) -> None:
    sandbox = start(profile="catalog", detail_has_config=False)
    client = connect(sandbox)
    saved = await create(client, "Buyers", CONFIG)
    sandbox.faults.add(Fault("reset_after", method="PATCH"))
    with pytest.raises(Unclear, match="does not show what the audience is made of"):
        await change(client, saved, CONFIG.model_copy(update={"min_score": 80}))


async def test_a_change_that_was_confirmed_is_made_though_it_cannot_be_looked_at(
    start: Start, connect: Connect
) -> None:
    sandbox = start(profile="catalog", detail_has_config=False)
    client = connect(sandbox)
    saved = await create(client, "Buyers", CONFIG)
    sandbox.faults.add(Fault("status", method="GET", path=saved.id, times=3))
    changed = await change(client, saved, CONFIG.model_copy(update={"min_score": 80}))
    assert (changed.id, changed.config) == (saved.id, None)
    assert [each["happened"] for each in sandbox.faults.listed()] == [3]


async def test_among_more_audiences_than_can_be_seen_nothing_is_said_not_to_be(
    start: Start, connect: Connect, altered: Altered
) -> None:
    sandbox = start()
    many = [{**SAVED, "id": f"a-{number}", "name": f"Old {number}"} for number in range(100)]
    client = connect(altered(sandbox, {"GET /audiences": JSONResponse({"data": many})}))
    sandbox.faults.add(Fault("reset", method="POST", path="/audiences", times=None))
    with pytest.raises(Unclear, match="Not all audiences could be looked at; among those seen"):
        await create(client, "Buyers", CONFIG)


AUDIENCE_CALLS: dict[str, Callable[[LeadpipeClient], Awaitable[object]]] = {
    "list": lambda client: client.audiences.list(),
    "get": lambda client: client.audiences.get(UNKNOWN_ID),
    "create": lambda client: create(client, "Buyers", CONFIG),
    "update": lambda client: client.audiences.update(UNKNOWN_ID, name="x"),
}


@pytest.mark.parametrize("call", AUDIENCE_CALLS)
@pytest.mark.parametrize("data", [{}, {"id": 7, "name": "x"}, [{}], [7], None, "x"])
async def test_an_answer_that_shows_no_audience_is_no_success(
    call: str, data: object, start: Start, connect: Connect
) -> None:
    sandbox = start()
    listed = connect(sandbox)
    await listed.configs.filters()

    async def service(scope: Scope, receive: Receive, send: Send) -> None:
        is_filters = scope["path"].endswith("/filters")
        answer = sandbox if is_filters else JSONResponse({"data": data})
        await answer(scope, receive, send)

    with pytest.raises((UnusableAnswer, Unclear)) as caught:
        await AUDIENCE_CALLS[call](connect(service))
    assert "status 200" in caught.value.problem


@pytest.mark.parametrize("pin", ["flat", "catalog"])
async def test_a_pinned_api_is_not_asked_what_it_is(
    pin: Pin, start: Start, connect: Connect
) -> None:
    sandbox = start(profile=pin)
    client = connect(sandbox, pin)
    profile = client.profile
    assert (profile.vocabulary, profile.validates) == (pin, pin == "catalog")
    assert (profile.runs, profile.queries) == (
        ("dated", True) if pin == "flat" else ("numbered", False)
    )
    created = await create(client, "Buyers", CONFIG, "active")
    read = await client.audiences.get(created.id)
    assert read.config is not None
    assert read.config.filters == SPELLED[pin]
    page = await client.runs.people(created.id, limit=5)
    spelled = await client.configs.spell(CONFIG)
    assert len(page.people) == 5
    assert (await client.runs.query(spelled, limit=5) is None) == (pin == "catalog")
    routes = {request.path.rpartition("/")[2] for request in sandbox.requests}
    # Where runs go by date, the people themselves tell whether they are ready.
    assert "status" not in routes
    assert (await client.configs.preview(spelled)).size > 5
    assert ("/validate" in sandbox.requests[-2].path) == (pin == "catalog")
