"""The entry for the registry of servers, server.json, made from the package's own settings."""

from collections.abc import Iterator
from typing import Any

from leadpipe_mcp import __version__
from leadpipe_mcp.hosting.settings import HostingSettings
from leadpipe_mcp.settings import Settings, variable

SCHEMA = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"
NAME = "io.github.leadpipe-mcp/leadpipe-mcp"
DESCRIPTION = (
    "Unofficial server for Leadpipe: plan, save and activate audiences, read their people."
)
KEYS = ("api_key", "sonarly_api_key")
FORMATS = {"boolean": "boolean", "integer": "number", "path": "filepath"}


def entry() -> dict[str, Any]:
    """The whole file: the same package as a client starts it, over stdio or HTTP."""
    package: dict[str, Any] = {
        "registryType": "pypi",
        "identifier": "leadpipe-mcp",
        "version": __version__,
        "runtimeHint": "uvx",
    }
    over_http: dict[str, Any] = {
        "transport": {
            "type": "streamable-http",
            "url": "http://127.0.0.1:8787/mcp",
            "headers": [
                header("Authorization", "api_key", value="Bearer {key}"),
                header("X-Sonarly-Key", "sonarly_api_key", value="{key}"),
            ],
        },
        "packageArguments": [
            {"type": "positional", "value": "serve"},
            {"type": "positional", "value": "--http"},
        ],
    }
    # Keys come with each request there, and files go where callers can fetch them.
    not_there = {*KEYS, "export_dir"}
    hosted = [name for name in Settings.model_fields if name not in not_there] + ["download_dir"]
    return {
        "$schema": SCHEMA,
        "name": NAME,
        "title": "Leadpipe audiences",
        "description": DESCRIPTION,
        "version": __version__,
        "packages": [
            package
            | {"transport": {"type": "stdio"}}
            | {"environmentVariables": list(variables(*Settings.model_fields))},
            package | over_http | {"environmentVariables": list(variables(*hosted))},
        ],
    }


def header(name: str, key: str, *, value: str) -> dict[str, Any]:
    """A header that holds a key, for the client to ask its user for."""
    (asked,) = variables(key)
    del asked["name"]
    return {"name": name, "value": value, "isSecret": True, "variables": {"key": asked}}


def variables(*names: str) -> Iterator[dict[str, Any]]:
    """These settings, as a form that asks for them needs to know them."""
    properties = HostingSettings.model_json_schema()["properties"]
    for name in names:
        schema, default = properties[name], properties[name]["default"]
        kind = schema.get("anyOf", [schema])[0]
        found = {"name": variable(name), "description": schema["description"]}
        found |= {"isSecret": True} if kind.get("format") == "password" else {}
        form = FORMATS.get(kind.get("format", kind["type"]))
        found |= {"format": form} if form else {}
        found |= {"choices": kind["enum"]} if "enum" in kind else {}
        spelled = str(default).lower() if isinstance(default, bool) else str(default)
        yield found if default is None else found | {"default": spelled}
