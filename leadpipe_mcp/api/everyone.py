"""Everyone in a run: as the file that the service makes of it, or page by page."""

import os
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO

from pydantic import JsonValue

from leadpipe_mcp.api.answers import cursor_text
from leadpipe_mcp.api.exports import Exports
from leadpipe_mcp.api.models import PeoplePage, Run
from leadpipe_mcp.api.runs import Runs
from leadpipe_mcp.errors import Conflict, NotFound, UnusableAnswer

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
    ) -> AsyncGenerator[Path | None]:
        """The service's CSV file, on disk as long as it is needed, for nobody else to read.

        None where pages are the better way: for few people, or where there is no such file; and
        where it is not wanted.

        Raises:
            FileFailed: If it did not come.
        """
        if not is_wanted or (run.size is not None and run.size <= FEW):
            yield None
            return
        with tempfile.TemporaryDirectory(prefix="leadpipe-") as folder:
            path = Path(folder) / "people.csv"
            with _new_file(path) as file:
                found = await self._download(audience_id, run, file)
            yield path if found else None

    async def _download(self, audience_id: str, run: Run, file: BinaryIO) -> bool:
        """Whether there is such a file, and it came."""
        try:
            await self._exports.download(audience_id, run, file)
        except (NotFound, Conflict):
            return False
        return True

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
                raise Conflict("The people are being put together anew just now.")
            yield page
            cursor = page.next_cursor
            if cursor is None:
                return
            place = cursor_text(cursor)
            if place in seen:
                raise UnusableAnswer("The service gives the same page of people again and again.")
            seen.add(place)


def _new_file(path: Path) -> BinaryIO:
    """A file for nobody else to read, even where the folder is not private."""
    return os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w+b")
