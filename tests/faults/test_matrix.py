"""Every tool through every fault: what is said is right, and what is there is what was said."""

from pathlib import Path

import pytest

from leadpipe_mcp.tools.toolsets import TOOLS
from tests.faults.cells import CELLS, FAULTS, IS_WHOLE, PART, ROWS, TRIED, Cell
from tests.faults.page import hold_to_page
from tests.faults.rules import complaints
from tests.faults.worlds import Outcome, Unspoilt, World, spoilt, unspoilt

pytestmark = pytest.mark.anyio


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


@pytest.fixture(scope="session")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Matrix:
    return Matrix(tmp_path_factory.mktemp("matrix"))


def test_every_tool_has_a_row() -> None:
    assert {row.tool for row in ROWS} == {tool.name for tool in TOOLS}
    reading = {tool.name for tool in TOOLS if tool.hints.read_only_hint}
    # An export changes nothing at the service that anybody sees.
    assert {row.tool for row in ROWS if not row.writes} == {*reading, "export_audience"}
    for row in ROWS:
        assert row.half is None or row.half in {other.name for other in ROWS}


def test_the_part_holds_every_row_every_fault_and_every_way() -> None:
    assert {cell.row.name for cell in PART} == {row.name for row in ROWS}
    assert {cell.fault for cell in PART} == set(FAULTS)
    assert {cell.way for cell in PART} == {cell.way for cell in CELLS}
    assert len({cell.name for cell in CELLS}) == len(CELLS)


@pytest.mark.parametrize("cell", TRIED, ids=lambda cell: cell.name)
async def test_it_is_right_or_says_so(cell: Cell, matrix: Matrix) -> None:
    plain, outcome = await matrix.found(cell)
    assert complaints(cell, plain, outcome) == [], f"{outcome.seconds:.1f} s: {outcome.text}"


@pytest.mark.skipif(not IS_WHOLE, reason="MATRIX=whole measures what the page shows")
async def test_the_page_shows_what_was_measured(matrix: Matrix) -> None:
    hold_to_page({cell.name: await matrix.found(cell) for cell in CELLS})
