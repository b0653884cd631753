"""A canary address and a canary key in whatever the service says: neither is ever repeated."""

import json
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from leadpipe_mcp.api.transport import Application
from leadpipe_mcp.sandbox import Sandbox
from leadpipe_mcp.server import build_server
from leadpipe_mcp.settings import Settings
from leadpipe_mcp.tools.toolsets import TOOLS

pytestmark = pytest.mark.anyio
Connect = Callable[..., AbstractAsyncContextManager[Client]]

CANARY = "canary.bird@coalmine.example"
KEY = "sk_canary_0123456789"
ID = "6fb81599-f601-4afe-b3ff-e8a211cae27d"
RUN = "11111111-1111-1111-1111-111111111111"
WANTED = {"topicIds": [117805], "filters": {"hasPhone": True}}
ARGUMENTS: dict[str, dict[str, Any]] = {
    "search_topics": {"queries": ["crm"]},
    "compare_topics": {"topicIds": [117805]},
    "get_topic_movers": {},
    "analyze_website_topics": {"url": "www.acme.example", "summary": True},
    "plan_audience": {"topics": ["crm"], "filters": "VPs", "website": "www.acme.example"},
    "find_filters": {"about": "VPs"},
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
STATUSES = (200, 400, 401, 402, 403, 404, 409, 422, 429, 500, 503)


def echoing(status: int, form: str) -> Application:
    """A service that repeats the canary, and the key that it was sent, in every answer."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        headers = Request(scope).headers
        key = headers.get("x-api-key") or headers.get("authorization", "")
        said = f"No {CANARY} for {key} at https://inside.example/?q={CANARY}"
        bodies: dict[str, Response] = {
            "error": JSONResponse({"error": {"code": CANARY, "message": said}}, status),
            "issues": JSONResponse(
                {"error": {"message": "Bad", "issues": [{"path": [CANARY], "message": said}]}},
                status,
            ),
            "text": Response(said, status),
            "data": JSONResponse({"data": {"email": CANARY, "message": said, "id": said}}, status),
            "list": JSONResponse({"data": [{"email": CANARY, "name": said, "id": said}]}, status),
        }
        await bodies[form](scope, receive, send)

    return answer


@pytest.fixture
def era() -> str:
    """Both take the same way; the tests of the tools hold that."""
    return "auto"


def test_every_tool_is_tried_with_arguments_that_it_takes() -> None:
    assert set(ARGUMENTS) == {tool.name for tool in TOOLS}
    for tool in TOOLS:
        # What is refused before a request is sent would show nothing.
        tool.arguments.model_validate(ARGUMENTS[tool.name])


@pytest.mark.parametrize("form", ["error", "issues", "text", "data", "list"])
@pytest.mark.parametrize("status", STATUSES)
async def test_what_the_service_repeats_is_not_repeated(
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
    status: int,
    form: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    settings = Settings.model_validate(
        {
            "api_key": KEY,
            "base_url": "https://service.test",
            "confirm": "off",
            "toolsets": "all",
            "sonarly_api_key": KEY,
            "sonarly_base_url": "https://sonarly.test",
            "export_dir": tmp_path,
            "cache_dir": tmp_path / "cache",
            "log_level": "DEBUG",
        }
    )
    service = echoing(status, form)
    async with Client(build_server(settings, service=service, sonarly=service)) as client:
        for tool, arguments in ARGUMENTS.items():
            result = await client.call_tool(tool, arguments)
            said = json.dumps([block.model_dump(mode="json") for block in result.content])
            assert CANARY not in said, tool
            assert KEY not in said, tool
    logged = "".join([caplog.text, *capfd.readouterr()])
    assert CANARY not in logged
    assert KEY not in logged
    for file in (path for path in tmp_path.rglob("*") if path.is_file()):
        assert CANARY.encode() not in file.read_bytes(), file


async def test_of_people_it_is_told_only_masked(
    connect: Connect, start: Callable[..., Sandbox], tmp_path: Path
) -> None:
    sandbox = start(profile="catalog")
    settings = Settings(sandbox=True, confirm="off", toolsets="all", export_dir=tmp_path)

    async def with_canary(scope: Scope, receive: Receive, send: Send) -> None:
        """The service, whose people all have this one address wherever an address can stand."""
        path = scope["path"]
        person = {
            "hashedEmail": "1",
            "fullName": f"Ann {CANARY}",
            "jobTitle": f"Write to {CANARY}",
            "businessEmail": CANARY,
            "personalEmails": [CANARY],
            "headline": CANARY,
            "phones": "+1 555 010 0199",
            "company": {"name": CANARY, "domain": "coalmine.example"},
        }
        run = {"id": path.split("/")[-2], "status": "completed"}
        if path.endswith("/results"):
            data = {"run": run, "total": 1, "results": [person]}
            await JSONResponse({"data": data})(scope, receive, send)
        elif path.endswith("/preview"):
            data = {"totalCount": 1, "configHash": "x", "sample": [person], "appliedFilters": []}
            await JSONResponse({"data": data})(scope, receive, send)
        elif path.endswith("export.csv"):
            line = f"hashedEmail,fullName,businessEmail,headline\n1,{CANARY},{CANARY},{CANARY}\n"
            await Response(line, media_type="text/csv")(scope, receive, send)
        else:
            await sandbox(scope, receive, send)

    async with connect(with_canary, settings=settings) as client:
        config = {"topicIds": [117805]}
        made = await client.call_tool(
            "create_audience", {"name": "Birds", "config": config, "status": "active"}
        )
        assert made.structured_content
        audience = made.structured_content["id"]
        fields = ["name", "jobTitle", "company", "contactEmail", "emails", "untrustedHeadline"]
        asked: list[tuple[str, dict[str, Any]]] = [
            ("preview_audience", config),
            ("plan_audience", {"topics": [117805]}),
            ("query_audience", {"audienceId": audience, "fields": fields, "limit": 100}),
            ("analyze_audience", {"audienceId": audience}),
            ("analyze_audience", {"audienceId": audience, "groupBy": ["jobTitle"]}),
            ("analyze_audience", {"audienceId": audience, "sql": "SELECT * FROM people"}),
            ("analyze_audience", {"audienceId": audience, "sql": f"SELECT {CANARY}"}),
            ("export_audience", {"id": audience, "contact": "masked", "format": "jsonl"}),
        ]
        told = ""
        for tool, arguments in asked:
            result = await client.call_tool(tool, arguments)
            told += "".join(json.dumps(block.model_dump(mode="json")) for block in result.content)
    for file in tmp_path.rglob("*.jsonl"):
        told += file.read_text("utf-8")

    assert CANARY not in told
    assert "c\\u2022\\u2022\\u2022@coalmine.example" in told
    assert "555 010 0199" not in told
