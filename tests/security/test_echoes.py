"""Services that repeat what they were sent, and what they know: none of it comes back."""

import json
from pathlib import Path
from typing import cast

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Message, Receive, Scope, Send

from leadpipe_mcp import logs
from leadpipe_mcp.api.connections import Application
from leadpipe_mcp.settings import Settings
from leadpipe_mcp.tools.toolsets import TOOLS
from tests.faults.cells import ACTIVE, LINKED, given
from tests.security import services
from tests.security.services import CANARIES, ONE_CALL_EACH, Connect, World, escaped, words

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("logs_as_they_were")]


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
    [
        *((status, "error") for status in (200, 400, 401, 404, 409, 429, 500)),
        *((400, form) for form in ("issues", "problem", "text", "data", "list")),
    ],
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


STAINED = {
    *("name", "fullName", "jobTitle", "headline", "description", "pausedReason", "message"),
    *("email", "businessEmail", "phone", "phones"),
}
OF_PEOPLE = (
    ("preview_audience", {"topicIds": [117805]}),
    ("plan_audience", {"topics": [117805]}),
    ("query_audience", {"audienceId": ACTIVE, "fields": services.FIELDS}),
    ("analyze_audience", {"audienceId": ACTIVE}),
    ("analyze_audience", {"audienceId": ACTIVE, "groupBy": ["jobTitle"]}),
    ("analyze_audience", {"audienceId": ACTIVE, "sql": "SELECT * FROM people"}),
    ("export_audience", {"id": ACTIVE, "contact": "masked", "fields": services.FIELDS}),
    ("sonarly_list_prospects", {"id": LINKED}),
)
OF_THINGS: tuple[tuple[str, services.Reply], ...] = (
    *(("list_audiences", {}), ("list_pixels", {}), ("get_account_status", {})),
    *(("sonarly_list_accounts", {}), ("sonarly_list_audiences", {})),
    ("get_audience", {"id": ACTIVE}),
    ("sonarly_get_audience", {"id": LINKED}),
    ("set_status", {"id": ACTIVE, "status": "paused"}),
    ("delete_audience", {"id": ACTIVE}),
)
HIDDEN = "c•••@coalmine.example"
# The name of an audience is the account's own word, and shown as it is.
OWN_WORDS = {"summary", "name", "path", "next"}
TELLS_OF_NOBODY = {"plan_audience", "export_audience"}


def stained(service: Application, stain: str) -> Application:
    """The service, with a stain in every name and every text about a person."""

    def with_stain(part: object) -> object:
        if isinstance(part, list):
            return [with_stain(one) for one in cast("list[object]", part)]
        if not isinstance(part, dict):
            return part
        return {
            name: f"{value} {stain}"
            if name in STAINED and isinstance(value, str)
            else with_stain(value)
            for name, value in cast("dict[str, object]", part).items()
        }

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await service(scope, receive, keep)
        status, body = messages[0]["status"], b"".join(one.get("body", b"") for one in messages)
        try:
            answer: Response = JSONResponse(with_stain(json.loads(body)), status)
        except ValueError:
            answer = Response(body, status, media_type="text/csv")
        await answer(scope, receive, send)

    return answer


async def test_a_way_to_reach_somebody_is_masked_in_every_text_about_people(
    *, connect: Connect, real: Settings, world: World
) -> None:
    key = CANARIES["key"]
    stain = f"{CANARIES['e-mail']} {CANARIES['phone']} {key}"
    both = stained(world.leadpipe, stain), stained(world.sonarly, stain)
    async with connect(*both, settings=real) as client:
        ids = await services.ids(client)
        for tool, asked in OF_PEOPLE:
            reply = await services.said(client, tool, **given(asked, ids))
            about_people = {name: part for name, part in reply.items() if name not in OWN_WORDS}
            assert escaped(about_people) == [], tool
            assert HIDDEN in str(reply) or tool in TELLS_OF_NOBODY, tool
            assert key not in str(reply), tool
        for tool, asked in OF_THINGS:
            assert key not in words(await client.call_tool(tool, given(asked, ids))), tool
    assert real.export_dir
    (file,) = real.export_dir.iterdir()
    written = file.read_text("utf-8")
    assert escaped(written) == []
    assert HIDDEN in written


async def test_a_key_of_no_known_form_is_repeated_in_no_refusal(
    connect: Connect, real: Settings
) -> None:
    key = "canary-of-no-known-form-77"
    repeating = JSONResponse({"error": {"message": f"What is {key}?"}}, 403, {"X-Request-Id": key})
    keys = {"api_key": key, "sonarly_api_key": key}
    keyed = Settings.model_validate({**real.model_dump(), **keys})
    async with connect(repeating, repeating, settings=keyed) as client:
        for tool in ("list_audiences", "sonarly_list_accounts"):
            assert key not in words(await client.call_tool(tool, {}))
