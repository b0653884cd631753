"""The page of tools, made from what clients get listed."""

import json
from collections.abc import Iterable
from typing import Any

from mcp.types import Tool

from leadpipe_mcp.server import made

HEAD = """\
# The tools

Made from the code; `make docs` writes it again. Arguments that are not marked
as required may be left out. Every reply begins with `summary`; `warnings` say what to mind, and
`next` names calls that make sense now.
"""


def tools_page() -> str:
    """The whole page."""
    parts = [HEAD]
    for toolset, tools in made()["tools"].items():
        parts.append(f"\n## Toolset `{toolset}`\n")
        parts += [_described(Tool.model_validate(tool)) for tool in tools]
    return "".join(parts)


def _described(tool: Tool) -> str:
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
        f"\n{_arguments(tool.input_schema)}\nReply: {', '.join(fields)}.\n"
    )


def _arguments(schema: dict[str, Any]) -> str:
    if not schema["properties"]:
        return "It takes no arguments.\n"
    return "\n".join(["| argument | takes | meaning |", "| --- | --- | --- |", *_rows(schema), ""])


def _rows(schema: dict[str, Any], above: str = "") -> Iterable[str]:
    for name, part in schema["properties"].items():
        mark = " (required)" if name in schema.get("required", []) else ""
        meaning, default = part.get("description", ""), part.get("default")
        if default is not None and "default" not in meaning.lower():
            meaning += f" Default: {json.dumps(default)}."
        yield f"| `{above}{name}`{mark} | {_kind_of(part)} | {meaning} |"
        # Filters are the same everywhere; preview_audience, the first, shows their keys.
        if part.get("properties") and name != "filters":
            yield from _rows(part, f"{above}{name}.")


def _kind_of(part: dict[str, Any]) -> str:
    if "enum" in part:
        return " or ".join(str(value) for value in part["enum"])
    kinds: str | list[str] = part.get("type", "anything")
    kind = kinds if isinstance(kinds, str) else " or ".join(kinds)
    if kind == "array":
        return f"list of {part['items']['type']}s"
    low, high = part.get("minimum"), part.get("maximum")
    return f"{kind}, {low} to {high}" if low is not None and high is not None else kind
