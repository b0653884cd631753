"""The server's life over stdin and stdout: until nobody asks any more, and a moment longer.

It ends when its stdin is closed, when nobody reads its stdout, and on SIGTERM, SIGINT or SIGHUP. A
closed stdin leaves calls that are under way two seconds to be answered; else they are stopped at
once, their requests too. What is temporary is removed. Each is an orderly end, so the exit code is
0: its supervisor asked for it, and has nothing to start again.

The SDK's own way over stdin reads in a thread that nothing can interrupt: hence `wire`.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import anyio
from mcp.server import Server

from leadpipe_mcp.scratch import remove_unkept, scratch_folder
from leadpipe_mcp.wire import LAST_ANSWERS_SECONDS, Answers, Messages

PATIENCE_SECONDS = 0.7


def serve(server: Server[Any]) -> None:
    """Answer over stdin and stdout until it is time to end."""
    ending = _Ending()
    ending.obey_signals()
    last_answers = partial(_leave_after, LAST_ANSWERS_SECONDS + PATIENCE_SECONDS)
    stdin, stdout = _taken(0, os.O_RDONLY), _taken(1, os.O_WRONLY)

    async def answer() -> None:
        answers = Answers(stdout, ending.hang_up)
        messages = Messages(stdin, answers, last_answers)
        ending.stop = messages.stop
        await server.run(messages, answers, server.create_initialization_options())

    with scratch_folder():
        try:
            anyio.run(answer)
        finally:
            ending.hang_up()


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
    """The end of the process: begun once, for any reason, and over soon."""

    def __init__(self) -> None:
        self._begun = threading.Lock()
        self.stop: Callable[[], None] = lambda: None

    def hang_up(self) -> None:
        """Listen to nobody any more, and end; what is under way has a moment to stop."""
        if self._begun.acquire(blocking=False):
            self.stop()
            _leave_after(PATIENCE_SECONDS)

    def obey_signals(self) -> None:
        """Let a signal begin the end, however busy the event loop may be."""
        names = ("SIGTERM", "SIGINT", "SIGHUP")
        signals = [getattr(signal, name) for name in names if hasattr(signal, name)]
        if sys.platform == "win32":  # pragma: no cover - runs on Windows only
            for number in signals:
                signal.signal(number, lambda *_: self.hang_up())
            return

        def wait() -> None:
            while True:
                signal.sigwait(signals)
                self.hang_up()

        # Threads that are started later do not take them either, so this one gets them.
        signal.pthread_sigmask(signal.SIG_BLOCK, signals)
        threading.Thread(target=wait, name="signals", daemon=True).start()


def _leave_after(seconds: float) -> None:
    """End the process then without its threads' consent.

    The last resort: a thread that is writing to a disk or a pipe, or is deep in SQLite, cannot be
    stopped, and Python would wait for it.
    """

    def leave() -> None:
        remove_unkept()
        os._exit(0)

    timer = threading.Timer(seconds, leave)
    timer.daemon = True
    timer.start()
