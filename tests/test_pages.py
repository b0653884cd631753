"""What the pages for marketers quote is what the server says.

Each conversation is with the whole sandbox, as a reader of the page has it: that takes seconds.
"""

import json
import re
import tomllib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self, cast

import anyio
import mcp
import pytest
from mcp.client.session import ClientRequestContext
from mcp.types import ElicitRequestParams, ElicitResult

from leadpipe_mcp.cli import main
from leadpipe_mcp.clients import CLIENTS, Client, Machine
from leadpipe_mcp.sandbox import Sandbox, SandboxSettings
from leadpipe_mcp.server import build_server
from leadpipe_mcp.settings import Settings, variable

FENCED = re.MULTILINE | re.DOTALL
DOCS = Path(__file__).parents[1] / "docs"
# What the sandbox holds depends on the day.
DAY = datetime(2026, 5, 5, 9, 15, tzinfo=UTC).timestamp()
DEADLINE_SECONDS = 120


class Conversation(mcp.Client):
    """A client whose human agrees to everything, and which keeps whatever the server says."""

    heard: list[str]

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        return self

    async def call(self, tool: str, **arguments: object) -> dict[str, Any]:
        """Call a tool, and return its reply: an empty one where it refuses."""
        result = await self.call_tool(tool, arguments)
        self.heard += texts_in(result.structured_content or result.content[0].model_dump())
        return result.structured_content or {}


@asynccontextmanager
async def conversation(folder: Path) -> AsyncGenerator[Conversation]:
    heard: list[str] = []

    async def agree(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        heard.append(params.message)
        return ElicitResult(action="accept", content={"approve": True})

    sandbox = Sandbox(SandboxSettings(run_seconds=0), clock=lambda: DAY)
    server = build_server(Settings(sandbox=True, export_dir=folder), service=sandbox)
    with anyio.fail_after(DEADLINE_SECONDS):
        async with Conversation(server, elicitation_callback=agree) as client:
            client.heard = heard
            yield client


def texts_in(value: object) -> list[str]:
    """All texts and numbers anywhere in a reply, each beside its name; a row of a table is one."""
    if isinstance(value, dict):
        named = cast("dict[str, object]", value).items()
        return [text for name, part in named for text in [name, *texts_in(part)]]
    if isinstance(value, list):
        return [text for part in cast("list[object]", value) for text in texts_in(part)]
    return [f"{value:,}" if isinstance(value, int) else str(value)]


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def quoted(text: str) -> list[str]:
    """What a page shows as the server's words, in the pieces that "..." leaves of it."""
    blocks = re.findall(r"^```text\n(.*?)^```", text, FENCED)
    pieces = [piece for block in blocks for piece in block.split("...")]
    return [" ".join(piece.split()) for piece in pieces if piece.strip()]


def unheard(text: str, heard: list[str]) -> list[str]:
    """What of a page's quotations the server did not say."""
    everything = " ".join(" ".join(heard).split())
    return [piece for piece in quoted(text) if piece not in everything]


def test_the_entries_in_getting_started_are_read_as_the_clients_read_them() -> None:
    text = page("getting-started.md")
    usual, of_code = (json.loads(one) for one in re.findall(r"^```json\n(.*?)^```", text, FENCED))
    of_codex = tomllib.loads(re.findall(r"^```toml\n(.*?)^```", text, FENCED)[0])

    entries = [usual["mcpServers"], of_code["servers"], of_codex["mcp_servers"]]
    kinds = [one["leadpipe"].pop("type", None) for one in entries]
    known = {variable(name) for name in Settings.model_fields}

    assert kinds == [None, "stdio", None]
    assert entries[0] == entries[1] == entries[2]
    assert set(entries[0]["leadpipe"]["env"]) <= known
    assert set(re.findall(r"\b(?:LEADPIPE|SONARLY)_[A-Z_]+\b", text)) <= known


@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
@pytest.mark.parametrize("platform", ["darwin", "linux", "win32"])
def test_getting_started_names_the_file_that_install_changes(client: Client, platform: str) -> None:
    place = client.place(Machine(platform, {}, Path("~"))).as_posix()
    as_on_windows = place.replace("~/AppData/Roaming", "%APPDATA%").replace("~", "%USERPROFILE%")
    if platform == "win32" and client.name != "claude-code":
        place = as_on_windows.replace("/", "\\")

    assert f"`{place}`" in page("getting-started.md")
    assert f"### {client.title}\n" in page("getting-started.md")
    assert f"`{client.name}`" in page("getting-started.md")


@pytest.mark.usefixtures("logs_as_they_were")
def test_getting_started_quotes_the_doctor(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["doctor", "--sandbox"])

    assert unheard(page("getting-started.md"), [capsys.readouterr().out]) == []


@pytest.mark.anyio
async def test_the_page_of_exports_quotes_the_server_and_names_columns_of_the_file(
    tmp_path: Path,
) -> None:
    text = page("exports.md")
    table = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    async with conversation(tmp_path) as client:
        (active, *_), (paused, *_) = (await client.call("list_audiences"))["audiences"]["rows"]
        usual = await client.call("export_audience", id=active)
        chosen = ["firstName", "lastName", "businessEmail", "jobTitle", "company"]
        chosen += ["companyDomain", "linkedinUrl", "phone"]
        await client.call("export_audience", id=active, fields=chosen, fileName="crm-leads")
        await client.call("export_audience", id=active, contact="masked")
        whole = await client.call("export_audience", id=active, fields=table)
        people = "sum(contactEmail IS NOT NULL AND businessEmail IS NULL), count(*) FROM people"
        counted = await client.call("analyze_audience", audienceId=paused, sql=f"SELECT {people}")
    headers = [
        Path(receipt["path"]).read_text(encoding="utf-8-sig").splitlines()[0]
        for receipt in (usual, whole)
    ]
    private, size = counted["table"]["rows"][0]

    assert unheard(text, [*client.heard, headers[0]]) == []
    assert set(headers[0].split(",")) - {"name", "contactEmail"} <= set(table)
    assert headers[1].split(",") == table
    assert f"{private} of {size:,} people have a `contactEmail`" in text


@pytest.mark.anyio
async def test_the_guide_to_a_good_audience_quotes_the_server_and_its_numbers(
    tmp_path: Path,
) -> None:
    text = page("good-audience.md")
    filters = {"seniority": ["director or above"], "department": ["HR"], "hasBusinessEmail": True}
    few = filters | {"companySize": "51-1000"}
    rest = {
        "exclude": {"companyIndustry": ["staffing agencies"]},
        "targetSize": {"min": 300, "max": 500},
    }
    four = ["payroll", "payroll software", "HRIS software", "HRIS"]
    async with conversation(tmp_path) as client:

        async def plan(topics: list[str], wanted: object, **more: object) -> dict[str, Any]:
            return await client.call("plan_audience", topics=topics, filters=wanted, **rest, **more)

        await plan(four[1:3], few | {"technologies": ["Workday"]})
        first = await plan(four[1:3], few)
        one, two = [await plan(four, few, minTopicOverlap=overlap) for overlap in (1, 2)]
        wider = await plan(four, filters | {"companySize": "51-5000"}, minScore=60)
        name = "HR leaders, payroll"
        saved = await client.call("create_audience", name=name, config=wider["config"])
        await client.call("set_status", id=saved["id"], status="active", waitSeconds=30)
        everything = (await client.call("list_audiences"))["audiences"]["rows"]
        older = next(row[0] for row in everything if row[1].startswith("Marketing Directors"))
        earlier = {"date": "2026-04-28"}
        await client.call("analyze_audience", audienceId=older, compareWith=earlier)

    assert unheard(text, client.heard) == []
    for sizes in (first["ladder"], first["sizeWithout"]):
        assert f"| people | {' | '.join(f'{size:,}' for size in sizes.values())} |" in text
    assert f"{one['size']} people become {two['size']}" in text
    hardly = re.findall(r"'([^']+)' adds hardly anybody", " ".join(wider["warnings"]))
    assert f'"{hardly[0]}" and "{hardly[1]}" add hardly anybody here' in text
