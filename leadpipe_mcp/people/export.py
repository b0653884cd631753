"""People written to a file on the user's machine: where to, and what was written."""

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
from leadpipe_mcp.people.filenames import checked_name, slug
from leadpipe_mcp.people.formats import (
    EXTENSIONS,
    CsvForm,
    Form,
    Format,
    JsonlForm,
    LinkedinForm,
    Row,
)
from leadpipe_mcp.people.new_files import NewFiles
from leadpipe_mcp.people.privacy import contact_fields
from leadpipe_mcp.text import counted

BATCH = 2_000
FOLDER_NAME = "leadpipe-exports"

_MOST_NUMBERS = 1_000


@dataclass(frozen=True)
class Target:
    """Where people are to be written, and in which format; `target` makes one that is safe.

    numbered: whether the name is followed by -2 and so on while there is such a file already.
    """

    folder: Path
    name: str
    format: Format
    numbered: bool = False

    def names(self) -> Iterator[str]:
        """The names that may be taken, the best first."""
        yield self.name
        if self.numbered:
            yield from (f"{self.name}-{number}" for number in range(2, _MOST_NUMBERS))

    def path(self, name: str) -> Path:
        """The file of this name in the folder."""
        return self.folder / f"{name}.{EXTENSIONS[self.format]}"

    def of(self, path: Path) -> "Target":
        """The same, under the name of this file and no other."""
        name = path.name.removesuffix(f".{EXTENSIONS[self.format]}")
        return replace(self, name=name, numbered=False)


@dataclass(frozen=True)
class WrittenFile:
    """One file: how many lines of people are in it, how large it is, and its fingerprint."""

    path: Path
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Receipt:
    """What was written.

    linkedin_urls makes a file for each thousand profiles; the other formats make one file.
    """

    files: tuple[WrittenFile, ...]
    people: int
    contact_fields: tuple[str, ...] = ()
    masked: bool = True
    duplicates: int = 0
    without_url: int = 0

    @property
    def rows(self) -> int:
        """How many lines of people there are in all the files."""
        return sum(file.rows for file in self.files)

    @property
    def bytes(self) -> int:
        """How large all the files are."""
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
    """Where files go: the folder of LEADPIPE_EXPORT_DIR, or leadpipe-exports in the user's home.

    Not in Downloads, Documents or on the desktop: they are often copied to a cloud, and macOS asks
    before a program may use them.

    Raises:
        NotPossible: If that is no place that can be found.
    """
    named = setting or Path("~", FOLDER_NAME)
    if named.parts[:1] == ("~",) and home is not None:
        named = home.joinpath(*named.parts[1:])
    if not named.is_absolute():
        raise NotPossible(
            "It is not known where files should go.",
            "Let LEADPIPE_EXPORT_DIR name a folder by its whole path, and restart the server.",
        )
    return named


def target(
    folder: Path,
    kind: Format,
    *,
    file_name: str | None = None,
    audience: str = "",
    day: str = "",
) -> Target:
    """Where people are written: under the given name, or one made of the audience's name and day.

    A name that somebody chose is used as it is or not at all: who asked for it may take the file
    that has it already for the new one. One that was made may be numbered.

    Raises:
        NotPossible: If the name is not one for a file, or taken.
    """
    if file_name is not None:
        chosen = Target(folder, checked_name(file_name), kind)
    else:
        made = f"{slug(audience) or 'audience'}-{slug(day) or 'people'}"
        chosen = Target(folder, checked_name(made), kind, numbered=True)
    planned(chosen)
    return chosen


def planned(chosen: Target, is_held: Callable[[Path], bool] = lambda _: False) -> Path:
    """The file that would be written now, for the question to the user.

    Args:
        chosen: Where to, and in which format.
        is_held: Whether a name that was made is set aside for another file.

    Raises:
        NotPossible: If the name is taken.
    """
    for name in chosen.names():
        path = chosen.path(name)
        if not (os.path.lexists(path) or (chosen.numbered and _is_spoken_for(path, is_held))):
            return path
    raise _taken(chosen)


def _is_spoken_for(path: Path, is_held: Callable[[Path], bool]) -> bool:
    """Whether the name is set aside, or one of the names that several such files would have."""
    block = re.compile(rf"{re.escape(path.stem)}-\d+-of-\d+{re.escape(path.suffix)}")
    folder = path.parent.iterdir() if path.parent.is_dir() else ()
    return is_held(path) or any(block.fullmatch(file.name) for file in folder)


async def export(
    rows: Iterable[Row],
    columns: Sequence[Column],
    chosen: Target,
    *,
    contact: bool,
    report: Callable[[int], Coroutine[Any, Any, None]] | None = None,
) -> Receipt:
    """What was written, in a thread beside the others; `report` is told how many people are done.

    `rows` is read in that thread. If the call is cancelled, the half-made file is removed.

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
    rows: Iterable[Row],
    columns: Sequence[Column],
    chosen: Target,
    *,
    contact: bool,
    step: Callable[[int], None] = lambda _: None,
) -> Receipt:
    """What was written: people, whose fields are in the order of the columns.

    Args:
        rows: The people; read once, a few thousand at a time.
        columns: What the fields are.
        chosen: Where to, and in which format.
        contact: Whether e-mail addresses and phone numbers are whole; masked otherwise.
        step: Told after each few thousand how many are done; what it raises stops the writing.

    Raises:
        NotPossible: If the name is taken, nothing can be written there, or there is nothing to
            write in this format.
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
        # Here, since what it reads may be open in this thread alone.
        if isinstance(rows, Generator):
            rows.close()
    if isinstance(form, LinkedinForm):
        return Receipt(written, people, duplicates=form.duplicates, without_url=form.without_url)
    return Receipt(written, people, contact_fields(columns), masked=not contact)


def _form(columns: Sequence[Column], kind: Format, *, contact: bool) -> Form:
    if kind == "linkedin_urls":
        return LinkedinForm(columns)
    return (CsvForm if kind == "csv" else JsonlForm)(columns, contact=contact)


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, BATCH)):
        yield batch


def _add(files: NewFiles, form: Form, lines: list[str]) -> None:
    """Nothing; the lines are written, into as many files as the form needs."""
    while lines:
        if not files.all or files.all[-1].rows == form.most:
            files.begin(form.header)
        room = len(lines) if form.most is None else form.most - files.all[-1].rows
        files.add(lines[:room])
        lines = lines[room:]


def _begin_without_lines(files: NewFiles, form: Form, people: int) -> None:
    """Nothing; there is a file without people, if that is of any use."""
    if isinstance(form, LinkedinForm):
        whose = counted(people, "person", "people")
        raise NotPossible(
            f"Nobody among {whose} has the address of a LinkedIn profile, so no file was written.",
            "Use format csv for a list without it.",
        )
    files.begin(form.header)


def _placed(files: NewFiles, chosen: Target) -> tuple[WrittenFile, ...]:
    """The files under the best of their names that is free."""
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
    """The names of so many files: crm-buyers-02-of-12 is the second of twelve."""
    if number == 1:
        return [name]
    width = len(str(number))
    return [f"{name}-{block:0{width}}-of-{number}" for block in range(1, number + 1)]


def _taken(chosen: Target) -> NotPossible:
    numbered = replace(chosen, numbered=True)
    free = next((n for n in numbered.names() if not os.path.lexists(numbered.path(n))), None)
    return NotPossible(
        f"There is a file '{chosen.path(chosen.name).name}' in {chosen.folder} already, and nothing"
        " is overwritten.",
        f"Give another fileName, such as '{free}', or leave it out."
        if free
        else "Give another fileName.",
    )
