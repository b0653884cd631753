"""CSV files say what was put into them, and no spreadsheet runs a cell of them."""

import csv
import io
import re
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from leadpipe_mcp.people.columns import COLUMNS, Column
from leadpipe_mcp.people.export import csv_lines
from leadpipe_mcp.people.privacy import in_full
from tests.properties.conftest import CHARACTERS

# The beginning of what a spreadsheet runs; an apostrophe before it makes it text.
RUNS = re.compile('[\\s"`\u201c\u201d]*[=+\\-@|\uff1d\uff0b\uff0d\uff20\u2212]')
NUMBERS = re.compile(r"[+-][\d\s().,/+•-]*")
PIECES = [
    *("=", "+", "-", "@", "|", "\t", "\r", "\n", ";", ",", '"', "'", " ", "\0", "\ufeff", "\u200b"),
    *("\uff1d", "\uff0b", "\uff0d", "\u2212", "\u201c", "1", "x", "é", "=1+1", "=HYPERLINK(1)"),
    *("+15550100142", "-5", "+1 (555) 010-0142", "jane@acme.example", "\u2028", "👩\u200d💻"),
]
pieces = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)
texts = pieces | st.text(CHARACTERS, max_size=12)
values = texts | st.none() | st.booleans() | st.integers() | st.floats() | st.lists(texts)
columns = st.lists(st.sampled_from(list(COLUMNS.values())), min_size=1, max_size=5, unique=True)
tables = columns.flatmap(
    lambda chosen: st.tuples(
        st.just(tuple(chosen)), st.lists(st.tuples(*[values for _ in chosen]), max_size=4)
    )
)
Rows = list[tuple[object, ...]]


def read(chosen: Sequence[Column], rows: Rows, *, contact: bool) -> list[list[str]]:
    """The cells of the lines that are written of the rows."""
    file = io.StringIO("".join(csv_lines(rows, chosen, contact=contact)), newline="")
    return list(csv.reader(file, strict=True))


@given(tables)
def test_a_csv_file_is_read_as_it_was_written_but_for_the_apostrophes(
    table: tuple[tuple[Column, ...], Rows],
) -> None:
    chosen, rows = table
    cells = read(chosen, rows, contact=True)
    assert len(cells) == len(rows)
    for row, line in zip(rows, cells, strict=True):
        for column, value, cell in zip(chosen, row, line, strict=True):
            known = in_full(column, value, contact=True)
            text = "" if known is None else str(known)
            text = text.lower() if isinstance(known, bool) else text
            # Phone numbers are written so that a spreadsheet leaves them alone.
            left_out = r"\W" if column.kind == "phone" else "'"
            assert re.sub(left_out, "", cell) == re.sub(left_out, "", text)


@given(tables, st.data())
def test_no_spreadsheet_runs_a_cell(
    table: tuple[tuple[Column, ...], Rows], data: st.DataObject
) -> None:
    chosen, rows = table
    for line in read(chosen, rows, contact=data.draw(st.booleans())):
        for place, cell in enumerate(line):
            # Where a comma is the decimal sign, a semicolon parts cells.
            for part in cell.split(";"):
                harmless = place > 0 and NUMBERS.fullmatch(cell)
                assert harmless or not RUNS.match(part)
