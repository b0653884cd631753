"""docs/reliability.md: its tables are made of what was measured, the rest of it by hand."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.faults.cells import CELLS, FAULTS, ROWS, Cell, Row, Way
from tests.faults.rules import WORDS, Word, word
from tests.faults.worlds import Outcome, Unspoilt

PAGE = Path(__file__).parents[2] / "docs/reliability.md"
BEFORE, AFTER = "\n## What came\n", "\n## Under load\n"
FOUND = Mapping[str, tuple[Unspoilt, Outcome]]
TWO_WORDS = """
Of two words the first is for a fault that strikes once, the second for one that strikes always.
Faults that came to the same everywhere share a column.
"""


def hold_to_page(found: FOUND) -> None:
    """Make sure that the page shows what was measured, or update it."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEFORE)
    shown, _, after = rest.partition(AFTER)
    made = measured(found)
    if os.environ.get("UPDATE_SNAPSHOTS") == "1":
        PAGE.write_text(f"{before}{BEFORE}{made}{AFTER}{after}", encoding="utf-8")
    else:
        assert shown == made


def measured(found: FOUND) -> str:
    """What the run measured, in words and tables."""
    words: list[Word] = [word(*found[one.name]) for one in CELLS if found[one.name][1].struck]
    writing = [row for row in ROWS if row.writes]
    return "\n".join(
        [
            f"\n{len(words):,} calls: {len(ROWS)} of all tools, through {len(FAULTS)} faults.\n",
            *(f"- **{name}**: {meaning}." for name, meaning in WORDS.items()),
            TWO_WORDS,
            "### When the first request fails once, or every request\n",
            *table(found, ROWS, ("first", "all")),
            "\n### When the request that changes something fails\n",
            *table(found, writing, ("writing", "all writing")),
            "\n### All calls\n",
            "| outcome | calls |",
            "| --- | --- |",
            *(f"| {name} | {words.count(name):,} |" for name in WORDS),
            "",
        ]
    )


def table(found: FOUND, rows: Sequence[Row], ways: tuple[Way, Way]) -> list[str]:
    """A line per tool, a column for the faults that came to the same in every row."""

    def cell(row: Row, fault: str) -> str:
        once, always = (word(*found[Cell(row, fault, way).name]) for way in ways)
        return once if once == always else f"{once} / {always}"

    columns: dict[tuple[str, ...], list[str]] = {}
    for fault in FAULTS:
        columns.setdefault(tuple(cell(row, fault) for row in rows), []).append(fault)
    names = [", ".join(faults) for faults in columns.values()]
    return [
        f"| tool | {' | '.join(names)} |",
        f"| --- |{' --- |' * len(names)}",
        *(
            f"| {row.name} | {' | '.join(cells[number] for cells in columns)} |"
            for number, row in enumerate(rows)
        ),
    ]
