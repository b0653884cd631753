"""Where each client keeps its list of MCP servers, on macOS, Windows and Linux.

The places are those of the clients' own documentation; none of the clients was run here.
"""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Machine:
    """What decides where files are: the platform as Python names it, the variables, the home."""

    platform: str
    environment: Mapping[str, str]
    home: Path

    @classmethod
    def here(cls) -> "Machine":
        """The machine that this runs on."""
        return cls(sys.platform, os.environ, Path.home())

    def folder(self, variable: str, otherwise: str) -> Path:
        """The folder that a variable names, else one in the home."""
        named = Path(self.environment.get(variable) or "")
        return named if named.is_absolute() else self.home / otherwise

    def programs(self) -> Path:
        """Where desktop programs keep their settings."""
        if self.platform == "darwin":
            return self.home / "Library/Application Support"
        if self.platform == "win32":
            return self.folder("APPDATA", "AppData/Roaming")
        return self.folder("XDG_CONFIG_HOME", ".config")


@dataclass(frozen=True)
class Client:
    """A program that starts MCP servers, and how it wants to be told of one."""

    name: str
    title: str
    place: Callable[[Machine], Path]
    afterwards: str
    servers: str = "mcpServers"
    form: Literal["json", "toml"] = "json"
    says_stdio: bool = False


def _claude_desktop(machine: Machine) -> Path:
    name = "claude_desktop_config.json"
    if machine.platform == "win32":
        # As a packaged program it sees a folder of its own in the place of the usual one.
        packages = machine.folder("LOCALAPPDATA", "AppData/Local") / "Packages"
        for package in sorted(packages.glob("Claude_*")):
            return package / "LocalCache/Roaming/Claude" / name
    return machine.programs() / "Claude" / name


CLIENTS = {
    client.name: client
    for client in (
        Client(
            "claude-desktop",
            "Claude Desktop",
            _claude_desktop,
            "Quit Claude Desktop and open it again.",
        ),
        Client(
            "claude-code",
            "Claude Code",
            lambda machine: machine.folder("CLAUDE_CONFIG_DIR", "") / ".claude.json",
            "Start Claude Code again; /mcp shows the server.",
            says_stdio=True,
        ),
        Client(
            "cursor",
            "Cursor",
            lambda machine: machine.home / ".cursor/mcp.json",
            "Cursor asks whether to switch it on: Settings, then Tools & MCP.",
        ),
        Client(
            "vscode",
            "VS Code",
            lambda machine: machine.programs() / "Code/User/mcp.json",
            "In VS Code, run 'MCP: List Servers', choose leadpipe, and start it.",
            servers="servers",
            says_stdio=True,
        ),
        Client(
            "codex",
            "Codex",
            lambda machine: machine.folder("CODEX_HOME", ".codex") / "config.toml",
            "Start Codex again; /mcp shows the server.",
            servers="mcp_servers",
            form="toml",
        ),
        Client(
            "windsurf",
            "Windsurf",
            lambda machine: machine.home / ".codeium/windsurf/mcp_config.json",
            "In Windsurf's list of MCP servers, press Refresh.",
        ),
        Client(
            "gemini-cli",
            "Gemini CLI",
            lambda machine: machine.home / ".gemini/settings.json",
            "Start Gemini CLI again; /mcp shows the server.",
        ),
    )
}
