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
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TextIO, cast

from leadpipe_mcp.text import clean, counted, redact

OURS = "leadpipe_mcp"
# A pipe that takes anything takes this much, so a line never waits for its reader.
_LONGEST = 3_000
_MOST_FRAMES, _MOST_ERRORS = 20, 8
_PACKAGE = Path(__file__).parent
# Where the words of a message end and values begin, as in: Task failed: <Task ...>.
_VALUES = re.compile(r"[\n'\"<({\[=]|:\s")

_log = logging.getLogger(OURS)


def set_up(level: str, *, as_json: bool) -> None:
    """Make this process log to stderr in our form, and in no other.

    Args:
        level: What is logged of our own doings. Of other libraries only warnings and errors are,
            since their lesser lines hold whole messages, with arguments and people.
        as_json: One JSON object per line instead of words.
    """
    handler = _Handler(sys.stderr)
    handler.setFormatter(_JsonLine() if as_json else _TextLine())
    handler.addFilter(_is_meant_to_be_read)
    root = logging.getLogger()
    # The SDK configures a log too, unless it finds one; whoever came first, this one stays.
    for other in list(root.handlers):
        root.removeHandler(other)
    root.addHandler(handler)
    root.setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level]))
    _log.setLevel(level)
    warnings.showwarning = _log_warning
    sys.excepthook = _log_uncaught
    sys.unraisablehook = _log_unraisable
    threading.excepthook = _log_lost_thread


def log_call(
    tool: str,
    outcome: str,
    *,
    milliseconds: int,
    requests: int,
    retries: int,
    request_id: str | None,
) -> None:
    """Log how a call of a tool went.

    Args:
        tool: Its name.
        outcome: One word of ours, such as ok or refused:SlotsFull.
        milliseconds: How long it took.
        requests: How many requests were made for it.
        retries: How many of them were repetitions.
        request_id: The service's own word for the request, where it gave one.
    """
    asked = redact(request_id or "", 64).replace(" ", "")
    _log.info("%s", _Call(clean(tool, 64), outcome, milliseconds, requests, retries, asked))


def log_crash(tool: str, error: BaseException) -> None:
    """Log what kind of error ended a call, and where in the code."""
    _log.error("%s crashed: %s", clean(tool, 64), _told(error))


@dataclass(frozen=True)
class _Call:
    tool: str
    outcome: str
    milliseconds: int
    requests: int
    retries: int
    request_id: str

    def __str__(self) -> str:
        parts = [f"{self.milliseconds} ms", counted(self.requests, "request")]
        parts += [counted(self.retries, "retry", "retries")] if self.retries else []
        parts += [f"request {self.request_id}"] if self.request_id else []
        return f"{self.tool} {self.outcome} {', '.join(parts)}"

    def fields(self) -> dict[str, object]:
        known: dict[str, object] = {
            "tool": self.tool,
            "outcome": self.outcome,
            "ms": self.milliseconds,
            "requests": self.requests,
            "retries": self.retries,
        }
        return known | ({"requestId": self.request_id} if self.request_id else {})


class _Handler(logging.StreamHandler[TextIO]):
    """Writes what can be written at once, and never complains."""

    def emit(self, record: logging.LogRecord) -> None:
        # A client that starts the server but does not read its stderr must not stop it.
        if _takes_more(self.stream):
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 -- the library's name
        """Say nothing: the usual complaint shows the record's values."""


def _takes_more(stream: TextIO) -> bool:
    try:
        return bool(select.select([], [stream], [], 0)[1])
    except (OSError, ValueError, TypeError):
        return True  # No pipe, or a system that cannot tell.


class _TextLine(logging.Formatter):
    """`2026-05-05T09:15:00Z INFO list_audiences ok 32 ms, 1 request`."""

    def format(self, record: logging.LogRecord) -> str:
        source = "" if _is_ours(record) else f"{record.name}: "
        return f"{_moment(record)} {record.levelname} {source}{_message(record)}"


class _JsonLine(logging.Formatter):
    """The same as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        call = _call_of(record)
        said = call.fields() if call else {"logger": record.name, "message": _message(record)}
        line: dict[str, object] = {"time": _moment(record), "level": record.levelname, **said}
        return json.dumps(line, ensure_ascii=False, separators=(",", ":"))


def _is_meant_to_be_read(record: logging.LogRecord) -> bool:
    """Whether a record may be written, even if a library has set its own levels."""
    return _is_ours(record) or record.levelno >= logging.WARNING


def _is_ours(record: logging.LogRecord) -> bool:
    return record.name == OURS or record.name.startswith(f"{OURS}.")


def _call_of(record: logging.LogRecord) -> _Call | None:
    given = record.args[0] if isinstance(record.args, tuple) and record.args else None
    return given if isinstance(given, _Call) else None


def _moment(record: logging.LogRecord) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created))


def _message(record: logging.LogRecord) -> str:
    """One line without anything private: our messages as they are, others' without their values."""
    text = record.getMessage() if _is_ours(record) else _without_values(record)
    error = record.exc_info[1] if record.exc_info else None
    return redact(f"{text}: {_told(error)}" if error else text, _LONGEST)


def _without_values(record: logging.LogRecord) -> str:
    template = str(record.msg)
    if record.args:
        return re.sub(r"%(?:\(\w+\))?[-#0 +]*[\d.*]*[a-zA-Z]", "…", template)
    return _VALUES.split(template, maxsplit=1)[0].strip()


def _told(error: BaseException) -> str:
    """The kind of an error and where it was raised; so too for those that led to it."""
    return "; from ".join(
        " at ".join(filter(None, [type(e).__name__, ", ".join(_places(e.__traceback__))]))
        for e in _chain(error)
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, then everything that caused it or is gathered in it, each once."""
    waiting, seen = [error], set[int]()
    while waiting and len(seen) < _MOST_ERRORS:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        if isinstance(one, BaseExceptionGroup):
            waiting += cast("BaseExceptionGroup[BaseException]", one).exceptions
        cause = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
        waiting += [cause] if cause else []


def _places(trace: TracebackType | None) -> list[str]:
    """File, line and function of the innermost frames, the innermost last."""
    told: list[str] = []
    for frame, line in traceback.walk_tb(trace):
        file = Path(frame.f_code.co_filename)
        ours = file.is_relative_to(_PACKAGE)
        name = file.relative_to(_PACKAGE).as_posix() if ours else file.name
        told.append(f"{name}:{line} {frame.f_code.co_name}")
    return told if len(told) <= _MOST_FRAMES else ["…", *told[-_MOST_FRAMES:]]


def _log_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    del message, file, line  # The message and the line of code may hold values.
    _log.warning("%s at %s:%d", category.__name__, Path(filename).name, lineno)


def _log_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    del trace
    if not issubclass(kind, KeyboardInterrupt):
        _log.critical("The server ends: %s", _told(error))


def _log_unraisable(unraisable: "sys.UnraisableHookArgs") -> None:
    if unraisable.exc_value:
        _log.error("Ignored: %s", _told(unraisable.exc_value))


def _log_lost_thread(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_value:
        _log.error("A thread ended: %s", _told(ended.exc_value))
