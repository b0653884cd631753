"""Topics: what people research, how many of them from day to day, and what a website is about.

Everything here is public: it works without a key, and changes nothing.
"""

import contextlib
import datetime as dt
import hashlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal
from weakref import WeakValueDictionary

import anyio
import anyio.to_thread
from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, TypeAdapter

from leadpipe_mcp.api.answers import Answer, as_object
from leadpipe_mcp.api.budget import Noun
from leadpipe_mcp.api.generations import Service
from leadpipe_mcp.api.keeping import Keeping, KeptInFile
from leadpipe_mcp.api.models import Breakdown
from leadpipe_mcp.api.reading import Count, Each, Label, Name, Text, Told
from leadpipe_mcp.errors import NotFound, ServiceError

TopicType = Literal["b2b", "b2c", "both"]
Direction = Literal["up", "down"]

CATALOGUE_SECONDS = 24 * 3600
MOST_COMPARED = 10
MOST_FOUND = 50

STEADY = 0.05
"""The share by which an audience may grow or shrink and still be called steady."""

_TOPICS = "/v1/intent/topics"
_FILE_VERSION = 3


class Topic(Told):
    """One thing that people research."""

    noun: ClassVar[Noun] = ("topic", "topics")
    id: int = Field(validation_alias=AliasChoices("id", "topicId"))
    name: Name = Field(validation_alias=AliasChoices("name", "topicName"))
    type: Label | None = None
    industry: Label | None = None
    category: Label | None = None


@dataclass(frozen=True, eq=False)
class Catalogue:
    """Every topic that there is. Equal only to itself, so that an index can be kept for it."""

    topics: tuple[Topic, ...]


class TopicFacets(Told):
    """How many topics there are of each type, industry and category, and in all."""

    types: Each[Breakdown] = ()
    industries: Each[Breakdown] = ()
    categories: Each[Breakdown] = ()
    total: Count | None = None


class TopicDay(Told):
    """How many people researched a topic on one day, and how strongly."""

    noun: ClassVar[Noun] = ("day", "days")
    # It may come with a time.
    date: Annotated[dt.date, BeforeValidator(lambda said: str(said)[:10])]
    audience: Count = Field(validation_alias=AliasChoices("audience", "uniqueAudience"))
    signals: Count | None = Field(default=None, validation_alias="totalSignals")
    average_score: float | None = Field(default=None, validation_alias="avgScore")
    high: Count | None = Field(default=None, validation_alias="highAudience")
    medium: Count | None = Field(default=None, validation_alias="mediumAudience")
    low: Count | None = Field(default=None, validation_alias="lowAudience")


class TopicSeries(Told):
    """A topic from day to day, the oldest day first."""

    noun: ClassVar[Noun] = ("topic", "topics")
    id: int = Field(validation_alias=AliasChoices("id", "topicId"))
    name: Name | None = Field(default=None, validation_alias=AliasChoices("name", "topicName"))
    days: Annotated[
        Each[TopicDay], AfterValidator(lambda days: tuple(sorted(days, key=lambda day: day.date)))
    ] = Field(default=(), validation_alias=AliasChoices("days", "data"))

    @property
    def latest(self) -> TopicDay | None:
        """The newest day."""
        return self.days[-1] if self.days else None

    def last(self, days: int) -> "TopicSeries":
        """The topic day by day for this number of days, the newest last."""
        first = self.days[-1].date - dt.timedelta(days - 1) if self.days else dt.date.min
        return self.model_copy(update={"days": tuple(d for d in self.days if d.date >= first)})

    def change_over(self, days: int) -> float | None:
        """By how many percent the audience grew in this number of days.

        The day before that or the two after stand in for it where the service shows no more.
        """
        if not self.days:
            return None
        newest = self.days[-1]
        wanted = newest.date - dt.timedelta(days)
        near = [d for d in self.days if -1 <= (d.date - wanted).days <= min(2, days - 1)]
        before = min(near, key=lambda day: abs((day.date - wanted).days), default=None)
        return _growth(newest.audience, before.audience) if before else None

    @property
    def direction(self) -> Literal["rising", "falling", "steady"] | None:
        """Where the audience goes: its last week, or half, against its first."""
        span = min(7, len(self.days) // 2)
        if span < 2:
            return None
        first = sum(day.audience for day in self.days[:span])
        last = sum(day.audience for day in self.days[-span:])
        if abs(last - first) <= STEADY * first:
            return "steady"
        return "rising" if last > first else "falling"


def _growth(now: int, before: int | None) -> float | None:
    return 100 * (now - before) / before if before else None


class Mover(Topic):
    """A topic with its audience on the newest day of the data and on the day before."""

    today: Count = Field(validation_alias=AliasChoices("today", "todayAudience"))
    yesterday: Count | None = Field(
        default=None, validation_alias=AliasChoices("yesterday", "yesterdayAudience")
    )

    @property
    def change(self) -> float | None:
        """By how many percent the audience grew, if there was any the day before.

        The service's own `pctChange` is not used: whether it is percent is not documented.
        """
        return _growth(self.today, self.yesterday)


class SiteTopic(Topic):
    """A topic that a website seems to be about, and the word of the website that says so."""

    similarity: float | None = None
    matched_keyword: Label | None = None


class SiteTopics(Told):
    """What a website is about. All words but the topics' are those of the website."""

    company: Text = None
    summary: Text = None
    topics: Each[SiteTopic]


class Topics:
    """The topics that people research; `keeping` keeps their catalogue for other processes."""

    def __init__(
        self,
        service: Service,
        keeping: Keeping | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._service = service
        self._keeping = keeping
        self._clock = clock
        self._fetching = anyio.Lock()
        self._catalogue: tuple[float, Catalogue] | None = None
        self._facets: tuple[float, TopicFacets] | None = None

    async def search(
        self,
        words: str,
        *,
        type: TopicType | None = None,  # noqa: A002 -- the service's own word
        industry: str | None = None,
        limit: int = 10,
    ) -> tuple[Topic, ...]:
        """The topics that the service finds for the words, best first; at most fifty."""
        answer = await self._get("/search", q=words, type=type, industry=industry, limit=limit)
        return answer.read_each(Topic)

    async def all(self) -> Catalogue:
        """Every topic, asked for once a day, however many ask at once."""
        async with self._fetching:
            found = await self._remembered()
            if found is None:
                answer = await self._get("")
                # Twenty thousand take a tenth of a second, in which other calls go on.
                topics = await anyio.to_thread.run_sync(answer.read_each, Topic)
                if not topics:
                    raise answer.unusable("the list of all topics is empty")
                found = Catalogue(topics)
                if content := await anyio.to_thread.run_sync(written, topics):
                    found = await anyio.to_thread.run_sync(_read, content, found) or found
                    if self._keeping:
                        await self._keeping.keep(content)
                self._catalogue = (self._clock(), found)
            return found

    async def at_hand(self) -> Catalogue | None:
        """Return every topic if that takes no request."""
        if self._fetching.locked():
            return None
        async with self._fetching:
            return await self._remembered()

    async def _remembered(self) -> Catalogue | None:
        """The catalogue of this process or a kept one, unless it is too old or from the future."""
        now = self._clock()
        if self._catalogue and now - self._catalogue[0] <= CATALOGUE_SECONDS:
            return self._catalogue[1]
        kept = await self._keeping.read() if self._keeping else None
        if kept is None or not 0 <= kept[0] <= CATALOGUE_SECONDS:
            return None
        found = await anyio.to_thread.run_sync(_read, kept[1])
        # One that is too old stays until another is there, which may turn out to be the same.
        self._catalogue = (now - kept[0], found) if found else self._catalogue
        return found

    async def facets(self) -> TopicFacets:
        """How many topics there are of each type, industry and category, asked for once a day."""
        now = self._clock()
        if self._facets is None or now - self._facets[0] > CATALOGUE_SECONDS:
            self._facets = (now, (await self._get("/facets")).read(TopicFacets))
        return self._facets[1]

    async def trend(self, topic_id: int) -> TopicSeries | None:
        """Every day that the service shows of one topic; None where it does not know the topic."""
        try:
            answer = await self._get(f"/{topic_id}/trend")
        except NotFound as missing:
            await self._service.check_missing(missing)
            return None
        if not (rows := answer.items()):
            return None
        name = next((named for row in rows if (named := as_object(row).get("topicName"))), None)
        told = {"id": topic_id, "name": name, "days": answer.read_each(TopicDay, rows)}
        return answer.read(TopicSeries, told)

    async def compare(self, topic_ids: Sequence[int]) -> tuple[TopicSeries, ...]:
        """The topics from day to day, as asked; those that the service does not know are left out.

        It shows about a month; `series` shows more.
        """
        wanted = list(dict.fromkeys(topic_ids))
        found: dict[int, TopicSeries] = {}
        for start in range(0, len(wanted), MOST_COMPARED):
            asked = wanted[start : start + MOST_COMPARED]
            try:
                answer = await self._ask("/compare", {"topicIds": asked})
                found |= {series.id: series for series in answer.read_each(TopicSeries)}
            except NotFound as missing:
                await self._service.check_missing(missing)
                # Whether one unknown topic refuses all of them is not documented.
                alone = [await self.compare([topic]) for topic in asked if len(asked) > 1]
                found |= {series.id: series for one in alone for series in one}
        there = (found[topic] for topic in wanted if topic in found)
        return tuple(series for series in there if series.name or series.days)

    async def series(self, topic_ids: Sequence[int], days: int) -> tuple[TopicSeries, ...]:
        """As `compare`, over as many of the days as the service shows anywhere."""
        compared = await self.compare(topic_ids)
        longer = {series.id: series for series in compared}

        async def lengthen(topic: int) -> None:
            # What was compared stands where nothing more can be had.
            with contextlib.suppress(ServiceError):
                longer[topic] = await self.trend(topic) or longer[topic]

        if max((len(series.days) for series in compared), default=days) < days:
            async with anyio.create_task_group() as tasks:
                for topic in list(longer):
                    tasks.start_soon(lengthen, topic)
        return tuple(series.last(days) for series in longer.values())

    async def movers(
        self,
        direction: Direction = "up",
        *,
        type: TopicType | None = None,  # noqa: A002 -- the service's own word
        industry: str | None = None,
        limit: int = 20,
    ) -> tuple[Mover, ...]:
        """The topics whose audience grew or shrank most since the day before; at most fifty."""
        answer = await self._get(
            "/movers", direction=direction, type=type, industry=industry, limit=limit
        )
        return answer.read_each(Mover)

    async def analyze(self, url: str) -> SiteTopics:
        """What the website at a public address is about; the service visits it, not this program.

        Whoever calls it has made sure that the address is a public one.
        """
        return (await self._ask("/analyze", {"url": url})).read(SiteTopics)

    async def _get(self, path: str, **query: str | int | None) -> Answer:
        return await self._service.transport.request(
            "GET", f"{_TOPICS}{path}", query=query, public=True
        )

    async def _ask(self, path: str, body: Mapping[str, object]) -> Answer:
        return await self._service.transport.request(
            "POST", f"{_TOPICS}{path}", body=body, public=True, repeatable=True
        )


_ALL = TypeAdapter(tuple[Topic, ...])
_known: WeakValueDictionary[bytes, Catalogue] = WeakValueDictionary()
_knowing = threading.Lock()


def catalogue_file(folder: Path, url: str) -> KeptInFile:
    """The file in which the catalogue of the service at this address is kept."""
    service = hashlib.sha256(url.encode()).hexdigest()[:12]
    return KeptInFile(folder / f"topics-{_FILE_VERSION}-{service}.json")


def written(topics: tuple[Topic, ...]) -> bytes:
    """Return the topics as they are kept; nothing if that cannot be written."""
    with contextlib.suppress(ValueError):
        return _ALL.dump_json(topics, exclude_none=True)
    return b""


def _read(content: bytes, fetched: Catalogue | None = None) -> Catalogue | None:
    """Return the catalogue that was kept or fetched; None if it is broken or empty.

    Callers who have read the same share what was made of it: twenty thousand topics take 26 MB.
    """
    digest = hashlib.sha256(content).digest()
    with _knowing, contextlib.suppress(ValueError):
        if (known := _known.get(digest)) is not None:
            return known
        if topics := fetched.topics if fetched else _ALL.validate_json(content):
            return _known.setdefault(digest, fetched or Catalogue(topics))
    return None
