"""On a real port. It takes a moment: a second Python has to start."""

import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pytest

ACCOUNT = "/v1/data/account"
CONTROL = "/_sandbox/faults"
SERVE = "from tests.faults.service import serve; serve()"


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    command = [sys.executable, "-c", SERVE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with httpx.Client(base_url=url, headers={"X-API-Key": "sk_test"}, timeout=10) as client:
            yield client
        process.send_signal(2)
        assert process.wait(timeout=10) == 0


def test_it_answers_on_loopback(client: httpx.Client) -> None:
    assert client.base_url.host == "127.0.0.1"
    assert client.get(ACCOUNT).json()["data"]["healthy"] is True
    assert client.post("/v1/intent/audiences/preview", json={"topicIds": [117805]}).is_success


def test_answers_go_out_at_once(client: httpx.Client) -> None:
    def is_quick() -> bool:
        started = time.perf_counter()
        client.get(ACCOUNT)
        return time.perf_counter() - started < 0.035

    # Held back until the client acknowledges its headers, each body would take 40 milliseconds.
    assert any(is_quick() for _ in range(500))


def test_a_reset_closes_the_connection_without_an_answer(client: httpx.Client) -> None:
    for kind in ("refused", "reset", "reset_after"):
        client.post(CONTROL, json={"kind": kind})
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            client.get(ACCOUNT)
        assert client.get(ACCOUNT).is_success


def test_a_cut_answer_ends_before_its_length(client: httpx.Client) -> None:
    client.post(CONTROL, json={"kind": "cut"})
    with pytest.raises(httpx.RemoteProtocolError, match="complete message body"):
        client.get(ACCOUNT)
    assert client.get(ACCOUNT).is_success


def test_a_hanging_answer_leaves_the_others_alone(client: httpx.Client) -> None:
    client.post(CONTROL, json={"kind": "hang"})
    with pytest.raises(httpx.ReadTimeout):
        client.get(ACCOUNT, timeout=0.1)
    assert client.get(ACCOUNT).is_success


def test_a_huge_answer_can_be_left(client: httpx.Client) -> None:
    client.post(CONTROL, json={"kind": "huge"})
    with client.stream("GET", ACCOUNT) as response:
        pieces = response.iter_bytes()
        assert len(b"".join(next(pieces) for _ in range(20))) > 100_000
    assert client.get(ACCOUNT).is_success


def test_an_export_is_downloaded_from_where_it_was_asked_for(client: httpx.Client) -> None:
    audience = client.get("/v1/intent/audiences").json()["data"][0]
    data = client.post(f"/v1/intent/audiences/{audience['id']}/export").json()["data"]
    assert data["downloadUrl"].startswith(str(client.base_url))
    assert httpx.get(data["downloadUrl"]).text.count("\r\n") == data["rows"] + 1
    client.post(CONTROL, json={"kind": "cut", "path": "/_files/"})
    with pytest.raises(httpx.RemoteProtocolError, match="complete message body"):
        client.get(data["downloadUrl"])
