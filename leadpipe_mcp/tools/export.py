"""export_audience: everyone in an audience, as a file on this machine or as a link."""

import os
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from anyio import to_thread
from pydantic import BeforeValidator, Field, model_validator

from leadpipe_mcp.api.models import Audience, Run
from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.people.columns import Column, choose_columns
from leadpipe_mcp.people.export import BLOCK, Receipt, export_people
from leadpipe_mcp.people.files import Destination, Format, export_folder, planned, target
from leadpipe_mcp.people.privacy import contact_fields
from leadpipe_mcp.text import counted, listed
from leadpipe_mcp.toolkit import Action, Arguments, tool
from leadpipe_mcp.tools import replies
from leadpipe_mcp.tools.arguments import AudienceId, ConfirmCode, Day, ManyOf, Named, RunId
from leadpipe_mcp.tools.people import ways_to_people
from leadpipe_mcp.tools.replies import Table, named, people, suggest, warnings
from leadpipe_mcp.tools.services import Call

E = TypeVar("E", bound="UrlExported")

# How long a call waits for the file; asking again goes on with the same one.
FILE_SECONDS = 40
MOST_FIELDS = 60
SHOWN_FILES = 20

MOST_LINKS = 100

ANYONE = "Anyone with the link can read every address; give it only to the user."
ANYONE_MASKED = "Anyone with the link can fetch the file; give it only to the user."
BY_LINK = " that can be fetched by link for an hour"
TO_SONARLY = "Each file fits Sonarly's own import, which takes 1,000 profiles at a time."
INTO_SONARLY = (
    "make the LinkedIn list in Sonarly; then the user loads each file there with Sonarly's own"
    " import (how its API takes profiles is not published)"
)
ONLY_HERE = "The sandbox runs inside this server, so the link cannot be opened."

MASKING = "LEADPIPE_CONTACT=mask: e-mail addresses and phone numbers are masked in it."

_FILES = {
    "csv": "a CSV file",
    "jsonl": "a file of JSON lines",
    "linkedin_urls": "files of LinkedIn profiles",
}
FIELDS = (
    *("name", "firstName", "lastName", "jobTitle", "seniority", "department", "company"),
    *("companyDomain", "companyIndustry", "companySize", "city", "state", "linkedinUrl"),
    *("contactEmail", "phone", "score", "topic"),
)
"""The columns of a file by default."""


class ExportAudience(Arguments):
    id: AudienceId = Field(description="The audience's id.")
    format: Named[Literal["csv", "jsonl", "linkedin_urls", "url"]] = Field(
        default="csv",
        description="csv, jsonl: a file on this computer; linkedin_urls: LinkedIn profiles alone,"
        " each once, 1,000 per file; url: the service's own link to its CSV, all fields whole.",
    )
    fields: ManyOf[str] | None = Field(
        default=None,
        min_length=1,
        max_length=MOST_FIELDS,
        description="Columns of the file; default name, job, company, place, LinkedIn,"
        " contactEmail, phone, score, topic. Others: businessEmail, personalEmail, directNumbers,"
        " mobilePhones. An unknown one lists them all.",
    )
    file_name: str | None = Field(
        default=None, max_length=200, description="Without a path; default: audience and date."
    )
    contact: Named[Literal["masked", "full"]] = Field(
        default="full", description="masked hides e-mail addresses and phone numbers in the file."
    )
    date: Day = None
    run_id: RunId = None
    confirm: ConfirmCode = None

    @model_validator(mode="after")
    def _fits_together(self) -> "ExportAudience":
        if self.format == "url" and (self.fields or self.file_name or self.contact == "masked"):
            raise NotPossible(
                "format url is the service's own file: fields, fileName and contact do not change"
                " it.",
                "Leave them out, or use format csv.",
            )
        if self.format == "linkedin_urls" and self.fields:
            raise NotPossible("format linkedin_urls has no other fields: leave fields out.")
        return self


class ExportByLink(ExportAudience):
    format: Named[Literal["csv", "jsonl", "linkedin_urls", "url"]] = Field(
        default="csv",
        description="csv, jsonl: a link to a file, for an hour; linkedin_urls: LinkedIn profiles"
        " alone, each once, 1,000 per file; url: the service's own link to its CSV, all fields"
        " whole.",
    )


def _no_file(value: object) -> object:
    if isinstance(value, str) and value in _FILES:
        raise NotPossible(
            f"format {value} is not offered: this server has no place for files that you could get"
            " them from.",
            "Use format url, the service's own link to its CSV; or whoever runs the server sets"
            " LEADPIPE_DOWNLOAD_DIR.",
        )
    return value


class ExportUrl(Arguments):
    id: AudienceId = Field(description="The audience's id.")
    format: Named[Annotated[Literal["url"], BeforeValidator(_no_file)]] = Field(
        default="url", description="The service's own link to its CSV, all fields whole."
    )
    date: Day = None
    run_id: RunId = None
    confirm: ConfirmCode = None


class _Exported(replies.AboutAudience):
    size: int | None = None
    data_date: str | None = None
    run: replies.RunPart | None = None


class AudienceExported(_Exported):
    path: str | None = Field(default=None, description="The file, or the first of several.")
    rows: int | None = None
    bytes: int | None = None
    sha256: str | None = None
    files: Table | None = Field(default=None, description="All files, if there are several.")
    contact_fields: list[str] | None = None
    masked: bool | None = None
    config_hash: str | None = Field(default=None, description="Of the config it was made from.")
    url: str | None = Field(default=None, description="Link to the CSV; pass it on unchanged.")
    file_name: str | None = None
    expires_at: str | None = None
    expires_in: str | None = None


class UrlExported(_Exported):
    url: str | None = Field(default=None, description="Link to the file; pass it on unchanged.")
    file_name: str | None = None
    expires_at: str | None = None
    expires_in: str | None = None


class FileLinked(UrlExported):
    rows: int | None = None
    bytes: int | None = None
    sha256: str | None = None
    files: Table | None = Field(default=None, description="All links, if there are several.")
    contact_fields: list[str] | None = None
    masked: bool | None = None
    config_hash: str | None = Field(default=None, description="Of the config it was made from.")


@tool("Export an audience")
async def export_audience(call: Call, asked: ExportAudience) -> AudienceExported:
    """Export everyone in a saved audience (the lead list) as CSV, JSON lines or LinkedIn URLs.

    The file is written where this server runs and never overwrites another. It holds full e-mail
    addresses and phone numbers, so the user is asked first. format url gives the service's own
    link instead. To look at a few people, use query_audience; for numbers, analyze_audience.
    """
    if asked.format == "url" and not call.shows_contact:
        raise NotPossible(
            "This server lets no unmasked e-mail addresses or phone numbers out"
            " (LEADPIPE_CONTACT=mask), and the service's file has them.",
            "format csv writes a masked file.",
        )
    columns = choose_columns(tuple(asked.fields or FIELDS))
    audience = await call.leadpipe.audiences.get(asked.id)
    run = await call.leadpipe.exports.run_of(asked.id, date=asked.date, run_id=asked.run_id)
    nothing = f"{replies.run_sentence(run)} There is nothing to export yet."
    reply = AudienceExported.of(audience, nothing, run=replies.RunPart.of(run))
    if run.state != "ready":
        again = {"tool": "export_audience", "id": audience.id, "format": asked.format}
        reply.next = await ways_to_people(call, audience, run, asked.date, **again)
        return reply
    reply.size, reply.data_date = run.size, run.data_date
    if asked.format == "url":
        await _give_link(call, asked, audience, run, reply)
    else:
        await _write_file(call, asked, audience, run, columns, reply)
    return reply


@tool("Export an audience", name=export_audience.name)
async def export_by_link(call: Call, asked: ExportByLink) -> FileLinked:
    """Export everyone in a saved audience (the lead list) as CSV, JSON lines or LinkedIn URLs.

    The reply has a link to the file, which works for an hour. The file holds full e-mail addresses
    and phone numbers, so the user is asked first. format url gives the service's own link instead.
    To look at a few people, use query_audience; for numbers, analyze_audience.
    """
    return _part_of(await export_audience.function(call, asked), FileLinked)


@tool("Export an audience", name=export_audience.name)
async def export_url(call: Call, asked: ExportUrl) -> UrlExported:
    """Export everyone in a saved audience (the lead list) as a link to a CSV file.

    The file is the service's own. It holds full e-mail addresses and phone numbers, so the user is
    asked first. To look at a few people, use query_audience; for numbers, analyze_audience.
    """
    same = ExportAudience.model_validate(asked.model_dump(by_alias=True))
    return _part_of(await export_audience.function(call, same), UrlExported)


def _part_of(exported: AudienceExported, kind: type[E]) -> E:
    return kind(**{name: getattr(exported, name) for name in kind.model_fields})


async def _write_file(
    call: Call,
    asked: ExportAudience,
    audience: Audience,
    run: Run,
    columns: tuple[Column, ...],
    reply: AudienceExported,
) -> None:
    """Write the people to the file that the user agreed to, and say so in the reply."""
    kind: Format = "csv" if asked.format == "url" else asked.format
    chosen = await _destination(call, asked, audience, run, kind)
    if kind == "linkedin_urls":
        columns = choose_columns(("linkedinUrl",))
    # Where no contact column is asked for, an address in a headline stays masked as well.
    wanted = contact_fields(columns) if asked.contact == "full" else ()
    goes_out = wanted if call.shows_contact else ()
    path = _set_aside(call, asked, chosen)
    question = _question(f"Export {_who(audience, run)} to", chosen, path, run, goes_out)
    with call.kit.codes.using(path):
        seen = [audience.id, run.id, run.data_date, run.size]
        await call.confirm(Action("export file", question, seen, holds=path), asked.confirm)
        snapshot = await call.services.runs.people(call.leadpipe, asked.id, run, call.progress)

        async def report(done: int) -> None:
            await call.progress(done, snapshot.size, f"{done:,} people written")

        receipt = await export_people(
            snapshot.rows(columns), columns, chosen.of(path), contact=bool(goes_out), report=report
        )
    where, most = _tell_files(call, receipt, reply)
    reply.summary = (
        f"{named(audience)} was exported: {counted(receipt.rows, 'row')}, data from"
        f" {replies.day(run.data_date)}, to {where}."
    )
    if kind == "linkedin_urls":
        reply.summary += f" {TO_SONARLY}"
        to = {"name": replies.name_of(audience), "type": "on_demand"}
        reply.next = [suggest("sonarly_create_audience", INTO_SONARLY, **to)]
    reply.size, reply.rows, reply.bytes = receipt.people, receipt.rows, receipt.bytes
    reply.contact_fields = list(receipt.contact_fields)
    reply.masked = receipt.masked if receipt.contact_fields else None
    reply.config_hash = run.config_hash
    without, twice, more = receipt.without_url, receipt.duplicates, len(receipt.files) - most
    reply.warnings = warnings(
        snapshot.notes,
        MASKING if wanted and not goes_out else None,
        f"Left out: {people(without)} without a LinkedIn profile." if without else None,
        f"Left out: {counted(twice, 'duplicate profile')}." if twice else None,
        f"{counted(more, 'more file')} not listed." if more > 0 else None,
        (ANYONE if goes_out else ANYONE_MASKED) if reply.url else None,
    )


async def _destination(
    call: Call, asked: ExportAudience, audience: Audience, run: Run, kind: Format
) -> Destination:
    """Return where the file goes: into the user's folder, or the caller's among the downloads."""
    callers = call.services.callers
    if downloads := callers.downloads:
        await to_thread.run_sync(downloads.sweep)
        if kind == "linkedin_urls" and (run.size or 0) > MOST_LINKS * BLOCK:
            raise NotPossible(
                f"format linkedin_urls gives a link for each {BLOCK:,} profiles, and at most"
                f" {MOST_LINKS} links.",
                "Use format csv with fields ['linkedinUrl'].",
            )
        folder = downloads.folder(callers.id())
    else:
        folder = export_folder(call.services.settings.export_dir, Path.home())
    return target(
        folder,
        kind,
        file_name=asked.file_name,
        audience=audience.name,
        day=run.data_date or "",
        told=not downloads,
    )


def _question(
    begins: str, chosen: Destination, path: Path, run: Run, goes_out: tuple[str, ...]
) -> str:
    """Return the question to the user: who goes where, and what of them."""
    what = _FILES[chosen.format]
    question = (
        f"{begins} {what}: {path}?" if chosen.told else f"{begins} {what}{BY_LINK}: {path.name}?"
    )
    if goes_out:
        question += f" {listed(goes_out)} go{'' if len(goes_out) > 1 else 'es'} out unmasked."
    elif chosen.format == "linkedin_urls":
        question += " Only the addresses of profiles go out."
    else:
        question += " No full e-mail address or phone number goes out."
    if chosen.format == "linkedin_urls" and (run.size is None or run.size > BLOCK):
        several = f"{path.stem}-1-of-2{path.suffix} and so on"
        question += f" More than {BLOCK:,} profiles are split into {several}."
    return question


def _tell_files(call: Call, receipt: Receipt, reply: AudienceExported) -> tuple[str, int]:
    """Put the files into the reply, or links to them; return where they are, and most of them."""
    files, callers = receipt.files, call.services.callers
    first, several = files[0], len(files) > 1
    reply.sha256 = first.sha256
    if callers.downloads:
        links = [callers.downloads.link(file.path, callers.id()) for file in files]
        (reply.url, reply.expires_at), reply.file_name = links[0], first.path.name
        where, most = (
            f"{first.path.name}, which can be fetched until {reply.expires_at}",
            MOST_LINKS,
        )
        names = ["url", "rows"]
        rows = [[url, file.rows] for (url, _), file in zip(links, files, strict=True)]
    else:
        reply.path = where = str(first.path)
        most, names = SHOWN_FILES, ["path", "rows", "bytes", "sha256"]
        rows = [[str(file.path), file.rows, file.bytes, file.sha256] for file in files]
    if several:
        reply.files = replies.table_of(names, rows[:most])
    return f"{len(files)} files, the first {where}" if several else where, most


def _who(audience: Audience, run: Run) -> str:
    return f"{named(audience)} ({people(run.size)}, data from {replies.day(run.data_date)})"


def _set_aside(call: Call, asked: ExportAudience, chosen: Destination) -> Path:
    """The file that the question names, which is the one that is written.

    Of several questions at once each has a file of its own, until it is answered or given up.
    """
    codes = call.kit.codes
    held = codes.held_by(call.code_in_hand(asked.confirm))
    for path in map(chosen.path, chosen.names()):
        if path == held and not codes.is_in_use(path) and not os.path.lexists(path):
            return path
    return planned(chosen, codes.is_held)


async def _give_link(
    call: Call, asked: ExportAudience, audience: Audience, run: Run, reply: AudienceExported
) -> None:
    """Say in the reply where the service's own file is, if the user agreed."""
    question = (
        f"Export {_who(audience, run)} as a link to a CSV file? E-mail addresses and phone numbers"
        " go out unmasked, to anyone with the link."
    )
    seen = [audience.id, run.id, run.data_date, run.size]
    await call.confirm(Action("export url", question, seen), asked.confirm)

    async def report(waited: float) -> None:
        await call.progress(waited, FILE_SECONDS, "The file is being written.")

    export = await call.leadpipe.exports.link(asked.id, run, FILE_SECONDS, report)
    reply.size = run.size if export.rows is None else export.rows
    reply.data_date = export.data_date
    if export.url is None:
        reply.summary = f"The file for {named(audience)} is still being written."
        same = {"id": audience.id, "format": "url"}
        reply.next = [suggest("export_audience", "repeat this call in a minute", **same)]
        return
    works = "The service does not say how long it works."
    if export.expires_at or export.expires_in:
        until = f"until {export.expires_at}" if export.expires_at else f"for {export.expires_in}"
        works = f"It works {until}."
    reply.summary = (
        f"A link to the CSV of {named(audience)}: {people(reply.size)}, unmasked, data from"
        f" {replies.day(export.data_date)}. {works}"
    )
    reply.url, reply.file_name = export.url, export.file_name
    reply.expires_at, reply.expires_in = export.expires_at, export.expires_in
    other = f"The run found {people(run.size)}, but the file has {people(reply.size)}."
    reply.warnings = warnings(
        ANYONE,
        other if run.size not in {None, reply.size} else None,
        ONLY_HERE if call.services.settings.sandbox else None,
    )
