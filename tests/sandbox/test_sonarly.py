"""Sonarly with the settings as they are: the documented shapes, checks and effects."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from leadpipe_mcp.sandbox import SonarlySettings
from tests.faults.service import SonarlySandbox

pytestmark = pytest.mark.anyio
Play = Callable[..., tuple[SonarlySandbox, httpx.AsyncClient]]
Json = dict[str, Any]
GROUP = "6650a1b2c3d4e5f607182930"
AUDIENCES = f"/v1/accounts/{GROUP}/audiences"
FOLDERS = f"{AUDIENCES}/folders"
SOME_ID = "507f1f77bcf86cd799439011"
AUDIENCE_KEYS = ["id", "name", "type", "description", "folderId", "prospectCount", "createdAt"]
FOLDER_KEYS = ["id", "name", "audienceType", "isPinned", "position", "createdAt", "updatedAt"]
PROSPECT_KEYS = [
    *("id", "firstName", "lastName", "name", "headline", "about"),
    *("photoUrl", "linkedinUrl", "publicIdentifier", "company"),
]
COMPANY_KEYS = ["name", "linkedinIdentifier", "linkedinUrl", "industry", "website"]
BODY = {"name": "Founders", "type": "on_demand"}
ENDPOINTS: list[tuple[str, str, object, str]] = [
    ("GET", AUDIENCES, None, "audiences:read"),
    ("POST", AUDIENCES, BODY, "audiences:write"),
    ("GET", f"{AUDIENCES}/{SOME_ID}", None, "audiences:read"),
    ("PATCH", f"{AUDIENCES}/{SOME_ID}", {"name": "New"}, "audiences:write"),
    ("DELETE", f"{AUDIENCES}/{SOME_ID}", None, "audiences:write"),
    ("GET", f"{AUDIENCES}/{SOME_ID}/prospects", None, "prospects:read"),
    ("GET", f"{AUDIENCES}/navigation", None, "audiences:read"),
    ("POST", f"{AUDIENCES}/{SOME_ID}/move-to-folder", {"folderId": SOME_ID}, "audiences:write"),
    ("POST", f"{AUDIENCES}/{SOME_ID}/remove-from-folder", None, "audiences:write"),
    ("POST", FOLDERS, {"name": "Q2", "audienceType": "monitoring"}, "audiences:write"),
    ("PATCH", f"{FOLDERS}/{SOME_ID}", {"name": "Q3"}, "audiences:write"),
]


@pytest.fixture
def play_sonarly(moments: list[float]) -> Play:
    """Sonarly as the settings say, and a client that sends a key."""

    def play(
        settings: SonarlySettings | None = None, key: str = "sk_live_test"
    ) -> tuple[SonarlySandbox, httpx.AsyncClient]:
        sandbox = SonarlySandbox(settings, clock=lambda: moments[-1])
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=sandbox),
            base_url="http://sonarly.test",
            headers={"Authorization": f"Bearer {key}"},
        )
        return sandbox, client

    return play


@pytest.fixture
def played_sonarly(play_sonarly: Play) -> tuple[SonarlySandbox, httpx.AsyncClient]:
    return play_sonarly()


@pytest.fixture
def sandbox(played_sonarly: tuple[SonarlySandbox, httpx.AsyncClient]) -> SonarlySandbox:
    return played_sonarly[0]


@pytest.fixture
def client(played_sonarly: tuple[SonarlySandbox, httpx.AsyncClient]) -> httpx.AsyncClient:
    return played_sonarly[1]


async def ask(
    client: httpx.AsyncClient,
    path: str,
    method: str = "GET",
    body: object = None,
    status: int = 200,
) -> Json:
    response = await client.request(method, path, json=body)
    assert response.status_code == status, response.text
    envelope = response.json()
    assert list(envelope) == ["success", "data", "error", "traceId"]
    assert envelope["success"] is (status < 400)
    return envelope["data"] if status < 400 else envelope["error"]


async def ids(client: httpx.AsyncClient) -> dict[str, str]:
    listed = (await ask(client, AUDIENCES))["items"]
    return {audience["name"]: audience["id"] for audience in listed}


async def folders(client: httpx.AsyncClient) -> dict[str, str]:
    listed = (await ask(client, f"{AUDIENCES}/navigation"))["folders"]
    return {folder["name"]: folder["id"] for folder in listed}


async def test_the_account_groups_are_those_of_the_settings(
    client: httpx.AsyncClient, play_sonarly: Play
) -> None:
    created = "2026-03-06T09:15:00.000Z"
    expected = {"items": [{"id": GROUP, "name": "Acme Growth", "createdAt": created}]}
    assert await ask(client, "/v1/accounts") == expected
    groups = {SOME_ID: "North", GROUP: "South"}
    _, client = play_sonarly(SonarlySettings(groups=groups))
    items = (await ask(client, "/v1/accounts"))["items"]
    assert [item["name"] for item in items] == ["North", "South"]
    _, client = play_sonarly(SonarlySettings(groups={SOME_ID: "North"}))
    await ask(client, AUDIENCES, status=403)


async def test_the_documented_request_creates_an_audience(client: httpx.AsyncClient) -> None:
    body = {"name": "Avery Stone", "description": "string", "type": "on_demand"}
    audience = await ask(client, AUDIENCES, "POST", body, 201)
    assert list(audience) == AUDIENCE_KEYS
    assert audience == {
        "id": audience["id"],
        "name": "Avery Stone",
        "type": "linkedin_search",
        "description": "string",
        "folderId": None,
        "prospectCount": 0,
        "createdAt": "2026-05-05T09:15:00.000Z",
    }
    assert len(audience["id"]) == 24
    assert await ask(client, f"{AUDIENCES}/{audience['id']}") == audience
    again = await ask(client, AUDIENCES, "POST", body, 201)
    assert again["id"] != audience["id"]
    assert again["createdAt"] == "2026-05-05T09:15:00.001Z"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"type": "on_demand"}, "name: Required"),
        ({"name": "X"}, "type: Required"),
        ({"name": "", "type": "on_demand"}, "name: "),
        ({"name": "  ", "type": "on_demand"}, "name: "),
        ({"name": 5, "type": "on_demand"}, "name: "),
        ({"name": "X", "type": "linkedin_search"}, "type: Expected one of on_demand, monitoring"),
        ({**BODY, "description": 5}, "description: "),
        ([], "Expected an object"),
        (None, "Expected JSON"),
    ],
)
async def test_a_bad_creation_is_refused_by_field(
    body: object, field: str, client: httpx.AsyncClient
) -> None:
    error = await ask(client, AUDIENCES, "POST", body, 400)
    assert list(error) == ["code", "message", "details"]
    assert error["code"] == "VALIDATION_ERROR"
    assert field in error["details"]


async def test_audiences_come_in_pages_newest_first(client: httpx.AsyncClient) -> None:
    names: list[str] = []
    query = "?limit=3"
    for more in (True, False):
        page = await ask(client, f"{AUDIENCES}{query}")
        assert list(page) == ["items", "nextCursor", "hasMore"]
        assert page["hasMore"] is more
        names += [audience["name"] for audience in page["items"]]
        assert all(list(audience) == AUDIENCE_KEYS for audience in page["items"])
        query = f"?limit=3&cursor={page['nextCursor']}"
    assert page["nextCursor"] is None
    assert names == ["Post Commenters", "Job Changes", "Conference Visitors", "Spring Outreach"]


async def test_prospects_are_invented_people_with_profiles(client: httpx.AsyncClient) -> None:
    path = f"{AUDIENCES}/{(await ids(client))['Spring Outreach']}/prospects"
    prospects: list[Json] = []
    cursor = ""
    for count in (100, 100, 40):
        page = await ask(client, f"{path}?limit=100{cursor}")
        assert len(page["items"]) == count
        prospects += page["items"]
        cursor = f"&cursor={page['nextCursor']}"
    assert len({prospect["id"] for prospect in prospects}) == 240
    for prospect in prospects:
        assert list(prospect) == PROSPECT_KEYS
        assert list(prospect["company"]) == COMPANY_KEYS
        assert prospect["linkedinUrl"].endswith(f"/in/{prospect['publicIdentifier']}")
        assert prospect["name"] == f"{prospect['firstName']} {prospect['lastName']}"
    assert any("Ignore all previous" in str(prospect) for prospect in prospects)
    assert len((await ask(client, path))["items"]) == 25


async def test_an_update_changes_what_is_sent_alone(client: httpx.AsyncClient) -> None:
    path = f"{AUDIENCES}/{(await ids(client))['Spring Outreach']}"
    before = await ask(client, path)
    assert await ask(client, path, "PATCH", {"name": "May"}) == {**before, "name": "May"}
    changed = await ask(client, path, "PATCH", {"description": "New", "type": "monitoring"})
    assert changed == {**before, "name": "May", "description": "New"}
    error = await ask(client, path, "PATCH", {}, 400)
    assert error["code"] == "VALIDATION_ERROR"


async def test_a_deleted_audience_is_gone(client: httpx.AsyncClient) -> None:
    path = f"{AUDIENCES}/{(await ids(client))['Spring Outreach']}"
    assert await ask(client, path, "DELETE") == {"deleted": True}
    for method, below in (("GET", ""), ("DELETE", ""), ("GET", "/prospects")):
        error = await ask(client, path + below, method, status=404)
        assert error["message"] == "Audience not found"


async def test_the_navigation_shows_folders_and_the_ungrouped(client: httpx.AsyncClient) -> None:
    data = await ask(client, f"{AUDIENCES}/navigation")
    assert list(data) == ["folders", "ungroupedAudiences"]
    assert all(list(folder) == [*FOLDER_KEYS, "audiences"] for folder in data["folders"])
    shown = {
        folder["name"]: [audience["name"] for audience in folder["audiences"]]
        for folder in data["folders"]
    }
    assert shown == {"Outbound 2026": ["Conference Visitors"], "Watchlists": []}
    outbound = data["folders"][0]
    assert outbound["audiences"][0]["folderId"] == outbound["id"]
    assert outbound["audiences"][0]["prospectCount"] == 12
    assert (outbound["audienceType"], outbound["isPinned"]) == ("on_demand", True)
    ungrouped = [audience["name"] for audience in data["ungroupedAudiences"]]
    assert ungrouped == ["Post Commenters", "Job Changes", "Spring Outreach"]


async def test_folders_are_created_and_renamed(
    client: httpx.AsyncClient, moments: list[float]
) -> None:
    body = {"name": "Q2", "audienceType": "monitoring"}
    folder = await ask(client, FOLDERS, "POST", body, 201)
    assert list(folder) == FOLDER_KEYS
    assert (folder["isPinned"], folder["position"]) == (False, 2)
    await ask(client, FOLDERS, "POST", body, 201)
    moments.append(moments[-1] + 60)
    path = f"{FOLDERS}/{folder['id']}"
    renamed = await ask(client, path, "PATCH", {"name": "Q3"})
    assert renamed == {**folder, "name": "Q3", "updatedAt": "2026-05-05T09:16:00.000Z"}
    for method, target, bad in (
        ("POST", FOLDERS, {"name": "Q2"}),
        ("POST", FOLDERS, {"name": "Q2", "audienceType": "both"}),
        ("PATCH", path, {}),
        ("PATCH", path, {"name": ""}),
    ):
        assert (await ask(client, target, method, bad, 400))["code"] == "VALIDATION_ERROR"


async def test_an_audience_moves_between_folders_of_its_type(client: httpx.AsyncClient) -> None:
    audiences, existing = await ids(client), await folders(client)
    body = {"name": "Second", "audienceType": "on_demand"}
    second = (await ask(client, FOLDERS, "POST", body, 201))["id"]
    path = f"{AUDIENCES}/{audiences['Conference Visitors']}"
    moved = await ask(client, f"{path}/move-to-folder", "POST", {"folderId": second})
    assert (list(moved), moved["folderId"]) == (AUDIENCE_KEYS, second)
    bodies: list[tuple[object, int]] = [
        ({"folderId": existing["Watchlists"]}, 422),
        ({"folderId": SOME_ID}, 404),
        ({"folderId": "second"}, 400),
        ({"folderId": 5}, 400),
        ({}, 400),
    ]
    for wrong, status in bodies:
        await ask(client, f"{path}/move-to-folder", "POST", wrong, status)
    assert (await ask(client, path))["folderId"] == second
    for _ in range(2):
        removed = await ask(client, f"{path}/remove-from-folder", "POST")
        assert removed == {**moved, "folderId": None}


async def test_an_id_cannot_reach_another_route(client: httpx.AsyncClient) -> None:
    for odd in ("navigation%2F", "folders%2Fx", "..%2F..%2Faccounts", "x%3Fy", "Navigation"):
        error = await ask(client, f"{AUDIENCES}/{odd}", status=400)
        assert error["details"] == "audienceId: Invalid id"
    for method, path in (("PUT", AUDIENCES), ("GET", "/v1/nothing"), ("GET", f"{FOLDERS}/x/y")):
        await ask(client, path, method, status=404)
