"""The server as a process: how it starts, how patient it is, and how it ends."""

import signal
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import httpx2
import pytest
from uvicorn import Config, Server

from leadpipe_mcp.hosting import admission, run
from leadpipe_mcp.hosting.settings import HostingSettings
from tests.hosting import machines
from tests.hosting.conftest import HEADERS

pytestmark = pytest.mark.anyio
CALL: dict[str, object] = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {"name": "list_audiences", "arguments": {}},
}


def leave_the_log(level: str, *, as_json: bool) -> None:
    """Set up nothing: the log of this process is the tests' own."""
    del level, as_json


@asynccontextmanager
async def listening(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[int]:
    """Run the server in this process, in a great hurry; yield its port."""
    monkeypatch.setattr(run, "HEADERS_SECONDS", 0.2)
    monkeypatch.setattr(admission, "ARRIVAL_SECONDS", 0.2)
    monkeypatch.setattr(run, "set_up", leave_the_log)
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
        settings = HostingSettings(sandbox=True, port=port)
        server = Server(Config(run.application(settings), http=run.Impatient, log_config=None))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.serve, [sock])
            yield port
            server.should_exit = True


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
        b"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{",
    ],
)
async def test_a_request_that_does_not_arrive_is_given_up(
    sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with listening(monkeypatch) as port, await anyio.connect_tcp("127.0.0.1", port) as slow:
        await slow.send(sent) if sent else None
        with anyio.fail_after(20):
            answer = await slow.receive()
        assert answer.startswith(b"HTTP/1.1 408 ")


def test_no_answer_waits_until_its_beginning_is_acknowledged() -> None:
    with (
        run.listen(HostingSettings(sandbox=True, port=0)) as listening,
        socket.create_connection(listening.getsockname()),
        listening.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.machines
async def test_calls_at_work_are_answered_before_the_server_ends(tmp_path: Path) -> None:
    with machines.server(tmp_path / "log", sandbox="1", sandbox_delay_ms="1500") as (port, process):
        url = f"http://127.0.0.1:{port}/mcp"
        async with httpx2.AsyncClient(headers=HEADERS, timeout=30) as http:
            answers: list[httpx2.Response] = []

            async def ask() -> None:
                answers.append(await http.post(url, json=CALL))

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(ask)
                await anyio.sleep(0.5)
                process.send_signal(signal.SIGTERM)
        assert "2 audiences" in answers[0].text
        assert process.wait(20) == 0
    assert "Traceback" not in (tmp_path / "log").read_text()
