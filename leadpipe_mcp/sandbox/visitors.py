"""Pixels, and who visits a site and when: the same people however late one asks."""

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from starlette.responses import Response

from leadpipe_mcp.sandbox.calls import Call, answer, as_uuid
from leadpipe_mcp.sandbox.configs import respelled
from leadpipe_mcp.sandbox.dice import dice
from leadpipe_mcp.sandbox.settings import SandboxSettings
from leadpipe_mcp.sandbox.simulator import (
    SECONDS_PER_DAY,
    Endpoint,
    Form,
    Json,
    choose,
    is_texts,
    not_found,
    timestamp,
)
from leadpipe_mcp.sandbox.store import PIXEL_STATUSES, Pixel
from leadpipe_mcp.sandbox.world import Person, person_of

_LONGEST_NAME, _MOST_PATHS = 255, 50
_PATH = re.compile("/.{1,499}", re.DOTALL)
_Paths = list[str] | None
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
# The documents embed from the service's own host; this one cannot reach anybody.
_SNIPPET = '<script src="https://pixel.example/p/{id}.js" async></script>'
_LISTED = "id domain name status pausedReason excludedPaths includedPaths createdAt updatedAt"
_CREATED = "id domain name status code createdAt"
_UPDATED = "id domain name status excludedPaths includedPaths updatedAt"


def _list_pixels(call: Call) -> Response:
    """All pixels, newest first, without their snippets."""
    pixels = reversed(call.organisation.pixels.values())
    return answer([choose(_facts(pixel), _LISTED) for pixel in pixels])


def _create_pixel(call: Call) -> Response:
    form = Form(call.body)
    form.require("domain")
    domain = form.text("domain", _LONGEST_NAME, shortest=1) or ""
    host = _site_name(domain, call.settings)
    if form.has("domain") and not host:
        form.wrong("domain", "Invalid domain")
    name = form.text("name", _LONGEST_NAME, shortest=1)
    included, excluded = _read_paths(form, None, None)
    form.check()
    pixel = call.organisation.create_pixel(host, name or host, call.now)
    pixel.included, pixel.excluded = included, excluded
    return answer(choose(_facts(pixel), _CREATED), status=201)


def _update_pixel(call: Call) -> Response:
    pixel = call.organisation.pixels.get(as_uuid(call.path["pixel_id"], "id"))
    if pixel is None:
        raise not_found("Pixel")
    form = Form(call.body)
    status = form.choice("status", PIXEL_STATUSES)
    included, excluded = _read_paths(form, pixel.included, pixel.excluded)
    form.check()
    pixel.included, pixel.excluded, pixel.updated = included, excluded, call.now
    pixel.status = status or pixel.status
    return answer(choose(_facts(pixel), _UPDATED))


def _site_name(domain: str, settings: SandboxSettings) -> str:
    """The domain as pixels know it; empty when it is none."""
    if settings.pixel_domain == "verbatim":
        return domain
    try:
        host = urlsplit(domain if "//" in domain else f"//{domain}").hostname or ""
    except ValueError:
        return ""
    host = host.removeprefix("www.")
    return host if _HOST.fullmatch(host) else ""


def _read_paths(form: Form, included: _Paths, excluded: _Paths) -> tuple[_Paths, _Paths]:
    """The lists of paths in a form; one that is not sent stays as it is."""
    lists: dict[str, _Paths] = {"includedPaths": included, "excludedPaths": excluded}
    for name in lists.keys() & form.fields.keys():
        paths = form.fields[name]
        if paths is None or (
            is_texts(paths) and len(paths) <= _MOST_PATHS and all(map(_PATH.fullmatch, paths))
        ):
            lists[name] = paths
        else:
            form.wrong(name, f'Expected up to {_MOST_PATHS} paths that start with "/"')
    if all(lists.values()):
        form.wrong("", "includedPaths and excludedPaths cannot both be set")
    return lists["includedPaths"], lists["excludedPaths"]


def _facts(pixel: Pixel) -> Json:
    return {
        "id": pixel.id,
        "domain": pixel.domain,
        "name": pixel.name,
        "status": pixel.status,
        "pausedReason": "manual" if pixel.status == "paused" else None,
        "code": _SNIPPET.format(id=pixel.id),
        "excludedPaths": pixel.excluded,
        "includedPaths": pixel.included,
        "createdAt": timestamp(pixel.created),
        "updatedAt": timestamp(pixel.updated),
    }


_REGULARS, _MOST_PAGES = 400, 5
# Fewer come at weekends. 1 January 1970 was a Thursday.
_WEEKEND, _FIRST_WEEKDAY = 0.4, 3
_PATHS = (
    *("/", "/product", "/pricing", "/blog", "/blog/getting-started", "/customers", "/demo"),
    *("/about", "/docs/api", "/checkout"),
)
_KEEN_PAGES = ("pricing", "demo", "checkout")
_SOURCE = ("referrerDomain", "utmSource", "utmMedium", "utmCampaign")
_SOURCES = (
    (None, None, None, None),
    ("search.example", None, None, None),
    ("search.example", "search", "cpc", "brand"),
    ("social.example", "social", "paid-social", "spring-launch"),
    ("news.example", None, None, None),
    (None, "newsletter", "email", "monthly-update"),
)
_DAYS = {"24h": 1, "7d": 7, "14d": 14, "30d": 30, "90d": 90, "all": 10**5}
_PAGE_SIZE, _LARGEST_PAGE, _LONGEST_EMAIL = 50, 10**6, 320
# One visitor in five is known by an email address alone.
_THIN = 0.2


class _Visit(NamedTuple):
    """One person on one site for a few minutes."""

    moment: float
    person: int
    paths: tuple[str, ...]
    source: tuple[str | None, ...]
    seconds: int


def _list_visitors(call: Call) -> Response:
    """A page of visitors, the last seen first; none where no active pixel watches."""
    form = Form(call.query)
    days = _DAYS[form.choice("timeframe", tuple(_DAYS)) or "30d"]
    email, domain = form.text("email", _LONGEST_EMAIL), form.text("domain", _LONGEST_NAME)
    form.check()
    page = call.number("page", 1, 1, _LARGEST_PAGE)
    wanted = None if domain is None else _site_name(domain, call.settings)
    found: list[tuple[float, Json]] = []
    for pixel in reversed(call.organisation.pixels.values()):
        if wanted not in (None, pixel.domain) or pixel.status == "paused":
            continue
        journeys: dict[int, list[_Visit]] = {}
        for visit in _visits(pixel, call.now - days * SECONDS_PER_DAY, call.now, call.settings):
            journeys.setdefault(visit.person, []).append(visit)
        for number, journey in journeys.items():
            person = person_of(call.settings.people, number)
            if not email or email.lower() in person.emails:
                row = _record(person, pixel, journey, call.settings)
                found.append((journey[-1].moment, row))
    found.sort(key=lambda seen: -seen[0])
    pages = -(-len(found) // _PAGE_SIZE)
    meta: Json = {"total": len(found), "page": page, "pageSize": _PAGE_SIZE}
    meta |= {"totalPages": pages, "hasMore": page < pages}
    return answer([row for _, row in found[(page - 1) * _PAGE_SIZE : page * _PAGE_SIZE]], meta)


def _visits(pixel: Pixel, since: float, until: float, settings: SandboxSettings) -> list[_Visit]:
    """What the pixel saw after one moment and not after the other, oldest first."""
    first = int(max(since, pixel.created) // SECONDS_PER_DAY)
    seen: list[_Visit] = []
    for day in range(first, int(until // SECONDS_PER_DAY) + 1):
        for visit in _visits_of_day(pixel.domain, settings.people, day, settings.visits_per_day):
            paths = tuple(path for path in visit.paths if pixel.watches(path, visit.moment))
            if paths and since < visit.moment <= until:
                seen.append(visit._replace(paths=paths))
    return seen


@lru_cache(maxsize=1_024)
def _visits_of_day(domain: str, people: int, day: int, average: int) -> tuple[_Visit, ...]:
    """Everybody's visits to a site on a day, counted from 1970."""
    roll = dice(f"visits {domain} {day}").random
    is_workday = (day + _FIRST_WEEKDAY) % 7 < 5
    many = round(average * (0.6 + 0.8 * roll()) * (1 if is_workday else _WEEKEND))
    regular = dice(f"regulars {domain}").random
    regulars = tuple(dict.fromkeys(int(people * regular()) for _ in range(_REGULARS)))

    def visit() -> _Visit:
        # Few come often, and most come in the middle of the day.
        person = regulars[int(len(regulars) * roll() ** 1.6)]
        moment = day * SECONDS_PER_DAY + int(SECONDS_PER_DAY * (roll() + roll()) / 2)
        pages = 1 + int(_MOST_PAGES * roll() ** 2)
        paths = tuple(_PATHS[int(len(_PATHS) * roll() ** 1.3)] for _ in range(pages))
        source = _SOURCES[int(len(_SOURCES) * roll())]
        return _Visit(moment, person, paths, source, seconds=pages * (8 + int(90 * roll())))

    return tuple(sorted((visit() for _ in range(many)), key=lambda visit: visit.moment))


def _record(person: Person, pixel: Pixel, journey: list[_Visit], settings: SandboxSettings) -> Json:
    facts, phones, last = person.facts, list(person.phones), journey[-1]
    size = str(facts["companySize"])
    about: Json = {
        **choose(facts, "firstName lastName"),
        "fullName": person.full_name,
        "phones": phones,
        **choose(facts, "linkedinUrl city state country ageRange gender jobTitle"),
        "seniority": respelled(str(facts["seniority"]), settings.profile),
        **choose(facts, "department company companyDomain companyIndustry companySize"),
        "companyEmployeeCount": int(size.split(maxsplit=1)[0].rstrip("+")),
        "companyRevenue": facts["companyRevenueRange"],
        # Second names, as some who read visitors expect them.
        "allPhones": phones,
        "primaryPhone": facts["directNumbers"],
        "companySizeRange": size,
        "countryCode": "US",
    }
    is_thin = dice(f"enrichment {person.number}").random() < _THIN
    if is_thin:
        lists = ("phones", "allPhones")
        about = {name: [] if name in lists else None for name in about}
    paths = [path for visit in journey for path in visit.paths]
    keen = {f"{page}PageViews": paths.count(f"/{page}") for page in _KEEN_PAGES}
    signs = sum(keen.values()) + len(journey)
    return {
        "email": person.emails[0],
        "emails": list(person.emails),
        "businessEmails": list(person.business_emails),
        "personalEmails": list(person.personal_emails),
        **about,
        "landingPage": f"https://{pixel.domain}{last.paths[0]}",
        "visitedPages": [f"https://{pixel.domain}{path}" for path in dict.fromkeys(paths)],
        **dict(zip(_SOURCE, last.source, strict=True)),
        "sessions": len(journey),
        "pageviews": len(paths),
        **keen,
        "visit_duration": sum(visit.seconds for visit in journey),
        "intentScore": "low" if signs < 2 else "medium" if signs < 3 else "high",
        "lastSeenAt": timestamp(last.moment),
        "enrichmentLevel": "email_only" if is_thin else "full",
        "enrichmentScore": 0 if is_thin else 60 + person.number % 40,
    }


_PIXELS = "/v1/data/pixels"
VISITORS = (
    Endpoint("GET", "/v1/data", _list_visitors),
    Endpoint("GET", _PIXELS, _list_pixels),
    Endpoint("POST", _PIXELS, _create_pixel),
    Endpoint("PATCH", f"{_PIXELS}/{{pixel_id}}", _update_pixel),
)
