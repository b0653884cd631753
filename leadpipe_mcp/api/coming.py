"""A file that is read while it comes."""

import io
import os
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from leadpipe_mcp.errors import Conflict, NotFound

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

AT_ONCE = 2**18
"""So much is read at once: the lists made of more would live long enough for the garbage collector
to go through them again and again."""


class ComingFile(io.BufferedWriter):
    """A new file on disk, for nobody else to read, that is read behind the one who writes it.

    It lies on disk, so that its size costs no memory and a slow reader does not slow the service.

    Args:
        path: Where; nothing is there yet.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(path, "xb", opener=_private))
        self._reading = path.open("rb", buffering=0)
        self._begun = 0
        self._arrived = 0
        self._ended = False
        self._failure: Exception | None = None
        self._changed = anyio.Event()

    def write(self, piece: "ReadableBuffer", /) -> int:
        """As a file's; whoever reads gets it at once."""
        written = super().write(piece)
        self.flush()
        self._arrived += written
        self._note()
        return written

    def truncate(self, size: int | None = None, /) -> int:
        """As a file's; the reader learns that it begins again."""
        self._begun += 1
        self._arrived = 0
        self._note()
        return super().truncate(size)

    def close(self) -> None:
        """As a file's."""
        self._reading.close()
        super().close()

    @contextmanager
    def arriving(self) -> Generator[None]:
        """While pieces may come; then the reader learns that no more do, or why."""
        try:
            yield
        except Exception as failure:  # noqa: BLE001 -- it is raised where the file is read
            self._failure = failure
        finally:
            self._ended = True
            self._note()

    async def is_there(self) -> bool:
        """Whether there is such a file, as soon as that is known."""
        while not (self._arrived or self._ended):
            await self._changed.wait()
        return not isinstance(self._failure, NotFound | Conflict)

    async def pieces(self) -> AsyncGenerator[bytes | None]:
        """What comes, in large pieces; None where it begins again and what came before is void.

        Raises:
            LeadpipeError: If it does not come whole.
        """
        begun, place = self._begun, 0
        self._reading.seek(0)
        while True:
            if begun != self._begun:
                yield None
                begun, place = self._begun, self._reading.seek(0)
            elif self._failure:
                raise self._failure
            elif not self._ended and self._arrived - place < AT_ONCE:
                await self._changed.wait()
            elif piece := self._reading.read(AT_ONCE):
                place += len(piece)
                yield piece
            else:
                return

    def _note(self) -> None:
        """Wake whoever reads."""
        self._changed.set()
        self._changed = anyio.Event()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
