"""The demo: a marketer, an assistant and the real server, started as an assistant starts it.

What the assistant says here is written down; what the server answers is not. An empty line stands
between scenes, each of which begins with what the marketer wants.
"""

import json
import os
import re
import shutil
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from typing import Any, cast

import anyio
from mcp import Client, StdioServerParameters
from mcp.client.session import ClientRequestContext
from mcp.types import ElicitRequestFormParams, ElicitRequestParams, ElicitResult, TextContent

from leadpipe_mcp.clients.files import is_ours
from leadpipe_mcp.settings import DEFAULT_TOOLSETS

CHARACTERS_PER_TOKEN = 4
DEADLINE_SECONDS = 60
_WIDEST = 100
_LONGEST_ANSWER = 240
_INDENT = " " * 11
_UNBROKEN = "\N{NO-BREAK SPACE}"
_UUID = re.compile(r"\b([0-9a-f]{8})-[0-9a-f-]{27}\b")
# The colours of a label, and of the words after it.
_STYLES = {
    "You": ("1;35", "1"),
    "Assistant": ("1;36", ""),
    "  calls": ("1;34", "2"),
    "  answers": ("1;32", "32"),
    "  refused": ("1;31", "31"),
    "  asks you": ("1;33", "33"),
}


class DemoFailed(Exception):
    """The server did not answer as the conversation expects."""


@dataclass(frozen=True)
class Screen:
    """How wide the conversation is, and whether it has colours."""

    width: int
    colored: bool

    @classmethod
    def here(cls) -> "Screen":
        """Return what stdout is; colours are for terminals, and for whoever forces them."""
        colored = sys.stdout.isatty() or "FORCE_COLOR" in os.environ
        width = min(shutil.get_terminal_size().columns, _WIDEST)
        return cls(width, colored and "NO_COLOR" not in os.environ)

    def paint(self, text: str, style: str) -> str:
        """Return the text in a colour, where there are colours."""
        return f"\x1b[{style}m{text}\x1b[0m" if style and self.colored else text

    def rule(self, title: str = "") -> str:
        """Return a line across the screen, with its title."""
        return self.paint((f"── {title} " if title else "").ljust(self.width, "─"), "2")

    def say(self, who: str, words: str) -> None:
        """Print who says what, the words beside the name."""
        label, style = _STYLES[who]
        room = max(self.width - len(_INDENT), 20)
        lines = textwrap.wrap(words, room, break_long_words=False, break_on_hyphens=False) or [""]
        painted = (self.paint(line, style) for line in lines)
        text = f"\n{_INDENT}".join(painted).replace(_UNBROKEN, " ")
        print(self.paint(who, label) + _INDENT[len(who) :] + text)


def run_demo(*, sonarly: bool = False, log_level: str = "WARNING") -> int:
    """Hold the conversation, with Sonarly too if it is asked for; 0 if the server did its part."""
    # A terminal that lacks a character still shows the rest.
    cast("TextIOWrapper", sys.stdout).reconfigure(errors="replace")
    screen = Screen.here()
    words = ["-m", "leadpipe_mcp", "--sandbox", "--log-level", log_level]
    words += ["--toolsets", f"{DEFAULT_TOOLSETS},sonarly"] if sonarly else []
    problem = ""
    try:
        problem = anyio.run(partial(_converse, words, screen, sonarly=sonarly))
    except* BrokenPipeError:
        # Whoever reads has seen enough; what is still to be said goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except* TimeoutError:
        problem = f"the conversation took more than {DEADLINE_SECONDS} seconds."
    if problem:
        print(f"\nThe demo stopped: {problem}", file=sys.stderr)
        return 1
    ours = "leadpipe-mcp" if shutil.which("leadpipe-mcp") else f"{sys.executable} -m leadpipe_mcp"
    print(
        f"\n{screen.rule('Try it yourself')}\n\n"
        f"  {ours} install claude-desktop --sandbox\n\n"
        "It puts this server into your assistant, with invented people and no key. Also\n"
        "for claude-code, cursor, vscode, codex, windsurf and gemini-cli. Leave out\n"
        "--sandbox, and it asks for your Leadpipe key and works with your account."
    )
    return 0


async def _converse(words: list[str], screen: Screen, *, sonarly: bool) -> str:
    """What went wrong, or nothing."""
    with (
        anyio.fail_after(DEADLINE_SECONDS),
        tempfile.TemporaryDirectory(prefix="leadpipe-demo-") as folder,
    ):
        # What is set for a server of one's own, such as that it may only read, is not for this one.
        others = {name: value for name, value in os.environ.items() if not is_ours(name)}
        environment = {**others, "LEADPIPE_EXPORT_DIR": folder}
        server = StdioServerParameters(command=sys.executable, args=words, env=environment)
        talk = Conversation(screen, folder)
        print(screen.rule("The real server, with invented people: nothing leaves this machine"))
        async with Client(server, elicitation_callback=talk.answer_for_the_human) as client:
            tools = (await client.list_tools()).tools
            print(f"\nThe server has started and offers the assistant {len(tools)} tools.")
            talk.client = client
            try:
                audience = await _build(talk)
                await _read(talk, audience)
                await _take_away(talk, audience, sonarly=sonarly)
            except DemoFailed as failure:
                return str(failure)
        print(
            f"\n{screen.rule()}\n{talk.calls} calls, {talk.tokens:,} tokens in all, of arguments"
            " and answers (characters / 4)."
        )
    return ""


async def _build(talk: "Conversation") -> str:
    """Plan and save an audience, and return its id."""
    talk.person(
        "Find me directors and VPs of marketing at software companies who are looking into CRM and"
        " marketing automation, with a work e-mail. 400 to 500 people would be right."
    )
    filters = {
        "seniority": ["director", "VP"],
        "department": ["marketing"],
        "companyIndustry": ["software"],
        "hasBusinessEmail": True,
    }
    low, high = 400, 500
    plan = await talk.call(
        "plan_audience",
        topics=["CRM", "marketing automation"],
        filters=filters,
        targetSize={"min": low, "max": high},
    )
    inexact = plan.get("values", {"rows": []})["rows"]
    took = "".join(f"; I took “{asked}” as “{became}”" for _, asked, became, *_ in inexact)
    talk.assistant(f"{plan['size']:,} today{took}. By interest:")
    ladder: dict[str, int] = plan.get("ladder", {})
    for score, size in ladder.items():
        bar, fits = "━" * (size * 24 // max(ladder.values())), low <= size <= high
        bar = talk.screen.paint(f"{bar}  ← fits" if fits else bar, "32" if fits else "36")
        print(f"{_INDENT}score {score} and up {size:>6,}  {bar}")
    talk.person(
        "Save the one that fits, but only with companies of up to 250 people that use HubSpot."
    )
    config = plan.get("recommended", plan)["config"]
    config["filters"]["companySize"] = {"max": 250}
    name = "Marketing leaders in software"
    saved = await talk.call("create_audience", name=name, config=config)
    hubspot = {"filters": {"technologies": ["HubSpot"]}}
    await talk.call("update_audience", refused=True, id=saved["id"], config=hubspot)
    talk.assistant(
        f"Saved as a draft, which costs nothing: {saved['size']:,} people. There is no filter for"
        " what software a company uses, so HubSpot is not in it."
    )
    return saved["id"]


async def _read(talk: "Conversation", audience: str) -> None:
    talk.person("Activate it.")
    slots = (await talk.call("set_status", id=audience, status="active"))["slots"]
    talk.assistant(
        f"Active: {slots['after']} of your {slots['limit']} slots are in use. Making its list"
        " takes a moment."
    )
    talk.person("Who are they?")
    await talk.call("get_audience", id=audience, waitSeconds=30)
    groups = (await talk.call("analyze_audience", audienceId=audience))["breakdowns"]
    ranks, sizes = (
        ", ".join(f"{name} ({count})" for name, count in [*groups[what].items()][:3])
        for what in ("seniorities", "companySizes")
    )
    talk.assistant(f"By seniority: {ranks}. By size of company: {sizes}.")
    talk.person("Which three states have the most of them, and how interested are they there?")
    sql = (
        "SELECT state, count(*) AS people, CAST(avg(score) AS INTEGER) AS score"
        " FROM people GROUP BY state ORDER BY people DESC, state LIMIT 3"
    )
    talk.table((await talk.call("analyze_audience", audienceId=audience, sql=sql))["table"])
    talk.person("Show me the five most interested.")
    fields = ["name", "jobTitle", "contactEmail"]
    found = await talk.call("query_audience", audienceId=audience, limit=5, fields=fields)
    talk.table(found["people"])
    talk.assistant("Their addresses are masked until you ask for them.")


async def _take_away(talk: "Conversation", audience: str, *, sonarly: bool) -> None:
    talk.person(
        "I am asking: put them all into a file for our mailing tool, with name, company, e-mail."
    )
    fields = ["name", "company", "contactEmail"]
    receipt = await talk.call("export_audience", id=audience, fields=fields)
    talk.assistant(
        f"{receipt['rows']:,} rows are in {Path(receipt['path']).name}. (This one goes when the"
        " demo ends.)"
    )
    if sonarly:  # pragma: no branch - `make hosting` holds the conversation without Sonarly
        talk.person("We write to them on LinkedIn too. Make a list for them in Sonarly.")
        receipt = await talk.call("export_audience", id=audience, format="linkedin_urls")
        step = next(each for each in receipt["next"] if each["tool"] == "sonarly_create_audience")
        await talk.call(step["tool"], **step["arguments"])
        await talk.call("sonarly_list_audiences")
        talk.assistant(
            f"The list is there, and empty. {receipt['rows']:,} profiles are in"
            f" {Path(receipt['path']).name}: load it in Sonarly with its own import."
        )
    talk.person("That is all for now. Pause it, so that it takes no slot.")
    await talk.call("set_status", id=audience, status="paused")
    talk.assistant("Paused. The audience and its list stay.")


class Conversation:
    """Prints what is said, makes the calls, counts the tokens."""

    client: Client

    def __init__(self, screen: Screen, folder: str) -> None:
        self.screen, self._folder = screen, f"{os.path.realpath(folder)}{os.sep}"
        self.calls = 0
        self.tokens = 0

    def person(self, words: str) -> None:
        """Print what the marketer says, which begins a scene."""
        print()
        self.screen.say("You", words)

    def assistant(self, words: str) -> None:
        """Print what the assistant says."""
        self.screen.say("Assistant", words)

    async def call(self, tool: str, *, refused: bool = False, **arguments: object) -> Any:  # noqa: ANN401 -- JSON
        """Make a call, and print it and what the assistant gets to read.

        Raises:
            DemoFailed: If the server refuses what it should do, or the other way round.
        """
        sent = json.dumps(arguments, ensure_ascii=False)
        self.screen.say("  calls", f"{tool}  {' · '.join(_jotted(arguments))}")
        result = await self.client.call_tool(tool, arguments)
        (block,) = result.content
        said = block.text if isinstance(block, TextContent) else ""
        self.calls += 1
        self.tokens += (len(sent) + len(said)) // CHARACTERS_PER_TOKEN
        if bool(result.is_error) is not refused:
            raise DemoFailed(f"{tool} answered: {said}")
        answer = result.structured_content or {"summary": said}
        summary: str = answer["summary"].replace(self._folder, "")
        if len(summary) > _LONGEST_ANSWER:
            end = summary.rpartition(". ")[2]
            summary = f"{summary[: _LONGEST_ANSWER - len(end)].rpartition(' ')[0]} … {end}"
        size = f"({len(said) // CHARACTERS_PER_TOKEN}{_UNBROKEN}tokens)"
        self.screen.say("  refused" if refused else "  answers", f"{summary} {size}")
        return answer

    def table(self, people: Mapping[str, Any]) -> None:
        """Print the people as the assistant would lay them out."""
        rows = [people["columns"], *people["rows"]]
        widths = [max(len(str(cell)) for cell in column) for column in zip(*rows, strict=True)]
        indent = _INDENT[: max(self.screen.width - sum(widths) - 2 * len(widths) + 2, 0)]
        for number, row in enumerate(rows):
            cells = (str(cell).ljust(width) for cell, width in zip(row, widths, strict=True))
            line = "  ".join(cells).rstrip()
            print(indent + self.screen.paint(line, "" if number else "2"))

    async def answer_for_the_human(
        self,
        context: ClientRequestContext,  # noqa: ARG002 -- the SDK's signature
        params: ElicitRequestParams,
    ) -> ElicitResult:
        """Do what an assistant's own window does: ask its user, who agrees here."""
        asked = params.message if isinstance(params, ElicitRequestFormParams) else ""
        asked = asked.replace(self._folder, "")
        self.screen.say("  asks you", f"{asked}  [the demo answers: yes]")
        return ElicitResult(action="accept", content={"approve": True})


def _jotted(arguments: Mapping[str, Any]) -> Iterator[str]:
    """Yield each argument as a person would jot it down, without the braces of JSON."""
    for name, value in arguments.items():
        if name in {"config", "filters"}:
            yield from _jotted(value)
        else:
            bare = re.sub(r'[{}\[\]"]', "", json.dumps(value, ensure_ascii=False))
            text = "yes" if value is True else _UUID.sub(r"\1…", bare)
            yield f"{name}:{_UNBROKEN}{text}"
