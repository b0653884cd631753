from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest

from leadpipe_mcp.sandbox import SandboxSettings
from tests.faults.service import Fault, Sandbox

pytestmark = pytest.mark.anyio
ACCOUNT = "/v1/data/account"
AUDIENCES = "/v1/intent/audiences"
CONTROL = "/_sandbox/faults"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(SandboxSettings(people=300, examples=False))


@pytest.fixture
def client(sandbox: Sandbox) -> httpx.AsyncClient:
    return _connected(sandbox)


async def test_a_status_comes_with_its_error_and_wait(
    sandbox: Sandbox, client: httpx.AsyncClient
) -> None:
    fault = Fault("status", status=429, code="RATE_LIMITED", message="Slow down", retry_after=7)
    sandbox.faults.add(fault)
    response = await client.get(ACCOUNT)
    assert response.status_code == 429
    assert response.headers["Retry-After"] == "7"
    assert response.json() == {"error": {"code": "RATE_LIMITED", "message": "Slow down"}}
    assert sandbox.requests[-1].status == 429
    assert (await client.get(ACCOUNT)).status_code == 200


async def test_answers_can_be_useless(sandbox: Sandbox, client: httpx.AsyncClient) -> None:
    sandbox.faults.add(Fault("malformed"))
    response = await client.get(ACCOUNT)
    assert response.headers["Content-Type"] == "application/json"
    with pytest.raises(ValueError, match="Expecting"):
        response.json()
    sandbox.faults.add(Fault("empty"))
    response = await client.get(ACCOUNT)
    assert (response.status_code, response.content) == (200, b"")
    sandbox.faults.add(Fault("html", status=502))
    response = await client.get(ACCOUNT)
    assert response.status_code == 502
    assert response.headers["Content-Type"].startswith("text/html")
    sandbox.faults.add(Fault("wrong_shape"))
    assert (await client.get(ACCOUNT)).json() == {"data": {}}


async def test_a_cut_answer_is_half_of_the_right_one(
    sandbox: Sandbox, client: httpx.AsyncClient
) -> None:
    sandbox.faults.add(Fault("cut"))
    half = await client.get(ACCOUNT)
    whole = await client.get(ACCOUNT)
    assert half.headers["Content-Length"] == whole.headers["Content-Length"]
    assert half.content == whole.content[: len(whole.content) // 2]


async def test_a_reset_comes_before_or_after_the_work(
    sandbox: Sandbox, client: httpx.AsyncClient
) -> None:
    body = {"name": "Buyers", "config": {"topicIds": [117805]}}
    for fault, saved in ((Fault("reset"), 0), (Fault("reset_after"), 1)):
        sandbox.faults.add(fault)
        with pytest.raises(ConnectionResetError):
            await client.post(AUDIENCES, json=body)
        assert sandbox.requests[-1].status is None
        assert sandbox.requests[-1].body == body
        assert len((await client.get(AUDIENCES)).json()["data"]) == saved


async def test_a_refused_connection_leaves_nothing_done(
    sandbox: Sandbox, client: httpx.AsyncClient
) -> None:
    sandbox.faults.add(Fault("refused"))
    with pytest.raises(ConnectionRefusedError):
        await client.post(AUDIENCES, json={"name": "Buyers", "config": {"topicIds": [117805]}})
    assert (await client.get(AUDIENCES)).json()["data"] == []


async def test_a_redirect_leads_to_where_the_fault_says(
    sandbox: Sandbox, client: httpx.AsyncClient
) -> None:
    sandbox.faults.add(Fault("redirect", status=302, location="https://other.example/x"))
    sandbox.faults.add(Fault("redirect"))
    there, usual = [await client.get(ACCOUNT) for _ in range(2)]
    assert (there.status_code, there.headers["Location"]) == (302, "https://other.example/x")
    assert (usual.status_code, usual.headers["Location"]) == (307, "https://elsewhere.example/")


async def test_an_echo_repeats_what_it_was_sent(
    sandbox: Sandbox, client: httpx.AsyncClient
) -> None:
    sandbox.faults.add(Fault("echo", status=400, message="No"))
    response = await client.post(f"{AUDIENCES}?asked=yes", json={"name": "ann@acme.example"})
    assert response.status_code == 400
    said = response.json()["error"]["message"]
    for sent in ("No: POST", "asked=yes", "x-api-key: sk_test", "ann@acme.example"):
        assert sent in said
    assert (await client.get(AUDIENCES)).json()["data"] == []


async def test_a_hanging_service_never_answers(sandbox: Sandbox, client: httpx.AsyncClient) -> None:
    sandbox.faults.add(Fault("hang"))
    with anyio.move_on_after(0.05) as waiting:
        await client.get(ACCOUNT)
    assert waiting.cancelled_caught
    assert sandbox.requests[-1].status is None


async def test_a_huge_answer_comes_in_pieces_as_long_as_somebody_reads(sandbox: Sandbox) -> None:
    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": ACCOUNT, "query_string": b""}
    scope["headers"] = []
    lengths: list[int] = []
    most = 1_000_000_000

    async def receive() -> Any:  # noqa: ANN401 -- as ASGI has it
        await anyio.lowlevel.checkpoint()
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:  # noqa: ANN401 -- as ASGI has it
        lengths.append(len(message.get("body", b"")))
        if sum(lengths) > most:
            raise EOFError

    sandbox.faults.add(Fault("huge", times=2))
    await sandbox(scope, receive, send)
    assert sum(lengths) > 90_000_000
    assert max(lengths) < 100_000
    lengths.clear()
    most = 1_000_000
    with pytest.raises(EOFError):
        await sandbox(scope, receive, send)
    assert sum(lengths) < 2_000_000


async def test_a_delay_keeps_the_answer_right(sandbox: Sandbox, client: httpx.AsyncClient) -> None:
    sandbox.faults.add(Fault("delay", delay_ms=1))
    assert (await client.get(ACCOUNT)).status_code == 200


async def test_a_fault_strikes_where_and_as_often_as_it_says(
    sandbox: Sandbox, client: httpx.AsyncClient
) -> None:
    sandbox.faults.add(Fault("status", method="GET", path="/audiences", times=2, every=2))
    statuses = [(await client.get(AUDIENCES)).status_code for _ in range(6)]
    assert statuses == [200, 500, 200, 500, 200, 200]
    sandbox.faults.add(Fault("status", method="GET", path="/audiences", times=None, status=503))
    assert (await client.get(ACCOUNT)).status_code == 200
    assert (await client.post(AUDIENCES)).status_code == 400
    assert {(await client.get(AUDIENCES)).status_code for _ in range(5)} == {503}
    sandbox.faults.clear()
    assert (await client.get(AUDIENCES)).status_code == 200
    sandbox.faults.add(Fault("status", path_end="/audiences", times=None, status=503))
    assert (await client.get(f"{AUDIENCES}/filters")).status_code == 200
    assert (await client.get(AUDIENCES)).status_code == 503


async def test_faults_can_be_set_over_http_without_a_key(
    sandbox: Sandbox, client: httpx.AsyncClient
) -> None:
    del client.headers["X-API-Key"]
    body = {"kind": "status", "path": "/account", "status": 418, "retry_after": "soon"}
    response = await client.post(CONTROL, json=body)
    assert response.status_code == 201
    assert (await client.get(ACCOUNT)).status_code == 418
    listed = (await client.get(CONTROL)).json()["data"]
    assert listed[0]["status"] == 418
    assert (listed[0]["met"], listed[0]["happened"]) == (1, 1)
    assert (await client.delete(CONTROL)).json()["data"] == []
    assert (await client.get(ACCOUNT)).status_code == 401
    assert [request.path for request in sandbox.requests] == [ACCOUNT, ACCOUNT]


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({"kind": "explode"}, "kind is one of"),
        ({}, "kind is one of"),
        ({"kind": "status", "sttus": 1}, "unknown fields: sttus"),
        ([], "a fault is a JSON object"),
    ],
)
async def test_a_senseless_fault_is_refused(
    body: object, complaint: str, client: httpx.AsyncClient
) -> None:
    response = await client.post(CONTROL, json=body)
    assert response.status_code == 400
    assert complaint in response.json()["error"]["message"]
    assert (await client.get(CONTROL)).json()["data"] == []


def _connected(sandbox: Sandbox) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=sandbox),
        base_url="http://sandbox.test",
        headers={"X-API-Key": "sk_test"},
    )
