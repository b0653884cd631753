"""Every tool through every fault: what is said is right, and what is there is what was said.

What a run of all cells measures is shown by docs/reliability.md, in tables.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from leadpipe_mcp.tools.toolsets import TOOLS
from tests.faults.cells import CELLS, FAULTS, IS_WHOLE, PART, ROWS, Cell, Row, Way
from tests.faults.rules import WORDS, Word, complaints, word
from tests.faults.worlds import Outcome, Unspoilt, World, spoilt, unspoilt

pytestmark = pytest.mark.anyio
PAGE = Path(__file__).parents[2] / "docs/reliability.md"
READING = {tool.name for tool in TOOLS if tool.hints.read_only_hint}
BEFORE, AFTER = "\n## What came\n", "\n## Under load\n"
TWO_WORDS = """
Of two words the first is for a fault that strikes once, the second for one that strikes always.
Faults that came to the same everywhere share a column.
"""


class Matrix:
    """The outcomes so far, each found once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._plain: dict[str, Unspoilt] = {}
        self._outcomes: dict[str, Outcome] = {}

    async def found(self, cell: Cell) -> tuple[Unspoilt, Outcome]:
        row = cell.row
        if not self._plain:
            await World(row, self._folder).keep_some_topics()
        if row.name not in self._plain:
            self._plain[row.name] = await unspoilt(row, self._folder)
        if cell.name not in self._outcomes:
            self._outcomes[cell.name] = await spoilt(cell, self._folder)
        return self._plain[row.name], self._outcomes[cell.name]


@pytest.fixture
def anyio_backend(no_waiting: object) -> object:
    return no_waiting


@pytest.fixture(scope="session")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Matrix:
    return Matrix(tmp_path_factory.mktemp("matrix"))


def test_every_tool_has_a_row() -> None:
    assert {row.tool for row in ROWS} == {tool.name for tool in TOOLS}
    # An export changes nothing at the service that anybody sees.
    assert {row.tool for row in ROWS if not row.writes} == {*READING, "export_audience"}


def test_the_part_holds_every_row_every_fault_and_every_way() -> None:
    assert {cell.row.name for cell in PART} == {row.name for row in ROWS}
    assert {cell.fault for cell in PART} == set(FAULTS)
    assert {cell.way for cell in PART} == {cell.way for cell in CELLS}
    assert len({cell.name for cell in CELLS}) == len(CELLS)


@pytest.mark.parametrize("cell", CELLS if IS_WHOLE else PART, ids=lambda cell: cell.name)
async def test_it_is_right_or_says_so(cell: Cell, matrix: Matrix) -> None:
    plain, outcome = await matrix.found(cell)
    if cell.row.tool in READING:
        assert plain.before == plain.outcome.state, "it is said to read, and changed something"
    assert complaints(cell, plain, outcome) == [], f"{outcome.seconds:.1f} s: {outcome.text}"


@pytest.mark.skipif(not IS_WHOLE, reason="MATRIX=whole measures what the page shows")
async def test_the_page_shows_what_was_measured(matrix: Matrix) -> None:
    found = {cell.name: await matrix.found(cell) for cell in CELLS}
    words: dict[str, Word] = {name: word(*both) for name, both in found.items()}
    struck = [words[name] for name, (_, outcome) in found.items() if outcome.struck]
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEFORE)
    shown, _, after = rest.partition(AFTER)
    lines = [
        f"\n{len(struck):,} calls: {len(ROWS)} of all tools, through {len(FAULTS)} faults.\n",
        *(f"- **{name}**: {meaning}." for name, meaning in WORDS.items()),
        TWO_WORDS,
        "### When the first request fails once, or every request\n",
        *table(words, ROWS, ("first", "all")),
        "\n### When the request that changes something fails\n",
        *table(words, [row for row in ROWS if row.writes], ("writing", "all writing")),
        "\n### All calls\n",
        "| outcome | calls |",
        "| --- | --- |",
        *(f"| {name} | {struck.count(name):,} |" for name in WORDS),
        "",
    ]
    made = "\n".join(lines)
    if os.environ.get("UPDATE_SNAPSHOTS") == "1":
        PAGE.write_text(f"{before}{BEFORE}{made}{AFTER}{after}", encoding="utf-8")
    else:
        assert shown == made


def table(words: dict[str, Word], rows: Sequence[Row], ways: tuple[Way, Way]) -> list[str]:
    """A line per tool, a column for the faults that came to the same in every row."""

    def cell(row: Row, fault: str) -> str:
        once, always = (words[Cell(row, fault, way).name] for way in ways)
        return once if once == always else f"{once} / {always}"

    columns: dict[tuple[str, ...], list[str]] = {}
    for fault in FAULTS:
        columns.setdefault(tuple(cell(row, fault) for row in rows), []).append(fault)
    return [
        f"| tool | {' | '.join(', '.join(faults) for faults in columns.values())} |",
        f"| --- |{' --- |' * len(columns)}",
        *(
            f"| {row.name} | {' | '.join(cells)} |"
            for row, cells in zip(rows, zip(*columns, strict=True), strict=True)
        ),
    ]
