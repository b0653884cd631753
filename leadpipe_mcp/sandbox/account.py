"""How the organisation stands."""

from datetime import timedelta

from leadpipe_mcp.sandbox.calls import Call, Endpoint
from leadpipe_mcp.sandbox.days import timestamp
from leadpipe_mcp.sandbox.replies import Json, Reply, answer

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


ENDPOINTS = (Endpoint("GET", "/v1/data/account", account, "key"),)
