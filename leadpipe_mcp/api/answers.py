"""Answers: what the service's envelope holds, or the error that it stands for."""

import datetime as dt
import email.utils
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar, cast

from pydantic import BaseModel, JsonValue, ValidationError

from leadpipe_mcp import errors
from leadpipe_mcp.api.budget import note, note_left_out
from leadpipe_mcp.api.reading import Model, Row, readable
from leadpipe_mcp.errors import AGAIN, BASE_URL, LEADPIPE, SERVICE, ServiceError, Vendor
from leadpipe_mcp.text import redact

M = TypeVar("M", bound=BaseModel)
N = TypeVar("N", bound=Model)
_ALL = object()
LONGEST_PAUSE = 3_600.0
"""No service is left alone for longer than an hour, even if its Retry-After says so."""
# In bytes: ours, which holds it, is at most 4,000 characters long.
_LONGEST_CURSOR = 2_500


@dataclass(frozen=True)
class Received:
    """An answer as it came."""

    status: int
    headers: Mapping[str, str]
    """Their names in lower case."""
    body: bytes

    def request_id(self, key: str) -> str | None:
        """The service's own name for the request, without the key."""
        given = self.headers.get("x-request-id", "").replace(key or "\0", "[key]")
        return redact(given, 60) if given else None

    @property
    def is_page(self) -> bool:
        """Whether it is a web page, as no API answers."""
        return self.body.lstrip()[:1] == b"<"

    @property
    def is_success(self) -> bool:
        """Whether the status says so."""
        return 200 <= self.status < 300


@dataclass(frozen=True)
class Answer:
    """What the service answered: the `data` and `meta` of its envelope."""

    status: int
    data: object
    meta: Mapping[str, object]
    request_id: str | None = None
    vendor: Vendor = LEADPIPE
    changing: bool = False
    """Whether the request was to change something: then its outcome is in doubt if this is odd."""

    def read(self, model: type[M], value: object = _ALL) -> M:
        """The answer's data, or a part of it, as one of our models, if nothing essential lacks."""
        try:
            return model.model_validate(self.data if value is _ALL else value)
        except ValidationError as error:
            odd = {".".join(map(str, one["loc"])) or "data" for one in error.errors()}
            named = ", ".join(sorted(odd)[:4])
            raise self.unusable(f"these are missing or not what they should be: {named}") from None

    def read_each(
        self, model: type[N], value: object = _ALL, *, whole: bool = False
    ) -> tuple[N, ...]:
        """As `read`, for a list of things; those that cannot be read are left out, but not all.

        None is left out of a `whole` list: it would be taken for one that is not there.
        """
        items = self.items(value)
        if whole:
            return tuple(self.read(model, item) for item in items)
        found = readable(model, items)
        return found if found or not items else (self.read(model, items[0]),)

    def people(self, rows: Iterable[Row | None]) -> tuple[Row, ...]:
        """Return the rows of people; what is no person is left out, but not all of them."""
        listed = list(rows)
        found = tuple(row for row in listed if row is not None)
        if listed and not found:
            raise self.unusable("a person is not an object")
        note_left_out(("person", "people"), [row for row in listed if row is None], len(listed))
        return found

    def items(self, value: object = _ALL) -> list[object]:
        """The answer's data, or a part of it, as the list that it must be."""
        listed = self.data if value is _ALL else value
        if isinstance(listed, list):
            return cast("list[object]", listed)
        raise self.unusable("what should be a list is not one")

    def unusable(self, lacking: str, advice: str = "") -> errors.UnusableAnswer:
        """The error for an answer that lacks what is essential."""
        error = errors.UnusableAnswer(
            f"{SERVICE} answered with status {self.status}, but {lacking}.",
            advice,
            status=self.status,
            request_id=self.request_id,
        )
        error.vendor, error.changing = self.vendor, self.changing
        return error


def as_object(value: object) -> dict[str, object]:
    """The value if it is a JSON object, else an empty one."""
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def as_list(value: object) -> list[object]:
    """The value if it is a JSON list, else an empty one."""
    return cast("list[object]", value) if isinstance(value, list) else []


def cursor_in(page: Mapping[str, object]) -> JsonValue:
    """Where the next page starts, in the service's own words and of any type; None: nowhere.

    One that is too long to pass on counts as none, and the call's budget notes it.
    """
    cursor = cast("JsonValue", page.get("nextCursor"))
    if not cursor:
        return None
    if len(cursor_text(cursor).encode("utf-8", "replace")) > _LONGEST_CURSOR:
        note("More follow, but the service's cursor of the next page is too long to pass on.")
        return None
    return cursor


def cursor_text(cursor: JsonValue) -> str:
    """A service's cursor as an address carries it."""
    if isinstance(cursor, str):
        return cursor
    return json.dumps(cursor, ensure_ascii=False, separators=(",", ":"))


def read_answer(
    received: Received, key: str = "", vendor: Vendor = LEADPIPE, *, changing: bool = False
) -> Answer:
    """What was received, as an answer or an error, without the key if the service repeats it."""
    try:
        payload: object = json.loads(received.body)
        # JSON may write each letter as an escape, and whole texts in UTF-16 or UTF-32.
        if key and any(sign in received.body for sign in (key.encode(), b"\\", b"\0")):
            payload = _without(payload, key)
    except (ValueError, RecursionError):
        payload = None
    envelope = as_object(payload)
    trace = envelope.get("traceId")
    request_id = received.request_id(key)
    if request_id is None and isinstance(trace, str) and trace:
        request_id = redact(trace, 60)
    if not received.is_success:
        raise _error(received, envelope, request_id)
    data, meta = envelope.get("data"), as_object(envelope.get("meta"))
    answer = Answer(received.status, data, meta, request_id, vendor, changing)
    if "data" in envelope:
        return answer
    if received.is_page:
        raise answer.unusable("a web page came instead of JSON", f"{AGAIN} check {BASE_URL}.")
    if not received.body.strip():
        raise answer.unusable("the answer is empty")
    odd = "is not complete JSON" if payload is None else "has no 'data'"
    raise answer.unusable(f"the answer {odd}")


def _without(value: object, key: str) -> object:
    if isinstance(value, str):
        return value.replace(key, "[key]")
    if isinstance(value, list):
        return [_without(item, key) for item in cast("list[object]", value)]
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
        return {name.replace(key, "[key]"): _without(item, key) for name, item in members.items()}
    return value


_BY_STATUS: Mapping[int, type[ServiceError]] = {
    401: errors.KeyRefused,
    402: errors.OutOfCredits,
    403: errors.Forbidden,
    404: errors.NotFound,
    409: errors.Conflict,
    429: errors.TooManyRequests,
}
_OF_CREDITS = re.compile(r"\bcredits?(\b|_)|_CREDITS?\b", re.IGNORECASE)
# An organization may also be named where only a permission is missing.
_INACTIVE = re.compile(r"organi[sz]ation\b.*\b(expired|inactive|suspended|disabled)", re.IGNORECASE)


def _error(
    received: Received, envelope: Mapping[str, object], request_id: str | None
) -> ServiceError:
    """The error of a refusal: what it says tells more of its kind than its status."""
    status, advice = received.status, ""
    code, message = _reason(envelope, status)
    said = f": {message.rstrip('.')}" if message else ""
    problem = f"{SERVICE} refused with status {status}{f' {code}' if code else ''}{said}."
    names_credits = status in {402, 403, 429} and _OF_CREDITS.search(f"{code or ''} {message}")
    if status in {403, 409, 429} and "SLOTS_FULL" in {code, message}:
        kind: type[ServiceError] = errors.SlotsFull
    elif code == "INSUFFICIENT_CREDITS" or names_credits:
        kind = errors.OutOfCredits
    elif code == "AUDIENCE_NOT_READY":
        kind = errors.NotReady
    elif status == 403 and _INACTIVE.search(message):
        kind = errors.OrganizationInactive
    elif status >= 500 or status == 408:
        kind = errors.ServiceDown
        problem = f"{SERVICE} failed with status {status}{said}."
    elif status < 400:
        kind, code, advice = errors.NeverUsable, None, f"Check {BASE_URL}."
        problem = f"{SERVICE} answered with a redirect (status {status}), which is not followed."
    else:
        kind = _BY_STATUS.get(status, errors.RequestRefused)
    wait = _seconds(received.headers.get("retry-after", ""))
    return kind(problem, advice, status=status, code=code, request_id=request_id, retry_after=wait)


def _reason(envelope: Mapping[str, object], status: int) -> tuple[str | None, str]:
    error = as_object(envelope.get("error"))
    code = error.get("code") or error.get("name") or envelope.get("code")
    named = redact(code, 60) if isinstance(code, str) and code != "HTTP_ERROR" else None
    places = (error.get("message"), *map(envelope.get, ("message", "error", "detail", "title")))
    message = next((text for text in places if isinstance(text, str)), "")
    details = error.get("details")
    issues = issues_in(error) or issues_in(as_object(details))
    # Of a request that is not valid a text may tell why; of a failure it might be a stack trace.
    if isinstance(details, str) and status in {400, 422} and details != message:
        issues = [redact(details)]
    return named, ": ".join(filter(None, [redact(message).rstrip("."), "; ".join(issues)]))


def issues_in(said: Mapping[str, object]) -> list[str]:
    """What is wrong with a request and where, if an answer lists it; at most three things.

    Where it does is not documented: these are the usual places.
    """
    found: list[str] = []
    names = ("issues", "errors", "details")
    for item in [item for name in names for item in as_list(said.get(name))]:
        issue = as_object(item)
        path = issue.get("path")
        place = path if isinstance(path, str) else ".".join(map(str, as_list(path)))
        text = item if isinstance(item, str) else issue.get("message")
        if isinstance(text, str):
            found.append(redact(f"{place}: {text}" if place else text))
    return found[:3]


def _seconds(retry_after: str) -> float | None:
    """How long a Retry-After header asks to wait, an hour at most: it holds seconds or a date."""
    try:
        if retry_after.isascii() and retry_after.strip().isdigit():
            wait = float(retry_after)
        else:
            moment = email.utils.parsedate_to_datetime(retry_after)
            zoned = moment.replace(tzinfo=moment.tzinfo or dt.UTC)
            wait = (zoned - dt.datetime.now(dt.UTC)).total_seconds()
    except (ValueError, OverflowError):  # what is no date, or one outside the calendar
        return None
    return min(max(0.0, wait), LONGEST_PAUSE)
