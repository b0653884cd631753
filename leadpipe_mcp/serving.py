"""The server's life over stdin and stdout: until nobody asks any more, and a moment longer.

It ends when its stdin is closed, when nobody reads its stdout, and on SIGTERM, SIGINT or SIGHUP
alike: calls that are under way are stopped, their requests too, and what is temporary is removed.
Each is an orderly end, so the exit code is 0: whoever supervises the server asked for it, and has
nothing to start anew.

The SDK reads stdin in a thread that nothing can interrupt, so its reader is not used here.
"""

import contextlib
import logging
import os
import queue
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any, NoReturn, cast

import anyio
from anyio import to_thread
from mcp.server.mcpserver import MCPServer
from mcp.server.stdio import stdio_server

from leadpipe_mcp.scratch import remove_unkept, scratch_folder

PATIENCE_SECONDS = 0.7
LONGEST_MESSAGE = 2**24

_AT_ONCE = 2**16
_WAITING = 4
_SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP")

_log = logging.getLogger(__name__)


def serve(server: MCPServer[Any]) -> None:
    """Answer over stdin and stdout until it is time to end."""
    ending = _Ending()
    _obey_signals(ending)
    with scratch_folder():
        ending.lines = _Lines(_taken(0, os.O_RDONLY), ending)
        answers = _Answers(_taken(1, os.O_WRONLY), ending)
        try:
            anyio.run(_served, server, ending.lines, answers)
        finally:
            ending.hang_up()


async def _served(server: MCPServer[Any], lines: "_Lines", answers: "_Answers") -> None:
    streams = cast("anyio.AsyncFile[str]", lines), cast("anyio.AsyncFile[str]", answers)
    async with stdio_server(*streams) as (read, write):
        # As `run_stdio_async` does, which takes no streams.
        inner = server._lowlevel_server  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        await inner.run(read, write, inner.create_initialization_options())


def _taken(standard: int, flags: int) -> int:
    """A descriptor of our own for stdin or stdout, which from now on lead nowhere.

    So nothing that is printed by mistake comes between the messages.
    """
    own = os.dup(standard)
    nowhere = os.open(os.devnull, flags)
    os.dup2(nowhere, standard)
    os.close(nowhere)
    return own


class _Ending:
    """The end of the process: begun once, for whatever reason, and over soon."""

    def __init__(self) -> None:
        self._begun = threading.Lock()
        self.lines: _Lines | None = None

    def hang_up(self) -> None:
        """Nothing; nobody is listened to any more, and the end begins."""
        if self.lines:
            self.lines.stop()
        self.begin()

    def begin(self) -> None:
        """Nothing; what is under way has a moment to stop."""
        if self._begun.acquire(blocking=False):
            timer = threading.Timer(PATIENCE_SECONDS, _leave)
            timer.daemon = True
            timer.start()


def _leave() -> NoReturn:
    """End the process without its threads' consent.

    The last resort: a thread that is writing to a disk or a pipe, or is deep in SQLite, cannot be
    stopped, and Python would wait for it.
    """
    remove_unkept()
    os._exit(0)


def _obey_signals(ending: _Ending) -> None:
    """Nothing; a signal begins the end, however busy the event loop may be."""
    signals = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
    if sys.platform == "win32":
        for number in signals:
            signal.signal(number, lambda *_: ending.hang_up())
        return

    def wait() -> None:
        while True:
            signal.sigwait(signals)
            ending.hang_up()

    # Threads that are started later do not take them either, so this one gets them.
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    threading.Thread(target=wait, name="signals", daemon=True).start()


class _Lines:
    """The lines of stdin, as the SDK's reader takes them, until they are stopped."""

    def __init__(self, descriptor: int, ending: _Ending) -> None:
        self._descriptor = descriptor
        self._ending = ending
        self._read: queue.Queue[str | None] = queue.Queue(_WAITING)
        self._stopped = False
        # A thread that Python does not wait for: nothing wakes it but stdin.
        threading.Thread(target=self._run, name="stdin", daemon=True).start()

    def __aiter__(self) -> "_Lines":
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
        self._ending.begin()


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


class _Answers:
    """Where the SDK's writer writes; if nobody reads it any more, the end begins."""

    def __init__(self, descriptor: int, ending: _Ending) -> None:
        self._descriptor = descriptor
        self._ending = ending

    async def write(self, text: str) -> None:
        """Nothing; the text is on its way, whole."""
        await to_thread.run_sync(self._write, text.encode(errors="replace"))

    async def flush(self) -> None:
        """Nothing: nothing is held back."""

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
        except OSError:
            self._ending.hang_up()
