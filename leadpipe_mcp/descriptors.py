"""Bytes through a descriptor: from the event loop where the system says when it is ready.

That is so for a pipe and a socket, and no thread stands between. A file, a terminal and everything
on Windows have a thread, because reading or writing them may block. No flag of a descriptor is
changed: whoever else holds it, such as a shell, would be changed as well.
"""

import os
import select
import stat
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

from anyio import to_thread, wait_readable, wait_writable

_AT_ONCE = 2**16


def reading(descriptor: int) -> Callable[[], Awaitable[bytes]]:
    """What reads the next bytes of a descriptor, and none at its end."""
    is_polled = _can_be_polled(descriptor)

    async def read() -> bytes:
        while True:
            try:
                if is_polled:
                    await wait_readable(descriptor)
                    return os.read(descriptor, _AT_ONCE)
                return await to_thread.run_sync(
                    os.read, descriptor, _AT_ONCE, abandon_on_cancel=True
                )
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
            with suppress(BlockingIOError):
                if takes_more.poll(0):
                    # It takes this much without blocking, and maybe no more.
                    left = left[os.write(descriptor, left[: select.PIPE_BUF]) :]
                    continue
            await wait_writable(descriptor)

    return write


async def _write_by_thread(descriptor: int, text: bytes) -> None:
    left = memoryview(text)
    while left:
        left = left[await to_thread.run_sync(os.write, descriptor, left) :]


def _can_be_polled(descriptor: int) -> bool:
    kind = os.fstat(descriptor).st_mode
    return sys.platform != "win32" and (stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind))
