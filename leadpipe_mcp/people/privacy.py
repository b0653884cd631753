"""What of a person is shown, and how: masked, cleaned, or as it is.

Everything about a person that leaves the server goes through here: `show` for an answer, which is
short, and `in_full` for a file on the user's machine.
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
    only_masked_emails,
    only_masked_phones,
)
from leadpipe_mcp.text import cut, visible

UNTRUSTED_LIMIT = 300
PLAIN_LIMIT = 120
CONTACT_LIMIT = 1000

_CONTACT = {"email": only_masked_emails, "phone": only_masked_phones}
_LIMITS = {"untrusted": UNTRUSTED_LIMIT, "email": CONTACT_LIMIT, "phone": CONTACT_LIMIT}
# No fact about a person is larger, and many readers of JSON would change such a number.
_LARGEST_NUMBER = 2**63
_DEEPEST = 6
_MOST_PARTS = 10_000


def table(
    people: Iterable[Row], columns: tuple[Column, ...], *, contact: bool
) -> list[list[Value]]:
    """Return the people as rows of the columns; an empty text means that a field is unknown.

    E-mail addresses and phone numbers are masked unless `contact` is true.
    """
    rows = (completed(person) for person in people)
    return [[show(c, row.get(c.key), contact=contact) for c in columns] for row in rows]


def show(column: Column, value: object, *, contact: bool) -> Value:
    """Return one field as an answer may show it: on one line, cut to the limit of its kind."""
    if isinstance(value, bool | int | float) and column.kind not in _CONTACT:
        return value if _is_sound(value) else ""
    limit = _LIMITS.get(column.kind, PLAIN_LIMIT)
    full = as_text(value)
    if len(full) <= limit and column.kind not in _CONTACT and is_harmless(full):
        return " ".join(full.split())
    # Cut before anything looks at it, so that size costs nothing.
    text = visible(full[: limit * 20])
    if not contact:
        text = _masked(column, text)
    if len(full) > limit * 20:
        # Cut off more at the end: half an address would not be recognized.
        text = f"{text[:-LONGEST_ADDRESS]}…"
    return cut(text, limit)


def in_full(column: Column, value: object, *, contact: bool) -> Value | None:
    """Return one field as a file may have it: on one line, of any length; None if it is unknown.

    E-mail addresses and phone numbers are masked unless `contact` is true.
    """
    if isinstance(value, bool | int | float) and column.kind not in _CONTACT:
        return value if _is_sound(value) else None
    text = visible(as_text(value), joiners=True)
    return (text if contact else _masked(column, text)) or None


def contact_fields(columns: Iterable[Column]) -> tuple[str, ...]:
    """Return the names of the columns that hold e-mail addresses or phone numbers."""
    return tuple(column.name for column in columns if column.kind in _CONTACT)


def _masked(column: Column, text: str) -> str:
    # An address can be in any field: a name, a headline, a company's description.
    return _CONTACT.get(column.kind, mask_contacts)(text)


def _is_sound(number: float) -> bool:
    # NaN is not within the bounds either.
    return -_LARGEST_NUMBER < number < _LARGEST_NUMBER


def as_text(value: object) -> str:
    """Return the value as text: its parts with commas between them, nested ones as well."""
    return value if isinstance(value, str) else ", ".join(_parts(value, _DEEPEST))


def _parts(value: object, depth: int) -> Iterator[str]:
    if isinstance(value, int | float):
        if _is_sound(value):
            # 15550100142.0 is a phone number that went through a spreadsheet.
            yield str(int(value) if isinstance(value, float) and value.is_integer() else value)
        return
    if isinstance(value, Mapping):
        value = tuple(cast("Mapping[object, object]", value).values())
    if isinstance(value, list | tuple | set | frozenset):
        parts = islice(cast("Iterable[object]", value), _MOST_PARTS) if depth else ()
        for part in parts:
            yield from _parts(part, depth - 1)
    elif value is not None:
        yield str(value)
