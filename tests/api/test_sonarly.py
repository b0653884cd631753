"""The client of Sonarly: what it sends, what it reads, and what its refusals mean."""

import re
from collections.abc import Awaitable, Callable

import pytest
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.types import Receive, Scope, Send

from leadpipe_mcp import errors
from leadpipe_mcp.api.sonarly_models import Overview
from leadpipe_mcp.errors import NotPossible, ServiceError
from tests.api.sonarly_service import (
    AUDIENCE,
    CREATED,
    FOLDER,
    GROUP,
    KEY,
    MESSAGE,
    Played,
    client,
    error_of,
    holding,
    refusal,
    showing,
    unreached,
)

pytestmark = pytest.mark.anyio

# What is sent


async def test_the_key_goes_as_a_bearers_token_and_nowhere_else() -> None:
    seen: list[Request] = []

    async def service(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(Request(scope))
        await holding({"items": []})(scope, receive, send)

    await client(service).prospects(GROUP, AUDIENCE, "a&b", 5)
    (request,) = seen
    assert request.headers["Authorization"] == f"Bearer {KEY.get_secret_value()}"
    assert "x-api-key" not in request.headers
    assert request.url.path == f"/v1/accounts/{GROUP}/audiences/{AUDIENCE}/prospects"
    assert dict(request.query_params) == {"cursor": "a&b", "limit": "5"}


async def test_without_a_key_nothing_is_sent() -> None:
    played = Played()
    with pytest.raises(errors.NotConfigured, match="SONARLY_API_KEY") as caught:
        await client(played, None).accounts()
    assert "LEADPIPE" not in str(caught.value)
    assert played.asked == []


async def test_every_operation_asks_as_the_documents_say() -> None:
    played = Played()
    one = client(played)
    made = (await one.create(GROUP, "VPs", "on_demand", before=Overview())).id
    folder = (await one.create_folder(GROUP, "West", "on_demand")).id
    await one.update(GROUP, made, name="Heads")
    await one.move(GROUP, made, folder)
    await one.move(GROUP, made, None)
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


@pytest.mark.parametrize("hostile", ["", "..", "a/b", "a?b", "navigation", "Folders"])
async def test_an_id_cannot_reach_another_route(hostile: str) -> None:
    played = Played()
    one = client(played)
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: one.get(GROUP, hostile),
        lambda: one.update(GROUP, hostile, name="x"),
        lambda: one.delete(GROUP, hostile),
        lambda: one.prospects(GROUP, hostile),
        lambda: one.move(GROUP, hostile, FOLDER),
    ]
    if not hostile.isalpha():
        calls += [
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


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (
            {"name": "Avery", "type": "linkedin_search"},
            {"name": "Avery", "type": "linkedin_search"},
        ),
        ({"folderId": "f", "createdAt": CREATED}, {"folder_id": "f", "created_at": CREATED}),
        ({"name": None, "prospectCount": "25"}, {"name": "", "size": 25}),
        ({"prospectCount": "string", "createdAt": {}}, {"size": None, "created_at": None}),
        ({"createdAt": "1781012312345"}, {"created_at": "2026-06-09T13:38:32.345Z"}),
    ],
)
async def test_an_audience_is_read_as_well_as_it_can_be(
    sent: dict[str, object], read: dict[str, object]
) -> None:
    audience = await client(holding({"id": "a", **sent})).get(GROUP, "a")
    assert audience.model_dump(include=set(read)) == read


async def test_what_lacks_an_id_is_no_audience() -> None:
    error = await error_of(client(holding({"name": "x"})).get(GROUP, "a"))
    assert type(error) is errors.UnusableAnswer
    assert str(error) == (
        "Sonarly answered with status 200, but these are missing or not what they should be: id."
        " Nothing was changed. Try again in a minute."
    )


@pytest.mark.parametrize(
    ("end", "cursor"),
    [
        ({}, None),
        ({"nextCursor": "", "hasMore": True}, None),
        ({"nextCursor": "x", "hasMore": False}, None),
        ({"nextCursor": "x"}, "x"),
        ({"nextCursor": {"after": 7}}, {"after": 7}),
    ],
)
async def test_a_page_ends_in_any_of_the_ways_that_were_seen(
    end: dict[str, object], cursor: object
) -> None:
    page = holding({"items": [{"id": 1}], **end})
    assert (await client(page).prospects(GROUP, "a")).next_cursor == cursor
    (account,) = await client(page).accounts()
    assert account.id == "1"


async def test_all_pages_are_read_and_a_circle_is_left() -> None:
    async def pages(scope: Scope, receive: Receive, send: Send) -> None:
        cursor = int(Request(scope).query_params.get("cursor", 0))
        following = cursor + 1 if cursor < 3 or circle else None
        items = [{"id": f"a{cursor}"}, {"id": f"a{cursor + 1}"}]
        await holding({"items": items, "nextCursor": following and str(following % 5)})(
            scope, receive, send
        )

    circle = False
    there = await client(pages).overview(GROUP)
    assert [audience.id for audience in there.audiences] == ["a0", "a1", "a2", "a3", "a4"]
    assert there.complete
    circle = True
    there = await client(pages).overview(GROUP)
    assert (len(there.audiences), there.complete) == (6, False)


async def test_the_overview_holds_what_the_list_and_the_folders_show() -> None:
    nested = {"id": "b", "name": "B", "prospectCount": "7", "type": "string"}
    folders = [{"id": "f", "name": "West", "audiences": [nested, {"id": "a"}]}, {"id": "g"}]
    there = await client(showing([{"id": "a", "name": "A"}], folders)).overview(GROUP)
    assert [(a.id, a.name, a.size, a.folder_id) for a in there.audiences] == [
        ("a", "A", None, "f"),
        ("b", "B", 7, "f"),
    ]
    assert there.complete
    assert not (await client(showing([{"id": "a"}, {}], folders)).overview(GROUP)).complete
    assert not (await client(showing([], [*folders, {}])).overview(GROUP)).complete


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ({"id": 7, "name": "Jo Doe"}, {"id": 7, "fullName": "Jo Doe"}),
        ({"title": "VP", "headline": "Builder"}, {"jobTitle": "VP", "headline": "Builder"}),
        ({"position": {"title": "CTO"}}, {"jobTitle": "CTO"}),
        ({"location": {"name": "Berlin"}}, {"location": "Berlin"}),
        ({"company": "Acme"}, {"company": "Acme"}),
        ({"company": {"name": "Acme", "size": 9}}, {"company": "Acme", "companySize": 9}),
        ({"companyName": "Acme", "company": None}, {"company": "Acme"}),
    ],
)
async def test_a_prospect_speaks_as_people_do_everywhere(
    sent: dict[str, object], read: dict[str, object]
) -> None:
    page = await client(holding({"items": [sent, 7]})).prospects(GROUP, AUDIENCE)
    (prospect,) = page.items
    assert {name: prospect.get(name) for name in read} == read
    assert None not in prospect.values()


# What is refused


@pytest.mark.parametrize(
    ("status", "code", "kind", "advice"),
    [
        (400, "VALIDATION_ERROR", errors.RequestRefused, "Change what it names"),
        (401, "string", errors.KeyRefused, "SONARLY_API_KEY must hold a current key of Sonarly"),
        (402, "INSUFFICIENT_CREDITS", errors.OutOfCredits, "buy credits in Sonarly"),
        (403, "string", errors.Forbidden, "lacks the permission audiences:read"),
        (404, "string", errors.NotFound, "sonarly_list_audiences shows"),
        (409, "AUDIENCE_NOT_READY", errors.NotReady, "A prospecting job is filling this audience"),
        (409, "string", errors.Conflict, "sonarly_get_audience"),
        (422, "string", errors.RequestRefused, "Change what it names"),
        (429, "string", errors.TooManyRequests, "Try again in a minute."),
        (500, "string", errors.ServiceDown, "Try again in a minute."),
    ],
)
async def test_every_status_has_its_error_and_its_advice(
    status: int, code: str, kind: type[ServiceError], advice: str
) -> None:
    error = await error_of(client(refusal(status, code)).get(GROUP, "a"))
    assert type(error) is kind
    assert (error.status, error.code, error.request_id) == (status, code, GROUP)
    assert advice in error.advice
    assert re.match(rf"Sonarly (refused|failed) with status {status}", error.problem)
    assert MESSAGE.rstrip(".") in error.problem
    assert "LEADPIPE" not in str(error).upper()


async def test_a_missing_permission_is_named_for_every_operation() -> None:
    one = client(refusal(403))
    nowhere = await client(Played()).navigation(GROUP)
    needed: list[tuple[Awaitable[object], str]] = [
        (one.accounts(), "may not do this"),
        (one.overview(GROUP), "audiences:read"),
        (one.navigation(GROUP), "audiences:read"),
        (one.prospects(GROUP, "a"), "prospects:read"),
        (one.create(GROUP, "x", "monitoring"), "audiences:write"),
        (one.update(GROUP, "a", name="x"), "audiences:write"),
        (one.move(GROUP, "a", "f"), "audiences:write"),
        (one.delete(GROUP, "a"), "audiences:write"),
        (one.create_folder(GROUP, "x", "on_demand", before=nowhere), "audiences:write"),
        (one.rename_folder(GROUP, "f", "x"), "audiences:write"),
    ]
    for call, permission in needed:
        error = await error_of(call)
        assert type(error) is errors.Forbidden
        assert permission in error.advice


async def test_what_cannot_be_processed_says_what_would() -> None:
    one = client(refusal(422))
    creating = await error_of(one.create(GROUP, "x", "monitoring", before=Overview()))
    assert "perhaps the plan lacks the type" in creating.advice
    assert "same type" in (await error_of(one.move(GROUP, "a", "f"))).advice
    assert "change it" in (await error_of(one.update(GROUP, "a", name="x"))).advice


async def test_what_goes_wrong_on_the_way_speaks_of_sonarly() -> None:
    error = await error_of(client(unreached).get(GROUP, "a"))
    assert str(error) == (
        "Sonarly could not be reached; nothing was sent. Try again in a minute; if it still fails,"
        " check the network and SONARLY_BASE_URL."
    )
    error = await error_of(client(RedirectResponse("https://elsewhere.test")).get(GROUP, "a"))
    assert error.advice == "Check SONARLY_BASE_URL."
