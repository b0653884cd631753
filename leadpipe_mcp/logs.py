"""What the server writes to stderr: a line per call, warnings, and where something crashed.

Nothing that was asked, and nothing about people: a line holds names of our own, numbers, and the
places in the code. Values, messages of exceptions and what other libraries put into theirs stay
out, because any of them may hold an address or a key.
"""

import json
import logging
import re
import select
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import NotRequired, TextIO, TypedDict, cast

from opentelemetry import trace

from leadpipe_mcp.text import clean, counted, redact

OURS = "leadpipe_mcp"
# A pipe that takes anything takes this much, so a line never waits for its reader.
_LONGEST = 3_000
_MOST_FRAMES, _MOST_ERRORS = 20, 8
_PACKAGE = Path(__file__).parent
# Where the words of a message end and values begin, as in: Task failed: <Task ...>.
_VALUES = re.compile(r"[\n'\"<({\[=]|:\s")
_PLACES = re.compile(r"%(?:\(\w+\))?[-#0 +]*[\d.*]*[a-zA-Z]")

_log = logging.getLogger(OURS)


def set_up(level: str, *, as_json: bool) -> None:
    """Make this process log to stderr in our form, and in no other.

    The level is that of our own doings. Of other libraries only warnings and errors are logged:
    their lesser lines hold whole messages, with arguments and people.
    """
    handler = _Handler(sys.stderr)
    handler.setFormatter(_Line(as_json=as_json))
    # Even if a library has set its own levels.
    handler.addFilter(lambda record: _is_ours(record) or record.levelno >= logging.WARNING)
    root = logging.getLogger()
    # The SDK configures a log too, unless it finds one; whoever came first, this one stays.
    for other in list(root.handlers):
        root.removeHandler(other)
    root.addHandler(handler)
    root.setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level]))
    _log.setLevel(level)
    # The message and the line of code may hold values.
    warnings.showwarning = lambda _, category, file, line, __=None, ___=None: _log.warning(
        "%s at %s:%d", category.__name__, Path(file).name, line
    )
    sys.excepthook = lambda _, error, __: _log_lost(logging.CRITICAL, "The server ends", error)
    sys.unraisablehook = lambda lost: _log_lost(logging.ERROR, "Ignored", lost.exc_value)
    threading.excepthook = lambda lost: _log_lost(logging.ERROR, "A thread ended", lost.exc_value)


class CallRecord(TypedDict):
    """How a call of a tool went."""

    tool: str
    outcome: str
    ms: int
    requests: int
    retries: int
    requestId: NotRequired[str]
    traceId: NotRequired[str]


also_told: list[Callable[[CallRecord], None]] = []
"""Those who are told of each call as well, such as who counts them."""


def log_call(
    tool: str, outcome: str, *, ms: int, requests: int, retries: int, request_id: str | None
) -> None:
    """Log how a call of a tool went: one word of ours, how long it took, and what was asked.

    `request_id` is the service's own word for the request, where it gave one.
    """
    call: CallRecord = {
        "tool": clean(tool, 64),
        "outcome": outcome,
        "ms": ms,
        "requests": requests,
        "retries": retries,
    }
    parts = [f"{ms} ms", counted(requests, "request")]
    parts += [counted(retries, "retry", "retries")] if retries else []
    if asked := redact(request_id or "", 64).replace(" ", ""):
        call["requestId"] = asked
        parts.append(f"request {asked}")
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        call["traceId"] = trace.format_trace_id(span.trace_id)
        parts.append(f"trace {call['traceId']}")
    _log.info("%s %s %s", call["tool"], outcome, ", ".join(parts), extra={"call": call})
    for count in also_told:
        count(call)


def log_crash(tool: str, error: BaseException) -> None:
    """Log what kind of error ended a call, and where in the code."""
    _log.error("%s crashed: %s", clean(tool, 64), _told(error))


class _Handler(logging.StreamHandler[TextIO]):
    """Writes what can be written at once, and never complains."""

    def emit(self, record: logging.LogRecord) -> None:
        # A client that starts the server but does not read its stderr must not stop it.
        try:
            takes_more = bool(select.select([], [self.stream], [], 0)[1])
        except (OSError, ValueError, TypeError):
            takes_more = True  # No pipe, or a system that cannot tell.
        if takes_more:
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 -- the library's name
        """Say nothing: the usual complaint shows the record's values."""


class _Line(logging.Formatter):
    """A line like `2026-05-05T09:15:00Z INFO list_audiences ok 32 ms, 1 request`, or as JSON."""

    converter = time.gmtime

    def __init__(self, *, as_json: bool) -> None:
        super().__init__()
        self._as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        moment = self.formatTime(record, "%Y-%m-%dT%H:%M:%SZ")
        message = _message(record)
        if not self._as_json:
            source = "" if _is_ours(record) else f"{record.name}: "
            return f"{moment} {record.levelname} {source}{message}"
        said = getattr(record, "call", {"logger": record.name, "message": message})
        line = {"time": moment, "level": record.levelname, **said}
        return json.dumps(line, ensure_ascii=False, separators=(",", ":"))


def _is_ours(record: logging.LogRecord) -> bool:
    return record.name == OURS or record.name.startswith(f"{OURS}.")


def _message(record: logging.LogRecord) -> str:
    """One line without anything private: our messages as they are, others' without their values."""
    if _is_ours(record):
        text = record.getMessage()
    elif record.args:
        text = _PLACES.sub("…", str(record.msg))
    else:
        text = _VALUES.split(str(record.msg), maxsplit=1)[0].strip()
    error = record.exc_info[1] if record.exc_info else None
    return redact(f"{text}: {_told(error)}" if error else text, _LONGEST)


def _told(error: BaseException) -> str:
    """The kind of an error and where it was raised; so too for those that led to it, each once."""
    waiting, seen, told = [error], set[int](), list[str]()
    while waiting and len(told) < _MOST_ERRORS:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        told.append(" at ".join(filter(None, [type(one).__name__, _places(one.__traceback__)])))
        if isinstance(one, BaseExceptionGroup):
            waiting += cast("BaseExceptionGroup[BaseException]", one).exceptions
        cause = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
        waiting += [cause] if cause else []
    return "; from ".join(told)


def _places(trace: TracebackType | None) -> str:
    """File, line and function of the innermost frames, the innermost last."""
    told: list[str] = []
    for frame, line in traceback.walk_tb(trace):
        file = Path(frame.f_code.co_filename)
        ours = file.is_relative_to(_PACKAGE)
        name = file.relative_to(_PACKAGE).as_posix() if ours else file.name
        told.append(f"{name}:{line} {frame.f_code.co_name}")
    return ", ".join(told if len(told) <= _MOST_FRAMES else ["…", *told[-_MOST_FRAMES:]])


def _log_lost(level: int, what: str, error: BaseException | None) -> None:
    """Log an error that nobody caught."""
    if error and not isinstance(error, KeyboardInterrupt):
        _log.log(level, "%s: %s", what, _told(error))
