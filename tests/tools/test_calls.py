"""Calls as such: many at once, each with its time, its share and its line in the log."""

import logging
import re
from collections.abc import Mapping
from statistics import median

import anyio
import pytest
from starlette.types import Receive, Scope, Send

from leadpipe_mcp.api.connections import Application
from tests.faults.service import Fault, Sandbox
from tests.tools.assistant import UNASKED, Assistant, Connect, Start, each_era

pytestmark = pytest.mark.anyio
TOPICS = [117805, 117890]
LINE = re.compile(r"(\w+ \S+) \d+ ms, \d+ requests?(, \d+ retry)?(?:, request \S+)?")


class Counted:
    """A service, and how many requests it has at once."""

    def __init__(self, service: Application) -> None:
        self._service = service
        self.at_once = self.most = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            await self._service(scope, receive, send)
        finally:
            self.at_once -= 1


async def test_many_calls_at_once_are_all_answered_and_the_small_ones_soon(
    start: Start, connect: Connect
) -> None:
    counted = Counted(start(delay_ms=50))
    done: list[str] = []

    async def one(tool: str, asked: Mapping[str, object]) -> None:
        await client.call(tool, **asked)
        done.append(tool)

    async with connect(counted, settings=UNASKED) as client:
        active = (await client.saved())["active"]
        filters = {"seniority": ["directors"], "companyIndustry": ["SaaS"]}
        async with anyio.create_task_group() as tasks:
            for number in range(6):
                new = {"name": f"Buyers {number}", "config": {"topicIds": TOPICS}}
                for tool, asked in {
                    "plan_audience": {"topics": ["marketing automation"], "filters": filters},
                    "query_audience": {"audienceId": active},
                    "preview_audience": {"topicIds": TOPICS},
                    "get_account_status": {},
                    "create_audience": new,
                }.items():
                    tasks.start_soon(one, tool, asked)
        listed = await client.call("list_audiences", nameContains="Buyers", limit=100)
    assert len(done) == 30
    assert counted.most == 8
    # The order of single calls is the machine's; the ones of one request come before those of many.
    small, large = (
        median(at for at, name in enumerate(done) if name == tool)
        for tool in ("get_account_status", "plan_audience")
    )
    assert small < large
    assert len([row for row in listed["audiences"]["rows"] if row[2] == "draft"]) == 6


async def test_each_call_has_one_line_that_tells_nothing_of_what_was_asked(
    connect: Connect, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "leadpipe_mcp"):
        async with connect() as client:
            paused = (await client.saved())["paused"]
            sandbox.faults.add(Fault("status", status=503, path="/account"))
            await client.call("get_account_status")
            await client.refused("get_audience", id="jane.doe@acme.example")
            await client.call("delete_audience", id=paused)
    lines = [LINE.fullmatch(record.getMessage()) for record in caplog.records]
    assert [line and line.groups() for line in lines] == [
        ("list_audiences ok", None),
        ("get_account_status ok", ", 1 retry"),
        ("get_audience refused:arguments", None),
        ("delete_audience asked", None),
    ]


@pytest.mark.parametrize(
    ("tool", "asked"),
    [
        ("list_audiences", {}),
        ("create_audience", {"name": "Buyers", "config": {"topicIds": TOPICS}}),
        ("plan_audience", {"topics": ["CRM"]}),
    ],
)
async def test_a_hanging_service_is_given_up_within_the_time_of_a_call(
    tool: str, asked: dict[str, object], connect: Connect
) -> None:
    async with connect(delay_ms=10_000_000) as client:
        started = anyio.current_time()
        said = await client.refused(tool, **asked)
        assert anyio.current_time() - started < 100
    assert re.search(r"the time that there was|took too long|in a row", said)


@each_era
async def test_a_pause_that_the_service_asks_for_is_told_while_it_lasts(
    start: Start, connect: Connect
) -> None:
    told: list[tuple[float, str | None]] = []

    async def listen(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, message))

    sandbox = start(run_seconds=10_000)
    async with connect(sandbox, settings=UNASKED) as client:
        active = (await client.saved())["active"]
        await client.call_tool("run_audience", {"id": active})
        sandbox.faults.add(
            Fault("status", path="/runs", every=4, times=3, status=429, retry_after=7)
        )
        result = await client.call_tool(
            "get_audience", {"id": active, "waitSeconds": 60}, progress_callback=listen
        )
    assert not result.is_error
    assert [message for _, message in told].count(
        "The service asked for a pause of 7 seconds."
    ) == 3
    assert told == sorted(told, key=lambda one: one[0])


# It takes no time: the clock leaps. So long, the server's own work does not count beside it.
DELAY = 5.0


async def rounds(client: Assistant, tool: str, **asked: object) -> int:
    """How many delays a call took."""
    started = anyio.current_time()
    result = await client.call_tool(tool, asked)
    assert not result.is_error
    return round((anyio.current_time() - started) / DELAY)


@pytest.mark.parametrize(
    ("profile", "tool", "asked", "expected"),
    [
        ("mixed", "query_audience", {"limit": 100}, 2),
        ("catalog", "query_audience", {"limit": 50, "contact": "full"}, 2),
        ("catalog", "get_audience", {"fillRates": True}, 2),
        ("mixed", "set_status", {"status": "paused"}, 3),
    ],
)
async def test_what_does_not_need_another_answer_is_asked_for_at_once(
    profile: str, tool: str, asked: dict[str, object], expected: int, start: Start, connect: Connect
) -> None:
    service = start(profile=profile, delay_ms=int(1_000 * DELAY))
    async with connect(service, settings=UNASKED) as client:
        audience = (await client.saved())["active"]
        # What is fetched once a day, or once in the program's life, is there.
        await rounds(client, "get_audience", id=audience)
        assert await rounds(client, tool, id=audience, **asked) == expected
