"""Runs in the API of May 2026: queued, watched, cancelled and read by their ids."""

from leadpipe_mcp.sandbox.calls import Call, Endpoint
from leadpipe_mcp.sandbox.catalog_rows import result_row
from leadpipe_mcp.sandbox.days import timestamp
from leadpipe_mcp.sandbox.reading import Form
from leadpipe_mcp.sandbox.replies import Json, Refusal, Reply, not_found
from leadpipe_mcp.sandbox.store import Run

_LISTED, _MOST_LISTED = 25, 100
_ROWS = 50
_LONGEST_KEY = 120
_LARGEST_OFFSET = 10**9


def queue_run(call: Call) -> Reply:
    """A new manual run, or the one that the same Idempotency-Key queued before."""
    audience = call.audience()
    form = Form({} if call.body is None else call.body)
    form.choice("runType", ("manual",))
    key = call.headers.get("idempotency-key")
    if key is not None and len(key) > _LONGEST_KEY:
        form.wrong("Idempotency-Key", f"Expected at most {_LONGEST_KEY} characters")
    call.refuse_issues(form)
    run = call.organisation.queue(audience, "manual", call.now, key)
    return call.traced(_shown(call, run), status=201)


def list_runs(call: Call) -> Reply:
    """The runs of an audience, newest first."""
    limit = call.number("limit", _LISTED, 1, _MOST_LISTED)
    newest_first = call.audience().runs[::-1]
    return call.traced([_shown(call, run) for run in newest_first[:limit]])


def read_run(call: Call) -> Reply:
    """One run."""
    return call.traced(_shown(call, find_run(call)))


def cancel_run(call: Call) -> Reply:
    """The run, cancelled; only a queued one can be (G-runs)."""
    run = find_run(call)
    if run.status(call.now) != "queued":
        raise Refusal(call.settings.cancel_conflict_status, "Only queued runs can be cancelled")
    run.cancelled = call.now
    return call.traced(_shown(call, run))


def read_results(call: Call) -> Reply:
    """A page of the people whom a run found."""
    run = find_run(call)
    limit = call.number("limit", _ROWS, 1, call.settings.run_results_limit)
    offset = call.number("offset", 0, 0, _LARGEST_OFFSET)
    status = run.status(call.now)
    if status in ("failed", "cancelled"):
        raise Refusal(409, f"Run is {status} and has no results")
    page: Json = {"run": brief_run(call, run), "limit": limit, "offset": offset}
    if status != "completed":
        return call.traced({**page, "state": status, "results": [], "total": 0}, status=202)
    found = run.match(call.settings.people)
    people = found.ranking[offset : offset + limit]
    rows = [result_row(hit) for hit in found.hits(people)]
    return call.traced({**page, "results": rows, "total": found.count})


def find_run(call: Call) -> Run:
    """The run that the path names."""
    audience = call.audience()
    run_id = call.as_uuid(call.path["run_id"], "runId", "Run")
    for run in audience.runs:
        if run.id == run_id:
            return run
    raise not_found("Run")


def _counts(call: Call, run: Run) -> Json:
    if run.status(call.now) != "completed":
        return {"candidateCount": 0, "resultCount": 0}
    found = run.match(call.settings.people)
    return {"candidateCount": found.candidates, "resultCount": found.count}


def brief_run(call: Call, run: Run) -> Json:
    """What is said of a run beside what it found."""
    status = run.status(call.now)
    brief: Json = {"id": run.id, "status": status, "runType": run.type, **_counts(call, run)}
    if status == "completed":
        brief["completedAt"] = timestamp(run.finished)
    return brief


def _shown(call: Call, run: Run) -> Json:
    status = run.status(call.now)
    has_started = run.cancelled is None and status != "queued"
    changed = {"queued": run.created, "running": run.started, "cancelled": run.cancelled}
    return {
        "id": run.id,
        "audienceId": run.audience_id,
        "organizationId": call.organisation.id,
        "status": status,
        "runType": run.type,
        "configHash": run.config.hash,
        "dataDate": run.day.isoformat(),
        "resultKey": f"results/{run.id}" if status == "completed" else None,
        **_counts(call, run),
        "attempts": int(has_started),
        "nextAttemptAt": None,
        "idempotencyKey": run.idempotency_key,
        "errorCode": "RUN_FAILED" if status == "failed" else None,
        "errorMessage": "The run could not be completed" if status == "failed" else None,
        "startedAt": timestamp(run.started) if has_started else None,
        "completedAt": timestamp(run.finished) if status == "completed" else None,
        "cancelledAt": timestamp(run.cancelled) if run.cancelled is not None else None,
        "readyEmailSentAt": None,
        "readyEmailExportId": None,
        "readyEmailError": None,
        "createdAt": timestamp(run.created),
        "updatedAt": timestamp(changed.get(status) or run.finished),
    }


_RUNS = "/v1/intent/audiences/{id}/runs"
ENDPOINTS = (
    Endpoint("POST", _RUNS, queue_run),
    Endpoint("GET", _RUNS, list_runs),
    Endpoint("GET", f"{_RUNS}/{{run_id}}", read_run),
    Endpoint("DELETE", f"{_RUNS}/{{run_id}}", cancel_run),
    Endpoint("GET", f"{_RUNS}/{{run_id}}/results", read_results),
)
