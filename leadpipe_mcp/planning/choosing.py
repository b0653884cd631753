"""Chooses the topics that the phrases, ids and website of a brief mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import anyio
import anyio.to_thread

from leadpipe_mcp.api.topics import MOST_COMPARED, Catalogue, SiteTopics, Topic, Topics
from leadpipe_mcp.errors import LeadpipeError
from leadpipe_mcp.planning.names import spelled, words_are_near
from leadpipe_mcp.planning.topics import Found, TopicMatch, find_topics, look_up
from leadpipe_mcp.text import counted
from leadpipe_mcp.vocabulary.resolve import Sure

MOST_ALTERNATIVES = 4
MOST_FROM_WEBSITE = 5
LEAST_SIMILARITY = 0.5
"""Topics of a website that are less similar than this are not taken."""

_SEEN = 500
_SEARCHED = 25
_ALIKE = 0.03
"""Spellings whose likeness differs by less than this are equally near."""
_ITSELF = ("software", "platform", "system", "solution", "tool", "technology", "service")
"""Words that a name may add to a phrase and still be the thing itself, the best first."""
_UNDER_ANOTHER_NAME = "The alternatives are the same thing under other names and can be added."


@dataclass(frozen=True)
class TopicChoice:
    """The topic taken for one phrase, id or website; None where nothing fits."""

    asked: str
    sure: Sure
    topic: Topic | None = None
    alternatives: tuple[Topic, ...] = ()
    note: str | None = None
    from_website: bool = False
    family: int = 0
    """How many topics are about the phrase, if none of them is the subject as a whole."""


@dataclass(frozen=True)
class ChosenTopics:
    """The topics of a brief, with a choice for each part of it."""

    choices: tuple[TopicChoice, ...]
    left_out: tuple[TopicChoice, ...] = ()
    """What would have been taken had more topics been allowed."""
    problems: tuple[str, ...] = ()
    """What failed in the search."""
    audiences: Mapping[int, int] = field(default_factory=dict[int, int])
    """How many people research the topics that were compared."""

    @property
    def topics(self) -> tuple[Topic, ...]:
        """The chosen topics, each once."""
        taken = {c.topic.id: c.topic for c in self.choices if c.topic}
        return tuple(taken.values())

    def within(self, most: int) -> "ChosenTopics":
        """Return the same with at most this many topics, and what is left out."""
        kept: list[TopicChoice] = []
        left_out: list[TopicChoice] = []
        taken: set[int] = set()
        for choice in self.choices:
            if choice.topic is None or choice.topic.id in taken:
                # What is named twice is answered twice; a website only adds.
                kept += [] if choice.from_website else [choice]
                continue
            of_website = sum(one.from_website for one in kept)
            if len(taken) == most or (choice.from_website and of_website == MOST_FROM_WEBSITE):
                left_out.append(choice)
                continue
            taken.add(choice.topic.id)
            kept.append(choice)
        return replace(self, choices=tuple(kept), left_out=tuple(left_out))

    @property
    def unsettled(self) -> tuple[TopicChoice, ...]:
        """The choices that the user might make differently."""
        return tuple(choice for choice in self.choices if choice.alternatives)


async def choose_topics(
    topics: Topics, asked: Sequence[str | int], website: str | None
) -> ChosenTopics:
    """Return the topics that a brief means, the named ones before those of the website.

    If several fit, it takes the one that most people research, by one comparison for the whole
    brief, and never one that nobody researches.

    Raises:
        LeadpipeError: If nothing could be looked up at all.
    """
    chooser = _Chooser(topics)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(chooser.visit, website)
        tasks.start_soon(chooser.look_up, asked)
    choices = [*chooser.named, *chooser.of_website]
    if chooser.failures and not any(choice.topic for choice in choices):
        raise chooser.failures[0]
    problems = dict.fromkeys(failure.problem for failure in chooser.failures)
    return ChosenTopics(tuple(choices), (), tuple(problems), chooser.audiences)


class _Chooser:
    """Asks for everything at once, and keeps the answers."""

    def __init__(self, topics: Topics) -> None:
        self._topics = topics
        self._catalogue: Catalogue | None = None
        self.named: list[TopicChoice] = []
        self.of_website: list[TopicChoice] = []
        self.failures: list[LeadpipeError] = []
        self.audiences: dict[int, int] = {}

    async def visit(self, website: str | None) -> None:
        """Note what the website is about."""
        if website is None:
            return
        try:
            site = await self._topics.analyze(website)
        except LeadpipeError as error:
            self.failures.append(error)
        else:
            self.of_website = _of_website(site)

    async def look_up(self, asked: Sequence[str | int]) -> None:
        """Look up what was named, and choose."""
        ids = [one for one in asked if isinstance(one, int)]
        phrases = [*dict.fromkeys(one for one in asked if isinstance(one, str))]
        try:
            self._catalogue = await self._topics.all()
        except LeadpipeError as error:
            self.failures.append(error)
        try:
            by_id = await self._with_ids(ids)
            found = await self._found(phrases)
        except LeadpipeError as error:
            self.failures.append(error)
            return
        meant = {phrase: _Meant.by(found[phrase]) for phrase in phrases if phrase in found}
        await self._compare([one.topics for one in meant.values()])
        for one in dict.fromkeys(asked):
            choice = by_id[one] if isinstance(one, int) else meant[one].choice(self.audiences)
            self.named.append(choice)

    async def _with_ids(self, ids: Sequence[int]) -> Mapping[int, TopicChoice]:
        """Return the topics that have these ids, from the catalogue or the service."""
        known = {t.id: t for t in self._catalogue.topics} if self._catalogue and ids else {}
        if unknown := [one for one in ids if one not in known]:
            for series in await self._topics.compare(unknown):
                known[series.id] = Topic(id=series.id, name=series.name or str(series.id))
        none = "There is no topic with this id."
        return {
            one: TopicChoice(str(one), "exact", known[one])
            if one in known
            else TopicChoice(str(one), "none", note=none)
            for one in ids
        }

    async def _found(self, phrases: Sequence[str]) -> dict[str, Found]:
        """Search the catalogue of all topics, or without it the service."""
        if self._catalogue:
            search = partial(find_topics, phrases, self._catalogue, limit=_SEEN)
            found = await anyio.to_thread.run_sync(search)
        else:
            findings = await look_up(self._topics, phrases, limit=_SEARCHED)
            self.failures += findings.failures
            found = findings.found
        return {one.phrase: one for one in found}

    async def _compare(self, groups: Sequence[Sequence[Topic]]) -> None:
        """Note how many people research the likeliest topics, taking the phrases in turn."""
        ids: dict[int, None] = {}
        for place in range(MOST_COMPARED):
            ids |= {group[place].id: None for group in groups if place < len(group)}
        if not ids:
            return
        try:
            series = await self._topics.compare([*ids][:MOST_COMPARED])
        except LeadpipeError as error:
            self.failures.append(error)
        else:
            self.audiences = {one.id: one.latest.audience for one in series if one.latest}


@dataclass(frozen=True)
class _Meant:
    """What a phrase may mean: the topics of its name, those that are the thing itself, the rest.

    Each kind comes before the next, however many people research it.
    """

    found: Found
    literal: tuple[Topic, ...] = ()
    """The name is the phrase letter for letter."""
    same: tuple[Topic, ...] = ()
    """The same except for a hyphen, a plural or a space."""
    twins: tuple[Topic, ...] = ()
    """The same thing with an abbreviation written out, or the reverse."""
    itself: tuple[Topic, ...] = ()
    """The thing itself: CRM Software is CRM."""
    near: tuple[Topic, ...] = ()
    """The only topic with these words, or the same in another spelling."""
    family: tuple[Topic, ...] = ()

    @classmethod
    def by(cls, found: Found) -> "_Meant":
        """Sort what was found for a phrase."""
        phrase = found.phrase.strip().casefold()
        plain = [match for match in found.matches if match.how != "close"]
        exact = [match for match in plain if match.how == "exact"]
        literal = [m.topic for m in exact if m.topic.name.strip().casefold() == phrase]
        same = [m.topic for m in exact if m.likeness == 1 and m.topic not in literal]
        twins = [m.topic for m in exact if m.topic not in [*literal, *same]]
        itself = [m.topic for m in plain if _is_the_thing(m, found.phrase)]
        itself.sort(key=lambda topic: _ITSELF.index(spelled(topic.name).words[-1]))
        rest = [m.topic for m in plain if m not in exact and m.topic not in itself]
        alone = len(rest) == len(plain) == 1
        near = rest if alone else [] if plain else _spelled_so(found)
        # Of two topics with the same name, the business one is meant.
        literal.sort(key=lambda topic: topic.type == "b2c")
        kinds = (literal, same, twins, itself, near, rest)
        return cls(found, *(tuple(kind) for kind in kinds))

    @property
    def topics(self) -> tuple[Topic, ...]:
        """Everything that could be meant, the likeliest first."""
        known = (*self.literal, *self.same, *self.twins, *self.itself, *self.near)
        return known or self.family

    def choice(self, audiences: Mapping[int, int]) -> TopicChoice:
        """Choose from the first kind that anybody researches, and of that the largest."""

        def people(topic: Topic) -> int:
            return audiences.get(topic.id, -1)

        asked = self.found.phrase
        named = (*self.literal, *self.same, *self.twins)
        for kind in (self.literal, self.same, self.twins, self.itself, self.near):
            # Equals keep their order, as all do where nothing was compared.
            ranked = sorted(kind, key=people, reverse=True) if kind != self.literal else list(kind)
            ranked = [topic for topic in ranked if people(topic) != 0]
            if not ranked:
                continue
            topic, is_named = ranked[0], kind in (self.literal, self.same)
            others = named if topic in named else (*ranked, *self.itself)
            others = sorted({t.id: t for t in others if people(t)}.values(), key=people)[::-1]
            others = [other for other in others if other != topic][:MOST_ALTERNATIVES]
            sure: Sure = "exact" if is_named else "close"
            if kind in (self.literal, self.near) and len(ranked) > 1:
                sure = "ambiguous"
            note = _UNDER_ANOTHER_NAME if topic in named and others else None
            if kind == self.literal and len(ranked) > 1:
                note = "Several topics have this name; the business one was taken."
            if topic not in (*self.literal, *self.same) and (self.literal or self.same):
                note = (
                    "Nobody researches the topic of exactly this name now, so this one was taken."
                )
            if kind == self.near:
                note = "The only topic with these words." if self.family else "Another spelling."
            return TopicChoice(asked, sure, topic, tuple(others), note)
        return self._question(audiences)

    def _question(self, audiences: Mapping[int, int]) -> TopicChoice:
        """Return what to ask the user when no topic can be taken."""
        asked = self.found.phrase
        if self.topics and self.topics != self.family:
            names = tuple(self.family[:MOST_ALTERNATIVES])
            note = "A topic of this name exists, but nobody researches it now."
            return TopicChoice(asked, "none", None, names, note)
        if self.family:
            ranked = sorted(self.family, key=lambda t: audiences.get(t.id, -1), reverse=True)
            note = (
                f"{counted(len(self.family), 'topic is', 'topics are')} about it, but none is the"
                " subject as a whole. Which one is meant?"
            )
            shown = tuple(ranked[: MOST_ALTERNATIVES + 1])
            return TopicChoice(asked, "ambiguous", None, shown, note, family=len(self.family))
        matches = tuple(match.topic for match in self.found.matches[:MOST_ALTERNATIVES])
        note = "No topic has this name or a similar one."
        return TopicChoice(asked, "none", None, matches or self.found.nearest, note)


def _spelled_so(found: Found) -> list[Topic]:
    """Return the topics whose name is the phrase in another spelling, as near as the nearest."""
    near = [match for match in found.matches if _is_spelled_so(match, found.phrase)]
    return [m.topic for m in near if near[0].likeness - m.likeness <= _ALIKE]


def _is_spelled_so(match: TopicMatch, phrase: str) -> bool:
    words, name = spelled(phrase).words, spelled(match.topic.name).words
    telling = [word for word in name if word not in _ITSELF] or name
    return words_are_near(words, name) and words_are_near(telling, words)


def _is_the_thing(match: TopicMatch, phrase: str) -> bool:
    """Return whether the name says no more than the phrase: CRM Software is CRM."""
    if match.topic.type in {"b2c", "both"}:
        # What consumers research is rarely software.
        return False
    added = spelled(match.topic.name).words[len(spelled(phrase).words) :]
    return match.how == "prefix" and bool(added) and set(added) <= set(_ITSELF)


def _of_website(site: SiteTopics) -> list[TopicChoice]:
    """Return the topics that a website is most about, each with the word that says so."""
    like = sorted(site.topics, key=lambda topic: -(topic.similarity or 0))
    return [
        TopicChoice(
            topic.matched_keyword or "the website",
            "close",
            topic,
            note=f"On the website; similarity {topic.similarity or 0:.2f}.",
            from_website=True,
        )
        for topic in like
        if (topic.similarity or 0) >= LEAST_SIMILARITY
    ]
