"""How long a plan takes, and how much it asks of the service: five topics, six filters, 150 ms.

Run with `make bench`. The machine's load moves the seconds; the requests and the tokens stay.
"""

import json
import statistics
import time
from typing import Any

import anyio
from mcp import Client

from leadpipe_mcp.sandbox import SandboxSettings
from leadpipe_mcp.server import build_server
from leadpipe_mcp.settings import Settings
from tests.faults.service import Sandbox

DELAY_MS = 150
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


async def main() -> None:
    """Print a cold plan, and the median of some later ones."""
    sandbox = Sandbox(SandboxSettings(delay_ms=DELAY_MS))
    server = build_server(Settings(sandbox=True), service=sandbox)
    async with Client(server) as client:
        await client.list_tools()
        print(f"plan_audience, 5 topics, 6 filters, ladder and weights, {DELAY_MS} ms per request")
        seconds, requests, tokens = await plan(client, sandbox)
        print(f"  first: {seconds:.2f} s, {requests} requests, {tokens:,} tokens")
        times, most, _ = zip(*[await plan(client, sandbox) for _ in range(PLANS)], strict=True)
        middle = statistics.median(times)
        print(f"  later: {middle:.2f} s (median of {PLANS}), at most {max(most)} requests")


anyio.run(main)
