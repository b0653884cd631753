"""Pixels, and who visits a site and when: the same people however late one asks."""

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from starlette.responses import Response

from leadpipe_mcp.sandbox.calls import LIVE_KEY, Call, LeadpipeEndpoint, answer, as_uuid
from leadpipe_mcp.sandbox.dice import dice
from leadpipe_mcp.sandbox.facets import respelled
from leadpipe_mcp.sandbox.settings import SandboxSettings
from leadpipe_mcp.sandbox.simulator import (
    SECONDS_PER_DAY,
    Form,
    Json,
    invalid,
    is_texts,
    not_found,
    timestamp,
)
from leadpipe_mcp.sandbox.store import Pixel
from leadpipe_mcp.sandbox.vocabulary import REVENUES, SIZES
from leadpipe_mcp.sandbox.world import Person, person_of

_LONGEST_NAME = 255
_MOST_PATHS = 50
_SHORTEST_PATH, _LONGEST_PATH = 2, 500
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_BOTH_LISTS = "includedPaths and excludedPaths cannot both be set"
# The documents embed from the service's own host; this one cannot reach anybody.
_SNIPPET = '<script src="https://pixel.example/p/{id}.js" async></script>'
_LISTED = """
id domain name status pausedReason excludedPaths includedPaths createdAt updatedAt
"""
_CREATED = "id domain name status code createdAt"
_UPDATED = "id domain name status excludedPaths includedPaths updatedAt"


def _list_pixels(call: Call) -> Response:
    """All pixels, newest first, without their snippets."""
    return answer([_shown(pixel, _LISTED) for pixel in reversed(call.organisation.pixels.values())])


def _create_pixel(call: Call) -> Response:
    form = Form(call.body)
    form.require("domain")
    domain = form.text("domain", _LONGEST_NAME, shortest=1) or ""
    host = site_name(domain, call.settings)
    if form.has("domain") and not host:
        form.wrong("domain", "Invalid domain")
    name = form.text("name", _LONGEST_NAME, shortest=1)
    included, excluded = _read_paths(form, "includedPaths"), _read_paths(form, "excludedPaths")
    if included and excluded:
        form.wrong("", _BOTH_LISTS)
    form.check()
    pixel = call.organisation.create_pixel(host, name or host, call.now)
    pixel.included, pixel.excluded = included, excluded
    return answer(_shown(pixel, _CREATED), status=201)


def _update_pixel(call: Call) -> Response:
    pixel = call.organisation.pixels.get(as_uuid(call.path["pixel_id"], "id"))
    if pixel is None:
        raise not_found("Pixel")
    form = Form(call.body)
    status = form.choice("status", ("active", "paused"))
    included, excluded = _read_paths(form, "includedPaths"), _read_paths(form, "excludedPaths")
    if call.settings.empty_patch == "reject" and not form.fields:
        form.wrong("", "Nothing to update")
    form.check()
    if not form.has("includedPaths"):
        included = pixel.included
    if not form.has("excludedPaths"):
        excluded = pixel.excluded
    if included and excluded:
        raise invalid("", _BOTH_LISTS)
    pixel.included, pixel.excluded, pixel.updated = included, excluded, call.now
    pixel.set_status(status or pixel.status, call.now)
    return answer(_shown(pixel, _UPDATED))


def site_name(domain: str, settings: SandboxSettings) -> str:
    """The domain as pixels know it; empty when it is none."""
    if settings.pixel_domain == "verbatim":
        return domain
    try:
        host = urlsplit(domain if "//" in domain else f"//{domain}").hostname or ""
    except ValueError:
        return ""
    host = host.removeprefix("www.")
    return host if _HOST.fullmatch(host) else ""


def _read_paths(form: Form, field: str) -> list[str] | None:
    paths = form.fields.get(field)
    if paths is None:
        return None
    if (
        is_texts(paths)
        and len(paths) <= _MOST_PATHS
        and all(
            path.startswith("/") and _SHORTEST_PATH <= len(path) <= _LONGEST_PATH for path in paths
        )
    ):
        return paths
    return form.wrong(field, f'Expected up to {_MOST_PATHS} paths that start with "/"')


def _shown(pixel: Pixel, fields: str) -> Json:
    facts: Json = {
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
    return {field: facts[field] for field in fields.split()}


_PIXELS = "/v1/data/pixels"
PIXELS: tuple[LeadpipeEndpoint, ...] = (
    LeadpipeEndpoint("GET", _PIXELS, _list_pixels, LIVE_KEY),
    LeadpipeEndpoint("POST", _PIXELS, _create_pixel, LIVE_KEY),
    LeadpipeEndpoint("PATCH", f"{_PIXELS}/{{pixel_id}}", _update_pixel, LIVE_KEY),
)


_REGULARS, _MOST_PAGES = 400, 5
# Fewer come at weekends. 1 January 1970 was a Thursday.
_WEEKEND, _FIRST_WEEKDAY = 0.4, 3
_PATHS = (
    *("/", "/product", "/pricing", "/blog", "/blog/getting-started", "/customers", "/demo"),
    *("/about", "/docs/api", "/checkout"),
)
_KEEN_PATHS = ("/pricing", "/demo", "/checkout")
# Referrer, source, medium, campaign.
_SOURCES = (
    (None, None, None, None),
    ("search.example", None, None, None),
    ("search.example", "search", "cpc", "brand"),
    ("social.example", "social", "paid-social", "spring-launch"),
    ("news.example", None, None, None),
    (None, "newsletter", "email", "monthly-update"),
)
_DAYS = {"24h": 1, "7d": 7, "14d": 14, "30d": 30, "90d": 90, "all": 10**5}
_TIMEFRAME, _PAGE_SIZE = "30d", 50
_LONGEST_EMAIL, _LONGEST_DOMAIN, _LARGEST_PAGE = 320, 255, 10**6
# One visitor in five is known by an email address alone.
_THIN = 0.2


class _Visit(NamedTuple):
    """One person on one site for a few minutes."""

    moment: float
    person: int
    paths: tuple[str, ...]
    source: tuple[str | None, ...]
    seconds: int


_Journey = list[tuple[Pixel, _Visit]]


def _list_visitors(call: Call) -> Response:
    """A page of visitors, the last seen first; none where no active pixel watches."""
    form = Form(dict(call.query))
    timeframe = form.choice("timeframe", tuple(_DAYS)) or _TIMEFRAME
    email, domain = form.text("email", _LONGEST_EMAIL), form.text("domain", _LONGEST_DOMAIN)
    form.check()
    page, people = call.number("page", 1, 1, _LARGEST_PAGE), call.settings.people
    wanted = None if domain is None else site_name(domain, call.settings)
    journeys: dict[tuple[str, int], _Journey] = {}
    for pixel in reversed(call.organisation.pixels.values()):
        if wanted in (None, pixel.domain) and pixel.status == "active":
            since = call.now - _DAYS[timeframe] * SECONDS_PER_DAY
            for visit in _visits(pixel, since, call.now, call.settings):
                journeys.setdefault((pixel.id, visit.person), []).append((pixel, visit))
    found = [
        (person, journey)
        for (_, number), journey in journeys.items()
        if (person := person_of(people, number)) and (not email or email.lower() in person.emails)
    ]
    found.sort(key=lambda pair: -pair[1][-1][1].moment)
    meta: Json = {"total": len(found)}
    if call.settings.data_meta == "pages":
        pages = -(-len(found) // _PAGE_SIZE)
        more: Json = {"totalPages": pages, "hasMore": page < pages}
        meta |= {"page": page, "pageSize": _PAGE_SIZE, **more}
    shown = found[(page - 1) * _PAGE_SIZE : page * _PAGE_SIZE]
    return answer([_record(person, journey, call.settings) for person, journey in shown], meta)


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
    regulars = _regulars(domain, people)

    def visit() -> _Visit:
        # Few come often, and most come in the middle of the day.
        person = regulars[int(len(regulars) * roll() ** 1.6)]
        moment = day * SECONDS_PER_DAY + int(SECONDS_PER_DAY * (roll() + roll()) / 2)
        pages = 1 + int(_MOST_PAGES * roll() ** 2)
        paths = tuple(_PATHS[int(len(_PATHS) * roll() ** 1.3)] for _ in range(pages))
        source = _SOURCES[int(len(_SOURCES) * roll())]
        return _Visit(moment, person, paths, source, seconds=pages * (8 + int(90 * roll())))

    return tuple(sorted((visit() for _ in range(many)), key=lambda visit: visit.moment))


@lru_cache(maxsize=64)
def _regulars(domain: str, people: int) -> tuple[int, ...]:
    roll = dice(f"regulars {domain}").random
    return tuple(dict.fromkeys(int(people * roll()) for _ in range(_REGULARS)))


def _record(person: Person, journey: _Journey, settings: SandboxSettings) -> Json:
    is_thin = dice(f"enrichment {person.number}").random() < _THIN
    company, size = person.company, SIZES[person.company.size]
    about: Json = {
        "firstName": person.first_name,
        "lastName": person.last_name,
        "fullName": person.full_name,
        "phones": list(person.phones),
        "linkedinUrl": person.linkedin_url,
        "city": company.city,
        "state": company.place.state,
        "country": "United States",
        "ageRange": person.age_range,
        "gender": person.gender,
        "jobTitle": person.title,
        "seniority": respelled(person.seniority, settings.profile),
        "department": person.department,
        "company": company.name,
        "companyDomain": company.domain,
        "companyIndustry": company.industry.name,
        "companySize": size,
        "companyEmployeeCount": int(size.split()[0].rstrip("+")),
        "companyRevenue": REVENUES[company.revenue],
    }
    if settings.visitor_aliases:
        about |= {
            "allPhones": list(person.phones),
            "primaryPhone": next(iter(person.phones), None),
            "companySizeRange": size,
            "countryCode": "US",
        }
    if is_thin:
        lists = ("phones", "allPhones")
        about = {name: [] if name in lists else None for name in about}
    return {
        "email": person.emails[0],
        "emails": list(person.emails),
        "businessEmails": list(person.business_emails),
        "personalEmails": list(person.personal_emails),
        **about,
        **_behaviour(journey),
        "enrichmentLevel": "email_only" if is_thin else "full",
        "enrichmentScore": 0 if is_thin else 60 + person.number % 40,
    }


def _behaviour(journey: _Journey) -> Json:
    pixel, last = journey[-1]
    paths = [path for _, visit in journey for path in visit.paths]
    pages = [f"https://{pixel.domain}{path}" for path in dict.fromkeys(paths)]
    keen = [paths.count(path) for path in _KEEN_PATHS]
    signs = sum(keen) + len(journey)
    referrer, source, medium, campaign = last.source
    return {
        "landingPage": f"https://{pixel.domain}{last.paths[0]}",
        "visitedPages": pages,
        "referrerDomain": referrer,
        "utmSource": source,
        "utmMedium": medium,
        "utmCampaign": campaign,
        "sessions": len(journey),
        "pageviews": len(paths),
        "pricingPageViews": keen[0],
        "demoPageViews": keen[1],
        "checkoutPageViews": keen[2],
        "visit_duration": sum(visit.seconds for _, visit in journey),
        "intentScore": "low" if signs < 2 else "medium" if signs < 3 else "high",
        "lastSeenAt": timestamp(last.moment),
    }


VISITORS = (LeadpipeEndpoint("GET", "/v1/data", _list_visitors, LIVE_KEY),)
