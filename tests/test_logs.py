"""What goes to stderr: one line for each thing worth knowing, and nothing private in any."""

import json
import logging
import re
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable

import pytest
from mcp.server.mcpserver import MCPServer
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext

from leadpipe_mcp import logs
from tests.processes import running

SECRET = "Canary"
pytestmark = pytest.mark.usefixtures("logs_as_they_were")
MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
OURS = logging.getLogger("leadpipe_mcp")
Told = Callable[[], list[str]]


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Told:
    """The lines of stderr since the last look, each without its moment, which it has."""

    def lines() -> list[str]:
        shown = capsys.readouterr()
        assert shown.out == ""
        assert SECRET not in shown.err
        found = [re.fullmatch(f"{MOMENT} (.+)", line) for line in shown.err.splitlines()]
        assert all(found)
        return [match[1] for match in found if match]

    return lines


class Fails:
    """Something that cannot even be forgotten without an error."""

    def __del__(self) -> None:
        raise KeyError(SECRET)


def a_call(request_id: str | None = None, retries: int = 0) -> None:
    logs.log_call(
        "create_audience",
        "refused:SlotsFull",
        ms=532,
        requests=3,
        retries=retries,
        request_id=request_id,
    )


def fail(text: str = SECRET) -> None:
    """Raise an error with a cause."""
    try:
        int(text)
    except ValueError as cause:
        raise KeyError(text) from cause


def crashed() -> Exception:
    """An error with a cause, as one catches them."""
    with pytest.raises(KeyError) as caught:
        fail()
    caught.value.__traceback__ = caught.tb.tb_next
    return caught.value


def test_a_call_is_one_line(told: Told) -> None:
    logs.set_up("INFO", as_json=False)
    a_call("0f3c", retries=1)
    # The service cannot forge a line with its word for a request.
    odd = ("id\nINFO delete_audience ok", "jo@acme.example", "x" * 100, "\u200b\n")
    for request_id in odd:
        a_call(request_id)
    usual = "INFO create_audience refused:SlotsFull 532 ms, 3 requests"
    assert told() == [
        f"{usual}, 1 retry, request 0f3c",
        f"{usual}, request idINFOdelete_audienceok",
        f"{usual}, request [email]",
        f"{usual}, request {'x' * 63}…",
        usual,
    ]


def test_a_call_that_is_traced_names_its_trace(told: Told) -> None:
    logs.set_up("INFO", as_json=False)
    span = SpanContext(trace_id=0xAF76, span_id=1, is_remote=True)
    with trace.use_span(NonRecordingSpan(span)):
        a_call()
    (line,) = told()
    assert line.endswith(f"3 requests, trace {0xAF76:032x}")


def test_a_call_is_one_object_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("INFO", as_json=True)
    a_call("0f3c", retries=2)
    a_call()
    logging.getLogger("mcp.server").warning("it is %d o'clock", 5)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert all(re.fullmatch(MOMENT, line.pop("time")) for line in lines)
    call = {"level": "INFO", "tool": "create_audience", "outcome": "refused:SlotsFull"}
    call |= {"ms": 532, "requests": 3}
    assert lines == [
        call | {"retries": 2, "requestId": "0f3c"},
        call | {"retries": 0},
        {"level": "WARNING", "logger": "mcp.server", "message": "it is … o'clock"},
    ]


def test_a_crash_tells_kinds_and_places_and_no_values(told: Told) -> None:
    logs.set_up("INFO", as_json=False)
    logs.log_crash("create_audience", crashed())
    with pytest.raises(KeyError) as caught:
        logs.set_up(SECRET, as_json=False)
    logs.log_crash("create_audience", caught.value)
    logs.log_crash("x", ExceptionGroup(SECRET, [OSError(SECRET), crashed()]))
    ours, packaged, gathered = told()
    place = r"test_logs\.py:\d+ fail"
    assert re.fullmatch(
        f"ERROR create_audience crashed: KeyError at {place}; from ValueError at {place}", ours
    )
    # A file of the package is named within it.
    assert re.search(r"KeyError at test_logs\.py:\d+ test_\w+, logs\.py:\d+ set_up", packaged)
    assert re.sub(r" at [^;]+", "", gathered) == (
        "ERROR x crashed: ExceptionGroup; from OSError; from KeyError; from ValueError"
    )


def test_an_error_that_caused_itself_and_a_very_deep_one_are_told_shortly(told: Told) -> None:
    def deeper(levels: int) -> int:
        return deeper(levels - 1) if levels else int(SECRET)

    logs.set_up("INFO", as_json=False)
    error = OSError(SECRET)
    error.__context__ = ValueError()
    error.__context__.__cause__ = error
    logs.log_crash("x", error)
    with pytest.raises(ValueError, match=SECRET) as caught:
        deeper(200)
    logs.log_crash("x", caught.value)
    around, deep = told()
    assert around == "ERROR x crashed: OSError; from ValueError"
    assert deep.startswith("ERROR x crashed: ValueError at …, test_logs.py:")
    assert deep.count("deeper") == 20


def test_the_level_is_ours_and_other_libraries_are_heard_from_warnings_on(told: Told) -> None:
    logs.set_up("DEBUG", as_json=False)
    OURS.debug("ours")
    library = logging.getLogger("httpx")
    for level in (logging.DEBUG, logging.NOTSET):
        library.setLevel(level)
        library.debug(SECRET)
        library.info(SECRET)
    library.warning("theirs")
    logs.set_up("WARNING", as_json=False)
    a_call()
    logs.log_crash("x", KeyError())
    assert told() == ["DEBUG ours", "WARNING httpx: theirs", "ERROR x crashed: KeyError"]


def test_values_in_the_messages_of_libraries_are_left_out(told: Told) -> None:
    logs.set_up("INFO", as_json=False)
    library = logging.getLogger("library")
    library.warning("dropped %r of %5.1f%s", SECRET, 3, SECRET)
    library.warning("dropped %(what)s", {"what": SECRET})
    library.warning("dropped: " + SECRET)
    library.error("Task failed\nfuture: <Task %r>" % SECRET)  # noqa: UP031 -- as asyncio does
    library.error(f"Exception in callback print('{SECRET}')")
    try:
        int(SECRET)
    except ValueError:
        library.exception("handler for %r raised", SECRET)
    *lines, last = told()
    assert lines == [
        "WARNING library: dropped … of ……",
        "WARNING library: dropped …",
        "WARNING library: dropped",
        "ERROR library: Task failed",
        "ERROR library: Exception in callback print",
    ]
    assert last.startswith("ERROR library: handler for … raised: ValueError at test_logs.py:")


def test_our_own_messages_hold_no_key_address_or_email(told: Told) -> None:
    logs.set_up("INFO", as_json=False)
    OURS.warning("sk_live_1 jo@acme.example https://acme.example/jo\nnext line")
    # One that cannot be written is no trouble.
    OURS.warning("%d", SECRET)
    assert told() == ["WARNING [key] [email] [address] next line"]


def test_our_log_is_the_only_one_whoever_sets_one_up_first(told: Told) -> None:
    root = logging.getLogger()
    root.handlers[:] = []
    MCPServer[None]("x", log_level="DEBUG")
    logs.set_up("INFO", as_json=False)
    MCPServer[None]("x", log_level="DEBUG")
    assert len(root.handlers) == 1
    logging.getLogger("mcp").info(SECRET)
    a_call()
    assert len(told()) == 1


def test_warnings_and_errors_that_nobody_catches_show_no_values(told: Told) -> None:
    logs.set_up("INFO", as_json=False)
    error = crashed()
    warnings.showwarning(SECRET, UserWarning, "/place/of/file.py", 12)
    sys.excepthook(KeyError, error, None)
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    Fails()
    threading.excepthook(threading.ExceptHookArgs((KeyError, error, None, None)))
    threading.excepthook(threading.ExceptHookArgs((KeyError, None, None, None)))
    assert [re.sub(r" at test_logs.+", "", line) for line in told()] == [
        "WARNING UserWarning at file.py:12",
        "CRITICAL The server ends: KeyError",
        "ERROR Ignored: KeyError",
        "ERROR A thread ended: KeyError",
    ]


def test_a_reader_who_does_not_read_stops_nobody() -> None:
    # A process of its own, whose stderr is a pipe that is full after some 600 lines.
    program = (
        "from leadpipe_mcp import logs\n"
        "logs.set_up('INFO', as_json=False)\n"
        "for _ in range(1_000):\n"
        "    logs.log_call('x', 'ok', ms=1, requests=1, retries=0, request_id='y' * 60)\n"
        "print('done', flush=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with running(process):
        assert process.stdout is not None
        assert process.stdout.readline() == b"done\n"
        assert process.wait() == 0
