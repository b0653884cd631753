"""No yes is taken for another: for each tool that asks, whatever its code or its answer is not."""

import itertools
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, NamedTuple

import anyio
import pytest
from mcp import Client, MCPError
from mcp.client.session import ClientRequestContext, ElicitationFnT
from mcp.types import (
    CallToolResult,
    ElicitRequestParams,
    ElicitResult,
    InputRequiredResult,
    InputResponses,
)

from leadpipe_mcp.settings import Settings
from leadpipe_mcp.toolkit import CODE_SECONDS
from leadpipe_mcp.tools.toolsets import TOOLS
from tests.security.services import Connect, World

pytestmark = pytest.mark.anyio
Reply = dict[str, Any]
Round = Callable[..., Awaitable[CallToolResult | InputRequiredResult]]
WANTED = {"topicIds": [117805]}
TITLES = [f"head of {number}" for number in range(60)]
YES = ElicitResult(action="accept", content={"approve": True})
NO = ElicitResult(action="decline")


class Asking(NamedTuple):
    """A call that asks first; others that its yes is not for; and what makes it out of date."""

    tool: str
    arguments: Reply
    others: Sequence[tuple[str, Reply]]
    meanwhile: tuple[str, Reply]


async def said(client: Client, tool: str, **arguments: object) -> Reply:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result
    assert result.structured_content is not None
    return result.structured_content


async def asking(client: Client, action: str) -> Asking:
    """The action, on what the world begins with."""
    rows = (await said(client, "list_audiences"))["audiences"]["rows"]
    ids = {row[2]: row[0] for row in rows}
    pixel = (await said(client, "list_pixels"))["pixels"]["rows"][0][0]
    linked = (await said(client, "sonarly_list_audiences"))["audiences"]["rows"]
    return actions(ids["active"], ids["paused"], pixel, linked[0][0], linked[1][0])[action]


def actions(active: str, paused: str, pixel: str, linked: str, other: str) -> dict[str, Asking]:
    """Every action that is asked about first."""
    create: Reply = {"name": "New", "config": WANTED, "status": "active"}
    # The question is cut long before it names the last of the titles.
    change: Reply = {"id": active, "config": {"filters": {"jobTitle": TITLES}}}
    fewer: Reply = {"config": {"filters": {"jobTitle": TITLES[:-1]}}}
    export: Reply = {"id": active, "fileName": "people", "fields": ["name"]}
    link: Reply = {"id": active, "format": "url"}
    pause: Reply = {"id": pixel, "status": "paused"}
    activate = ("set_status", {"id": paused, "status": "active"})
    delete = ("delete_audience", {"id": paused})
    renamed = ("update_audience", {"id": active, "name": "Renamed"})
    renamed_too = ("update_audience", {"id": paused, "name": "Renamed"})
    # The question does not show it.
    moved = ("update_audience", {"id": paused, "config": {"sourceUrl": "https://acme.example"}})

    def ask(
        call: tuple[str, Reply],
        changes: Sequence[Reply],
        others: Sequence[tuple[str, Reply]],
        meanwhile: tuple[str, Reply],
    ) -> Asking:
        tool, arguments = call
        return Asking(
            tool, arguments, [*((tool, arguments | one) for one in changes), *others], meanwhile
        )

    exports: list[Reply] = [
        *({"fields": fields} for fields in (["name", "netWorth"], ["name", "contactEmail"])),
        *({"fileName": "other"}, {"format": "jsonl"}),
    ]
    others: list[Reply] = [
        *({"name": "Newer"}, {"config": {"topicIds": [117890]}}),
        {"config": {**WANTED, "minScore": 90}},
    ]
    gone = ("sonarly_delete_audience", {"id": linked})
    return {
        "activate": ask(activate, [{"waitSeconds": 1}], [delete], renamed_too),
        "delete": ask(delete, [{"id": active}], [activate], moved),
        "create": ask(("create_audience", create), others, [], activate),
        "change": ask(("update_audience", change), [fewer, {"name": "New"}], [renamed], renamed),
        "export": ask(("export_audience", export), exports, [("export_audience", link)], renamed),
        "link": ask(("export_audience", link), [], [("export_audience", export)], renamed),
        "pause pixel": ask(
            ("update_pixel", pause),
            [{"excludedPaths": ["/a"]}],
            [],
            ("update_pixel", {"id": pixel, "excludedPaths": ["/jobs"]}),
        ),
        "sonarly delete": ask(
            gone,
            [{"id": other}],
            [delete],
            ("sonarly_update_audience", {"id": linked, "name": "Renamed"}),
        ),
    }


ACTIONS = actions("", "", "", "", "")
each_action = pytest.mark.parametrize("action", ACTIONS)


@pytest.fixture
def unasked(connect: Connect) -> AbstractAsyncContextManager[Client]:
    """Somebody else at the same services, who is not asked."""
    return connect(settings=Settings(sandbox=True, toolsets="all", confirm="off"))


def test_every_tool_that_asks_is_tried() -> None:
    asking = {tool.name for tool in TOOLS if "confirm" in tool.arguments.model_fields}
    assert asking == {action.tool for action in ACTIONS.values()}


# By a code


@each_action
async def test_a_code_does_what_was_asked_about_and_only_once(
    action: str, connect: Connect, world: World
) -> None:
    async with connect() as client:
        call = await asking(client, action)
        code = (await said(client, call.tool, **call.arguments))["confirm"]
        assert world.changes() == []
        done = await said(client, call.tool, **call.arguments, confirm=code)
        assert "confirm" not in done
        changed = world.changes()
        assert changed
        # It may be refused, be so already, or be asked about anew: it is not done again.
        again = await client.call_tool(call.tool, {**call.arguments, "confirm": code})
        assert code not in str(again.content)
        assert world.changes() == changed


async def test_a_code_that_was_guessed_or_bent_changes_nothing(
    connect: Connect, world: World
) -> None:
    async with connect() as client, connect() as other_server:
        call = await asking(client, "delete")
        foreign = (await said(other_server, call.tool, **call.arguments))["confirm"]
        code: str = (await said(client, call.tool, **call.arguments))["confirm"]
        bent = [
            *("", " ", "0", "000000", "ffffff", "yes", "true", "*", "%", "confirm", "None"),
            *(code[:-1], code + "0", code[::-1] + code, f"{code}\x00", f"{code},{code}"),
            *(f'"{code}"', f"\u200b{code}", code.replace(code[0], chr(ord(code[0]) + 0xFEE0))),
            *(code * 10_000, foreign),
        ]
        for other in bent:
            reply = await said(client, call.tool, **call.arguments, confirm=other)
            assert reply["question"], other
            assert reply["confirm"] != other
        for odd in (True, 1, 12.5, [code], {"code": code}):
            result = await client.call_tool(call.tool, {**call.arguments, "confirm": odd})
            assert result.is_error, odd
    assert world.changes() == []


@each_action
async def test_a_code_is_for_just_these_arguments(
    action: str, connect: Connect, world: World
) -> None:
    async with connect() as client:
        call = await asking(client, action)
        for tool, arguments in call.others:
            code = (await said(client, call.tool, **call.arguments))["confirm"]
            reply = await said(client, tool, **arguments, confirm=code)
            assert "question" in reply, arguments
            assert world.changes() == [], arguments


@each_action
async def test_a_code_does_not_outlive_what_it_was_given_for(
    action: str, connect: Connect, unasked: AbstractAsyncContextManager[Client], world: World
) -> None:
    async with connect() as client, unasked as other:
        call = await asking(client, action)
        code = (await said(client, call.tool, **call.arguments))["confirm"]
        tool, arguments = call.meanwhile
        await said(other, tool, **arguments)
        changed = world.changes()
        reply = await said(client, call.tool, **call.arguments, confirm=code)
    assert reply["summary"].startswith("The code does not hold for this")
    assert world.changes() == changed


async def test_a_code_does_not_hold_after_ten_minutes(connect: Connect, world: World) -> None:
    async with connect() as client:
        call = await asking(client, "delete")
        code = (await said(client, call.tool, **call.arguments))["confirm"]
        await anyio.sleep(CODE_SECONDS + 1)
        reply = await said(client, call.tool, **call.arguments, confirm=code)
        assert reply["summary"].startswith("The code does not hold for this")
        assert world.changes() == []
        await anyio.sleep(CODE_SECONDS - 60)
        await said(client, call.tool, **call.arguments, confirm=reply["confirm"])
    assert world.changes()


# By the client's human


def human(
    questions: list[str], *answers: ElicitResult, seconds: Sequence[float] = ()
) -> ElicitationFnT:
    """One who gives the answers in turn, and takes so many seconds for the first ones."""
    left, times = itertools.cycle(answers), list(seconds)

    async def human(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        questions.append(params.message)
        if times:
            await anyio.sleep(times.pop(0))
        return next(left)

    return human


async def test_a_model_cannot_answer_in_the_place_of_its_human(
    era: str, connect: Connect, world: World
) -> None:
    questions: list[str] = []
    no = human(questions, NO)
    async with connect() as client, connect(answer=no, mode=era) as asked:
        call = await asking(client, "delete")
        code = (await said(client, call.tool, **call.arguments))["confirm"]
        for confirm in (code, "true", ""):
            arguments = {**call.arguments, "confirm": confirm}
            assert (await asked.call_tool(call.tool, arguments)).is_error
        for name in ("approve", "approval", "inputResponses", "requestState"):
            arguments = {**call.arguments, name: {"approve": True}}
            assert (await asked.call_tool(call.tool, arguments)).is_error
    assert len(questions) == 3
    assert world.changes() == []


async def test_a_human_who_takes_too_long_is_asked_again(connect: Connect, world: World) -> None:
    questions: list[str] = []
    async with connect(answer=human(questions, YES, seconds=[CODE_SECONDS + 1, 30.0])) as client:
        call = await asking(client, "delete")
        await said(client, call.tool, **call.arguments)
    assert len(questions) == 2
    assert len(world.changes()) == 1


@each_action
async def test_what_changes_while_the_human_thinks_is_asked_about_again(
    action: str,
    era: str,
    connect: Connect,
    unasked: AbstractAsyncContextManager[Client],
    world: World,
) -> None:
    questions: list[str] = []
    meanwhile: list[tuple[str, Reply]] = []

    async with unasked as other:

        async def thinking(_: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
            questions.append(params.message)
            if len(questions) > 1:
                return NO
            await said(other, meanwhile[0][0], **meanwhile[0][1])
            return YES

        async with connect(answer=thinking, mode=era) as client:
            call = await asking(client, action)
            meanwhile.append(call.meanwhile)
            result = await client.call_tool(call.tool, call.arguments)
            changed_by_the_other = world.changes()
    assert len(questions) == 2
    assert result.is_error
    assert len(changed_by_the_other) == 1


# What a client of 2026 brings back


def rounds(client: Client, tool: str, arguments: Reply) -> Round:
    """One round of a call, with the state and the answers that are given."""

    async def one(
        state: str | None = None, answers: InputResponses | None = None, **others: object
    ) -> CallToolResult | InputRequiredResult:
        return await client.session.call_tool(
            tool,
            {**arguments, **others},
            request_state=state,
            input_responses=answers,
            allow_input_required=True,
        )

    return one


async def first_round(one: Round) -> tuple[str, InputResponses]:
    """The state that came with the question, and a yes to it."""
    asked = await one()
    assert isinstance(asked, InputRequiredResult)
    assert asked.request_state
    assert asked.input_requests
    return asked.request_state, dict.fromkeys(asked.input_requests, YES)


async def test_a_yes_that_comes_twice_is_taken_once(
    connect: Connect, unasked: AbstractAsyncContextManager[Client], world: World
) -> None:
    async with connect(answer=human([], YES)) as client, unasked as other:
        call = await asking(client, "activate")
        one = rounds(client, call.tool, call.arguments)
        state, yes = await first_round(one)
        assert isinstance(await one(state, yes), CallToolResult)
        # Somebody takes it back, so that it could be done again.
        await said(other, call.tool, **{**call.arguments, "status": "paused"})
        changed = world.changes()
        await one(state, yes)
    assert world.changes() == changed


async def test_a_state_that_was_forged_is_refused(connect: Connect, world: World) -> None:
    async with connect(answer=human([], YES)) as client, connect(answer=human([], YES)) as other:
        call = await asking(client, "delete")
        one = rounds(client, call.tool, call.arguments)
        state, yes = await first_round(one)
        foreign, _ = await first_round(rounds(other, call.tool, call.arguments))
        plain = '{"v":1,"outcomes":{"approval":{"action":"accept","data":{"approve":true}}}}'
        middle = len(state) // 2
        bent = state[:middle] + ("A" if state[middle] != "A" else "B") + state[middle + 1 :]
        for forged in ("", "v1.", plain, bent, state[:-4], f"{state}A", foreign, state * 100):
            with pytest.raises(MCPError, match="Invalid or expired requestState"):
                await one(forged, yes)
        # Answers without a question, or to another one.
        for answers in (yes, {"approval": YES}, {"other": YES}):
            assert isinstance(await one(None, answers), InputRequiredResult)
        assert isinstance(await one(state, {"other": YES}), InputRequiredResult)
        # And a state is for just this call.
        for tool, arguments in (*call.others, (call.tool, call.arguments | {"confirm": "abcdef"})):
            with pytest.raises(MCPError, match="Invalid or expired requestState"):
                await rounds(client, tool, arguments)(state, yes)
    assert world.changes() == []
