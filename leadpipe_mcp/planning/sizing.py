"""Measures how many people a config finds, and how each part of it affects that.

A variation is the config with one thing changed, or two.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from typing import Literal

import anyio

from leadpipe_mcp import errors
from leadpipe_mcp.api.budget import Allowance, allowed
from leadpipe_mcp.api.configs import Configs
from leadpipe_mcp.api.models import AudienceConfig, Preview, SpelledConfig, Validation

NO_END = 10**9
"""A target that ends here or above has no upper end."""
_LADDER = (50, 60, 70, 80, 90)
_NEARER = 3
"""How many scores to try between two steps of the ladder."""
_PAIRS = 4
"""How many pairs of changes to try where no single one reaches the target."""
_FOR_ITSELF = 8
"""How many requests to keep for the size itself, in case it has to be asked for again."""
_ENDS_ALL = (errors.TooManyRequests, errors.KeyRefused, errors.Forbidden, errors.NotConfigured)
"""After these, all other requests would be refused as well."""

Thing = Literal["score", "overlap", "topic", "filter", "pair", "contact", "unknown", "cut"]
LEAST_MEDDLING: Sequence[Thing] = ("score", "overlap", "topic", "filter", "pair")
"""What to change first to reach a target: a filter was asked for by name, so it comes late."""


@dataclass(frozen=True, eq=False)
class Variation:
    """A config that differs from another in one thing or in two."""

    thing: Thing
    name: str
    """The score, the overlap, the topic's id, the key of the filter, or the value."""
    words: str
    config: AudienceConfig


Sizes = Mapping[Variation, int]


def _changed(
    config: AudienceConfig, thing: Thing, name: str, words: str, **parts: object
) -> Variation:
    return Variation(thing, name, words, config.model_copy(update=parts))


def at_score(config: AudienceConfig, score: int) -> Variation:
    """Return the config with another minimum score."""
    return _changed(config, "score", str(score), f"minScore {score}", min_score=score)


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


def other_filters(spelled: SpelledConfig) -> Iterator[Variation]:
    """Yield the config without each filter, and with what was left out unasked."""
    config = spelled.shown
    for part, held in (("filters", config.filters), ("exclude", config.exclude)):
        for key in held:
            name = key if part == "filters" else f"exclude.{key}"
            rest = {other: value for other, value in held.items() if other != key}
            yield _changed(config, "filter", name, f"without {name}", **{part: rest})
    for key in spelled.by_listing:
        # Turned round: people who are in neither have no known value.
        rest = {other: value for other, value in config.exclude.items() if other != key}
        filters = {**config.filters, key: config.exclude[key]}
        words = f"those whose {key} is not known"
        yield _changed(config, "unknown", key, words, filters=filters, exclude=rest)
    for match in spelled.matches:
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


@dataclass
class Sized:
    """A config with its size and those of its variations, as far as they are measured."""

    config: AudienceConfig
    preview: Preview | None = None
    failure: errors.LeadpipeError | None = None
    """Why the config itself could not be measured."""
    variations: list[Variation] = field(default_factory=list[Variation])
    measured: dict[Variation, int] = field(default_factory=dict[Variation, int])
    failures: dict[Variation, errors.LeadpipeError] = field(
        default_factory=dict[Variation, errors.LeadpipeError]
    )

    @property
    def size(self) -> int | None:
        """How many people the config finds as it is; None if that could not be measured."""
        return self.preview.size if self.preview else None

    def sizes(self, thing: Thing) -> dict[str, int]:
        """Return the measured sizes of the variations of one thing, by their names."""
        its = (one for one in self.variations if one.thing == thing)
        return {one.name: self.measured[one] for one in its if one in self.measured}

    @property
    def ladder(self) -> dict[int, int]:
        """How many people there are from each score up, the lowest first."""
        sizes = {int(score): size for score, size in self.sizes("score").items()}
        if self.size is not None:
            sizes[self.config.min_score or 0] = self.size
        return dict(sorted(sizes.items()))

    @property
    def unknown(self) -> dict[str, int]:
        """How many people an exclusion leaves out only because their value is unknown, by key."""
        own, without = self.size, self.sizes("filter")
        if own is None:
            return {}
        return {
            key: max(0, without[f"exclude.{key}"] - own - excluded)
            for key, excluded in self.sizes("unknown").items()
            if f"exclude.{key}" in without
        }

    @property
    def changes(self) -> Sizes:
        """The changes that may reach a target, with how many people there would be."""
        found = [one for one in self.variations if one.thing in LEAST_MEDDLING]
        found.sort(key=lambda one: LEAST_MEDDLING.index(one.thing))
        return {one: self.measured[one] for one in found if one in self.measured}

    @property
    def not_measured(self) -> list[str]:
        """What could not be measured."""
        missing = [one.words for one in self.variations if one not in self.measured]
        return missing if self.preview else ["the size as asked", *missing]

    @property
    def problems(self) -> list[str]:
        """Why something could not be measured."""
        failures = [self.failure, *self.failures.values()]
        return list(dict.fromkeys(failure.problem for failure in failures if failure))


class Sizing:
    """Measures a config, what matters most first; `sized` holds what is known so far."""

    def __init__(
        self, configs: Configs, config: SpelledConfig, allowance: Allowance, target: range | None
    ) -> None:
        self._configs = configs
        self._spelled = config
        self._allowance = allowance
        self._target = target
        self._validation: Validation | None = None
        self._validated = anyio.Event()
        self.sized = Sized(config.shown)

    async def look(self) -> None:
        """Measure how many people there are and who they are."""
        try:
            if not self._validated.is_set():
                self._validation = await self._configs.validate(self._spelled)
                self._validated.set()
            self.sized.preview = await self._configs.preview(self._spelled, self._validation)
            self.sized.failure = None
        except errors.LeadpipeError as error:
            self.sized.failure = error
            self._validated.set()

    async def weigh(self, names: Mapping[int, str], contact: Sequence[str]) -> None:
        """Measure what `look` does, and how each part of the config affects the size.

        Args:
            names: Those of the topics.
            contact: The yes-or-no filters that tell how people can be reached.
        """
        config, sized = self.sized.config, self.sized
        own = config.min_score or 0
        # The nearest to its own score first.
        scores = sorted(_LADDER, key=lambda score: (abs(score - own), score))
        steps = [at_score(config, score) for score in scores if score != own]
        parts = [*other_filters(self._spelled), *without_each_topic(config, names)]
        with_each = [(key, {**config.filters, key: True}) for key in contact]
        reachable = [
            _changed(config, "contact", key, f"those with {key}", filters=filters)
            for key, filters in with_each
            if key not in config.filters
        ]
        sized.variations = [*steps, *parts, *reachable]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.look)
            # Even if other things must be asked twice, this leaves enough for the size itself.
            with allowed(self._allowance.part(max(0, self._allowance.left - _FOR_ITSELF))):
                tasks.start_soon(self._measure, steps)
                # Once the config is known to be valid, its parts need not wait for its size.
                await self._validated.wait()
                tasks.start_soon(self._measure, parts)
        if sized.failure and sized.failure.retryable:
            # Alone, after everything else, it has the best chance.
            await self.look()
        # What the size did not need is left for what had to wait.
        await self._measure([*steps, *parts])
        if self._target and sized.size is not None and sized.size not in self._target:
            await self._approach(sized.size, self._target)
        await self._measure(reachable)

    async def _measure(self, variations: Iterable[Variation]) -> None:
        """Measure those that have not been asked for, in order, while requests are left."""
        sized = self.sized

        async def ask(one: Variation) -> None:
            try:
                spelled = await self._configs.spell(one.config)
                sized.measured[one] = await self._configs.size(spelled)
            except errors.AllowanceSpent:
                return
            except errors.LeadpipeError as error:
                sized.failures[one] = error
                if isinstance(error, _ENDS_ALL):
                    self._allowance.end()

        async with anyio.create_task_group() as tasks:
            for one in variations:
                if one not in sized.measured and one not in sized.failures:
                    tasks.start_soon(ask, one)

    async def _approach(self, size: int, target: range) -> None:
        """Look for other changes that bring the size into the target."""
        config, sized, more = self.sized.config, self.sized, size < target.start
        others = other_overlap(config, more_people=more)
        sized.variations += others
        await self._measure(others)
        for _ in range(_NEARER):
            score = _between(sized.ladder, target)
            if score is None:
                break
            there = at_score(config, score)
            sized.variations.append(there)
            await self._measure([there])
        changes = sized.changes
        if any(its in target for its in changes.values()):
            return
        # A change that overshoots the target alone does so all the more with another.
        low, high = sorted((size, target.start))
        useful = [(change, its) for change, its in changes.items() if low < its < high]
        guesses: list[tuple[float, Variation]] = []
        for (one, its), (other, others_size) in combinations(useful, 2):
            if pair := pair_of(config, one, other):
                # As if the two changes were independent.
                guess = round(its * others_size / (size or 1))
                guesses.append((distance(guess, target), pair))
        best = [pair for _, pair in sorted(guesses, key=lambda guess: guess[0])[:_PAIRS]]
        await self._measure(best)
        sized.variations += [pair for pair in best if pair in sized.measured]


def _between(ladder: Mapping[int, int], wanted: range) -> int | None:
    """Return the middle of two scores between which the wanted size lies."""
    for low, high in pairwise(ladder):
        # The higher the score, the fewer people.
        if ladder[low] >= wanted.stop and ladder[high] < wanted.start:
            return (low + high) // 2 if high - low > 1 else None
    return None


@dataclass(frozen=True)
class Advice:
    """What to do to reach the target, and why; without a change, nothing."""

    reason: str
    change: Variation | None = None


def reaching(target: range, changes: Sizes) -> Sizes:
    """Return the changes whose size is in the target, the least intrusive first."""
    middle = target.start if target.stop > NO_END else (target.start + target.stop) / 2

    def intrusion(change: Variation) -> tuple[int, float]:
        return LEAST_MEDDLING.index(change.thing), abs(changes[change] - middle)

    within = (change for change, size in changes.items() if size in target)
    return {change: changes[change] for change in sorted(within, key=intrusion)}


def advise(target: range, size: int | None, changes: Sizes) -> Advice:
    """Advise the config as it is, the change that reaches the target, or the nearest."""
    wanted = describe(target)
    if size is not None and size in target:
        return Advice(f"That is within {wanted}.")
    if not changes:
        return Advice(f"It is not known whether any change reaches {wanted}.")
    within = reaching(target, changes)
    best = next(iter(within), min(changes, key=lambda one: distance(changes[one], target)))
    there = changes[best]
    words = f"With {best.words}"
    if best.words.startswith("without"):
        words = best.words[:1].upper() + best.words[1:]
    if within:
        stays = {"topic": "every filter", "filter": "the rest", "pair": "the rest"}
        rest = stays.get(best.thing, "every topic and filter")
        reason = f"{words} there would be {there:,}, within {wanted}: {rest} stays."
    elif size is not None and distance(size, target) <= distance(there, target):
        return Advice(f"No change comes closer to {wanted}.")
    else:
        reason = f"No change, nor any two together, reaches {wanted}."
        reason += f" {words} there would be {there:,}, the closest."
    return Advice(reason, best)


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
