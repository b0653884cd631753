"""An assistant: a client that holds every reply and refusal to what all of them promise."""

import json
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, Self, cast

import pytest
from mcp import Client
from mcp.client.session import ElicitationFnT
from mcp.types import CallToolResult, TextContent

from leadpipe_mcp.api.connections import Application
from leadpipe_mcp.settings import Settings
from tests.faults.service import READING, Sandbox

Reply = dict[str, Any]
Start = Callable[..., Sandbox]
Altered = Callable[[Application, Mapping[str, Application]], Application]
Human = Callable[..., ElicitationFnT]

each_profile = pytest.mark.parametrize("profile", ["flat", "catalog"])
"""The two generations of the API; "mixed", the default of `start`, answers as both."""
each_era = pytest.mark.parametrize("era", ["auto", "legacy"])
"""Where the protocol matters; elsewhere a test speaks one of them."""

UNASKED = Settings(sandbox=True, toolsets="all", confirm="off")
LARGEST_REPLY = 40_000
MOST_STEPS = 3
# No ordinary name, title or text of the sandbox is taken for an order.
ALARM = "reads like an instruction to you"
MAY_ALARM = re.compile(r"ignore|disregard|forget|system:|you must", re.IGNORECASE)
NEVER_SAID = re.compile(
    r"Traceback|Error executing|pydantic|httpx|127\.0\.0\.1|localhost|https?://\w|\bsk_\w",
    re.IGNORECASE,
)


class Assistant(Client):
    """A client whose calls are checked."""

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        return self

    async def call(self, tool: str, /, **arguments: object) -> Reply:
        """Call a tool, and return its reply."""
        # The client itself holds the reply to the tool's output schema, and raises.
        result = await self.call_tool(tool, arguments)
        text = text_of(result)
        assert not result.is_error, text
        reply = result.structured_content
        assert reply is not None
        assert text == json.dumps(reply, ensure_ascii=False, separators=(",", ":"))
        assert len(text) < LARGEST_REPLY
        assert len(reply.get("next", [])) <= MOST_STEPS
        assert ALARM not in text or MAY_ALARM.search(text), text
        last = [key for key in ("warnings", "next", "sandbox") if key in reply]
        middle = [key for key in reply if key not in {"summary", *last}]
        assert list(reply) == ["summary", *middle, *last]
        _has_no_gaps(reply)
        return reply

    async def refused(self, tool: str, /, **arguments: object) -> str:
        """Call a tool that must refuse, and return what it said."""
        result = await self.call_tool(tool, arguments)
        text = text_of(result)
        assert result.is_error, text
        assert result.structured_content is None
        assert not NEVER_SAID.search(text), text
        assert len(text) < 2_000
        return text

    async def saved(self) -> dict[str, str]:
        """Return the ids of the two audiences of a new account, by status: active and paused."""
        rows = (await self.call("list_audiences"))["audiences"]["rows"]
        return {row[2]: row[0] for row in rows}


class Connect(Protocol):
    """How a test gets an assistant: in front of which service, with which settings and human."""

    def __call__(
        self,
        service: Application | None = None,
        *,
        settings: Settings = ...,
        answer: ElicitationFnT | None = None,
        **world: Any,  # noqa: ANN401 -- what `start` takes, where no service is given
    ) -> AbstractAsyncContextManager[Assistant]: ...


def changes(sandbox: Sandbox) -> list[str]:
    """Return what a service was asked to change, as methods and the end of their paths."""
    return [
        f"{request.method} {request.path.removeprefix('/v1/intent')}"
        for request in sandbox.requests
        if request.method != "GET" and not request.path.endswith(READING)
    ]


def text_of(result: CallToolResult) -> str:
    """Return the one text of a result."""
    (block,) = result.content
    assert isinstance(block, TextContent)
    return block.text


def _has_no_gaps(part: object) -> None:
    """Check that no part of a reply is null, and no list or object in it empty."""
    assert part is not None
    assert part not in ([], {})
    if isinstance(part, dict):
        part = list(cast("dict[str, object]", part).values())
    if isinstance(part, list):
        for value in cast("list[object]", part):
            _has_no_gaps(value)
