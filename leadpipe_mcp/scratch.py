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
import time
from collections.abc import Generator
from pathlib import Path

_PREFIX = ".leadpipe-scratch-"
_OURS = re.compile(re.escape(_PREFIX) + r"[a-z0-9_]{8}")
# A younger folder may be one that is about to be locked.
_YOUNG_SECONDS = 60

_unkept: set[Path] = set()


@contextlib.contextmanager
def scratch_folder() -> Generator[None]:
    """Make temporary files in a folder that only this user may open."""
    with contextlib.ExitStack() as stack:
        stack.callback(setattr, tempfile, "tempdir", tempfile.tempdir)
        # Where nothing can be written, the code that has to write will say so.
        with contextlib.suppress(OSError):
            usual = Path(tempfile.gettempdir())
            _sweep(usual)
            folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=usual))
            stack.enter_context(unkept(folder))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            tempfile.tempdir = str(folder)
            stack.enter_context(_locked(folder))
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


def _sweep(within: Path) -> None:
    """Remove the folders that killed processes of this user left behind."""
    if sys.platform == "win32":  # pragma: no cover - runs on Windows only
        return  # Windows cannot lock folders, so what is left there stays.
    for name in filter(_OURS.fullmatch, os.listdir(within)):  # noqa: PTH208 -- only the names
        folder = within / name
        with contextlib.suppress(OSError):
            if folder.lstat().st_mtime < time.time() - _YOUNG_SECONDS:
                with _locked(folder):
                    shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _locked(folder: Path) -> Generator[None]:
    """Lock this user's folder; OSError if it is locked, another's, or no folder but a link."""
    if sys.platform == "win32":  # pragma: no cover - runs on Windows only
        yield
        return
    import fcntl

    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if os.fstat(opened).st_uid != os.getuid():
            raise PermissionError
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(opened)
