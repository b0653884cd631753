"""What Sonarly's refusals mean, and what can be done about each."""

from collections.abc import Mapping
from typing import Literal

from leadpipe_mcp.errors import (
    BASE_URL,
    Conflict,
    KeyRefused,
    NotFound,
    NotReady,
    OutOfCredits,
    RequestRefused,
    ServiceError,
    UnusableAnswer,
    Vendor,
    WrongAddress,
)

Operation = Literal[
    "accounts",
    "audiences",
    "create",
    "get",
    "update",
    "delete",
    "prospects",
    "navigation",
    "move",
    "remove",
    "create folder",
    "rename folder",
]

PERMISSIONS: Mapping[Operation, str | None] = {
    "accounts": None,
    "audiences": "audiences:read",
    "create": "audiences:write",
    "get": "audiences:read",
    "update": "audiences:write",
    "delete": "audiences:write",
    "prospects": "prospects:read",
    "navigation": "audiences:read",
    "move": "audiences:write",
    "remove": "audiences:write",
    "create folder": "audiences:write",
    "rename folder": "audiences:write",
}
"""What a key has to be allowed for each operation; listing accounts takes any key."""

SONARLY = Vendor(
    names=("Sonarly", "Sonarly"),
    base_url="SONARLY_BASE_URL",
    no_key="No Sonarly API key is set, so nothing was asked of Sonarly.",
    key_advice=(
        "Set SONARLY_API_KEY (made in the Sonarly dashboard) and restart the server. To try"
        " everything with invented people and no key, start it with --sandbox."
    ),
    advice={
        KeyRefused: (
            "SONARLY_API_KEY must hold a current key of Sonarly (made in its dashboard); a revoked"
            " one stops at once. Restart the server after changing it."
        ),
        NotFound: (
            "Check the id; sonarly_list_audiences shows the audiences and folders that exist."
        ),
        OutOfCredits: (
            "Someone has to buy credits in Sonarly, or wait for new ones; then try again."
        ),
        NotReady: (
            "A prospecting job is filling this audience, and until it ends the audience can be"
            " neither read nor changed. Wait, and try again in a minute or two; it is listed again"
            " when ready."
        ),
        WrongAddress: (
            "The address of Sonarly looks wrong: check SONARLY_BASE_URL, its host and its path,"
            " then restart the server."
        ),
        Conflict: (
            "Another job may be at work on it: wait a minute, then look at it with"
            " sonarly_get_audience before trying again."
        ),
    },
)
_UNPROCESSED: Mapping[Operation, str] = {
    "create": (
        "Sonarly does not make an audience with this name, type and description; perhaps the plan"
        " lacks the type. Change one of them, or ask the user."
    ),
    "update": (
        "Sonarly does not take this name or description (or no empty one); change it, then call"
        " again."
    ),
    "move": (
        "Audience and folder must be of one account and of the same type (on_demand or monitoring)."
        " Choose another folder; sonarly_list_audiences shows their types."
    ),
}
_INVALID = (
    "If it does not say what is wrong: ids have to be those that sonarly_list_audiences shows, and"
    " a cursor that of the page before."
)
_READ_AGAIN = "Nothing was changed. Try again in a minute."


def operation_advice(error: ServiceError, operation: Operation, *, reads: bool) -> str:
    """What can be done about an error in this operation; nothing where the usual advice fits."""
    if error.status == 403 and not isinstance(error, OutOfCredits):
        return _permission(operation)
    if isinstance(error, RequestRefused) and error.status in {400, 422}:
        invalid = f"{RequestRefused.what_next} {_INVALID}"
        is_unprocessed = error.status == 422
        return _UNPROCESSED.get(operation, invalid) if is_unprocessed else invalid
    is_odd = isinstance(error, UnusableAnswer) and reads and BASE_URL not in error.args[1]
    return _READ_AGAIN if is_odd else ""


def _permission(operation: Operation) -> str:
    needed = PERMISSIONS[operation]
    lacks = f"lacks the permission {needed}, which this takes" if needed else "may not do this"
    return (
        f"The key {lacks}, or may not use this account: someone has to allow it to the key in the"
        " Sonarly dashboard. sonarly_list_accounts shows the accounts of the key."
    )
