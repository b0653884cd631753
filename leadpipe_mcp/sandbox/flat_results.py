"""Results in the API of April 2026: by audience and date, page by page with cursors."""

import base64
import re
from collections.abc import Callable, Iterable
from datetime import date, timedelta

from leadpipe_mcp.sandbox.calls import Call
from leadpipe_mcp.sandbox.configs import read_config
from leadpipe_mcp.sandbox.days import timestamp
from leadpipe_mcp.sandbox.flat_rows import person_row, result_row
from leadpipe_mcp.sandbox.matching import Hit
from leadpipe_mcp.sandbox.reading import Form
from leadpipe_mcp.sandbox.replies import Json, Refusal, Reply, answer
from leadpipe_mcp.sandbox.settings import SandboxSettings
from leadpipe_mcp.sandbox.store import Audience, Run

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
    """The people whom a config or a saved audience finds; asking starts the work."""
    form = Form(call.body)
    day = _day(call, form, form.text("date", 10))
    limit = form.integer("limit", 1, _MOST_ROWS) or _ROWS
    cursor = None if form.fields.get("cursor") is None else form.text("cursor", 200)
    prefers_config = call.settings.query_prefers == "config" and form.has("topicIds")
    if form.has("audienceId") and not prefers_config:
        audience_id = call.as_uuid(form.text("audienceId", 64), "audienceId", "Audience")
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


def read_results(call: Call) -> Reply:
    """The people of a saved audience on a day."""
    audience, day = call.audience(), _asked_day(call)
    limit = call.number("limit", _ROWS, 1, _MOST_ROWS)
    cursor = call.query.get("cursor")
    run = _continued(audience.runs, cursor) or audience.run_of_config(day)
    if run is None and call.settings.results_start_run:
        run = _start(call, audience, day)
    if run is None or _state(call, run) != "ready":
        return _not_ready(call, run, {})
    return _page(call, run, limit, cursor, result_row, {})


def list_runs(call: Call) -> Reply:
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
    if newest - timedelta(days=call.settings.history_days) < day <= newest:
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


def _not_ready(call: Call, run: Run | None, more_meta: Json) -> Reply:
    """Word that the people are not there yet."""
    state = _state(call, run) if run else "none"
    day = run.day.isoformat() if run else None
    return answer([], {**more_meta, "status": state, "dataDate": day}, status=202)


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
