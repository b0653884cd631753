"""Lists page by page: a cursor says after which moment the next page starts."""

import base64
import json
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol, TypeVar

from leadpipe_mcp.sandbox.days import timestamp
from leadpipe_mcp.sandbox.reading import is_object
from leadpipe_mcp.sandbox.replies import Issue, Json
from leadpipe_mcp.sandbox.sonarly_replies import invalid
from leadpipe_mcp.sandbox.sonarly_settings import SonarlySettings

_NUMBER = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,9})?")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")


class Listed(Protocol):
    """Something with a place in a list."""

    @property
    def id(self) -> str:
        """Decides between two of the same moment."""
        ...

    @property
    def created(self) -> int:
        """The moment in milliseconds."""
        ...


Item = TypeVar("Item", bound=Listed)


class Place(NamedTuple):
    """A place in a list; without an id, that of all items of the moment."""

    moment: str
    id: str = ""


def in_order(items: Iterable[Item], settings: SonarlySettings) -> list[Item]:
    """The items as the settings sort them."""
    return sorted(items, key=_place, reverse=settings.order == "newest")


def cut_page(
    items: Iterable[Item], query: Mapping[str, str], settings: SonarlySettings
) -> tuple[list[Item], str | None]:
    """The page that the query asks for, and the cursor of the next one."""
    limit, place = read_page(query, settings)
    if place is None and "cursor" in query and settings.bad_cursor == "empty_page":
        return [], None
    listed = in_order(items, settings)
    if place is not None:
        listed = [item for item in listed if _is_later(item, place, settings)]
    page, rest = listed[:limit], listed[limit:]
    return page, _write(page[-1], rest[0], settings) if rest else None


def read_page(query: Mapping[str, str], settings: SonarlySettings) -> tuple[int, Place | None]:
    """The limit of the page, and the moment and id that the cursor names; 400 if they are bad."""
    limit, cursor = _limit(query.get("limit"), settings), query.get("cursor")
    place = None if cursor is None else _read(cursor)
    if place is None and cursor is not None and settings.bad_cursor == "reject":
        raise invalid(Issue("cursor", "Invalid cursor"))
    return limit, place


def _place(item: Listed) -> Place:
    return Place(timestamp(item.created / 1000), item.id)


def _is_later(item: Listed, place: Place, settings: SonarlySettings) -> bool:
    """Whether the item comes after the place in the list."""
    here = _place(item)
    if not place.id:
        here = Place(here.moment)
    if settings.ties == "repeat" and here.moment == place.moment:
        return True
    return here < place if settings.order == "newest" else here > place


def _write(last: Listed, following: Listed, settings: SonarlySettings) -> str:
    """The cursor between two items that follow each other."""
    place = _place(following if settings.ties == "repeat" else last)
    content: Json = {"createdAt": place.moment}
    if settings.ties == "exact":
        content["id"] = place.id
    written = json.dumps(content, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(written).decode().rstrip("=")


def _read(cursor: str) -> Place | None:
    padded = cursor + "=" * (-len(cursor) % 4)
    try:
        content: object = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except ValueError:
        return None
    if not is_object(content):
        return None
    moment, item_id = content.get("createdAt"), content.get("id", "")
    if not isinstance(moment, str) or not _MOMENT.fullmatch(moment):
        return None
    return Place(moment, item_id) if isinstance(item_id, str) else None


def _limit(text: str | None, settings: SonarlySettings) -> int:
    if text is None:
        return settings.default_limit
    if not _NUMBER.fullmatch(text):
        raise invalid(Issue("limit", "Expected a number"))
    if float(text) % 1 and settings.fractional_limit == "reject":
        raise invalid(Issue("limit", "Expected an integer"))
    limit = int(float(text))
    if limit < 1:
        if settings.small_limit == "reject":
            raise invalid(Issue("limit", "Expected at least 1"))
        return settings.default_limit
    if limit > settings.largest_limit and settings.excess_limit == "reject":
        raise invalid(Issue("limit", f"Expected at most {settings.largest_limit}"))
    return min(limit, settings.largest_limit)
