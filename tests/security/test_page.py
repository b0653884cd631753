"""The page on security says what is so, and that on reliability names tests that there are."""

from pathlib import Path

from tests.owners import NAMED, why_not

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")


def test_every_risk_has_its_row_with_a_test() -> None:
    rows = [line.split("|") for line in PAGE.splitlines() if line.startswith("| MCP")]
    assert [row[1][:6] for row in rows] == [f" MCP{number:02}" for number in range(1, 11)]
    assert all(NAMED.search(row[3]) for row in rows)


def test_every_test_that_a_page_names_exists_and_is_expected_to_pass() -> None:
    reliability = (ROOT / "docs" / "reliability.md").read_text("utf-8")
    named = NAMED.findall(PAGE + reliability)
    assert len(named) == (PAGE + reliability).count(".py")
    assert {name: why for name in named if (why := why_not(name))} == {}
