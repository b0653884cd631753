"""How ranks and sizes of companies differ: who is found where, how old, and how to reach them."""

from typing import NamedTuple


class Rank(NamedTuple):
    """What is likely of people of one seniority; plain numbers are percent."""

    ages: tuple[float, ...]
    general: int
    """How many manage the company as a whole, beside those who do so whatever their rank."""
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
