"""export_audience: everyone in an audience, as a file on this machine or as a link."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from leadpipe_mcp.api.exports import Export
from leadpipe_mcp.api.models import Audience, Run
from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.people.columns import choose_columns
from leadpipe_mcp.people.export import BLOCK, Receipt, WrittenFile, export_people
from leadpipe_mcp.people.files import Destination, Format, export_folder, planned, target
from leadpipe_mcp.people.privacy import contact_fields
from leadpipe_mcp.text import clean, counted, listed
from leadpipe_mcp.toolkit import Action, Arguments, Reply, Suggestion, tool
from leadpipe_mcp.tools.arguments import AudienceId, ConfirmCode, Date, ManyOf, Named
from leadpipe_mcp.tools.audiences import runs_of
from leadpipe_mcp.tools.replies import (
    BUILDING,
    LONGEST_NAME,
    Cell,
    RunPart,
    Table,
    day,
    name_of,
    named,
    people,
    run_sentence,
    suggestions,
    to_activate,
    to_wait,
    warnings,
)
from leadpipe_mcp.tools.services import Call

# How long a call waits for the file; asking again goes on with the same one.
FILE_SECONDS = 40
MOST_FIELDS = 60
SHOWN_FILES = 20

ANYONE = "Anyone with the link can read every address; give it only to the user."
TO_SONARLY = "Each file fits Sonarly's own import, which takes 1,000 profiles at a time."
ONLY_HERE = "The sandbox runs inside this server, so the link cannot be opened."

FIELDS = (
    *("name", "firstName", "lastName", "jobTitle", "seniority", "department", "company"),
    *("companyDomain", "companyIndustry", "companySize", "city", "state", "linkedinUrl"),
    *("contactEmail", "phone", "score", "topic"),
)
"""The columns of a file by default."""


class ExportAudience(Arguments):
    """Which audience and run, and in which form."""

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
        default=None,
        max_length=200,
        description="A name without a path; default: audience and date.",
    )
    contact: Named[Literal["masked", "full"]] = Field(
        default="full", description="masked hides e-mail addresses and phone numbers in the file."
    )
    date: Date | None = Field(
        default=None, description="People from this day (YYYY-MM-DD), not the latest."
    )
    run_id: str | None = Field(
        default=None, max_length=120, description="People from this run; get_audience lists runs."
    )
    confirm: ConfirmCode = None

    @model_validator(mode="after")
    def _fits_together(self) -> "ExportAudience":
        if self.run_id and self.date:
            raise NotPossible("Name a date or a runId, not both.")
        if self.format == "url" and (self.fields or self.file_name or self.contact == "masked"):
            raise NotPossible(
                "format url is the service's own file: fields, fileName and contact do not change"
                " it.",
                "Leave them out, or use format csv.",
            )
        if self.format == "linkedin_urls" and self.fields:
            raise NotPossible("format linkedin_urls has no other fields: leave fields out.")
        return self


class AudienceExported(Reply):
    """Where the exported people are."""

    id: str
    name: str | None = None
    size: int | None = Field(default=None, description="How many people are exported.")
    data_date: str | None = None
    run: RunPart | None = None
    path: str | None = Field(
        default=None, description="Where the file is, or the first of several."
    )
    rows: int | None = None
    bytes: int | None = None
    sha256: str | None = Field(default=None, description="The file's fingerprint.")
    files: Table | None = Field(default=None, description="All files, if there are several.")
    contact_fields: list[str] | None = Field(
        default=None, description="E-mail and phone columns in it."
    )
    masked: bool | None = None
    config_hash: str | None = Field(default=None, description="Of the config it was made from.")
    url: str | None = Field(default=None, description="Link to the CSV; pass it on unchanged.")
    file_name: str | None = None
    expires_at: str | None = None
    expires_in: str | None = Field(default=None, description="How long the link works.")


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
    audience = await call.leadpipe.audiences.get(asked.id)
    run = await call.leadpipe.exports.run_of(asked.id, date=asked.date, run_id=asked.run_id)
    if asked.format == "url":
        return await _link(call, asked, audience, run)
    columns = choose_columns(tuple(asked.fields or FIELDS))
    chosen = target(
        export_folder(call.services.settings.export_dir, Path.home()),
        asked.format,
        file_name=asked.file_name,
        audience=audience.name,
        day=run.data_date or "",
    )
    if run.state != "ready":
        return await _not_ready(call, asked, audience, run)
    if asked.format == "linkedin_urls":
        columns = choose_columns(("linkedinUrl",))
    # Where no contact column is asked for, an address in a headline stays masked as well.
    contact = asked.contact == "full" and call.shows_contact and bool(contact_fields(columns))
    goes_out = contact_fields(columns) if contact else ()
    path = _set_aside(call, asked, chosen)
    with call.kit.codes.using(path):
        await call.confirm(_writing(audience, run, chosen, path, goes_out), asked.confirm)
        snapshot = await call.services.runs.people(call.leadpipe, asked.id, run, call.progress)

        async def report(done: int) -> None:
            await call.progress(done, snapshot.size, f"{done:,} people written")

        rows = snapshot.rows(columns)
        receipt = await export_people(
            rows, columns, chosen.of(path), contact=contact, report=report
        )
    hidden = asked.contact == "full" and not contact and bool(contact_fields(columns))
    reply = _written(audience, run, receipt, snapshot.notes, hidden=hidden)
    if asked.format != "linkedin_urls":
        return reply
    bridge = f"{reply.summary} {TO_SONARLY}"
    return reply.model_copy(update={"summary": bridge, "next": [_to_sonarly(audience)]})


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


def _to_sonarly(audience: Audience) -> Suggestion:
    """The call that makes the list in Sonarly; it is named only where Sonarly's tools are on."""
    return Suggestion(
        tool="sonarly_create_audience",
        arguments={"name": clean(audience.name, LONGEST_NAME), "type": "on_demand"},
        why="make the LinkedIn list in Sonarly; then the user loads each file there with Sonarly's"
        " own import (how its API takes profiles is not published)",
    )


def _writing(
    audience: Audience, run: Run, chosen: Destination, path: Path, goes_out: Sequence[str]
) -> Action:
    kind: Format = chosen.format
    what = {
        "csv": "a CSV file",
        "jsonl": "a file of JSON lines",
        "linkedin_urls": "files of LinkedIn profiles",
    }[kind]
    if goes_out:
        contact = f" {listed(goes_out)} go{'' if len(goes_out) > 1 else 'es'} out unmasked."
    elif kind == "linkedin_urls":
        contact = " Only the addresses of profiles go out."
    else:
        contact = " No full e-mail address or phone number goes out."
    question = (
        f"Export {named(audience)} ({people(run.size)}, data from {day(run.data_date)}) to {what}:"
        f" {path}?{contact}"
    )
    if kind == "linkedin_urls" and (run.size is None or run.size > BLOCK):
        several = f"{path.stem}-1-of-2{path.suffix} and so on"
        question += f" More than {BLOCK:,} profiles are split into {several}."
    seen = [audience.id, run.id, run.data_date, run.size]
    return Action("export file", question, seen, holds=path)


def _written(
    audience: Audience, run: Run, receipt: Receipt, notes: Sequence[str], *, hidden: bool
) -> AudienceExported:
    first, several = receipt.files[0], len(receipt.files) > 1
    where = f"{len(receipt.files)} files, the first {first.path}" if several else first.path
    rows: list[list[Cell]] = [_file_cells(file) for file in receipt.files[:SHOWN_FILES]]
    left = len(receipt.files) - SHOWN_FILES
    return AudienceExported(
        summary=f"{named(audience)} was exported: {counted(receipt.rows, 'row')}, data from"
        f" {day(run.data_date)}, to {where}.",
        id=audience.id,
        name=name_of(audience),
        size=receipt.people,
        data_date=run.data_date,
        run=RunPart.of(run),
        path=str(first.path),
        rows=receipt.rows,
        bytes=receipt.bytes,
        sha256=first.sha256,
        files=Table(columns=["path", "rows", "bytes", "sha256"], rows=rows) if several else None,
        contact_fields=list(receipt.contact_fields),
        masked=receipt.masked if receipt.contact_fields else None,
        config_hash=run.config_hash,
        warnings=warnings(
            notes,
            ["LEADPIPE_CONTACT=mask: e-mail addresses and phone numbers are masked in it."]
            if hidden
            else None,
            [f"Left out: {people(receipt.without_url)} without a LinkedIn profile."]
            if receipt.without_url
            else None,
            [f"Left out: {counted(receipt.duplicates, 'duplicate profile')}."]
            if receipt.duplicates
            else None,
            [f"{counted(left, 'more file')} not listed."] if left > 0 else None,
        ),
    )


def _file_cells(file: WrittenFile) -> list[Cell]:
    return [str(file.path), file.rows, file.bytes, file.sha256]


async def _link(
    call: Call, asked: ExportAudience, audience: Audience, run: Run
) -> AudienceExported:
    """The service's own file, behind a link."""
    if run.state != "ready":
        return await _not_ready(call, asked, audience, run)
    await call.confirm(_letting_out(audience, run), asked.confirm)

    async def report(waited: float) -> None:
        await call.progress(waited, FILE_SECONDS, "The file is being written.")

    export = await call.leadpipe.exports.link(asked.id, run, FILE_SECONDS, report)
    return _exported(call, audience, run, export)


def _letting_out(audience: Audience, run: Run) -> Action:
    question = (
        f"Export {named(audience)} ({people(run.size)}, data from {day(run.data_date)}) as a link"
        " to a CSV file? E-mail addresses and phone numbers go out unmasked, to anyone with the"
        " link."
    )
    return Action("export url", question, [audience.id, run.id, run.data_date, run.size])


def _exported(call: Call, audience: Audience, run: Run, export: Export) -> AudienceExported:
    size = run.size if export.rows is None else export.rows
    reply = AudienceExported(
        summary=f"The file for {named(audience)} is still being written.",
        id=audience.id,
        name=name_of(audience),
        size=size,
        data_date=export.data_date,
        next=[
            Suggestion(
                tool="export_audience",
                arguments={"id": audience.id, "format": "url"},
                why="repeat this call in a minute",
            )
        ],
    )
    if export.url is None:
        return reply
    until = _until(export)
    other = run.size is not None and size != run.size
    return reply.model_copy(
        update={
            "summary": f"A link to the CSV of {named(audience)}: {people(size)}, unmasked, data"
            f" from {day(export.data_date)}.{until}",
            "url": export.url,
            "file_name": clean(export.file_name, LONGEST_NAME) if export.file_name else None,
            "expires_at": clean(export.expires_at, 40) if export.expires_at else None,
            "expires_in": clean(export.expires_in, 40) if export.expires_in else None,
            "warnings": warnings(
                [ANYONE],
                [f"The run found {people(run.size)}, but the file has {people(size)}."]
                if other
                else None,
                [ONLY_HERE] if call.services.settings.sandbox else None,
            ),
            "next": None,
        }
    )


def _until(export: Export) -> str:
    if export.expires_at:
        return f" It works until {clean(export.expires_at, 40)}."
    if export.expires_in:
        return f" It works for {clean(export.expires_in, 40)}."
    return " The service does not say how long it works."


async def _not_ready(
    call: Call, asked: ExportAudience, audience: Audience, run: Run
) -> AudienceExported:
    """Say how to wait for the file, or which earlier people there are."""
    runs = await runs_of(call, audience)
    earlier = next((other for other in runs if other.state == "ready"), None)
    other_day = asked.date and run.state == "none"
    return AudienceExported(
        summary=f"There are no people for {asked.date} to export."
        if other_day
        else f"{run_sentence(run)} There is nothing to export yet.",
        id=audience.id,
        name=name_of(audience),
        run=RunPart.of(run),
        next=suggestions(
            None if other_day and earlier else _way_to_people(call, audience, run),
            _export_of(audience, earlier, asked.format) if earlier else None,
        ),
    )


def _way_to_people(call: Call, audience: Audience, run: Run) -> Suggestion:
    if run.state in BUILDING:
        return to_wait(audience.id)
    if run.state == "none" and audience.status != "active":
        return to_activate(audience.id)
    if call.leadpipe.profile.runs == "dated":
        why = "its next run comes with the daily refresh"
        return Suggestion(tool="get_audience", arguments={"id": audience.id}, why=why)
    return Suggestion(
        tool="run_audience", arguments={"id": audience.id}, why="have its people put together now"
    )


def _export_of(audience: Audience, run: Run, kind: str) -> Suggestion:
    which = {"runId": run.id} if run.id else {"date": run.data_date}
    return Suggestion(
        tool="export_audience",
        arguments={"id": audience.id, **which, "format": kind},
        why=f"the people from {day(run.data_date)} instead",
    )
