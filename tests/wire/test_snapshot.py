"""The list of tools as every client gets it, kept in tools.json.

A change of it is a change of the product: UPDATE_SNAPSHOTS=1 writes the file anew, and the
difference shows what a model will read.
"""

import json
import os
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from mcp import Client

pytestmark = pytest.mark.anyio
Connect = Callable[..., AbstractAsyncContextManager[Client]]

SNAPSHOT = Path(__file__).with_name("tools.json")


async def test_the_tools_are_listed_as_the_snapshot_says(connect: Connect) -> None:
    async with connect() as client:
        tools = (await client.list_tools()).tools
    listed = [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools]
    text = json.dumps(listed, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
    if os.environ.get("UPDATE_SNAPSHOTS") == "1":
        SNAPSHOT.write_text(text, encoding="utf-8")
    assert text == SNAPSHOT.read_text(encoding="utf-8")
