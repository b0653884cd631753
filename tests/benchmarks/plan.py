"""How long a plan takes, and how much it asks of the service: five topics, six filters, 150 ms."""

import json
import statistics
import time
from typing import Any

import anyio
import time_machine
from mcp import Client

from leadpipe_mcp.sandbox import SandboxSettings
from leadpipe_mcp.server import build_server
from leadpipe_mcp.settings import Settings
from tests.benchmarks.jobs import DAY
from tests.benchmarks.page import SAME, Table
from tests.benchmarks.servers import DELAY_MS
from tests.faults.service import Sandbox

PLANS = 5
BRIEF: dict[str, Any] = {
    "topics": ["CRM", "marketing automation", "sales enablement", "lead scoring", "marketing ROI"],
    "filters": {
        "seniority": ["director", "VP"],
        "department": ["marketing", "sales"],
        "companyIndustry": ["software", "IT services"],
        "companySize": ["51-1000"],
        "state": ["CA", "TX"],
        "hasBusinessEmail": True,
    },
    "targetSize": {"min": 100, "max": 400},
}


async def plan(client: Client, sandbox: Sandbox) -> tuple[float, int, int]:
    """The seconds, requests and tokens of one plan."""
    sandbox.requests.clear()
    started = time.perf_counter()
    result = await client.call_tool("plan_audience", BRIEF)
    seconds = time.perf_counter() - started
    said: dict[str, Any] = result.structured_content or {}
    # How people can be reached is asked last, if requests are left.
    weighed = all(gap.startswith("those with") for gap in said.get("notMeasured", []))
    if result.is_error or not weighed or len(said["config"]["filters"]) != 6:
        raise SystemExit(f"This was no whole plan: {said or result.content}")
    tokens = len(json.dumps(said, ensure_ascii=False, separators=(",", ":"))) // 4
    return seconds, len(sandbox.requests), tokens


async def rows() -> list[list[str]]:
    """A first plan of a process, and the median of some later ones."""
    sandbox = Sandbox(SandboxSettings(delay_ms=DELAY_MS))
    server = build_server(Settings(sandbox=True), service=sandbox)
    async with Client(server) as client:
        await client.list_tools()
        first = await plan(client, sandbox)
        later = [
            statistics.median(figures)
            for figures in zip(*[await plan(client, sandbox) for _ in range(PLANS)], strict=True)
        ]
    return [
        [name, f"{seconds:.2f}", f"{requests:.0f}", f"{tokens:.0f}"]
        for name, (seconds, requests, tokens) in (("the first", first), ("a later one", later))
    ]


def measure() -> Table:
    """What a plan takes."""
    with time_machine.travel(DAY, tick=True):
        found = anyio.run(rows)
    within = {"s": 2.5, "requests": 1.1, "tokens": SAME}
    return Table(["plan_audience", "s", "requests", "tokens"], found, within)
