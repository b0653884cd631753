"""A tool made up here, in a server of the SDK's own: how a call of it begins, goes on and ends."""

import datetime as dt
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import anyio
import pytest
from mcp.client.session import ClientRequestContext, ElicitationFnT
from mcp.server import Server, ServerRequestContext
from mcp.types import (
    ElicitRequestParams,
    ElicitResult,
    ListToolsResult,
    PaginatedRequestParams,
)
from pydantic import Field

from leadpipe_mcp.callers import Callers
from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.toolkit import Action, Arguments, Reply, Suggestion, tool
from leadpipe_mcp.toolkit.calls import Call, Codes, Kit
from leadpipe_mcp.toolkit.offered import OfferedTools
from leadpipe_mcp.toolkit.running import Toolbox
from tests.tools.assistant import Assistant, each_era, text_of

pytestmark = pytest.mark.anyio


class Part(Arguments):
    """A part of what is asked."""

    name: str = Field(description="Its name.")
    share: float = 0.5


class Asked(Arguments):
    """What is asked."""

    how: str = Field(default="well", description="How it is tried.")
    number: int = 1
    part: Part | None = None


class Made(Reply):
    """What was made."""

    parts: list[str] | None = None
    day: dt.date | None = None


Work = Callable[[Call], Awaitable[Made]]
DONE = Made(summary="It is made.")


@asynccontextmanager
async def trying(
    work: Work,
    *,
    era: str = "auto",
    reads: bool = False,
    changed: Callable[[], None] = lambda: None,
    largest: int | None = None,
    answer: ElicitationFnT | None = None,
) -> AsyncGenerator[Assistant]:
    """An assistant that has one tool, which does this work, and lacks another, `undo_it`."""

    async def try_it(call: Call, asked: Asked) -> Made:
        assert asked.how == "well"
        return await work(call)

    async def listed(
        _: ServerRequestContext, __: PaginatedRequestParams | None = None
    ) -> ListToolsResult:
        return ListToolsResult(tools=[declared.definition()])

    declared = tool("Try it", reads=reads)(try_it)
    offered = OfferedTools(["try_it"], of=["try_it", "undo_it"])
    kit = Kit(
        Codes(Callers()), offered, asks=True, invented=False, changed=changed, largest_reply=largest
    )
    box = Toolbox([declared], kit, partial(Call, kit))
    server = Server("made up", on_list_tools=listed, on_call_tool=box.call)
    async with Assistant(server, mode=era, elicitation_callback=answer) as client:
        yield client


async def succeed(_: Call) -> Made:
    return DONE


async def refuse(_: Call) -> Made:
    raise NotPossible("That is no way.", "Take another; undo_it undoes it.")


async def crash(_: Call) -> Made:
    raise KeyError("jane.doe@acme.example")


async def ask(call: Call) -> Made:
    await call.confirm(Action("try", "Try it?", 1), None)
    return DONE


async def hang(_: Call) -> Made:
    await anyio.sleep(1_000)
    return DONE


LOST = "The service's own answer was lost; a look afterwards shows that it was done, once."
CRASHED = (
    "try_it failed inside leadpipe-mcp, so whether anything was changed is unknown. Look first;"
    " then try once more. The server's log tells where it failed."
)


async def test_what_goes_wrong_is_said_without_a_value_and_without_a_tool_that_is_lacking() -> None:
    async with trying(crash) as client:
        result = await client.call_tool("try_it", {})
        assert (result.is_error, text_of(result)) == (True, CRASHED)
    async with trying(refuse) as client:
        assert await client.refused("try_it") == "That is no way. Take another."


async def test_each_argument_that_cannot_be_taken_is_named_with_what_would_do() -> None:
    part = {"name": "x"}
    refusals: list[tuple[dict[str, object], str]] = [
        ({"hwo": "ill"}, "There is no argument 'hwo'. Did you mean 'how'?"),
        ({"zzz": 1}, "There is no argument 'zzz'. There are: how, number and part."),
        (
            {"part": {**part, "z" * 65: 1}},
            f"There is no argument 'part.{'z' * 63}…'. There are: name and share.",
        ),
        ({"part": {}}, "'part.name' is required. It is: Its name."),
        ({"part": {**part, "share": "half"}}, "'part.share' must be of another kind."),
        (
            {"how": 1, "number": 1.5},
            "'how' must be a text. 'number' must be a whole number.",
        ),
    ]
    async with trying(succeed) as client:
        for given, said in refusals:
            assert await client.refused("try_it", **given) == said


@pytest.mark.parametrize(
    ("work", "largest", "outcome"),
    [
        (succeed, None, "ok"),
        (succeed, 9, "refused:TooLarge"),
        (refuse, None, "refused:NotPossible"),
        (crash, None, "crashed"),
        (ask, None, "asked"),
        (hang, None, "cancelled"),
    ],
)
async def test_however_a_call_ends_it_is_logged_in_a_word_and_what_it_may_have_changed_is_looked_at(
    work: Work, largest: int | None, outcome: str, caplog: pytest.LogCaptureFixture
) -> None:
    looked: list[bool] = []
    look = partial(looked.append, True)  # noqa: FBT003 -- an entry
    for reads in (False, True):
        caplog.clear()
        with caplog.at_level(logging.INFO, "leadpipe_mcp"):
            async with trying(work, reads=reads, changed=look, largest=largest) as client:
                with anyio.move_on_after(5):
                    await client.call_tool("try_it", {})
        (line,) = [one.getMessage() for one in caplog.records if "requests" in one.getMessage()]
        assert line.startswith(f"try_it {outcome} ")
    assert looked == [True]


async def test_the_log_tells_how_long_a_call_took(caplog: pytest.LogCaptureFixture) -> None:
    async def take_its_time(_: Call) -> Made:
        time.sleep(0.02)  # noqa: ASYNC251 -- real time, of which the log tells
        return DONE

    with caplog.at_level(logging.INFO, "leadpipe_mcp"):
        async with trying(take_its_time) as client:
            began = time.monotonic()
            await client.call("try_it")
            most = 1_000 * (time.monotonic() - began) + 1
    (record,) = [one for one in caplog.records if one.getMessage().startswith("try_it ok")]
    assert 20 <= vars(record)["call"]["ms"] <= most


async def test_a_reply_ends_with_what_to_mind_and_with_the_calls_that_make_sense_now() -> None:
    async def mind(call: Call) -> Made:
        call.budget.looked = True
        call.budget.left_out["part", "parts"] = {1: (1, 3)}
        call.budget.notes["The service was slow."] = None
        steps = [Suggestion(tool=name, why="To see.") for name in ("undo_it", "try_it")]
        warnings = ["Mind this; undo_it undoes it.", "See undo_it."]
        return Made(
            summary="It is made. See undo_it.",
            warnings=warnings,
            next=steps,
            parts=[],
            day=dt.date(2026, 5, 4),
        )

    async with trying(mind) as client:
        assert await client.call("try_it") == {
            "summary": "It is made.",
            "day": "2026-05-04",
            "warnings": [
                "Mind this.",
                "1 of 3 parts could not be read and is left out.",
                "The service was slow.",
                LOST,
            ],
            "next": [{"tool": "try_it", "why": "To see."}],
        }


@each_era
async def test_what_is_larger_than_a_server_sends_is_refused_with_what_to_do(era: str) -> None:
    async def show(_: Call) -> Made:
        return Made(summary="It is made.", parts=["é" * 100] * 3)

    async with trying(show, era=era) as client:
        await client.call("try_it")
        whole = await client.call_tool("try_it", {})
    size = len(whole.model_dump_json(by_alias=True, exclude_none=True, exclude={"meta"}).encode())
    async with trying(show, era=era, reads=True, largest=size) as client:
        await client.call("try_it")
    said = f"The whole answer has {size:,} bytes, and this server sends at most {size - 1:,}."
    async with trying(show, era=era, reads=True, largest=size - 1) as client:
        assert await client.refused("try_it") == (
            f"{said} Ask for less: a smaller limit, fewer fields, or one thing at a time."
        )
    async with trying(show, era=era, largest=size - 1) as client:
        assert await client.refused("try_it") == (
            f"This was done, so do not repeat it: It is made. {said}"
        )


@each_era
async def test_progress_never_goes_back_and_grows_a_little_with_each_word(era: str) -> None:
    told: list[tuple[float, float | None, str | None]] = []

    async def report(call: Call) -> Made:
        await call.tell("It begins.")
        await call.progress(2, 5, "Two.")
        await call.tell("It goes on.")
        await call.progress(1, 5, "One.")
        return DONE

    async def listen(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total, message))

    async with trying(report, era=era) as client:
        await client.call_tool("try_it", {}, progress_callback=listen)
    assert told == [
        (0.001, None, "It begins."),
        (2, 5, "Two."),
        (2.001, None, "It goes on."),
        (2.001, 5, "One."),
    ]


@each_era
async def test_a_question_goes_to_the_human_on_one_line_and_no_longer_than_anybody_reads(
    era: str,
) -> None:
    asked: list[str] = []

    async def at_length(call: Call) -> Made:
        question = f"Try\n \u202eit{' again' * 1_000}?"
        await call.confirm(Action("try", question, 1), None)
        return DONE

    async def agree(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        asked.append(params.message)
        return ElicitResult(action="accept", content={"approve": True})

    async with trying(at_length, era=era, answer=agree) as client:
        await client.call("try_it")
    (question,) = asked
    assert question.startswith("Try it again again ")
    assert len(question) <= 1_500
