"""What is tried: every tool, every fault, and which of a call's requests the fault strikes."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal
from zlib import crc32

from tests.faults.service import Fault

ADDRESS = "canary.bird@coalmine.example"
"""It stands in what the service says, and must not stand in what a tool says."""
Way = Literal["first", "all", "writing", "all writing", "second", "third", "fourth"]
LATER: Mapping[Way, int] = {"second": 2, "third": 3, "fourth": 4}
"""Ways in which only faults strike that no further try can mend."""


@dataclass(frozen=True)
class There:
    """What there is before a call, by its ids."""

    active: str
    paused: str
    pixel: str
    linkedin: str
    """A LinkedIn audience in a folder."""
    outside: str
    """A LinkedIn audience outside all folders, of the type of the folder."""
    folder: str
    run: str | None = None
    """A run that is queued."""


Given = Callable[[There], dict[str, Any]]


@dataclass(frozen=True)
class Row:
    """A call of a tool.

    Args:
        tool: Its name.
        given: The arguments.
        writes: The method of the request that changes something, and the end of its path.
        kind: What tells it from another call of the same tool.
        half: The row whose whole work is a half of this one's.
        run_seconds: How long runs take in its world.
        knows_no_topics: Whether the names of the topics were never fetched before.
    """

    tool: str
    given: Given
    writes: tuple[str, str] | None = None
    kind: str = ""
    half: str | None = None
    run_seconds: float = 0
    knows_no_topics: bool = False

    @property
    def name(self) -> str:
        return f"{self.tool} ({self.kind})" if self.kind else self.tool


TOPICS = [117805, 117890]
CONFIG = {"topicIds": TOPICS, "filters": {"hasPhone": True}}


def always(**arguments: object) -> Given:
    return lambda _: dict(arguments)


ROWS = (
    Row("search_topics", always(queries=["email", "sales"])),
    Row(
        "search_topics",
        always(queries=["marketing automatoin"]),
        kind="first ever",
        knows_no_topics=True,
    ),
    Row("compare_topics", always(topicIds=TOPICS)),
    Row("get_topic_movers", always()),
    Row("analyze_website_topics", always(url="www.acme.example", summary=True)),
    Row("plan_audience", always(topics=TOPICS, filters={"seniority": ["VP"], "state": ["CA"]})),
    Row("find_filters", always(words=["VPs"])),
    Row("preview_audience", always(**CONFIG)),
    Row("create_audience", always(name="Birds", config=CONFIG), ("POST", "/audiences")),
    Row(
        "create_audience",
        always(name="Birds", config=CONFIG, status="active"),
        ("PATCH", ""),
        kind="active",
        half="create_audience",
    ),
    Row(
        "update_audience",
        lambda there: {"id": there.paused, "name": "Birds", "config": {"minScore": 80}},
        ("PATCH", ""),
    ),
    Row("list_audiences", always()),
    Row("get_audience", lambda there: {"id": there.active, "fillRates": True}),
    Row("set_status", lambda there: {"id": there.paused, "status": "active"}, ("PATCH", "")),
    Row("delete_audience", lambda there: {"id": there.paused}, ("DELETE", "")),
    Row("run_audience", lambda there: {"id": there.active}, ("POST", "/runs")),
    Row(
        "run_audience",
        lambda there: {"id": there.active, "cancelRunId": there.run},
        ("DELETE", ""),
        kind="cancel",
        run_seconds=3600,
    ),
    Row("query_audience", lambda there: {"audienceId": there.active}),
    Row("query_audience", always(**CONFIG), kind="not saved"),
    Row("analyze_audience", lambda there: {"audienceId": there.active}),
    Row("export_audience", lambda there: {"id": there.active, "fileName": "birds.csv"}),
    Row("export_audience", lambda there: {"id": there.active, "format": "url"}, kind="link"),
    Row("get_account_status", always()),
    Row("query_visitor_data", always(domain="northwind-shop.example")),
    Row("list_pixels", always()),
    Row("create_pixel", always(domain="acme.example"), ("POST", "/pixels")),
    Row("update_pixel", lambda there: {"id": there.pixel, "status": "paused"}, ("PATCH", "")),
    Row("sonarly_list_accounts", always()),
    Row("sonarly_list_audiences", always()),
    Row("sonarly_get_audience", lambda there: {"id": there.linkedin}),
    Row(
        "sonarly_create_audience",
        always(name="Birds", type="on_demand", description="Who sings"),
        ("POST", "/audiences"),
    ),
    Row(
        "sonarly_update_audience",
        lambda there: {"id": there.linkedin, "name": "Birds"},
        ("PATCH", ""),
    ),
    Row("sonarly_delete_audience", lambda there: {"id": there.linkedin}, ("DELETE", "")),
    Row("sonarly_list_prospects", lambda there: {"id": there.linkedin}),
    Row(
        "sonarly_move_audience",
        lambda there: {"id": there.outside, "folderId": there.folder},
        ("POST", "/move-to-folder"),
    ),
    Row(
        "sonarly_move_audience",
        lambda there: {"id": there.linkedin, "folderId": None},
        ("POST", "/remove-from-folder"),
        kind="out",
    ),
    Row("sonarly_save_folder", always(name="Birds", type="on_demand"), ("POST", "/folders")),
    Row(
        "sonarly_save_folder",
        lambda there: {"name": "Birds", "folderId": there.folder},
        ("PATCH", ""),
        kind="rename",
    ),
)

SAID = f"It was {ADDRESS} who asked"


def failing(status: int, retry_after: int | None = None) -> Fault:
    return Fault("status", status=status, message=SAID, retry_after=retry_after)


LOST = r"The connection to (the service|Sonarly) was lost"
FAULTS: Mapping[str, tuple[Fault, str]] = {
    "refused": (Fault("refused"), r"could not be reached"),
    "reset": (Fault("reset"), LOST),
    "reset after": (Fault("reset_after"), LOST),
    "slow": (Fault("delay", delay_ms=4_000), "never refused"),
    "hang": (Fault("hang"), r"took too long to answer|in the time|so slow that no time is left"),
    "cut": (Fault("cut"), LOST),
    "malformed": (Fault("malformed"), "not complete JSON"),
    "empty": (Fault("empty"), "answer is empty"),
    "page 200": (Fault("html", status=200), "a web page came"),
    "page 502": (Fault("html", status=502), "status 502"),
    "401": (failing(401), "status 401"),
    "403": (failing(403), "status 403"),
    "404": (failing(404), r"status 404|knows none of these|none can be ordered"),
    "409": (failing(409), "status 409"),
    "429": (failing(429), "status 429"),
    "429 (2 s)": (failing(429, 2), "status 429"),
    "429 (120 s)": (failing(429, 120), r"status 429|asked for a pause"),
    "500": (failing(500), "status 500"),
    "503": (failing(503), "status 503"),
    "503 (2 s)": (failing(503, 2), "status 503"),
    "wrong shape": (Fault("wrong_shape"), r"status 20\d, but "),
    "huge": (Fault("huge"), "far longer than any answer should be"),
    "redirect": (Fault("redirect"), r"redirect \(status 302\)"),
    "echo": (Fault("echo", status=500), "status 500"),
}
"""Each fault under its name, and how a refusal names the cause."""


LASTING = ("403", "404", "429 (120 s)", "redirect")


@dataclass(frozen=True)
class Cell:
    """One tool, one fault, one way."""

    row: Row
    fault: str
    way: Way

    @property
    def name(self) -> str:
        return f"{self.row.name} - {self.fault} - {self.way}"

    @property
    def era(self) -> Literal["auto", "legacy"]:
        """Half of the cells speak one revision of the protocol, half the other."""
        return "auto" if crc32(self.name.encode()) % 2 else "legacy"

    @property
    def cause(self) -> str:
        """What a refusal has to name, as a pattern."""
        return FAULTS[self.fault][1]

    def armed(self) -> Fault:
        """The fault as the sandbox takes it."""
        times = None if self.way in {"all", "all writing"} else 1
        fault = replace(FAULTS[self.fault][0], times=times, every=LATER.get(self.way, 1))
        if "writing" not in self.way or self.row.writes is None:
            return fault
        method, path_end = self.row.writes
        return replace(fault, method=method, path_end=path_end)


def ways(row: Row, fault: str) -> tuple[Way, ...]:
    """In which ways this fault is tried on this row."""
    writing: tuple[Way, ...] = ("writing", "all writing") if row.writes else ()
    return ("first", "all", *writing, *(LATER if fault in LASTING else ()))


CELLS = tuple(Cell(row, fault, way) for row in ROWS for fault in FAULTS for way in ways(row, fault))
_EVERY = 31
PART = tuple(
    cell
    for number, cell in enumerate(CELLS)
    if number % _EVERY == 0 or (cell.fault == "reset after" and cell.way == "writing")
)
"""A few cells of every row, in which every fault and every way occurs, and every lost change."""
IS_WHOLE = {"part": False, "whole": True}[os.environ.get("MATRIX", "part")]
TRIED = CELLS if IS_WHOLE else PART
"""The cells that are tried: a part of them, unless MATRIX is "whole"."""
