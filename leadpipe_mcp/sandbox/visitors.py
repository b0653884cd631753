"""Who visits a web site and when: the same people at the same moments, however late one asks."""

from functools import lru_cache
from typing import NamedTuple

from leadpipe_mcp.sandbox.calls import Call, Endpoint
from leadpipe_mcp.sandbox.dice import dice
from leadpipe_mcp.sandbox.facets import respelled
from leadpipe_mcp.sandbox.people import Person, person_of
from leadpipe_mcp.sandbox.pixels import site_name
from leadpipe_mcp.sandbox.replies import SECONDS_PER_DAY, Form, Json, Reply, answer, timestamp
from leadpipe_mcp.sandbox.settings import SandboxSettings
from leadpipe_mcp.sandbox.store import Pixel
from leadpipe_mcp.sandbox.vocabulary import INDUSTRIES, REVENUES, SIZES
from leadpipe_mcp.sandbox.world import world_of

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
        for visit in _visits_of_day(pixel.domain, settings.people, day, settings.visits_per_day):
            paths = tuple(path for path in visit.paths if pixel.watches(path))
            if paths and since < visit.moment <= until and pixel.watched_at(visit.moment):
                seen.append((pixel, visit._replace(paths=paths)))
    return seen


@lru_cache(maxsize=1_024)
def _visits_of_day(domain: str, people: int, day: int, average: int) -> tuple[Visit, ...]:
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


_DAYS: dict[str, int | None] = {
    "24h": 1,
    "7d": 7,
    "14d": 14,
    "30d": 30,
    "90d": 90,
    "all": None,
}
_TIMEFRAME, _PAGE_SIZE = "30d", 50
_LONGEST_EMAIL, _LONGEST_DOMAIN = 320, 255
_LARGEST_PAGE = 10**6
# One visitor in five is known by an email address alone.
_THIN = 0.2
_KEEN_PATHS = ("/pricing", "/demo", "/checkout")
Seen = list[tuple[Pixel, Visit]]


def list_visitors(call: Call) -> Reply:
    """A page of visitors, the last seen first; none where no active pixel watches."""
    form = Form(dict(call.query))
    timeframe = form.choice("timeframe", tuple(_DAYS)) or _TIMEFRAME
    email, domain = form.text("email", _LONGEST_EMAIL), form.text("domain", _LONGEST_DOMAIN)
    call.refuse_issues(form)
    page = call.number("page", 1, 1, _LARGEST_PAGE)
    journeys = _journeys(_seen(call, timeframe, domain))
    if email:
        journeys = [seen for seen in journeys if email.lower() in _emails(call, seen)]
    journeys.sort(key=lambda seen: -seen[-1][1].moment)
    shown = journeys[(page - 1) * _PAGE_SIZE : page * _PAGE_SIZE]
    return answer([_record(call, seen) for seen in shown], _meta(call, len(journeys), page))


def _seen(call: Call, timeframe: str, domain: str | None) -> Seen:
    days, settings = _DAYS[timeframe], call.settings
    since = 0 if days is None else call.now - days * SECONDS_PER_DAY
    wanted = None if domain is None else site_name(domain, settings)
    return [
        step
        for pixel in call.organisation.pixels
        if wanted in (None, pixel.domain) and pixel.status == "active"
        for step in visits_of(pixel, since, call.now, settings)
    ]


def _journeys(seen: Seen) -> list[Seen]:
    """What was seen, by site and person."""
    journeys: dict[tuple[str, int], Seen] = {}
    for pixel, visit in seen:
        journeys.setdefault((pixel.id, visit.person), []).append((pixel, visit))
    return list(journeys.values())


def _meta(call: Call, total: int, page: int) -> Json:
    if call.settings.data_meta == "total":
        return {"total": total}
    return {
        "total": total,
        "page": page,
        "pageSize": _PAGE_SIZE,
        "totalPages": -(-total // _PAGE_SIZE),
        "hasMore": page * _PAGE_SIZE < total,
    }


def _emails(call: Call, seen: Seen) -> tuple[str, ...]:
    person = person_of(world_of(call.settings.people), seen[0][1].person)
    return (*person.personal_emails, *person.business_emails)


def _record(call: Call, seen: Seen) -> Json:
    person = person_of(world_of(call.settings.people), seen[0][1].person)
    thin = dice(f"enrichment {person.number}").random() < _THIN
    about: Json = {**_private(person), **_at_work(person, call.settings)}
    if thin:
        about |= dict.fromkeys(about)
        about["phones"] = []
    record: Json = {
        "email": person.email,
        "emails": [*person.personal_emails, *person.business_emails],
        "businessEmails": list(person.business_emails),
        "personalEmails": list(person.personal_emails),
        **about,
        **_behaviour(seen),
        "enrichmentLevel": "email_only" if thin else "full",
        "enrichmentScore": 0 if thin else 60 + person.number % 40,
    }
    if call.settings.visitor_aliases:
        phones = about["phones"]
        record |= {
            "allPhones": phones,
            "primaryPhone": None if thin else next(iter(person.phones), None),
            "companySizeRange": about["companySize"],
            "countryCode": None if thin else "US",
        }
    return record


def _private(person: Person) -> Json:
    return {
        "firstName": person.first_name,
        "lastName": person.last_name,
        "fullName": person.full_name,
        "phones": list(person.phones),
        "linkedinUrl": person.linkedin_url,
        "city": person.city,
        "state": person.place.state,
        "country": "United States",
        "ageRange": person.age_range,
        "gender": person.gender,
    }


def _at_work(person: Person, settings: SandboxSettings) -> Json:
    company, size = person.company, SIZES[person.company.size - 1]
    return {
        "jobTitle": person.title,
        "seniority": respelled(person.seniority, settings.profile),
        "department": person.department,
        "company": company.name,
        "companyDomain": company.domain,
        "companyIndustry": INDUSTRIES[company.industry - 1].name,
        "companySize": size,
        "companyEmployeeCount": int(size.split()[0].rstrip("+")),
        "companyRevenue": REVENUES[company.revenue - 1],
    }


def _behaviour(seen: Seen) -> Json:
    pixel, last = seen[-1]
    paths = [path for _, visit in seen for path in visit.paths]
    keen = [paths.count(path) for path in _KEEN_PATHS]
    return {
        "landingPage": _page(pixel, last.paths[0]),
        "visitedPages": [_page(pixel, path) for path in dict.fromkeys(paths)],
        "referrerDomain": last.source.referrer,
        "utmSource": last.source.source,
        "utmMedium": last.source.medium,
        "utmCampaign": last.source.campaign,
        "sessions": len(seen),
        "pageviews": len(paths),
        "pricingPageViews": keen[0],
        "demoPageViews": keen[1],
        "checkoutPageViews": keen[2],
        "visit_duration": sum(visit.seconds for _, visit in seen),
        "intentScore": _level(sum(keen) + len(seen)),
        "lastSeenAt": timestamp(last.moment),
    }


def _page(pixel: Pixel, path: str) -> str:
    return f"https://{pixel.domain}{path}"


def _level(signs: int) -> str:
    return ("low", "low", "medium")[signs] if signs < 3 else "high"


VISITORS = (Endpoint("GET", "/v1/data", list_visitors),)
