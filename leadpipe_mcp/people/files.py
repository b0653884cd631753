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
import sys
import tempfile
import time
import unicodedata
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Self

from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.text import listed, visible

Format = Literal["csv", "jsonl", "linkedin_urls"]

EXTENSIONS: dict[Format, str] = {"csv": "csv", "jsonl": "jsonl", "linkedin_urls": "txt"}
FOLDER_NAME = "leadpipe-exports"
LONGEST_FILE_NAME = 120

_MOST_NUMBERS = 1_000
# A file system counts bytes: 255, of which the number of a block takes some.
_MOST_BYTES = 200
_SLUG_BYTES = 100
_ENDING = re.compile(r"\s*\.(?:csv|jsonl|json|txt)$", re.IGNORECASE)
_NOT_IN_NAMES = '/\\:*?"<>|'
_RESERVED = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])\s*(?:\.|$)",
    re.IGNORECASE,
)
_PREFIX, _SUFFIX = ".leadpipe-", ".part"
_DAY_SECONDS = 86_400
_REASONS = {
    errno.ENOSPC: "there is no space left",
    errno.EDQUOT: "your disk quota is used up",
    errno.EFBIG: "the file would be too large for that disk",
    errno.EROFS: "that disk is read-only",
    **dict.fromkeys((errno.EACCES, errno.EPERM), "you may not write there"),
    **dict.fromkeys((errno.ENOTDIR, errno.EEXIST), "something that is not a folder is in the way"),
}


@dataclass(frozen=True)
class Destination:
    """Where to write people, and in which format; `target` makes one that is safe.

    `numbered` adds -2, -3 and so on to a name that is taken. The folder is not `told` to those who
    fetch their files by links.
    """

    folder: Path
    name: str
    format: Format
    numbered: bool = False
    told: bool = True

    def names(self) -> Iterator[str]:
        """Yield the names that the file may have, the best first."""
        yield self.name
        if self.numbered:
            yield from (f"{self.name}-{number}" for number in range(2, _MOST_NUMBERS))

    def path(self, name: str) -> Path:
        """Return the file of this name in the folder."""
        return self.folder / f"{name}.{EXTENSIONS[self.format]}"

    def of(self, path: Path) -> "Destination":
        """Return the same, under the name of this file and no other."""
        name = path.name.removesuffix(f".{EXTENSIONS[self.format]}")
        return replace(self, name=name, numbered=False)

    def taken(self) -> NotPossible:
        """Return the refusal of a name that is taken, with one that is free."""
        numbered = replace(self, numbered=True)
        free = (name for name in numbered.names() if not os.path.lexists(self.path(name)))
        such_as = next((f", such as '{name}', or leave it out" for name in free), "")
        return NotPossible(
            f"The file '{self.path(self.name).name}' already exists"
            f"{f' in {self.folder}' if self.told else ''}, and nothing is overwritten.",
            f"Give another fileName{such_as}.",
        )


def export_folder(setting: Path | None, home: Path | None) -> Path:
    """Return where files go: LEADPIPE_EXPORT_DIR, or leadpipe-exports in the user's home.

    Not Downloads, Documents or the desktop: those are often copied to a cloud, and macOS asks
    before a program may use them.
    """
    named = setting or Path("~", FOLDER_NAME)
    if named.parts[:1] == ("~",) and home is not None:
        named = home.joinpath(*named.parts[1:])
    if not named.is_absolute():
        raise NotPossible(
            "There is no folder for files.",
            "Set LEADPIPE_EXPORT_DIR to the whole path of a folder, and restart the server.",
        )
    return named


def target(
    folder: Path,
    kind: Format,
    *,
    file_name: str | None = None,
    audience: str = "",
    day: str = "",
    told: bool = True,
) -> Destination:
    """Return where to write people: under the given name, or the audience's name and the day.

    A given name is used as it is or not at all: an older file of that name could be mistaken for
    the new one. A name of our own may be numbered.
    """
    made = f"{_slug(audience) or 'audience'}-{_slug(day) or 'people'}"
    name = _checked(made if file_name is None else file_name)
    chosen = Destination(folder, name, kind, numbered=file_name is None, told=told)
    planned(chosen)
    return chosen


def planned(chosen: Destination, is_held: Callable[[Path], bool] = lambda _: False) -> Path:
    """Return the file that would be written now, for the question to the user.

    `is_held` tells whether a name of our own is set aside for another file.
    """
    for path in map(chosen.path, chosen.names()):
        if os.path.lexists(path):
            continue
        # Several files that are there may have the name together.
        blocks = re.compile(rf"{re.escape(path.stem)}-\d+-of-\d+{re.escape(path.suffix)}")
        folder = path.parent.iterdir() if path.parent.is_dir() else ()
        is_free = not is_held(path) and not any(blocks.fullmatch(file.name) for file in folder)
        if is_free or not chosen.numbered:
            return path
    raise chosen.taken()


def _checked(name: str) -> str:
    """Return the name without the extension: the format decides that."""
    stem = _ENDING.sub("", unicodedata.normalize("NFC", name.strip()))
    forbidden = [character for character in _NOT_IN_NAMES if character in stem]
    too_long = len(stem) > LONGEST_FILE_NAME or len(stem.encode(errors="replace")) > _MOST_BYTES
    problems = {
        "there is nothing before the extension": not stem,
        f"it contains {listed(forbidden, 'and')}": bool(forbidden),
        "it contains invisible characters, or several spaces in a row": visible(stem) != stem,
        "it begins with a dot, a dash or a tilde": stem[:1] in tuple(".-~"),
        "it ends with a dot": stem.endswith("."),
        "Windows reserves the name for a device": bool(_RESERVED.match(stem)),
        f"it has more than {LONGEST_FILE_NAME} characters or {_MOST_BYTES} bytes": too_long,
    }
    if problem := next((problem for problem, is_there in problems.items() if is_there), ""):
        raise NotPossible(
            f"That file name won't work: {problem}.",
            "Give fileName a plain name, such as 'crm-buyers', without a folder; or leave it out.",
        )
    return stem


def _slug(words: str) -> str:
    """Return the words as part of a file's name: small letters and digits, joined by dashes."""
    letters = unicodedata.normalize("NFC", visible(words)).lower()
    dashed = "".join(c if unicodedata.category(c)[0] in "LMN" else "-" for c in letters)
    short = dashed.encode()[:_SLUG_BYTES].decode(errors="ignore")
    return re.sub("-+", "-", short).strip("-")


class NewFile:
    """A file that is being written, hidden until it has a name; `bytes` is how large it is."""

    def __init__(self, folder: Path, header: str) -> None:
        # Created exclusively, with mode 0600, under a name that nobody can guess.
        handle, name = tempfile.mkstemp(dir=folder, prefix=_PREFIX, suffix=_SUFFIX)
        self.file = os.fdopen(handle, "wb")
        self._hash = hashlib.sha256()
        self.path = Path(name)
        self.rows = self.bytes = 0
        self.add(header, 0)

    @property
    def sha256(self) -> str:
        """The fingerprint of what was written."""
        return self._hash.hexdigest()

    def add(self, text: str, rows: int) -> None:
        """Write a text that has this number of rows."""
        data = text.encode()
        self.file.write(data)
        self._hash.update(data)
        self.rows += rows
        self.bytes += len(data)

    def finish(self) -> None:
        """Make sure that what was written has reached the disk."""
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()


class NewFiles:
    """The files that people are being written to, each of a header and at most this many rows.

    The folder is created if it does not exist. Every method raises NotPossible where it does not
    allow what is to be done.
    """

    def __init__(self, chosen: Destination, header: str, most: int | None) -> None:
        self._chosen = chosen
        self._header = header
        self._most = most or sys.maxsize
        self.all: list[NewFile] = []

    def __enter__(self) -> Self:
        folder = self._chosen.folder
        with self._explained():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # What a server that was killed long ago left unfinished.
        with contextlib.suppress(OSError):
            for path in folder.glob(f"{_PREFIX}*{_SUFFIX}"):
                if path.lstat().st_mtime < time.time() - _DAY_SECONDS:
                    path.unlink()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        for file in self.all if kind else ():
            with contextlib.suppress(OSError):
                file.file.close()
            with contextlib.suppress(OSError):
                file.path.unlink()

    def add(self, rows: Sequence[str]) -> None:
        """Write rows, which have their line ends, into as many files as they need."""
        with self._explained():
            while rows:
                if not self.all or self.all[-1].rows == self._most:
                    self._begin()
                room = self._most - self.all[-1].rows
                self.all[-1].add("".join(rows[:room]), len(rows[:room]))
                rows = rows[room:]

    def appear(self) -> None:
        """Give the files the best names that are free; crm-02-of-12 is the second of twelve.

        Either all of them appear or none.
        """
        with self._explained():
            if not self.all:
                self._begin()
            self.all[-1].finish()
            number = len(self.all)
            of_all = [f"-{n:0{len(str(number))}}-of-{number}" for n in range(1, number + 1)]
            for name in self._chosen.names():
                paths = [self._chosen.path(name + n) for n in (of_all if number > 1 else [""])]
                with contextlib.ExitStack() as undo:
                    try:
                        for path in paths:
                            # Unlike renaming, this never replaces anything, not even a broken link.
                            path.touch(0o600, exist_ok=False)
                            undo.callback(path.unlink, missing_ok=True)
                    except FileExistsError:
                        continue
                    for file, path in zip(self.all, paths, strict=True):
                        file.path = file.path.replace(path)
                    undo.pop_all()
                    return
        raise self._chosen.taken()

    def _begin(self) -> None:
        if self.all:
            self.all[-1].finish()
        self.all.append(NewFile(self._chosen.folder, self._header))

    @contextlib.contextmanager
    def _explained(self) -> Generator[None]:
        """Say in our words why something cannot be written."""
        try:
            yield
        except OSError as error:
            if not self._chosen.told:
                raise NotPossible(
                    f"No file was written: {why_not(error)}.", "Tell whoever runs this server."
                ) from None
            raise NotPossible(
                f"No file was written to {self._chosen.folder}: {why_not(error)}.",
                "Fix that, or set LEADPIPE_EXPORT_DIR to another folder and restart the server.",
            ) from None


def why_not(error: OSError) -> str:
    """Say why a file could not be written, without its path."""
    return _REASONS.get(error.errno or 0) or error.strerror or "the system does not allow it"
