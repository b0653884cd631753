"""Installing the server into a client: what becomes of files that other people's things are in."""

import json
import os
import signal
import stat
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from leadpipe_mcp.clients import CLIENTS, ConfigError, ConfigFile, Machine
from leadpipe_mcp.clients.install import run_install
from leadpipe_mcp.settings import Settings
from tests.processes import COMMAND, ENVIRONMENT, running
from tests.systems import needs_modes

KEY = "sk_live_0001"
COMMENTED = """\
{
    // What the editor is to do, in my words.
    "theme": "dark", /* not light */
    "SERVERS": {
        "notes": {"command": "notes-mcp", "env": {"NOTES_KEY": "n_1"}}, // mine
    },
    "last": [1, 2,], // the end
}
"""
PLAIN = '{\r\n\t"SERVERS": {},\r\n\t"numbers": [1.50, -0]\r\n}'
BESIDE = '{\n "SERVERS": {\n  "notes": {"command": "notes-mcp"}, "maps": {}\n }\n}'
ONE_LINE = '{"a": "}, {", "SERVERS": {"notes": {"command": "notes-mcp"}}}'
TOML = """\
# What I like.
model = "large" # not small

[SERVERS.notes]
command = "notes-mcp"

[projects."/srv/app"]
trust_level = "trusted"
"""


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine("linux", {}, tmp_path)


def install(name: str, machine: Machine, *, key: str | None = KEY, **how: object) -> None:
    given = {"LEADPIPE_API_KEY": key} if key else {}
    remove, show_only = bool(how.pop("remove", False)), bool(how.pop("show_only", False))
    settings = Settings.read(given, how)
    run_install(name, settings, machine, remove=remove, show_only=show_only)


def entry(name: str, machine: Machine) -> Mapping[str, Any] | None:
    return ConfigFile.of(CLIENTS[name], machine).entry()


def written(name: str, machine: Machine, text: str) -> Path:
    """The client's configuration, with this text in it."""
    path = CLIENTS[name].place(machine)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.replace("SERVERS", CLIENTS[name].servers).encode())
    return path


def prior(name: str) -> list[str]:
    return [TOML] if CLIENTS[name].form == "toml" else [COMMENTED, PLAIN, BESIDE, ONE_LINE]


WITH_PRIOR = [(name, text) for name in CLIENTS for text in prior(name)]


@pytest.mark.parametrize("name", CLIENTS)
def test_a_client_without_a_configuration_gets_one_for_its_owner_only(
    name: str, machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    install(name, machine, toolsets="all", read_only=True)

    path = CLIENTS[name].place(machine)
    parsed = (tomllib if path.suffix == ".toml" else json).loads(path.read_text())
    got = parsed[CLIENTS[name].servers]["leadpipe"]
    env = {"LEADPIPE_API_KEY": KEY, "LEADPIPE_TOOLSETS": "all", "LEADPIPE_READ_ONLY": "1"}
    assert got["env"] == env
    assert Path(got["command"]).is_absolute()
    assert Path(got["command"]).exists()
    assert [one.name for one in path.parent.iterdir() if one.is_file()] == [path.name]
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    said = capsys.readouterr().out
    assert str(path) in said
    assert '"sk_..."' in said
    assert KEY not in said
    assert f"leadpipe-mcp doctor {name}" in said


@pytest.mark.parametrize(("name", "text"), WITH_PRIOR)
def test_all_else_in_a_configuration_stays_and_comes_back_as_it_was(
    name: str, text: str, machine: Machine
) -> None:
    path = written(name, machine, text)
    before = path.read_bytes()
    path.chmod(0o644)

    install(name, machine)

    for line in before.splitlines():
        assert line.strip(b" {},") in path.read_bytes()
    (copy,) = path.parent.glob("*.bak")
    assert copy.read_bytes() == before
    if sys.platform != "win32":
        assert {stat.S_IMODE(one.stat().st_mode) for one in (path, copy)} == {0o600}

    install(name, machine, remove=True)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        *((name, broken) for name in CLIENTS for broken in ('{"a": ', "\xff\xfe")),
        ("cursor", "[1]"),
        ("cursor", '{"SERVERS": ["x"]}'),
        ("cursor", '{"SERVERS": {"leadpipe: {}}}'),
        ("codex", "SERVERS = {}"),
        ("codex", 'SERVERS = { leadpipe = { command = "old" } }'),
    ],
)
def test_a_file_that_cannot_be_understood_is_left_alone(
    name: str, broken: str, machine: Machine
) -> None:
    path = written(name, machine, "")
    path.write_bytes(broken.replace("SERVERS", CLIENTS[name].servers).encode("latin-1"))
    before = path.read_bytes()

    with pytest.raises(ConfigError, match=path.name):
        install(name, machine)

    assert path.read_bytes() == before
    assert len(list(path.parent.iterdir())) == 1


def test_the_fault_is_named_with_its_line(machine: Machine) -> None:
    written("vscode", machine, '{\n  // one\n  "servers": {},\n  oops\n}')
    with pytest.raises(ConfigError, match="not valid JSON: line 4 cannot be understood"):
        install("vscode", machine)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(("cursor", text) for text in ("", "\n", "\ufeff{}", "{}")),
        ("codex", ""),
        ("codex", "\ufeff"),
    ],
)
def test_an_empty_file_is_filled(name: str, text: str, machine: Machine) -> None:
    path = written(name, machine, text)
    install(name, machine)
    assert entry(name, machine) is not None
    assert path.read_text().startswith("\ufeff") == text.startswith("\ufeff")


@pytest.mark.parametrize("name", ["cursor", "codex"])
def test_installing_again_keeps_the_key_and_what_others_put_there(
    name: str, machine: Machine
) -> None:
    install(name, machine, toolsets="all")
    file = ConfigFile.of(CLIENTS[name], machine)
    mine = file.entry() or {}
    mine["disabledTools"] = ["create_pixel"]
    mine["env"]["HTTPS_PROXY"] = "http://127.0.0.1:3128"
    file.save(file.with_entry(mine), private=True)

    install(name, machine, key=None, read_only=True)

    got = entry(name, machine) or {}
    assert got["disabledTools"] == ["create_pixel"]
    assert got["env"] == {
        "HTTPS_PROXY": "http://127.0.0.1:3128",
        "LEADPIPE_READ_ONLY": "1",
        "LEADPIPE_API_KEY": KEY,
    }
    copies = len(list(file.path.parent.iterdir()))
    install(name, machine, key=None, read_only=True)
    assert len(list(file.path.parent.iterdir())) == copies


def test_a_switch_that_is_turned_off_is_no_longer_in_the_entry(machine: Machine) -> None:
    install("cursor", machine, read_only=True)
    install("cursor", machine, read_only=False)
    assert (entry("cursor", machine) or {})["env"] == {"LEADPIPE_API_KEY": KEY}


def test_enter_keeps_the_key_that_is_there(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("cursor", machine)
    asked: list[str] = []

    def nothing_typed(prompt: str) -> str:
        asked.append(prompt)
        return ""

    monkeypatch.setattr("getpass.getpass", nothing_typed)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    install("cursor", machine, key=None, contact="mask")
    env = {"LEADPIPE_API_KEY": KEY, "LEADPIPE_CONTACT": "mask"}
    assert (entry("cursor", machine) or {})["env"] == env
    assert asked == ["Leadpipe API key (sk_..., not shown; Enter keeps the one that is there): "]


@pytest.mark.parametrize("name", ["cursor", "codex"])
def test_an_entry_for_a_server_elsewhere_is_replaced_and_no_key_of_it_is_shown(
    name: str, machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = {"Authorization": "Bearer abcdef", "X-Sonarly-Key": KEY}
    elsewhere = {"url": f"https://mcp.example.com/{KEY}", "headers": secret}
    for more in ({}, {"args": [KEY]}):
        file = ConfigFile.of(CLIENTS[name], machine)
        file.save(file.with_entry(elsewhere | more), private=True)
        install(name, machine)
        assert set(entry(name, machine) or {}) == {"command", "args", "env"}
    said = capsys.readouterr().out
    assert "headers" in said
    assert KEY not in said
    assert "abcdef" not in said


def test_a_key_of_sonarly_is_needed_where_its_tools_are_asked_for(machine: Machine) -> None:
    with pytest.raises(ConfigError, match="there is no key; set SONARLY_API_KEY"):
        install("cursor", machine, toolsets="audiences,sonarly")
    given = {"LEADPIPE_API_KEY": KEY, "SONARLY_API_KEY": "sk_live_so"}
    settings = Settings.read(given, {"toolsets": "audiences,sonarly"})
    run_install("cursor", settings, machine, remove=False, show_only=False)
    env = (entry("cursor", machine) or {})["env"]
    assert env | given == env


def test_the_sandbox_needs_no_key_and_no_key_is_written_for_it(machine: Machine) -> None:
    install("claude-code", machine, sandbox=True)
    got = entry("claude-code", machine) or {}
    assert (got["type"], got["env"]) == ("stdio", {"LEADPIPE_SANDBOX": "1"})


def test_what_is_only_shown_is_not_written(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    install("codex", machine, key=None, show_only=True, contact="mask")
    said = capsys.readouterr().out
    assert '+ env = {LEADPIPE_CONTACT = "mask", LEADPIPE_API_KEY = "sk_..."}' in said
    assert list(machine.home.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ('{"SERVERS": {"leadpipe": {}, "a": {"args": [","]}}}', '{ "a": {"args": [","]}}'),
        ('{"SERVERS": {"a": {}, "leadpipe": {},\n "b": {}}}', '{"a": {}, \n "b": {}}'),
    ],
)
def test_what_is_on_the_line_of_an_entry_stays_where_the_entry_is_taken_out(
    text: str, left: str, machine: Machine
) -> None:
    path = written("cursor", machine, text)
    install("cursor", machine, remove=True)
    assert path.read_text() == f'{{"mcpServers": {left}}}'


def test_an_entry_that_is_there_twice_is_not_taken_out_by_halves(machine: Machine) -> None:
    path = written("cursor", machine, '{"SERVERS": {"leadpipe": {}, "leadpipe": {"args": []}}}')
    before = path.read_text()
    with pytest.raises(ConfigError, match="written in a way that cannot be changed safely"):
        install("cursor", machine, remove=True)
    assert path.read_text() == before


def test_a_folder_in_the_place_of_a_file_is_said_to_be_unreadable(machine: Machine) -> None:
    CLIENTS["cursor"].place(machine).mkdir(parents=True)
    with pytest.raises(ConfigError, match=r"mcp\.json cannot be read: "):
        install("cursor", machine)


@needs_modes
def test_a_file_that_does_not_fit_on_the_disk_leaves_the_one_before_it(machine: Machine) -> None:
    import resource

    path = written("cursor", machine, "{}")
    file = ConfigFile.of(CLIENTS["cursor"], machine)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))  # room for the copy only
    try:
        with pytest.raises(ConfigError, match=r"mcp\.json cannot be written: File too large"):
            file.save('{"leadpipe": 1}' * 10, private=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [one.read_text() for one in path.parent.iterdir()] == ["{}", "{}"]


def test_taking_out_what_is_not_there_changes_nothing(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    install("windsurf", machine, remove=True)
    assert "Windsurf does not have it" in capsys.readouterr().out
    assert list(machine.home.iterdir()) == []


def test_a_file_that_changes_meanwhile_is_not_overwritten(machine: Machine) -> None:
    path = written("claude-code", machine, "{}")
    file = ConfigFile.of(CLIENTS["claude-code"], machine)
    text = file.with_entry({"command": "leadpipe-mcp", "args": [], "env": {}})
    path.write_text('{"started": 2}')
    with pytest.raises(ConfigError, match="changed by somebody else meanwhile"):
        file.save(text, private=False)
    assert path.read_text() == '{"started": 2}'


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_link_is_followed_and_stays_one(machine: Machine) -> None:
    real = machine.home / "dotfiles.json"
    real.write_text("{}")
    link = CLIENTS["cursor"].place(machine)
    link.parent.mkdir()
    link.symlink_to(real)
    install("cursor", machine)
    assert link.is_symlink()
    assert "leadpipe" in real.read_text()


def test_a_temporary_copy_of_uvx_is_not_installed(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scripts(_: str) -> str:
        return "/home/ann/.cache/uv/archive-v0/x1/bin"

    monkeypatch.setattr("sysconfig.get_path", scripts)
    with pytest.raises(ConfigError, match="uv tool install"):
        install("cursor", machine)


def test_without_a_terminal_and_a_key_it_says_what_to_do(tmp_path: Path) -> None:
    environment = {**ENVIRONMENT, "HOME": str(tmp_path), "USERPROFILE": str(tmp_path)}
    done = subprocess.run(
        [*COMMAND, "install", "cursor"],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 1
    assert "set LEADPIPE_API_KEY" in done.stderr
    assert "--sandbox; nothing was changed" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="has no pseudo-terminals for tests")
@pytest.mark.parametrize("typed", ["sk_live_0002", ""], ids=["a key", "Ctrl-C"])
def test_at_a_terminal_the_key_is_asked_for_and_not_echoed(typed: str, tmp_path: Path) -> None:
    import pty

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "install", "cursor"],
        env={**ENVIRONMENT, "HOME": str(tmp_path)},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown = ""
    with running(process):
        while "Leadpipe API key (sk_..., not shown): " not in shown:
            shown += os.read(ours, 1000).decode()
        if typed:
            os.write(ours, f"{typed}\n".encode())
        else:
            process.send_signal(signal.SIGINT)
        with suppress(OSError):  # the other end is closed
            while more := os.read(ours, 1000).decode():
                shown += more
        code = process.wait()
    os.close(ours)
    assert "sk_live_0002" not in shown
    assert "Traceback" not in shown
    if typed:
        assert code == 0
        assert typed in (tmp_path / ".cursor/mcp.json").read_text()
    else:
        assert code == 130
        assert list(tmp_path.iterdir()) == []
