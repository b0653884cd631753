"""What the service speaks of, in one vocabulary for both generations of its API.

Reading is lenient: fields that are not known here are kept, and every field that the documents
allow to be null may be null. What makes a thing what it is (an id, a size) must be there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, cast

from pydantic import AliasChoices, BeforeValidator, Field, JsonValue

from leadpipe_mcp.api.budget import Noun
from leadpipe_mcp.api.reading import Count, Each, Id, Label, Model, Moment, Name, Row, Told
from leadpipe_mcp.text import quoted
from leadpipe_mcp.vocabulary.resolve import Sure

Part = Literal["filters", "exclude"]
Status = Literal["draft", "active", "paused"]
DEFAULT_SCORE = 70
"""The score from which people count where nobody names one."""

RunState = Literal["none", "queued", "running", "ready", "failed", "cancelled"]
_RUN_STATES: Mapping[object, RunState] = {"materializing": "running", "completed": "ready"}
Filters = dict[str, JsonValue]


def _run_state(said: object) -> object:
    return _RUN_STATES.get(said, said) if isinstance(said, str) else said


def _applied(said: object) -> object:
    """The filters that the service says it applied: keys alone, in any wrapping, or with values."""
    if isinstance(said, dict):
        return list(cast("dict[str, object]", said).items())
    if not isinstance(said, list):
        return said
    items = cast("list[object]", said)
    told = [cast("Filters", item) if isinstance(item, dict) else {"key": item} for item in items]
    return [(one.get("key"), one.get("value", one.get("values"))) for one in told]


AppliedFilters = Annotated[tuple[tuple[str, JsonValue], ...] | None, BeforeValidator(_applied)]
"""Each filter that the service says it applied, with its value where the service gives it."""


class ServiceConfig(Model):
    """Who is in an audience, in the service's own words: as it is sent, kept and shown.

    What the documents do not name (`logic`, say) is kept, and sent again with a change.
    """

    topic_ids: tuple[int, ...]
    min_score: int | None = None
    max_score: int | None = None
    min_topic_overlap: int | None = None
    filters: Annotated[Filters, BeforeValidator(lambda said: {} if said is None else said)] = Field(
        default_factory=Filters
    )
    source_url: str | None = None

    def written(self) -> dict[str, JsonValue]:
        """Return the config as a request or a reply carries it, without what is not set."""
        written = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        return {name: value for name, value in written.items() if value != {}}


class AudienceConfig(ServiceConfig):
    """The same in the words of whoever asks, with those who are to be left out.

    Every tool takes it as a reply shows it.
    """

    exclude: Filters = Field(default_factory=Filters)


@dataclass(frozen=True)
class Match:
    """What became of one value that was asked for, or asked to be left out."""

    part: Part
    key: str
    asked: str
    values: tuple[str, ...]
    sure: Sure
    note: str = ""
    cut: tuple[str, ...] = ()

    @property
    def cut_note(self) -> str:
        """Say which values a range only partly holds."""
        verb = "is" if len(self.cut) == 1 else "are"
        so = "left out" if self.part == "filters" else "kept"
        return f"{self.key} {quoted(self.cut)} {verb} only partly within {self.asked}, so {so}."


@dataclass(frozen=True)
class SpelledConfig:
    """A config in the service's words; only `Configs` makes one.

    `shown` is the same as replies show it. `by_listing` are the keys of which everything but what
    is left out is asked for, because the service cannot say it otherwise.
    """

    sent: ServiceConfig
    shown: AudienceConfig
    matches: tuple[Match, ...] = ()
    remarks: tuple[str, ...] = ()
    by_listing: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What to say of the way in which it was spelled."""
        cut = (match.cut_note for match in self.matches if match.cut)
        return (*self.remarks, *map(leaves_out_unknown, self.by_listing), *cut)


def leaves_out_unknown(key: str, people: str = "people") -> str:
    """Say that an exclusion also leaves out people whose value is not known."""
    return f"exclude.{key} also leaves out {people} whose {key} is not known."


class TopicName(Told):
    """A topic's id with its name."""

    noun: ClassVar[Noun] = ("topic", "topics")
    id: int
    name: Name


class Audience(Told):
    """A saved audience. `config` is None where the service does not show it."""

    noun: ClassVar[Noun] = ("audience", "audiences")
    id: Id
    name: Name
    status: Label
    size: Count | None = Field(default=None, alias="audienceSize")
    config: ServiceConfig | None = None
    topics: Each[TopicName] = ()
    last_refreshed_at: Moment = None
    created_at: Moment = None
    updated_at: Moment = None


class Run(Told):
    """One making of an audience's list of people. `id` is None where runs go by date."""

    noun: ClassVar[Noun] = ("run", "runs")
    id: Id | None = None
    state: Annotated[
        RunState,
        BeforeValidator(_run_state),
        Field(validation_alias=AliasChoices("state", "status")),
    ]
    data_date: Moment = None
    size: Count | None = Field(
        default=None, validation_alias=AliasChoices("size", "resultCount", "totalCount")
    )
    run_type: Label | None = None
    config_hash: Label | None = None
    idempotency_key: Label | None = None
    created_at: Moment = None
    completed_at: Moment = None
    error_message: Label | None = None

    @property
    def is_being_made(self) -> bool:
        """Whether its people are still being put together."""
        return self.state in {"queued", "running"}


class Breakdown(Told):
    """How many people of an audience share one value."""

    noun: ClassVar[Noun] = ("count", "counts")
    value: Label
    label: Label | None = None
    count: Count


class Preview(Model):
    """How many people a config finds now, who they are, and what the service did with it."""

    size: Count = Field(validation_alias=AliasChoices("size", "totalCount"))
    data_date: Moment = None
    config: AudienceConfig
    config_hash: Label | None = None
    industries: Each[Breakdown] = ()
    seniorities: Each[Breakdown] = ()
    sample: tuple[Row, ...] = ()
    applied_filters: AppliedFilters = None
    notes: tuple[str, ...] = ()


class Validation(Model):
    """What the service makes of a config before anything is asked of it."""

    valid: bool = True
    config_hash: Label | None = None
    normalized_config: ServiceConfig | None = None
    applied_filters: AppliedFilters = None


class PeoplePage(Model):
    """Some people of one run, and where the next page starts (None at the end)."""

    run: Run
    people: tuple[Row, ...] = ()
    next_cursor: JsonValue = None
    """The service's own word for it, of any type."""


class Organization(Told):
    """The customer that the key belongs to."""

    name: Name | None = None
    status: Label | None = None


class Credits(Told):
    """How many identification credits are used."""

    used: Count | None = None
    limit: Count | None = None
    remaining: Count | None = None
    resets_at: Moment = None


class PixelCounts(Told):
    """How many tracking pixels there are."""

    total: Count | None = None
    active: Count | None = None
    paused: Count | None = None


class Slots(Told):
    """How many audiences may be active, and how many are."""

    used: Count
    limit: Count

    @property
    def free(self) -> int:
        """How many more audiences may be activated."""
        return max(0, self.limit - self.used)


class Account(Told):
    """The state of the customer's account; `slots` is None where the service does not show them."""

    healthy: bool | None = None
    organization: Organization = Organization()
    credits: Credits | None = None
    pixels: PixelCounts | None = None
    slots: Slots | None = None
