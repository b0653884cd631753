"""The page on security says what is so, and that on reliability names tests that there are."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")
NAMED = re.compile(r"`([\w/]+\.py)::(test_\w+)`")


def test_every_risk_has_its_row_with_a_test() -> None:
    rows = [line.split("|") for line in PAGE.splitlines() if line.startswith("| MCP")]
    assert [row[1][:6] for row in rows] == [f" MCP{number:02}" for number in range(1, 11)]
    assert all(NAMED.search(row[3]) for row in rows)


def test_every_test_that_a_page_names_exists_and_is_expected_to_pass() -> None:
    reliability = (ROOT / "docs" / "reliability.md").read_text("utf-8")
    named = NAMED.findall(PAGE + reliability)
    assert len(named) == (PAGE + reliability).count(".py")
    for file, name in named:
        tests = {
            node.name: [ast.unparse(mark) for mark in node.decorator_list]
            for node in ast.parse((ROOT / "tests" / file).read_text("utf-8")).body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        assert name in tests, f"{file}::{name}"
        assert "xfail" not in str(tests[name]), f"{file}::{name}"
