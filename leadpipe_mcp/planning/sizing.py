"""Measures how many people a config finds, and how each part of it affects that."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise

import anyio

from leadpipe_mcp.api.budget import Allowance, allowed
from leadpipe_mcp.api.configs import Configs
from leadpipe_mcp.api.models import AudienceConfig, Preview, SpelledConfig, Validation
from leadpipe_mcp.errors import (
    AllowanceSpent,
    Forbidden,
    KeyRefused,
    LeadpipeError,
    NotConfigured,
    TooManyRequests,
)
from leadpipe_mcp.planning.variations import (
    LEAST_MEDDLING,
    Option,
    Thing,
    Variation,
    at_score,
    distance,
    ladder_of,
    other_overlap,
    pair_of,
    turned_round,
    with_each,
    with_each_cut,
    without_each_filter,
    without_each_topic,
)

_NEARER = 3
"""How many scores to try between two steps of the ladder."""
_PAIRS = 4
"""How many pairs of changes to try where no single one reaches the target."""
_FOR_ITSELF = 8
"""How many requests to keep for the size itself, in case it has to be asked for again."""
_ENDS_ALL = (TooManyRequests, KeyRefused, Forbidden, NotConfigured)
"""After these, all other requests would be refused as well."""


@dataclass
class Sized:
    """A config with its size and those of its variations, as far as they are measured."""

    config: AudienceConfig
    preview: Preview | None = None
    failure: LeadpipeError | None = None
    """Why the config itself could not be measured."""
    variations: list[Variation] = field(default_factory=list[Variation])

    @property
    def size(self) -> int | None:
        """How many people the config finds as it is; None if that could not be measured."""
        return self.preview.size if self.preview else None

    def sizes(self, thing: Thing) -> dict[str, int]:
        """Return the measured sizes of the variations of one thing, by their names."""
        its = (one for one in self.variations if one.thing == thing)
        return {one.name: one.size for one in its if one.size is not None}

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
    def options(self) -> list[Option]:
        """Possible changes, with how many people there would be."""
        things = {thing: n for n, thing in enumerate(LEAST_MEDDLING)}
        found = sorted(
            (one for one in self.variations if one.thing in things),
            key=lambda one: things[one.thing],
        )
        return [Option(one, one.size) for one in found if one.size is not None]

    @property
    def not_measured(self) -> list[str]:
        """What could not be measured."""
        missing = [one.words for one in self.variations if one.size is None]
        return missing if self.preview else ["the size as asked", *missing]

    @property
    def problems(self) -> list[str]:
        """Why something could not be measured."""
        failures = [self.failure, *(one.failure for one in self.variations)]
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
        self.sized = Sized(config.shown)

    async def look(self) -> None:
        """Measure how many people there are and who they are."""
        await self._look(anyio.Event())

    async def weigh(self, names: Mapping[int, str], contact: Sequence[str]) -> None:
        """Measure what `look` does, and how each part of the config affects the size."""
        config, sized = self.sized.config, self.sized
        steps = ladder_of(config)
        parts = [
            *without_each_filter(config),
            *turned_round(config, self._spelled.by_listing),
            *with_each_cut(config, self._spelled.matches),
            *without_each_topic(config, names),
        ]
        reachable = with_each(config, contact)
        sized.variations = [*steps, *parts, *reachable]
        validated = anyio.Event()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._look, validated)
            # Even if other things must be asked twice, this leaves enough for the size itself.
            with allowed(self._allowance.part(max(0, self._allowance.left - _FOR_ITSELF))):
                tasks.start_soon(self._measure, steps)
                # Once the config is known to be valid, its parts need not wait for its size.
                await validated.wait()
                tasks.start_soon(self._measure, parts)
        if sized.failure and sized.failure.retryable:
            # Alone, after everything else, it has the best chance.
            await self._look(validated)
        # What the size did not need is left for what had to wait.
        await self._measure([*steps, *parts])
        if self._target and sized.size is not None and sized.size not in self._target:
            await self._approach(sized.size, self._target)
        await self._measure(reachable)

    async def _look(self, validated: anyio.Event) -> None:
        try:
            if not validated.is_set():
                self._validation = await self._configs.validate(self._spelled)
                validated.set()
            self.sized.preview = await self._configs.preview(self._spelled, self._validation)
            self.sized.failure = None
        except LeadpipeError as error:
            self.sized.failure = error
            validated.set()

    async def _measure(self, variations: Iterable[Variation]) -> None:
        """Measure those that have not been asked for, in order, while requests are left."""

        async def ask(one: Variation) -> None:
            try:
                one.size = await self._configs.size(await self._configs.spell(one.config))
            except AllowanceSpent:
                return
            except LeadpipeError as error:
                one.failure = error
                if isinstance(error, _ENDS_ALL):
                    self._allowance.end()

        async with anyio.create_task_group() as tasks:
            for one in variations:
                if one.size is None and one.failure is None:
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
        options = sized.options
        if any(option.size in target for option in options):
            return
        useful = [one for one in options if (one.size > size if more else 0 < one.size < size)]
        guesses: list[tuple[float, Variation]] = []
        for one, other in combinations(useful, 2):
            if pair := pair_of(config, one.variation, other.variation):
                # As if the two changes were independent.
                guess = round(one.size * other.size / max(size, 1))
                guesses.append((distance(guess, target), pair))
        best = [pair for _, pair in sorted(guesses, key=lambda guess: guess[0])[:_PAIRS]]
        await self._measure(best)
        sized.variations += [pair for pair in best if pair.size is not None]


def _between(ladder: Mapping[int, int], wanted: range) -> int | None:
    """Return the middle of two scores between which the wanted size lies, if none has it."""
    if any(size in wanted for size in ladder.values()):
        return None
    for low, high in pairwise(ladder):
        # The higher the score, the fewer people.
        if ladder[low] >= wanted.stop and ladder[high] < wanted.start:
            return (low + high) // 2 if high - low > 1 else None
    return None
