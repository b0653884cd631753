"""Saved audiences, previews and the account, in both generations and in the mixed profile."""

from datetime import timedelta

from leadpipe_mcp.sandbox.calls import Call, Endpoint
from leadpipe_mcp.sandbox.catalogue import catalog_of
from leadpipe_mcp.sandbox.configs import Config, read_config
from leadpipe_mcp.sandbox.exports import EXPORTS, export, read_dated_stats
from leadpipe_mcp.sandbox.facets import BY_FLAT_KEY
from leadpipe_mcp.sandbox.matching import Match
from leadpipe_mcp.sandbox.replies import Form, Json, Reply, answer, timestamp
from leadpipe_mcp.sandbox.rows import catalog_preview_row, flat_preview_row
from leadpipe_mcp.sandbox.runs import RUNS, list_days, query, read_dated_results, read_status
from leadpipe_mcp.sandbox.store import AUDIENCE_STATUSES, Audience, AudienceStatus
from leadpipe_mcp.sandbox.topics import find_topic
from leadpipe_mcp.sandbox.vocabulary import label

_CREDITS = 500
_CREDITS_USED = 123
_DAYS_UNTIL_RESET = 30


def account(call: Call) -> Reply:
    """The health of the organisation, its credits, pixels and slots; answers expired ones too."""
    used = 0 if call.expired else _CREDITS_USED
    pixels = [pixel.status for pixel in call.organisation.pixels]
    data: Json = {
        "healthy": not call.expired,
        "organization": {
            "name": "Sandbox Organization",
            "status": "expired" if call.expired else "active",
        },
        "credits": {
            "used": used,
            "limit": _CREDITS,
            "remaining": _CREDITS - used,
            "percentUsed": round(100 * used / _CREDITS, 1),
            "resetsAt": timestamp(call.now + timedelta(days=_DAYS_UNTIL_RESET).total_seconds()),
        },
        "pixels": {
            "total": len(pixels),
            "active": pixels.count("active"),
            "paused": pixels.count("paused"),
        },
    }
    if call.settings.slots_key:
        taken = call.organisation.slots_used
        slots: Json = {
            "used": taken,
            "limit": call.settings.slots,
            "remaining": call.settings.slots - taken,
        }
        outer, _, inner = call.settings.slots_key.partition(".")
        data[outer] = {inner: slots} if inner else slots
    return answer(data)


ACCOUNT = (Endpoint("GET", "/v1/data/account", account, "key"),)


_LONGEST_NAME = 255
# The documents allow up to 50 rows in a preview.
_SAMPLE_ROWS = 25
_LARGEST_SIZE = 10**9


def save_audience(call: Call) -> Audience:
    """Save the audience in the body."""
    form = Form(call.body)
    form.require("name")
    name = form.text("name", _LONGEST_NAME, shortest=1) or ""
    config = read_config(form.inner("config"), call.settings)
    status: AudienceStatus | None = None
    if call.settings.profile != "flat":  # the flat generation has no such field
        status = form.choice("status", AUDIENCE_STATUSES)
    size = _told_size(call, form)
    call.refuse_issues(form)
    audience = call.organisation.create(name, config, status or "draft", call.now)
    if size is not None:
        audience.told_size = (call.now, size)
    return audience


def change_audience(call: Call) -> Audience:
    """Change what the body names; nothing at all if any of it is refused."""
    audience, form = call.audience(), Form(call.body)
    name = form.text("name", _LONGEST_NAME, shortest=1)
    status = form.choice("status", AUDIENCE_STATUSES)
    config = _new_config(call, audience, form) if form.has("config") else None
    size = _told_size(call, form)
    if call.settings.empty_patch == "reject" and not form.fields:
        form.wrong("", "Nothing to update")
    if call.settings.back_to_draft == "reject" and status == "draft" != audience.status:
        form.wrong("status", "An audience cannot become a draft again")
    call.refuse_issues(form)
    status = status or audience.status
    call.organisation.require_slot_for(audience, status)
    audience.name = name or audience.name
    audience.config = config or audience.config
    call.organisation.set_status(audience, status, call.now)
    if size is not None:
        audience.told_size = (call.now, size)
    audience.updated = call.now
    return audience


def remove_audience(call: Call) -> Json:
    """Remove the audience, and say so."""
    audience = call.audience()
    call.organisation.delete(audience)
    call.files.forget(audience)
    return {"deleted": True}


def audience_facts(call: Call, audience: Audience) -> Json:
    """Everything that either generation says about an audience."""
    latest = audience.latest(call.now)
    size = audience.size(call.now, call.settings.people)
    if size is None and call.settings.profile != "flat":
        size = 0  # S0 shows 0 for an audience that was never run; OA allows null
    return {
        "id": audience.id,
        "organizationId": call.organisation.id,
        "name": audience.name,
        "status": audience.status,
        "accessType": "paid",
        "dailyRefreshEnabled": audience.status == "active",
        "config": audience.config.sent,
        "topics": [
            {"id": topic.id, "name": topic.name}
            for topic_id in audience.config.criteria.topics
            if (topic := find_topic(topic_id))
        ],
        "audienceSize": size,
        "lastRefreshedAt": timestamp(latest.finished) if latest else None,
        "createdAt": timestamp(audience.created),
        "updatedAt": timestamp(audience.updated),
    }


def _told_size(call: Call, form: Form) -> int | None:
    """A size from the client; the catalogue generation has no such field and ignores it."""
    if call.settings.profile == "catalog":
        return None
    return form.integer("audienceSize", 0, _LARGEST_SIZE)


def _new_config(call: Call, audience: Audience, form: Form) -> Config:
    given = form.inner("config")
    if call.settings.config_patch == "merge":
        given.require("topicIds")
        given.fields = {**audience.config.sent, **given.fields}
    return read_config(given, call.settings)


_FLAT_CREATED = ("id", "name", "status", "config", "audienceSize", "lastRefreshedAt", "createdAt")
_FLAT_UPDATED = ("id", "name", "status", "config", "audienceSize", "lastRefreshedAt", "updatedAt")
_FLAT_DETAIL = (*_FLAT_CREATED, "topics", "updatedAt")


def list_flat_filters(_: Call) -> Reply:
    """The values of every filter that has a closed set of them."""
    return answer(
        {key: facet.values("flat") for key, facet in BY_FLAT_KEY.items() if facet.kind == "choice"}
    )


def preview_flat(call: Call) -> Reply:
    """How many people a config finds, and some of them, masked."""
    config = call.config()
    found = config.match(call.settings.people, call.data_date)
    return answer(
        {
            "totalCount": found.count,
            "sample": [
                flat_preview_row(hit, call.settings) for hit in found.hits(found.top(_SAMPLE_ROWS))
            ],
            "previewKey": config.key,
            "dataDate": call.data_date.isoformat(),
        }
    )


def list_flat_audiences(call: Call) -> Reply:
    """All saved audiences."""
    saved = call.organisation.audiences(call.now)
    return answer([_shown_flat(call, audience, _FLAT_DETAIL) for audience in saved])


def create_flat_audience(call: Call) -> Reply:
    """Save an audience as a draft."""
    return answer(_shown_flat(call, save_audience(call), _FLAT_CREATED), status=201)


def read_flat_audience(call: Call) -> Reply:
    """One saved audience."""
    return answer(_shown_flat(call, call.audience(), _FLAT_DETAIL))


def update_flat_audience(call: Call) -> Reply:
    """The audience as it is after the change."""
    return answer(_shown_flat(call, change_audience(call), _FLAT_UPDATED))


def delete_flat_audience(call: Call) -> Reply:
    """Remove the audience."""
    return answer(remove_audience(call))


def _shown_flat(call: Call, audience: Audience, fields: tuple[str, ...]) -> Json:
    facts = audience_facts(call, audience)
    return {field: facts[field] for field in fields}


_AUDIENCES = "/v1/intent/audiences"
ONLY_FLAT = (
    Endpoint("POST", f"{_AUDIENCES}/query", query),
    Endpoint("GET", f"{_AUDIENCES}/{{id}}/status", read_status),
    Endpoint("GET", f"{_AUDIENCES}/{{id}}/results", read_dated_results),
    Endpoint("GET", f"{_AUDIENCES}/{{id}}/stats", read_dated_stats),
    Endpoint("POST", f"{_AUDIENCES}/{{id}}/export", export),
)
FLAT = (
    Endpoint("GET", f"{_AUDIENCES}/filters", list_flat_filters),
    Endpoint("POST", f"{_AUDIENCES}/preview", preview_flat),
    Endpoint("GET", _AUDIENCES, list_flat_audiences),
    Endpoint("POST", _AUDIENCES, create_flat_audience),
    *ONLY_FLAT,
    Endpoint("GET", f"{_AUDIENCES}/{{id}}/runs", list_days),
    Endpoint("GET", f"{_AUDIENCES}/{{id}}", read_flat_audience),
    Endpoint("PATCH", f"{_AUDIENCES}/{{id}}", update_flat_audience),
    Endpoint("DELETE", f"{_AUDIENCES}/{{id}}", delete_flat_audience),
)


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
        "sample": [catalog_preview_row(hit) for hit in found.hits(found.top(_SAMPLE_ROWS))],
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


CATALOG = (
    Endpoint("GET", f"{_AUDIENCES}/filters", list_filters),
    Endpoint("POST", f"{_AUDIENCES}/validate", validate),
    Endpoint("POST", f"{_AUDIENCES}/preview", preview),
    Endpoint("GET", _AUDIENCES, list_audiences),
    Endpoint("POST", _AUDIENCES, create_audience),
    *RUNS,
    *EXPORTS,
    Endpoint("GET", f"{_AUDIENCES}/{{id}}", read_audience),
    Endpoint("PATCH", f"{_AUDIENCES}/{{id}}", update_audience),
    Endpoint("DELETE", f"{_AUDIENCES}/{{id}}", delete_audience),
)
