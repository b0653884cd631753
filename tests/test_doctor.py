"""The doctor: a line for each thing that the server needs, and what to do where one is wrong."""

import json
import os
import sys
from pathlib import Path

import pytest
from starlette.responses import JSONResponse

from leadpipe_mcp.api.connections import Application
from leadpipe_mcp.cli import main
from leadpipe_mcp.doctor import Finding, examine
from leadpipe_mcp.sandbox import Sandbox, SandboxSettings
from leadpipe_mcp.settings import SandboxProfile, Settings

pytestmark = pytest.mark.anyio
KEY = "sk_live_0001"
CODES = {"ok": 0, "warning": 1, "problem": 2}


def answering(status: int, body: object) -> Application:
    return JSONResponse(body, status)


def account(**told: object) -> Application:
    return answering(200, {"data": {"healthy": True, **told}})


async def found(service: Application, **settings: object) -> dict[str, Finding]:
    """What is found with a key, by what it is about."""
    read = Settings.model_validate({"api_key": KEY, **settings})
    findings = await examine(read, service=service)
    assert KEY not in repr(findings)
    return {one.what: one for one in findings}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, in which no client is installed and nothing is set."""
    for name in [name for name in os.environ if name.startswith(("LEADPIPE_", "SONARLY_"))]:
        monkeypatch.delenv(name)
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "APPDATA", "LOCALAPPDATA", "CODEX_HOME"):
        monkeypatch.delenv(name, raising=False)
    place = tmp_path / "home"
    place.mkdir()
    monkeypatch.setenv("HOME", str(place))
    monkeypatch.setenv("USERPROFILE", str(place))
    return place


def told(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[object, str]:
    """The code with which the doctor ends, and what it prints."""
    with pytest.raises(SystemExit) as caught:
        main(["doctor", *arguments])
    return caught.value.code, capsys.readouterr().out


@pytest.mark.parametrize("profile", ["flat", "catalog"])
async def test_where_all_is_well_each_line_says_so(profile: SandboxProfile, tmp_path: Path) -> None:
    sandbox = Sandbox(SandboxSettings(profile=profile, people=300))
    lines = await found(sandbox, export_dir=str(tmp_path), cache_dir=str(tmp_path / "new"))
    assert {one.state for one in lines.values()} == {"ok"}
    assert lines["connection"].said == "https://api.aws53.cloud answers"
    assert lines["key"].said == "LEADPIPE_API_KEY holds one that works"
    assert lines["slots"].said == "2 of 3 slots free"
    month = {"flat": "April", "catalog": "May"}[profile]
    assert lines["API"].said == f"filters as of {month} 2026"
    assert lines["exported files"].said == str(tmp_path)
    assert lines["kept people"].said == f"{tmp_path / 'new'}, made when needed"
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("service", "what", "advice"),
    [
        (answering(401, {"error": "Invalid key"}), "key", "LEADPIPE_API_KEY must hold a current"),
        (
            answering(403, {"error": {"message": "Organization expired"}}),
            "organization",
            "has to be renewed",
        ),
        (account(healthy=False), "organization", "Renew the subscription"),
        (answering(500, {}), "account", "Try again in a minute"),
        (answering(200, {"data": []}), "account", "does not answer as it should"),
    ],
)
async def test_what_is_wrong_is_named_with_what_to_do(
    service: Application, what: str, advice: str
) -> None:
    lines = await found(service)
    assert lines["connection"].state == "ok"
    assert lines[what].state == "problem"
    assert advice in lines[what].advice


async def test_without_a_network_nothing_is_said_of_the_key() -> None:
    async def refused(*_: object) -> None:
        raise ConnectionRefusedError

    lines = await found(refused)
    assert lines["connection"].state == "problem"
    assert "check the network" in lines["connection"].advice
    assert not lines.keys() & {"key", "organization", "slots"}


async def test_what_is_used_up_is_a_warning() -> None:
    used_up = {"slots": {"used": 3, "limit": 3}, "credits": {"used": 9, "remaining": 0}}
    lines = await found(account(**used_up))
    assert (lines["slots"].state, lines["slots"].said) == ("warning", "all 3 are in use")
    assert (lines["credits"].state, lines["credits"].said) == ("warning", "none left")


async def test_sonarly_is_asked_where_its_tools_are_on() -> None:
    service = Sandbox(SandboxSettings(people=300))
    settings = Settings.model_validate({"api_key": KEY, "sonarly_api_key": "sk_live_so"})
    (one,) = [
        finding
        for finding in await examine(settings, service=service, sonarly=answering(401, {}))
        if finding.what == "Sonarly"
    ]
    assert one.state == "problem"
    assert "SONARLY_API_KEY must hold a current key" in one.advice
    assert "Sonarly" not in await found(service)


async def test_a_folder_that_cannot_be_written_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def may_not(*_: object) -> bool:
        return False

    monkeypatch.setattr("os.access", may_not)  # root may write anywhere
    lines = await found(account(), export_dir=str(tmp_path))
    assert lines["exported files"].state == "problem"
    assert "LEADPIPE_EXPORT_DIR" in lines["exported files"].advice


def test_it_is_printed_with_a_code_that_says_how_bad_it_is(
    capsys: pytest.CaptureFixture[str], logs_as_they_were: None
) -> None:
    code, text = told(["--sandbox", "--toolsets", "all"], capsys)
    assert code == 0
    assert "ok       connection: the sandbox answers" in text.splitlines()
    assert "ok       Sonarly: the key sees 1 account" in text.splitlines()

    code, text = told([], capsys)
    assert code == 2
    assert "problem  key: No Leadpipe API key is set" in text
    assert max(len(line) for line in text.splitlines() if line.startswith(" ")) <= 80


@pytest.mark.skipif(sys.platform == "win32", reason="has no pseudo-terminals for tests")
@pytest.mark.parametrize(
    ("terminal", "variables", "colored"),
    [(True, {}, True), (True, {"NO_COLOR": "1"}, False), (False, {}, False)],
)
def test_it_has_colours_on_a_terminal_unless_they_are_unwanted(
    monkeypatch: pytest.MonkeyPatch,
    logs_as_they_were: None,
    *,
    terminal: bool,
    variables: dict[str, str],
    colored: bool,
) -> None:
    import pty

    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    ours, theirs = pty.openpty() if terminal else os.pipe()
    said = b""
    with os.fdopen(theirs, "w") as stdout, os.fdopen(ours, "rb", buffering=0) as end:
        monkeypatch.setattr(sys, "stdout", stdout)
        with pytest.raises(SystemExit):
            main(["doctor", "--sandbox"])
        stdout.flush()
        while b"assistants: " not in said:  # the last that it looks at
            said += end.read(10_000)
    assert (b"\x1b[32mok" in said) == (b"\x1b" in said) == colored


def test_it_is_told_as_json(capsys: pytest.CaptureFixture[str], logs_as_they_were: None) -> None:
    code, text = told(["--sandbox", "--json"], capsys)
    said = json.loads(text)
    assert CODES[said["state"]] == code == 0
    assert [one["what"] for one in said["findings"]][:3] == ["version", "settings", "connection"]
    with pytest.raises(SystemExit):
        main(["demo", "--json"])
    assert "--json goes with doctor" in capsys.readouterr().err


def test_it_looks_with_the_settings_of_the_client_that_is_named(
    home: Path, capsys: pytest.CaptureFixture[str], logs_as_they_were: None
) -> None:
    main(["install", "cursor", "--sandbox", "--toolsets", "all"])
    main(["install", "codex", "--sandbox"])
    capsys.readouterr()

    code, text = told(["cursor"], capsys)
    assert code == 0
    assert f"ok       settings: those of Cursor, {home / '.cursor/mcp.json'}" in text
    assert "ok       Sonarly: the key sees 1 account" in text
    assert "ok       assistants: Cursor and Codex" in text

    # With no key here, the first client that has the server is looked at.
    assert f"those of Cursor, {home}" in told([], capsys)[1]
    assert "settings: the variables and flags given here" in told(["--sandbox"], capsys)[1]


@pytest.mark.parametrize(
    "args",
    [["--sandbox"], ["-m", "leadpipe_mcp", "--toolsets=all", "--sandbox", "--contact", "mask"]],
)
def test_an_entry_that_was_written_by_hand_is_understood(
    args: list[str], home: Path, capsys: pytest.CaptureFixture[str], logs_as_they_were: None
) -> None:
    env = {"LEADPIPE_API_KEY": "${input:key}", "LEADPIPE_LOG_LEVEL": "DEBUG"}
    entry = {"command": sys.executable, "args": args, "env": env}
    (home / ".cursor").mkdir()
    (home / ".cursor/mcp.json").write_text(json.dumps({"mcpServers": {"leadpipe": entry}}))
    code, text = told(["cursor"], capsys)
    assert code == 0
    assert ("Sonarly" in text) == ("--toolsets=all" in args)


def test_a_client_that_cannot_start_the_server_is_named(
    home: Path, capsys: pytest.CaptureFixture[str], logs_as_they_were: None
) -> None:
    assert "ok       assistants: none has the server yet" in told(["--sandbox"], capsys)[1]
    (home / ".cursor").mkdir()
    entry = {"command": str(home / "gone/leadpipe-mcp"), "env": {"LEADPIPE_SANDBOX": "1"}}
    (home / ".cursor/mcp.json").write_text(json.dumps({"mcpServers": {"leadpipe": entry}}))
    (home / ".gemini").mkdir()
    (home / ".gemini/settings.json").write_text("{")

    code, text = told(["cursor", "--json"], capsys)
    assert code == 2
    lines = {one["what"]: one for one in json.loads(text)["findings"]}
    assert lines["Cursor"]["state"] == "problem"
    assert lines["Cursor"]["advice"] == "leadpipe-mcp install cursor sets it right."
    assert lines["Gemini CLI"]["state"] == "warning"

    code, text = told(["windsurf"], capsys)
    assert code == 2
    assert "Windsurf does not have the server; leadpipe-mcp install windsurf puts it in" in text
    (home / ".cursor/mcp.json").write_text(
        '{"mcpServers": {"leadpipe": {"env": {"LEADPIPE_CONTACT": "never"}}}}'
    )
    assert "LEADPIPE_CONTACT: must be 'allow' or 'mask'" in told(["cursor"], capsys)[1]
