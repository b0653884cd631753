"""Every tool through every fault: what is said is right, and what is there is what was said."""

import json
import time
from pathlib import Path

import pytest

from leadpipe_mcp.tools.toolsets import TOOLS
from tests.faults.cells import CELLS, FAULTS, IS_WHOLE, PART, ROWS, TRIED, Cell
from tests.faults.page import held_to_page, page
from tests.faults.rules import complaints, shown
from tests.faults.worlds import Outcome, Unspoilt, keep_some_topics, spoilt, unspoilt

pytestmark = pytest.mark.anyio
# The cells that are known to be wrong, by what is wrong with them.
KNOWN: dict[str, list[str]] = json.loads(
    (Path(__file__).parent / "known.json").read_text(encoding="utf-8")
)


class Matrix:
    """The outcomes so far, each found once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._plain: dict[str, Unspoilt] = {}
        self._outcomes: dict[str, Outcome] = {}
        self.seconds = 0.0
        """How long finding them has taken."""

    async def plain(self, cell: Cell) -> Unspoilt:
        row = cell.row
        if not self._plain:
            await keep_some_topics(self._folder)
        if row.name not in self._plain:
            half = next((other for other in ROWS if other.name == row.half), None)
            self._plain[row.name] = await unspoilt(row, self._folder, half)
        return self._plain[row.name]

    async def outcome(self, cell: Cell) -> Outcome:
        if cell.name not in self._outcomes:
            await self.plain(cell)
            started = time.perf_counter()
            self._outcomes[cell.name] = await spoilt(cell, self._folder)
            self.seconds += time.perf_counter() - started
        return self._outcomes[cell.name]


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


def test_cells_have_names_of_their_own() -> None:
    assert len({cell.name for cell in CELLS}) == len(CELLS)


def test_the_part_holds_every_row_every_fault_and_every_way() -> None:
    assert {cell.row.name for cell in PART} == {row.name for row in ROWS}
    assert {cell.fault for cell in PART} == set(FAULTS)
    assert {cell.way for cell in PART} == {cell.way for cell in CELLS}


def test_what_is_known_to_be_wrong_is_among_the_cells() -> None:
    assert {name for names in KNOWN.values() for name in names} <= {cell.name for cell in CELLS}


def known(cell: Cell) -> str | None:
    return next((why for why, names in KNOWN.items() if cell.name in names), None)


@pytest.mark.parametrize(
    "cell",
    [
        pytest.param(
            cell,
            id=cell.name,
            marks=pytest.mark.xfail(reason=why, strict=True) if (why := known(cell)) else (),
        )
        for cell in TRIED
    ],
)
async def test_it_is_right_or_says_so(cell: Cell, matrix: Matrix) -> None:
    plain, outcome = await matrix.plain(cell), await matrix.outcome(cell)
    assert complaints(cell, plain, outcome) == [], shown(outcome)


@pytest.mark.skipif(not IS_WHOLE, reason="MATRIX=whole measures what the page shows")
async def test_the_page_shows_what_was_measured(matrix: Matrix) -> None:
    found = {cell.name: (await matrix.plain(cell), await matrix.outcome(cell)) for cell in CELLS}
    held_to_page(page(found), matrix.seconds)
