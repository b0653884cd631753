"""What is kept of a field: as it came, and as questions may see it."""

import pytest

from leadpipe_mcp.people.columns import COLUMNS
from leadpipe_mcp.people.write import LONGEST_TEXT, SEEN, WHOLE, Cells, Stored
from tests.people.conftest import Kept, Row


@pytest.mark.anyio
async def test_every_field_comes_out_as_it_came_in(kept: Kept) -> None:
    row = {column.key: f"{column.name} jane@x.example +15550100142" for column in COLUMNS.values()}
    numbers = {"intentScore": 91.5, "topicId": 7, "topicOverlap": 2, "companyRevenue": 10**12}
    row |= dict.fromkeys(("isB2b", "isB2c", "hasChildren", "isHomeowner", "isMarried"), "y")
    people = await kept([row | numbers, {}])
    columns = tuple(COLUMNS.values())
    first, second = people.rows(columns)
    assert dict(zip([column.key for column in columns], first, strict=True)) == row | numbers
    assert set(second) == {None}
    # Questions see no address, and nothing that third parties wrote.
    seen, whole = ((people.folder / name).read_bytes() for name in (SEEN, WHOLE))
    assert b"x.example" in seen
    for secret in (b"jane", b"5550100", b"untrusted"):
        assert secret not in seen
        assert secret in whole


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        *(("name", "", None), ("name", "A\0da\ud800", "Ada"), ("name", "\0\udfff", None)),
        *(("zip", 2134, "2134"), ("zip", True, "True"), ("phone", 15550100142.0, "15550100142")),
        *(("emails", ["a@x.test", None, "b@x.test"], "a@x.test, b@x.test"), ("emails", [], None)),
        *(("matchedTopicIds", [1, 2], "1, 2"), ("matchedTopicIds", {"a": 1, "b": [2]}, "1, 2")),
        *(("score", 91, 91), ("score", 91.5, 91.5), ("score", "91", 91), ("score", "91.50", 91.5)),
        *(("score", "high", "high"), ("score", "", None), ("score", float("nan"), None)),
        *(
            ("score", n, n)
            for n in ("9" * 400, "1e999", "\uff11\uff12", "0x10", "1_000", " 7", "-")
        ),
        *(("companyRevenue", 2**70, str(2**70)), ("companyRevenue", -(2**63), -(2**63))),
        *(("isB2b", "y", "y"), ("isB2b", True, "y"), ("isB2b", False, "n"), ("isB2b", 1, "y")),
        *(("isB2b", " No ", "n"), ("isB2b", "maybe", "maybe"), ("isB2b", "", None)),
        ("untrustedHeadline", "x" * (LONGEST_TEXT + 1), "x" * LONGEST_TEXT),
        ("untrustedHeadline", "a\nb\u202e", "a\nb\u202e"),
    ],
)
def test_a_value_is_kept_as_its_column_holds_it(name: str, value: object, kept: Stored) -> None:
    ((seen, came),) = Cells(COLUMNS[name]).of([value])
    found = seen if came is None else came
    assert (found, type(found)) == (kept, type(kept))


def test_what_was_made_of_a_value_is_remembered_for_no_other() -> None:
    zips, email = Cells(COLUMNS["zip"]), Cells(COLUMNS["email"])
    assert [seen for seen, _ in zips.of(["1", 1, True, 1.0])] == ["1", "1", "True", "1"]
    # More than are remembered.
    for _ in range(2):
        values = [f"jane{number}@x.example" for number in range(20_000)]
        assert email.of(values) == [("j•••@x.example", value) for value in values]


@pytest.mark.anyio
async def test_no_value_in_a_cell_breaks_the_filling(kept: Kept) -> None:
    hostile: list[object] = [
        *("a\0b", "\0", "a\ud800b", "x" * (2 * LONGEST_TEXT), "\U0010ffff\ufffe"),
        *("'; DROP TABLE people; --", 2**200, float("inf"), ["a", None, ["b\0", "\ud800"]]),
        *({"a": {"b": 1}}, b"bytes", object(), True),
    ]
    rows: list[Row] = [{column.key: value for column in COLUMNS.values()} for value in hostile]
    people = await kept([*rows, {"fullName": "Ada King"}])
    found = list(people.rows(tuple(COLUMNS.values())))
    assert len(found) == len(hostile) + 1
    assert found[-1][0] == "Ada King"
    for cell in (cell for row in found for cell in row):
        assert not isinstance(cell, str) or ("\0" not in cell and len(cell) <= LONGEST_TEXT)
