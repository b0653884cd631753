"""What every client gets listed, kept in the package's file of definitions.

A change of it is a change of the product: UPDATE_SNAPSHOTS=1 writes the file again, and the
difference shows what people and their models will read. docs/tools.md is made from it.
"""

import json
import os
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.types import Tool
from pydantic import BaseModel

from leadpipe_mcp.server import FILE, made, shown

pytestmark = pytest.mark.anyio
Connect = Callable[..., AbstractAsyncContextManager[Client]]

REFERENCE = Path(__file__).parents[2] / "docs/tools.md"
HEAD = """\
# The tools

Made from the code; `UPDATE_SNAPSHOTS=1 make tests` writes it again. Arguments that are not marked
as required may be left out. Every reply begins with `summary`; `warnings` say what to mind, and
`next` names calls that make sense now.
"""


def held_to(path: Path, text: str) -> None:
    if os.environ.get("UPDATE_SNAPSHOTS") == "1":
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_the_file_of_definitions_is_what_the_code_says() -> None:
    held_to(FILE, json.dumps(made(), ensure_ascii=False, indent=1) + "\n")


async def test_a_client_gets_just_what_the_file_says(connect: Connect) -> None:
    async with connect() as client:
        listed = {
            "tools": (await client.list_tools()).tools,
            "prompts": (await client.list_prompts()).prompts,
            "resources": (await client.list_resources()).resources,
            "resourceTemplates": (await client.list_resource_templates()).resource_templates,
        }
    expected = shown()
    del expected["overHttp"]
    expected["tools"] = [tool for toolset in expected["tools"].values() for tool in toolset]
    assert {name: plain(things) for name, things in listed.items()} == expected


def plain(things: Iterable[BaseModel]) -> list[Any]:
    return [thing.model_dump(mode="json", by_alias=True, exclude_none=True) for thing in things]


def test_the_reference_describes_the_tools_as_they_are() -> None:
    parts = [HEAD]
    for toolset, tools in shown()["tools"].items():
        parts.append(f"\n## Toolset `{toolset}`\n")
        parts += [described(Tool.model_validate(tool)) for tool in tools]

    held_to(REFERENCE, "".join(parts))


def described(tool: Tool) -> str:
    hints = tool.annotations
    assert hints is not None
    kind = "Changes nothing." if hints.read_only_hint else "Changes something at the service."
    if hints.destructive_hint:
        kind = "Changes something at the service that cannot be had back from it."
    always = {"warnings", "next", "sandbox"}
    fields = [
        f"`{name}`" for name in (tool.output_schema or {})["properties"] if name not in always
    ]
    return (
        f"\n### {tool.name}\n\n{tool.description}\n\n*{kind}*\n"
        f"\n{arguments(tool.input_schema)}\nReply: {', '.join(fields)}.\n"
    )


def arguments(schema: dict[str, Any]) -> str:
    if not schema["properties"]:
        return "It takes no arguments.\n"
    return "\n".join(["| argument | takes | meaning |", "| --- | --- | --- |", *rows(schema), ""])


def rows(schema: dict[str, Any], above: str = "") -> Iterable[str]:
    for name, part in schema["properties"].items():
        mark = " (required)" if name in schema.get("required", []) else ""
        meaning, default = part.get("description", ""), part.get("default")
        if default is not None and "default" not in meaning.lower():
            meaning += f" Default: {json.dumps(default)}."
        yield f"| `{above}{name}`{mark} | {kind_of(part)} | {meaning} |"
        # Filters are the same everywhere; preview_audience, the first, shows their keys.
        if part.get("properties") and name != "filters":
            yield from rows(part, f"{above}{name}.")


def kind_of(part: dict[str, Any]) -> str:
    if "enum" in part:
        return " or ".join(str(value) for value in part["enum"])
    kinds: str | list[str] = part.get("type", "anything")
    kind = kinds if isinstance(kinds, str) else " or ".join(kinds)
    if kind == "array":
        return f"list of {part['items']['type']}s"
    low, high = part.get("minimum"), part.get("maximum")
    return f"{kind}, {low} to {high}" if low is not None and high is not None else kind
