"""Stats and exports of both generations: by audience and date, or by run."""

import csv
import hashlib
import io
import re
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import urlencode

from starlette.responses import Response, StreamingResponse

from leadpipe_mcp.sandbox.calls import Call, answer, as_uuid
from leadpipe_mcp.sandbox.dice import identity
from leadpipe_mcp.sandbox.matching import Hit, Match
from leadpipe_mcp.sandbox.rows import catalog_result_row, flat_result_row
from leadpipe_mcp.sandbox.runs import asked_day, brief_run
from leadpipe_mcp.sandbox.settings import SandboxSettings
from leadpipe_mcp.sandbox.simulator import (
    Endpoint,
    Form,
    Json,
    Refusal,
    is_array,
    is_object,
    not_found,
    timestamp,
)
from leadpipe_mcp.sandbox.store import File, Run, Shape
from leadpipe_mcp.sandbox.world import SEPARATOR

_CSV = "text/csv; charset=utf-8"
_ROWS_AT_ONCE = 2_000
_BUCKETS = ((50, 69), (70, 89), (90, 99))
_LINK_HOURS = 24
_LONGEST_SLUG = 60


def _row(hit: Hit, shape: Shape, settings: SandboxSettings) -> Json:
    """A person in the words of a generation; nested fields are dotted."""
    if shape == "flat":
        return flat_result_row(hit, settings)
    row: Json = {}
    for key, value in catalog_result_row(hit).items():
        inner = {f"{key}.{name}": part for name, part in value.items()} if is_object(value) else {}
        row |= inner or {key: value}
    return row


def _columns(match: Match, shape: Shape, settings: SandboxSettings) -> list[str]:
    """The names of the columns, which do not depend on who was found."""
    anybody = Hit(match.world.people, 0, 0, [match.config.topics[0]])
    return list(_row(anybody, shape, settings))


def _csv_of(run: Run, shape: Shape, most: int | None = None) -> Iterator[bytes]:
    """A CSV file with a header and the people, or the best of them, in pieces."""
    match, page = run.match(), io.StringIO(newline="")
    writer, ranking = csv.writer(page), match.ranking[:most]
    if run.settings.csv_starts_with_bom:
        page.write("\ufeff")
    writer.writerow(_columns(match, shape, run.settings))
    for first in range(0, len(ranking), _ROWS_AT_ONCE):
        for hit in match.hits(ranking[first : first + _ROWS_AT_ONCE]):
            writer.writerow(map(_cell, _row(hit, shape, run.settings).values()))
        yield page.getvalue().encode()
        page.seek(0)
        page.truncate()
    yield page.getvalue().encode()


def _cell(value: object) -> str:
    """A list becomes its parts, a topic its name, nothing an empty cell."""
    if is_array(value):
        return SEPARATOR.join(map(_cell, value))
    if is_object(value):
        return str(value["topicName"])
    return "" if value is None else str(value)


@lru_cache(maxsize=16)
def _filled(match: Match, shape: Shape) -> dict[str, int]:
    """For how many people each column says something."""
    # How values are written is a matter of settings, whether there are any is not.
    settings = SandboxSettings()
    counts = dict.fromkeys(_columns(match, shape, settings), 0)
    for hit in match.hits(match.ranking):
        for column, value in _row(hit, shape, settings).items():
            counts[column] += value not in (None, "", [])
    return counts


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 2) if whole else 0.0


def _download(pieces: Iterator[bytes], name: str, **more: str) -> Response:
    headers = {"Content-Type": _CSV, "Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(pieces, headers={**headers, **more})


def _file_of(call: Call, run: Run, shape: Shape) -> tuple[File, bool]:
    """The export of a run, and whether it is made only now."""
    file_id = run.file_id(shape)
    if is_new := file_id not in call.files:
        slug = re.sub("[^a-z0-9]+", "-", call.audience().name.lower()).strip("-")[:_LONGEST_SLUG]
        name = f"{slug.strip('-') or 'audience'}-{run.day.isoformat()}.csv"
        call.files[file_id] = File(file_id, name, run, shape, call.now)
    return call.files[file_id], is_new


def _link(call: Call, file: File, expires: int) -> str:
    """Where the file can be downloaded without a key until a moment."""
    query = urlencode({"expires": expires, "signature": _signature(file.id, expires)})
    return f"{call.request.base_url}_files/{file.id}/{file.name}?{query}"


def _signature(file_id: str, expires: object) -> str:
    return identity(f"link to {file_id} until {expires}")


def _open_link(call: Call) -> Response:
    """The file that a link leads to, if the link is ours and has not expired."""
    file_id, expires = call.path["file_id"], call.query.get("expires")
    if call.query.get("signature") != _signature(file_id, expires):
        raise Refusal(403, "Invalid signature")
    if call.now >= int(str(expires)):
        raise Refusal(403, "The link has expired")
    file = call.files[file_id]
    return _download(_csv_of(file.run, file.shape), file.name)


def _ready_run(call: Call) -> Run:
    """The run for the day that was asked for, or the newest one, refused unless it is ready."""
    run = call.audience().run_of_config(asked_day(Form(call.query), call.settings))
    if run is None or run.status(call.now) != "completed":
        raise Refusal(404, "Audience not found or not yet materialized")
    return run


def _read_dated_stats(call: Call) -> Response:
    """For which part of the people each field says something, in percent."""
    run = _ready_run(call)
    found = run.match()
    fields = {field: _percent(many, found.count) for field, many in _filled(found, "flat").items()}
    return answer({"total": found.count, "dataDate": run.day.isoformat(), "fields": fields})


def _export_day(call: Call) -> Response:
    """A link to the people of a day as CSV; `cached` when they were exported before."""
    run = _ready_run(call)
    file, is_new = _file_of(call, run, "flat")
    return answer(
        {
            "downloadUrl": _link(call, file, int(call.now) + _LINK_HOURS * 3_600),
            "fileName": file.name,
            "rows": run.match().count,
            "dataDate": run.day.isoformat(),
            "expiresIn": f"{_LINK_HOURS}h",
            "cached": not is_new,
        }
    )


def _read_stats(call: Call) -> Response:
    """How well the fields of a run are filled, and how its scores are spread."""
    run = call.completed_run()
    found = run.match()
    total, sums = found.count, {"score": sum(found.best), "topicOverlap": found.overlap}
    # The documents show an empty object, and so do we for nobody.
    averages = {name: round(many / total, 2) for name, many in sums.items() if total}
    histogram: list[Json] = []
    for low, high in _BUCKETS:
        count = sum(found.best.count(score) for score in range(low, high + 1))
        percent = _percent(count, total)
        histogram.append({"bucket": f"{low}-{high}", "count": count, "percent": percent})
    rates = {
        field: {"count": count, "percent": _percent(count, total)}
        for field, count in _filled(found, "catalog").items()
    }
    about = {**brief_run(call, run), "audienceId": run.audience_id}
    del about["candidateCount"]
    stats: Json = {"total": total, "fillRates": rates, "scoreHistogram": histogram}
    return call.reply({"run": about, "stats": {**stats, "averages": averages}})


def _read_csv(call: Call) -> Response:
    """The people of a run as CSV, the best of them where there are too many."""
    run, cap = call.completed_run(), call.settings.export_row_cap
    name = f"run-{run.id}.csv"
    return _download(_csv_of(run, "catalog", cap), name, **{"X-Export-Row-Cap": str(cap)})


def _create_export(call: Call) -> Response:
    """The stored export of a run, made now if it was not there."""
    file, is_new = _file_of(call, call.completed_run(), "catalog")
    return call.reply(_export_facts(call, file), 201 if is_new else 200)


def _read_export(call: Call) -> Response:
    """The stored export with a link that was not there before."""
    run, export_id = call.run(), as_uuid(call.path["export_id"], "exportId")
    if export_id != run.file_id("catalog") or export_id not in call.files:
        raise not_found("Export")
    return call.reply(_export_facts(call, call.files[export_id]))


def _export_facts(call: Call, file: File) -> Json:
    finished = file.created + call.settings.export_seconds
    is_ready = call.now >= finished
    if is_ready and file.checksums is None:
        content = b"".join(_csv_of(file.run, file.shape))
        sha1 = hashlib.sha1(content, usedforsecurity=False).hexdigest()
        file.checksums = len(content), sha1
    size, sha1 = file.checksums or (None, None)
    expires = int(call.now) + _LINK_HOURS * 3_600
    return {
        "export": {
            "id": file.id,
            "organizationId": call.organisation.id,
            "audienceId": file.run.audience_id,
            "runId": file.run.id,
            "exportType": "csv",
            "status": "completed" if is_ready else "processing",
            "storageProvider": "b2",
            "contentType": _CSV,
            "byteSize": size,
            "rowCount": file.run.match().count if is_ready else None,
            "bucketName": "sandbox-exports",
            "fileId": f"file-{file.id}",
            "fileName": file.name,
            "contentSha1": sha1,
            **dict.fromkeys(("errorCode", "errorMessage", "requestedBy")),
            "completedAt": timestamp(finished) if is_ready else None,
            "expiresAt": None,
            "createdAt": timestamp(file.created),
            "updatedAt": timestamp(finished if is_ready else file.created),
        },
        "downloadUrl": _link(call, file, expires) if is_ready else None,
        "downloadUrlExpiresAt": timestamp(expires) if is_ready else None,
        "downloadUrlTtlSeconds": _LINK_HOURS * 3_600 if is_ready else 0,
    }


_AUDIENCE = "/v1/intent/audiences/{id}"
_RUN = f"{_AUDIENCE}/runs/{{run_id}}"
EXPORTS = (
    Endpoint("GET", "/_files/{file_id}/{name}", _open_link),
    Endpoint("GET", f"{_AUDIENCE}/stats", _read_dated_stats, "flat"),
    Endpoint("POST", f"{_AUDIENCE}/export", _export_day, "flat"),
    Endpoint("GET", f"{_RUN}/stats", _read_stats, "catalog"),
    Endpoint("GET", f"{_RUN}/export.csv", _read_csv, "catalog"),
    Endpoint("POST", f"{_RUN}/exports", _create_export, "catalog"),
    Endpoint("GET", f"{_RUN}/exports/{{export_id}}", _read_export, "catalog"),
)
