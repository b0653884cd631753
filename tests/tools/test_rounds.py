"""How long a call waits for the service: one delay for each request that needs another's answer."""

from typing import Any

import anyio
import pytest

from tests.tools.assistant import UNASKED, Assistant, Connect, Start

pytestmark = pytest.mark.anyio
# It takes no time: the clock leaps. So long, the server's own work does not count beside it.
DELAY = 5.0


async def rounds(client: Assistant, tool: str, **asked: object) -> tuple[int, Any]:
    """How many delays a call took, and what it answered."""
    started = anyio.current_time()
    result = await client.call_tool(tool, asked)
    assert not result.is_error
    return round((anyio.current_time() - started) / DELAY), result.structured_content


@pytest.mark.parametrize(
    ("profile", "tool", "asked", "expected"),
    [
        ("flat", "query_audience", {"limit": 100}, 1),
        ("mixed", "query_audience", {"limit": 100}, 2),
        ("catalog", "query_audience", {"limit": 50, "contact": "full"}, 2),
        ("flat", "get_audience", {}, 1),
        ("mixed", "get_audience", {}, 1),
        ("catalog", "get_audience", {"fillRates": True}, 2),
        ("mixed", "set_status", {"status": "paused"}, 3),
    ],
)
async def test_what_does_not_need_another_answer_is_asked_for_at_once(
    profile: str, tool: str, asked: dict[str, object], expected: int, start: Start, connect: Connect
) -> None:
    service = start(profile=profile, delay_ms=int(1_000 * DELAY))
    async with connect(service, settings=UNASKED) as client:
        audience = (await client.saved())["active"]
        # What is fetched once a day, or once in the program's life, is there.
        await rounds(client, "get_audience", id=audience)
        assert (await rounds(client, tool, id=audience, **asked))[0] == expected
