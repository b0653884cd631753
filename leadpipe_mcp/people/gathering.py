"""Gathering: everyone of a run as rows, from the service's file or from its pages."""

import csv
from collections.abc import AsyncGenerator, Iterator
from itertools import islice
from pathlib import Path

from anyio import to_thread

from leadpipe_mcp.api.everyone import Everyone
from leadpipe_mcp.api.models import Run
from leadpipe_mcp.errors import UnusableAnswer
from leadpipe_mcp.people.columns import Batch, batch_of, row_of
from leadpipe_mcp.people.csv_rows import CsvRows

AT_ONCE = 1_000
LONGEST_CELL = 2**24


async def gather(everyone: Everyone, audience_id: str, run: Run) -> AsyncGenerator[Batch]:
    """The people of a finished run in batches, under the names that `row_of` gives their fields.

    Raises:
        LeadpipeError: If they do not come whole.
    """
    async with everyone.file(audience_id, run) as path:
        if path is not None:
            batches = _read(path)
            while batch := await to_thread.run_sync(next, batches, None):
                yield batch
            return
    async for page in everyone.pages(audience_id, run):
        yield batch_of([row_of(person) for person in page.people])


def _read(path: Path) -> Iterator[Batch]:
    """The lines of a CSV file in batches. What is no letter in it becomes a question mark.

    Raises:
        UnusableAnswer: If it is no file of people.
    """
    # The longest cell that the reader takes is a setting of the whole program.
    csv.field_size_limit(LONGEST_CELL)
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        lines = csv.reader(file, strict=True)
        try:
            headings = next(lines, None) or []
            reader = CsvRows(headings)
            if not headings or len(reader.unknown) > len(headings) // 2:
                raise UnusableAnswer("The service's file is not a list of people.")
            while batch := list(islice(lines, AT_ONCE)):
                yield reader.columns(batch)
        except csv.Error:
            raise UnusableAnswer("The service's file is broken in the middle.") from None
