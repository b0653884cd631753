"""Check the server over HTTP with the protocol's own conformance suite, and with its inspector.

Run with `make conformance`. The suite runs for both eras of the protocol, against the server with
fixtures.py beside what it shows, and against the server as shipped. Everything has to pass that
expected-failures.yaml does not name with a reason, and nothing may pass for want of a check.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from leadpipe_mcp.apps import DRAWN, PAGE
from tests.hosting.machines import free_port, wait_for
from tests.node import install, program
from tests.processes import COMMAND, ENVIRONMENT, running

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
FOLDER = ROOT / ".venv" / "conformance"
PACKAGES = {
    "@modelcontextprotocol/conformance": "0.2.0-alpha.12",
    "@modelcontextprotocol/inspector": "2.12.0",
}
REVISIONS = ("2025-11-25", "2026-07-28")
ERAS = ("legacy", "modern")
SHIPPED = "as shipped"
SERVERS = {
    "with fixtures": ("tests.conformance.fixtures",),
    SHIPPED: ("leadpipe_mcp", "serve", "--http", "--port"),
}
SETTINGS = {
    "LEADPIPE_SANDBOX": "true",
    "LEADPIPE_TOOLSETS": "all",
    "LEADPIPE_REQUESTS_PER_MINUTE": "100000",
}
IN_SANDBOX = "LEADPIPE_SANDBOX=true"
LEFT_OUT, NEED_FIXTURES = (
    (HERE / f"{name}.yaml").read_text(encoding="utf-8")
    for name in ("expected-failures", "needs-fixtures")
)
EMPTY = "without a check"
COLUMNS = ("passed", "left out", "needing fixtures", "failed", EMPTY)
PASSES_ANYWAY = "input-required-result-validate-input"
"""Without its fixture, it takes the refusal of an unknown tool for the one that it waits for."""


def main() -> None:
    """Exit with what is wrong, if anything is."""
    install(FOLDER, PACKAGES)
    wrong: list[str] = []
    for name, command in SERVERS.items():
        with tempfile.TemporaryDirectory() as folder, serving(command, Path(folder)) as url:
            for revision in REVISIONS:
                wrong += suite(url, revision, name, Path(folder) / revision)
            if name == SHIPPED:
                wrong += [problem for era in ERAS for problem in inspected(url, era)]
                wrong += pages(url, "modern")
    wrong += pages(None, "legacy")
    if wrong:
        sys.exit("\n".join(["Not conformant:", *wrong]))


@contextmanager
def serving(command: tuple[str, ...], folder: Path) -> Generator[str]:
    """Start a server on a free port, in the sandbox, and return where it is."""
    port = free_port()
    whole = [sys.executable, "-m", *command, str(port)]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            whole, cwd=ROOT, env=ENVIRONMENT | SETTINGS, stderr=log, text=True
        )
        with running(process):
            wait_for(port)
            yield f"http://127.0.0.1:{port}/mcp"


def suite(url: str, revision: str, server: str, results: Path) -> list[str]:
    """Run the suite for one revision, print a line of the table, and return what is wrong."""
    expected = LEFT_OUT + (NEED_FIXTURES if server == SHIPPED else "")
    results.mkdir()
    (results / "expected.yaml").write_text(expected, encoding="utf-8")
    done = program(
        FOLDER,
        *("conformance", "server", "--url", url, "--requirements", revision),
        *("--expected-failures", str(results / "expected.yaml"), "--output-dir", str(results)),
    )
    ends = {scenario: end(scenario, server, results) for scenario in required(revision)}
    counts = Counter(ends.values())
    columns = ", ".join(f"{counts[column]:2} {column}" for column in COLUMNS)
    sys.stdout.write(f"{revision} {server:13}: {len(ends)} required, {columns}\n")
    wrong = [f"{name} ({revision}) checks nothing." for name in ends if ends[name] == EMPTY]
    if done.returncode:
        wrong.append(f"{revision} {server}:{done.stdout.rpartition('=== SUMMARY ===')[2]}")
    return wrong


def end(scenario: str, server: str, results: Path) -> str:
    """Say how a scenario ended, by its own checks: all look at the messages' form as well."""
    files = results.glob(f"server-{scenario}-20*/checks.json")
    made = [check for file in files for check in json.loads(file.read_text(encoding="utf-8"))]
    ended = {check["status"] for check in made if not check["id"].startswith("wire-schema-")}
    needs_fixtures = scenario in (*named(NEED_FIXTURES), PASSES_ANYWAY) and server == SHIPPED
    if ended & {"FAILURE", "WARNING"} and scenario in named(LEFT_OUT):
        return "left out"
    if needs_fixtures:
        return "needing fixtures"
    if ended & {"FAILURE", "WARNING"}:
        return "failed"
    return "passed" if "SUCCESS" in ended else EMPTY


def named(entries: str) -> list[str]:
    """The scenarios that a list says something of."""
    return re.findall(r"^  - ([\w-]+)", entries, re.MULTILINE)


def required(revision: str) -> list[str]:
    """The scenarios that a server has to pass."""
    package = FOLDER / "node_modules/@modelcontextprotocol/conformance"
    text = (package / f"requirements/{revision}.yaml").read_text(encoding="utf-8")
    of_servers = text.partition("\nserver:\n")[2].partition("\nclient:\n")[0]
    found = re.findall(r"^  - (\S+)$", of_servers, re.MULTILINE)
    assert found
    return found


def inspected(url: str, era: str) -> list[str]:
    """Look at the tools' schemas in one era of the protocol, and return what is wrong."""
    asked = ("--cli", "--server-url", url, "--transport", "http", "--method", "tools/list")
    done = program(FOLDER, "mcp-inspector", *asked, "--protocol-era", era, "--strict")
    if done.returncode:
        return [f"The inspector, {era}: {done.stderr}"]
    sys.stdout.write(f"inspector, {era:6}: {len(json.loads(done.stdout)['tools'])} tools\n")
    return []


def pages(url: str | None, era: str) -> list[str]:
    """Look for the tools with a page, over HTTP or over pipes, and return what is wrong."""
    process = (*COMMAND, "-e", IN_SANDBOX, "--cwd", str(ROOT))
    at = ("--server-url", url, "--transport", "http") if url else process
    asked = ("--method", "tools/list", "--app-info", "--advertise-apps", "--protocol-era", era)
    done = program(FOLDER, "mcp-inspector", "--cli", *at, *asked)
    tools = [json.loads(line) for line in done.stdout.splitlines()]
    found = {tool["toolName"]: tool["resourceUri"] for tool in tools if tool["hasApp"]}
    if done.returncode or found != dict.fromkeys(DRAWN, PAGE):
        return [f"The inspector, pages, {era}: {found} {done.stderr}"]
    sys.stdout.write(f"inspector, {era:6}: {len(found)} tools with a page\n")
    return []


if __name__ == "__main__":
    main()
