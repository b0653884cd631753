"""Where something that was fetched is kept, for the next start or for other processes."""

import contextlib
import tempfile
import time
from pathlib import Path
from typing import Protocol

from anyio import to_thread


class Keeping(Protocol):
    """Keeps one thing until a newer one comes."""

    async def read(self) -> tuple[float, bytes] | None:
        """Return how many seconds old it is, and the thing; None if there is none."""
        ...

    async def keep(self, thing: bytes) -> None:
        """Keep the thing if that can be done: without it everything works as well."""
        ...


class KeptInFile:
    """Something that is kept in a file of this user's."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def read(self) -> tuple[float, bytes] | None:
        """Return what the file holds and how old it is."""
        return await to_thread.run_sync(self._read)

    async def keep(self, thing: bytes) -> None:
        """Write the file."""
        await to_thread.run_sync(self._write, thing)

    def _read(self) -> tuple[float, bytes] | None:
        with contextlib.suppress(OSError):
            return time.time() - self._path.stat().st_mtime, self._path.read_bytes()
        return None

    def _write(self, thing: bytes) -> None:
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Beside it and then renamed: whoever reads meanwhile sees a whole one.
            with tempfile.TemporaryDirectory(dir=self._path.parent) as folder:
                beside = Path(folder, self._path.name)
                beside.touch(mode=0o600)
                beside.write_bytes(thing)
                beside.replace(self._path)
