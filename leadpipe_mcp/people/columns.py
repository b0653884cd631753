"""Every field of a person: its name, where it comes from, and how it is treated."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from leadpipe_mcp.api.reading import Row
from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.text import nearest, quoted, redact

Treatment = Literal["plain", "email", "phone", "private", "untrusted"]
"""How a field is treated.

plain: shown as it is. email, phone: masked unless contact details are asked for and allowed.
private: address, money and family, shown only when named. untrusted: written by the person or a
website, shown only when named, cleaned, under a name that says so.
"""

Holds = Literal["text", "number", "flag", "list"]
"""What a field holds. flag: yes or no ("y" and "n"). list: several texts, separated by commas."""

Value = str | int | float | bool

Batch = Mapping[str, Sequence[object]]
"""Some people column by column, under the service's names, which is faster than person by person.
Each column has a value for all of them: None or an empty text where it is unknown."""


@dataclass(frozen=True)
class Column:
    """One field of a person, under the name that users give it.

    `identifies` says whether its value alone tells who somebody is.
    """

    name: str
    kind: Treatment = "plain"
    source: str = ""
    holds: Holds = "text"
    identifies: bool = False

    @property
    def key(self) -> str:
        """The service's name of the field."""
        return self.source or self.name


def _several(
    names: str, kind: Treatment = "plain", holds: Holds = "text", *, identifies: bool = False
) -> list[Column]:
    return [Column(name, kind, "", holds, identifies) for name in names.split()]


def _by_name(*columns: Column) -> Mapping[str, Column]:
    return {column.name: column for column in columns}


_NAME = Column("name", source="fullName", identifies=True)
_LAST_NAME = Column("lastName", identifies=True)
_LINKEDIN = Column("linkedinUrl", identifies=True)
_EMAILS = [
    *_several("contactEmail email businessEmail personalEmail", "email", identifies=True),
    *_several("emails businessEmails personalEmails", "email", "list", identifies=True),
]
_PHONE = Column("phone", "phone", identifies=True)
_PHOTO = Column("photoUrl", "private", identifies=True)
_HEADLINE = Column("untrustedHeadline", "untrusted", "headline")

COLUMNS = _by_name(
    _NAME,
    Column("score", source="intentScore", holds="number"),
    *_several("jobTitle seniority department company companyDomain companyIndustry"),
    *_several("companySize companyRevenueRange city state"),
    _LINKEDIN,
    Column("topic", source="topicName", holds="list"),
    *_several("topicId topicOverlap", holds="number"),
    Column("id", identifies=True),
    Column("firstName"),
    _LAST_NAME,
    *_EMAILS,
    Column("primaryContactEmail", "email", identifies=True),
    _PHONE,
    *_several("phones directNumbers mobilePhones personalPhones", "phone", "list", identifies=True),
    Column("jobTitleNormalized"),
    *_several("subdepartments jobFunctions", holds="list"),
    Column("companyIndustryGroup"),
    Column("companyRevenue", holds="number"),
    *_several("companyCity companyState companyZip companyCountry"),
    *_several("companyLinkedinUrl companyNaics companySic"),
    *_several("isB2b isB2c", holds="flag"),
    Column("matchedTopicIds", holds="list"),
    *_several("ageRange gender", "private"),
    Column("address", "private", identifies=True),
    *_several("zip personalCountry incomeRange netWorth", "private"),
    *_several("hasChildren isHomeowner isMarried", "private", "flag"),
    _PHOTO,
    _HEADLINE,
    Column("untrustedCompanyDescription", "untrusted", "companyDescription"),
)
"""Every field of a person in an audience, in either generation of the API.

Hashes of addresses are left out: rows of queries have them, saved audiences and files do not.
"""

SEEN_COLUMNS = _by_name(*(column for column in COLUMNS.values() if column.kind != "untrusted"))
"""What questions may see: all but what third parties wrote."""

VISITOR_COLUMNS = _by_name(
    _NAME,
    *_several("jobTitle company city state"),
    Column("country", source="visitorCountry"),
    Column("lastSeen", source="lastSeenAt"),
    Column("pages", holds="list"),
    Column("landingPage"),
    *_several("pageviews sessions pricingPageViews demoPageViews", holds="number"),
    *_several("checkoutPageViews visitDuration", holds="number"),
    *_several("referrerDomain intentLevel"),
    *_several("seniority department companyDomain companyIndustry companySize"),
    Column("companyEmployeeCount", holds="number"),
    Column("companyRevenue"),
    _LINKEDIN,
    Column("firstName"),
    _LAST_NAME,
    *_several("countryCode enrichmentLevel"),
    Column("enrichmentScore", holds="number"),
    *_EMAILS,
    _PHONE,
    *_several("phones allPhones", "phone", "list", identifies=True),
    *_several("ageRange gender", "private"),
    # Anyone who links to the website can choose these words.
    Column("untrustedUtmSource", "untrusted", "utmSource"),
    Column("untrustedUtmMedium", "untrusted", "utmMedium"),
    Column("untrustedUtmCampaign", "untrusted", "utmCampaign"),
)
"""Every field of a visitor to a website."""

PROSPECT_COLUMNS = _by_name(
    _NAME,
    *_several("jobTitle company companyIndustry"),
    _LINKEDIN,
    Column("firstName"),
    _LAST_NAME,
    *_several("companyWebsite companyLinkedinUrl companyLinkedinId companySize"),
    *_several("companyLocation location city state country"),
    *_several("id publicIdentifier", identifies=True),
    Column("email", "email", identifies=True),
    _PHONE,
    _PHOTO,
    _HEADLINE,
    Column("untrustedAbout", "untrusted", "about"),
)
"""Every field of a Sonarly prospect, including those that its truncated document may go on to
name. Answers leave out columns that are empty for everybody."""

DEFAULT_COLUMNS = (
    "name", "jobTitle", "company", "companyIndustry", "companySize", "state", "score",
    "contactEmail",
)  # fmt: skip


def choose_columns(
    names: tuple[str, ...] | None, known: Mapping[str, Column] = COLUMNS
) -> tuple[Column, ...]:
    """Return the columns of these names, or the default ones; refuse the others by name."""
    wanted = tuple(dict.fromkeys(names or DEFAULT_COLUMNS))
    problems = [
        f"There is no field '{redact(name, 60)}'."
        + (f" Did you mean {quoted(close)}?" if (close := nearest(name, known)) else "")
        for name in wanted
        if name not in known
    ]
    if problems:
        raise NotPossible(" ".join(problems), f"The fields are: {', '.join(known)}.")
    return tuple(known[name] for name in wanted)


def completed(person: Row) -> dict[str, object]:
    """Return the person with two fields that are made from others.

    fullName is made where the service sends none. contactEmail is the address to write to: the
    business one if there is one.
    """
    row = dict(person)
    if not row.get("fullName"):
        parts = (row.get("firstName"), row.get("lastName"))
        row["fullName"] = " ".join(str(part) for part in parts if part)
    addresses = (row.get(name) for name in ("primaryContactEmail", "businessEmail", "email"))
    row["contactEmail"] = next((address for address in addresses if address), None)
    return row


def batch_of(rows: Sequence[Mapping[str, object]]) -> Batch:
    """Return rows that `completed` made as a batch."""
    return {column.key: [row.get(column.key) for row in rows] for column in COLUMNS.values()}
