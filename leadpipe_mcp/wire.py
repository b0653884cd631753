"""Messages over two descriptors: JSON-RPC, one message a line.

Nothing that comes in can stop the server, and no request that says which it is stays without an
answer. Nothing that goes out can stop it either.
"""

import contextlib
import json
import logging
import os
import queue
import threading
from collections.abc import Callable, Iterator

from anyio import Lock, to_thread
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage
from mcp.types import (
    INVALID_REQUEST,
    ErrorData,
    JSONRPCError,
    JSONRPCMessage,
    jsonrpc_message_adapter,
)

LONGEST_MESSAGE = 2**24

_AT_ONCE = 2**16
_WAITING = 4
_UNREADABLE = ErrorData(
    code=INVALID_REQUEST,
    message="This is no request of JSON-RPC 2.0, or it holds half a character or a number that"
    " is too large.",
)

_log = logging.getLogger(__name__)


async def listen(
    lines: "Lines",
    messages: MemoryObjectSendStream[SessionMessage | Exception],
    answers: "Answers",
) -> None:
    """Hand on the messages in the lines; a request that cannot be read is refused."""
    async with messages:
        async for line in lines:
            try:
                message = jsonrpc_message_adapter.validate_json(line, by_name=False)
            except ValueError:
                await _refuse(line, answers)
            else:
                await messages.send(SessionMessage(message))


async def speak(messages: MemoryObjectReceiveStream[SessionMessage], answers: "Answers") -> None:
    """Write the messages until there are no more."""
    async with messages:
        async for message in messages:
            await answers.send(message.message)


async def _refuse(line: str, answers: "Answers") -> None:
    """Nothing; who waits for an answer to this line gets one."""
    asked = await to_thread.run_sync(_asked, line)
    if asked is None:
        _log.warning("A line of stdin is no message.")
    else:
        await answers.send(JSONRPCError(jsonrpc="2.0", id=asked, error=_UNREADABLE))


def _asked(line: str) -> str | int | None:
    """The id of a request that can only be read with more patience than the protocol has."""
    try:
        # Python makes no whole number of some thousand digits; an id has twenty at most.
        told = json.loads(line, parse_int=lambda digits: int(digits) if len(digits) < 20 else 0.0)
    except (ValueError, RecursionError):
        return None
    match told:
        case {"method": _, "id": str() | int() as number} if not isinstance(number, bool):
            return number
        case _:
            return None


class Lines:
    """The lines that come from a descriptor, until it is closed or they are stopped.

    Args:
        descriptor: Where from.
        at_end: Called, in a thread, when it is closed.
    """

    def __init__(self, descriptor: int, at_end: Callable[[], None]) -> None:
        self._descriptor = descriptor
        self._at_end = at_end
        self._read: queue.Queue[str | None] = queue.Queue(_WAITING)
        self._stopped = False
        # A thread that Python does not wait for: nothing wakes it but who writes.
        threading.Thread(target=self._run, name="lines", daemon=True).start()

    def __aiter__(self) -> "Lines":
        return self

    async def __anext__(self) -> str:
        line = await to_thread.run_sync(self._read.get, abandon_on_cancel=True)
        if line is None or self._stopped:
            raise StopAsyncIteration
        return line

    def stop(self) -> None:
        """Nothing; there are no more lines."""
        self._stopped = True
        with contextlib.suppress(queue.Full):
            self._read.put_nowait(None)

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            for line in _lines_of(self._descriptor):
                text = line.decode(errors="replace").strip("\ufeff\r ")
                if len(line) > LONGEST_MESSAGE:
                    _log.warning("A message is too long and was not read.")
                elif text:
                    self._read.put(text)
        self._read.put(None)
        self._at_end()


def _lines_of(descriptor: int) -> Iterator[bytes]:
    """What comes, line by line; of a line that is too long only so much that one can tell."""
    line = bytearray()
    while came := os.read(descriptor, _AT_ONCE):
        *ends, beginning = came.split(b"\n")
        for end in ends:
            yield bytes(line + end)
            line.clear()
        line += beginning
        del line[LONGEST_MESSAGE + 1 :]
    yield bytes(line)


class Answers:
    """Where messages go.

    Args:
        descriptor: Where to.
        broken: Called, in a thread, when nobody reads them any more.
    """

    def __init__(self, descriptor: int, broken: Callable[[], None]) -> None:
        self._descriptor = descriptor
        self._broken = broken
        self._one_at_a_time = Lock()

    async def send(self, message: JSONRPCMessage) -> None:
        """Nothing; the message is on its way, whole."""
        async with self._one_at_a_time:
            await to_thread.run_sync(self._write, _line(message))

    def _write(self, line: bytes) -> None:
        left = memoryview(line)
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
        except OSError:
            self._broken()


def _line(message: JSONRPCMessage) -> bytes:
    try:
        text = message.model_dump_json(by_alias=True, exclude_unset=True)
    except ValueError:
        # Half of an emoji that a service cut in two: such text is no UTF-8.
        said = message.model_dump(by_alias=True, exclude_unset=True)
        text = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    return text.encode(errors="replace") + b"\n"
