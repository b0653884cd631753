"""Runs and their results: by audience and date with cursors, or by id with offsets."""

import base64
import re
from collections.abc import Callable, Iterable
from datetime import date, timedelta

from leadpipe_mcp.sandbox.calls import Call, Endpoint
from leadpipe_mcp.sandbox.configs import read_config
from leadpipe_mcp.sandbox.matching import Hit
from leadpipe_mcp.sandbox.replies import Form, Json, Refusal, Reply, answer, not_found, timestamp
from leadpipe_mcp.sandbox.rows import catalog_result_row, flat_result_row, person_row
from leadpipe_mcp.sandbox.settings import SandboxSettings
from leadpipe_mcp.sandbox.store import HISTORY_DAYS, Audience, Run

Row = Callable[[Hit, SandboxSettings], Json]
_ROWS, _MOST_ROWS = 50, 100
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_STATES = {
    "queued": "materializing",
    "running": "materializing",
    "completed": "ready",
    "failed": "failed",
    "cancelled": "failed",
}


def query(call: Call) -> Reply:
    """The people that a config or a saved audience finds; asking starts the work."""
    form = Form(call.body)
    day = _day(call, form, form.text("date", 10))
    limit = form.integer("limit", 1, _MOST_ROWS) or _ROWS
    cursor = None if form.fields.get("cursor") is None else form.text("cursor", 200)
    if form.has("audienceId"):
        audience_id = call.as_uuid(form.text("audienceId", 64), "audienceId")
        call.refuse_issues(form)
        audience = call.organisation.audience(audience_id, call.now)
        run = _continued(audience.runs, cursor) or audience.run_of_config(day)
        run = run or _start(call, audience, day)
    else:
        config = read_config(form, call.settings)
        call.refuse_issues(form)
        earlier = call.organisation.queries.values()
        run = _continued((run for run in earlier if run.config.hash == config.hash), cursor)
        run = run or call.organisation.query(config, _available(call, day), call.now)
    if _state(call, run) != "ready":
        meta: Json = {"count": 0, "totalCount": 0, "nextCursor": None, "hasMore": False}
        return _not_ready(call, run, {**meta, "cacheKey": run.config.key})
    return _page(call, run, limit, cursor, person_row, {"cacheKey": run.config.key})


def read_status(call: Call) -> Reply:
    """Whether the results of an audience are there."""
    run = call.audience().run_of_config(_asked_day(call))
    if run is None:
        return answer({"status": "none", "totalCount": 0, "dataDate": None, "runId": None})
    return answer(
        {
            "status": _state(call, run),
            "totalCount": _count(call, run),
            "dataDate": run.day.isoformat(),
            "runId": run.id,
        }
    )


def read_dated_results(call: Call) -> Reply:
    """The people of a saved audience on a day."""
    audience, day = call.audience(), _asked_day(call)
    limit = call.number("limit", _ROWS, 1, _MOST_ROWS)
    cursor = call.query.get("cursor")
    run = _continued(audience.runs, cursor) or audience.run_of_config(day)
    run = run or _start(call, audience, day)
    if _state(call, run) != "ready":
        return _not_ready(call, run, {})
    return _page(call, run, limit, cursor, flat_result_row, {})


def list_days(call: Call) -> Reply:
    """The days for which an audience has results, newest first."""
    return answer(
        [
            {
                "cacheKey": run.config.key,
                "dataDate": run.day.isoformat(),
                "status": _state(call, run),
                "totalCount": _count(call, run),
                "createdAt": timestamp(run.created),
                "hasExport": call.files.of_run(run, "flat") is not None,
            }
            for run in reversed(call.audience().runs)
        ]
    )


def ready_run(call: Call) -> Run:
    """The run for the day that was asked for, or the newest one, refused unless it is ready."""
    run = call.audience().run_of_config(_asked_day(call))
    if run is None or _state(call, run) != "ready":
        raise Refusal(404, "Audience not found or not yet materialized")
    return run


def _state(call: Call, run: Run) -> str:
    return _STATES[run.status(call.now)]


def _count(call: Call, run: Run) -> int:
    return run.match(call.settings.people).count if _state(call, run) == "ready" else 0


def _start(call: Call, audience: Audience, day: date | None) -> Run:
    """A new run of the audience, for the day or the newest data."""
    return call.organisation.backfill(audience, _available(call, day), call.now)


def _available(call: Call, day: date | None) -> date:
    """The day, or the newest one; refused when there is no data for it."""
    newest = call.data_date
    if day is None:
        return newest
    if newest - timedelta(days=HISTORY_DAYS) < day <= newest:
        return day
    raise Refusal(404, f"No data for {day.isoformat()}")


def _asked_day(call: Call) -> date | None:
    form = Form({})
    day = _day(call, form, call.query.get("date"))
    call.refuse_issues(form)
    return day


def _day(call: Call, form: Form, text: str | None) -> date | None:
    if text is None:
        return None
    try:
        day = date.fromisoformat(text if _DATE.fullmatch(text) else "")
    except ValueError:
        return form.wrong("date", "Expected a date as YYYY-MM-DD")
    return day if call.settings.date_parameter == "kept" else None


def _page(call: Call, run: Run, limit: int, cursor: str | None, row: Row, more_meta: Json) -> Reply:
    """A page of a run's people."""
    offset = _offset(call, run, cursor)
    found = run.match(call.settings.people)
    people = found.ranking[offset : offset + limit]
    has_more = offset + len(people) < found.count
    meta: Json = {
        "count": len(people),
        "totalCount": found.count,
        "nextCursor": _cursor(run, offset + limit) if has_more else None,
        "hasMore": has_more,
        "status": "ready",
        "dataDate": run.day.isoformat(),
        **more_meta,
    }
    return answer([row(hit, call.settings) for hit in found.hits(people)], meta)


def _not_ready(call: Call, run: Run, more_meta: Json) -> Reply:
    """Say that the people are not there yet."""
    about = {"status": _state(call, run), "dataDate": run.day.isoformat()}
    return answer([], {**more_meta, **about}, status=202)


def _cursor(run: Run, offset: int) -> str:
    return base64.urlsafe_b64encode(f"{run.id}:{offset}".encode()).decode()


def _read_cursor(cursor: str | None) -> tuple[str, int] | None:
    try:
        run_id, _, offset = base64.urlsafe_b64decode(cursor or "").decode().partition(":")
        return run_id, int(offset)
    except ValueError:
        return None


def _continued(runs: Iterable[Run], cursor: str | None) -> Run | None:
    """The run that a cursor pages through, though a newer one may have come since."""
    place = _read_cursor(cursor)
    return next((run for run in runs if place and run.id == place[0]), None)


def _offset(call: Call, run: Run, cursor: str | None) -> int:
    if not cursor:
        return 0
    place = _read_cursor(cursor)
    if place is None or place[0] != run.id:
        raise call.refuse("cursor", "Invalid cursor")
    return place[1]


_LISTED, _MOST_LISTED = 25, 100
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
    return call.traced(_run_facts(call, run), status=201)


def list_runs(call: Call) -> Reply:
    """The runs of an audience, newest first."""
    limit = call.number("limit", _LISTED, 1, _MOST_LISTED)
    newest_first = call.audience().runs[::-1]
    return call.traced([_run_facts(call, run) for run in newest_first[:limit]])


def read_run(call: Call) -> Reply:
    """One run."""
    return call.traced(_run_facts(call, find_run(call)))


def cancel_run(call: Call) -> Reply:
    """The run, cancelled; only a queued one can be (G-runs)."""
    run = find_run(call)
    if run.status(call.now) != "queued":
        raise Refusal(call.settings.cancel_conflict_status, "Only queued runs can be cancelled")
    run.cancelled = call.now
    return call.traced(_run_facts(call, run))


def read_results(call: Call) -> Reply:
    """A page of the people that a run found."""
    run = find_run(call)
    limit = call.number("limit", _ROWS, 1, _MOST_ROWS)
    offset = call.number("offset", 0, 0, _LARGEST_OFFSET)
    status = run.status(call.now)
    if status in ("failed", "cancelled"):
        raise Refusal(409, f"Run is {status} and has no results")
    page: Json = {"run": brief_run(call, run), "limit": limit, "offset": offset}
    if status != "completed":
        return call.traced({**page, "state": status, "results": [], "total": 0}, status=202)
    found = run.match(call.settings.people)
    people = found.ranking[offset : offset + limit]
    rows = [catalog_result_row(hit) for hit in found.hits(people)]
    return call.traced({**page, "results": rows, "total": found.count})


def find_run(call: Call) -> Run:
    """The run that the path names."""
    audience = call.audience()
    run_id = call.as_uuid(call.path["run_id"], "runId")
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


def _run_facts(call: Call, run: Run) -> Json:
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
RUNS = (
    Endpoint("POST", _RUNS, queue_run),
    Endpoint("GET", _RUNS, list_runs),
    Endpoint("GET", f"{_RUNS}/{{run_id}}", read_run),
    Endpoint("DELETE", f"{_RUNS}/{{run_id}}", cancel_run),
    Endpoint("GET", f"{_RUNS}/{{run_id}}/results", read_results),
)
