"""Sonarly's open corners: both sides of every setting."""

import base64
import json
import uuid
from collections.abc import Callable
from typing import Any, cast

import httpx
import pytest

from leadpipe_mcp.sandbox import SonarlySettings
from tests.faults.service import SonarlySandbox

pytestmark = pytest.mark.anyio
Play = Callable[..., tuple[SonarlySandbox, httpx.AsyncClient]]
GROUP = "6650a1b2c3d4e5f607182930"
AUDIENCES = f"/v1/accounts/{GROUP}/audiences"
NAVIGATION = f"{AUDIENCES}/navigation"
FOLDERS = f"{AUDIENCES}/folders"
SOME_ID = "507f1f77bcf86cd799439011"
BODY = {"name": "Founders", "type": "on_demand"}
Settings = dict[str, Any]


@pytest.fixture
def play(play_sonarly: Play) -> Callable[..., httpx.AsyncClient]:
    def play(**settings: object) -> httpx.AsyncClient:
        return play_sonarly(SonarlySettings(**cast("Settings", settings)))[1]

    return play


Clients = Callable[..., httpx.AsyncClient]


async def created(client: httpx.AsyncClient, **more: object) -> dict[str, Any]:
    response = await client.post(AUDIENCES, json={**BODY, **more})
    assert response.status_code == 201, response.text
    return response.json()["data"]


async def listed(client: httpx.AsyncClient, query: str = "") -> dict[str, Any]:
    response = await client.get(AUDIENCES + query)
    assert response.status_code == 200, response.text
    return response.json()["data"]


async def navigated(client: httpx.AsyncClient) -> dict[str, Any]:
    return (await client.get(NAVIGATION)).json()["data"]


async def prospects(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    audience = (await listed(client))["items"][-1]
    response = await client.get(f"{AUDIENCES}/{audience['id']}/prospects")
    return response.json()["data"]["items"]


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        ("text", "limit: Expected a number"),
        ("object", {"issues": [{"path": "limit", "message": "Expected a number"}]}),
        ("array", [{"path": "limit", "message": "Expected a number"}]),
        ("null", None),
        ("absent", "nothing"),
    ],
)
async def test_details_take_any_form(details: str, expected: object, play: Clients) -> None:
    response = await play(error_details=details).get(f"{AUDIENCES}?limit=x")
    assert response.json()["error"].get("details", "nothing") == expected


@pytest.mark.parametrize(
    ("trace_id", "in_success", "in_error"),
    [("hex", 24, 24), ("uuid", 36, 36), ("errors", 0, 24), ("absent", 0, 0)],
)
async def test_the_trace_id_has_a_form_or_is_absent(
    trace_id: str, in_success: int, in_error: int, play: Clients
) -> None:
    client = play(trace_id=trace_id)
    for path, length in (("/v1/accounts", in_success), ("/v1/nothing", in_error)):
        first, second = (await client.get(path)).json(), (await client.get(path)).json()
        assert ("traceId" in first) is (length > 0)
        assert len(first.get("traceId", "")) == length
        assert length == 0 or first["traceId"] != second["traceId"]


async def test_undocumented_codes_are_the_settings_own(play: Clients) -> None:
    client = play(codes={404: "RESOURCE_MISSING"})
    for path, code in ((SOME_ID, "RESOURCE_MISSING"), ("x", "VALIDATION_ERROR")):
        assert (await client.get(f"{AUDIENCES}/{path}")).json()["error"]["code"] == code
    client.headers["Authorization"] = "none"
    assert (await client.get(AUDIENCES)).json()["error"]["code"] == "ERROR"


@pytest.mark.parametrize("retry_after", [False, True])
async def test_a_key_may_ask_so_often_in_a_minute(
    *, retry_after: bool, play: Clients, moments: list[float]
) -> None:
    client = play(requests_a_minute=2, retry_after=retry_after)
    responses = [await client.get("/v1/accounts") for _ in range(3)]
    assert [response.status_code for response in responses] == [200, 200, 429]
    assert responses[-1].json()["error"]["code"] == "RATE_LIMIT_EXCEEDED"
    assert responses[-1].headers.get("Retry-After") == ("61" if retry_after else None)
    moments.append(moments[-1] + 61)
    assert (await client.get("/v1/accounts")).status_code == 200


@pytest.mark.parametrize(
    ("settings", "path", "status"),
    [
        ({}, f"/v1/accounts/{SOME_ID}/audiences", 403),
        ({"unknown_group": 404}, f"/v1/accounts/{SOME_ID}/audiences", 404),
        ({"unknown_group": 404}, f"/v1/accounts/{SOME_ID}/audiences?limit=x", 400),
        ({}, "/v1/accounts/x/audiences", 400),
        ({"malformed_id": 404}, "/v1/accounts/x/audiences", 403),
        ({}, f"{AUDIENCES}/x", 400),
        ({"malformed_id": 404}, f"{AUDIENCES}/x", 404),
    ],
)
async def test_groups_and_ids_that_are_none_are_refused(
    settings: Settings, path: str, status: int, play: Clients
) -> None:
    assert (await play(**settings).get(path)).status_code == status


async def test_a_folder_id_that_is_none_is_refused_as_other_ids(play: Clients) -> None:
    for malformed_id in (400, 404):
        client = play(malformed_id=malformed_id)
        path = f"{AUDIENCES}/{(await created(client))['id']}/move-to-folder"
        assert (await client.post(path, json={"folderId": "x"})).status_code == malformed_id
        path = f"{FOLDERS}/x"
        assert (await client.patch(path, json={"name": "X"})).status_code == malformed_id


@pytest.mark.parametrize(("permission", "status"), [("prospects", 200), ("both", 403)])
async def test_prospects_need_one_permission_or_two(
    permission: str, status: int, play_sonarly: Play, play: Clients
) -> None:
    audience = (await listed(play()))["items"][0]["id"]
    settings = SonarlySettings(
        key_permissions={"sk_live_one": ["prospects:read"]},
        prospects_permission="both" if permission == "both" else "prospects",
    )
    _, client = play_sonarly(settings, "sk_live_one")
    response = await client.get(f"{AUDIENCES}/{audience}/prospects")
    assert response.status_code == status


async def test_accounts_come_with_paging_or_without(play: Clients) -> None:
    data = (await play().get("/v1/accounts")).json()["data"]
    assert list(data) == ["items"]
    data = (await play(accounts_paged=True).get("/v1/accounts")).json()["data"]
    assert (data["nextCursor"], data["hasMore"]) == (None, False)


async def test_ids_and_times_have_another_form(play: Clients) -> None:
    client = play(ids="uuid", times="epoch")
    audience = await created(client)
    assert str(uuid.UUID(audience["id"])) == audience["id"]
    assert audience["createdAt"] == "1777972500000"
    assert (await client.get(f"{AUDIENCES}/{audience['id']}")).status_code == 200
    assert (await client.get(f"{AUDIENCES}/{SOME_ID}")).status_code == 400


async def test_what_is_made_in_one_millisecond_has_one_time_or_several(play: Clients) -> None:
    for created_at, different in (("increasing", 3), ("clock", 1)):
        client = play(created_at=created_at)
        times = {(await created(client))["createdAt"] for _ in range(3)}
        assert len(times) == different


@pytest.mark.parametrize(
    ("settings", "limit", "answer"),
    [
        ({}, "", 25),
        ({"default_limit": 7}, "", 7),
        ({}, "?limit=5", 5),
        ({}, "?limit=5.0", 5),
        ({}, "?limit=200", 100),
        ({"largest_limit": 50}, "?limit=51", 50),
        ({"excess_limit": "reject"}, "?limit=101", 400),
        ({}, "?limit=2.5", 400),
        ({"fractional_limit": "floor"}, "?limit=2.5", 2),
        ({}, "?limit=0", 400),
        ({}, "?limit=-1", 400),
        ({"small_limit": "default"}, "?limit=0", 25),
        ({}, "?limit=ten", 400),
        ({}, "?limit=", 400),
        ({}, "?cursor=nonsense", 400),
        ({}, "?cursor=%C3%BC", 400),
        ({}, "?cursor=", 400),
        ({}, "?cursor=W10", 400),
        ({}, "?cursor=eyJjcmVhdGVkQXQiOjV9", 400),
        ({"bad_cursor": "first_page"}, "?cursor=nonsense", 25),
        ({"bad_cursor": "empty_page"}, "?cursor=nonsense", 0),
    ],
)
async def test_limits_and_cursors_are_read_as_the_settings_say(
    settings: Settings, limit: str, answer: int, play: Clients
) -> None:
    client = play(**settings)
    large = (await listed(client))["items"][-1]["id"]
    response = await client.get(f"{AUDIENCES}/{large}/prospects{limit}")
    if answer == 400:
        assert response.status_code == 400
        assert response.json()["error"]["code"] == "VALIDATION_ERROR"
    else:
        assert len(response.json()["data"]["items"]) == answer


@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize(("ties", "seen"), [("exact", 5), ("skip", 2), ("repeat", 2)])
async def test_a_page_may_end_among_items_of_one_time(
    order: str, ties: str, seen: int, play: Clients
) -> None:
    client = play(ties=ties, order=order, created_at="clock", examples=False)
    for _ in range(5):
        await created(client)
    found: set[str] = set()
    page: dict[str, Any] = {}
    query = "?limit=2"
    for _ in range(4):
        page = await listed(client, query)
        found |= {audience["id"] for audience in page["items"]}
        if not page["hasMore"]:
            break
        query = f"?limit=2&cursor={page['nextCursor']}"
    assert len(found) == seen
    assert page["hasMore"] is (ties == "repeat")


@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize("ties", ["exact", "skip", "repeat"])
async def test_without_ties_every_cursor_leads_through_all(
    order: str, ties: str, play: Clients
) -> None:
    client = play(ties=ties, order=order)
    names: list[str] = []
    page: dict[str, Any] = {}
    query = "?limit=1"
    for _ in range(4):
        page = await listed(client, query)
        names += [audience["name"] for audience in page["items"]]
        query = f"?limit=1&cursor={page['nextCursor']}"
    expected = ["Post Commenters", "Job Changes", "Conference Visitors", "Spring Outreach"]
    assert names == (expected if order == "newest" else expected[::-1])
    assert page["hasMore"] is False


async def test_the_cursor_of_the_example_knows_the_time_alone(play: Clients) -> None:
    for ties, keys in (("exact", {"createdAt", "id"}), ("skip", {"createdAt"})):
        cursor = (await listed(play(ties=ties), "?limit=1"))["nextCursor"]
        assert set(json.loads(base64.urlsafe_b64decode(cursor + "=="))) == keys


async def test_the_type_is_a_source_or_the_category(play: Clients) -> None:
    for settings, expected in (
        ({}, "linkedin_search"),
        ({"source": "url_upload"}, "url_upload"),
        ({"response_type": "category"}, "monitoring"),
    ):
        assert (await created(play(**settings), type="monitoring"))["type"] == expected


@pytest.mark.parametrize(("unset", "shown"), [("null", None), ("empty", ""), ("absent", "none")])
async def test_what_is_unset_is_null_or_empty_or_absent(
    unset: str, shown: object, play: Clients
) -> None:
    client = play(unset_description=unset, unset_folder=unset)
    audience = await created(client)
    assert audience.get("description", "none") == shown
    assert audience.get("folderId", "none") == ("none" if unset == "absent" else None)


async def test_the_list_may_leave_out_monitoring_audiences(play: Clients) -> None:
    for listing, count in ((True, 4), (False, 3)):
        client = play(list_monitoring=listing)
        assert len((await listed(client))["items"]) == count
        assert "Job Changes" in str(await navigated(client))


@pytest.mark.parametrize(
    ("settings", "body", "status"),
    [
        ({}, {"name": "x" * 255}, 201),
        ({}, {"name": "x" * 256}, 400),
        ({"longest_name": 5}, {"name": "x" * 6}, 400),
        ({}, {"description": "x" * 2_001}, 400),
        ({"longest_description": 3_000}, {"description": "x" * 2_001}, 201),
        ({"blank_names": "accept"}, {"name": " "}, 201),
        ({}, {"name": "Job Changes"}, 201),
        ({"duplicate_names": "reject"}, {"name": "Job Changes"}, 422),
        ({}, {"type": "monitoring"}, 201),
        ({"monitoring_audiences": 1}, {"type": "monitoring"}, 422),
        ({"monitoring_audiences": 2}, {"type": "monitoring"}, 201),
        ({}, {"folder": "x"}, 201),
        ({"unknown_fields": "reject"}, {"folder": "x"}, 400),
        ({}, {"description": None}, 201),
        ({"null_description": "reject"}, {"description": None}, 400),
        ({"empty_description": "reject"}, {"description": ""}, 400),
    ],
)
async def test_creation_accepts_what_the_settings_accept(
    settings: Settings, body: dict[str, object], status: int, play: Clients
) -> None:
    response = await play(**settings).post(AUDIENCES, json={**BODY, **body})
    assert response.status_code == status


async def test_a_name_loses_its_spaces_or_keeps_them(play: Clients) -> None:
    assert (await created(play(), name=" A "))["name"] == " A "
    assert (await created(play(trimmed_names=True), name=" A "))["name"] == "A"


async def test_an_audience_may_keep_its_own_name(play: Clients) -> None:
    client = play(duplicate_names="reject")
    path = f"{AUDIENCES}/{(await created(client))['id']}"
    for name, status in (("Founders", 200), ("Job Changes", 422)):
        assert (await client.patch(path, json={"name": name})).status_code == status


@pytest.mark.parametrize("status", [400, 422])
async def test_an_empty_update_is_refused_with_either_status(status: int, play: Clients) -> None:
    client = play(empty_patch=status)
    path = f"{AUDIENCES}/{(await created(client))['id']}"
    for body in ({}, {"type": "monitoring"}):
        assert (await client.patch(path, json=body)).status_code == status
    missing = 400 if status == 400 else 404
    assert (await client.patch(f"{AUDIENCES}/{SOME_ID}", json={})).status_code == missing


async def test_a_description_is_cleared_kept_or_refused(play: Clients) -> None:
    for settings, sent, shown in (
        ({}, None, None),
        ({}, "", None),
        ({"empty_description": "keep"}, "", ""),
        ({"empty_description": "reject"}, "", "old"),
        ({"null_description": "reject"}, None, "old"),
    ):
        client = play(**settings)
        path = f"{AUDIENCES}/{(await created(client, description='old'))['id']}"
        await client.patch(path, json={"description": sent})
        assert (await client.get(path)).json()["data"]["description"] == shown


async def test_moves_that_change_nothing_succeed_or_not(play: Clients) -> None:
    for same, remove in ((200, 200), (422, 404), (422, 409)):
        client = play(same_folder_move=same, remove_ungrouped=remove)
        folder = (await navigated(client))["folders"][0]
        path = f"{AUDIENCES}/{folder['audiences'][0]['id']}"
        response = await client.post(f"{path}/move-to-folder", json={"folderId": folder["id"]})
        assert response.status_code == same
        assert (await client.post(f"{path}/remove-from-folder")).status_code == 200
        response = await client.post(f"{path}/remove-from-folder")
        assert response.status_code == remove
        assert remove != 409 or response.json()["error"]["code"] == "CONFLICT"


async def test_folders_are_sorted_and_empty_ones_shown_or_not(play: Clients) -> None:
    for settings, names in (
        ({}, ["Outbound 2026", "Watchlists", "New"]),
        ({"folder_order": "pinned"}, ["Outbound 2026", "Watchlists", "New"]),
        ({"folder_order": "newest"}, ["New", "Watchlists", "Outbound 2026"]),
        ({"navigation_empty_folders": False}, ["Outbound 2026"]),
    ):
        client = play(**settings)
        await client.post(FOLDERS, json={"name": "New", "audienceType": "on_demand"})
        assert [folder["name"] for folder in (await navigated(client))["folders"]] == names


async def test_counts_inside_folders_may_be_text(play: Clients) -> None:
    for nested, count in (("number", 12), ("text", "12")):
        data = await navigated(play(nested_counts=nested))
        assert data["folders"][0]["audiences"][0]["prospectCount"] == count
        assert data["ungroupedAudiences"][-1]["prospectCount"] == 240


async def test_unknown_facts_are_null_empty_or_absent(play: Clients) -> None:
    for unknown, shown in (("null", None), ("empty", ""), ("absent", "none")):
        people = await prospects(play(unknown_facts=unknown))
        assert {person.get("photoUrl", "none") for person in people} == {shown}
        assert shown in {person["company"].get("website", "none") for person in people}


async def test_prospects_may_have_more_fields_than_documented(play: Clients) -> None:
    plain, rich = (await prospects(play()))[0], (await prospects(play(more_facts=True)))[0]
    assert set(rich) - set(plain) == {"title", "location", "email"}
    assert set(rich["company"]) - set(plain["company"]) == {"size"}


async def test_hostile_texts_and_examples_can_be_left_out(play: Clients) -> None:
    assert "IMPORTANT" in str(await listed(play()))
    client = play(hostile_texts=False)
    assert "IMPORTANT" not in str(await listed(client))
    assert all(" at " in person["headline"] for person in await prospects(client))
    client = play(examples=False)
    assert await listed(client) == {"items": [], "nextCursor": None, "hasMore": False}
    assert await navigated(client) == {"folders": [], "ungroupedAudiences": []}
