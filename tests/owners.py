"""Tests by the names under which documents call upon them, like `test_docs.py::test_...`."""

import ast
import re
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parent
NAMED = re.compile(r"[\w/]+\.py::test_\w+")


@cache
def marks(file: str) -> dict[str, str]:
    """Every test of a file with what it, or all of the file, is marked with."""
    body = ast.parse((TESTS / file).read_text("utf-8")).body
    of_all = [ast.unparse(node) for node in body if ast.unparse(node).startswith("pytestmark")]
    return {
        node.name: "\n".join([*of_all, *map(ast.unparse, node.decorator_list)])
        for node in body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def why_not(name: str) -> str | None:
    """What keeps a test from being called upon, if anything does."""
    file, _, test = name.partition("::")
    if not NAMED.fullmatch(name) or not (TESTS / file).is_file():
        return "there is no such file"
    if test not in marks(file):
        return "the file has no such test"
    if re.search(r"\b(xfail|skip)\b", marks(file)[test]):
        return "it is not expected to pass"
    return None
