"""Gathering: everyone of a run as rows, from the service's file or from its pages."""

import csv
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from anyio import to_thread

from leadpipe_mcp.api.everyone import Everyone
from leadpipe_mcp.api.models import Run
from leadpipe_mcp.errors import FileFailed
from leadpipe_mcp.people.columns import completed
from leadpipe_mcp.people.csv_rows import CsvRows

AT_ONCE = 2_000
LONGEST_CELL = 2**24

Row = Mapping[str, object]


async def gather(
    everyone: Everyone, audience_id: str, run: Run, *, from_file: bool = True
) -> AsyncGenerator[Sequence[Row]]:
    """The people of a finished run in batches, as `completed` gives them.

    Raises:
        FileFailed: If the service's file does not come whole; without `from_file` they may come.
        LeadpipeError: If their pages do not come whole.
    """
    async with everyone.file(audience_id, run, is_wanted=from_file) as path:
        if path is not None:
            rows = _read(path)
            while batch := await to_thread.run_sync(_next, rows):
                yield batch
            return
    async for page in everyone.pages(audience_id, run):
        yield [completed(person) for person in page.people]


def _next(rows: Iterator[Row]) -> list[Row]:
    return list(islice(rows, AT_ONCE))


def _read(path: Path) -> Iterator[Row]:
    """The lines of a CSV file as rows. What is no letter in it becomes a question mark.

    Raises:
        FileFailed: If it is no file of people.
    """
    # The longest cell that the reader takes is a setting of the whole program.
    csv.field_size_limit(LONGEST_CELL)
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        lines = csv.reader(file, strict=True)
        try:
            headings = next(lines, None) or []
            reader = CsvRows(headings)
            if not headings or len(reader.unknown) > len(headings) // 2:
                raise FileFailed("The service's file is not a list of people.")
            yield from map(reader.row, lines)
        except csv.Error:
            raise FileFailed("The service's file is broken in the middle.") from None
