"""What every client gets listed, kept in the package's file of definitions.

A change of it is a change of the product: UPDATE_SNAPSHOTS=1 writes the file again, and the
difference shows what people and their models will read. docs/tools.md is made of the same.
"""

import json
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from mcp import Client
from pydantic import BaseModel

from leadpipe_mcp.server import FILE, made, shown
from tests.snapshots import held_to

pytestmark = pytest.mark.anyio
Connect = Callable[..., AbstractAsyncContextManager[Client]]


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
