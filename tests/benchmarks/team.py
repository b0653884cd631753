"""What a server for a team carries: calls a second, memory with many callers, and fairness.

`make bench` runs it. Servers, nginx and the sandbox that they ask are processes of their own on
127.0.0.1, and share the machine's cores with the callers: so the numbers are floors. It needs
Linux, and nginx (of Debian: nginx-light).
"""

import statistics
import tempfile
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import anyio
import httpx2

from tests.hosting import machines
from tests.hosting.conftest import HEADERS

SECONDS = 8.0
CALLERS = 500
IN_FLIGHT = 64
QUIET_CALLS = 60
UNLIMITED = {"requests_per_minute": "1000000", "calls_at_once": "64", "log_level": "WARNING"}
LISTED: dict[str, object] = {"name": "list_audiences", "arguments": {}}
COUNTED: dict[str, object] = {
    "name": "preview_audience",
    "arguments": {"topicIds": [117805], "filters": {"seniority": ["vp"]}},
}


class Caller:
    """Someone with a key of their own, on a connection that stays open."""

    def __init__(self, url: str, number: int) -> None:
        self._url = f"{url}/mcp"
        key = {"authorization": f"Bearer sk_live_bench_{number:04}"}
        self._http = httpx2.AsyncClient(headers=HEADERS | key, timeout=60)

    async def call(self, params: dict[str, object]) -> tuple[float, bool]:
        """Call a tool; return the milliseconds, and whether it was answered as it should be."""
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        began = time.perf_counter()
        answer = await self._http.post(self._url, json=body)
        return 1000 * (time.perf_counter() - began), '"isError":false' in answer.text

    async def close(self) -> None:
        """Hang up."""
        await self._http.aclose()


@asynccontextmanager
async def callers(url: str, number: int) -> AsyncGenerator[list[Caller]]:
    """Have so many callers, each of whom has called once."""
    everybody = [Caller(url, n) for n in range(number)]
    await flood(everybody, LISTED, rounds=1)
    try:
        yield everybody
    finally:
        for one in everybody:
            await one.close()


async def flood(
    everybody: Sequence[Caller], params: dict[str, object], *, rounds: int = 0
) -> tuple[int, int]:
    """Have all of them call, 64 at a time; return how many calls were answered, and how many not.

    Without a number of rounds they go on for a while.
    """
    turns, until = anyio.CapacityLimiter(IN_FLIGHT), time.perf_counter() + SECONDS
    outcomes: list[bool] = []

    async def go_on(caller: Caller) -> None:
        done = 0
        while done < rounds if rounds else time.perf_counter() < until:
            async with turns:
                outcomes.append((await caller.call(params))[1])
            done += 1

    async with anyio.create_task_group() as tasks:
        for one in everybody:
            tasks.start_soon(go_on, one)
    return outcomes.count(True), outcomes.count(False)


async def measure_processes(service: str, folder: Path) -> None:
    """Print calls a second for one, two and four processes behind nginx."""
    print("\n| processes behind nginx | list_audiences a second | preview_audience a second |")
    print("| ---: | ---: | ---: |")
    for number in (1, 2, 4):
        with ExitStack() as stack:
            started = [
                stack.enter_context(
                    machines.server(
                        folder / f"{n}.log",
                        base_url=service,
                        secret=machines.SECRET,
                        **UNLIMITED,
                    )
                )
                for n in range(number)
            ]
            url = stack.enter_context(machines.nginx(folder, [port for port, _ in started]))
            async with callers(url, IN_FLIGHT) as everybody:
                # So that every process has met every caller.
                await flood(everybody, COUNTED, rounds=2 * number)
                rates: list[str] = []
                for params in (LISTED, COUNTED):
                    began = time.perf_counter()
                    answered, failed = await flood(everybody, params)
                    rate = answered / (time.perf_counter() - began)
                    rates.append(f"{rate:.0f}" + (f" ({failed} failed)" if failed else ""))
        print(f"| {number} | {rates[0]} | {rates[1]} |", flush=True)


def megabytes(pid: int) -> float:
    """Return how much memory a process holds."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


async def measure_memory(service: str, folder: Path) -> None:
    """Print what one process holds with 500 callers connected and 64 calls in flight."""
    with machines.server(folder / "log", base_url=service, **UNLIMITED) as (port, process):
        url = f"http://127.0.0.1:{port}"
        async with callers(url, 1) as one:
            await flood(one, COUNTED, rounds=2)
            held = [f"one caller {megabytes(process.pid):.0f}"]
        async with callers(url, CALLERS) as everybody:
            held.append(f"{CALLERS} connected {megabytes(process.pid):.0f}")
            failed = 0
            for number in (1, 2, 3):
                failed += (await flood(everybody, LISTED, rounds=2))[1]
                held.append(f"round {number} {megabytes(process.pid):.0f}")
    print(f"\nMemory of one process, MB: {', '.join(held)}; {failed} calls failed")


async def measure_fairness(service: str, folder: Path) -> None:
    """Print the p95 of a quiet caller alone, and beside one that floods, three times in turn."""
    limits = {"requests_per_minute": "1000000", "log_level": "WARNING"}
    with machines.server(folder / "log", base_url=service, **limits) as (port, _):
        url = f"http://127.0.0.1:{port}"
        quiet, busy = Caller(url, 1), [Caller(url, 2) for _ in range(16)]
        ratios: list[str] = []
        for _ in range(3):
            alone, beside = await p95_of(quiet), 0.0
            async with anyio.create_task_group() as tasks:
                for one in busy:
                    tasks.start_soon(keep_calling, one)
                beside = await p95_of(quiet)
                tasks.cancel_scope.cancel()
            ratios.append(f"{alone:.0f} and {beside:.0f} ms ({beside / alone:.2f})")
        for one in (quiet, *busy):
            await one.close()
    print(f"\np95 of a quiet caller alone and beside one that floods: {'; '.join(ratios)}")


async def p95_of(caller: Caller) -> float:
    """Return the milliseconds within which 95 of a hundred calls are answered."""
    times = [(await caller.call(LISTED))[0] for _ in range(QUIET_CALLS)]
    return statistics.quantiles(times, n=20)[-1]


async def keep_calling(caller: Caller) -> None:
    """Call until stopped, as a client that heeds no refusal would."""
    while True:
        await caller.call(LISTED)


async def main() -> None:
    """Measure all of it."""
    with machines.sandbox() as service, tempfile.TemporaryDirectory() as folder:
        await measure_processes(service, Path(folder))
        await measure_memory(service, Path(folder))
        await measure_fairness(service, Path(folder))


if __name__ == "__main__":
    anyio.run(main)
