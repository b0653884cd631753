"""Both services, a call of each tool, and what nobody may ever read."""

import json
import urllib.parse
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcp import Client
from mcp.types import CallToolResult

from tests.faults import cells
from tests.faults.service import READING, Sandbox, SonarlySandbox

Reply = dict[str, Any]
Connect = Callable[..., AbstractAsyncContextManager[Client]]
"""Requests that change nothing, though they are POSTs."""
CANARIES = {
    "key": "sk_live_canary_0123456789",
    "e-mail": "canary.bird@coalmine.example",
    "phone": "+1 555 010 0199",
    "place": "db-7.coalmine.internal",
}
ID = cells.ACTIVE
FIELDS = ["name", "jobTitle", "company", "contactEmail", "emails", "phone", "untrustedHeadline"]
_MORE: dict[str, Reply] = {
    "plan_audience": {"topics": ["crm"], "website": "www.acme.example"},
    "create_audience": {"status": "active"},
    "query_audience": {"fields": FIELDS},
    "analyze_audience": {"sql": "SELECT * FROM people"},
    "export_audience": {"contact": "masked"},
    # Without their account these would ask for accounts alone.
    **{row.tool: {"accountGroupId": ID} for row in cells.ROWS if row.tool.startswith("sonarly")},
    "sonarly_list_accounts": {},
}
ONE_CALL_EACH: dict[str, Reply] = {
    row.tool: {**row.arguments, **_MORE.get(row.tool, {})} for row in reversed(cells.ROWS)
}


@dataclass(frozen=True)
class World:
    """Both services as the sandbox plays them, and the folder that exports go to."""

    leadpipe: Sandbox
    sonarly: SonarlySandbox
    exports: Path

    def changes(self) -> list[str]:
        """What was changed: requests to either service, and files that were written."""
        requests = [*self.leadpipe.requests, *self.sonarly.requests]
        changed = [
            f"{request.method} {request.path}"
            for request in requests
            if request.method != "GET" and not request.path.endswith(READING)
        ]
        return [*changed, *map(str, sorted(self.exports.rglob("*")))]


async def said(client: Client, tool: str, **arguments: object) -> Reply:
    """What a call replies that is not refused."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, (tool, result)
    assert result.structured_content is not None
    return result.structured_content


async def ids(client: Client) -> dict[str, str]:
    """What there is, by its places in arguments."""
    audiences = (await said(client, "list_audiences"))["audiences"]["rows"]
    linked = (await said(client, "sonarly_list_audiences"))["audiences"]["rows"]
    by_status = {row[2]: row[0] for row in audiences}
    return {
        cells.ACTIVE: by_status["active"],
        cells.PAUSED: by_status["paused"],
        cells.PIXEL: (await said(client, "list_pixels"))["pixels"]["rows"][0][0],
        cells.LINKED: linked[0][0],
        cells.UNFILED: linked[1][0],
    }


def escaped(told: object) -> list[str]:
    """Which canaries are in anything that can be put into words, in any usual spelling."""
    text = told if isinstance(told, str) else json.dumps(told, default=repr)
    whole = f"{text}\n{urllib.parse.unquote_plus(text)}".lower()
    return [what for what, canary in CANARIES.items() if canary.lower() in whole]


def words(result: CallToolResult) -> str:
    """All that a client gets of a result."""
    return json.dumps(result.model_dump(mode="json", by_alias=True), ensure_ascii=False)
