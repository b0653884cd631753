"""Ten thousand calls over a port where one request in five fails, and whether promises hold.

Run with `make soak`; it takes two to five minutes. The service is a process of its own, the server
and 64 callers are this one. Every caller has things of its own, so that at the end it is known of
each what must be there: what was said to be done, once; what was said not to be done, not.
"""

import gc
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import httpx
from mcp import Client
from mcp.types import TextContent

from leadpipe_mcp.server import build_server
from leadpipe_mcp.settings import Settings

CALLS, WARM_UP, CALLERS = 10_000, 1_000, 64
MOST_SECONDS, MOST_GROWTH, DEADLINE_SECONDS = 50.0, 20.0, 900
KEY = "sk_soak"
SERVE = (
    "from tests.faults.service import SandboxSettings, serve;"
    " serve(SandboxSettings(people=300, examples=False, slots=1000, run_seconds=0,"
    " analyses_a_minute=100_000))"
)
# Every so manieth request that is left by those before. Primes, so that they do not come at once.
FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "status", "status": 500, "every": 47},
    {"kind": "status", "status": 503, "every": 53},
    {"kind": "status", "status": 429, "every": 59},
    {"kind": "html", "status": 502, "every": 61},
    {"kind": "refused", "every": 67},
    {"kind": "reset", "every": 71},
    {"kind": "reset_after", "every": 73},
    {"kind": "cut", "every": 79},
    {"kind": "malformed", "every": 83},
    {"kind": "empty", "every": 89},
    {"kind": "html", "status": 200, "every": 97},
    {"kind": "wrong_shape", "every": 101},
    {"kind": "redirect", "every": 103},
    {"kind": "delay", "delay_ms": 300, "every": 107},
    {"kind": "echo", "every": 109},
    {"kind": "status", "status": 503, "retry_after": 1, "every": 307},
    {"kind": "status", "status": 429, "retry_after": 1, "every": 401},
    {"kind": "delay", "delay_ms": 2_000, "every": 409},
    {"kind": "huge", "every": 997},
)
CONFIG: dict[str, Any] = {"topicIds": [117805, 117890], "filters": {"hasPhone": True}}
UNCLEAR = re.compile(r"unclear|unknown|may still come|may be the|not confirmed|look before trying")
BROKEN = re.compile(r"failed inside|Error executing|Traceback|sk_soak|https?://")
READS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("search_topics", {"queries": ["email"]}),
    ("search_topics", {"queries": ["marketing automatoin"]}),
    ("compare_topics", {"topicIds": [117805]}),
    ("get_topic_movers", {}),
    ("find_filters", {"words": ["VPs", "California"]}),
    ("preview_audience", CONFIG),
    ("list_audiences", {}),
    ("get_account_status", {}),
    ("query_audience", CONFIG),
    ("analyze_website_topics", {"url": "www.acme.example"}),
    ("list_pixels", {}),
)
OF_ONE = ("get_audience", "query_audience", "analyze_audience", "export_audience")
WRITES = ("update_audience", "set_status", "run_audience", "update_pixel", "delete_audience", "new")


@dataclass
class Thing:
    """What a caller knows of something that it made: what it may be, by what was said."""

    id: str
    names: set[str]
    statuses: set[str]
    runs: list[int] = field(default_factory=lambda: [0, 0])
    """At least and at most so many."""
    there: set[bool] = field(default_factory=lambda: {True})


@dataclass
class Soak:
    """What has happened so far."""

    client: Client
    calls: int = 0
    named: int = 0
    slowest: tuple[float, str] = (0.0, "")
    replies: Counter[str] = field(default_factory=Counter[str])
    audiences: list[Thing] = field(default_factory=list[Thing])
    pixels: list[Thing] = field(default_factory=list[Thing])
    created: dict[str, str] = field(default_factory=dict[str, str])
    """What was said of each creation, by name: done, not done or unclear."""
    broken: list[str] = field(default_factory=list[str])

    async def call(self, tool: str, **arguments: object) -> tuple[str, dict[str, Any]]:
        """What was said (done, not done, unclear), and the reply."""
        started = time.monotonic()
        result = await self.client.call_tool(tool, arguments)
        seconds = time.monotonic() - started
        self.slowest = max(self.slowest, (seconds, tool))
        self.calls += 1
        (block,) = result.content
        text = block.text if isinstance(block, TextContent) else ""
        if seconds > MOST_SECONDS:
            self.broken.append(f"{tool} took {seconds:.0f} s")
        if result.is_error and BROKEN.search(text):
            self.broken.append(f"{tool} said: {text}")
        said = "done" if not result.is_error else "unclear" if UNCLEAR.search(text) else "not done"
        self.replies[said] += 1
        return said, result.structured_content or {}

    def name(self) -> str:
        self.named += 1
        return f"soak-{self.named}.example"

    async def make(self, kind: str) -> Thing | None:
        name, is_pixel = self.name(), kind == "pixel"
        given = {"domain": name} if is_pixel else {"name": name, "config": CONFIG}
        said, reply = await self.call(f"create_{kind}", **given)
        self.created[name] = said
        if said != "done":
            return None
        thing = Thing(reply["id"], {name}, {"active" if is_pixel else "draft"})
        (self.pixels if is_pixel else self.audiences).append(thing)
        return thing

    async def delete(self, audience: Thing) -> bool:
        said, _ = await self.call("delete_audience", id=audience.id)
        audience.there = {"done": {False}, "unclear": {True, False}}.get(said, {True})
        return said == "not done"


async def write(soak: Soak, dice: random.Random, audience: Thing, pixel: Thing) -> Thing | None:
    """One change; the audience that is gone on with, None where it was deleted."""
    kind, status = dice.choice(WRITES), dice.choice(["active", "paused"])
    thing = pixel if kind == "update_pixel" else audience
    if kind == "delete_audience":
        return audience if await soak.delete(audience) else None
    if kind == "run_audience":
        said, _ = await soak.call(kind, id=audience.id)
        audience.runs[0] += said == "done"
        audience.runs[1] += said != "not done"
    elif kind == "update_audience":
        name = soak.name()
        said, _ = await soak.call(kind, id=audience.id, name=name)
        audience.names = {"done": {name}, "not done": audience.names}.get(
            said, {*audience.names, name}
        )
    elif kind != "new":
        said, _ = await soak.call(kind, id=thing.id, status=status)
        thing.statuses = {"done": {status}, "not done": thing.statuses}.get(
            said, {*thing.statuses, status}
        )
    elif dice.random() < 0.1:
        await soak.make("pixel")
    return audience


async def read(soak: Soak, dice: random.Random, audience: Thing) -> None:
    if dice.random() < 0.01:
        filters = {"seniority": ["VP"], "state": ["CA"]}
        await soak.call("plan_audience", topics=CONFIG["topicIds"], filters=filters)
    elif dice.random() < 0.3:
        tool = dice.choice(OF_ONE)
        key = "audienceId" if tool in {"query_audience", "analyze_audience"} else "id"
        named = {"fileName": f"{soak.name()}.csv"} if tool == "export_audience" else {}
        await soak.call(tool, **{key: audience.id}, **named)
    else:
        tool, arguments = dice.choice(READS)
        await soak.call(tool, **arguments)


async def caller(soak: Soak, number: int, until: int) -> None:
    """One of those who call, until so many calls were made by all."""
    dice = random.Random(number * 100_003 + until)  # noqa: S311 -- no secret
    audience: Thing | None = None
    pixel: Thing | None = None
    while soak.calls < until:
        if audience is None:
            audience = await soak.make("audience")
        elif pixel is None:
            pixel = await soak.make("pixel")
        elif dice.random() < 0.4:
            audience = await write(soak, dice, audience, pixel)
        else:
            await read(soak, dice, audience)
    if audience is not None:
        # The list of audiences must not grow beyond what the service shows.
        await soak.delete(audience)


async def all_callers(soak: Soak, until: int) -> None:
    async with anyio.create_task_group() as callers:
        for number in range(CALLERS):
            callers.start_soon(caller, soak, number, until)


def what_is_wrong(soak: Soak, service: httpx.Client) -> Iterator[str]:
    pixels = {one["id"]: one for one in data(service, "/v1/data/pixels")}
    names = Counter[str](one["domain"] for one in pixels.values())
    for status in ("draft", "active", "paused"):
        listed = data(service, f"/v1/intent/audiences?status={status}&limit=100")
        names.update(one["name"] for one in listed)
    for thing in soak.audiences:
        yield from wrong_audience(thing, service)
    for thing in soak.pixels:
        if (pixel := pixels.get(thing.id)) is None or pixel["status"] not in thing.statuses:
            yield f"the pixel {thing.names} is {pixel}, not {thing.statuses}"
    things = [thing for thing in (*soak.audiences, *soak.pixels) if True in thing.there]
    possible = {name for thing in things for name in thing.names}
    possible |= {name for name, said in soak.created.items() if said == "unclear"}
    for name, times in names.items():
        if times > 1:
            yield f"{name} is there {times} times"
        # So is a second one, made unseen, of something that was renamed or deleted since.
        if name not in possible:
            yield f"{name} is there, and was not said to be"


def wrong_audience(thing: Thing, service: httpx.Client) -> Iterator[str]:
    found = service.get(f"/v1/intent/audiences/{thing.id}")
    if found.is_success not in thing.there:
        yield f"{thing.names} there: {found.is_success}, not {thing.there}"
    if not found.is_success:
        return
    audience = found.json()["data"]
    if audience["name"] not in thing.names or audience["status"] not in thing.statuses:
        yield f"{audience['name']} is {audience['status']}, not {thing.names}, {thing.statuses}"
    runs = data(service, f"/v1/intent/audiences/{thing.id}/runs?limit=100")
    manual = sum(run["runType"] == "manual" for run in runs)
    if not thing.runs[0] <= manual <= thing.runs[1]:
        yield f"{audience['name']} has {manual} runs, not {thing.runs}"


def data(service: httpx.Client, path: str) -> Any:  # noqa: ANN401 -- JSON
    return service.get(path).raise_for_status().json()["data"]


def resident() -> float:
    gc.collect()
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


@contextmanager
def service() -> Generator[httpx.Client]:
    command = [sys.executable, "-c", SERVE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        headers = {"X-API-Key": KEY}
        with httpx.Client(base_url=url, headers=headers, timeout=30, trust_env=False) as client:
            try:
                yield client
            finally:
                process.terminate()
                process.wait(timeout=10)


async def soaked(url: str, folder: str) -> tuple[Soak, float, float]:
    """What has happened after all calls; the memory after the first thousand, and at the end."""
    environment = {
        "LEADPIPE_API_KEY": KEY,
        "LEADPIPE_BASE_URL": url,
        "LEADPIPE_CONFIRM": "off",
        "LEADPIPE_TOOLSETS": "topics,audiences,results,account,visitors",
        "LEADPIPE_EXPORT_DIR": folder,
    }
    with anyio.fail_after(DEADLINE_SECONDS):
        async with Client(build_server(Settings.read(environment, {}))) as client:
            soak = Soak(client)
            await all_callers(soak, WARM_UP)
            before = resident()
            await all_callers(soak, CALLS)
            return soak, before, resident()


def main() -> int:
    """1 if a promise was broken, else 0; a summary is printed."""
    os.environ["NO_PROXY"] = "127.0.0.1"
    started = time.monotonic()
    with service() as client, tempfile.TemporaryDirectory() as folder:
        for fault in FAULTS:
            sent = {"times": None, **fault}
            client.post("/_sandbox/faults", json=sent).raise_for_status()
        soak, before, after = anyio.run(soaked, str(client.base_url), folder)
        struck = sum(fault["happened"] for fault in data(client, "/_sandbox/faults"))
        client.delete("/_sandbox/faults")
        broken = [*soak.broken, *what_is_wrong(soak, client)]
    if after - before > MOST_GROWTH:
        broken.append(f"memory grew by {after - before:.1f} MB")
    said, replies = Counter(soak.created.values()), soak.replies
    lines = [
        f"{soak.calls:,} calls in {time.monotonic() - started:.0f} s, {CALLERS} at once",
        f"{struck:,} requests met a fault",
        *(f"{number:,} replies say {what}" for what, number in replies.most_common()),
        *(f"{number:,} things said to be {what}" for what, number in said.most_common()),
        f"slowest call: {soak.slowest[0]:.1f} s ({soak.slowest[1]})",
        f"memory: {before:.1f} MB after {WARM_UP:,} calls, {after:.1f} MB at the end",
        f"broken promises: {len(broken)}",
        *(f"  {promise}" for promise in broken[:20]),
    ]
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
