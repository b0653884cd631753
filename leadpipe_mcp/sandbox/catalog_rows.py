"""One person as the API of May 2026 shows them, in a preview and in a run's results."""

from leadpipe_mcp.sandbox.matching import Hit
from leadpipe_mcp.sandbox.people import Person, person_of
from leadpipe_mcp.sandbox.replies import Json
from leadpipe_mcp.sandbox.settings import SandboxSettings
from leadpipe_mcp.sandbox.topics import find_topic
from leadpipe_mcp.sandbox.vocabulary import INDUSTRIES, REVENUES, SIZES

_COUNTRY = "United States"


def preview_row(hit: Hit, settings: SandboxSettings) -> Json:
    """A row of a preview, its surname hidden where the settings say so."""
    person = person_of(hit.world, hit.person)
    masked = settings.preview_masked
    company = _company(person)
    return {
        "hashedEmail": person.hashed_email,
        "firstName": person.first_name,
        "lastName": f"{person.last_name[0]}." if masked else person.last_name,
        "jobTitle": person.title,
        "seniority": person.seniority,
        "company": {key: company[key] for key in ("name", "domain", "industry")},
        "intent": _intent(hit),
    }


def result_row(hit: Hit) -> Json:
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
        "company": _company(person),
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
        "intent": _intent(hit),
    }


def _company(person: Person) -> Json:
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


def _intent(hit: Hit) -> Json:
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
