"""Processes that run statements in SQL, so that each can be stopped whatever SQLite is doing."""

import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
from anyio import to_thread

from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.people import sql_process
from leadpipe_mcp.people.asking import too_slow
from leadpipe_mcp.people.sql_process import Question

AT_ONCE = 2
PATIENCE_SECONDS = 20.0
COMMAND = [sys.executable or "", "-I", sql_process.__file__]
# Keys are not for a process that needs none.
_WITHHELD = ("LEADPIPE_", "SONARLY_")
_LONGEST_ANSWER = 4_000_000


class SqlWorkers:
    """The processes of a server: two statements run at once, and others wait for their turn.

    Each process runs one statement at a time, and the next one after it. It ends itself where a
    statement takes too long, and is ended where nobody waits for the answer any more.
    """

    def __init__(self) -> None:
        self._turns = anyio.CapacityLimiter(AT_ONCE)
        self._idle: list[_Worker] = []

    async def answer(self, question: Question) -> bytes:
        """Ask one of the processes.

        Raises:
            NotPossible: If the statement takes too long, or no process can be had for it.
        """
        async with self._turn():
            worker = self._worker()
            started, answer = time.monotonic(), b""
            try:
                answer = await to_thread.run_sync(worker.answer, question, abandon_on_cancel=True)
            finally:
                if answer:
                    self._idle.append(worker)
                else:
                    worker.end()
        if answer:
            return answer
        if time.monotonic() - started >= question["seconds"]:
            raise too_slow(question["seconds"])
        raise NotPossible("SQLite broke down over this statement.", "Ask it in another way.")

    def close(self) -> None:
        """End the processes."""
        while self._idle:
            self._idle.pop().end()

    @asynccontextmanager
    async def _turn(self) -> AsyncGenerator[None]:
        borrower = object()
        try:
            with anyio.fail_after(PATIENCE_SECONDS):
                await self._turns.acquire_on_behalf_of(borrower)
        except TimeoutError:
            raise NotPossible(
                "Other statements in SQL are still running, two at a time.",
                "Ask again in some seconds.",
            ) from None
        try:
            yield
        finally:
            self._turns.release_on_behalf_of(borrower)

    def _worker(self) -> "_Worker":
        """A process that is free, or a new one."""
        while self._idle:
            worker = self._idle.pop()
            if worker.is_alive():
                return worker
            worker.end()
        try:
            return _Worker()
        except OSError:
            raise NotPossible(
                "No SQL can be run here: the system lets this server start no process for it.",
                "Use groupBy, or the profile, which need none.",
            ) from None


class _Worker:
    """One process, which runs `sql_process`."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603 -- a fixed command, our own program
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={k: v for k, v in os.environ.items() if not k.startswith(_WITHHELD)},
        )

    def is_alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    def answer(self, question: Question) -> bytes:
        """Wait for the answer, which is empty if the process ends before it is whole."""
        asked, told = self._process.stdin, self._process.stdout
        if asked is None or told is None:
            return b""
        try:
            asked.write(json.dumps(question).encode() + b"\n")
            asked.flush()
            line = told.readline(_LONGEST_ANSWER)
        except (OSError, ValueError):
            return b""
        return line if line.endswith(b"\n") else b""

    def end(self) -> None:
        """End the process, whatever it is doing, and let go of it."""
        self._process.kill()
        # Closes its ends of the pipes as well, so a thread that still reads from it goes on.
        self._process.communicate()
