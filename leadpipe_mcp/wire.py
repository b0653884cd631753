"""Messages over two descriptors: JSON-RPC, one message a line.

What comes in cannot stop the server, and no request stays without an answer. What goes out cannot
stop it either. `Messages` and `Answers` are the streams that the SDK's server takes: it reads and
writes the descriptors itself, with no task or thread between.
"""

import asyncio
import contextlib
import json
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from functools import partial
from typing import TypeVar

from anyio import CancelScope, EndOfStream, Event, Lock, move_on_after
from anyio.abc import ObjectReceiveStream, ObjectSendStream
from anyio.lowlevel import checkpoint
from mcp.shared.message import ServerMessageMetadata, SessionMessage
from mcp.types import (
    JSONRPCError,
    JSONRPCMessage,
    JSONRPCRequest,
    JSONRPCResponse,
    RequestId,
    jsonrpc_message_adapter,
)

from leadpipe_mcp.descriptors import reading, writing
from leadpipe_mcp.unreadable import END, Ends, judge

LONGEST_MESSAGE = 2**24
LAST_ANSWERS_SECONDS = 2.0
MOST_REFUSALS = 1_000

_REFUSAL = None  # What a refusal is counted as: no request was handed on.
_log = logging.getLogger(__name__)
T = TypeVar("T")


class Answers(ObjectSendStream[SessionMessage]):
    """Where messages go.

    Args:
        descriptor: Where to.
        broken: Called when nobody reads them any more.
    """

    def __init__(self, descriptor: int, broken: Callable[[], None]) -> None:
        self._write = writing(descriptor)
        self._broken = broken
        self._one_at_a_time = Lock(fast_acquire=True)
        self._refusing: set[asyncio.Task[None]] = set()
        self._owed: Counter[RequestId | None] = Counter()
        self._settled = Event()

    async def send(self, item: SessionMessage) -> None:
        """Write a message, whole."""
        await self._write_whole(item.message)
        if isinstance(item.message, JSONRPCResponse | JSONRPCError):
            await self.settle(item.message.id)

    async def refuse(self, refusal: JSONRPCError) -> None:
        """Have a refusal written in its turn, unless too many are waiting for a reader."""
        # Whoever does not read must not hold up the end of stdin, behind the line that is refused.
        if len(self._refusing) < MOST_REFUSALS:
            self._owed[_REFUSAL] += 1
            task = asyncio.create_task(self._write_refusal(refusal))
            self._refusing.add(task)
            task.add_done_callback(self._refusing.discard)
        # Thousands of them must not keep the calls waiting.
        await checkpoint()

    async def _write_refusal(self, refusal: JSONRPCError) -> None:
        await self._write_whole(refusal)
        await self.settle(_REFUSAL)

    async def _write_whole(self, message: JSONRPCMessage) -> None:
        # A call that is cancelled while its answer is on its way must not leave half a line.
        with CancelScope(shield=True):
            async with self._one_at_a_time:
                try:
                    await self._write(_line(message))
                except OSError:
                    self._broken()

    async def aclose(self) -> None:
        """Leave the descriptor open: it ends with the process."""

    def owe(self, request: RequestId) -> None:
        """Remember that a request is to be answered."""
        self._owed[request] += 1

    async def settle(self, request: RequestId | None) -> None:
        """Remember that a request was answered, or never will be because it was cancelled."""
        self._owed[request] -= 1
        if self._owed[request] <= 0:
            del self._owed[request]
        if not self._owed:
            self._settled.set()

    async def all_settled(self) -> None:
        """Wait until every request has its answer."""
        if self._owed:
            self._settled = Event()
            await self._settled.wait()


class Messages(ObjectReceiveStream[SessionMessage]):
    """The messages that come, until the descriptor is closed or they are stopped.

    Once it is closed, the requests that still run have a moment to be answered. A line that cannot
    be read is refused.

    Args:
        descriptor: Where from.
        answers: Where to refuse.
        at_end: Called when it is closed.
    """

    def __init__(self, descriptor: int, answers: Answers, at_end: Callable[[], None]) -> None:
        self._read = reading(descriptor)
        self._answers = answers
        self._at_end = at_end
        self._loop = asyncio.get_running_loop()
        self._stopped = False
        self._waiting = CancelScope()
        self._coming = self._come()

    async def receive(self) -> SessionMessage:
        """Return the next message."""
        try:
            return await anext(self._coming)
        except StopAsyncIteration:
            raise EndOfStream from None

    async def aclose(self) -> None:
        """Let no more messages come."""
        self._stop()

    def stop(self) -> None:
        """Let no more messages come; any thread may say so."""
        with contextlib.suppress(RuntimeError):  # The event loop has ended.
            self._loop.call_soon_threadsafe(self._stop)

    def _stop(self) -> None:
        self._stopped = True
        self._waiting.cancel()

    async def _come(self) -> AsyncGenerator[SessionMessage]:
        async for line in self._lines():
            message = _understood(line) or await self._judged(line)
            if self._stopped:
                return
            if isinstance(message, JSONRPCRequest):
                yield self._owed(message)
            elif message:
                yield SessionMessage(message)
        if not self._stopped:
            self._at_end()
            with move_on_after(LAST_ANSWERS_SECONDS):
                await self._unless_stopped(self._answers.all_settled)

    def _owed(self, request: JSONRPCRequest) -> SessionMessage:
        # A subscription lasts as long as the connection: nobody waits for its answer.
        if request.method == "subscriptions/listen":
            return SessionMessage(request)
        self._answers.owe(request.id)
        settle = partial(self._answers.settle, request.id)
        return SessionMessage(request, ServerMessageMetadata(on_request_unanswered=settle))

    async def _judged(self, line: str) -> JSONRPCResponse | None:
        """Refuse a line that cannot be read, or return the answer that it is taken for."""
        judged = judge(line)
        if isinstance(judged, JSONRPCResponse):
            return judged
        if all(refusal.id is None for refusal in judged):
            _log.warning("A line of stdin is not a message.")
        for refusal in judged:
            await self._answers.refuse(refusal)
        return None

    async def _lines(self) -> AsyncGenerator[str]:
        line = _Line()
        while came := await self._unless_stopped(self._read):
            *ends, rest = came.split(b"\n")
            for end in ends:
                line.add(end)
                if text := line.text():
                    yield text
                line = _Line()
            line.add(rest)
        if text := line.text():
            yield text

    async def _unless_stopped(self, wait: Callable[[], Awaitable[T]]) -> T | None:
        if self._stopped:
            return None
        with CancelScope() as self._waiting:
            return await wait()
        return None


def _understood(line: str) -> JSONRPCMessage | None:
    if isinstance(line, Ends):
        return None
    try:
        return jsonrpc_message_adapter.validate_json(line, by_name=False)
    except ValueError:
        return None


class _Line:
    """A line that comes in pieces; of one that is too long only the ends are kept."""

    def __init__(self) -> None:
        self._kept = bytearray()
        self._is_cut = False

    def add(self, piece: bytes) -> None:
        self._kept += piece
        self._is_cut = self._is_cut or len(self._kept) > LONGEST_MESSAGE
        if self._is_cut:
            del self._kept[END:-END]

    def text(self) -> str:
        text = self._kept.decode(errors="replace").strip("\ufeff\r ")
        return Ends(text) if self._is_cut else text


def _line(message: JSONRPCMessage) -> bytes:
    try:
        text = message.model_dump_json(by_alias=True, exclude_unset=True)
    except ValueError:
        # Half of an emoji that a service cut in two: such text is not UTF-8.
        said = message.model_dump(by_alias=True, exclude_unset=True)
        text = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    return text.encode(errors="replace") + b"\n"
