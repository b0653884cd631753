"""What the package cannot do at all, read off its source."""

import ast
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import leadpipe_mcp
from leadpipe_mcp.people import sql

PACKAGE = Path(leadpipe_mcp.__file__).parent
PROJECT = PACKAGE.parent / "pyproject.toml"
STARTS_PROGRAMS = {"subprocess", "multiprocessing", "pty", "ctypes", "code", "runpy"}
RUNS_TEXT = {"eval", "exec", "compile", "__import__"}
READS_CODE_FROM_DATA = {"pickle", "marshal", "shelve", "dill", "yaml"}
LISTENS = {"socket", "socketserver", "uvicorn", "http", "xmlrpc"}
OF_THE_SYSTEM = {"system", "popen", "startfile", "fork", "posix_spawn"}


def sources() -> Iterator[tuple[str, ast.AST]]:
    """Every node of every module, with the module's path."""
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            yield name, node


def imported(node: ast.AST) -> set[str]:
    """The packages that a node imports."""
    if isinstance(node, ast.Import):
        return {alias.name.split(".")[0] for alias in node.names}
    if isinstance(node, ast.ImportFrom) and node.module:
        return {node.module.split(".")[0]}
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


def test_only_sql_starts_a_program_which_is_our_own_and_nothing_runs_a_text() -> None:
    found = [
        (name, ast.unparse(node))
        for name, node in sources()
        if imported(node) & {*STARTS_PROGRAMS, *READS_CODE_FROM_DATA} or is_run(node)
    ]
    assert found == [("people/sql.py", "import subprocess")]
    assert [sys.executable, "-I", str(PACKAGE / "people/sql_process.py")] == sql.COMMAND


def test_only_the_sandbox_listens_on_a_port() -> None:
    listening = {name for name, node in sources() if imported(node) & LISTENS}
    assert listening == {"sandbox/serve.py"}


def test_no_next_generation_of_a_dependency_is_taken() -> None:
    required: list[str] = tomllib.loads(PROJECT.read_text("utf-8"))["project"]["dependencies"]
    assert all(",<" in one for one in required)
