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
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from tests.faults.service import CONTROL_PATH, served
from tests.processes import COMMAND, ENVIRONMENT, GREETING, running

HERE = Path(__file__).parent
KEY = "sk_bench"
UNASKED = {"LEADPIPE_API_KEY": KEY, "LEADPIPE_CONFIRM": "off"}
DELAY_MS = 150
IN_FLIGHT = 64
SECONDS_A_CALL = 5  # on a slow machine there are fewer rounds
BARE = [sys.executable, str(HERE / "bare.py")]
AUDIENCES = "/v1/intent/audiences"
CONFIG = {
    "topicIds": [117805],
    "minScore": 70,
    "filters": {"role.seniority": {"values": ["vp"]}},
}
ASKED = {"topicIds": [117805], "minScore": 70, "filters": {"seniority": ["vp"]}}
# A topic of the sandbox that nearly everybody researches.
EVERYBODY = {"topicIds": [100_043], "minScore": 50}
Body = dict[str, Any]
Raw = Callable[[httpx.Client], httpx.Response]


class Call(NamedTuple):
    """One question, as each of the three is asked it, and what ours may take."""

    name: str
    raw: Raw
    bare: Body
    ours: Body
    most: float | None
    """The goal for what ours takes beyond raw HTTP, as a part of what the bare server does."""
    requests: int
    """The goal in requests in a row."""

    @property
    def tool(self) -> str:
        return self.name.partition(",")[0]


def calls(audience: str, run: str | None) -> list[Call]:
    """Every call that is measured where runs have numbers, and one where runs go by date."""
    path = f"{AUDIENCES}/{audience}"
    of = {"audience": audience, "limit": 100}
    people = {"audienceId": audience, "limit": 100}
    if run is None:
        raw = getting(f"{path}/results", limit=100)
        return [Call("query_audience, 100 people of a day", raw, of, people, 0.64, 1)]
    words = getting("/v1/intent/topics/search", q="CRM", limit=11)
    results = getting(f"{path}/runs/{run}/results", limit=100, offset=0)
    return [
        Call("search_topics", words, {"q": "CRM", "limit": 11}, {"queries": ["CRM"]}, 1.0, 1),
        Call("list_audiences", getting(AUDIENCES, limit=50), {"limit": 50}, {}, 1.0, 1),
        Call("preview_audience", preview, {"config": CONFIG}, ASKED, 1.0, 2),
        # Which run is the newest has to be asked first.
        Call("query_audience, 100 people of a run", results, {**of, "run": run}, people, None, 2),
        Call("get_audience", getting(path), {"audience": audience}, {"id": audience}, None, 2),
    ]


def getting(path: str, **query: str | int) -> Raw:
    return lambda http: http.get(path, params=query)


def preview(http: httpx.Client) -> httpx.Response:
    return http.post(f"{AUDIENCES}/preview", json=CONFIG)


class Pipe:
    """A server in a process of its own, spoken to in JSON-RPC, a line a message."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process, self._ids = process, 0
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
        waiting, result = set(numbers), Body()
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
        return result

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
        env={**ENVIRONMENT, **UNASKED, "LEADPIPE_BASE_URL": url},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with running(process):
        yield Pipe(process)


@dataclass
class Setting:
    """A service, the three ways to it, and the calls that are measured."""

    http: httpx.Client
    bare: Pipe
    ours: Pipe
    calls: list[Call]

    def take_turns(self, call: Call, rounds: int) -> list[list[float]]:
        """The milliseconds of each way, asked in turn."""
        ways: list[Callable[[], object]] = [
            lambda: call.raw(self.http).raise_for_status().json(),
            lambda: self.bare.reply(call.tool, call.bare),
            lambda: self.ours.reply(call.tool, call.ours),
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


@contextmanager
def settings(delay_ms: int) -> Generator[list[Setting]]:
    """Both generations of the service, with each call made once: open connections, warm caches."""
    with ExitStack() as stack:
        made: list[Setting] = []
        for profile in ("mixed", "flat"):
            url = stack.enter_context(served(delay_ms=delay_ms, profile=profile))
            http = httpx.Client(base_url=url, headers={"X-API-Key": KEY}, timeout=60)
            stack.enter_context(http)
            audience = http.get(AUDIENCES).json()["data"][0]["id"]
            run = http.get(f"{AUDIENCES}/{audience}/runs").json()["data"][0].get("id")
            bare, ours = (stack.enter_context(server(way, url)) for way in (BARE, COMMAND))
            made.append(Setting(http, bare, ours, calls(audience, run)))
            for call in [*made[-1].calls] * 2:
                made[-1].take_turns(call, 1)
        yield made


def in_flight(pipe: Pipe, tool: str, arguments: Body) -> float:
    """Calls answered a second, with so many under way."""
    started = time.perf_counter()
    pipe.answer_to(*[pipe.call(tool, arguments) for _ in range(IN_FLIGHT)])
    return IN_FLIGHT / (time.perf_counter() - started)


def told(times: Sequence[float]) -> str:
    """The middle of the times, and what only one in a hundred passes."""
    most = statistics.quantiles(times, n=100, method="inclusive")[98]
    return f"{statistics.median(times):.1f} ({most:.1f})"


def judged(value: float, most: float | None, goal: str = "≤ {}") -> str:
    """The goal, and whether it is met; nothing where there is none."""
    return f"{goal.format(most)}: {'met' if value <= most else 'missed'}" if most else ""


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print the rows as documents hold them."""
    print(f"| {' | '.join(headings)} |")
    print(f"| --- {'| ---: ' * (len(headings) - 1)}|")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    print(flush=True)


def started(command: Sequence[str], url: str, arguments: Body) -> tuple[float, float, float]:
    """The milliseconds from a start to the list of tools and to a preview, and the memory."""
    began = time.perf_counter()
    with server(command, url) as pipe:
        pipe.answer_to(pipe.ask("tools/list", {}))
        listed = time.perf_counter()
        pipe.answer_to(pipe.call("preview_audience", arguments))
        answered = time.perf_counter()
        return (listed - began) * 1_000, (answered - began) * 1_000, pipe.megabytes()


def measure_start(rounds: int) -> None:
    """Print how soon a server that was just started lists its tools and answers a first call."""
    with served() as url:
        took = [
            (started(BARE, url, {"config": CONFIG}), started(COMMAND, url, ASKED))
            for _ in range(rounds)
        ]
    rows: list[list[str]] = []
    times = (("to the list of tools, ms", 0.9), ("to a preview's answer, ms", None))
    for number, (name, most) in enumerate(times):
        bare, ours = (statistics.median(one[way][number] for one in took) for way in (0, 1))
        goal = judged(ours / bare, most)
        rows.append([name, f"{bare:.0f}", f"{ours:.0f}", f"{ours / bare:.2f}", goal])
    bare, ours = (max(one[way][-1] for one in took) for way in (0, 1))
    goal = judged(ours - bare, 12, "{} MB more at most")
    rows.append(["peak memory by then, MB", f"{bare:.0f}", f"{ours:.0f}", "", goal])
    headings = ["from the start of the process", "bare SDK + httpx", "ours", "ours / bare", "goal"]
    print_table(headings, rows)


def measure_calls(rounds: int) -> None:
    """Print how long a call takes without a delay upstream, and how many are answered a second."""
    rows: list[list[str]] = []
    with settings(0) as both:
        for made in both:
            for call in made.calls:
                times = made.take_turns(call, rounds)
                floor, theirs, own = map(statistics.median, times)
                share = (own - floor) / max(theirs - floor, 0.001)
                ratios = [f"{own / theirs:.2f}", f"{share:.2f}"]
                rows.append([call.name, *map(told, times), *ratios, judged(share, call.most)])
        made = both[-1]
        (query,) = made.calls
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
    with settings(DELAY_MS) as both:
        for made in both:
            for call in made.calls:
                times = made.take_turns(call, rounds)
                # The quickest shows it best: all else that it took is less than another delay.
                requests = int(min(times[-1]) // DELAY_MS)
                goal = judged(requests, call.requests)
                rows.append([call.name, *map(told, times), str(requests), goal])
    far = f"call, {DELAY_MS} ms upstream"
    print_table([far, "raw HTTP", "bare SDK + httpx", "ours", "requests in a row", "goal"], rows)


def download_seconds(http: httpx.Client, audience: str) -> float:
    """How long the service alone takes for its file, nobody reading it; 0 without a file."""
    path = f"{AUDIENCES}/{audience}"
    exported = http.post(f"{path}/export")
    if exported.is_success:
        address = str(exported.json()["data"]["downloadUrl"])
    else:
        run = http.get(f"{path}/runs", params={"limit": 1}).json()["data"][0]["id"]
        address = f"{path}/runs/{run}/export.csv"
    began = time.perf_counter()
    found = http.get(address).is_success
    return time.perf_counter() - began if found else 0.0


def profiled(url: str) -> list[str]:
    """How long everyone of an audience takes: fetched, kept and profiled."""
    headers = {"X-API-Key": KEY}
    with (
        server(COMMAND, url) as ours,
        httpx.Client(base_url=url, headers=headers, timeout=60) as http,
    ):
        wanted = {"name": "All", "config": EVERYBODY, "status": "active"}
        audience = ours.reply("create_audience", wanted)["id"]
        people = ours.reply("get_audience", {"id": audience, "waitSeconds": 30})["size"]
        # The first time the service thinks its people up.
        alone = min([download_seconds(http, audience) for _ in range(2)])
        memory, cpu, began = ours.megabytes(), ours.cpu_seconds(), time.perf_counter()
        ours.reply("analyze_audience", {"audienceId": audience})
        seconds, cpu = time.perf_counter() - began, ours.cpu_seconds() - cpu
        peak = ours.megabytes()
    return [
        f"{people:,}",
        f"{alone:.2f}" if alone else "",
        f"{seconds:.2f}",
        f"{seconds / alone:.2f}" if alone else "",
        f"{cpu / people * 1e6:.0f}",
        f"{peak:.0f}, {peak - memory:.0f} of it for them",
        judged(seconds / alone, 1.25) if alone else "",
    ]


def measure_people(people: int) -> None:
    """Print what a profile of everyone takes: from both generations' file, and from pages."""
    rows: list[list[str]] = []
    for name, profile in (
        ("file of May 2026", "catalog"),
        ("file of April 2026", "flat"),
        ("pages", "mixed"),
    ):
        number = max(people // 10, 1_000) if name == "pages" else people
        with served(profile=profile, people=number, examples=False, run_seconds=0) as url:
            if name == "pages":
                fault = {"kind": "status", "path": "export", "status": 404, "times": 1_000}
                httpx.post(f"{url}{CONTROL_PATH}", json=fault).raise_for_status()
            rows.append([name, *profiled(url)])
    first = ["everyone, from", "people", "file alone, s", "ours, s", "ours / alone"]
    print_table([*first, "µs CPU a person", "peak memory, MB", "goal"], rows)


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
