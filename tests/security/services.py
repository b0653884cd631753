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

from tests.faults.service import Sandbox, SonarlySandbox

Connect = Callable[..., AbstractAsyncContextManager[Client]]
READING = ("/validate", "/preview", "/query", "/compare", "/analyze")
"""Requests that change nothing, though they are POSTs."""
CANARIES = {
    "key": "sk_live_canary_0123456789",
    "e-mail": "canary.bird@coalmine.example",
    "phone": "+1 555 010 0199",
    "place": "db-7.coalmine.internal",
}
ID = "6fb81599-f601-4afe-b3ff-e8a211cae27d"
RUN = "11111111-1111-1111-1111-111111111111"
WANTED = {"topicIds": [117805], "filters": {"hasPhone": True}}
ONE_CALL_EACH: dict[str, dict[str, Any]] = {
    "search_topics": {"queries": ["crm"]},
    "compare_topics": {"topicIds": [117805]},
    "get_topic_movers": {},
    "analyze_website_topics": {"url": "www.acme.example", "summary": True},
    "plan_audience": {
        "topics": ["crm"],
        "filters": {"seniority": ["VP"]},
        "website": "www.acme.example",
    },
    "find_filters": {"words": ["VPs"]},
    "preview_audience": WANTED,
    "create_audience": {"name": "Birds", "config": WANTED, "status": "active"},
    "update_audience": {"id": ID, "name": "Birds", "config": WANTED},
    "list_audiences": {},
    "get_audience": {"id": ID, "fillRates": True},
    "set_status": {"id": ID, "status": "active"},
    "delete_audience": {"id": ID},
    "run_audience": {"id": ID},
    "query_audience": {"audienceId": ID, "fields": ["name", "company", "contactEmail", "phone"]},
    "analyze_audience": {"audienceId": ID, "sql": "SELECT * FROM people"},
    "export_audience": {"id": ID, "contact": "masked"},
    "get_account_status": {},
    "query_visitor_data": {"domain": "acme.example"},
    "list_pixels": {},
    "create_pixel": {"domain": "acme.example"},
    "update_pixel": {"id": RUN, "status": "active"},
    "sonarly_list_accounts": {},
    "sonarly_list_audiences": {"accountGroupId": ID},
    "sonarly_get_audience": {"accountGroupId": ID, "id": RUN},
    "sonarly_create_audience": {"accountGroupId": ID, "name": "Birds", "type": "on_demand"},
    "sonarly_update_audience": {"accountGroupId": ID, "id": RUN, "name": "Birds"},
    "sonarly_delete_audience": {"accountGroupId": ID, "id": RUN},
    "sonarly_list_prospects": {"accountGroupId": ID, "id": RUN},
    "sonarly_move_audience": {"accountGroupId": ID, "id": RUN, "folderId": "Birds"},
    "sonarly_save_folder": {"accountGroupId": ID, "name": "Birds", "type": "on_demand"},
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
        files = sorted(self.exports.rglob("*")) if self.exports.exists() else []
        return [*changed, *(str(file) for file in files)]


def escaped(told: object) -> list[str]:
    """Which canaries are in anything that can be put into words, in any usual spelling."""
    text = told if isinstance(told, str) else json.dumps(told, default=repr)
    whole = f"{text}\n{urllib.parse.unquote_plus(text)}".lower()
    return [what for what, canary in CANARIES.items() if canary.lower() in whole]


def words(result: CallToolResult) -> str:
    """All that a client gets of a result."""
    return json.dumps(result.model_dump(mode="json", by_alias=True), ensure_ascii=False)
