"""The command line: commands, flags, and sentences instead of tracebacks."""

import json
import os
import runpy
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from http.client import HTTPConnection

import pytest

from leadpipe_mcp import __version__
from leadpipe_mcp.cli import main
from leadpipe_mcp.commands import COMMANDS
from tests.processes import COMMAND, DEADLINE_SECONDS, running


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the one who runs the tests has set is not looked at."""
    for name in [name for name in os.environ if name.startswith("LEADPIPE_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def stopped(arguments: Sequence[str], capsys: pytest.CaptureFixture[str]) -> tuple[object, str]:
    """What a command that stops at once leaves: its code or last words, and its output."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    told = capsys.readouterr()
    return caught.value.code, told.out + told.err


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--version"], ["serve", "--version"]):
        assert stopped(arguments, capsys) == (0, f"leadpipe-mcp {__version__}\n")


def test_help_names_the_commands_and_the_flags(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = stopped(["--help"], capsys)
    assert code == 0
    for word in ("serve", "install", "doctor", "demo", "sandbox", "completion", "--version"):
        assert word in text
    for command in COMMANDS:
        code, of_command = stopped([command, "--help"], capsys)
        assert code == 0
        assert "--api-key" not in of_command
        assert max(map(len, (text + of_command).splitlines())) <= 80
    text = stopped(["serve", "--http", "--help"], capsys)[1]
    for word in ("--sandbox", "--confirm auto|off", "--base-url URL", "--workers N", "SANDBOX=1"):
        assert word in text


def test_a_shell_completes_commands_clients_flags_and_values(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["completion", "bash"])
    script = capsys.readouterr().out
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("there is no bash here")
    completed = {
        "inst": ["install"],
        "install cu": ["cursor"],
        "install cursor --re": ["--remove", "--read-only"],
        "serve --confirm ": ["auto", "off"],
        "completion z": ["zsh"],
        "demo --js": [],
    }
    for typed, words in completed.items():
        words_typed = shlex.join(["leadpipe-mcp", *typed.split(" ")])
        asked = f"{script}COMP_WORDS=({words_typed}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))"
        done = subprocess.run(
            [bash, "-c", f'{asked}; _leadpipe_mcp; echo "${{COMPREPLY[@]}}"'],
            capture_output=True,
            check=True,
            text=True,
        )
        assert done.stdout.split() == words, typed
    for shell in ("zsh", "fish"):
        main(["completion", shell])
        assert "gemini-cli" in capsys.readouterr().out


def test_a_worker_that_imports_the_program_starts_no_second_server() -> None:
    # As Python does in each process of several.
    found = runpy.run_module("leadpipe_mcp.__main__", run_name="__mp_main__")
    assert found["main"] is main


def test_a_value_that_makes_no_sense_stops_with_a_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = "leadpipe-mcp: LEADPIPE_CONFIRM: must be 'auto' or 'off'."
    for arguments in (["--confirm", "never"], ["--confirm=never", "install", "cursor"]):
        assert stopped(arguments, capsys) == (said, "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--colour"], "there is no flag --colour"),
        (["--colour=secret", "serve", "--taste", "--sandbox"], "no flag --colour, --taste"),
        (["--sand"], "there is no flag --sand"),
        (["--sandbox=secret"], "argument --sandbox: ignored explicit argument"),
        (["--sk_live_secret"], "that is one word too many"),
        (["secret"], "the command must be serve, install, doctor, report, demo, sandbox or"),
        (["instal"], "completion; did you mean install?"),
        (["install"], "the following arguments are required: client"),
        (["install", "secret"], "must be claude-desktop, claude-code, cursor"),
        (["install", "curser"], "did you mean cursor?"),
        (["install", "cursor", "secret"], "that is one word too many"),
        (["--host", "secret"], "--host goes with serve --http"),
        (["doctor", "--remove"], "--remove goes with install"),
        (["serve", "secret"], "that is one word too many"),
        (["--port", "70000"], "--port goes with sandbox or serve --http"),
        (["sandbox", "--port", "70000"], "argument --port: must be a whole number from 0 to 65535"),
        (["sandbox", "--port", "secret"], "argument --port: must be a whole number from 0 to"),
        (["--api-key", "secret"], "set LEADPIPE_API_KEY instead"),
        (["--sonarly-api-key", "secret"], "set SONARLY_API_KEY instead"),
        (["sk_secret"], "the command must be serve, install, doctor, report"),
        (["--api-key=secret"], "a key on the command line can be read by others"),
    ],
)
def test_what_is_not_understood_is_refused_and_not_repeated(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = stopped(arguments, capsys)
    assert code == 2
    assert said in text
    assert "secret" not in text


def test_a_port_that_is_taken_is_named(taken_port: int, capsys: pytest.CaptureFixture[str]) -> None:
    code, _ = stopped(["sandbox", "--port", str(taken_port)], capsys)
    assert code == f"leadpipe-mcp: port {taken_port} cannot be used: Address already in use"


def test_the_sandbox_is_served_until_it_is_ended() -> None:
    # Takes a second: a process of its own.
    process = subprocess.Popen(
        [*COMMAND, "--sandbox-profile", "flat", "sandbox", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with running(process):
        assert process.stdout is not None
        told = [process.stdout.readline().split() for _ in range(2)]
        set_to = dict(assignment.split("=") for line in told for assignment in line)
        address = set_to["LEADPIPE_BASE_URL"]
        assert address.startswith("http://127.0.0.1:")
        assert set_to["SONARLY_BASE_URL"] == address
        asked = HTTPConnection(address.removeprefix("http://"), timeout=DEADLINE_SECONDS)
        asked.request("GET", "/v1/intent/audiences/filters", headers={"X-API-Key": "sk_test"})
        assert "seniority" in json.load(asked.getresponse())["data"]
        asked.close()
        process.send_signal(signal.SIGTERM if sys.platform == "win32" else signal.SIGINT)
        _, said = process.communicate()
    assert said == "The sandbox plays Leadpipe and Sonarly until you press Ctrl-C. Set:\n"


@pytest.mark.skipif(sys.platform == "win32", reason="has no pseudo-terminals for tests")
def test_who_starts_the_server_by_hand_is_told_what_it_waits_for() -> None:
    import pty

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "--sandbox"], stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    os.close(theirs)
    with running(process):
        assert process.stderr is not None
        said = process.stderr.readline().decode()
        process.send_signal(signal.SIGINT)
        said += process.stderr.read().decode()
        assert process.wait() in {0, 130}  # as it serves already, or is still starting
    os.close(ours)
    assert "Traceback" not in said
    assert "waiting for an MCP client on stdin" in said
    assert "try leadpipe-mcp demo" in said
