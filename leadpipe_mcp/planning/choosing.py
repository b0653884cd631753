"""Choosing topics: what the phrases, ids and website of a brief come to, and what else fits."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import anyio
import anyio.to_thread

from leadpipe_mcp.api.topics import MOST_COMPARED, Catalogue, SiteTopics, Topic, Topics
from leadpipe_mcp.errors import LeadpipeError
from leadpipe_mcp.planning.spelling_index import Spelled, spelled, words_are_near
from leadpipe_mcp.planning.topics import Found, TopicMatch, best_of, find_topics, look_up

Sure = Literal["exact", "close", "ambiguous", "none"]

MOST_ALTERNATIVES = 3
MOST_FROM_WEBSITE = 5
LEAST_SIMILARITY = 0.5
"""A topic that is less like a website's words is not taken from it."""

_SEEN = 500
_SEARCHED = 25
_TOO_MANY = 10
"""Of more topics than this that hold the words somewhere, none is more likely meant."""
_ALIKE = 0.03
"""Near spellings that differ by so little are equally near."""
_JOINTS = re.compile(r"\s*[,;/|&+\n]\s*|\s+(?:and|or|as well as|plus)\s+", re.IGNORECASE)
_ITSELF = ("software", "platform", "system", "solution", "tool", "technology", "service")
"""What a name may add to a phrase and still be the thing itself, and no aspect of it; likest first.
"""


@dataclass(frozen=True)
class TopicChoice:
    """What was taken for one phrase, id or website; nothing where nothing fits."""

    asked: str
    sure: Sure
    topic: Topic | None = None
    alternatives: tuple[Topic, ...] = ()
    note: str | None = None
    from_website: bool = False


@dataclass(frozen=True)
class ChosenTopics:
    """The topics of a brief; every part of it is in one of the choices."""

    choices: tuple[TopicChoice, ...]
    left_out: tuple[TopicChoice, ...] = ()
    """What would have been taken if more topics were allowed."""
    problems: tuple[str, ...] = ()
    """What of the search did not succeed."""

    @property
    def topics(self) -> tuple[Topic, ...]:
        """The topics that were taken, each once."""
        taken = {c.topic.id: c.topic for c in self.choices if c.topic}
        return tuple(taken.values())

    def within(self, most: int) -> "ChosenTopics":
        """The same with so many topics at most; what is left out is said."""
        kept, left_out = _within(self.choices, most)
        unsettled = sum(bool(choice.alternatives) for choice in kept)
        # Together with the topic itself no more of them than can be compared at once.
        each = min(MOST_ALTERNATIVES, max(1, MOST_COMPARED // max(1, unsettled) - 1))
        kept = [replace(choice, alternatives=choice.alternatives[:each]) for choice in kept]
        return ChosenTopics(tuple(kept), tuple(left_out), self.problems)

    @property
    def unsettled(self) -> tuple[TopicChoice, ...]:
        """The choices that the user might have made otherwise."""
        return tuple(choice for choice in self.choices if choice.alternatives)


async def choose_topics(
    topics: Topics, asked: Sequence[str | int], website: str | None
) -> ChosenTopics:
    """The topics that a brief stands for, the named ones before those of the website.

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
    return ChosenTopics(tuple(choices), problems=tuple(problems))


class _Chooser:
    """Asks for everything at once, and keeps what came of it."""

    def __init__(self, topics: Topics) -> None:
        self._topics = topics
        self._catalogue: Catalogue | None = None
        self.named: list[TopicChoice] = []
        self.of_website: list[TopicChoice] = []
        self.failures: list[LeadpipeError] = []

    async def visit(self, website: str | None) -> None:
        """Nothing; what the website is about is noted."""
        if website is None:
            return
        try:
            site = await self._topics.analyze(website)
        except LeadpipeError as error:
            self.failures.append(error)
        else:
            self.of_website = _of_website(site)

    async def look_up(self, asked: Sequence[str | int]) -> None:
        """Nothing; what was named is looked up."""
        ids = [one for one in asked if isinstance(one, int)]
        phrases = [one for one in asked if isinstance(one, str)]
        try:
            self._catalogue = await self._topics.all()
        except LeadpipeError as error:
            self.failures.append(error)
        try:
            by_id = await self._with_ids(ids)
            by_phrase = await self._called([*dict.fromkeys(phrases)])
        except LeadpipeError as error:
            self.failures.append(error)
            return
        for one in dict.fromkeys(asked):
            self.named += [by_id[one]] if isinstance(one, int) else by_phrase[one]

    async def _with_ids(self, ids: Sequence[int]) -> Mapping[int, TopicChoice]:
        """The topics that have these ids: of the catalogue, or else as the service knows them."""
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

    async def _called(self, phrases: Sequence[str]) -> Mapping[str, list[TopicChoice]]:
        """What each phrase stands for: one topic, or several that it joins."""
        parts = {phrase: _parts(phrase) for phrase in phrases}
        wanted = [*dict.fromkeys(word for p in phrases for word in (p, *parts[p]))]
        found = await self._found(wanted, parts)
        choices: dict[str, list[TopicChoice]] = {}
        for phrase in phrases:
            one = found.get(phrase)
            several = [found[part] for part in parts[phrase] if part in found]
            apart = several and (one is None or _stands_apart(one, several))
            choices[phrase] = [_choose(each) for each in (several if apart else [one]) if each]
        return choices

    async def _found(
        self, wanted: Sequence[str], parts: Mapping[str, Sequence[str]]
    ) -> dict[str, Found]:
        """What is found of the catalogue by its very name, and else by the service's search."""
        found: dict[str, Found] = {}
        if self._catalogue and wanted:
            search = partial(find_topics, wanted, self._catalogue, limit=_SEEN)
            listed = await anyio.to_thread.run_sync(search)
            found = {one.phrase: one for one in listed}
        # Today's catalogue knows best what it has by name; of a joined phrase its parts are asked.
        joined = {phrase for phrase, its_parts in parts.items() if its_parts}
        named = {phrase for phrase, one in found.items() if _is_named(one)}
        within = {part for phrase in joined & named for part in parts[phrase]}
        unnamed = [one for one in wanted if one not in named | joined | within]
        if unnamed:
            findings = await look_up(self._topics, unnamed, limit=_SEARCHED)
            self.failures += findings.failures
            found |= {one.phrase: _joined(one, found.get(one.phrase)) for one in findings.found}
        return found


def _parts(phrase: str) -> tuple[str, ...]:
    """What a phrase joins: "CRM and marketing automation" is two; none if it joins nothing."""
    parts = [part.strip() for part in _JOINTS.split(phrase)]
    by_words: dict[Spelled, str] = {}
    for part in parts:
        by_words.setdefault(spelled(part), part)
    by_words.pop(Spelled(()), None)
    return tuple(by_words.values()) if len(by_words) > 1 else ()


def _stands_apart(whole: Found, parts: Iterable[Found]) -> bool:
    """Whether a joined phrase is rather its parts than one topic."""
    if _is_named(whole):
        return False
    plain = whole.matches and whole.matches[0].how != "close"
    return not plain or all(part.matches for part in parts)


def _joined(searched: Found, listed: Found | None) -> Found:
    """What the service's search and today's catalogue find together."""
    if listed is None:
        return searched
    matches = best_of([*searched.matches, *listed.matches], _SEEN)
    return replace(listed, matches=matches)


def _is_named(found: Found) -> bool:
    return bool(found.matches) and found.matches[0].how == "exact"


def _choose(found: Found) -> TopicChoice:
    """The topic that a phrase most likely means, and how sure that is."""
    if not found.matches:
        note = "Nothing is called so." if found.nearest else "Nothing is called so, or nearly so."
        return TopicChoice(found.phrase, "none", None, found.nearest, note)
    best = found.matches[0]
    if best.how == "exact":
        return _chosen_exactly(found)
    if best.how == "close":
        return _chosen_by_spelling(found)
    plain = [match for match in found.matches if match.how != "close"]
    itself = sorted(
        (match for match in plain if _is_the_thing(match, found.phrase)), key=_likest_ending
    )
    first = (itself or plain)[0]
    rest = [*itself, *(match for match in plain if match not in itself)]
    others = [match.topic for match in rest if match is not first]
    if first.how == "words" and not itself and len(plain) > _TOO_MANY:
        note = f"{len(plain)} topics hold these words: name the one that is meant."
        return TopicChoice(found.phrase, "none", None, tuple(others[:MOST_ALTERNATIVES]), note)
    if itself or not others:
        return _choice(found, "close", first, others)
    return _choice(found, "ambiguous", first, others, "Several topics hold these words.")


def _chosen_exactly(found: Found) -> TopicChoice:
    exact = [match for match in found.matches if match.how == "exact"]
    best = [match for match in exact if match.likeness == exact[0].likeness]
    # Of two topics of one name, the one of business is meant.
    best.sort(key=lambda match: match.topic.type == "b2c")
    others = [match.topic for match in exact if match is not best[0]]
    if len(best) == 1:
        return _choice(found, "exact", best[0], others)
    kinds = ", ".join(match.topic.type or "unknown" for match in best)
    return _choice(found, "ambiguous", best[0], others, f"Several have this name: {kinds}.")


def _chosen_by_spelling(found: Found) -> TopicChoice:
    """The topic whose name is the phrase in another spelling; none that is about more, or less."""
    near = [match for match in found.matches if _is_spelled_so(match, found.phrase)]
    if not near:
        others = tuple(match.topic for match in found.matches[:MOST_ALTERNATIVES])
        return TopicChoice(found.phrase, "none", None, others, "Nothing is called so.")
    rivals = [m for m in near[1:] if near[0].likeness - m.likeness <= _ALIKE]
    others = [match.topic for match in found.matches if match is not near[0]]
    sure = "ambiguous" if rivals else "close"
    return _choice(found, sure, near[0], others, "Taken for another spelling.")


def _is_spelled_so(match: TopicMatch, phrase: str) -> bool:
    words, name = spelled(phrase).words, spelled(match.topic.name).words
    telling = [word for word in name if word not in _ITSELF] or name
    return words_are_near(words, name) and words_are_near(telling, words)


def _choice(
    found: Found,
    sure: Sure,
    match: TopicMatch,
    others: Sequence[Topic],
    note: str | None = None,
) -> TopicChoice:
    return TopicChoice(found.phrase, sure, match.topic, tuple(others[:MOST_ALTERNATIVES]), note)


def _is_the_thing(match: TopicMatch, phrase: str) -> bool:
    """Whether the name says no more than the phrase does: CRM Software is CRM."""
    if match.topic.type in {"b2c", "both"}:
        # What consumers look into is rather anything else than software.
        return False
    added = set(spelled(match.topic.name).words) - set(spelled(phrase).words)
    return match.how in {"prefix", "words"} and bool(added) and added <= set(_ITSELF)


def _likest_ending(match: TopicMatch) -> int:
    """How far down the list stands what the name of the thing itself adds."""
    added = set(spelled(match.topic.name).words)
    return min(place for place, word in enumerate(_ITSELF) if word in added)


def _of_website(site: SiteTopics) -> list[TopicChoice]:
    """The topics that a website is most about, each with the word that says so."""
    like = sorted(site.topics, key=lambda topic: -(topic.similarity or 0))
    return [
        TopicChoice(
            topic.matched_keyword or "the website",
            "close",
            topic,
            note=f"On the website; likeness {topic.similarity or 0:.2f}.",
            from_website=True,
        )
        for topic in like
        if (topic.similarity or 0) >= LEAST_SIMILARITY
    ]


def _within(
    choices: Iterable[TopicChoice], most: int
) -> tuple[list[TopicChoice], list[TopicChoice]]:
    """The choices of which so many topics come at most, and those left out."""
    kept: list[TopicChoice] = []
    left_out: list[TopicChoice] = []
    taken: set[int] = set()
    for choice in choices:
        known = choice.topic is None or choice.topic.id in taken
        if known:
            # What is named twice is told twice; a website only adds.
            kept += [] if choice.from_website else [choice]
            continue
        of_website = sum(one.from_website for one in kept)
        if len(taken) == most or (choice.from_website and of_website == MOST_FROM_WEBSITE):
            left_out.append(choice)
            continue
        taken |= {choice.topic.id} if choice.topic else set()
        kept.append(choice)
    return kept, left_out
