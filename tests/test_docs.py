"""What the documents say is so."""

import json
import re
import tomllib
from pathlib import Path
from typing import get_args

from leadpipe_mcp.clients import CLIENTS
from leadpipe_mcp.settings import Settings, Toolset, variable
from leadpipe_mcp.tools.toolsets import TOOLS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readme_names_every_tool_and_those_that_ask() -> None:
    section = README.split("## What the assistant can do\n")[1].split("\n## ")[0]
    rows = "".join(line for line in section.splitlines() if line.startswith("| "))
    named = {name for name in re.findall(r"`(\w+)`", rows) if name not in get_args(Toolset)}
    asking = set(re.findall(r"\*\*`(\w+)`\*\*", rows))

    assert named == {declaration.name for declaration in TOOLS}
    assert asking.isdisjoint(d.name for d in TOOLS if d.hints.read_only_hint)
    assert asking == {
        *("create_audience", "update_audience", "set_status", "delete_audience"),
        *("export_audience", "sonarly_delete_audience", "update_pixel"),
    }


def test_the_readme_names_every_client() -> None:
    for name in CLIENTS:
        assert f"`{name}`" in README


def test_configurations_in_the_documents_start_our_command_with_settings_that_there_are() -> None:
    page = (ROOT / "docs/getting-started.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```(json|toml)\n(.*?)```", page, re.DOTALL)

    assert len(blocks) == 3
    for form, text in blocks:
        (servers,) = (json if form == "json" else tomllib).loads(text).values()
        assert servers["leadpipe"]["command"].endswith("/leadpipe-mcp")
        assert set(servers["leadpipe"]["env"]) <= {variable(name) for name in Settings.model_fields}


def test_the_architecture_names_every_module() -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    package = ROOT / "leadpipe_mcp"

    modules = {path.relative_to(package) for path in package.rglob("*.py")}
    rooms = {path for path in modules if path.parts[0] != "sandbox" and path.name != "__init__.py"}

    assert [str(path) for path in sorted(rooms) if path.name not in text] == []
