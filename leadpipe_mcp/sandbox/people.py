"""Everything about one person, made from their number only when somebody asks."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from leadpipe_mcp.sandbox.companies import Company
from leadpipe_mcp.sandbox.dice import dice
from leadpipe_mcp.sandbox.vocabulary import (
    AGE_RANGES,
    CONTACT_BITS,
    DEPARTMENT_OF_ROLE,
    GENDERS,
    PLACES,
    SENIORITY_OF_ROLE,
    TITLES,
    Place,
)
from leadpipe_mcp.sandbox.world import World

Choice = TypeVar("Choice")
_FEMALE = """
Abigail Alma Amara Anika Beatriz Bonnie Camila Celeste Clara Dahlia Delia Edith Elena Esme Farah
Fiona Freya Gemma Greta Hana Helena Imani Ingrid Iris Jana Joanna Juno Keiko Lara Leona Lila Mabel
Maren Mina Nadia Nora Odette Opal Paloma Petra Rhea Rosa Sabine Selma Talia Thea Uma Vera Willa Yara
"""
_MALE = """
Aaron Abel Alistair Amir Anton Basil Bruno Caleb Cedric Conrad Dario Desmond Edgar Elias Emil Felix
Finn Gideon Gustav Hector Hugo Ivan Jasper Joel Jonas Kenji Kofi Lars Leon Linus Magnus Marco Mateo
Milo Nico Niels Omar Orson Otto Percy Quentin Rafael Rohan Rufus Silas Stefan Theo Tobias Viktor
Wendell
"""
_SURNAME_STARTS = """
Ash Brook Cald Dun Elder Fair Glen Hather Iver Kel Lang Mar North Oak Penn Quill Raven Stan Thorn
Under Vale West Wick Yar Zell
"""
_SURNAME_ENDS = "well ford more wick land ley ston worth field combe hurst gate mere bury"
_FIRST_NAMES = (_FEMALE.split(), _MALE.split())
_SURNAMES = [start + end for start in _SURNAME_STARTS.split() for end in _SURNAME_ENDS.split()]
_PERSONAL_HOSTS = ("example.com", "example.org", "example.net")
_STREETS = ("Oak", "Cedar", "Maple", "Main", "Park", "Lake", "Hill", "Elm", "River", "Mill")
_INCOMES = ("under $50,000", "$50,000 to $99,999", "$100,000 to $149,999", "$150,000 and over")
_WORTHS = ("under $100,000", "$100,000 to $249,999", "$250,000 to $499,999", "$500,000 and over")
# How often a fact of private life is known at all.
_KNOWN = 0.8
# A prime, so that steps of it visit every number once in a world of any usual size.
_STEP = 1_000_003


@dataclass(frozen=True, slots=True)
class Person:
    """One invented person; what is not known of them is None or empty."""

    number: int
    first_name: str
    last_name: str
    gender: str
    age_range: str
    income: str | None
    worth: str | None
    has_children: bool | None
    owns_home: bool | None
    is_married: bool | None
    street: str
    place: Place
    city: str
    zip_code: str
    title: str
    seniority: str
    department: str
    company: Company
    business_emails: tuple[str, ...]
    personal_emails: tuple[str, ...]
    phones: tuple[str, ...]
    linkedin_url: str | None
    is_b2b: bool

    @property
    def full_name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}"

    @property
    def headline(self) -> str:
        """What the person writes about themselves."""
        return f"{self.title} at {self.company.name}"

    @property
    def email(self) -> str:
        """The address the service knows the person by: the private one where there is one."""
        return (*self.personal_emails, *self.business_emails)[0]

    @property
    def primary_contact_email(self) -> str:
        """The address to write to: the business one where there is one."""
        return (*self.business_emails, *self.personal_emails)[0]

    @property
    def hashed_email(self) -> str:
        """SHA-256 of the address, in hexadecimal digits."""
        return hashlib.sha256(self.email.encode()).hexdigest()


def person_of(world: World, number: int) -> Person:
    """The person with this number, the same every time."""
    columns, company = world.columns, world.company_of(number)
    roll = dice(f"person {number}").random
    place = PLACES[columns["state"][number] - 1]
    at_work = company.state == columns["state"][number]
    gender = columns["gender"][number] - 1
    first, last, again = _name(world.people, number, gender)
    slug = f"{first}.{last}{again}".lower()
    role, contact = columns["role"][number], columns["contact"][number]

    def has(trait: str) -> bool:
        return bool(contact & CONTACT_BITS[trait])

    def maybe(choices: Sequence[Choice]) -> Choice | None:
        return _one(choices, roll()) if roll() < _KNOWN else None

    return Person(
        number=number,
        first_name=first,
        last_name=last,
        gender=GENDERS[gender],
        age_range=AGE_RANGES[columns["age"][number] - 1],
        income=maybe(_INCOMES),
        worth=maybe(_WORTHS),
        has_children=maybe((True, False)),
        owns_home=maybe((True, False)),
        is_married=maybe((True, False)),
        street=f"{int(roll() * 900) + 100} {_one(_STREETS, roll())} Street",
        place=place,
        city=company.city if at_work else _one(place.cities, roll()),
        zip_code=f"{place.zip_prefix}{int(roll() * 100):02}",
        title=TITLES[role],
        seniority=SENIORITY_OF_ROLE[role],
        department=DEPARTMENT_OF_ROLE[role],
        company=company,
        business_emails=(f"{slug}@{company.domain}",) if has("hasBusinessEmail") else (),
        personal_emails=_personal_emails(slug, roll()) if has("hasPersonalEmail") else (),
        phones=_phones(place, roll()) if has("hasPhone") else (),
        linkedin_url=_profile(slug, number) if has("hasLinkedin") else None,
        is_b2b=has("isB2b"),
    )


def _one(choices: Sequence[Choice], roll: float) -> Choice:
    return choices[int(roll * len(choices))]


def _name(people: int, number: int, gender: int) -> tuple[str, str, str]:
    """First name, surname, and a number for the second bearer of the same name and so on."""
    first_names = _FIRST_NAMES[gender]
    place = number * _STEP % people
    rest, first = divmod(place, len(first_names))
    again, surname = divmod(rest, len(_SURNAMES))
    return first_names[first], _SURNAMES[surname], str(again + 1) if again else ""


def _personal_emails(slug: str, roll: float) -> tuple[str, ...]:
    host = _one(_PERSONAL_HOSTS, roll)
    first = f"{slug}@{host}"
    # About one in five has a second address.
    return (first, f"{slug}.home@{host}") if roll * 5 % 1 > _KNOWN else (first,)


def _phones(place: Place, roll: float) -> tuple[str, ...]:
    """One or two numbers of the block that is kept free for stories."""
    line = int(roll * 100)
    first = f"+1{place.area_code}55501{line:02}"
    return (first,) if line % 3 else (first, f"+1{place.area_code}55501{(line + 50) % 100:02}")


def _profile(slug: str, number: int) -> str:
    return f"https://www.linkedin.com/in/sandbox-{slug.replace('.', '-')}-{number:06}"
