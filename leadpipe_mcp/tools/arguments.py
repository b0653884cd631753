"""The arguments that several tools take: ids, dates, configs and filters."""

import datetime as dt
import json
import uuid
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar, cast

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from leadpipe_mcp.api.filters import CATALOG_KEY, FLAT_KEYS, read_filters, unknown_key
from leadpipe_mcp.api.models import DEFAULT_SCORE, AudienceConfig
from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.text import counted, listed
from leadpipe_mcp.tools.toolkit import Arguments

T = TypeVar("T")


# What belongs to a config, but is no filter: a slip that is easily made.
_BESIDE_FILTERS = {"topicIds", "minScore", "maxScore", "minTopicOverlap", "sourceUrl"}


def _from_json_text(value: object) -> object:
    """The object or list that some clients send as its JSON text."""
    if isinstance(value, str) and value.lstrip()[:1] in {"{", "["}:
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _filters_from_json_text(value: object, depth: int = 2) -> object:
    """The filters, as JSON text or not, with those in it that are JSON text as what they say."""
    value = _from_json_text(value)
    if not depth or not isinstance(value, dict):
        return value
    parts = cast("dict[str, object]", value).items()
    return {key: _filters_from_json_text(part, depth - 1) for key, part in parts}


def as_list(value: object) -> object:
    """The one thing that was sent where a list is taken, as a list."""
    value = _from_json_text(value)
    return [value] if isinstance(value, str | int) and not isinstance(value, bool) else value


def _no_bool(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("must be a whole number.")  # noqa: TRY004 -- pydantic takes ValueErrors
    return value


def _lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


def _real_date(value: str) -> str:
    try:
        return dt.date.fromisoformat(value).isoformat()
    except ValueError:
        raise ValueError("must be a date like 2026-05-04.") from None


def _real_uuid(value: str) -> str:
    try:
        return str(uuid.UUID(value.strip()))
    except ValueError:
        raise ValueError(
            "must be an id like 6fb81599-f601-4afe-b3ff-e8a211cae27d; list_audiences shows them."
        ) from None


def _web_address(value: str) -> str:
    if not value.startswith(("https://", "http://")):
        raise ValueError("must be a web address that starts with https://.")
    return value


def _known_filters(value: dict[str, object]) -> dict[str, object]:
    beside = [key for key in value if key in _BESIDE_FILTERS]
    if beside:
        raise NotPossible(f"Put this beside filters, not into it: {listed(beside)}.")
    for key, wish in value.items():
        # Null stands for no filter, or for one to remove: it has to exist all the same.
        if wish is None and key not in FLAT_KEYS and not CATALOG_KEY.fullmatch(key):
            raise unknown_key(key, FLAT_KEYS)
    read_filters(value)
    return value


Whole = Annotated[int, BeforeValidator(_no_bool)]
AudienceId = Annotated[
    str, AfterValidator(_real_uuid), WithJsonSchema({"type": "string", "format": "uuid"})
]
Date = Annotated[
    str, AfterValidator(_real_date), WithJsonSchema({"type": "string", "format": "date"})
]
Named = Annotated[T, BeforeValidator(_lower)]
"""A choice from a closed set, whatever its case."""
ManyOf = Annotated[tuple[T, ...], BeforeValidator(as_list)]
ObjectOf = Annotated[T, BeforeValidator(_from_json_text)]
AudienceName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255)
]
WebAddress = Annotated[
    str,
    Field(max_length=2048),
    AfterValidator(_web_address),
    WithJsonSchema({"type": "string", "format": "uri"}),
]
ConfirmCode = Annotated[
    str | None,
    Field(
        description="The code of this tool's earlier answer, once the user agreed. Never guess it."
    ),
]

_WORDS: dict[str, object] = {"type": "array", "items": {"type": "string"}}
_WORD: dict[str, object] = {"type": "string"}
_FLAG: dict[str, object] = {"type": "boolean"}
_TYPES = {
    "values": _WORDS,
    "value": _WORD,
    "text": _WORD,
    "yes_no": {"type": "string", "enum": ["y", "n"]},
    "flag": _FLAG,
}
_MEANINGS = {
    "companyIndustry": "Such as software development.",
    "seniority": "Such as vp, director.",
    "companySize": "Employees, such as 51 to 100.",
    "department": "Such as marketing.",
    "state": "One US state, such as california.",
    "companyRevenueRange": "A year, such as 10 million to 25 million.",
    "ageRange": "As the service lists them.",
    "gender": "As the service lists it.",
    "isB2b": "A business contact, y or n.",
    "jobTitle": "Words in the title, up to 200 characters.",
    "hasBusinessEmail": "Has a business e-mail.",
    "hasPersonalEmail": "Has a personal e-mail.",
    "hasLinkedin": "Has a LinkedIn profile.",
    "hasPhone": "Has a phone number.",
    "companyDomain": "Such as acme.example.",
    "companyName": "Words in the company's name.",
}
_CATALOG_FILTER = {
    "type": ["array", "boolean", "object"],
    "description": "A list of words, true or false, or {values, operator, mode}.",
}


def _filters_schema(description: str, *, removable: bool) -> dict[str, Any]:
    def typed(schema: Mapping[str, object]) -> dict[str, object]:
        return {**schema, "type": [schema["type"], "null"]} if removable else {**schema}

    return {
        "type": "object",
        "description": description,
        "properties": {
            key.name: typed(_TYPES[key.kind]) | {"description": _MEANINGS[key.name]}
            for key in FLAT_KEYS.values()
        },
        "patternProperties": {r"^\w+\.\w+": _CATALOG_FILTER},
        "additionalProperties": False,
    }


_FILTERS = (
    "Who the people are (the ICP); all must hold. Case does not matter; an unknown value is"
    " refused with the nearest. Catalogue keys (company.industries, jobTitle.exclude) work too."
)
Filters = Annotated[
    dict[str, Any],
    BeforeValidator(_filters_from_json_text),
    AfterValidator(_known_filters),
    WithJsonSchema(_filters_schema(_FILTERS, removable=False)),
]
FilterChanges = Annotated[
    dict[str, Any],
    BeforeValidator(_filters_from_json_text),
    AfterValidator(_known_filters),
    WithJsonSchema(
        _filters_schema(
            "Filters to set, by key; null removes one; those not named stay. Keys and values as"
            " in create_audience, catalogue keys too.",
            removable=True,
        )
    ),
]

TopicIds = Annotated[ManyOf[Annotated[Whole, Field(ge=1)]], Field(min_length=1, max_length=250)]
Score = Annotated[Whole, Field(ge=0, le=100)]
Overlap = Annotated[Whole, Field(ge=1, le=250)]

TOPICS = "Ids of the topics that the people research: 1 to 250; an older API takes 10."
MIN_SCORE = "Lowest intent score, 0 to 100: 90 is high, 70 medium, below 60 faint."
MAX_SCORE = "Highest intent score."
OVERLAP = "How many of the topics a person must research at least."
SOURCE_URL = "The website that the topics were taken from."


class ConfigArguments(Arguments):
    """Who is wanted: topics, scores and filters."""

    topic_ids: TopicIds = Field(description=TOPICS)
    min_score: Score = Field(default=DEFAULT_SCORE, description=MIN_SCORE)
    max_score: Score | None = Field(default=None, description=MAX_SCORE)
    min_topic_overlap: Overlap = Field(default=1, description=OVERLAP)
    filters: Filters | None = None
    source_url: WebAddress | None = Field(default=None, description=SOURCE_URL)

    @model_validator(mode="after")
    def _fits_together(self) -> "ConfigArguments":
        check_config(self.to_config())
        return self

    def to_config(self) -> AudienceConfig:
        """The config in the client's vocabulary, each topic once."""
        return AudienceConfig(
            topic_ids=tuple(dict.fromkeys(self.topic_ids)),
            min_score=self.min_score,
            max_score=self.max_score,
            min_topic_overlap=self.min_topic_overlap,
            filters=given(self.filters),
            source_url=self.source_url,
        )

    def notes(self) -> list[str]:
        """What was put right without asking."""
        return twice_named(self.topic_ids)


def twice_named(topic_ids: tuple[int, ...] | None) -> list[str]:
    """The note that ids were left out because they stood there before."""
    again = len(topic_ids or ()) - len(set(topic_ids or ()))
    if not again:
        return []
    return [f"{counted(again, 'topic id')} stood there twice and counted once."]


def given(filters: dict[str, Any] | None) -> dict[str, Any]:
    """The filters without those that are null."""
    return {key: value for key, value in (filters or {}).items() if value is not None}


def check_config(config: AudienceConfig) -> None:
    """Nothing, if the parts of the config fit together.

    Raises:
        NotPossible: Naming the two that contradict each other.
    """
    lowest, highest = config.min_score, config.max_score
    if lowest is not None and highest is not None and lowest > highest:
        raise NotPossible(f"minScore ({lowest}) is above maxScore ({highest}).")
    overlap, topics = config.min_topic_overlap or 1, len(config.topic_ids)
    if overlap > topics:
        raise NotPossible(f"minTopicOverlap ({overlap}) is above the number of topics ({topics}).")


class ConfigChange(Arguments):
    """What to change about who is wanted; what is not named stays."""

    topic_ids: TopicIds | None = Field(default=None, description="The new list of topic ids.")
    min_score: Score | None = Field(default=None, description=MIN_SCORE)
    max_score: Score | None = Field(default=None, description=MAX_SCORE + " null removes it.")
    min_topic_overlap: Overlap | None = Field(default=None, description=OVERLAP)
    filters: FilterChanges | None = None
    source_url: WebAddress | None = Field(default=None, description=SOURCE_URL)

    def applied_to(self, present: AudienceConfig, filters: dict[str, Any]) -> AudienceConfig:
        """The present config with what was named in place of what was there."""
        named: dict[str, object] = {
            name: getattr(self, name)
            for name in self.model_fields_set - {"filters"}
            if getattr(self, name) is not None or name in {"max_score", "source_url"}
        }
        if self.topic_ids:
            named["topic_ids"] = tuple(dict.fromkeys(self.topic_ids))
        return present.model_copy(update={**named, "filters": filters})
