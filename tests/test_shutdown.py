"""How the server's process ends: at once, quietly, and with nothing left behind."""

import json
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.processes import COMMAND, DEADLINE_SECONDS, ENVIRONMENT, GREETING, META, Message, running
from tests.systems import needs_signals

# From being told to the end of the process, on a machine that is busy with other things. A server
# that waited for its service would take thirty seconds or more.
SOON_SECONDS = 10.0


class Served:
    """A server's process, and the messages that come and go."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path) -> None:
        self.process = process
        self.folder = folder
        self._ids = 0

    def send(self, method: str, params: Message, **more: object) -> None:
        assert self.process.stdin is not None
        told = {"jsonrpc": "2.0", "method": method, "params": params, **more}
        self.process.stdin.write(json.dumps(told).encode() + b"\n")
        self.process.stdin.flush()

    def begin(self, method: str, params: Message) -> int:
        """The id of a request that was made now."""
        self._ids += 1
        self.send(method, params, id=self._ids)
        return self._ids

    def call(self, tool: str, *, modern: bool = False, **asked: object) -> int:
        meta = META if modern else {"progressToken": tool}
        return self.begin("tools/call", {"name": tool, "arguments": asked, "_meta": meta})

    def read(self) -> Message:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def answer(self, number: int) -> Message:
        while (message := self.read()).get("id") != number or "method" in message:
            pass
        return message

    def greet(self, **capabilities: object) -> None:
        """The handshake of the years before 2026."""
        self.answer(self.begin("initialize", GREETING | {"capabilities": capabilities}))
        self.send("notifications/initialized", {})

    def ends_quietly(self, tell: Callable[[], object]) -> bytes:
        """Tell the process to end, hold its end to what all of them are; return its stderr."""
        start = time.monotonic()
        tell()
        assert self.process.wait(DEADLINE_SECONDS) == 0
        assert time.monotonic() - start < SOON_SECONDS
        assert self.process.stderr is not None
        told = self.process.stderr.read()
        assert not any(word in told for word in (b"Traceback", b" ERROR ", b" WARNING "))
        assert self.left() == []
        return told

    def ends_by(self, number: signal.Signals) -> bytes:
        return self.ends_quietly(lambda: self.process.send_signal(number))

    def left(self) -> list[str]:
        """What is in the folder of temporary things, besides what was there for good."""
        return sorted(path.name for path in self.folder.iterdir() if path.name != "home")


Start = Callable[..., Served]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts servers, none of which outlives the test."""
    with ExitStack() as started:

        def start(**settings: object) -> Served:
            folder = tmp_path / f"tmp-{len(list(tmp_path.iterdir()))}"
            folder.mkdir()
            named = {f"LEADPIPE_{name.upper()}": str(value) for name, value in settings.items()}
            process = subprocess.Popen(
                COMMAND,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**ENVIRONMENT, **named, "TMPDIR": str(folder), "HOME": str(folder / "home")},
            )
            return Served(started.enter_context(running(process)), folder)

        yield start


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A service that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(DEADLINE_SECONDS)
        yield listener


@pytest.fixture
def start_silent(start: Start, silent: socket.socket) -> Start:
    """Starts servers in front of that service."""
    return lambda: start(api_key="sk_1", base_url=f"http://127.0.0.1:{silent.getsockname()[1]}")


def closes(connection: socket.socket) -> bool:
    """Whether the other side hangs up before the deadline."""
    connection.settimeout(DEADLINE_SECONDS)
    while connection.recv(65_536):
        pass
    return True


def test_a_closed_stdin_leaves_a_call_the_time_to_be_answered(start: Start) -> None:
    # The service is slow enough that the call is under way when stdin is closed.
    served = start(sandbox=1, sandbox_delay_ms=300)
    served.greet()
    served.answer(served.call("get_account_status"))
    call = served.call("list_audiences")
    assert served.process.stdin is not None
    served.ends_quietly(served.process.stdin.close)
    assert "CRM Buyers" in str(served.answer(call)["result"])


@needs_signals
def test_a_call_that_hangs_can_be_cancelled_and_holds_up_no_end(
    start_silent: Start, silent: socket.socket
) -> None:
    served = start_silent()
    cancelled = served.call("list_audiences", modern=True)
    with silent.accept()[0] as connection:
        served.send("notifications/cancelled", {"requestId": cancelled})
        assert closes(connection)
    stopped = served.call("list_audiences", modern=True)
    with silent.accept()[0] as connection:
        served.ends_by(signal.SIGTERM)
        assert closes(connection)
    # The first that is heard of either: the cancelled one is not answered.
    answer = served.read()
    assert (answer["id"], answer["error"]["message"]) == (stopped, "Connection closed")


@needs_signals
def test_a_server_that_is_busy_with_people_and_waits_for_its_human_ends_at_once(
    start: Start,
) -> None:
    served = start(sandbox=1)
    served.greet(elicitation={})
    listed = served.answer(served.call("list_audiences"))["result"]["structuredContent"]
    audience, paused = (row[0] for row in listed["audiences"]["rows"])
    served.answer(served.call("analyze_audience", audienceId=audience))
    assert served.left() != []
    # It would take the two seconds that it may.
    slow = "SELECT count(*) FROM people a, people b, people c WHERE a.id < b.id AND b.id < c.id"
    served.call("analyze_audience", audienceId=audience, sql=slow)
    served.call("delete_audience", id=paused)
    while served.read().get("method") != "elicitation/create":
        pass
    served.ends_by(signal.SIGHUP)


@needs_signals
def test_a_server_whose_answers_nobody_takes_ends_at_once(
    start_silent: Start, silent: socket.socket
) -> None:
    gone, full = start_silent(), start_silent()
    for served in (gone, full):
        served.greet()
    assert gone.process.stdout is not None
    gone.process.stdout.close()
    gone.ends_quietly(lambda: gone.begin("ping", {}))
    # Four lists of tools are more than a pipe holds, so a thread waits that cannot be stopped. It
    # does so long before a later call has found its way to the service.
    for _ in range(4):
        full.begin("tools/list", {})
    full.call("list_audiences")
    with silent.accept()[0]:
        full.ends_by(signal.SIGINT)


@needs_signals
def test_a_server_that_has_nothing_to_do_ends_at_once(start: Start) -> None:
    served = start(sandbox=1)
    served.greet()
    served.ends_by(signal.SIGTERM)


class Repeating(BaseHTTPRequestHandler):
    """Refuses everything, and repeats what it was sent."""

    def do_GET(self) -> None:
        # What is refused for good is asked once, which takes no time.
        status = 400 if "account" in self.path else 401
        body = json.dumps({"error": {"message": f"{self.path} {self.headers}"}}).encode()
        self.send_response(status)
        self.send_header("X-Request-Id", self.headers["X-API-Key"])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- as above
        """Say nothing here."""


@pytest.fixture
def repeating() -> Iterator[str]:
    """The address of a service that repeats the key in its refusals."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Repeating) as service:
        Thread(target=service.serve_forever, args=(0.01,)).start()
        yield f"http://127.0.0.1:{service.server_port}"
        service.shutdown()


@needs_signals
def test_no_key_is_in_what_a_server_writes_whose_calls_fail(start: Start, repeating: str) -> None:
    key = "sk_live_canary_0123456789"
    served = start(api_key=key, base_url=repeating, log_level="debug")
    served.greet()
    for tool in ("list_audiences", "get_account_status", "find_filters"):
        answer = served.answer(served.call(tool))
        assert answer["result"]["isError"]
        assert key not in str(answer)
    written = served.ends_by(signal.SIGTERM)
    assert written.count(b"refused:") == 3
    assert b"canary" not in written
