"""New files in a user's folder: names that are safe on every system, all appearing or none.

Until they appear they are hidden files in the same folder, which are removed if anything fails.
Nothing that exists is overwritten, even if others write there meanwhile, and only the user may
read the files.
"""

import contextlib
import errno
import hashlib
import os
import re
import tempfile
import time
import unicodedata
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import BinaryIO, Self

from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.text import listed, visible

LONGEST_FILE_NAME = 120

# A file system counts bytes: 255, of which the number of a block takes some.
_MOST_BYTES = 200
_SLUG_BYTES = 100
_EXTENSIONS = (".csv", ".jsonl", ".json", ".txt")
_NOT_IN_NAMES = '/\\:*?"<>|'
_RESERVED = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])\s*(?:\.|$)",
    re.IGNORECASE,
)
_PREFIX = ".leadpipe-"
_SUFFIX = ".part"
_DAY_SECONDS = 86_400
_REASONS = {
    errno.ENOSPC: "there is no space left",
    errno.EDQUOT: "your disk quota is used up",
    errno.EFBIG: "the file would be too large for that disk",
    errno.EACCES: "you may not write there",
    errno.EPERM: "you may not write there",
    errno.EROFS: "that disk is read-only",
    errno.ENOTDIR: "something that is not a folder is in the way",
    errno.EEXIST: "something that is not a folder is in the way",
}


def why_not(error: OSError) -> str:
    """Say why a file could not be written, without its path."""
    return _REASONS.get(error.errno or 0) or error.strerror or "the system does not allow it"


def checked_name(name: str) -> str:
    """Return the name that was chosen for a file, without the extension: the format decides that.

    Raises:
        NotPossible: Saying what in it cannot be in a file's name.
    """
    stem = unicodedata.normalize("NFC", name.strip())
    if ending := next((each for each in _EXTENSIONS if stem.lower().endswith(each)), ""):
        stem = stem[: -len(ending)].rstrip()
    if problem := _problem(stem):
        raise NotPossible(
            f"That file name won't work: {problem}.",
            "Give fileName a plain name, such as 'crm-buyers', without a folder; or leave it out.",
        )
    return stem


def _problem(stem: str) -> str:
    """Say why this cannot be the name of a file; empty if it can."""
    if not stem:
        return "there is nothing before the extension"
    forbidden = [character for character in _NOT_IN_NAMES if character in stem]
    too_long = len(stem) > LONGEST_FILE_NAME or len(stem.encode(errors="replace")) > _MOST_BYTES
    problems = {
        f"it contains {listed(forbidden, 'and')}": bool(forbidden),
        "it contains invisible characters, or several spaces in a row": visible(stem) != stem,
        "it begins with a dot, a dash or a tilde": stem[0] in ".-~",
        "it ends with a dot": stem[-1] == ".",
        "Windows reserves the name for a device": bool(_RESERVED.match(stem)),
        f"it has more than {LONGEST_FILE_NAME} characters or {_MOST_BYTES} bytes": too_long,
    }
    return next((problem for problem, is_there in problems.items() if is_there), "")


def slug(words: str) -> str:
    """Return the words as part of a file's name: small letters and digits, joined by dashes."""
    letters = unicodedata.normalize("NFC", visible(words)).lower()
    dashed = "".join(
        c if c.isalnum() or unicodedata.category(c)[0] == "M" else "-" for c in letters
    )
    short = dashed.encode()[:_SLUG_BYTES].decode(errors="ignore")
    return re.sub("-+", "-", short).strip("-")


class HiddenFile:
    """A file that is being written: how many rows and bytes it has, and their fingerprint."""

    def __init__(self, folder: Path) -> None:
        # Created exclusively, with mode 0600, under a name that nobody can guess.
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
        """Write a text that has this number of rows."""
        data = text.encode()
        self._file.write(data)
        self._hash.update(data)
        self.rows += rows
        self.bytes += len(data)

    def finish(self) -> None:
        """Make sure that what was written has reached the disk."""
        if not self._file.closed:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()

    def remove(self) -> None:
        """Remove the hidden name. A file that has appeared keeps its other one."""
        with contextlib.suppress(OSError):
            self._file.close()
        with contextlib.suppress(OSError):
            self.path.unlink()


class NewFiles:
    """The files that are being written in a folder, which is created if it does not exist.

    Every method raises NotPossible where the folder does not allow it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.all: list[HiddenFile] = []

    def __enter__(self) -> Self:
        with _explained(self._folder):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sweep(self._folder)
        return self

    def __exit__(self, *_: object) -> None:
        for file in self.all:
            file.remove()

    def begin(self, header: str) -> None:
        """Begin another file with a header; `add` writes to it from now on."""
        with _explained(self._folder):
            if self.all:
                self.all[-1].finish()
            self.all.append(HiddenFile(self._folder))
            self.all[-1].add(header, 0)

    def add(self, rows: Sequence[str]) -> None:
        """Write rows, which have their line ends, at the end of the last file."""
        with _explained(self._folder):
            self.all[-1].add("".join(rows), len(rows))

    def appear(self, paths: Sequence[Path]) -> None:
        """Give the files these names.

        Raises:
            FileExistsError: If a name is taken; then no file has appeared.
        """
        appeared: list[Path] = []
        try:
            with _explained(self._folder):
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
    """Give the file a new name; it may keep the old one as well.

    Raises:
        FileExistsError: If anything has the new name, even a broken link.
    """
    try:
        # Unlike renaming, this never replaces anything.
        os.link(old, new)
    except FileExistsError as error:
        raise _Taken(*error.args) from None
    except OSError:
        # As on memory sticks, where a file has only one name.
        claim(old, new)


def claim(old: Path, new: Path) -> None:
    """Do what `rename` does where a file can have only one name: an empty file takes it first."""
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
def _explained(folder: Path) -> Generator[None]:
    """Say in our words why something cannot be written."""
    try:
        yield
    except _Taken:
        raise
    except OSError as error:
        raise NotPossible(
            f"No file was written to {folder}: {why_not(error)}.",
            "Fix that, or set LEADPIPE_EXPORT_DIR to another folder and restart the server.",
        ) from None


def _sweep(folder: Path) -> None:
    """Remove what a server that was killed long ago left unfinished."""
    with contextlib.suppress(OSError):
        for path in folder.glob(f"{_PREFIX}*{_SUFFIX}"):
            if path.lstat().st_mtime < time.time() - _DAY_SECONDS:
                path.unlink()
