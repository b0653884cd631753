"""The pixels of an organisation: which web sites it watches, since when, and which pages."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, get_args

from leadpipe_mcp.sandbox.dice import identity
from leadpipe_mcp.sandbox.replies import Refusal, not_found
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

    def watches(self, path: str, settings: SandboxSettings) -> bool:
        """Whether its lists of paths let a page be seen."""

        def listed(paths: list[str]) -> bool:
            if settings.path_match == "exact":
                return path in paths
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
