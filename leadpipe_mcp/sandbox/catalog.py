"""The API of May 2026: catalogue filters, numbered runs, offsets; and the mixed profile."""

from leadpipe_mcp.sandbox.audiences import (
    audience_facts,
    change_audience,
    remove_audience,
    save_audience,
)
from leadpipe_mcp.sandbox.calls import Call, Endpoint
from leadpipe_mcp.sandbox.catalog_exports import ENDPOINTS as EXPORT_ENDPOINTS
from leadpipe_mcp.sandbox.catalog_filters import catalog_of
from leadpipe_mcp.sandbox.catalog_rows import preview_row
from leadpipe_mcp.sandbox.catalog_runs import ENDPOINTS as RUN_ENDPOINTS
from leadpipe_mcp.sandbox.configs import read_config
from leadpipe_mcp.sandbox.matching import Match
from leadpipe_mcp.sandbox.reading import Form
from leadpipe_mcp.sandbox.replies import Json, Reply
from leadpipe_mcp.sandbox.store import AUDIENCE_STATUSES, Audience
from leadpipe_mcp.sandbox.vocabulary import label

_STRATEGY = "serving_table_in"
_LISTED, _MOST_LISTED = 50, 100
_CREATED = (
    "id",
    "organizationId",
    "name",
    "status",
    "accessType",
    "dailyRefreshEnabled",
    "audienceSize",
    "createdAt",
    "updatedAt",
)
_LIST = (*_CREATED[:1], *_CREATED[2:8], "lastRefreshedAt")
_DETAIL = (*_CREATED, "lastRefreshedAt")


def list_filters(call: Call) -> Reply:
    """The filter catalogue."""
    return call.traced(catalog_of(call))


def validate(call: Call) -> Reply:
    """Whether a config is in order, and what becomes of it."""
    form = Form(call.body)
    config = read_config(form, call.settings)
    if form.issues and call.settings.invalid_config == "valid_false":
        issues = [issue._asdict() for issue in form.issues]
        return call.traced({"valid": False, "issues": issues})
    call.refuse_issues(form)
    return call.traced(
        {
            "valid": True,
            "configHash": config.hash,
            "normalizedConfig": config.normalized(call.settings),
            "appliedFilters": config.applied(call.settings),
            "strategy": _STRATEGY,
        },
    )


def preview(call: Call) -> Reply:
    """How many people a config finds, of what kind, and some of them."""
    config = call.config()
    found = config.match(call.settings.people, call.data_date)
    data: Json = {
        "configHash": config.hash,
        "dataDate": call.data_date.isoformat(),
        "strategy": _STRATEGY,
        "totalCount": found.count,
        "breakdowns": {
            "industries": _breakdown(found, "industry"),
            "seniorities": _breakdown(found, "seniority"),
        },
        "sample": [
            preview_row(hit, call.settings)
            for hit in found.hits(found.top(call.settings.sample_rows))
        ],
        "appliedFilters": config.applied(call.settings),
    }
    if call.settings.profile == "mixed":
        data["previewKey"] = config.key
    return call.traced(data)


def list_audiences(call: Call) -> Reply:
    """The saved audiences, newest first, of one status or all."""
    limit = call.number("limit", _LISTED, 1, _MOST_LISTED)
    wanted = call.query.get("status")
    if wanted is not None and wanted not in AUDIENCE_STATUSES:
        raise call.refuse("status", f"Expected one of {', '.join(AUDIENCE_STATUSES)}")
    saved = [
        audience
        for audience in call.organisation.audiences(call.now)
        if wanted in (None, audience.status)
    ]
    return call.traced([_shown(call, audience, _LIST) for audience in saved[:limit]])


def create_audience(call: Call) -> Reply:
    """Save an audience; an active one takes a slot."""
    return call.traced(_shown(call, save_audience(call), _CREATED), status=201)


def read_audience(call: Call) -> Reply:
    """One saved audience."""
    return call.traced(_detail(call, call.audience()))


def update_audience(call: Call) -> Reply:
    """The audience as it is after the change."""
    return call.traced(_detail(call, change_audience(call)))


def delete_audience(call: Call) -> Reply:
    """Remove the audience."""
    return call.traced(remove_audience(call))


def _shown(call: Call, audience: Audience, fields: tuple[str, ...]) -> Json:
    """These fields of an audience; in the mixed profile all that either generation shows."""
    facts = audience_facts(call, audience)
    if call.settings.profile == "mixed":
        return facts
    return {field: facts[field] for field in fields}


def _detail(call: Call, audience: Audience) -> Json:
    with_config = ("config",) if call.settings.detail_has_config else ()
    return _shown(call, audience, (*_DETAIL, *with_config))


def _breakdown(found: Match, facet: str) -> list[Json]:
    return [
        {"value": value, "label": label(value), "count": count}
        for value, count in found.breakdown(facet).items()
    ]


_AUDIENCES = "/v1/intent/audiences"
ENDPOINTS = (
    Endpoint("GET", f"{_AUDIENCES}/filters", list_filters),
    Endpoint("POST", f"{_AUDIENCES}/validate", validate),
    Endpoint("POST", f"{_AUDIENCES}/preview", preview),
    Endpoint("GET", _AUDIENCES, list_audiences),
    Endpoint("POST", _AUDIENCES, create_audience),
    *RUN_ENDPOINTS,
    *EXPORT_ENDPOINTS,
    Endpoint("GET", f"{_AUDIENCES}/{{id}}", read_audience),
    Endpoint("PATCH", f"{_AUDIENCES}/{{id}}", update_audience),
    Endpoint("DELETE", f"{_AUDIENCES}/{{id}}", delete_audience),
)
