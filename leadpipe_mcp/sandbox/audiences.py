"""Saved audiences, previews, the account and the catalogue of filters, in both generations."""

from starlette.responses import Response

from leadpipe_mcp.sandbox.calls import ANY_KEY, LIVE_KEY, Call, LeadpipeEndpoint, answer
from leadpipe_mcp.sandbox.configs import Config, read_config
from leadpipe_mcp.sandbox.facets import BY_FLAT_KEY, Facet, Kind, by_catalog_key
from leadpipe_mcp.sandbox.matching import Match, population
from leadpipe_mcp.sandbox.rows import catalog_preview_row, flat_preview_row
from leadpipe_mcp.sandbox.simulator import SECONDS_PER_DAY, Form, Json, invalid, timestamp
from leadpipe_mcp.sandbox.store import AUDIENCE_STATUSES, Audience
from leadpipe_mcp.sandbox.topics import find_topic
from leadpipe_mcp.sandbox.vocabulary import label

_GROUPS = {
    "company": ("Company", "Where the person works."),
    "role": ("Role", "What the person does there."),
    "jobTitle": ("Job title", "Words of the job title."),
    "contact": ("Contactability", "How the person can be reached."),
    "location": ("Location", "Where the person lives."),
    "demographics": ("Demographics", "Age and gender."),
}
# type: the value's type, the control, the operators
_FORMS: dict[Kind, tuple[str, str, str]] = {
    "choice": ("multi_select", "enum", "multi_select"),
    "flag": ("boolean", "boolean", "toggle"),
    "terms": ("text_terms", "string", "text_chips"),
}


def catalog_of(call: Call) -> Json:
    """The whole catalogue as these settings serve it."""
    facets, day = by_catalog_key(call.settings), call.data_date.isoformat()
    groups: dict[str, list[Json]] = {}
    for key, facet in facets.items():
        shown = _filter(call.settings.people, key, facet)
        groups.setdefault(key.split(".")[0], []).append(shown)
    sections = [facet.section for facet in facets.values()]
    choices = [facet for facet in facets.values() if facet.kind == "choice"]
    return {
        "version": {
            "status": "catalog",
            "sourceTable": "sandbox_people",
            "catalogTable": "sandbox_filter_catalog",
            "catalogVersion": "1",
            "buildId": f"sandbox-{day}",
            "buildDate": day,
            "generatedAt": f"{day}T06:00:00.000Z",
        },
        "summary": {
            "groupCount": len(groups),
            "filterCount": len(facets),
            "valueCount": sum(len(facet.values("catalog")) for facet in choices),
            "recommendedFilterCount": sections.count("recommended"),
            "standardFilterCount": sections.count("standard"),
            "advancedFilterCount": sections.count("advanced"),
            "supportsAdvancedLogic": False,
            "defaultFieldLogic": "and",
        },
        "groups": [_group(name, filters) for name, filters in groups.items()],
    }


def _group(name: str, filters: list[Json]) -> Json:
    title, description = _GROUPS.get(name, (label(name), ""))
    return {"key": name, "label": title, "description": description, "filters": filters}


def _filter(people: int, key: str, facet: Facet) -> Json:
    kind, value_type, control = _FORMS[facet.kind]
    # The label that a key suggests: "Revenue ranges" for company.revenueRanges.
    words = (f" {each.lower()}" if each.isupper() else each for each in key.rpartition(".")[2])
    title = "".join(words).capitalize()
    ui: Json = {
        "label": title,
        "description": f"Filters people by {title.lower()}.",
        "control": control,
        "section": facet.section,
        "recommended": facet.section == "recommended",
        "advanced": facet.section == "advanced",
    }
    shown: Json = {"key": key, "label": title, "type": kind, "valueType": value_type}
    if facet.kind == "choice":
        counts = population(people, facet.name)
        shown["operators"] = ["in"]
        shown["values"] = [
            {"value": value, "label": label(value), "count": counts.get(value, 0)}
            for value in facet.values("catalog")
        ]
    elif facet.kind == "flag":
        shown["operators"] = ["is"]
    else:
        shown["operators"] = list(facet.operators)
        ui["placeholder"] = "Type and press Enter"
    return {**shown, "ui": ui}


_CREDITS, _CREDITS_USED, _DAYS_UNTIL_RESET = 500, 123, 30
_LONGEST_NAME, _LARGEST_SIZE = 255, 10**9
# The documents allow up to 50 rows in a preview.
_SAMPLE_ROWS = 25
_LISTED, _MOST_LISTED = 50, 100
_STRATEGY = "serving_table_in"
# Which fields of an audience a generation shows; their mixture shows all of them everywhere.
_FIELDS = {
    "flat": {
        "created": "id name status config audienceSize lastRefreshedAt createdAt",
        "listed": "id name status config audienceSize lastRefreshedAt createdAt topics updatedAt",
        "read": "id name status config audienceSize lastRefreshedAt createdAt topics updatedAt",
        "updated": "id name status config audienceSize lastRefreshedAt updatedAt",
    },
    "catalog": {
        "created": "id organizationId name status accessType dailyRefreshEnabled audienceSize"
        " createdAt updatedAt",
        "listed": "id name status accessType dailyRefreshEnabled audienceSize lastRefreshedAt"
        " createdAt",
        "read": "id organizationId name status accessType dailyRefreshEnabled audienceSize"
        " lastRefreshedAt createdAt updatedAt config",
        "updated": "id organizationId name status accessType dailyRefreshEnabled audienceSize"
        " lastRefreshedAt createdAt updatedAt config",
    },
}


def _account(call: Call) -> Response:
    """The health of the organisation, its credits, pixels and slots; answers expired ones too."""
    used, settings = 0 if call.expired else _CREDITS_USED, call.settings
    pixels = [pixel.status for pixel in call.organisation.pixels.values()]
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
            "resetsAt": timestamp(call.now + _DAYS_UNTIL_RESET * SECONDS_PER_DAY),
        },
        "pixels": {
            "total": len(pixels),
            "active": pixels.count("active"),
            "paused": pixels.count("paused"),
        },
    }
    if settings.slots_key:
        taken = call.organisation.slots_used
        slots = {"used": taken, "limit": settings.slots, "remaining": settings.slots - taken}
        outer, _, inner = settings.slots_key.partition(".")
        data[outer] = {inner: slots} if inner else slots
    return answer(data)


def _list_filters(call: Call) -> Response:
    """The filter catalogue, or the values of every filter that has a closed set of them."""
    if call.settings.profile != "flat":
        return call.traced(catalog_of(call))
    choices = {key: facet for key, facet in BY_FLAT_KEY.items() if facet.kind == "choice"}
    return answer({key: facet.values("flat") for key, facet in choices.items()})


def _validate(call: Call) -> Response:
    """Whether a config is in order, and what becomes of it."""
    form = Form(call.body)
    config = read_config(form, call.settings)
    if form.issues and call.settings.invalid_config == "valid_false":
        issues = [issue._asdict() for issue in form.issues]
        return call.traced({"valid": False, "issues": issues})
    form.check()
    return call.traced(
        {
            "valid": True,
            "configHash": config.hash,
            "normalizedConfig": config.normalized(call.settings),
            "appliedFilters": list(config.filters(call.settings)),
            "strategy": _STRATEGY,
        },
    )


def _preview(call: Call) -> Response:
    """How many people a config finds, of what kind, and some of them."""
    config, settings = call.config(), call.settings
    found = config.match(settings.people, call.data_date)
    sample = found.hits(found.ranking[:_SAMPLE_ROWS])
    data: Json = {"totalCount": found.count, "dataDate": call.data_date.isoformat()}
    if settings.profile != "catalog":
        data["previewKey"] = config.key
    if settings.profile == "flat":
        return answer({**data, "sample": [flat_preview_row(hit, settings) for hit in sample]})
    return call.traced(
        {
            **data,
            "configHash": config.hash,
            "strategy": _STRATEGY,
            "breakdowns": {
                "industries": _breakdown(found, "companyIndustry"),
                "seniorities": _breakdown(found, "seniority"),
            },
            "sample": [catalog_preview_row(hit) for hit in sample],
            "appliedFilters": list(config.filters(settings)),
        }
    )


def _breakdown(found: Match, facet: str) -> list[Json]:
    return [
        {"value": value, "label": label(value), "count": count}
        for value, count in found.breakdown(facet).items()
    ]


def _list_audiences(call: Call) -> Response:
    """The saved audiences, newest first; the flat generation knows no choice among them."""
    saved = call.organisation.audiences(call.now)
    if call.settings.profile == "flat":
        return answer([_shown(call, audience, "listed") for audience in saved])
    limit, wanted = call.number("limit", _LISTED, 1, _MOST_LISTED), call.query.get("status")
    if wanted is not None and wanted not in AUDIENCE_STATUSES:
        raise invalid("status", f"Expected one of {', '.join(AUDIENCE_STATUSES)}")
    listed = [audience for audience in saved if wanted in (None, audience.status)]
    return call.traced([_shown(call, audience, "listed") for audience in listed[:limit]])


def _create_audience(call: Call) -> Response:
    """Save an audience; an active one takes a slot."""
    form = Form(call.body)
    form.require("name")
    name = form.text("name", _LONGEST_NAME, shortest=1) or ""
    config = read_config(form.inner("config"), call.settings)
    # The flat generation has no such field.
    is_newer = call.settings.profile != "flat"
    status = form.choice("status", AUDIENCE_STATUSES) if is_newer else None
    size = _told_size(call, form)
    form.check()
    audience = call.organisation.create(name, config, status or "draft", call.now)
    audience.told_size = None if size is None else (call.now, size)
    return call.reply(_shown(call, audience, "created"), 201)


def _read_audience(call: Call) -> Response:
    return call.reply(_shown(call, call.audience(), "read"))


def _update_audience(call: Call) -> Response:
    """Change what the body names; nothing at all if any of it is refused."""
    audience, form, settings = call.audience(), Form(call.body), call.settings
    name = form.text("name", _LONGEST_NAME, shortest=1)
    status = form.choice("status", AUDIENCE_STATUSES)
    config = _new_config(call, audience, form) if form.has("config") else None
    size = _told_size(call, form)
    if settings.empty_patch == "reject" and not form.fields:
        form.wrong("", "Nothing to update")
    if settings.back_to_draft == "reject" and status == "draft" != audience.status:
        form.wrong("status", "An audience cannot become a draft again")
    form.check()
    status = status or audience.status
    call.organisation.require_slot_for(audience, status)
    audience.name, audience.config = name or audience.name, config or audience.config
    call.organisation.set_status(audience, status, call.now)
    if size is not None:
        audience.told_size = (call.now, size)
    audience.updated = call.now
    return call.reply(_shown(call, audience, "updated"))


def _delete_audience(call: Call) -> Response:
    call.organisation.delete(call.audience())
    return call.reply({"deleted": True})


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


def _shown(call: Call, audience: Audience, where: str) -> Json:
    settings, latest = call.settings, audience.latest(call.now)
    size = audience.size(call.now, settings.people)
    if size is None and settings.profile != "flat":
        size = 0  # S0 shows 0 for an audience that was never run; OA allows null
    topics = [find_topic(topic_id) for topic_id in audience.config.criteria.topics]
    facts: Json = {
        "id": audience.id,
        "organizationId": call.organisation.id,
        "name": audience.name,
        "status": audience.status,
        "accessType": "paid",
        "dailyRefreshEnabled": audience.status == "active",
        "config": audience.config.sent,
        "topics": [{"id": topic.id, "name": topic.name} for topic in topics if topic],
        "audienceSize": size,
        "lastRefreshedAt": timestamp(latest.finished) if latest else None,
        "createdAt": timestamp(audience.created),
        "updatedAt": timestamp(audience.updated),
    }
    if settings.profile == "mixed":
        return facts
    if settings.profile == "catalog" and not settings.detail_has_config:
        del facts["config"]
    fields = _FIELDS[settings.profile][where].split()
    return {field: facts[field] for field in fields if field in facts}


_AUDIENCES = "/v1/intent/audiences"
ACCOUNT = LeadpipeEndpoint("GET", "/v1/data/account", _account, ANY_KEY)
VALIDATE = LeadpipeEndpoint("POST", f"{_AUDIENCES}/validate", _validate, LIVE_KEY)
AUDIENCES: tuple[LeadpipeEndpoint, ...] = (
    LeadpipeEndpoint("GET", f"{_AUDIENCES}/filters", _list_filters, LIVE_KEY),
    LeadpipeEndpoint("POST", f"{_AUDIENCES}/preview", _preview, LIVE_KEY),
    LeadpipeEndpoint("GET", _AUDIENCES, _list_audiences, LIVE_KEY),
    LeadpipeEndpoint("POST", _AUDIENCES, _create_audience, LIVE_KEY),
    LeadpipeEndpoint("GET", f"{_AUDIENCES}/{{id}}", _read_audience, LIVE_KEY),
    LeadpipeEndpoint("PATCH", f"{_AUDIENCES}/{{id}}", _update_audience, LIVE_KEY),
    LeadpipeEndpoint("DELETE", f"{_AUDIENCES}/{{id}}", _delete_audience, LIVE_KEY),
)
