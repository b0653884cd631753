"""Every corner that the documents leave open, as a setting with a default."""

from dataclasses import dataclass
from typing import Literal

Profile = Literal["mixed", "flat", "catalog"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSettings:
    """How the sandbox plays the API where the documents disagree or say nothing."""

    profile: Profile = "mixed"
    """`flat` is the API of April 2026, `catalog` that of May 2026, `mixed` serves both."""
    people: int = 50_000
    """How many people live in the sandbox."""
    examples: bool = True
    """Whether an organisation starts with an active and a paused audience and an active pixel."""
    delay_ms: int = 0
    """How long every answer takes."""
    run_seconds: float = 2.0
    """How long a run takes from queued to completed; a quarter of it is spent queued."""
    runs_fail: bool = False
    """Whether new runs end as failed instead of completed."""
    date_parameter: Literal["kept", "ignored"] = "kept"
    """Whether a flat route that is asked about a day answers with that day or with the newest."""
    activation_starts_run: bool = True
    """Whether activating an audience queues a run, instead of waiting for the next day."""
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
    impossible_config: Literal["accept", "reject"] = "accept"
    """What happens to minScore above maxScore and to more overlap than topics (nobody fits)."""
    invalid_config: Literal["400", "valid_false"] = "400"
    """How the validate route reports a bad config."""
    false_filter: Literal["exclude", "ignore"] = "exclude"
    """Whether `false` asks for people without the trait or for nothing at all."""
    catalog_twins: bool = True
    """Whether the catalogue has keys of the sandbox's own for what the documents show none of."""
    export_row_cap: int = 300_000
    """How many rows the CSV of a run has at most; a stored export has all."""
    export_seconds: float = 0.0
    """How long a run's stored export is `processing` before it can be downloaded."""
    csv_starts_with_bom: bool = False
    """Whether CSV files start with the mark by which spreadsheets know UTF-8."""
    visits_per_day: int = 8
    """How many visits a web site with an active pixel has on an average day."""
    pixel_domain: Literal["host", "verbatim"] = "host"
    """Whether a domain is reduced to its host in lower case without www, or kept as it came."""
