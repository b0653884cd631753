"""Variations: a config with one thing otherwise, and how to say which."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from leadpipe_mcp.api.models import AudienceConfig

LADDER = (50, 60, 70, 80, 90)

Part = Literal["score", "overlap", "topic", "filter", "contact"]


@dataclass(frozen=True)
class Variation:
    """A config that differs from another in one thing."""

    part: Part
    name: str
    """The score, the overlap, the topic's id, or the key of the filter."""
    words: str
    config: AudienceConfig


def at_score(config: AudienceConfig, score: int) -> Variation:
    """The config from another score on."""
    changed = config.model_copy(update={"min_score": score})
    return Variation("score", str(score), f"minScore {score}", changed)


def ladder_of(config: AudienceConfig) -> list[Variation]:
    """The config at each step of the ladder, the nearest to its own score first."""
    own = config.min_score or 0
    return [at_score(config, s) for s in sorted(LADDER, key=lambda s: (abs(s - own), s))]


def without_each_filter(config: AudienceConfig) -> list[Variation]:
    """The config without each of its filters."""
    made: list[Variation] = []
    for key in config.filters:
        kept = {other: value for other, value in config.filters.items() if other != key}
        changed = config.model_copy(update={"filters": kept})
        made.append(Variation("filter", key, f"without {key}", changed))
    return made


def without_each_topic(config: AudienceConfig, names: Mapping[int, str]) -> list[Variation]:
    """The config without each of its topics, where enough of them are left."""
    ids = config.topic_ids
    if len(ids) <= max(1, config.min_topic_overlap or 1):
        return []
    made: list[Variation] = []
    for topic in ids:
        changed = config.model_copy(update={"topic_ids": tuple(t for t in ids if t != topic)})
        words = f"without '{names.get(topic, topic)}' ({topic})"
        made.append(Variation("topic", str(topic), words, changed))
    return made


def other_overlap(config: AudienceConfig, *, more_people: bool) -> list[Variation]:
    """The config with one topic fewer, or one more, that a person must research."""
    overlap = (config.min_topic_overlap or 1) + (-1 if more_people else 1)
    if not 1 <= overlap <= len(config.topic_ids):
        return []
    changed = config.model_copy(update={"min_topic_overlap": overlap})
    return [Variation("overlap", str(overlap), f"minTopicOverlap {overlap}", changed)]


def with_each(config: AudienceConfig, flags: Iterable[str]) -> list[Variation]:
    """The config with each of these yes-or-no filters that it does not have."""
    made: list[Variation] = []
    for key in flags:
        if key not in config.filters:
            changed = config.model_copy(update={"filters": {**config.filters, key: True}})
            made.append(Variation("contact", key, f"those with {key}", changed))
    return made
