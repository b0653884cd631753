"""Topics: found, counted from day to day, kept for a day, and read leniently."""

import datetime as dt
import json
import os
import stat
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from leadpipe_mcp.api.answers import as_list, as_object
from leadpipe_mcp.api.connections import serve_in_process
from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.topics import (
    Mover,
    TopicDay,
    Topics,
    TopicSeries,
    catalogue_file,
)
from leadpipe_mcp.api.transport import Transport
from leadpipe_mcp.errors import UnusableAnswer, WrongAddress
from tests.api.answering import URL, Connect, Start
from tests.faults.service import Fault, Sandbox
from tests.systems import needs_modes

pytestmark = pytest.mark.anyio
CRM = {"topicId": 7, "topicName": "CRM", "type": "b2b", "industry": "Sales", "category": "Product"}
TODAY = dt.date(2026, 5, 4)
DAY = 24 * 3600


class Service:
    """A service that answers each route with what the test says, and counts what it is asked."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self._answers = answers
        self.asked: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        path = request.url.path.removeprefix("/v1/intent/topics")
        self.asked.append(f"{request.method} {path}")
        answer = self._answers.get(path, JSONResponse({}, 404))
        if callable(answer) and not isinstance(answer, Response):
            answer = answer(json.loads(await request.body()))
        response = answer if isinstance(answer, Response) else JSONResponse({"data": answer})
        await response(scope, receive, send)

    def topics(
        self, cache_dir: Path | None = None, clock: Callable[[], float] = time.monotonic
    ) -> Topics:
        """The topics of a client that starts now."""
        transport = Transport(URL, None, network=serve_in_process(self))
        keeping = catalogue_file(cache_dir, URL) if cache_dir else None
        return LeadpipeClient(transport, clock=clock, keeping=keeping).topics


def days(*audiences: int) -> list[dict[str, Any]]:
    """The days up to today with these audiences."""
    first = TODAY - dt.timedelta(len(audiences) - 1)
    return [
        {"date": str(first + dt.timedelta(n)), "uniqueAudience": audience}
        for n, audience in enumerate(audiences)
    ]


def series(*audiences: int) -> TopicSeries:
    read = tuple(TopicDay.model_validate(day) for day in days(*audiences))
    return TopicSeries(id=7, name="CRM", days=read)


async def test_topics_need_no_key(start: Start, connect: Connect) -> None:
    topics = connect(start(), key=None).topics
    found = await topics.search("crm software", type="b2b", industry="Sales", limit=3)
    assert (found[0].name, found[0].category) == ("CRM Software", "Product")
    (compared,) = await topics.compare([found[0].id, 5])
    trend = await topics.trend(found[0].id)
    assert trend is not None
    assert compared.name == trend.name == "CRM Software"
    assert [day.audience for day in compared.days] == [d.audience for d in trend.days[-30:]]
    assert len((await topics.facets()).industries) == 20
    movers = await topics.movers("down", type="b2b", industry="Sales", limit=2)
    assert [(mover.change or 0) < 0 for mover in movers] == [True, True]
    site = await topics.analyze("https://crm.example")
    assert site.company == "Crm"
    assert site.topics[0].similarity


async def test_a_topic_that_does_not_exist_has_no_trend(
    client: LeadpipeClient, sandbox: Sandbox
) -> None:
    assert await client.topics.trend(5) is None
    sandbox.faults.add(Fault("status", path="/trend", status=404))
    assert await client.topics.trend(6) is None
    # A web page is about no topic, even from a service that has answered before.
    sandbox.faults.add(Fault("html", path="/trend", status=404))
    with pytest.raises(WrongAddress):
        await client.topics.trend(6)


async def test_the_days_of_a_topic_come_oldest_first_and_may_lack_all_but_the_audience() -> None:
    rows = days(1, 2)[::-1]
    rows[0] |= {"date": "2026-05-04T00:00:00Z", "avgScore": "70.5", "highAudience": 1.0}
    topics = Service({"/7/trend": rows}).topics()
    trend = await topics.trend(7)
    assert trend is not None
    assert trend.name is None
    assert [day.audience for day in trend.days] == [1, 2]
    assert trend.latest == trend.days[1]
    assert (trend.days[1].date, trend.days[1].average_score, trend.days[1].high) == (TODAY, 70.5, 1)
    assert trend.days[0].low is None


LACKING: list[tuple[Callable[[Topics], Awaitable[object]], object, str]] = [
    (lambda topics: topics.search("crm"), [{"topicId": 1}], "name"),
    (lambda topics: topics.search("crm"), {}, "should be a list"),
    (lambda topics: topics.trend(7), [{"date": "2026-05-04"}], "udience"),
    (lambda topics: topics.movers(), [{"topicId": 1, "topicName": "a"}], "today"),
    (lambda topics: topics.analyze("https://acme.example"), {"company": "Acme"}, "topics"),
    (lambda topics: topics.facets(), [], "data"),
    (lambda topics: topics.all(), [], "the list of all topics is empty"),
]


async def test_an_answer_that_lacks_what_is_essential_is_not_used(connect: Connect) -> None:
    for ask, answer, missing in LACKING:
        with pytest.raises(UnusableAnswer, match=missing):
            await ask(connect(JSONResponse({"data": answer})).topics)


async def test_topics_are_compared_ten_at_a_time_in_the_order_asked(
    sandbox: Sandbox, connect: Connect
) -> None:
    ids = [117805, *range(102001, 102011), 117805]
    compared = await connect(sandbox).topics.compare(ids)
    assert [one.id for one in compared] == ids[:-1]
    bodies = [as_object(request.body) for request in sandbox.requests]
    assert [len(as_list(body["topicIds"])) for body in bodies] == [10, 1]


async def test_one_unknown_topic_does_not_hide_the_others() -> None:
    def strict(body: dict[str, Any]) -> object:
        if 5 in body["topicIds"]:
            return JSONResponse({}, 404)
        # One without name and days is not known either.
        return [
            {"topicId": n, "topicName": None, "data": days(1) if n < 9 else None}
            for n in body["topicIds"]
        ]

    topics = Service({"/compare": strict, "/facets": {}}).topics()
    assert [one.id for one in await topics.compare([7, 5, 9, 8])] == [7, 8]


async def test_a_series_is_taken_from_the_trends_where_the_comparison_is_too_short() -> None:
    compared = [{"topicId": n, "topicName": "CRM", "data": days(*range(1, 31))} for n in (7, 8, 9)]
    trends = {"/7/trend": days(*range(100)), "/8/trend": Response(status_code=500), "/9/trend": []}
    service = Service({"/compare": compared, **trends})
    topics = service.topics()
    assert [len(one.days) for one in await topics.series([7, 8, 9], 7)] == [7, 7, 7]
    assert service.asked == ["POST /compare"]
    assert [len(one.days) for one in await topics.series([7, 8, 9], 90)] == [90, 30, 30]
    assert await Service({"/compare": []}).topics().series([7], 90) == ()


def test_changes_and_directions_are_counted_from_the_audiences() -> None:
    # In percent against so many days before, and the last week against the first.
    for audiences, span, change in (
        ((100, 0, 0, 0, 0, 0, 0, 150), 7, 50),
        (tuple(range(100, 130)), 30, 29),
        ((0, 0, 0, 0, 0, 0, 0, 5), 7, None),
        ((), 7, None),
        ((200, 100), 1, -50),
    ):
        assert series(*audiences).change_over(span) == change
    for audiences, direction in (
        ([100] * 15 + [120] * 15, "rising"),
        ([100] * 15 + [104] * 15, "steady"),
        ([0] * 30, "steady"),
        ([0, 0, 1, 1], "rising"),
        ([1, 2, 3], None),
        ([], None),
    ):
        assert series(*audiences).direction == direction
    mover = {"topicId": 1, "topicName": "a", "todayAudience": 12, "pctChange": 0.2}
    for yesterday, change in ((10, 20), (0, None), (None, None)):
        assert Mover.model_validate({**mover, "yesterdayAudience": yesterday}).change == change


async def test_the_catalogue_is_fetched_once_for_callers_at_once_and_once_a_day() -> None:
    service, now = Service({"": [CRM]}), [0.0]
    topics = service.topics(clock=lambda: now[-1])
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(topics.all)
        tasks.start_soon(topics.all)
    first = await topics.all()
    assert [topic.name for topic in first.topics] == ["CRM"]
    assert service.asked == ["GET "]
    now.append(DAY)
    await topics.all()
    assert service.asked == ["GET "]
    now.append(DAY + 1)
    # The service says the same once more, so what was made of it is the same too.
    assert await topics.all() is first
    assert service.asked == ["GET "] * 2


async def test_a_catalogue_that_is_under_way_is_not_at_hand() -> None:
    topics = Service({"": [CRM]}).topics()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(topics.all)
        await anyio.lowlevel.checkpoint()
        assert await topics.at_hand() is None
    assert await topics.at_hand() is await topics.all()


@needs_modes
async def test_the_catalogue_is_kept_for_the_next_start(tmp_path: Path) -> None:
    folder, now = tmp_path / "cache" / "leadpipe", [0.0]
    service = Service({"": [CRM, {"topicId": 8, "topicName": "ERP"}]})
    first = await service.topics(folder).all()
    (file,) = folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    # It grows old from when it was fetched.
    os.utime(file, times=(0, time.time() - DAY + 100))
    topics = service.topics(folder, clock=lambda: now[-1])
    for seconds in (0, 50):
        now.append(seconds)
        assert (await topics.all()).topics == first.topics
    assert len(service.asked) == 1
    now.append(200)
    os.utime(file, times=(0, 0))
    await topics.all()
    assert len(service.asked) == 2


async def test_a_catalogue_that_cannot_be_kept_is_used_all_the_same(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a folder", "utf-8")
    service = Service({"": [CRM]})
    assert (await service.topics(in_the_way).all()).topics
    # A folder stands where the file should be: it is written beside, cannot be put there, and goes.
    await service.topics(tmp_path / "cache").all()
    (file,) = (tmp_path / "cache").iterdir()
    file.unlink()
    (file / "full").mkdir(parents=True)
    assert (await service.topics(tmp_path / "cache").all()).topics
    assert list((tmp_path / "cache").iterdir()) == [file]
    # Half of an emoji can be read, but not be written.
    answer = Response(b'{"data": [{"topicId": 7, "topicName": "CRM \\ud83d"}]}')
    half = Service({"": answer}).topics(tmp_path / "none")
    assert [topic.id for topic in (await half.all()).topics] == [7]
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    "broken", [0.0, 1e10, b"", b"{}", b"[]", b'[{"id": "x"}]', b"\xff\xfe", b"[" * 100_000]
)
async def test_a_broken_old_or_foreign_file_is_replaced(
    broken: float | bytes, tmp_path: Path
) -> None:
    service = Service({"": [CRM]})
    await service.topics(tmp_path).all()
    (file,) = tmp_path.iterdir()
    if isinstance(broken, bytes):
        file.write_bytes(broken)
    else:
        os.utime(file, times=(broken, broken))
    for _ in range(2):
        found = await service.topics(tmp_path).all()
        assert [topic.name for topic in found.topics] == ["CRM"]
        assert len(service.asked) == 2
