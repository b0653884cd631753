"""What fails on purpose fails as it says. That it does on a port, tests/api/test_port.py shows."""

import httpx
import pytest

from leadpipe_mcp.sandbox import SandboxSettings
from tests.faults.service import Fault, FaultKind, Sandbox

pytestmark = pytest.mark.anyio
ACCOUNT, AUDIENCES = "/v1/data/account", "/v1/intent/audiences"


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
        ("status", 500, '{"error":{"code":"HTTP_ERROR","message":"No"}}'),
        ("echo", 500, '{"error":{"code":"HTTP_ERROR","message":"No: GET http://sandbox.test/v1'),
        ("echo", 500, "x-api-key: sk_test"),
        ("malformed", 200, '{"data": [{"id": '),
        ("empty", 200, ""),
        ("wrong_shape", 200, '{"data":{}}'),
        ("html", 500, "<!doctype html><title>500</title><h1>500 No</h1>"),
        ("redirect", 302, ""),
    ],
)
async def test_an_answer_is_spoilt_and_the_next_is_not(
    kind: FaultKind, status: int, body: str, sandbox: Sandbox, client: httpx.AsyncClient
) -> None:
    sandbox.faults.add(Fault(kind, message="No", retry_after=7))
    response = await client.get(ACCOUNT)
    assert response.status_code == status == sandbox.requests[-1].status
    assert body in response.text if kind == "echo" else body == response.text
    assert response.headers.get("Retry-After") == ("7" if kind in {"status", "echo"} else None)
    assert (await client.get(ACCOUNT)).status_code == 200


async def test_a_fault_strikes_where_and_as_often_as_it_says(
    sandbox: Sandbox, client: httpx.AsyncClient
) -> None:
    sandbox.faults.add(Fault("status", method="GET", path="/audiences$", times=2, every=2))
    assert (await client.get(ACCOUNT)).status_code == 200
    assert (await client.get(f"{AUDIENCES}/filters")).status_code == 200
    assert (await client.post(AUDIENCES)).status_code == 400
    statuses = [(await client.get(AUDIENCES)).status_code for _ in range(6)]
    assert statuses == [200, 500, 200, 500, 200, 200]
    assert [fault["happened"] for fault in sandbox.faults.listed()] == [2]
    sandbox.faults.add(Fault("status", times=None))
    assert {(await client.get(AUDIENCES)).status_code for _ in range(5)} == {500}
    sandbox.faults.clear()
    assert (await client.get(AUDIENCES)).status_code == 200
