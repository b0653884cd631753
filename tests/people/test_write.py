"""What is kept of a field: as it came, and as questions may see it."""

import json
import math
from pathlib import Path
from typing import cast

import pytest

from leadpipe_mcp.people.columns import COLUMNS
from leadpipe_mcp.people.privacy import show
from leadpipe_mcp.people.write import LONGEST_TEXT, NOTHING, Cells, Stored, as_it_came, as_seen

TEXTS = [
    "Ada King",
    " Ada\tKing ",
    "Zoë Çelik",
    "李小龍",
    "jane.doe@acme.example",
    "Jane.Doe+x@mail.acme.example, joe@x.example",
    "jane@acme.example;joe@x.example",
    "JANE@ACME.EXAMPLE",
    "_jane@acme.example",
    "jane@acme",
    "jane@@acme.example",
    "jane@acme.example, call me",
    "jane doe@acme.example",
    "+15550100142",
    "+15550100142, +15550100199",
    "+1 (555) 010-0142",
    "+442079460958",
    "15550100142",
    "5550142, +15550100142",
    "+155501001421",
    "5d41402abc4b2a76b9719d911017c592",
    "https://www.linkedin.com/in/ada-king-5550100142",
    "Head\u200b of Sales",
    "x" * 130,
    "x" * 1_100,
    f"{'x' * 110} secretly.hidden@acme.example",
    "",
]


@pytest.mark.parametrize(
    "name", ["name", "score", "emails", "contactEmail", "phone", "phones", "address", "isB2b"]
)
def test_what_is_seen_is_what_an_answer_shows(name: str) -> None:
    column = COLUMNS[name]
    hostile = json.loads((Path(__file__).parent / "hostile.json").read_text("utf-8"))
    for text in [*TEXTS, *strings(hostile)]:
        came = as_it_came(column, text)
        seen = as_seen(column, came)
        assert seen == (None if came is None else show(column, came, contact=False) or None)


def strings(value: object) -> list[str]:
    """Every text in a value that was read from JSON."""
    if isinstance(value, dict):
        return strings(list(cast("dict[str, object]", value).values()))
    if isinstance(value, list):
        return [text for part in cast("list[object]", value) for text in strings(part)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("name", "Ada", "Ada"),
        ("name", "", None),
        ("name", None, None),
        ("name", "A\0da\ud800", "Ada"),
        ("name", "\0\udfff", None),
        ("zip", 2134, "2134"),
        ("phone", 15550100142.0, "15550100142"),
        ("emails", ["a@x.test", None, "b@x.test"], "a@x.test, b@x.test"),
        ("emails", [], None),
        ("matchedTopicIds", [1, 2], "1, 2"),
        ("matchedTopicIds", {"a": 1, "b": [2, 3]}, "1, 2, 3"),
        ("score", 91, 91),
        ("score", 91.5, 91.5),
        ("score", "91", 91),
        ("score", "91.50", 91.5),
        ("score", "high", "high"),
        ("score", "", None),
        ("score", math.nan, None),
        ("score", math.inf, None),
        ("companyRevenue", 2**70, str(2**70)),
        ("companyRevenue", -(2**63), -(2**63)),
        ("isB2b", "y", "y"),
        ("isB2b", True, "y"),
        ("isB2b", False, "n"),
        ("isB2b", 1, "y"),
        ("isB2b", " No ", "n"),
        ("isB2b", "maybe", "maybe"),
        ("isB2b", "", None),
        ("untrustedHeadline", "x" * (LONGEST_TEXT + 1), "x" * LONGEST_TEXT),
        ("untrustedHeadline", "a\nb\u202e", "a\nb\u202e"),
    ],
)
def test_a_value_is_kept_as_its_column_holds_it(name: str, value: object, kept: Stored) -> None:
    found = as_it_came(COLUMNS[name], value)
    assert found == kept
    assert type(found) is type(kept)


def test_what_came_is_kept_beside_only_where_it_is_something_else() -> None:
    assert Cells(COLUMNS["company"]).of(["Acme", " Acme ", None, "Acme", ""]) == [
        ("Acme", None),
        ("Acme", " Acme "),
        NOTHING,
        ("Acme", None),
        NOTHING,
    ]
    assert Cells(COLUMNS["email"]).of(["a@x.example"]) == [("a•••@x.example", "a@x.example")]
    assert Cells(COLUMNS["untrustedHeadline"]).of(["Hi"]) == [(None, "Hi")]
    assert (
        Cells(COLUMNS["emails"]).of([["a@x.example"], "a@x.example"])
        == [("a•••@x.example", "a@x.example")] * 2
    )


def test_what_is_equal_and_yet_something_else_is_not_confused() -> None:
    cells = Cells(COLUMNS["zip"])
    assert cells.of(["1", 1, True, 1.0, 0, False]) == [
        (each, None) for each in ("1", "1", "True", "1", "0", "False")
    ]


def test_more_values_than_are_remembered_are_all_right() -> None:
    cells = Cells(COLUMNS["email"])
    for _ in range(2):
        values = [f"jane{number}@x.example" for number in range(20_000)]
        assert cells.of(values) == [("j•••@x.example", value) for value in values]
