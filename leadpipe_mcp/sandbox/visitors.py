"""Who visited the web sites of an organisation: one record per person and site."""

from leadpipe_mcp.sandbox.calls import Call, Endpoint
from leadpipe_mcp.sandbox.days import SECONDS_PER_DAY, timestamp
from leadpipe_mcp.sandbox.dice import dice
from leadpipe_mcp.sandbox.facets import respelled
from leadpipe_mcp.sandbox.people import Person, person_of
from leadpipe_mcp.sandbox.pixels import Pixel
from leadpipe_mcp.sandbox.reading import Form
from leadpipe_mcp.sandbox.replies import Json, Reply, answer
from leadpipe_mcp.sandbox.settings import SandboxSettings, Timeframe
from leadpipe_mcp.sandbox.tracking import site_name
from leadpipe_mcp.sandbox.visits import Visit, visits_of
from leadpipe_mcp.sandbox.vocabulary import INDUSTRIES, REVENUES, SIZES
from leadpipe_mcp.sandbox.world import world_of

_DAYS: dict[Timeframe, int | None] = {
    "24h": 1,
    "7d": 7,
    "14d": 14,
    "30d": 30,
    "90d": 90,
    "all": None,
}
_LONGEST_EMAIL, _LONGEST_DOMAIN = 320, 255
_LARGEST_PAGE = 10**6
# One visitor in five is known by an email address alone.
_THIN = 0.2
_KEEN_PATHS = ("/pricing", "/demo", "/checkout")
Seen = list[tuple[Pixel, Visit]]


def list_visitors(call: Call) -> Reply:
    """A page of visitors, the last seen first; none where no active pixel watches."""
    form = Form(dict(call.query))
    timeframe = form.choice("timeframe", tuple(_DAYS)) or call.settings.data_timeframe
    email, domain = form.text("email", _LONGEST_EMAIL), form.text("domain", _LONGEST_DOMAIN)
    call.refuse_issues(form)
    page = call.number("page", 1, 1, _LARGEST_PAGE)
    journeys = _journeys(_seen(call, timeframe, domain))
    if email:
        journeys = [seen for seen in journeys if email.lower() in _emails(call, seen)]
        if call.settings.journey == "visits":
            journeys = [[step] for seen in journeys for step in reversed(seen)]
    journeys.sort(key=lambda seen: -seen[-1][1].moment)
    size = call.settings.data_page_size
    shown = journeys[(page - 1) * size : page * size]
    return answer([_record(call, seen) for seen in shown], _meta(call, len(journeys), page))


def _seen(call: Call, timeframe: Timeframe, domain: str | None) -> Seen:
    days, settings = _DAYS[timeframe], call.settings
    since = 0 if days is None else call.now - days * SECONDS_PER_DAY
    wanted = None if domain is None else site_name(domain, settings)
    return [
        step
        for pixel in call.organisation.pixels
        if wanted in (None, pixel.domain)
        and (pixel.status == "active" or settings.paused_pixel_keeps_visitors)
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
    size = call.settings.data_page_size
    return {
        "total": total,
        "page": page,
        "pageSize": size,
        "totalPages": -(-total // size),
        "hasMore": page * size < total,
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


ENDPOINTS = (Endpoint("GET", "/v1/data", list_visitors),)
