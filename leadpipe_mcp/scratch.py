"""A private folder for temporary files, which is removed with the process that made it.

A process that is killed leaves its folder behind, possibly with people in it. The next one that
starts removes it: a folder is locked while its process lives, and the system releases a lock
however a process ends.
"""

import contextlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

_PREFIX = ".leadpipe-scratch-"
_OURS = re.compile(re.escape(_PREFIX) + r"[a-z0-9_]{8}")

_unkept: set[Path] = set()


@contextlib.contextmanager
def scratch_folder() -> Generator[None]:
    """Make temporary files in a folder that only this user may open."""
    with contextlib.ExitStack() as stack:
        before = tempfile.tempdir
        stack.callback(setattr, tempfile, "tempdir", before)
        # Where nothing can be written, the code that has to write will say so.
        with contextlib.suppress(OSError):
            usual = Path(tempfile.gettempdir())
            _sweep(usual)
            tempfile.tempdir = str(stack.enter_context(_folder(usual)))
        yield


@contextlib.contextmanager
def unkept(folder: Path) -> Generator[None]:
    """Let `remove_unkept` remove the folder as well."""
    _unkept.add(folder)
    try:
        yield
    finally:
        _unkept.discard(folder)


def remove_unkept() -> None:
    """Remove what must not outlive the process, even if something is still writing there."""
    for folder in list(_unkept):
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _folder(within: Path) -> Generator[Path]:
    """Make a new folder, locked, and remove it with everything in it afterwards."""
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=within))
    lock = _lock(folder, wait=True)
    while not folder.exists():
        # Another process swept it in the moment before it was locked.
        _unlock(lock)
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=within))
        lock = _lock(folder, wait=True)
    with unkept(folder):
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            _unlock(lock)


def _sweep(within: Path) -> None:
    """Remove the folders that killed processes of this user left behind."""
    for name in filter(_OURS.fullmatch, os.listdir(within)):  # noqa: PTH208 -- only the names
        with contextlib.suppress(OSError):
            lock = _lock(within / name, wait=False)
            if lock is not None:
                shutil.rmtree(within / name, ignore_errors=True)
            _unlock(lock)


def _lock(folder: Path, *, wait: bool) -> int | None:
    """Lock this user's folder while the returned descriptor is open; None if it is not possible.

    Raises:
        OSError: If it is not a folder, but a link to one for example, or may not be opened.
    """
    if sys.platform == "win32":
        return None  # Windows cannot lock folders, so what is left there stays.
    import fcntl

    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if os.fstat(opened).st_uid == os.getuid():
            fcntl.flock(opened, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            return opened
    except OSError:
        pass
    os.close(opened)
    return None


def _unlock(lock: int | None) -> None:
    if lock is not None:
        os.close(lock)
