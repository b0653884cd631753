"""Exports: tables of people that become CSV files when somebody downloads them by a link."""

import csv
import hashlib
import hmac
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal
from urllib.parse import urlencode

from leadpipe_mcp.sandbox.dice import identity
from leadpipe_mcp.sandbox.matching import Hit, Match
from leadpipe_mcp.sandbox.replies import Json, Refusal, is_array, is_object, not_found
from leadpipe_mcp.sandbox.rows import SEPARATOR, catalog_result_row, flat_result_row
from leadpipe_mcp.sandbox.settings import SandboxSettings
from leadpipe_mcp.sandbox.store import Audience, Run

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
            writer.writerow([_text(value) for value in row.values()])
            if number % _ROWS_AT_ONCE == 0:
                yield page.getvalue().encode()
                page.seek(0)
                page.truncate()
        yield page.getvalue().encode()

    def _row(self, hit: Hit) -> Json:
        if self.shape == "flat":
            return flat_result_row(hit, self.settings)
        return dict(_dotted(catalog_result_row(hit)))


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


def _text(value: object) -> str:
    """A cell: a list becomes its parts, a topic its name, nothing an empty cell."""
    if is_array(value):
        return SEPARATOR.join(map(_text, value))
    if is_object(value):
        return str(value["topicName"])
    return "" if value is None else str(value)


FILES_PATH = "/_files"
# It signs invented people only, and a link should be the same on every start.
_SIGNER = b"sandbox"
_LONGEST_SLUG = 60
LINK_SECONDS = 86_400
"""How long a download URL works."""


@dataclass(slots=True, eq=False)
class File:
    """The people of a completed run, to be downloaded in the words of a generation."""

    id: str
    name: str
    run: Run
    shape: Shape
    created: float
    checksums: tuple[int, str] | None = None
    """Size and SHA-1, once somebody wanted to know."""

    def table(self, settings: SandboxSettings) -> Table:
        """What is in it."""
        return Table(self.run.match(settings.people), self.shape, settings)


class Files:
    """The exports of all organisations."""

    def __init__(self) -> None:
        self._files: dict[str, File] = {}

    def of_run(self, run: Run, shape: Shape) -> File | None:
        """The export of a run, if it was made."""
        return self._files.get(_file_id(run, shape))

    def add(self, audience: Audience, run: Run, shape: Shape, now: float) -> File:
        """The export of a run."""
        file_id = _file_id(run, shape)
        name = f"{_slug(audience.name)}-{run.day.isoformat()}.csv"
        self._files[file_id] = File(file_id, name, run, shape, now)
        return self._files[file_id]

    def forget(self, audience: Audience) -> None:
        """Remove everything that was exported of an audience."""
        for run in audience.runs:
            for shape in ("flat", "catalog"):
                self._files.pop(_file_id(run, shape), None)

    def opened(self, path: Mapping[str, str], query: Mapping[str, str], now: float) -> File:
        """The file that a link leads to, if the link is ours and has not expired."""
        place, expires = f"{path['file_id']}/{path['name']}", query.get("expires", "")
        signature = query.get("signature", "").encode()
        if not hmac.compare_digest(signature, _signature(place, expires).encode()):
            raise Refusal(403, "Invalid signature")
        if now >= int(expires):
            raise Refusal(403, "The link has expired")
        if path["file_id"] not in self._files:
            raise not_found("File")
        return self._files[path["file_id"]]


def link(file: File, base_url: str, expires: int) -> str:
    """Where the file can be downloaded without a key until a moment."""
    place = f"{file.id}/{file.name}"
    query = urlencode({"expires": expires, "signature": _signature(place, str(expires))})
    return f"{base_url}{FILES_PATH}/{place}?{query}"


def _signature(place: str, expires: str) -> str:
    return hmac.new(_SIGNER, f"{place} {expires}".encode(), hashlib.sha256).hexdigest()


def _file_id(run: Run, shape: Shape) -> str:
    return identity(f"file {run.id} {shape}")


def _slug(name: str) -> str:
    words = re.findall(r"[a-z0-9]+", name.lower())
    return "-".join(words)[:_LONGEST_SLUG].strip("-") or "audience"
