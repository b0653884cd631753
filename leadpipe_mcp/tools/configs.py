"""The config of an audience: as tools take it, checked, compared; and preview_audience."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, cast

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    JsonValue,
    WithJsonSchema,
    model_validator,
)

from leadpipe_mcp.api import models
from leadpipe_mcp.api.models import AudienceConfig, ServiceConfig, SpelledConfig
from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.people.columns import choose_columns
from leadpipe_mcp.people.privacy import table
from leadpipe_mcp.planning.plan import of_size
from leadpipe_mcp.text import clean, in_quotes, listed
from leadpipe_mcp.toolkit import Arguments, Reply, tool
from leadpipe_mcp.tools import arguments, replies
from leadpipe_mcp.tools.arguments import Overlap, Score, TopicIds, WebAddress, from_json_text
from leadpipe_mcp.tools.replies import Cell, Table, warnings
from leadpipe_mcp.tools.services import Call, if_shown
from leadpipe_mcp.vocabulary.catalog import FLAT_KEYS, RANGES

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
_MOST_NAMED = 20
_ROOM = 700
"""As many characters as changes may take of a question; a client may cut a longer one."""
_FEW_VALUES = 8


def _filters_from_json_text(value: object, depth: int = 2) -> object:
    """Read filters that came as JSON text, whole or in part, and ends of ranges that came so."""
    value = from_json_text(value)
    if not depth or not isinstance(value, dict):
        return value
    parts = cast("dict[str, object]", value)
    read = {key: _filters_from_json_text(part, depth - 1) for key, part in parts.items()}
    for end in ("min", "max"):
        number = read.get(end)
        if isinstance(number, str) and number.isascii() and number.isdigit():
            read[end] = int(number)
    return read


def _only_filters(value: dict[str, object]) -> dict[str, object]:
    """Refuse what belongs beside the filters; keys and values are looked up in the catalogue."""
    fields = {field.alias for field in ConfigArguments.model_fields.values()}
    if beside := [key for key in value if key in fields]:
        raise NotPossible(f"Pass this beside filters, not inside: {listed(beside)}.")
    return value


def _published(*, removable: bool = False) -> WithJsonSchema:
    """Publish the sixteen keys with what they take, and that any key of the catalogue will do."""
    properties: dict[str, Any] = {}
    for key in FLAT_KEYS.values():
        takes: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
        if key.name in RANGES:
            takes = {"type": ["array", "object"]}
        elif key.kind in {"flag", "yes_no"}:
            takes = {"type": "boolean"}
        if removable:
            kinds = takes["type"] if key.name in RANGES else [takes["type"]]
            takes["type"] = [*kinds, "null"]
        properties[key.name] = {**takes, "description": _EXAMPLES[key.name]}
    any_key = {"type": ["array", "boolean", "object"], "description": "A catalogue key."}
    return WithJsonSchema(
        {
            "type": "object",
            "properties": properties,
            "patternProperties": {r"^\w+\.\w+": any_key},
            "additionalProperties": False,
        }
    )


_FilterObject = Annotated[
    dict[str, Any], BeforeValidator(_filters_from_json_text), AfterValidator(_only_filters)
]
Filters = Annotated[_FilterObject, _published()]
Exclusions = Annotated[_FilterObject, WithJsonSchema({"type": "object"})]

FILTERS = "Who they are (ICP): every filter must match; of several values, any."
EXCLUDE = "Leave out anyone who matches any of these; keys as in filters."
MIN_SCORE = "Lowest intent score (0-100): 90 is high, 70 medium, below 60 weak."
MAX_SCORE = "Highest intent score."
OVERLAP = "Minimum number of these topics a person must research."
_SOURCE_URL = "The website the topics came from."


class ConfigArguments(Arguments):
    topic_ids: TopicIds = Field(
        description="Ids of the topics they research: 1 to 250 (an older API takes 10)."
    )
    min_score: Score = Field(default=models.DEFAULT_SCORE, description=MIN_SCORE)
    max_score: Score | None = Field(default=None, description=MAX_SCORE)
    min_topic_overlap: Overlap = Field(default=1, description=OVERLAP)
    filters: Filters | None = Field(default=None, description=FILTERS)
    exclude: Exclusions | None = Field(default=None, description=EXCLUDE)
    source_url: WebAddress | None = Field(default=None, description=_SOURCE_URL)

    @model_validator(mode="after")
    def _fits_together(self) -> "ConfigArguments":
        check_config(self.to_config())
        return self

    def to_config(self) -> AudienceConfig:
        """Return the config in the caller's words, each topic once."""
        given = {name: value for name, value in self if value is not None}
        return AudienceConfig.model_validate(
            given | {"topic_ids": tuple(dict.fromkeys(self.topic_ids))}
        )


class ConfigChange(Arguments):
    topic_ids: TopicIds | None = Field(default=None, description="The new list of topic ids.")
    min_score: Score | None = Field(default=None, description=MIN_SCORE)
    max_score: Score | None = Field(default=None, description=MAX_SCORE + " null removes it.")
    min_topic_overlap: Overlap | None = Field(default=None, description=OVERLAP)
    filters: Annotated[_FilterObject, _published(removable=True)] | None = Field(
        default=None, description="Merged by key; null removes one."
    )
    exclude: Exclusions | None = Field(
        default=None, description="Merged the same way; a key set here is removed from filters."
    )
    source_url: WebAddress | None = Field(default=None, description=_SOURCE_URL)

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


def check_config(config: AudienceConfig) -> None:
    """Check that the parts of the config fit together."""
    lowest, highest = config.min_score, config.max_score
    if lowest is not None and highest is not None and lowest > highest:
        raise NotPossible(f"minScore ({lowest}) is above maxScore ({highest}).")
    overlap, topics = config.min_topic_overlap or 1, len(config.topic_ids)
    if overlap > topics:
        raise NotPossible(f"minTopicOverlap ({overlap}) is above the number of topics ({topics}).")


async def spell(call: Call, config: AudienceConfig) -> tuple[SpelledConfig, list[str]]:
    """Return the config in the service's words, and a note on topics that could not be checked."""
    spelled = await call.leadpipe.configs.spell(config)
    return spelled, await unknown_topics(call, config.topic_ids)


async def unknown_topics(call: Call, topic_ids: Sequence[int]) -> list[str]:
    """Refuse ids of topics that do not exist; return a note if that could not be checked."""
    names = await if_shown(call.leadpipe.topic_names, tuple(topic_ids))
    if names is None:
        return ["Whether all of these topic ids exist could not be checked just now."]
    known = {topic.id for topic in names}
    if unknown := [str(topic) for topic in topic_ids if topic not in known]:
        more = len(unknown) - _MOST_NAMED
        rest = f", nor {more} more of these" if more > 0 else ""
        raise NotPossible(
            f"There is no topic with the id {listed(unknown[:_MOST_NAMED], 'or')}{rest}.",
            "search_topics finds topics and their ids.",
        )
    return []


@dataclass(frozen=True)
class Change:
    """One part of an audience, as it was and as it is to be."""

    part: str
    before: JsonValue
    after: JsonValue

    def row(self) -> list[Cell]:
        """Return the change as a row of a table."""
        said = (
            (part or "") if part is None or isinstance(part, str) else _as_json(part)
            for part in (self.before, self.after)
        )
        return [self.part, *(clean(text, 200) for text in said)]

    def sentence(self) -> str:
        """Say the change: of two lists, what is added and what is dropped."""
        was, will_be = self.before, self.after
        if not isinstance(was, list) or not isinstance(will_be, list):
            return f"{self.part}: {_in_words(was)} → {_in_words(will_be)}"
        added = [value for value in will_be if value not in was]
        dropped = [value for value in was if value not in will_be]
        both = (("adds", added), ("drops", dropped))
        said = [f"{verb} {_in_words(values)}" for verb, values in both if values]
        return f"{self.part} {', '.join(said)}"


async def changes(call: Call, before: ServiceConfig, after: ServiceConfig) -> list[Change]:
    """Return each part in which two configs differ."""
    # Both as saved configs are shown, so that another spelling of the same is no change.
    saved = [await call.leadpipe.configs.as_saved(config) for config in (before, after)]
    was, will_be = (_parts(config.shown) for config in saved)
    return [
        Change(part, was.get(part), will_be.get(part))
        for part in dict.fromkeys([*was, *will_be])
        if _unordered(was.get(part)) != _unordered(will_be.get(part))
    ]


def renamed(audience: models.Audience, name: str | None) -> list[Change]:
    """Return the change of the name, if it is one."""
    if not name or name == audience.name:
        return []
    was, will_be = (clean(text, replies.NAME_LENGTH) for text in (audience.name, name))
    return [Change("name", was, will_be)]


def in_one_sentence(made: Sequence[Change]) -> str:
    """Say all changes; of those for which there is no room, how many there are and of what."""
    room, said = _ROOM, list[str]()
    for change in made:
        sentence = change.sentence()
        room -= len(sentence) + 2
        if room < 0 and said:
            break
        said.append(sentence)
    rest = [clean(change.part, replies.NAME_LENGTH) for change in made[len(said) :]]
    if rest:
        parts = listed([*rest[:_FEW_VALUES], *(["others"] if len(rest) > _FEW_VALUES else [])])
        said.append(f"and {len(rest)} more, of {parts}")
    return "; ".join(said)


def _parts(config: AudienceConfig) -> dict[str, JsonValue]:
    """The config as one level of named parts."""
    parts = config.written()
    filters = cast("dict[str, JsonValue]", parts.pop("filters", {}))
    exclude = cast("dict[str, JsonValue]", parts.pop("exclude", {}))
    parts |= filters | {f"exclude.{key}": value for key, value in exclude.items()}
    # The words of a filter without how they are matched.
    return {
        name: part["values"] if isinstance(part, dict) and "values" in part else part
        for name, part in parts.items()
    }


def _unordered(part: JsonValue) -> object:
    """The same for two lists of the same words."""
    return sorted(map(str, part)) if isinstance(part, list) else part


def _as_json(part: JsonValue) -> str:
    return json.dumps(part, ensure_ascii=False)


def _in_words(part: JsonValue) -> str:
    if part is None:
        return "not set"
    if isinstance(part, str):
        return in_quotes(part, replies.NAME_LENGTH)
    if isinstance(part, list):
        few = [_in_words(value) for value in part]
        return replies.some(few, _FEW_VALUES) if len(few) > _FEW_VALUES else listed(few)
    return clean(_as_json(part), replies.NAME_LENGTH)


_SAMPLE_COLUMNS = ("name", "jobTitle", "company", "companyIndustry", "score")
_SAMPLE_SIZE = 5
_MAKE_UP_SIZE = 5


class AudiencePreview(Reply):
    size: int
    data_date: str | None = None
    industries: dict[str, int] | None = None
    seniorities: dict[str, int] | None = None
    counted_over: str | None = Field(default=None, description="What the counts cover.")
    sample: Table | None = None
    config: dict[str, JsonValue] = Field(description="As applied; create_audience takes it.")
    config_hash: str


@tool("Preview an audience", reads=True)
async def preview_audience(call: Call, asked: ConfigArguments) -> AudiencePreview:
    """Count the people that topics (intent data), scores and filters (an ICP) find today.

    Shows their make-up and five masked examples. Use it before create_audience, as often as
    needed: it saves and spends nothing. Filters are checked against the service's catalogue and
    against what it says it applied.
    """
    spelled, unsure = await spell(call, asked.to_config())
    preview = await call.leadpipe.configs.preview(spelled)
    columns = choose_columns(_SAMPLE_COLUMNS)
    sample = table(preview.sample[:_SAMPLE_SIZE], columns, contact=False)
    config = preview.config.written()
    digest = hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()
    create = replies.suggest("create_audience", "save this config under a name")
    repeated = arguments.twice_named(asked.topic_ids)
    return AudiencePreview(
        summary=f"{replies.matches(preview.size)}, {replies.data_from(preview.data_date)}",
        size=preview.size,
        data_date=preview.data_date,
        **replies.make_up(preview, _MAKE_UP_SIZE),
        sample=replies.table_of(_SAMPLE_COLUMNS, sample),
        config=config,
        config_hash=preview.config_hash or digest[:16],
        warnings=warnings(repeated, unsure, preview.notes, of_size(preview.size)),
        next=[create] if preview.size else None,
    )
