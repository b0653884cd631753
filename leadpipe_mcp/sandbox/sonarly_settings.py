"""Every corner that Sonarly's documents leave open, as a setting with a default."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

ACME_GROWTH = "6650a1b2c3d4e5f607182930"
"""The account group that everybody sees unless the settings say otherwise."""

CODES: Mapping[int, str] = {
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    409: "CONFLICT",
    422: "UNPROCESSABLE_ENTITY",
    429: "RATE_LIMIT_EXCEEDED",
    500: "INTERNAL_SERVER_ERROR",
    502: "BAD_GATEWAY",
}
"""The sandbox's own names for error codes that no document shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SonarlySettings:
    """How the sandbox plays Sonarly where the documents disagree or say nothing."""

    groups: Mapping[str, str] = field(default_factory=lambda: {ACME_GROWTH: "Acme Growth"})
    """The names of the account groups by their ids."""
    key_groups: Mapping[str, Collection[str]] = field(default_factory=dict[str, Collection[str]])
    """The ids of the groups that a key sees; a key that is not named sees them all."""
    key_permissions: Mapping[str, Collection[str]] = field(
        default_factory=dict[str, Collection[str]]
    )
    """What a key may do; one that is not named may do all, if it looks like a key."""
    revoked_keys: Collection[str] = ()
    """Keys that look like keys and no longer work."""
    examples: bool = True
    """Whether a group starts with four audiences and two folders."""
    people: int = 50_000
    """How many people live in the sandbox; those with a LinkedIn profile are the prospects."""
    delay_ms: int = 0
    """How long every answer takes."""

    codes: Mapping[int, str] = field(default_factory=lambda: dict(CODES))
    """The error code of every status, beside the documented ones of 400 and of an unready 409."""
    error_details: Literal["text", "object", "array", "null", "absent"] = "text"
    """What `error.details` is; the example is a text."""
    trace_id: Literal["hex", "uuid", "errors", "absent"] = "hex"
    """What `traceId` is; `errors` has it in errors alone, as one example of a success lacks it."""
    requests_a_minute: int | None = None
    """How many requests a key may make in a minute; None: as many as it likes."""
    retry_after: bool = False
    """Whether a 429 says in `Retry-After` how many seconds to wait."""
    unknown_group: Literal[403, 404] = 403
    """The answer to a group that is not there or that the key does not see."""
    malformed_id: Literal[400, 404] = 400
    """The answer to an id that cannot be one; 404 is that of an id which is not there."""
    prospects_permission: Literal["prospects", "both"] = "prospects"
    """Whether reading an audience's prospects needs `audiences:read` as well."""
    accounts_paged: bool = False
    """Whether the account groups come with `nextCursor` and `hasMore`, as the quickstart's do."""

    ids: Literal["hex", "uuid"] = "hex"
    """What ids look like: 24 hexadecimal digits as in the examples, or UUIDs."""
    times: Literal["iso", "epoch"] = "iso"
    """What times look like: ISO 8601 in UTC, or milliseconds since 1970, as text."""
    created_at: Literal["increasing", "clock"] = "increasing"
    """Whether no two things have the same `createdAt`, or those of one millisecond have."""

    default_limit: int = 25
    """How many items are on a page when no limit is asked for."""
    largest_limit: int = 100
    """The largest page."""
    excess_limit: Literal["cap", "reject"] = "cap"
    """What happens to a limit beyond the largest."""
    fractional_limit: Literal["floor", "reject"] = "reject"
    """What happens to a limit of 2.5, since a limit is a number and not an integer."""
    small_limit: Literal["default", "reject"] = "reject"
    """What happens to a limit below 1."""
    bad_cursor: Literal["reject", "first_page", "empty_page"] = "reject"
    """What happens to a cursor that no page gave."""
    ties: Literal["exact", "skip", "repeat"] = "exact"
    """What a page that ends among items of the same time does to the others of that time.

    A cursor as in the example knows the time alone, and so skips or repeats them.
    """
    order: Literal["newest", "oldest"] = "newest"
    """Which audiences and prospects come first."""

    response_type: Literal["source", "category"] = "source"
    """Whether the `type` of an audience is its source, or its category as in the request."""
    source: str = "linkedin_search"
    """The source of every audience."""
    unset_description: Literal["null", "absent", "empty"] = "null"
    """How an audience without a description shows that."""
    unset_folder: Literal["null", "absent"] = "null"
    """How an audience outside all folders shows that."""
    list_monitoring: bool = True
    """Whether the list of audiences has those of the category monitoring."""

    longest_name: int = 255
    """How many characters a name may have."""
    longest_description: int = 2_000
    """How many characters a description may have."""
    blank_names: Literal["accept", "reject"] = "reject"
    """What happens to a name of spaces."""
    trimmed_names: bool = False
    """Whether a name loses the spaces around it."""
    duplicate_names: Literal["accept", "reject"] = "accept"
    """Whether two audiences of a group may have the same name; 422 if not."""
    monitoring_audiences: int | None = None
    """How many audiences of the category monitoring a group may have; 422 for one more."""
    unknown_fields: Literal["ignore", "reject"] = "ignore"
    """What happens to a field of a body that no document knows."""
    empty_patch: Literal[400, 422] = 400
    """The answer to a PATCH that changes nothing."""
    null_description: Literal["clear", "reject"] = "clear"
    """What a description of null does."""
    empty_description: Literal["clear", "keep", "reject"] = "clear"
    """What a description of "" does: it clears, is a description like another, or is refused."""

    same_folder_move: Literal[200, 422] = 200
    """The answer to moving an audience to the folder that it is in."""
    remove_ungrouped: Literal[200, 404, 409] = 200
    """The answer to removing an audience that is in no folder."""
    navigation_empty_folders: bool = True
    """Whether the navigation shows folders without audiences."""
    folder_order: Literal["position", "pinned", "newest"] = "position"
    """How the navigation sorts folders; `pinned` has the pinned ones first."""
    nested_counts: Literal["number", "text"] = "number"
    """What `prospectCount` is inside a folder of the navigation; the example has a text there."""

    unknown_facts: Literal["null", "absent", "empty"] = "null"
    """How a prospect shows what is not known of them."""
    more_facts: bool = False
    """Whether prospects have plausible fields beyond those that are documented."""
    hostile_texts: bool = True
    """Whether some prospects, and one audience, try to talk to whoever reads about them."""
