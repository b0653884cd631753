"""What of a person is shown, and how: masked, cleaned, or as it is."""

import re
from collections.abc import Iterable
from typing import cast

from leadpipe_mcp.api.models import Person
from leadpipe_mcp.people.columns import Column, Value, row_of
from leadpipe_mcp.text import clean

UNTRUSTED_LIMIT = 300
PLAIN_LIMIT = 120
CONTACT_LIMIT = 1000

_LIMITS = {"untrusted": UNTRUSTED_LIMIT, "email": CONTACT_LIMIT, "phone": CONTACT_LIMIT}
# Only from the beginning of a word: otherwise a long one would be looked at from every letter.
_EMAIL = re.compile(r"(?<![\w.+%-])[\w.+%-]+(?:[@\uff20]([\w.-]+))+")
_SEPARATOR = re.compile(r"\s*[,;|]\s*")
_VISIBLE_DIGITS = 4


def table(
    people: tuple[Person, ...], columns: tuple[Column, ...], *, contact: bool
) -> list[list[Value]]:
    """The people as rows of the columns; an empty text stands for what is not known.

    E-mail addresses and phone numbers are whole only if `contact` says so.
    """
    rows = (row_of(person) for person in people)
    return [[show(column, column.of(row), contact=contact) for column in columns] for row in rows]


def show(column: Column, value: object, *, contact: bool) -> Value:
    """One field as it may be shown."""
    if value is None:
        return ""
    if isinstance(value, bool | int | float) and column.kind not in {"phone", "email"}:
        return value
    limit = _LIMITS.get(column.kind, PLAIN_LIMIT)
    # Cut at the end: half an address would not be known for one.
    text = clean(_joined(value), limit * 10)
    if column.kind == "phone" and not contact:
        text = ", ".join(mask_phone(number) for number in _SEPARATOR.split(text) if number)
    elif not contact:
        # An address may stand in any field: a name, a headline, a company's description.
        text = mask_emails(text)
    return clean(text, limit)


def mask_emails(text: str) -> str:
    """The text with each e-mail address cut to its first letter and its domain."""
    return _EMAIL.sub(lambda found: f"{found[0][0]}•••@{found[1]}", text)


def mask_phone(number: str) -> str:
    """A phone number's country, if it is +1, and its last four digits."""
    digits = re.sub(r"\D", "", number)
    shown = digits[-_VISIBLE_DIGITS:] if len(digits) > _VISIBLE_DIGITS + 2 else ""
    return f"{'+1' if number.strip().startswith('+1') else ''}•••{shown}"


def _joined(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(str(part) for part in cast("Iterable[object]", value))
    return str(value)
