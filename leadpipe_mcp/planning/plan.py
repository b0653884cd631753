"""The plan: a brief in the user's words, made into a config with its size and what sways it."""

import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import anyio

from leadpipe_mcp.api.allowance import Allowance, allowed
from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.models import DEFAULT_SCORE, AudienceConfig
from leadpipe_mcp.api.spelling import FilterCatalog
from leadpipe_mcp.api.topics import MOST_COMPARED
from leadpipe_mcp.errors import LeadpipeError, NotPossible
from leadpipe_mcp.planning.choosing import ChosenTopics, choose_topics
from leadpipe_mcp.planning.filters import Found, find_filters
from leadpipe_mcp.planning.sizing import Sized, Sizing
from leadpipe_mcp.planning.target import NO_END, Advice, Change, advise, changes_into
from leadpipe_mcp.text import clean, counted, quoted

Depth = Literal["full", "size"]

AT_ONCE = 6
MOST_REQUESTS: Mapping[Depth, int] = {"full": 24, "size": 10}
_MOST_TO_RESOLVE: Mapping[Depth, int] = {"full": 12, "size": 7}
PATIENCE_SECONDS = 25.0
"""After so long a plan comes with what was measured by then."""

_CONTACT = ("hasBusinessEmail", "hasPhone", "hasLinkedin")
_LONGEST_ASKED = 60


@dataclass(frozen=True)
class Brief:
    """Who is wanted, in the user's own words."""

    topics: tuple[str | int, ...] = ()
    """What they research: phrases, or ids of topics."""
    website: str | None = None
    about: str | None = None
    """Who they are."""
    min_score: int | None = None
    overlap: int = 1
    target: range | None = None
    """How many are wanted; None: as the words say, if they do."""


@dataclass(frozen=True)
class Plan:
    """What a brief comes to."""

    config: AudienceConfig
    topics: ChosenTopics
    filters: Found | None
    sized: Sized
    target: range | None = None
    advice: Advice | None = None
    audiences: Mapping[int, int] = field(default_factory=dict[int, int])
    """How many people research a topic in all, where another could have been meant."""
    requests: int = 0

    @property
    def size(self) -> int | None:
        """How many people there are as it was asked; None if that could not be measured."""
        return self.sized.size

    @property
    def only_by_topic(self) -> Mapping[int, int]:
        """How many people each topic brings who would not be there without it."""
        if self.size is None:
            return {}
        size, without = self.size, self.sized.without_topic
        return {topic: max(0, size - others) for topic, others in without.items()}

    @property
    def changes(self) -> tuple[Change, ...]:
        """Each brings the size into the target."""
        return changes_into(self.target, self.sized.options) if self.target else ()


async def make_plan(
    leadpipe: LeadpipeClient,
    brief: Brief,
    depth: Depth = "full",
    report: Callable[[str], Awaitable[None]] | None = None,
) -> Plan:
    """What the brief comes to. Nothing is created; `report` is told what has been done so far.

    Raises:
        LeadpipeError: If the service cannot say what filters or topics there are, or finds the
            config invalid.
    """
    allowance = Allowance(MOST_REQUESTS[depth], AT_ONCE)
    with allowed(allowance):
        with allowed(allowance.part(_MOST_TO_RESOLVE[depth])):
            resolved = await _Resolver(leadpipe, brief).resolve()
        if report:
            await report(f"{counted(len(resolved.topics.topics), 'topic')} found; counting people")
        sizing = Sizing(
            leadpipe.configs,
            resolved.config,
            allowance,
            target=resolved.target,
            names={topic.id: topic.name for topic in resolved.topics.topics},
        )
        audiences = _Audiences(leadpipe, resolved.topics)
        with anyio.move_on_after(PATIENCE_SECONDS):
            if depth == "size":
                await sizing.look()
            else:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(sizing.weigh, resolved.contact)
                    # While the config is validated there is room for it; the weights come first.
                    if allowance.left > sizing.weights:
                        tasks.start_soon(audiences.ask)
    sized = sizing.sized()
    target = resolved.target
    return Plan(
        sized.preview.config if sized.preview else resolved.config,
        resolved.topics,
        resolved.filters,
        sized,
        target,
        advise(target, sized.size, sized.options) if target else None,
        audiences.known,
        allowance.used,
    )


class _Audiences:
    """How many people research the topics between which the user might choose."""

    def __init__(self, leadpipe: LeadpipeClient, chosen: ChosenTopics) -> None:
        self._topics = leadpipe.topics
        self._chosen = chosen
        self.known: Mapping[int, int] = {}

    async def ask(self) -> None:
        """Nothing; they are noted, if the service tells them."""
        topics = [t for one in self._chosen.unsettled for t in (one.topic, *one.alternatives)]
        ids = [*dict.fromkeys(topic.id for topic in topics if topic)][:MOST_COMPARED]
        with contextlib.suppress(LeadpipeError):
            series = await self._topics.compare(ids) if ids else ()
            self.known = {one.id: one.latest.audience for one in series if one.latest}


@dataclass(frozen=True)
class _Resolved:
    """What the words come to."""

    config: AudienceConfig
    topics: ChosenTopics
    filters: Found | None
    target: range | None
    contact: Sequence[str]


class _Resolver:
    """Turns the words of a brief into a config."""

    def __init__(self, leadpipe: LeadpipeClient, brief: Brief) -> None:
        self._leadpipe = leadpipe
        self._brief = brief
        self._errors: list[LeadpipeError] = []
        self._catalog: FilterCatalog
        self._topics: ChosenTopics

    async def resolve(self) -> _Resolved:
        """The words as a config, and what was understood."""
        brief, configs = self._brief, self._leadpipe.configs
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._ask_filters)
            tasks.start_soon(self._ask_topics)
        if self._errors:
            raise self._errors[0]
        chosen = self._topics.within(await configs.most_topics())
        found = find_filters(brief.about, self._catalog, decide=True) if brief.about else None
        config = AudienceConfig(
            topic_ids=_ids(chosen, brief.overlap),
            min_score=DEFAULT_SCORE if brief.min_score is None else brief.min_score,
            min_topic_overlap=brief.overlap,
            filters=dict(found.filters) if found else {},
            source_url=brief.website if any(c.from_website for c in chosen.choices) else None,
        )
        return _Resolved(
            await configs.spell(config),
            chosen,
            found,
            brief.target or _wanted(found),
            _flags(self._catalog),
        )

    async def _ask_filters(self) -> None:
        try:
            self._catalog = await self._leadpipe.configs.filters()
        except LeadpipeError as error:
            self._errors.append(error)

    async def _ask_topics(self) -> None:
        brief, topics = self._brief, self._leadpipe.topics
        try:
            self._topics = await choose_topics(topics, brief.topics, brief.website)
        except LeadpipeError as error:
            self._errors.append(error)


def _flags(catalog: FilterCatalog) -> list[str]:
    """The filters that say how people can be reached, as far as the service has them."""
    keys: list[str] = []
    for name in _CONTACT:
        with contextlib.suppress(NotPossible):
            keys.append(catalog.entry_for(name).key)
    return keys


def _ids(chosen: ChosenTopics, overlap: int) -> tuple[int, ...]:
    """The ids of the topics, if a config can be made of them."""
    ids = tuple(topic.id for topic in chosen.topics)
    if not ids:
        asked = quoted(clean(choice.asked, _LONGEST_ASKED) for choice in chosen.choices)
        names = [t.name for choice in chosen.choices for t in choice.alternatives]
        near = f" The nearest: {quoted(clean(name, _LONGEST_ASKED) for name in names[:6])}."
        raise NotPossible(
            f"No topic was found for {asked or 'this website'}, and an audience needs one."
            f"{near if names else ''}",
            "Say it in other words, or look with search_topics.",
        )
    if overlap > len(ids):
        raise NotPossible(
            f"minTopicOverlap ({overlap}) is above the number of topics found ({len(ids)}).",
            "Name more topics, or lower it.",
        )
    return ids


def _wanted(found: Found | None) -> range | None:
    """How many people the words themselves ask for."""
    if found is None or found.people_wanted is None:
        return None
    wanted = found.people_wanted
    return range(int(wanted.low), int(min(wanted.high, NO_END)) + 1)
