"""One request to Sonarly, the refusals and the pages that its routes answer with."""

import base64
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, TypeVar

from leadpipe_mcp.sandbox.replies import Form, Issue, Json, is_object
from leadpipe_mcp.sandbox.sonarly_store import Audience, Folder, Group, written

_ID = re.compile(r"[0-9a-f]{24}")
_NUMBER = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,9})?")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
_LIMIT, _LARGEST_LIMIT = 25, 100


class SonarlyRefusal(Exception):
    """An answer that is an error, raised from wherever it becomes clear."""

    def __init__(self, status: int, message: str, issues: Sequence[Issue] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.issues = tuple(issues) or (Issue("", message),)


class Success(NamedTuple):
    """What a handler answers."""

    data: Json
    status: Literal[200, 201] = 200


class Listed(Protocol):
    """Something with a place in a list: newest first, and by id among equals."""

    @property
    def id(self) -> str:
        """Decides between two of the same moment."""
        ...

    @property
    def created(self) -> int:
        """The moment in milliseconds."""
        ...


Item = TypeVar("Item", bound=Listed)


@dataclass(frozen=True, slots=True)
class SonarlyCall:
    """A request that a handler answers.

    A handler reads the body before it asks for what the path names, so that 400 comes before 404.
    """

    groups: Mapping[str, Group]
    now: float
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes

    def require_path(self) -> None:
        """Refuse ids that cannot be ids, and a group that is not there."""
        for name, text in self.path.items():
            known = name == "accountGroupId" and text in self.groups
            if not known and not can_be_id(text):
                raise invalid(Issue(name, "Invalid id"))
        if self.path.get("accountGroupId"):
            _ = self.group

    @property
    def group(self) -> Group:
        """The account group that the path names."""
        try:
            return self.groups[self.path["accountGroupId"]]
        except KeyError:
            raise SonarlyRefusal(403, "No access to this account group") from None

    def audience(self) -> Audience:
        """The audience that the path names, if it is ready."""
        audience = self.group.audiences.get(self.path["audienceId"])
        if audience is None:
            raise SonarlyRefusal(404, "Audience not found")
        if self.now < audience.filled_until:
            raise SonarlyRefusal(409, "The audience is being filled by an active prospecting job")
        return audience

    def folder(self, folder_id: str) -> Folder:
        """A folder of the group."""
        if folder_id not in self.group.folders:
            raise SonarlyRefusal(404, "Folder not found")
        return self.group.folders[folder_id]

    def ready_audiences(self) -> list[Audience]:
        """The audiences that no prospecting job is filling, newest first."""
        ready = (one for one in self.group.audiences.values() if self.now >= one.filled_until)
        return sorted(ready, key=_place, reverse=True)

    def form(self) -> Form:
        """The body, to be read field by field."""
        try:
            return Form(json.loads(self.body))
        except ValueError:
            raise invalid(Issue("", "Expected JSON")) from None


class SonarlyEndpoint(NamedTuple):
    """A route, the function that answers it, and the permission that it needs."""

    method: Literal["GET", "POST", "PATCH", "DELETE"]
    path: str
    handler: Callable[[SonarlyCall], Success]
    permission: str | None = None


def can_be_id(text: str) -> bool:
    """Whether an id may read like this."""
    return _ID.fullmatch(text) is not None


def invalid(*issues: Issue) -> SonarlyRefusal:
    """400 for a request that breaks the schema."""
    return SonarlyRefusal(400, "Request validation failed", issues)


def cut_page(items: Iterable[Item], query: Mapping[str, str]) -> tuple[list[Item], Json]:
    """The page that the query asks for, and what its end says about the next one."""
    limit, place = read_page(query)
    listed = sorted(items, key=_place, reverse=True)
    if place is not None:
        listed = [item for item in listed if _place(item) < place]
    page, rest = listed[:limit], listed[limit:]
    cursor = _write_cursor(page[-1]) if rest else None
    return page, {"nextCursor": cursor, "hasMore": cursor is not None}


def _place(item: Listed) -> tuple[str, str]:
    return written(item.created), item.id


def read_page(query: Mapping[str, str]) -> tuple[int, tuple[str, str] | None]:
    """The limit of the page, and the place that the cursor names; 400 if they are bad."""
    text, cursor = query.get("limit", str(_LIMIT)), query.get("cursor")
    if not _NUMBER.fullmatch(text):
        raise invalid(Issue("limit", "Expected a number"))
    if float(text) % 1:
        raise invalid(Issue("limit", "Expected an integer"))
    if float(text) < 1:
        raise invalid(Issue("limit", "Expected at least 1"))
    place = None if cursor is None else _read_cursor(cursor)
    return min(int(float(text)), _LARGEST_LIMIT), place


def _write_cursor(last: Listed) -> str:
    moment, item_id = _place(last)
    content = json.dumps({"createdAt": moment, "id": item_id}, separators=(",", ":"))
    return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[str, str]:
    padded = cursor + "=" * (-len(cursor) % 4)
    try:
        content: object = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except ValueError:
        content = None
    fields = content if is_object(content) else {}
    moment, item_id = fields.get("createdAt"), fields.get("id", "")
    if isinstance(moment, str) and _MOMENT.fullmatch(moment) and isinstance(item_id, str):
        return moment, item_id
    raise invalid(Issue("cursor", "Invalid cursor"))
