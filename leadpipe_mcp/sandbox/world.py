"""Fifty thousand invented people and the companies they work for, one byte per person and fact.

The facts hang together as in life, so that the size of an audience depends on which filters meet:
`trades` says what goes with an industry, `ranks` what goes with seniority and company size.
"""

import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from leadpipe_mcp.sandbox.companies import Company, found_companies
from leadpipe_mcp.sandbox.dice import (
    BYTE,
    chosen,
    column,
    column_by,
    dice,
    everyone,
    lower,
    number,
    percents,
)
from leadpipe_mcp.sandbox.trades import (
    DEPARTMENTS_OF_TRADE,
    PARTNERS,
    RANKS,
    STAFFS,
    TRADE_OF_INDUSTRY,
    TRADES,
)
from leadpipe_mcp.sandbox.vocabulary import (
    AGE_RANGES,
    CONTACT_BITS,
    DEPARTMENTS,
    PLACES,
    SENIORITIES,
)

_TWO_BYTES = 1 << 16
_NEAR_WORK = 75
_RANKS = tuple(RANKS[seniority] for seniority in SENIORITIES)


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


@lru_cache(maxsize=8)
def world_of(people: int) -> World:
    """The world with this many people in it, the same every time."""
    companies = found_companies()
    employer = _employ(companies, people)
    industries, sizes, revenues, states = (
        bytes(map([getattr(company, name) for company in companies].__getitem__, employer))
        for name in ("industry", "size", "revenue", "state")
    )
    trades = _recoded(industries, TRADE_OF_INDUSTRY, first=1)
    ranks = _ranks(sizes, trades)
    ages = range(1, len(AGE_RANGES) + 1)
    return World(
        people=people,
        companies=companies,
        company_low=_bytes(employer)[0::2],
        company_high=_bytes(employer)[1::2],
        columns={
            "industry": industries,
            "size": sizes,
            "revenue": revenues,
            "state": _homes(states),
            "role": _roles(ranks, trades),
            "gender": column("gender", (47, 53), people, (1, 2)),
            "age": column_by(ranks, "age", [rank.ages for rank in _RANKS], ages),
            "contact": _contacts(sizes, trades, ranks),
        },
    )


def _employ(companies: tuple[Company, ...], people: int) -> "array[int]":
    desks = [
        index
        for index, company in enumerate(companies)
        for _ in range(STAFFS[company.size - 1].people)
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


def _recoded(codes: bytes, meanings: Sequence[int], first: int = 0) -> bytes:
    """The meaning of everybody's code, where `first` is the code of the first meaning."""
    return codes.translate(bytes([*bytes(first), *meanings]).ljust(BYTE, b"\0"))


def _homes(states_of_work: bytes) -> bytes:
    people = len(states_of_work)
    states = column("home", [place.weight for place in PLACES], people, range(1, len(PLACES) + 1))
    near_work = lower(percents("near work", people), everyone(people, _NEAR_WORK), people)
    return chosen(near_work, number(states_of_work), number(states)).to_bytes(people, "little")


def _ranks(sizes: bytes, trades: bytes) -> bytes:
    """Everybody's place in SENIORITIES, which depends on how many others work there."""
    usual = [staff.seniorities for staff in STAFFS]
    with_partners = [(*others, partners + PARTNERS) for *others, partners in usual]
    trade_has_partners = [len(usual) * trade.has_partners for trade in TRADES]
    kinds = number(_recoded(sizes, range(len(usual)), first=1)) + number(
        _recoded(trades, trade_has_partners)
    )
    return column_by(
        kinds.to_bytes(len(sizes), "little"),
        "seniority",
        [*usual, *with_partners],
        range(len(SENIORITIES)),
    )


def _roles(ranks: bytes, trades: bytes) -> bytes:
    people, codes = len(ranks), range(0, len(DEPARTMENTS) * 16, 16)
    of_trade = number(column_by(trades, "department", DEPARTMENTS_OF_TRADE, codes))
    general = everyone(people, codes[tuple(DEPARTMENTS).index("general management")])
    leading = number(_recoded(ranks, [rank.general for rank in _RANKS]))
    department = chosen(lower(percents("leading", people), leading, people), general, of_trade)
    seniority = number(_recoded(ranks, range(0, len(SENIORITIES) * 2, 2)))
    variant = number(column("variant", (1, 1), people, (0, 1)))
    return (department | seniority | variant).to_bytes(people, "little")


def _contacts(sizes: bytes, trades: bytes, ranks: bytes) -> bytes:
    people = len(sizes)

    def known(trait: str, *chances: bytes) -> int:
        """Those who have the trait, when their chances add up to percent."""
        return lower(percents(trait, people), sum(map(number, chances)), people)

    def by_size(points: Sequence[int]) -> bytes:
        return _recoded(sizes, points, first=1)

    def by_rank(points: Sequence[int]) -> bytes:
        return _recoded(ranks, points)

    traits = {
        "hasBusinessEmail": known(
            "business email",
            by_size([staff.business_email for staff in STAFFS]),
            by_rank([rank.business_email for rank in _RANKS]),
        ),
        "hasPersonalEmail": known(
            "personal email",
            by_size([staff.personal_email for staff in STAFFS]),
            by_rank([rank.personal_email for rank in _RANKS]),
        ),
        "hasLinkedin": known(
            "linkedin",
            _recoded(trades, [trade.linkedin for trade in TRADES]),
            by_rank([rank.linkedin for rank in _RANKS]),
        ),
        "hasPhone": known(
            "phone",
            by_size([staff.phone for staff in STAFFS]),
            by_rank([rank.phone for rank in _RANKS]),
        ),
        "isB2b": known("b2b", by_rank([rank.is_b2b for rank in _RANKS])),
    }
    # Nobody is without any email address: it is what the service knows people by.
    traits["hasPersonalEmail"] |= everyone(people, BYTE - 1) ^ traits["hasBusinessEmail"]
    bits = (traits[name] & everyone(people, bit) for name, bit in CONTACT_BITS.items())
    return sum(bits).to_bytes(people, "little")
