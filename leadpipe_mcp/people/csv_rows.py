"""The service's CSV files: each line as the row that the same person has in an answer."""

import re
from collections.abc import Callable, Mapping, Sequence

from leadpipe_mcp.errors import FileFailed
from leadpipe_mcp.people.columns import COLUMNS, Column, completed
from leadpipe_mcp.text import counted

_NOT_LETTERS = re.compile(r"[^a-z0-9]")
_INTEGER = re.compile(r"-?\d{1,18}", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,15})?", re.ASCII)
_BETWEEN = re.compile(r"\s*[,;|]\s*")
_FLAGS = {"true": True, "false": False}

# What a heading is called beside the field's own name, in letters alone.
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
# Whose parts are not the person's own: the telephone of a company is not theirs.
_OTHERS_OWN = {"company", "intent"}
_MADE_OF_OTHERS = {"contactEmail"}


class CsvRows:
    """Reads the lines of one file by its headings, whichever generation wrote them.

    Args:
        headings: The file's first line. Case and what stands between words do not matter; of
            nested fields (location.city) the last part counts.

    Attributes:
        unknown: The headings that are not known; what stands under them is left out.
    """

    def __init__(self, headings: Sequence[str]) -> None:
        found = [_column(heading) for heading in headings]
        self.unknown = tuple(
            heading for heading, column in zip(headings, found, strict=True) if column is None
        )
        keys = [column.key if column else "" for column in found]
        # Where two headings mean one field, the second is for those of whom the first tells none.
        first = [key if keys.index(key) == place else "" for place, key in enumerate(keys)]
        self._keys = first
        self._second = [(place, key) for place, key in enumerate(keys) if key and not first[place]]
        self._readers = [(c.key, read) for c in found if c and (read := _reader(c))]

    def row(self, cells: Sequence[str]) -> dict[str, object]:
        """The person of a line, as `completed` makes them; empty cells are left out.

        Raises:
            FileFailed: If the line has more or fewer cells than there are headings.
        """
        if len(cells) != len(self._keys):
            raise FileFailed(
                f"A line of the service's file has {counted(len(cells), 'cell')}"
                f" under {counted(len(self._keys), 'heading')}."
            )
        row: dict[str, object] = {
            key: cell for key, cell in zip(self._keys, cells, strict=True) if cell and key
        }
        for place, key in self._second:
            if cells[place] and key not in row:
                row[key] = cells[place]
        for key, read in self._readers:
            if key in row:
                row[key] = read(str(row[key]))
        _lift(row)
        return completed(row)


def _lift(row: dict[str, object]) -> None:
    """Give the row the fields that an answer fills from others: the one from the several."""
    if "personalEmail" not in row and "personalEmails" in row:
        row["personalEmail"] = row["personalEmails"]
    phone = row.get("mobilePhones") or row.get("directNumbers") or row.get("phones")
    if phone:
        row["phone"] = phone


def _column(heading: str) -> Column | None:
    """The column of a heading, by the whole of it or by its last part."""
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
    """How a cell of the column is read; None where it is taken as it is."""
    if column.key == "matchedTopicIds":
        return _ids
    return {"number": _number, "flag": _flag}.get(column.holds)


def _number(cell: str) -> int | float | str:
    if _INTEGER.fullmatch(cell):
        return int(cell)
    return float(cell) if _NUMBER.fullmatch(cell) else cell


def _flag(cell: str) -> bool | str:
    return _FLAGS.get(cell.lower(), cell)


def _ids(cell: str) -> list[int | float | str]:
    """The ids of a cell, in whatever brackets they stand."""
    return [_number(part) for part in _BETWEEN.split(cell.strip(" []{}")) if part]
