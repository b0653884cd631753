"""Lists with an odd item in them: the item is left out and counted, or read as far as it goes."""

import contextlib
from collections.abc import Callable, Mapping
from typing import Any, cast

import pytest
from pydantic import SecretStr
from starlette.responses import JSONResponse

from leadpipe_mcp.api.budget import call_budget
from leadpipe_mcp.api.in_process import Application, serve_in_process
from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.models import AudienceConfig
from leadpipe_mcp.api.sonarly import SonarlyClient
from leadpipe_mcp.api.transport import Transport
from leadpipe_mcp.errors import NotDone, ServiceError, Unclear, UnusableAnswer
from tests.faults.service import Sandbox

pytestmark = pytest.mark.anyio
Start = Callable[..., Sandbox]
Connect = Callable[..., LeadpipeClient]
Altered = Callable[[Application, Mapping[str, Application]], Application]
ID = "0b8c6f6e-1d7b-4b52-9f8c-000000000001"
GOOD = {"id": ID, "name": "VPs", "status": "draft"}
CONFIG = {"topicIds": [117805], "minScore": 70}


@pytest.fixture
def answering(connect: Connect) -> Callable[..., LeadpipeClient]:
    """A client of a service that answers everything alike."""

    def answering(data: object, meta: object = None) -> LeadpipeClient:
        return connect(JSONResponse({"data": data, "meta": meta}))

    return answering


def sonarly(data: object) -> SonarlyClient:
    answer = JSONResponse({"data": data})
    return SonarlyClient(
        Transport(
            "https://service.test",
            SecretStr("sonarly-key"),
            network=serve_in_process(answer),
            bearer=True,
        )
    )


@pytest.mark.parametrize(
    "odd", ["x", 7, None, {}, {**GOOD, "id": None}, {**GOOD, "name": None}, {**GOOD, "status": {}}]
)
async def test_an_audience_that_cannot_be_read_is_left_out_and_counted(
    odd: object, answering: Callable[..., LeadpipeClient]
) -> None:
    with call_budget() as work:
        (audience,) = await answering([odd, GOOD]).audiences.list()
    assert audience.id == ID
    assert work.gaps() == ["1 of 2 audiences could not be read and is left out."]


@pytest.mark.parametrize(
    ("field", "odd", "read"),
    [
        ("audienceSize", "1,480", ("size", 1480)),
        ("audienceSize", "1 480", ("size", 1480)),
        ("audienceSize", 1480.0, ("size", 1480)),
        ("audienceSize", "1480.0", ("size", 1480)),
        ("audienceSize", "1.480", ("size", None)),
        ("audienceSize", "many", ("size", None)),
        ("audienceSize", True, ("size", None)),
        ("audienceSize", -3, ("size", None)),
        ("audienceSize", {"n": 1}, ("size", None)),
        ("topics", None, ("topics", ())),
        ("topics", "x", ("topics", ())),
        ("createdAt", 1_777_972_500, ("created_at", "2026-05-05T09:15:00.000Z")),
        ("updatedAt", 1_777_972_500_000, ("updated_at", "2026-05-05T09:15:00.000Z")),
        ("lastRefreshedAt", 20260505, ("last_refreshed_at", "2026-05-05")),
        ("lastRefreshedAt", [], ("last_refreshed_at", None)),
        ("config", {"topicIds": None}, ("config", None)),
        ("config", {"topicIds": ["x"]}, ("config", None)),
        ("config", {**CONFIG, "filters": ["x"]}, ("config", None)),
        ("config", "x", ("config", None)),
        ("id", 17, ("id", "17")),
    ],
)
async def test_an_audience_is_read_as_far_as_it_goes(
    field: str, odd: object, read: tuple[str, object], answering: Callable[..., LeadpipeClient]
) -> None:
    with call_budget() as work:
        (audience,) = await answering([{**GOOD, field: odd}]).audiences.list()
    name, value = read
    assert getattr(audience, name) == value
    assert work.gaps() == []


async def test_null_filters_are_no_filters(answering: Callable[..., LeadpipeClient]) -> None:
    saved = {**GOOD, "config": {**CONFIG, "filters": None}}
    (audience,) = await answering([saved]).audiences.list()
    assert audience.config is not None
    assert audience.config.filters == {}


async def test_an_odd_topic_of_an_audience_is_left_out(
    answering: Callable[..., LeadpipeClient],
) -> None:
    topics = [{"id": 1, "name": "CRM"}, {"id": 2}, "x"]
    with call_budget() as work:
        audience = await answering({**GOOD, "topics": topics}).audiences.get(ID)
    assert [topic.name for topic in audience.topics] == ["CRM"]
    assert work.gaps() == ["2 of 3 topics could not be read and are left out."]


async def test_a_list_in_which_nothing_can_be_read_is_no_list(
    answering: Callable[..., LeadpipeClient],
) -> None:
    with pytest.raises(UnusableAnswer, match="not what they should be: id, name"):
        await answering([{"status": "draft"}, "x"]).audiences.list()


async def test_a_list_that_is_read_again_is_counted_once(
    answering: Callable[..., LeadpipeClient],
) -> None:
    client = answering([GOOD, "x"])
    with call_budget() as work:
        for _ in range(3):
            await client.audiences.list()
        await answering([GOOD, GOOD, "y"]).audiences.list()
    assert work.gaps() == ["2 audiences could not be read and are left out."]


RUN = {"id": ID, "status": "completed", "dataDate": "2026-05-05", "resultCount": 3}


@pytest.mark.parametrize(
    ("odd", "kept"),
    [
        ({**RUN, "dataDate": 20260505}, True),
        ({**RUN, "resultCount": "1,480"}, True),
        ({**RUN, "createdAt": {}}, True),
        ({**RUN, "status": "asleep"}, False),
        ("x", False),
    ],
)
async def test_an_odd_run_does_not_take_the_others_along(
    odd: object, answering: Callable[..., LeadpipeClient], *, kept: bool
) -> None:
    with call_budget() as work:
        runs = await answering([odd, RUN]).runs.list(ID)
    assert len(runs) == 1 + kept
    assert {run.data_date for run in runs} == {"2026-05-05"}
    assert bool(work.gaps()) is not kept


PERSON = {"personId": "p1", "fullName": "Ada", "topicId": 1}


async def test_an_odd_person_of_the_older_api_is_left_out(
    start: Start, connect: Connect, altered: Altered
) -> None:
    page: dict[str, object] = {
        "data": [PERSON, "x", {**PERSON, "topicId": "x", "intentScore": []}, {}],
        "meta": {"totalCount": "1,480", "nextCursor": 7},
    }
    client = connect(altered(start(profile="flat"), {"POST /query": JSONResponse(page)}), "flat")
    with call_budget() as work:
        found = await client.runs.query(
            await client.configs.spell(AudienceConfig(topic_ids=(117805,)))
        )
    assert found is not None
    assert [p["fullName"] for p in found.people] == ["Ada", "Ada"]
    assert (found.run.size, found.next_cursor) == (1480, 7)
    assert work.gaps() == ["2 of 4 people could not be read and are left out."]


async def test_a_page_goes_on_after_all_that_it_held(
    start: Start, connect: Connect, altered: Altered
) -> None:
    people = [{"hashedEmail": "a", "fullName": "Ada"}, "x", None]
    page = {"data": {"run": {"id": ID, "status": "completed"}, "total": "9", "results": people}}
    client = connect(altered(start(), {"GET /results": JSONResponse(page)}), "catalog")
    with call_budget() as work:
        found = await client.runs.people(ID, run_id=ID, limit=3)
    assert len(found.people) == 1
    assert found.next_cursor == "3"
    assert work.gaps() == ["2 of 3 people could not be read and are left out."]


@pytest.mark.parametrize("cursor", ["abc", "7", 7, {"after": [1, "x"]}, ["x"]])
async def test_a_cursor_is_passed_on_as_it_came(
    cursor: object, start: Start, connect: Connect, altered: Altered
) -> None:
    page = {"data": [PERSON], "meta": {"totalCount": 9, "nextCursor": cursor}}
    sandbox = start(profile="flat")
    client = connect(altered(sandbox, {"POST /query": JSONResponse(page)}), "flat")
    spelled = await client.configs.spell(AudienceConfig(topic_ids=(117805,)))
    found = await client.runs.query(spelled)
    assert found is not None
    assert found.next_cursor == cursor
    # The sandbox takes only its own.
    with contextlib.suppress(ServiceError):
        await connect(sandbox, "flat").runs.query(spelled, cursor=found.next_cursor)
    assert cast("dict[str, object]", sandbox.requests[-1].body)["cursor"] == cursor


async def test_a_cursor_that_cannot_be_passed_on_is_told(
    start: Start, connect: Connect, altered: Altered
) -> None:
    page = {"data": [PERSON], "meta": {"totalCount": 9, "nextCursor": "x" * 3_000}}
    client = connect(altered(start(profile="flat"), {"POST /query": JSONResponse(page)}), "flat")
    with call_budget() as work:
        found = await client.runs.query(
            await client.configs.spell(AudienceConfig(topic_ids=(117805,)))
        )
    assert found is not None
    assert found.next_cursor is None
    assert work.gaps() == [
        "More follow, but the service's cursor of the next page is too long to pass on."
    ]


@pytest.mark.parametrize("profile", ["flat", "catalog"])
async def test_odd_people_and_counts_do_not_take_a_preview_along(
    profile: str, start: Start, connect: Connect, altered: Altered
) -> None:
    person = {"fullName": "Ada"}
    data = {
        "totalCount": "1,480",
        "sample": [person, 7, {}],
        "breakdowns": {"industries": [{"value": "x"}, {"value": "y", "count": "2"}]},
    }
    answer = JSONResponse({"data": data})
    client = connect(altered(start(profile=profile), {"POST /preview": answer}), profile)
    with call_budget() as work:
        preview = await client.configs.preview(
            await client.configs.spell(AudienceConfig(topic_ids=(117805,)))
        )
    assert preview.size == 1480
    assert len(preview.sample) == 1
    assert "2 of 3 people could not be read and are left out." in work.gaps()
    if profile == "catalog":
        assert [(part.value, part.count) for part in preview.industries] == [("y", 2)]


TOPIC = {"topicId": 1, "topicName": "CRM", "todayAudience": 5}


@pytest.mark.parametrize("odd", ["x", {**TOPIC, "topicId": "x"}, {**TOPIC, "topicName": None}, []])
async def test_an_odd_topic_is_left_out_of_every_list(
    odd: object, answering: Callable[..., LeadpipeClient]
) -> None:
    topics = answering([odd, TOPIC]).topics
    for read in (lambda: topics.search("crm"), topics.movers):
        with call_budget() as work:
            assert len(await read()) == 1
        assert work.gaps() == ["1 of 2 topics could not be read and is left out."]
    assert len((await topics.all()).topics) == 1


async def test_an_odd_day_or_series_is_left_out(answering: Callable[..., LeadpipeClient]) -> None:
    days = [{"date": "2026-05-04", "uniqueAudience": "1,480"}, {"date": "soon"}, None]
    answer = [{"topicId": 1, "topicName": "CRM", "data": days}, {"topicId": "x"}, 7]
    with call_budget() as work:
        (series,) = await answering(answer).topics.compare([1, 2])
    assert [day.audience for day in series.days] == [1480]
    assert work.gaps() == [
        "2 of 3 days could not be read and are left out.",
        "2 of 3 topics could not be read and are left out.",
    ]


async def test_odd_facets_are_left_out(answering: Callable[..., LeadpipeClient]) -> None:
    told = {"types": [{"value": "b2b", "count": "3"}, 7], "industries": None, "total": "20,164"}
    facets = await answering(told).topics.facets()
    assert [(part.value, part.count) for part in facets.types] == [("b2b", 3)]
    assert (facets.industries, facets.total) == ((), 20164)


PIXEL = {"id": "p", "domain": "acme.example", "status": "active"}


async def test_an_odd_pixel_is_left_out(answering: Callable[..., LeadpipeClient]) -> None:
    odd = [{**PIXEL, "domain": None}, 7, {**PIXEL, "excludedPaths": "x", "createdAt": 1}]
    with call_budget() as work:
        (pixel,) = await answering(odd).visitors.pixels()
    assert "excluded_paths" not in pixel.model_fields_set
    assert work.gaps() == ["2 of 3 pixels could not be read and are left out."]


async def test_an_odd_visitor_is_left_out(answering: Callable[..., LeadpipeClient]) -> None:
    with call_budget() as work:
        page = await answering([{"fullName": "Ada"}, "x", {}], {"total": "51"}).visitors.find()
    assert [visitor.full_name for visitor in page.visitors] == ["Ada"]
    assert page.total == 51
    assert work.gaps() == ["2 of 3 visitors could not be read and are left out."]


async def test_odd_filters_and_values_are_left_out(
    answering: Callable[..., LeadpipeClient],
) -> None:
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
        page = await client.audiences("g")
        assert [(one.id, one.size) for one in page.items] == [("1", 1480)]
        assert not page.complete
        assert len((await client.prospects("g", "a")).items) == 2
        navigation = await client.navigation("g")
    assert [folder.id for folder in navigation.folders] == ["f"]
    assert not navigation.complete
    assert work.gaps() == [
        "2 of 3 accounts could not be read and are left out.",
        "2 of 3 LinkedIn audiences could not be read and are left out.",
        "1 of 3 prospects could not be read and is left out.",
        "1 of 2 folders could not be read and is left out.",
    ]


async def test_what_was_left_out_is_not_taken_for_what_is_not_there(
    start: Start, connect: Connect, altered: Altered
) -> None:
    sandbox: Any = start()
    seen = JSONResponse({"data": [{"id": None, "name": "VPs", "status": "draft"}]})
    broken = JSONResponse({"error": {"message": "no"}}, 500)
    changes = {"GET /v1/intent/audiences": seen, "POST /v1/intent/audiences": broken}
    client = connect(altered(sandbox, changes))
    spelled = await client.configs.spell(AudienceConfig(topic_ids=(117805,)))
    with pytest.raises(Unclear) as caught:
        await client.audiences.create("VPs", spelled)
    assert not isinstance(caught.value, NotDone)
