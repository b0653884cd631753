"""What the package cannot do at all, and what it requires, read off its source."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import leadpipe_mcp
from leadpipe_mcp.people import sql

PACKAGE = Path(leadpipe_mcp.__file__).parent
PROJECT = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text("utf-8"))["project"]
REQUIRED: list[str] = PROJECT["dependencies"]
EXTRAS: list[str] = [
    one
    for extra, packages in PROJECT["optional-dependencies"].items()
    for one in packages
    if extra != "all"
]
# What is imported under another name than it is required by.
BRINGS = {
    "pyjwt": "jwt",
    "opentelemetry-api": "opentelemetry",
    "opentelemetry-sdk": "opentelemetry",
    "opentelemetry-exporter-otlp-proto-http": "opentelemetry",
}
# httpcore imports it, if it is there, four times a request.
UNIMPORTED = {"sniffio"}
# Part of pydantic, and types of the standard library.
UNDECLARED = {"pydantic_core", "_typeshed", "leadpipe_mcp"}
STARTS_PROGRAMS = {"subprocess", "multiprocessing", "pty", "ctypes", "code", "runpy"}
READS_CODE_FROM_DATA = {"pickle", "marshal", "shelve", "dill", "yaml"}
LISTENS = {"socket", "socketserver", "uvicorn", "http", "xmlrpc"}
# Only http.cookiejar, so that no cookie is kept.
REFUSES_COOKIES = {("api/connections.py", "http")}
RUNS = re.compile(
    r"(eval|exec|compile|__import__"
    r"|os\.(system|popen|startfile|fork|posix_spawn|exec\w*|spawn\w*))\(\)"
)


def used(node: ast.AST) -> Iterator[str]:
    """The packages that a node imports, or the function that it calls."""
    match node:
        case ast.Import(names=names):
            yield from (alias.name.split(".")[0] for alias in names)
        case ast.ImportFrom(module=str(module)):
            yield module.split(".")[0]
        case ast.Call(func=function):
            yield f"{ast.unparse(function)}()"
        case _:
            pass


@cache
def uses() -> set[tuple[str, str]]:
    """What every module uses."""
    return {
        (path.relative_to(PACKAGE).as_posix(), name)
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        for name in used(node)
    }


def versions(lines: str, joined: str) -> dict[str, str]:
    """What each name is followed by; zeros at the end say nothing."""
    found = re.findall(rf"^([\w-]+)(?:\[\w+\])?{joined}([\d.]+)", lines, re.MULTILINE)
    return {name: re.sub(r"(\.0)+$", "", version) for name, version in found}


def test_only_sql_starts_a_program_which_is_our_own_and_nothing_runs_a_text() -> None:
    able = {*STARTS_PROGRAMS, *READS_CODE_FROM_DATA}
    found = [one for one in uses() if one[1] in able or RUNS.fullmatch(one[1])]
    assert found == [("people/sql.py", "subprocess")]
    assert [sys.executable, "-I", str(PACKAGE / "people/sql_process.py")] == sql.COMMAND


def test_only_the_sandbox_and_a_team_s_server_listen_on_a_port() -> None:
    listening = {module for module, name in uses() - REFUSES_COOKIES if name in LISTENS}
    assert listening == {"sandbox/serve.py", "hosting/run.py"}


def test_what_is_imported_is_required_and_no_next_generation_of_it_is_taken() -> None:
    imported = {name for _, name in uses() if not name.endswith("()")}
    required = versions("\n".join(REQUIRED + EXTRAS), ">=")
    brought = {BRINGS.get(name, name.replace("-", "_")) for name in required}
    assert imported - sys.stdlib_module_names - UNDECLARED == brought - UNIMPORTED
    assert len(required) == len(REQUIRED + EXTRAS)
    assert all(",<" in one for one in REQUIRED + EXTRAS)


def test_what_an_extra_brings_is_imported_by_its_module_alone() -> None:
    brought = {name: module for module, name in uses() if name in {"redis", "prometheus_client"}}
    assert brought == {"redis": "hosting/redis.py", "prometheus_client": "hosting/metrics.py"}


def test_the_lowest_versions_that_are_allowed_are_those_that_are_tested() -> None:
    tested = (PACKAGE.parent / "requirements/lowest.txt").read_text("utf-8")
    assert versions(tested, "==") == versions("\n".join(REQUIRED + EXTRAS), ">=")
