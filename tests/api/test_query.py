from collections.abc import Callable, Mapping
from typing import Any, cast

import pytest
from pydantic import JsonValue
from starlette.responses import JSONResponse

from leadpipe_mcp.api.in_process import Application
from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.models import AudienceConfig, PeoplePage
from leadpipe_mcp.errors import NotFound, NotPossible, RequestRefused
from tests.faults.service import Sandbox

pytestmark = pytest.mark.anyio
Start = Callable[..., Sandbox]
Connect = Callable[..., LeadpipeClient]
Altered = Callable[[Application, Mapping[str, Application]], Application]
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


@pytest.fixture(params=["flat", "mixed"])
def sandbox(request: pytest.FixtureRequest, start: Start) -> Sandbox:
    return start(profile=request.param)


async def test_people_who_are_not_saved_come_page_by_page(
    sandbox: Sandbox, connect: Connect
) -> None:
    client = connect(sandbox)
    size = (await client.configs.preview(await client.configs.spell(CONFIG))).size
    page = await query(client, CONFIG, limit=100)
    ids: list[object] = []
    while page is not None:
        assert (page.run.state, page.run.size, page.run.data_date) == ("ready", size, "2026-05-04")
        ids += [person.get("id") for person in page.people]
        if page.next_cursor is None:
            break
        page = await query(client, CONFIG, limit=100, cursor=page.next_cursor)
    assert len(ids) == len(set(ids)) == size > 100
    assert client.profile.queries is True
    assert await client.audiences.list() == ()


async def test_all_sixteen_filters_can_be_asked_for(sandbox: Sandbox, connect: Connect) -> None:
    client = connect(sandbox)
    for key, value in SIXTEEN.items():
        config = CONFIG.model_copy(update={"filters": {key: value}, "min_score": 50})
        page = await query(client, config, limit=1)
        assert page is not None
        assert (
            page.run.size == (await client.configs.preview(await client.configs.spell(config))).size
        )
    page = await query(client, CONFIG.model_copy(update={"filters": SIXTEEN}), limit=1)
    assert page is not None
    body = cast("dict[str, dict[str, object]]", sandbox.requests[-1].body)
    assert (len(body["filters"]), sandbox.requests[-1].status) == (16, 200)
    assert (page.run.size, page.people, page.next_cursor) == (0, (), None)


async def test_people_of_a_saved_audience_can_be_queried(
    sandbox: Sandbox, connect: Connect
) -> None:
    client = connect(sandbox)
    saved = await client.audiences.create("Buyers", await client.configs.spell(CONFIG), "active")
    page = await client.runs.query(audience_id=saved.id, limit=7)
    assert page is not None
    assert sandbox.requests[-1].body == {"limit": 7, "audienceId": saved.id}
    results = await client.runs.people(saved.id, limit=7)
    assert [p.get("email") for p in page.people] == [p.get("email") for p in results.people]
    assert len(page.people) == 7
    with pytest.raises(NotFound, match="Audience not found"):
        await client.runs.query(audience_id=UNKNOWN_ID)


async def test_a_day_can_be_chosen_and_one_without_data_says_nothing_about_the_api(
    sandbox: Sandbox, connect: Connect
) -> None:
    client = connect(sandbox)
    with pytest.raises(NotFound, match="No data for 2026-01-01"):
        await query(client, CONFIG, date="2026-01-01")
    assert client.profile.queries is True
    old, new = await query(client, CONFIG, date="2026-05-01"), await query(client, CONFIG)
    assert old is not None
    assert new is not None
    assert (old.run.data_date, new.run.data_date) == ("2026-05-01", "2026-05-04")
    assert old.run.size != new.run.size


async def test_people_who_are_still_being_found_are_not_shown(
    start: Start, connect: Connect, moments: list[float]
) -> None:
    client = connect(start(profile="flat", run_seconds=8))
    page = await query(client, CONFIG)
    assert page is not None
    assert (page.run.state, page.run.data_date) == ("running", "2026-05-04")
    assert (page.people, page.next_cursor) == ((), None)
    moments.append(moments[-1] + 8)
    page = await query(client, CONFIG)
    assert page is not None
    assert (page.run.state, bool(page.people)) == ("ready", True)


@pytest.mark.parametrize(
    ("status", "said", "state"),
    [
        *((200, said, "ready") for said in ("ready", "anything", None)),
        *((200, "materializing", "running"), (200, "failed", "failed")),
        *((202, said, "running") for said in ("materializing", "ready", None)),
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
    assert (page.run.state, page.people, page.next_cursor) == (state, (), None)


async def test_the_newer_api_has_no_query_and_is_asked_once(start: Start, connect: Connect) -> None:
    sandbox = start(profile="catalog")
    client = connect(sandbox)
    for date in (None, None, "2026-05-04"):
        assert await query(client, CONFIG, date=date) is None
        assert client.profile.queries is False
    assert sum(request.path.endswith("/query") for request in sandbox.requests) == 1


async def test_what_cannot_be_said_is_not_asked(start: Start, connect: Connect) -> None:
    client = connect(start())
    bad = CONFIG.model_copy(update={"filters": {"seniority": ["boss"]}})
    with pytest.raises(NotPossible, match="no value 'boss'"):
        await query(client, bad)
    with pytest.raises(RequestRefused, match="limit: Expected an integer from 1 to 100"):
        await query(client, CONFIG, limit=101)
    with pytest.raises(RequestRefused, match="cursor: Invalid cursor"):
        await query(client, CONFIG, cursor="x")
