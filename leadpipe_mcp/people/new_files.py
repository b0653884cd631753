"""Files that appear together, each whole and under its own name, or not at all.

Until then they are hidden ones beside it, which go if anything fails. Nothing that exists is
overwritten, whatever else happens in the folder meanwhile, and only the user may read them.
"""

import contextlib
import errno
import hashlib
import os
import tempfile
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import BinaryIO, Self

from leadpipe_mcp.errors import NotPossible

_PREFIX = ".leadpipe-"
_SUFFIX = ".part"
_DAY_SECONDS = 86_400
_REASONS = {
    errno.ENOSPC: "there is no space left",
    errno.EDQUOT: "the space that you may use is full",
    errno.EFBIG: "the file would be larger than one may be there",
    errno.EACCES: "you may not write there",
    errno.EPERM: "you may not write there",
    errno.EROFS: "nothing can be written there",
    errno.ENOTDIR: "something that is no folder is in the way",
    errno.EEXIST: "something that is no folder is in the way",
}


def why_not(error: OSError) -> str:
    """Why a file could not be written, without its place."""
    return _REASONS.get(error.errno or 0) or error.strerror or "the system does not allow it"


class HiddenFile:
    """A file that is being written: how many rows and bytes there are, and their fingerprint."""

    def __init__(self, folder: Path) -> None:
        # Made exclusively, with mode 0600, under a name that nobody can guess.
        handle, name = tempfile.mkstemp(dir=folder, prefix=_PREFIX, suffix=_SUFFIX)
        self._file: BinaryIO = os.fdopen(handle, "wb")
        self._hash = hashlib.sha256()
        self.path = Path(name)
        self.rows = 0
        self.bytes = 0

    @property
    def sha256(self) -> str:
        """The fingerprint of what was written."""
        return self._hash.hexdigest()

    def add(self, text: str, rows: int) -> None:
        """Nothing; the text is written."""
        data = text.encode()
        self._file.write(data)
        self._hash.update(data)
        self.rows += rows
        self.bytes += len(data)

    def finish(self) -> None:
        """Nothing; what was written is on the disk, not only on its way there."""
        if not self._file.closed:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()

    def remove(self) -> None:
        """Nothing; the hidden name is gone. A file that has appeared keeps its other one."""
        with contextlib.suppress(OSError):
            self._file.close()
        with contextlib.suppress(OSError):
            self.path.unlink()


class NewFiles:
    """The files that are being written in a folder, which is made if there is none.

    Every method raises NotPossible where the folder does not allow it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.all: list[HiddenFile] = []

    def __enter__(self) -> Self:
        with _told(self._folder):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sweep(self._folder)
        return self

    def __exit__(self, *_: object) -> None:
        for file in self.all:
            file.remove()

    def begin(self, header: str) -> None:
        """Nothing; what is added from now on is in another file, after the header."""
        with _told(self._folder):
            if self.all:
                self.all[-1].finish()
            self.all.append(HiddenFile(self._folder))
            self.all[-1].add(header, 0)

    def add(self, rows: Sequence[str]) -> None:
        """Nothing; the rows, which have their ends, are at the end of the last file."""
        with _told(self._folder):
            self.all[-1].add("".join(rows), len(rows))

    def appear(self, paths: Sequence[Path]) -> None:
        """Nothing; the files have these names now.

        Raises:
            FileExistsError: If a name is taken; then no file has appeared.
        """
        appeared: list[Path] = []
        try:
            with _told(self._folder):
                self.all[-1].finish()
                for file, path in zip(self.all, paths, strict=True):
                    rename(file.path, path)
                    appeared.append(path)
        except BaseException:
            for path in appeared:
                path.unlink(missing_ok=True)
            raise


class _Taken(FileExistsError):
    """Something has the name already."""


def rename(old: Path, new: Path) -> None:
    """Nothing; the file has the new name, and perhaps still the old one.

    Raises:
        FileExistsError: If anything has the new name, be it a link to nowhere.
    """
    try:
        # Unlike renaming, this never replaces anything.
        os.link(old, new)
    except FileExistsError as error:
        raise _Taken(*error.args) from None
    except OSError:
        # As on memory sticks, where a file has one name.
        claim(old, new)


def claim(old: Path, new: Path) -> None:
    """As `rename`, where a file can have one name only: an empty file takes the name first."""
    try:
        os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError as error:
        raise _Taken(*error.args) from None
    try:
        old.replace(new)
    except OSError:
        new.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def _told(folder: Path) -> Generator[None]:
    """Nothing; that something cannot be written is said in words."""
    try:
        yield
    except _Taken:
        raise
    except OSError as error:
        raise NotPossible(
            f"No file was written to {folder}: {why_not(error)}.",
            "Put that right, or let LEADPIPE_EXPORT_DIR name another folder and restart the"
            " server.",
        ) from None


def _sweep(folder: Path) -> None:
    """Nothing; what a server that was killed left half made long ago is gone."""
    with contextlib.suppress(OSError):
        for path in folder.glob(f"{_PREFIX}*{_SUFFIX}"):
            if path.lstat().st_mtime < time.time() - _DAY_SECONDS:
                path.unlink()
