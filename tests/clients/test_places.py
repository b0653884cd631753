"""Where each client keeps its configuration, on each system."""

from pathlib import Path

import pytest

from leadpipe_mcp.clients import CLIENTS, Machine


@pytest.mark.parametrize(
    ("platform", "name", "place"),
    [
        (
            "darwin",
            "claude-desktop",
            "Library/Application Support/Claude/claude_desktop_config.json",
        ),
        ("win32", "claude-desktop", "AppData/Roaming/Claude/claude_desktop_config.json"),
        ("linux", "claude-desktop", ".config/Claude/claude_desktop_config.json"),
        ("darwin", "vscode", "Library/Application Support/Code/User/mcp.json"),
        ("win32", "vscode", "AppData/Roaming/Code/User/mcp.json"),
        ("linux", "vscode", ".config/Code/User/mcp.json"),
        ("linux", "claude-code", ".claude.json"),
        ("linux", "cursor", ".cursor/mcp.json"),
        ("linux", "codex", ".codex/config.toml"),
        ("linux", "windsurf", ".codeium/windsurf/mcp_config.json"),
        ("linux", "gemini-cli", ".gemini/settings.json"),
    ],
)
def test_each_client_has_its_place(platform: str, name: str, place: str, tmp_path: Path) -> None:
    assert CLIENTS[name].place(Machine(platform, {}, tmp_path)) == tmp_path / place


def test_a_place_that_a_variable_names_is_used(tmp_path: Path) -> None:
    named = {name: str(tmp_path / name) for name in ("CODEX_HOME", "APPDATA", "CLAUDE_CONFIG_DIR")}
    machine = Machine("win32", named, tmp_path / "home")
    assert CLIENTS["codex"].place(machine) == tmp_path / "CODEX_HOME/config.toml"
    assert CLIENTS["vscode"].place(machine) == tmp_path / "APPDATA/Code/User/mcp.json"
    assert CLIENTS["claude-code"].place(machine) == tmp_path / "CLAUDE_CONFIG_DIR/.claude.json"


def test_claude_desktop_as_a_packaged_program_has_a_folder_of_its_own(tmp_path: Path) -> None:
    package = tmp_path / "AppData/Local/Packages/Claude_x1y2"
    package.mkdir(parents=True)
    place = CLIENTS["claude-desktop"].place(Machine("win32", {}, tmp_path))
    assert place == package / "LocalCache/Roaming/Claude/claude_desktop_config.json"
