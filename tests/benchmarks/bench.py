"""What is promised of speed, measured side by side: raw HTTP, a bare server, ours. `make bench`.

All three ask the same sandbox, in a process of its own on 127.0.0.1; both servers are spoken to
over stdin and stdout by the same client. They take turns, call by call, so that whatever else the
machine does meets all of them. What is printed is what stands in docs/performance.md.
"""

import argparse
import datetime as dt
import json
import os
import platform
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

HERE = Path(__file__).parent
KEY = "sk_bench"
DELAY_MS = 150
IN_FLIGHT = 64
SECONDS = 240  # no process lives longer
SECONDS_A_CALL = 5  # on a slow machine there are fewer rounds
OURS = ("-m", "leadpipe_mcp")
BARE = (str(HERE / "bare.py"),)
CONFIG = {
    "topicIds": [117805],
    "minScore": 70,
    "filters": {"role.seniority": {"values": ["vp"]}},
}
Body = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """One question, as each of the three is asked it, and what ours may take.

    `most` is the goal for the own share: what ours takes beyond raw HTTP, as a part of what the
    bare server takes beyond it. `requests` is the goal in requests in a row.
    """

    name: str
    tool: str
    raw: Callable[[httpx.Client], httpx.Response]
    bare: Body
    ours: Body
    most: float | None
    requests: int


def people_of_a_day(audience: str) -> Call:
    """People where runs go by date: one request, which tells all that is to be known."""
    path = f"/v1/intent/audiences/{audience}/results"
    return Call(
        "query_audience, 100 people of a day",
        "query_audience",
        lambda http: http.get(path, params={"limit": 100}),
        {"audience": audience, "limit": 100},
        {"audienceId": audience, "limit": 100},
        0.64,
        1,
    )


def calls(audience: str, run: str) -> list[Call]:
    """Every call that is measured where runs have numbers."""
    path = f"/v1/intent/audiences/{audience}"
    people = {"limit": 100, "offset": 0}
    asked = {"topicIds": CONFIG["topicIds"], "minScore": 70, "filters": {"seniority": ["vp"]}}
    return [
        Call(
            "search_topics",
            "search_topics",
            lambda http: http.get("/v1/intent/topics/search", params={"q": "CRM", "limit": 11}),
            {"q": "CRM", "limit": 11},
            {"queries": ["CRM"]},
            1.0,
            1,
        ),
        Call(
            "list_audiences",
            "list_audiences",
            lambda http: http.get("/v1/intent/audiences", params={"limit": 50}),
            {"limit": 50},
            {},
            1.0,
            1,
        ),
        Call(
            "preview_audience",
            "preview_audience",
            lambda http: http.post("/v1/intent/audiences/preview", json=CONFIG),
            {"config": CONFIG},
            asked,
            1.0,
            2,
        ),
        Call(
            "query_audience, 100 people of a run",
            "query_audience",
            lambda http: http.get(f"{path}/runs/{run}/results", params=people),
            {"audience": audience, "run": run, "limit": 100},
            {"audienceId": audience, "limit": 100},
            None,
            2,  # which run is the newest has to be asked first
        ),
        Call(
            "get_audience",
            "get_audience",
            lambda http: http.get(path),
            {"audience": audience},
            {"id": audience},
            None,
            2,
        ),
    ]


class Pipe:
    """A server in a process of its own, spoken to in JSON-RPC, a line a message."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._ids = 0

    def begin(self) -> None:
        """Shake hands."""
        about = {"name": "bench", "version": "1"}
        hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": about}
        self.answer_to(self.ask("initialize", hello))
        self._write({"method": "notifications/initialized"})

    def ask(self, method: str, params: Body) -> int:
        """Send a request, and return its number."""
        self._ids += 1
        self._write({"id": self._ids, "method": method, "params": params})
        return self._ids

    def answer_to(self, *numbers: int) -> None:
        """Wait until each of the requests is answered well."""
        waiting = set(numbers)
        while waiting:
            assert self._process.stdout
            line = self._process.stdout.readline()
            if not line:
                raise SystemExit("A server ended in the middle.")
            message = json.loads(line)
            if message.get("id") in waiting:
                waiting.remove(message["id"])
                result = message.get("result", {"isError": True})
                if result.get("isError"):
                    raise SystemExit(f"A call failed: {line[:600]}")

    def call(self, tool: str, arguments: Body) -> int:
        """Send a call, and return its number."""
        return self.ask("tools/call", {"name": tool, "arguments": arguments})

    def megabytes(self) -> float:
        """The most memory that the process has held; 0 where the system does not say."""
        status = Path(f"/proc/{self._process.pid}/status")
        lines = status.read_text(encoding="utf-8").splitlines() if status.exists() else []
        peak = next((line for line in lines if line.startswith("VmHWM")), "VmHWM: 0 kB")
        return int(peak.split()[1]) / 1024

    def _write(self, message: Body) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        self._process.stdin.flush()


@contextmanager
def sandbox(**settings: object) -> Generator[str]:
    """The address of a service with invented people, in a process of its own."""
    said = ", ".join(f"{name}={value!r}" for name, value in settings.items())
    program = (
        f"from tests.faults.service import SandboxSettings, serve; serve(SandboxSettings({said}))"
    )
    with running(["-c", program], {}) as process:
        assert process.stdout
        yield process.stdout.readline().strip()


@contextmanager
def server(command: Sequence[str], url: str) -> Generator[Pipe]:
    """A server in front of the service."""
    with running(command, {"LEADPIPE_BASE_URL": url, "LEADPIPE_API_KEY": KEY}) as process:
        pipe = Pipe(process)
        pipe.begin()
        yield pipe


@contextmanager
def running(command: Sequence[str], settings: dict[str, str]) -> "Generator[subprocess.Popen[str]]":
    """A process of Python's that ends with the block, and in any case."""
    usual = {name: text for name, text in os.environ.items() if not name.startswith("LEADPIPE_")}
    process = subprocess.Popen(
        [sys.executable, *command],
        env={**usual, **settings},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    end = threading.Timer(SECONDS, process.kill)
    end.start()
    try:
        yield process
    finally:
        end.cancel()
        process.kill()
        process.communicate()


@dataclass(frozen=True)
class Started:
    """What one start took: milliseconds until both answers, and memory."""

    listed: float
    answered: float
    megabytes: float


@dataclass
class Setting:
    """A service, the three ways to it, and the calls that are measured."""

    http: httpx.Client
    bare: Pipe
    ours: Pipe
    calls: list[Call]


@contextmanager
def setting(delay_ms: int, profile: str = "mixed") -> Generator[Setting]:
    """Everything ready, with each call made once: connections are open and caches are warm."""
    with ExitStack() as stack:
        url = stack.enter_context(sandbox(delay_ms=delay_ms, profile=profile))
        http = stack.enter_context(
            httpx.Client(base_url=url, headers={"X-API-Key": KEY}, timeout=SECONDS)
        )
        audience = http.get("/v1/intent/audiences").json()["data"][0]["id"]
        run = http.get(f"/v1/intent/audiences/{audience}/runs").json()["data"][0].get("id")
        bare, ours = (stack.enter_context(server(command, url)) for command in (BARE, OURS))
        asked = calls(audience, run) if run else [people_of_a_day(audience)]
        made = Setting(http, bare, ours, asked)
        for _ in range(2):
            for call in made.calls:
                take_turns(made, call, 1)
        yield made


def take_turns(made: Setting, call: Call, rounds: int) -> list[list[float]]:
    """The milliseconds of each way, asked in turn."""
    ways: list[Callable[[], object]] = [
        lambda: call.raw(made.http).raise_for_status().json(),
        lambda: made.bare.answer_to(made.bare.call(call.tool, call.bare)),
        lambda: made.ours.answer_to(made.ours.call(call.tool, call.ours)),
    ]
    taken: list[list[float]] = [[], [], []]
    until = time.perf_counter() + SECONDS_A_CALL
    for number in range(rounds):
        if number > 2 and time.perf_counter() > until:
            break
        for way, times in zip(ways, taken, strict=True):
            started = time.perf_counter()
            way()
            times.append((time.perf_counter() - started) * 1_000)
    return taken


def in_flight(pipe: Pipe, tool: str, arguments: Body) -> float:
    """Calls answered a second, with so many under way."""
    started = time.perf_counter()
    pipe.answer_to(*[pipe.call(tool, arguments) for _ in range(IN_FLIGHT)])
    return IN_FLIGHT / (time.perf_counter() - started)


def told(times: Sequence[float]) -> str:
    """The middle of the times, and what only one in a hundred passes."""
    most = statistics.quantiles(times, n=100, method="inclusive")[98]
    return f"{statistics.median(times):.1f} ({most:.1f})"


def judged(goal: str, *, is_met: bool) -> str:
    """The goal, and whether it is met."""
    return f"{goal}: {'met' if is_met else 'missed'}"


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print the rows as documents hold them."""
    print(f"| {' | '.join(headings)} |")
    print(f"| --- {'| ---: ' * (len(headings) - 1)}|")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    print(flush=True)


def measure_start(rounds: int) -> None:
    """Print how soon a server that was just started lists its tools and answers a first call."""
    bare: list[Started] = []
    ours: list[Started] = []
    with sandbox() as url:
        preview = next(call for call in calls("", "") if call.tool == "preview_audience")
        for _ in range(rounds):
            bare.append(_started(BARE, url, preview.tool, preview.bare))
            ours.append(_started(OURS, url, preview.tool, preview.ours))
    listed, answered = (
        [statistics.median(getattr(one, name) for one in way) for way in (bare, ours)]
        for name in ("listed", "answered")
    )
    memory = [max(one.megabytes for one in way) for way in (bare, ours)]
    print_table(
        ["from the start of the process", "bare SDK + httpx", "ours", "ours / bare", "goal"],
        [
            _compared("to the list of tools, ms", listed, 0.9),
            _compared("to a preview's answer, ms", answered, None),
            [
                "peak memory by then, MB",
                *(f"{most:.0f}" for most in memory),
                "",
                judged("12 MB more at most", is_met=memory[1] - memory[0] <= 12),
            ],
        ],
    )


def _compared(name: str, times: Sequence[float], most: float | None) -> list[str]:
    bare, ours = times
    goal = judged(f"≤ {most}", is_met=ours / bare <= most) if most else ""
    return [name, f"{bare:.0f}", f"{ours:.0f}", f"{ours / bare:.2f}", goal]


def _started(command: Sequence[str], url: str, tool: str, arguments: Body) -> Started:
    """Start a server, list its tools, and call one."""
    began = time.perf_counter()
    with server(command, url) as pipe:
        pipe.answer_to(pipe.ask("tools/list", {}))
        listed = time.perf_counter()
        pipe.answer_to(pipe.call(tool, arguments))
        answered = time.perf_counter()
        return Started((listed - began) * 1_000, (answered - began) * 1_000, pipe.megabytes())


def measure_calls(rounds: int) -> None:
    """Print how long a call takes without a delay upstream, and how many are answered a second."""
    rows: list[list[str]] = []
    for profile in ("mixed", "flat"):
        with setting(0, profile) as made:
            for call in made.calls:
                raw, bare, ours = take_turns(made, call, rounds)
                floor, theirs, own = map(statistics.median, (raw, bare, ours))
                share = (own - floor) / max(theirs - floor, 0.001)
                goal = judged(f"≤ {call.most}", is_met=share <= call.most) if call.most else ""
                ratios = [f"{own / theirs:.2f}", f"{share:.2f}"]
                rows.append([call.name, told(raw), told(bare), told(ours), *ratios, goal])
            query = next(call for call in made.calls if call.tool == "query_audience")
            bare_rate = in_flight(made.bare, query.tool, query.bare)
            our_rate = in_flight(made.ours, query.tool, query.ours)
    headings = ["call", "raw HTTP", "bare SDK + httpx", "ours", "ours / bare", "own share", "goal"]
    print_table(headings, rows)
    rates = [f"{bare_rate:.0f}", f"{our_rate:.0f}", f"{our_rate / bare_rate:.2f}"]
    print_table(
        [f"{IN_FLIGHT} in flight", "bare SDK + httpx", "ours", "ours / bare"],
        [[f"{query.name}, calls a second", *rates]],
    )


def measure_distance(rounds: int) -> None:
    """Print how long a call takes with a service far away, and how many requests that makes."""
    rows: list[list[str]] = []
    for profile in ("mixed", "flat"):
        with setting(DELAY_MS, profile) as made:
            for call in made.calls:
                raw, bare, ours = take_turns(made, call, rounds)
                # The quickest shows it best: all else that it took is less than another delay.
                requests = int(min(ours) // DELAY_MS)
                goal = judged(f"≤ {call.requests}", is_met=requests <= call.requests)
                rows.append([call.name, told(raw), told(bare), told(ours), str(requests), goal])
    print_table(
        [
            f"call, {DELAY_MS} ms upstream",
            "raw HTTP",
            "bare SDK + httpx",
            "ours",
            "requests in a row",
            "goal",
        ],
        rows,
    )


def measure_people(people: int) -> None:
    """Print what a profile of everyone takes: from both generations' file, and from pages."""
    rows: list[list[str]] = []
    for name, profile in (("file of May 2026", "catalog"), ("file of April 2026", "flat")):
        with sandbox(profile=profile, people=people, examples=False, run_seconds=0) as url:
            rows.append(_profiled(name, url))
    with sandbox(people=max(people // 10, 1_000), examples=False, run_seconds=0) as url:
        fault = {"kind": "status", "path": "export", "status": 404, "times": 1_000}
        httpx.post(f"{url}/_sandbox/faults", json=fault).raise_for_status()
        rows.append(_profiled("pages", url))
    print_table(
        [
            "everyone, from",
            "people",
            "file alone, s",
            "ours, s",
            "ours / alone",
            "µs CPU a person",
            "peak memory, MB",
            "goal",
        ],
        rows,
    )


def _profiled(name: str, url: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, str(HERE / "people.py"), url],
        stdout=subprocess.PIPE,
        timeout=SECONDS,
        check=True,
        text=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    ratio = found["seconds"] / found["alone"] if found["alone"] else 0.0
    return [
        name,
        f"{found['people']:,}",
        f"{found['alone']:.2f}" if ratio else "",
        f"{found['seconds']:.2f}",
        f"{ratio:.2f}" if ratio else "",
        f"{found['cpu']:.0f}",
        f"{found['memory']:.0f}, {found['more']:.0f} of it for them",
        judged("≤ 1.25", is_met=ratio <= 1.25) if ratio else "",
    ]


def main() -> None:
    """Measure everything, and print it as docs/performance.md holds it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40, help="How often each call is made.")
    parser.add_argument("--people", type=int, default=22_000, help="How many live in the sandbox.")
    options = parser.parse_args()
    today, machine = dt.datetime.now(dt.UTC).date(), platform.python_version()
    print(f"{today}, {os.cpu_count()} cores, Python {machine}; milliseconds: median (p99).\n")
    measure_start(max(options.rounds // 4, 3))
    measure_calls(options.rounds)
    measure_distance(max(options.rounds // 8, 3))
    measure_people(options.people)


if __name__ == "__main__":
    main()
