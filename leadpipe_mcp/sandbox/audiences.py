"""Saved audiences, previews, the account and the catalogue of filters, in both generations."""

from collections.abc import Iterable
from functools import lru_cache

from starlette.responses import Response

from leadpipe_mcp.sandbox.calls import Call, answer
from leadpipe_mcp.sandbox.configs import (
    BY_FLAT_KEY,
    FACETS,
    SECTIONS,
    Config,
    Facet,
    Kind,
    by_catalog_key,
    read_config,
)
from leadpipe_mcp.sandbox.matching import match, tally
from leadpipe_mcp.sandbox.rows import catalog_preview_row, flat_preview_row
from leadpipe_mcp.sandbox.settings import SandboxSettings
from leadpipe_mcp.sandbox.simulator import (
    SECONDS_PER_DAY,
    Endpoint,
    Form,
    Json,
    choose,
    invalid,
    timestamp,
)
from leadpipe_mcp.sandbox.store import AUDIENCE_STATUSES, PIXEL_STATUSES, Audience
from leadpipe_mcp.sandbox.topics import find_topic
from leadpipe_mcp.sandbox.vocabulary import label
from leadpipe_mcp.sandbox.world import world_of

_GROUPS = {
    "company": ("Company", "Where the person works."),
    "role": ("Role", "What the person does there."),
    "jobTitle": ("Job title", "Words of the job title."),
    "contact": ("Contactability", "How the person can be reached."),
    "location": ("Location", "Where the person lives."),
    "demographics": ("Demographics", "Age and gender."),
}
# kind: the type, the type of its values, the control
_FORMS: dict[Kind, tuple[str, str, str]] = {
    "choice": ("multi_select", "enum", "multi_select"),
    "flag": ("boolean", "boolean", "toggle"),
    "terms": ("text_terms", "string", "text_chips"),
}
_CREDITS, _CREDITS_USED, _DAYS_UNTIL_RESET = 500, 123, 30
_LONGEST_NAME, _LARGEST_SIZE = 255, 10**9
# The documents allow up to 50 rows in a preview.
_SAMPLE_ROWS = 25
_LISTED, _MOST_LISTED = 50, 100
_STRATEGY = "serving_table_in"
# Which fields of an audience a generation shows; their mixture shows all of them everywhere.
_FLAT = "id name status config audienceSize lastRefreshedAt createdAt"
_CATALOG = "id organizationId name status accessType dailyRefreshEnabled audienceSize"
_FIELDS = {
    "flat": {
        "created": _FLAT,
        "listed": f"{_FLAT} topics updatedAt",
        "read": f"{_FLAT} topics updatedAt",
        "updated": "id name status config audienceSize lastRefreshedAt updatedAt",
    },
    "catalog": {
        "created": f"{_CATALOG} createdAt updatedAt",
        "listed": "id name status accessType dailyRefreshEnabled audienceSize lastRefreshedAt"
        " createdAt",
        "read": f"{_CATALOG} lastRefreshedAt createdAt updatedAt config",
        "updated": f"{_CATALOG} lastRefreshedAt createdAt updatedAt config",
    },
}


def _read_account(call: Call) -> Response:
    """The health of the organisation, its credits, pixels and slots; answers expired ones too."""
    expired, settings = call.organisation.expired, call.settings
    used, status = (0, "expired") if expired else (_CREDITS_USED, "active")
    pixels = [pixel.status for pixel in call.organisation.pixels.values()]
    of_status = {name: pixels.count(name) for name in PIXEL_STATUSES}
    data: Json = {
        "healthy": not expired,
        "organization": {"name": "Sandbox Organization", "status": status},
        "credits": {
            "used": used,
            "limit": _CREDITS,
            "remaining": _CREDITS - used,
            "percentUsed": round(100 * used / _CREDITS, 1),
            "resetsAt": timestamp(call.now + _DAYS_UNTIL_RESET * SECONDS_PER_DAY),
        },
        "pixels": {"total": len(pixels), **of_status},
    }
    if settings.slots_key:
        taken, limit = call.organisation.slots_used, settings.slots
        data[settings.slots_key] = {"used": taken, "limit": limit, "remaining": limit - taken}
    return answer(data)


def _list_filters(call: Call) -> Response:
    """The filter catalogue, or the values of every filter that has a closed set of them."""
    if call.settings.profile == "flat":
        choices = {key: facet for key, facet in BY_FLAT_KEY.items() if facet.kind == "choice"}
        return answer({key: facet.values("flat") for key, facet in choices.items()})
    facets, day = by_catalog_key(call.settings), call.data_date.isoformat()
    groups: dict[str, list[Json]] = {}
    for key, facet in facets.items():
        groups.setdefault(key.split(".")[0], []).append(_filter(call.settings.people, facet))
    sections = [facet.section for facet in facets.values()]
    choices = [facet for facet in facets.values() if facet.kind == "choice"]
    catalog: Json = {
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
            **{f"{name}FilterCount": sections.count(name) for name in SECTIONS},
            "supportsAdvancedLogic": False,
            "defaultFieldLogic": "and",
        },
        "groups": [
            {"key": key, "label": title, "description": description, "filters": groups[key]}
            for key, (title, description) in _GROUPS.items()
            if key in groups
        ],
    }
    return call.reply(catalog)


@lru_cache(maxsize=32)
def _filter(people: int, facet: Facet) -> Json:
    kind, value_type, control = _FORMS[facet.kind]
    # The label that a key suggests: "Revenue ranges" for company.revenueRanges.
    words = (f" {each.lower()}" if each.isupper() else each for each in facet.key.split(".")[1])
    title = "".join(words).capitalize()
    ui: Json = {
        "label": title,
        "description": f"Filters people by {title.lower()}.",
        "control": control,
        "section": facet.section,
        "recommended": facet.section == "recommended",
        "advanced": facet.section == "advanced",
    }
    shown: Json = {"key": facet.key, "label": title, "type": kind, "valueType": value_type}
    if facet.kind == "choice":
        counts = tally(facet, world_of(people).columns[facet.column])
        shown["operators"] = ["in"]
        shown["values"] = _counted((value, counts[value]) for value in facet.values("catalog"))
    elif facet.kind == "flag":
        shown["operators"] = ["is"]
    else:
        shown["operators"] = list(facet.operators)
        ui["placeholder"] = "Type and press Enter"
    return {**shown, "ui": ui}


def _counted(counts: Iterable[tuple[str, int]]) -> list[Json]:
    return [{"value": value, "label": label(value), "count": count} for value, count in counts]


def _validate(call: Call) -> Response:
    """Whether a config is in order, and what becomes of it."""
    form = Form(call.body)
    config = read_config(form, call.settings)
    if form.issues and call.settings.invalid_config == "valid_false":
        issues = [issue._asdict() for issue in form.issues]
        return call.reply({"valid": False, "issues": issues})
    form.check()
    filters = _spelled(config, call.settings)
    return call.reply(
        {
            "valid": True,
            "configHash": config.hash,
            "normalizedConfig": {
                "topicIds": list(config.topics),
                "minScore": config.lowest,
                "maxScore": config.highest,
                "minTopicOverlap": config.overlap,
                "filters": filters,
                "sourceUrl": config.sent.get("sourceUrl"),
            },
            "appliedFilters": list(filters),
            "strategy": _STRATEGY,
        },
    )


def _preview(call: Call) -> Response:
    """How many people a config finds, of what kind, and some of them."""
    form, settings = Form(call.body), call.settings
    config = read_config(form, settings)
    form.check()
    found = match(settings.people, config, call.data_date)
    sample = found.hits(found.ranking[:_SAMPLE_ROWS])
    data: Json = {"totalCount": found.count, "dataDate": call.data_date.isoformat()}
    if settings.profile != "catalog":
        data["previewKey"] = config.hash[:32]
    if settings.profile == "flat":
        return answer({**data, "sample": [flat_preview_row(hit, settings) for hit in sample]})
    return call.reply(
        {
            **data,
            "configHash": config.hash,
            "strategy": _STRATEGY,
            "breakdowns": {
                "industries": _counted(found.tally(FACETS["companyIndustry"]).most_common()),
                "seniorities": _counted(found.tally(FACETS["seniority"]).most_common()),
            },
            "sample": [catalog_preview_row(hit) for hit in sample],
            "appliedFilters": list(_spelled(config, settings)),
        }
    )


def _spelled(config: Config, settings: SandboxSettings) -> Json:
    """The filters as the catalogue spells them; what it has no key for keeps its flat one."""
    written: Json = {}
    for criterion in config.filters:
        facet, values = FACETS[criterion.facet], list(criterion.values)
        value: object = {"values": values}
        if facet.kind == "flag":
            value = values[0]
        elif facet.kind == "terms":
            value = {"values": values, "operator": criterion.operator, "mode": criterion.mode}
        written[facet.key if facet.key in by_catalog_key(settings) else facet.flat] = value
    return written


def _list_audiences(call: Call) -> Response:
    """The saved audiences, newest first; the flat generation knows no choice among them."""
    saved = call.organisation.audiences(call.now)
    if call.settings.profile != "flat":
        limit, wanted = call.number("limit", _LISTED, 1, _MOST_LISTED), call.query.get("status")
        if wanted not in (None, *AUDIENCE_STATUSES):
            raise invalid("status", f"Expected one of {', '.join(AUDIENCE_STATUSES)}")
        saved = [audience for audience in saved if wanted in (None, audience.status)][:limit]
    return call.reply([_shown(call, audience, "listed") for audience in saved])


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
    audience.told_size = size
    return call.reply(_shown(call, audience, "created"), 201)


def _read_audience(call: Call) -> Response:
    return call.reply(_shown(call, call.audience(), "read"))


def _update_audience(call: Call) -> Response:
    """Change what the body names; nothing at all if any of it is refused."""
    audience, form, settings = call.audience(), Form(call.body), call.settings
    name = form.text("name", _LONGEST_NAME, shortest=1)
    status = form.choice("status", AUDIENCE_STATUSES) or audience.status
    config = audience.config
    if form.has("config"):
        given = form.inner("config")
        if settings.config_patch == "merge":
            given.require("topicIds")
            given.fields = {**config.sent, **given.fields}
        config = read_config(given, settings)
    size = _told_size(call, form)
    form.check()
    call.organisation.require_slot_for(audience, status)
    audience.name, audience.config = name or audience.name, config
    call.organisation.set_status(audience, status, call.now)
    audience.told_size, audience.updated = size or audience.told_size, call.now
    return call.reply(_shown(call, audience, "updated"))


def _delete_audience(call: Call) -> Response:
    call.organisation.delete(call.audience())
    return call.reply({"deleted": True})


def _told_size(call: Call, form: Form) -> tuple[float, int] | None:
    """A size from the client; the catalogue generation has no such field and ignores it."""
    if call.settings.profile == "catalog":
        return None
    size = form.integer("audienceSize", 0, _LARGEST_SIZE)
    return None if size is None else (call.now, size)


def _shown(call: Call, audience: Audience, where: str) -> Json:
    settings, latest, size = call.settings, audience.latest(call.now), audience.size(call.now)
    if size is None and settings.profile != "flat":
        size = 0  # S0 shows 0 for an audience that was never run; OA allows null
    topics = [find_topic(topic_id) for topic_id in audience.config.topics]
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
    if settings.profile != "mixed":
        facts = choose(facts, _FIELDS[settings.profile][where])
    if settings.profile == "catalog" and not settings.detail_has_config:
        facts.pop("config", None)
    return facts


_AUDIENCES = "/v1/intent/audiences"
AUDIENCES = (
    Endpoint("GET", "/v1/data/account", _read_account),
    Endpoint("POST", f"{_AUDIENCES}/validate", _validate, "catalog"),
    Endpoint("GET", f"{_AUDIENCES}/filters", _list_filters),
    Endpoint("POST", f"{_AUDIENCES}/preview", _preview),
    Endpoint("GET", _AUDIENCES, _list_audiences),
    Endpoint("POST", _AUDIENCES, _create_audience),
    Endpoint("GET", f"{_AUDIENCES}/{{id}}", _read_audience),
    Endpoint("PATCH", f"{_AUDIENCES}/{{id}}", _update_audience),
    Endpoint("DELETE", f"{_AUDIENCES}/{{id}}", _delete_audience),
)
