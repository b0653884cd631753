"""One person as each generation shows them: in previews, in queries and in results."""

import hashlib
from collections.abc import Iterable

from leadpipe_mcp.sandbox.facets import respelled
from leadpipe_mcp.sandbox.matching import Hit
from leadpipe_mcp.sandbox.settings import SandboxSettings
from leadpipe_mcp.sandbox.simulator import Json
from leadpipe_mcp.sandbox.topics import Topic, find_topic
from leadpipe_mcp.sandbox.vocabulary import REVENUE_DOLLARS, REVENUES, SIZES
from leadpipe_mcp.sandbox.world import Person, person_of

SEPARATOR = ", "
"""What is between the parts of a flat multi-value field."""
_COUNTRY = "United States"
# What a preview shows of a person, and what it withholds (TS).
_PREVIEWED = """
intentScore topicId topicName matchedTopicIds topicOverlap firstName ageRange gender isB2b isB2c
city state jobTitle seniority department company companyIndustry companySize companyRevenueRange
"""
_WITHHELD = """
headline incomeRange netWorth companyDomain companyRevenue companyLinkedinUrl companyNaics
companySic linkedinUrl
"""


def person_row(hit: Hit, settings: SandboxSettings) -> Json:
    """A row of a query: 56 fields (TS), and the `hem` that OA requires."""
    person, topic = person_of(hit.people, hit.person), find_topic(hit.topics[0])
    company, emails = person.company, person.emails
    place = company.place
    return {
        "hem": person.hashed_email,
        "intentScore": hit.score,
        "topicId": hit.topics[0],
        "topicName": topic.name if topic else None,
        "matchedTopicIds": hit.topics,
        "topicOverlap": len(hit.topics),
        "firstName": person.first_name,
        "lastName": person.last_name,
        "ageRange": person.age_range,
        "gender": person.gender,
        "incomeRange": person.income,
        "netWorth": person.worth,
        "hasChildren": person.has_children,
        "isHomeowner": person.owns_home,
        "isMarried": person.is_married,
        "isB2b": "y" if person.is_b2b else "n",
        "isB2c": "n" if person.is_b2b else "y",
        "address": person.street,
        "city": company.city,
        "state": place.state,
        "zip": person.zip_code,
        "personalCountry": _COUNTRY,
        "photoUrl": None,
        "jobTitle": person.title,
        "jobTitleNormalized": person.title.lower(),
        "seniority": respelled(person.seniority, settings.profile),
        "department": person.department,
        "subdepartments": None,
        "jobFunctions": person.department,
        "headline": person.headline,
        "company": company.name,
        "companyDomain": company.domain,
        "companyIndustry": company.industry.name,
        "companySize": SIZES[company.size],
        "companyRevenue": REVENUE_DOLLARS[company.revenue],
        "companyRevenueRange": REVENUES[company.revenue],
        "companyCity": company.city,
        "companyState": place.state,
        "companyZip": f"{place.zip_prefix}01",
        "companyLinkedinUrl": f"https://www.linkedin.com/company/{company.linkedin_name}",
        "companyDescription": f"{company.name} works in {company.industry.name}.",
        "companyNaics": company.industry.naics,
        "companySic": None,
        "country": _COUNTRY,
        "phones": _joined(person.phones),
        "directNumbers": _first(person.phones),
        "mobilePhones": _joined(person.phones[1:]),
        "personalPhones": _joined(person.phones[1:]),
        "email": emails[0],
        "emails": _joined(emails),
        "personalEmail": _first(person.personal_emails),
        "personalEmails": _joined(person.personal_emails),
        "businessEmail": _first(person.business_emails),
        "businessEmails": _joined(person.business_emails),
        "linkedinUrl": person.linkedin_url,
        "emailHashes": {
            "sha256": person.hashed_email,
            "sha1": hashlib.sha1(emails[0].encode(), usedforsecurity=False).hexdigest(),
            "md5": hashlib.md5(emails[0].encode(), usedforsecurity=False).hexdigest(),
        },
        "allEmailHashes": _joined(hashlib.sha256(one.encode()).hexdigest() for one in emails),
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
    row, person = person_row(hit, settings), person_of(hit.people, hit.person)
    business, phone = _first(person.business_emails), _first(person.phones)
    return {
        "hem": row["hem"],
        **{field: row[field] for field in _PREVIEWED.split()},
        **dict.fromkeys(_WITHHELD.split()),
        "lastName": f"{person.last_name[0]}.",
        "email": _masked(person.emails[0]),
        "businessEmail": business and _masked(business),
        "directNumbers": phone and f"{phone[:2]}********{phone[-2:]}",
        "emailHashes": {"sha256": person.hashed_email, "sha1": None, "md5": None},
        "masked": True,
    }


def catalog_preview_row(hit: Hit) -> Json:
    """A row of a preview, its surname hidden."""
    person = person_of(hit.people, hit.person)
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
    person = person_of(hit.people, hit.person)
    return {
        "hashedEmail": person.hashed_email,
        "firstName": person.first_name,
        "lastName": person.last_name,
        "fullName": person.full_name,
        "businessEmail": _first(person.business_emails),
        "personalEmail": _first(person.personal_emails),
        "email": person.emails[0],
        "primaryContactEmail": _first(person.business_emails) or person.emails[0],
        "phone": _first(person.phones),
        "linkedinUrl": person.linkedin_url,
        "headline": person.headline,
        "jobTitle": person.title,
        "seniority": person.seniority,
        "department": person.department,
        "company": _catalog_company(person),
        "location": {
            "city": person.company.city,
            "state": person.company.place.state,
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


def topic_row(topic: Topic) -> Json:
    """A topic as every route shows it."""
    return {
        "topicId": topic.id,
        "topicName": topic.name,
        "type": topic.type,
        "industry": topic.industry,
        "category": topic.category,
    }


def _catalog_company(person: Person) -> Json:
    company = person.company
    return {
        "name": company.name,
        "domain": company.domain,
        "industry": company.industry.name,
        "industryGroup": company.industry.group,
        "size": SIZES[company.size],
        "revenueRange": REVENUES[company.revenue],
        "city": company.city,
        "country": _COUNTRY,
    }


def _catalog_intent(hit: Hit) -> Json:
    topics = [topic_row(topic) for topic_id in hit.topics if (topic := find_topic(topic_id))]
    return {"score": hit.score, "topicOverlap": len(hit.topics), "matchedTopics": topics}


def _first(values: tuple[str, ...]) -> str | None:
    return values[0] if values else None


def _joined(values: Iterable[str]) -> str | None:
    return SEPARATOR.join(values) or None


def _masked(email: str) -> str:
    return f"{email[0]}***@{email.partition('@')[2]}"
