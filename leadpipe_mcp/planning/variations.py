"""Variations of a config: one thing changed, or two, and how to say which."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from leadpipe_mcp.api.models import AudienceConfig
from leadpipe_mcp.api.spelling import Match

LADDER = (50, 60, 70, 80, 90)

Thing = Literal["score", "overlap", "topic", "filter", "pair", "contact", "unknown", "cut"]


@dataclass(frozen=True)
class Variation:
    """A config that differs from another in one thing, or in a pair of them."""

    thing: Thing
    name: str
    """The score, the overlap, the topic's id, the key of the filter, or the value."""
    words: str
    config: AudienceConfig


def at_score(config: AudienceConfig, score: int) -> Variation:
    """Return the config with another minimum score."""
    changed = config.model_copy(update={"min_score": score})
    return Variation("score", str(score), f"minScore {score}", changed)


def ladder_of(config: AudienceConfig) -> list[Variation]:
    """Return the config at each step of the ladder, the nearest to its own score first."""
    own = config.min_score or 0
    return [at_score(config, s) for s in sorted(LADDER, key=lambda s: (abs(s - own), s))]


def without_each_filter(config: AudienceConfig) -> list[Variation]:
    """Return the config without each of its filters and exclusions."""
    made: list[Variation] = []
    for part, held in (("filters", config.filters), ("exclude", config.exclude)):
        for key in held:
            name = key if part == "filters" else f"exclude.{key}"
            rest = {other: value for other, value in held.items() if other != key}
            changed = config.model_copy(update={part: rest})
            made.append(Variation("filter", name, f"without {name}", changed))
    return made


def without_each_topic(config: AudienceConfig, names: Mapping[int, str]) -> list[Variation]:
    """Return the config without each of its topics, if enough of them are left."""
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
    """Return the config in which a person must research one topic fewer, or one more."""
    overlap = (config.min_topic_overlap or 1) + (-1 if more_people else 1)
    if not 1 <= overlap <= len(config.topic_ids):
        return []
    changed = config.model_copy(update={"min_topic_overlap": overlap})
    return [Variation("overlap", str(overlap), f"minTopicOverlap {overlap}", changed)]


def pair_of(config: AudienceConfig, one: Variation, other: Variation) -> Variation | None:
    """Return the config with both changes; None if they cannot be combined."""
    if one.thing == other.thing and one.thing in {"score", "overlap"}:
        return None
    a, b = one.config, other.config
    score = a.min_score if a.min_score != config.min_score else b.min_score
    own = config.min_topic_overlap
    overlap = a.min_topic_overlap if a.min_topic_overlap != own else b.min_topic_overlap
    topics = tuple(topic for topic in a.topic_ids if topic in b.topic_ids)
    if len(topics) < max(1, overlap or 1):
        return None
    parts = {
        "topic_ids": topics,
        "min_score": score,
        "min_topic_overlap": overlap,
        "filters": {key: value for key, value in a.filters.items() if key in b.filters},
        "exclude": {key: value for key, value in a.exclude.items() if key in b.exclude},
    }
    words = f"{one.words} and {other.words}"
    return Variation("pair", words, words, config.model_copy(update=parts))


def with_each(config: AudienceConfig, flags: Iterable[str]) -> list[Variation]:
    """Return the config with each of these yes-or-no filters that it lacks."""
    return [
        Variation(
            "contact",
            key,
            f"those with {key}",
            config.model_copy(update={"filters": {**config.filters, key: True}}),
        )
        for key in flags
        if key not in config.filters
    ]


def turned_round(config: AudienceConfig, keys: Iterable[str]) -> list[Variation]:
    """Return the config that asks for what it excludes: people in neither have no known value."""
    made: list[Variation] = []
    for key in keys:
        rest = {k: v for k, v in config.exclude.items() if k != key}
        filters = {**config.filters, key: config.exclude[key]}
        turned = config.model_copy(update={"filters": filters, "exclude": rest})
        made.append(Variation("unknown", key, f"those whose {key} is not known", turned))
    return made


def with_each_cut(config: AudienceConfig, matches: Iterable[Match]) -> list[Variation]:
    """Return the config with each value that lies only partly in a range."""
    made: list[Variation] = []
    for match in matches:
        present = config.filters.get(match.key)
        if match.part == "filters" and isinstance(present, list):
            for value in match.cut:
                filters = {**config.filters, match.key: [*present, value]}
                wider = config.model_copy(update={"filters": filters})
                made.append(Variation("cut", f"{match.key} {value}", f"with {value}", wider))
    return made
