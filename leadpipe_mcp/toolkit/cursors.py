"""Cursors: where a page ended, as the assistant hands it back; bound to the question it is of."""

import base64
import hashlib
import json
from typing import Protocol, TypeVar

from pydantic import BaseModel, TypeAdapter

from leadpipe_mcp.errors import NotPossible


class Placed(Protocol):
    """A place in the answer to one question."""

    @property
    def subject(self) -> str:
        """The same for two pages of one question, and different for two questions."""
        ...


P = TypeVar("P", bound=Placed)


def subject_of(question: BaseModel, parts: set[str]) -> str:
    """Return what stands for a question: these of its arguments."""
    asked = question.model_dump(mode="json", include=parts)
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:8]


def write_cursor(kind: TypeAdapter[P], place: P) -> str:
    """Return the place as a cursor."""
    told = kind.dump_json(place, exclude_defaults=True)
    return base64.urlsafe_b64encode(told).decode().rstrip("=")


def read_cursor(kind: TypeAdapter[P], cursor: str, subject: str) -> P:
    """Return the place that a cursor names.

    Raises:
        NotPossible: If it is not a cursor of ours, or one of another question.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        place = kind.validate_json(base64.urlsafe_b64decode(padded))
    except ValueError:
        place = None
    if place is None or place.subject != subject:
        raise NotPossible(
            "The cursor does not belong to this question.",
            "Repeat the arguments of the page that it came from, or leave it out.",
        )
    return place
