"""Allowances: requests of one piece of work are counted, and bounded."""

import anyio
import pytest

from leadpipe_mcp.api.budget import Allowance, allowed
from leadpipe_mcp.errors import AllowanceSpent, ServiceDown
from tests.api.answering import FINE, Service, at_once, error_of, failing, slow

pytestmark = pytest.mark.anyio


async def is_spent(service: Service) -> None:
    with pytest.raises(AllowanceSpent):
        await service.read()


async def test_no_more_requests_are_made_than_are_allowed() -> None:
    service = Service(slow(1))
    with allowed(Allowance(2, at_once=6)) as allowance:
        await at_once(2, service.read)
        await is_spent(service)
        assert (allowance.used, allowance.left) == (2, 0)
    assert await service.read() == "fine"
    assert len(service.asked) == 3


async def test_a_retry_is_a_request_and_the_reason_is_why_it_failed() -> None:
    service = Service(failing(503))
    with allowed(Allowance(2, at_once=1)):
        assert isinstance(await error_of(service.read), ServiceDown)
    assert len(service.asked) == 2


async def test_a_part_counts_in_the_whole_and_cannot_pass_it() -> None:
    service = Service(FINE)
    whole = Allowance(3, at_once=1)
    for part, asked in ((whole.part(2), 2), (whole.part(5), 1)):
        with allowed(part):
            for _ in range(asked):
                await service.read()
            await is_spent(service)
    assert (whole.left, len(service.asked)) == (0, 3)


async def test_an_ended_allowance_stops_those_who_wait_for_their_turn() -> None:
    service = Service(slow(1))
    with allowed(Allowance(10, at_once=1)) as allowance:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(service.read)
            await anyio.sleep(0.5)
            tasks.start_soon(is_spent, service)
            allowance.end()
    assert len(service.asked) == 1
