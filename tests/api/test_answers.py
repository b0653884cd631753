"""What the answer to a request means, and which of them are none."""

import gzip
import io
import json
import tracemalloc
from collections.abc import Callable

import httpx
import pytest
from starlette.responses import HTMLResponse, Response
from starlette.types import Message, Receive, Scope, Send

from leadpipe_mcp import errors
from leadpipe_mcp.api.transport import Transport
from leadpipe_mcp.errors import LOOK_FIRST
from tests.api.answering import KEY, failing, refusal, to

pytestmark = pytest.mark.anyio
CREDITS = {"message": "You have used up your credits"}


@pytest.mark.parametrize(
    ("kind", "status", "error"),
    [
        *((errors.RequestRefused, status, {}) for status in (400, 418, 422)),
        (errors.KeyRefused, 401, {}),
        *((errors.OutOfCredits, status, CREDITS) for status in (402, 403, 429)),
        (errors.Forbidden, 403, {}),
        (errors.Forbidden, 403, {"message": "Your organization does not allow this"}),
        (errors.OrganizationInactive, 403, {"message": "This organisation is inactive"}),
        (errors.SlotsFull, 403, {"code": "SLOTS_FULL", "message": "All slots are in use"}),
        (errors.SlotsFull, 409, "SLOTS_FULL"),
        (errors.NotFound, 404, {}),
        (errors.Conflict, 409, {}),
        (errors.TooManyRequests, 429, {}),
        *((errors.ServiceDown, status, {}) for status in (408, 500, 502, 503, 504)),
    ],
)
async def test_every_refusal_has_its_kind_and_its_advice(
    kind: type[errors.ServiceError], status: int, error: object
) -> None:
    transport = to(failing(status, {"error": error}))
    refused = await refusal(transport, path="/v1/intent/audiences/x")
    assert (type(refused), refused.status) == (kind, status)
    assert refused.retryable is (kind in {errors.TooManyRequests, errors.ServiceDown})
    assert f"status {status}" in refused.problem
    assert refused.advice.startswith(kind.what_next)
    assert str(refused) == f"{refused.problem} {refused.advice}"


ISSUES = (
    {"path": ["a", 0], "message": "Not a number"},
    {"path": "name", "message": "Required"},
    "Too long",
    {"path": ["never"], "message": "Never shown"},
)


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ({"error": {"code": "BAD", "message": "No such day"}}, "BAD", " BAD: No such day."),
        ({"error": {"code": "HTTP_ERROR", "message": "No"}}, None, ": No."),
        ({"error": {"name": "ZodError", "message": "No"}}, "ZodError", " ZodError: No."),
        ({"code": "BAD", "message": "No"}, "BAD", " BAD: No."),
        ({"error": "No such day"}, None, ": No such day."),
        ({"detail": "No such day"}, None, ": No such day."),
        ({"error": {"code": 7, "message": ["No"]}}, None, "."),
        ({"error": {"errors": [{"message": 1}, {}, None]}}, None, "."),
        ([], None, "."),
        ({"error": {"issues": ISSUES}}, None, ": a.0: Not a number; name: Required; Too long."),
    ],
)
async def test_what_the_service_says_is_found_wherever_it_stands(
    body: object, code: str | None, said: str
) -> None:
    error = await refusal(failing(400, body))
    assert (error.code, error.problem) == (code, f"The service refused with status 400{said}")


async def test_an_error_holds_nothing_that_is_not_for_others() -> None:
    message = (
        "Key sk_live_abc.def/+= of jane.doe@acme.com failed at https://10.0.0.7:9000/internal?x=1"
        f" \u202e\u200bnow\n\tthen {'long ' * 100}"
    )
    body = {"error": {"code": "sk_other\u200b" + "X" * 100, "message": message}}
    for status in (400, 500):
        error = await refusal(failing(status, body))
        for secret in ("sk_live", "def/", "jane", "acme", "10.0.0.7", "sk_other", "\u202e", "\n"):
            assert secret not in str(error) + str(error.code)
        assert "Key [key] of [email] failed at [address] now then long" in error.problem
        assert len(error.problem) < 300
    page = HTMLResponse("<h1>Bad gateway sk_live_1</h1>", 502)
    assert (await refusal(page)).problem == "The service failed with status 502."


@pytest.mark.parametrize(
    "body",
    [
        rb'{"data": {"name": "\u0073k_test_0123456789", "list": ["a sk_test_01\u00323456789"]}}',
        rb'{"data": {"sk_test_0123456789": 1, "\u0073k\u005ftest_0123456789": [{"x": 1}]}}',
        '{"data": "sk_test_0123456789"}'.encode("utf-16"),
    ],
)
async def test_a_key_that_an_answer_repeats_is_taken_out_however_it_is_written(
    body: bytes,
) -> None:
    answer = await to(Response(body, headers={"X-Request-Id": KEY})).request("GET", "/")
    assert KEY not in f"{answer}"
    assert "[key]" in f"{answer.data}"
    error = await refusal(Response(body.replace(b"data", b"error"), 400))
    assert KEY not in f"{error}{error.__dict__}"


DATE = "Fri, 31 Dec 2099 23:59:59 GMT"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        *((" 30 ", 30), ("0", 0), ("1795854000", 3_600), ("9" * 400, 3_600), (DATE, 3_600)),
        *(("Wed, 21 Oct 2015 07:28:00 GMT", 0), ("Sat, 01 Jan 0001 00:00:00 +2359", 0)),
        *(("Wed, 21 Oct 2015 07:28:00 +999999999999", None), ("soon", None), ("1.5", None)),
        *(("²", None), ("", None), ("-5", None), ("nan", None)),
    ],
)
async def test_the_wait_that_a_service_asks_for_is_handed_on_an_hour_at_most(
    header: str, seconds: int | None
) -> None:
    wait = "in a minute" if seconds is None else f"in {seconds} seconds"
    for status in (429, 503):
        error = await refusal(failing(status, {}, Retry_After=header))
        assert error.retry_after == seconds
        assert f"Try again {wait}." in error.advice


@pytest.mark.parametrize(
    ("content", "lacking"),
    [
        (b" \n", "the answer is empty"),
        *(
            (odd, "the answer is not complete JSON")
            for odd in (b"surprise", b'{"data": [{"id": ', b"\xff\xfe\xfa", b"null", b"[" * 100_000)
        ),
        (b" \n<html>", "a web page came instead of JSON"),
        *((odd, "the answer has no 'data'") for odd in (b"[]", b'"data"', b'{"results": []}')),
    ],
)
async def test_a_success_without_an_answer_is_no_success(content: bytes, lacking: str) -> None:
    error = await refusal(Response(content, 201, {"X-Request-Id": "req_1"}), "POST")
    assert (type(error), error.status, error.request_id) == (errors.UnusableAnswer, 201, "req_1")
    assert error.problem == f"The service answered with status 201, but {lacking}."
    assert (error.retryable, error.advice) == (True, LOOK_FIRST)


@pytest.mark.parametrize(
    ("lost", "said"),
    [
        *((kind, "took too long to answer") for kind in (httpx.ReadTimeout, httpx.WriteTimeout)),
        *((kind, "nothing was sent") for kind in (httpx.ConnectTimeout, httpx.ConnectError)),
        *((kind, "was lost before") for kind in (httpx.RemoteProtocolError, BrokenPipeError)),
    ],
)
async def test_whatever_goes_wrong_on_the_way_is_one_of_our_errors(
    lost: Callable[[str], Exception], said: str
) -> None:
    async def service(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise lost("secret.internal")

    error = await refusal(service, "POST")
    assert type(error) is errors.Unreachable
    assert said in error.problem
    assert "secret" not in str(error)
    usual = "Try again in a minute; if it still fails, check the network and LEADPIPE_BASE_URL."
    assert error.advice == (usual if said == "nothing was sent" else LOOK_FIRST)
    assert (await refusal(service)).advice == usual


def coded(body: bytes, coding: str = "gzip", status: int = 200) -> Transport:
    return to(Response(body, status, {"Content-Encoding": coding}))


# The length of LONG is a multiple of no piece in which answers are unpacked, that of EXACT of two.
SHORT, LONG, EXACT = (json.dumps({"data": "x" * n}).encode() for n in (1, 300_000, 131_060))


async def test_a_compressed_answer_is_read_if_it_comes_as_asked_for() -> None:
    for body in (SHORT, LONG, EXACT):
        for coding, sent in (("GZIP ", gzip.compress(body)), ("identity", body)):
            answer = await coded(sent, coding).request("GET", "/")
            assert answer.data == json.loads(body)["data"]
    error = gzip.compress(b'{"error": {"message": "No such day"}}')
    assert "No such day" in (await refusal(coded(error, status=400))).problem
    assert (await refusal(coded(b"", status=502))).status == 502
    for coding in ("gzip, gzip", "br"):
        error = await refusal(coded(gzip.compress(SHORT), coding))
        assert type(error) is errors.NeverUsable
        assert f"compressed as '{coding}', which was not asked for" in error.problem


async def test_a_compressed_answer_that_is_not_whole_is_no_answer() -> None:
    short, long = gzip.compress(SHORT), gzip.compress(LONG)
    for body, why in (
        (long[:-9], "breaks off"),
        (long[:-8] + bytes(8), "is broken"),
        (SHORT, "is broken"),
        (short * 2, "goes on after its end"),
    ):
        error = await refusal(coded(body))
        assert error.problem == f"The service's compressed answer {why}."
        assert error.retryable
        assert (await refusal(coded(body), "POST")).advice == LOOK_FIRST


async def test_a_small_answer_that_stands_for_gigabytes_takes_little_memory() -> None:
    transport = coded(gzip.compress(bytes(64 * 2**20), 1))
    file = io.BytesIO()
    tracemalloc.start()
    try:
        with pytest.raises(errors.NeverUsable, match="far longer than any answer should be"):
            await transport.download("/file.csv", file, most_bytes=2**20)
        assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
    finally:
        tracemalloc.stop()
    assert len(file.getvalue()) <= 2**20
    assert type(await refusal(transport)) is errors.NeverUsable


async def test_an_error_that_is_kept_holds_nothing_of_a_long_answer() -> None:
    async def service(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(2**10):
            await send({"type": "http.response.body", "body": bytes(2**16), "more_body": True})
        raise ConnectionResetError

    tracemalloc.start()
    try:
        kept = await refusal(service)
        assert tracemalloc.get_traced_memory()[0] < 2**19
    finally:
        tracemalloc.stop()
    assert kept.__traceback__


async def test_bytes_that_stand_for_nothing_are_not_read_without_end() -> None:
    # Empty blocks: the first opens the stream, the others may follow without end.
    opening = gzip.compress(b"", mtime=0)[:10]
    nothing: Message = {"type": "http.response.body", "body": b"\0\0\0\xff\xff" * 2**20}

    async def service(_scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [(b"content-encoding", b"gzip")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({**nothing, "body": opening, "more_body": True})
        while True:
            await send({**nothing, "more_body": True})

    assert "far longer" in (await refusal(service)).problem
