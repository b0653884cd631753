"""The page on security says what is so."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")
RISKS = (
    "Token Mismanagement & Secret Exposure",
    "Privilege Escalation via Scope Creep",
    "Tool Poisoning",
    "Software Supply Chain Attacks & Dependency Tampering",
    "Command Injection & Execution",
    "Intent Flow Subversion",
    "Insufficient Authentication & Authorization",
    "Lack of Audit and Telemetry",
    "Shadow MCP Servers",
    "Context Injection & Over-Sharing",
)
NAMED = re.compile(r"`([\w/]+\.py)::(test_\w+)`")


def rows() -> list[list[str]]:
    """The cells of the table, without its head."""
    lines = [line for line in PAGE.splitlines() if line.startswith("| MCP")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def passing(path: Path) -> set[str]:
    """The names of the tests in a file that are expected to pass."""
    return {
        node.name
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if not any("xfail" in ast.unparse(mark) for mark in node.decorator_list)
    }


def test_every_risk_has_its_row() -> None:
    names = [f"MCP{number:02} {name}" for number, name in enumerate(RISKS, 1)]
    assert [cells[0] for cells in rows()] == names


def test_every_test_that_the_page_names_exists() -> None:
    assert all(NAMED.search(shown) for _, _, shown in rows())
    named = NAMED.findall(PAGE)
    assert len(named) == PAGE.count(".py")
    for file, name in named:
        assert name in passing(ROOT / "tests" / file), f"{file}::{name}"
