"""One HTTP service: where it is, the key it takes, how long it may take, what its errors mean.

This is the only module that knows httpx. Callers get an `Answer` or one of our errors.
"""

import datetime as dt
import email.utils
import ipaddress
import logging
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlsplit

import anyio
from pydantic import BaseModel, SecretStr, ValidationError

from leadpipe_mcp import __version__
from leadpipe_mcp.api.allowance import one_request
from leadpipe_mcp.errors import (
    Conflict,
    Forbidden,
    KeyRefused,
    NotConfigured,
    NotFound,
    NotPossible,
    OrganizationInactive,
    RequestRefused,
    ServiceDown,
    ServiceError,
    SlotsFull,
    TooManyRequests,
    Unreachable,
    UnusableAnswer,
)
from leadpipe_mcp.text import clean, redact

if TYPE_CHECKING:
    import httpx

_Message = MutableMapping[str, Any]
Application = Callable[
    [_Message, Callable[[], Awaitable[_Message]], Callable[[_Message], Awaitable[None]]],
    Awaitable[None],
]
"""An ASGI application, as the sandbox is one."""

M = TypeVar("M", bound=BaseModel)
_ALL = object()

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
TOTAL_SECONDS = 50.0


@dataclass(frozen=True)
class Answer:
    """What the service answered: the `data` and `meta` of its envelope."""

    status: int
    data: object
    meta: Mapping[str, object]
    request_id: str | None = None

    def read(self, model: type[M], value: object = _ALL) -> M:
        """The answer's data, or a part of it, as one of our models.

        Raises:
            UnusableAnswer: If it lacks what is essential, naming it.
        """
        try:
            return model.model_validate(self.data if value is _ALL else value)
        except ValidationError as error:
            raise self.unusable(_lacking(error)) from None

    def read_each(self, model: type[M], value: object = _ALL) -> tuple[M, ...]:
        """As `read`, for a list of things."""
        return tuple(self.read(model, item) for item in self.items(value))

    def items(self, value: object = _ALL) -> list[object]:
        """The answer's data, or a part of it, as the list that it must be."""
        listed = self.data if value is _ALL else value
        if isinstance(listed, list):
            return cast("list[object]", listed)
        raise self.unusable("what should be a list is none")

    def unusable(self, lacking: str) -> UnusableAnswer:
        """The error for an answer that lacks what is essential."""
        return UnusableAnswer(
            f"The service answered with status {self.status}, but {lacking}.",
            status=self.status,
            request_id=self.request_id,
        )


def as_object(value: object) -> dict[str, object]:
    """The value if it is a JSON object, else an empty one."""
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def as_list(value: object) -> list[object]:
    """The value if it is a JSON list, else an empty one."""
    return cast("list[object]", value) if isinstance(value, list) else []


class Transport:
    """Requests to one service over one pool of connections, opened when first needed.

    Args:
        base_url: Where the service is; a path in it is kept in front of every request's path.
        key: The API key, or None: then only what is public can be asked.
        application: An ASGI application that answers in the service's place, without a network.
        total_seconds: How long one request may take in all.
    """

    def __init__(
        self,
        base_url: str,
        key: SecretStr | None,
        *,
        application: Application | None = None,
        total_seconds: float = TOTAL_SECONDS,
    ) -> None:
        self.base_url = checked_base_url(base_url)
        self._key = key
        self._application = application
        self._total_seconds = total_seconds
        self._pool: httpx.AsyncClient | None = None

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int | None] | None = None,
        body: Mapping[str, object] | None = None,
        idempotency_key: str | None = None,
        public: bool = False,
        reads: bool = False,
    ) -> Answer:
        """The service's answer, or the error that says why there is none.

        This is the one way out of the house; retries, pacing and a breaker belong here, around
        `_attempt`. `reads` says that the request changes nothing, as no GET does: then the advice
        after a failure may be to repeat it.
        """
        headers: dict[str, str] = {}
        if self._key is not None:
            headers["X-API-Key"] = self._key.get_secret_value()
        elif not public:
            raise NotConfigured
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        given = {name: value for name, value in (query or {}).items() if value is not None}
        unclear = "" if reads or method == "GET" else UnusableAnswer.what_next
        try:
            # Waiting for one's turn is not waiting for the service.
            async with one_request():
                with anyio.fail_after(self._total_seconds):
                    response = await self._attempt(method, path, given, body, headers, unclear)
        except TimeoutError:
            raise Unreachable(
                f"The service did not answer within {self._total_seconds:g} seconds.", unclear
            ) from None
        return _answer(response, unclear)

    async def _attempt(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int],
        body: Mapping[str, object] | None,
        headers: Mapping[str, str],
        unclear: str,
    ) -> "httpx.Response":
        import httpx

        try:
            return await self._connections().request(
                method, self.base_url + path, params=query, json=body, headers=headers
            )
        except (httpx.ConnectError, httpx.ConnectTimeout):
            raise Unreachable("The service could not be reached; nothing was sent.") from None
        except httpx.TimeoutException:
            raise Unreachable("The service took too long to answer.", unclear) from None
        # ConnectionError is how an application in the service's place loses its connection.
        except (httpx.RequestError, ConnectionError):
            raise Unreachable(
                "The connection to the service was lost before its answer was complete.", unclear
            ) from None
        except (httpx.InvalidURL, UnicodeError):
            raise NotPossible(
                "A word of the request is too long, or holds half a character; nothing was sent."
            ) from None

    def _connections(self) -> "httpx.AsyncClient":
        if self._pool is None:
            import httpx

            # Its log of requests holds whole addresses, and an address may hold a person's e-mail.
            logging.getLogger("httpx").setLevel(logging.WARNING)
            logging.getLogger("httpcore").setLevel(logging.WARNING)
            self._pool = httpx.AsyncClient(
                transport=httpx.ASGITransport(self._application) if self._application else None,
                timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
                # A redirect would carry the key to wherever the answer says.
                follow_redirects=False,
                headers={
                    "Accept": "application/json",
                    "User-Agent": f"leadpipe-mcp/{__version__}",
                },
            )
        return self._pool

    async def close(self) -> None:
        """Let go of the connections; a later request opens new ones."""
        if self._pool is not None:
            pool, self._pool = self._pool, None
            await pool.aclose()


_PART = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")


def path_of(*parts: str) -> str:
    """The parts as one path; none of them can reach into another route.

    Raises:
        NotPossible: If a part holds what no id does. Escaping it would not do: a slash is one again
            where the service reads the path, and dots are gone before it is sent.
    """
    for part in parts:
        if not _PART.fullmatch(part):
            raise NotPossible(
                f"'{clean(part, 60)}' cannot be an id: ids are of letters, digits and dashes.",
                "list_audiences shows those that exist.",
            )
    return "".join(f"/{part}" for part in parts)


_NO_ADDRESS = "must be an address like https://api.example.com"


def checked_base_url(url: str) -> str:
    """The URL without a slash at its end, if a key may be sent there.

    Raises:
        ValueError: If it is not an https address (http is for this machine only), or carries
            more than a host, a port and a path.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:  # half of an IPv6 address, or a port that is none
        raise ValueError(_NO_ADDRESS) from None
    is_plain = url.isprintable() and " " not in url
    if parts.scheme not in {"http", "https"} or not host or port == 0 or not is_plain:
        raise ValueError(_NO_ADDRESS)
    if "@" in parts.netloc or "?" in url or "#" in url:
        raise ValueError("must be a plain address, without user, question mark or hash")
    if parts.scheme == "http" and not _is_this_machine(host):
        raise ValueError("must start with https:// (http is only for this machine)")
    return url.rstrip("/")


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _answer(response: "httpx.Response", unclear: str) -> Answer:
    status, request_id = response.status_code, response.headers.get("X-Request-Id")
    try:
        payload: object = response.json()
    except (ValueError, RecursionError):
        payload = None
    envelope = as_object(payload)
    if not response.is_success:
        raise _error(response, envelope, unclear)
    answer = Answer(status, envelope.get("data"), as_object(envelope.get("meta")), request_id)
    if not response.content.strip():
        raise answer.unusable("the answer is empty")
    if payload is None:
        raise answer.unusable("the answer is not complete JSON")
    if "data" not in envelope:
        raise answer.unusable("the answer has no 'data'")
    return answer


_BY_STATUS: Mapping[int, type[ServiceError]] = {
    400: RequestRefused,
    401: KeyRefused,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    422: RequestRefused,
}


# An organization may also be named where only a permission is missing.
_INACTIVE = re.compile(r"organi[sz]ation\b.*\b(expired|inactive|suspended|disabled)", re.IGNORECASE)


def _error(
    response: "httpx.Response", envelope: Mapping[str, object], unclear: str
) -> ServiceError:
    status, request_id = response.status_code, response.headers.get("X-Request-Id")
    code, message = _said(envelope)
    said = f": {message.rstrip('.')}" if message else ""
    problem = f"The service refused with status {status}{f' {code}' if code else ''}{said}."
    if status == 429:
        wait = _seconds(response.headers.get("Retry-After"))
        return TooManyRequests(problem, retry_after=wait, code=code, request_id=request_id)
    if status >= 500:
        problem = f"The service failed with status {status}{said}."
        return ServiceDown(problem, unclear, status=status, code=code, request_id=request_id)
    if 300 <= status < 400:
        return UnusableAnswer(
            f"The service answered with a redirect (status {status}), which is not followed.",
            "Check LEADPIPE_BASE_URL.",
            status=status,
            request_id=request_id,
        )
    kind = _BY_STATUS.get(status, RequestRefused)
    if status == 403 and "SLOTS_FULL" in {code, message}:
        kind = SlotsFull
    elif status == 403 and _INACTIVE.search(message):
        kind = OrganizationInactive
    return kind(problem, status=status, code=code, request_id=request_id)


def _said(envelope: Mapping[str, object]) -> tuple[str | None, str]:
    """The code and the message of an error, wherever the service puts them, cleaned and cut."""
    error = as_object(envelope.get("error"))
    code = error.get("code") or error.get("name") or envelope.get("code")
    message = error.get("message")
    if not isinstance(message, str):
        places = (envelope.get(name) for name in ("message", "error", "detail", "title"))
        message = next((text for text in places if isinstance(text, str)), "")
    named = redact(code, 60) if isinstance(code, str) and code != "HTTP_ERROR" else None
    return named, ": ".join(filter(None, [redact(message), "; ".join(issues_in(error))]))


def issues_in(said: Mapping[str, object]) -> list[str]:
    """What is wrong with a request and where, as far as an answer lists it; at most three things.

    Where it does is not documented: these are the usual places.
    """
    found: list[str] = []
    for item in (
        item for name in ("issues", "errors", "details") for item in as_list(said.get(name))
    ):
        issue = as_object(item)
        path = issue.get("path")
        place = path if isinstance(path, str) else ".".join(str(part) for part in as_list(path))
        text = item if isinstance(item, str) else issue.get("message")
        if isinstance(text, str):
            found.append(redact(f"{place}: {text}" if place else text))
    return found[:3]


def _lacking(error: ValidationError) -> str:
    places = {".".join(str(part) for part in one["loc"]) or "data" for one in error.errors()}
    return f"these are missing or not what they should be: {', '.join(sorted(places)[:4])}"


def _seconds(retry_after: str | None) -> float | None:
    """How long a Retry-After header asks to wait: it holds seconds or a date."""
    if not retry_after:
        return None
    if retry_after.isascii() and retry_after.strip().isdigit():
        return float(retry_after)
    try:
        moment = email.utils.parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return max(0.0, (moment - dt.datetime.now(dt.UTC)).total_seconds())
