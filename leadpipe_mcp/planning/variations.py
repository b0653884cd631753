"""Variations of a config: one thing changed, or two, and which reaches the wanted size."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from leadpipe_mcp.api.models import AudienceConfig, Match
from leadpipe_mcp.errors import LeadpipeError

LADDER = (50, 60, 70, 80, 90)
NO_END = 10**9
"""A target that ends here or above has no upper end."""

Thing = Literal["score", "overlap", "topic", "filter", "pair", "contact", "unknown", "cut"]
LEAST_MEDDLING: Sequence[Thing] = ("score", "overlap", "topic", "filter", "pair")
"""What to change first to reach a target: a filter was asked for by name, so it comes late."""


@dataclass
class Variation:
    """A config that differs from another in one thing or in two, and its size once measured."""

    thing: Thing
    name: str
    """The score, the overlap, the topic's id, the key of the filter, or the value."""
    words: str
    config: AudienceConfig
    size: int | None = None
    failure: LeadpipeError | None = None


def _changed(
    config: AudienceConfig, thing: Thing, name: str, words: str, **parts: object
) -> Variation:
    return Variation(thing, name, words, config.model_copy(update=parts))


def at_score(config: AudienceConfig, score: int) -> Variation:
    """Return the config with another minimum score."""
    return _changed(config, "score", str(score), f"minScore {score}", min_score=score)


def ladder_of(config: AudienceConfig) -> list[Variation]:
    """Return the config at the other steps of the ladder, the nearest to its own score first."""
    own = config.min_score or 0
    steps = sorted(LADDER, key=lambda score: (abs(score - own), score))
    return [at_score(config, score) for score in steps if score != own]


def without_each_filter(config: AudienceConfig) -> Iterator[Variation]:
    """Yield the config without each of its filters and exclusions."""
    for part, held in (("filters", config.filters), ("exclude", config.exclude)):
        for key in held:
            name = key if part == "filters" else f"exclude.{key}"
            rest = {other: value for other, value in held.items() if other != key}
            yield _changed(config, "filter", name, f"without {name}", **{part: rest})


def without_each_topic(config: AudienceConfig, names: Mapping[int, str]) -> Iterator[Variation]:
    """Yield the config without each of its topics, if enough of them are left."""
    ids = config.topic_ids
    for topic in ids if len(ids) > (config.min_topic_overlap or 1) else ():
        words = f"without '{names.get(topic, topic)}' ({topic})"
        others = tuple(other for other in ids if other != topic)
        yield _changed(config, "topic", str(topic), words, topic_ids=others)


def other_overlap(config: AudienceConfig, *, more_people: bool) -> list[Variation]:
    """Return the config in which a person must research one topic fewer, or one more."""
    overlap = (config.min_topic_overlap or 1) + (-1 if more_people else 1)
    if not 1 <= overlap <= len(config.topic_ids):
        return []
    words = f"minTopicOverlap {overlap}"
    return [_changed(config, "overlap", str(overlap), words, min_topic_overlap=overlap)]


def with_each(config: AudienceConfig, flags: Iterable[str]) -> list[Variation]:
    """Return the config with each of these yes-or-no filters that it lacks."""
    return [
        _changed(config, "contact", key, f"those with {key}", filters={**config.filters, key: True})
        for key in flags
        if key not in config.filters
    ]


def turned_round(config: AudienceConfig, keys: Iterable[str]) -> Iterator[Variation]:
    """Yield the config that asks for what it excludes: people in neither have no known value."""
    for key in keys:
        rest = {k: v for k, v in config.exclude.items() if k != key}
        filters = {**config.filters, key: config.exclude[key]}
        words = f"those whose {key} is not known"
        yield _changed(config, "unknown", key, words, filters=filters, exclude=rest)


def with_each_cut(config: AudienceConfig, matches: Iterable[Match]) -> Iterator[Variation]:
    """Yield the config with each value that lies only partly in a range."""
    for match in matches:
        present = config.filters.get(match.key)
        if match.part == "filters" and isinstance(present, list):
            for value in match.cut:
                wider = {**config.filters, match.key: [*present, value]}
                name = f"{match.key} {value}"
                yield _changed(config, "cut", name, f"with {value}", filters=wider)


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
    words = f"{one.words} and {other.words}"
    return _changed(
        *(config, "pair", words, words),
        topic_ids=topics,
        min_score=score,
        min_topic_overlap=overlap,
        filters={key: value for key, value in a.filters.items() if key in b.filters},
        exclude={key: value for key, value in a.exclude.items() if key in b.exclude},
    )


@dataclass(frozen=True)
class Option:
    """One possible change, and how many people there would be."""

    variation: Variation
    size: int


@dataclass(frozen=True)
class Advice:
    """What to do to reach the target, and why."""

    reason: str
    change: Option | None = None
    """None: change nothing."""


def changes_into(target: range, options: Iterable[Option]) -> tuple[Option, ...]:
    """Return the changes whose size is in the target, the least intrusive first."""
    middle = target.start if target.stop > NO_END else (target.start + target.stop - 1) / 2

    def intrusion(change: Option) -> tuple[int, float]:
        return LEAST_MEDDLING.index(change.variation.thing), abs(change.size - middle)

    return tuple(sorted((change for change in options if change.size in target), key=intrusion))


def advise(target: range, size: int | None, options: Sequence[Option]) -> Advice:
    """Advise the config as it is, the change that reaches the target, or the nearest."""
    wanted = describe(target)
    if size is not None and size in target:
        return Advice(f"That is within {wanted}.")
    if reaching := changes_into(target, options):
        best = reaching[0]
        stays = {"score": "every topic and filter stays", "topic": "every filter stays"}
        stays["overlap"] = stays["score"]
        rest = stays.get(best.variation.thing, "the rest stays")
        return Advice(f"{_with(best)}, within {wanted}: {rest}.", best)
    nearest = min(options, key=lambda change: distance(change.size, target), default=None)
    if nearest is None:
        return Advice(f"It is not known whether any change reaches {wanted}.")
    if size is not None and distance(size, target) <= distance(nearest.size, target):
        return Advice(f"No change comes closer to {wanted}.")
    return Advice(
        f"No change, nor any two together, reaches {wanted}. {_with(nearest)}, the closest.",
        nearest,
    )


def _with(change: Option) -> str:
    words = change.variation.words
    given = words[:1].upper() + words[1:] if words.startswith("without") else f"With {words}"
    return f"{given} there would be {change.size:,}"


def describe(target: range) -> str:
    """Return the target in words."""
    if target.stop > NO_END:
        return f"{target.start:,} or more"
    return f"{target.start:,} to {target.stop - 1:,}"


def distance(size: int, target: range) -> float:
    """Return how far a size is from the target, as a factor: 500 is as far from 1,000 as 2,000."""
    if size in target:
        return 0.0
    edge = target.start if size < target.start else target.stop - 1
    return abs(math.log(max(size, 0.5) / max(edge, 0.5)))
