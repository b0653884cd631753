import pytest
from pydantic import JsonValue
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from leadpipe_mcp import errors
from leadpipe_mcp.api.generations import Pin
from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.models import Audience, AudienceConfig, Status
from tests.api.answering import UNKNOWN_ID, Connect, Start
from tests.faults.service import Sandbox

pytestmark = pytest.mark.anyio
Filters = dict[str, JsonValue]
STATUSES: tuple[Status, ...] = ("draft", "active", "paused")
SAVED: dict[str, object] = {"id": UNKNOWN_ID, "name": "Buyers", "status": "draft"}
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


@pytest.fixture(params=["flat", "catalog"])
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


async def test_an_audience_is_created_with_the_status_that_was_asked_for(
    profile: str, client: LeadpipeClient, sandbox: Sandbox
) -> None:
    for status in STATUSES:
        created = await create(client, "Buyers", CONFIG, status)
        assert (created.name, created.status) == ("Buyers", status)
        read = await client.audiences.get(created.id)
        assert (read.id, read.name, read.status) == (created.id, "Buyers", status)
        assert read.config is not None
        assert read.config.written() == {
            "topicIds": [117805, 117890],
            "minScore": 60,
            "maxScore": 99,
            "minTopicOverlap": 2,
            "filters": SPELLED[profile],
        }
    # The older API creates drafts; the status is set afterwards.
    assert len(sent(sandbox, "PATCH")) == (2 if profile == "flat" else 0)


async def test_a_service_that_ignores_the_status_is_told_again(
    sandbox: Sandbox, connect: Connect, with_answers: Connect
) -> None:
    draft = await create(connect(sandbox), "Buyers", CONFIG)
    answer = JSONResponse({"data": draft.model_dump(by_alias=True)}, 201)
    client = with_answers({"POST /audiences": answer}, sandbox)
    assert (await create(client, "Buyers", CONFIG, "paused")).status == "paused"
    assert (await client.audiences.get(draft.id)).status == "paused"


async def test_a_new_audience_that_cannot_be_activated_is_said_to_be_a_draft(
    start: Start, connect: Connect
) -> None:
    sandbox = start(profile="flat", slots=0)
    with pytest.raises(errors.SlotsFull) as caught:
        await create(connect(sandbox), "Buyers", CONFIG, "active")
    (draft,) = await connect(sandbox).audiences.list()
    assert draft.status == "draft"
    assert caught.value.__notes__ == [f"The audience is saved as a draft, with the id {draft.id}."]


async def test_another_audience_than_was_asked_for_is_not_shown(with_answers: Connect) -> None:
    client = with_answers({"GET /aud_1": JSONResponse({"data": SAVED})})
    with pytest.raises(errors.UnusableAnswer, match="about another audience than was asked for"):
        await client.audiences.get("aud_1")


async def test_what_cannot_be_said_saves_nothing(client: LeadpipeClient) -> None:
    bad = CONFIG.model_copy(update={"filters": {"companyIndustry": ["softwork"]}})
    with pytest.raises(errors.NotPossible, match="no value 'softwork'"):
        await create(client, "Buyers", bad)
    with pytest.raises(errors.RequestRefused, match="name: Expected a string of 1 to 255"):
        await create(client, "", CONFIG)
    assert await client.audiences.list() == ()


async def test_the_list_is_of_a_status_and_so_long(
    client: LeadpipeClient, moments: list[float]
) -> None:
    for number in range(2):
        for status in STATUSES:
            moments.append(moments[-1] + 1)
            await create(client, f"{status} {number}", CONFIG, status)
    assert len(await client.audiences.list()) == 6
    names = [audience.name for audience in await client.audiences.list("active")]
    assert names == ["active 1", "active 0"]
    assert [a.name for a in await client.audiences.list("active", 1)] == ["active 1"]
    assert [a.name for a in await client.audiences.list(limit=1)] == ["paused 1"]


async def test_what_does_not_exist_is_not_found(client: LeadpipeClient) -> None:
    for call in (
        client.audiences.get(UNKNOWN_ID),
        client.audiences.update(UNKNOWN_ID, name="x"),
        client.audiences.delete(UNKNOWN_ID),
    ):
        with pytest.raises(errors.NotFound, match=r"Audience not found.*list_audiences shows"):
            await call


async def test_a_change_changes_what_it_names(client: LeadpipeClient, sandbox: Sandbox) -> None:
    saved = await create(client, "Buyers", CONFIG)
    changed = await client.audiences.update(saved.id, name="Old Buyers")
    assert (changed.id, changed.name, changed.status) == (saved.id, "Old Buyers", "draft")
    assert sent(sandbox, "PATCH") == [{"name": "Old Buyers"}]
    assert (await client.audiences.update(saved.id, status="active")).status == "active"
    read = await client.audiences.get(saved.id)
    assert read.config is not None
    assert read.config.topic_ids == CONFIG.topic_ids


async def test_a_config_is_changed_as_a_whole(
    profile: str, client: LeadpipeClient, sandbox: Sandbox
) -> None:
    saved = await create(client, "Buyers", CONFIG)
    url = "https://acme.example/crm"
    other = AudienceConfig(
        topic_ids=(117805,), min_score=80, filters={"state": "Texas"}, source_url=url
    )
    changed = await change(client, saved, other)
    newer: Filters = {"location.states": {"values": ["texas"]}}
    filters: Filters = {"state": "texas"} if profile == "flat" else newer
    whole = {"topicIds": [117805], "minScore": 80, "filters": filters, "sourceUrl": url}
    assert sent(sandbox, "PATCH") == [{"config": whole}]
    nothing = await change(client, saved, AudienceConfig(topic_ids=(117805,)))
    assert [a.config and a.config.written() for a in (changed, nothing)] == [
        whole,
        {"topicIds": [117805]},
    ]


async def test_a_size_is_kept_or_said_not_to_be(profile: str, client: LeadpipeClient) -> None:
    saved = await create(client, "Buyers", CONFIG)
    if profile == "catalog":
        with pytest.raises(errors.NotDone, match="has not changed as asked"):
            await client.audiences.update(saved.id, audience_size=123)
    else:
        assert (await client.audiences.update(saved.id, audience_size=123)).size == 123
        assert (await client.audiences.update(saved.id, audience_size=0)).size == 0


async def test_what_was_to_go_is_gone_or_named_though_the_service_merges_configs(
    profile: str, start: Start, connect: Connect
) -> None:
    client = connect(start(profile=profile, config_patch="merge"))
    below = CONFIG.model_copy(update={"max_score": 90})
    saved = await create(client, "Buyers", below)
    changed = await change(client, saved, below.model_copy(update={"filters": {}}))
    assert changed.config is not None
    assert changed.config.filters == {}
    with pytest.raises(errors.UnusableAnswer) as caught:
        await change(client, saved, CONFIG.model_copy(update={"max_score": None}))
    assert caught.value.problem == (
        f"The service saved the audience with the id {saved.id}, but it keeps these otherwise than"
        " they were sent: maxScore."
    )


TERMS = ["chief", "officer"]
ALL_TERMS = {"jobTitle": {"values": TERMS, "mode": "all"}}
SOFTWARE = {"companyIndustry": ["Software Development"]}
NOT_SOFTWARE: Filters = {"values": ["software development"], "operator": "not_in"}
SENT_AND_KEPT: list[tuple[dict[str, object], dict[str, object], str]] = [
    ({}, {"minScore": 70, "maxScore": 99, "minTopicOverlap": 1, "more": 1}, ""),
    ({}, {"maxScore": 98}, "maxScore"),
    ({}, {"minTopicOverlap": 2}, "minTopicOverlap"),
    ({}, {"topicIds": [117805, 7]}, "topicIds"),
    ({}, {"filters": {"role.isCeo": True}}, "role.isCeo"),
    # The newer API counts scores from 50.
    ({"min_score": 0}, {"minScore": 50}, ""),
    ({"min_score": 51}, {"minScore": 50}, "minScore"),
    ({"min_score": 40}, {"minScore": 51}, "minScore"),
    ({"min_score": 60}, {"maxScore": 99}, "minScore"),
    ({"max_score": 99}, {"maxScore": 100}, ""),
    ({"max_score": 98}, {}, "maxScore"),
    ({"min_topic_overlap": 1}, {}, ""),
    ({"filters": SOFTWARE}, {"filters": SOFTWARE}, ""),
    ({"filters": SOFTWARE}, {"filters": {"company": {"industries": ["SOFTWARE development"]}}}, ""),
    ({"filters": SOFTWARE}, {"filters": {}}, "companyIndustry"),
    ({"filters": SOFTWARE}, {"filters": {"company.industries": ["banking"]}}, "companyIndustry"),
    ({"filters": SOFTWARE}, {"filters": {"company.industries": NOT_SOFTWARE}}, "companyIndustry"),
    ({"filters": {"jobTitle": TERMS}}, {"filters": {"jobTitle.include": TERMS}}, ""),
    (
        {"filters": ALL_TERMS},
        {"filters": {"jobTitle": {"include": TERMS, "includeMode": "all"}}},
        "",
    ),
    ({"filters": ALL_TERMS}, {"filters": {"jobTitle.include": TERMS}}, "jobTitle"),
    ({"filters": {"hasPhone": True}}, {"filters": {"hasPhone": "y"}}, ""),
    ({"filters": {"hasPhone": True}}, {"filters": {"contact.hasPhone": ["maybe"]}}, "hasPhone"),
]


async def test_what_is_kept_otherwise_than_it_was_sent_is_named(with_answers: Connect) -> None:
    kept_now: dict[str, object] = {}

    async def keeping(scope: Scope, receive: Receive, send: Send) -> None:
        config = {"topicIds": [117805], **kept_now}
        await JSONResponse({"data": {**SAVED, "config": config}}, 201)(scope, receive, send)

    client = with_answers({"POST /audiences": keeping})
    for sent, kept, differs in SENT_AND_KEPT:
        config = AudienceConfig.model_validate({"topicIds": [117805], **sent})
        kept_now.clear()
        kept_now |= kept
        if not differs:
            await create(client, "Buyers", config)
            continue
        with pytest.raises(errors.UnusableAnswer, match=f"than they were sent: {differs}[.]"):
            await create(client, "Buyers", config)


@pytest.mark.parametrize("data", [{}, {"id": 7, "name": "x"}, [{}], None])
async def test_an_answer_that_shows_no_audience_is_no_success(
    data: object, with_answers: Connect
) -> None:
    answer = JSONResponse({"data": data})
    changes = {"GET /audiences": answer, f"GET /{UNKNOWN_ID}": answer, "POST /audiences": answer}
    client = with_answers(changes | {f"PATCH /{UNKNOWN_ID}": answer})
    for call in (
        client.audiences.list(),
        client.audiences.get(UNKNOWN_ID),
        create(client, "Buyers", CONFIG),
        client.audiences.update(UNKNOWN_ID, name="x"),
    ):
        with pytest.raises((errors.UnusableAnswer, errors.Unclear), match="status 200"):
            await call


async def test_a_pinned_api_is_not_asked_what_it_is(
    profile: Pin, sandbox: Sandbox, connect: Connect
) -> None:
    client = connect(sandbox, profile)
    newer = profile == "catalog"
    assert (client.profile.vocabulary, client.profile.validates) == (profile, newer)
    created = await create(client, "Buyers", CONFIG, "active")
    page = await client.runs.people(created.id, limit=5)
    spelled = await client.configs.spell(CONFIG)
    assert len(page.people) == 5
    assert (await client.runs.query(spelled, limit=5) is None) == newer
    # Where runs go by date, the people themselves tell whether they are ready.
    assert not any(request.path.endswith("/status") for request in sandbox.requests)
    assert (await client.configs.preview(spelled)).size > 5
    assert ("/validate" in sandbox.requests[-2].path) == newer
