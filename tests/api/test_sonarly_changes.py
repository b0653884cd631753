"""What became of a change at Sonarly whose answer was lost."""

from typing import Any

import pytest
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from leadpipe_mcp import errors
from leadpipe_mcp.api.budget import call_budget
from leadpipe_mcp.api.connections import Application
from leadpipe_mcp.api.sonarly_models import LinkedinAudience, Overview
from leadpipe_mcp.errors import NotDone, ServiceError, Unclear
from tests.api.answering import Asking, error_of, lost, refused
from tests.api.sonarly_service import (
    AUDIENCE,
    CREATED,
    FOLDER,
    GROUP,
    Played,
    client,
    created,
    holding,
    late,
    refusal,
    showing,
)

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "failure",
    [
        *(lost, late, refusal(500), HTMLResponse("<h1>Bad gateway</h1>", 502)),
        *(Response(b"", 201), holding({"name": "VPs"}, 201)),
    ],
)
async def test_after_a_lost_answer_every_change_is_found(failure: Application) -> None:
    played = Played()
    one = client(played)
    made = (await created(one)).id
    there = await one.navigation(GROUP)
    folder = (await one.create_folder(GROUP, "West", "on_demand", before=there)).id
    played.asked.clear()
    played.fails = failure
    with call_budget() as work:
        twin = await created(one, "for the fair")
    assert work.looked
    updated = await one.update(GROUP, made, name="Heads", description="")
    moved = await one.move(GROUP, made, folder)
    removed = await one.move(GROUP, made, None)
    renamed = await one.rename_folder(GROUP, folder, "East")
    there = await one.navigation(GROUP)
    second = await one.create_folder(GROUP, "East", "monitoring", before=there)
    await one.delete(GROUP, made)
    assert len(played.changes()) == 7
    assert played.ids == [twin.id] != [made]
    assert (twin.name, twin.description) == ("VPs", "for the fair")
    assert updated.name == "Heads"
    assert (moved.folder_id, removed.folder_id) == (folder, None)
    assert (renamed.name, second.name) == ("East", "East")


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        *((lost, NotDone), (refusal(500), NotDone), (late, Unclear)),
        *((Response(b"", 201), Unclear), (refused, errors.Unreachable)),
    ],
)
async def test_an_audience_that_was_not_created_is_not_said_to_be(
    failure: Application, kind: type[ServiceError]
) -> None:
    played = Played()
    await created(client(played))
    played.asked.clear()
    played.fails, played.works = failure, False
    error = await error_of(lambda: created(client(played)))
    assert type(error) is kind
    # What was never sent can be sent again.
    assert played.changes() == ["POST "] * (3 if failure is refused else 1)
    assert ("none was created" in error.problem) == (failure is not refused)
    assert ("may still come" in error.problem) == (kind is Unclear)
    assert played.asked.count("GET /navigation") == (1 if failure is refused else 4)


async def test_where_no_look_is_possible_nothing_is_claimed() -> None:
    played = Played()
    one = client(played)
    played.fails, played.shows = lost, refusal(500)
    before = Overview(complete=True)
    error = await error_of(lambda: one.create(GROUP, "VPs", "on_demand", before=before))
    assert type(error) is Unclear
    assert "Whether it was done is unclear" in error.problem
    assert error.advice == "Look with sonarly_list_audiences in a minute, before trying again."
    assert played.changes() == ["POST "]
    assert not error.retryable
    # A key that may not look can create all the same.
    played = Played()
    played.shows = refusal(403)
    assert [(await created(client(played))).id] == played.ids


KNOWN = Overview((LinkedinAudience(id="old", name="VPs"),), complete=True)
NEW = {"id": "new", "name": "VPs", "createdAt": CREATED}


@pytest.mark.parametrize(
    ("before", "new", "told"),
    [
        (KNOWN, [NEW], ""),
        (KNOWN, [{**NEW, "createdAt": "string"}], ""),
        (KNOWN, [{**NEW, "createdAt": "2026-04-28 15:22"}], ""),
        (KNOWN, [{**NEW, "createdAt": "2026-04-27T00:00:00Z"}], "audience with the id new."),
        (Overview(KNOWN.audiences), [NEW], ""),
        (Overview(KNOWN.audiences), [{**NEW, "createdAt": "string"}], "the id new."),
        (KNOWN, [NEW, {**NEW, "id": "twin"}], "the id new or twin."),
        (KNOWN, [7], "among those seen it is not"),
    ],
)
async def test_a_new_audience_is_known_by_name_and_date_or_not_claimed(
    before: Overview, new: list[Any], told: str
) -> None:
    one = client(showing([{"id": "old", "name": "VPs"}, *new], []))
    if not told:
        assert (await one.create(GROUP, "VPs", "on_demand", before=before)).id == "new"
        return
    error = await error_of(lambda: one.create(GROUP, "VPs", "on_demand", before=before))
    assert type(error) is Unclear
    assert told in error.problem


async def test_a_new_folder_that_cannot_be_told_is_not_claimed() -> None:
    cases: list[tuple[list[Any], str]] = [
        ([{"id": "f", "audiences": [{"id": "a"}]}], "an empty one may not be shown"),
        ([{"id": "f", "name": "West"}, {"id": "g", "name": "West"}], "folder with the id f or g"),
        ([{"id": "f"}, {}], "Not all folders could be read"),
    ]
    before = Overview(complete=True)
    for after, told in cases:
        one = client(showing([], after))
        error = await error_of(
            lambda one=one: one.create_folder(GROUP, "West", "on_demand", before=before)
        )
        assert type(error) is Unclear
        assert told in error.problem


async def test_what_was_not_changed_is_not_said_to_be() -> None:
    played = Played()
    one = client(played)
    made = (await created(one)).id
    inside, outside = [
        (await one.create_folder(GROUP, name, "on_demand", before=Overview())).id
        for name in ("West", "East")
    ]
    await one.move(GROUP, made, inside)
    calls: list[Asking] = [
        lambda: one.update(GROUP, made, name="Heads"),
        lambda: one.move(GROUP, made, outside),
        lambda: one.move(GROUP, made, None),
        lambda: one.rename_folder(GROUP, inside, "North"),
        lambda: one.delete(GROUP, made),
    ]
    played.works = False
    shown = holding({"id": made, "name": "VPs", "folderId": inside})
    for failure, kind in ((refusal(500), NotDone), (late, Unclear), (shown, NotDone)):
        played.fails = failure
        for call in calls:
            assert type(await error_of(call)) is kind
    played.fails, played.shows = lost, holding({"id": made, "name": "VPs"})
    hidden = await error_of(lambda: one.update(GROUP, made, description="new"))
    assert type(hidden) is Unclear
    assert "does not show the description" in hidden.problem
    played.shows = holding({"folders": []})
    gone = await error_of(lambda: one.rename_folder(GROUP, inside, "North"))
    assert type(gone) is Unclear
    assert "The folder is not shown now" in gone.problem


async def test_where_an_audience_hides_its_folder_the_folders_tell() -> None:
    folders = [{"id": FOLDER, "name": "West", "audiences": [{"id": AUDIENCE, "name": "VPs"}]}]

    async def service(scope: Scope, receive: Receive, send: Send) -> None:
        shows = scope["path"].endswith("navigation")
        data = {"folders": folders} if shows else {"id": AUDIENCE, "name": "VPs"}
        await holding(data)(scope, receive, send)

    assert (await client(service).move(GROUP, AUDIENCE, FOLDER)).folder_id == FOLDER
