"""Sizing: how many people a config finds, and what each part of it makes of that."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise

import anyio

from leadpipe_mcp.api.allowance import Allowance, allowed
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
from leadpipe_mcp.planning.target import Change, distance
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
"""How many scores between two steps of the ladder are tried."""
_PAIRS = 4
"""How many pairs of changes are tried where no single one reaches the target."""
_FOR_ITSELF = 8
"""So many requests are kept for the size itself, in case that it has to be asked for again."""
_ENDS_ALL = (TooManyRequests, KeyRefused, Forbidden, NotConfigured)
"""After these, whatever else is asked would be refused as well."""


@dataclass(frozen=True)
class Sized:
    """What was measured of a config; what could not be is not in it, and said."""

    preview: Preview | None = None
    ladder: Mapping[int, int] = field(default_factory=dict[int, int])
    """How many people there are from each score."""
    without_filter: Mapping[str, int] = field(default_factory=dict[str, int])
    without_topic: Mapping[int, int] = field(default_factory=dict[int, int])
    unknown: Mapping[str, int] = field(default_factory=dict[str, int])
    """How many people an exclusion leaves out only because their value is not known, by key."""
    with_cut: Mapping[str, int] = field(default_factory=dict[str, int])
    """How many people there would be with a value that a range holds only partly."""
    reachable: Mapping[str, int] = field(default_factory=dict[str, int])
    """How many of the people can be reached in each way, by the filter that says so."""
    options: tuple[Change, ...] = ()
    """What could be done otherwise, with how many people there would be."""
    not_measured: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    """Why it was not."""

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
        """Why something was asked for and not measured."""
        return list(self._failed.values())

    def note(self, config: AudienceConfig, size: int) -> None:
        """Keep a size that is known already."""
        self._known[_form(config)] = size

    def of(self, config: AudienceConfig) -> int | None:
        """The size of a config; None if it was not measured."""
        return self._known.get(_form(config))

    async def measure(self, variations: Iterable[Variation]) -> None:
        """Measure the variations, the first ones first, while requests are left."""
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
    """Measures a config, what matters most first; `sized` tells what is known so far.

    Args:
        configs: Who can be asked.
        config: What is measured.
        allowance: How many requests there may be.
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
        """Note how many people there are and who they are, if the service says it."""
        await self._look(anyio.Event())

    async def weigh(self, contact: Sequence[str]) -> None:
        """Note what `look` does, and what each part of the config makes of its size."""
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
            # Whatever has to be asked twice, the size itself keeps what it may need.
            with allowed(self._allowance.part(max(0, self._allowance.left - _FOR_ITSELF))):
                tasks.start_soon(self._sizes.measure, steps)
                # Once the config itself is known to be valid, its parts need not wait for its size.
                await validated.wait()
                tasks.start_soon(self._sizes.measure, parts)
        if self._failure and self._failure.retryable:
            # Alone, after everything else, it has the best prospects.
            await self._look(validated)
        # What the size did not need is there for what had to stand back.
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
        """Look for what brings the size into the target where no part of the config does."""
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

    async def _try_pairs(self, size: int, target: range, singles: Sequence[Change]) -> None:
        """Measure the pairs of changes that should come nearest to the target."""
        more = size < target.start
        useful = [one for one in singles if (one.size > size if more else 0 < one.size < size)]
        guesses: list[tuple[float, Variation]] = []
        for one, other in combinations(useful, 2):
            pair = pair_of(self._config, one.variation, other.variation)
            if pair:
                # As if what the one brings did not depend on the other.
                guess = round(one.size * other.size / max(size, 1))
                guesses.append((distance(guess, target), pair))
        best = [pair for _, pair in sorted(guesses, key=lambda guess: guess[0])[:_PAIRS]]
        await self._sizes.measure(best)
        self._others += [pair for pair in best if self._sizes.of(pair.config) is not None]

    def _measured(self, variations: Iterable[Variation]) -> tuple[Change, ...]:
        return tuple(
            Change(one, size)
            for one in variations
            if one.config != self._config and (size := self._sizes.of(one.config)) is not None
        )

    def _scores(self) -> dict[int, int]:
        """What is known of the size from each score, the lowest first."""
        own = Variation("score", str(self._config.min_score or 0), "", self._config)
        steps = [own, *self._ladder, *(one for one in self._others if one.thing == "score")]
        known = {int(step.name): self._sizes.of(step.config) for step in steps}
        return {score: size for score, size in sorted(known.items()) if size is not None}

    def sized(self) -> Sized:
        """What is known so far.

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
        """Whoever is neither asked for nor among those that were named has no known value."""
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
    """The score in the middle of two between which a size that is wanted lies, if none has it."""
    if any(size in wanted for size in ladder.values()):
        return None
    for low, high in pairwise(ladder):
        # The higher the score, the fewer people.
        if ladder[low] >= wanted.stop and ladder[high] < wanted.start:
            return (low + high) // 2 if high - low > 1 else None
    return None


def _form(config: AudienceConfig) -> str:
    """The same for configs that ask the same."""
    return config.model_dump_json(by_alias=True, exclude_none=True)
