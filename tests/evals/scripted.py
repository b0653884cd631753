"""A scripted assistant: an MCP client as a command-line program, whose calls and answer are data.

`python -m tests.evals.scripted SCRIPTS CONFIG PROMPT` plays the script of the task that the
prompt is about. In a script "$2.config" is that part of the second reply, and so is {2.config} in
its answer; "$none" is null, which TOML has not.
"""

import json
import re
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import anyio
from mcp import Client, StdioServerParameters
from mcp.client.session import ClientRequestContext
from mcp.types import ElicitRequestParams, ElicitResult, TextContent

from evals.tasks import all_tasks

HERE = Path(__file__).parent
RIGHT, WRONG = HERE / "right.toml", HERE / "wrong.toml"


class Script(NamedTuple):
    """What the assistant does for a task, and what the judge has to say of it."""

    task: str
    calls: Sequence[tuple[str, dict[str, object]]]
    answer: str
    does: str = ""
    """What is wrong with it."""
    reasons: Sequence[str] = ()


def scripts(file: Path) -> list[Script]:
    """Return the scripts of a file."""
    return [Script(**one) for one in tomllib.loads(file.read_text(encoding="utf-8"))["script"]]


async def play(client: Client, script: Script) -> str:
    """Make the calls, and return the answer."""
    replies: list[dict[str, Any]] = []
    for tool, arguments in script.calls:
        result = await client.call_tool(tool, _filled(arguments, replies))
        said = "".join(part.text for part in result.content if isinstance(part, TextContent))
        replies.append(result.structured_content or {"refusal": said})
    return re.sub(r"\{(\d[^}]*)\}", lambda found: str(_part(found[1], replies)), script.answer)


def _filled(value: Any, replies: Sequence[Any]) -> Any:  # noqa: ANN401 -- JSON
    if value == "$none":
        return None
    if isinstance(value, str) and value.startswith("$"):
        return _part(value[1:], replies)
    if isinstance(value, dict):
        named = cast("dict[str, object]", value)
        return {key: _filled(part, replies) for key, part in named.items()}
    return value


def _part(path: str, replies: Sequence[Any]) -> Any:  # noqa: ANN401 -- JSON
    number, *keys = path.split(".")
    part: Any = replies[int(number) - 1]
    for key in keys:
        part = part[int(key)] if key.isdigit() else part[key]
    return part


async def say_yes(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
    """Agree without having asked anybody, as a careless client might."""
    return ElicitResult(action="accept", content={"approve": True})


async def main(file: str, config: str, prompt: str) -> None:
    """Do the task that the prompt is about, and print the answer."""
    (entry,) = json.loads(Path(config).read_text(encoding="utf-8"))["mcpServers"].values()
    (task,) = (task.id for task in all_tasks() if prompt.startswith(task.says))
    script = next(one for one in scripts(Path(file)) if one.task == task)
    async with Client(StdioServerParameters(**entry), elicitation_callback=say_yes) as client:
        print(await play(client, script))  # noqa: T201 -- it is a program


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], sys.argv[2], sys.argv[3])
