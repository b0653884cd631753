"""The server's life over stdin and stdout: until nobody asks any more, and a moment longer.

It ends when its stdin is closed, when nobody reads its stdout, and on SIGTERM, SIGINT or SIGHUP
alike: calls that are under way are stopped, their requests too, and what is temporary is removed.
Each is an orderly end, so the exit code is 0: whoever supervises the server asked for it, and has
nothing to start anew.

The SDK's own way over stdin reads in a thread that nothing can interrupt: hence `wire`.
"""

import os
import signal
import sys
import threading
from typing import Any, NoReturn

import anyio
from mcp.server.mcpserver import MCPServer
from mcp.shared.message import SessionMessage

from leadpipe_mcp.scratch import remove_unkept, scratch_folder
from leadpipe_mcp.wire import Answers, Lines, listen, speak

PATIENCE_SECONDS = 0.7

_SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP")


def serve(server: MCPServer[Any]) -> None:
    """Answer over stdin and stdout until it is time to end."""
    ending = _Ending()
    _obey_signals(ending)
    with scratch_folder():
        answers = Answers(_taken(1, os.O_WRONLY), ending.hang_up)
        ending.lines = Lines(_taken(0, os.O_RDONLY), ending.begin)
        try:
            anyio.run(_served, server, ending.lines, answers)
        finally:
            ending.hang_up()


async def _served(server: MCPServer[Any], lines: Lines, answers: Answers) -> None:
    # What `run_stdio_async` runs, which takes no streams.
    inner = server._lowlevel_server  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    options = inner.create_initialization_options()
    heard, asked = anyio.create_memory_object_stream[SessionMessage | Exception]()
    said, told = anyio.create_memory_object_stream[SessionMessage]()
    # What was said last is written as well: the server closes its side, and then `speak` is done.
    async with anyio.create_task_group() as speaking:
        speaking.start_soon(speak, told, answers)
        async with anyio.create_task_group() as listening:
            listening.start_soon(listen, lines, heard, answers)
            await inner.run(asked, said, options)
            listening.cancel_scope.cancel()


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
        self.lines: Lines | None = None

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
