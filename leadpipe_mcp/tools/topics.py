"""search_topics, and how every tool shows a topic."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, TypeAdapter, WithJsonSchema

from leadpipe_mcp.api.topics import MOST_FOUND, Topic, TopicType
from leadpipe_mcp.planning.names import How
from leadpipe_mcp.planning.topics import (
    Findings,
    Found,
    TopicFilter,
    TopicMatch,
    best_of,
    known_kind,
    look_up,
)
from leadpipe_mcp.planning.websites import LONGEST_ADDRESS, public_address
from leadpipe_mcp.text import clean, counted, listed
from leadpipe_mcp.toolkit import (
    Arguments,
    Reply,
    Suggestion,
    read_cursor,
    subject_of,
    tool,
    write_cursor,
)
from leadpipe_mcp.tools.arguments import ManyOf, Named, StrictInt
from leadpipe_mcp.tools.replies import (
    NAME_LENGTH,
    Cell,
    Table,
    fitting,
    suggestions,
    table_of,
    warnings,
)
from leadpipe_mcp.tools.services import Call

PHRASE_LENGTH = 40
MOST_FACETS = 60
MOST_SUGGESTED = 10
MOST_PAGED = 600
"""At most this many topics can be paged through; beyond, a better phrase helps more."""

TYPE = "Only b2b (business), b2c (consumer) or both; default any."
INDUSTRY = "Only topics of this industry, such as Marketing; default any."
TOPIC_COLUMNS = ("id", "name", "type", "industry", "category")


_HOW: Mapping[How, str] = {
    "exact": "an exact match",
    "prefix": "a match at its beginning",
    "words": "a match on all words",
    "close": "only a similar spelling",
}


def _pronounceable(value: str) -> str:
    if not any(character.isalnum() for character in value):
        raise ValueError("needs a letter or a digit.")
    return value


Phrase = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=100),
    AfterValidator(_pronounceable),
]
KindName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Website = Annotated[
    str,
    AfterValidator(public_address),
    WithJsonSchema({"type": "string", "maxLength": LONGEST_ADDRESS}),
]


def topic_cells(topic: Topic) -> list[Cell]:
    """Return the topic as cells under `TOPIC_COLUMNS`."""
    kind = [clean(word or "", PHRASE_LENGTH) for word in (topic.type, topic.industry)]
    name, category = clean(topic.name, NAME_LENGTH), clean(topic.category or "", PHRASE_LENGTH)
    return [topic.id, name, *kind, category]


def topic_name(topic: Topic) -> str:
    """Return the topic's name in quotation marks, with its id."""
    return f"'{clean(topic.name, NAME_LENGTH)}' ({topic.id})"


def to_preview(topic_ids: Iterable[int], source_url: str | None = None) -> Suggestion | None:
    """Suggest counting the people who research the topics; None if there is none."""
    ids = list(topic_ids)[:MOST_SUGGESTED]
    source = {"sourceUrl": source_url} if source_url else {}
    return (
        Suggestion(
            tool="preview_audience",
            arguments={"topicIds": [*ids], **source},
            why="see how many people research these",
        )
        if ids
        else None
    )


class SearchTopics(Arguments):
    """What to look for."""

    queries: ManyOf[Phrase] = Field(
        default=(),
        max_length=8,
        description='1 to 8 phrases of up to 100 characters, such as ["CRM", "sales automation"];'
        " leave out to browse.",
    )
    type: Named[TopicType] | None = Field(default=None, description=TYPE)
    industry: KindName | None = Field(default=None, description=INDUSTRY)
    category: KindName | None = Field(
        default=None, description="Only topics of this category, such as Product; default any."
    )
    limit: StrictInt = Field(
        default=10, ge=1, le=MOST_FOUND, description="Maximum number per phrase (1-50)."
    )
    cursor: str | None = Field(
        default=None, max_length=8_000, description="nextCursor of the last page."
    )

    @property
    def phrases(self) -> list[str]:
        """Return the phrases, each once."""
        return list({phrase.casefold(): phrase for phrase in reversed(self.queries)}.values())[::-1]


class TopicsFound(Reply):
    """Topics, or without a query the kinds of topics."""

    total: int | None = Field(default=None, description="Total number of these topics.")
    topics: Table | None = Field(
        default=None, description="match: exact, prefix, words (all of them) or close (a guess)."
    )
    types: dict[str, int] | None = Field(default=None, description="Topics by type.")
    industries: dict[str, int] | None = Field(default=None, description="Topics by industry.")
    categories: dict[str, int] | None = Field(default=None, description="Topics by category.")
    next_cursor: str | None = Field(default=None, description="Pass as cursor for the next page.")


@dataclass(frozen=True)
class Shown:
    """What earlier pages have shown: topics by id, or how many of a list by name."""

    subject: str
    ids: Annotated[tuple[int, ...], Field(max_length=MOST_PAGED)] = ()
    number: Annotated[int, Field(ge=0)] = 0


_SHOWN = TypeAdapter(Shown)


@tool("Search topics", reads=True)
async def search_topics(call: Call, asked: SearchTopics) -> TopicsFound:
    """Find the topics (keywords, intent) that in-market people research, with the ids to pass on.

    Pass every phrase of a brief in one call; abbreviations, word order and typos are handled, and
    each match says how it matched. Without queries it lists the types, industries and categories.
    For a company's website use analyze_website_topics.
    """
    wanted = TopicFilter(asked.type, asked.industry, asked.category)
    kind = await known_kind(call.leadpipe.topics, wanted)
    subject = subject_of(asked, {"queries", "type", "industry", "category"})
    shown = read_cursor(_SHOWN, asked.cursor, subject) if asked.cursor else Shown(subject)
    if not asked.phrases:
        return await (_facets(call) if kind.is_any else _browsed(call, kind, asked.limit, shown))
    # One more than is shown says whether there are more.
    findings = await look_up(
        call.leadpipe.topics,
        asked.phrases,
        kind,
        len(shown.ids) + asked.limit + 1,
        everywhere=bool(shown.ids),
    )
    fresh = [
        replace(one, matches=tuple(m for m in one.matches if m.topic.id not in shown.ids))
        for one in findings.found
    ]
    page = [replace(one, matches=one.matches[: asked.limit]) for one in fresh]
    more = any(len(one.matches) > asked.limit for one in fresh)
    return _found(replace(findings, found=tuple(page)), shown, more=more)


def _found(findings: Findings, before: Shown, *, more: bool) -> TopicsFound:
    best = best_of((match for one in findings.found for match in one.matches), limit=10_000)
    several = len(findings.found) > 1
    rows = [
        [*topic_cells(match.topic), match.how, *([_said(match, findings)] if several else [])]
        for match in best
    ]
    shown = fitting(rows)
    columns = [*TOPIC_COLUMNS, "match", *(["query"] if several else [])]
    chosen = [one.matches[0] for one in findings.found if one.matches]
    ids = list(dict.fromkeys(match.topic.id for match in chosen))
    seen = (*before.ids, *(match.topic.id for match in best[: len(shown)]))
    cut = len(shown) < len(rows)
    # After a search that failed in part, no later page would fill the gap.
    goes_on = (more or cut) and len(seen) <= MOST_PAGED and not findings.failures
    return TopicsFound(
        summary=_summary(findings, best),
        topics=table_of(columns, shown),
        warnings=warnings(
            map(_nothing, (one for one in findings.found if not one.matches and not before.ids)),
            [f"{len(rows) - len(shown)} more did not fit; continue with nextCursor."]
            if len(shown) < len(rows)
            else None,
            findings.problems(),
        ),
        next=suggestions(to_preview(ids), _to_compare(ids)),
        next_cursor=write_cursor(_SHOWN, Shown(before.subject, seen)) if goes_on else None,
    )


def _summary(findings: Findings, best: Sequence[TopicMatch]) -> str:
    phrases = list(findings.found)
    if len(phrases) > 1:
        exact = sum(one.matches[0].how == "exact" for one in phrases if one.matches)
        nothing = sum(not one.matches for one in phrases)
        missed = f", {nothing} found nothing" if nothing else ""
        of = f"{len(phrases)} phrases: {exact} matched exactly{missed}"
        return f"{counted(len(best), 'topic')} for {of}."
    of = f"'{clean(phrases[0].phrase, 100)}'"
    if not best:
        return f"No topics for {of}."
    first = best[0]
    return (
        f"{counted(len(best), 'topic')} for {of};"
        f" the first is {topic_name(first.topic)}, {_HOW[first.how]}."
    )


def _said(match: TopicMatch, findings: Findings) -> str:
    """Return the phrases that find the topic."""
    having = (
        clean(one.phrase, PHRASE_LENGTH)
        for one in findings.found
        if any(other.topic.id == match.topic.id for other in one.matches)
    )
    return "; ".join(having)


def _nothing(found: Found) -> str:
    phrase = clean(found.phrase, 100)
    if not found.nearest:
        return f"Nothing found for '{phrase}', nor anything spelled like it."
    return f"Nothing found for '{phrase}'; nearest: {listed([*map(topic_name, found.nearest)])}."


def _to_compare(topic_ids: list[int]) -> Suggestion | None:
    return (
        Suggestion(
            tool="compare_topics",
            arguments={"topicIds": [*topic_ids]},
            why="see which are researched most, and whether interest grows",
        )
        if len(topic_ids) > 1
        else None
    )


async def _facets(call: Call) -> TopicsFound:
    facets = await call.leadpipe.topics.facets()
    total = facets.total if facets.total is not None else sum(f.count for f in facets.types)
    kinds = (facets.types, facets.industries, facets.categories)
    types, industries, categories = (Counter({f.value: f.count for f in kind}) for kind in kinds)
    return TopicsFound(
        summary=f"{counted(total, 'topic')} in"
        f" {counted(len(industries), 'industry', 'industries')} and"
        f" {counted(len(categories), 'category', 'categories')}.",
        total=total,
        types=_commonest(types),
        industries=_commonest(industries),
        categories=_commonest(categories),
        warnings=warnings(_left_out("industries", industries), _left_out("categories", categories)),
        next=[
            Suggestion(
                tool="search_topics",
                arguments={"queries": ["CRM", "sales automation"]},
                why="find topics by name",
            )
        ],
    )


async def _browsed(call: Call, kind: TopicFilter, limit: int, before: Shown) -> TopicsFound:
    """List topics of a kind by name, with counts by industry and category."""
    catalogue = await call.leadpipe.topics.all()
    fitting = [topic for topic in catalogue.topics if kind.fits(topic)]
    end = before.number + limit
    by_name = sorted(fitting, key=lambda topic: (topic.name.casefold(), topic.id))
    shown = by_name[before.number : end]
    industries = Counter(topic.industry or "" for topic in fitting)
    categories = Counter(topic.category or "" for topic in fitting)
    return TopicsFound(
        summary=f"{counted(len(fitting), 'topic')} of this kind"
        + (
            f"; {before.number + 1} to {before.number + len(shown)} by name."
            if len(shown) < len(fitting)
            else "."
        ),
        total=len(fitting),
        topics=Table(columns=[*TOPIC_COLUMNS], rows=[topic_cells(topic) for topic in shown])
        if shown
        else None,
        industries=_commonest(industries) if kind.industry is None else None,
        categories=_commonest(categories) if kind.category is None else None,
        warnings=warnings(_left_out("industries", industries), _left_out("categories", categories)),
        next=suggestions(to_preview(topic.id for topic in shown[:1])),
        next_cursor=write_cursor(_SHOWN, Shown(before.subject, number=end))
        if end < len(fitting)
        else None,
    )


def _commonest(counts: Counter[str]) -> dict[str, int]:
    named = ((clean(name, PHRASE_LENGTH), count) for name, count in counts.most_common(MOST_FACETS))
    return {name: count for name, count in named if name}


def _left_out(what: str, counts: Counter[str]) -> list[str]:
    hidden = len(counts) - MOST_FACETS
    return [f"{hidden} more {what} with fewer topics not shown."] if hidden > 0 else []
