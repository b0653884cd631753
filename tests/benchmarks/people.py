"""How long everyone of an audience takes: fetched, kept and profiled. `make bench` runs it.

Prints one JSON object. The service is in another process, so what is measured here is ours.
"""

import json
import resource
import sys
import time

import anyio
import httpx
from mcp import Client
from mcp.types import CallToolResult
from pydantic import SecretStr

from leadpipe_mcp.server import build_server
from leadpipe_mcp.settings import Settings

# A topic of the sandbox that nearly everybody researches.
EVERYBODY = {"topicIds": [100_043], "minScore": 50}
KEY = "sk_bench"
WAIT_SECONDS = 110


def as_reply(result: CallToolResult) -> dict[str, object]:
    """What a tool answered."""
    if result.is_error or result.structured_content is None:
        raise SystemExit(f"A call failed: {result.content}")
    return result.structured_content


def megabytes() -> float:
    """The most memory that this process has had so far."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def download_seconds(url: str, audience: str) -> float:
    """How long the service alone takes for its file, nobody reading it; 0 without a file."""
    with httpx.Client(base_url=url, headers={"X-API-Key": KEY}, timeout=WAIT_SECONDS) as service:
        path = f"/v1/intent/audiences/{audience}"
        exported = service.post(f"{path}/export")
        if exported.is_success:
            address = str(exported.json()["data"]["downloadUrl"])
        else:
            run = service.get(f"{path}/runs", params={"limit": 1}).json()["data"][0]["id"]
            address = f"{path}/runs/{run}/export.csv"
        started = time.perf_counter()
        with service.stream("GET", address) as answer:
            if not answer.is_success:
                return 0.0
            for _ in answer.iter_bytes():
                pass
        return time.perf_counter() - started


async def measure(url: str) -> dict[str, float]:
    """The seconds, the microseconds of CPU a person and the memory that a first profile takes."""
    server = build_server(
        Settings(api_key=SecretStr(KEY), base_url=url, confirm="off", log_level="WARNING")
    )
    async with Client(server) as client:
        made = await client.call_tool(
            "create_audience", {"name": "All", "config": EVERYBODY, "status": "active"}
        )
        audience = str(as_reply(made)["id"])
        ready = await client.call_tool("get_audience", {"id": audience, "waitSeconds": 30})
        people = int(str(as_reply(ready)["size"]))
        # The first time the service thinks its people up.
        alone = min([download_seconds(url, audience) for _ in range(2)])
        before = megabytes()
        started, cpu = time.perf_counter(), time.process_time()
        result = await client.call_tool(
            "analyze_audience", {"audienceId": audience}, read_timeout_seconds=WAIT_SECONDS
        )
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    as_reply(result)
    return {
        "people": people,
        "alone": alone,
        "seconds": seconds,
        "cpu": cpu / people * 1e6,
        "memory": megabytes(),
        "more": megabytes() - before,
    }


if __name__ == "__main__":
    print(json.dumps(anyio.run(measure, sys.argv[1])))
