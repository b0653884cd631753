"""Chooses the topics that the phrases, ids and website of a brief mean."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import zip_longest

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
            added = sum(one.from_website for one in kept)
            if choice.topic is None or choice.topic.id in taken:
                # What is named twice is answered twice; a website only adds.
                kept += [] if choice.from_website else [choice]
            elif len(taken) == most or added == MOST_FROM_WEBSITE:
                left_out.append(choice)
            else:
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

    async def of_website() -> list[TopicChoice]:
        try:
            found = (await topics.analyze(website)).topics if website else ()
        except LeadpipeError as error:
            failures.append(error)
            return []
        similar = [(topic.similarity or 0, topic) for topic in found]
        return [
            TopicChoice(
                topic.matched_keyword or "the website",
                *("close", topic),
                note=f"On the website; similarity {similarity:.2f}.",
                from_website=True,
            )
            for similarity, topic in sorted(similar, key=lambda pair: -pair[0])
            if similarity >= LEAST_SIMILARITY
        ]

    named = partial(_named, topics, list(dict.fromkeys(asked)), failures)
    added, (choices, audiences) = await together(of_website, named)
    choices += added
    if failures and not any(choice.topic for choice in choices):
        raise failures[0]
    problems = tuple(dict.fromkeys(failure.problem for failure in failures))
    return ChosenTopics(tuple(choices), problems=problems, audiences=audiences)


async def _named(
    topics: Topics, asked: Sequence[str | int], failures: list[LeadpipeError]
) -> tuple[list[TopicChoice], Mapping[int, int]]:
    """Return a choice for each phrase and id, and how many research the topics compared."""
    phrases = [one for one in asked if isinstance(one, str)]
    numbers = [one for one in asked if isinstance(one, int)]
    known: dict[int, Topic] = {}
    catalogue: Catalogue | None = None
    try:
        catalogue = await topics.all()
        known = {topic.id: topic for topic in catalogue.topics}
    except LeadpipeError as error:
        failures.append(error)
    try:
        others = [one for one in numbers if one not in known]
        for series in await topics.compare(others):
            known[series.id] = Topic(id=series.id, name=series.name or str(series.id))
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
    meant = {one.phrase: _Meant(one) for one in found}
    # The likeliest of each phrase, then the next, as many as one comparison takes.
    in_turn = zip_longest(*(one.topics for one in meant.values()))
    ids = dict.fromkeys(topic.id for turn in in_turn for topic in turn if topic)
    audiences: dict[int, int] = {}
    try:
        compared = await topics.compare([*ids][:MOST_COMPARED])
        audiences = {one.id: one.latest.audience for one in compared if one.latest}
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


class _Meant:
    """What a phrase may mean. Each kind comes before the next, however many people research it.

    The names of `literal` topics are the phrase letter for letter; those of `same` but for a
    hyphen, a plural or a space. `twins` have an abbreviation written out, or the reverse. `itself`
    is the thing itself: CRM Software is CRM. `near` is the only topic with these words, or the
    same in another spelling; `family` is all the rest.
    """

    def __init__(self, found: Found) -> None:
        self._found = found
        phrase = found.phrase.strip().casefold()
        plain = [match for match in found.matches if match.how != "close"]
        exact = [match for match in plain if match.how == "exact"]
        self._literal = [m.topic for m in exact if m.topic.name.strip().casefold() == phrase]
        # Of two topics with the same name, the business one is meant.
        self._literal.sort(key=lambda topic: topic.type == "b2c")
        same = [m.topic for m in exact if m.likeness == 1 and m.topic not in self._literal]
        self._exact = [*self._literal, *same]
        twins = [m.topic for m in exact if m.topic not in self._exact]
        self._named = [*self._exact, *twins]
        self._itself = [m.topic for m in plain if _is_the_thing(m, phrase)]
        self._itself.sort(key=lambda topic: _ITSELF.index(spelled(topic.name)[-1]))
        rest = [m.topic for m in plain if m not in exact and m.topic not in self._itself]
        self._near = rest if len(rest) == len(plain) == 1 else []
        if not plain:
            spellings = [match for match in found.matches if _is_spelled_so(match, phrase)]
            self._near = [
                m.topic for m in spellings if spellings[0].likeness - m.likeness <= _ALIKE
            ]
        self._family = rest
        self._kinds = (self._literal, same, twins, self._itself, self._near)
        known = [topic for kind in self._kinds for topic in kind]
        self.topics = known or rest
        """Everything that could be meant, the likeliest first."""

    def choice(self, audiences: Mapping[int, int]) -> TopicChoice:
        """Choose from the first kind that anybody researches, and of that the largest."""

        def people(topic: Topic) -> int:
            return audiences.get(topic.id, -1)

        asked, family = self._found.phrase, self._family
        for kind in self._kinds:
            # Equals keep their order, as all do where nothing was compared.
            ranked = kind if kind is self._literal else sorted(kind, key=people, reverse=True)
            if ranked := [topic for topic in ranked if people(topic) != 0]:
                return self._taken(ranked, kind, people)
        if self.topics != family:
            note = "A topic of this name exists, but nobody researches it now."
            return TopicChoice(asked, "none", None, tuple(family[:MOST_ALTERNATIVES]), note)
        if family:
            shown = sorted(family, key=people, reverse=True)[: MOST_ALTERNATIVES + 1]
            about = f"{len(family):,} topics are about it, but none is the subject as a whole."
            note = f"{about} Which one is meant?"
            return TopicChoice(asked, "ambiguous", None, tuple(shown), note)
        matches = tuple(match.topic for match in self._found.matches[:MOST_ALTERNATIVES])
        note = "No topic has this name or a similar one."
        return TopicChoice(asked, "none", None, matches or self._found.nearest, note)

    def _taken(
        self, ranked: list[Topic], kind: list[Topic], people: Callable[[Topic], int]
    ) -> TopicChoice:
        """Take the first, and say why and what else it could have been."""
        topic = ranked[0]
        others = self._named if topic in self._named else [*ranked, *self._itself]
        others = sorted({t.id: t for t in others if people(t)}.values(), key=people)[::-1]
        others = [other for other in others if other != topic][:MOST_ALTERNATIVES]
        several = len(ranked) > 1 and (kind is self._literal or kind is self._near)
        exact = topic in self._exact
        sure: Sure = "ambiguous" if several else "exact" if exact else "close"
        note = None
        if kind is self._near:
            note = "The only topic with these words." if self._family else "Another spelling."
        elif self._exact and not exact:
            note = "Nobody researches the topic of this very name, so this one was taken."
        elif several:
            note = "Several topics have this name; the business one was taken."
        elif topic in self._named and others:
            note = "The alternatives are the same thing under other names and can be added."
        return TopicChoice(self._found.phrase, sure, topic, tuple(others), note)


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
