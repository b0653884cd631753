"""A team with one key, whose members bring tokens of their issuer."""

import time
from collections.abc import Generator
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.types import Receive, Scope, Send

from leadpipe_mcp.sandbox import Sandbox, SandboxSettings
from tests.hosting.conftest import Host
from tests.hosting.issuer import AUDIENCE, Issuer, issuing

pytestmark = pytest.mark.anyio
TEAM = SecretStr("sk_live_team_0001")


@pytest.fixture(scope="module")
def issuer() -> Generator[Issuer]:
    with issuing() as issuer:
        yield issuer


async def test_a_token_admits_and_the_team_s_key_goes_upstream(host: Host, issuer: Issuer) -> None:
    keys: list[str] = []
    sandbox = Sandbox(SandboxSettings(people=300))

    async def service(scope: Scope, receive: Receive, send: Send) -> None:
        keys.extend(
            value.decode() for name, value in scope["headers"] if b"key" in name or b"auth" in name
        )
        await sandbox(scope, receive, send)

    async with (
        host(service, api_key=TEAM, oauth_issuer=issuer.url) as hosted,
        hosted.client(issuer.token()) as client,
    ):
        answer = await client.call_tool("list_audiences", {})
    assert not answer.is_error
    assert set(keys) == {TEAM.get_secret_value()}


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"exp": time.time() - 60}, "expired"),
        ({"aud": "https://other.example/mcp"}, "another server"),
        ({"iss": "https://other.example"}, "another issuer"),
        ({"algorithm": "none"}, "not valid"),
        ({"exp": None}, "not valid"),
        ({"sub": None}, "not valid"),
    ],
)
async def test_a_token_that_is_not_for_us_is_refused(
    host: Host, issuer: Issuer, claims: dict[str, Any], said: str
) -> None:
    async with host(api_key=TEAM, oauth_issuer=issuer.url) as hosted:
        refused = await hosted.post(issuer.token(**claims))
    assert refused.status_code == 401
    assert said in refused.json()["error_description"]
    assert "/.well-known/oauth-protected-resource/mcp" in refused.headers["www-authenticate"]


@pytest.mark.parametrize("token", [None, "sk_live_anna_0001", "a.b.c"])
async def test_without_a_token_nobody_is_admitted(
    host: Host, issuer: Issuer, token: str | None
) -> None:
    async with host(api_key=TEAM, oauth_issuer=issuer.url) as hosted:
        refused = await hosted.post(token)
    assert refused.status_code == 401
    assert "/.well-known/oauth-protected-resource/mcp" in refused.headers["www-authenticate"]


async def test_clients_can_find_the_issuer(host: Host, issuer: Issuer) -> None:
    async with host(api_key=TEAM, oauth_issuer=issuer.url) as hosted, hosted.http() as http:
        shown = (await http.get("/.well-known/oauth-protected-resource/mcp")).json()
    assert shown["resource"] == AUDIENCE
    assert [url.rstrip("/") for url in shown["authorization_servers"]] == [issuer.url]
    assert shown["scopes_supported"] == ["leadpipe:read", "leadpipe:write"]


async def test_an_issuer_may_write_scopes_as_a_list(host: Host, issuer: Issuer) -> None:
    async with host(api_key=TEAM, oauth_issuer=issuer.url) as hosted:
        admitted = await hosted.post(issuer.token(scope=None, scp=["leadpipe:read", 1]))
        refused = await hosted.post(issuer.token(scope=None, scp=["profile"]))
    assert (admitted.status_code, refused.status_code) == (200, 403)


async def test_while_the_issuer_s_keys_are_away_a_caller_may_try_again(host: Host) -> None:
    away = Issuer("http://127.0.0.1:1")
    async with host(api_key=TEAM, oauth_issuer=away.url) as hosted:
        refused = await hosted.post(away.token())
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert refused.json()["error"] == "temporarily_unavailable"


async def test_a_token_for_reading_shows_and_calls_only_tools_that_change_nothing(
    host: Host, issuer: Issuer
) -> None:
    reading = issuer.token(scope="leadpipe:read")
    async with (
        host(api_key=TEAM, oauth_issuer=issuer.url) as hosted,
        hosted.client(reading) as client,
    ):
        tools = (await client.list_tools()).tools
        assert all(tool.annotations and tool.annotations.read_only_hint for tool in tools)
        with pytest.raises(Exception, match="There is no tool 'delete_audience'"):
            await client.call_tool("delete_audience", {"id": "x"})
        refused = await hosted.post(issuer.token(scope="profile"))
    assert refused.status_code == 403
    assert "leadpipe:read" in refused.json()["error_description"]
