"""Three thousand invented companies, each where its trade sits, and named after what it does."""

from bisect import bisect
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from leadpipe_mcp.sandbox.dice import dice
from leadpipe_mcp.sandbox.trades import STAFFS, TRADE_OF_INDUSTRY, TRADES, Trade
from leadpipe_mcp.sandbox.vocabulary import INDUSTRIES, PLACES, REVENUES

_COMPANIES = 3_000
_FIRST_WORDS = """
Northwind Bluefern Copperleaf Silverbrook Oakhollow Brightwater Stonemill Redwick Ambergate Foxglen
Ironvale Maplecrest Harborlight Pinecone Larkfield Windermoor Cloudmere Sunhaven Ashgrove Thornbury
Willowbank Moonridge Starling Fernhill Goldcrest Riverbend Graystone Kestrel Hazelmoor Cinderford
Dovetail Elmstead Frostgate Glimmer Hollybrook Ivybridge Junipero Kingfisher Lanternside Meadowlark
Nightjar Otterburn Periwinkle Quillmark Rosefield Saltmarsh Tidewell Umberly Vellum Wrenfield
Yarrowton Zephyrine Acornwood Birchmont Cobblestone Driftwood Emberly Falconer Greenlock Heathrowan
"""
# By group of industries. No word stands in two groups, so that no name is given twice.
_SECOND_WORDS = {
    "technology, information and media": """
Analytics Systems Labs Software Digital Networks Media Technologies Dynamics Interactive Robotics
Data Cloud Logic Stack Apps Signal Metrics Bits Studios Compute Platforms Cyber Code Wireless Press
""",
    "professional services": """
Partners Advisors Consulting Associates Collective Counsel Creative Staffing Research Accounting
Strategy Design
""",
    "financial services": """
Capital Trust Insurance Holdings Ventures Bank Wealth Mutual Equity Credit
""",
    "manufacturing": """
Industries Works Manufacturing Components Foods Chemicals Machines Motors Devices Tooling
""",
    "health care": "Health Biotech Clinics Pharma Hospitals Therapeutics Wellness Medical Care Bio",
    "trade and transport": "Retail Trading Logistics Freight Airways Supply Stores Transport Depot",
    "property and building": "Builders Properties Estates Construction Homes Contracting Realty",
    "public and social": "Academy Institute Foundation Hotels College Council School Society",
    "energy": "Energy Power Utilities Solar Petroleum Wind Grid",
}


class Company(NamedTuple):
    """A company; industry, size, revenue and state are codes of their columns."""

    name: str
    domain: str
    industry: int
    size: int
    revenue: int
    state: int
    city: str


@lru_cache(maxsize=1)
def found_companies() -> tuple[Company, ...]:
    """All of them, the same every time."""
    roll = dice("companies").random
    industries = _bounds([industry.weight for industry in INDUSTRIES])
    sizes = [_bounds(_sizes(trade)) for trade in TRADES]
    states = [_bounds(_states(trade)) for trade in TRADES]
    names = {group: _names(words.split()) for group, words in _SECOND_WORDS.items()}

    def pick(bounds: Sequence[float]) -> int:
        return bisect(bounds, roll() * bounds[-1])

    def found() -> Company:
        industry = pick(industries)
        trade = TRADE_OF_INDUSTRY[industry]
        size, state = pick(sizes[trade]), pick(states[trade])
        revenue = size + TRADES[trade].revenue + int(roll() * 3) - 1
        name = next(names[INDUSTRIES[industry].group])
        return Company(
            name=name,
            domain=f"{name}.example".lower().replace(" ", "-"),
            industry=industry + 1,
            size=size + 1,
            revenue=min(max(revenue, 0), len(REVENUES) - 1) + 1,
            state=state + 1,
            city=PLACES[state].cities[int(roll() * len(PLACES[state].cities))],
        )

    return tuple(found() for _ in range(_COMPANIES))


def _names(second_words: Sequence[str]) -> Iterator[str]:
    """Every first word with every second word once, so that neighbours differ in both."""
    first_words = _FIRST_WORDS.split()
    return (
        f"{first} {second_words[(again + again * len(first_words) + place) % len(second_words)]}"
        for again in range(len(second_words))
        for place, first in enumerate(first_words)
    )


def _sizes(trade: Trade) -> list[float]:
    return [staff.companies * trade.growth**size for size, staff in enumerate(STAFFS)]


def _states(trade: Trade) -> list[float]:
    return [place.weight * trade.states.get(place.state, 1) for place in PLACES]


def _bounds(weights: Sequence[float]) -> tuple[float, ...]:
    return tuple(accumulate(weights))
