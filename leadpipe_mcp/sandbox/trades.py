"""How trades, ranks and sizes of companies differ: who works where, and how to reach them.

This is not a country but the part of it that shows up in business intent data, so software and
those who decide what to buy are overrepresented: an ordinary brief should find a usable number.
"""

from typing import NamedTuple

from leadpipe_mcp.sandbox.vocabulary import DEPARTMENTS, INDUSTRIES


class Trade(NamedTuple):
    """Industries that are alike."""

    industries: tuple[str, ...]
    states: dict[str, float]
    """How much commoner its companies are in a state than people are; 1 where nothing is said."""
    departments: dict[str, float]
    """How common each department is, where it differs from `_ANY_DEPARTMENT`."""
    growth: float
    """How much likelier each size of company is than the one below, beside what is usual."""
    revenue: int
    """How many ranges of revenue its companies are ahead of others of their size."""
    linkedin: int
    """How many of a hundred people have a profile, before rank is looked at."""
    has_partners: bool


# industries | states | departments | growth | revenue | LinkedIn | partners
_TRADES = """
software development,computer and network security|california 4.5,washington 4.5,massachusetts 4,new york 2,texas 2,colorado 2.2,utah 3.5,oregon 1.5,virginia 1.4|engineering 22,product management 10,marketing 20,sales 17,customer success 7,design 5,information technology 6,operations 4,finance 4,human resources 4,research 2,administrative 1|1|1|80|
information technology and services,telecommunications|virginia 3,texas 1.8,california 1.8,georgia 2,new jersey 2.5,washington 2,maryland 2,illinois 1.5|information technology 26,engineering 15,sales 14,marketing 10,customer success 7,operations 8,product management 4|1.05|0|76|
advertising services,public relations,market research,media production,publishing|new york 5,california 3,illinois 2,massachusetts 1.6,district of columbia 4,georgia 1.3|marketing 38,design 12,sales 15,customer success 6,engineering 4,operations 6,information technology 3|0.9|0|78|
management consulting,accounting,architecture and planning|new york 3,district of columbia 6,illinois 2,massachusetts 2.5,virginia 2,texas 1.3,california 1.3|general management 16,finance 20,operations 12,research 6,marketing 10,design 5|0.95|0|76|partners
law practice,legal services|new york 4,district of columbia 12,california 1.4,illinois 1.8,delaware 6,texas 1.2|legal 52,administrative 12,operations 6,marketing 6,engineering 1,information technology 5,sales 3|0.85|0|70|partners
staffing and recruiting,human resources services|florida 2,texas 1.6,illinois 1.6,georgia 1.8,new york 1.6|human resources 36,sales 18,marketing 8,operations 9,engineering 3|0.95|0|78|
financial services,banking,insurance|new york 9,connecticut 5,north carolina 2.5,delaware 5,illinois 1.8,massachusetts 2.2,iowa 2.5,nebraska 2.5,new jersey 2|finance 34,operations 11,sales 13,marketing 10,legal 5,information technology 13,engineering 7,customer success 4,product management 4|1.1|1|72|
venture capital|california 6,new york 9,massachusetts 5|finance 40,general management 18,research 8,marketing 6,engineering 1|0.6|1|82|partners
machinery manufacturing,electronics manufacturing,chemical manufacturing,food and beverage manufacturing|ohio 2.6,michigan 2.6,wisconsin 3,indiana 3,illinois 2,pennsylvania 1.6,texas 1.4,iowa 2,minnesota 1.6|operations 34,engineering 18,sales 13,marketing 6,finance 7,information technology 5,research 4|1.15|0|58|
automotive|michigan 14,ohio 3,indiana 3,tennessee 3,kentucky 3,alabama 2.5,south carolina 2|operations 32,engineering 20,sales 15,marketing 6,finance 6|1.2|1|58|
pharmaceuticals,biotechnology,medical devices|massachusetts 8,new jersey 6,california 2.4,pennsylvania 2,minnesota 3,north carolina 2,maryland 2.5|research 28,operations 14,sales 13,marketing 9,engineering 9,healthcare services 6,legal 4|1.1|1|74|
hospitals and health care,wellness and fitness|tennessee 2,massachusetts 1.8,minnesota 1.8,ohio 1.5,florida 1.4,pennsylvania 1.4|healthcare services 55,administrative 10,operations 10,human resources 6,finance 6,information technology 6,marketing 4,sales 2,engineering 1|1.2|0|56|
retail,wholesale|arkansas 4,minnesota 2,georgia 1.6,ohio 1.5,washington 1.6|operations 30,sales 24,marketing 13,finance 6,engineering 3,design 3|1.1|0|54|
logistics and supply chain,transportation,warehousing,airlines and aviation|tennessee 4,georgia 2.2,illinois 2.4,texas 1.7,kentucky 3,new jersey 2|operations 50,sales 10,marketing 4,finance 6,engineering 4,information technology 6|1.15|0|54|
construction,real estate,facilities services|florida 1.8,texas 1.6,arizona 1.8,nevada 2,colorado 1.4|operations 38,sales 18,marketing 6,finance 8,engineering 7,design 5|0.85|0|52|
higher education,education management|massachusetts 3,pennsylvania 1.6,new york 1.5,north carolina 1.6,connecticut 1.8|education 50,administrative 12,research 10,information technology 7,finance 5,marketing 5,sales 1,engineering 1,operations 4|1.2|-1|66|
nonprofit,government administration|district of columbia 25,virginia 2.5,maryland 3,new york 1.3|administrative 20,general management 14,operations 16,finance 9,human resources 7,legal 6,marketing 8,sales 1,engineering 2|1.1|-1|58|
hospitality|nevada 9,florida 3,hawaii 7,new york 1.4|operations 42,sales 12,marketing 9,human resources 8,engineering 1|1|-1|48|
oil and gas|texas 12,oklahoma 14,louisiana 8,north dakota 20,alaska 12,new mexico 7,wyoming 10,colorado 2|operations 40,engineering 22,finance 8,legal 4,sales 6,marketing 2|1.15|1|56|
utilities,renewable energy|texas 1.6,california 1.5,georgia 1.4,north carolina 1.5,iowa 2|operations 36,engineering 22,finance 7,sales 7,marketing 5|1.15|1|58|
"""  # noqa: E501 - one line per trade reads better than broken ones
_ANY_DEPARTMENT = {
    "marketing": 13.0,
    "sales": 14.0,
    "engineering": 8.0,
    "information technology": 8.0,
    "finance": 8.0,
    "human resources": 6.0,
    "operations": 12.0,
    "product management": 2.0,
    "customer success": 3.0,
    "legal": 2.0,
    "design": 1.0,
    "research": 1.0,
    "general management": 4.0,
    "administrative": 4.0,
    "healthcare services": 0.2,
    "education": 0.2,
}


def _trade(line: str) -> Trade:
    industries, states, departments, growth, revenue, linkedin, partners = line.split("|")
    return Trade(
        tuple(industries.split(",")),
        _numbers(states),
        _numbers(departments),
        float(growth),
        int(revenue),
        int(linkedin),
        has_partners=bool(partners),
    )


def _numbers(text: str) -> dict[str, float]:
    pairs = (part.rsplit(" ", 1) for part in text.split(","))
    return {name: float(number) for name, number in pairs}


TRADES: tuple[Trade, ...] = tuple(_trade(line) for line in _TRADES.split("\n") if line)
TRADE_OF_INDUSTRY: tuple[int, ...] = tuple(
    next(code for code, trade in enumerate(TRADES) if industry.name in trade.industries)
    for industry in INDUSTRIES
)
"""The place in `TRADES` of every industry, in their order."""
DEPARTMENTS_OF_TRADE: tuple[tuple[float, ...], ...] = tuple(
    tuple(trade.departments.get(name, _ANY_DEPARTMENT[name]) for name in DEPARTMENTS)
    for trade in TRADES
)
"""How common each department is in every trade, in their order."""


class Rank(NamedTuple):
    """What is likely of people of one seniority; plain numbers are percent."""

    ages: tuple[float, ...]
    general: int
    """How many manage the company as a whole, beyond those who do so in any rank."""
    business_email: int
    """How many more have one than in the rank where they are rarest; as for the next three."""
    linkedin: int
    phone: int
    personal_email: int
    is_b2b: int


RANKS: dict[str, Rank] = {
    "entry": Rank((17, 42, 21, 12, 6, 2), 0, 0, 0, 0, 0, 64),
    "senior": Rank((3, 38, 32, 17, 8, 2), 0, 8, 6, 4, 1, 75),
    "manager": Rank((1, 27, 37, 22, 10, 3), 1, 11, 9, 7, 2, 82),
    "director": Rank((1, 12, 39, 31, 14, 3), 3, 18, 12, 10, 3, 89),
    "vp": Rank((1, 8, 35, 35, 17, 4), 4, 20, 14, 10, 4, 91),
    "c_suite": Rank((1, 9, 28, 34, 21, 7), 36, 16, 10, 16, 8, 91),
    "owner": Rank((1, 10, 23, 30, 24, 12), 50, 6, 0, 22, 12, 84),
    "partner": Rank((1, 5, 27, 34, 25, 8), 15, 14, 8, 14, 6, 90),
}


class Staff(NamedTuple):
    """What is likely of companies of one size and of the people who work there."""

    companies: int
    """How common such companies are."""
    people: int
    """How many people work at one, beside the other sizes."""
    seniorities: tuple[float, ...]
    """From entry to owner and partner."""
    business_email: int
    """How many have one in the rank where they are rarest, in percent; as for the next two."""
    phone: int
    personal_email: int


STAFFS: tuple[Staff, ...] = (
    Staff(18, 2, (11, 12, 11, 9, 4, 23, 27, 3), 38, 55, 70),
    Staff(22, 3, (17, 19, 17, 16, 8, 14, 7, 2), 54, 53, 66),
    Staff(14, 4, (19, 21, 19, 20, 10, 8, 2, 1), 60, 51, 63),
    Staff(14, 5, (20, 22, 20, 21, 11, 5, 0.5, 0.5), 63, 49, 61),
    Staff(10, 7, (21, 22, 21, 21, 11, 4, 0.2, 0.4), 65, 48, 60),
    Staff(8, 9, (22, 23, 21, 20, 10, 3, 0.2, 0.4), 67, 47, 59),
    Staff(8, 12, (23, 25, 21, 19, 10, 2, 0, 0), 68, 46, 58),
    Staff(3, 16, (25, 26, 21, 17, 9, 1.5, 0, 0), 69, 45, 57),
    Staff(3, 22, (26, 27, 21, 16, 8, 1.5, 0, 0), 69, 44, 56),
)
"""By size, from the smallest on."""
PARTNERS = 9
"""What is added to the commonness of partners where a trade has them."""
