"""get_account_status: whether the account works, and what is free."""

import pytest
from pydantic import SecretStr
from starlette.responses import JSONResponse

from leadpipe_mcp.settings import Settings
from tests.tools.assistant import Connect, Reply

pytestmark = pytest.mark.anyio


def with_key(key: str) -> Settings:
    return Settings(api_key=SecretStr(key), base_url="https://api.example")


async def test_an_account_that_is_well_is_called_so(connect: Connect) -> None:
    async with connect() as client:
        reply = await client.call("get_account_status")
    assert reply["summary"] == (
        "The key works and the organization is active. 2 of 3 slots free. 377 credits left."
    )
    assert reply["healthy"] is True
    assert reply["slots"] == {"used": 1, "limit": 3, "free": 2}
    assert reply["credits"] == {**reply["credits"], "used": 123, "limit": 500, "remaining": 377}
    assert reply["credits"]["resetsAt"].startswith("2026-06-04")
    assert reply["pixels"]["total"] == 1
    assert reply["organization"] == "Sandbox Organization"
    assert "warnings" not in reply


async def test_an_expired_subscription_is_told_from_a_wrong_key(connect: Connect) -> None:
    async with connect(settings=with_key("sk_expired_1")) as client:
        result = await client.call_tool("get_account_status", {})
        reply: Reply = result.structured_content or {}
        expired = await client.refused("list_audiences")
    assert reply["summary"].startswith(
        "The key is right, but the organization is expired: audiences cannot be used until the"
        " subscription is renewed in the Leadpipe dashboard."
    )
    assert (reply["healthy"], reply["organizationStatus"]) == (False, "expired")
    assert expired == (
        "The service refused with status 403: Organization is expired. The subscription has to be"
        " renewed in the Leadpipe dashboard; the key itself is fine."
    )
    async with connect(settings=with_key("wrong")) as client:
        wrong = await client.refused("get_account_status")
    assert wrong == (
        "The service refused with status 401: Invalid API key. LEADPIPE_API_KEY must hold a current"
        " key (Settings > API Keys in the Leadpipe dashboard); a regenerated key replaces the old"
        " one at once. Restart the server after changing it; on a team's server, change the key"
        " that your client sends, or tell whoever runs it."
    )


async def test_only_what_the_service_says_is_said(connect: Connect) -> None:
    cases: list[tuple[Reply, str]] = [
        (
            {"healthy": True, "audienceSlots": {"used": 4, "limit": 1}},
            "The key works and the organization is in good standing. 0 of 1 slot free.",
        ),
        (
            {"organization": {"status": "trial"}, "credits": {"remaining": 1}},
            "The key works and the organization is trial. 1 credit left.",
        ),
        (
            {"healthy": False},
            "The key is right, but the organization is not healthy: audiences cannot be used",
        ),
    ]
    for data, summary in cases:
        async with connect(JSONResponse({"data": data})) as client:
            reply = await client.call("get_account_status")
        assert reply["summary"].startswith(summary)
        hidden = ["The service does not show how many audience slots are free."]
        assert reply.get("warnings") == (None if "audienceSlots" in data else hidden)
