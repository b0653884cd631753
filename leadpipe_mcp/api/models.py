"""What the service speaks of, in one vocabulary for both generations of its API.

Reading is lenient: fields that are not known here are kept, and every field that the documents
allow to be null may be null. What makes a thing what it is (an id, a size) must be there.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, cast

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue
from pydantic.alias_generators import to_camel

Status = Literal["draft", "active", "paused"]
DEFAULT_SCORE = 70
"""The score from which people count where nobody names one."""

RunState = Literal["none", "queued", "running", "ready", "failed", "cancelled"]

_RUN_STATES: Mapping[str, RunState] = {
    "materializing": "running",
    "completed": "ready",
}


def _run_state(said: object) -> object:
    return _RUN_STATES.get(said, said) if isinstance(said, str) else said


def _text(said: object) -> object:
    """What should be a text, as one: the service also sends numbers and lists."""
    if isinstance(said, list):
        return ", ".join(str(part) for part in cast("list[object]", said))
    return said if said is None or isinstance(said, str) else str(said)


def _applied(said: object) -> object:
    """The filters that the service says it applied: keys, in whatever is around, or with values."""
    if isinstance(said, dict):
        return list(cast("dict[str, object]", said).items())
    if isinstance(said, list):
        return [_key_and_value(item) for item in cast("list[object]", said)]
    return said


def _key_and_value(item: object) -> object:
    if not isinstance(item, dict):
        return (item, None)
    told = cast("dict[str, object]", item)
    return (told.get("key"), told.get("value", told.get("values")))


AppliedFilters = Annotated[tuple[tuple[str, JsonValue], ...] | None, BeforeValidator(_applied)]
"""Each filter that the service says it applied, with its value where that is told."""
Text = Annotated[str | None, BeforeValidator(_text)]


class Model(BaseModel):
    """Frozen, in camelCase outside and snake_case inside, keeping what it does not know."""

    model_config = ConfigDict(
        frozen=True,
        extra="allow",
        alias_generator=to_camel,
        populate_by_name=True,
        hide_input_in_errors=True,
    )


class _Config(Model):
    topic_ids: tuple[int, ...]
    min_score: int | None = None
    max_score: int | None = None
    min_topic_overlap: int | None = None
    filters: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])
    source_url: str | None = None

    def _written(self) -> dict[str, JsonValue]:
        written = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        return {name: value for name, value in written.items() if value != {}}


class ServiceConfig(_Config):
    """Who is in an audience, in the service's own words: as it is sent, kept and shown.

    What the documents do not name (`logic`, say) is kept, and sent again with a change.
    """

    def as_sent(self) -> dict[str, JsonValue]:
        """Return the config as a request carries it, without what is not set."""
        return self._written()


class AudienceConfig(_Config):
    """The same in the words of whoever asks, with those who are to be left out."""

    exclude: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])

    def as_shown(self) -> dict[str, JsonValue]:
        """Return the config as a reply shows it; every tool takes it as it is."""
        return self._written()


class TopicName(Model):
    """A topic's id with its name."""

    id: int
    name: str


class Audience(Model):
    """A saved audience. `config` is None where the service does not show it."""

    id: str
    name: str
    status: str
    size: int | None = Field(default=None, alias="audienceSize")
    config: ServiceConfig | None = None
    topics: tuple[TopicName, ...] = ()
    last_refreshed_at: str | None = None
    created_at: str | None = None
    updated_at: str | None = None


class Run(Model):
    """One making of an audience's list of people. `id` is None where runs go by date."""

    id: str | None = None
    state: Annotated[
        RunState,
        BeforeValidator(_run_state),
        Field(validation_alias=AliasChoices("state", "status")),
    ]
    data_date: str | None = None
    size: int | None = Field(
        default=None, validation_alias=AliasChoices("size", "resultCount", "totalCount")
    )
    run_type: str | None = None
    config_hash: str | None = None
    idempotency_key: str | None = None
    created_at: str | None = None
    completed_at: str | None = None
    error_message: str | None = None


class Breakdown(Model):
    """How many people of an audience share one value."""

    value: str
    label: str | None = None
    count: int


Row = Mapping[str, object]
"""One person under the names of `people.columns`, the same for both generations of the API."""


class Person(Model):
    """One visitor or prospect, under the names of `people.columns`; what else came is kept."""

    id: Text = None
    intent_score: int | float | None = None
    topic_id: int | None = None
    topic_name: Text = None
    topic_overlap: int | None = None
    first_name: Text = None
    last_name: Text = None
    full_name: Text = None
    email: Text = None
    business_email: Text = None
    personal_email: Text = None
    phone: Text = None
    linkedin_url: Text = None
    job_title: Text = None
    seniority: Text = None
    department: Text = None
    company: Text = None
    company_domain: Text = None
    company_industry: Text = None
    company_size: Text = None
    company_revenue_range: Text = None
    city: Text = None
    state: Text = None

    def as_row(self) -> Row:
        """Return what is known of the person."""
        return self.model_dump(by_alias=True, exclude_none=True)


class Preview(Model):
    """How many people a config finds now, who they are, and what the service did with it."""

    size: int = Field(validation_alias=AliasChoices("size", "totalCount"))
    data_date: str | None = None
    config: AudienceConfig
    config_hash: str | None = None
    industries: tuple[Breakdown, ...] = ()
    seniorities: tuple[Breakdown, ...] = ()
    sample: tuple[Row, ...] = ()
    applied_filters: AppliedFilters = None
    notes: tuple[str, ...] = ()


class Validation(Model):
    """What the service makes of a config before anything is asked of it."""

    valid: bool = True
    config_hash: str | None = None
    normalized_config: ServiceConfig | None = None
    applied_filters: AppliedFilters = None


class PeoplePage(Model):
    """Some people of one run, and where the next page starts (None at the end)."""

    run: Run
    people: tuple[Row, ...] = ()
    next_cursor: str | None = None


class Organization(Model):
    """The customer whom the key belongs to."""

    name: str | None = None
    status: str | None = None


class Credits(Model):
    """How many identification credits are used."""

    used: int | None = None
    limit: int | None = None
    remaining: int | None = None
    resets_at: str | None = None


class PixelCounts(Model):
    """How many tracking pixels there are."""

    total: int | None = None
    active: int | None = None
    paused: int | None = None


class Slots(Model):
    """How many audiences may be active, and how many are."""

    used: int
    limit: int

    @property
    def free(self) -> int:
        """How many more audiences may be activated."""
        return max(0, self.limit - self.used)


class Account(Model):
    """The state of the customer's account; `slots` is None where the service does not show them."""

    healthy: bool | None = None
    organization: Organization = Organization()
    credits: Credits | None = None
    pixels: PixelCounts | None = None
    slots: Slots | None = None
