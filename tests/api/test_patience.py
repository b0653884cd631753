"""When a service is asked again, how long it is waited for, and when it is left alone."""

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import cycle

import anyio
import pytest
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from leadpipe_mcp.api.budget import AT_ONCE, CALL_SECONDS, LOOK_SECONDS, call_budget
from leadpipe_mcp.api.health import LONGEST_REST, MOST_RETRIES
from leadpipe_mcp.api.in_process import Application, serve_in_process
from leadpipe_mcp.api.transport import DOWNLOAD_SECONDS, Transport
from leadpipe_mcp.errors import (
    LOOK_FIRST,
    Conflict,
    LeadpipeError,
    NeverUsable,
    OutOfTime,
    ServiceDown,
    ServiceError,
    TooManyRequests,
    Unreachable,
)

pytestmark = pytest.mark.anyio
FINE = JSONResponse({"data": "fine"})


class Service:
    """Gives the answers in turn, the last one again and again, and remembers what was asked."""

    def __init__(self, *answers: Application) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[str, str]] = []
        self.keys: list[str | None] = []
        self.at_once = self.most_at_once = 0
        self.transport = Transport(
            "https://service.test", SecretStr("sk_test"), network=serve_in_process(self)
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        self.asked.append((request.method, request.url.path))
        self.keys.append(request.headers.get("idempotency-key"))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await answer(scope, receive, send)
        finally:
            self.at_once -= 1

    async def read(self, path: str = "/v1/x") -> object:
        return (await self.transport.request("GET", path)).data

    async def write(self, path: str = "/v1/x", key: str | None = None) -> object:
        return (await self.transport.request("POST", path, idempotency_key=key)).data


async def error_of(asking: Callable[[], object]) -> LeadpipeError:
    with pytest.raises(LeadpipeError) as caught:
        await asking()  # pyright: ignore[reportGeneralTypeIssues]
    return caught.value


def status(code: int, **headers: str) -> JSONResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return JSONResponse({"error": {"message": "No"}}, code, named)


async def lost(scope: Scope, receive: Receive, send: Send) -> None:
    raise ConnectionResetError


async def refused(scope: Scope, receive: Receive, send: Send) -> None:
    raise ConnectionRefusedError


async def hanging(scope: Scope, receive: Receive, send: Send) -> None:
    await anyio.sleep_forever()


async def dripping(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while True:
        await send({"type": "http.response.body", "body": b" ", "more_body": True})
        await anyio.sleep(1)


async def endless(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while True:
        await send({"type": "http.response.body", "body": b"x" * 1_000_000, "more_body": True})


def slow(seconds: float) -> Application:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await anyio.sleep(seconds)
        await FINE(scope, receive, send)

    return answer


PASSING: list[Application] = [
    *(status(code) for code in (408, 429, 500, 502, 503, 504)),
    lost,
    refused,
    Response(b""),
    Response(b'{"data": ['),
    Response(b"<h1>Hello</h1>"),
]


@pytest.mark.parametrize("failure", PASSING)
async def test_a_read_is_tried_three_times(failure: Application) -> None:
    recovers = Service(failure, failure, FINE)
    assert await recovers.read() == "fine"
    assert len(recovers.asked) == 3

    stays = Service(failure)
    assert isinstance(await error_of(stays.read), ServiceError)
    assert len(stays.asked) == 3


@pytest.mark.parametrize(
    "answer",
    [
        *(status(code) for code in (400, 401, 402, 403, 404, 409, 422)),
        RedirectResponse("https://elsewhere.test"),
        JSONResponse({"error": {"message": "You have used up your credits"}}, 429),
        JSONResponse({"error": {"code": "SLOTS_FULL", "message": "No"}}, 429),
    ],
)
async def test_what_will_be_no_other_is_not_asked_again(answer: Application) -> None:
    service = Service(answer)
    error = await error_of(service.read)
    assert not error.retryable
    assert len(service.asked) == 1


@pytest.mark.parametrize("failure", [one for one in PASSING if one is not refused])
async def test_a_write_is_sent_once(failure: Application) -> None:
    service = Service(failure)
    await error_of(service.write)
    assert len(service.asked) == 1


async def test_a_write_that_was_never_sent_can_be_sent_again() -> None:
    service = Service(refused, refused, FINE)
    assert await service.write() == "fine"


@pytest.mark.parametrize("failure", PASSING)
async def test_a_write_with_a_key_of_its_own_is_repeated_with_it(failure: Application) -> None:
    service = Service(failure, FINE)
    assert await service.write(key="once") == "fine"
    assert service.keys == ["once", "once"]


@pytest.mark.parametrize("first", [lost, hanging, status(500)])
async def test_a_write_that_may_have_come_through_once_is_not_called_unsent(
    first: Application,
) -> None:
    for then in (refused, hanging):
        service = Service(first, then)
        with call_budget():
            error = await error_of(lambda service=service: service.write(key="once"))
        assert len(service.asked) > 1
        assert "nothing was sent" not in str(error)
        assert "not begun" not in str(error)
        assert error.advice == LOOK_FIRST


async def test_the_pauses_between_tries_are_short_and_of_chance() -> None:
    pauses: list[float] = []
    for _ in range(40):
        service = Service(status(503), FINE)
        started = anyio.current_time()
        await service.read()
        pauses.append(anyio.current_time() - started)
    assert max(pauses) < 0.6
    assert max(pauses) - min(pauses) > 0.1


@pytest.mark.parametrize("code", [429, 503])
async def test_the_wait_that_a_service_asks_for_is_kept(code: int) -> None:
    moment = datetime.now(UTC) + timedelta(seconds=21)
    for wait in ("20", format_datetime(moment, usegmt=True)):
        service = Service(status(code, Retry_After=wait), FINE)
        started = anyio.current_time()
        assert await service.read() == "fine"
        assert 18 < anyio.current_time() - started < 22


@pytest.mark.parametrize("code", [429, 503])
async def test_a_wait_that_is_too_long_is_handed_on_at_once(code: int) -> None:
    service = Service(status(code, Retry_After="300"))
    started = anyio.current_time()
    error = await error_of(service.read)
    assert error.advice == "Try again in 300 seconds."
    assert anyio.current_time() - started < 1
    assert len(service.asked) == 1


async def test_after_a_refusal_for_haste_the_route_is_left_alone_and_others_are_not() -> None:
    service = Service(status(429, Retry_After="300"), FINE)
    await error_of(service.read)
    error = await error_of(service.read)
    assert isinstance(error, TooManyRequests)
    assert error.problem == "The service asked for a pause a moment ago, so nothing was sent."
    assert "Try again in 300 seconds" in error.advice
    assert await service.read("/v1/y") == "fine"
    assert len(service.asked) == 2
    await anyio.sleep(280)
    # Now it is short enough to be waited for.
    assert await service.read() == "fine"


async def test_retries_are_paid_for_by_successes() -> None:
    service = Service(FINE)
    turns = 200
    failing: Iterator[Application] = cycle([status(503)])

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        bad = scope["path"].startswith("/bad")
        await (next(failing) if bad else FINE)(scope, receive, send)

    service = Service(answer)
    for number in range(turns):
        await error_of(lambda number=number: service.read(f"/bad/{number}"))
        await service.read()
    retries = len(service.asked) - 2 * turns
    assert MOST_RETRIES < retries <= MOST_RETRIES + turns / 2


async def test_a_dead_service_is_left_alone_and_tried_by_one_from_time_to_time() -> None:
    service = Service(refused)
    for _ in range(2):
        await error_of(service.read)
    assert len(service.asked) == 6
    error = await error_of(service.read)
    assert isinstance(error, Unreachable)
    assert error.how == "not sent"
    assert error.problem == (
        "The service failed 6 times in a row, so nothing was sent."
        " The last failure: The service could not be reached; nothing was sent."
    )
    assert error.advice == (
        "The next try makes sense in 5 seconds; if that fails too, check the network and"
        " LEADPIPE_BASE_URL."
    )
    assert len(service.asked) == 6
    for rest in (5, 10, 20, 40, LONGEST_REST, LONGEST_REST):
        await anyio.sleep(rest + 0.1)
        before = len(service.asked)
        async with anyio.create_task_group() as tasks:
            for _ in range(10):
                tasks.start_soon(error_of, service.read)
        assert len(service.asked) == before + 1


async def test_a_service_at_rest_says_what_it_failed_of_last() -> None:
    service = Service(*[refused] * 5, status(503))
    for _ in range(2):
        await error_of(service.read)
    error = await error_of(service.read)
    assert error.problem.endswith("The last failure: The service failed with status 503: No.")
    assert error.advice == "The next try makes sense in 5 seconds."


async def test_a_service_that_is_back_is_asked_as_before() -> None:
    service = Service(*[refused] * 6, FINE)
    for _ in range(3):
        await error_of(service.read)
    await anyio.sleep(5.1)
    for _ in range(3):
        assert await service.read() == "fine"


async def test_one_dead_route_does_not_close_the_others() -> None:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await (status(500) if scope["path"] == "/dead" else FINE)(scope, receive, send)

    service = Service(answer)
    for _ in range(3):
        await error_of(lambda: service.read("/dead"))
    assert len(service.asked) == 6
    assert await service.read() == "fine"


async def test_answers_of_refusal_show_that_a_service_lives() -> None:
    service = Service(*[status(500), status(500), status(409)] * 4)
    for _ in range(4):
        assert isinstance(await error_of(service.read), Conflict)


@pytest.mark.parametrize("never", [hanging, dripping])
async def test_a_service_that_never_answers_is_waited_for_less_than_a_calls_time(
    never: Application,
) -> None:
    for asking in ("read", "write"):
        service = Service(never)
        started = anyio.current_time()
        with call_budget():
            error = await error_of(getattr(service, asking))
        assert isinstance(error, Unreachable)
        assert error.how == "late"
        assert anyio.current_time() - started < CALL_SECONDS


async def test_a_write_leaves_time_to_look_what_became_of_it() -> None:
    service = Service(dripping)
    with call_budget() as spent:
        await error_of(service.write)
        assert spent.left > LOOK_SECONDS - 1
        # Another one could not be looked after.
        assert isinstance(await error_of(service.write), OutOfTime)
    assert len(service.asked) == 1


async def test_all_requests_of_a_call_share_its_time() -> None:
    service = Service(slow(20))
    with call_budget() as spent:
        await service.read()
        await service.read()
        error = await error_of(service.read)
    assert "in the time that there was" in str(error)
    assert (spent.requests, spent.retries) == (3, 0)


async def test_time_that_is_spent_on_purpose_does_not_count() -> None:
    service = Service(slow(20))
    with call_budget() as spent:
        with spent.asking_a_human():
            await anyio.sleep(600)
        spent.extend(20)
        for _ in range(3):
            await service.read()
        assert 8 < spent.left < 10


async def test_a_call_knows_what_it_has_asked_for() -> None:
    service = Service(
        status(500, X_Request_Id="first"), JSONResponse({"data": 1}, headers={"X-Request-Id": "2"})
    )
    with call_budget() as spent:
        await service.read()
    assert (spent.requests, spent.retries, spent.request_id) == (2, 1, "2")


async def test_at_most_eight_are_asked_at_a_time_and_turns_go_round() -> None:
    service = Service(slow(1))
    done: list[str] = []

    async def call(name: str, requests: int) -> None:
        async def ask() -> None:
            await service.read()

        with call_budget():
            async with anyio.create_task_group() as tasks:
                for _ in range(requests):
                    tasks.start_soon(ask)
        done.append(name)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call, "large", 200)
        await anyio.sleep(0.5)
        for number in range(10):
            tasks.start_soon(call, f"small {number}", 1)
    assert service.most_at_once == AT_ONCE
    assert len(service.asked) == 210
    assert done[-1] == "large"
    assert len(done) == 11


async def test_whoever_gives_up_waiting_leaves_the_turn_to_others() -> None:
    service = Service(slow(1))

    async def impatient() -> None:
        with anyio.move_on_after(0.5):
            await service.read()

    # Those who are asked for give up with those who wait, and then only those who wait do.
    async with anyio.create_task_group() as tasks:
        for _ in range(30):
            tasks.start_soon(impatient)
    asked = len(service.asked)
    async with anyio.create_task_group() as tasks:
        for _ in range(AT_ONCE):
            tasks.start_soon(service.read)
        for _ in range(30):
            tasks.start_soon(impatient)
    assert len(service.asked) == asked + AT_ONCE
    started = anyio.current_time()
    async with anyio.create_task_group() as tasks:
        for _ in range(AT_ONCE):
            tasks.start_soon(service.read)
    assert anyio.current_time() - started < 1.5


async def test_waiting_behind_others_is_not_waiting_for_the_service() -> None:
    service = Service(slow(10))

    async def call() -> None:
        with call_budget():
            await service.read()

    # 20 rounds of eight: the last have waited for three minutes.
    async with anyio.create_task_group() as tasks:
        for _ in range(20 * AT_ONCE):
            tasks.start_soon(call)
    assert len(service.asked) == 20 * AT_ONCE


async def test_a_hanging_service_does_not_keep_those_who_wait() -> None:
    service = Service(hanging)
    ended: list[float] = []
    started = anyio.current_time()

    async def call() -> None:
        with call_budget():
            await error_of(service.read)
        ended.append(anyio.current_time() - started)

    async with anyio.create_task_group() as tasks:
        for _ in range(200):
            tasks.start_soon(call)
    assert max(ended) < CALL_SECONDS
    assert len(service.asked) <= 2 * AT_ONCE


async def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    service = Service(endless)
    error = await error_of(service.read)
    assert isinstance(error, NeverUsable)
    assert "far longer than any answer should be" in error.problem
    assert len(service.asked) == 1
    error = await error_of(service.write)
    assert error.advice == LOOK_FIRST


async def test_where_requests_are_counted_a_retry_is_one() -> None:
    from leadpipe_mcp.api.budget import Allowance, allowed

    service = Service(status(503))
    with allowed(Allowance(2, 1)):
        # The reason is why it failed, and not that there may be no third try.
        assert isinstance(await error_of(service.read), ServiceDown)
    assert len(service.asked) == 2


def pieces(*given: bytes, every: float = 0, then: Exception | None = None) -> Application:
    """A file that comes in these pieces, with so many seconds before each, and may break off."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for piece in given:
            await anyio.sleep(every)
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        if then:
            raise then
        await send({"type": "http.response.body", "body": b""})

    return answer


@pytest.mark.parametrize(
    "failure", [status(503), status(429), lost, refused, pieces(b"half", then=ConnectionError())]
)
async def test_a_file_is_fetched_anew_after_a_failure(failure: Application) -> None:
    service = Service(failure, failure, pieces(b"a,b\n", b"1,2\n"))
    file = io.BytesIO()
    with call_budget() as spent:
        await service.transport.download("/file.csv", file)
    assert file.getvalue() == b"a,b\n1,2\n"
    assert (spent.requests, spent.retries) == (3, 2)


async def test_a_file_that_keeps_coming_takes_the_time_that_it_takes() -> None:
    service = Service(pieces(*[b"x"] * 20, every=10))
    file = io.BytesIO()
    with call_budget() as spent:
        await service.transport.download("/file.csv", file)
        assert spent.left > CALL_SECONDS - 2
    assert len(file.getvalue()) == 20
    without_end = Service(pieces(*[b"x"] * 100, every=10))
    started = anyio.current_time()
    error = await error_of(lambda: without_end.transport.download("/file.csv", file))
    assert isinstance(error, Unreachable)
    assert anyio.current_time() - started <= DOWNLOAD_SECONDS


@pytest.mark.parametrize("stays_away", [hanging, pieces(b"half", every=1)])
async def test_a_file_that_stays_away_is_waited_for_less_than_a_calls_time(
    stays_away: Application,
) -> None:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await stays_away(scope, receive, send)
        await anyio.sleep_forever()

    service = Service(slow(25), answer)
    started = anyio.current_time()
    with call_budget():
        await service.read()
        error = await error_of(lambda: service.transport.download("/file.csv", io.BytesIO()))
    assert isinstance(error, Unreachable)
    assert anyio.current_time() - started < CALL_SECONDS + 2
