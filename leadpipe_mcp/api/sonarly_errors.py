"""What Sonarly's refusals mean, and what can be done about each."""

import re
from collections.abc import Mapping
from typing import Literal

from leadpipe_mcp.errors import (
    LOOK_FIRST,
    Conflict,
    Forbidden,
    KeyRefused,
    NotConfigured,
    NotFound,
    NotReady,
    OutOfCredits,
    RequestRefused,
    ServiceError,
    UnusableAnswer,
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

_ADVICE: Mapping[type[ServiceError], str] = {
    KeyRefused: (
        "SONARLY_API_KEY must hold a current key of Sonarly (made in its dashboard); a revoked one"
        " stops at once. Restart the server after changing it."
    ),
    NotFound: "Check the id; sonarly_list_audiences shows the audiences and folders that exist.",
    OutOfCredits: "Someone has to buy credits in Sonarly, or wait for new ones; then try again.",
    NotReady: (
        "A prospecting job is filling this audience, and until it ends the audience can be neither"
        " read nor changed. Wait, and try again in a minute or two; it is listed again when ready."
    ),
    Conflict: (
        "Another job may be at work on it: wait a minute, then look at it with"
        " sonarly_get_audience before trying again."
    ),
}
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


def not_configured() -> NotConfigured:
    """The error where there is no key."""
    return NotConfigured(
        "No Sonarly API key is set, so nothing was asked of Sonarly.",
        "Set SONARLY_API_KEY (made in the Sonarly dashboard) and restart the server. To try"
        " everything with invented people and no key, start it with --sandbox.",
    )


def worded(error: ServiceError, operation: Operation, *, reads: bool) -> ServiceError:
    """The error of the kind and with the advice that it has at Sonarly."""
    kind = _kind(error)
    problem = re.sub(r"\b[Tt]he service\b", "Sonarly", error.problem, count=2)
    advice = _advice(error, kind, operation, reads=reads)
    if kind is type(error):
        error.problem, error.advice = problem, advice
        return error
    return kind(problem, advice, status=error.status, code=error.code, request_id=error.request_id)


def _kind(error: ServiceError) -> type[ServiceError]:
    if error.status == 402 or error.code == "INSUFFICIENT_CREDITS":
        return OutOfCredits
    if error.code == "AUDIENCE_NOT_READY":
        return NotReady
    # Whatever the message says, Sonarly has no slots.
    return Forbidden if error.status == 403 else type(error)


def _advice(
    error: ServiceError, kind: type[ServiceError], operation: Operation, *, reads: bool
) -> str:
    if kind is Forbidden:
        return _permission(operation)
    if error.status in {400, 422} and kind is RequestRefused:
        invalid = f"{error.advice} {_INVALID}"
        return invalid if error.status == 400 else _UNPROCESSED.get(operation, invalid)
    if issubclass(kind, UnusableAnswer) and reads and "LEADPIPE_BASE_URL" not in error.advice:
        return _READ_AGAIN
    # After a write that got lost, the advice is to look first.
    return error.advice if error.advice == LOOK_FIRST else _by_kind(error, kind)


def _by_kind(error: ServiceError, kind: type[ServiceError]) -> str:
    if kind is not type(error):
        return _ADVICE.get(kind, error.advice)
    # An advice may say more than the usual one of its kind.
    advice = (
        error.advice.replace(kind.what_next, _ADVICE[kind]) if kind in _ADVICE else error.advice
    )
    return advice.replace("LEADPIPE_BASE_URL", "SONARLY_BASE_URL")


def _permission(operation: Operation) -> str:
    needed = PERMISSIONS[operation]
    lacks = f"lacks the permission {needed}, which this takes" if needed else "may not do this"
    return (
        f"The key {lacks}, or may not use this account: someone has to allow it to the key in the"
        " Sonarly dashboard. sonarly_list_accounts shows the accounts of the key."
    )
