"""Gathering: everyone of a run in batches, from the service's file or from its pages."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

from anyio import to_thread

from leadpipe_mcp.api.coming import ComingFile
from leadpipe_mcp.api.everyone import Everyone
from leadpipe_mcp.api.models import Run
from leadpipe_mcp.people.columns import Batch, batch_of, row_of
from leadpipe_mcp.people.csv_rows import CsvReader


@asynccontextmanager
async def gather(
    everyone: Everyone, audience_id: str, run: Run
) -> AsyncGenerator[AsyncIterator[Batch | None]]:
    """The people of a finished run in batches, under the names that `row_of` gives their fields.

    None stands where they come anew, and the batches before it are void.

    Raises:
        LeadpipeError: If they do not come whole.
    """
    async with everyone.file(audience_id, run) as file:
        found = _of_file(file) if file else _of_pages(everyone, audience_id, run)
        async with aclosing(found) as batches:
            yield batches


async def _of_file(file: ComingFile) -> AsyncGenerator[Batch | None]:
    """The people of a file, each piece read while the next one comes."""
    reader = CsvReader()
    async with aclosing(file.pieces()) as pieces:
        async for piece in pieces:
            if piece is None:
                reader = CsvReader()
                yield None
            elif batch := await to_thread.run_sync(reader.read, piece):
                yield batch
    if batch := await to_thread.run_sync(reader.finish):
        yield batch


async def _of_pages(everyone: Everyone, audience_id: str, run: Run) -> AsyncGenerator[Batch]:
    async with aclosing(everyone.pages(audience_id, run)) as pages:
        async for page in pages:
            yield batch_of([row_of(person) for person in page.people])
