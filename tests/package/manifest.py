"""What the bundle for desktop assistants says of itself, made from the project's own data."""

import tomllib
from pathlib import Path
from typing import Any

from mcp import Client
from mcp.types import Prompt, TextContent

from leadpipe_mcp import __version__
from leadpipe_mcp.server import build_server
from leadpipe_mcp.settings import Settings, variable
from tests.package.registry import variables

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))[
    "project"
]
ENTRY = "main.py"
TITLES = {
    "api_key": "Leadpipe API key",
    "sandbox": "Sandbox",
    "toolsets": "Toolsets",
    "read_only": "Read only",
    "export_dir": "Folder for exported files",
    "sonarly_api_key": "Sonarly API key",
}
"""The fields of the form, which are settings, by what the user sees."""
ABOUT = """\
Build marketing audiences of people who research a topic: preview, save, activate, read, export.

Enter the API key of your organization (Settings > API Keys in the Leadpipe dashboard), or turn the
sandbox on to try everything with invented people, without a key. The first start takes longer than
others and needs a network, because what the server is made of is fetched then.

This is not made by Leadpipe or Sonarly.
"""


async def manifest() -> dict[str, Any]:
    """What the bundle says of itself: who made it, how it starts, its form, tools and prompts."""
    async with Client(build_server(Settings())) as client:
        tools = (await client.list_tools()).tools
        prompts = [await said(client, one) for one in (await client.list_prompts()).prompts]
    return {
        "manifest_version": "0.4",
        "name": PROJECT["name"],
        "display_name": "Leadpipe audiences",
        "version": __version__,
        "description": PROJECT["description"],
        "long_description": ABOUT,
        "author": {"name": PROJECT["authors"][0]["name"]},
        "license": PROJECT["license"],
        "keywords": PROJECT["keywords"],
        "server": {
            "type": "uv",
            "entry_point": ENTRY,
            "mcp_config": {
                "command": "uv",
                "args": ["run", "--directory", "${__dirname}", ENTRY],
                "env": {variable(name): f"${{user_config.{name}}}" for name in TITLES},
            },
        },
        "compatibility": {
            "platforms": ["darwin", "win32", "linux"],
            "runtimes": {"python": PROJECT["requires-python"]},
        },
        "user_config": form(),
        # More are there with other toolsets.
        "tools": [
            {"name": tool.name, "description": f"{(tool.description or '').partition('. ')[0]}."}
            for tool in tools
        ],
        "tools_generated": True,
        "prompts": prompts,
        "prompts_generated": True,
    }


async def said(client: Client, prompt: Prompt) -> dict[str, Any]:
    """A prompt, with places for its arguments as a manifest has them."""
    names = [argument.name for argument in prompt.arguments or ()]
    filled = await client.get_prompt(prompt.name, {one: f"${{arguments.{one}}}" for one in names})
    (message,) = filled.messages
    assert isinstance(message.content, TextContent)
    return {
        "name": prompt.name,
        "description": prompt.description,
        "arguments": names,
        "text": message.content.text,
    }


def form() -> dict[str, Any]:
    """The fields that the user fills in. None has to be: the sandbox needs nothing."""
    types = {"boolean": "boolean", "filepath": "directory"}
    fields: dict[str, Any] = {}
    for (name, title), setting in zip(TITLES.items(), variables(*TITLES), strict=True):
        field: dict[str, Any] = {
            "type": types.get(setting.get("format", ""), "string"),
            "title": title,
            "description": setting["description"],
            "required": False,
        }
        field |= {"sensitive": True} if "isSecret" in setting else {}
        default = setting.get("default")
        if default is not None:
            field["default"] = default == "true" if field["type"] == "boolean" else default
        fields[name] = field
    return fields
