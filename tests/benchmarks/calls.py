"""The same question, asked of the same service: by plain HTTP, through a bare server, through ours.

The three take turns, call by call, so that whatever else the machine does meets all of them.
"""

import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import anyio
import httpx
import httpx2

from tests.benchmarks.page import SAME, Table, judged
from tests.benchmarks.servers import (
    AUDIENCES,
    BARE,
    DELAY_MS,
    KEY,
    OURS,
    Body,
    Pipe,
    environment,
    server,
)
from tests.faults.service import served
from tests.hosting import machines
from tests.hosting.conftest import HEADERS
from tests.processes import running

STARTS = 10
NEAR_CALLS = 100
FAR_CALLS = 10
GENERATIONS = ("mixed", "flat")
TURNS = 5
TURN_SECONDS = 1.0
SECONDS_A_CALL = 12
"""On a slow machine there are fewer calls."""
CONFIG: Body = {
    "topicIds": [117805],
    "minScore": 70,
    "filters": {"role.seniority": {"values": ["vp"]}},
}
ASKED: Body = {"topicIds": [117805], "minScore": 70, "filters": {"seniority": ["vp"]}}
Raw = Callable[[httpx.Client], httpx.Response]
Way = Callable[[str, Body, int], float]
"""How a server is called: the calls a second of a tool with arguments, so many at once."""


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


def questions(audience: str, run: str | None) -> list[Call]:
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


@dataclass
class Setting:
    """A service, the three ways to it, and the calls that are measured."""

    url: str
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
def settings(delay_ms: int, *profiles: str) -> Generator[list[Setting]]:
    """Services of these generations, and each call made twice: open connections, warm caches."""
    with ExitStack() as stack:
        made: list[Setting] = []
        for profile in profiles:
            url = stack.enter_context(served(delay_ms=delay_ms, profile=profile))
            http = httpx.Client(base_url=url, headers={"X-API-Key": KEY}, timeout=60)
            stack.enter_context(http)
            audience = http.get(AUDIENCES).json()["data"][0]["id"]
            run = http.get(f"{AUDIENCES}/{audience}/runs").json()["data"][0].get("id")
            bare, ours = (stack.enter_context(server(way, url)) for way in (BARE, OURS))
            made.append(Setting(url, http, bare, ours, questions(audience, run)))
            for call in [*made[-1].calls] * 2:
                made[-1].take_turns(call, 1)
        yield made


def most(times: Sequence[float]) -> float:
    """What only one in a hundred passes."""
    return statistics.quantiles(times, n=100, method="inclusive")[98]


def both(times: Sequence[float]) -> str:
    """The middle of the times, and what only one in a hundred passes."""
    return f"{statistics.median(times):.1f} ({most(times):.1f})"


def start() -> Table:
    """How soon a server that was just started lists its tools and answers a first call."""
    with served() as url:
        took = [
            (started(BARE, url, {"config": CONFIG}), started(OURS, url, ASKED))
            for _ in range(STARTS + 1)
        ][1:]  # the first of each has to be compiled
    rows: list[list[str]] = []
    times = (("to the list of tools, ms", 0.9), ("to a preview's answer, ms", None))
    for number, (name, goal) in enumerate(times):
        bare, ours = (statistics.median(one[way][number] for one in took) for way in (0, 1))
        ratio = ours / bare
        rows.append([name, f"{bare:.0f}", f"{ours:.0f}", f"{ratio:.2f}", judged(ratio, goal)])
    bare, ours = (statistics.median(one[way][-1] for one in took) for way in (0, 1))
    goal = judged(ours - bare, 12, "{} MB more at most")
    rows.append(["memory by then, MB", f"{bare:.0f}", f"{ours:.0f}", f"{ours / bare:.2f}", goal])
    headings = ["from the start of the process", "bare", "ours", "ours / bare", "goal"]
    return Table(headings, rows, {"ours / bare": 1.25})


def started(command: Sequence[str], url: str, arguments: Body) -> tuple[float, float, float]:
    """The milliseconds from a start to the list of tools and to a preview, and the memory."""
    began = time.perf_counter()
    with server(command, url) as pipe:
        pipe.answer_to(pipe.ask("tools/list", {}))
        listed = time.perf_counter()
        pipe.answer_to(pipe.call("preview_audience", arguments))
        answered = time.perf_counter()
        return (listed - began) * 1_000, (answered - began) * 1_000, pipe.megabytes()


def near() -> Table:
    """How long a call takes without a delay upstream."""
    rows: list[list[str]] = []
    with settings(0, *GENERATIONS) as generations:
        for made in generations:
            for call in made.calls:
                times = made.take_turns(call, NEAR_CALLS)
                floor, theirs, own = map(statistics.median, times)
                share = (own - floor) / max(theirs - floor, 0.001)
                ratios = [f"{own / theirs:.2f}", f"{share:.2f}"]
                rows.append([call.name, *map(both, times), *ratios, judged(share, call.most)])
    headings = ["ms: p50 (p99)", "raw HTTP", "bare", "ours", "ours / bare", "own share", "goal"]
    return Table(headings, rows, {"ours / bare": 1.3, "own share": 1.5})


def far() -> Table:
    """How long a call takes with a service far away, and how many requests that makes."""
    rows: list[list[str]] = []
    with settings(DELAY_MS, *GENERATIONS) as generations:
        for made in generations:
            for call in made.calls:
                times = made.take_turns(call, FAR_CALLS)
                # The quickest shows it best: all else that it took is less than another delay.
                requests = int(min(times[-1]) // DELAY_MS)
                goal = judged(requests, call.requests)
                rows.append([call.name, *map(both, times), str(requests), goal])
    headings = ["ms: p50 (p99)", "raw HTTP", "bare", "ours", "requests in a row", "goal"]
    within = {"requests in a row": SAME, "raw HTTP": 1.25, "bare": 1.25, "ours": 1.25}
    return Table(headings, rows, within)


def in_flight() -> Table:
    """How many calls are answered a second, over both transports, with some under way at once."""
    listing: tuple[str, Body, Body] = ("list_audiences", {"limit": 50}, {})
    rows: list[list[str]] = []
    for transport, ways in (("stdio", over_stdio), ("HTTP", over_http)):
        for number in (0, 1):
            # New processes for each, so that none gets old.
            with settings(0, "flat") as (made,), ways(made) as (bare_way, our_way):
                (people,) = made.calls
                query = (people.tool, people.bare, people.ours)
                tool, bare, ours = (listing, query)[number]
                for at_once in (1, 16, 64):
                    turns = [
                        (bare_way(tool, bare, at_once), our_way(tool, ours, at_once))
                        for _ in range(TURNS)
                    ]
                    theirs, own = map(statistics.median, zip(*turns, strict=True))
                    figures = [f"{theirs:.0f}", f"{own:.0f}", f"{own / theirs:.2f}"]
                    rows.append([f"{tool} over {transport}, {at_once} at once", *figures])
    headings = ["calls a second", "bare", "ours", "ours / bare"]
    return Table(headings, rows, {"ours / bare": 1.6})


@contextmanager
def over_stdio(made: Setting) -> Generator[list[Way]]:
    """The bare server and ours over stdin and stdout."""

    def way(pipe: Pipe) -> Way:
        return lambda tool, arguments, at_once: pipe.calls_a_second(
            tool, arguments, at_once=at_once, seconds=TURN_SECONDS
        )

    yield [way(made.bare), way(made.ours)]


@contextmanager
def over_http(made: Setting) -> Generator[list[Way]]:
    """The bare server and ours over HTTP."""
    port = machines.free_port()
    command, told = [*BARE, str(port)], environment(made.url)
    nowhere = subprocess.DEVNULL
    bare = subprocess.Popen(command, env=told, stdout=nowhere, stderr=nowhere)
    unlimited = {"requests_per_minute": "1000000", "calls_at_once": "1000"}

    def way(port: int) -> Way:
        url = f"http://127.0.0.1:{port}"
        return lambda tool, arguments, at_once: anyio.run(
            posted_a_second, url, tool, arguments, at_once
        )

    with (
        running(bare),
        tempfile.TemporaryDirectory() as folder,
        machines.server(Path(folder, "log"), base_url=made.url, **unlimited) as (ours, _),
    ):
        machines.wait_for(port)
        yield [way(port), way(ours)]


async def posted_a_second(url: str, tool: str, arguments: Body, at_once: int) -> float:
    """How many calls are answered a second, each in a request of its own."""
    params: Body = {"name": tool, "arguments": arguments}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    key = {"authorization": f"Bearer {KEY}"}
    async with httpx2.AsyncClient(headers=HEADERS | key, timeout=60) as http:

        async def post() -> None:
            answer = await http.post(f"{url}/mcp", json=body)
            if '"isError":false' not in answer.text:
                raise SystemExit(f"A call failed: {answer.text[:600]}")

        async def go_on() -> None:
            nonlocal number
            while time.perf_counter() < began + TURN_SECONDS:
                await post()
                number += 1

        await post()
        number, began = 0, time.perf_counter()
        async with anyio.create_task_group() as tasks:
            for _ in range(at_once):
                tasks.start_soon(go_on)
        return number / (time.perf_counter() - began)
