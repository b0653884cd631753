"""The client of Sonarly: what it sends, what it reads, and what its refusals mean."""

from collections.abc import Awaitable, Callable

import pytest
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.types import Receive, Scope, Send

from leadpipe_mcp import errors
from leadpipe_mcp.api.sonarly_models import Overview
from leadpipe_mcp.errors import NotPossible, ServiceError
from tests.api.answering import error_of, refused
from tests.api.sonarly_service import (
    AUDIENCE,
    CREATED,
    FOLDER,
    GROUP,
    KEY,
    MESSAGE,
    Played,
    client,
    holding,
    refusal,
    showing,
)

pytestmark = pytest.mark.anyio
Call = Callable[[], Awaitable[object]]


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
    played = Played()
    with pytest.raises(errors.NotConfigured, match="SONARLY_API_KEY") as caught:
        await client(played, None).accounts()
    assert "LEADPIPE" not in str(caught.value)
    assert played.asked == []


async def test_every_operation_asks_as_the_documents_say() -> None:
    played = Played()
    one = client(played)
    made = (await one.create(GROUP, "VPs", "on_demand", before=Overview())).id
    folder = (await one.create_folder(GROUP, "West", "on_demand", before=Overview())).id
    await one.update(GROUP, made, name="Heads")
    await one.move(GROUP, made, folder)
    await one.move(GROUP, made, None)
    await one.rename_folder(GROUP, folder, "East")
    await one.delete(GROUP, made)
    assert played.asked == [
        "POST ",
        "POST /folders",
        f"PATCH /{made}",
        f"POST /{made}/move-to-folder",
        f"POST /{made}/remove-from-folder",
        f"PATCH /folders/{folder}",
        f"DELETE /{made}",
    ]
    kept = played.sandbox.groups[GROUP].folders[folder]
    assert (kept.name, kept.category) == ("East", "on_demand")


async def test_an_id_cannot_reach_another_route() -> None:
    played = Played()
    one = client(played)
    for hostile in ("", "..", "a/b", "a?b", "navigation", "Folders"):
        calls: list[Call] = [
            lambda hostile=hostile: one.get(GROUP, hostile),
            lambda hostile=hostile: one.update(GROUP, hostile, name="x"),
            lambda hostile=hostile: one.delete(GROUP, hostile),
            lambda hostile=hostile: one.prospects(GROUP, hostile),
            lambda hostile=hostile: one.move(GROUP, hostile, FOLDER),
        ]
        if not hostile.isalpha():
            calls += [
                lambda hostile=hostile: one.navigation(hostile),
                lambda hostile=hostile: one.move(GROUP, AUDIENCE, hostile),
                lambda hostile=hostile: one.rename_folder(GROUP, hostile, "x"),
            ]
        for call in calls:
            with pytest.raises(NotPossible, match="cannot be") as caught:
                await call()
            assert "sonarly_list_" in caught.value.advice
    assert played.asked == []


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ({"name": "A", "folderId": "f"}, {"name": "A", "folder_id": "f"}),
        ({"name": None, "prospectCount": "25"}, {"name": "", "size": 25}),
        ({"prospectCount": "string", "createdAt": {}}, {"size": None, "created_at": None}),
        ({"createdAt": CREATED}, {"created_at": CREATED}),
        ({"description": ["a", 7], "type": ["b", 8]}, {"description": "a, 7", "type": "b, 8"}),
        ({"description": 7, "type": {"x": 1}}, {"description": "7", "type": None}),
    ],
)
async def test_an_audience_is_read_as_well_as_it_can_be(
    sent: dict[str, object], read: dict[str, object]
) -> None:
    audience = await client(holding({"id": "a", **sent})).get(GROUP, "a")
    assert audience.model_dump(include=set(read)) == read


async def test_another_audience_than_was_asked_for_is_not_shown() -> None:
    with pytest.raises(errors.UnusableAnswer, match="about another audience than was asked for"):
        await client(holding({"id": "b"})).get(GROUP, "a")


@pytest.mark.parametrize(
    ("end", "cursor"),
    [
        ({}, None),
        ({"nextCursor": "", "hasMore": True}, None),
        ({"nextCursor": "x", "hasMore": False}, None),
        ({"nextCursor": {"after": 7}}, {"after": 7}),
    ],
)
async def test_a_page_ends_in_any_of_the_ways_that_were_seen(
    end: dict[str, object], cursor: object
) -> None:
    page = holding({"items": [{"id": 1}], **end})
    assert (await client(page).prospects(GROUP, "a")).next_cursor == cursor
    assert [account.id for account in await client(page).accounts()] == ["1"]


@pytest.mark.parametrize(("is_circle", "last"), [(False, 4), (True, 5)])
async def test_all_pages_are_read_and_a_circle_is_left(is_circle: bool, last: int) -> None:  # noqa: FBT001 -- a case
    async def pages(scope: Scope, receive: Receive, send: Send) -> None:
        cursor = int(Request(scope).query_params.get("cursor", 0))
        following = str((cursor + 1) % 5) if cursor < 3 or is_circle else None
        items = [{"id": f"a{cursor}"}, {"id": f"a{cursor + 1}"}]
        page = {"items": items, "folders": [], "nextCursor": following}
        await holding(page)(scope, receive, send)

    there = await client(pages).overview(GROUP)
    assert [audience.id for audience in there.audiences] == [f"a{n}" for n in range(last + 1)]
    assert there.complete is not is_circle


async def test_the_overview_holds_what_the_list_and_the_folders_show() -> None:
    nested = {"id": "b", "name": "B", "prospectCount": "7", "type": "string"}
    folders = [{"id": "f", "name": "West", "audiences": [nested, {"id": "a"}]}, {"id": "g"}]
    there = await client(showing([{"id": "a", "name": "A"}], folders)).overview(GROUP)
    assert [(a.id, a.name, a.size, a.folder_id) for a in there.audiences] == [
        ("a", "A", None, "f"),
        ("b", "B", 7, "f"),
    ]
    assert there.complete
    for audiences, odd in (([{"id": "a"}, {}], folders), ([], [*folders, {}])):
        assert not (await client(showing(audiences, odd)).overview(GROUP)).complete
    with pytest.raises(errors.UnusableAnswer, match="what should be a list is not one"):
        await client(holding({"folders": 7})).navigation(GROUP)
    with pytest.raises(errors.UnusableAnswer, match="the folders are missing"):
        await client(holding([])).navigation(GROUP)
    # Where the folders cannot be read, the list is what there is.
    alone = await client(holding({"items": [{"id": "a"}], "folders": 7})).overview(GROUP)
    assert [audience.id for audience in alone.audiences] == ["a"]
    assert not alone.shows_folders


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ({"id": 7, "name": "Jo Doe"}, {"id": 7, "fullName": "Jo Doe"}),
        ({"title": "VP", "headline": "Builder"}, {"jobTitle": "VP", "headline": "Builder"}),
        ({"position": {"title": "CTO"}}, {"jobTitle": "CTO"}),
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


@pytest.mark.parametrize(
    ("status", "code", "kind", "advice"),
    [
        (400, "VALIDATION_ERROR", errors.RequestRefused, "Change what it names"),
        (401, "string", errors.KeyRefused, "SONARLY_API_KEY must hold a current key of Sonarly"),
        (401, "string", errors.KeyRefused, "on a team's server, change the X-Sonarly-Key that"),
        (402, "INSUFFICIENT_CREDITS", errors.OutOfCredits, "buy credits in Sonarly"),
        (404, "string", errors.NotFound, "sonarly_list_audiences shows"),
        (409, "AUDIENCE_NOT_READY", errors.NotReady, "A prospecting job is filling this audience"),
        (409, "string", errors.Conflict, "sonarly_get_audience"),
        (500, "string", errors.ServiceDown, "Try again in a minute."),
    ],
)
async def test_refusals_speak_of_sonarly(
    status: int, code: str, kind: type[ServiceError], advice: str
) -> None:
    error = await error_of(lambda: client(refusal(status, code)).get(GROUP, "a"))
    assert type(error) is kind
    assert (error.status, error.code, error.request_id) == (status, code, GROUP)
    assert advice in error.advice
    verb = "failed" if status == 500 else "refused"
    assert error.problem.startswith(f"Sonarly {verb} with status {status}")
    assert MESSAGE.rstrip(".") in error.problem
    assert "LEADPIPE" not in str(error).upper()


async def test_a_missing_permission_is_named_for_every_operation() -> None:
    one = client(refusal(403))
    needed: list[tuple[Call, str]] = [
        (one.accounts, "may not do this"),
        (lambda: one.overview(GROUP), "audiences:read"),
        (lambda: one.navigation(GROUP), "audiences:read"),
        (lambda: one.prospects(GROUP, "a"), "prospects:read"),
        (lambda: one.create(GROUP, "x", "monitoring", before=Overview()), "audiences:write"),
        (lambda: one.update(GROUP, "a", name="x"), "audiences:write"),
        (lambda: one.move(GROUP, "a", "f"), "audiences:write"),
        (lambda: one.delete(GROUP, "a"), "audiences:write"),
        (lambda: one.create_folder(GROUP, "x", "on_demand", before=Overview()), "audiences:write"),
        (lambda: one.rename_folder(GROUP, "f", "x"), "audiences:write"),
    ]
    for call, permission in needed:
        error = await error_of(call)
        assert type(error) is errors.Forbidden
        assert permission in error.advice


async def test_what_cannot_be_processed_says_what_would() -> None:
    one = client(refusal(422))
    told: list[tuple[Call, str]] = [
        (lambda: one.create(GROUP, "x", "monitoring", before=Overview()), "plan lacks the type"),
        (lambda: one.move(GROUP, "a", "f"), "same type"),
        (lambda: one.update(GROUP, "a", name="x"), "change it"),
        (lambda: one.get(GROUP, "a"), "Change what it names"),
    ]
    for call, advice in told:
        assert advice in (await error_of(call)).advice


async def test_what_goes_wrong_on_the_way_speaks_of_sonarly() -> None:
    error = await error_of(lambda: client(refused).get(GROUP, "a"))
    assert str(error) == (
        "Sonarly could not be reached; nothing was sent. Try again in a minute; if it still fails,"
        " check the network and SONARLY_BASE_URL."
    )
    elsewhere = client(RedirectResponse("https://elsewhere.test"))
    assert (await error_of(lambda: elsewhere.get(GROUP, "a"))).advice == "Check SONARLY_BASE_URL."
