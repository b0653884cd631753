"""Invented companies, and the people who work there: one byte per person and filterable fact.

The facts hang together as in life: departments follow the industry, seniority the size of the
company, and how a person can be reached their seniority. The rest is made when somebody asks.
"""

import hashlib
from array import array
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import count
from typing import NamedTuple

import leadpipe_mcp.sandbox.vocabulary as words
from leadpipe_mcp.sandbox.dice import column, dice
from leadpipe_mcp.sandbox.simulator import Json

_COMPANIES = 2_000
_FIRST_WORDS = """
Northwind Bluefern Copperleaf Silverbrook Oakhollow Brightwater Stonemill Redwick Ambergate Foxglen
Ironvale Maplecrest Harborlight Pinecone Larkfield Windermoor Cloudmere Sunhaven Ashgrove Thornbury
Willowbank Moonridge Starling Fernhill Goldcrest Riverbend Graystone Kestrel Hazelmoor Cinderford
Dovetail Elmstead Frostgate Glimmer Hollybrook Ivybridge Junipero Kingfisher Lanternside Meadowlark
Nightjar Otterburn Periwinkle Quillmark Rosefield Saltmarsh Tidewell Umberly Vellum Wrenfield
Yarrowton Zephyrine Acornwood Birchmont Cobblestone Driftwood Emberly Falconer Greenlock Heathrowan
"""
# By size, from the smallest on: how common such companies are, and how many people work at one.
_SIZE_WEIGHTS = (18, 22, 14, 14, 10, 8, 8, 3, 3)
_STAFF = (2, 3, 4, 5, 7, 9, 12, 16, 22)
# Small, middling or large, for the shares in `RANKS`.
_CLASS_OF_SIZE = (0, 0, 1, 1, 1, 2, 2, 2, 2)


class Company(NamedTuple):
    """A company, named after what it does; size and revenue are places in their tables."""

    name: str
    domain: str
    industry: words.Industry
    size: int
    revenue: int
    place: words.Place
    city: str

    @property
    def linkedin_name(self) -> str:
        """What its LinkedIn page is called."""
        return f"sandbox-{self.domain.removesuffix('.example')}"


def _found() -> tuple[Company, ...]:
    roll, first_words = dice("companies"), _FIRST_WORDS.split()
    weights = [industry.weight for industry in words.INDUSTRIES]
    industries = roll.choices(words.INDUSTRIES, weights, k=_COMPANIES)
    sizes = roll.choices(range(len(words.SIZES)), _SIZE_WEIGHTS, k=_COMPANIES)
    places = roll.choices(words.PLACES, [place.weight for place in words.PLACES], k=_COMPANIES)
    names = {group.name: (group.words, count()) for group in words.GROUPS}
    companies: list[Company] = []
    for industry, size, place in zip(industries, sizes, places, strict=True):
        second_words, used = names[industry.group]
        again, first = divmod(next(used), len(first_words))
        name = f"{first_words[first]} {second_words[(first + again) % len(second_words)]}"
        revenue = min(max(size + roll.choice((-1, 0, 1)), 0), len(words.REVENUES) - 1)
        domain = f"{name}.example".lower().replace(" ", "-")
        city = roll.choice(place.cities)
        companies.append(Company(name, domain, industry, size, revenue, place, city))
    return tuple(companies)


COMPANIES = _found()


class World(NamedTuple):
    """Everybody, as columns of codes: number i of each belongs to person i."""

    people: int
    columns: Mapping[str, bytes]
    """Of industry, size, revenue, state, role, gender, age, and 0 or 1 for each yes or no."""
    employers: "array[int]"
    """The company of each person, as its place in `COMPANIES`."""


@lru_cache(maxsize=8)
def world_of(people: int) -> World:
    """The same people whenever as many are asked for."""
    staff = [_STAFF[company.size] for company in COMPANIES]
    employers = array("H", dice("employers").choices(range(_COMPANIES), staff, k=people))

    def at_work(codes: list[int]) -> bytes:
        return bytes(map(codes.__getitem__, employers))

    groups, ranks = [group.name for group in words.GROUPS], tuple(words.RANKS.values())
    sizes = at_work([company.size for company in COMPANIES])
    classes = sizes.translate(bytes(_CLASS_OF_SIZE).ljust(256))
    by_class = [*zip(*(rank.shares for rank in ranks), strict=True)]
    seniorities = column(classes, "seniority", by_class)
    usual = words.DEPARTMENTS
    by_group = [[*(usual | group.departments).values()] for group in words.GROUPS]
    industry_groups = at_work([groups.index(company.industry.group) for company in COMPANIES])
    departments = column(industry_groups, "department", by_group)
    roles = zip(departments, seniorities, column(bytes(people), "title", [(1, 1)]), strict=True)
    known = {
        trait: column(seniorities, trait, [(100 - percent, percent) for percent in percents])
        for trait, *percents in zip(words.TRAITS, *(rank.known for rank in ranks), strict=True)
    }
    emails = zip(known["personal email"], known["business email"], strict=True)
    columns = {
        "industry": at_work([words.INDUSTRIES.index(company.industry) for company in COMPANIES]),
        "size": sizes,
        "revenue": at_work([company.revenue for company in COMPANIES]),
        "state": at_work([words.PLACES.index(company.place) for company in COMPANIES]),
        "role": bytes(16 * department + 2 * rank + variant for department, rank, variant in roles),
        "gender": column(bytes(people), "gender", [(47, 53)]),
        "age": column(seniorities, "age", [rank.ages for rank in ranks]),
        "hasBusinessEmail": known["business email"],
        # Nobody is without any email address: it is what the service knows people by.
        "hasPersonalEmail": bytes(personal or not business for personal, business in emails),
        "hasLinkedin": known["linkedin"],
        "hasPhone": known["phone"],
        "isB2b": known["b2b"],
    }
    return World(people, columns, employers)


_FEMALE = """
Abigail Alma Amara Anika Beatriz Bonnie Camila Celeste Clara Dahlia Delia Edith Elena Esme Farah
Fiona Freya Gemma Greta Hana Helena Imani Ingrid Iris Jana Joanna Juno Keiko Lara Leona Lila Mabel
Maren Mina Nadia Nora Odette Opal Paloma Petra Rhea Rosa Sabine Selma Talia Thea Uma Vera Willa Yara
"""
_MALE = """
Aaron Abel Alistair Amir Anton Basil Bruno Caleb Cedric Conrad Dario Desmond Edgar Elias Emil Felix
Finn Gideon Gustav Hector Hugo Ivan Jasper Joel Jonas Kenji Kofi Lars Leon Linus Magnus Marco Mateo
Milo Nico Niels Omar Orson Otto Percy Quentin Rafael Rohan Rufus Silas Stefan Theo Tobias Viktor
"""
_SURNAME_STARTS = """
Ash Brook Cald Dun Elder Fair Glen Hather Iver Kel Lang Mar North Oak Penn Quill Raven Stan Thorn
Under Vale West Wick Yar Zell
"""
_SURNAME_ENDS = "well ford more wick land ley ston worth field combe hurst gate mere bury"
_FIRST_NAMES = (_FEMALE.split(), _MALE.split())
_SURNAMES = [start + end for start in _SURNAME_STARTS.split() for end in _SURNAME_ENDS.split()]
_STREETS = ("Oak", "Cedar", "Maple", "Main", "Park", "Lake", "Hill", "Elm", "River", "Mill")
# About one fact of private life in five is not known.
_INCOMES = (
    *("under $50,000", "$50,000 to $99,999", "$100,000 to $149,999", "$150,000 and over"),
    None,
)
_WORTHS = ("under $100,000", "$100,000 to $249,999", "$250,000 to $499,999", "over $500,000", None)
_YES_NO = ("y", "y", "n", "n", None)
COUNTRY = "United States"
SEPARATOR = ", "
"""What is between the parts of a flat multi-value field."""


class Person(NamedTuple):
    """One invented person."""

    number: int
    company: Company
    business_emails: tuple[str, ...]
    personal_emails: tuple[str, ...]
    phones: tuple[str, ...]
    facts: Json
    """What a query of the flat generation tells of them; what is not known is None."""

    @property
    def emails(self) -> tuple[str, ...]:
        """All addresses; the service knows the person by the first, a private one if any."""
        return (*self.personal_emails, *self.business_emails)

    @property
    def full_name(self) -> str:
        """First and last name."""
        return f"{self.facts['firstName']} {self.facts['lastName']}"


@lru_cache(maxsize=4_096)
def person_of(people: int, number: int) -> Person:
    """The person with this number in a world of that many, the same every time."""
    world = world_of(people)
    codes = {name: codes[number] for name, codes in world.columns.items()}
    company, roll = COMPANIES[world.employers[number]], dice(f"person {number}")
    place, title = company.place, words.TITLES[codes["role"]]
    department, is_b2b = words.DEPARTMENT_OF_ROLE[codes["role"]], codes["isB2b"]
    first, last = roll.choice(_FIRST_NAMES[codes["gender"]]), roll.choice(_SURNAMES)
    slug = f"{first}.{last}{number}".lower()
    host = roll.choice(("example.com", "example.org", "example.net"))
    # One in five has a second private address, one in three a second telephone. The numbers are
    # of the block that is kept free for stories.
    line, has_two = roll.randrange(100), roll.randrange(5) == 0
    personal = (f"{slug}@{host}", f"{slug}.home@{host}")[: 1 + has_two] * codes["hasPersonalEmail"]
    business = (f"{slug}@{company.domain}",) * codes["hasBusinessEmail"]
    numbers = [f"+1{place.area_code}55501{each % 100:02}" for each in (line, line + 50)]
    phones = tuple(numbers[: 1 + (line % 3 == 0)]) * codes["hasPhone"]
    emails = personal + business
    main = emails[0].encode()
    sha256 = hashlib.sha256(main).hexdigest()
    facts: Json = {
        "hem": sha256,
        "firstName": first,
        "lastName": last,
        "ageRange": words.AGE_RANGES[codes["age"]],
        "gender": words.GENDERS[codes["gender"]],
        "incomeRange": roll.choice(_INCOMES),
        "netWorth": roll.choice(_WORTHS),
        "hasChildren": roll.choice(_YES_NO),
        "isHomeowner": roll.choice(_YES_NO),
        "isMarried": roll.choice(_YES_NO),
        "isB2b": "y" if is_b2b else "n",
        "isB2c": "n" if is_b2b else "y",
        "address": f"{roll.randrange(100, 1_000)} {roll.choice(_STREETS)} Street",
        "city": company.city,
        "state": place.state,
        "zip": f"{place.zip_prefix}{roll.randrange(100):02}",
        "personalCountry": COUNTRY,
        "photoUrl": None,
        "jobTitle": title,
        "jobTitleNormalized": title.lower(),
        "seniority": words.SENIORITY_OF_ROLE[codes["role"]],
        "department": department,
        "subdepartments": None,
        "jobFunctions": department,
        "headline": f"{title} at {company.name}",
        "company": company.name,
        "companyDomain": company.domain,
        "companyIndustry": company.industry.name,
        "companySize": words.SIZES[company.size],
        "companyRevenue": words.REVENUE_DOLLARS[company.revenue],
        "companyRevenueRange": words.REVENUES[company.revenue],
        "companyCity": company.city,
        "companyState": place.state,
        "companyZip": f"{place.zip_prefix}01",
        "companyLinkedinUrl": f"https://www.linkedin.com/company/{company.linkedin_name}",
        "companyDescription": f"{company.name} works in {company.industry.name}.",
        "companyNaics": company.industry.naics,
        "companySic": None,
        "country": COUNTRY,
        "phones": _joined(phones),
        "directNumbers": _joined(phones[:1]),
        "mobilePhones": _joined(phones[1:]),
        "personalPhones": _joined(phones[1:]),
        "email": emails[0],
        "emails": _joined(emails),
        "personalEmail": _joined(personal[:1]),
        "personalEmails": _joined(personal),
        "businessEmail": _joined(business),
        "businessEmails": _joined(business),
        "linkedinUrl": f"https://www.linkedin.com/in/sandbox-{slug.replace('.', '-')}"
        if codes["hasLinkedin"]
        else None,
        "emailHashes": {
            "sha256": sha256,
            "sha1": hashlib.sha1(main, usedforsecurity=False).hexdigest(),
            "md5": hashlib.md5(main, usedforsecurity=False).hexdigest(),
        },
        "allEmailHashes": _joined(hashlib.sha256(one.encode()).hexdigest() for one in emails),
    }
    return Person(number, company, business, personal, phones, facts)


def _joined(values: Iterable[str]) -> str | None:
    return SEPARATOR.join(values) or None
