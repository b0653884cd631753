"""The lines of a file about people, in each of its formats.

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
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from typing import Literal, TypeVar

from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.people.columns import Column, Value
from leadpipe_mcp.people.linkedin import profile_url
from leadpipe_mcp.people.privacy import in_full
from leadpipe_mcp.text import cut

Format = Literal["csv", "jsonl", "linkedin_urls"]
Fields = Sequence[object]

EXTENSIONS: dict[Format, str] = {"csv": "csv", "jsonl": "jsonl", "linkedin_urls": "txt"}
BLOCK = 1_000
LONGEST_CELL = 32_767

_REMEMBERED = 4_096
_LONGEST_REMEMBERED = 200
_Made = TypeVar("_Made")
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


class Form(ABC):
    """How people become lines.

    header: What a file begins with. most: The most lines that may follow; None: no limit.
    """

    header: str = ""
    most: int | None = None

    @abstractmethod
    def lines(self, rows: Iterable[Fields]) -> list[str]:
        """Return the lines of these people, with their ends."""


class CsvForm(Form):
    """A table with the fields' names and a line for each person."""

    def __init__(self, columns: Sequence[Column], *, contact: bool) -> None:
        self._cells = [
            _remembering(partial(_csv_cell, column, contact=contact, first=column is columns[0]))
            for column in columns
        ]
        self.header = "\ufeff" + "".join(_csv([[column.name for column in columns]]))

    def lines(self, rows: Iterable[Fields]) -> list[str]:
        """Return the lines of these people, with their ends."""
        cells = self._cells
        return _csv([[cell(value) for cell, value in zip(cells, row, strict=True)] for row in rows])


class JsonlForm(Form):
    """An object for each person, on a line of its own."""

    def __init__(self, columns: Sequence[Column], *, contact: bool) -> None:
        self._names = [column.name for column in columns]
        self._cells = [
            _remembering(partial(in_full, column, contact=contact)) for column in columns
        ]
        self._encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

    def lines(self, rows: Iterable[Fields]) -> list[str]:
        """Return the lines of these people, with their ends."""
        return [f"{self._encode(self._known(row))}\n" for row in rows]

    def _known(self, row: Fields) -> dict[str, Value]:
        fields = zip(self._names, self._cells, row, strict=True)
        known = ((name, cell(value)) for name, cell, value in fields)
        return {name: value for name, value in known if value is not None}


class LinkedinForm(Form):
    """The address of each LinkedIn profile, once."""

    most = BLOCK

    def __init__(self, columns: Sequence[Column]) -> None:
        names = [column.name for column in columns]
        if "linkedinUrl" not in names:
            raise NotPossible(
                "A list of LinkedIn addresses needs the field linkedinUrl, which is missing.",
                "Add linkedinUrl to the fields, or leave fields out.",
            )
        self._position = names.index("linkedinUrl")
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


def _csv(rows: Iterable[Sequence[object]]) -> list[str]:
    lines = _Lines()
    csv.writer(lines).writerows(rows)
    return lines


class _Lines(list[str]):
    """A file that keeps what is written to it."""

    write = list[str].append


def _remembering(make: Callable[[object], _Made]) -> Callable[[object], _Made]:
    """Return `make` with a memory: in some columns a few values come often."""
    remembered = lru_cache(_REMEMBERED)(make)

    def cell(value: object) -> _Made:
        short = isinstance(value, str) and len(value) <= _LONGEST_REMEMBERED
        return remembered(value) if short else make(value)

    return cell


def _csv_cell(column: Column, value: object, *, contact: bool, first: bool) -> str:
    """Return the value as a cell that no spreadsheet runs, and that fits into one."""
    known = in_full(column, value, contact=contact)
    text = "" if known is None else str(known)
    if isinstance(known, bool):
        text = text.lower()
    if column.kind == "phone":
        text = _PHONE.sub(_dialled, _BETWEEN_PHONES.sub(", ", text))
    # Where only semicolons separate cells, the whole line is one cell, and the number that begins
    # it could be continued by the other cells.
    if _FORMULA.match(text) and (first or not _JUST_NUMBERS.fullmatch(text)):
        text = f"'{text}"
    if ";" in text:
        text = _LATER_FORMULA.sub(r"\1'", text)
    return cut(text, LONGEST_CELL)


def _dialled(found: re.Match[str]) -> str:
    return _NOT_DIALLED.sub("", found[0])
