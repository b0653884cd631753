"""Every corner that the documents leave open, as a setting with a default."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Profile = Literal["mixed", "flat", "catalog"]
TopicSearch = Literal["words", "prefix", "substring"]
Timeframe = Literal["24h", "7d", "14d", "30d", "90d", "all"]

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
    """Whether an organisation starts with an active and a paused audience and an active pixel."""

    delay_ms: int = 0
    """How long every answer takes."""
    run_seconds: float = 2.0
    """How long a run takes from queued to completed; a quarter of it is spent queued."""
    runs_fail: bool = False
    """Whether new runs end as failed instead of completed."""
    history_days: int = 7
    """How many days back an active audience has daily runs and a query may ask for a date."""
    date_parameter: Literal["kept", "ignored"] = "kept"
    """Whether a flat route that is asked about a day answers with that day or with the newest."""
    activation_starts_run: bool = True
    """Whether activating an audience queues a run, instead of waiting for the next day."""
    results_start_run: bool = True
    """Whether asking a never-run audience for results (flat route) queues a run."""

    slots: int = 3
    """How many audiences may be active at a time."""
    slots_key: str = "audienceSlots"
    """Where `/v1/data/account` shows the slots, as `intent.slots` inside; empty: nowhere."""
    deletion_frees_slot: bool = True
    """Whether deleting an active audience gives its slot back."""
    deletion_removes_files: bool = True
    """Whether deleting an audience ends the download of its exports."""

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
    junk_key_on_public: Literal["ignore", "reject"] = "ignore"
    """What a route that needs no key does with something that is not a key."""
    retry_after: bool = True
    """Whether a 429 says in `Retry-After` how many seconds to wait."""
    rate_limit_code: str = "HTTP_ERROR"
    """The error code of a 429."""

    topics_meta: Literal["filters", "pages"] = "filters"
    """What `meta` of the topic list is: {count, total, filters} (TS) or paging fields (OA)."""
    topics_total: Literal["listed", "inventory"] = "listed"
    """What `total` beside `count` and `filters` counts."""
    topic_search: TopicSearch = "words"
    """How topics are found: by starts of words in any order, as their name starts, or as it reads.

    The last, `substring`, is not ordered by how well a name fits.
    """
    both_is_either: bool = False
    """Whether a search for b2b or b2c topics finds those of type `both`."""
    trend_days: int = 90
    """How many days a topic's trend goes back."""
    unknown_trend_status: Literal[200, 404] = 200
    """The answer to the trend of a topic that is not in the inventory; 200 is an empty list."""
    movers_change: Literal["percent", "fraction"] = "percent"
    """Whether an audience that grew by a tenth has a pctChange of 10 or of 0.1."""
    analyses_a_minute: int = 30
    """How many web sites a key may have analysed in a minute."""
    analyses_without_key: int = 2
    """How many web sites those without a key may have analysed in a minute, all together."""
    analyzed_topics: int = 10
    """How many topics an analysis finds at most."""
    analyze_content_hash: bool = True
    """Whether an analysis carries the `contentHash` that only TS has."""

    unfinished_run_status: Literal[404, 409] = 409
    """The answer to a run's stats, CSV or export while, or because, it has no results."""
    average_keys: tuple[str, str] = ("score", "topicOverlap")
    """What a run's stats call the average score and the average overlap."""
    export_row_cap: int = 300_000
    """How many rows the CSV of a run has at most; a stored export has all."""
    export_seconds: float = 0.0
    """How long a run's stored export is `processing` before it can be downloaded."""
    export_created_status: Literal[200, 201, 202] = 201
    """The answer to storing an export that was not there before."""
    export_checksums: bool = True
    """Whether a stored export states its size and SHA-1; the file is made once to find them."""
    link_seconds: int = 86_400
    """How long a download URL works."""
    csv_starts_with_bom: bool = False
    """Whether CSV files start with the mark by which spreadsheets know UTF-8."""

    visits_per_day: int = 8
    """How many visits a web site with an active pixel has on an average day."""
    data_timeframe: Timeframe = "30d"
    """The timeframe of visitors when none is asked for."""
    data_page_size: int = 50
    """How many visitors are on a page."""
    data_meta: Literal["total", "pages"] = "pages"
    """Whether `meta` of visitors has the total alone or page, totalPages and hasMore as well."""
    journey: Literal["visitor", "visits"] = "visitor"
    """Whether asking for an email gives the one visitor or a record for each of their visits."""
    visitor_aliases: bool = True
    """Whether visitors have second names of fields, as some who read them expect: allPhones..."""
    paused_pixel_keeps_visitors: bool = False
    """Whether those who came before a pixel was paused are still shown."""

    pixel_domain: Literal["host", "verbatim"] = "host"
    """Whether a domain is reduced to its host in lower case without www, or kept as it came."""
    unnamed_pixel: Literal["domain", "null"] = "domain"
    """The name of a pixel that was given none."""
    paused_reason: str | None = "manual"
    """The `pausedReason` of a paused pixel."""
    second_path_list: Literal["400", "409", "replace"] = "400"
    """What happens to one list of paths while the other is stored."""
    path_match: Literal["prefix", "exact"] = "prefix"
    """Whether "/blog" in a list of paths means everything below it too."""
