"""Everyone in a run: as the file that the service makes of it, or page by page."""

import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
from pydantic import JsonValue

from leadpipe_mcp.api.answers import cursor_text
from leadpipe_mcp.api.exports import Exports
from leadpipe_mcp.api.incoming import ComingFile
from leadpipe_mcp.api.models import PeoplePage, Run
from leadpipe_mcp.api.runs import Runs
from leadpipe_mcp.errors import Conflict, UnusableAnswer

PAGE = 100
FEW = 3 * PAGE
"""So few people come faster page by page than as a file."""


class Everyone:
    """All people of a finished run.

    Args:
        runs: Who gives pages.
        exports: Who gives links to files.
    """

    def __init__(self, runs: Runs, exports: Exports) -> None:
        self._runs = runs
        self._exports = exports

    @asynccontextmanager
    async def file(
        self, audience_id: str, run: Run, *, is_wanted: bool = True
    ) -> AsyncGenerator[ComingFile | None]:
        """The service's CSV file, to be read while it comes; it is on disk as long as that takes.

        None where pages are the better way: for few people, or where there is no such file; and
        where it is not wanted.

        Raises:
            FileFailed: If it did not come.
        """
        if not is_wanted or (run.size is not None and run.size <= FEW):
            yield None
            return
        error: Exception | None = None
        with (
            tempfile.TemporaryDirectory(prefix="leadpipe-") as folder,
            ComingFile(Path(folder) / "people.csv") as file,
        ):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._download, audience_id, run, file)
                try:
                    yield file if await file.is_there() else None
                except Exception as raised:  # noqa: BLE001 -- the group would wrap it
                    error = raised
                tasks.cancel_scope.cancel()
        if error:
            raise error

    async def _download(self, audience_id: str, run: Run, file: ComingFile) -> None:
        with file.arriving():
            await self._exports.download(audience_id, run, file)

    async def pages(self, audience_id: str, run: Run) -> AsyncGenerator[PeoplePage]:
        """The people of the run, a hundred at a time.

        Raises:
            UnusableAnswer: If the service gives the same page again, or changes the run meanwhile.
        """
        cursor: JsonValue = None
        seen: set[str] = set()
        while True:
            page = await self._runs.people(
                audience_id, run_id=run.id, date=run.data_date, limit=PAGE, cursor=cursor
            )
            if page.run.state != "ready":
                raise Conflict("The people are being put together again just now.")
            yield page
            cursor = page.next_cursor
            if cursor is None:
                return
            place = cursor_text(cursor)
            if place in seen:
                raise UnusableAnswer("The service gives the same page of people again and again.")
            seen.add(place)
