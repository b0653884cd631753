"""The config arguments of the building tools: topics, scores, filters, exclusions."""

from collections.abc import Sequence
from typing import Annotated, Any, cast

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from leadpipe_mcp.api.models import DEFAULT_SCORE, AudienceConfig
from leadpipe_mcp.api.spelling import SpelledConfig
from leadpipe_mcp.errors import NotPossible, ServiceError
from leadpipe_mcp.text import listed
from leadpipe_mcp.toolkit import Arguments
from leadpipe_mcp.tools.arguments import (
    Overlap,
    Score,
    TopicIds,
    WebAddress,
    from_json_text,
    twice_named,
)
from leadpipe_mcp.tools.services import Call
from leadpipe_mcp.vocabulary.catalog import FLAT_KEYS, RANGES, FlatKey

# Part of a config, but not filters: an easy slip.
_BESIDE_FILTERS = {
    *("topicIds", "minScore", "maxScore", "minTopicOverlap", "sourceUrl", "filters", "exclude"),
}


def _filters_from_json_text(value: object, depth: int = 2) -> object:
    """Read filters that came as JSON text, whole or in part."""
    value = from_json_text(value)
    if not depth or not isinstance(value, dict):
        return value
    parts = cast("dict[str, object]", value).items()
    return {key: _number_of(key, _filters_from_json_text(part, depth - 1)) for key, part in parts}


def _number_of(key: str, value: object) -> object:
    """Read the end of a range that came as text."""
    is_digits = isinstance(value, str) and value.isascii() and value.isdigit()
    return int(str(value)) if key in {"min", "max"} and is_digits else value


def _only_filters(value: dict[str, object]) -> dict[str, object]:
    """Refuse what belongs beside the filters; keys and values are looked up in the catalogue."""
    if beside := [key for key in value if key in _BESIDE_FILTERS]:
        raise NotPossible(f"Pass this beside filters, not inside: {listed(beside)}.")
    return value


_LIST: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
_RANGE: dict[str, Any] = {"type": ["array", "object"]}
_FLAG: dict[str, Any] = {"type": "boolean"}
_EXAMPLES = {
    "companyIndustry": "banking",
    "seniority": "VP, director or above",
    "companySize": "51-200, {min, max}",
    "department": "marketing, HR",
    "state": "CA, new york",
    "companyRevenueRange": "50M+, {min, max}",
    "ageRange": "25-34, {min, max}",
    "gender": "female",
    "isB2b": "business contact",
    "jobTitle": "words in it",
    "hasBusinessEmail": "work e-mail",
    "hasPersonalEmail": "private e-mail",
    "hasLinkedin": "LinkedIn",
    "hasPhone": "any phone",
    "companyDomain": "acme.example",
    "companyName": "words in it",
}
_ANY_KEY = {"type": ["array", "boolean", "object"], "description": "A catalogue key."}


def _typed_filters(*, removable: bool = False) -> WithJsonSchema:
    """Publish the sixteen keys with what they take, and that any key of the catalogue will do."""

    def typed(key: FlatKey) -> dict[str, Any]:
        schema = (
            _RANGE if key.name in RANGES else _FLAG if key.kind in {"flag", "yes_no"} else _LIST
        )
        kinds = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
        kind = {"type": [*kinds, "null"]} if removable else {}
        return {**schema, **kind, "description": _EXAMPLES[key.name]}

    return WithJsonSchema(
        {
            "type": "object",
            "properties": {key.name: typed(key) for key in FLAT_KEYS.values()},
            "patternProperties": {r"^\w+\.\w+": _ANY_KEY},
            "additionalProperties": False,
        }
    )


FILTERS = "Who they are (ICP): every filter must match; of several values, any."
_MOST_NAMED = 20
EXCLUDE = "Leave out anyone who matches any of these; keys as in filters."

_FilterObject = Annotated[
    dict[str, Any], BeforeValidator(_filters_from_json_text), AfterValidator(_only_filters)
]
Filters = Annotated[_FilterObject, _typed_filters()]
FilterChanges = Annotated[_FilterObject, _typed_filters(removable=True)]
Exclusions = Annotated[_FilterObject, WithJsonSchema({"type": "object"})]

TOPICS = "Ids of the topics they research: 1 to 250 (an older API takes 10)."
MIN_SCORE = "Lowest intent score (0-100): 90 is high, 70 medium, below 60 weak."
MAX_SCORE = "Highest intent score."
OVERLAP = "Minimum number of these topics a person must research."
SOURCE_URL = "The website the topics came from."


class ConfigArguments(Arguments):
    """Who should be in it: topics, scores and filters."""

    topic_ids: TopicIds = Field(description=TOPICS)
    min_score: Score = Field(default=DEFAULT_SCORE, description=MIN_SCORE)
    max_score: Score | None = Field(default=None, description=MAX_SCORE)
    min_topic_overlap: Overlap = Field(default=1, description=OVERLAP)
    filters: Filters | None = Field(default=None, description=FILTERS)
    exclude: Exclusions | None = Field(default=None, description=EXCLUDE)
    source_url: WebAddress | None = Field(default=None, description=SOURCE_URL)

    @model_validator(mode="after")
    def _fits_together(self) -> "ConfigArguments":
        check_config(self.to_config())
        return self

    def to_config(self) -> AudienceConfig:
        """Return the config in the caller's words, each topic once."""
        return AudienceConfig(
            topic_ids=tuple(dict.fromkeys(self.topic_ids)),
            min_score=self.min_score,
            max_score=self.max_score,
            min_topic_overlap=self.min_topic_overlap,
            filters=self.filters or {},
            exclude=self.exclude or {},
            source_url=self.source_url,
        )

    def notes(self) -> list[str]:
        """Say what was put right without asking."""
        return twice_named(self.topic_ids)


def check_config(config: AudienceConfig) -> None:
    """Check that the parts of the config fit together.

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
    """What to change about who is in it; anything not named stays."""

    topic_ids: TopicIds | None = Field(default=None, description="The new list of topic ids.")
    min_score: Score | None = Field(default=None, description=MIN_SCORE)
    max_score: Score | None = Field(default=None, description=MAX_SCORE + " null removes it.")
    min_topic_overlap: Overlap | None = Field(default=None, description=OVERLAP)
    filters: FilterChanges | None = Field(
        default=None,
        description="Merged by key; null removes one.",
    )
    exclude: Exclusions | None = Field(
        default=None, description="Merged the same way; a key set here is removed from filters."
    )
    source_url: WebAddress | None = Field(default=None, description=SOURCE_URL)

    def fields(self) -> dict[str, object]:
        """Return what was named beside filters and exclude, ready to take its place."""
        named: dict[str, object] = {
            name: getattr(self, name)
            for name in self.model_fields_set - {"filters", "exclude"}
            if getattr(self, name) is not None or name in {"max_score", "source_url"}
        }
        if self.topic_ids:
            named["topic_ids"] = tuple(dict.fromkeys(self.topic_ids))
        return named


async def spell(call: Call, config: AudienceConfig) -> tuple[SpelledConfig, list[str]]:
    """Return the config in the service's words, and a note on topics that could not be checked.

    Raises:
        NotPossible: Naming every filter, value and topic that the service does not have.
    """
    spelled = await call.leadpipe.configs.spell(config)
    return spelled, await unknown_topics(call, config.topic_ids)


async def unknown_topics(call: Call, topic_ids: Sequence[int]) -> list[str]:
    """Refuse ids of topics that do not exist; return a note if that could not be checked.

    Raises:
        NotPossible: Naming the ids that no topic has.
    """
    try:
        known = {topic.id for topic in await call.leadpipe.topic_names(tuple(topic_ids))}
    except ServiceError:
        return ["Whether all of these topic ids exist could not be checked just now."]
    if unknown := [str(topic) for topic in topic_ids if topic not in known]:
        more = len(unknown) - _MOST_NAMED
        rest = f", nor {more} more of these" if more > 0 else ""
        raise NotPossible(
            f"There is no topic with the id {listed(unknown[:_MOST_NAMED], 'or')}{rest}.",
            "search_topics finds topics and their ids.",
        )
    return []
