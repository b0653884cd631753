"""The filter catalogue of May 2026: groups of filters, their values with counts, their controls."""

from functools import lru_cache

from leadpipe_mcp.sandbox.calls import Call
from leadpipe_mcp.sandbox.facets import Facet, Kind, by_catalog_key
from leadpipe_mcp.sandbox.matching import population
from leadpipe_mcp.sandbox.replies import Json
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
# type: the value's type, the control, the operators
_FORMS: dict[Kind, tuple[str, str, str]] = {
    "choice": ("multi_select", "enum", "multi_select"),
    "flag": ("boolean", "boolean", "toggle"),
    "terms": ("text_terms", "string", "text_chips"),
}


def catalog_of(call: Call) -> Json:
    """The whole catalogue as these settings serve it."""
    facets = by_catalog_key(call.settings)
    names = list(dict.fromkeys(key.split(".")[0] for key in facets))
    return {
        "version": _version(call),
        "summary": _summary(list(facets.values()), len(names)),
        "groups": [_group(name, facets, call.settings.people) for name in names],
    }


def _version(call: Call) -> Json:
    day = call.data_date.isoformat()
    return {
        "status": "catalog",
        "sourceTable": "sandbox_people",
        "catalogTable": "sandbox_filter_catalog",
        "catalogVersion": "1",
        "buildId": f"sandbox-{day}",
        "buildDate": day,
        "generatedAt": f"{day}T06:00:00.000Z",
    }


def _summary(facets: list[Facet], groups: int) -> Json:
    sections = [facet.section for facet in facets]
    return {
        "groupCount": groups,
        "filterCount": len(facets),
        "valueCount": sum(len(facet.values("catalog")) for facet in facets if _has_values(facet)),
        "recommendedFilterCount": sections.count("recommended"),
        "standardFilterCount": sections.count("standard"),
        "advancedFilterCount": sections.count("advanced"),
        "supportsAdvancedLogic": False,
        "defaultFieldLogic": "and",
    }


def _has_values(facet: Facet) -> bool:
    return facet.kind == "choice"


def _group(name: str, facets: dict[str, Facet], people: int) -> Json:
    title, description = _GROUPS.get(name, (label(name), ""))
    return {
        "key": name,
        "label": title,
        "description": description,
        "filters": [
            _filter(people, key, facet)
            for key, facet in facets.items()
            if key.split(".")[0] == name
        ],
    }


def _filter(people: int, key: str, facet: Facet) -> Json:
    kind, value_type, control = _FORMS[facet.kind]
    title = _title(key)
    ui: Json = {
        "label": title,
        "description": f"Filters people by {title.lower()}.",
        "control": control,
        "section": facet.section,
        "recommended": facet.section == "recommended",
        "advanced": facet.section == "advanced",
    }
    shown: Json = {"key": key, "label": title, "type": kind, "valueType": value_type}
    if _has_values(facet):
        shown |= {"operators": ["in"], "values": list(_values(people, facet))}
    elif facet.kind == "flag":
        shown |= {"operators": ["is"]}
    else:
        shown |= {"operators": list(facet.operators)}
        ui["placeholder"] = "Type and press Enter"
    return {**shown, "ui": ui}


@lru_cache(maxsize=32)
def _values(people: int, facet: Facet) -> tuple[Json, ...]:
    counts = population(world_of(people), facet.name)
    return tuple(
        {"value": value, "label": label(value), "count": counts.get(value, 0)}
        for value in facet.values("catalog")
    )


def _title(key: str) -> str:
    """The label that a key suggests: "Revenue ranges" for company.revenueRanges."""
    name = key.rpartition(".")[2]
    spaced = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)
    return spaced.capitalize()
