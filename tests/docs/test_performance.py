"""docs/performance.md says what `make bench` measured, and no figure beside."""

import re

import pytest

from tests.benchmarks import tokens
from tests.benchmarks.__main__ import TABLES
from tests.benchmarks.page import PAGE, SAME, Table, block, with_block
from tests.snapshots import held_to

TEXT = PAGE.read_text(encoding="utf-8")
WRITTEN = re.compile(r"<!-- (\S+) -->\n.*?<!-- end -->", re.DOTALL)
PLACE = "<!-- calls -->\n<!-- end -->\n"


def table(figure: str) -> Table:
    return Table(["call", "ms", "ratio"], [["list", "7", figure]], {"ms": SAME, "ratio": 1.25})


def test_every_place_for_a_table_is_filled_by_make_bench() -> None:
    assert WRITTEN.findall(TEXT) == ["machine", *TABLES]
    assert [name for name in TABLES if not block(TEXT, name)] == []


def test_only_what_is_measured_and_what_words_mean_has_figures() -> None:
    prose, _, meanings = WRITTEN.sub("", TEXT).partition("\n## What the words mean\n")

    assert re.findall(r".*\d.*", prose) == []
    assert "\n## " not in meanings


def test_tokens_are_those_of_today() -> None:
    page = with_block(TEXT, "read-first", str(tokens.read_first()))
    held_to(PAGE, with_block(page, "answers", str(tokens.answers())))


def test_a_table_says_how_near_another_machine_comes() -> None:
    told = "\n| list | 7 | 0.80 |\n\nElsewhere: ms: the same; ratio: within 1.25 times."

    assert str(table("0.80")).endswith(told)


@pytest.mark.parametrize(
    ("was", "now", "is_near"),
    [
        ("0.80", "1.00", True),
        ("0.80", "1.01", False),
        ("1.00", "0.79", False),
        ("1,900", "2300", True),
        ("1,900", "none", False),
        ("7.8 (9.7)", "7.8 (99.9)", True),
        ("≤ 1.0: met", "≤ 1.0: missed", False),
        ("≤ 1.0: missed", "≤ 1.0: met", True),
    ],
)
def test_a_figure_that_is_far_from_the_page_is_named(was: str, now: str, *, is_near: bool) -> None:
    page = with_block(PLACE, "calls", str(table(was)))
    others = list(table(now).others("calls", page))

    assert [one.partition(":")[0] for one in others] == ([] if is_near else ["calls, list, ratio"])


def test_a_table_that_the_page_lacks_is_named() -> None:
    assert list(table("1").others("calls", PLACE)) == ["calls: the page has no such table yet"]
