"""Messages over pipes: what comes, what goes, and what is refused."""

import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import anyio
import pytest
from mcp.shared.message import SessionMessage
from mcp.types import JSONRPCRequest, JSONRPCResponse

from leadpipe_mcp.wire import LONGEST_MESSAGE, Answers, Lines, listen, speak

pytestmark = pytest.mark.anyio

PING = '{"jsonrpc":"2.0","id":1,"method":"ping"}'


@dataclass
class Pipe:
    """A pipe, whose end that is written to can be closed early."""

    ends: tuple[int, int] = field(default_factory=os.pipe)

    def put(self, *lines: str | bytes) -> None:
        for line in lines:
            os.write(self.ends[1], line.encode() if isinstance(line, str) else line)

    def finish(self) -> None:
        os.close(self.ends[1])

    def read(self) -> bytes:
        return os.read(self.ends[0], 2**16)


@pytest.fixture
def coming() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    os.close(pipe.ends[0])


@pytest.fixture
def going() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    for end in pipe.ends:
        os.close(end)


async def heard(coming: Pipe, going: Pipe) -> list[Any]:
    """What the server hears of everything that was put into a pipe."""
    coming.finish()
    ended = threading.Event()
    into, out = anyio.create_memory_object_stream[SessionMessage | Exception](100)
    answers = Answers(going.ends[1], ended.set)
    with anyio.fail_after(20):
        await listen(Lines(coming.ends[0], ended.set), into, answers)
    assert ended.wait(20)
    with out:
        return [item.message async for item in out if isinstance(item, SessionMessage)]


async def test_messages_come_line_by_line_whatever_is_between_them(
    coming: Pipe, going: Pipe
) -> None:
    coming.put("\ufeff", PING, "\r\n\n  \n", PING, "\n", PING[:20], PING[20:])
    assert await heard(coming, going) == [JSONRPCRequest(jsonrpc="2.0", id=1, method="ping")] * 3


@pytest.mark.parametrize(
    "line",
    [
        '{"jsonrpc":"2.0","id":"seven","method":"ping","params":{"a":"\\ud83d"}}',
        '{"jsonrpc":"2.0","id":"seven","method":"ping","params":[]}',
        '{"jsonrpc":"2.0","id":"seven","method":"ping","params":{"a":' + "9" * 5_000 + "}}",
        '{"jsonrpc":"1.0","id":"seven","method":"ping"}',
    ],
)
async def test_a_request_that_cannot_be_read_is_refused_if_it_says_which_it_is(
    line: str, coming: Pipe, going: Pipe
) -> None:
    coming.put(line, "\n", PING)
    assert len(await heard(coming, going)) == 1
    answer = json.loads(going.read())
    assert (answer["id"], answer["error"]["code"]) == ("seven", -32600)


async def test_other_lines_that_cannot_be_read_are_passed_over(
    coming: Pipe, going: Pipe, caplog: pytest.LogCaptureFixture
) -> None:
    lines = [
        "not JSON",
        '{"jsonrpc":"2.0","id":true,"method":5}',
        '{"jsonrpc":"2.0","id":5,"result":"Canary"}',
        "[" * 10_000,
    ]
    coming.put(*(f"{line}\n" for line in lines), PING)
    assert len(await heard(coming, going)) == 1
    assert caplog.messages == ["A line of stdin is no message."] * 4


async def test_a_line_that_is_too_long_is_not_kept(
    coming: Pipe, going: Pipe, caplog: pytest.LogCaptureFixture
) -> None:
    def write() -> None:
        for _ in range(LONGEST_MESSAGE // 2**16 + 2):
            coming.put(b"9" * 2**16)
        coming.put("\n", PING)
        written.set()

    written = threading.Event()
    into, out = anyio.create_memory_object_stream[SessionMessage | Exception](1)
    lines = Lines(coming.ends[0], threading.Event().set)
    threading.Thread(target=write).start()
    with anyio.fail_after(20):
        assert written.wait(20)
        coming.finish()
        await listen(lines, into, Answers(going.ends[1], written.set))
        with out:
            assert isinstance(await out.receive(), SessionMessage)
    assert caplog.messages == ["A message is too long and was not read."]


async def test_lines_can_be_stopped_though_nobody_closes_them(coming: Pipe) -> None:
    lines = Lines(coming.ends[0], threading.Event().set)
    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:

            async def stop() -> None:
                lines.stop()

            tasks.start_soon(stop)
            assert [line async for line in lines] == []
    coming.finish()


async def test_half_a_character_of_the_service_stops_no_answer(going: Pipe) -> None:
    into, out = anyio.create_memory_object_stream[SessionMessage](2)
    result = {"name": "Ä \ud83d"}
    with into:
        into.send_nowait(SessionMessage(JSONRPCResponse(jsonrpc="2.0", id=1, result=result)))
        into.send_nowait(SessionMessage(JSONRPCResponse(jsonrpc="2.0", id=2, result={})))
    with anyio.fail_after(20):
        await speak(out, Answers(going.ends[1], threading.Event().set))
    first, second = going.read().decode().splitlines()
    assert first == '{"jsonrpc":"2.0","id":1,"result":{"name":"Ä ?"}}'
    assert json.loads(second)["id"] == 2


async def test_who_reads_no_answers_is_noticed() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    broken = threading.Event()
    answers = Answers(writing, broken.set)
    with anyio.fail_after(20):
        await answers.send(JSONRPCResponse(jsonrpc="2.0", id=1, result={}))
    os.close(writing)
    assert broken.is_set()
