"""What fails on purpose fails as it says. That it does on a port, tests/api/test_port.py shows."""

import httpx
import pytest

from leadpipe_mcp.sandbox import SandboxSettings
from tests.faults.service import CONTROL_PATH, Fault, FaultKind, Sandbox

pytestmark = pytest.mark.anyio
ACCOUNT = "/v1/data/account"
AUDIENCES = "/v1/intent/audiences"
BUYERS = {"name": "Buyers", "config": {"topicIds": [117805]}}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(SandboxSettings(people=300, examples=False))


@pytest.fixture
def client(sandbox: Sandbox) -> httpx.AsyncClient:
    transport, headers = httpx.ASGITransport(app=sandbox), {"X-API-Key": "sk_test"}
    return httpx.AsyncClient(transport=transport, base_url="http://sandbox.test", headers=headers)


@pytest.mark.parametrize(
    ("kind", "status", "body"),
    [
        ("status", 500, b'{"error":{"code":"HTTP_ERROR","message":"No"}}'),
        ("malformed", 200, b'{"data": [{"id": '),
        ("empty", 200, b""),
        ("wrong_shape", 200, b'{"data":{}}'),
        ("html", 500, b"<!doctype html><title>500</title><h1>500 No</h1>"),
        ("redirect", 302, b""),
    ],
)
async def test_an_answer_is_spoilt_and_the_next_is_not(
    kind: FaultKind, status: int, body: bytes, sandbox: Sandbox, client: httpx.AsyncClient
) -> None:
    sandbox.faults.add(Fault(kind, message="No", retry_after=7))
    response = await client.get(ACCOUNT)
    assert (response.status_code, response.content) == (status, body)
    assert response.headers.get("Retry-After") == ("7" if kind == "status" else None)
    assert sandbox.requests[-1].status == status
    assert (await client.get(ACCOUNT)).status_code == 200


async def test_a_cut_answer_is_half_of_the_right_one_and_an_echo_repeats_what_it_was_sent(
    sandbox: Sandbox, client: httpx.AsyncClient
) -> None:
    sandbox.faults.add(Fault("cut"))
    half, whole = await client.get(ACCOUNT), await client.get(ACCOUNT)
    assert half.headers["Content-Length"] == whole.headers["Content-Length"]
    assert half.content == whole.content[: len(whole.content) // 2]
    sandbox.faults.add(Fault("echo", status=400, message="No"))
    response = await client.post(f"{AUDIENCES}?asked=yes", json={"name": "ann@acme.example"})
    assert response.status_code == 400
    said = response.json()["error"]["message"]
    for sent in ("No: POST", "asked=yes", "x-api-key: sk_test", "ann@acme.example"):
        assert sent in said


@pytest.mark.parametrize(
    ("kind", "lost", "saved"),
    [
        ("refused", ConnectionRefusedError, 0),
        ("reset", ConnectionResetError, 0),
        ("reset_after", ConnectionResetError, 1),
    ],
)
async def test_a_connection_is_lost_before_or_after_the_work(
    kind: FaultKind, lost: type[Exception], saved: int, sandbox: Sandbox, client: httpx.AsyncClient
) -> None:
    sandbox.faults.add(Fault(kind))
    with pytest.raises(lost):
        await client.post(AUDIENCES, json=BUYERS)
    assert (sandbox.requests[-1].status, sandbox.requests[-1].body) == (None, BUYERS)
    assert len((await client.get(AUDIENCES)).json()["data"]) == saved


async def test_a_fault_strikes_where_and_as_often_as_it_says(
    sandbox: Sandbox, client: httpx.AsyncClient
) -> None:
    sandbox.faults.add(Fault("status", method="GET", path="/audiences", times=2, every=2))
    statuses = [(await client.get(AUDIENCES)).status_code for _ in range(6)]
    assert statuses == [200, 500, 200, 500, 200, 200]
    assert [fault["happened"] for fault in sandbox.faults.listed()] == [2]
    sandbox.faults.add(Fault("status", method="GET", path="/audiences$", times=None))
    assert (await client.get(ACCOUNT)).status_code == 200
    assert (await client.get(f"{AUDIENCES}/filters")).status_code == 200
    assert (await client.post(AUDIENCES)).status_code == 400
    assert {(await client.get(AUDIENCES)).status_code for _ in range(5)} == {500}
    sandbox.faults.clear()
    assert (await client.get(AUDIENCES)).status_code == 200


async def test_faults_are_set_over_http_without_a_key(client: httpx.AsyncClient) -> None:
    del client.headers["X-API-Key"]
    await client.post(CONTROL_PATH, json={"kind": "status", "path": "/account", "status": 418})
    assert (await client.get(ACCOUNT)).status_code == 418
    (listed,) = (await client.get(CONTROL_PATH)).json()["data"]
    assert (listed["status"], listed["happened"]) == (418, 1)
    assert (await client.delete(CONTROL_PATH)).json()["data"] == []
    assert (await client.get(ACCOUNT)).status_code == 401
