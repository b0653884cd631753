"""A world for each cell: a service, a server and a client of their own, and what became of it."""

import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
from mcp import Client
from mcp.types import TextContent

from leadpipe_mcp.api import topics
from leadpipe_mcp.api.connections import Incoming, Outgoing, serve_in_process
from leadpipe_mcp.sandbox import SandboxSettings, SonarlySettings
from leadpipe_mcp.server import build_server
from leadpipe_mcp.settings import Settings
from leadpipe_mcp.tools.toolsets import TOOLSETS
from tests.faults import cells
from tests.faults.service import READING, Sandbox, SonarlySandbox

KEY = "sk_live_matrix"
# An address that nobody outside should read; nothing is sent there.
SERVICE = "http://127.0.0.1:8787"
DEADLINE_SECONDS = 600
NOW = datetime(2026, 5, 5, 9, 15, tzinfo=UTC).timestamp()
# When something was made at Sonarly is compared with this machine's clock.
STARTED = time.time()
Json = dict[str, Any]
# Requests that change nothing, though they are POSTs; an export is kept by the service.


@dataclass(frozen=True)
class Outcome:
    """What a call came to."""

    text: str
    is_refusal: bool
    seconds: float
    """How long it took, by the clock of the event loop."""
    state: Json
    """What there is afterwards at the services, and as files."""
    may_have_written: bool
    """Whether a request that changes something was sent at all."""
    reply: Json = field(default_factory=dict[str, Any])
    struck: bool = True
    """Whether there was a request for the fault to strike."""


@dataclass(frozen=True)
class Unspoilt:
    """How a call goes when nothing goes wrong."""

    before: Json
    """What there is before it."""
    outcome: Outcome
    half: Json | None = None
    """What there is after half of its work, where halves can be told apart."""


class World:
    """Both services as they are before a call, and a folder for what is written."""

    def __init__(self, row: cells.Row, folder: Path) -> None:
        self.row, self.folder = row, folder
        played = SandboxSettings(people=300, run_seconds=row.run_seconds)
        self.leadpipe = Sandbox(played, clock=lambda: NOW)
        self.sonarly = SonarlySandbox(SonarlySettings(people=300), clock=lambda: STARTED)
        self.service = self.sonarly if row.tool.startswith("sonarly") else self.leadpipe
        for file in self._files():
            file.unlink()

    async def ids(self) -> dict[str, str]:
        """What there is, by its places in arguments; a run is queued where runs take time."""
        audiences = {one["status"]: one["id"] for one in await self._ask("/v1/intent/audiences")}
        runs = f"/v1/intent/audiences/{audiences['active']}/runs"
        places = await self._ask(f"{await self._group()}/navigation")
        folder = next(one for one in places["folders"] if one["audiences"])
        outside = {one["name"]: one["id"] for one in places["ungroupedAudiences"]}
        return {
            cells.ACTIVE: audiences["active"],
            cells.PAUSED: audiences["paused"],
            cells.QUEUED_RUN: (await self._ask(runs, "POST"))["id"] if self.row.run_seconds else "",
            cells.PIXEL: (await self._ask("/v1/data/pixels"))[0]["id"],
            cells.LINKED: folder["audiences"][0]["id"],
            cells.UNFILED: outside["Spring Outreach"],
            cells.FOLDER: folder["id"],
        }

    async def state(self) -> Json:
        """What there is at the service that the tool is of, and as files."""
        self.service.faults.clear()
        files = [path.name for path in self._files()]
        if self.service is self.sonarly:
            group = await self._group()
            listed = (await self._ask(f"{group}?limit=100"))["items"]
            folders = await self._ask(f"{group}/navigation")
            return {"audiences": listed, "folders": folders, "files": files}
        audiences = await self._ask("/v1/intent/audiences")
        runs: list[Json] = []
        for one in audiences:
            runs += await self._ask(f"/v1/intent/audiences/{one['id']}/runs")
        for run in runs:
            # The client makes it up anew for each call.
            del run["idempotencyKey"]
        pixels = await self._ask("/v1/data/pixels")
        return {"audiences": audiences, "runs": runs, "pixels": pixels, "files": files}

    async def call(self, ids: dict[str, str], era: str) -> Outcome:
        """What the tool's call comes to, through a server and a client of their own."""
        self.service.requests.clear()
        server = build_server(self.settings(), service=self.leadpipe, sonarly=self.sonarly)
        with anyio.fail_after(DEADLINE_SECONDS):
            async with Client(server, mode=era) as client:
                started = anyio.current_time()
                result = await client.call_tool(self.row.tool, cells.given(self.row.arguments, ids))
                seconds = anyio.current_time() - started
        (block,) = result.content
        assert isinstance(block, TextContent)
        written = [
            request
            for request in self.service.requests
            if request.method != "GET" and not request.path.endswith((*READING, "/export"))
        ]
        struck = any(fault["happened"] for fault in self.service.faults.listed())
        return Outcome(
            text=block.text,
            is_refusal=result.is_error or False,
            seconds=seconds,
            state=await self.state(),
            may_have_written=bool(written),
            reply=result.structured_content or {},
            struck=struck,
        )

    async def keep_some_topics(self) -> None:
        """Keep a catalogue as from yesterday, small because 20,000 topics take long."""
        rows = await self._ask("/v1/intent/topics?limit=30000")
        some = [
            topic
            for number, topic in enumerate(map(topics.Topic.model_validate, rows))
            if number % 50 == 0 or topic.id in cells.TOPICS
        ]
        kept_in = self.settings().topics_dir
        assert kept_in is not None
        file = topics.catalogue_file(kept_in, SERVICE)
        await file.keep(topics.written(tuple(some)))

    def settings(self) -> Settings:
        """A server for a person with a key, who lets it do everything unasked."""
        # The fewer tools a server offers, the sooner its client has listed them.
        (toolset,) = (
            name for name, tools in TOOLSETS.items() for one in tools if one.name == self.row.tool
        )
        environment = {
            "LEADPIPE_API_KEY": KEY,
            "LEADPIPE_BASE_URL": SERVICE,
            "LEADPIPE_CONFIRM": "off",
            "LEADPIPE_TOOLSETS": toolset,
            "LEADPIPE_EXPORT_DIR": str(self.folder / "exported"),
            "SONARLY_BASE_URL": SERVICE,
        }
        if toolset == "sonarly":
            environment["SONARLY_API_KEY"] = KEY
        if not self.row.knows_no_topics:
            # The names of the topics are fetched once a day, and kept here.
            environment["HOME"] = str(self.folder)
        return Settings.read(environment, {})

    def _files(self) -> list[Path]:
        return sorted((self.folder / "exported").glob("*"))

    async def _group(self) -> str:
        groups = (await self._ask("/v1/accounts"))["items"]
        return f"/v1/accounts/{groups[0]['id']}/audiences"

    async def _ask(self, path: str, method: str = "GET") -> Any:  # noqa: ANN401 -- JSON
        service = self.sonarly if path.startswith("/v1/accounts") else self.leadpipe
        headers = {"X-API-Key": KEY, "Authorization": f"Bearer {KEY}"}
        incoming = Incoming()
        asked = Outgoing(method, f"http://sandbox.test{path}", headers)
        await serve_in_process(service)(asked, incoming)
        return json.loads(incoming.received().body)["data"]


async def unspoilt(row: cells.Row, folder: Path) -> Unspoilt:
    """How the row's call goes when nothing goes wrong."""
    world = World(row, folder)
    ids = await world.ids()
    before = await world.state()
    outcome = await world.call(ids, "auto")
    assert not outcome.is_refusal, outcome.text
    half = next((other for other in cells.ROWS if other.name == row.half), None)
    return Unspoilt(before, outcome, (await unspoilt(half, folder)).outcome.state if half else None)


async def spoilt(cell: cells.Cell, folder: Path) -> Outcome:
    """What the cell's call comes to."""
    world = World(cell.row, folder)
    ids = await world.ids()
    world.service.faults.add(cell.armed())
    return await world.call(ids, cell.era)
