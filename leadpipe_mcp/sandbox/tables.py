"""The people of a run as a table: its columns, its rows, and a CSV file made piece by piece."""

import csv
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from leadpipe_mcp.sandbox.catalog_rows import result_row as catalog_row
from leadpipe_mcp.sandbox.flat_rows import result_row as flat_row
from leadpipe_mcp.sandbox.matching import Hit, Match
from leadpipe_mcp.sandbox.reading import is_array, is_object
from leadpipe_mcp.sandbox.replies import Json
from leadpipe_mcp.sandbox.settings import SandboxSettings

Shape = Literal["flat", "catalog"]
CSV = "text/csv; charset=utf-8"
# Looking up topics pays for many people at once, writing them does not.
_HITS_AT_ONCE, _ROWS_AT_ONCE = 4_000, 500
_BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Table:
    """The people of a match in the words of a generation; nested fields have dotted names."""

    match: Match
    shape: Shape
    settings: SandboxSettings

    @property
    def columns(self) -> list[str]:
        """The names of the columns, which do not depend on who was found."""
        anybody = Hit(self.match.world, 0, 0, [self.match.criteria.topics[0]])
        return list(self._row(anybody))

    def rows(self, most: int | None = None) -> Iterator[Json]:
        """The people, or the best of them, as a run's results show them."""
        ranking = self.match.ranking[:most]
        for first in range(0, len(ranking), _HITS_AT_ONCE):
            for hit in self.match.hits(ranking[first : first + _HITS_AT_ONCE]):
                yield self._row(hit)

    def pieces(self, most: int | None = None) -> Iterator[bytes]:
        """A CSV file with a header, never more of it at once than a few hundred rows."""
        page = io.StringIO(_BOM if self.settings.csv_starts_with_bom else "", newline="")
        page.seek(0, io.SEEK_END)
        writer = csv.writer(page)
        writer.writerow(self.columns)
        for number, row in enumerate(self.rows(most), start=1):
            writer.writerow([_text(value, self.settings.separator) for value in row.values()])
            if number % _ROWS_AT_ONCE == 0:
                yield page.getvalue().encode()
                page.seek(0)
                page.truncate()
        yield page.getvalue().encode()

    def _row(self, hit: Hit) -> Json:
        if self.shape == "flat":
            return flat_row(hit, self.settings)
        return dict(_dotted(catalog_row(hit)))


@lru_cache(maxsize=16)
def filled(match: Match, shape: Shape) -> dict[str, int]:
    """For how many people each column says something."""
    # How values are written is a matter of settings, whether there are any is not.
    table = Table(match, shape, SandboxSettings())
    counts = dict.fromkeys(table.columns, 0)
    for row in table.rows():
        for column, value in row.items():
            if value not in (None, "", []):
                counts[column] += 1
    return counts


def size_and_sha1(table: Table) -> tuple[int, str]:
    """How many bytes the CSV file has, and their SHA-1."""
    size, digest = 0, hashlib.sha1(usedforsecurity=False)
    for piece in table.pieces():
        size += len(piece)
        digest.update(piece)
    return size, digest.hexdigest()


def percent(part: int, whole: int) -> float:
    """The part in percent, with two decimals."""
    return round(100 * part / whole, 2) if whole else 0.0


def attachment(name: str) -> dict[str, str]:
    """The headers of a CSV file to keep."""
    return {"Content-Type": CSV, "Content-Disposition": f'attachment; filename="{name}"'}


def _dotted(row: Json) -> Iterator[tuple[str, object]]:
    for key, value in row.items():
        if is_object(value):
            yield from ((f"{key}.{inner}", part) for inner, part in value.items())
        else:
            yield key, value


def _text(value: object, separator: str) -> str:
    """A cell: a list becomes its parts, a topic its name, nothing an empty cell."""
    if is_array(value):
        return separator.join(_text(part, separator) for part in value)
    if is_object(value):
        return str(value["topicName"])
    return "" if value is None else str(value)
