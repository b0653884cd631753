"""The entry for the registry of servers: what its schema allows, of this version, and complete.

schemas/server.schema.json is the newest that the registry had published when this was written.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from leadpipe_mcp.hosting.settings import HostingSettings
from leadpipe_mcp.settings import Settings, variable
from tests.package.registry import entry
from tests.snapshots import held_to

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads(
    (Path(__file__).parent / "schemas/server.schema.json").read_text(encoding="utf-8")
)
VALIDATOR: Any = Draft7Validator(SCHEMA, format_checker=Draft7Validator.FORMAT_CHECKER)


def test_the_entry_is_what_the_settings_say() -> None:
    held_to(ROOT / "server.json", json.dumps(entry(), indent=2) + "\n")


def test_the_entry_is_valid_by_the_schema_that_it_names() -> None:
    assert entry()["$schema"] == SCHEMA["$id"]
    assert [error.message for error in VALIDATOR.iter_errors(entry())] == []


@pytest.mark.parametrize(
    "change",
    [
        {"description": "long" * 26},
        {"version": None},
        {"name": "leadpipe-mcp"},
        {"packages": [{"registryType": "pypi", "identifier": "leadpipe-mcp"}]},
    ],
)
def test_what_the_schema_does_not_allow_is_noticed(change: dict[str, object]) -> None:
    assert not VALIDATOR.is_valid(entry() | change)


def test_the_entry_has_every_setting_of_a_user_and_hides_the_keys() -> None:
    stdio, http = entry()["packages"]
    listed = {each["name"]: each for each in stdio["environmentVariables"]}

    assert list(listed) == [variable(name) for name in Settings.model_fields]
    secret = {name for name, each in listed.items() if each.get("isSecret")}
    assert secret == {"LEADPIPE_API_KEY", "SONARLY_API_KEY"}
    assert all(header["isSecret"] for header in http["transport"]["headers"])


@pytest.mark.parametrize("transport", ["stdio", "streamable-http"])
def test_a_server_starts_with_the_defaults_and_with_each_choice_of_the_entry(
    transport: str,
) -> None:
    (package,) = (
        package for package in entry()["packages"] if package["transport"]["type"] == transport
    )
    listed = package["environmentVariables"]
    settings = Settings if transport == "stdio" else HostingSettings
    defaults = {each["name"]: each["default"] for each in listed if "default" in each}

    assert settings.read(defaults, {}) == settings()
    for each in listed:
        for choice in each.get("choices", ()):
            read = settings.read({each["name"]: choice}, {})
            assert choice in read.model_dump().values()


def test_the_address_of_the_entry_is_where_the_server_listens() -> None:
    http = entry()["packages"][1]["transport"]

    assert http["url"] == f"{HostingSettings().address}/mcp"


def test_the_readme_names_the_entry_so_that_the_registry_knows_whose_it_is() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert re.findall(r"mcp-name: (\S+)", readme) == [entry()["name"]]
