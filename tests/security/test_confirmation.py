"""No yes is taken for another: for each tool that asks, whatever its code or its answer is not."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple

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
from leadpipe_mcp.tools.toolsets import TOOLS
from tests.faults.cells import ACTIVE, LINKED, PAUSED, PIXEL, UNFILED, given
from tests.security.services import Connect, Reply, World, ids, said

pytestmark = pytest.mark.anyio
Call = tuple[str, Reply]
Unasked = AbstractAsyncContextManager[Client]
WANTED = {"topicIds": [117805]}
TEN_MINUTES = 600
TITLES = [f"head of {number}" for number in range(60)]
YES = ElicitResult(action="accept", content={"approve": True})
NO = ElicitResult(action="decline")


class Asking(NamedTuple):
    """A call that asks first; what its yes is not for; and what makes it out of date."""

    call: Call
    changes: Sequence[Reply]
    """Of its arguments."""
    others: Sequence[Call]
    meanwhile: Call


activate = ("set_status", {"id": PAUSED, "status": "active"})
delete = ("delete_audience", {"id": PAUSED})
create = ("create_audience", {"name": "New", "config": WANTED, "status": "active"})
# The question is cut long before it names the last of the titles.
change = ("update_audience", {"id": ACTIVE, "config": {"filters": {"jobTitle": TITLES}}})
fewer = {"config": {"filters": {"jobTitle": TITLES[:-1]}}}
export = ("export_audience", {"id": ACTIVE, "fileName": "people", "fields": ["name"]})
link = ("export_audience", {"id": ACTIVE, "format": "url"})
pause = ("update_pixel", {"id": PIXEL, "status": "paused"})
unlink = ("sonarly_delete_audience", {"id": LINKED})
renamed = ("update_audience", {"id": ACTIVE, "name": "Renamed"})
renamed_too = ("update_audience", {"id": PAUSED, "name": "Renamed"})
# The question does not show it.
moved = ("update_audience", {"id": PAUSED, "config": {"sourceUrl": "https://acme.example"}})
kept_out = ("update_pixel", {"id": PIXEL, "excludedPaths": ["/jobs"]})
relinked = ("sonarly_update_audience", {"id": LINKED, "name": "Renamed"})
created: list[Reply] = [
    *({"name": "Newer"}, {"config": {"topicIds": [117890]}}),
    {"config": {**WANTED, "minScore": 90}},
]
exported: list[Reply] = [
    *({"fields": ["name", "netWorth"]}, {"fields": ["name", "contactEmail"]}),
    *({"fileName": "other"}, {"format": "jsonl"}),
]
ACTIONS: dict[str, Asking] = {
    "activate": Asking(activate, [{"waitSeconds": 1}], [delete], renamed_too),
    "delete": Asking(delete, [{"id": ACTIVE}], [activate], moved),
    "create": Asking(create, created, [], activate),
    "change": Asking(change, [fewer, {"name": "New"}], [renamed], renamed),
    "export": Asking(export, exported, [link], renamed),
    "link": Asking(link, [], [export], renamed),
    "pause pixel": Asking(pause, [{"excludedPaths": ["/a"]}], [], kept_out),
    "sonarly delete": Asking(unlink, [{"id": UNFILED}], [delete], relinked),
}
each_action = pytest.mark.parametrize("action", ACTIONS)


async def asking(client: Client, action: str) -> tuple[Call, Call, list[Call]]:
    """The action on what the world begins with: its call, what happens meanwhile, and others."""
    known, asked = await ids(client), ACTIONS[action]
    changed = [(asked.call[0], asked.call[1] | change) for change in asked.changes]
    calls = (asked.call, asked.meanwhile, *changed, *asked.others)
    call, meanwhile, *others = ((tool, given(arguments, known)) for tool, arguments in calls)
    return call, meanwhile, others


async def tell(client: Client, call: Call, **more: object) -> Reply:
    """What is said to a call; a question comes with a code."""
    return await said(client, call[0], **{**call[1], **more})


@pytest.fixture
def unasked(connect: Connect) -> Unasked:
    """Somebody else at the same services, who is not asked."""
    return connect(settings=Settings(sandbox=True, toolsets="all", confirm="off"))


def test_every_tool_that_asks_is_tried() -> None:
    asking = {tool.name for tool in TOOLS if "confirm" in tool.arguments.model_fields}
    assert asking == {action.call[0] for action in ACTIONS.values()}


# By a code


@each_action
async def test_a_code_does_what_was_asked_about_and_only_once(
    action: str, connect: Connect, world: World
) -> None:
    async with connect() as client:
        call, *_ = await asking(client, action)
        code = (await tell(client, call))["confirm"]
        assert world.changes() == []
        assert "confirm" not in await tell(client, call, confirm=code)
        changed = world.changes()
        assert changed
        # It may be refused, be so already, or be asked about anew: it is not done again.
        again = await client.call_tool(call[0], {**call[1], "confirm": code})
        assert code not in str(again.content)
        assert world.changes() == changed


async def test_a_code_that_was_guessed_or_bent_changes_nothing(
    connect: Connect, world: World
) -> None:
    async with connect() as client, connect() as other_server:
        call, *_ = await asking(client, "delete")
        foreign = (await tell(other_server, call))["confirm"]
        code = (await tell(client, call))["confirm"]
        bent = [
            *("", " ", "0", "000000", "ffffff", "yes", "true", "*", "%", "confirm", "None"),
            *(code[:-1], code + "0", code[::-1] + code, f"{code}\x00", f"{code},{code}"),
            *(f'"{code}"', f"\u200b{code}", code.replace(code[0], chr(ord(code[0]) + 0xFEE0))),
            *(code * 10_000, foreign),
        ]
        for other in bent:
            reply = await tell(client, call, confirm=other)
            assert reply["question"], other
            assert reply["confirm"] != other
        for odd in (True, 1, 12.5, [code], {"code": code}):
            assert (await client.call_tool(call[0], {**call[1], "confirm": odd})).is_error, odd
    assert world.changes() == []


@each_action
async def test_a_code_is_for_just_these_arguments_as_things_are(
    action: str, connect: Connect, unasked: Unasked, world: World
) -> None:
    async with connect() as client, unasked as other:
        call, meanwhile, others = await asking(client, action)
        for different in others:
            code = (await tell(client, call))["confirm"]
            assert "question" in await tell(client, different, confirm=code), different
        assert world.changes() == []
        code = (await tell(client, call))["confirm"]
        await tell(other, meanwhile)
        changed = world.changes()
        reply = await tell(client, call, confirm=code)
    assert reply["summary"].startswith("The code does not hold for this")
    assert world.changes() == changed


async def test_a_code_does_not_hold_after_ten_minutes(connect: Connect, world: World) -> None:
    async with connect() as client:
        call, *_ = await asking(client, "delete")
        code = (await tell(client, call))["confirm"]
        await anyio.sleep(TEN_MINUTES + 1)
        reply = await tell(client, call, confirm=code)
        assert reply["summary"].startswith("The code does not hold for this")
        assert world.changes() == []
        await anyio.sleep(TEN_MINUTES - 60)
        await tell(client, call, confirm=reply["confirm"])
    assert world.changes()


# By the client's human


def human(answer: ElicitResult, questions: list[str], *seconds: float) -> ElicitationFnT:
    """One who always gives the answer, and takes so many seconds for the first ones."""
    times = list(seconds)

    async def human(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        questions.append(params.message)
        if times:
            await anyio.sleep(times.pop(0))
        return answer

    return human


async def test_a_model_cannot_answer_in_the_place_of_its_human(
    era: str, connect: Connect, world: World
) -> None:
    questions: list[str] = []
    no = human(NO, questions)
    async with connect() as client, connect(answer=no, mode=era) as asked:
        (tool, arguments), *_ = await asking(client, "delete")
        code = (await tell(client, (tool, arguments)))["confirm"]
        for confirm in (code, "true", ""):
            assert (await asked.call_tool(tool, {**arguments, "confirm": confirm})).is_error
        for name in ("approve", "approval", "inputResponses", "requestState"):
            assert (await asked.call_tool(tool, {**arguments, name: {"approve": True}})).is_error
    assert len(questions) == 3
    assert world.changes() == []


async def test_a_human_who_takes_too_long_is_asked_again(connect: Connect, world: World) -> None:
    questions: list[str] = []
    async with connect(answer=human(YES, questions, TEN_MINUTES + 1, 30)) as client:
        call, *_ = await asking(client, "delete")
        await tell(client, call)
    assert len(questions) == 2
    assert len(world.changes()) == 1


@each_action
async def test_what_changes_while_the_human_thinks_is_asked_about_again(
    *, action: str, era: str, connect: Connect, unasked: Unasked, world: World
) -> None:
    questions: list[str] = []
    async with unasked as other:
        call, meanwhile, _ = await asking(other, action)

        async def thinking(_: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
            questions.append(params.message)
            if len(questions) > 1:
                return NO
            await tell(other, meanwhile)
            return YES

        async with connect(answer=thinking, mode=era) as client:
            result = await client.call_tool(*call)
    assert len(questions) == 2
    assert result.is_error
    # By the other.
    assert len(world.changes()) == 1


# What a client of 2026 brings back


async def bring(
    client: Client, call: Call, state: str | None = None, answers: InputResponses | None = None
) -> CallToolResult | InputRequiredResult:
    """One round of a call, with the state and the answers that are given."""
    return await client.session.call_tool(
        *call, request_state=state, input_responses=answers, allow_input_required=True
    )


async def first_round(client: Client, call: Call) -> tuple[str, InputResponses]:
    """The state that came with the question, and a yes to it."""
    asked = await bring(client, call)
    assert isinstance(asked, InputRequiredResult)
    assert asked.request_state
    assert asked.input_requests
    return asked.request_state, dict.fromkeys(asked.input_requests, YES)


async def test_a_yes_that_comes_twice_is_taken_once(
    connect: Connect, unasked: Unasked, world: World
) -> None:
    async with connect(answer=human(YES, [])) as client, unasked as other:
        call, *_ = await asking(client, "activate")
        state, yes = await first_round(client, call)
        assert isinstance(await bring(client, call, state, yes), CallToolResult)
        # Somebody takes it back, so that it could be done again.
        await tell(other, call, status="paused")
        changed = world.changes()
        await bring(client, call, state, yes)
    assert world.changes() == changed


async def test_a_state_that_was_forged_is_refused(connect: Connect, world: World) -> None:
    async with connect(answer=human(YES, [])) as client, connect(answer=human(YES, [])) as other:
        call, _, others = await asking(client, "delete")
        state, yes = await first_round(client, call)
        foreign, _ = await first_round(other, call)
        plain = '{"v":1,"outcomes":{"approval":{"action":"accept","data":{"approve":true}}}}'
        middle = len(state) // 2
        bent = state[:middle] + ("A" if state[middle] != "A" else "B") + state[middle + 1 :]
        for forged in ("", "v1.", plain, bent, state[:-4], f"{state}A", foreign, state * 100):
            with pytest.raises(MCPError, match="Invalid or expired requestState"):
                await bring(client, call, forged, yes)
        # Answers without a question, or to another one.
        odd: list[InputResponses] = [yes, {"approval": YES}, {"other": YES}]
        for answers in odd:
            assert isinstance(await bring(client, call, None, answers), InputRequiredResult)
        again = await bring(client, call, state, {"other": YES})
        assert isinstance(again, InputRequiredResult)
        # And a state is for just this call.
        for different in (*others, (call[0], call[1] | {"confirm": "abcdef"})):
            with pytest.raises(MCPError, match="Invalid or expired requestState"):
                await bring(client, different, state, yes)
    assert world.changes() == []
