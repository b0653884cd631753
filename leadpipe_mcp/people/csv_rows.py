"""The service's CSV files, read into the same fields as its other answers."""

import codecs
import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence

from leadpipe_mcp.errors import FileFailed
from leadpipe_mcp.people.columns import COLUMNS, Batch, Column
from leadpipe_mcp.text import counted

LONGEST_CELL = 2**24
LONGEST_HEADINGS = 2**19
"""A file whose first line is longer is something else, and is not kept to see how it goes on."""

NOT_PEOPLE = "The service's file is not a list of people."

_NOT_LETTERS = re.compile(r"[^a-z0-9]")
_INTEGER = re.compile(r"-?\d{1,18}", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,15})?", re.ASCII)
_BETWEEN = re.compile(r"\s*[,;|]\s*")
_FLAGS = {"true": True, "false": False}

# What headings are called beside the field's own name, in letters only.
_OTHER_HEADINGS: Mapping[str, str] = {
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
_MADE_OF_OTHERS = {"contactEmail"}
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

    def read(self, piece: bytes) -> Batch | None:
        """Return the people whose lines are complete by now; None if there are none.

        Raises:
            FileFailed: If it is not a file of people.
        """
        return self._batch(self._decoder.decode(piece), is_last=False)

    def finish(self) -> Batch | None:
        """Return the people of the last lines, as `read` does."""
        return self._batch(self._decoder.decode(b"", final=True), is_last=True)

    def _batch(self, text: str, *, is_last: bool) -> Batch | None:
        self._text += text
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

    Raises:
        FileFailed: If they are not lines of CSV.
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

    Args:
        headings: The file's first line. Case and separators do not matter; of nested fields
            (location.city) the last part counts.

    Attributes:
        unknown: The headings that are unknown; their columns are left out.
    """

    def __init__(self, headings: Sequence[str]) -> None:
        found = [_column(heading) for heading in headings]
        self.unknown = tuple(
            heading for heading, column in zip(headings, found, strict=True) if column is None
        )
        self._width = len(headings)
        self._positions: dict[str, list[int]] = {}
        for position, column in enumerate(found):
            if column:
                self._positions.setdefault(column.key, []).append(position)
        known = {column.key: column for column in found if column}
        self._readers = [(key, read) for key, c in known.items() if (read := _reader(c))]

    def columns(self, lines: Sequence[Sequence[str]]) -> Batch:
        """Return the people of some lines, as `batch_of` does for rows.

        Raises:
            FileFailed: If a line has more or fewer cells than there are headings.
        """
        for line in lines:
            if len(line) != self._width:
                raise FileFailed(
                    f"A line of the service's file has {counted(len(line), 'cell')}"
                    f" under {counted(self._width, 'heading')}."
                )
        cells = list(zip(*lines, strict=True))
        columns: dict[str, Sequence[object]] = {}
        for key, positions in self._positions.items():
            columns[key] = _first_known([cells[position] for position in positions])
        for key, read in self._readers:
            # The same few texts are repeated again and again.
            known = {cell: read(str(cell)) for cell in set(columns[key]) if cell}
            columns[key] = [known.get(cell) for cell in columns[key]]
        for key, sources in _MADE.items():
            if found := [columns[source] for source in sources if source in columns]:
                columns[key] = _first_known(found)
        columns["fullName"] = _full_names(columns, len(lines))
        return columns


def _first_known(columns: Sequence[Sequence[object]]) -> Sequence[object]:
    """Merge columns into one: for each person, the first of them that has a value."""
    first, *others = columns
    for other in others:
        first = [one or another for one, another in zip(first, other, strict=True)]
    return first


def _full_names(columns: Mapping[str, Sequence[object]], people: int) -> Sequence[object]:
    """Return the names as they came, or else made of the first and the last name."""
    nobody = [""] * people
    firsts, lasts = columns.get("firstName", nobody), columns.get("lastName", nobody)
    made = [
        f"{first} {last}" if first and last else first or last
        for first, last in zip(firsts, lasts, strict=True)
    ]
    return _first_known([columns["fullName"], made]) if "fullName" in columns else made


def _column(heading: str) -> Column | None:
    """Return the column of a heading, by the whole of it or by its last part."""
    by_heading = _by_heading()
    outer, _, inner = heading.rpartition(".")
    parts = (heading,) if _letters(outer) in _OTHERS_OWN else (heading, inner)
    return next(
        (by_heading[part] for part in map(_letters, parts) if part in by_heading),
        None,
    )


def _letters(heading: str) -> str:
    return _NOT_LETTERS.sub("", heading.lower())


def _by_heading() -> Mapping[str, Column]:
    by_key = {column.key: column for column in COLUMNS.values()}
    known = {key.lower(): column for key, column in by_key.items() if key not in _MADE_OF_OTHERS}
    return known | {heading: by_key[key] for heading, key in _OTHER_HEADINGS.items()}


def _reader(column: Column) -> Callable[[str], object] | None:
    """Return how to read the column's cells; None where they are taken as they are."""
    if column.key == "matchedTopicIds":
        return _ids
    return {"number": _number, "flag": _flag}.get(column.holds)


def _number(cell: str) -> int | float | str:
    if _INTEGER.fullmatch(cell):
        return int(cell)
    return float(cell) if _NUMBER.fullmatch(cell) else cell


def _flag(cell: str) -> bool | str:
    return _FLAGS.get(cell.lower(), cell)


def _ids(cell: str) -> str:
    """Return the ids of a cell without any brackets, separated by commas."""
    parts = _BETWEEN.split(cell.strip(" []{}"))
    return ", ".join(str(_number(part)) for part in parts if part)
