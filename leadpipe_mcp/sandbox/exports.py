"""Stats and exports of both generations: by audience and date, or by run."""

import uuid

from leadpipe_mcp.sandbox.calls import Call, Endpoint
from leadpipe_mcp.sandbox.files import (
    CSV,
    FILES_PATH,
    LINK_SECONDS,
    File,
    Table,
    attachment,
    filled,
    link,
    percent,
    size_and_sha1,
)
from leadpipe_mcp.sandbox.matching import Match
from leadpipe_mcp.sandbox.replies import (
    Download,
    Json,
    Refusal,
    Reply,
    answer,
    not_found,
    timestamp,
)
from leadpipe_mcp.sandbox.runs import brief_run, find_run, ready_run
from leadpipe_mcp.sandbox.store import Run

_HOUR = 3_600


def read_dated_stats(call: Call) -> Reply:
    """For which part of the people each field says something, in percent."""
    run = ready_run(call)
    found = run.match(call.settings.people)
    return answer(
        {
            "total": found.count,
            "dataDate": run.day.isoformat(),
            "fields": {
                field: percent(count, found.count) for field, count in filled(found, "flat").items()
            },
        }
    )


def export(call: Call) -> Reply:
    """A link to the people of a day as CSV; `cached` when they were exported before."""
    run = ready_run(call)
    known = call.files.of_run(run, "flat")
    file = known or call.files.add(call.audience(), run, "flat", call.now)
    return answer(
        {
            "downloadUrl": link(file, call.base_url, int(call.now) + LINK_SECONDS),
            "fileName": file.name,
            "rows": run.match(call.settings.people).count,
            "dataDate": run.day.isoformat(),
            "expiresIn": f"{LINK_SECONDS // _HOUR}h",
            "cached": known is not None,
        }
    )


_BUCKETS = ((50, 69), (70, 89), (90, 99))


def read_stats(call: Call) -> Reply:
    """How well the fields of a run are filled, and how its scores are spread."""
    run = _completed_run(call)
    found = run.match(call.settings.people)
    stats: Json = {
        "total": found.count,
        "fillRates": {
            field: {"count": count, "percent": percent(count, found.count)}
            for field, count in filled(found, "catalog").items()
        },
        "scoreHistogram": [_bucket(found, low, high) for low, high in _BUCKETS],
        "averages": _averages(found),
    }
    about = {**brief_run(call, run), "audienceId": run.audience_id}
    del about["candidateCount"]
    return call.traced({"run": about, "stats": stats})


def read_csv(call: Call) -> Download:
    """The people of a run as CSV, the best of them where there are too many."""
    run, cap = _completed_run(call), call.settings.export_row_cap
    table = Table(run.match(call.settings.people), "catalog", call.settings)
    headers = attachment(f"run-{run.id}.csv")
    query_id = str(uuid.uuid4())
    more = {"X-Export-Row-Cap": str(cap), "X-ClickHouse-Query-Id": query_id}
    return Download(table.pieces(cap), {**headers, **more})


def create_export(call: Call) -> Reply:
    """The stored export of a run, made now if it was not there."""
    run = _completed_run(call)
    known = call.files.of_run(run, "catalog")
    file = known or call.files.add(call.audience(), run, "catalog", call.now)
    return call.traced(_export_facts(call, file), 200 if known else 201)


def read_export(call: Call) -> Reply:
    """The stored export with a link that was not there before."""
    run = find_run(call)
    export_id = call.as_uuid(call.path["export_id"], "exportId")
    file = call.files.of_run(run, "catalog")
    if file is None or file.id != export_id:
        raise not_found("Export")
    return call.traced(_export_facts(call, file))


def _completed_run(call: Call) -> Run:
    run = find_run(call)
    status = run.status(call.now)
    if status != "completed":
        raise Refusal(409, f"Run is {status} and has no results")
    return run


def _bucket(found: Match, low: int, high: int) -> Json:
    count = sum(found.best.count(score) for score in range(low, high + 1))
    return {"bucket": f"{low}-{high}", "count": count, "percent": percent(count, found.count)}


def _averages(found: Match) -> Json:
    """The documents show an empty object, and so do we for nobody."""
    if not found.count:
        return {}
    return {
        "score": round(sum(found.best) / found.count, 2),
        "topicOverlap": round(found.overlap / found.count, 2),
    }


def _export_facts(call: Call, file: File) -> Json:
    finished = file.created + call.settings.export_seconds
    is_ready = call.now >= finished
    expires = int(call.now) + LINK_SECONDS
    return {
        "export": _file_facts(call, file, finished, is_ready=is_ready),
        "downloadUrl": link(file, call.base_url, expires) if is_ready else None,
        "downloadUrlExpiresAt": timestamp(expires) if is_ready else None,
        "downloadUrlTtlSeconds": LINK_SECONDS if is_ready else 0,
    }


def _file_facts(call: Call, file: File, finished: float, *, is_ready: bool) -> Json:
    table = file.table(call.settings)
    if is_ready and file.checksums is None:
        file.checksums = size_and_sha1(table)
    size, sha1 = file.checksums or (None, None)
    return {
        "id": file.id,
        "organizationId": call.organisation.id,
        "audienceId": file.run.audience_id,
        "runId": file.run.id,
        "exportType": "csv",
        "status": "completed" if is_ready else "processing",
        "storageProvider": "b2",
        "contentType": CSV,
        "byteSize": size,
        "rowCount": table.match.count if is_ready else None,
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
    }


_RUN = "/v1/intent/audiences/{id}/runs/{run_id}"
EXPORTS = (
    Endpoint("GET", f"{_RUN}/stats", read_stats),
    Endpoint("GET", f"{_RUN}/export.csv", read_csv),
    Endpoint("POST", f"{_RUN}/exports", create_export),
    Endpoint("GET", f"{_RUN}/exports/{{export_id}}", read_export),
)


def download(call: Call) -> Download:
    """The file, made while it is sent."""
    file = call.files.opened(call.path, call.query, call.now)
    return Download(file.table(call.settings).pieces(), attachment(file.name))


DOWNLOADS = (Endpoint("GET", f"{FILES_PATH}/{{file_id}}/{{name}}", download, "nothing"),)
