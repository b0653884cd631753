"""What clients are shown, in one file: definitions.json, which is made from the code.

The server lists from the file, so it can answer before anything that a call needs is imported. A
test holds the file to the code, and writes it: `UPDATE_SNAPSHOTS=1 pytest tests/wire`.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from leadpipe_mcp.settings import Settings
from leadpipe_mcp.toolkit import OfferedTools

FILE = Path(__file__).with_name("definitions.json")
Document = dict[str, Any]


def shown() -> Document:
    """Read the file: tools by toolset, prompts, resources, and templates of resources."""
    return json.loads(FILE.read_text(encoding="utf-8"))


def chosen_tools(settings: Settings, document: Document) -> list[Document]:
    """Return the tools that are on; in read-only mode, those of them that change nothing."""
    return [
        tool
        for toolset in settings.chosen_toolsets()
        for tool in document["tools"][toolset]
        if tool["annotations"]["readOnlyHint"] or not settings.read_only
    ]


def offered_tools(tools: Sequence[Document], document: Document) -> OfferedTools:
    """Return which tools are offered, of all that there are."""
    every = (tool["name"] for toolset in document["tools"].values() for tool in toolset)
    return OfferedTools((tool["name"] for tool in tools), of=every)


def made() -> Document:
    """Return what the file has to hold, as the code has it."""
    from leadpipe_mcp.prompts import CONVERSATIONS
    from leadpipe_mcp.resources import RESOURCES, TEMPLATE
    from leadpipe_mcp.tools.toolsets import TOOLSETS

    found = {
        "prompts": [talk.prompt for talk in CONVERSATIONS],
        "resources": RESOURCES,
        "resourceTemplates": [TEMPLATE],
    }
    tools = {name: [one.definition() for one in tools] for name, tools in TOOLSETS.items()}
    return {"tools": {name: _plain(listed) for name, listed in tools.items()}} | {
        name: _plain(things) for name, things in found.items()
    }


def _plain(things: Sequence[BaseModel]) -> list[Document]:
    return [thing.model_dump(mode="json", by_alias=True, exclude_none=True) for thing in things]
