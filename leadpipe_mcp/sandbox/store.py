"""What organisations have: saved audiences with their runs, slots, exports and pixels."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Literal, get_args

from leadpipe_mcp.sandbox.configs import Config, read_config
from leadpipe_mcp.sandbox.dice import identity
from leadpipe_mcp.sandbox.matching import Match, match
from leadpipe_mcp.sandbox.settings import SandboxSettings
from leadpipe_mcp.sandbox.simulator import SECONDS_PER_DAY, Form, Json, Refusal, not_found

AudienceStatus = Literal["draft", "active", "paused"]
AUDIENCE_STATUSES: tuple[AudienceStatus, ...] = get_args(AudienceStatus)
RunStatus = Literal["queued", "running", "completed", "failed", "cancelled"]
RunType = Literal["daily", "manual", "preview"]
Shape = Literal["flat", "catalog"]
PixelStatus = Literal["active", "paused"]
PIXEL_STATUSES: tuple[PixelStatus, ...] = get_args(PixelStatus)
# How much of a run's time passes before it starts.
_QUEUED = 0.25
_EXPIRED_KEY = "sk_expired"
HISTORY_DAYS = 7
"""How many days back an active audience has daily runs, and a query may ask for a date."""


@dataclass(slots=True, eq=False)
class Pixel:
    """The script on one web site that tells who visits it."""

    id: str
    domain: str
    name: str
    created: float
    updated: float
    status: PixelStatus = "active"
    included: list[str] | None = None
    """The only paths that are watched; None is all."""
    excluded: list[str] | None = None
    """The paths that are not watched."""

    def watches(self, path: str, moment: float) -> bool:
        """Whether it was there, and its lists of paths let the page be seen."""
        listed = any(
            f"{path}/".startswith(f"{part.rstrip('/*')}/")
            for part in self.included or self.excluded or ()
        )
        return moment >= self.created and listed is bool(self.included)


@dataclass(slots=True, eq=False)
class File:
    """The people of a completed run, to be downloaded in the words of a generation."""

    id: str
    name: str
    run: "Run"
    shape: Shape
    created: float
    checksums: tuple[int, str] | None = None
    """Size and SHA-1, once somebody wanted to know."""


@dataclass(slots=True, eq=False)
class Run:
    """One application of a config to the data of one day; what it found never changes."""

    settings: SandboxSettings
    id: str
    type: RunType
    config: Config
    day: date
    created: float
    audience_id: str | None = None
    idempotency_key: str | None = None
    cancelled: float | None = None

    @property
    def started(self) -> float:
        """When it leaves the queue, if nobody cancels it."""
        return self.created + self.settings.run_seconds * _QUEUED

    @property
    def finished(self) -> float:
        """When it completes or fails."""
        return self.created + self.settings.run_seconds

    def status(self, now: float) -> RunStatus:
        """What has become of it."""
        if self.cancelled is not None:
            return "cancelled"
        if now < self.finished:
            return "queued" if now < self.started else "running"
        return "failed" if self.settings.runs_fail else "completed"

    def match(self) -> Match:
        """The people it found."""
        return match(self.settings.people, self.config, self.day)

    def file_id(self, shape: Shape) -> str:
        """What its export is called, once there is one."""
        return identity(f"file {self.id} {shape}")


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

    def size(self, now: float) -> int | None:
        """How many people the latest run found, or what a client wrote since."""
        run = self.latest(now)
        if self.told_size and (run is None or self.told_size[0] >= run.finished):
            return self.told_size[1]
        return None if run is None else run.match().count


def _newest(runs: Iterable[Run]) -> Run | None:
    return max(runs, key=lambda run: (run.day, run.created), default=None)


class Organisation:
    """Everything that belongs to one API key."""

    def __init__(self, key: str, settings: SandboxSettings) -> None:
        self.expired = key.startswith(_EXPIRED_KEY)
        """Whether it may see nothing but its account."""
        self.id = identity(f"organisation {key}")
        self.settings = settings
        self.unsaved: dict[str, Audience] = {}
        """What queries without an audience run for, by the hash of their configs."""
        self.pixels: dict[str, Pixel] = {}
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
        newest_first = [self.audience(audience_id, now) for audience_id in self._audiences][::-1]
        return sorted(newest_first, key=lambda audience: audience.created, reverse=True)

    def audience(self, audience_id: str, now: float) -> Audience:
        """One saved audience, with the daily runs that it has had since it was last looked at."""
        if audience_id not in self._audiences:
            raise not_found("Audience")
        audience = self._audiences[audience_id]
        if audience.active_since is not None:
            since = max(audience.active_since, now - HISTORY_DAYS * SECONDS_PER_DAY)
            for day in range(int(since // SECONDS_PER_DAY) + 1, int(now // SECONDS_PER_DAY) + 1):
                midnight = float(day * SECONDS_PER_DAY)
                if not any(run.created == midnight for run in audience.runs):
                    self.add_run(audience, "daily", newest_data(midnight), midnight)
            audience.runs.sort(key=lambda run: run.created)
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
        if status == audience.status:
            return
        audience.status = status
        audience.active_since = now if status == "active" else None
        if status == "active" and self.settings.activation_starts_run:
            self.add_run(audience, "daily", newest_data(now), now)

    def delete(self, audience: Audience) -> None:
        """Forget the audience, its runs and their files."""
        del self._audiences[audience.id]
        if audience.status == "active" and not self.settings.deletion_frees_slot:
            self._lost_slots += 1

    def add_run(self, audience: Audience, run_type: RunType, day: date, now: float) -> Run:
        """A new run of the audience for any day."""
        run = Run(self.settings, self._new_id(), run_type, audience.config, day, now, audience.id)
        audience.runs.append(run)
        return run

    def create_pixel(self, domain: str, name: str, now: float) -> Pixel:
        """A new active pixel; refused, without saying which, where the domain has one (R-intro)."""
        if any(pixel.domain == domain for pixel in self.pixels.values()):
            raise Refusal(409, "Pixel already exists for this domain")
        pixel_id = identity(f"pixel {self.id} {domain}")
        self.pixels[pixel_id] = Pixel(pixel_id, domain, name, now, now)
        return self.pixels[pixel_id]

    def _new_id(self) -> str:
        self._issued += 1
        return identity(f"{self.id} {self._issued}")


def newest_data(now: float) -> date:
    """The newest day with data: the day before, in UTC."""
    return datetime.fromtimestamp(now, UTC).date() - timedelta(days=1)


# Days before the first request at which the audiences were saved, activated and paused, and from
# which on the pixel watched.
_SAVED, _ACTIVATED, _PAUSED, _WATCHED = 20, 12, 4, 45


def furnish(organisation: Organisation, now: float) -> None:
    """Give a new organisation a pixel, and a paused and an active audience with their past runs."""
    saved, activated, paused, watched = (
        now - days * SECONDS_PER_DAY for days in (_SAVED, _ACTIVATED, _PAUSED, _WATCHED)
    )
    organisation.create_pixel("northwind-shop.example", "Northwind Shop", watched)
    settings = organisation.settings
    if settings.slots < 1:
        return

    def config(filters: Json, **bounds: object) -> Config:
        return read_config(Form({**bounds, "filters": filters}), settings)

    industries, ranks = ["software development"], ["director", "vp"]
    in_california: Json = {"location.states": {"values": ["california"]}}
    at_software_companies: Json = {
        "company.industries": {"values": industries},
        "role.seniority": {"values": [*ranks, "c_suite"]},
        "contact.hasBusinessEmail": True,
    }
    if settings.profile == "flat":
        in_california = {"state": "california"}
        at_software_companies = {"companyIndustry": industries, "seniority": [*ranks, "cxo"]}
        at_software_companies["hasBusinessEmail"] = True
    californians = config(in_california, topicIds=[102081, 102082], minScore=60)
    buyers = organisation.create("CRM Buyers in California", californians, "draft", saved)
    organisation.set_status(buyers, "active", activated)
    organisation.audience(buyers.id, paused)
    organisation.set_status(buyers, "paused", paused)
    topics = [117805, 117890, 117918]
    bounds = {"minScore": 70, "maxScore": 99, "minTopicOverlap": 2}
    directors = config(at_software_companies, topicIds=topics, **bounds)
    organisation.create("Marketing Directors at Tech Companies", directors, "active", activated)
