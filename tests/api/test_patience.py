"""When a service is asked again, how long it is waited for, and when it is left alone."""

import contextlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import anyio
import pytest
from starlette.responses import RedirectResponse, Response

from leadpipe_mcp.api.budget import AT_ONCE, CALL_SECONDS, LOOK_SECONDS, call_budget
from leadpipe_mcp.api.connections import Application
from leadpipe_mcp.api.transport import DOWNLOAD_SECONDS, LONGEST_REST, MOST_RETRIES
from leadpipe_mcp.errors import LOOK_FIRST, Conflict, OutOfTime, TooManyRequests, Unreachable
from tests.api.answering import (
    FINE,
    Service,
    at_once,
    error_of,
    failing,
    hanging,
    lost,
    only,
    pieces,
    refused,
    slow,
)

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "failure",
    [
        *(failing(code) for code in (408, 429, 500, 502, 503, 504)),
        *(lost, refused, Response(b'{"data": ['), Response(b"<h1>Hello</h1>")),
    ],
)
async def test_only_what_does_no_harm_is_tried_again_three_times_at_most(
    failure: Application,
) -> None:
    recovers = Service(failure, failure, FINE)
    assert await recovers.read() == "fine"
    stays = Service(failure)
    await error_of(stays.read)
    assert len(recovers.asked) == len(stays.asked) == 3
    keyed = Service(failure, FINE)
    assert await keyed.write(key="once") == "fine"
    assert keyed.keys == ["once", "once"]
    written = Service(failure)
    await error_of(written.write)
    # What was never sent can be sent again.
    assert len(written.asked) == (3 if failure is refused else 1)


@pytest.mark.parametrize(
    "answer",
    [
        *(failing(code) for code in (400, 401, 402, 403, 404, 409)),
        RedirectResponse("https://elsewhere.test"),
        failing(429, {"error": {"message": "You have used up your credits"}}),
        failing(429, {"error": {"code": "SLOTS_FULL"}}),
    ],
)
async def test_what_will_be_no_other_is_not_asked_again(answer: Application) -> None:
    service = Service(answer)
    assert not (await error_of(service.read)).retryable
    assert len(service.asked) == 1


@pytest.mark.parametrize("then", [refused, hanging])
@pytest.mark.parametrize("first", [lost, hanging, failing(500)])
async def test_a_write_that_may_have_come_through_once_is_not_called_unsent(
    first: Application, then: Application
) -> None:
    service = Service(first, then)
    with call_budget():
        error = await error_of(lambda: service.write(key="once"))
    assert len(service.asked) > 1
    assert "nothing was sent" not in str(error)
    assert "not begun" not in str(error)
    assert error.advice == LOOK_FIRST


async def test_the_pauses_between_tries_are_short_and_of_chance() -> None:
    pauses: list[float] = []
    for _ in range(40):
        started = anyio.current_time()
        await Service(failing(503), FINE).read()
        pauses.append(anyio.current_time() - started)
    assert max(pauses) < 0.6
    assert max(pauses) - min(pauses) > 0.1


@pytest.mark.parametrize("code", [429, 503])
async def test_the_wait_that_a_service_asks_for_is_kept_or_handed_on(code: int) -> None:
    moment = datetime.now(UTC) + timedelta(seconds=21)
    dates = format_datetime(moment, usegmt=True), format_datetime(moment.replace(tzinfo=None))
    for wait in ("20", *dates):
        started = anyio.current_time()
        assert await Service(failing(code, Retry_After=wait), FINE).read() == "fine"
        assert 18 < anyio.current_time() - started < 22
    service = Service(failing(code, Retry_After="300"))
    assert (await error_of(service.read)).advice == "Try again in 300 seconds."
    assert len(service.asked) == 1


async def test_a_route_that_asked_for_a_pause_is_left_alone_and_others_are_not() -> None:
    service = Service(failing(429, Retry_After="300"), FINE)
    error = await error_of(service.read, times=2)
    assert isinstance(error, TooManyRequests)
    assert error.problem == "The service asked for a pause a moment ago, so nothing was sent."
    assert error.advice == "Try again in 300 seconds."
    assert await service.read("/v1/y") == "fine"
    assert len(service.asked) == 2
    await anyio.sleep(280)
    # Now it is short enough to be waited for.
    assert await service.read() == "fine"


async def test_retries_are_paid_for_by_successes() -> None:
    service = Service(only("/bad", failing(503)))
    turns = 100
    for number in range(turns):
        await error_of(lambda number=number: service.read(f"/bad/{number}"))
        await service.read()
    assert MOST_RETRIES < len(service.asked) - 2 * turns <= MOST_RETRIES + turns / 2


async def test_a_dead_service_is_left_alone_and_tried_by_one_from_time_to_time() -> None:
    service = Service(*[refused] * 5, failing(503))
    error = await error_of(service.read, times=3)
    assert str(error) == (
        "The service failed 6 times in a row, so nothing was sent. The last failure: The service"
        " failed with status 503. The next try makes sense in 5 seconds."
    )
    assert isinstance(error, Unreachable)
    assert error.how == "not sent"
    assert len(service.asked) == 6
    for rest in (5, 10, 20, 40, LONGEST_REST, LONGEST_REST):
        await anyio.sleep(rest + 0.1)
        before = len(service.asked)
        await at_once(10, lambda: error_of(service.read))
        assert len(service.asked) == before + 1


async def test_what_is_back_or_lives_is_asked_as_before() -> None:
    service = Service(*[refused] * 6, FINE)
    await error_of(service.read, times=3)
    await anyio.sleep(5.1)
    for _ in range(3):
        assert await service.read() == "fine"
    # A dead route does not close the others, and a refusal is an answer.
    service = Service(only("/dead", failing(500)))
    await error_of(lambda: service.read("/dead"), times=3)
    assert await service.read() == "fine"
    service = Service(*[failing(500), failing(500), failing(409)] * 4)
    assert isinstance(await error_of(service.read, times=4), Conflict)


@pytest.mark.parametrize("never", [hanging, pieces(*[b" "] * 300, every=1)])
async def test_a_service_that_never_answers_is_waited_for_less_than_a_calls_time(
    never: Application,
) -> None:
    service = Service(never)
    for asking in (service.read, service.write):
        started = anyio.current_time()
        with call_budget():
            error = await error_of(asking)
        assert isinstance(error, Unreachable)
        assert error.how == "late"
        assert anyio.current_time() - started < CALL_SECONDS


async def test_a_write_leaves_time_to_look_what_became_of_it() -> None:
    service = Service(pieces(*[b" "] * 300, every=1))
    with call_budget() as spent:
        await error_of(service.write)
        assert spent.left > LOOK_SECONDS - 1
        # Another one could not be looked after.
        assert isinstance(await error_of(service.write), OutOfTime)
    assert len(service.asked) == 1


async def test_all_requests_of_a_call_share_its_time_and_are_counted() -> None:
    service = Service(slow(20))
    with call_budget() as spent:
        await service.read()
        await service.read()
        assert "in the time that there was" in str(await error_of(service.read))
    assert (spent.requests, spent.retries) == (3, 0)
    # Time that is spent on purpose does not count.
    with call_budget() as spent:
        with spent.asking_a_human():
            await anyio.sleep(600)
        spent.extend(20)
        for _ in range(3):
            await service.read()
        assert 8 < spent.left < 10
    # A call knows what it has asked for.
    service = Service(failing(500, X_Request_Id="1"), failing(200, {"data": 1}, X_Request_Id="2"))
    with call_budget() as spent:
        await service.read()
    assert (spent.requests, spent.retries, spent.request_id) == (2, 1, "2")


async def test_at_most_eight_are_asked_at_a_time_and_turns_go_round() -> None:
    service = Service(slow(1))
    done: list[int] = []

    async def call(requests: int) -> None:
        with call_budget():
            await at_once(requests, service.read)
        done.append(requests)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call, 80)
        await anyio.sleep(0.5)
        for _ in range(10):
            tasks.start_soon(call, 1)
    assert service.most_at_once == AT_ONCE
    assert len(service.asked) == 90
    assert done == [*[1] * 10, 80]


@pytest.mark.parametrize("answer", [hanging, slow(20)])
async def test_nobody_waits_behind_others_for_longer_than_a_call_may_take(
    answer: Application,
) -> None:
    service = Service(answer)
    ended: list[float] = []

    async def call() -> None:
        with call_budget(), contextlib.suppress(Unreachable):
            await service.read()
        ended.append(anyio.current_time())

    started = anyio.current_time()
    await at_once(50, call)
    assert len(ended) == 50
    assert max(ended) - started < CALL_SECONDS
    assert len(service.asked) <= 3 * AT_ONCE


@pytest.mark.parametrize(
    "failure", [failing(503), lost, refused, pieces(b"half", then=ConnectionError())]
)
async def test_a_file_is_fetched_anew_after_a_failure(failure: Application) -> None:
    service = Service(failure, failure, pieces(b"a,b\n", b"1,2\n"))
    with call_budget() as spent:
        assert await service.fetch() == b"a,b\n1,2\n"
    assert (spent.requests, spent.retries) == (3, 2)


async def test_a_file_that_keeps_coming_takes_the_time_that_it_takes() -> None:
    with call_budget() as spent:
        assert len(await Service(pieces(*[b"x"] * 20, every=10)).fetch()) == 20
        assert spent.left > CALL_SECONDS - 2
    started = anyio.current_time()
    error = await error_of(Service(pieces(*[b"x"] * 100, every=10)).fetch)
    assert isinstance(error, Unreachable)
    assert anyio.current_time() - started < DOWNLOAD_SECONDS + 1
    # One that stays away is waited for less than a call's time.
    for never in (hanging, pieces(b"half", every=1, ends=False)):
        service = Service(slow(25), never)
        started = anyio.current_time()
        with call_budget():
            await service.read()
            assert isinstance(await error_of(service.fetch), Unreachable)
        assert anyio.current_time() - started < CALL_SECONDS + 2
