"""Everyone of one run in private files, fetched once and asked as often as needed."""

# ruff: noqa: S608 -- the names in these statements are our own columns

import contextlib
import hashlib
import json
import os
import re
import shutil
import sqlite3
import tempfile
import threading
import time
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import anyio
from anyio import to_thread

from leadpipe_mcp.api.models import Run
from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.people.columns import SEEN_COLUMNS, Batch, Column
from leadpipe_mcp.people.files import why_not
from leadpipe_mcp.people.write import SEEN, WHOLE, PeopleWriter, Stored, about, address
from leadpipe_mcp.scratch import unkept
from leadpipe_mcp.text import counted

DAYS_KEPT = 7
MOST_BYTES = 2_000_000_000

Fill = Callable[[], contextlib.AbstractAsyncContextManager[AsyncIterator[Batch]]]
ReportSize = Callable[[int], Awaitable[None]]
T = TypeVar("T")

_STEPS_AT_ONCE = 2_000
_DAY, _IN_USE = 86_400, 600
_UNFINISHED = "new-"
_OURS = re.compile(rf"[0-9a-f]{{32}}|{_UNFINISHED}.*")


def run_key(service: str, audience_id: str, run: Run) -> str:
    """Return a name that is the same for the same run, and tells nothing about it.

    A day's list may be made again after the audience was changed: that is another run.
    """
    making = [run.created_at, run.completed_at, run.config_hash, run.size]
    told = [service, audience_id, run.id or run.data_date, making]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Snapshot:
    """Everyone of one run. `notes` says what to know about them."""

    folder: Path
    size: int
    notes: tuple[str, ...] = ()

    def rows(self, columns: Sequence[Column]) -> Iterator[tuple[Stored, ...]]:
        """Yield everyone's fields as they came, in the run's order; None where one is unknown."""
        fields = (
            f"coalesce(w.{c.name}, p.{c.name})" if c.name in SEEN_COLUMNS else f"w.{c.name}"
            for c in columns
        )
        with self._opened() as connection:
            connection.execute("ATTACH ? AS whole", [address(self.folder / WHOLE)])
            yield from connection.execute(
                f"SELECT {', '.join(fields)} FROM main.people p"
                " JOIN whole.people w ON w.rowid = p.rowid ORDER BY p.rowid"
            )

    async def ask(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Return what `work` makes of a connection to these people, in a thread of its own.

        If the caller is cancelled, it stops as well.
        """
        cancelled = threading.Event()

        def answer() -> T:
            with self._opened() as connection:
                connection.set_progress_handler(cancelled.is_set, _STEPS_AT_ONCE)
                return work(connection)

        try:
            return await to_thread.run_sync(answer, abandon_on_cancel=True)
        finally:
            cancelled.set()

    @contextlib.contextmanager
    def _opened(self) -> Generator[sqlite3.Connection]:
        file = address(self.folder / SEEN)
        with (
            self.gone(),
            contextlib.closing(sqlite3.connect(file, uri=True, check_same_thread=False)) as opened,
        ):
            opened.execute("PRAGMA cache_size = -8000").close()
            yield opened

    @contextlib.contextmanager
    def gone(self) -> Generator[None]:
        """Explain missing or broken files in our words, and remove what is left of them."""
        try:
            yield
        except sqlite3.DatabaseError:
            self.drop_broken()
            raise

    def drop_broken(self) -> None:
        """Remove the files if they are missing or broken, and say so."""
        if about(self.folder, self.folder.name, in_full=True) is None:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise NotPossible(
                "The people of this run are no longer kept on this machine.",
                "Ask again, and they are fetched again.",
            ) from None


class Snapshots:
    """The snapshots of a server, each filled once.

    They are kept in `folder` between starts, for seven days; without one, in a temporary folder
    that goes with `close` or with the program. What was asked in the last minutes stays even if it
    is more than `most_bytes`.
    """

    def __init__(
        self,
        folder: Path | None,
        *,
        clock: Callable[[], float] = time.time,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._folder = folder / "people" if folder else None
        self._clock = clock
        self._most_bytes = most_bytes
        self._asked: dict[str, float] = {}
        self._checked: set[str] = set()
        self._locks: dict[str, anyio.Lock] = {}
        self._remove: Callable[[], object] | None = None

    async def of_run(
        self, key: str, fill: Fill, expected: int | None, report: ReportSize
    ) -> Snapshot:
        """Return everyone of the run that `run_key` names.

        If they are not here yet, `fill` gives them in batches, and `report` is told their number
        after each. The service says how many are `expected`.
        """
        async with self._locks.setdefault(key, anyio.Lock()):
            self._asked[key] = self._clock()
            with _on_disk():
                if found := await to_thread.run_sync(self._find, key):
                    return found
                folder = Path(tempfile.mkdtemp(dir=self._home(), prefix=_UNFINISHED))
                try:
                    with unkept(folder), contextlib.closing(PeopleWriter(folder)) as writer:
                        writer.begin()
                        async with fill() as batches:
                            async for batch in batches:
                                await to_thread.run_sync(self._add, writer, batch)
                                await report(writer.size)
                        return await to_thread.run_sync(self._finish, folder, writer, key, expected)
                except BaseException:
                    with anyio.CancelScope(shield=True):
                        remove = partial(shutil.rmtree, folder, ignore_errors=True)
                        await to_thread.run_sync(remove)
                    raise

    def close(self) -> None:
        """Remove the temporary folder, if there is one."""
        if self._remove:
            self._remove()
            self._folder, self._remove = None, None

    def _find(self, key: str) -> Snapshot | None:
        self._prune()
        folder = self._home() / key
        # In full once in the life of a server.
        kept = about(folder, key, in_full=key not in self._checked)
        if kept is None:
            return None
        self._checked.add(key)
        return Snapshot(folder, kept.size, kept.notes)

    def _add(self, writer: PeopleWriter, batch: Batch) -> None:
        writer.add(batch)
        if (size := writer.bytes()) > self._most_bytes:
            raise NotPossible(
                f"The audience is too large to be kept here: the first {writer.size:,} people take"
                f" {size / 1e9:.1f} GB.",
                "Narrow it, or take the service's own file.",
            )

    def _finish(
        self, unfinished: Path, writer: PeopleWriter, key: str, expected: int | None
    ) -> Snapshot:
        """Put the whole snapshot in its place, in one step."""
        notes: list[str] = []
        if expected is not None and expected != writer.size:
            announced = counted(expected, "person", "people")
            notes.append(f"The service says {announced}; {writer.size:,} came.")
        if again := writer.repeated():
            notes.append(f"{counted(again, 'row repeats', 'rows repeat')} a person.")
        writer.finish(key, notes)
        made = self._clock()
        os.utime(unfinished, (made, made))
        folder = self._home() / key
        # There may be a broken one, or one of another version.
        shutil.rmtree(folder, ignore_errors=True)
        unfinished.rename(folder)
        self._checked.add(key)
        self._prune()
        return Snapshot(folder, writer.size, tuple(notes))

    def _home(self) -> Path:
        """Return the folder of all snapshots, which only its owner may open."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="leadpipe-people-"))
            self._remove = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self._folder

    def _prune(self) -> None:
        """Remove what is too old, and the oldest of the rest while it is too much."""
        kept: list[tuple[float, float, Path, int]] = []
        for folder in self._home().iterdir():
            if _OURS.fullmatch(folder.name):
                # Another server may be removing it.
                with contextlib.suppress(OSError):
                    size = sum(file.stat().st_size for file in folder.iterdir())
                    made = folder.stat().st_mtime
                    kept.append((self._asked.get(folder.name, 0), made, folder, size))
        now, total = self._clock(), 0
        for asked, made, folder, size in sorted(kept, reverse=True):
            unfinished = folder.name.startswith(_UNFINISHED)
            in_use = unfinished or now - asked < _IN_USE
            is_old = now - made > (_DAY if unfinished else DAYS_KEPT * _DAY)
            if is_old or (total + size > self._most_bytes and not in_use):
                shutil.rmtree(folder, ignore_errors=True)
            else:
                total += size


@contextlib.contextmanager
def _on_disk() -> Generator[None]:
    """Explain what goes wrong with files without naming their places."""
    try:
        yield
    except (OSError, sqlite3.Error, MemoryError) as error:
        why = why_not(error) if isinstance(error, OSError) else str(error) or "too little memory"
        raise NotPossible(
            f"The people could not be kept on this machine's disk ({why}).",
            "Make room on it, or set LEADPIPE_CACHE_DIR to a folder that can be written.",
        ) from None
