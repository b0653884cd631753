"""What a whole job takes an assistant: with our tools, and with the service's own pages as JSON.

The plain way has a tool for each route, whose reply is the service's JSON, and asks as little as
the job allows: the largest pages, no route twice but to wait. Both begin with what a user says:
topics and people in words. Tokens are those of the replies, and a token is reckoned as four
characters. The sandbox's people are those of one day, so that calls and tokens are always the same.
"""

import datetime as dt
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx
import time_machine
from mcp import Client
from mcp.client.session import ClientRequestContext
from mcp.types import ElicitRequestParams, ElicitResult, TextContent

from leadpipe_mcp.sandbox import Sandbox, SandboxSettings
from leadpipe_mcp.server import build_server
from leadpipe_mcp.settings import Settings
from tests.benchmarks.page import SAME, Table, judged
from tests.benchmarks.servers import AUDIENCES, DELAY_MS, EVERYBODY

Body = dict[str, Any]
DAY = dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC)
PHRASES = ("CRM", "marketing automation")
SPOKEN: Body = {
    "seniority": ["director", "VP"],
    "department": ["marketing"],
    "companyIndustry": ["software"],
    "hasBusinessEmail": True,
}
SPELLED: Body = {
    "role.seniority": {"values": ["director", "vp"]},
    "role.departments": {"values": ["marketing"]},
    "company.industries": {"values": ["software development"]},
    "contact.hasBusinessEmail": True,
}
# About five thousand people of the sandbox; how many, differs from day to day.
MANY: Body = {**EVERYBODY, "filters": {"state": ["california", "texas"]}}
SCORES = (50, 60, 70, 80, 90)
PAGE = 100
POLL_SECONDS = 1.0
FIELDS = ["name", "jobTitle", "company", "companySize", "state", "contactEmail"]
TOKENS_GOAL, CALLS_GOAL = 0.1, 0.5


@dataclass
class Ways:
    """Both ways to the same service; what each has taken is counted."""

    client: Client
    http: httpx.AsyncClient
    audience: str = ""
    """One of some hundred people."""
    large: str = ""
    """One of about five thousand."""
    calls: int = 0
    characters: int = 0

    async def ours(self, tool: str, **arguments: object) -> Body:
        """Call a tool of ours."""
        result = await self.client.call_tool(tool, arguments)
        texts = [block.text for block in result.content if isinstance(block, TextContent)]
        # How long the name of the home is, is no matter.
        self._count("".join(texts).replace(str(Path.home()), "~"))
        assert not result.is_error, texts
        return result.structured_content or {}

    async def plain(self, method: str, path: str, body: Body | None = None) -> Body:
        """Ask the service as a tool would that hands on its JSON."""
        answer = await self.http.request(method, path, json=body)
        self._count(answer.text)
        assert answer.is_success, answer.text
        return answer.json() if "json" in answer.headers["content-type"] else {}

    def _count(self, text: str) -> None:
        self.calls += 1
        self.characters += len(text)

    async def taken(self, job: "Callable[[Ways], Awaitable[None]]") -> tuple[int, int, float]:
        """The calls, tokens and seconds of one way through a job."""
        self.calls = self.characters = 0
        began = time.perf_counter()
        await job(self)
        return self.calls, self.characters // 4, time.perf_counter() - began


@dataclass(frozen=True)
class Job:
    """One thing that a user wants done, in both ways."""

    name: str
    ours: Callable[[Ways], Awaitable[None]]
    plain: Callable[[Ways], Awaitable[None]]


async def size(ways: Ways) -> None:
    await ways.ours("plan_audience", topics=PHRASES, filters=SPOKEN, depth="size")


async def plain_size(ways: Ways) -> None:
    await preview(ways, SPELLED, await plain_topics(ways), 70)


async def plan(ways: Ways) -> None:
    await ways.ours("plan_audience", topics=PHRASES, filters=SPOKEN)


async def plain_plan(ways: Ways) -> None:
    topics = await plain_topics(ways)
    for score in SCORES:
        await preview(ways, SPELLED, topics, score)
    for left_out in SPELLED:
        kept = {name: value for name, value in SPELLED.items() if name != left_out}
        await preview(ways, kept, topics, 70)
    for topic in topics:
        await preview(ways, SPELLED, [other for other in topics if other != topic], 70)


async def read(ways: Ways) -> None:
    await ways.ours("query_audience", audienceId=ways.audience, limit=PAGE, fields=FIELDS)


async def plain_read(ways: Ways) -> None:
    run = (await runs(ways, ways.audience))[0]
    await page(ways, ways.audience, run, 0)


async def profile(ways: Ways) -> None:
    await ways.ours("analyze_audience", audienceId=ways.large)


async def plain_profile(ways: Ways) -> None:
    await everyone(ways, ways.large, (await runs(ways, ways.large))[0])


async def activate(ways: Ways) -> None:
    planned = await ways.ours("plan_audience", topics=PHRASES, filters=SPOKEN, depth="size")
    config = planned["config"]
    saved = await ways.ours("create_audience", name="Ours", status="active", config=config)
    ready = await ways.ours("get_audience", id=saved["id"], waitSeconds=30)
    assert ready["run"]["state"] == "ready"


async def plain_activate(ways: Ways) -> None:
    config = {"topicIds": await plain_topics(ways), "minScore": 70, "filters": SPELLED}
    await ways.plain("GET", "/v1/data/account")
    await ways.plain("POST", f"{AUDIENCES}/preview", config)
    saved = await ways.plain("POST", AUDIENCES, {"name": "Plain", "config": config})
    made = saved["data"]["id"]
    await ways.plain("PATCH", f"{AUDIENCES}/{made}", {"status": "active"})
    while not await runs(ways, made):  # noqa: ASYNC110 -- the service has no other way to wait
        await anyio.sleep(POLL_SECONDS)


async def compare(ways: Ways) -> None:
    run = (await ways.ours("get_audience", id=ways.audience))["runs"]["rows"][1][0]
    await ways.ours("analyze_audience", audienceId=ways.audience, compareWith={"runId": run})


async def plain_compare(ways: Ways) -> None:
    for run in (await runs(ways, ways.audience))[:2]:
        await everyone(ways, ways.audience, run)


async def export(ways: Ways) -> None:
    await ways.ours("export_audience", audienceId=ways.audience)


async def plain_export(ways: Ways) -> None:
    run = (await runs(ways, ways.audience))[0]
    await ways.plain("GET", f"{AUDIENCES}/{ways.audience}/runs/{run}/export.csv")


async def plain_topics(ways: Ways) -> list[int]:
    """The filters that there are, and the topics of the phrases."""
    await ways.plain("GET", f"{AUDIENCES}/filters")
    found = [
        await ways.plain("GET", f"/v1/intent/topics/search?q={phrase}&limit=10")
        for phrase in PHRASES
    ]
    return [some["data"][0]["topicId"] for some in found]


async def preview(ways: Ways, filters: Body, topics: list[int], score: int) -> None:
    """Count who matches."""
    config = {"topicIds": topics, "minScore": score, "filters": filters}
    await ways.plain("POST", f"{AUDIENCES}/preview", config)


async def runs(ways: Ways, audience: str) -> list[str]:
    """The completed runs, the newest first."""
    listed = await ways.plain("GET", f"{AUDIENCES}/{audience}/runs?limit=5")
    return [run["id"] for run in listed["data"] if run["status"] == "completed"]


async def page(ways: Ways, audience: str, run: str, offset: int) -> int:
    """How many people are on one page of a run."""
    path = f"{AUDIENCES}/{audience}/runs/{run}/results?limit={PAGE}&offset={offset}"
    return len((await ways.plain("GET", path))["data"]["results"])


async def everyone(ways: Ways, audience: str, run: str) -> None:
    """Read all pages of a run."""
    offset = 0
    while await page(ways, audience, run, offset) == PAGE:
        offset += PAGE


JOBS = [
    Job("size an ICP: two topics, four filters", size, plain_size),
    Job("plan it: sizes by score, what each filter and topic costs", plan, plain_plan),
    Job("read 100 people", read, plain_read),
    Job("profile of {people:,} people", profile, plain_profile),
    Job("plan it, create, activate, wait until people are there", activate, plain_activate),
    Job("compare two days", compare, plain_compare),
    Job("everyone into a CSV file", export, plain_export),
]


@asynccontextmanager
async def both_ways(delay_ms: int = 0) -> AsyncGenerator[Ways]:
    """Ours and the plain way to one service, whose answers may take their time."""

    async def agree(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        return ElicitResult(action="accept", content={"approve": True})

    service = Sandbox(SandboxSettings(profile="catalog", delay_ms=delay_ms, slots=9))
    server = build_server(Settings(sandbox=True), service=service)
    asgi = httpx.ASGITransport(service)
    key = {"X-API-Key": "sk_sandbox"}
    async with (
        Client(server, elicitation_callback=agree) as client,
        httpx.AsyncClient(transport=asgi, base_url="http://127.0.0.1", headers=key) as http,
    ):
        yield Ways(client, http)


async def rows() -> list[list[str]]:
    """Do every job in both ways."""
    async with both_ways(DELAY_MS) as ways:
        listed = await ways.ours("list_audiences")
        made = await ways.ours("create_audience", name="Many", status="active", config=MANY)
        large = await ways.ours("get_audience", id=made["id"], waitSeconds=45)
        rows: list[list[str]] = []
        ways.audience, ways.large = listed["audiences"]["rows"][0][0], made["id"]
        for job in JOBS:
            plain_calls, plain_tokens, plain_seconds = await ways.taken(job.plain)
            calls, tokens, seconds = await ways.taken(job.ours)
            rows.append(
                [
                    job.name.format(people=large["run"]["size"]),
                    *(f"{plain_calls}", f"{calls}", judged(calls / plain_calls, CALLS_GOAL)),
                    *(f"{plain_tokens:,}", f"{tokens:,}", f"{tokens / plain_tokens:.2g}"),
                    judged(tokens / plain_tokens, TOKENS_GOAL),
                    *(f"{plain_seconds:.1f}", f"{seconds:.1f}"),
                ]
            )
        return rows


def measure() -> Table:
    """What whole jobs take."""
    with time_machine.travel(DAY, tick=True):
        found = anyio.run(rows)
    calls = ["plain calls", "calls", "goal for calls"]
    tokens = ["plain tokens", "tokens", "tokens / plain", "goal for tokens"]
    exact = [name for name in (*calls, *tokens) if "goal" not in name]
    within = {**dict.fromkeys(exact, SAME), "plain s": 2.5, "s": 2.5}
    return Table(["job", *calls, *tokens, "plain s", "s"], found, within)
