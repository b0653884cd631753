"""Fifty thousand invented people and the companies they work for, one byte per person and fact."""

import sys
from array import array
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from leadpipe_mcp.sandbox.dice import column, dice, number, share
from leadpipe_mcp.sandbox.geography import PLACES
from leadpipe_mcp.sandbox.vocabulary import (
    AGE_RANGES,
    CONTACT_BITS,
    DEPARTMENT_WEIGHTS,
    INDUSTRIES,
    REVENUES,
    SENIORITY_WEIGHTS,
)

_COMPANIES = 3_000
_TWO_BYTES = 1 << 16
_FIRST_WORDS = """
Northwind Bluefern Copperleaf Silverbrook Oakhollow Brightwater Stonemill Redwick Ambergate Foxglen
Ironvale Maplecrest Harborlight Pinecone Larkfield Windermoor Cloudmere Sunhaven Ashgrove Thornbury
Willowbank Moonridge Starling Fernhill Goldcrest Riverbend Graystone Kestrel Hazelmoor Cinderford
Dovetail Elmstead Frostgate Glimmer Hollybrook Ivybridge Junipero Kingfisher Lanternside Meadowlark
Nightjar Otterburn Periwinkle Quillmark Rosefield Saltmarsh Tidewell Umberly Vellum Wrenfield
Yarrowton Zephyrine Acornwood Birchmont Cobblestone Driftwood Emberly Falconer Greenlock Heathrowan
"""
_SECOND_WORDS = """
Analytics Systems Labs Software Digital Networks Media Partners Advisors Group Holdings Capital
Trust Insurance Industries Works Manufacturing Components Foods Chemicals Health Biotech Clinics
Pharma Retail Trading Logistics Freight Airways Builders Properties Estates Academy Institute
Foundation Hotels Energy Power Utilities Solar Consulting Studios Technologies Dynamics Solutions
Ventures Collective Supply Robotics Interactive
"""
_SIZE_WEIGHTS = (18, 22, 14, 14, 10, 8, 8, 3, 3)
# How much likelier a person works at a company of each size than at the smallest.
_STAFF = (1, 2, 3, 4, 6, 8, 12, 16, 24)


class Company(NamedTuple):
    """A company; industry, size, revenue and state are codes of their columns."""

    name: str
    domain: str
    industry: int
    size: int
    revenue: int
    state: int
    city: str


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """Everybody, as columns: byte i of each belongs to person i."""

    people: int
    companies: tuple[Company, ...]
    company_low: bytes
    company_high: bytes
    columns: dict[str, bytes]
    """role, industry, size, revenue, state, gender, age and contact."""

    def company_of(self, person: int) -> Company:
        """The company that a person works for."""
        return self.companies[self.company_high[person] * 256 + self.company_low[person]]


@lru_cache(maxsize=2)
def world_of(people: int) -> World:
    """The world with this many people in it, the same every time."""
    companies = _found_companies()
    employer = _employ(companies, people)
    by_company = {
        name: bytes(map([getattr(company, name) for company in companies].__getitem__, employer))
        for name in ("industry", "size", "revenue", "state")
    }
    return World(
        people=people,
        companies=companies,
        company_low=_bytes(employer)[0::2],
        company_high=_bytes(employer)[1::2],
        columns={
            **by_company,
            "state": _homes(by_company["state"], people),
            "role": _roles(people),
            "gender": column("gender", (47, 53), people, (1, 2)),
            "age": column("age", (5, 24, 29, 22, 14, 6), people, range(1, len(AGE_RANGES) + 1)),
            "contact": _contacts(people),
        },
    )


def _found_companies() -> tuple[Company, ...]:
    roll = dice("companies").random
    first_words, second_words = _FIRST_WORDS.split(), _SECOND_WORDS.split()
    industries = tuple(accumulate(industry.weight for industry in INDUSTRIES))
    sizes = tuple(accumulate(_SIZE_WEIGHTS))
    states = tuple(accumulate(place.weight for place in PLACES))

    def pick(bounds: tuple[int, ...]) -> int:
        mark = roll() * bounds[-1]
        return next(code for code, bound in enumerate(bounds) if mark < bound)

    companies: list[Company] = []
    for index in range(_COMPANIES):
        first = first_words[index % len(first_words)]
        second = second_words[(index // len(first_words) + index) % len(second_words)]
        size, state = pick(sizes), pick(states)
        revenue = min(max(size + int(roll() * 3) - 1, 0), len(REVENUES) - 1)
        cities = PLACES[state].cities
        companies.append(
            Company(
                name=f"{first} {second}",
                domain=f"{first}-{second}.example".lower(),
                industry=pick(industries) + 1,
                size=size + 1,
                revenue=revenue + 1,
                state=state + 1,
                city=cities[int(roll() * len(cities))],
            )
        )
    return tuple(companies)


def _employ(companies: tuple[Company, ...], people: int) -> "array[int]":
    desks = [
        index for index, company in enumerate(companies) for _ in range(_STAFF[company.size - 1])
    ]
    rolls = array("H", dice("employer").randbytes(2 * people))
    if sys.byteorder == "big":  # pragma: no cover - the rolls are little-endian everywhere
        rolls.byteswap()
    return array("H", [desks[roll * len(desks) // _TWO_BYTES] for roll in rolls])


def _bytes(numbers: "array[int]") -> bytes:
    if sys.byteorder == "big":  # pragma: no cover - as above
        numbers = numbers[:]
        numbers.byteswap()
    return numbers.tobytes()


def _roles(people: int) -> bytes:
    departments = len(DEPARTMENT_WEIGHTS)
    parts = (
        column("department", DEPARTMENT_WEIGHTS, people, range(0, departments * 16, 16)),
        column("seniority", SENIORITY_WEIGHTS, people, range(0, len(SENIORITY_WEIGHTS) * 2, 2)),
        column("variant", (1, 1), people, (0, 1)),
    )
    return sum(map(number, parts)).to_bytes(people, "little")


def _homes(company_states: bytes, people: int) -> bytes:
    states = column("home", [place.weight for place in PLACES], people, range(1, len(PLACES) + 1))
    near_work = share("near work", 0.7, people) * 255
    at_work, elsewhere = number(company_states), number(states)
    return (elsewhere ^ ((elsewhere ^ at_work) & near_work)).to_bytes(people, "little")


def _contacts(people: int) -> bytes:
    everyone = number(b"\1" * people)
    traits = {
        "hasBusinessEmail": share("business email", 0.70, people),
        "hasPersonalEmail": share("personal email", 0.62, people),
        "hasLinkedin": share("linkedin", 0.75, people),
        "hasPhone": share("phone", 0.55, people),
        "isB2b": share("b2b", 0.78, people),
    }
    # Nobody is without any email address: it is what the service knows people by.
    traits["hasPersonalEmail"] |= everyone ^ traits["hasBusinessEmail"]
    return sum(bit * traits[name] for name, bit in CONTACT_BITS.items()).to_bytes(people, "little")
