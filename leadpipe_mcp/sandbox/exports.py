"""Stats and exports of both generations: by audience and date, or by run."""

import csv
import hashlib
import hmac
import io
import re
import uuid
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import urlencode

from starlette.responses import Response, StreamingResponse

from leadpipe_mcp.sandbox.calls import LIVE_KEY, Call, LeadpipeEndpoint, answer, as_uuid
from leadpipe_mcp.sandbox.dice import identity
from leadpipe_mcp.sandbox.matching import Hit, Match
from leadpipe_mcp.sandbox.rows import SEPARATOR, catalog_result_row, flat_result_row
from leadpipe_mcp.sandbox.runs import brief_run, find_run, ready_run
from leadpipe_mcp.sandbox.settings import SandboxSettings
from leadpipe_mcp.sandbox.simulator import Json, Refusal, is_array, is_object, not_found, timestamp
from leadpipe_mcp.sandbox.store import File, Run, Shape

_CSV = "text/csv; charset=utf-8"
# Looking up topics pays for many people at once, writing them does not.
_HITS_AT_ONCE, _ROWS_AT_ONCE = 4_000, 500
_BUCKETS = ((50, 69), (70, 89), (90, 99))
_LINK_HOURS = 24
# It signs invented people only, and a link should be the same on every start.
_SIGNER = b"sandbox"
_LONGEST_SLUG = 60


def _rows(
    match: Match, shape: Shape, settings: SandboxSettings, most: int | None
) -> Iterator[Json]:
    """The people, or the best of them, in the words of a generation; nested fields are dotted."""
    ranking = match.ranking[:most]
    for first in range(0, len(ranking), _HITS_AT_ONCE):
        for hit in match.hits(ranking[first : first + _HITS_AT_ONCE]):
            yield _row(hit, shape, settings)


def _row(hit: Hit, shape: Shape, settings: SandboxSettings) -> Json:
    if shape == "flat":
        return flat_result_row(hit, settings)
    row: Json = {}
    for key, value in catalog_result_row(hit).items():
        inner = {f"{key}.{name}": part for name, part in value.items()} if is_object(value) else {}
        row |= inner or {key: value}
    return row


def _columns(match: Match, shape: Shape, settings: SandboxSettings) -> list[str]:
    """The names of the columns, which do not depend on who was found."""
    anybody = Hit(match.world.people, 0, 0, [match.criteria.topics[0]])
    return list(_row(anybody, shape, settings))


def _csv_of(
    run: Run, shape: Shape, settings: SandboxSettings, most: int | None = None
) -> Iterator[bytes]:
    """A CSV file with a header, never more of it at once than a few hundred rows."""
    match = run.match(settings.people)
    page = io.StringIO("\ufeff" if settings.csv_starts_with_bom else "", newline="")
    page.seek(0, io.SEEK_END)
    writer = csv.writer(page)
    writer.writerow(_columns(match, shape, settings))
    for number, row in enumerate(_rows(match, shape, settings, most), start=1):
        writer.writerow([_text(value) for value in row.values()])
        if number % _ROWS_AT_ONCE == 0:
            yield page.getvalue().encode()
            page.seek(0)
            page.truncate()
    yield page.getvalue().encode()


def _text(value: object) -> str:
    """A cell: a list becomes its parts, a topic its name, nothing an empty cell."""
    if is_array(value):
        return SEPARATOR.join(map(_text, value))
    if is_object(value):
        return str(value["topicName"])
    return "" if value is None else str(value)


@lru_cache(maxsize=16)
def _filled(match: Match, shape: Shape) -> dict[str, int]:
    """For how many people each column says something."""
    # How values are written is a matter of settings, whether there are any is not.
    settings = SandboxSettings()
    counts = dict.fromkeys(_columns(match, shape, settings), 0)
    for row in _rows(match, shape, settings, None):
        for column, value in row.items():
            counts[column] += value not in (None, "", [])
    return counts


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 2) if whole else 0.0


def _download(pieces: Iterator[bytes], name: str, **more: str) -> Response:
    headers = {"Content-Type": _CSV, "Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(pieces, headers={**headers, **more})


def _file_of(call: Call, run: Run, shape: Shape) -> tuple[File, bool]:
    """The export of a run, and whether it is made only now."""
    if shape in run.files:
        return run.files[shape], False
    words = "-".join(re.findall(r"[a-z0-9]+", call.audience().name.lower()))
    slug = words[:_LONGEST_SLUG].strip("-") or "audience"
    file_id, name = identity(f"file {run.id} {shape}"), f"{slug}-{run.day.isoformat()}.csv"
    run.files[shape] = File(file_id, name, run, shape, call.now)
    return run.files[shape], True


def _link(call: Call, file: File, expires: int) -> str:
    """Where the file can be downloaded without a key until a moment."""
    place = f"{file.id}/{file.name}"
    query = urlencode({"expires": expires, "signature": _signature(place, str(expires))})
    return f"{call.base_url}{_FILES}/{place}?{query}"


def _signature(place: str, expires: str) -> str:
    return hmac.new(_SIGNER, f"{place} {expires}".encode(), hashlib.sha256).hexdigest()


def _open_link(call: Call) -> Response:
    """The file that a link leads to, if the link is ours and has not expired."""
    place = f"{call.path['file_id']}/{call.path['name']}"
    expires, signature = call.query.get("expires", ""), call.query.get("signature", "")
    if not hmac.compare_digest(signature.encode(), _signature(place, expires).encode()):
        raise Refusal(403, "Invalid signature")
    if call.now >= int(expires):
        raise Refusal(403, "The link has expired")
    for organisation in call.organisations.values():
        if file := organisation.find_file(call.path["file_id"]):
            return _download(_csv_of(file.run, file.shape, call.settings), file.name)
    raise not_found("File")


def _read_dated_stats(call: Call) -> Response:
    """For which part of the people each field says something, in percent."""
    run = ready_run(call)
    found = run.match(call.settings.people)
    counts = _filled(found, "flat")
    return answer(
        {
            "total": found.count,
            "dataDate": run.day.isoformat(),
            "fields": {field: _percent(many, found.count) for field, many in counts.items()},
        }
    )


def _export_day(call: Call) -> Response:
    """A link to the people of a day as CSV; `cached` when they were exported before."""
    run = ready_run(call)
    file, is_new = _file_of(call, run, "flat")
    return answer(
        {
            "downloadUrl": _link(call, file, int(call.now) + _LINK_HOURS * 3_600),
            "fileName": file.name,
            "rows": run.match(call.settings.people).count,
            "dataDate": run.day.isoformat(),
            "expiresIn": f"{_LINK_HOURS}h",
            "cached": not is_new,
        }
    )


def _read_stats(call: Call) -> Response:
    """How well the fields of a run are filled, and how its scores are spread."""
    run = _completed_run(call)
    found = run.match(call.settings.people)
    total, averages = found.count, dict[str, float]()
    if total:
        # The documents show an empty object, and so do we for nobody.
        averages["score"] = round(sum(found.best) / total, 2)
        averages["topicOverlap"] = round(found.overlap / total, 2)
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
    return call.traced({"run": about, "stats": {**stats, "averages": averages}})


def _read_csv(call: Call) -> Response:
    """The people of a run as CSV, the best of them where there are too many."""
    run, cap = _completed_run(call), call.settings.export_row_cap
    more = {"X-Export-Row-Cap": str(cap), "X-ClickHouse-Query-Id": str(uuid.uuid4())}
    pieces = _csv_of(run, "catalog", call.settings, cap)
    return _download(pieces, f"run-{run.id}.csv", **more)


def _create_export(call: Call) -> Response:
    """The stored export of a run, made now if it was not there."""
    file, is_new = _file_of(call, _completed_run(call), "catalog")
    return call.traced(_export_facts(call, file), 201 if is_new else 200)


def _read_export(call: Call) -> Response:
    """The stored export with a link that was not there before."""
    run = find_run(call)
    export_id = as_uuid(call.path["export_id"], "exportId")
    file = run.files.get("catalog")
    if file is None or file.id != export_id:
        raise not_found("Export")
    return call.traced(_export_facts(call, file))


def _completed_run(call: Call) -> Run:
    run = find_run(call)
    status = run.status(call.now)
    if status != "completed":
        raise Refusal(409, f"Run is {status} and has no results")
    return run


def _export_facts(call: Call, file: File) -> Json:
    finished = file.created + call.settings.export_seconds
    is_ready = call.now >= finished
    if is_ready and file.checksums is None:
        size, digest = 0, hashlib.sha1(usedforsecurity=False)
        for piece in _csv_of(file.run, file.shape, call.settings):
            size += len(piece)
            digest.update(piece)
        file.checksums = size, digest.hexdigest()
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
            "rowCount": file.run.match(call.settings.people).count if is_ready else None,
            "bucketName": "sandbox-exports",
            "fileId": f"file-{file.id}",
            "fileName": file.name,
            "contentSha1": sha1,
            "errorCode": None,
            "errorMessage": None,
            "requestedBy": None,
            "completedAt": timestamp(finished) if is_ready else None,
            "expiresAt": None,
            "createdAt": timestamp(file.created),
            "updatedAt": timestamp(finished if is_ready else file.created),
        },
        "downloadUrl": _link(call, file, expires) if is_ready else None,
        "downloadUrlExpiresAt": timestamp(expires) if is_ready else None,
        "downloadUrlTtlSeconds": _LINK_HOURS * 3_600 if is_ready else 0,
    }


_FILES = "/_files"
_AUDIENCE = "/v1/intent/audiences/{id}"
_RUN = f"{_AUDIENCE}/runs/{{run_id}}"
DOWNLOAD = LeadpipeEndpoint("GET", f"{_FILES}/{{file_id}}/{{name}}", _open_link)
DATED_EXPORTS: tuple[LeadpipeEndpoint, ...] = (
    LeadpipeEndpoint("GET", f"{_AUDIENCE}/stats", _read_dated_stats, LIVE_KEY),
    LeadpipeEndpoint("POST", f"{_AUDIENCE}/export", _export_day, LIVE_KEY),
)
EXPORTS: tuple[LeadpipeEndpoint, ...] = (
    LeadpipeEndpoint("GET", f"{_RUN}/stats", _read_stats, LIVE_KEY),
    LeadpipeEndpoint("GET", f"{_RUN}/export.csv", _read_csv, LIVE_KEY),
    LeadpipeEndpoint("POST", f"{_RUN}/exports", _create_export, LIVE_KEY),
    LeadpipeEndpoint("GET", f"{_RUN}/exports/{{export_id}}", _read_export, LIVE_KEY),
)
