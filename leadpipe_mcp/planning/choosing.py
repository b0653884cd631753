"""Chooses the topics that the phrases, ids and website of a brief mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import anyio.to_thread

from leadpipe_mcp.api.budget import together
from leadpipe_mcp.api.topics import MOST_COMPARED, Catalogue, Topic, Topics
from leadpipe_mcp.errors import LeadpipeError
from leadpipe_mcp.planning.topics import (
    Found,
    TopicMatch,
    find_topics,
    look_up,
    spelled,
    words_are_near,
)
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
        return tuple({c.topic.id: c.topic for c in self.choices if c.topic}.values())

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


async def choose_topics(
    topics: Topics, asked: Sequence[str | int], website: str | None
) -> ChosenTopics:
    """Return the topics that a brief means, the named ones before those of the website.

    If several fit, it takes the one that most people research, by one comparison for the whole
    brief, and never one that nobody researches.

    Raises:
        LeadpipeError: If nothing could be looked up at all.
    """
    failures: list[LeadpipeError] = []
    of_website, (named, audiences) = await together(
        partial(_of_website, topics, website, failures), partial(_named, topics, asked, failures)
    )
    choices = (*named, *of_website)
    if failures and not any(choice.topic for choice in choices):
        raise failures[0]
    problems = tuple(dict.fromkeys(failure.problem for failure in failures))
    return ChosenTopics(choices, problems=problems, audiences=audiences)


async def _of_website(
    topics: Topics, website: str | None, failures: list[LeadpipeError]
) -> list[TopicChoice]:
    """Return the topics that a website is most about, each with the word that says so."""
    try:
        found = (await topics.analyze(website)).topics if website else ()
    except LeadpipeError as error:
        failures.append(error)
        return []
    return [
        TopicChoice(
            topic.matched_keyword or "the website",
            "close",
            topic,
            note=f"On the website; similarity {topic.similarity or 0:.2f}.",
            from_website=True,
        )
        for topic in sorted(found, key=lambda topic: -(topic.similarity or 0))
        if (topic.similarity or 0) >= LEAST_SIMILARITY
    ]


async def _named(
    topics: Topics, asked: Sequence[str | int], failures: list[LeadpipeError]
) -> tuple[list[TopicChoice], Mapping[int, int]]:
    """Return a choice for each phrase and id, and how many research the topics compared."""
    asked = list(dict.fromkeys(asked))
    phrases = [one for one in asked if isinstance(one, str)]
    catalogue: Catalogue | None = None
    try:
        catalogue = await topics.all()
    except LeadpipeError as error:
        failures.append(error)
    try:
        known = await _with_ids(topics, [one for one in asked if isinstance(one, int)], catalogue)
        if catalogue:
            search = partial(find_topics, phrases, catalogue, limit=_SEEN)
            found = await anyio.to_thread.run_sync(search)
        else:
            findings = await look_up(topics, phrases, limit=_SEARCHED)
            found = findings.found
            failures += findings.failures
    except LeadpipeError as error:
        failures.append(error)
        return [], {}
    meant = {one.phrase: _Meant.by(one) for one in found}
    # The likeliest of each phrase, then the next, as many as one comparison takes.
    groups = [one.topics for one in meant.values()]
    ids: dict[int, None] = {}
    for place in range(MOST_COMPARED):
        ids |= {group[place].id: None for group in groups if place < len(group)}
    audiences: dict[int, int] = {}
    try:
        series = await topics.compare([*ids][:MOST_COMPARED])
        audiences = {one.id: one.latest.audience for one in series if one.latest}
    except LeadpipeError as error:
        failures.append(error)
    choices: list[TopicChoice] = []
    for one in asked:
        if isinstance(one, str):
            choices.append(meant[one].choice(audiences))
        elif one in known:
            choices.append(TopicChoice(str(one), "exact", known[one]))
        else:
            none = "There is no topic with this id."
            choices.append(TopicChoice(str(one), "none", note=none))
    return choices, audiences


async def _with_ids(
    topics: Topics, ids: Sequence[int], catalogue: Catalogue | None
) -> dict[int, Topic]:
    """Return the topics that have these ids, from the catalogue or the service."""
    known = {t.id: t for t in catalogue.topics} if catalogue and ids else {}
    for series in await topics.compare([one for one in ids if one not in known]):
        known[series.id] = Topic(id=series.id, name=series.name or str(series.id))
    return known


@dataclass(frozen=True)
class _Meant:
    """What a phrase may mean. Each kind comes before the next, however many people research it.

    The names of `literal` topics are the phrase letter for letter; those of `same` but for a
    hyphen, a plural or a space. `twins` have an abbreviation written out, or the reverse. `itself`
    is the thing itself: CRM Software is CRM. `near` is the only topic with these words, or the
    same in another spelling; `family` is all the rest.
    """

    found: Found
    literal: list[Topic]
    same: list[Topic]
    twins: list[Topic]
    itself: list[Topic]
    near: list[Topic]
    family: list[Topic]

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
        itself.sort(key=lambda topic: _ITSELF.index(spelled(topic.name)[-1]))
        rest = [m.topic for m in plain if m not in exact and m.topic not in itself]
        near = rest if len(rest) == len(plain) == 1 else []
        if not plain:
            spellings = [match for match in found.matches if _is_spelled_so(match, phrase)]
            near = [m.topic for m in spellings if spellings[0].likeness - m.likeness <= _ALIKE]
        # Of two topics with the same name, the business one is meant.
        literal.sort(key=lambda topic: topic.type == "b2c")
        return cls(found, literal, same, twins, itself, near, rest)

    @property
    def topics(self) -> list[Topic]:
        """Everything that could be meant, the likeliest first."""
        known = [*self.literal, *self.same, *self.twins, *self.itself, *self.near]
        return known or self.family

    def choice(self, audiences: Mapping[int, int]) -> TopicChoice:
        """Choose from the first kind that anybody researches, and of that the largest."""

        def people(topic: Topic) -> int:
            return audiences.get(topic.id, -1)

        asked, exact = self.found.phrase, [*self.literal, *self.same]
        named = [*exact, *self.twins]
        for kind in (self.literal, self.same, self.twins, self.itself, self.near):
            # Equals keep their order, as all do where nothing was compared.
            ranked = kind if kind is self.literal else sorted(kind, key=people, reverse=True)
            ranked = [topic for topic in ranked if people(topic) != 0]
            if not ranked:
                continue
            topic = ranked[0]
            others = named if topic in named else [*ranked, *self.itself]
            others = sorted({t.id: t for t in others if people(t)}.values(), key=people)[::-1]
            others = [other for other in others if other != topic][:MOST_ALTERNATIVES]
            several = len(ranked) > 1 and (kind is self.literal or kind is self.near)
            sure: Sure = "ambiguous" if several else "exact" if topic in exact else "close"
            note = None
            if kind is self.near:
                note = "The only topic with these words." if self.family else "Another spelling."
            elif exact and topic not in exact:
                note = "Nobody researches the topic of this very name, so this one was taken."
            elif several:
                note = "Several topics have this name; the business one was taken."
            elif topic in named and others:
                note = "The alternatives are the same thing under other names and can be added."
            return TopicChoice(asked, sure, topic, tuple(others), note)
        if self.topics != self.family:
            names = tuple(self.family[:MOST_ALTERNATIVES])
            note = "A topic of this name exists, but nobody researches it now."
            return TopicChoice(asked, "none", None, names, note)
        if self.family:
            shown = sorted(self.family, key=people, reverse=True)[: MOST_ALTERNATIVES + 1]
            about = counted(len(self.family), "topic is", "topics are")
            note = f"{about} about it, but none is the subject as a whole. Which one is meant?"
            family = len(self.family)
            return TopicChoice(asked, "ambiguous", None, tuple(shown), note, family=family)
        matches = tuple(match.topic for match in self.found.matches[:MOST_ALTERNATIVES])
        note = "No topic has this name or a similar one."
        return TopicChoice(asked, "none", None, matches or self.found.nearest, note)


def _is_spelled_so(match: TopicMatch, phrase: str) -> bool:
    words, name = spelled(phrase), spelled(match.topic.name)
    telling = tuple(word for word in name if word not in _ITSELF) or name
    return words_are_near(words, name) and words_are_near(telling, words)


def _is_the_thing(match: TopicMatch, phrase: str) -> bool:
    """Return whether the name says no more than the phrase: CRM Software is CRM."""
    # What consumers research is rarely software.
    added = spelled(match.topic.name)[len(spelled(phrase)) :]
    is_software = match.topic.type not in {"b2c", "both"} and set(added) <= set(_ITSELF)
    return match.how == "prefix" and bool(added) and is_software
