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
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TypeVar

import anyio
from anyio import to_thread

from leadpipe_mcp.api.models import Run
from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.people.columns import Batch, Column
from leadpipe_mcp.people.files import why_not
from leadpipe_mcp.people.layout import (
    SEEN,
    SEEN_COLUMNS,
    WHOLE,
    About,
    about,
    address,
    is_whole,
    seal,
)
from leadpipe_mcp.people.write import PeopleWriter, Stored
from leadpipe_mcp.scratch import unkept
from leadpipe_mcp.text import counted

DAYS_KEPT = 7
MOST_BYTES = 2_000_000_000

Fill = Callable[[], contextlib.AbstractAsyncContextManager[AsyncIterator[Batch | None]]]
ReportSize = Callable[[int], Awaitable[None]]
T = TypeVar("T")

# Our own questions take about a second for 300,000 people.
_SECONDS = 60.0
# More than SQLite takes on any machine: it ends a question even where a clock stands still.
_MOST_STEPS_PER_SECOND = 500_000_000
_STEPS_AT_ONCE = 2_000
_DAY, _IN_USE = 86_400, 600
_KEPT = re.compile(r"[0-9a-f]{32}")
_UNFINISHED = "new-"


@dataclass(frozen=True)
class RunKey:
    """Which run of which audience of which service.

    `making` tells one making of the list from another: a day's list may be made again after the
    audience was changed.
    """

    service: str
    audience: str
    run: str
    making: str = ""

    @classmethod
    def of(cls, service: str, audience_id: str, run: Run) -> "RunKey":
        """Return the key of a run as the service describes it."""
        making = [run.created_at, run.completed_at, run.config_hash, run.size]
        return cls(service, audience_id, run.id or run.data_date or "", json.dumps(making))

    @property
    def digest(self) -> str:
        """A name that is the same for the same run, and tells nothing about it."""
        return hashlib.sha256(json.dumps(astuple(self)).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Snapshot:
    """Everyone of one run. `notes` says what to know about them."""

    folder: Path
    size: int
    notes: tuple[str, ...] = ()
    topics: str = "topic"

    def rows(self, columns: Sequence[Column]) -> Iterator[tuple[Stored, ...]]:
        """Yield everyone's fields as they came, in the run's order; None where one is unknown."""
        with self.gone(), contextlib.closing(self.connect()) as connection:
            connection.execute("ATTACH ? AS whole", [address(self.folder / WHOLE)])
            fields = (
                f'coalesce(w."{c.name}", p."{c.name}")'
                if c.name in SEEN_COLUMNS
                else f'w."{c.name}"'
                for c in columns
            )
            yield from connection.execute(
                f"SELECT {', '.join(fields)} FROM main.people p"
                " JOIN whole.people w ON w.rowid = p.rowid ORDER BY p.rowid"
            )

    async def ask(self, work: Callable[[sqlite3.Connection], T], seconds: float = _SECONDS) -> T:
        """Return what `work` makes of a connection to these people, in a thread of its own.

        If the caller is cancelled, the work stops as well.

        Raises:
            NotPossible: If it takes too long, or the files are gone.
        """
        cancelled = threading.Event()
        try:
            return await to_thread.run_sync(
                self._answer, work, seconds, cancelled, abandon_on_cancel=True
            )
        finally:
            cancelled.set()

    def _answer(
        self,
        work: Callable[[sqlite3.Connection], T],
        seconds: float,
        cancelled: threading.Event,
    ) -> T:
        with self.gone(), contextlib.closing(self.connect()) as connection:
            deadline = time.monotonic() + seconds
            steps_left = int(seconds * _MOST_STEPS_PER_SECOND)

            def is_over() -> bool:
                nonlocal steps_left
                steps_left -= _STEPS_AT_ONCE
                return steps_left < 0 or cancelled.is_set() or time.monotonic() > deadline

            connection.set_progress_handler(is_over, _STEPS_AT_ONCE)
            try:
                return work(connection)
            except sqlite3.OperationalError:
                if not is_over():
                    raise
                raise too_slow(seconds) from None

    def connect(self) -> sqlite3.Connection:
        """Open what questions may see, for reading only."""
        connection = sqlite3.connect(
            address(self.folder / SEEN), uri=True, isolation_level=None, check_same_thread=False
        )
        try:
            for setting in ("query_only = ON", "trusted_schema = OFF", "cache_size = -8000"):
                connection.execute(f"PRAGMA {setting}").close()
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    @contextlib.contextmanager
    def gone(self) -> Generator[None]:
        """Explain missing or broken files in our words, and remove what is left of them.

        Raises:
            NotPossible: If the people have to be fetched again.
        """
        try:
            yield
        except sqlite3.DatabaseError:
            if about(self.folder) and is_whole(self.folder):
                raise
            _remove_folder(self.folder)
            raise NotPossible(
                "The people of this run are no longer kept on this machine.",
                "Ask again, and they are fetched again.",
            ) from None


def too_slow(seconds: float) -> NotPossible:
    """Return the refusal of a question that was stopped."""
    return NotPossible(
        f"The question took longer than {seconds:g} seconds and was stopped.",
        "Ask for less: fewer joins, a narrower WHERE, or groupBy instead of sql.",
    )


class Snapshots:
    """The snapshots of a server, each filled once.

    Args:
        folder: Where to keep them between starts, for seven days. None: in a temporary folder that
            goes with `close`, or with the program.
        clock: Gives the seconds since 1970.
        most_bytes: How much to keep. What was asked in the last minutes stays in any case.
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
        self, key: RunKey, fill: Fill, expected: int | None, report: ReportSize
    ) -> Snapshot:
        """Return everyone of the run; `fill` fetches them if they are not here yet.

        Args:
            key: The run.
            fill: Gives the people in batches, as `batch_of` or `CsvRows` make them; None where
                they start over.
            expected: How many people the service says there are.
            report: Called after each batch with the number of people so far.

        Raises:
            NotPossible: If they cannot be kept, because the disk is full for example.
        """
        async with self._locks.setdefault(key.digest, anyio.Lock()):
            self._asked[key.digest] = self._clock()
            found = await to_thread.run_sync(self._find, key)
            return found or await self._fill(key, fill, expected, report)

    def close(self) -> None:
        """Remove the temporary folder, if there is one."""
        if self._remove:
            self._remove()
            self._folder, self._remove = None, None

    def _find(self, key: RunKey) -> Snapshot | None:
        with _on_disk():
            self._prune(self._home())
        folder = self._home() / key.digest
        kept = about(folder)
        if kept is None or kept.key != key.digest:
            return None
        # Once in the life of a server: it takes as long as reading all of it.
        if key.digest not in self._checked and not is_whole(folder):
            return None
        self._checked.add(key.digest)
        return _snapshot(folder, kept)

    async def _fill(
        self, key: RunKey, fill: Fill, expected: int | None, report: ReportSize
    ) -> Snapshot:
        folder, writer = await to_thread.run_sync(self._begin)
        try:
            with unkept(folder):
                async with fill() as batches:
                    async for batch in batches:
                        await to_thread.run_sync(self._add, writer, batch)
                        await report(writer.size)
                return await to_thread.run_sync(self._finish, folder, writer, key, expected)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await to_thread.run_sync(_discard, folder, writer)
            raise

    def _begin(self) -> tuple[Path, PeopleWriter]:
        with _on_disk():
            folder = Path(tempfile.mkdtemp(dir=self._home(), prefix=_UNFINISHED))
            try:
                return folder, PeopleWriter(folder)
            except BaseException:
                _remove_folder(folder)
                raise

    def _add(self, writer: PeopleWriter, batch: Batch | None) -> None:
        with _on_disk():
            if batch is None:
                writer.start_over()
            else:
                writer.add(batch)
            size = writer.bytes()
        if size > self._most_bytes:
            raise NotPossible(
                f"The audience is too large to be kept here: the first {writer.size:,} people take"
                f" {size / 1e9:.1f} GB.",
                "Narrow it, or take the service's own file.",
            )

    def _finish(
        self, unfinished: Path, writer: PeopleWriter, key: RunKey, expected: int | None
    ) -> Snapshot:
        """Put the whole snapshot in its place, in one step."""
        with _on_disk():
            kept = writer.finish(key.digest, _notes(expected, writer))
            seal(unfinished)
            made = self._clock()
            os.utime(unfinished, (made, made))
            folder = self._home() / key.digest
            # There may be a broken one, or one of another version.
            _remove_folder(folder)
            unfinished.rename(folder)
            self._checked.add(key.digest)
            self._prune(folder.parent)
            return _snapshot(folder, kept)

    def _home(self) -> Path:
        """Return the folder of all snapshots, which only its owner may open."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="leadpipe-people-"))
            self._remove = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self._folder

    def _prune(self, home: Path) -> None:
        """Remove what is too old, and the oldest of the rest while it is too much."""
        now, total = self._clock(), 0
        found = ((self._asked.get(kept[-1].name, 0), *kept) for kept in _kept(home))
        for asked, made, size, folder in sorted(found, reverse=True):
            unfinished = folder.name.startswith(_UNFINISHED)
            in_use = unfinished or now - asked < _IN_USE
            is_old = now - made > (_DAY if unfinished else DAYS_KEPT * _DAY)
            total += size
            if is_old or (total > self._most_bytes and not in_use):
                _remove_folder(folder)
                total -= size


def _snapshot(folder: Path, kept: About) -> Snapshot:
    return Snapshot(folder, kept.size, kept.notes, kept.topics)


def _notes(expected: int | None, writer: PeopleWriter) -> list[str]:
    """Say what is odd about the people that came."""
    notes: list[str] = []
    if expected is not None and expected != writer.size:
        announced = counted(expected, "person", "people")
        notes.append(f"The service says {announced}; {writer.size:,} came.")
    if again := writer.repeated():
        notes.append(f"{counted(again, 'row repeats', 'rows repeat')} a person.")
    return notes


def _discard(folder: Path, writer: PeopleWriter) -> None:
    try:
        writer.close()
    finally:
        _remove_folder(folder)


def _remove_folder(folder: Path) -> None:
    """Remove the folder, or the file that has its name."""
    if folder.is_dir() and not folder.is_symlink():
        shutil.rmtree(folder, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            folder.unlink()


def _kept(home: Path) -> Iterator[tuple[float, int, Path]]:
    """Yield when each snapshot in the folder was made, its size, and where it is."""
    for folder in home.iterdir():
        if _KEPT.fullmatch(folder.name) or folder.name.startswith(_UNFINISHED):
            with contextlib.suppress(OSError):
                files = folder.iterdir() if folder.is_dir() else [folder]
                size = sum(file.stat().st_size for file in files)
                yield folder.stat().st_mtime, size, folder


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
