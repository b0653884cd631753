"""What a server for a team carries: calls a second, memory with many callers, and fairness.

The servers, nginx, Redis, the sandbox and a caller that floods are processes
of their own on 127.0.0.1 and share the machine's cores with the callers, so the numbers are
floors. It needs redis-server and nginx, and Linux.
"""

import json
import os
import shutil
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import anyio
import httpx2

from tests.benchmarks.page import Table, judged
from tests.benchmarks.servers import DELAY_MS
from tests.faults.service import served
from tests.hosting import machines
from tests.hosting.conftest import HEADERS
from tests.processes import running

SECONDS = 8.0
CALLERS = 500
IN_FLIGHT = 64
QUIET_CALLS = 40
TURNS = 3
# Callers would else make one each, which takes longer than to call.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
UNLIMITED = {"requests_per_minute": "1000000", "log_level": "WARNING"}
LISTED: dict[str, object] = {"name": "list_audiences", "arguments": {}}
COUNTED: dict[str, object] = {
    "name": "preview_audience",
    "arguments": {"topicIds": [117805], "filters": {"seniority": ["vp"]}},
}
SEARCHED: dict[str, object] = {"name": "search_topics", "arguments": {"queries": ["CRM"]}}


class Caller:
    """Someone with a key of their own, on a connection that stays open."""

    def __init__(self, url: str, name: str) -> None:
        self._url = f"{url}/mcp"
        key = {"authorization": f"Bearer sk_live_bench_{name}"}
        self._http = httpx2.AsyncClient(headers=HEADERS | key, timeout=60, verify=NO_TLS)

    async def call(self, params: dict[str, object]) -> tuple[float, str]:
        """Call a tool; return the milliseconds, and how it was answered."""
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        began = time.perf_counter()
        answer = await self._http.post(self._url, json=body)
        milliseconds = 1_000 * (time.perf_counter() - began)
        is_well = answer.is_success and '"isError":false' in answer.text
        return milliseconds, "ok" if is_well else str(answer.status_code)

    async def times(self, number: int) -> list[float]:
        """Return the milliseconds of so many calls, one after the other, which all succeed."""
        outcomes = [await self.call(LISTED) for _ in range(number)]
        if any(outcome != "ok" for _, outcome in outcomes):
            raise SystemExit(f"A quiet caller was refused: {outcomes}")
        return [milliseconds for milliseconds, _ in outcomes]

    async def close(self) -> None:
        """Hang up."""
        await self._http.aclose()


@asynccontextmanager
async def callers(url: str, number: int) -> AsyncGenerator[list[Caller]]:
    """Have so many callers, each of whom has called once."""
    everybody = [Caller(url, f"{n:04}") for n in range(number)]
    await calling(everybody, LISTED, rounds=1)
    try:
        yield everybody
    finally:
        for one in everybody:
            await one.close()


async def calling(
    everybody: Sequence[Caller], params: dict[str, object], *, rounds: int = 0
) -> float:
    """Have all call, 64 at a time, for a while or some rounds; return calls a second."""
    turns, began = anyio.CapacityLimiter(IN_FLIGHT), time.perf_counter()
    outcomes = Counter[str]()

    async def go_on(caller: Caller) -> None:
        done = 0
        while done < rounds if rounds else time.perf_counter() < began + SECONDS:
            async with turns:
                outcomes[(await caller.call(params))[1]] += 1
            done += 1

    async with anyio.create_task_group() as tasks:
        for one in everybody:
            tasks.start_soon(go_on, one)
    if outcomes.keys() != {"ok"}:
        raise SystemExit(f"Calls failed: {outcomes}")
    return outcomes["ok"] / (time.perf_counter() - began)


async def processes(folder: Path) -> Table:
    """Calls a second for one, two and four processes behind nginx, which share a Redis."""
    rows: list[list[str]] = []
    alone = 0.0
    for number in (1, 2, 4):
        with ExitStack() as stack:
            service = stack.enter_context(served(delay_ms=DELAY_MS))
            redis_port = machines.free_port()
            stack.enter_context(machines.redis(folder, redis_port))
            shared = {"redis_url": f"redis://127.0.0.1:{redis_port}", "secret": machines.SECRET}
            started = [
                stack.enter_context(
                    machines.server(folder / f"{n}.log", base_url=service, **shared, **UNLIMITED)
                )
                for n in range(number)
            ]
            url = stack.enter_context(machines.nginx(folder, [port for port, _ in started]))
            async with callers(url, IN_FLIGHT) as everybody:
                # So that every process has met every caller.
                await calling(everybody, COUNTED, rounds=2 * number)
                rates: list[str] = []
                costs: list[float] = []
                for params in (LISTED, COUNTED):
                    cpu, began = -cpu_seconds(started), time.perf_counter()
                    rate = await calling(everybody, params)
                    cpu += cpu_seconds(started)
                    calls = rate * (time.perf_counter() - began)
                    costs.append(1_000 * cpu / calls)
                    rates += [f"{rate:.0f}", f"{costs[-1]:.1f}"]
        alone = alone or sum(costs)
        rows.append([str(number), *rates, f"{sum(costs) / alone:.2f}"])
    of_each = [f"{name} {what}" for name in ("list", "preview") for what in ("a second", "ms CPU")]
    headings = ["processes behind nginx", *of_each, "CPU / one process"]
    return Table(headings, rows, {headings[-1]: 1.3})


def megabytes(pid: int) -> float:
    """Return how much memory a process holds."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def cpu_seconds(started: Sequence[tuple[int, subprocess.Popen[str]]]) -> float:
    """Return how much of a processor the servers have used."""
    used = [Path(f"/proc/{process.pid}/stat").read_text().split()[13:15] for _, process in started]
    return sum(int(part) for both in used for part in both) / os.sysconf("SC_CLK_TCK")


async def memory(folder: Path) -> Table:
    """How soon one process is ready, and what it holds with 500 callers connected."""
    with ExitStack() as stack:
        service, began = stack.enter_context(served(delay_ms=DELAY_MS)), time.perf_counter()
        server = machines.server(folder / "log", base_url=service, **UNLIMITED)
        port, process = stack.enter_context(server)
        seconds = time.perf_counter() - began
        rows = [["ready", f"{megabytes(process.pid):.0f}", f"{seconds:.1f} s after its start"]]
        url = f"http://127.0.0.1:{port}"
        async with callers(url, 1) as one:
            await calling(one, COUNTED, rounds=2)
            rows.append(["one caller has called", f"{megabytes(process.pid):.0f}", ""])
            await calling(one, SEARCHED, rounds=1)
            rows.append(["and has searched the topics", f"{megabytes(process.pid):.0f}", ""])
        async with callers(url, CALLERS) as everybody:
            rows.append([f"{CALLERS} callers connected", f"{megabytes(process.pid):.0f}", ""])
            for number in range(1, 4):
                rate = await calling(everybody, LISTED, rounds=1)
                calls = f"{number * CALLERS:,} calls later, {IN_FLIGHT} in flight"
                rows.append([calls, f"{megabytes(process.pid):.0f}", f"{rate:.0f} calls a second"])
    return Table(["one process", "MB", ""], rows, {"MB": 1.25})


@contextmanager
def flooded(url: str, name: str) -> Generator[Counter[str]]:
    """Have somebody call without a pause on sixteen connections; count how they were answered."""
    command = [sys.executable, "-m", "tests.benchmarks.team", url, name]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    outcomes = Counter[str]()
    with running(process):
        assert process.stdout
        process.stdout.readline()  # the flood has begun
        yield outcomes
        outcomes.update(json.loads(process.communicate("\n")[0]))


async def flood(url: str, name: str) -> None:
    """Call without a pause, as a client that heeds no refusal would, until told to stop."""
    everybody, outcomes = [Caller(url, name) for _ in range(16)], Counter[str]()

    async def go_on(caller: Caller) -> None:
        while True:
            outcomes[(await caller.call(LISTED))[1]] += 1

    async with anyio.create_task_group() as tasks:
        for one in everybody:
            tasks.start_soon(go_on, one)
        await anyio.sleep(1)
        print("begun", flush=True)
        await anyio.to_thread.run_sync(sys.stdin.readline)
        tasks.cancel_scope.cancel()
    print(json.dumps(outcomes))


async def fairness(folder: Path) -> Table:
    """The p95 of a quiet caller alone, and beside one that floods."""
    rows: list[list[str]] = []
    for name, settings in (
        ("as shipped", {"log_level": "WARNING"}),
        ("no limit a minute", UNLIMITED),
    ):
        with (
            served(delay_ms=DELAY_MS) as service,
            machines.server(folder / "log", base_url=service, **settings) as (port, _),
        ):
            url = f"http://127.0.0.1:{port}"
            alone, beside, outcomes = list[float](), list[float](), Counter[str]()
            for turn in range(TURNS):
                quiet = Caller(url, f"quiet_{turn}")
                await quiet.times(2)
                alone += await quiet.times(QUIET_CALLS)
                with flooded(url, f"busy_{turn}") as answered:
                    beside += await quiet.times(QUIET_CALLS)
                outcomes += answered
                await quiet.close()
        p95 = [statistics.quantiles(times, n=20)[-1] for times in (alone, beside)]
        ratio = p95[1] / p95[0]
        told = ", ".join(f"{number:,} {outcome}" for outcome, number in outcomes.most_common())
        middle = [
            f"{statistics.median(times):.0f} ({most:.0f})"
            for times, most in zip((alone, beside), p95, strict=True)
        ]
        rows.append([name, *middle, f"{ratio:.2f}", judged(ratio, 1.5), told])
    headings = [
        "a quiet caller, ms: median (p95)",
        "alone",
        "beside one that floods",
        "p95 / p95",
        "goal",
        "the flood's answers",
    ]
    return Table(headings, rows, {"p95 / p95": 1.5})


def measure(part: Callable[[Path], Awaitable[Table]]) -> Table | None:
    """What a server for a team carries; none where its programs are missing."""
    if missing := [name for name in ("redis-server", "nginx") if not shutil.which(name)]:
        print(f"{' and '.join(missing)} missing, so team-{part.__name__} is left out.\n")
        return None
    with tempfile.TemporaryDirectory() as folder:
        return anyio.run(part, Path(folder))


if __name__ == "__main__":
    anyio.run(flood, sys.argv[1], sys.argv[2])
