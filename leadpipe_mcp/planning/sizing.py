"""Measures how many people a config finds, and how each part of it affects that."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise

import anyio

from leadpipe_mcp.api.budget import Allowance, allowed
from leadpipe_mcp.api.configs import Configs
from leadpipe_mcp.api.models import AudienceConfig, Preview, Validation
from leadpipe_mcp.api.spelling import SpelledConfig
from leadpipe_mcp.errors import (
    AllowanceSpent,
    Forbidden,
    KeyRefused,
    LeadpipeError,
    NotConfigured,
    NotPossible,
    TooManyRequests,
)
from leadpipe_mcp.planning.target import Option, distance
from leadpipe_mcp.planning.variations import (
    Variation,
    at_score,
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


@dataclass(frozen=True)
class Sized:
    """What was measured of a config. `not_measured` and `problems` say what was not, and why."""

    preview: Preview | None = None
    ladder: Mapping[int, int] = field(default_factory=dict[int, int])
    """How many people there are from each score up."""
    without_filter: Mapping[str, int] = field(default_factory=dict[str, int])
    without_topic: Mapping[int, int] = field(default_factory=dict[int, int])
    unknown: Mapping[str, int] = field(default_factory=dict[str, int])
    """How many people an exclusion leaves out only because their value is unknown, by key."""
    with_cut: Mapping[str, int] = field(default_factory=dict[str, int])
    """How many people there would be with a value that lies only partly in a range."""
    reachable: Mapping[str, int] = field(default_factory=dict[str, int])
    """How many of the people can be reached in each way, by filter."""
    options: tuple[Option, ...] = ()
    """Possible changes, with how many people there would be."""
    not_measured: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def size(self) -> int | None:
        """How many people the config finds as it is; None if that could not be measured."""
        return self.preview.size if self.preview else None


@dataclass
class _Sizes:
    """The sizes of configs, each asked for once."""

    configs: Configs
    allowance: Allowance
    _known: dict[str, int] = field(default_factory=dict[str, int])
    _failed: dict[str, LeadpipeError] = field(default_factory=dict[str, LeadpipeError])

    @property
    def failures(self) -> list[LeadpipeError]:
        """Why sizes were asked for and not measured."""
        return list(self._failed.values())

    def note(self, config: AudienceConfig, size: int) -> None:
        """Keep a size that is already known."""
        self._known[_form(config)] = size

    def of(self, config: AudienceConfig) -> int | None:
        """Return the size of a config; None if it was not measured."""
        return self._known.get(_form(config))

    async def measure(self, variations: Iterable[Variation]) -> None:
        """Measure the variations in order, while requests are left."""
        wanted = {_form(one.config): one.config for one in variations}
        async with anyio.create_task_group() as tasks:
            for form, config in wanted.items():
                if form not in self._known and form not in self._failed:
                    tasks.start_soon(self._ask, form, config)

    async def _ask(self, form: str, config: AudienceConfig) -> None:
        try:
            self._known[form] = await self.configs.size(await self.configs.spell(config))
        except AllowanceSpent:
            return
        except LeadpipeError as error:
            self._failed[form] = error
            if isinstance(error, _ENDS_ALL):
                self.allowance.end()
        else:
            self._failed.pop(form, None)


class Sizing:
    """Measures a config, what matters most first; `sized` gives what is known so far.

    Args:
        configs: The service.
        config: What to measure.
        allowance: How many requests it may make.
        target: How many people are wanted.
        names: The names of the topics.
    """

    def __init__(
        self,
        configs: Configs,
        config: SpelledConfig,
        allowance: Allowance,
        *,
        target: range | None,
        names: Mapping[int, str],
    ) -> None:
        self._configs = configs
        self._spelled = config
        self._config = config.shown
        self._target = target
        self._allowance = allowance
        self._sizes = _Sizes(configs, allowance)
        self._names = names
        self._preview: Preview | None = None
        self._validation: Validation | None = None
        self._failure: LeadpipeError | None = None
        self._ladder: list[Variation] = []
        self._others: list[Variation] = []
        self._filters: list[Variation] = []
        self._topics: list[Variation] = []
        self._contact: list[Variation] = []
        self._turned: list[Variation] = []
        self._cut: list[Variation] = []

    async def look(self) -> None:
        """Measure how many people there are and who they are."""
        await self._look(anyio.Event())

    async def weigh(self, contact: Sequence[str]) -> None:
        """Measure what `look` does, and how each part of the config affects the size."""
        own = self._config.min_score
        self._ladder = ladder_of(self._config)
        self._filters = without_each_filter(self._config)
        self._topics = without_each_topic(self._config, self._names)
        self._contact = with_each(self._config, contact)
        self._turned = turned_round(self._config, self._spelled.by_listing)
        self._cut = with_each_cut(self._config, self._spelled.matches)
        steps = [step for step in self._ladder if step.config.min_score != own]
        parts = [*self._filters, *self._turned, *self._cut, *self._topics]
        validated = anyio.Event()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._look, validated)
            # Even if other things must be asked twice, this leaves enough for the size itself.
            with allowed(self._allowance.part(max(0, self._allowance.left - _FOR_ITSELF))):
                tasks.start_soon(self._sizes.measure, steps)
                # Once the config is known to be valid, its parts need not wait for its size.
                await validated.wait()
                tasks.start_soon(self._sizes.measure, parts)
        if self._failure and self._failure.retryable:
            # Alone, after everything else, it has the best chance.
            await self._look(validated)
        # What the size did not need is left for what had to wait.
        await self._sizes.measure([*steps, *parts])
        await self._approach()
        await self._sizes.measure(self._contact)

    async def _look(self, validated: anyio.Event) -> None:
        configs, config = self._configs, self._spelled
        try:
            if not validated.is_set():
                self._validation = await configs.validate(config)
                validated.set()
            self._preview = await configs.preview(config, self._validation)
        except LeadpipeError as error:
            self._failure = error
            validated.set()
        else:
            self._failure = None
            self._sizes.note(self._config, self._preview.size)

    async def _approach(self) -> None:
        """Look for other changes that bring the size into the target."""
        size, target = self._sizes.of(self._config), self._target
        if target is None or size is None or size in target:
            return
        self._others = other_overlap(self._config, more_people=size < target.start)
        await self._sizes.measure(self._others)
        for _ in range(_NEARER):
            score = _between(self._scores(), target)
            if score is None:
                break
            there = at_score(self._config, score)
            self._others.append(there)
            await self._sizes.measure([there])
        singles = self._measured([*self._ladder, *self._others, *self._topics, *self._filters])
        if not any(single.size in target for single in singles):
            await self._try_pairs(size, target, singles)

    async def _try_pairs(self, size: int, target: range, singles: Sequence[Option]) -> None:
        """Measure the pairs of changes that should come nearest to the target."""
        more = size < target.start
        useful = [one for one in singles if (one.size > size if more else 0 < one.size < size)]
        guesses: list[tuple[float, Variation]] = []
        for one, other in combinations(useful, 2):
            pair = pair_of(self._config, one.variation, other.variation)
            if pair:
                # As if the two changes were independent.
                guess = round(one.size * other.size / max(size, 1))
                guesses.append((distance(guess, target), pair))
        best = [pair for _, pair in sorted(guesses, key=lambda guess: guess[0])[:_PAIRS]]
        await self._sizes.measure(best)
        self._others += [pair for pair in best if self._sizes.of(pair.config) is not None]

    def _measured(self, variations: Iterable[Variation]) -> tuple[Option, ...]:
        return tuple(
            Option(one, size)
            for one in variations
            if one.config != self._config and (size := self._sizes.of(one.config)) is not None
        )

    def _scores(self) -> dict[int, int]:
        """Return the known size from each score up, the lowest first."""
        own = Variation("score", str(self._config.min_score or 0), "", self._config)
        steps = [own, *self._ladder, *(one for one in self._others if one.thing == "score")]
        known = {int(step.name): self._sizes.of(step.config) for step in steps}
        return {score: size for score, size in sorted(known.items()) if size is not None}

    def sized(self) -> Sized:
        """Return what is known so far.

        Raises:
            NotPossible: If the service finds the config invalid, or does not apply all of it.
        """
        if isinstance(self._failure, NotPossible):
            raise self._failure
        options = [*self._ladder, *self._others, *self._topics, *self._filters]
        every = [*options, *self._contact, *self._turned, *self._cut]
        missing = [one for one in every if self._sizes.of(one.config) is None]
        failures = [*([self._failure] if self._failure else []), *self._sizes.failures]
        return Sized(
            preview=self._preview,
            ladder=self._scores(),
            without_filter=self._known(self._filters),
            without_topic={int(id_): size for id_, size in self._known(self._topics).items()},
            unknown=self._not_known(),
            with_cut=self._known(self._cut),
            reachable=self._known(self._contact),
            options=self._measured(options),
            not_measured=(
                *(() if self._preview else ("the size as asked",)),
                *(one.words for one in missing),
            ),
            problems=tuple(dict.fromkeys(failure.problem for failure in failures)),
        )

    def _not_known(self) -> dict[str, int]:
        """Count people with no known value: neither asked for nor among those excluded."""
        size, without = self._sizes.of(self._config), self._known(self._filters)
        turned = self._known(self._turned)
        if size is None:
            return {}
        return {
            key: max(0, without[f"exclude.{key}"] - size - out)
            for key, out in turned.items()
            if f"exclude.{key}" in without
        }

    def _known(self, variations: Iterable[Variation]) -> dict[str, int]:
        sizes = {one.name: self._sizes.of(one.config) for one in variations}
        return {name: size for name, size in sizes.items() if size is not None}


def _between(ladder: Mapping[int, int], wanted: range) -> int | None:
    """Return the middle of two scores between which the wanted size lies, if none has it."""
    if any(size in wanted for size in ladder.values()):
        return None
    for low, high in pairwise(ladder):
        # The higher the score, the fewer people.
        if ladder[low] >= wanted.stop and ladder[high] < wanted.start:
            return (low + high) // 2 if high - low > 1 else None
    return None


def _form(config: AudienceConfig) -> str:
    """Return a text that is the same for configs that ask the same."""
    return config.model_dump_json(by_alias=True, exclude_none=True)
