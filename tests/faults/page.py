"""docs/reliability.md: its tables are made of what was measured, the rest of it by hand."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.faults.cells import CELLS, FAULTS, LASTING, ROWS, Cell, Row, Way
from tests.faults.rules import MOST_SECONDS, WORDS, Word, word
from tests.faults.worlds import Outcome, Unspoilt

PAGE = Path(__file__).parents[2] / "docs/reliability.md"
BY_HAND = "\n## Under load\n"
FOUND = Mapping[str, tuple[Unspoilt, Outcome]]
_SECONDS = re.compile(r"\d+ seconds on\nthe machine")

HEAD = """\
# When a service fails

Services are slow, refuse, lose connections and answer nonsense. This page says what a call of a
tool comes to then. All of it was measured against the sandbox, which plays both services from their
documents: the real ones cannot be reached from where this was made, and may fail in other ways.

Its tables are made by `tests/faults`, which also checks them. `UPDATE_SNAPSHOTS=1 make matrix`
updates them.

## What is promised

Of every call, whatever goes wrong:

- It ends within {seconds:.0f} seconds. Only waiting that was asked for (`waitSeconds`), a human who
  is asked, and files that keep coming may take longer.
- A reply is right. What could not be had is left out, and the reply says so.
- A refusal says why, and ends with what to do now.
- A change is made once or not at all. What is said of it is what is so: done, not done, or not
  known. Where it is not known, the refusal names where to look.
- Nothing that is said holds the API key, an e-mail address that the service mentioned, an internal
  address, or the insides of a program.

How: what changes nothing is tried up to three times, with pauses, within the call's time. A change
whose answer is lost is looked for, three times in three seconds. It is sent again, once, only where
that shows that it was not made, and never after an answer that is merely late. (A service that
makes a thing later than three seconds after it has lost the connection could still make two: that
cannot be known from outside.)
"""
TRIED = """\
{cells:,} calls: {rows} calls of all tools, through {faults} faults, in up to seven ways. The fault
strikes the first request of a call once, every request, the request that changes something once or
always, and, where no further try can mend it ({lasting}), the second, third or
fourth request. Half of them speak one revision of the protocol, half another. It took 00 seconds on
the machine where this page was made; no time was spent waiting, as the clock leaps.
"""
STATUS = "this status; with so many seconds in Retry-After"
TWO_WORDS = """
Of two words the first is for a fault that strikes once, the second for one that strikes always.
Faults that came to the same everywhere share a column.
"""
FAULT_WORDS: Mapping[str, str] = {
    "refused": "no connection",
    "reset": "the connection is lost before anything is done",
    "reset after": "the connection is lost after it was done",
    "slow": "the right answer, four seconds late",
    "hang": "no answer, ever",
    "cut": "half of the right answer",
    "malformed": "JSON that breaks off",
    "empty": "an answer of nothing",
    "page 200": "a web page, as if all were well",
    "page 502": "a web page with an error",
    "wrong shape": "JSON that lacks everything that matters",
    "huge": "JSON of a hundred megabytes",
    "redirect": "a redirect to another place; it is not followed",
    "echo": "an error (500) that repeats the request, its key included",
}


def page(found: FOUND) -> str:
    """What the run measured, in words and tables."""
    cells = [cell for cell in CELLS if found[cell.name][1].struck]
    return "\n".join(
        [
            HEAD.format(seconds=MOST_SECONDS),
            "## What was tried\n",
            TRIED.format(
                cells=len(cells), rows=len(ROWS), faults=len(FAULTS), lasting=", ".join(LASTING)
            ),
            "| fault | what happens |",
            "| --- | --- |",
            *(f"| {name} | {text} |" for name, text in FAULT_WORDS.items()),
            f"| {', '.join(name for name in FAULTS if name not in FAULT_WORDS)} | {STATUS} |",
            "\n## What came\n",
            *(f"- **{name}**: {meaning}." for name, meaning in WORDS.items()),
            TWO_WORDS,
            "### When the first request fails once, or every request\n",
            *table(found, ROWS, ("first", "all")),
            "\n### When the request that changes something fails\n",
            *table(found, [row for row in ROWS if row.writes], ("writing", "all writing")),
            "\n### All calls\n",
            *totals(found, cells),
            "",
        ]
    )


def table(found: FOUND, rows: Sequence[Row], ways: tuple[Way, Way]) -> list[str]:
    """A line per tool, a column per kind of fault."""

    def cell(row: Row, fault: str) -> str:
        once, always = (word(*found[Cell(row, fault, way).name]) for way in ways)
        return once if once == always else f"{once} / {always}"

    columns = grouped(rows, cell)
    names = [", ".join(faults) for faults in columns]
    lines = [[row.name, *(cell(row, faults[0]) for faults in columns)] for row in rows]
    return [
        f"| tool | {' | '.join(names)} |",
        f"| --- |{' --- |' * len(names)}",
        *(f"| {' | '.join(line)} |" for line in lines),
    ]


def grouped(rows: Sequence[Row], cell: Callable[[Row, str], str]) -> list[list[str]]:
    """The faults, those together that came to the same in every row."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for fault in FAULTS:
        alike.setdefault(tuple(cell(row, fault) for row in rows), []).append(fault)
    return list(alike.values())


def totals(found: FOUND, cells: Sequence[Cell]) -> list[str]:
    """How often each outcome came."""
    words: list[Word] = [word(*found[cell.name]) for cell in cells]
    return [
        "| outcome | calls |",
        "| --- | --- |",
        *(f"| {name} | {words.count(name):,} |" for name in WORDS),
    ]


def held_to_page(text: str, seconds: float) -> None:
    """Make sure that the page shows what was measured; how long it took may differ."""
    made, *by_hand = PAGE.read_text(encoding="utf-8").split(BY_HAND) if PAGE.exists() else [""]
    if os.environ.get("UPDATE_SNAPSHOTS") == "1":
        made = _SECONDS.sub(f"{seconds:.0f} seconds on\nthe machine", text)
        PAGE.write_text(BY_HAND.join([made, *by_hand]), encoding="utf-8")
    assert _SECONDS.sub("", made) == _SECONDS.sub("", text)
