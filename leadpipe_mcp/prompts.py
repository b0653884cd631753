"""Ready-made conversations, which prompts.toml holds, and what is offered while a person types."""

import tomllib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcp import MCPError, types
from mcp.types import INVALID_PARAMS

from leadpipe_mcp.errors import LeadpipeError
from leadpipe_mcp.text import clean
from leadpipe_mcp.toolkit.calls import Context
from leadpipe_mcp.toolkit.offered import OfferedTools

if TYPE_CHECKING:
    from leadpipe_mcp.api.leadpipe import LeadpipeClient

LONGEST_WORDS = 1_000
MOST_VALUES = 20
LONGEST_VALUE = 200
_FILE = Path(__file__).with_suffix(".toml")
_DATA: dict[str, Any] = tomllib.loads(_FILE.read_text(encoding="utf-8"))
_ARGUMENTS: dict[str, dict[str, str]] = _DATA["arguments"]


class Conversation:
    """One prompt: its words with places for arguments, and the tool that it begins with."""

    def __init__(self, entry: dict[str, Any]) -> None:
        self.tool: str = entry["tool"]
        self.text: str = entry["text"].lstrip()
        self._required: list[str] = entry["required"]
        self.prompt = types.Prompt(
            name=entry["name"],
            title=entry["title"],
            description=entry["description"],
            arguments=[
                types.PromptArgument(
                    name=name,
                    description=_ARGUMENTS[name]["description"],
                    required=name in self._required or None,
                )
                for name in [*self._required, *entry["optional"]]
            ],
        )

    def filled(self, given: dict[str, str], offered: OfferedTools) -> str:
        """Return the text with what was given; a place for what was not is left out.

        Raises:
            MCPError: If something required is missing, or there is no such argument.
        """
        words = {key: clean(value, LONGEST_WORDS) for key, value in given.items()}
        for name in self._required:
            if not words.get(name):
                raise MCPError(INVALID_PARAMS, f"'{self.prompt.name}' needs '{name}'.")
        places = {argument.name: "" for argument in self.prompt.arguments or ()}
        for key, value in words.items():
            if key not in places:
                said = f"'{self.prompt.name}' has no '{clean(key, 64)}'."
                raise MCPError(INVALID_PARAMS, said)
            places[key] = _ARGUMENTS[key]["reads"].format(value) if value else ""
        return offered.fit_page(self.text).format_map(places)


CONVERSATIONS = [Conversation(entry) for entry in _DATA["prompts"]]


class Prompts:
    """The conversations that a server offers."""

    def __init__(self, offered: OfferedTools) -> None:
        self._offered = offered
        self._talks = {t.prompt.name: t for t in CONVERSATIONS if t.tool in offered}
        self.listed = [talk.prompt for talk in self._talks.values()]

    async def get(self, _: Context, params: types.GetPromptRequestParams) -> types.GetPromptResult:
        """Fill a prompt's text.

        Raises:
            MCPError: If there is no such prompt, or its arguments are wrong.
        """
        talk = self._talks.get(params.name)
        if talk is None:
            known = ", ".join(self._talks) or "none"
            raise MCPError(INVALID_PARAMS, f"There is no such prompt. There are: {known}.")
        text = talk.filled(params.arguments or {}, self._offered)
        message = types.PromptMessage(
            role="user", content=types.TextContent(type="text", text=text)
        )
        return types.GetPromptResult(description=talk.prompt.description, messages=[message])


def completions(
    leadpipe: "LeadpipeClient",
) -> Callable[[Context, types.CompleteRequestParams], Awaitable[types.CompleteResult]]:
    """Return the handler that offers ids of audiences, industries, categories and domains."""

    async def find(argument: str, typed: str) -> list[str]:
        # An argument means the same in every prompt and resource.
        match argument:
            case "id" | "audienceId":
                found = await leadpipe.audiences.list(limit=100)
                return [a.id for a in found if a.id.startswith(typed) or typed in a.name.casefold()]
            case "industry":
                values = [one.value for one in (await leadpipe.topics.facets()).industries]
            case "category":
                values = [one.value for one in (await leadpipe.topics.facets()).categories]
            case "domain":
                values = [pixel.domain for pixel in await leadpipe.visitors.pixels()]
            case _:
                values = ["b2b", "b2c", "both"] if argument == "audienceType" else []
        holding = [value for value in values if typed in value.casefold()]
        return sorted(holding, key=lambda value: not value.casefold().startswith(typed))

    async def offer(_: Context, params: types.CompleteRequestParams) -> types.CompleteResult:
        values: list[str] = []
        # A person who types must not be stopped because there is nothing to offer.
        with suppress(LeadpipeError):
            values = await find(params.argument.name, params.argument.value.strip().casefold())
        # What no one can see or type back is no value to offer.
        values = [value for value in values if value.isprintable() and len(value) <= LONGEST_VALUE]
        more = len(values) > MOST_VALUES
        offered = types.Completion(values=values[:MOST_VALUES], total=len(values), has_more=more)
        return types.CompleteResult(completion=offered)

    return offer
