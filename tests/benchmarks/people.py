"""How long everyone of an audience takes: fetched, counted, written. Run with `make bench`.

First 5,000 people with 150 ms per request, then 300,000, through the server and its sandbox in one
process, the making of the people included. Files lie in a temporary folder and are deleted.
"""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import anyio
from mcp import Client

from leadpipe_mcp.sandbox import Sandbox, SandboxSettings
from leadpipe_mcp.server import build_server
from leadpipe_mcp.settings import Settings

# A topic of the sandbox that nearly everybody researches.
EVERYBODY = 100_043


def megabytes() -> float:
    """The most memory that this process has had so far."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


class Bench:
    """A client that prints how long each call takes."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def call(self, what: str, tool: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 -- whatever the tool takes
        """The tool's reply."""
        started, before = time.perf_counter(), megabytes()
        result = await self._client.call_tool(tool, arguments, read_timeout_seconds=300)
        seconds, more = time.perf_counter() - started, megabytes() - before
        if result.is_error:
            raise SystemExit(f"{tool}: {result.content}")
        reply: dict[str, Any] = result.structured_content or {}
        tokens = len(json.dumps(reply, ensure_ascii=False, separators=(",", ":"))) // 4
        if what:
            print(f"  {what}: {seconds:.2f} s, {tokens:,} tokens, {more:.0f} MB more memory")
        return reply


async def measure(settings: SandboxSettings, wanted: dict[str, Any], folder: Path) -> None:
    """Print what an audience costs."""
    server = build_server(
        Settings(sandbox=True, confirm="off", export_dir=folder), service=Sandbox(settings)
    )
    async with Client(server) as client:
        bench = Bench(client)
        made = await bench.call("", "create_audience", name="All", config=wanted, status="active")
        audience = made["id"]
        ready = await bench.call("", "get_audience", id=audience, waitSeconds=30)
        print(f"{ready['size']:,} people, {settings.delay_ms} ms per request")
        of = {"audienceId": audience}
        await bench.call("fetched, and a profile", "analyze_audience", **of)
        await bench.call("the profile again", "analyze_audience", **of)
        columns = ["companyIndustry", "seniority", "state"]
        await bench.call("grouped by three columns", "analyze_audience", **of, groupBy=columns)
        sql = "SELECT company, count(*) FROM people GROUP BY 1 ORDER BY 2 DESC LIMIT 10"
        await bench.call("one SQL question", "analyze_audience", **of, sql=sql)
        await bench.call("exported to CSV", "export_audience", id=audience)


def main() -> None:
    """Measure a usual audience and the largest."""
    usual = {"topicIds": [117805], "minScore": 60}
    everybody = {"topicIds": [EVERYBODY], "minScore": 50}
    with tempfile.TemporaryDirectory() as folder:
        small = SandboxSettings(people=50_000, delay_ms=150, run_seconds=0)
        anyio.run(measure, small, usual, Path(folder))
        large = SandboxSettings(people=310_000, run_seconds=0)
        anyio.run(measure, large, everybody, Path(folder))


main()
