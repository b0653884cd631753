"""The tool that plans: from a sentence to a config, with its size and what sways it."""

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, cast

from pydantic import BeforeValidator, Field, JsonValue, model_validator

from leadpipe_mcp.planning.cautions import cautions
from leadpipe_mcp.planning.choosing import TopicChoice
from leadpipe_mcp.planning.filters import Match
from leadpipe_mcp.planning.plan import Brief, Depth, Plan, make_plan
from leadpipe_mcp.planning.target import NO_END, Advice, said
from leadpipe_mcp.text import clean, counted, listed
from leadpipe_mcp.tools.arguments import (
    MIN_SCORE,
    OVERLAP,
    ManyOf,
    Named,
    ObjectOf,
    Overlap,
    Score,
    Whole,
    as_list,
)
from leadpipe_mcp.tools.finding import (
    LONGEST_ABOUT,
    Unsaid,
    not_possible,
    not_understood,
    shown_values,
)
from leadpipe_mcp.tools.make_up import MakeUp, make_up
from leadpipe_mcp.tools.replies import (
    NAME_LENGTH,
    Cell,
    Part,
    Table,
    cell,
    day,
    filled,
    people,
    suggestions,
    warnings,
)
from leadpipe_mcp.tools.toolkit import Arguments, Call, Reply, Suggestion, tool
from leadpipe_mcp.tools.topics import Phrase, Website, topic_name

MOST_TOPICS = 10
_MAKE_UP_SIZE = 4
_SHOWN_CHANGES = 4
_SHOWN_GAPS = 6
_LONGEST_NOTE = 160
_SURE = ("exact", "close", "ambiguous")


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _joined(value: object) -> object:
    """The wishes that were sent as a list, as one text."""
    parts = as_list(value)
    if isinstance(parts, list) and all(isinstance(p, str) for p in cast("list[object]", parts)):
        return "; ".join(cast("list[str]", parts))
    return value


class Target(Arguments):
    """How many people are wanted."""

    min: Whole | None = Field(default=None, ge=1, le=NO_END, description="At least so many.")
    max: Whole | None = Field(default=None, ge=1, le=NO_END, description="At most so many.")

    @model_validator(mode="after")
    def _some_size(self) -> "Target":
        if self.min is None and self.max is None:
            raise ValueError("targetSize needs min, max or both.")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"targetSize.min ({self.min}) is above targetSize.max ({self.max}).")
        return self


class PlanAudience(Arguments):
    """Who is wanted, in the user's own words."""

    topics: ManyOf[Annotated[Phrase, BeforeValidator(_as_text)]] = Field(
        default=(),
        max_length=MOST_TOPICS,
        description='What they research: up to 10 phrases or topic ids, such as ["CRM", "117805"].',
    )
    website: Website | None = Field(
        default=None, description="A public website whose topics are added: www.acme.example."
    )
    filters: Annotated[str, BeforeValidator(_joined)] | None = Field(
        default=None,
        min_length=1,
        max_length=LONGEST_ABOUT,
        description="Who they are, in the user's words: 'VPs of marketing at software companies in"
        " California, business email, not agencies'.",
    )
    min_score: Score | None = Field(default=None, description=MIN_SCORE + " Default 70.")
    min_topic_overlap: Overlap = Field(default=1, description=OVERLAP)
    target_size: ObjectOf[Target] | None = Field(
        default=None, description="How many people are wanted: {min, max}."
    )
    depth: Named[Depth] = Field(
        default="full", description="size: a quick look, without ladder and weights."
    )

    @model_validator(mode="after")
    def _something_researched(self) -> "PlanAudience":
        if not self.topics and self.website is None:
            raise ValueError("Name topics, a website, or both: what do the people research?")
        return self

    def brief(self) -> Brief:
        """What was asked, as the planning room takes it."""
        wanted = self.target_size
        return Brief(
            topics=tuple(int(t) if t.isascii() and t.isdigit() else t for t in self.topics),
            website=self.website,
            about=self.filters,
            min_score=self.min_score,
            overlap=self.min_topic_overlap,
            target=range(wanted.min or 1, (wanted.max or NO_END) + 1) if wanted else None,
        )


class Recommended(Part):
    """What to do otherwise to come to the target."""

    change: str
    size: int
    config: dict[str, JsonValue]


class AudiencePlan(Reply):
    """A config made of the user's words, its size, and what sways it."""

    size: int | None = Field(default=None, description="How many people config finds.")
    data_date: str | None = None
    config: dict[str, JsonValue] = Field(
        description="As asked; create_audience and preview_audience take it as it is."
    )
    topics: Table | None = Field(
        default=None,
        description="sure: exact, close, ambiguous or none. people: all who research it. onlyIt:"
        " people in config whom no other topic brings.",
    )
    topic_alternatives: Table | None = Field(
        default=None, description="What else could have been meant."
    )
    filters: Table | None = Field(
        default=None, description="without: how many people there are without this filter."
    )
    not_possible: list[Unsaid] | None = Field(
        default=None, description="What is not in config, and why."
    )
    not_understood: list[str] | None = None
    left_out: list[str] | None = Field(default=None, description="Topics beyond the most allowed.")
    ladder: dict[str, int] | None = Field(default=None, description="People from each minScore.")
    target: str | None = None
    changes: dict[str, int] | None = Field(
        default=None, description="Single changes that reach the target, with their size."
    )
    recommended: Recommended | None = Field(
        default=None, description="Instead of config; only once the user agrees."
    )
    industries: dict[str, int] | None = Field(default=None, description="People by industry.")
    seniorities: dict[str, int] | None = Field(default=None, description="People by seniority.")
    make_up_of: str | None = Field(default=None, description="Whom these counts are of.")
    reachable: dict[str, int] | None = Field(default=None, description="People with each of these.")
    not_measured: list[str] | None = None


@tool("Plan an audience", reads=True)
async def plan_audience(call: Call, asked: PlanAudience) -> AudiencePlan:
    """Turn a brief in the user's words into an audience config with its size: start here.

    It finds the topics (intent) and the filters (ICP: job level, industry, headcount, state,
    contact data), counts the people, and shows what each score, filter and topic makes of the
    size, what could not be applied, and which single change reaches a target size. Nothing is
    created or spent. Check its choices with the user, then give config to create_audience.
    """

    async def report(message: str) -> None:
        await call.progress(1, 2, message)

    plan = await make_plan(call.leadpipe, asked.brief(), asked.depth, report)
    preview, found = plan.sized.preview, plan.filters
    who = make_up(preview, _MAKE_UP_SIZE) if preview else MakeUp()
    return AudiencePlan(
        summary=_summary(plan),
        size=plan.size,
        data_date=preview.data_date if preview else None,
        config=plan.config.as_sent(),
        topics=_topics(plan),
        topic_alternatives=_alternatives(plan),
        filters=_filters(plan),
        not_possible=not_possible(found) if found else None,
        not_understood=not_understood(found) if found else None,
        left_out=[topic_name(c.topic) for c in plan.topics.left_out if c.topic],
        ladder={str(score): size for score, size in plan.sized.ladder.items()}
        if len(plan.sized.ladder) > 1
        else None,
        target=said(plan.target) if plan.target else None,
        changes={change.variation.words: change.size for change in plan.changes[:_SHOWN_CHANGES]},
        recommended=_recommended(plan.advice),
        industries=who.industries,
        seniorities=who.seniorities,
        make_up_of=who.of,
        reachable=dict(plan.sized.reachable),
        not_measured=_gaps(plan.sized.not_measured),
        warnings=warnings(
            preview.notes if preview else None,
            cautions(plan, dt.datetime.now(dt.UTC).date()),
        ),
        next=suggestions(*_next(plan)),
    )


def _summary(plan: Plan) -> str:
    preview = plan.sized.preview
    if preview is None:
        size = "How many people match could not be measured just now."
    else:
        many = people(preview.size).capitalize() if preview.size else "Nobody"
        verb = "matches" if preview.size < 2 else "match"
        size = f"{many} {verb}, data of {day(preview.data_date)}."
    return " ".join(filter(None, [size, plan.advice.reason if plan.advice else "", _open(plan)]))


def _open(plan: Plan) -> str:
    """What the user has to look at, in numbers."""
    chosen = sum(one.sure == "ambiguous" for one in plan.topics.choices)
    missing = sum(one.topic is None for one in plan.topics.choices)
    if found := plan.filters:
        chosen += sum(one.sure == "ambiguous" and one.taken for one in found.matches)
        missing += len(found.not_possible) + len(found.not_understood)
    parts = [
        f"{counted(chosen, 'choice is', 'choices are')} the user's to confirm" if chosen else "",
        f"{counted(missing, 'wish is', 'wishes are')} not in it" if missing else "",
    ]
    told = "; ".join(part for part in parts if part)
    return f"{told}." if told else ""


def _topics(plan: Plan) -> Table | None:
    return filled(
        ("asked", "id", "name", "sure", "people", "onlyIt", "note"),
        [[clean(one.asked, NAME_LENGTH), *_chosen(one, plan)] for one in plan.topics.choices],
    )


def _chosen(choice: TopicChoice, plan: Plan) -> list[Cell]:
    topic, note = choice.topic, clean(choice.note or "", _LONGEST_NOTE)
    if topic is None:
        return ["", "", choice.sure, "", "", note]
    everybody, only = plan.audiences.get(topic.id), plan.only_by_topic.get(topic.id)
    name = clean(topic.name, NAME_LENGTH)
    return [topic.id, name, choice.sure, cell(everybody), cell(only), note]


def _alternatives(plan: Plan) -> Table | None:
    """The topics that could have been meant instead, with how many people research them."""
    rows: list[list[Cell]] = [
        [
            clean(choice.asked, NAME_LENGTH),
            topic.id,
            clean(topic.name, NAME_LENGTH),
            cell(plan.audiences.get(topic.id)),
        ]
        for choice in plan.topics.unsettled
        for topic in choice.alternatives
    ]
    return filled(("asked", "id", "name", "people"), rows)


def _filters(plan: Plan) -> Table | None:
    """The filters of the config, each with the words that it stands for."""
    by_key: dict[str, list[Match]] = {}
    for match in plan.filters.matches if plan.filters else ():
        if match.taken:
            by_key.setdefault(match.choices[0].key, []).append(match)
    return filled(
        ("asked", "key", "values", "sure", "without", "note"),
        [
            _taken(key, matches, plan.sized.without_filter.get(key))
            for key, matches in by_key.items()
        ],
    )


def _taken(key: str, matches: Sequence[Match], without: int | None) -> list[Cell]:
    values = dict.fromkeys(shown_values(match.choices[0]) for match in matches)
    notes = [match.note for match in matches if match.note]
    for match in matches:
        others = [f"{other.key} {shown_values(other)}" for other in match.choices[1:]]
        notes += [f"'{match.asked}' could be {listed(others, 'or')}."] if others else []
    return [
        clean(", ".join(match.asked for match in matches), NAME_LENGTH),
        key,
        ", ".join(values),
        max((match.sure for match in matches), key=_SURE.index),
        cell(without),
        clean(" ".join(dict.fromkeys(notes)), _LONGEST_NOTE),
    ]


def _recommended(advice: Advice | None) -> Recommended | None:
    if advice is None or advice.change is None:
        return None
    change = advice.change
    return Recommended(
        change=change.variation.words,
        size=change.size,
        config=change.variation.config.as_sent(),
    )


def _gaps(not_measured: Sequence[str]) -> list[str]:
    """What could not be measured, the rest of a long list as a number."""
    more = len(not_measured) - _SHOWN_GAPS
    return [*not_measured[:_SHOWN_GAPS], *([f"{more} more"] if more > 0 else [])]


def _next(plan: Plan) -> list[Suggestion]:
    if plan.size == 0:
        return [Suggestion(tool="plan_audience", why="again, with fewer filters or other topics")]
    create = Suggestion(
        tool="create_audience", why="save config as it stands under a name, as a draft"
    )
    again = Suggestion(tool="preview_audience", why="try config with a change, and see people")
    return [create, again]
