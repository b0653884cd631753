"""What the package requires is what it imports, and its lowest versions are the ones tested."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
REQUIRED: dict[str, str] = dict(
    re.fullmatch(r"([\w-]+)>=([\d.]+).*", line).groups()  # type: ignore[union-attr]
    for line in PROJECT["dependencies"]
)
# httpcore imports it, if it is there, four times a request.
UNIMPORTED = {"sniffio"}
# Part of pydantic, and types of the standard library.
UNDECLARED = {"pydantic_core", "_typeshed"}


def imported() -> Iterator[str]:
    """The top-level packages that the package's modules import."""
    for module in (ROOT / "leadpipe_mcp").rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (name.name.partition(".")[0] for name in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0]


def test_what_is_imported_is_required_and_the_other_way_round() -> None:
    others = set(imported()) - set(sys.stdlib_module_names) - {"leadpipe_mcp"} - UNDECLARED
    assert others == set(REQUIRED) - UNIMPORTED


def test_the_lowest_versions_that_are_allowed_are_those_that_are_tested() -> None:
    lines = (ROOT / "requirements/lowest.txt").read_text(encoding="utf-8").splitlines()
    tested = dict(line.split("==") for line in lines if "==" in line)
    assert {name: numbers(version) for name, version in tested.items()} == {
        name: numbers(version) for name, version in REQUIRED.items()
    }


def numbers(version: str) -> tuple[int, ...]:
    """The numbers of a version; zeros at the end say nothing."""
    found = [int(number) for number in version.split(".")]
    while found and not found[-1]:
        found.pop()
    return tuple(found)
