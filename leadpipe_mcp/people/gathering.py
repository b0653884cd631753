"""Gathering: everyone of a run in batches, from the service's file or from its pages."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

from anyio import to_thread

from leadpipe_mcp.api.coming import ComingFile
from leadpipe_mcp.api.everyone import Everyone
from leadpipe_mcp.api.models import Run
from leadpipe_mcp.errors import Conflict, FileFailed, NotFound
from leadpipe_mcp.people.columns import Batch, batch_of, completed
from leadpipe_mcp.people.csv_rows import CsvReader


@asynccontextmanager
async def gather(
    everyone: Everyone, audience_id: str, run: Run, *, from_file: bool = True
) -> AsyncGenerator[AsyncIterator[Batch | None]]:
    """The people of a finished run in batches.

    None stands where they come anew, and the batches before it are void.

    Raises:
        FileFailed: If the service's file does not come whole; without `from_file` they may come.
        LeadpipeError: If their pages do not come whole.
    """
    async with everyone.file(audience_id, run, is_wanted=from_file) as file:
        found = _of_file(file) if file else _of_pages(everyone, audience_id, run)
        async with aclosing(found) as batches:
            yield batches


async def _of_file(file: ComingFile) -> AsyncGenerator[Batch | None]:
    """The people of a file, each piece read while the next one comes."""
    reader = CsvReader()
    try:
        async with aclosing(file.pieces()) as pieces:
            async for piece in pieces:
                if piece is None:
                    reader = CsvReader()
                    yield None
                elif batch := await to_thread.run_sync(reader.read, piece):
                    yield batch
    except (NotFound, Conflict) as gone:
        raise FileFailed(
            f"The service's file went away while it came: {gone.problem}", status=gone.status
        ) from None
    if batch := await to_thread.run_sync(reader.finish):
        yield batch


async def _of_pages(everyone: Everyone, audience_id: str, run: Run) -> AsyncGenerator[Batch]:
    async with aclosing(everyone.pages(audience_id, run)) as pages:
        async for page in pages:
            yield batch_of([completed(person) for person in page.people])
