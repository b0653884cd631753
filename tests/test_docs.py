"""What the documents say is so."""

import json
from pathlib import Path

from leadpipe_mcp.settings import Settings, variable
from leadpipe_mcp.tools.toolsets import TOOLS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def table_rows(heading: str) -> dict[str, list[str]]:
    """The rows of the table under a heading of the README, by the code in their first cell."""
    section = README.split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    return {row[0].strip().strip("`"): [cell.strip() for cell in row[1:]] for row in rows}


def test_the_readme_names_every_tool_and_those_that_ask() -> None:
    rows = table_rows("What the assistant can do")
    assert set(rows) == {declaration.name for declaration in TOOLS}
    asking = {name for name, cells in rows.items() if cells[1]}
    assert asking.isdisjoint(d.name for d in TOOLS if d.hints.read_only_hint)
    assert asking == {
        *("create_audience", "update_audience", "set_status", "delete_audience"),
        *("export_audience", "sonarly_delete_audience", "update_pixel"),
    }


def test_the_readme_names_settings_that_there_are_with_their_defaults() -> None:
    fields = {variable(name): field for name, field in Settings.model_fields.items()}
    rows = table_rows("Settings")

    assert len(rows) >= 5
    for name, cells in rows.items():
        default = str(fields[name].default)
        assert cells[1].strip("`") == {"None": "", "False": "off"}.get(default, default)


def test_the_configuration_in_the_readme_is_json_and_starts_our_command() -> None:
    config = json.loads(README.split("```json\n")[1].split("```")[0])

    server = config["mcpServers"]["leadpipe"]
    assert server["command"] == "leadpipe-mcp"
    assert set(server["env"]) <= {variable(name) for name in Settings.model_fields}


def test_the_architecture_names_every_module() -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    package = ROOT / "leadpipe_mcp"

    modules = {path.relative_to(package) for path in package.rglob("*.py")}
    rooms = {path for path in modules if path.parts[0] != "sandbox" and path.name != "__init__.py"}

    assert [str(path) for path in sorted(rooms) if path.name not in text] == []
