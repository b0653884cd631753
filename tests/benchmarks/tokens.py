"""How many tokens a model reads: what the server says of itself, and what its tools answer.

A token is reckoned as four characters. The sandbox's people are those of one day, so that every
number is the same on every machine.
"""

import json
from collections.abc import AsyncIterator
from typing import get_args

import anyio
import time_machine
from mcp import Client

from leadpipe_mcp.server import build_server
from leadpipe_mcp.settings import DEFAULT_TOOLSETS, Settings, Toolset
from tests.benchmarks.jobs import (
    DAY,
    FIELDS,
    PHRASES,
    SPELLED,
    SPOKEN,
    Ways,
    both_ways,
    plain_topics,
    runs,
)
from tests.benchmarks.page import SAME, Table
from tests.benchmarks.servers import AUDIENCES


def read_first() -> Table:
    """What a model reads before its first call."""
    headings = ["before the first call", "tools", "tokens", "of it how replies look"]
    return Table(headings, anyio.run(listed), dict.fromkeys(headings[1:], SAME))


async def listed() -> list[list[str]]:
    """What clients get listed, by toolsets, and what the server tells the model to begin with."""
    names = {"as shipped": DEFAULT_TOOLSETS, "everything": "all"}
    names |= {f"only {toolset}": toolset for toolset in get_args(Toolset)}
    rows: list[list[str]] = []
    for name, toolsets in names.items():
        async with Client(build_server(Settings(sandbox=True, toolsets=toolsets))) as client:
            tools = [
                tool.model_dump(by_alias=True, exclude_none=True)
                for tool in (await client.list_tools()).tools
            ]
            replies = [tool["outputSchema"] for tool in tools]
            rows.append([name, f"{len(tools)}", f"{counted(tools):,}", f"{counted(replies):,}"])
    async with Client(build_server(Settings(sandbox=True))) as client:
        said = len(client.instructions or "") // 4
    return [*rows, ["the server's instructions", "", f"{said:,}", ""]]


def counted(value: object) -> int:
    """The tokens of a value as JSON."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":"))) // 4


def answers() -> Table:
    """What a model reads as answers."""
    with time_machine.travel(DAY, tick=True):
        found = anyio.run(both_answers)
    headings = ["an answer", "the service's JSON", "ours", "ours / JSON"]
    return Table(headings, found, dict.fromkeys(headings[1:], SAME))


async def both_answers() -> list[list[str]]:
    """The tokens of each question's answer, in both ways."""
    async with both_ways() as ways:
        return [
            [name, f"{plain:,}", f"{ours:,}", f"{ours / plain:.2g}"]
            async for name, plain, ours in compared(ways)
        ]


async def compared(ways: Ways) -> AsyncIterator[tuple[str, int, int]]:
    """The tokens of one page of the service as JSON, and of our answer to the same question."""
    listed = await ways.ours("list_audiences")
    one = listed["audiences"]["rows"][0][0]
    run = (await runs(ways, one))[0]
    config = {"topicIds": await plain_topics(ways), "minScore": 70, "filters": SPELLED}
    people = f"{AUDIENCES}/{one}/runs/{run}/results?offset=0&limit="
    asked = {
        "topicIds": config["topicIds"],
        "minScore": 70,
        "filters": {**SPOKEN, "companyIndustry": ["software development"]},
    }
    for name, (method, path, body), (tool, arguments) in (
        (
            "topics for a word",
            ("GET", f"/v1/intent/topics/search?q={PHRASES[0]}&limit=10", None),
            ("search_topics", {"queries": PHRASES[:1]}),
        ),
        ("all audiences", ("GET", f"{AUDIENCES}?limit=50", None), ("list_audiences", {})),
        ("one audience", ("GET", f"{AUDIENCES}/{one}", None), ("get_audience", {"id": one})),
        ("how many match", ("POST", f"{AUDIENCES}/preview", config), ("preview_audience", asked)),
        (
            "10 people",
            ("GET", f"{people}10", None),
            ("query_audience", {"audienceId": one, "limit": 10, "fields": FIELDS}),
        ),
        (
            "100 people",
            ("GET", f"{people}100", None),
            ("query_audience", {"audienceId": one, "limit": 100, "fields": FIELDS}),
        ),
        ("the account", ("GET", "/v1/data/account", None), ("get_account_status", {})),
    ):
        ways.characters = 0
        await ways.plain(method, path, body)
        plain, ways.characters = ways.characters // 4, 0
        await ways.ours(tool, **arguments)
        yield name, plain, ways.characters // 4
