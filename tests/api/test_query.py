from collections.abc import Callable, Mapping
from typing import Any, cast

import pytest
from pydantic import JsonValue
from starlette.responses import JSONResponse

from leadpipe_mcp.api.in_process import Application
from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.models import AudienceConfig, PeoplePage
from leadpipe_mcp.errors import NotFound, NotPossible, RequestRefused, ServiceError
from tests.faults.service import Fault, Sandbox

pytestmark = pytest.mark.anyio
Start = Callable[..., Sandbox]
Connect = Callable[..., LeadpipeClient]
Altered = Callable[[Application, Mapping[str, Application]], Application]
OLDER = ("flat", "mixed")
UNKNOWN_ID = "6fb81599-f601-4afe-b3ff-e8a211cae27d"
CONFIG = AudienceConfig(topic_ids=(117805,), min_score=90)
SIXTEEN: dict[str, JsonValue] = {
    "companyIndustry": ["software development", "banking"],
    "seniority": ["director", "vp", "entry", "senior", "manager"],
    "companySize": ["51 to 100", "101 to 250", "1 to 10"],
    "department": ["marketing", "sales", "engineering"],
    "state": "california",
    "companyRevenueRange": ["10 million to 25 million"],
    "ageRange": ["25 to 34"],
    "gender": "female",
    "isB2b": "y",
    "jobTitle": "a",
    "hasBusinessEmail": True,
    "hasPersonalEmail": True,
    "hasLinkedin": True,
    "hasPhone": True,
    "companyDomain": "northwind-analytics.example",
    "companyName": "north",
}


async def query(
    client: LeadpipeClient,
    config: AudienceConfig,
    **page: Any,  # noqa: ANN401 -- as it is
) -> PeoplePage | None:
    return await client.runs.query(await client.configs.spell(config), **page)


@pytest.mark.parametrize("profile", OLDER)
async def test_people_who_are_not_saved_come_page_by_page(
    profile: str, start: Start, connect: Connect
) -> None:
    sandbox = start(profile=profile)
    client = connect(sandbox)
    size = (await client.configs.preview(await client.configs.spell(CONFIG))).size
    page = await query(client, CONFIG, limit=100)
    ids: list[object] = []
    while page is not None:
        assert page.run.state == "ready"
        assert (page.run.size, page.run.data_date) == (size, "2026-05-04")
        ids += [person.get("id") for person in page.people]
        if page.next_cursor is None:
            break
        page = await query(client, CONFIG, limit=100, cursor=page.next_cursor)
    assert len(ids) == len(set(ids)) == size > 100
    assert client.profile.queries is True
    assert await client.audiences.list() == ()


@pytest.mark.parametrize("profile", OLDER)
async def test_all_sixteen_filters_can_be_asked_for(
    profile: str, start: Start, connect: Connect
) -> None:
    sandbox = start(profile=profile)
    client = connect(sandbox)
    for key, value in SIXTEEN.items():
        config = CONFIG.model_copy(update={"filters": {key: value}, "min_score": 50})
        page = await query(client, config, limit=1)
        assert page is not None
        spelled = await client.configs.spell(config)
        assert page.run.size == (await client.configs.preview(spelled)).size
    page = await query(client, CONFIG.model_copy(update={"filters": SIXTEEN}), limit=1)
    assert page is not None
    body = cast("dict[str, dict[str, object]]", sandbox.requests[-1].body)
    assert len(body["filters"]) == 16
    assert sandbox.requests[-1].status == 200
    assert (page.run.size, page.people, page.next_cursor) == (0, (), None)


@pytest.mark.parametrize("profile", OLDER)
async def test_people_of_a_saved_audience_can_be_queried(
    profile: str, start: Start, connect: Connect
) -> None:
    sandbox = start(profile=profile)
    client = connect(sandbox)
    saved = await client.audiences.create("Buyers", await client.configs.spell(CONFIG), "active")
    page = await client.runs.query(audience_id=saved.id, limit=7)
    assert page is not None
    assert sandbox.requests[-1].body == {"limit": 7, "audienceId": saved.id}
    assert len(page.people) == 7
    results = await client.runs.people(saved.id, limit=7)
    assert [p.get("email") for p in page.people] == [p.get("email") for p in results.people]
    with pytest.raises(NotFound, match="Audience not found"):
        await client.runs.query(audience_id=UNKNOWN_ID)


@pytest.mark.parametrize("profile", OLDER)
async def test_a_day_can_be_chosen(profile: str, start: Start, connect: Connect) -> None:
    client = connect(start(profile=profile))
    old = await query(client, CONFIG, date="2026-05-01")
    new = await query(client, CONFIG)
    assert old is not None
    assert new is not None
    assert (old.run.data_date, new.run.data_date) == ("2026-05-01", "2026-05-04")
    assert old.run.size != new.run.size


@pytest.mark.parametrize("profile", OLDER)
async def test_a_day_without_data_says_nothing_about_the_api(
    profile: str, start: Start, connect: Connect
) -> None:
    sandbox = start(profile=profile)
    client = connect(sandbox)
    for _ in range(2):
        with pytest.raises(NotFound, match="No data for 2026-01-01"):
            await query(client, CONFIG, date="2026-01-01")
        assert client.profile.queries is True
    assert await query(client, CONFIG) is not None


@pytest.mark.parametrize("profile", OLDER)
async def test_people_who_are_still_being_found_are_not_shown(
    profile: str, start: Start, connect: Connect, moments: list[float]
) -> None:
    client = connect(start(profile=profile, run_seconds=8))
    page = await query(client, CONFIG)
    assert page is not None
    assert (page.run.state, page.run.data_date) == ("running", "2026-05-04")
    assert (page.people, page.next_cursor) == ((), None)
    moments.append(moments[-1] + 8)
    page = await query(client, CONFIG)
    assert page is not None
    assert page.run.state == "ready"
    assert page.people


@pytest.mark.parametrize("profile", OLDER)
async def test_a_query_that_failed_is_not_called_running(
    profile: str, start: Start, connect: Connect
) -> None:
    page = await query(connect(start(profile=profile, runs_fail=True)), CONFIG)
    assert page is not None
    assert (page.run.state, page.people) == ("failed", ())


@pytest.mark.parametrize(
    ("status", "said", "state"),
    [
        (200, "ready", "ready"),
        (200, "anything", "ready"),
        (200, None, "ready"),
        (200, "materializing", "running"),
        (200, "failed", "failed"),
        (202, "materializing", "running"),
        (202, "ready", "running"),
        (202, None, "running"),
        (202, "none", "none"),
    ],
)
async def test_the_state_of_a_query_is_what_is_documented(
    status: int, said: str | None, state: str, start: Start, connect: Connect, altered: Altered
) -> None:
    meta = {"status": said, "totalCount": 0, "nextCursor": ""}
    answer = JSONResponse({"data": [], "meta": meta}, status)
    page = await query(connect(altered(start(), {"POST /query": answer})), CONFIG)
    assert page is not None
    assert (page.run.state, page.next_cursor) == (state, None)


async def test_a_query_that_gets_no_answer_may_be_repeated(start: Start, connect: Connect) -> None:
    sandbox = start()
    for fault in (Fault("status", times=3), Fault("reset_after", times=3)):
        sandbox.faults.add(fault)
        with pytest.raises(ServiceError, match="Try again in a minute"):
            await connect(sandbox, "flat").runs.query(audience_id=UNKNOWN_ID)


async def test_the_newer_api_has_no_query(start: Start, connect: Connect) -> None:
    sandbox = start(profile="catalog")
    client = connect(sandbox)

    def asked() -> int:
        return sum(request.path.endswith("/query") for request in sandbox.requests)

    assert await query(client, CONFIG) is None
    assert client.profile.queries is False
    assert asked() == 1
    assert await query(client, CONFIG) is None
    assert await query(client, CONFIG, date="2026-05-04") is None
    assert asked() == 1
    dated = connect(sandbox)
    assert await query(dated, CONFIG, date="2026-05-04") is None
    assert dated.profile.queries is False


async def test_what_cannot_be_said_is_not_asked(start: Start, connect: Connect) -> None:
    sandbox = start()
    client = connect(sandbox)
    bad = CONFIG.model_copy(update={"filters": {"seniority": ["boss"]}})
    with pytest.raises(NotPossible, match="no value 'boss'"):
        await query(client, bad)
    with pytest.raises(RequestRefused, match="limit: Expected an integer from 1 to 100"):
        await query(client, CONFIG, limit=101)
    with pytest.raises(RequestRefused, match="cursor: Invalid cursor"):
        await query(client, CONFIG, cursor="x")
    with pytest.raises(RequestRefused, match="topicIds: Required"):
        await client.runs.query()
