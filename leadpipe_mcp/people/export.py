"""People written to files on the user's machine.

csv: for spreadsheets and other products' imports. UTF-8 with a byte order mark, without which Excel
garbles letters that are not English; lines end with CR and LF (RFC 4180). A cell that a spreadsheet
would run as a formula gets an apostrophe before it, which makes it text. Numbers with a plus or a
minus are harmless and stay, except in the first column; phone numbers with a plus are written as
digits only, because a spreadsheet would read the dashes as minuses. No cell is longer than a
spreadsheet allows.

jsonl: for programs. An object on each line, without unknown fields; nothing is escaped or cut.

linkedin_urls: for another product's import, which takes a thousand profiles at a time. An address
on each line, each profile once, and a separate file for each thousand.
"""

import csv
import json
import re
import unicodedata
from collections.abc import Callable, Coroutine, Generator, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any
from urllib.parse import quote, unquote

from anyio import from_thread, to_thread

from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.people.columns import Column
from leadpipe_mcp.people.files import Destination, NewFile, NewFiles, planned
from leadpipe_mcp.people.privacy import contact_fields, in_full
from leadpipe_mcp.text import counted, cut, visible

Fields = Sequence[object]

BATCH = 2_000
BLOCK = 1_000
LONGEST_CELL = 32_767

# How a formula begins for a spreadsheet, in all widths, also after blanks and quotation marks.
_EQUALS = "=\uff1d\ufe66\u207c\u208c"
_SIGNS = "+\uff0b\ufe62\u207a\u208a\\-\uff0d\ufe63\u207b\u208b\u2212"
_OTHERS = "@\uff20\ufe6b|\uff5c"
_QUOTES = "\\s\"'`\u2018\u2019\u201c\u201d\u201e\u00ab"
_FORMULA = re.compile(f"[{_QUOTES}]*[{_EQUALS}{_SIGNS}{_OTHERS}]")
# A semicolon separates cells where a comma is the decimal sign.
_LATER_FORMULA = re.compile(f"(;[{_QUOTES}]*)(?=[{_EQUALS}{_SIGNS}{_OTHERS}])")
# It contains nothing to run.
_JUST_NUMBERS = re.compile(r"[+-][\d\s().,/+•-]*")
_BETWEEN_PHONES = re.compile(r"\s*[;|]\s*")
_PHONE = re.compile(r"\+\d[\d\s().-]*")
_NOT_DIALLED = re.compile(r"[\s().-]")

_PROFILE = re.compile(
    r"(?:https?:)?/{0,2}(?:(?:www|m|mobile|touch|[a-z]{2})\.)?linkedin\.com(?::(?:80|443))?"
    r"/+(?:[a-z]{2}(?:[-_][a-z]{2})?/+)?in/+(?P<name>[^/?#\\]+)(?:[/?#].*)?",
    re.IGNORECASE,
)
_BETWEEN_ADDRESSES = re.compile(r"[\s,;|<>\"]+")
# Nothing longer is the address of a person's page.
_LONGEST_ADDRESS = 4_000
_LONGEST_NAME = 100
# Besides letters, digits, and the marks and emoji that some people use.
_ALSO_IN_NAMES = "-_~'\u2019\u00b7&!()*"
# The name that LinkedIn makes of a member's number, in which upper and lower case differ.
_MEMBER_NUMBER = re.compile(r"AC[ow]AA[\w-]{20,}")


@dataclass(frozen=True)
class Receipt:
    """What was written. Only linkedin_urls makes several files, one for each thousand profiles."""

    files: tuple[NewFile, ...]
    people: int
    contact_fields: tuple[str, ...]
    masked: bool
    duplicates: int
    without_url: int

    @property
    def rows(self) -> int:
        """How many people are in all the files."""
        return sum(file.rows for file in self.files)

    @property
    def bytes(self) -> int:
        """How large all the files are together."""
        return sum(file.bytes for file in self.files)


async def export_people(
    rows: Iterable[Fields],
    columns: Sequence[Column],
    chosen: Destination,
    *,
    contact: bool,
    report: Callable[[int], Coroutine[Any, Any, None]],
) -> Receipt:
    """Write people in a thread of its own; `report` is called with the number of people so far.

    `rows` is read in that thread. If the call is cancelled, the unfinished file is removed.
    """

    def step(done: int) -> None:
        from_thread.check_cancelled()
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
    """Write people, whose fields are in the order of the columns, and return what was written.

    E-mail addresses and phone numbers are masked unless `contact` is true. `step` is called every
    few thousand people with their number; what it raises stops the writing.
    """
    planned(chosen)
    profiles = Profiles(columns) if chosen.format == "linkedin_urls" else None
    usual = partial(
        csv_lines if chosen.format == "csv" else _jsonl_lines, columns=columns, contact=contact
    )
    lines_of = profiles.lines if profiles else usual
    # No name of a column needs quotation marks.
    header = f"\ufeff{','.join(c.name for c in columns)}\r\n" if chosen.format == "csv" else ""
    remaining, people = iter(rows), 0
    try:
        with NewFiles(chosen, header, BLOCK if profiles else None) as files:
            while batch := list(islice(remaining, BATCH)):
                files.add(lines_of(batch))
                people += len(batch)
                step(people)
            if profiles and not files.all:
                whose = counted(people, "person", "people")
                raise NotPossible(
                    f"Nobody among {whose} has a LinkedIn profile, so no file was written.",
                    "Use format csv for a list without profiles.",
                )
            step(people)
            files.appear()
    finally:
        # Here, because what it reads may be open only in this thread.
        if isinstance(rows, Generator):
            rows.close()
    return Receipt(
        tuple(files.all),
        people,
        contact_fields=() if profiles else contact_fields(columns),
        masked=not contact,
        duplicates=profiles.duplicates if profiles else 0,
        without_url=profiles.without_url if profiles else 0,
    )


class _Lines(list[str]):
    """A file that keeps what is written to it."""

    write = list[str].append


def csv_lines(rows: Iterable[Fields], columns: Sequence[Column], *, contact: bool) -> list[str]:
    """Return the lines of these people in a table, with their ends."""
    lines = _Lines()
    csv.writer(lines).writerows(
        [
            _csv_cell(column, value, contact=contact, first=column is columns[0])
            for column, value in zip(columns, row, strict=True)
        ]
        for row in rows
    )
    return lines


def _jsonl_lines(rows: Iterable[Fields], columns: Sequence[Column], *, contact: bool) -> list[str]:
    """Return an object for each of these people, on a line of its own."""
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    lines: list[str] = []
    for row in rows:
        fields = zip(columns, row, strict=True)
        person = {c.name: in_full(c, value, contact=contact) for c, value in fields}
        known = {name: value for name, value in person.items() if value is not None}
        lines.append(f"{encode(known)}\n")
    return lines


class Profiles:
    """The address of each LinkedIn profile, once."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._position = [column.name for column in columns].index("linkedinUrl")
        self._seen: set[str] = set()
        self.duplicates = 0
        self.without_url = 0

    def lines(self, rows: Iterable[Fields]) -> list[str]:
        """Return the lines of people whose profile has not come before, with their ends."""
        lines: list[str] = []
        for row in rows:
            url = profile_url(row[self._position])
            if url is None:
                self.without_url += 1
            elif url in self._seen:
                self.duplicates += 1
            else:
                self._seen.add(url)
                lines.append(f"{url}\n")
        return lines


def _csv_cell(column: Column, value: object, *, contact: bool, first: bool) -> str:
    """Return the value as a cell that no spreadsheet runs, and that fits into one."""
    known = in_full(column, value, contact=contact)
    text = "" if known is None else str(known)
    if isinstance(known, bool):
        text = text.lower()
    if column.kind == "phone":
        text = _BETWEEN_PHONES.sub(", ", text)
        text = _PHONE.sub(lambda found: _NOT_DIALLED.sub("", found[0]), text)
    # Where only semicolons separate cells, the whole line is one cell, and the number that begins
    # it could be continued by the other cells.
    if _FORMULA.match(text) and (first or not _JUST_NUMBERS.fullmatch(text)):
        text = f"'{text}"
    return cut(_LATER_FORMULA.sub(r"\1'", text), LONGEST_CELL)


def profile_url(value: object) -> str | None:
    """Return the first address of a person's LinkedIn profile in one spelling; None without one.

    It is the same with http and https, with and without www, a country, a language, a slash or a
    query, and in upper and lower case.
    """
    if not isinstance(value, str):
        return None
    for part in _BETWEEN_ADDRESSES.split(visible(value[:_LONGEST_ADDRESS])):
        if found := _PROFILE.fullmatch(part):
            name = unicodedata.normalize("NFC", unquote(found["name"])).rstrip(".")
            if len(name) <= _LONGEST_NAME and _is_profile_name(name):
                spelled = name if _MEMBER_NUMBER.fullmatch(name) else name.lower()
                return "https://www.linkedin.com/in/" + quote(spelled, safe="~'")
    return None


def _is_profile_name(name: str) -> bool:
    categories = {unicodedata.category(c) for c in name if c not in _ALSO_IN_NAMES}
    has_letters = any(character.isalnum() for character in name)
    return has_letters and all(category[0] in "LMN" or category == "So" for category in categories)
