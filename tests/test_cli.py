"""The command line: commands, flags, and sentences instead of tracebacks."""

import json
import os
import socket
import subprocess
from collections.abc import Iterator, Sequence
from http.client import HTTPConnection

import pytest

from leadpipe_mcp import __version__
from leadpipe_mcp.cli import main
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
    for word in ("serve", "demo", "sandbox", "--sandbox", "--port", "--confirm", "--base-url"):
        assert word in text
    assert "--api-key" not in text
    assert "LEADPIPE_SANDBOX=1" in text


def test_a_value_that_makes_no_sense_stops_with_a_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = "leadpipe-mcp: LEADPIPE_CONFIRM: must be 'auto' or 'off'."
    for arguments in (["--confirm", "never"], ["--confirm=never", "sandbox"]):
        assert stopped(arguments, capsys) == (said, "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--colour"], "there is no flag --colour"),
        (["--colour=secret", "serve", "--taste", "--sandbox"], "no flag --colour, --taste"),
        (["--sand"], "there is no flag --sand"),
        (["--sandbox=secret"], "argument --sandbox: ignored explicit argument"),
        (["--sk_live_secret"], "that is one word too many"),
        (["secret"], "argument command: must be serve, demo, doctor or sandbox"),
        (["serve", "secret"], "that is one word too many"),
        (["--port", "70000"], "argument --port: must be a whole number from 0 to 65535"),
        (["--port", "secret"], "argument --port: must be a whole number from 0 to 65535"),
        (["--api-key", "secret"], "set LEADPIPE_API_KEY instead"),
        (["--sonarly-api-key", "secret"], "set SONARLY_API_KEY instead"),
        (["sk_secret"], "argument command: must be serve, demo, doctor or sandbox"),
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
        process.terminate()
        _, said = process.communicate()
    assert said == "The sandbox plays Leadpipe and Sonarly until you press Ctrl-C. Set:\n"
