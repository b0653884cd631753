"""What is kept of one field of a person: as it came, and as questions may see it."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from leadpipe_mcp.people.columns import Column
from leadpipe_mcp.people.masking import is_harmless
from leadpipe_mcp.people.privacy import PLAIN_LIMIT, show

Stored = str | int | float | None
"""What stands in a cell; None where nothing is known."""

LONGEST_TEXT = 100_000

_INTEGER = re.compile(r"-?\d{1,18}", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,15}\.\d{1,15}", re.ASCII)
_LARGEST = 2**63
_FLAGS = {"true": "y", "yes": "y", "1": "y", "false": "n", "no": "n", "0": "n", "y": "y", "n": "n"}
# What most addresses and numbers look like. These are masked here, which is ten times as fast.
_USUAL_EMAIL = re.compile(
    r"([A-Za-z0-9])[A-Za-z0-9._+-]{0,63}@([A-Za-z0-9-]{1,63}(?:\.[a-z]{2,63})+)"
)
_USUAL_PHONE = re.compile(r"\+1\d{6}(\d{4})", re.ASCII)
_USUAL_LENGTH = 200
_HASH = re.compile(r"[0-9a-f]{32,128}")
# Of what was made is remembered what came of so many characters.
_MOST_REMEMBERED = 250_000
_HASHABLE = {str, int, type(None)}

Made = tuple[Stored, Stored]
"""A value as questions may see it, and as it came where that is something else."""

NOTHING: Made = (None, None)


class Cells:
    """Makes the cells of one column.

    Most columns have the same texts again and again, so that each is looked at once, and what was
    made of it is remembered. Columns that tell the same addresses may have one of these together.
    """

    def __init__(self, column: Column) -> None:
        self._column = column
        self._usual = _USUAL.get(column.kind) if column.holds in {"text", "list"} else None
        self._forget()

    def of(self, values: Sequence[object]) -> list[Made]:
        """What is made of each value."""
        # Of other kinds, some are equal and yet something else: True is 1 and 1.0.
        if not set(map(type, values)) <= _HASHABLE:
            return [self._new(value) for value in values]
        new = set(values).difference(self._known)
        self._room -= sum(len(value) for value in new if isinstance(value, str))
        if self._room < 0:
            self._forget()
            new = set(values).difference(self._known)
        self._known.update((value, self._new(value)) for value in new)
        return list(map(self._known.__getitem__, values))

    def _forget(self) -> None:
        self._known: dict[object, Made] = {None: NOTHING, "": NOTHING}
        self._room = _MOST_REMEMBERED

    def _new(self, value: object) -> Made:
        if self._usual and isinstance(value, str) and len(value) < _USUAL_LENGTH:
            # As below, in one step for what nearly every text is.
            seen = self._usual(value) if value.isprintable() else None
            if seen:
                return (seen, None if seen == value else value)
        if value.__class__ is int and self._column.holds == "number":
            number = _number(cast("int", value))
            return (number, None)
        came = whole(self._column, value)
        seen = shown(self._column, came)
        return (seen, None if came == seen else came)


def whole(column: Column, value: object) -> Stored:
    """The value as the column holds it, without what no database takes: NULs, lone surrogates."""
    if column.holds == "number" and isinstance(value, int | float):
        return _number(value)
    text = _storable(value if isinstance(value, str) else _text(value))
    if column.holds == "number":
        return _read_number(text)
    if column.holds == "flag":
        text = _FLAGS.get(text.strip().lower(), text)
    return text or None


def shown(column: Column, value: Stored) -> Stored:
    """What `whole` made, as questions may see it; nothing, if it is what strangers wrote."""
    if value is None or column.kind == "untrusted":
        return None
    if isinstance(value, str) and len(value) < _USUAL_LENGTH:
        usual = _USUAL[column.kind](value)
        if usual:
            return usual
    seen = show(column, value, contact=False)
    return None if seen == "" else seen


def _usual_emails(text: str) -> str | None:
    """The addresses masked, if each is a usual one."""
    found = [_USUAL_EMAIL.fullmatch(part) for part in text.split(", ")]
    return ", ".join([f"{m[1]}•••@{m[2]}" for m in found if m]) if all(found) else None


def _usual_phones(text: str) -> str | None:
    found = [_USUAL_PHONE.fullmatch(part) for part in text.split(", ")]
    return ", ".join([f"+1•••{m[1]}" for m in found if m]) if all(found) else None


def _usual_plain(text: str) -> str | None:
    """The text as it is, if an answer shows it so."""
    is_tidy = len(text) <= PLAIN_LIMIT and "  " not in text and text.strip() == text
    if is_tidy and is_harmless(text):
        return text
    return text if _HASH.fullmatch(text) else None


_USUAL = {
    "email": _usual_emails,
    "phone": _usual_phones,
    "plain": _usual_plain,
    "private": _usual_plain,
}


def _number(value: float) -> Stored:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if -_LARGEST <= value < _LARGEST else str(value)


def _read_number(text: str) -> Stored:
    """The number that a text is, or the text if it is none."""
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text or None


def _text(value: object) -> str:
    """The value as text: several parts with commas between."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        value = tuple(cast("Mapping[object, object]", value).values())
    if isinstance(value, list | tuple):
        parts = cast("Iterable[object]", value)
        return ", ".join(_text(part) for part in parts if part is not None)
    if isinstance(value, bool):
        return "y" if value else "n"
    # 15550100142.0 is a phone number that went through a spreadsheet.
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _storable(text: str) -> str:
    """The text without NULs and lone surrogates, cut where nobody would read on."""
    if len(text) > LONGEST_TEXT:
        text = text[:LONGEST_TEXT]
    if text.isprintable():
        return text
    if not text.isascii():
        text = text.encode("utf-8", "ignore").decode()
    return text.replace("\0", "")
