"""Plans: a brief made into a config, with its size, what influences it, and what is odd in it."""

import contextlib
import datetime as dt
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import anyio
from pydantic import JsonValue

from leadpipe_mcp.api.budget import Allowance, allowed, together
from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.models import (
    DEFAULT_SCORE,
    AudienceConfig,
    Preview,
    SpelledConfig,
    leaves_out_unknown,
)
from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.planning.choosing import ChosenTopics, choose_topics
from leadpipe_mcp.planning.sizing import Advice, Sized, Sizes, Sizing, advise, reaching
from leadpipe_mcp.text import clean, counted, listed

Depth = Literal["full", "size"]

AT_ONCE = 6
MOST_REQUESTS: Mapping[Depth, int] = {"full": 24, "size": 10}
_MOST_TO_RESOLVE: Mapping[Depth, int] = {"full": 12, "size": 7}
PATIENCE_SECONDS = 25.0
"""After this time a plan is given with what was measured by then."""
_CONTACT = ("hasBusinessEmail", "hasPhone", "hasLinkedin")
_LONGEST_NAME = 60
SMALL = 100
"""Fewer people than this are too few for outreach."""
_OLD_DAYS = 3
_NEARLY_ALL = 0.9
_HARDLY = 0.01


@dataclass(frozen=True)
class Brief:
    """Who is wanted."""

    topics: tuple[str | int, ...] = ()
    """What they research: phrases, or ids of topics."""
    website: str | None = None
    filters: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    exclude: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    min_score: int | None = None
    overlap: int = 1
    target: range | None = None
    """How many are wanted."""


@dataclass(frozen=True)
class Plan:
    """The config that a brief comes to, and what was measured of it."""

    config: AudienceConfig
    spelled: SpelledConfig
    topics: ChosenTopics
    sized: Sized
    target: range | None = None
    requests: int = 0

    @property
    def size(self) -> int | None:
        """How many people match as asked; None if that could not be measured."""
        return self.sized.size

    @property
    def unique_people(self) -> Mapping[int, int]:
        """How many people each topic adds who would not be there without it.

        Empty where a person must research several topics: leaving one out would take away people
        of the others too.
        """
        size = self.size
        if size is None or (self.config.min_topic_overlap or 1) > 1:
            return {}
        without = self.sized.sizes("topic").items()
        return {int(topic): max(0, size - others) for topic, others in without}

    @property
    def changes(self) -> Sizes:
        """The changes that bring the size into the target."""
        return reaching(self.target, self.sized.changes) if self.target else {}

    @property
    def advice(self) -> Advice | None:
        """What to do to reach the target."""
        return advise(self.target, self.size, self.sized.changes) if self.target else None


async def make_plan(
    leadpipe: LeadpipeClient,
    brief: Brief,
    depth: Depth = "full",
    report: Callable[[str], Awaitable[None]] | None = None,
) -> Plan:
    """Make a config of the brief and measure it. Nothing is created; `report` gets the progress.

    Raises:
        LeadpipeError: If the service cannot say what filters or topics there are, or finds the
            config invalid.
        NotPossible: Naming everything in the brief that matches nothing; then nobody is counted.
    """
    allowance = Allowance(MOST_REQUESTS[depth], AT_ONCE)
    with allowed(allowance):
        with allowed(allowance.part(_MOST_TO_RESOLVE[depth])):
            catalog, chosen = await together(
                leadpipe.configs.filters,
                partial(choose_topics, leadpipe.topics, brief.topics, brief.website),
            )
            chosen = chosen.within(await leadpipe.configs.most_topics())
            spelled = await _spelled(leadpipe, brief, chosen)
        if report:
            await report(f"{counted(len(chosen.topics), 'topic')} found; counting people")
        contact: list[str] = []
        for name in _CONTACT:
            with contextlib.suppress(NotPossible):
                contact.append(catalog.name_of(catalog.entry_for(name).key))
        names = {topic.id: topic.name for topic in chosen.topics}
        sizing = Sizing(leadpipe.configs, spelled, allowance, brief.target)
        with anyio.move_on_after(PATIENCE_SECONDS):
            await (sizing.look() if depth == "size" else sizing.weigh(names, contact))
    sized = sizing.sized
    if isinstance(sized.failure, NotPossible):
        raise sized.failure
    config = sized.preview.config if sized.preview else spelled.shown
    return Plan(config, spelled, chosen, sized, brief.target, allowance.used)


async def _spelled(leadpipe: LeadpipeClient, brief: Brief, chosen: ChosenTopics) -> SpelledConfig:
    """Return the config that the brief comes to, or name everything that is wrong at once."""
    problems: list[str] = []
    for choice in chosen.choices:
        if choice.topic is None:
            near: list[str] = []
            for topic in choice.alternatives:
                people = chosen.audiences.get(topic.id)
                many = "" if people is None else f", {counted(people, 'person', 'people')}"
                near.append(f"'{_named(topic.name)}' ({topic.id}{many})")
            label = "The nearest" if choice.sure == "none" else "The largest of those compared"
            hint = f"{label}: {listed(near)}." if near else ""
            none = f"No topic was taken for '{_named(choice.asked)}'."
            problems.append(" ".join(filter(None, [none, choice.note, hint])))
    ids = tuple(topic.id for topic in chosen.topics)
    if not problems and not ids:
        problems.append("No topic was found for this website, and an audience needs at least one.")
    if not problems and brief.overlap > len(ids):
        problems.append(
            f"minTopicOverlap ({brief.overlap}) is above the number of topics ({len(ids)})."
        )
    config = AudienceConfig(
        topic_ids=ids,
        min_score=DEFAULT_SCORE if brief.min_score is None else brief.min_score,
        min_topic_overlap=brief.overlap,
        filters=dict(brief.filters),
        exclude=dict(brief.exclude),
        source_url=brief.website if any(c.from_website for c in chosen.choices) else None,
    )
    try:
        spelled = await leadpipe.configs.spell(config, near=True)
    except NotPossible as refusal:
        raise NotPossible(" ".join([*problems, refusal.problem]), refusal.advice) from None
    if problems:
        found = [f"'{_named(c.asked)}' is {c.topic.id}" for c in chosen.choices if c.topic]
        rest = f" Found: {listed(found)}." if found else ""
        raise NotPossible(
            " ".join(problems), f"Nobody was counted.{rest} Plan again with ids or other phrases."
        )
    return spelled


def _named(name: str) -> str:
    return clean(name, _LONGEST_NAME)


def cautions(plan: Plan, today: dt.date) -> list[str]:
    """Return what to point out about the plan, the most important first."""
    found = [f"Part of the topic search failed. {problem}" for problem in plan.topics.problems]
    if plan.sized.problems:
        found.append(f"Part of the measuring failed. {' '.join(plan.sized.problems)}")
    found += _of_spelling(plan)
    if preview := plan.sized.preview:
        found += [*of_size(preview.size), *_of_measures(plan, preview, today)]
    return list(dict.fromkeys(found))


def of_size(size: int) -> list[str]:
    """Return what to point out about a size."""
    if size == 0:
        return ["Nobody matches. Leave a filter out, lower minScore, or take other topics."]
    if size < SMALL:
        many = counted(size, "person", "people")
        return [f"Only {many}: small for outreach. Fewer filters bring more."]
    return []


def _of_spelling(plan: Plan) -> Iterator[str]:
    """What was left out without being asked, with how many people that is where counted."""
    yield from plan.spelled.remarks
    for key in plan.spelled.by_listing:
        many = plan.sized.unknown.get(key)
        if many != 0:
            people = "people" if many is None else counted(many, "person", "people")
            yield leaves_out_unknown(key, people)
    with_cut = plan.sized.sizes("cut")
    for match in plan.spelled.matches:
        if match.cut:
            sizes = [(value, with_cut.get(f"{match.key} {value}")) for value in match.cut]
            there = [f"with '{value}' there would be {size:,}" for value, size in sizes if size]
            yield match.cut_note + (f" {'; '.join(there).capitalize()}." if there else "")


def _of_measures(plan: Plan, preview: Preview, today: dt.date) -> Iterator[str]:
    """What removes nearly everybody, what adds hardly anybody, and what is odd in the preview."""
    size, without = preview.size, plan.sized.sizes("filter")
    key = max(without, key=lambda key: without[key], default="")
    if key and size < (1 - _NEARLY_ALL) * without[key]:
        share = f"{100 * (1 - size / without[key]):.0f} %" if size else "everybody"
        yield f"{key} alone removes {share}: without it there are {without[key]:,}."
    for topic in plan.topics.topics:
        only = plan.unique_people.get(topic.id)
        if only is not None and only < _HARDLY * size:
            yield f"'{_named(topic.name)}' adds hardly anybody: {only:,} of {size:,}."
    with contextlib.suppress(ValueError):
        day = dt.date.fromisoformat((preview.data_date or "")[:10])
        if (today - day).days > _OLD_DAYS:
            yield f"The service's data is from {day}, {(today - day).days} days old."
    sample = preview.sample
    kinds = {kind for kind in ("businessEmail", "personalEmail") for one in sample if one.get(kind)}
    if "hasBusinessEmail" in plan.config.filters and kinds == {"personalEmail"}:
        are = f"all {len(sample)} of the sample have only personal ones."
        yield f"Business e-mail was wanted, but {are}"
