"""One person as each generation shows them: in previews, in queries and in results."""

import hashlib
from collections.abc import Iterable, Sequence

from leadpipe_mcp.sandbox.facets import respelled
from leadpipe_mcp.sandbox.matching import Hit
from leadpipe_mcp.sandbox.people import Person, person_of
from leadpipe_mcp.sandbox.replies import Json
from leadpipe_mcp.sandbox.settings import Profile, SandboxSettings
from leadpipe_mcp.sandbox.topics import find_topic
from leadpipe_mcp.sandbox.vocabulary import INDUSTRIES, PLACES, REVENUE_DOLLARS, REVENUES, SIZES

SEPARATOR = ", "
"""What stands between the parts of a flat multi-value field."""
# What a preview shows, masked or withheld, of a person (TS).
_WITHHELD = (
    "headline",
    "incomeRange",
    "netWorth",
    "companyDomain",
    "companyRevenue",
    "companyLinkedinUrl",
    "companyNaics",
    "companySic",
)
_PREVIEWED = """
intentScore topicId topicName matchedTopicIds topicOverlap firstName ageRange gender isB2b isB2c
city state jobTitle seniority department company companyIndustry companySize companyRevenueRange
"""


def person_row(hit: Hit, settings: SandboxSettings) -> Json:
    """A row of a query: 56 fields (TS), and the `hem` that OA requires."""
    person = person_of(hit.world, hit.person)
    return {
        "hem": person.hashed_email,
        **_flat_intent(hit),
        **_private(person),
        **_role(person, settings.profile),
        **_flat_company(person),
        "country": "United States",
        **_contact(person),
        "emailHashes": _hashes(person.email),
        "allEmailHashes": SEPARATOR.join(
            hashlib.sha256(email.encode()).hexdigest() for email in _all_emails(person)
        ),
    }


def flat_result_row(hit: Hit, settings: SandboxSettings) -> Json:
    """A row of a saved audience's results: 55 fields (TS), with `personId`."""
    row = person_row(hit, settings)
    country = row.pop("country")
    for field in ("hem", "emailHashes", "allEmailHashes"):
        del row[field]
    return {"personId": f"person-{hit.person:06}", **row, "companyCountry": country}


def flat_preview_row(hit: Hit, settings: SandboxSettings) -> Json:
    """A row of a preview: 34 fields (TS) with the ways to the person masked, and `hem` (OA)."""
    person = person_of(hit.world, hit.person)
    row = person_row(hit, settings)
    business = person.business_emails[0] if person.business_emails else None
    return {
        "hem": row["hem"],
        **{field: row[field] for field in _PREVIEWED.split()},
        **dict.fromkeys(_WITHHELD),
        "lastName": f"{person.last_name[0]}.",
        "email": mask_email(person.email),
        "businessEmail": business and mask_email(business),
        "linkedinUrl": None,
        "directNumbers": mask_phone(person.phones[0]) if person.phones else None,
        "emailHashes": {"sha256": person.hashed_email, "sha1": None, "md5": None},
        "masked": True,
    }


def mask_email(email: str) -> str:
    """The first letter and the domain."""
    name, _, domain = email.partition("@")
    return f"{name[0]}***@{domain}"


def mask_phone(phone: str) -> str:
    """The country and the last two digits."""
    return f"{phone[:2]}********{phone[-2:]}"


def _flat_intent(hit: Hit) -> Json:
    topic = find_topic(hit.topics[0])
    return {
        "intentScore": hit.score,
        "topicId": hit.topics[0],
        "topicName": topic.name if topic else None,
        "matchedTopicIds": hit.topics,
        "topicOverlap": len(hit.topics),
    }


def _private(person: Person) -> Json:
    return {
        "firstName": person.first_name,
        "lastName": person.last_name,
        "ageRange": person.age_range,
        "gender": person.gender,
        "incomeRange": person.income,
        "netWorth": person.worth,
        "hasChildren": _yes_no(answer=person.has_children),
        "isHomeowner": _yes_no(answer=person.owns_home),
        "isMarried": _yes_no(answer=person.is_married),
        "isB2b": _yes_no(answer=person.is_b2b),
        "isB2c": _yes_no(answer=not person.is_b2b),
        "address": person.street,
        "city": person.city,
        "state": person.place.state,
        "zip": person.zip_code,
        "personalCountry": "United States",
        "photoUrl": None,
    }


def _role(person: Person, profile: Profile) -> Json:
    return {
        "jobTitle": person.title,
        "jobTitleNormalized": person.title.lower(),
        "seniority": respelled(person.seniority, profile),
        "department": person.department,
        "subdepartments": None,
        "jobFunctions": person.department,
        "headline": person.headline,
    }


def _flat_company(person: Person) -> Json:
    company = person.company
    industry, place = INDUSTRIES[company.industry - 1], PLACES[company.state - 1]
    slug = company.domain.removesuffix(".example")
    return {
        "company": company.name,
        "companyDomain": company.domain,
        "companyIndustry": industry.name,
        "companySize": SIZES[company.size - 1],
        "companyRevenue": REVENUE_DOLLARS[company.revenue - 1],
        "companyRevenueRange": REVENUES[company.revenue - 1],
        "companyCity": company.city,
        "companyState": place.state,
        "companyZip": f"{place.zip_prefix}01",
        "companyLinkedinUrl": f"https://www.linkedin.com/company/sandbox-{slug}",
        "companyDescription": f"{company.name} works in {industry.name}.",
        "companyNaics": industry.naics,
        "companySic": None,
    }


def _contact(person: Person) -> Json:
    def first(values: Sequence[str]) -> str | None:
        return values[0] if values else None

    def every(values: Iterable[str]) -> str | None:
        return SEPARATOR.join(values) or None

    return {
        "phones": every(person.phones),
        "directNumbers": first(person.phones),
        "mobilePhones": every(person.phones[1:]),
        "personalPhones": every(person.phones[1:]),
        "email": person.email,
        "emails": every(_all_emails(person)),
        "personalEmail": first(person.personal_emails),
        "personalEmails": every(person.personal_emails),
        "businessEmail": first(person.business_emails),
        "businessEmails": every(person.business_emails),
        "linkedinUrl": person.linkedin_url,
    }


def _all_emails(person: Person) -> tuple[str, ...]:
    return (*person.personal_emails, *person.business_emails)


def _hashes(email: str) -> Json:
    text = email.encode()
    return {
        "sha256": hashlib.sha256(text).hexdigest(),
        "sha1": hashlib.sha1(text, usedforsecurity=False).hexdigest(),
        "md5": hashlib.md5(text, usedforsecurity=False).hexdigest(),
    }


def _yes_no(*, answer: bool | None) -> str | None:
    return None if answer is None else "y" if answer else "n"


_COUNTRY = "United States"


def catalog_preview_row(hit: Hit) -> Json:
    """A row of a preview, its surname hidden."""
    person = person_of(hit.world, hit.person)
    company = _catalog_company(person)
    return {
        "hashedEmail": person.hashed_email,
        "firstName": person.first_name,
        "lastName": f"{person.last_name[0]}.",
        "jobTitle": person.title,
        "seniority": person.seniority,
        "company": {key: company[key] for key in ("name", "domain", "industry")},
        "intent": _catalog_intent(hit),
    }


def catalog_result_row(hit: Hit) -> Json:
    """A row of a run's results."""
    person = person_of(hit.world, hit.person)
    return {
        "hashedEmail": person.hashed_email,
        "firstName": person.first_name,
        "lastName": person.last_name,
        "fullName": person.full_name,
        "businessEmail": next(iter(person.business_emails), None),
        "personalEmail": next(iter(person.personal_emails), None),
        "email": person.email,
        "primaryContactEmail": person.primary_contact_email,
        "phone": next(iter(person.phones), None),
        "linkedinUrl": person.linkedin_url,
        "headline": person.headline,
        "jobTitle": person.title,
        "seniority": person.seniority,
        "department": person.department,
        "company": _catalog_company(person),
        "location": {
            "city": person.city,
            "state": person.place.state,
            "zip": person.zip_code,
            "country": _COUNTRY,
        },
        "demographics": {
            "ageRange": person.age_range,
            "gender": person.gender,
            "incomeRange": person.income,
            "netWorth": person.worth,
        },
        "intent": _catalog_intent(hit),
    }


def _catalog_company(person: Person) -> Json:
    company, industry = person.company, INDUSTRIES[person.company.industry - 1]
    return {
        "name": company.name,
        "domain": company.domain,
        "industry": industry.name,
        "industryGroup": industry.group,
        "size": SIZES[company.size - 1],
        "revenueRange": REVENUES[company.revenue - 1],
        "city": company.city,
        "country": _COUNTRY,
    }


def _catalog_intent(hit: Hit) -> Json:
    topics = [topic for topic_id in hit.topics if (topic := find_topic(topic_id))]
    return {
        "score": hit.score,
        "topicOverlap": len(hit.topics),
        "matchedTopics": [
            {
                "topicId": topic.id,
                "topicName": topic.name,
                "type": topic.type,
                "industry": topic.industry,
                "category": topic.category,
            }
            for topic in topics
        ],
    }
