"""Messages over two descriptors: JSON-RPC, one message a line.

What comes in cannot stop the server, and no request stays without an answer: a line that cannot be
read is refused. What goes out cannot stop it either. `Messages` and `Answers` are the streams that
the SDK's server takes: it reads and writes the descriptors itself, with no task or thread between.

Bytes of a pipe or a socket are read and written in the event loop, when the system says that they
can be. A file, a terminal and everything on Windows have a thread, because they may block. No flag
of a descriptor is changed: whoever else holds it, such as a shell, would be changed as well.
"""

import asyncio
import contextlib
import json
import logging
import os
import re
import select
import stat
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from functools import partial
from typing import TypeVar, cast

import anyio
from anyio.abc import ObjectReceiveStream, ObjectSendStream
from anyio.lowlevel import checkpoint
from mcp import types
from mcp.shared.message import ServerMessageMetadata, SessionMessage

AT_ONCE = 2**16
LONGEST_MESSAGE = 2**24
LAST_ANSWERS_SECONDS = 2.0
MOST_REFUSALS = 1_000
SUBSCRIBE = "subscriptions/listen"
END = 4_096  # of a line that is too long, this much of each end is kept

_NOT_JSON = types.ErrorData(
    code=types.PARSE_ERROR,
    message="This line is not JSON. Send every message as one line of JSON-RPC 2.0, in UTF-8.",
)
_TOO_LONG = types.ErrorData(
    code=types.INVALID_REQUEST,
    message="This message is longer than 16 MB, so it was not read. Send less at once.",
)
_BATCH = types.ErrorData(
    code=types.INVALID_REQUEST,
    message="A batch of messages is not taken here. Send each message on a line of its own.",
)
_INVALID = types.ErrorData(
    code=types.INVALID_REQUEST,
    message="This is not a message of JSON-RPC 2.0, or it holds half a character, a number that is"
    " too large, or brackets nested too deeply. A request has jsonrpc, id, method and params.",
)
_SIMPLE = r'"[^"\\\x00-\x1f]*"|-?(?:0|[1-9]\d{0,18})'
_MEMBER = rf'"(?:id|jsonrpc|method)"\s*:\s*(?:{_SIMPLE})\s*'
_FIRST = re.compile(rf'\s*\{{\s*(?:{_MEMBER},\s*)*"\w+"\s*:')
_LAST = re.compile(rf"(?:,\s*{_MEMBER})+\}}\s*$")
_NAMED = re.compile(rf'"(\w+)"\s*:\s*({_SIMPLE}|)')

_log = logging.getLogger(__name__)
T = TypeVar("T")


class Answers(ObjectSendStream[SessionMessage]):
    """Where messages go; `broken` is called when nobody reads them any more."""

    def __init__(self, descriptor: int, broken: Callable[[], None]) -> None:
        self._write = writing(descriptor)
        self._broken = broken
        self._one_at_a_time = anyio.Lock(fast_acquire=True)
        self._refusing: set[asyncio.Task[None]] = set()
        self._owed: Counter[types.RequestId | None] = Counter()
        self._settled = anyio.Event()

    async def send(self, item: SessionMessage) -> None:
        """Write a message, whole."""
        # A call that is cancelled while its answer is on its way must not leave half a line.
        with anyio.CancelScope(shield=True):
            async with self._one_at_a_time:
                try:
                    await self._write(_line(item.message))
                except OSError:
                    self._broken()
        if isinstance(item.message, types.JSONRPCResponse | types.JSONRPCError):
            await self.settle(item.message.id)

    async def refuse(self, refusal: types.JSONRPCError) -> None:
        """Have a refusal written in its turn, unless too many are waiting for a reader."""
        # Whoever does not read must not hold up the end of stdin, behind the line that is refused.
        if len(self._refusing) < MOST_REFUSALS:
            self.owe(refusal.id)
            task = asyncio.create_task(self.send(SessionMessage(refusal)))
            self._refusing.add(task)
            task.add_done_callback(self._refusing.discard)
        # Thousands of them must not keep the calls waiting.
        await checkpoint()

    async def aclose(self) -> None:
        """Leave the descriptor open: it ends with the process."""

    def owe(self, request: types.RequestId | None) -> None:
        """Remember that a request is to be answered."""
        self._owed[request] += 1

    async def settle(self, request: types.RequestId | None) -> None:
        """Remember that a request was answered, or never will be because it was cancelled."""
        self._owed -= Counter([request])
        if not self._owed:
            self._settled.set()

    async def all_settled(self) -> None:
        """Wait until every request has its answer."""
        if self._owed:
            self._settled = anyio.Event()
            await self._settled.wait()


class Messages(ObjectReceiveStream[SessionMessage]):
    """The messages that come, until the descriptor is closed or they are stopped.

    Once it is closed, `at_end` is called, and the requests that still run have a moment to be
    answered.
    """

    def __init__(self, descriptor: int, answers: Answers, at_end: Callable[[], None]) -> None:
        self._read = reading(descriptor)
        self._answers = answers
        self._at_end = at_end
        self._loop = asyncio.get_running_loop()
        self._stopped = False
        self._waiting = anyio.CancelScope()
        self._coming = self._come()

    async def receive(self) -> SessionMessage:
        """Return the next message."""
        try:
            return await anext(self._coming)
        except StopAsyncIteration:
            raise anyio.EndOfStream from None

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
        async for line, is_cut in self._lines():
            message = await self._understood(line, is_cut=is_cut) if line else None
            if self._stopped:
                return
            if message is None:
                continue
            metadata = None
            # A subscription lasts as long as the connection: nobody waits for its answer.
            if isinstance(message, types.JSONRPCRequest) and message.method != SUBSCRIBE:
                self._answers.owe(message.id)
                settle = partial(self._answers.settle, message.id)
                metadata = ServerMessageMetadata(on_request_unanswered=settle)
            yield SessionMessage(message, metadata)
        if not self._stopped:
            self._at_end()
            with anyio.move_on_after(LAST_ANSWERS_SECONDS):
                await self._unless_stopped(self._answers.all_settled)

    async def _understood(self, line: str, *, is_cut: bool) -> types.JSONRPCMessage | None:
        """Read a line; one that cannot be read is refused, or taken for an empty answer."""
        if not is_cut:
            with contextlib.suppress(ValueError):
                return types.jsonrpc_message_adapter.validate_json(line, by_name=False)
        judged = judge(line, is_cut=is_cut)
        if isinstance(judged, types.JSONRPCResponse):
            return judged
        if all(refusal.id is None for refusal in judged):
            _log.warning("A line of stdin is not a message.")
        for refusal in judged:
            await self._answers.refuse(refusal)
        return None

    async def _lines(self) -> AsyncGenerator[tuple[str, bool]]:
        """The lines that come; of one that is too long only its ends, and that it was cut."""
        line, is_cut = bytearray(), False
        while came := await self._unless_stopped(self._read):
            for number, piece in enumerate(came.split(b"\n")):
                if number:
                    yield line.decode(errors="replace").strip("\ufeff\r "), is_cut
                    line, is_cut = bytearray(), False
                line += piece
                if is_cut or len(line) > LONGEST_MESSAGE:
                    is_cut = True
                    del line[END:-END]
        yield line.decode(errors="replace").strip("\ufeff\r "), is_cut

    async def _unless_stopped(self, wait: Callable[[], Awaitable[T]]) -> T | None:
        if self._stopped:
            return None
        with anyio.CancelScope() as self._waiting:
            return await wait()
        return None


def _line(message: types.JSONRPCMessage) -> bytes:
    try:
        text = message.model_dump_json(by_alias=True, exclude_unset=True)
    except ValueError:
        # Half of an emoji that a service cut in two: such text is not UTF-8.
        said = message.model_dump(by_alias=True, exclude_unset=True)
        text = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    return text.encode(errors="replace") + b"\n"


def judge(line: str, *, is_cut: bool) -> types.JSONRPCResponse | list[types.JSONRPCError]:
    """Say what a line that cannot be read is taken for.

    That is an empty answer if it answers a request of ours: whoever waits has to know that it
    came. Else these are the refusals to send: one, or one for each request of a batch; none for a
    notification.
    """
    said: object = None
    problem = _TOO_LONG if is_cut else _INVALID
    try:
        # Python makes no whole number of some thousand digits; an id has twenty at most.
        said = _outer_members(line) if is_cut else json.loads(line, parse_int=_short_number)
    except RecursionError:
        said = _outer_members(line)
    except ValueError:
        problem = _NOT_JSON
    every = cast("list[object]", said) if isinstance(said, list) else [said]
    batch = [cast("dict[str, object]", m) if isinstance(m, dict) else {"id": None} for m in every]
    if isinstance(said, list):
        ids = [_id_of(one) for one in batch if {"method", "id"} <= one.keys()]
        return [types.JSONRPCError(jsonrpc="2.0", id=i, error=_BATCH) for i in ids or [None]]
    (members,) = batch
    number = _id_of(members)
    if "method" in members and "id" not in members:
        return []
    if "method" not in members and number is not None and {"result", "error"} & members.keys():
        return types.JSONRPCResponse(jsonrpc="2.0", id=number, result={})
    return [types.JSONRPCError(jsonrpc="2.0", id=number, error=problem)]


def _short_number(digits: str) -> float:
    return int(digits) if len(digits) < 20 else 0.0


def _outer_members(line: str) -> dict[str, object]:
    """Read the simple members that an object begins and ends with: surely not those of another."""
    first, last = _FIRST.match(line[:END]), _LAST.search(line[-END:])
    found = "".join(end.group() for end in (first, last) if end)
    members: dict[str, object] = {"id": None}  # It may have one in its middle.
    return members | {name: json.loads(text or "null") for name, text in _NAMED.findall(found)}


def _id_of(members: Mapping[str, object]) -> str | int | None:
    number = members.get("id")
    return number if isinstance(number, str | int) and not isinstance(number, bool) else None


def reading(descriptor: int) -> Callable[[], Awaitable[bytes]]:
    """What reads the next bytes of a descriptor, and none at its end."""
    is_polled = _can_be_polled(descriptor)

    async def read() -> bytes:
        while True:
            try:
                if is_polled:
                    await anyio.wait_readable(descriptor)
                    return os.read(descriptor, AT_ONCE)
                return await anyio.to_thread.run_sync(
                    os.read, descriptor, AT_ONCE, abandon_on_cancel=True
                )
            except BlockingIOError:
                continue
            except OSError:
                return b""

    return read


def writing(descriptor: int) -> Callable[[bytes], Awaitable[None]]:
    """What writes all of some bytes to a descriptor, and raises an OSError if nobody reads them."""
    if not _can_be_polled(descriptor):

        async def write_by_thread(text: bytes) -> None:
            left = memoryview(text)
            while left:
                left = left[await anyio.to_thread.run_sync(os.write, descriptor, left) :]

        return write_by_thread
    takes_more = select.poll()
    takes_more.register(descriptor, select.POLLOUT)

    async def write(text: bytes) -> None:
        left = memoryview(text)
        while left:
            with contextlib.suppress(BlockingIOError):
                if takes_more.poll(0):
                    # It takes this much without blocking, and maybe no more.
                    left = left[os.write(descriptor, left[: select.PIPE_BUF]) :]
                    continue
            await anyio.wait_writable(descriptor)

    return write


def _can_be_polled(descriptor: int) -> bool:
    kind = os.fstat(descriptor).st_mode
    return sys.platform != "win32" and (stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind))
