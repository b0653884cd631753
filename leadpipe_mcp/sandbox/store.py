"""What organisations have: saved audiences, their runs and slots, and pixels."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, get_args

from leadpipe_mcp.sandbox.configs import Config, read_config
from leadpipe_mcp.sandbox.dice import identity
from leadpipe_mcp.sandbox.facets import BY_FLAT_KEY, respelled
from leadpipe_mcp.sandbox.matching import Match
from leadpipe_mcp.sandbox.replies import (
    SECONDS_PER_DAY,
    Form,
    Json,
    Pace,
    Refusal,
    data_date,
    midnights,
    not_found,
)
from leadpipe_mcp.sandbox.settings import SandboxSettings

PixelStatus = Literal["active", "paused"]
PIXEL_STATUSES: tuple[PixelStatus, ...] = get_args(PixelStatus)


@dataclass(slots=True, eq=False)
class Pixel:
    """The script on one web site that tells who visits it."""

    id: str
    domain: str
    name: str | None
    created: float
    updated: float
    included: list[str] | None = None
    """The only paths that are watched; None is all."""
    excluded: list[str] | None = None
    """The paths that are not watched."""
    pauses: list[tuple[float, float | None]] = field(
        default_factory=list[tuple[float, float | None]]
    )
    """From when until when it was paused; the last may go on."""

    @property
    def status(self) -> PixelStatus:
        """Whether it watches at present."""
        return "paused" if self.pauses and self.pauses[-1][1] is None else "active"

    def set_status(self, status: PixelStatus, now: float) -> None:
        """Pause it or let it watch again; what it does already changes nothing."""
        if status == self.status:
            return
        if status == "paused":
            self.pauses.append((now, None))
        else:
            self.pauses[-1] = (self.pauses[-1][0], now)

    def watched_at(self, moment: float) -> bool:
        """Whether it was there and not paused."""
        paused = any(
            since <= moment and (until is None or moment < until) for since, until in self.pauses
        )
        return self.created <= moment and not paused

    def watches(self, path: str) -> bool:
        """Whether its lists of paths let a page be seen."""

        def listed(paths: list[str]) -> bool:
            return any(f"{path}/".startswith(f"{part.rstrip('/*')}/") for part in paths)

        if self.included:
            return listed(self.included)
        return not (self.excluded and listed(self.excluded))


class Pixels:
    """All pixels of one organisation, one per domain."""

    def __init__(self, organisation_id: str) -> None:
        self._organisation_id = organisation_id
        self._pixels: dict[str, Pixel] = {}

    def __iter__(self) -> Iterator[Pixel]:
        """Newest first."""
        return reversed(self._pixels.values())

    def get(self, pixel_id: str) -> Pixel:
        """The pixel with this id."""
        if pixel_id not in self._pixels:
            raise not_found("Pixel")
        return self._pixels[pixel_id]

    def create(self, domain: str, name: str | None, now: float) -> Pixel:
        """A new active pixel; refused, without saying which, where the domain has one (R-intro)."""
        if any(pixel.domain == domain for pixel in self):
            raise Refusal(409, "Pixel already exists for this domain")
        pixel_id = identity(f"pixel {self._organisation_id} {domain}")
        self._pixels[pixel_id] = Pixel(pixel_id, domain, name, now, now)
        return self._pixels[pixel_id]


AudienceStatus = Literal["draft", "active", "paused"]
AUDIENCE_STATUSES: tuple[AudienceStatus, ...] = ("draft", "active", "paused")
RunStatus = Literal["queued", "running", "completed", "failed", "cancelled"]
RunType = Literal["daily", "manual", "preview"]
# How much of a run's time passes before it starts.
_QUEUED = 0.25
HISTORY_DAYS = 7
"""How many days back an active audience has daily runs, and a query may ask for a date."""


@dataclass(slots=True, eq=False)
class Run:
    """One application of a config to the data of one day; what it found never changes."""

    id: str
    type: RunType
    config: Config
    day: date
    created: float
    seconds: float
    fails: bool
    audience_id: str | None = None
    idempotency_key: str | None = None
    cancelled: float | None = None

    @property
    def started(self) -> float:
        """When it leaves the queue, if nobody cancels it."""
        return self.created + self.seconds * _QUEUED

    @property
    def finished(self) -> float:
        """When it completes or fails."""
        return self.created + self.seconds

    def status(self, now: float) -> RunStatus:
        """What has become of it."""
        if self.cancelled is not None:
            return "cancelled"
        if now < self.finished:
            return "queued" if now < self.started else "running"
        return "failed" if self.fails else "completed"

    def match(self, people: int) -> Match:
        """The people it found."""
        return self.config.match(people, self.day)


@dataclass(slots=True, eq=False)
class Audience:
    """A saved config with a name, and the runs that were made of it, oldest first."""

    id: str
    name: str
    config: Config
    created: float
    updated: float
    status: AudienceStatus = "draft"
    active_since: float | None = None
    runs: list[Run] = field(default_factory=list[Run])
    told_size: tuple[float, int] | None = None
    """A size that a client wrote, and when; the next run overrules it."""

    def latest(self, now: float) -> Run | None:
        """The completed run of the newest data."""
        return _newest(run for run in self.runs if run.status(now) == "completed")

    def run_of_config(self, day: date | None) -> Run | None:
        """The run of the config as it is now, on that day or the newest; none cancelled."""
        return _newest(
            run
            for run in self.runs
            if run.config.hash == self.config.hash
            and run.cancelled is None
            and day in {None, run.day}
        )

    def size(self, now: float, people: int) -> int | None:
        """How many people the latest run found, or what a client wrote since."""
        run = self.latest(now)
        if self.told_size and (run is None or self.told_size[0] >= run.finished):
            return self.told_size[1]
        return None if run is None else run.match(people).count


class Organisation:
    """Everything that belongs to one API key."""

    def __init__(self, key: str, settings: SandboxSettings) -> None:
        self.id = identity(f"organisation {key}")
        self.settings = settings
        self.queries: dict[tuple[str, date], Run] = {}
        self.pixels = Pixels(self.id)
        self.analyses = Pace()
        self._audiences: dict[str, Audience] = {}
        self._lost_slots = 0
        self._issued = 0

    @property
    def slots_used(self) -> int:
        """How many slots are taken."""
        active = sum(audience.status == "active" for audience in self._audiences.values())
        return active + self._lost_slots

    def audiences(self, now: float) -> list[Audience]:
        """All saved audiences, newest first."""
        for audience in self._audiences.values():
            self._catch_up(audience, now)
        newest_first = reversed(self._audiences.values())
        return sorted(newest_first, key=lambda audience: audience.created, reverse=True)

    def audience(self, audience_id: str, now: float) -> Audience:
        """One saved audience, with the runs that are due by now."""
        if audience_id not in self._audiences:
            raise not_found("Audience")
        audience = self._audiences[audience_id]
        self._catch_up(audience, now)
        return audience

    def create(self, name: str, config: Config, status: AudienceStatus, now: float) -> Audience:
        """Save an audience; an active one takes a slot."""
        self.require_slot_for(None, status)
        audience = Audience(self._new_id(), name, config, now, now)
        self._audiences[audience.id] = audience
        self.set_status(audience, status, now)
        return audience

    def require_slot_for(self, audience: Audience | None, status: AudienceStatus) -> None:
        """Refuse what would need a slot when none is free; an active audience has one."""
        has_slot = audience is not None and audience.status == "active"
        if status == "active" and not has_slot and self.slots_used >= self.settings.slots:
            raise Refusal(403, "All audience slots are in use", "SLOTS_FULL")

    def set_status(self, audience: Audience, status: AudienceStatus, now: float) -> None:
        """Activate, pause or shelve; activating an active audience changes nothing."""
        self.require_slot_for(audience, status)
        if status == audience.status:
            return
        audience.status = status
        audience.active_since = now if status == "active" else None
        if status == "active" and self.settings.activation_starts_run:
            self.queue(audience, "daily", now)

    def delete(self, audience: Audience) -> None:
        """Forget the audience and its runs."""
        del self._audiences[audience.id]
        if audience.status == "active" and not self.settings.deletion_frees_slot:
            self._lost_slots += 1

    def queue(
        self, audience: Audience, run_type: RunType, now: float, idempotency_key: str | None = None
    ) -> Run:
        """A new run of the audience, or the one that was queued with the same key."""
        for run in audience.runs:
            if idempotency_key is not None and run.idempotency_key == idempotency_key:
                return run
        run = self._add_run(audience, run_type, data_date(now), now)
        run.idempotency_key = idempotency_key
        return run

    def backfill(self, audience: Audience, day: date, now: float) -> Run:
        """A new run of the audience for a day of the caller's choosing."""
        return self._add_run(audience, "daily", day, now)

    def query(self, config: Config, day: date, now: float) -> Run:
        """The run that answers a query nobody saved; the first of its kind starts it."""
        key = (config.hash, day)
        if key not in self.queries:
            self.queries[key] = self._run(config, "preview", day, now)
        return self.queries[key]

    def _catch_up(self, audience: Audience, now: float) -> None:
        """Add the daily runs that an active audience has had since it was last looked at."""
        if audience.active_since is None:
            return
        remembered = now - HISTORY_DAYS * SECONDS_PER_DAY
        for midnight in midnights(max(audience.active_since, remembered), now):
            if not any(run.created == midnight for run in audience.runs):
                self._add_run(audience, "daily", data_date(midnight), midnight)
        audience.runs.sort(key=lambda run: run.created)

    def _add_run(self, audience: Audience, run_type: RunType, day: date, now: float) -> Run:
        run = self._run(audience.config, run_type, day, now)
        run.audience_id = audience.id
        audience.runs.append(run)
        return run

    def _run(self, config: Config, run_type: RunType, day: date, now: float) -> Run:
        return Run(
            id=self._new_id(),
            type=run_type,
            config=config,
            day=day,
            created=now,
            seconds=self.settings.run_seconds,
            fails=self.settings.runs_fail,
        )

    def _new_id(self) -> str:
        self._issued += 1
        return identity(f"{self.id} {self._issued}")


def _newest(runs: Iterable[Run]) -> Run | None:
    return max(runs, key=lambda run: (run.day, run.created), default=None)


_DAY = SECONDS_PER_DAY
# Days before the first request at which the audiences were saved, activated and paused, and from
# which on the pixel watched.
_SAVED, _ACTIVATED, _PAUSED = 20, 12, 4
_WATCHED, _DOMAIN = 45, "northwind-shop.example"


def furnish(organisation: Organisation, now: float) -> None:
    """Give a new organisation a pixel, and a paused and an active audience with their past runs."""
    organisation.pixels.create(_DOMAIN, "Northwind Shop", now - _WATCHED * _DAY)
    if organisation.settings.slots < 1:
        return
    buyers = organisation.create(
        "CRM Buyers in California", _buyers(organisation.settings), "draft", now - _SAVED * _DAY
    )
    organisation.set_status(buyers, "active", now - _ACTIVATED * _DAY)
    organisation.audience(buyers.id, now - _PAUSED * _DAY)
    organisation.set_status(buyers, "paused", now - _PAUSED * _DAY)
    organisation.create(
        "Marketing Directors at Tech Companies",
        _directors(organisation.settings),
        "active",
        now - _ACTIVATED * _DAY,
    )


def _directors(settings: SandboxSettings) -> Config:
    seniorities = [respelled(value, settings.profile) for value in ("director", "vp", "c_suite")]
    industries = ["software development"]
    filters: Json = {
        "company.industries": {"values": industries},
        "role.seniority": {"values": seniorities},
        "contact.hasBusinessEmail": True,
    }
    if settings.profile == "flat":
        filters = {
            "companyIndustry": industries,
            "seniority": seniorities,
            "hasBusinessEmail": True,
        }
    config: Json = {
        "topicIds": [117805, 117890, 117918],
        "minScore": 70,
        "maxScore": 99,
        "minTopicOverlap": 2,
        "filters": filters,
    }
    return read_config(Form(config), settings)


def _buyers(settings: SandboxSettings) -> Config:
    filters: Json = {"state": "california"}
    if settings.profile != "flat":
        key = BY_FLAT_KEY["state"].catalog_key(settings)
        filters = {key: {"values": ["california"]}} if key else {}
    config: Json = {"topicIds": [102081, 102082], "minScore": 60, "filters": filters}
    return read_config(Form(config), settings)
