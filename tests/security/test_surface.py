"""What the package cannot do at all, and what it requires, read off its source."""

import ast
import re
import sys
import tomllib
from functools import cache
from pathlib import Path

import leadpipe_mcp
from leadpipe_mcp.people import sql

PACKAGE = Path(leadpipe_mcp.__file__).parent
PROJECT = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text("utf-8"))["project"]
REQUIRED: list[str] = PROJECT["dependencies"]
# httpcore imports it, if it is there, four times a request.
UNIMPORTED = {"sniffio"}
# Part of pydantic, and types of the standard library.
UNDECLARED = {"pydantic_core", "_typeshed", "leadpipe_mcp"}
STARTS_PROGRAMS = {"subprocess", "multiprocessing", "pty", "ctypes", "code", "runpy"}
RUNS_TEXT = {"eval", "exec", "compile", "__import__"}
READS_CODE_FROM_DATA = {"pickle", "marshal", "shelve", "dill", "yaml"}
LISTENS = {"socket", "socketserver", "uvicorn", "http", "xmlrpc"}
OF_THE_SYSTEM = {"system", "popen", "startfile", "fork", "posix_spawn"}


@cache
def nodes() -> list[tuple[str, ast.Import | ast.ImportFrom | ast.Call]]:
    """Every import and every call of every module, with the module's path."""
    return [
        (path.relative_to(PACKAGE).as_posix(), node)
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom | ast.Call)
    ]


def imported(node: ast.AST) -> set[str]:
    """The packages that a node imports."""
    match node:
        case ast.Import(names=names):
            return {alias.name.split(".")[0] for alias in names}
        case ast.ImportFrom(module=str(module)):
            return {module.split(".")[0]}
        case _:
            return set()


def is_run(node: ast.AST) -> bool:
    """Whether a node runs a text as code, or as a command."""
    match node:
        case ast.Call(func=ast.Name(id=name)):
            return name in RUNS_TEXT
        case ast.Call(func=ast.Attribute(value=ast.Name(id="os"), attr=name)):
            return name in OF_THE_SYSTEM or name.startswith(("exec", "spawn"))
        case _:
            return False


def versions(lines: str, joined: str) -> dict[str, str]:
    """What each name is followed by; zeros at the end say nothing."""
    found = re.findall(rf"^([\w-]+){joined}([\d.]+)", lines, re.MULTILINE)
    return {name: re.sub(r"(\.0)+$", "", version) for name, version in found}


def test_only_sql_starts_a_program_which_is_our_own_and_nothing_runs_a_text() -> None:
    found = [
        (name, ast.unparse(node))
        for name, node in nodes()
        if imported(node) & {*STARTS_PROGRAMS, *READS_CODE_FROM_DATA} or is_run(node)
    ]
    assert found == [("people/sql.py", "import subprocess")]
    assert [sys.executable, "-I", str(PACKAGE / "people/sql_process.py")] == sql.COMMAND


def test_only_the_sandbox_listens_on_a_port() -> None:
    listening = {name for name, node in nodes() if imported(node) & LISTENS}
    assert listening == {"sandbox/serve.py"}


def test_what_is_imported_is_required_and_no_next_generation_of_it_is_taken() -> None:
    others = {name for _, node in nodes() for name in imported(node)} - sys.stdlib_module_names
    required = versions("\n".join(REQUIRED), ">=")
    assert others - UNDECLARED == set(required) - UNIMPORTED
    assert len(required) == len(REQUIRED)
    assert all(",<" in one for one in REQUIRED)


def test_the_lowest_versions_that_are_allowed_are_those_that_are_tested() -> None:
    tested = (PACKAGE.parent / "requirements/lowest.txt").read_text("utf-8")
    assert versions(tested, "==") == versions("\n".join(REQUIRED), ">=")
