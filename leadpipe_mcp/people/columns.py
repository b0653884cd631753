"""Every field that is known of a person: its name, where it comes from, and how it is treated."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from leadpipe_mcp.api.models import Person
from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.text import nearest, quoted

Kind = Literal["plain", "email", "phone", "private", "untrusted"]
"""How a field is treated.

plain: shown as it is. email, phone: masked unless contact details are asked for and allowed.
private: address, money and family, shown only when named. untrusted: words that the person or a
website wrote, shown only when named, cleaned, under a name that says so.
"""

Value = str | int | float | bool


@dataclass(frozen=True)
class Column:
    """One field of a person, under the name by which it is asked for."""

    name: str
    kind: Kind = "plain"
    source: str = ""

    def of(self, row: Mapping[str, object]) -> object:
        """The field's value in a row, as the service gave it."""
        return row.get(self.source or self.name)


def _columns(kind: Kind, names: str) -> list[Column]:
    return [Column(name, kind) for name in names.split()]


COLUMNS: Mapping[str, Column] = {
    column.name: column
    for column in [
        Column("name", source="fullName"),
        Column("score", source="intentScore"),
        *_columns("plain", "jobTitle seniority department company companyDomain companyIndustry"),
        *_columns("plain", "companySize companyRevenueRange city state linkedinUrl"),
        Column("topic", source="topicName"),
        *_columns("plain", "topicId topicOverlap id firstName lastName"),
        *_columns("email", "contactEmail email businessEmail personalEmail emails businessEmails"),
        *_columns("email", "personalEmails primaryContactEmail"),
        *_columns("phone", "phone phones directNumbers mobilePhones personalPhones"),
        *_columns("plain", "jobTitleNormalized subdepartments jobFunctions companyIndustryGroup"),
        *_columns("plain", "companyRevenue companyCity companyState companyZip companyCountry"),
        *_columns(
            "plain", "companyLinkedinUrl companyNaics companySic isB2b isB2c matchedTopicIds"
        ),
        *_columns("private", "ageRange gender address zip personalCountry incomeRange netWorth"),
        *_columns("private", "hasChildren isHomeowner isMarried photoUrl"),
        Column("untrustedHeadline", "untrusted", "headline"),
        Column("untrustedCompanyDescription", "untrusted", "companyDescription"),
    ]
}

VISITOR_COLUMNS: Mapping[str, Column] = {
    column.name: column
    for column in [
        COLUMNS["name"],
        *_columns("plain", "jobTitle company city state"),
        Column("country", source="visitorCountry"),
        Column("lastSeen", source="lastSeenAt"),
        *_columns("plain", "pages landingPage pageviews sessions pricingPageViews demoPageViews"),
        *_columns("plain", "checkoutPageViews visitDuration referrerDomain intentLevel"),
        *_columns("plain", "seniority department companyDomain companyIndustry companySize"),
        *_columns("plain", "companyRevenue linkedinUrl firstName lastName"),
        *_columns("plain", "enrichmentLevel enrichmentScore"),
        *_columns("email", "contactEmail email businessEmail personalEmail emails businessEmails"),
        *_columns("email", "personalEmails"),
        *_columns("phone", "phone phones"),
        *_columns("private", "ageRange gender"),
        # Whoever links to the website chooses these words.
        Column("untrustedUtmSource", "untrusted", "utmSource"),
        Column("untrustedUtmMedium", "untrusted", "utmMedium"),
        Column("untrustedUtmCampaign", "untrusted", "utmCampaign"),
    ]
}
"""Every field that is known of a visitor to a website."""

DEFAULT_COLUMNS = (
    "name", "jobTitle", "company", "companyIndustry", "companySize", "state", "score",
    "contactEmail",
)  # fmt: skip


def choose_columns(
    names: tuple[str, ...] | None, known: Mapping[str, Column] = COLUMNS
) -> tuple[Column, ...]:
    """The columns of these names, or the ones shown by default.

    Raises:
        NotPossible: Naming each field that does not exist, with the nearest that do.
    """
    chosen: list[Column] = []
    problems: list[str] = []
    for name in dict.fromkeys(names or DEFAULT_COLUMNS):
        if name in known:
            chosen.append(known[name])
        elif close := nearest(name, known):
            problems.append(f"There is no field '{name}'. Did you mean {quoted(close)}?")
        else:
            problems.append(f"There is no field '{name}'.")
    if problems:
        raise NotPossible(" ".join(problems), f"The fields are: {', '.join(known)}.")
    return tuple(chosen)


def row_of(person: Person) -> dict[str, object]:
    """The person's fields under the service's names, and two that are made of others.

    fullName is made where the service sends none. contactEmail is the address to write to: the
    business one where there is one.
    """
    row = person.model_dump(by_alias=True, exclude_none=True)
    if "fullName" not in row:
        parts = (row.get("firstName"), row.get("lastName"))
        row["fullName"] = " ".join(str(part) for part in parts if part)
    addresses = (row.get(name) for name in ("primaryContactEmail", "businessEmail", "email"))
    row["contactEmail"] = next((address for address in addresses if address), None)
    return row
