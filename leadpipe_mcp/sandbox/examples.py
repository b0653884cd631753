"""What an organisation starts with: two audiences and a pixel."""

from leadpipe_mcp.sandbox.configs import Config, read_config
from leadpipe_mcp.sandbox.days import SECONDS_PER_DAY
from leadpipe_mcp.sandbox.facets import BY_FLAT_KEY, respelled
from leadpipe_mcp.sandbox.reading import Form
from leadpipe_mcp.sandbox.replies import Json
from leadpipe_mcp.sandbox.settings import SandboxSettings
from leadpipe_mcp.sandbox.store import Organisation

_DAY = SECONDS_PER_DAY
# Days before the first request at which the audiences were saved, activated and paused, and from
# which on the pixel watched.
_SAVED, _ACTIVATED, _PAUSED = 20, 12, 4
_WATCHED, _DOMAIN = 45, "northwind-shop.example"


def furnish(organisation: Organisation, now: float) -> None:
    """Give a new organisation a pixel, and a paused and an active audience with their past runs."""
    organisation.pixels.create(_DOMAIN, "Northwind Shop", now - _WATCHED * _DAY)
    if organisation.settings.slots < 1:
        return
    buyers = organisation.create(
        "CRM Buyers in California", _buyers(organisation.settings), "draft", now - _SAVED * _DAY
    )
    organisation.set_status(buyers, "active", now - _ACTIVATED * _DAY)
    organisation.audience(buyers.id, now - _PAUSED * _DAY)
    organisation.set_status(buyers, "paused", now - _PAUSED * _DAY)
    organisation.create(
        "Marketing Directors at Tech Companies",
        _directors(organisation.settings),
        "active",
        now - _ACTIVATED * _DAY,
    )


def _directors(settings: SandboxSettings) -> Config:
    seniorities = [respelled(value, settings.profile) for value in ("director", "vp", "c_suite")]
    industries = ["software development"]
    filters: Json = {
        "company.industries": {"values": industries},
        "role.seniority": {"values": seniorities},
        "contact.hasBusinessEmail": True,
    }
    if settings.profile == "flat":
        filters = {
            "companyIndustry": industries,
            "seniority": seniorities,
            "hasBusinessEmail": True,
        }
    config: Json = {
        "topicIds": [117805, 117890, 117918],
        "minScore": 70,
        "maxScore": 99,
        "minTopicOverlap": 2,
        "filters": filters,
    }
    return read_config(Form(config), settings)


def _buyers(settings: SandboxSettings) -> Config:
    filters: Json = {"state": "california"}
    if settings.profile != "flat":
        key = BY_FLAT_KEY["state"].catalog_key(settings)
        filters = {key: {"values": ["california"]}} if key else {}
    config: Json = {"topicIds": [102081, 102082], "minScore": 60, "filters": filters}
    return read_config(Form(config), settings)
