"""The API of April 2026: flat filters and saved audiences."""

from leadpipe_mcp.sandbox.audiences import (
    audience_facts,
    change_audience,
    remove_audience,
    save_audience,
)
from leadpipe_mcp.sandbox.calls import Call, Endpoint
from leadpipe_mcp.sandbox.facets import BY_FLAT_KEY
from leadpipe_mcp.sandbox.flat_exports import export, read_stats
from leadpipe_mcp.sandbox.flat_results import list_runs, query, read_results, read_status
from leadpipe_mcp.sandbox.flat_rows import preview_row
from leadpipe_mcp.sandbox.replies import Json, Reply, answer
from leadpipe_mcp.sandbox.store import Audience

_CREATED = ("id", "name", "status", "config", "audienceSize", "lastRefreshedAt", "createdAt")
_UPDATED = ("id", "name", "status", "config", "audienceSize", "lastRefreshedAt", "updatedAt")
_DETAIL = (*_CREATED, "topics", "updatedAt")


def list_filters(_: Call) -> Reply:
    """The values of every filter that has a closed set of them."""
    return answer(
        {key: facet.values("flat") for key, facet in BY_FLAT_KEY.items() if facet.kind == "choice"}
    )


def preview(call: Call) -> Reply:
    """How many people a config finds, and some of them, masked."""
    config = call.config()
    found = config.match(call.settings.people, call.data_date)
    return answer(
        {
            "totalCount": found.count,
            "sample": [
                preview_row(hit, call.settings)
                for hit in found.hits(found.top(call.settings.sample_rows))
            ],
            "previewKey": config.key,
            "dataDate": call.data_date.isoformat(),
        }
    )


def list_audiences(call: Call) -> Reply:
    """All saved audiences."""
    saved = call.organisation.audiences(call.now)
    return answer([_shown(call, audience, _DETAIL) for audience in saved])


def create_audience(call: Call) -> Reply:
    """Save an audience as a draft."""
    return answer(_shown(call, save_audience(call), _CREATED), status=201)


def read_audience(call: Call) -> Reply:
    """One saved audience."""
    return answer(_shown(call, call.audience(), _DETAIL))


def update_audience(call: Call) -> Reply:
    """The audience as it is after the change."""
    return answer(_shown(call, change_audience(call), _UPDATED))


def delete_audience(call: Call) -> Reply:
    """Remove the audience."""
    return answer(remove_audience(call))


def _shown(call: Call, audience: Audience, fields: tuple[str, ...]) -> Json:
    facts = audience_facts(call, audience)
    return {field: facts[field] for field in fields}


_AUDIENCES = "/v1/intent/audiences"
ONLY_FLAT = (
    Endpoint("POST", f"{_AUDIENCES}/query", query),
    Endpoint("GET", f"{_AUDIENCES}/{{id}}/status", read_status),
    Endpoint("GET", f"{_AUDIENCES}/{{id}}/results", read_results),
    Endpoint("GET", f"{_AUDIENCES}/{{id}}/stats", read_stats),
    Endpoint("POST", f"{_AUDIENCES}/{{id}}/export", export),
)
ENDPOINTS = (
    Endpoint("GET", f"{_AUDIENCES}/filters", list_filters),
    Endpoint("POST", f"{_AUDIENCES}/preview", preview),
    Endpoint("GET", _AUDIENCES, list_audiences),
    Endpoint("POST", _AUDIENCES, create_audience),
    *ONLY_FLAT,
    Endpoint("GET", f"{_AUDIENCES}/{{id}}/runs", list_runs),
    Endpoint("GET", f"{_AUDIENCES}/{{id}}", read_audience),
    Endpoint("PATCH", f"{_AUDIENCES}/{{id}}", update_audience),
    Endpoint("DELETE", f"{_AUDIENCES}/{{id}}", delete_audience),
)
