"""What goes into the bundle for desktop assistants, and what its form means to the server."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from leadpipe_mcp.settings import Settings, variable
from tests.package.bundle import fill
from tests.package.manifest import PROJECT, form, manifest

pytestmark = pytest.mark.anyio


async def environment(filled_in: dict[str, Any]) -> dict[str, str]:
    """What the server gets from a form: a field without a value stays as the manifest has it."""
    defaults = {name: field["default"] for name, field in form().items() if "default" in field}
    values = {
        f"${{user_config.{name}}}": str(value).lower() if isinstance(value, bool) else value
        for name, value in (defaults | filled_in).items()
    }
    env: dict[str, str] = (await manifest())["server"]["mcp_config"]["env"]
    return {name: values.get(place, place) for name, place in env.items()}


async def test_an_untouched_form_is_a_server_without_settings() -> None:
    assert Settings.read(await environment({}), {}) == Settings()


async def test_a_form_whose_fields_were_emptied_is_one_too() -> None:
    emptied = {name: "" for name, field in form().items() if field["type"] != "boolean"}

    assert Settings.read(await environment(emptied), {}) == Settings()


async def test_a_form_that_was_filled_in_is_heeded(tmp_path: Path) -> None:
    filled_in = {"api_key": "sk_live_1", "sonarly_api_key": "sk_live_2", "toolsets": "topics"}
    filled_in |= {"sandbox": True, "read_only": True, "export_dir": str(tmp_path)}

    settings = Settings.read(await environment(filled_in), {})

    assert set(filled_in) == set(form()) == settings.model_fields_set
    assert settings.api_key is not None
    assert settings.api_key.get_secret_value() == "sk_live_1"
    assert (settings.sandbox, settings.read_only) == (True, True)
    assert settings.export_dir == tmp_path
    assert settings.chosen_toolsets() == ("topics", "sonarly")


def test_keys_are_hidden_and_no_field_has_to_be_filled_in() -> None:
    hidden = {name for name, field in form().items() if field.get("sensitive")}

    assert hidden == {"api_key", "sonarly_api_key"}
    assert not any(field["required"] or not field["description"] for field in form().values())


def test_the_bundle_holds_the_package_and_no_more(tmp_path: Path) -> None:
    fill(tmp_path)

    beside = {path.name for path in tmp_path.iterdir()}
    assert beside == {"LICENSE", "leadpipe_mcp", "main.py", "manifest.json", "pyproject.toml"}
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    kinds = {".py", ".json", ".toml", ".md", ".html", ".txt", ".typed"}
    assert {path.suffix for path in files if path.name != "LICENSE"} <= kinds
    assert not any("test" in path.name for path in files)


def test_the_bundle_asks_for_what_the_package_asks_for(tmp_path: Path) -> None:
    fill(tmp_path)

    asked = tomllib.loads((tmp_path / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert asked["dependencies"] == PROJECT["dependencies"]
    assert asked["requires-python"] == PROJECT["requires-python"]


async def test_each_variable_of_the_manifest_is_a_setting() -> None:
    env = (await manifest())["server"]["mcp_config"]["env"]

    assert set(env) <= {variable(name) for name in Settings.model_fields}
