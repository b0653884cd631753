"""The service's CSV files, read into the same fields as its other answers."""

import codecs
import csv
import io
import re
from collections.abc import Mapping, Sequence

from leadpipe_mcp.errors import FileFailed
from leadpipe_mcp.people.columns import COLUMNS, Batch
from leadpipe_mcp.text import counted

LONGEST_CELL = 2**24
LONGEST_HEADINGS = 2**19
"""A file whose first line is longer is something else, and is not kept to see how it goes on."""

NOT_PEOPLE = "The service's file is not a list of people."

_NOT_LETTERS = re.compile(r"[^a-z0-9]")
# What headings are called beside the field's own name, in letters only. contactEmail is no field
# of the service's: it is made of others.
_BY_HEADING: Mapping[str, str] = {
    column.key.lower(): column.key for column in COLUMNS.values() if column.key != "contactEmail"
} | {
    "hashedemail": "id",
    "hem": "id",
    "personid": "id",
    "companyname": "company",
    "country": "companyCountry",
    "locationcountry": "personalCountry",
    "intenttopicoverlap": "topicOverlap",
    "intentmatchedtopics": "topicName",
}
# Nested fields that are not the person's own: a company's telephone is not theirs.
_OTHERS_OWN = {"company", "intent"}
# Fields that other answers fill from these.
_MADE: Mapping[str, Sequence[str]] = {
    "personalEmail": ("personalEmail", "personalEmails"),
    "phone": ("mobilePhones", "directNumbers", "phones", "phone"),
    "contactEmail": ("primaryContactEmail", "businessEmail", "email"),
}


class CsvReader:
    """Reads a file of people piece by piece, wherever it is cut.

    Bytes that are not UTF-8 become replacement characters.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._text = ""
        self._rows: CsvRows | None = None

    def read(self, piece: bytes, *, is_last: bool = False) -> Batch | None:
        """Return the people whose lines are complete by now; None if there are none."""
        self._text += self._decoder.decode(piece, final=is_last)
        # A line may end with either character, or with both.
        end = max(self._text.rfind("\n"), self._text.rfind("\r", 0, -1)) + 1
        if is_last:
            end = len(self._text)
        physical = io.StringIO(self._text[:end], newline="").readlines()
        lines, whole = _whole_lines(physical, is_last=is_last)
        self._text = "".join(physical[whole:]) + self._text[end:]
        if self._rows is None and (lines or is_last):
            headings = lines.pop(0) if lines else []
            self._rows = CsvRows(headings)
            if not headings or len(self._rows.unknown) > len(headings) // 2:
                raise FileFailed(NOT_PEOPLE)
        if self._rows is None and len(self._text) > LONGEST_HEADINGS:
            raise FileFailed(NOT_PEOPLE)
        return self._rows.columns(lines) if self._rows and lines else None


def _whole_lines(physical: Sequence[str], *, is_last: bool) -> tuple[list[list[str]], int]:
    """Return the cells of each line, and how many physical lines they are made of.

    A cell may contain line ends, so the last lines may belong to what has not come yet.
    """
    # This limit applies to the whole program.
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(physical, strict=True)
    lines: list[list[str]] = []
    whole = 0
    try:
        for line in reader:
            lines.append(line)
            whole = reader.line_num
    except csv.Error:
        if is_last or reader.line_num < len(physical):
            raise FileFailed("The service's file is broken in the middle.") from None
    return lines, whole


class CsvRows:
    """Reads the lines of one file by its headings, in either generation of the API.

    In a heading, case and separators do not matter; of nested fields (location.city) the last part
    counts. The columns of those that are `unknown` are left out.
    """

    def __init__(self, headings: Sequence[str]) -> None:
        self.unknown: list[str] = []
        self._width = len(headings)
        self._positions: dict[str, list[int]] = {}
        for position, heading in enumerate(headings):
            if key := _key(heading):
                self._positions.setdefault(key, []).append(position)
            else:
                self.unknown.append(heading)

    def columns(self, lines: Sequence[Sequence[str]]) -> Batch:
        """Return the people of some lines, as `batch_of` does for rows."""
        for line in lines:
            if len(line) != self._width:
                raise FileFailed(
                    f"A line of the service's file has {counted(len(line), 'cell')}"
                    f" under {counted(self._width, 'heading')}."
                )
        cells = list(zip(*lines, strict=True))
        columns: dict[str, Sequence[str]] = {
            key: _first_known([cells[position] for position in positions])
            for key, positions in self._positions.items()
        }
        if ids := columns.get("matchedTopicIds"):
            columns["matchedTopicIds"] = [cell.strip(" []{}") for cell in ids]
        for key, sources in _MADE.items():
            if found := [columns[source] for source in sources if source in columns]:
                columns[key] = _first_known(found)
        nobody = [""] * len(lines)
        full, *parts = (columns.get(name, nobody) for name in ("fullName", "firstName", "lastName"))
        made = [" ".join(filter(None, both)) for both in zip(*parts, strict=True)]
        columns["fullName"] = _first_known([full, made])
        return columns


def _first_known(columns: Sequence[Sequence[str]]) -> Sequence[str]:
    """Merge columns into one: for each person, the first of them that has a value."""
    first, *others = columns
    for other in others:
        first = [one or another for one, another in zip(first, other, strict=True)]
    return first


def _key(heading: str) -> str | None:
    """Return the field of a heading, by the whole of it or by its last part."""
    *outer, last = (_NOT_LETTERS.sub("", part) for part in heading.lower().split("."))
    whole = _BY_HEADING.get("".join([*outer, last]))
    return whole or (None if "".join(outer) in _OTHERS_OWN else _BY_HEADING.get(last))
