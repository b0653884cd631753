"""Bytes through a descriptor: from the event loop where the system says when it is ready.

That is so for a pipe and a socket, and no thread stands between. A file, a terminal and everything
on Windows have a thread each, because reading or writing them may block. No flag of a descriptor is
changed: whoever else holds it, such as a shell, would be changed as well.
"""

import asyncio
import contextlib
import os
import select
import stat
import sys
import threading
from collections.abc import Awaitable, Callable
from functools import partial

from anyio import to_thread, wait_readable, wait_writable

_AT_ONCE = 2**16


def reading(descriptor: int) -> Callable[[], Awaitable[bytes]]:
    """What reads the next bytes of a descriptor, and none at its end; call it in an event loop."""
    if not _can_be_polled(descriptor):
        return _ReadByThread(descriptor).read

    async def read() -> bytes:
        while True:
            await wait_readable(descriptor)
            try:
                return os.read(descriptor, _AT_ONCE)
            except BlockingIOError:
                continue
            except OSError:
                return b""

    return read


def writing(descriptor: int) -> Callable[[bytes], Awaitable[None]]:
    """What writes all of some bytes to a descriptor, and raises an OSError if nobody reads them."""
    if not _can_be_polled(descriptor):
        return partial(_write_by_thread, descriptor)
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
            await wait_writable(descriptor)

    return write


def _can_be_polled(descriptor: int) -> bool:
    kind = os.fstat(descriptor).st_mode
    return sys.platform != "win32" and (stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind))


class _ReadByThread:
    """Reads what cannot be polled, in a thread that Python does not wait for when it ends."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._loop = asyncio.get_running_loop()
        self._wanted = threading.Semaphore(0)
        self._came: asyncio.Queue[bytes] = asyncio.Queue()
        threading.Thread(target=self._run, name="reading", daemon=True).start()

    async def read(self) -> bytes:
        self._wanted.release()
        return await self._came.get()

    def _run(self) -> None:
        # An event loop that has ended wants nothing more.
        with contextlib.suppress(RuntimeError):
            while self._wanted.acquire():
                try:
                    came = os.read(self._descriptor, _AT_ONCE)
                except OSError:
                    came = b""
                self._loop.call_soon_threadsafe(self._came.put_nowait, came)


async def _write_by_thread(descriptor: int, text: bytes) -> None:
    def write() -> None:
        left = memoryview(text)
        while left:
            left = left[os.write(descriptor, left) :]

    await to_thread.run_sync(write)
