"""Everyone in a run: as the file that the service makes of it, or page by page."""

import re
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import BinaryIO
from urllib.parse import urlsplit

import anyio
from pydantic import AliasChoices, Field, JsonValue

from leadpipe_mcp import errors
from leadpipe_mcp.api.addresses import checked_base_url
from leadpipe_mcp.api.answers import Answer, as_object, cursor_text
from leadpipe_mcp.api.budget import LONG_SECONDS, present_budget
from leadpipe_mcp.api.generations import Service, audience_path, check_day
from leadpipe_mcp.api.models import PeoplePage, Run
from leadpipe_mcp.api.reading import Count, Id, Label, Moment, Name, Text, Told
from leadpipe_mcp.api.runs import MOST_RUNS, Runs, wait_until
from leadpipe_mcp.errors import Conflict, FileFailed, NotFound, ServiceError, UnusableAnswer
from leadpipe_mcp.text import redact

_PLAIN = re.compile(r"[^\s<>\"'`\\]{1,4000}")
PAGE = 100
FEW = 3 * PAGE
"""So few people come faster page by page than as a file."""

# Where a link leads, it is not the service that answers, and it has not seen its key.
_HOST = replace(errors.LEADPIPE, names=("That host", "that host"))


class Export(Told):
    """The CSV file of a run. `url` is None while the file is still being written."""

    id: Id | None = None
    run_id: Id | None = None
    status: Label | None = None
    error_message: Text = None
    url: str | None = Field(default=None, repr=False)
    file_name: Name | None = None
    rows: Count | None = Field(default=None, validation_alias=AliasChoices("rows", "rowCount"))
    data_date: Moment = None
    expires_at: Moment = Field(default=None, alias="downloadUrlExpiresAt")
    expires_in: Label | None = None
    seconds: Count | None = Field(default=None, alias="downloadUrlTtlSeconds")


class Exports:
    """The people of saved audiences as files and pages, and how much is known of them."""

    def __init__(self, service: Service, runs: Runs) -> None:
        self._service = service
        self._runs = runs

    async def run_of(
        self, audience_id: str, *, date: str | None = None, run_id: str | None = None
    ) -> Run:
        """The run that is meant: the named one, that of the date, or the newest."""
        if run_id is None:
            return await self._runs.latest(audience_id, date)
        for run in await self._runs.list(audience_id, MOST_RUNS):
            if run.id == run_id:
                return run
        raise NotFound(
            f"There is no such run among the latest {MOST_RUNS} of this audience.",
            "get_audience lists its latest runs; where they have no runId, pass date.",
        )

    async def link(
        self,
        audience_id: str,
        run: Run,
        seconds: float = 0,
        report: Callable[[float], Awaitable[None]] | None = None,
    ) -> Export:
        """The service's own link to everyone in a finished run, nothing masked.

        It waits up to `seconds` for a file that is still being written, and tells `report` how
        long it has waited so far.
        """
        way = ("runs", run.id, "exports") if run.id else ("export",)
        file: str | None = None

        async def look() -> Export:
            nonlocal file
            if file:
                answer = await self._service.get(audience_path(audience_id, *way, file))
            else:
                # The same run has the same file, however often it is asked for.
                answer = await self._service.transport.request(
                    "POST",
                    audience_path(audience_id, *way),
                    query={"date": None if run.id else run.data_date},
                    repeatable=True,
                )
            export = _read_export(answer, run)
            file = export.id
            return export

        async def tell(export: Export, waited: float) -> None:
            if report and not export.url:
                await report(waited)

        return await wait_until(look, lambda made: bool(made.url) or not made.id, seconds, tell)

    async def _download(self, audience_id: str, run: Run, file: BinaryIO) -> None:
        """Fetch the file; `FileFailed` where the people may come page by page all the same."""
        link = ""
        try:
            if run.id:
                where = audience_path(audience_id, "runs", run.id, "export.csv")
            else:
                where = link = (await self.link(audience_id, run)).url or ""
            await self._service.transport.download(where, file)
        except ServiceError as error:
            failed = "The file of the audience's people could not be"
            if link:
                error.vendor = _HOST
                host = redact(urlsplit(link).hostname or "", 100)
                why = f"{error.problem[:1].lower()}{error.problem[1:]}"
                if error.status in {401, 403, 404, 410}:
                    why = f"the link has expired, or is not taken there (status {error.status})."
                raise FileFailed(f"{failed} downloaded from {host}: {why}") from None
            if isinstance(
                error, NotFound | Conflict | errors.KeyRefused | errors.OrganizationInactive
            ):
                raise
            raise FileFailed(f"{failed} had: {error.problem}", like=error) from None

    @asynccontextmanager
    async def file(self, audience_id: str, run: Run) -> AsyncGenerator[BinaryIO | None]:
        """The service's CSV file, on disk for nobody else to read, as long as that takes.

        None where pages are the better way: for few people, or where there is no such file.
        """
        if run.size is not None and run.size <= FEW:
            yield None
            return
        error: ServiceError | None = None
        with tempfile.TemporaryFile() as file:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_tell_how_far, file)
                try:
                    await self._download(audience_id, run, file)
                except ServiceError as raised:  # The group would wrap it.
                    error = raised
                tasks.cancel_scope.cancel()
            if error and not isinstance(error, NotFound | Conflict):
                raise error
            file.seek(0)
            yield None if error else file

    async def pages(self, audience_id: str, run: Run) -> AsyncGenerator[PeoplePage]:
        """The people of the run, a hundred at a time."""
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

    async def fill_rates(self, audience_id: str, run: Run) -> dict[str, float] | None:
        """Of how many people in a hundred each field is known; None where none are ready."""
        if run.state != "ready":
            return None
        path = audience_path(audience_id, *(("runs", run.id) if run.id else ()), "stats")
        try:
            answer = await self._service.get(path, date=None if run.id else run.data_date)
        except (NotFound, Conflict):
            # The people were ready a moment ago: they are being made again, or nothing counts them.
            return None
        data = as_object(answer.data)
        stats = as_object(data.get("stats")) or data
        told = stats.get("fillRates", stats.get("fields"))
        rates = as_object(told)
        if rates is not told:
            raise answer.unusable("the fill rates are missing")
        check_day(answer, run.data_date, answer.read(Export, data).data_date)
        percent: dict[str, float] = {}
        for field, rate in rates.items():
            # One API says percentages, the other counts as well.
            share = as_object(rate).get("percent", rate)
            outer, _, inner = field.partition(".")
            # `company.name` is the company, `company.domain` its companyDomain.
            bare = not inner or field == "company.name"
            name = outer if bare else f"{outer}{inner[:1].upper()}{inner[1:]}"
            if isinstance(share, int | float):
                percent[name] = share
        return percent


async def _tell_how_far(file: BinaryIO) -> None:
    budget = present_budget()
    while budget.tell:
        await anyio.sleep(LONG_SECONDS)
        await budget.tell(f"The file is coming: {file.tell() / 1e6:,.0f} MB so far.")


def _read_export(answer: Answer, run: Run) -> Export:
    """The file of a run as an answer tells of it, in either generation."""
    data = as_object(answer.data)
    told = {**data, **as_object(data.get("export"))}
    # Nobody but the link itself shows it, and no error.
    link, _ = told.pop("downloadUrl", None), told.pop("export", None)
    export = answer.read(Export, told)
    if export.run_id not in {None, run.id}:
        raise answer.unusable("the file is of another run than was asked for")
    check_day(answer, run.data_date, export.data_date)
    if export.status in {"failed", "cancelled", "expired"}:
        said = f": {redact(export.error_message).rstrip('.')}" if export.error_message else ""
        raise errors.ServiceDown(
            f"The service did not get the file written ({export.status}){said}.",
            request_id=answer.request_id,
        )
    known: dict[str, object] = {"data_date": export.data_date or run.data_date}
    if export.status not in {"queued", "pending", "running", "processing"}:
        known["url"] = _checked_link(answer, link)
    if export.seconds is not None:
        known["expires_in"] = f"{export.seconds} seconds"
    return export.model_copy(update=known)


def _checked_link(answer: Answer, link: object) -> str:
    """The link, if it may be opened: over https, or on this machine."""
    if not isinstance(link, str) or not link:
        raise answer.unusable("the link to the file is missing")
    try:
        checked_base_url(link.partition("?")[0])
        is_plain = link.isprintable() and _PLAIN.fullmatch(link) is not None
    except ValueError:
        is_plain = False
    if not is_plain:
        raise UnusableAnswer(
            "The service's link to the file is not a plain https address, so it is not passed on.",
            "Download the file in the Leadpipe dashboard.",
            request_id=answer.request_id,
        )
    return link
