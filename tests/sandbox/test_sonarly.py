"""Sonarly with the settings as they are: the documented shapes, checks and effects."""

from typing import Any

import httpx
import pytest

from leadpipe_mcp.sandbox import SonarlySandbox, SonarlySettings

pytestmark = pytest.mark.anyio
Json = dict[str, Any]
GROUP = "6650a1b2c3d4e5f607182930"
AUDIENCES = f"/v1/accounts/{GROUP}/audiences"
FOLDERS = f"{AUDIENCES}/folders"
SOME_ID = "507f1f77bcf86cd799439011"
AUDIENCE_KEYS = ["id", "name", "type", "description", "folderId", "prospectCount", "createdAt"]
FOLDER_KEYS = ["id", "name", "audienceType", "isPinned", "position", "createdAt", "updatedAt"]
BODY = {"name": "Founders", "type": "on_demand"}
FOLDER = {"name": "Q2", "audienceType": "monitoring"}


@pytest.fixture
def client(moments: list[float]) -> httpx.AsyncClient:
    """Sonarly with two account groups."""
    settings = SonarlySettings(groups={SOME_ID: "North", GROUP: "South"}, people=3_000)
    sandbox = SonarlySandbox(settings, clock=lambda: moments[-1])
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=sandbox),
        base_url="http://sonarly.test",
        headers={"Authorization": "Bearer sk_live_test"},
    )


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


async def test_the_documented_request_creates_an_audience(client: httpx.AsyncClient) -> None:
    body = {"name": "Avery Stone", "description": "string", "type": "on_demand"}
    audience = await ask(client, AUDIENCES, "POST", body, 201)
    assert list(audience) == AUDIENCE_KEYS
    assert list(audience.values())[1:6] == ["Avery Stone", "linkedin_search", "string", None, 0]
    assert audience["createdAt"] == "2026-05-05T09:15:00.000Z"
    assert await ask(client, f"{AUDIENCES}/{audience['id']}") == audience
    again = await ask(client, AUDIENCES, "POST", body, 201)
    assert (again["id"] != audience["id"], again["createdAt"][-5:]) == (True, ".001Z")


async def test_what_is_wrong_with_a_body_is_refused_by_field(client: httpx.AsyncClient) -> None:
    folder, audience = f"{FOLDERS}/{SOME_ID}", f"{AUDIENCES}/{SOME_ID}"
    wrong: list[tuple[str, str, object, str]] = [
        ("POST", AUDIENCES, {"type": "on_demand"}, "name: Required"),
        ("POST", AUDIENCES, {**BODY, "name": "  "}, "name: "),
        ("POST", AUDIENCES, {**BODY, "name": 5}, "name: "),
        ("POST", AUDIENCES, {"name": "X"}, "type: Required"),
        ("POST", AUDIENCES, {**BODY, "type": "all"}, "type: Expected one of on_demand, monitoring"),
        ("POST", AUDIENCES, {**BODY, "description": 5}, "description: "),
        ("POST", AUDIENCES, [], "Expected an object"),
        ("POST", AUDIENCES, None, "Expected JSON"),
        ("PATCH", audience, {}, "Expected name or description"),
        ("POST", FOLDERS, {"name": "Q2"}, "audienceType: Required"),
        ("PATCH", folder, {"name": ""}, "name: "),
        ("POST", f"{audience}/move-to-folder", {"folderId": "second"}, "folderId: Invalid id"),
        ("POST", f"{audience}/move-to-folder", {}, "folderId: Required"),
    ]
    for method, path, body, said in wrong:
        error = await ask(client, path, method, body, 400)
        assert list(error) == ["code", "message", "details"]
        assert error["code"] == "VALIDATION_ERROR"
        assert said in error["details"]


async def test_audiences_come_in_pages_newest_first(client: httpx.AsyncClient) -> None:
    first = await ask(client, f"{AUDIENCES}?limit=3")
    last = await ask(client, f"{AUDIENCES}?limit=3&cursor={first['nextCursor']}")
    assert list(first) == ["items", "nextCursor", "hasMore"]
    assert (first["hasMore"], last["hasMore"], last["nextCursor"]) == (True, False, None)
    names = [audience["name"] for audience in first["items"] + last["items"]]
    assert names == ["Post Commenters", "Job Changes", "Conference Visitors", "Spring Outreach"]
    for wrong in ("limit=0", "limit=x", "cursor=what"):
        await ask(client, f"{AUDIENCES}?{wrong}", status=400)


async def test_folders_are_shown_created_and_renamed(
    client: httpx.AsyncClient, moments: list[float]
) -> None:
    data = await ask(client, f"{AUDIENCES}/navigation")
    assert list(data) == ["folders", "ungroupedAudiences"]
    outbound, watchlists = data["folders"]
    assert list(outbound) == [*FOLDER_KEYS, "audiences"]
    assert [inside["folderId"] for inside in outbound["audiences"]] == [outbound["id"]]
    assert (watchlists["audiences"], len(data["ungroupedAudiences"])) == ([], 3)
    folder = await ask(client, FOLDERS, "POST", FOLDER, 201)
    assert list(folder) == FOLDER_KEYS
    assert (folder["isPinned"], folder["position"]) == (False, 2)
    moments.append(moments[-1] + 60)
    renamed = await ask(client, f"{FOLDERS}/{folder['id']}", "PATCH", {"name": "Q3"})
    assert renamed == {**folder, "name": "Q3", "updatedAt": "2026-05-05T09:16:00.000Z"}


async def test_an_id_cannot_reach_another_route(client: httpx.AsyncClient) -> None:
    for odd in ("navigation%2F", "folders%2Fx", "..%2F..%2Faccounts", "x%3Fy", "Navigation"):
        error = await ask(client, f"{AUDIENCES}/{odd}", status=400)
        assert error["details"] == "audienceId: Invalid id"
    await ask(client, f"{FOLDERS}/x/y", status=404)


async def test_a_group_of_somebody_else_is_not_shown(client: httpx.AsyncClient) -> None:
    path = AUDIENCES.replace(GROUP, "0" * 24)
    error = await ask(client, path, status=403)
    assert error["message"] == "No access to this account group"


@pytest.mark.parametrize("authorization", ["", "sk_live_bare", "Bearer other"])
async def test_a_key_is_needed(authorization: str, client: httpx.AsyncClient) -> None:
    client.headers.update({"Authorization": authorization, "X-API-Key": "sk_live_elsewhere"})
    for method, path in (("GET", "/v1/accounts"), ("POST", AUDIENCES), ("GET", AUDIENCES)):
        error = await ask(client, path, method, status=401)
        assert error["code"] == "UNAUTHORIZED"
