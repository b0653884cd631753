"""The filter catalogue of May 2026: groups of filters, their values with counts, their controls."""

from leadpipe_mcp.sandbox.calls import Call
from leadpipe_mcp.sandbox.facets import Facet, Kind, by_catalog_key
from leadpipe_mcp.sandbox.forms import Json
from leadpipe_mcp.sandbox.matching import population
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
