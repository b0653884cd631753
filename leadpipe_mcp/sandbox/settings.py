"""Every corner that the documents leave open, as a setting with a default."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Profile = Literal["mixed", "flat", "catalog"]

CATALOG_TWINS: Mapping[str, str] = {
    "companySize": "company.sizes",
    "state": "location.states",
    "ageRange": "demographics.ageRanges",
    "gender": "demographics.genders",
    "isB2b": "company.isB2b",
    "hasPersonalEmail": "contact.hasPersonalEmail",
    "hasLinkedin": "contact.hasLinkedin",
    "hasPhone": "contact.hasPhone",
}
"""The sandbox's own names for catalogue keys that no document shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSettings:
    """How the sandbox plays the API where the documents disagree or say nothing."""

    profile: Profile = "mixed"
    """`flat` is the API of April 2026, `catalog` that of May 2026, `mixed` serves both."""
    people: int = 50_000
    """How many people live in the sandbox."""
    examples: bool = True
    """Whether an organisation starts with two saved audiences, one active and one paused."""

    delay_ms: int = 0
    """How long every answer takes."""
    run_seconds: float = 2.0
    """How long a run takes from queued to completed; a quarter of it is spent queued."""
    runs_fail: bool = False
    """Whether new runs end as failed instead of completed."""
    history_days: int = 7
    """How many days back an active audience has daily runs and a query may ask for a date."""
    activation_starts_run: bool = True
    """Whether activating an audience queues a run, instead of waiting for the next day."""
    results_start_run: bool = True
    """Whether asking a never-run audience for results (flat route) queues a run."""

    slots: int = 3
    """How many audiences may be active at a time."""
    slots_key: str = "audienceSlots"
    """Where `/v1/data/account` shows the slots; empty: nowhere."""
    deletion_frees_slot: bool = True
    """Whether deleting an active audience gives its slot back."""

    detail_has_config: bool = True
    """Whether the catalogue generation's GET and PATCH of one audience show its config."""
    config_patch: Literal["replace", "merge"] = "replace"
    """What a `config` in PATCH does to the fields of the stored one."""
    empty_patch: Literal["accept", "reject"] = "accept"
    """What happens to a PATCH that changes nothing."""
    back_to_draft: Literal["accept", "reject"] = "accept"
    """Whether an audience that was active or paused can become a draft again."""

    unknown_filters: Literal["ignore", "reject"] = "ignore"
    """What happens to a filter key that the profile does not know."""
    unknown_topics: Literal["ignore", "reject"] = "ignore"
    """What happens to a topic id that is not in the inventory."""
    impossible_config: Literal["accept", "reject"] = "accept"
    """What happens to minScore above maxScore and to more overlap than topics (nobody fits)."""
    invalid_config: Literal["400", "valid_false", "zod"] = "400"
    """How a bad config is reported; `valid_false` concerns the validate route alone."""
    validation_code: str = "VALIDATION_ERROR"
    """The error code of a request that breaks the schema."""
    false_filter: Literal["exclude", "ignore"] = "exclude"
    """Whether `false` asks for people without the trait or for nothing at all."""
    values_ignore_case: bool = False
    """Whether "Software Development" finds what "software development" finds."""
    catalog_twins: Mapping[str, str] = field(default_factory=lambda: dict(CATALOG_TWINS))
    """Catalogue keys of flat filters that have none in the documents; empty: not served."""
    default_min_score: int = 70
    """The score from which people count when a config names none."""

    sample_rows: int = 25
    """How many rows a preview shows; the documents allow up to 50."""
    preview_masked: bool = True
    """Whether the catalogue generation's preview rows hide names."""
    query_prefers: Literal["audience", "config"] = "audience"
    """Which one a query follows when it names an audience and topics."""
    run_results_limit: int = 100
    """The largest `limit` of a run's results."""
    separator: str = ", "
    """What stands between the parts of a flat multi-value field."""

    cancel_conflict_status: int = 409
    """The answer to cancelling a run that is no longer queued."""
    malformed_id_status: Literal[400, 404] = 400
    """The answer to an id that is not a UUID."""
    trace_meta: bool = True
    """Whether catalogue answers carry `meta.timestamp` and `meta.request_id`."""
