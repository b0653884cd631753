"""Allowances: requests of one piece of work are counted, and bounded."""

from collections.abc import Callable

import anyio
import pytest

from leadpipe_mcp.api.budget import Allowance, allowed
from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.errors import AllowanceSpent
from tests.faults.service import Sandbox

pytestmark = pytest.mark.anyio
Start = Callable[..., Sandbox]
Connect = Callable[..., LeadpipeClient]


async def test_no_more_requests_are_made_than_are_allowed(start: Start, connect: Connect) -> None:
    sandbox = start()
    leadpipe = connect(sandbox)
    with allowed(Allowance(2, at_once=6)) as allowance:
        await leadpipe.account()
        await leadpipe.account()
        with pytest.raises(AllowanceSpent):
            await leadpipe.account()

    assert len(sandbox.requests) == 2
    assert (allowance.used, allowance.left) == (2, 0)


async def test_it_holds_for_tasks_that_are_started_under_it(start: Start, connect: Connect) -> None:
    sandbox = start()
    leadpipe = connect(sandbox)
    refused: list[AllowanceSpent] = []

    async def ask() -> None:
        try:
            await leadpipe.account()
        except AllowanceSpent as spent:
            refused.append(spent)

    with allowed(Allowance(3, at_once=2)):
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(ask)

    assert (len(sandbox.requests), len(refused)) == (3, 2)


async def test_what_comes_after_is_not_bounded(start: Start, connect: Connect) -> None:
    leadpipe = connect(start())
    with allowed(Allowance(1, at_once=1)):
        await leadpipe.account()

    assert (await leadpipe.account()).healthy


async def test_a_part_counts_in_the_whole_and_cannot_pass_it(
    start: Start, connect: Connect
) -> None:
    leadpipe = connect(start())
    whole = Allowance(3, at_once=1)
    part = whole.part(2)
    with allowed(part):
        await leadpipe.account()
        await leadpipe.account()
        with pytest.raises(AllowanceSpent):
            await leadpipe.account()
    assert (part.left, whole.left) == (0, 1)

    larger = whole.part(5)
    assert larger.left == 1
    with allowed(larger):
        await leadpipe.account()
        with pytest.raises(AllowanceSpent, match="used up"):
            await leadpipe.account()


async def test_an_ended_allowance_stops_those_who_wait_for_their_turn(
    start: Start, connect: Connect
) -> None:
    sandbox = start(delay_ms=1)
    leadpipe = connect(sandbox)
    allowance = Allowance(10, at_once=1)

    async def ask_and_end() -> None:
        await leadpipe.account()
        allowance.end()

    async def wait() -> None:
        with pytest.raises(AllowanceSpent):
            await leadpipe.account()

    with allowed(allowance):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask_and_end)
            await anyio.lowlevel.checkpoint()
            tasks.start_soon(wait)

    assert len(sandbox.requests) == 1
    assert allowance.left == 0
