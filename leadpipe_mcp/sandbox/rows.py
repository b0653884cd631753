"""One person as each generation shows them: in previews, in queries and in results."""

from leadpipe_mcp.sandbox.configs import respelled
from leadpipe_mcp.sandbox.matching import Hit
from leadpipe_mcp.sandbox.settings import SandboxSettings
from leadpipe_mcp.sandbox.simulator import Json, choose
from leadpipe_mcp.sandbox.topics import find_topic
from leadpipe_mcp.sandbox.world import COUNTRY, person_of

# What a preview shows of a person, and what it withholds (TS).
_PREVIEWED = """
hem intentScore topicId topicName matchedTopicIds topicOverlap firstName ageRange gender isB2b isB2c
city state jobTitle seniority department company companyIndustry companySize companyRevenueRange
"""
_WITHHELD = """
headline incomeRange netWorth companyDomain companyRevenue companyLinkedinUrl companyNaics
companySic linkedinUrl
"""


def person_row(hit: Hit, settings: SandboxSettings) -> Json:
    """A row of a query: 56 fields (TS), and the `hem` that OA requires."""
    facts, topic = person_of(hit.people, hit.person).facts, find_topic(hit.topics[0])
    return {
        "hem": facts["hem"],
        "intentScore": hit.score,
        "topicId": hit.topics[0],
        "topicName": topic.name if topic else None,
        "matchedTopicIds": hit.topics,
        "topicOverlap": len(hit.topics),
        **facts,
        "seniority": respelled(str(facts["seniority"]), settings.profile),
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
    email, business, phones = person.emails[0], person.business_emails, person.phones
    return {
        **choose(row, _PREVIEWED),
        **dict.fromkeys(_WITHHELD.split()),
        "lastName": _initial(row),
        "email": _masked(email),
        "businessEmail": _masked(business[0]) if business else None,
        "directNumbers": f"{phones[0][:2]}********{phones[0][-2:]}" if phones else None,
        "emailHashes": {"sha256": row["hem"], "sha1": None, "md5": None},
        "masked": True,
    }


def catalog_preview_row(hit: Hit) -> Json:
    """A row of a preview, its surname hidden."""
    row = catalog_result_row(hit)
    return {
        **choose(row, "hashedEmail firstName lastName jobTitle seniority company intent"),
        "lastName": _initial(row),
        "company": choose(_catalog_company(hit), "name domain industry"),
    }


def catalog_result_row(hit: Hit) -> Json:
    """A row of a run's results."""
    person = person_of(hit.people, hit.person)
    facts = person.facts
    topics = [topic.row for topic_id in hit.topics if (topic := find_topic(topic_id))]
    return {
        "hashedEmail": facts["hem"],
        **choose(facts, "firstName lastName"),
        "fullName": person.full_name,
        **choose(facts, "businessEmail personalEmail email"),
        "primaryContactEmail": facts["businessEmail"] or facts["email"],
        "phone": facts["directNumbers"],
        **choose(facts, "linkedinUrl headline jobTitle seniority department"),
        "company": _catalog_company(hit),
        "location": {**choose(facts, "city state zip"), "country": COUNTRY},
        "demographics": choose(facts, "ageRange gender incomeRange netWorth"),
        "intent": {"score": hit.score, "topicOverlap": len(hit.topics), "matchedTopics": topics},
    }


def _catalog_company(hit: Hit) -> Json:
    person = person_of(hit.people, hit.person)
    facts, company = person.facts, person.company
    return {
        "name": company.name,
        "domain": company.domain,
        "industry": company.industry.name,
        "industryGroup": company.industry.group,
        "size": facts["companySize"],
        "revenueRange": facts["companyRevenueRange"],
        "city": company.city,
        "country": COUNTRY,
    }


def _initial(row: Json) -> str:
    return f"{str(row['lastName'])[0]}."


def _masked(email: str) -> str:
    return f"{email[0]}***@{email.partition('@')[2]}"
