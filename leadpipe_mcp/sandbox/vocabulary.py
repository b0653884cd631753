"""What can be asked about a person: the values, and the code that each has in a column."""

from pathlib import Path
from typing import NamedTuple

_PLACES = Path(__file__).with_name("places.txt")
"""A line for each state, with the fields of a place."""


class Place(NamedTuple):
    """A state with what an address and a telephone number in it need."""

    state: str
    weight: int
    area_code: str
    zip_prefix: str
    cities: tuple[str, ...]


def table(text: str) -> list[list[str]]:
    """The cells of a text with a row per line and a bar between cells."""
    return [line.split("|") for line in text.strip().split("\n")]


PLACES = tuple(
    Place(state, int(weight), area_code, zip_prefix, tuple(cities.split("/")))
    for state, weight, area_code, zip_prefix, cities in table(_PLACES.read_text(encoding="utf-8"))
)
STATES = tuple(place.state for place in PLACES)


class Industry(NamedTuple):
    """A company industry, how common it is, its classification code and its group."""

    name: str
    weight: int
    naics: str
    group: str


class Group(NamedTuple):
    """Industries that are alike: what their companies are called and who works there."""

    name: str
    words: tuple[str, ...]
    """The second words of company names. No two groups share one."""
    departments: dict[str, int]
    """How common each department is, where it differs from the usual."""


# group | industry:weight:naics,... | words of company names | department:weight,...
_GROUPS = """
technology, information and media|software development:40:511210,information technology and services:10:541512,computer and network security:4:541519,telecommunications:3:517311,media production:2:512110,publishing:1:511130|Analytics Systems Labs Software Digital Networks Media Technologies Dynamics Interactive Robotics Data Cloud Logic Stack Apps|engineering:22,product management:9,marketing:24,sales:17,customer success:7,design:5,operations:5,finance:4,human resources:4
professional services|advertising services:4:541810,management consulting:4:541611,market research:1:541910,public relations:1:541820,staffing and recruiting:2:561311,human resources services:1:541612,law practice:2:541110,legal services:1:541199,accounting:2:541211,architecture and planning:1:541310|Partners Advisors Consulting Associates Collective Counsel Creative Strategy|marketing:20,legal:14,finance:12,human resources:10,general management:8,design:6
financial services|financial services:7:523930,banking:4:522110,insurance:3:524113,venture capital:1:523910|Capital Trust Insurance Holdings Bank Wealth|finance:34,information technology:13,legal:5,marketing:10
manufacturing|machinery manufacturing:3:333249,electronics manufacturing:2:334419,automotive:2:336111,food and beverage manufacturing:2:311999,chemical manufacturing:1:325199,medical devices:2:339112|Industries Works Manufacturing Components Machines|operations:34,engineering:18,research:4,marketing:6
health care|hospitals and health care:6:622110,pharmaceuticals:2:325412,biotechnology:1:541714,wellness and fitness:1:713940|Health Biotech Clinics Pharma Care|healthcare services:45,research:10,administrative:9,marketing:5,sales:5
trade and transport|retail:5:452319,wholesale:2:423990,logistics and supply chain:3:488510,transportation:2:484121,warehousing:1:493110,airlines and aviation:1:481111|Retail Trading Logistics Freight Airways Supply|operations:42,sales:18,marketing:9
property and building|construction:4:236220,real estate:3:531210,facilities services:1:561210|Builders Properties Estates Homes|operations:38,sales:18,marketing:6
public and social|higher education:2:611310,education management:2:611710,nonprofit:2:813319,government administration:2:921190,hospitality:2:721110|Academy Institute Foundation Hotels College|education:30,administrative:16,operations:16,general management:8
energy|utilities:1:221122,oil and gas:2:211120,renewable energy:1:221114|Energy Power Utilities Solar|operations:38,engineering:22,marketing:4
"""  # noqa: E501 - one line per group of industries reads better than broken ones


def _weights(cell: str) -> dict[str, int]:
    pairs = (pair.split(":") for pair in cell.split(","))
    return {name: int(weight) for name, weight in pairs}


GROUPS = tuple(
    Group(name, tuple(words.split()), _weights(departments))
    for name, _, words, departments in table(_GROUPS)
)
INDUSTRIES = tuple(
    Industry(industry, int(weight), naics, group)
    for group, industries, _, _ in table(_GROUPS)
    for industry, weight, naics in (cell.split(":") for cell in industries.split(","))
)
SIZES = (
    *("1 to 10", "11 to 50", "51 to 100", "101 to 250", "251 to 500", "501 to 1000"),
    *("1001 to 5000", "5001 to 10000", "10000+"),
)
REVENUES = (
    *("under 1 million", "1 million to 5 million", "5 million to 10 million"),
    *("10 million to 25 million", "25 million to 50 million", "50 million to 100 million"),
    *("100 million to 250 million", "250 million to 500 million", "500 million to 1 billion"),
    "over 1 billion",
)
REVENUE_DOLLARS = tuple(10**6 * million for million in (0, 1, 5, 10, 25, 50, 100, 250, 500, 1000))
AGE_RANGES = ("18 to 24", "25 to 34", "35 to 44", "45 to 54", "55 to 64", "65 and older")
GENDERS = ("female", "male")


TRAITS = ("business email", "personal email", "linkedin", "phone", "b2b")


class Rank(NamedTuple):
    """How common a seniority is in small, middling and large companies, and who has it."""

    shares: tuple[int, ...]
    ages: tuple[int, ...]
    known: tuple[int, ...]
    """The percentage of whom each of `TRAITS` is true."""


RANKS = {
    "entry": Rank((14, 20, 25), (17, 42, 21, 12, 6, 2), (60, 60, 66, 48, 64)),
    "senior": Rank((16, 22, 26), (3, 38, 32, 17, 8, 2), (68, 61, 72, 52, 75)),
    "manager": Rank((15, 20, 21), (1, 27, 37, 22, 10, 3), (72, 62, 75, 55, 82)),
    "director": Rank((13, 20, 17), (1, 12, 39, 31, 14, 3), (80, 63, 78, 58, 89)),
    "vp": Rank((6, 11, 9), (1, 8, 35, 35, 17, 4), (82, 64, 80, 58, 91)),
    "c_suite": Rank((18, 5, 2), (1, 9, 28, 34, 21, 7), (72, 70, 76, 66, 91)),
    "owner": Rank((15, 1, 0), (1, 10, 23, 30, 24, 12), (55, 78, 66, 72, 84)),
    "partner": Rank((3, 1, 0), (1, 5, 27, 34, 25, 8), (72, 68, 74, 64, 90)),
}
SENIORITIES = tuple(RANKS)
DECISION_MAKERS = frozenset({"director", "vp", "c_suite", "owner", "partner"})


# department | how common it is where nothing else is said | what titles call it | its chief
_DEPARTMENTS = """
marketing|13|Marketing|Chief Marketing Officer|CMO
sales|14|Sales|Chief Revenue Officer|CRO
engineering|8|Engineering|Chief Technology Officer|CTO
information technology|8|IT|Chief Information Officer|CIO
finance|8|Finance|Chief Financial Officer|CFO
human resources|6|Human Resources|Chief People Officer|CHRO
operations|12|Operations|Chief Operating Officer|COO
product management|2|Product|Chief Product Officer|CPO
customer success|3|Customer Success|Chief Customer Officer|CCO
legal|2|Legal|Chief Legal Officer|General Counsel
design|1|Design|Chief Design Officer|Chief Creative Officer
research|1|Research|Chief Scientific Officer|CSO
general management|6|Strategy|Chief Executive Officer|CEO
administrative|4|Administration|Chief Administrative Officer|Chief of Staff
healthcare services|1|Clinical Services|Chief Medical Officer|Chief Nursing Officer
education|1|Learning|Chief Learning Officer|Chief Academic Officer
"""
DEPARTMENTS = {name: int(weight) for name, weight, *_ in table(_DEPARTMENTS)}


def _titles(noun: str, chief: str, chief_in_short: str) -> tuple[str, ...]:
    """Two for every seniority, in their order."""
    return (
        *(f"{noun} Coordinator", f"{noun} Associate"),
        *(f"Senior {noun} Specialist", f"{noun} Lead"),
        *(f"{noun} Manager", f"Senior {noun} Manager"),
        *(f"Director of {noun}", f"Senior Director, {noun}"),
        *(f"VP of {noun}", f"Vice President, {noun}"),
        *(chief, chief_in_short),
        *("Owner", f"Co-Founder & Head of {noun}"),
        *(f"Partner, {noun}", "Managing Partner"),
    )


# A person's role is one byte: department * 16 + seniority * 2 + which of two titles.
TITLES = tuple(title for _, _, *words in table(_DEPARTMENTS) for title in _titles(*words))
SENIORITY_OF_ROLE = tuple(SENIORITIES[role // 2 % 8] for role in range(len(TITLES)))
DEPARTMENT_OF_ROLE = tuple(department for department in DEPARTMENTS for _ in range(16))
CHIEF_EXECUTIVES = frozenset({"Chief Executive Officer", "CEO"})

_LABELS = {"vp": "VP", "c_suite": "C-Suite", "cxo": "CXO"}
_SMALL_WORDS = frozenset({"to", "and", "of"})


def label(value: str) -> str:
    """The value as a person would write it: "software development" is "Software Development"."""
    if value in _LABELS:
        return _LABELS[value]
    words = (word if word in _SMALL_WORDS else word.capitalize() for word in value.split(" "))
    return " ".join(words)
