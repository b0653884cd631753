"""Services that repeat what they were sent, and what they know: none of it comes back."""

import json
from pathlib import Path
from typing import Any, cast

import pytest
from mcp import Client
from mcp.types import CallToolResult
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Message, Receive, Scope, Send

from leadpipe_mcp import logs
from leadpipe_mcp.api.connections import Application
from leadpipe_mcp.settings import Settings
from leadpipe_mcp.tools.toolsets import TOOLS
from tests.security.services import CANARIES, ONE_CALL_EACH, Connect, World, escaped, words

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("logs_as_they_were")]

STATUSES = (200, 400, 401, 404, 409, 429, 500)
FORMS = ("error", "issues", "problem", "text", "data", "list")


def echoing(status: int, form: str, asked: list[str]) -> Application:
    """A service that repeats the canaries, and all that it was sent, wherever it can."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        asked.append(request.url.path)
        sent = f"{dict(request.headers)} {request.url} {(await request.body()).decode()}"
        said = (
            f"No {CANARIES['e-mail']} ({CANARIES['phone']}) for {CANARIES['key']} at"
            f" https://{CANARIES['place']}/?q={CANARIES['e-mail']}, {CANARIES['place']}:5432 {sent}"
        )
        code, one = CANARIES["e-mail"], {"email": CANARIES["e-mail"], "name": said, "id": said}
        bodies: dict[str, object] = {
            "error": {"error": {"code": code, "name": said, "message": said, "details": said}},
            "issues": {"error": {"message": "Bad", "issues": [{"path": [code], "message": said}]}},
            "problem": {"type": said, "title": said, "detail": said, "code": said, "traceId": said},
            "data": {"data": {**one, "message": said}, "meta": {"total": said, "traceId": said}},
            "list": {"data": [one], "message": said},
        }
        headers = {
            "X-Request-Id": f"{CANARIES['key']} {CANARIES['e-mail']} {CANARIES['phone']}",
            "Retry-After": CANARIES["e-mail"],
            "WWW-Authenticate": f"Bearer {CANARIES['key']}",
            "Location": f"https://{CANARIES['place']}/{CANARIES['key']}",
        }
        body = bodies.get(form)
        answer = JSONResponse(body, status, headers) if body else Response(said, status, headers)
        await answer(scope, receive, send)

    return answer


def test_every_tool_is_tried_with_arguments_that_it_takes() -> None:
    assert set(ONE_CALL_EACH) == {tool.name for tool in TOOLS}
    for tool in TOOLS:
        # What is refused before a request is sent would show nothing.
        tool.arguments.model_validate(ONE_CALL_EACH[tool.name])


@pytest.mark.parametrize(
    ("status", "form"),
    [*((status, "error") for status in STATUSES), *((400, form) for form in FORMS[1:])],
)
async def test_what_a_service_repeats_is_not_repeated(
    *,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    connect: Connect,
    real: Settings,
    status: int,
    form: str,
) -> None:
    logs.set_up("DEBUG", as_json=form == "error")
    asked: list[str] = []
    service = echoing(status, form, asked)
    # A server soon asks nothing more of a service that fails: then each tool has its own.
    servers = [[tool] for tool in ONE_CALL_EACH] if status >= 500 else [list(ONE_CALL_EACH)]
    for tools in servers:
        async with connect(service, service, settings=real) as client:
            for tool in tools:
                before = len(asked)
                result = await client.call_tool(tool, ONE_CALL_EACH[tool])
                assert escaped(words(result)) == [], tool
                assert status == 200 or len(asked) > before, f"{tool} asked nothing"
    logged = capsys.readouterr()
    assert len(logged.err.splitlines()) >= len(ONE_CALL_EACH)
    assert escaped("".join(logged)) == []
    for file in (path for path in tmp_path.rglob("*") if path.is_file()):
        assert escaped(file.read_bytes().decode(errors="replace")) == [], file


async def test_a_crash_takes_nothing_along(
    *, capsys: pytest.CaptureFixture[str], connect: Connect, real: Settings
) -> None:
    logs.set_up("DEBUG", as_json=False)

    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        cause = KeyError(dict(Request(scope).headers), *CANARIES.values())
        raise RuntimeError(f"crashed on {CANARIES}") from cause

    async with connect(broken, broken, settings=real) as client:
        for tool, arguments in ONE_CALL_EACH.items():
            result = await client.call_tool(tool, arguments)
            assert result.is_error
            assert escaped(words(result)) == [], tool
    logged = capsys.readouterr()
    assert logged.err.count(" crashed: ") == len(ONE_CALL_EACH)
    assert escaped("".join(logged)) == []


# In what is shown of a success


def stained(service: Application, stain: str) -> Application:
    """The service, with a stain in every name and every text about a person."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await service(scope, receive, keep)
        start, *pieces = messages
        body = b"".join(piece.get("body", b"") for piece in pieces)
        try:
            said: object = _stained(json.loads(body), stain)
            answer: Response = JSONResponse(said, start["status"])
        except ValueError:
            answer = Response(body, start["status"], media_type="text/csv")
        await answer(scope, receive, send)

    return answer


STAINED = {
    *("name", "fullName", "jobTitle", "headline", "description", "pausedReason", "message"),
    *("email", "businessEmail", "phone", "phones"),
}


def _stained(part: object, stain: str) -> object:
    if isinstance(part, dict):
        named = cast("dict[str, object]", part)
        return {
            name: f"{value} {stain}"
            if name in STAINED and isinstance(value, str)
            else _stained(value, stain)
            for name, value in named.items()
        }
    if isinstance(part, list):
        return [_stained(one, stain) for one in cast("list[object]", part)]
    return part


async def shown(client: Client, *, people: bool) -> list[tuple[str, CallToolResult]]:
    """What the tools answer that show people, or else those that show names of things."""
    audiences = (await client.call_tool("list_audiences", {})).structured_content
    linked = (await client.call_tool("sonarly_list_audiences", {})).structured_content
    assert audiences
    assert linked
    one, other = audiences["audiences"]["rows"][0][0], linked["audiences"]["rows"][0][0]
    of = {"audienceId": one}
    shows_people: list[tuple[str, dict[str, Any]]] = [
        ("preview_audience", {"topicIds": [117805]}),
        ("plan_audience", {"topics": [117805]}),
        ("query_audience", {**of, "fields": FIELDS}),
        ("analyze_audience", of),
        ("analyze_audience", {**of, "groupBy": ["jobTitle"]}),
        ("analyze_audience", {**of, "sql": "SELECT * FROM people"}),
        ("export_audience", {"id": one, "contact": "masked", "fields": FIELDS}),
        ("sonarly_list_prospects", {"id": other}),
    ]
    shows_names: list[tuple[str, dict[str, Any]]] = [
        ("list_audiences", {}),
        ("list_pixels", {}),
        ("get_audience", {"id": one}),
        ("get_account_status", {}),
        ("set_status", {"id": one, "status": "paused"}),
        ("delete_audience", {"id": one}),
        ("sonarly_list_accounts", {}),
        ("sonarly_list_audiences", {}),
        ("sonarly_get_audience", {"id": other}),
    ]
    calls = shows_people if people else shows_names
    return [(tool, await client.call_tool(tool, asked)) for tool, asked in calls]


FIELDS = ["name", "jobTitle", "company", "contactEmail", "emails", "phone", "untrustedHeadline"]


async def test_a_way_to_reach_somebody_is_masked_in_every_text_about_people(
    *, connect: Connect, real: Settings, world: World
) -> None:
    stain = f"{CANARIES['e-mail']} {CANARIES['phone']}"
    services = stained(world.leadpipe, stain), stained(world.sonarly, stain)
    async with connect(*services, settings=real) as client:
        results = await shown(client, people=True)
    assert real.export_dir
    (file,) = real.export_dir.iterdir()
    assert escaped(file.read_text("utf-8")) == []
    assert HIDDEN in file.read_text("utf-8")
    for tool, result in results:
        told = result.structured_content
        assert told, (tool, result)
        # The name of an audience is the account's own word, and shown as it is.
        about_people = {name: part for name, part in told.items() if name not in OWN_WORDS}
        assert escaped(about_people) == [], tool
        assert HIDDEN in words(result) or tool in TELLS_OF_NOBODY, tool


HIDDEN = "c•••@coalmine.example"
OWN_WORDS = {"summary", "name", "path", "next"}
TELLS_OF_NOBODY = {"plan_audience", "export_audience"}


@pytest.mark.parametrize("key", ["sk_live_canary_0123456789", "canary-of-no-known-form-77"])
async def test_the_key_is_in_no_answer_whatever_its_form_and_wherever_it_is_repeated(
    key: str, connect: Connect, real: Settings, world: World
) -> None:
    async def repeating(scope: Scope, receive: Receive, send: Send) -> None:
        refusal = JSONResponse(
            {"error": {"message": f"What is {key}?"}}, 403, {"X-Request-Id": key}
        )
        await refusal(scope, receive, send)

    keyed = Settings.model_validate({**real.model_dump(), "api_key": key, "sonarly_api_key": key})
    async with connect(repeating, repeating, settings=keyed) as client:
        for tool in ("list_audiences", "sonarly_list_accounts"):
            assert key not in words(await client.call_tool(tool, {}))
    if key.startswith("sk_"):
        services = stained(world.leadpipe, key), stained(world.sonarly, key)
        async with connect(*services, settings=keyed) as client:
            results = [*await shown(client, people=True), *await shown(client, people=False)]
        for tool, result in results:
            assert key not in words(result), tool
