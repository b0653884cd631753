"""Messages over descriptors: what comes, what goes, and what is refused."""

import contextlib
import json
import os
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp.shared.message import ServerMessageMetadata, SessionMessage
from mcp.types import JSONRPCMessage, JSONRPCRequest, JSONRPCResponse

from leadpipe_mcp.wire import LONGEST_MESSAGE, Answers, Messages

pytestmark = pytest.mark.anyio

DEADLINE_SECONDS = 60
PING = '{"jsonrpc":"2.0","id":1,"method":"ping"}'
REQUEST = JSONRPCRequest(jsonrpc="2.0", id=1, method="ping")
ANSWER = JSONRPCResponse(jsonrpc="2.0", id=1, result={})
DEEP = "[" * 100_000 + "]" * 100_000
LONG = '"' + "x" * LONGEST_MESSAGE + '"'


class Pipe:
    """A pipe, whose end that is written to can be closed early."""

    def __init__(self) -> None:
        self.ends = os.pipe()

    def put(self, *lines: str | bytes) -> None:
        """Write the lines, and close the end."""
        for line in lines:
            left = line.encode() if isinstance(line, str) else line
            while left:
                left = left[os.write(self.ends[1], left) :]
        os.close(self.ends[1])

    def said(self) -> list[dict[str, Any]]:
        """What the server has written into it."""
        os.close(self.ends[1])
        return [json.loads(line) for line in os.read(self.ends[0], 2**16).splitlines()]

    def close(self) -> None:
        for end in self.ends:
            with contextlib.suppress(OSError):
                os.close(end)


@pytest.fixture
def coming() -> Iterator[Pipe]:
    with contextlib.closing(Pipe()) as pipe:
        yield pipe


@pytest.fixture
def going() -> Iterator[Pipe]:
    with contextlib.closing(Pipe()) as pipe:
        yield pipe


def nothing() -> None:
    pass


async def heard(coming: Pipe, going: Pipe, *lines: str | bytes) -> list[JSONRPCMessage]:
    """What the server hears of the lines, when no request takes any time."""

    ended = threading.Event()
    answers = Answers(going.ends[1], nothing)
    writer = threading.Thread(target=coming.put, args=lines)
    writer.start()
    came: list[JSONRPCMessage] = []
    with anyio.fail_after(DEADLINE_SECONDS):
        async for item in Messages(coming.ends[0], answers, ended.set):
            came.append(item.message)
            if isinstance(item.message, JSONRPCRequest):
                await answers.settle(item.message.id)
    writer.join()
    assert ended.is_set()
    return came


async def test_messages_come_line_by_line_whatever_is_between_them(
    coming: Pipe, going: Pipe
) -> None:
    lines = ("\ufeff", PING, "\r\n\n  \n", PING, "\n", PING[:20], PING[20:])
    assert await heard(coming, going, *lines) == [REQUEST] * 3


ASKED = '{"jsonrpc":"2.0","id":"seven","method":"ping"'
PARAMS = ASKED + ',"params":'
BATCH: list[dict[str, object]] = [
    {"jsonrpc": "2.0", "id": 5, "method": "ping"},
    {"jsonrpc": "2.0", "method": "notifications/initialized"},
    {"jsonrpc": "2.0", "id": 6, "result": {}},
    {"jsonrpc": "2.0", "id": 7, "method": "ping"},
]
HELD = '{"method":"ping","params":{"id":5,"a":'
# Lines, and the ids of those who are refused.
NOT_MESSAGES: list[tuple[str, list[str | int | None]]] = [
    *((f'{PARAMS}{{"a":{odd}}}}}', ["seven"]) for odd in ('"\\ud83d"', "9" * 5_000, DEEP, LONG)),
    (PARAMS + "[]}", ["seven"]),
    ('{"jsonrpc":"1.0","id":"seven","method":"ping"}', ["seven"]),
    ('{"jsonrpc":"2.0","id":"seven"}', ["seven"]),
    (f"[{ASKED}}}]", ["seven"]),
    (json.dumps(BATCH), [5, 7]),
    # The id comes last, after another one.
    (HELD + DEEP + '},"id":"seven"}', ["seven"]),
    (HELD + LONG + '} , "id":"seven" }  ', ["seven"]),
    *((line, [None]) for line in ("not JSON", "5", "[]", "[" * 100_000, LONG)),
    ('{"jsonrpc":"2.0","id":true,"method":5}', [None]),
    (HELD + LONG + "}}", [None]),
    ('{"jsonrpc":"2.0","method":"x","params":{"a":' + DEEP + '},"id":5,"a":{}}', [None]),
    ('{"params":{"a":' + LONG + ',"id":5}}', [None]),
    ('{"jsonrpc":"2.0","method":"notifications/cancelled","params":[]}', []),
]


@pytest.mark.parametrize(("line", "askers"), NOT_MESSAGES, ids=range(len(NOT_MESSAGES)))
async def test_a_line_that_cannot_be_read_is_refused_by_its_id_if_it_has_one(
    line: str,
    askers: list[str | int | None],
    coming: Pipe,
    going: Pipe,
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert await heard(coming, going, f"{line}\n", PING) == [REQUEST]
    answers = going.said()
    code = -32700 if line == "not JSON" else -32600
    assert [(one["id"], one["error"]["code"]) for one in answers] == [(id_, code) for id_ in askers]
    assert any(askers) or caplog.messages == ["A line of stdin is not a message."]


async def test_an_answer_that_cannot_be_read_is_an_empty_one(coming: Pipe, going: Pipe) -> None:
    lines = [
        '{"jsonrpc":"2.0","id":5,"result":"Canary"}',
        '{"jsonrpc":"2.0","id":5,"error":"Canary"}',
        '{"jsonrpc":"2.0","id":5,"result":{"a":"\\ud83d"}}',
        '{"result":{"a":' + LONG + '},"jsonrpc":"2.0","id":5}',
        '{"jsonrpc":"2.0","id":5,"result":' + DEEP + "}",
    ]
    empty = JSONRPCResponse(jsonrpc="2.0", id=5, result={})
    assert await heard(coming, going, "\n".join(lines)) == [empty] * len(lines)
    assert going.said() == []


@pytest.mark.parametrize("is_cancelled", [False, True])
async def test_a_request_is_waited_for_at_the_end_until_it_is_answered_or_cancelled(
    coming: Pipe, going: Pipe, *, is_cancelled: bool
) -> None:
    answers = Answers(going.ends[1], nothing)
    messages = Messages(coming.ends[0], answers, nothing)
    coming.put(PING)
    events: list[str] = []

    async def end() -> None:
        await anyio.wait_all_tasks_blocked()
        events.append("answered")
        if is_cancelled:
            assert isinstance(asked.metadata, ServerMessageMetadata)
            assert asked.metadata.on_request_unanswered
            await asked.metadata.on_request_unanswered()
        else:
            await answers.send(SessionMessage(ANSWER))

    with anyio.fail_after(DEADLINE_SECONDS):
        asked = await messages.receive()
        assert asked.message == REQUEST
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(end)
            with pytest.raises(anyio.EndOfStream):
                await messages.receive()
            events.append("ended")
    assert events == ["answered", "ended"]


@pytest.mark.parametrize("is_stopped", [False, True])
async def test_the_wait_at_the_end_is_short_and_can_be_stopped(
    coming: Pipe, going: Pipe, monkeypatch: pytest.MonkeyPatch, *, is_stopped: bool
) -> None:
    seconds = 2 * DEADLINE_SECONDS if is_stopped else 0.01
    monkeypatch.setattr("leadpipe_mcp.wire.LAST_ANSWERS_SECONDS", seconds)

    def at_end() -> None:
        if is_stopped:
            messages.stop()

    messages = Messages(coming.ends[0], Answers(going.ends[1], nothing), at_end)
    coming.put(PING)
    with anyio.fail_after(DEADLINE_SECONDS):
        assert [item.message async for item in messages] == [REQUEST]


@pytest.mark.parametrize("read", [f"{PING}\n", f"{PING}\n{PING}\n", PING])
async def test_nothing_comes_any_more_once_it_is_stopped_whatever_was_read(
    read: str, coming: Pipe, going: Pipe
) -> None:
    messages = Messages(coming.ends[0], Answers(going.ends[1], nothing), pytest.fail)
    coming.put(read)
    with anyio.fail_after(DEADLINE_SECONDS):
        assert (await messages.receive()).message == REQUEST
        await messages.aclose()
        with pytest.raises(anyio.EndOfStream):
            await messages.receive()


async def test_half_a_character_of_the_service_stops_no_answer(going: Pipe) -> None:
    answers = Answers(going.ends[1], nothing)
    half = JSONRPCResponse(jsonrpc="2.0", id=1, result={"name": "Ä \ud83d"})
    with anyio.fail_after(DEADLINE_SECONDS):
        for message in (half, ANSWER):
            await answers.send(SessionMessage(message))
    first, second = going.said()
    assert first["result"] == {"name": "Ä ?"}
    assert second == {"jsonrpc": "2.0", "id": 1, "result": {}}


async def test_an_answer_that_is_cancelled_half_way_is_written_whole(going: Pipe) -> None:
    long = JSONRPCResponse(jsonrpc="2.0", id=1, result={"text": "x" * 500_000})
    answers = Answers(going.ends[1], nothing)
    came = bytearray()

    def read() -> None:
        while b"\n" not in came:
            came.extend(os.read(going.ends[0], 2**16))

    reader = threading.Thread(target=read)
    with anyio.fail_after(DEADLINE_SECONDS):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(answers.send, SessionMessage(long))
            await anyio.wait_all_tasks_blocked()
            tasks.cancel_scope.cancel()
            reader.start()
    reader.join()
    assert len(json.loads(came)["result"]["text"]) == 500_000


async def test_who_reads_no_answers_is_noticed() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    broken = threading.Event()
    with anyio.fail_after(DEADLINE_SECONDS):
        await Answers(writing, broken.set).send(SessionMessage(ANSWER))
    os.close(writing)
    assert broken.is_set()


async def test_lines_are_read_to_the_end_though_nobody_reads_their_refusals(
    coming: Pipe, going: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leadpipe_mcp.wire.LAST_ANSWERS_SECONDS", 0.01)
    assert await heard(coming, going, "not JSON\n" * 5_000, PING) == [REQUEST]


async def test_messages_come_and_go_through_a_socket() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, anyio.fail_after(DEADLINE_SECONDS):
        # Whoever started the server may have made it so, as Node does.
        ours.settimeout(0)
        answers = Answers(ours.fileno(), nothing)
        theirs.sendall(f"{PING}\n".encode())
        messages = Messages(ours.fileno(), answers, nothing)
        assert (await messages.receive()).message == REQUEST
        await answers.send(SessionMessage(ANSWER))
        assert json.loads(theirs.recv(1_000))["id"] == 1
        # What is closed with something unread is reset.
        await answers.send(SessionMessage(ANSWER))
        theirs.close()
        with pytest.raises(anyio.EndOfStream):
            await messages.receive()


@pytest.mark.skipif(sys.platform == "win32", reason="pipes cannot be polled there")
async def test_whoever_shares_a_pipe_waits_for_what_another_has_not_read(
    coming: Pipe, going: Pipe
) -> None:
    os.set_blocking(coming.ends[0], False)
    ends = [coming.ends[0], os.dup(coming.ends[0])]
    came: list[JSONRPCMessage] = []
    ended: list[int] = []

    async def listen(descriptor: int) -> None:
        answers = Answers(going.ends[1], nothing)
        async for item in Messages(descriptor, answers, nothing):
            came.append(item.message)
            await answers.send(SessionMessage(ANSWER))
            await anyio.wait_all_tasks_blocked()
            assert not ended
            coming.put()
        ended.append(descriptor)

    with anyio.fail_after(DEADLINE_SECONDS):
        async with anyio.create_task_group() as tasks:
            for end in ends:
                tasks.start_soon(listen, end)
            await anyio.wait_all_tasks_blocked()
            os.write(coming.ends[1], f"{PING}\n".encode())
    os.close(ends[1])
    assert came == [REQUEST]


async def test_messages_come_and_go_through_files(tmp_path: Path) -> None:
    asked, told = tmp_path / "asked", tmp_path / "told"
    asked.write_text(f"{PING}\n{PING}\n")
    with asked.open() as coming, told.open("w") as going, anyio.fail_after(DEADLINE_SECONDS):
        answers = Answers(going.fileno(), nothing)
        async for item in Messages(coming.fileno(), answers, nothing):
            assert item.message == REQUEST
            await answers.send(SessionMessage(ANSWER))
    assert [json.loads(line)["id"] for line in told.read_text().splitlines()] == [1, 1]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo terminals")
async def test_a_person_who_types_is_listened_to_until_the_server_ends(going: Pipe) -> None:
    typed, terminal = os.openpty()
    messages = Messages(terminal, Answers(going.ends[1], nothing), pytest.fail)
    os.write(typed, f"{PING}\n".encode())
    with anyio.fail_after(DEADLINE_SECONDS):
        assert (await messages.receive()).message == REQUEST
        threading.Thread(target=messages.stop).start()
        with pytest.raises(anyio.EndOfStream):
            await messages.receive()
    os.close(typed)
    os.close(terminal)
