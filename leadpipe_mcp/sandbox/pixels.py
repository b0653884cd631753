"""The routes of pixels: listed, created, paused, and given paths to watch."""

import re
from urllib.parse import urlsplit

from starlette.responses import Response

from leadpipe_mcp.sandbox.calls import LIVE_KEY, Call, LeadpipeEndpoint, answer, as_uuid
from leadpipe_mcp.sandbox.forms import Form, Json, is_texts
from leadpipe_mcp.sandbox.settings import SandboxSettings
from leadpipe_mcp.sandbox.simulator import invalid, not_found, timestamp
from leadpipe_mcp.sandbox.store import Pixel

_LONGEST_NAME = 255
_MOST_PATHS = 50
_SHORTEST_PATH, _LONGEST_PATH = 2, 500
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_BOTH_LISTS = "includedPaths and excludedPaths cannot both be set"
# The documents embed from the service's own host; this one cannot reach anybody.
_SNIPPET = '<script src="https://pixel.example/p/{id}.js" async></script>'
_LISTED = """
id domain name status pausedReason excludedPaths includedPaths createdAt updatedAt
"""
_CREATED = "id domain name status code createdAt"
_UPDATED = "id domain name status excludedPaths includedPaths updatedAt"


def _list_pixels(call: Call) -> Response:
    """All pixels, newest first, without their snippets."""
    return answer([_shown(pixel, _LISTED) for pixel in reversed(call.organisation.pixels.values())])


def _create_pixel(call: Call) -> Response:
    form = Form(call.body)
    form.require("domain")
    domain = form.text("domain", _LONGEST_NAME, shortest=1) or ""
    host = site_name(domain, call.settings)
    if form.has("domain") and not host:
        form.wrong("domain", "Invalid domain")
    name = form.text("name", _LONGEST_NAME, shortest=1)
    included, excluded = _read_paths(form, "includedPaths"), _read_paths(form, "excludedPaths")
    if included and excluded:
        form.wrong("", _BOTH_LISTS)
    form.check()
    pixel = call.organisation.create_pixel(host, name or host, call.now)
    pixel.included, pixel.excluded = included, excluded
    return answer(_shown(pixel, _CREATED), status=201)


def _update_pixel(call: Call) -> Response:
    pixel = call.organisation.pixels.get(as_uuid(call.path["pixel_id"], "id"))
    if pixel is None:
        raise not_found("Pixel")
    form = Form(call.body)
    status = form.choice("status", ("active", "paused"))
    included, excluded = _read_paths(form, "includedPaths"), _read_paths(form, "excludedPaths")
    if call.settings.empty_patch == "reject" and not form.fields:
        form.wrong("", "Nothing to update")
    form.check()
    if not form.has("includedPaths"):
        included = pixel.included
    if not form.has("excludedPaths"):
        excluded = pixel.excluded
    if included and excluded:
        raise invalid("", _BOTH_LISTS)
    pixel.included, pixel.excluded, pixel.updated = included, excluded, call.now
    pixel.set_status(status or pixel.status, call.now)
    return answer(_shown(pixel, _UPDATED))


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


def _read_paths(form: Form, field: str) -> list[str] | None:
    paths = form.fields.get(field)
    if paths is None:
        return None
    if (
        is_texts(paths)
        and len(paths) <= _MOST_PATHS
        and all(
            path.startswith("/") and _SHORTEST_PATH <= len(path) <= _LONGEST_PATH for path in paths
        )
    ):
        return paths
    return form.wrong(field, f'Expected up to {_MOST_PATHS} paths that start with "/"')


def _shown(pixel: Pixel, fields: str) -> Json:
    facts: Json = {
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
    return {field: facts[field] for field in fields.split()}


_PIXELS = "/v1/data/pixels"
PIXELS: tuple[LeadpipeEndpoint, ...] = (
    LeadpipeEndpoint("GET", _PIXELS, _list_pixels, LIVE_KEY),
    LeadpipeEndpoint("POST", _PIXELS, _create_pixel, LIVE_KEY),
    LeadpipeEndpoint("PATCH", f"{_PIXELS}/{{pixel_id}}", _update_pixel, LIVE_KEY),
)
