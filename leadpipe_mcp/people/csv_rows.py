"""The service's CSV files, read into the same fields as its other answers."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import BinaryIO

from leadpipe_mcp.errors import FileFailed
from leadpipe_mcp.people.columns import COLUMNS, Batch
from leadpipe_mcp.text import counted

LONGEST_LINE = 2**22
"""A file with a longer one is something else, and is not kept to see how it goes on."""
_AT_ONCE = 250

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


def read_people(file: BinaryIO) -> Iterator[Batch]:
    """Yield the people of a file in batches; bytes that are not UTF-8 become other characters.

    Raises:
        FileFailed: If the file is not a list of people, or breaks off.
    """
    # This limit applies to the whole program.
    csv.field_size_limit(LONGEST_LINE)
    with io.TextIOWrapper(file, "utf-8-sig", "replace", newline="") as text:
        lines = csv.reader(iter(lambda: text.readline(LONGEST_LINE), ""), strict=True)
        try:
            headings = next(lines, list[str]())
            rows = CsvRows(headings)
            if not headings or len(rows.unknown) > len(headings) // 2:
                raise FileFailed("The service's file is not a list of people.")
            while batch := list(islice(lines, _AT_ONCE)):
                yield rows.columns(batch)
        except csv.Error:
            raise FileFailed("The service's file is broken in the middle.") from None


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
