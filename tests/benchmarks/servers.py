"""The servers that are measured, as processes, and how a client asks them."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.processes import COMMAND, ENVIRONMENT, GREETING, running

Body = dict[str, Any]
KEY = "sk_bench"
UNASKED = {"LEADPIPE_API_KEY": KEY, "LEADPIPE_CONFIRM": "off"}
BARE = [sys.executable, str(Path(__file__).with_name("bare.py"))]
OURS = COMMAND
DELAY_MS = 150
AUDIENCES = "/v1/intent/audiences"
# A topic of the sandbox that nearly everybody researches.
EVERYBODY: Body = {"topicIds": [100_043], "minScore": 50}


def environment(url: str) -> dict[str, str]:
    """What a server is told that asks the service at the URL."""
    return {**ENVIRONMENT, **UNASKED, "LEADPIPE_BASE_URL": url}


@contextmanager
def a_home_of_its_own() -> Generator[None]:
    """Let servers compile once, as they usually do, and leave nothing in the real home."""
    with tempfile.TemporaryDirectory(prefix="leadpipe-bench-") as home:
        own = {"HOME": home, "USERPROFILE": home, "XDG_CACHE_HOME": f"{home}/.cache"}
        with patch.dict(os.environ, own), patch.dict(ENVIRONMENT, own):
            ENVIRONMENT.pop("PYTHONDONTWRITEBYTECODE", None)
            yield


class Pipe:
    """A server in a process of its own, spoken to in JSON-RPC, a line a message."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process, self._ids, self._early = process, 0, set[int]()
        self.answer_to(self.ask("initialize", GREETING))
        self._write({"method": "notifications/initialized"})

    def ask(self, method: str, params: Body) -> int:
        """Send a request, and return its number."""
        self._ids += 1
        self._write({"id": self._ids, "method": method, "params": params})
        return self._ids

    def call(self, tool: str, arguments: Body) -> int:
        """Send a call, and return its number."""
        return self.ask("tools/call", {"name": tool, "arguments": arguments})

    def reply(self, tool: str, arguments: Body) -> Body:
        """Make a call, and return its structured answer."""
        return self.answer_to(self.call(tool, arguments))["structuredContent"]

    def answer_to(self, *numbers: int) -> Body:
        """Wait until each of the requests is answered well, and return the last result."""
        waiting, result = set(numbers) - self._early, Body()
        self._early -= set(numbers)
        while waiting:
            assert self._process.stdout
            line = self._process.stdout.readline()
            if not line:
                raise SystemExit("A server ended in the middle.")
            message = json.loads(line)
            if "id" in message:
                result = message.get("result", {"isError": True})
                if result.get("isError"):
                    raise SystemExit(f"A call failed: {line[:600]}")
                (waiting.remove if message["id"] in waiting else self._early.add)(message["id"])
        return result

    def calls_a_second(self, tool: str, arguments: Body, *, at_once: int, seconds: float) -> float:
        """How many calls are answered a second while so many are under way."""
        began, number = time.perf_counter(), at_once
        waiting = [self.call(tool, arguments) for _ in range(at_once)]
        while time.perf_counter() < began + seconds:
            # They need not be answered in their order; one more is asked as each is done.
            self.answer_to(waiting.pop(0))
            waiting.append(self.call(tool, arguments))
            number += 1
        self.answer_to(*waiting)
        return number / (time.perf_counter() - began)

    def megabytes(self) -> float:
        """The most memory that the process has held."""
        (peak,) = (line for line in self._facts("status").splitlines() if "VmHWM" in line)
        return int(peak.split()[1]) / 1024

    def cpu_seconds(self) -> float:
        """What the process has used of the processor."""
        user, system = self._facts("stat").rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def _facts(self, name: str) -> str:
        return Path(f"/proc/{self._process.pid}/{name}").read_text(encoding="utf-8")

    def _write(self, message: Body) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        self._process.stdin.flush()


@contextmanager
def server(command: Sequence[str], url: str) -> Generator[Pipe]:
    """A server in front of the service, in a process that ends with the block."""
    process = subprocess.Popen(
        command,
        env=environment(url),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with running(process):
        yield Pipe(process)
