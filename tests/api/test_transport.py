import gzip
import io
import json
import tracemalloc
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import anyio
import httpx
import pytest
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from leadpipe_mcp.api.addresses import names_a_thing
from leadpipe_mcp.api.in_process import Application, serve_in_process
from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.transport import Transport
from leadpipe_mcp.errors import (
    LOOK_FIRST,
    NOT_OFFERED,
    Conflict,
    Forbidden,
    KeyRefused,
    NeverUsable,
    NotConfigured,
    NotFound,
    NotPossible,
    OrganizationInactive,
    OutOfCredits,
    RequestRefused,
    ServiceDown,
    ServiceError,
    SlotsFull,
    TooManyRequests,
    Unreachable,
    UnusableAnswer,
    WrongAddress,
)
from leadpipe_mcp.sandbox.app import ENDPOINTS
from tests.faults.service import Fault, FaultKind, Sandbox

pytestmark = pytest.mark.anyio
Start = Callable[..., Sandbox]
Connect = Callable[..., LeadpipeClient]
KEY = SecretStr("sk_test_0123456789")
URL = "https://service.test"
UNKNOWN_ID = "6fb81599-f601-4afe-b3ff-e8a211cae27d"


def to(application: Application, url: str = URL) -> Transport:
    return Transport(url, KEY, network=serve_in_process(application))


def failing(status: int, body: object, **headers: str) -> Transport:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return to(JSONResponse(body, status, named))


async def refusal(transport: Transport, method: str = "GET") -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        await transport.request(method, "/v1/data/account")
    return caught.value


def answering(path: str, otherwise: Response) -> Transport:
    """A service that answers one path as it should, and all others in the same way."""

    async def service(scope: Scope, receive: Receive, send: Send) -> None:
        fine = scope["path"] == path
        await (JSONResponse({"data": []}) if fine else otherwise)(scope, receive, send)

    return to(service)


MISSING = JSONResponse({"error": {"message": "Not Found"}}, 404)
MISSING_PAGE = HTMLResponse("<pre>Cannot GET /v1/x</pre>", 404)


async def missing(transport: Transport, path: str) -> NotFound:
    with pytest.raises(NotFound) as caught:
        await transport.request("GET", path)
    return caught.value


async def test_where_not_even_a_list_is_found_the_address_is_said_to_be_wrong() -> None:
    for path in ("/v1/intent/audiences", "/v1/accounts", "/v1/intent/topics/facets", "/v1/data"):
        error = await missing(to(MISSING), path)
        assert type(error) is WrongAddress
        assert str(error) == (
            "The service refused with status 404: Not Found. The address of the service looks"
            " wrong: check LEADPIPE_BASE_URL, its host and its path, then restart the server."
        )


@pytest.mark.parametrize("path", ["/v1/intent/audiences", f"/v1/intent/audiences/{UNKNOWN_ID}"])
async def test_a_page_that_says_not_found_is_not_about_an_id(path: str) -> None:
    assert type(await missing(to(MISSING_PAGE), path)) is WrongAddress


async def test_an_id_is_not_found_where_lists_are() -> None:
    transport = answering("/v1/intent/audiences", MISSING)
    error = await missing(transport, f"/v1/intent/audiences/{UNKNOWN_ID}")
    assert error.advice == (f"{NotFound.what_next} If the id is right, check LEADPIPE_BASE_URL.")
    await transport.request("GET", "/v1/intent/audiences")
    error = await missing(transport, f"/v1/intent/audiences/{UNKNOWN_ID}")
    assert (type(error), error.advice) == (NotFound, NotFound.what_next)


async def test_a_route_that_is_missing_is_not_about_an_id() -> None:
    transport = answering("/v1/intent/audiences", MISSING)
    await transport.request("GET", "/v1/intent/audiences")
    error = await missing(transport, "/v1/intent/topics/movers")
    assert (type(error), error.advice) == (NotFound, NOT_OFFERED)


def test_every_route_of_the_services_is_known_to_be_about_a_thing_or_not() -> None:
    paths = {endpoint.path for endpoints in ENDPOINTS.values() for endpoint in endpoints}
    for path in {*paths, "/v1/accounts", "/v1/accounts/{group}/audiences"}:
        assert names_a_thing(path) == ("{" in path), path


async def test_a_path_in_the_base_url_stays_in_front_of_every_path() -> None:
    asked: list[str] = []

    async def service(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(f"{scope['headers'][0][1].decode()}{scope['path']}")
        await JSONResponse({"data": []})(scope, receive, send)

    for url in ("https://gate.test/leadpipe", "https://gate.test/leadpipe/", "https://gate.test"):
        await to(service, url).request("GET", "/v1/intent/audiences")
    assert asked == [
        "gate.test/leadpipe/v1/intent/audiences",
        "gate.test/leadpipe/v1/intent/audiences",
        "gate.test/v1/intent/audiences",
    ]


@pytest.mark.parametrize(
    "url",
    [
        "https://api.aws53.cloud",
        "https://api.example.com:8443/prefix",
        "http://localhost:8000",
        "http://LOCALHOST",
        "http://127.0.0.1:1",
        "http://127.8.9.10",
        "http://[::1]:8000",
    ],
)
def test_a_key_may_go_over_https_or_to_this_machine(url: str) -> None:
    Transport(url, KEY)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://api.aws53.cloud", "must start with https"),
        ("http://localhost.example.com", "must start with https"),
        ("http://127.0.0.1.example.com", "must start with https"),
        ("http://192.168.0.1", "must start with https"),
        ("ftp://localhost", "must be an address like"),
        ("api.aws53.cloud", "must be an address like"),
        ("https://", "must be an address like"),
        ("https://[::1", "must be an address like"),
        ("https://host:port", "must be an address like"),
        ("https://host:0", "must be an address like"),
        ("https://host:70000", "must be an address like"),
        ("https://a host", "must be an address like"),
        ("https://host\x7f", "must be an address like"),
        ("https://user@host", "without user"),
        ("https://user:secret@host", "without user"),
        ("https://@host", "without user"),
        ("https://host/?x=1", "without user"),
        ("https://host?", "without user"),
        ("https://host#", "without user"),
        ("https://host/#part", "without user"),
    ],
)
def test_a_key_goes_nowhere_else(url: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as caught:
        Transport(url, KEY)
    assert "secret" not in str(caught.value)


async def test_a_redirect_is_not_followed_and_said() -> None:
    hosts: list[str] = []

    async def service(scope: Scope, receive: Receive, send: Send) -> None:
        hosts.append(Request(scope).url.hostname or "")
        redirect = RedirectResponse("https://elsewhere.test/v1/data/account?token=abc", 307)
        await redirect(scope, receive, send)

    error = await refusal(to(service))
    assert hosts == ["service.test"]
    assert isinstance(error, UnusableAnswer)
    assert error.status == 307
    assert str(error) == (
        "The service answered with a redirect (status 307), which is not followed."
        " Check LEADPIPE_BASE_URL."
    )


async def test_a_request_takes_no_longer_than_its_deadline(start: Start) -> None:
    sandbox = start(delay_ms=60_000)
    transport = Transport(URL, KEY, network=serve_in_process(sandbox), total_seconds=0.05)
    with anyio.fail_after(5):
        error = await refusal(transport)
    assert isinstance(error, Unreachable)
    assert error.retryable
    assert error.problem == "The service did not answer in the time that there was."
    assert "Try again in a minute" in error.advice


async def test_after_a_deadline_a_write_is_not_simply_repeated(start: Start) -> None:
    transport = Transport(
        URL, KEY, network=serve_in_process(start(delay_ms=60_000)), total_seconds=0.5
    )
    with anyio.fail_after(5):
        for method in ("POST", "PATCH", "DELETE"):
            error = await refusal(transport, method)
            assert error.advice.endswith("is unknown: look before trying again.")
        with pytest.raises(Unreachable, match="Try again in a minute"):
            await transport.request("POST", "/v1/intent/audiences/preview", repeatable=True)


STATUSES: list[tuple[int, type[ServiceError], bool]] = [
    (400, RequestRefused, False),
    (401, KeyRefused, False),
    (402, OutOfCredits, False),
    (403, Forbidden, False),
    (404, NotFound, False),
    (409, Conflict, False),
    (418, RequestRefused, False),
    (422, RequestRefused, False),
    (429, TooManyRequests, True),
    (500, ServiceDown, True),
    (502, ServiceDown, True),
    (503, ServiceDown, True),
    (504, ServiceDown, True),
    (408, ServiceDown, True),
]


@pytest.mark.parametrize(("status", "kind", "retryable"), STATUSES)
async def test_every_status_has_its_error(
    status: int, kind: type[ServiceError], *, retryable: bool, start: Start
) -> None:
    sandbox = start()
    sandbox.faults.add(
        Fault("status", times=3, status=status, code="WHY_NOT", message="Not today.")
    )
    transport = to(sandbox)
    with pytest.raises(ServiceError) as caught:
        await transport.request("GET", f"/v1/intent/audiences/{UNKNOWN_ID}")
    error = caught.value
    assert type(error) is kind
    assert (error.status, error.code, error.retryable) == (status, "WHY_NOT", retryable)
    assert f"status {status}" in error.problem
    assert error.problem.endswith(": Not today.")
    assert error.advice
    assert str(error) == f"{error.problem} {error.advice}"


async def test_after_a_failure_a_write_is_not_simply_repeated() -> None:
    error = await refusal(failing(500, {}), "POST")
    assert str(error) == (
        "The service failed with status 500."
        " Whether the service did what was asked is unknown: look before trying again."
    )
    assert (await refusal(failing(500, {}))).advice == ServiceDown.what_next


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ({"error": {"code": "BAD", "message": "No such day"}}, "BAD", " BAD: No such day."),
        ({"error": {"code": "HTTP_ERROR", "message": "No"}}, None, ": No."),
        ({"error": {"name": "ZodError", "message": "No"}}, "ZodError", " ZodError: No."),
        ({"code": "BAD", "message": "No"}, "BAD", " BAD: No."),
        ({"error": "No such day"}, None, ": No such day."),
        ({"detail": "No such day"}, None, ": No such day."),
        ({"title": "No such day"}, None, ": No such day."),
        ({"error": {"code": 7, "message": ["No"]}}, None, "."),
        ({}, None, "."),
        ([], None, "."),
        ("No", None, "."),
    ],
)
async def test_what_the_service_says_is_found_wherever_it_stands(
    body: object, code: str | None, said: str
) -> None:
    error = await refusal(failing(400, body))
    assert error.code == code
    assert error.problem == f"The service refused with status 400{said}"


async def test_what_is_wrong_with_a_request_is_named() -> None:
    issues: list[object] = [
        {"path": ["config", "topicIds", 0], "message": "Expected number"},
        {"path": "name", "message": "Required"},
        "Too long",
        {"path": ["never"], "message": "Never shown"},
    ]
    body = {"error": {"code": "ZodError", "message": "Validation failed", "issues": issues}}
    error = await refusal(failing(400, body))
    assert error.problem == (
        "The service refused with status 400 ZodError: Validation failed:"
        " config.topicIds.0: Expected number; name: Required; Too long."
    )
    error = await refusal(failing(400, {"error": {"errors": [{"message": 1}, {}, None]}}))
    assert error.problem == "The service refused with status 400."


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


@pytest.mark.parametrize(
    "body",
    [
        rb'{"data": {"name": "\u0073k_test_0123456789", "list": ["a sk_test_01\u00323456789"]}}',
        rb'{"data": {"sk_test_0123456789": 1, "\u0073k\u005ftest_0123456789": [{"x": 1}]}}',
        '{"data": "sk_test_0123456789"}'.encode("utf-16"),
        '{"data": "sk_test_0123456789"}'.encode("utf-32-le"),
    ],
)
async def test_a_key_that_an_answer_repeats_is_taken_out_however_it_is_written(
    body: bytes,
) -> None:
    answer = await to(Response(body, headers={"X-Request-Id": "sk_test_0123456789"})).request(
        "GET", "/"
    )
    assert KEY.get_secret_value() not in f"{answer}"
    assert "[key]" in f"{answer.data}"
    error = await refusal(to(Response(body.replace(b"data", b"error"), 400)))
    assert KEY.get_secret_value() not in f"{error}{error.__dict__}"


def coded(body: bytes, coding: str, status: int = 200) -> Transport:
    return to(Response(body, status, {"Content-Encoding": coding}))


def raw_deflated(body: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(body) + stream.flush()


# Its decoded length is a multiple of no piece, and of several.
LONG = json.dumps({"data": "x" * 300_000}).encode()
EXACT = json.dumps({"data": "x" * (2 * 65_536 - 12)}).encode()


@pytest.mark.parametrize("body", [b'{"data": "fine"}', LONG, EXACT], ids=["short", "long", "exact"])
@pytest.mark.parametrize(
    ("coding", "encode"),
    [
        ("gzip", gzip.compress),
        ("GZIP ", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", raw_deflated),
        ("identity", bytes),
        ("", bytes),
    ],
)
async def test_a_compressed_answer_is_read(
    body: bytes, coding: str, encode: Callable[[bytes], bytes]
) -> None:
    answer = await coded(encode(body), coding).request("GET", "/")
    assert answer.data == json.loads(body)["data"]


@pytest.mark.parametrize("coding", ["gzip, gzip", "gzip,br", "br", "zstd", "identity, gzip", "x"])
async def test_a_coding_that_was_not_asked_for_is_refused(coding: str) -> None:
    error = await refusal(coded(gzip.compress(gzip.compress(b'{"data": 1}')), coding))
    assert isinstance(error, NeverUsable)
    assert f"compressed as '{coding}', which was not asked for" in error.problem


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (gzip.compress(LONG, mtime=0)[:-9], "breaks off"),
        (gzip.compress(LONG, mtime=0)[:5], "breaks off"),
        (gzip.compress(LONG, mtime=0)[:-8] + bytes(8), "is broken"),
        (b'{"data": 1}', "is broken"),
        (gzip.compress(b'{"data": 1}', mtime=0) + b"more", "goes on after its end"),
        (gzip.compress(b'{"data": 1}', mtime=0) * 2, "goes on after its end"),
    ],
)
async def test_a_compressed_answer_that_is_not_whole_is_no_answer(body: bytes, why: str) -> None:
    error = await refusal(coded(body, "gzip"))
    assert error.problem == f"The service's compressed answer {why}."
    assert error.retryable
    assert (await refusal(coded(body, "gzip"), "POST")).advice == LOOK_FIRST


async def test_an_error_may_be_compressed_too() -> None:
    body = gzip.compress(b'{"error": {"message": "No such day"}}')
    assert "No such day" in (await refusal(coded(body, "gzip", 400))).problem
    assert (await refusal(coded(b"", "gzip", 502))).status == 502


async def test_a_small_answer_that_stands_for_gigabytes_takes_little_memory() -> None:
    transport = coded(gzip.compress(bytes(64 * 2**20), 1), "gzip")
    file = io.BytesIO()
    tracemalloc.start()
    try:
        with pytest.raises(NeverUsable, match="far longer than any answer should be"):
            await transport.download("/file.csv", file, most_bytes=2**20)
        assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
        with pytest.raises(NeverUsable, match="far longer than any answer should be"):
            await transport.request("GET", "/")
    finally:
        tracemalloc.stop()
    assert len(file.getvalue()) <= 2**20


@pytest.mark.parametrize("most", [2**20, 2**26])
async def test_an_error_that_is_kept_holds_nothing_of_a_long_answer(most: int) -> None:
    async def service(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(most // 2**16):
            await send({"type": "http.response.body", "body": bytes(2**16), "more_body": True})
        raise ConnectionResetError

    transport = to(service)
    tracemalloc.start()
    try:
        with pytest.raises((NeverUsable, Unreachable)) as kept:
            await transport.request("GET", "/")
        assert tracemalloc.get_traced_memory()[0] < 2**19
    finally:
        tracemalloc.stop()
    assert kept.value.__traceback__


async def test_codes_that_stand_for_nothing_are_not_read_without_end() -> None:
    stream = zlib.compressobj()
    empty = stream.compress(b"") + stream.flush(zlib.Z_SYNC_FLUSH)
    nothing = b"\0\0\0\xff\xff" * 2**20

    async def service(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-encoding", b"deflate")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": empty, "more_body": True})
        while True:
            await send({"type": "http.response.body", "body": nothing, "more_body": True})

    with pytest.raises(NeverUsable, match="far longer"):
        await to(service).request("GET", "/")


async def test_a_page_of_a_proxy_is_not_quoted() -> None:
    page = HTMLResponse("<h1>Bad gateway sk_live_1</h1>", 502)
    assert (await refusal(to(page))).problem == "The service failed with status 502."


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"error": {"code": "SLOTS_FULL", "message": "All slots are in use"}}, SlotsFull),
        ({"error": "SLOTS_FULL"}, SlotsFull),
        ({"error": {"message": "Organization is expired"}}, OrganizationInactive),
        ({"error": {"message": "This organisation is inactive"}}, OrganizationInactive),
        ({"error": {"message": "Your organization does not allow this"}}, Forbidden),
        ({"error": {"message": "The link is expired"}}, Forbidden),
        ({}, Forbidden),
    ],
)
async def test_what_is_forbidden_says_what_can_be_done(body: object, kind: type[Forbidden]) -> None:
    error = await refusal(failing(403, body))
    assert type(error) is kind
    assert error.advice == kind.what_next
    assert not error.retryable


async def test_an_expired_organization_is_told_from_a_bad_key(
    start: Start, connect: Connect
) -> None:
    with pytest.raises(OrganizationInactive, match="the key itself is fine"):
        await connect(start(), key="sk_expired").audiences.list()
    with pytest.raises(KeyRefused, match="Invalid API key"):
        await connect(start(), key="junk").audiences.list()


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7), (" 30 ", 30), ("0", 0), ("soon", None), ("1.5", None), ("²", None), ("", None)],
)
async def test_the_wait_that_the_service_asks_for_is_passed_on(
    header: str, seconds: float | None
) -> None:
    error = await refusal(to(Response(b"{}", 429, {"Retry-After": header})))
    assert isinstance(error, TooManyRequests)
    assert error.retry_after == seconds
    wait = "in a minute" if seconds is None else f"in {seconds} seconds"
    assert error.advice == f"Try again {wait}."


async def test_the_wait_may_be_a_date() -> None:
    moment = datetime.now(UTC) + timedelta(seconds=100)
    for date in (
        format_datetime(moment, usegmt=True),
        format_datetime(moment.replace(tzinfo=None)),
    ):
        error = await refusal(failing(429, {}, Retry_After=date))
        assert isinstance(error, TooManyRequests)
        assert error.retry_after is not None
        assert 95 < error.retry_after <= 100
    past = await refusal(failing(429, {}, Retry_After="Wed, 21 Oct 2015 07:28:00 GMT"))
    assert isinstance(past, TooManyRequests)
    assert past.retry_after == 0


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("1795854000", 3_600),
        ("9" * 400, 3_600),
        ("Fri, 31 Dec 2099 23:59:59 GMT", 3_600),
        ("Fri, 31 Dec 9999 23:59:59 -2359", 3_600),
        ("Sat, 01 Jan 0001 00:00:00 +2359", 0),
        ("Wed, 21 Oct 2015 07:28:00 +999999999999", None),
        ("Wed, 21 Oct 99999 07:28:00 GMT", None),
        ("-5", None),
        ("nan", None),
        ("inf", None),
        ("1e9", None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
async def test_no_wait_is_longer_than_an_hour(
    header: str, seconds: float | None, status: int
) -> None:
    error = await refusal(failing(status, {}, Retry_After=header))
    assert error.retry_after == seconds
    assert f"Try again in {'a minute' if seconds is None else f'{seconds} seconds'}" in str(error)


async def test_a_wait_that_is_not_named_is_a_minute() -> None:
    error = await refusal(failing(429, {}))
    assert isinstance(error, TooManyRequests)
    assert (error.retry_after, error.advice) == (None, "Try again in a minute.")


@pytest.mark.parametrize(
    ("content", "lacking"),
    [
        (b"", "the answer is empty"),
        (b" \n", "the answer is empty"),
        (b"surprise", "the answer is not complete JSON"),
        (b'{"data": [{"id": ', "the answer is not complete JSON"),
        (b"\xff\xfe\xfa", "the answer is not complete JSON"),
        (b"null", "the answer is not complete JSON"),
        (b"[" * 100_000, "the answer is not complete JSON"),
        (b"<!doctype html><title>Hello</title>", "a web page came instead of JSON"),
        (b" \n<html>", "a web page came instead of JSON"),
        (b"[]", "the answer has no 'data'"),
        (b'"data"', "the answer has no 'data'"),
        (b"{}", "the answer has no 'data'"),
        (b'{"results": []}', "the answer has no 'data'"),
    ],
)
async def test_a_success_without_an_answer_is_no_success(content: bytes, lacking: str) -> None:
    error = await refusal(to(Response(content, 201, {"X-Request-Id": "req_1"})), "POST")
    assert type(error) is UnusableAnswer
    assert (error.status, error.request_id, error.retryable) == (201, "req_1", True)
    assert error.problem == f"The service answered with status 201, but {lacking}."
    assert error.advice.endswith("look before trying again.")


@pytest.mark.parametrize("kind", ["malformed", "empty", "cut"])
async def test_an_answer_that_breaks_off_is_no_success(kind: FaultKind, start: Start) -> None:
    sandbox = start()
    sandbox.faults.add(Fault(kind, times=3))
    error = await refusal(to(sandbox))
    assert type(error) is (Unreachable if kind == "cut" else UnusableAnswer)
    assert error.status == (None if kind == "cut" else 200)


async def test_a_connection_may_be_lost_before_or_after_the_work(start: Start) -> None:
    for kind in ("reset", "reset_after"):
        sandbox = start()
        sandbox.faults.add(Fault(kind, times=None))
        error = await refusal(to(sandbox))
        assert type(error) is Unreachable
        assert error.status is None
        assert error.advice == Unreachable.what_next
        error = await refusal(to(sandbox), "DELETE")
        assert error.advice == LOOK_FIRST


@pytest.mark.parametrize(
    ("lost", "said"),
    [
        (httpx.ReadTimeout, "took too long to answer"),
        (httpx.WriteTimeout, "took too long to answer"),
        (httpx.ConnectTimeout, "nothing was sent"),
        (httpx.ConnectError, "nothing was sent"),
        (httpx.ReadError, "before its answer was complete"),
        (httpx.RemoteProtocolError, "before its answer was complete"),
        (BrokenPipeError, "before its answer was complete"),
    ],
)
async def test_whatever_goes_wrong_on_the_way_is_one_of_our_errors(
    lost: Callable[[str], Exception], said: str
) -> None:
    async def service(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise lost("secret.internal")

    error = await refusal(to(service), "POST")
    assert type(error) is Unreachable
    assert said in error.problem
    assert "secret" not in str(error)
    unclear = "nothing was sent" not in said
    assert error.advice == (LOOK_FIRST if unclear else Unreachable.what_next)
    assert (await refusal(to(service))).advice == Unreachable.what_next


async def test_the_envelope_comes_apart() -> None:
    headers = {"X-Request-Id": "req_1"}
    body = {"data": [1, 2], "meta": {"total": 2}}
    answer = await to(JSONResponse(body, 202, headers)).request("GET", "/")
    assert (answer.status, answer.data, answer.meta) == (202, [1, 2], {"total": 2})
    assert answer.request_id == "req_1"
    answer = await to(JSONResponse({"data": None, "meta": 1})).request("GET", "/")
    assert (answer.data, answer.meta) == (None, {})


async def test_without_a_key_nothing_is_sent(start: Start, connect: Connect) -> None:
    sandbox = start()
    client = connect(sandbox, key=None)
    for call in (client.account, client.audiences.list, client.configs.filters):
        with pytest.raises(NotConfigured, match="LEADPIPE_API_KEY"):
            await call()
    assert not sandbox.requests


async def test_without_a_key_public_routes_answer(start: Start, connect: Connect) -> None:
    sandbox = start()
    names = await connect(sandbox, key=None).topic_names((117805,))
    assert [topic.name for topic in names] == ["Marketing ROI"]
    assert sandbox.requests[-1].headers == {}


async def test_the_key_goes_into_its_header_and_nowhere_else() -> None:
    requests: list[Request] = []

    async def service(scope: Scope, receive: Receive, send: Send) -> None:
        requests.append(Request(scope))
        await JSONResponse({"data": []})(scope, receive, send)

    await to(service).request("GET", "/v1/x", query={"a": 1, "b": None, "c": "&d=ü"})
    (request,) = requests
    assert request.headers["X-API-Key"] == KEY.get_secret_value()
    assert "authorization" not in request.headers
    assert request.headers["User-Agent"].startswith("leadpipe-mcp/")
    assert request.headers["Accept"] == "application/json"
    assert request.headers["Accept-Encoding"] == "gzip, deflate"
    assert KEY.get_secret_value() not in str(request.url)
    assert dict(request.query_params) == {"a": "1", "c": "&d=ü"}


async def test_a_refused_key_is_not_repeated_in_the_error(start: Start, connect: Connect) -> None:
    sandbox = start()
    key = "sk_live_" + "k" * 56
    message = f"Key {key} is not known"
    sandbox.faults.add(Fault("status", status=401, message=message, times=None))
    with pytest.raises(KeyRefused) as caught:
        await connect(sandbox, key=key).account()
    assert caught.value.problem == "The service refused with status 401: Key [key] is not known."
    assert "kkk" not in f"{caught.value!r}{caught.value.__dict__}"


HOSTILE = [
    "",
    ".",
    "..",
    "../x",
    "a/b",
    "a\\b",
    "a%2Fb",
    "a?b",
    "a#b",
    "a b",
    "ä",
    "\ud800",
    f"{UNKNOWN_ID}\n",
]


@pytest.mark.parametrize("hostile", HOSTILE)
async def test_an_id_cannot_reach_another_route(
    hostile: str, start: Start, connect: Connect
) -> None:
    sandbox = start()
    client = connect(sandbox)
    calls: list[Callable[[], Any]] = [
        lambda: client.audiences.get(hostile),
        lambda: client.audiences.update(hostile, name="x"),
        lambda: client.audiences.delete(hostile),
        lambda: client.runs.list(hostile),
        lambda: client.runs.people(hostile, run_id=UNKNOWN_ID),
        lambda: client.runs.people(UNKNOWN_ID, run_id=hostile),
        lambda: client.runs.queue(hostile, "once"),
        lambda: client.runs.cancel(UNKNOWN_ID, hostile),
    ]
    for call in calls:
        with pytest.raises(NotPossible, match="cannot be an id: ids are of letters"):
            await call()
    assert not sandbox.requests


async def test_an_id_that_does_not_exist_is_asked_for_as_it_is(
    start: Start, connect: Connect
) -> None:
    sandbox = start()
    for unknown in (UNKNOWN_ID, "aud_1.2-x"):
        with pytest.raises(ServiceError):
            await connect(sandbox).audiences.get(unknown)
        assert sandbox.requests[-1].path == f"/v1/intent/audiences/{unknown}"


async def test_what_cannot_be_sent_is_refused(start: Start, connect: Connect) -> None:
    sandbox = start()
    client = connect(sandbox)
    with pytest.raises(NotPossible, match="holds half a character; nothing was sent"):
        await client.audiences.update(UNKNOWN_ID, name="half \ud83d")
    with pytest.raises(NotPossible, match="too long"):
        await client.runs.people(UNKNOWN_ID, cursor="x" * 70_000)
    assert not sandbox.requests


async def test_a_closed_transport_opens_again_when_needed(start: Start) -> None:
    transport = to(start())
    await transport.close()
    await transport.request("GET", "/v1/data/account")
    await transport.close()
    await transport.close()
    answer = await transport.request("GET", "/v1/data/account")
    assert answer.status == 200


async def test_a_body_is_sent_as_json(start: Start) -> None:
    sandbox = start()
    body = {"topicIds": [117805], "x": None}
    transport = to(sandbox)
    await transport.request("POST", "/v1/intent/topics/compare", body=body, idempotency_key="once")
    assert json.dumps(sandbox.requests[-1].body) == json.dumps(body)
    assert sandbox.requests[-1].headers["Idempotency-Key"] == "once"
