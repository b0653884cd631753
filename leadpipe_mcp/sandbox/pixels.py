"""The routes of pixels: listed, created, paused, and given paths to watch."""

import re
from urllib.parse import urlsplit

from leadpipe_mcp.sandbox.calls import Call, Endpoint
from leadpipe_mcp.sandbox.replies import Form, Json, Reply, answer, is_texts, timestamp
from leadpipe_mcp.sandbox.settings import SandboxSettings
from leadpipe_mcp.sandbox.store import PIXEL_STATUSES, Pixel

_LONGEST_NAME = 255
_MOST_PATHS = 50
_SHORTEST_PATH, _LONGEST_PATH = 2, 500
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_BOTH_LISTS = "includedPaths and excludedPaths cannot both be set"
_LISTS = ("includedPaths", "excludedPaths")
# The documents embed from the service's own host; this one cannot reach anybody.
_SNIPPET = '<script src="https://pixel.example/p/{id}.js" async></script>'
_CREATED = ("id", "domain", "name", "status", "code", "createdAt")
_UPDATED = ("id", "domain", "name", "status", "excludedPaths", "includedPaths", "updatedAt")


def list_pixels(call: Call) -> Reply:
    """All pixels, newest first, without their snippets."""
    shown = (_facts(pixel) for pixel in call.organisation.pixels)
    return answer(
        [{key: value for key, value in facts.items() if key != "code"} for facts in shown]
    )


def create_pixel(call: Call) -> Reply:
    """A new active pixel, with the snippet that embeds it."""
    form = Form(call.body)
    form.require("domain")
    domain = form.text("domain", _LONGEST_NAME, shortest=1) or ""
    host = site_name(domain, call.settings)
    if form.has("domain") and not host:
        form.wrong("domain", "Invalid domain")
    name = form.text("name", _LONGEST_NAME, shortest=1)
    included, excluded = _read_lists(form)
    call.refuse_issues(form)
    pixel = call.organisation.pixels.create(host, name or host, call.now)
    pixel.included, pixel.excluded = included, excluded
    facts = _facts(pixel)
    return answer({field: facts[field] for field in _CREATED}, status=201)


def update_pixel(call: Call) -> Reply:
    """The pixel as it is after the change."""
    pixel = call.organisation.pixels.get(call.as_uuid(call.path["pixel_id"], "id"))
    form = Form(call.body)
    status = form.choice("status", PIXEL_STATUSES)
    included, excluded = _read_lists(form)
    if call.settings.empty_patch == "reject" and not form.fields:
        form.wrong("", "Nothing to update")
    call.refuse_issues(form)
    if (included and _kept(form, "excludedPaths", pixel.excluded)) or (
        excluded and _kept(form, "includedPaths", pixel.included)
    ):
        raise call.refuse("", _BOTH_LISTS)
    if form.has("includedPaths"):
        pixel.included = included
    if form.has("excludedPaths"):
        pixel.excluded = excluded
    pixel.set_status(status or pixel.status, call.now)
    pixel.updated = call.now
    facts = _facts(pixel)
    return answer({field: facts[field] for field in _UPDATED})


def site_name(domain: str, settings: SandboxSettings) -> str:
    """The domain as pixels know it; empty when it is none."""
    if settings.pixel_domain == "verbatim":
        return domain
    try:
        host = urlsplit(domain if "//" in domain else f"//{domain}").hostname or ""
    except ValueError:
        return ""
    host = host.removeprefix("www.")
    return host if _HOST.fullmatch(host) else ""


def _read_lists(form: Form) -> tuple[list[str] | None, list[str] | None]:
    """The paths to watch and those not to watch, of which there cannot be both."""
    included, excluded = (_read_paths(form, field) for field in _LISTS)
    if included and excluded:
        form.wrong("", _BOTH_LISTS)
    return included, excluded


def _read_paths(form: Form, field: str) -> list[str] | None:
    value = form.fields.get(field)
    if value is None:
        return None
    if is_texts(value) and len(value) <= _MOST_PATHS and all(map(_is_path, value)):
        return value
    return form.wrong(field, f'Expected up to {_MOST_PATHS} paths that start with "/"')


def _is_path(text: str) -> bool:
    return text.startswith("/") and _SHORTEST_PATH <= len(text) <= _LONGEST_PATH


def _kept(form: Form, field: str, stored: list[str] | None) -> bool:
    """Whether a stored list would stay, because the request does not speak of it."""
    return bool(stored) and not form.has(field)


def _facts(pixel: Pixel) -> Json:
    """Everything that is said of a pixel anywhere."""
    return {
        "id": pixel.id,
        "domain": pixel.domain,
        "name": pixel.name,
        "status": pixel.status,
        "pausedReason": "manual" if pixel.status == "paused" else None,
        "code": _SNIPPET.format(id=pixel.id),
        "excludedPaths": pixel.excluded,
        "includedPaths": pixel.included,
        "createdAt": timestamp(pixel.created),
        "updatedAt": timestamp(pixel.updated),
    }


_PIXELS = "/v1/data/pixels"
PIXELS = (
    Endpoint("GET", _PIXELS, list_pixels),
    Endpoint("POST", _PIXELS, create_pixel),
    Endpoint("PATCH", f"{_PIXELS}/{{pixel_id}}", update_pixel),
)
