"""Stats and exports in the API of April 2026: by audience and date."""

from leadpipe_mcp.sandbox.calls import Call
from leadpipe_mcp.sandbox.files import link
from leadpipe_mcp.sandbox.flat_results import ready_run
from leadpipe_mcp.sandbox.replies import Reply, answer
from leadpipe_mcp.sandbox.tables import filled, percent

_HOUR = 3_600


def read_stats(call: Call) -> Reply:
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
    seconds = call.settings.link_seconds
    return answer(
        {
            "downloadUrl": link(file, call.base_url, int(call.now) + seconds),
            "fileName": file.name,
            "rows": run.match(call.settings.people).count,
            "dataDate": run.day.isoformat(),
            "expiresIn": f"{seconds}s" if seconds % _HOUR else f"{seconds // _HOUR}h",
            "cached": known is not None,
        }
    )
