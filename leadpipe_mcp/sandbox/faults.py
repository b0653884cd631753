"""Things that go wrong on purpose: wrong answers, cut answers, and no answers."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Literal, get_args

from leadpipe_mcp.sandbox.reading import is_object
from leadpipe_mcp.sandbox.replies import HTTP_ERROR, Json

FaultKind = Literal[
    "status",
    "echo",
    "redirect",
    "delay",
    "hang",
    "malformed",
    "empty",
    "html",
    "huge",
    "wrong_shape",
    "cut",
    "refused",
    "reset",
    "reset_after",
]
FAULT_KINDS: tuple[FaultKind, ...] = get_args(FaultKind)


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong, for which requests, and how often."""

    kind: FaultKind
    """
    status: an error with `status`, `code`, `message` and `retry_after`
    echo: the same, and the message repeats the request, its key included
    redirect: to `location`, with `status` if that is one of redirects, else 307
    delay: the right answer, after `delay_ms`
    hang: no answer, however long the client waits
    malformed: 200 with text that is not JSON
    empty: 200 with no body
    html: a web page, with `status`
    huge: 200 with JSON of a hundred megabytes
    wrong_shape: 200 with JSON that lacks everything that matters
    cut: half of the right answer, though Content-Length promises the whole
    refused: no connection is made; on a port, where it is too late for that, it is a reset
    reset: the connection is dropped before the request is handled
    reset_after: the request is handled, then the connection is dropped
    """
    method: str | None = None
    """Only requests with this method."""
    path: str | None = None
    """Only requests whose path contains this."""
    path_end: str | None = None
    """Only requests whose path ends with this."""
    times: int | None = 1
    """How often it happens; None is always."""
    every: int = 1
    """It happens to every n-th request that it concerns."""
    status: int = 500
    code: str = HTTP_ERROR
    message: str = "Something went wrong"
    retry_after: str | int | None = None
    location: str = "https://elsewhere.example/"
    delay_ms: int = 0
    """How long to wait before; on top of what the settings say."""


@dataclass(slots=True)
class _Armed:
    fault: Fault
    met: int = 0
    happened: int = 0

    def strikes(self, method: str, path: str) -> bool:
        """Count a request, and say whether it is hit."""
        fault = self.fault
        concerned = fault.method in (None, method) and (fault.path or "") in path
        concerned = concerned and path.endswith(fault.path_end or "")
        if not concerned or (fault.times is not None and self.happened >= fault.times):
            return False
        self.met += 1
        if self.met % fault.every:
            return False
        self.happened += 1
        return True


class Faults:
    """The faults that are waiting for their requests."""

    def __init__(self) -> None:
        self._armed: list[_Armed] = []

    def add(self, fault: Fault) -> None:
        """Let this go wrong from now on; the fault that was added first strikes first."""
        self._armed.append(_Armed(fault))

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        self._armed.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that strikes this request, if any."""
        for armed in self._armed:
            if armed.strikes(method, path):
                return armed.fault
        return None

    def listed(self) -> list[Json]:
        """All of them, with how many requests they met and how often they happened."""
        return [
            {**asdict(armed.fault), "met": armed.met, "happened": armed.happened}
            for armed in self._armed
        ]


def read_fault(body: object) -> Fault:
    """A fault from JSON; ValueError says what is wrong with it."""
    if not is_object(body):
        raise ValueError("a fault is a JSON object")
    known = {field.name: field.type for field in fields(Fault)}
    if unknown := sorted(set(body) - set(known)):
        raise ValueError(f"unknown fields: {', '.join(unknown)}")
    if body.get("kind") not in FAULT_KINDS:
        raise ValueError(f"kind is one of {', '.join(FAULT_KINDS)}")
    for name, types in _TYPES.items():
        if name in body and type(body[name]) not in types:
            raise ValueError(f"{name} has the wrong type")
    fault = Fault(**body)  # pyright: ignore[reportArgumentType] - each was checked above
    if fault.every < 1:
        raise ValueError("every is at least 1")
    return fault


_NONE = type(None)
_TYPES: Mapping[str, tuple[type, ...]] = {
    "method": (str, _NONE),
    "path": (str, _NONE),
    "path_end": (str, _NONE),
    "times": (int, _NONE),
    "every": (int,),
    "status": (int,),
    "code": (str,),
    "message": (str,),
    "retry_after": (int, str, _NONE),
    "location": (str,),
    "delay_ms": (int,),
}
