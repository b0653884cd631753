"""Both services in front of one server, and what nobody may ever read."""

import json
import urllib.parse
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.client.session import ElicitationFnT
from mcp.types import CallToolResult

from leadpipe_mcp.api.connections import Application
from leadpipe_mcp.sandbox import SandboxSettings, SonarlySettings
from leadpipe_mcp.server import build_server
from leadpipe_mcp.settings import Settings
from tests.faults.service import Sandbox, SonarlySandbox

DEADLINE_SECONDS = 10_000
"""Of the loop's own time, which leaps over what is waited for."""
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


@pytest.fixture
def anyio_backend(no_waiting: object) -> object:
    return no_waiting


@pytest.fixture
def one_call_each() -> Mapping[str, dict[str, Any]]:
    """Arguments that each of the tools takes, by its name."""
    return ONE_CALL_EACH


@pytest.fixture
def canaries() -> Mapping[str, str]:
    """What must not come back, by what it is: the key is the one that the settings hold."""
    return CANARIES


@pytest.fixture
def escaped() -> Callable[[object], list[str]]:
    """Which canaries are in anything that can be put into words, in any usual spelling."""

    def escaped(told: object) -> list[str]:
        texts = [told if isinstance(told, str) else json.dumps(told, default=repr)]
        texts += [urllib.parse.unquote_plus(texts[0])]
        whole = "\n".join(texts).lower()
        return [what for what, canary in CANARIES.items() if canary.lower() in whole]

    return escaped


@pytest.fixture
def words() -> Callable[[CallToolResult], str]:
    """All that a client gets of a result."""

    def words(result: CallToolResult) -> str:
        return json.dumps(result.model_dump(mode="json", by_alias=True), ensure_ascii=False)

    return words


@pytest.fixture
def real(tmp_path: Path) -> Settings:
    """The settings of a server with two keys, which asks nobody and writes into `tmp_path`."""
    return Settings.model_validate(
        {
            "api_key": CANARIES["key"],
            "base_url": "https://service.test",
            "sonarly_api_key": CANARIES["key"],
            "sonarly_base_url": "https://sonarly.test",
            "confirm": "off",
            "toolsets": "all",
            "export_dir": tmp_path / "exports",
            "cache_dir": tmp_path / "cache",
            "log_level": "DEBUG",
        }
    )


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


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A small world that begins at one known moment."""
    moment = datetime(2026, 5, 5, 9, 15, tzinfo=UTC).timestamp()
    return World(
        # Activating starts no run here: a file of people has to be there for an export.
        Sandbox(SandboxSettings(people=3_000, run_seconds=0), clock=lambda: moment),
        SonarlySandbox(SonarlySettings(people=3_000), clock=lambda: moment),
        tmp_path / "exports",
    )


@pytest.fixture
def connect(world: World) -> Callable[..., AbstractAsyncContextManager[Client]]:
    """A client of a server; it can ask its human if it is given an answer."""

    @asynccontextmanager
    async def connect(
        service: Application = world.leadpipe,
        sonarly: Application = world.sonarly,
        *,
        settings: Settings | None = None,
        answer: ElicitationFnT | None = None,
        mode: str = "auto",
    ) -> AsyncGenerator[Client]:
        usual = Settings(sandbox=True, toolsets="all", export_dir=world.exports)
        server = build_server(settings or usual, service=service, sonarly=sonarly)
        with anyio.fail_after(DEADLINE_SECONDS):
            async with Client(server, mode=mode, elicitation_callback=answer) as client:
                yield client

    return connect
