"""What of a person is shown, and how: masked, cleaned, or as it is.

Everything that leaves the server about a person goes through here: `show` for an answer, which is
short, and `whole` for a file on the user's machine.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import cast

from leadpipe_mcp.api.reading import Row
from leadpipe_mcp.people.columns import Column, Value, completed
from leadpipe_mcp.people.masking import (
    LONGEST_ADDRESS,
    is_harmless,
    mask_contacts,
    mask_emails,
    only_masked_emails,
    only_masked_phones,
)
from leadpipe_mcp.text import cut, visible

__all__ = ["UNTRUSTED_LIMIT", "contact_fields", "mask_emails", "show", "table", "whole"]

UNTRUSTED_LIMIT = 300
PLAIN_LIMIT = 120
CONTACT_LIMIT = 1000

_LIMITS = {"untrusted": UNTRUSTED_LIMIT, "email": CONTACT_LIMIT, "phone": CONTACT_LIMIT}
_CONTACT = ("email", "phone")
# Larger whole numbers are none of a person's, and many a reader of JSON would change them.
_LARGEST_NUMBER = 2**63
_DEEPEST = 6
_MOST_PARTS = 10_000


def table(
    people: Iterable[Row], columns: tuple[Column, ...], *, contact: bool
) -> list[list[Value]]:
    """The people as rows of the columns; an empty text stands for what is not known.

    E-mail addresses and phone numbers are whole only if `contact` says so.
    """
    rows = (completed(person) for person in people)
    return [[show(column, column.of(row), contact=contact) for column in columns] for row in rows]


def show(column: Column, value: object, *, contact: bool) -> Value:
    """One field as an answer may show it: on one line, cut to what its kind may take."""
    if isinstance(value, bool | int | float) and column.kind not in _CONTACT:
        return value if _is_sound(value) else ""
    limit = _LIMITS.get(column.kind, PLAIN_LIMIT)
    words = _words(value)
    if len(words) <= limit and column.kind not in _CONTACT and is_harmless(words):
        return " ".join(words.split())
    # Cut before it is looked at, so that size costs nothing.
    text = visible(words[: limit * 20])
    if not contact:
        text = _masked(column, text)
    if len(words) > limit * 20:
        # Cut again before the end: half an address would not be known for one.
        text = f"{text[:-LONGEST_ADDRESS]}…"
    return cut(text, limit)


def whole(column: Column, value: object, *, contact: bool) -> Value | None:
    """One field as a file may have it: on one line, but of any length; None if it is not known.

    E-mail addresses and phone numbers are whole only if `contact` says so.
    """
    if isinstance(value, bool | int | float) and column.kind not in _CONTACT:
        return value if _is_sound(value) else None
    text = visible(_words(value), joiners=True)
    return (text if contact else _masked(column, text)) or None


def contact_fields(columns: Iterable[Column]) -> tuple[str, ...]:
    """The names of those columns that hold e-mail addresses or phone numbers."""
    return tuple(column.name for column in columns if column.kind in _CONTACT)


def _masked(column: Column, text: str) -> str:
    if column.kind == "email":
        return only_masked_emails(text)
    if column.kind == "phone":
        return only_masked_phones(text)
    # An address may stand in any field: a name, a headline, a company's description.
    return mask_contacts(text)


def _is_sound(number: float) -> bool:
    # Neither is anything that is not a number.
    return -_LARGEST_NUMBER < number < _LARGEST_NUMBER


def _words(value: object) -> str:
    """The value as text: several parts with commas between, nested ones as well."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return ", ".join(_parts(value, _DEEPEST))


def _parts(value: object, depth: int) -> Iterator[str]:
    """The texts in a value that may be nested."""
    if isinstance(value, int | float):
        if _is_sound(value):
            # 15550100142.0 is a phone number that went through a spreadsheet.
            whole_number = isinstance(value, float) and value.is_integer()
            yield str(int(value) if whole_number else value)
        return
    if isinstance(value, Mapping):
        value = tuple(cast("Mapping[object, object]", value).values())
    if not isinstance(value, list | tuple | set | frozenset):
        if value is not None:
            yield str(value)
        return
    if depth:
        for part in islice(cast("Iterable[object]", value), _MOST_PARTS):
            yield from _parts(part, depth - 1)
