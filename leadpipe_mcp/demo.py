"""The demo: a marketer, an assistant and the real server, started as an assistant starts it.

What the assistant says here is written down; what the server answers is not.
"""

import json
import os
import sys
import tempfile
import textwrap
from collections.abc import Mapping
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from typing import Any, cast

import anyio
from mcp import Client, StdioServerParameters
from mcp.client.session import ClientRequestContext
from mcp.types import ElicitRequestFormParams, ElicitRequestParams, ElicitResult, TextContent

from leadpipe_mcp.settings import DEFAULT_TOOLSETS

WIDTH = 92
CHARACTERS_PER_TOKEN = 4
DEADLINE_SECONDS = 60


class DemoFailed(Exception):
    """The server did not answer as the conversation expects."""


def run_demo(*, sonarly: bool = False, log_level: str = "WARNING") -> int:
    """Hold the conversation, with Sonarly too if it is asked for; 0 if the server did its part."""
    # A terminal that lacks a character still shows the rest.
    cast("TextIOWrapper", sys.stdout).reconfigure(errors="replace")
    problem = ""
    try:
        problem = anyio.run(partial(_converse, sonarly=sonarly, log_level=log_level))
    except* BrokenPipeError:
        # Whoever reads has seen enough; what is still to be said goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except* TimeoutError:
        problem = f"the conversation took more than {DEADLINE_SECONDS} seconds."
    if problem:
        print(f"\nThe demo stopped: {problem}", file=sys.stderr)
        return 1
    print(_how_to_connect())
    return 0


async def _converse(*, sonarly: bool, log_level: str) -> str:
    """What went wrong, or nothing."""
    words = ["-m", "leadpipe_mcp", "--sandbox", "--log-level", log_level]
    words += ["--toolsets", f"{DEFAULT_TOOLSETS},sonarly"] if sonarly else []
    with (
        anyio.fail_after(DEADLINE_SECONDS),
        tempfile.TemporaryDirectory(prefix="leadpipe-demo-") as folder,
    ):
        environment = {**os.environ, "LEADPIPE_EXPORT_DIR": folder}
        server = StdioServerParameters(command=sys.executable, args=words, env=environment)
        print(_rule("leadpipe-mcp, with invented people: nothing leaves this machine"))
        async with Client(server, elicitation_callback=_answer_for_the_human) as client:
            tools = (await client.list_tools()).tools
            print(f"\nThe server is started and offers {len(tools)} tools.")
            talk = Conversation(client)
            try:
                audience = await _build(talk)
                await _read(talk, audience)
                await _take_away(talk, audience, sonarly=sonarly)
            except DemoFailed as failure:
                return str(failure)
        print(
            f"\n{_rule()}\n{talk.calls} calls, {talk.tokens:,} tokens in all (characters / 4):"
            " arguments and answers."
        )
    return ""


async def _build(talk: "Conversation") -> str:
    """Plan and save an audience, and return its id."""
    talk.person(
        "I need directors and VPs of marketing at software companies who are looking into CRM and"
        " marketing automation. We write to them at work. Four to five hundred would be right."
    )
    filters = {
        "seniority": ["director", "VP"],
        "department": ["marketing"],
        "companyIndustry": ["software"],
        "hasBusinessEmail": True,
    }
    plan = await talk.call(
        "plan_audience",
        topics=["CRM", "marketing automation"],
        filters=filters,
        targetSize={"min": 400, "max": 500},
    )
    better = plan.get("recommended")
    talk.assistant(
        f"{plan['size']:,} people today; {better['change']} would make it {better['size']:,}."
        if better
        else f"{plan['size']:,} people today, as many as you want."
    )
    talk.person("Take that and save it, but only companies of up to 250 people that use HubSpot.")
    config = (better or plan)["config"]
    name = "Marketing leaders in software"
    audience = (await talk.call("create_audience", name=name, config=config))["id"]
    size = {"companySize": {"max": 250}}
    change = {"filters": size | {"technologies": ["HubSpot"]}}
    await talk.call("update_audience", refused=True, id=audience, config=change)
    changed = await talk.call("update_audience", id=audience, config={"filters": size})
    talk.assistant(
        f"Saved as a draft: {changed['size']:,} people at companies of up to 250. No filter knows"
        " what a company uses, so HubSpot is not in it. A draft costs nothing."
    )
    return audience


async def _read(talk: "Conversation", audience: str) -> None:
    talk.person("Activate it.")
    slots = (await talk.call("set_status", id=audience, status="active"))["slots"]
    talk.assistant(
        f"It is active; {slots['after']} of your {slots['limit']} slots are in use. Its list is"
        " being put together, I am waiting for it."
    )
    ready = await talk.call("get_audience", id=audience, waitSeconds=30)
    talk.assistant(f"Ready: {ready['size']:,} people.")
    talk.person("Who are they?")
    groups = (await talk.call("analyze_audience", audienceId=audience))["breakdowns"]
    ranks, sizes = (
        ", ".join(f"{name} ({count})" for name, count in [*groups[what].items()][:3])
        for what in ("seniorities", "companySizes")
    )
    talk.assistant(f"Seniority: {ranks}. Company size: {sizes}.")
    talk.person("Which three states have the most of them, and how interested are they there?")
    sql = (
        "SELECT state, count(*) AS people, CAST(avg(score) AS INTEGER) AS score"
        " FROM people GROUP BY state ORDER BY people DESC LIMIT 3"
    )
    talk.table((await talk.call("analyze_audience", audienceId=audience, sql=sql))["table"])
    talk.person("Show me the five most interested.")
    fields = ["name", "jobTitle", "score", "contactEmail"]
    found = await talk.call("query_audience", audienceId=audience, limit=5, fields=fields)
    talk.table(found["people"])
    talk.assistant("Addresses are masked; I show them whole only if you ask for it.")


async def _take_away(talk: "Conversation", audience: str, *, sonarly: bool) -> None:
    talk.person("Put them into a file for our mailing tool: name, company, e-mail.")
    fields = ["name", "company", "contactEmail"]
    receipt = await talk.call("export_audience", id=audience, fields=fields)
    talk.assistant(
        f"{receipt['rows']:,} rows are in {Path(receipt['path']).name}. The demo's folder goes when"
        " it ends."
    )
    if sonarly:
        talk.person("We write to them on LinkedIn too. Make a list for them in Sonarly.")
        receipt = await talk.call("export_audience", id=audience, format="linkedin_urls")
        step = next(each for each in receipt["next"] if each["tool"] == "sonarly_create_audience")
        await talk.call(step["tool"], **step["arguments"])
        await talk.call("sonarly_list_audiences")
        talk.assistant(
            f"The list is there, and empty. {receipt['rows']:,} profiles are in"
            f" {Path(receipt['path']).name}: load it in Sonarly with its own import."
        )
    talk.person("Good for now. Pause it, so that it takes no slot.")
    await talk.call("set_status", id=audience, status="paused")
    talk.assistant("Paused. The audience and its list stay.")


class Conversation:
    """Prints what is said, makes the calls, counts the tokens."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.calls = 0
        self.tokens = 0

    def person(self, words: str) -> None:
        """Print what the marketer says."""
        print(f"\n{_wrapped('You        ', words)}")

    def assistant(self, words: str) -> None:
        """Print what the assistant says."""
        print(_wrapped("Assistant  ", words))

    async def call(self, tool: str, *, refused: bool = False, **arguments: object) -> Any:  # noqa: ANN401 -- JSON
        """Make a call, and print it and what the assistant gets to read.

        Raises:
            DemoFailed: If the server refuses what it should do, or the other way round.
        """
        sent = json.dumps(arguments, ensure_ascii=False)
        print(_wrapped("     calls ", f"{tool} {sent}", style="36"))
        result = await self._client.call_tool(tool, arguments)
        (block,) = result.content
        said = block.text if isinstance(block, TextContent) else ""
        self.calls += 1
        self.tokens += (len(sent) + len(said)) // CHARACTERS_PER_TOKEN
        if bool(result.is_error) is not refused:
            raise DemoFailed(f"{tool} answered: {said}")
        answer = result.structured_content or {"summary": said}
        size = f"({len(said) // CHARACTERS_PER_TOKEN} tokens)"
        label, style = ("   refused ", "31") if refused else ("   answers ", "32")
        print(_wrapped(label, f"{answer['summary']} {size}", style))
        return answer

    def table(self, people: Mapping[str, Any]) -> None:
        """Print the people as the assistant would lay them out."""
        rows = [people["columns"], *people["rows"]]
        widths = [max(len(str(cell)) for cell in column) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = (str(cell).ljust(width) for cell, width in zip(row, widths, strict=True))
            print("    " + "  ".join(cells).rstrip())


async def _answer_for_the_human(
    context: ClientRequestContext,  # noqa: ARG001 -- the SDK's signature
    params: ElicitRequestParams,
) -> ElicitResult:
    """What an assistant's own window does: put the question to its user. Here the user agrees."""
    asked = params.message if isinstance(params, ElicitRequestFormParams) else ""
    print(_wrapped("  asks you ", f"{asked}  [the demo answers: yes]", style="33"))
    return ElicitResult(action="accept", content={"approve": True})


def _how_to_connect() -> str:
    server = {"command": sys.executable, "args": ["-m", "leadpipe_mcp", "--sandbox"]}
    config = json.dumps({"mcpServers": {"leadpipe": server}}, indent=2, ensure_ascii=False)
    return (
        f"\n{_rule('Try it yourself')}\n\n"
        "Paste this into Claude Desktop's configuration (Settings > Developer > Edit Config) and\n"
        "restart it. It is the sandbox: no key, invented people.\n\n"
        f"{config}\n\n"
        "For your own account, take --sandbox out of args and add beside it:\n"
        '  "env": { "LEADPIPE_API_KEY": "sk_..." }'
    )


def _rule(title: str = "") -> str:
    return f"── {title} ".ljust(WIDTH, "─") if title else "─" * WIDTH


def _wrapped(label: str, words: str, style: str = "") -> str:
    lines = textwrap.wrap(words, WIDTH - len(label), break_long_words=False) or [""]
    text = f"\n{' ' * len(label)}".join(lines)
    if style and sys.stdout.isatty():
        text = f"\x1b[{style}m{text}\x1b[0m"
    return label + text
