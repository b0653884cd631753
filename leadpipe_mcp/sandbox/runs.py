"""Runs and their results: by audience and date with cursors, or by id with offsets."""

from collections.abc import Callable
from datetime import date, timedelta

from starlette.responses import Response

from leadpipe_mcp.sandbox.calls import Call, answer, as_uuid
from leadpipe_mcp.sandbox.configs import read_config
from leadpipe_mcp.sandbox.rows import catalog_result_row, flat_result_row, person_row
from leadpipe_mcp.sandbox.settings import SandboxSettings
from leadpipe_mcp.sandbox.simulator import Endpoint, Form, Json, Refusal, invalid, timestamp
from leadpipe_mcp.sandbox.store import HISTORY_DAYS, Audience, Run, RunType

_ROWS, _MOST_ROWS, _LARGEST_OFFSET = 50, 100, 10**9
_LISTED, _MOST_LISTED, _LONGEST_KEY = 25, 100, 120
_STATES = {"completed": "ready", "failed": "failed", "cancelled": "failed"}


def _query(call: Call) -> Response:
    """The people that a config or a saved audience finds; asking starts the work."""
    form = Form(call.body)
    day = asked_day(form, call.settings)
    limit = form.integer("limit", 1, _MOST_ROWS) or _ROWS
    cursor = None if form.fields.get("cursor") is None else form.text("cursor", 200)
    if form.has("audienceId"):
        audience_id = as_uuid(form.text("audienceId", 64), "audienceId")
        form.check()
        audience = call.organisation.audience(audience_id, call.now)
        run, offset = _run_for(call, audience, day, cursor)
    else:
        config = read_config(form, call.settings)
        form.check()
        audience = Audience("", "", config, call.now, call.now)
        audience = call.organisation.unsaved.setdefault(config.hash, audience)
        run, offset = _run_for(call, audience, _available(call, day), cursor, "preview")
    meta: Json = {"count": 0, "totalCount": 0, "nextCursor": None, "hasMore": False}
    meta["cacheKey"] = run.config.hash[:32]
    return _page(call, run, offset, limit, person_row, meta)


def _read_status(call: Call) -> Response:
    """Whether the results of an audience are there."""
    run = call.audience().run_of_config(asked_day(Form(call.query), call.settings))
    if run is None:
        return answer({"status": "none", "totalCount": 0, "dataDate": None, "runId": None})
    total = _counts(call, run)["resultCount"]
    about: Json = {"dataDate": run.day.isoformat(), "runId": run.id}
    return answer({"status": _state(call, run), "totalCount": total, **about})


def _read_dated_results(call: Call) -> Response:
    """The people of a saved audience on a day."""
    audience, form = call.audience(), Form(call.query)
    day, cursor = asked_day(form, call.settings), form.text("cursor", 200)
    limit = call.number("limit", _ROWS, 1, _MOST_ROWS)
    run, offset = _run_for(call, audience, day, cursor)
    return _page(call, run, offset, limit, flat_result_row, {})


def asked_day(form: Form, settings: SandboxSettings) -> date | None:
    """The day that is asked about; None is the newest with a run."""
    text, day = form.text("date", 10), None
    try:
        day = None if text is None else date.fromisoformat(text)
    except ValueError:
        form.wrong("date", "Expected a date as YYYY-MM-DD")
    form.check()
    return day if settings.date_parameter == "kept" else None


def _available(call: Call, day: date | None) -> date:
    """The day, or the newest one; refused when there is no data for it."""
    newest = call.data_date
    if day is None or newest - timedelta(days=HISTORY_DAYS) < day <= newest:
        return day or newest
    raise Refusal(404, f"No data for {day.isoformat()}")


def _run_for(
    call: Call, audience: Audience, day: date | None, cursor: str | None, kind: RunType = "daily"
) -> tuple[Run, int]:
    """The run and the place in it that a cursor names, or that of the day, new if there is none."""
    run_id, _, offset = (cursor or "").rpartition(".")
    for run in audience.runs:
        # A newer one may have come since.
        if run.id == run_id and offset.isdecimal():
            return run, int(offset)
    run = audience.run_of_config(day)
    run = run or call.organisation.add_run(audience, kind, _available(call, day), call.now)
    if cursor and run.status(call.now) == "completed":
        raise invalid("cursor", "Invalid cursor")
    return run, 0


def _state(call: Call, run: Run) -> str:
    return _STATES.get(run.status(call.now), "materializing")


def _page(
    call: Call, run: Run, offset: int, limit: int, row: Callable[..., Json], meta: Json
) -> Response:
    """A page of a run's people, or 202 while they are not there."""
    state = _state(call, run)
    meta |= {"status": state, "dataDate": run.day.isoformat()}
    if state != "ready":
        return answer([], meta, status=202)
    found = run.match()
    people = found.ranking[offset : offset + limit]
    has_more = offset + len(people) < found.count
    meta |= {
        "count": len(people),
        "totalCount": found.count,
        "nextCursor": f"{run.id}.{offset + limit}" if has_more else None,
        "hasMore": has_more,
    }
    return answer([row(hit, call.settings) for hit in found.hits(people)], meta)


def _queue_run(call: Call) -> Response:
    """A new manual run, or the one that the same Idempotency-Key queued before."""
    audience, form = call.audience(), Form({} if call.body is None else call.body)
    form.choice("runType", ("manual",))
    key = call.request.headers.get("idempotency-key")
    if key is not None and len(key) > _LONGEST_KEY:
        form.wrong("Idempotency-Key", f"Expected at most {_LONGEST_KEY} characters")
    form.check()
    for run in audience.runs:
        if key is not None and run.idempotency_key == key:
            return call.reply(_run_facts(call, run), status=201)
    run = call.organisation.add_run(audience, "manual", call.data_date, call.now)
    run.idempotency_key = key
    return call.reply(_run_facts(call, run), status=201)


def _list_runs(call: Call) -> Response:
    """The runs of an audience, newest first; to the flat generation each is a day."""
    runs = call.audience().runs[::-1]
    if call.settings.profile != "flat":
        limit = call.number("limit", _LISTED, 1, _MOST_LISTED)
        return call.reply([_run_facts(call, run) for run in runs[:limit]])
    return answer(
        [
            {
                "cacheKey": run.config.hash[:32],
                "dataDate": run.day.isoformat(),
                "status": _state(call, run),
                "totalCount": _counts(call, run)["resultCount"],
                "createdAt": timestamp(run.created),
                "hasExport": run.file_id("flat") in call.files,
            }
            for run in runs
        ]
    )


def _read_run(call: Call) -> Response:
    return call.reply(_run_facts(call, call.run()))


def _cancel_run(call: Call) -> Response:
    """The run, cancelled; only a queued one can be (G-runs)."""
    run = call.run()
    if run.status(call.now) != "queued":
        raise Refusal(409, "Only queued runs can be cancelled")
    run.cancelled = call.now
    return call.reply(_run_facts(call, run))


def _read_results(call: Call) -> Response:
    """A page of the people that a run found."""
    run = call.run()
    limit = call.number("limit", _ROWS, 1, _MOST_ROWS)
    offset = call.number("offset", 0, 0, _LARGEST_OFFSET)
    status = run.status(call.now)
    page: Json = {"run": brief_run(call, run), "limit": limit, "offset": offset}
    if status in ("queued", "running"):
        return call.reply({**page, "state": status, "results": [], "total": 0}, status=202)
    call.completed_run()
    found = run.match()
    hits = found.hits(found.ranking[offset : offset + limit])
    results = [catalog_result_row(hit) for hit in hits]
    return call.reply({**page, "results": results, "total": found.count})


def _counts(call: Call, run: Run) -> dict[str, int]:
    if run.status(call.now) != "completed":
        return {"candidateCount": 0, "resultCount": 0}
    found = run.match()
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
        **dict.fromkeys(("readyEmailSentAt", "readyEmailExportId", "readyEmailError")),
        "createdAt": timestamp(run.created),
        "updatedAt": timestamp(changed.get(status) or run.finished),
    }


_AUDIENCE = "/v1/intent/audiences/{id}"
_RUNS = f"{_AUDIENCE}/runs"
RUNS = (
    Endpoint("POST", "/v1/intent/audiences/query", _query, "flat"),
    Endpoint("GET", f"{_AUDIENCE}/status", _read_status, "flat"),
    Endpoint("GET", f"{_AUDIENCE}/results", _read_dated_results, "flat"),
    Endpoint("GET", _RUNS, _list_runs),
    Endpoint("POST", _RUNS, _queue_run, "catalog"),
    Endpoint("GET", f"{_RUNS}/{{run_id}}", _read_run, "catalog"),
    Endpoint("DELETE", f"{_RUNS}/{{run_id}}", _cancel_run, "catalog"),
    Endpoint("GET", f"{_RUNS}/{{run_id}}/results", _read_results, "catalog"),
)
