"""Every command of the documents is run, or is on the list of those that cannot be, with why."""

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from leadpipe_mcp.cli import main
from leadpipe_mcp.clients import CLIENTS
from leadpipe_mcp.hosting.settings import HostingSettings
from leadpipe_mcp.settings import variable

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")]
BLOCK = re.compile(r"^( *)```(?:console|sh|bash|shell)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
ASSIGNMENT = re.compile(r"(?:export )?([A-Z_]+)=\S+")
# Where a shell takes what our command prints: eval "$(...)", source <(...), ... > file.
INSIDE = re.compile(r"(?:^|[$<]\()(leadpipe-mcp\b[^|>)]*)")
IN_A_FOLDER = re.compile(r"^\S*/(?=(?:leadpipe-mcp|pip) )")
ELSEWHERE = {
    "leadpipe-mcp demo": "takes seconds; tests/test_demo.py holds the whole conversation",
    "leadpipe-mcp sandbox": "serves until it is ended; tests/test_cli.py starts it",
    "leadpipe-mcp serve": "serves until it is ended; tests/hosting starts it",
    "leadpipe-mcp report": "needs an audience of that name; tests/test_report.py makes one",
    "pip install": "changes the machine; tests/package/check.py installs the wheel",
    "pipx install .": "as pip install",
    "uv tool install .": "as pip install",
    "python3 -m venv": "as pip install",
    "claude mcp add": "another's program",
}
# Windows cannot open a socket without its first two; the rest find programs and temporary files.
NEEDED_TO_START = {"SYSTEMROOT", "SYSTEMDRIVE", "PATH", "PATHEXT", "TEMP", "TMP", "TMPDIR"}
PLACEHOLDERS = {"CLIENT": "claude-code", "COMMAND": "serve"}


def commands_of(text: str) -> Iterator[str]:
    """The commands of a page: in a block of a console the lines after "$ ", else every line."""
    for indent, block in BLOCK.findall(text):
        whole = re.sub(r"\\\n *", "", block)
        lines = [line.removeprefix(indent) for line in whole.splitlines()]
        if any(line.startswith("$ ") for line in lines):
            lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        yield from (line for line in lines if line.strip() and not line.startswith("#"))


COMMANDS = list(
    dict.fromkeys(
        IN_A_FOLDER.sub("", command)
        for page in [*PAGES, *sorted((ROOT / "docs").glob("*.md"))]
        for command in commands_of(page.read_text(encoding="utf-8"))
    )
)
RUN_HERE = [
    inside[1].strip()
    for command in COMMANDS
    if not command.startswith(tuple(ELSEWHERE)) and (inside := INSIDE.search(command))
]


def test_each_command_is_ours_or_of_make_or_a_setting_or_known_to_be_run_elsewhere() -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    settings = {variable(name) for name in HostingSettings.model_fields}
    for command in COMMANDS:
        first, *words = shlex.split(command)
        if first == "make":
            assert {word for word in words if "=" not in word} <= set(targets), command
        elif assigned := ASSIGNMENT.fullmatch(command):
            assert assigned[1] in settings, command
        else:
            assert INSIDE.search(command) or command.startswith(tuple(ELSEWHERE)), command


@pytest.fixture
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home in which nothing is, and no variable that leads out of it, such as a client's own."""
    for name in os.environ.keys() - NEEDED_TO_START:
        monkeypatch.delenv(name)
    for name in ("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("command", RUN_HERE)
@pytest.mark.usefixtures("empty_home", "logs_as_they_were")
def test_a_command_of_the_documents_does_what_it_is_for(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [PLACEHOLDERS.get(word, word) for word in shlex.split(command)[1:]]
    if words[0] == "install":
        monkeypatch.setenv("LEADPIPE_API_KEY", "sk_invented")
    if words[0] == "doctor":
        # As after the page's first steps.
        named = [word for word in words[1:] if word in CLIENTS] or ["cursor"]
        main(["install", *named, "--sandbox"])
        capsys.readouterr()
    try:
        main(words)
    except SystemExit as end:
        assert not end.code, capsys.readouterr()  # noqa: PT017 -- how a command ends
    assert capsys.readouterr().out
