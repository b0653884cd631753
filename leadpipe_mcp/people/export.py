"""People written to files on the user's machine."""

import os
import re
from collections.abc import Callable, Coroutine, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from anyio import from_thread, to_thread

from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.people.columns import Column
from leadpipe_mcp.people.files import NewFiles, checked_name, slug
from leadpipe_mcp.people.formats import (
    EXTENSIONS,
    CsvForm,
    Fields,
    Form,
    Format,
    JsonlForm,
    LinkedinForm,
)
from leadpipe_mcp.people.privacy import contact_fields
from leadpipe_mcp.text import counted

BATCH = 2_000
FOLDER_NAME = "leadpipe-exports"

_MOST_NUMBERS = 1_000


@dataclass(frozen=True)
class Destination:
    """Where to write people, and in which format; `target` makes one that is safe.

    `numbered` adds -2, -3 and so on to a name that is taken.
    """

    folder: Path
    name: str
    format: Format
    numbered: bool = False

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


@dataclass(frozen=True)
class WrittenFile:
    """One file: how many people are in it, how large it is, and its fingerprint."""

    path: Path
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Receipt:
    """What was written.

    Only linkedin_urls makes several files, one for each thousand profiles.
    """

    files: tuple[WrittenFile, ...]
    people: int
    contact_fields: tuple[str, ...] = ()
    masked: bool = True
    duplicates: int = 0
    without_url: int = 0

    @property
    def rows(self) -> int:
        """How many people are in all the files."""
        return sum(file.rows for file in self.files)

    @property
    def bytes(self) -> int:
        """How large all the files are together."""
        return sum(file.bytes for file in self.files)

    @property
    def path(self) -> Path:
        """The only file, or the first one."""
        return self.files[0].path

    @property
    def sha256(self) -> str:
        """The fingerprint of the only file, or of the first one."""
        return self.files[0].sha256


def export_folder(setting: Path | None, home: Path | None) -> Path:
    """Return where files go: LEADPIPE_EXPORT_DIR, or leadpipe-exports in the user's home.

    Not Downloads, Documents or the desktop: those are often copied to a cloud, and macOS asks
    before a program may use them.

    Raises:
        NotPossible: If the folder is not named by a whole path.
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
) -> Destination:
    """Return where to write people: under the given name, or the audience's name and the day.

    A given name is used as it is or not at all: an older file of that name could be mistaken for
    the new one. A name of our own may be numbered.

    Raises:
        NotPossible: If a file cannot have the name, or it is taken.
    """
    if file_name is not None:
        chosen = Destination(folder, checked_name(file_name), kind)
    else:
        made = f"{slug(audience) or 'audience'}-{slug(day) or 'people'}"
        chosen = Destination(folder, checked_name(made), kind, numbered=True)
    planned(chosen)
    return chosen


def planned(chosen: Destination, is_held: Callable[[Path], bool] = lambda _: False) -> Path:
    """Return the file that would be written now, for the question to the user.

    Args:
        chosen: Where to write, and in which format.
        is_held: Tells whether a name of our own is set aside for another file.

    Raises:
        NotPossible: If the name is taken.
    """
    for name in chosen.names():
        path = chosen.path(name)
        if not (os.path.lexists(path) or (chosen.numbered and _is_spoken_for(path, is_held))):
            return path
    raise _taken(chosen)


def _is_spoken_for(path: Path, is_held: Callable[[Path], bool]) -> bool:
    """Return whether the name is set aside, or several files with it are there."""
    block = re.compile(rf"{re.escape(path.stem)}-\d+-of-\d+{re.escape(path.suffix)}")
    folder = path.parent.iterdir() if path.parent.is_dir() else ()
    return is_held(path) or any(block.fullmatch(file.name) for file in folder)


async def export(
    rows: Iterable[Fields],
    columns: Sequence[Column],
    chosen: Destination,
    *,
    contact: bool,
    report: Callable[[int], Coroutine[Any, Any, None]] | None = None,
) -> Receipt:
    """Write people in a thread of its own; `report` is called with the number of people so far.

    `rows` is read in that thread. If the call is cancelled, the unfinished file is removed.

    Raises:
        NotPossible: As `write`.
    """

    def step(done: int) -> None:
        from_thread.check_cancelled()
        if report is not None:
            from_thread.run(report, done)

    return await to_thread.run_sync(
        lambda: write(rows, columns, chosen, contact=contact, step=step)
    )


def write(
    rows: Iterable[Fields],
    columns: Sequence[Column],
    chosen: Destination,
    *,
    contact: bool,
    step: Callable[[int], None] = lambda _: None,
) -> Receipt:
    """Write people, and return what was written.

    Args:
        rows: The people, with their fields in the order of the columns; read once.
        columns: What the fields are.
        chosen: Where to write, and in which format.
        contact: Whether e-mail addresses and phone numbers stay whole instead of masked.
        step: Called every few thousand people with their number; what it raises stops the writing.

    Raises:
        NotPossible: If the name is taken, the folder cannot be written, or nobody has what the
            format needs.
    """
    planned(chosen)
    form = _form(columns, chosen.format, contact=contact)
    people = 0
    try:
        with NewFiles(chosen.folder) as files:
            for batch in _batches(rows):
                _add(files, form, form.lines(batch))
                people += len(batch)
                step(people)
            if not files.all:
                _begin_without_lines(files, form, people)
            step(people)
            written = _placed(files, chosen)
    finally:
        # Here, because what it reads may be open only in this thread.
        if isinstance(rows, Generator):
            rows.close()
    if isinstance(form, LinkedinForm):
        return Receipt(written, people, duplicates=form.duplicates, without_url=form.without_url)
    return Receipt(written, people, contact_fields(columns), masked=not contact)


def _form(columns: Sequence[Column], kind: Format, *, contact: bool) -> Form:
    if kind == "linkedin_urls":
        return LinkedinForm(columns)
    return (CsvForm if kind == "csv" else JsonlForm)(columns, contact=contact)


def _batches(rows: Iterable[Fields]) -> Iterator[list[Fields]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, BATCH)):
        yield batch


def _add(files: NewFiles, form: Form, lines: list[str]) -> None:
    """Write the lines into as many files as the form needs."""
    while lines:
        if not files.all or files.all[-1].rows == form.most:
            files.begin(form.header)
        room = len(lines) if form.most is None else form.most - files.all[-1].rows
        files.add(lines[:room])
        lines = lines[room:]


def _begin_without_lines(files: NewFiles, form: Form, people: int) -> None:
    """Begin a file without people, if the format has a use for one."""
    if isinstance(form, LinkedinForm):
        whose = counted(people, "person", "people")
        raise NotPossible(
            f"Nobody among {whose} has a LinkedIn profile, so no file was written.",
            "Use format csv for a list without profiles.",
        )
    files.begin(form.header)


def _placed(files: NewFiles, chosen: Destination) -> tuple[WrittenFile, ...]:
    """Give the files the best names that are free."""
    for name in chosen.names():
        paths = [chosen.path(block) for block in _blocks(name, len(files.all))]
        try:
            files.appear(paths)
        except FileExistsError:
            continue
        return tuple(
            WrittenFile(path, file.rows, file.bytes, file.sha256)
            for path, file in zip(paths, files.all, strict=True)
        )
    raise _taken(chosen)


def _blocks(name: str, number: int) -> list[str]:
    """Return the names of several files: crm-buyers-02-of-12 is the second of twelve."""
    if number == 1:
        return [name]
    width = len(str(number))
    return [f"{name}-{block:0{width}}-of-{number}" for block in range(1, number + 1)]


def _taken(chosen: Destination) -> NotPossible:
    numbered = replace(chosen, numbered=True)
    free = next((n for n in numbered.names() if not os.path.lexists(numbered.path(n))), None)
    return NotPossible(
        f"The file '{chosen.path(chosen.name).name}' already exists in {chosen.folder}, and nothing"
        " is overwritten.",
        f"Give another fileName, such as '{free}', or leave it out."
        if free
        else "Give another fileName.",
    )
