"""What is tried: every tool, every fault, and which of a call's requests the fault strikes."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from zlib import crc32

from tests.faults.service import Fault

ADDRESS = "canary.bird@coalmine.example"
"""It stands in what the service says, and must not stand in what a tool says."""
Way = Literal["first", "all", "writing", "all writing", "second", "third", "fourth"]
LATER: Mapping[Way, int] = {"second": 2, "third": 3, "fourth": 4}
"""Ways in which only faults strike that no further try can mend."""
TOPICS = [117805, 117890]
CONFIG = {"topicIds": TOPICS, "filters": {"hasPhone": True}}
ACTIVE, PAUSED, QUEUED_RUN, PIXEL, LINKED, UNFILED, FOLDER = (
    f"6fb81599-f601-4afe-b3ff-e8a211cae27{digit}" for digit in range(7)
)
"""What there is before a call; the ids that it has in its world are put in their places."""


def given(arguments: Mapping[str, Any], ids: Mapping[str, str]) -> dict[str, Any]:
    """The arguments, with ids in their places."""
    return {
        name: ids.get(value, value) if isinstance(value, str) else value
        for name, value in arguments.items()
    }


@dataclass(frozen=True)
class Row:
    """A call of a tool."""

    tool: str
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])
    writes: tuple[str, str] | None = None
    """The method of the request that changes something, and the end of its path."""
    kind: str = ""
    """What tells it from another call of the same tool."""
    half: str | None = None
    """The row whose whole work is a half of this one's."""
    run_seconds: float = 0
    """How long runs take in its world."""
    knows_no_topics: bool = False
    """Whether the names of the topics were never fetched before."""

    @property
    def name(self) -> str:
        return f"{self.tool} ({self.kind})" if self.kind else self.tool


BIRDS = {"name": "Birds", "config": CONFIG}
LISTED = {"name": "Birds", "type": "on_demand"}
ROWS = (
    Row("search_topics", {"queries": ["email", "sales"]}),
    Row(
        "search_topics",
        {"queries": ["marketing automatoin"]},
        kind="first ever",
        knows_no_topics=True,
    ),
    Row("compare_topics", {"topicIds": TOPICS}),
    Row("get_topic_movers"),
    Row("analyze_website_topics", {"url": "www.acme.example", "summary": True}),
    Row("plan_audience", {"topics": TOPICS, "filters": {"seniority": ["VP"], "state": ["CA"]}}),
    Row("find_filters", {"words": ["VPs"]}),
    Row("preview_audience", CONFIG),
    Row("create_audience", BIRDS, ("POST", "/audiences")),
    Row(
        "create_audience",
        {**BIRDS, "status": "active"},
        ("PATCH", ""),
        kind="active",
        half="create_audience",
    ),
    Row(
        "update_audience",
        {"id": PAUSED, "name": "Birds", "config": {"minScore": 80}},
        ("PATCH", ""),
    ),
    Row("list_audiences"),
    Row("get_audience", {"id": ACTIVE, "fillRates": True}),
    Row("set_status", {"id": PAUSED, "status": "active"}, ("PATCH", "")),
    Row("delete_audience", {"id": PAUSED}, ("DELETE", "")),
    Row("run_audience", {"id": ACTIVE}, ("POST", "/runs")),
    Row(
        "run_audience",
        {"id": ACTIVE, "cancelRunId": QUEUED_RUN},
        ("DELETE", ""),
        kind="cancel",
        run_seconds=3600,
    ),
    Row("query_audience", {"audienceId": ACTIVE}),
    Row("query_audience", CONFIG, kind="not saved"),
    Row("analyze_audience", {"audienceId": ACTIVE}),
    Row("export_audience", {"id": ACTIVE, "fileName": "birds.csv"}),
    Row("export_audience", {"id": ACTIVE, "format": "url"}, kind="link"),
    Row("get_account_status"),
    Row("query_visitor_data", {"domain": "northwind-shop.example"}),
    Row("list_pixels"),
    Row("create_pixel", {"domain": "acme.example"}, ("POST", "/pixels")),
    Row("update_pixel", {"id": PIXEL, "status": "paused"}, ("PATCH", "")),
    Row("sonarly_list_accounts"),
    Row("sonarly_list_audiences"),
    Row("sonarly_get_audience", {"id": LINKED}),
    Row("sonarly_create_audience", {**LISTED, "description": "Who sings"}, ("POST", "/audiences")),
    Row("sonarly_update_audience", {"id": LINKED, "name": "Birds"}, ("PATCH", "")),
    Row("sonarly_delete_audience", {"id": LINKED}, ("DELETE", "")),
    Row("sonarly_list_prospects", {"id": LINKED}),
    Row("sonarly_move_audience", {"id": UNFILED, "folderId": FOLDER}, ("POST", "/move-to-folder")),
    Row(
        "sonarly_move_audience",
        {"id": LINKED, "folderId": None},
        ("POST", "/remove-from-folder"),
        kind="out",
    ),
    Row("sonarly_save_folder", LISTED, ("POST", "/folders")),
    Row("sonarly_save_folder", {"name": "Birds", "folderId": FOLDER}, ("PATCH", ""), kind="rename"),
)

SAID = f"It was {ADDRESS} who asked"
LOST = r"The connection to (the service|Sonarly) was lost"


def failing(status: int, retry_after: int | None = None) -> Fault:
    return Fault("status", status=status, message=SAID, retry_after=retry_after)


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

    def armed(self) -> Fault:
        """The fault as the sandbox takes it."""
        times = None if self.way in {"all", "all writing"} else 1
        fault = replace(FAULTS[self.fault][0], times=times, every=LATER.get(self.way, 1))
        if "writing" not in self.way or self.row.writes is None:
            return fault
        method, path_end = self.row.writes
        return replace(fault, method=method, path=f"{path_end}$")


def ways(row: Row, fault: str) -> tuple[Way, ...]:
    """In which ways this fault is tried on this row."""
    writing: tuple[Way, ...] = ("writing", "all writing") if row.writes else ()
    return ("first", "all", *writing, *(LATER if fault in LASTING else ()))


CELLS = tuple(Cell(row, fault, way) for row in ROWS for fault in FAULTS for way in ways(row, fault))
PART = tuple(
    cell
    for number, cell in enumerate(CELLS)
    if number % 31 == 0 or (cell.fault == "reset after" and cell.way == "writing")
)
"""A few cells of every row, in which every fault and every way occurs, and every lost change."""
IS_WHOLE = {"part": False, "whole": True}[os.environ.get("MATRIX", "part")]
