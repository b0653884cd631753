"""Who visits a web site and when: the same people at the same moments, however late one asks."""

from functools import lru_cache
from typing import NamedTuple

from leadpipe_mcp.sandbox.days import SECONDS_PER_DAY
from leadpipe_mcp.sandbox.dice import dice
from leadpipe_mcp.sandbox.pixels import Pixel
from leadpipe_mcp.sandbox.settings import SandboxSettings

_REGULARS = 400
_DAYS_PER_WEEK, _WORKDAYS = 7, 5
# 1 January 1970 was a Thursday.
_FIRST_WEEKDAY = 3
_WEEKEND = 0.4
_PATHS = (
    "/",
    "/product",
    "/pricing",
    "/blog",
    "/blog/getting-started",
    "/customers",
    "/demo",
    "/about",
    "/docs/api",
    "/checkout",
)
_MOST_PAGES = 5


class Source(NamedTuple):
    """Where a visit came from."""

    referrer: str | None = None
    source: str | None = None
    medium: str | None = None
    campaign: str | None = None


_SOURCES = (
    Source(),
    Source("search.example"),
    Source("search.example", "search", "cpc", "brand"),
    Source("social.example", "social", "paid-social", "spring-launch"),
    Source("news.example"),
    Source(None, "newsletter", "email", "monthly-update"),
)


class Visit(NamedTuple):
    """One person on one site for a few minutes."""

    moment: float
    person: int
    paths: tuple[str, ...]
    source: Source
    seconds: int


def visits_of(
    pixel: Pixel, since: float, until: float, settings: SandboxSettings
) -> list[tuple[Pixel, Visit]]:
    """What the pixel saw after one moment and not after the other, oldest first."""
    first = int(max(since, pixel.created) // SECONDS_PER_DAY)
    seen: list[tuple[Pixel, Visit]] = []
    for day in range(first, int(until // SECONDS_PER_DAY) + 1):
        for visit in _day(pixel.domain, settings.people, day, settings.visits_per_day):
            paths = tuple(path for path in visit.paths if pixel.watches(path, settings))
            if paths and since < visit.moment <= until and pixel.watched_at(visit.moment):
                seen.append((pixel, visit._replace(paths=paths)))
    return seen


@lru_cache(maxsize=1_024)
def _day(domain: str, people: int, day: int, average: int) -> tuple[Visit, ...]:
    """Everybody's visits to a site on a day, counted from 1970."""
    roll = dice(f"visits {domain} {day}").random
    is_workday = (day + _FIRST_WEEKDAY) % _DAYS_PER_WEEK < _WORKDAYS
    many = round(average * (0.6 + 0.8 * roll()) * (1 if is_workday else _WEEKEND))
    regulars = _regulars(domain, people)

    def visit() -> Visit:
        # Few come often, and most come in the middle of the day.
        person = regulars[int(len(regulars) * roll() ** 1.6)]
        moment = day * SECONDS_PER_DAY + int(SECONDS_PER_DAY * (roll() + roll()) / 2)
        pages = 1 + int(_MOST_PAGES * roll() ** 2)
        paths = tuple(_PATHS[int(len(_PATHS) * roll() ** 1.3)] for _ in range(pages))
        source = _SOURCES[int(len(_SOURCES) * roll())]
        return Visit(moment, person, paths, source, seconds=pages * (8 + int(90 * roll())))

    return tuple(sorted((visit() for _ in range(many)), key=lambda visit: visit.moment))


@lru_cache(maxsize=64)
def _regulars(domain: str, people: int) -> tuple[int, ...]:
    roll = dice(f"regulars {domain}").random
    return tuple(dict.fromkeys(int(people * roll()) for _ in range(_REGULARS)))
