"""The client of Sonarly: what it sends, what it reads, and what it says when it cannot know."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import Message, Receive, Scope, Send

from leadpipe_mcp.api import sonarly as client_module
from leadpipe_mcp.api.in_process import Application, serve_in_process
from leadpipe_mcp.api.settling import Done
from leadpipe_mcp.api.sonarly import SonarlyClient, sonarly_transport
from leadpipe_mcp.api.sonarly_errors import PERMISSIONS, SONARLY
from leadpipe_mcp.api.sonarly_models import LinkedinAudience, Overview, Prospect
from leadpipe_mcp.api.transport import Transport
from leadpipe_mcp.errors import (
    Conflict,
    Forbidden,
    KeyRefused,
    NotConfigured,
    NotDone,
    NotFound,
    NotPossible,
    NotReady,
    OutOfCredits,
    RequestRefused,
    ServiceDown,
    ServiceError,
    TooManyRequests,
    Unclear,
    Unreachable,
    UnusableAnswer,
)
from leadpipe_mcp.sandbox import SonarlySandbox, SonarlySettings
from leadpipe_mcp.sandbox.sonarly_store import Audience

pytestmark = pytest.mark.anyio
KEY = SecretStr("sk_live_0123456789")
URL = "https://sonarly.test"
GROUP = "507f1f77bcf86cd799439011"
AUDIENCE = "507f1f77bcf86cd799439012"
FOLDER = "507f1f77bcf86cd799439013"
NOW = 1_777_390_200.0
CREATED = "2026-04-28T15:30:00.000Z"
# As the vendor's document shows it.
EXAMPLE = {
    "success": True,
    "data": {
        "id": GROUP,
        "name": "Avery Stone",
        "type": "linkedin_search",
        "description": "string",
        "folderId": GROUP,
        "prospectCount": 25,
        "createdAt": "string",
    },
    "error": None,
    "traceId": GROUP,
}
MESSAGE = "Thanks for the context. I can send over details this afternoon."


def refusing(code: str = "string", details: object = "string", **more: object) -> dict[str, object]:
    said = {"code": code, "message": MESSAGE, "details": details}
    return {"success": False, "data": None, "error": said, "traceId": GROUP, **more}


def client(application: Application, key: SecretStr | None = KEY) -> SonarlyClient:
    transport = sonarly_transport(URL, key, network=serve_in_process(application))
    return SonarlyClient(transport, lambda: NOW)


class Played:
    """The sandbox's Sonarly without audiences, whose answers a test can lose or replace."""

    def __init__(self) -> None:
        settings = SonarlySettings(groups={GROUP: "Acme Growth"}, examples=False, people=300)
        self.sandbox = SonarlySandbox(settings, clock=lambda: NOW)
        self.asked: list[str] = []
        self.works = True
        """Whether a change that fails was made all the same."""
        self.fails: Application | None = None
        """What answers changes, after they were made or instead."""
        self.blind: Application | None = None
        """What answers everything else."""
        self.made_at = CREATED

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].removeprefix(f"/v1/accounts/{GROUP}/audiences")
        self.asked.append(f"{scope['method']} {path}")
        reads = scope["method"] == "GET"
        if reads and self.blind is not None and len(self.asked) > 1:
            await self.blind(scope, receive, send)
        elif reads or self.fails is None:
            await self.sandbox(scope, receive, self.dated(send))
        else:
            if self.works:
                await self.sandbox(scope, receive, unsent)
            await self.fails(scope, receive, send)

    @property
    def audiences(self) -> dict[str, Audience]:
        return self.sandbox.groups[GROUP].audiences

    def changes(self) -> list[str]:
        return [asked for asked in self.asked if not asked.startswith("GET")]

    def dated(self, send: Send) -> Send:
        """Send answers in which everything was made at another moment."""
        if self.made_at == CREATED:
            return send
        started: list[Message] = []

        async def changed(message: Message) -> None:
            if message["type"] == "http.response.start":
                started.append(message)
                return
            body = message["body"].replace(CREATED.encode(), self.made_at.encode())
            await send({**started[0], "headers": [(b"content-type", b"application/json")]})
            await send({**message, "body": body})

        return changed


async def unsent(_: Message) -> None:
    await anyio.lowlevel.checkpoint()


async def lost(scope: Scope, receive: Receive, send: Send) -> None:
    raise ConnectionResetError


async def late(scope: Scope, receive: Receive, send: Send) -> None:
    raise httpx.ReadTimeout("late")


async def unreached(scope: Scope, receive: Receive, send: Send) -> None:
    raise httpx.ConnectError("nobody there")


UNCLEAR: list[Application] = [
    lost,
    late,
    JSONResponse(refusing(), 500),
    HTMLResponse("<h1>Bad gateway</h1>", 502),
    Response(b"", 201),
    Response(b'{"success": true, "data": {"id"', 201),
    JSONResponse({"success": True, "data": None}, 201),
    JSONResponse({"success": True, "data": {"name": "VPs"}}, 201),
]


async def error_of(call: Awaitable[object]) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        await call
    return caught.value


# What is sent


async def test_the_key_goes_as_a_bearers_token_and_nowhere_else() -> None:
    seen: list[Request] = []

    async def service(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(Request(scope))
        await JSONResponse({"data": {"items": []}})(scope, receive, send)

    await client(service).audiences(GROUP, "a&b", 5)
    (request,) = seen
    assert request.headers["Authorization"] == f"Bearer {KEY.get_secret_value()}"
    assert "x-api-key" not in request.headers
    assert request.headers["Accept"] == "application/json"
    assert request.url.path == f"/v1/accounts/{GROUP}/audiences"
    assert dict(request.query_params) == {"cursor": "a&b", "limit": "5"}


async def test_without_a_key_nothing_is_sent() -> None:
    played = Played()
    for call in (client(played, None).accounts(), client(played, None).get(GROUP, AUDIENCE)):
        with pytest.raises(NotConfigured, match="SONARLY_API_KEY") as caught:
            await call
        assert "LEADPIPE" not in str(caught.value)
    assert played.asked == []


async def test_every_operation_asks_as_the_documents_say() -> None:
    played = Played()
    one = client(played)
    made = (await one.create(GROUP, "VPs", "on_demand", before=Overview())).result.id
    folder = (await one.create_folder(GROUP, "West", "on_demand", before=None)).result.id
    await one.update(GROUP, made, name="Heads")
    await one.move(GROUP, made, folder)
    await one.remove_from_folder(GROUP, made)
    await one.rename_folder(GROUP, folder, "East")
    await one.delete(GROUP, made)
    assert played.asked == [
        "POST ",
        "GET /navigation",
        "POST /folders",
        f"PATCH /{made}",
        f"POST /{made}/move-to-folder",
        f"POST /{made}/remove-from-folder",
        f"PATCH /folders/{folder}",
        f"DELETE /{made}",
    ]
    kept = played.sandbox.groups[GROUP].folders[folder]
    assert (kept.name, kept.category) == ("East", "on_demand")


HOSTILE = ["", ".", "..", "../x", "a/b", "a\\b", "%2e%2e", "a?b", "a#b", "ä", "a b", "\ud800"]


@pytest.mark.parametrize("hostile", [*HOSTILE, "navigation", "Folders", "folders"])
async def test_an_id_cannot_reach_another_route(hostile: str) -> None:
    played = Played()
    one = client(played)
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: one.get(GROUP, hostile),
        lambda: one.update(GROUP, hostile, name="x"),
        lambda: one.delete(GROUP, hostile),
        lambda: one.prospects(GROUP, hostile),
        lambda: one.move(GROUP, hostile, FOLDER),
        lambda: one.remove_from_folder(GROUP, hostile),
    ]
    if hostile in HOSTILE:
        calls += [
            lambda: one.audiences(hostile),
            lambda: one.navigation(hostile),
            lambda: one.move(GROUP, AUDIENCE, hostile),
            lambda: one.rename_folder(GROUP, hostile, "x"),
        ]
    for call in calls:
        with pytest.raises(NotPossible, match="cannot be") as caught:
            await call()
        assert "sonarly_list_" in caught.value.advice
    assert played.asked == []


# What is read


async def test_the_example_of_the_document_is_read() -> None:
    audience = (await client(JSONResponse(EXAMPLE, 201)).get(GROUP, GROUP)).model_dump()
    assert audience == {
        "id": GROUP,
        "name": "Avery Stone",
        "type": "linkedin_search",
        "description": "string",
        "folder_id": GROUP,
        "size": 25,
        "created_at": "string",
    }


@pytest.mark.parametrize(
    ("said", "size"),
    [(25, 25), ("25", 25), (25.0, 25), ("string", None), (None, None), (-1, None), (True, None)],
)
async def test_a_count_may_be_a_text(said: object, size: int | None) -> None:
    data = {"id": "a", "name": None, "type": "brand_new", "prospectCount": said, "more": {"x": 1}}
    audience = await client(JSONResponse({"data": data})).get(GROUP, "a")
    assert (audience.size, audience.type, audience.name) == (size, "brand_new", "")
    assert (audience.description, audience.folder_id, audience.created_at) == (None, None, None)


@pytest.mark.parametrize(
    ("said", "moment"),
    [
        ("1781012312345", "2026-06-09T13:38:32.345Z"),
        (1_781_012_312, "2026-06-09T13:38:32.000Z"),
        (CREATED, CREATED),
        ("string", "string"),
        ("9" * 40, None),
        ({}, None),
    ],
)
async def test_a_moment_may_be_a_number(said: object, moment: str | None) -> None:
    data = {"id": "a", "createdAt": said}
    assert (await client(JSONResponse({"data": data})).get(GROUP, "a")).created_at == moment


async def test_what_lacks_an_id_is_no_audience() -> None:
    error = await error_of(client(JSONResponse({"data": {"name": "x"}})).get(GROUP, "a"))
    assert type(error) is UnusableAnswer
    assert str(error) == (
        "Sonarly answered with status 200, but these are missing or not what they should be: id."
        " Nothing was changed. Try again in a minute."
    )


@pytest.mark.parametrize(
    ("end", "cursor"),
    [
        ({}, None),
        ({"nextCursor": None}, None),
        ({"nextCursor": "", "hasMore": True}, None),
        ({"nextCursor": "x", "hasMore": False}, None),
        ({"nextCursor": "x", "hasMore": True}, "x"),
        ({"nextCursor": "x"}, "x"),
        ({"nextCursor": 7}, 7),
        ({"nextCursor": {"after": 7}}, {"after": 7}),
    ],
)
async def test_a_page_ends_in_any_of_the_ways_that_were_seen(
    end: dict[str, object], cursor: object
) -> None:
    page = {"data": {"items": [{"id": 1}], **end}}
    assert (await client(JSONResponse(page)).audiences(GROUP)).next_cursor == cursor
    assert (await client(JSONResponse(page)).prospects(GROUP, "a")).next_cursor == cursor
    (account,) = await client(JSONResponse(page)).accounts()
    assert account.id == "1"


async def test_all_pages_are_read_and_a_circle_is_left() -> None:
    async def pages(scope: Scope, receive: Receive, send: Send) -> None:
        cursor = int(Request(scope).query_params.get("cursor", 0))
        items = [{"id": f"a{cursor}"}, {"id": f"a{cursor + 1}"}]
        following = cursor + 1 if cursor < 3 or circle else None
        page = {"items": items, "nextCursor": following and str(following % 5)}
        await JSONResponse({"data": page})(scope, receive, send)

    circle = False
    audiences, complete = await client(pages).all_audiences(GROUP)
    assert ([audience.id for audience in audiences], complete) == (
        ["a0", "a1", "a2", "a3", "a4"],
        True,
    )
    circle = True
    audiences, complete = await client(pages).all_audiences(GROUP)
    assert (len(audiences), complete) == (6, False)


async def test_the_overview_holds_what_the_list_and_the_folders_show() -> None:
    async def service(scope: Scope, receive: Receive, send: Send) -> None:
        nested = {"id": "b", "name": "B", "prospectCount": "7", "type": "string"}
        folders = [{"id": "f", "name": "West", "audiences": [nested, {"id": "a"}]}, {"id": "g"}]
        navigation = {"folders": folders, "ungroupedAudiences": None}
        listed = {"items": [{"id": "a", "name": "A"}]}
        data = navigation if scope["path"].endswith("navigation") else listed
        await JSONResponse({"data": data})(scope, receive, send)

    there = await client(service).overview(GROUP)
    assert [(a.id, a.name, a.size, a.folder_id) for a in there.audiences] == [
        ("a", "A", None, "f"),
        ("b", "B", 7, "f"),
    ]
    assert there.complete


async def test_a_prospect_speaks_as_people_do_everywhere() -> None:
    said = {
        "id": 7,
        "name": "Jo Doe",
        "headline": "Builder",
        "title": "VP",
        "location": {"name": "Berlin"},
        "company": {"name": "Acme", "industry": "Software", "website": "acme.example", "size": 9},
    }

    async def service(scope: Scope, receive: Receive, send: Send) -> None:
        items = [said, {"company": "Acme", "position": {"title": "CTO"}}, {"company": None}]
        await JSONResponse({"data": {"items": items}})(scope, receive, send)

    full, short, nobody = (await client(service).prospects(GROUP, AUDIENCE)).items
    assert (full.id, full.full_name, full.job_title, full.company) == ("7", "Jo Doe", "VP", "Acme")
    shown = full.model_dump(by_alias=True)
    assert (shown["companyWebsite"], shown["companySize"]) == ("acme.example", "9")
    assert (shown["headline"], shown["location"]) == ("Builder", "Berlin")
    assert (short.company, short.job_title, nobody.company) == ("Acme", "CTO", None)
    with pytest.raises(ValueError, match="valid dictionary"):
        Prospect.model_validate([])


# What is refused

REFUSALS: list[tuple[int, str, type[ServiceError], str]] = [
    (400, "VALIDATION_ERROR", RequestRefused, "Change what it names"),
    (401, "string", KeyRefused, "SONARLY_API_KEY must hold a current key of Sonarly"),
    (402, "INSUFFICIENT_CREDITS", OutOfCredits, "buy credits in Sonarly"),
    (403, "string", Forbidden, "lacks the permission audiences:read"),
    (404, "string", NotFound, "sonarly_list_audiences shows"),
    (409, "AUDIENCE_NOT_READY", NotReady, "A prospecting job is filling this audience"),
    (409, "string", Conflict, "sonarly_get_audience"),
    (418, "string", RequestRefused, "Change what it names"),
    (422, "string", RequestRefused, "Change what it names"),
    (429, "string", TooManyRequests, "Try again in a minute."),
    (500, "string", ServiceDown, "Try again in a minute."),
    (502, "string", ServiceDown, "Try again in a minute."),
]


@pytest.mark.parametrize(("status", "code", "kind", "advice"), REFUSALS)
async def test_every_status_has_its_error_and_its_advice(
    status: int, code: str, kind: type[ServiceError], advice: str
) -> None:
    error = await error_of(client(JSONResponse(refusing(code, "string"), status)).get(GROUP, "a"))
    assert type(error) is kind
    assert (error.status, error.code, error.request_id) == (status, code, GROUP)
    assert advice in error.advice
    assert re.match(rf"Sonarly (refused|failed) with status {status}", error.problem)
    assert MESSAGE.rstrip(".") in error.problem
    assert "LEADPIPE" not in str(error).upper()


@pytest.mark.parametrize("details", [None, 7, {"name": "x"}, [{"path": ["a"]}]])
async def test_details_of_any_form_do_not_hide_what_was_refused(details: object) -> None:
    error = await error_of(client(JSONResponse(refusing("string", details), 400)).get(GROUP, "a"))
    assert (type(error), error.code, error.request_id) == (RequestRefused, "string", GROUP)
    assert MESSAGE.rstrip(".") in error.problem


@pytest.mark.parametrize("status", [400, 429, 500])
@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error": "No"}', b'{"error": null}'])
async def test_a_refusal_of_any_form_is_one(status: int, body: bytes) -> None:
    error = await error_of(client(Response(body, status)).audiences(GROUP))
    assert error.status == status
    assert error.advice.endswith(".")
    assert error.request_id is None


async def test_a_missing_permission_is_named_for_every_operation() -> None:
    one = client(JSONResponse(refusing(), 403))
    there = Overview(complete=True)
    nowhere = await client(Played()).navigation(GROUP)
    calls: dict[str, Awaitable[object]] = {
        "accounts": one.accounts(),
        "audiences": one.audiences(GROUP),
        "create": one.create(GROUP, "x", "monitoring", before=there),
        "get": one.get(GROUP, "a"),
        "update": one.update(GROUP, "a", name="x"),
        "delete": one.delete(GROUP, "a"),
        "prospects": one.prospects(GROUP, "a"),
        "navigation": one.navigation(GROUP),
        "move": one.move(GROUP, "a", "f"),
        "remove": one.remove_from_folder(GROUP, "a"),
        "create folder": one.create_folder(GROUP, "x", "on_demand", before=nowhere),
        "rename folder": one.rename_folder(GROUP, "f", "x"),
    }
    assert set(calls) == set(PERMISSIONS)
    for operation, permission in PERMISSIONS.items():
        error = await error_of(calls[operation])
        assert type(error) is Forbidden
        assert (f"permission {permission}," in error.advice) == (permission is not None)
    said = "This organization is inactive"
    error = await error_of(client(JSONResponse({"error": said}, 403)).get(GROUP, "a"))
    assert isinstance(error, Forbidden)


async def test_what_cannot_be_processed_says_what_would() -> None:
    one = client(JSONResponse(refusing(), 422))
    creating = await error_of(one.create(GROUP, "x", "monitoring", before=Overview()))
    assert "perhaps the plan lacks the type" in creating.advice
    assert "same type" in (await error_of(one.move(GROUP, "a", "f"))).advice
    assert "change it" in (await error_of(one.update(GROUP, "a", name="x"))).advice


@pytest.mark.parametrize(
    ("details", "told"),
    [
        ("name: Too long", "Not valid: name: Too long."),
        ([{"path": ["name"], "message": "Too long"}], "Not valid: name: Too long."),
        ({"issues": [{"path": "name", "message": "Too long"}]}, "Not valid: name: Too long."),
        ({"name": "Too long"}, "Not valid."),
        ("Not valid.", "Not valid."),
        (None, "Not valid."),
    ],
)
async def test_what_is_not_valid_is_named_and_a_failure_is_not_explained(
    details: object, told: str
) -> None:
    body = {"error": {"code": "VALIDATION_ERROR", "message": "Not valid.", "details": details}}
    error = await error_of(client(JSONResponse(body, 400)).update(GROUP, "a", name="x"))
    assert error.problem.endswith(f"VALIDATION_ERROR: {told}")
    if isinstance(details, str):
        failed = await error_of(client(JSONResponse(body, 500)).get(GROUP, "a"))
        assert failed.problem == "Sonarly failed with status 500: Not valid."


async def test_a_wait_is_in_seconds_where_it_is_told() -> None:
    answer = JSONResponse(refusing(), 429, {"Retry-After": "7"})
    error = await error_of(client(answer).get(GROUP, "a"))
    assert error.advice == "Try again in 7 seconds."


async def test_what_goes_wrong_on_the_way_speaks_of_sonarly() -> None:
    error = await error_of(client(unreached).get(GROUP, "a"))
    assert str(error) == (
        "Sonarly could not be reached; nothing was sent. Try again in a minute; if it still fails,"
        " check the network and SONARLY_BASE_URL."
    )
    error = await error_of(client(RedirectResponse("https://elsewhere.test")).get(GROUP, "a"))
    assert error.advice == "Check SONARLY_BASE_URL."
    transport = Transport(
        URL, KEY, network=serve_in_process(hanging), total_seconds=0.02, vendor=SONARLY
    )
    with anyio.fail_after(5):
        error = await error_of(SonarlyClient(transport).get(GROUP, "a"))
    assert error.problem == "Sonarly did not answer in the time that there was."
    await transport.close()


async def hanging(scope: Scope, receive: Receive, send: Send) -> None:
    await anyio.sleep(60)


async def test_an_error_holds_nothing_that_is_not_for_others() -> None:
    said = "Key sk_live_abc of jo@acme.example failed at https://10.0.0.7/x"
    body = {"error": {"message": said, "details": said}, "traceId": "sk_live_abc"}
    error = await error_of(client(JSONResponse(body, 400)).get(GROUP, "a"))
    for secret in ("sk_live", "jo@", "10.0.0.7"):
        assert secret not in f"{error}{error.request_id}"


# What became of a change whose answer was lost


@pytest.mark.parametrize("failure", UNCLEAR)
async def test_an_audience_whose_answer_was_lost_is_found(failure: Application) -> None:
    played = Played()
    await client(played).create(GROUP, "VPs", "on_demand")
    played.asked.clear()
    played.fails = failure
    done = await client(played).create(GROUP, "VPs", "on_demand", "for the fair")
    assert done.looked
    assert (done.result.name, done.result.description) == ("VPs", "for the fair")
    assert done.result.id != next(iter(played.audiences))
    assert played.changes() == ["POST "]
    assert len(played.audiences) == 2


async def test_in_a_hundred_lost_answers_there_are_a_hundred_audiences() -> None:
    played = Played()
    played.fails = lost
    ids: set[str] = set()
    for _ in range(100):
        done = await client(played).create(GROUP, "VPs", "on_demand")
        assert done.looked
        ids.add(done.result.id)
    assert ids == set(played.audiences)
    assert len(ids) == len(played.changes()) == 100


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (lost, NotDone),
        (JSONResponse(refusing(), 500), NotDone),
        (HTMLResponse("<h1>Bad gateway</h1>", 502), NotDone),
        (late, Unclear),
        (Response(b"", 201), Unclear),
        (unreached, Unreachable),
    ],
)
async def test_an_audience_that_was_not_created_is_not_said_to_be(
    failure: Application, kind: type[ServiceError]
) -> None:
    played = Played()
    await client(played).create(GROUP, "VPs", "on_demand")
    played.asked.clear()
    played.fails, played.works = failure, False
    error = await error_of(client(played).create(GROUP, "VPs", "on_demand"))
    assert type(error) is kind
    # What was never sent can be sent again.
    assert played.changes() == ["POST "] * (3 if kind is Unreachable else 1)
    assert ("none was created" in error.problem) == (kind is not Unreachable)
    assert ("may still come" in error.problem) == (kind is Unclear)
    looks = len([asked for asked in played.asked if asked == "GET /navigation"])
    assert looks == (1 if kind is Unreachable else 4)


async def test_where_no_look_is_possible_nothing_is_claimed() -> None:
    played = Played()
    played.fails = lost
    played.blind = JSONResponse(refusing(), 500)
    one = client(played)
    error = await error_of(one.create(GROUP, "VPs", "on_demand", before=Overview(complete=True)))
    assert type(error) is Unclear
    assert "Whether it was done is unclear" in error.problem
    assert error.advice == "Look with sonarly_list_audiences in a minute, before trying again."
    assert played.changes() == ["POST "]
    assert not error.retryable


async def test_a_key_that_may_not_look_can_create_all_the_same() -> None:
    async def write_only(scope: Scope, receive: Receive, send: Send) -> None:
        reads = scope["method"] == "GET"
        answer = JSONResponse(refusing(), 403) if reads else JSONResponse(EXAMPLE, 201)
        await answer(scope, receive, send)

    done = await client(write_only).create(GROUP, "VPs", "on_demand")
    assert (done.result.id, done.looked) == (GROUP, False)


def there(*audiences: tuple[str, str | None], complete: bool = True) -> Overview:
    made = [LinkedinAudience(id=i, name="VPs", created_at=when) for i, when in audiences]
    return Overview(tuple(made), (), complete=complete)


@pytest.mark.parametrize(
    ("before", "made_at", "found"),
    [
        (there(), CREATED, True),
        (there(), "string", True),
        (there(), "2026-04-28T15:22:00Z", True),
        (there(), "2026-04-28 15:31", True),
        (there(), "2026-04-27T00:00:00Z", False),
        (there(complete=False), CREATED, True),
        (there(complete=False), "string", False),
        (there(complete=False), "2026-04-27T00:00:00Z", False),
    ],
)
async def test_a_new_audience_is_known_by_name_and_date(
    before: Overview, made_at: str, *, found: bool
) -> None:
    played = Played()
    played.fails, played.made_at = lost, made_at
    creating = client(played).create(GROUP, "VPs", "on_demand", before=before)
    if found:
        assert (await creating).looked
    else:
        error = await error_of(creating)
        assert type(error) is Unclear
        (made,) = played.audiences
        assert f"It may be the audience with the id {made}." in error.problem


async def test_one_of_two_new_namesakes_is_not_guessed() -> None:
    played = Played()
    await client(played).create(GROUP, "VPs", "on_demand")
    played.fails = lost
    error = await error_of(client(played).create(GROUP, "VPs", "on_demand", before=there()))
    assert type(error) is Unclear
    first, second = sorted(played.audiences)
    assert first in error.problem
    assert second in error.problem


@pytest.mark.parametrize("failure", UNCLEAR)
async def test_after_a_lost_answer_a_change_is_looked_for(failure: Application) -> None:
    played = Played()
    one = client(played)
    made = (await one.create(GROUP, "VPs", "on_demand")).result.id
    folder = (await one.create_folder(GROUP, "West", "on_demand")).result.id
    played.asked.clear()
    played.fails = failure
    updated = await one.update(GROUP, made, name="Heads", description="")
    moved = await one.move(GROUP, made, folder)
    removed = await one.remove_from_folder(GROUP, made)
    renamed = await one.rename_folder(GROUP, folder, "East")
    second = await one.create_folder(GROUP, "East", "monitoring")
    deleted = await one.delete(GROUP, made)
    outcomes: list[Done[Any]] = [updated, moved, removed, renamed, second, deleted]
    assert all(done.looked for done in outcomes)
    assert (updated.result.name, moved.result.folder_id, removed.result.folder_id) == (
        "Heads",
        folder,
        None,
    )
    assert (renamed.result.name, second.result.name, deleted.result) == ("East", "East", True)
    assert len(played.changes()) == 6
    assert not played.audiences


async def test_what_was_not_changed_is_not_said_to_be() -> None:
    played = Played()
    one = client(played)
    made = (await one.create(GROUP, "VPs", "on_demand")).result.id
    folder = (await one.create_folder(GROUP, "West", "on_demand")).result.id
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: one.update(GROUP, made, name="Heads"),
        lambda: one.move(GROUP, made, folder),
        lambda: one.rename_folder(GROUP, folder, "East"),
        lambda: one.create_folder(GROUP, "East", "on_demand"),
        lambda: one.delete(GROUP, made),
    ]
    played.works = False
    for failure, kind in ((JSONResponse(refusing(), 500), NotDone), (late, Unclear)):
        played.fails = failure
        for call in calls:
            assert type(await error_of(call())) is kind
    played.blind = JSONResponse({"data": {"id": made, "name": "VPs"}})
    hidden = await error_of(one.update(GROUP, made, description="new"))
    assert type(hidden) is Unclear
    assert "does not show the description" in hidden.problem
    played.fails = played.blind = None
    await one.move(GROUP, made, folder)
    played.fails = lost
    assert type(await error_of(one.remove_from_folder(GROUP, made))) is NotDone


async def test_an_answer_that_shows_something_else_is_looked_behind() -> None:
    played = Played()
    one = client(played)
    made = (await one.create(GROUP, "VPs", "on_demand")).result.id
    played.fails = JSONResponse({"data": {"id": made, "name": "VPs"}})
    assert (await one.update(GROUP, made, name="Heads")).looked
    played.works = False
    error = await error_of(one.update(GROUP, made, name="Chiefs"))
    assert type(error) is NotDone
    assert "not as was asked for" in error.problem
    played.fails = JSONResponse({"data": {"id": "f", "name": "Other"}})
    assert type(await error_of(one.rename_folder(GROUP, "f", "West"))) is Unclear
    played.fails = JSONResponse({"data": {}})
    assert type(await error_of(one.delete(GROUP, made))) is NotDone


async def test_where_an_audience_hides_its_folder_the_folders_tell() -> None:
    inside: list[dict[str, str]] = []

    async def service(scope: Scope, receive: Receive, send: Send) -> None:
        folders = [{"id": FOLDER, "name": "West", "audiences": inside}]
        if scope["method"] == "POST":
            inside.append({"id": AUDIENCE, "name": "VPs"})
        shows = scope["path"].endswith("navigation")
        data = {"folders": folders} if shows else {"id": AUDIENCE, "name": "VPs"}
        await JSONResponse({"data": data})(scope, receive, send)

    assert (await client(service).move(GROUP, AUDIENCE, FOLDER)).result.folder_id == FOLDER


async def test_a_folder_that_may_be_hidden_is_not_said_to_be_missing() -> None:
    async def full_only(scope: Scope, receive: Receive, send: Send) -> None:
        folders = [{"id": "f", "name": "West", "audiences": [{"id": "a"}]}]
        shows = JSONResponse({"data": {"folders": folders}})
        await (shows if scope["method"] == "GET" else lost)(scope, receive, send)

    error = await error_of(client(full_only).create_folder(GROUP, "East", "on_demand"))
    assert type(error) is Unclear
    assert "an empty one may not be shown" in error.problem


async def test_one_of_two_new_folders_is_not_guessed() -> None:
    async def twins(scope: Scope, receive: Receive, send: Send) -> None:
        folders = [{"id": "f", "name": "West"}, {"id": "g", "name": "West"}]
        shows = JSONResponse({"data": {"folders": folders}})
        await (shows if scope["method"] == "GET" else lost)(scope, receive, send)

    nothing = await client(Played()).navigation(GROUP)
    creating = client(twins).create_folder(GROUP, "West", "on_demand", before=nothing)
    assert "the folder with the id f or g" in (await error_of(creating)).problem


async def test_where_not_all_could_be_seen_nothing_is_said_to_be_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(client_module, "MOST_PAGES", 3)
    asked: list[str] = []

    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(scope["method"])
        page: dict[str, object] = {"items": [], "nextCursor": str(len(asked))}
        await (JSONResponse({"data": page}) if asked[-1] == "GET" else lost)(scope, receive, send)

    error = await error_of(client(endless).create(GROUP, "VPs", "on_demand"))
    assert type(error) is Unclear
    assert "among those seen it is not" in error.problem
    assert asked.count("POST") == 1
