from typing import Any

import pytest
from starlette.responses import JSONResponse

from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.models import AudienceConfig, PeoplePage
from leadpipe_mcp.errors import NotFound
from tests.api.answering import UNKNOWN_ID, Connect, Start
from tests.faults.service import Sandbox

pytestmark = pytest.mark.anyio
CONFIG = AudienceConfig(topic_ids=(117805,), min_score=90)


async def query(
    client: LeadpipeClient,
    config: AudienceConfig,
    **page: Any,  # noqa: ANN401 -- as it is
) -> PeoplePage | None:
    return await client.runs.query(await client.configs.spell(config), **page)


@pytest.fixture
def sandbox(start: Start) -> Sandbox:
    return start(profile="flat")


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


async def test_the_state_of_a_query_is_what_is_documented(with_answers: Connect) -> None:
    for status, said, state in (
        *((200, said, "ready") for said in ("ready", "anything", None)),
        *((200, "materializing", "running"), (200, "failed", "failed")),
        *((202, said, "running") for said in ("materializing", "ready", None)),
        (202, "none", "none"),
    ):
        meta = {"status": said, "totalCount": 0, "nextCursor": ""}
        answer = JSONResponse({"data": [], "meta": meta}, status)
        page = await query(with_answers({"POST /query": answer}, people=1), CONFIG)
        assert page is not None
        assert (page.run.state, page.people, page.next_cursor) == (state, (), None)


async def test_the_newer_api_has_no_query_and_is_asked_once(start: Start, connect: Connect) -> None:
    sandbox = start(profile="catalog")
    client = connect(sandbox)
    for date in (None, None, "2026-05-04"):
        assert await query(client, CONFIG, date=date) is None
        assert client.profile.queries is False
    assert sum(request.path.endswith("/query") for request in sandbox.requests) == 1
