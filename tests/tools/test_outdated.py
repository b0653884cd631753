"""People who were put together before their audience was changed are said to be so."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from mcp import Client

from leadpipe_mcp.sandbox import Sandbox
from leadpipe_mcp.settings import Settings

pytestmark = pytest.mark.anyio
Reply = dict[str, Any]

UNASKED = Settings(sandbox=True, confirm="off")
OUTDATED = "put together before the audience was last changed"


@pytest.fixture
def era() -> str:
    return "auto"


@pytest.fixture
def changed(
    start: Callable[..., Sandbox],
    connect: Callable[..., AbstractAsyncContextManager[Client]],
    call: Callable[..., Awaitable[Reply]],
    saved: Callable[[Client], Awaitable[dict[str, str]]],
    moments: list[float],
) -> Callable[[str, dict[str, Any]], Awaitable[list[Reply]]]:
    """The replies of changing an active audience, showing it, and showing its people."""

    async def changed(profile: str, change: dict[str, Any]) -> list[Reply]:
        async with connect(start(profile=profile), settings=UNASKED) as client:
            audience = (await saved(client))["active"]
            moments.append(moments[-1] + 60)
            return [
                await call(client, "update_audience", id=audience, **change),
                await call(client, "get_audience", id=audience),
                await call(client, "query_audience", audienceId=audience, limit=3),
            ]

    return changed


@pytest.mark.parametrize("profile", ["mixed", "catalog"])
async def test_a_changed_config_makes_the_present_people_outdated(
    profile: str, changed: Callable[[str, dict[str, Any]], Awaitable[list[Reply]]]
) -> None:
    replies = await changed(profile, {"config": {"minScore": 90}})

    assert [OUTDATED in " ".join(reply.get("warnings", [])) for reply in replies] == [True] * 3


@pytest.mark.parametrize("profile", ["mixed", "catalog"])
async def test_a_new_name_leaves_the_people_as_good_as_they_were(
    profile: str, changed: Callable[[str, dict[str, Any]], Awaitable[list[Reply]]]
) -> None:
    replies = await changed(profile, {"name": "Another name"})

    assert OUTDATED not in str(replies)


async def test_where_people_are_kept_by_date_a_changed_config_has_none_yet(
    changed: Callable[[str, dict[str, Any]], Awaitable[list[Reply]]],
) -> None:
    replies = await changed("flat", {"config": {"minScore": 90}})

    assert OUTDATED not in str(replies)
    assert "have not been put together yet" in replies[1]["summary"]
