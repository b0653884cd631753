"""Exports: the file of everyone in a run, and how much is known of them."""

from collections.abc import Awaitable, Callable, Mapping
from typing import BinaryIO, cast
from urllib.parse import urlsplit

import anyio
from pydantic import Field

from leadpipe_mcp.api.addresses import checked_base_url
from leadpipe_mcp.api.answers import Answer, as_object
from leadpipe_mcp.api.budget import present_budget
from leadpipe_mcp.api.models import Run
from leadpipe_mcp.api.reading import Count, Id, Label, Model, Moment, Name, Text, Told
from leadpipe_mcp.api.runs import FIRST_PAUSE, LONGEST_PAUSE, MOST_RUNS, Runs, check_day
from leadpipe_mcp.api.service import Service, audience_path
from leadpipe_mcp.errors import (
    Conflict,
    Failing,
    FileFailed,
    KeyRefused,
    NotFound,
    OrganizationInactive,
    OutOfTime,
    ServiceDown,
    ServiceError,
    Unreachable,
    UnusableAnswer,
)
from leadpipe_mcp.text import redact

LONGEST_LINK = 4_000

_FAILING: Mapping[Failing, str] = {
    "not sent": "that host could not be reached",
    "late": "that host did not answer in time",
    "lost": "the connection was lost before the file was complete",
}
_UNFINISHED = {"queued", "pending", "running", "processing"}
_FAILED = {"failed", "cancelled", "expired"}


class Export(Model):
    """The CSV file of a run. `url` is None while the file is still being written."""

    url: str | None = Field(default=None, repr=False)
    file_name: Name | None = None
    rows: Count | None = None
    data_date: Moment = None
    expires_at: Moment = None
    expires_in: Label | None = None


class FillRates(Told):
    """Of how many people in a hundred each field is known."""

    total: Count | None = None
    data_date: Moment = None
    percent: dict[str, float]


class _Dated(Told):
    download_url: object = None
    file_name: Name | None = None
    rows: Count | None = None
    data_date: Moment = None
    expires_in: Label | None = None


class _File(Model):
    id: Id | None = None
    run_id: Id | None = None
    status: Label | None = None
    file_name: Text = None
    row_count: Count | None = None
    error_message: Text = None


class _Stored(Model):
    export: _File = _File()
    download_url: object = None
    download_url_expires_at: Moment = None
    download_url_ttl_seconds: Count | None = None


class Exports:
    """The files and the fill rates of saved audiences."""

    def __init__(self, service: Service, runs: Runs) -> None:
        self._service = service
        self._runs = runs

    async def run_of(
        self, audience_id: str, *, date: str | None = None, run_id: str | None = None
    ) -> Run:
        """The run that is meant: the named one, that of the date, or the newest.

        Raises:
            NotFound: If the audience has no run of this id.
        """
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
        seconds: float,
        report: Callable[[float], Awaitable[None]],
    ) -> Export:
        """The service's own link to everyone in a finished run, nothing masked.

        It waits up to `seconds` for a file that is still being written, and tells `report` how
        long it has waited so far.
        """
        if run.id is None:
            return await self.dated(audience_id, run)
        path = audience_path(audience_id, "runs", run.id, "exports")
        # The same run has the same file, however often it is asked for.
        answer = await self._service.transport.request("POST", path, repeatable=True)
        started, pause = anyio.current_time(), FIRST_PAUSE
        present_budget().extend(seconds)
        while True:
            stored = answer.read(_Stored)
            export = _read_stored(answer, stored, run)
            waited = anyio.current_time() - started
            if export.url or stored.export.id is None or waited >= seconds:
                return export
            await report(waited)
            await anyio.sleep(min(pause, seconds - waited))
            pause = min(pause * 1.5, LONGEST_PAUSE)
            answer = await self._service.get(
                audience_path(audience_id, "runs", run.id, "exports", stored.export.id)
            )

    async def dated(self, audience_id: str, run: Run) -> Export:
        """The file of a run that goes by date, with a link that holds for a day."""
        answer = await self._service.transport.request(
            "POST",
            audience_path(audience_id, "export"),
            query={"date": run.data_date},
            repeatable=True,
        )
        made = answer.read(_Dated)
        check_day(answer, run.data_date, made.data_date)
        return Export(
            url=_checked_link(answer, made.download_url),
            file_name=made.file_name,
            rows=made.rows,
            data_date=made.data_date or run.data_date,
            expires_in=made.expires_in,
        )

    async def download(self, audience_id: str, run: Run, file: BinaryIO) -> None:
        """Fetch the CSV file of everyone in a finished run.

        Raises:
            NotFound, Conflict: If there is no such file.
            FileFailed: If it did not come; page by page the people may come all the same.
            ServiceError: If nothing else would come either.
        """
        where = ""
        try:
            if run.id is None:
                where = (await self.dated(audience_id, run)).url or ""
                await self._service.transport.download(where, file)
            else:
                path = audience_path(audience_id, "runs", run.id, "export.csv")
                await self._service.transport.download(path, file)
        except ServiceError as error:
            if where:
                raise FileFailed(_elsewhere(where, error), status=error.status) from None
            if isinstance(error, NotFound | Conflict | KeyRefused | OrganizationInactive):
                raise
            raise FileFailed(
                f"The file of the audience's people could not be had: {error.problem}",
                status=error.status,
                request_id=error.request_id,
            ) from None

    async def fill_rates(self, audience_id: str, run: Run) -> FillRates | None:
        """Return how many people of a run each field is known of; None where none are ready."""
        if run.state != "ready":
            return None
        path = audience_path(audience_id, *(("runs", run.id) if run.id else ()), "stats")
        day = run.data_date if run.id is None else None
        try:
            answer = await self._service.get(path, date=day)
        except (NotFound, Conflict):
            # The people were ready a moment ago: they are being made again, or nothing counts them.
            return None
        data = as_object(answer.data)
        stats = as_object(data.get("stats")) or data
        rates = stats.get("fillRates", stats.get("fields"))
        if not isinstance(rates, dict):
            raise answer.unusable("the fill rates are missing")
        told = {"total": stats.get("total"), "dataDate": data.get("dataDate") or run.data_date}
        percent = _percent(cast("dict[str, object]", rates))
        counted = answer.read(FillRates, {**told, "percent": percent})
        check_day(answer, run.data_date, counted.data_date)
        return counted


def _percent(rates: Mapping[str, object]) -> dict[str, object]:
    """The rates by our names: one API says percentages, the other counts as well."""
    told = {name: as_object(rate).get("percent", rate) for name, rate in rates.items()}
    return {_our_name(name): rate for name, rate in told.items() if isinstance(rate, int | float)}


def _our_name(field: str) -> str:
    """`company.name` is the company, `company.domain` its companyDomain."""
    outer, _, inner = field.partition(".")
    if not inner or (outer, inner) == ("company", "name"):
        return outer
    return f"{outer}{inner[:1].upper()}{inner[1:]}"


def _read_stored(answer: Answer, stored: _Stored, run: Run) -> Export:
    """The file of a numbered run as an answer tells of it."""
    file = stored.export
    if file.run_id not in {None, run.id}:
        raise answer.unusable("the file is of another run than was asked for")
    if file.status in _FAILED:
        said = f": {redact(file.error_message).rstrip('.')}" if file.error_message else ""
        raise ServiceDown(
            f"The service did not get the file written ({file.status}){said}.",
            request_id=answer.request_id,
        )
    export = Export(rows=file.row_count, data_date=run.data_date, file_name=file.file_name)
    if file.status in _UNFINISHED:
        return export
    seconds = stored.download_url_ttl_seconds
    return export.model_copy(
        update={
            "url": _checked_link(answer, stored.download_url),
            "expires_at": stored.download_url_expires_at,
            "expires_in": None if seconds is None else f"{seconds} seconds",
        }
    )


def _elsewhere(link: str, error: ServiceError) -> str:
    """What went wrong where a link leads; nothing there is the service or has seen its key."""
    status = error.status or 0
    if isinstance(error, OutOfTime):
        why = "no time was left for it"
    elif isinstance(error, Unreachable):
        why = _FAILING[error.how]
    elif status in {401, 403, 404, 410}:
        why = f"the link has expired, or is not taken there (status {status})"
    elif 300 <= status < 400:
        why = f"that host answered with a redirect (status {status}), which is not followed"
    elif status >= 400:
        why = f"that host answered with status {status}"
    else:
        why = f"{error.problem[:1].lower()}{error.problem[1:].rstrip('.')}"
    host = redact(urlsplit(link).hostname or "", 100)
    return f"The file of the audience's people could not be downloaded from {host}: {why}."


def _checked_link(answer: Answer, link: object) -> str:
    """The link, if it may be opened: over https, or on this machine."""
    if not isinstance(link, str) or not link:
        raise answer.unusable("the link to the file is missing")
    try:
        parts = urlsplit(link)
        checked_base_url(f"{parts.scheme}://{parts.netloc}")
    except ValueError:
        parts = None
    plain = link.isprintable() and not set(link) & set(" <>\"'`\\")
    if parts is None or not plain or len(link) > LONGEST_LINK:
        raise UnusableAnswer(
            "The service's link to the file is not a plain https address, so it is not passed on.",
            "Download the file in the Leadpipe dashboard.",
            request_id=answer.request_id,
        )
    return link
