"""Lists with an odd item in them: the item is left out and counted, or read as far as it goes."""

import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
from pydantic import SecretStr
from starlette.responses import JSONResponse

from leadpipe_mcp.api.budget import call_budget
from leadpipe_mcp.api.connections import serve_in_process
from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.models import AudienceConfig, ServiceConfig
from leadpipe_mcp.api.sonarly import SonarlyClient
from leadpipe_mcp.api.transport import Transport
from leadpipe_mcp.errors import ServiceError, Unclear, UnusableAnswer
from tests.api.answering import Connect, Start

pytestmark = pytest.mark.anyio
Answering = Callable[..., LeadpipeClient]
ID = "0b8c6f6e-1d7b-4b52-9f8c-000000000001"
GOOD = {"id": ID, "name": "VPs", "status": "draft"}
CONFIG = {"topicIds": [117805], "minScore": 70}
SMALL = AudienceConfig(topic_ids=(117805,))
RUN = {"id": ID, "status": "completed", "dataDate": "2026-05-05", "resultCount": 3}
TOPIC = {"topicId": 1, "topicName": "CRM", "todayAudience": 5}
PIXEL = {"id": "p", "domain": "acme.example", "status": "active"}
PERSON = {"personId": "p1", "fullName": "Ada", "topicId": 1}


@pytest.fixture
def answering(connect: Connect) -> Answering:
    """A client of a service that answers everything alike."""

    def answering(data: object, meta: object = None) -> LeadpipeClient:
        return connect(JSONResponse({"data": data, "meta": meta}))

    return answering


def sonarly(data: object) -> SonarlyClient:
    network = serve_in_process(JSONResponse({"data": data}))
    return SonarlyClient(
        Transport("https://service.test", SecretStr("sonarly-key"), network=network, bearer=True)
    )


Read = Callable[[LeadpipeClient], Awaitable[tuple[Any, ...]]]
LISTS: tuple[tuple[object, list[object], Read, str], ...] = (
    (GOOD, ["x", 7, None, {}], lambda c: c.audiences.list(), "audiences"),
    (GOOD, [{**GOOD, "id": None}], lambda c: c.audiences.list(), "audiences"),
    (RUN, [{**RUN, "status": "asleep"}, "x"], lambda c: c.runs.list(ID), "runs"),
    (TOPIC, ["x", []], lambda c: c.topics.search("crm"), "topics"),
    (TOPIC, [{**TOPIC, "topicId": "x"}, 7], lambda c: c.topics.movers(), "topics"),
    (PIXEL, [{**PIXEL, "domain": None}, 7], lambda c: c.visitors.pixels(), "pixels"),
)


async def test_what_cannot_be_read_is_left_out_and_counted(answering: Answering) -> None:
    for good, odd, read, noun in LISTS:
        client, are = answering([*odd, good]), "is" if len(odd) == 1 else "are"
        with call_budget() as work:
            # A list that is read again is counted once.
            for _ in range(2):
                assert len(await read(client)) == 1
        assert work.gaps() == [
            f"{len(odd)} of {len(odd) + 1} {noun} could not be read and {are} left out."
        ]
    # Of several lists it is added up; one in which nothing can be read is none.
    with call_budget() as work:
        for audiences in ([GOOD, "x"], [GOOD, GOOD, "y"]):
            await answering(audiences).audiences.list()
    assert work.gaps() == ["2 audiences could not be read and are left out."]
    with pytest.raises(UnusableAnswer, match="not what they should be: id, name"):
        await answering([{"status": "draft"}, "x"]).audiences.list()


@pytest.mark.parametrize(
    ("field", "odd", "name", "value"),
    [
        *(("audienceSize", size, "size", 1480) for size in ("1,480", "1 480", 1480.0, "1480.0")),
        *(("audienceSize", size, "size", None) for size in ("1.480", "many", True, -3, {"n": 1})),
        *(("topics", odd, "topics", ()) for odd in (None, "x")),
        ("createdAt", 1_777_972_500, "created_at", "2026-05-05T09:15:00.000Z"),
        ("updatedAt", 1_777_972_500_000, "updated_at", "2026-05-05T09:15:00.000Z"),
        ("lastRefreshedAt", 20260505, "last_refreshed_at", "2026-05-05"),
        ("lastRefreshedAt", [], "last_refreshed_at", None),
        ("lastRefreshedAt", 999_999_999_999_999, "last_refreshed_at", None),
        *(("config", odd, "config", None) for odd in ("x", {"topicIds": ["x"]})),
        ("config", {**CONFIG, "filters": ["x"]}, "config", None),
        ("id", 17, "id", "17"),
        ("config", {**CONFIG, "filters": None}, "config", ServiceConfig.model_validate(CONFIG)),
    ],
)
async def test_a_thing_is_read_as_far_as_it_goes(
    field: str, odd: object, name: str, value: object, answering: Answering
) -> None:
    with call_budget() as work:
        (audience,) = await answering([{**GOOD, field: odd}]).audiences.list()
    assert getattr(audience, name) == value
    assert work.gaps() == []


async def test_lists_inside_of_things_are_read_so_too(answering: Answering) -> None:
    with call_budget() as work:
        topics = [{"id": 1, "name": "CRM"}, {"id": 2}, "x"]
        audience = await answering({**GOOD, "topics": topics}).audiences.get(ID)
        days = [{"date": "2026-05-04", "uniqueAudience": "1,480"}, {"date": "soon"}, None]
        answer = [{"topicId": 1, "topicName": "CRM", "data": days}]
        (series,) = await answering(answer).topics.compare([1, 2])
        told = {"types": [{"value": "b2b", "count": "3"}, 7], "industries": None, "total": "20,164"}
        facets = await answering(told).topics.facets()
        page = await answering([{"fullName": "Ada"}, "x"], {"total": "51"}).visitors.find()
    assert [topic.name for topic in audience.topics] == ["CRM"]
    assert [day.audience for day in series.days] == [1480]
    assert [(part.value, part.count) for part in facets.types] == [("b2b", 3)]
    assert (facets.industries, facets.total) == ((), 20164)
    assert ([visitor["fullName"] for visitor in page.visitors], page.total) == (["Ada"], 51)
    assert work.gaps()[:2] == [
        "2 of 3 topics could not be read and are left out.",
        "2 of 3 days could not be read and are left out.",
    ]
    assert work.gaps()[-1] == "1 of 2 people could not be read and is left out."


async def test_odd_filters_and_values_are_left_out(answering: Answering) -> None:
    filters = [
        {"key": "a.b", "values": [{"value": "x"}, {"label": "y"}, 7]},
        {"key": "c.d", "values": ["none", "of them"]},
        {"label": "no key"},
    ]
    with call_budget() as work:
        known = await answering({"groups": [{"filters": filters}, {}, 7]}).configs.filters()
    assert [value.value for value in known.entries["a.b"].values] == ["x"]
    # Without its values it would take every word.
    assert list(known.entries) == ["a.b"]
    assert "2 of 3 filters could not be read and are left out." in work.gaps()


async def test_an_odd_thing_of_sonarly_is_left_out() -> None:
    items = [{"id": 1, "prospectCount": "1,480"}, "x", {"id": None}]
    client = sonarly({"items": items, "folders": [{"id": "f", "audiences": items}, "x"]})
    with call_budget() as work:
        assert [one.id for one in await client.accounts()] == ["1"]
        assert len((await client.prospects("g", "a")).items) == 2
        there = await client.overview("g")
    assert [(one.id, one.size) for one in there.audiences] == [("1", 1480)]
    assert [folder.id for folder in there.folders or ()] == ["f"]
    assert not there.complete
    assert work.gaps() == [
        "2 of 3 accounts could not be read and are left out.",
        "1 of 3 people could not be read and is left out.",
        "2 of 3 LinkedIn audiences could not be read and are left out.",
        "1 of 2 folders could not be read and is left out.",
    ]


@pytest.mark.parametrize("profile", ["flat", "catalog"])
async def test_odd_people_and_counts_do_not_take_a_preview_along(
    profile: str, with_answers: Connect
) -> None:
    data = {
        "totalCount": "1,480",
        "sample": [{"fullName": "Ada"}, 7, {}],
        "breakdowns": {"industries": [{"value": "x"}, {"value": "y", "count": "2"}]},
    }
    client = with_answers({"POST /preview": JSONResponse({"data": data})}, profile=profile)
    with call_budget() as work:
        preview = await client.configs.preview(await client.configs.spell(SMALL))
    assert (preview.size, len(preview.sample)) == (1480, 1)
    assert "2 of 3 people could not be read and are left out." in work.gaps()
    if profile == "catalog":
        assert [(part.value, part.count) for part in preview.industries] == [("y", 2)]


async def test_an_odd_person_of_the_older_api_is_left_out(with_answers: Connect) -> None:
    people: list[object] = [PERSON, "x", {**PERSON, "topicId": "x", "intentScore": []}, {}]
    page = {"data": people, "meta": {"totalCount": "1,480", "nextCursor": 7}}
    client = with_answers({"POST /query": JSONResponse(page)}, profile="flat")
    with call_budget() as work:
        found = await client.runs.query(await client.configs.spell(SMALL))
    assert found is not None
    assert [p["fullName"] for p in found.people] == ["Ada", "Ada"]
    assert (found.run.size, found.next_cursor) == (1480, 7)
    assert work.gaps() == ["2 of 4 people could not be read and are left out."]


async def test_a_page_goes_on_after_all_that_it_held(with_answers: Connect) -> None:
    people = [{"hashedEmail": "a", "fullName": "Ada"}, "x", None]
    page = {"data": {"run": {"id": ID, "status": "completed"}, "total": "9", "results": people}}
    client = with_answers({"GET /results": JSONResponse(page)}, profile="catalog")
    found = await client.runs.people(ID, run_id=ID, limit=3)
    assert (len(found.people), found.next_cursor) == (1, "3")


@pytest.mark.parametrize("cursor", ["abc", 7, {"after": [1, "x"]}, "x" * 3_000])
async def test_a_cursor_is_passed_on_as_it_came_or_it_is_told_that_it_cannot_be(
    cursor: object, start: Start, connect: Connect, with_answers: Connect
) -> None:
    page = {"data": [PERSON], "meta": {"totalCount": 9, "nextCursor": cursor}}
    sandbox = start(profile="flat")
    client = with_answers({"POST /query": JSONResponse(page)}, sandbox)
    spelled = await client.configs.spell(SMALL)
    with call_budget() as work:
        found = await client.runs.query(spelled)
    assert found is not None
    if len(str(cursor)) > 2_500:
        assert found.next_cursor is None
        assert work.gaps() == [
            "More follow, but the service's cursor of the next page is too long to pass on."
        ]
        # Where nobody keeps a record, nobody is told.
        assert await client.runs.query(spelled) == found
        return
    # The sandbox takes only its own.
    with contextlib.suppress(ServiceError):
        await connect(sandbox, "flat").runs.query(spelled, cursor=found.next_cursor)
    assert cast("dict[str, object]", sandbox.requests[-1].body)["cursor"] == cursor


async def test_what_was_left_out_is_not_taken_for_what_is_not_there(with_answers: Connect) -> None:
    seen = JSONResponse({"data": [{"id": None, "name": "VPs", "status": "draft"}]})
    broken = JSONResponse({"error": {"message": "no"}}, 500)
    changes = {"GET /v1/intent/audiences": seen, "POST /v1/intent/audiences": broken}
    client = with_answers(changes)
    with pytest.raises(Unclear):
        await client.audiences.create("VPs", await client.configs.spell(SMALL))
