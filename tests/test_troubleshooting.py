"""The page on troubleshooting: each message that is a heading is one that the server gives."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.client.session import ClientRequestContext, ElicitationFnT
from mcp.types import CallToolResult, ElicitRequestParams, ElicitResult, TextContent
from pydantic import SecretStr

from leadpipe_mcp.cli import main
from leadpipe_mcp.sandbox import SandboxSettings
from leadpipe_mcp.server import build_server
from leadpipe_mcp.settings import Settings
from tests.faults.service import Fault, Sandbox, SonarlySandbox

PAGE = Path(__file__).parents[1] / "docs/troubleshooting.md"
MESSAGES = re.findall(r"^### `(.+)`$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)

ASKED_FIRST = Settings(sandbox=True)
UNASKED = Settings(sandbox=True, confirm="off", toolsets="all")
LIVE = Settings(api_key=SecretStr("sk_live_page"), sonarly_api_key=SecretStr("sk_live_other"))
QUICK = SandboxSettings(people=500, run_seconds=0)
ACTIVE, PAUSED = "the active audience's id", "the paused audience's id"


@dataclass(frozen=True)
class Case:
    """A call of a tool, and what goes wrong with it."""

    tool: str = "list_audiences"
    arguments: Mapping[str, object] = field(default_factory=dict[str, object])
    faults: tuple[Fault, ...] = ()
    settings: Settings = UNASKED
    before: tuple[str, ...] = ()
    """The tools that are called first, with the same arguments."""
    played: SandboxSettings = QUICK
    answer: ElicitationFnT | None = None
    """What the human says, in a client that can ask."""


async def decline(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
    assert context
    assert params.message
    return ElicitResult(action="decline")


def refused(status: int, message: str, retry_after: int | None = None) -> tuple[Fault, ...]:
    return (Fault("status", status=status, message=message, retry_after=retry_after, times=None),)


def planned(topic: str = "CRM", **filters: object) -> dict[str, object]:
    return {"topics": [topic], "filters": filters}


DELETE: dict[str, object] = {"id": PAUSED}
PAUSE: dict[str, object] = {"id": ACTIVE, "status": "paused"}
EXPORT: dict[str, object] = {"id": ACTIVE, "fileName": "leads"}
UNREADABLE = Fault("status", method="GET", times=None)

# What does not start, by a variable that is set and the command line.
STOPPED: Mapping[str, tuple[dict[str, str], list[str]]] = {
    "LEADPIPE_API_KEY: holds characters that no key has; copy the key again.": (
        {"LEADPIPE_API_KEY": "sk_live with a blank"},
        ["serve"],
    ),
    "a key on the command line can be read by others; set LEADPIPE_API_KEY instead": (
        {},
        ["serve", "--api-key", "sk_live_page"],
    ),
    "LEADPIPE_TOOLSETS: must name toolsets with commas between...": (
        {"LEADPIPE_TOOLSETS": "audience"},
        ["serve"],
    ),
    "LEADPIPE_EXPORT_DIR: must be the whole path of a folder...": (
        {"LEADPIPE_EXPORT_DIR": "leads"},
        ["serve"],
    ),
    "... is not valid JSON: line ... cannot be understood": (
        {},
        ["install", "cursor", "--sandbox"],
    ),
    "there is no key; set LEADPIPE_API_KEY, or run this in a terminal to be asked for it...": (
        {},
        ["install", "vscode"],
    ),
}
CASES: Mapping[str, Case] = {
    "No Leadpipe API key is set, so nothing was asked of the service.": Case(settings=Settings()),
    "The service refused with status 401: Invalid API key.": Case(
        settings=LIVE, faults=refused(401, "Invalid API key")
    ),
    "The service refused with status 403: Organization is expired.": Case(
        settings=LIVE, faults=refused(403, "Organization is expired")
    ),
    "The service refused with status 403: ...": Case(faults=refused(403, "Not for this key")),
    "SLOTS_FULL: every audience slot is in use...": Case(
        "set_status", {"id": PAUSED, "status": "active"}, played=replace(QUICK, slots=1)
    ),
    "The service refused with status 402: ...": Case(faults=refused(402, "No credits left")),
    "The service refused with status 429: ...": Case(faults=refused(429, "Rate limit exceeded")),
    "The service asked for a pause a moment ago, so nothing was sent.": Case(
        faults=refused(429, "Rate limit exceeded", retry_after=120), before=("list_audiences",)
    ),
    "The service could not be reached; nothing was sent.": Case(
        faults=(Fault("refused", times=None),)
    ),
    "The service did not answer in the time that there was.": Case(
        faults=(Fault("hang", times=None),)
    ),
    "The service failed with status 500: ...": Case(faults=refused(500, "Something went wrong")),
    "The service failed 6 times in a row, so nothing was sent.": Case(
        faults=refused(500, "Something went wrong"), before=("list_audiences",) * 2
    ),
    "The service answered with status 200, but a web page came instead of JSON.": Case(
        faults=(Fault("html", status=200, times=None),)
    ),
    "The service's own answer was lost; a look afterwards shows that it was done, once.": Case(
        "delete_audience", DELETE, (Fault("reset_after", method="DELETE"),)
    ),
    "... A look afterwards: ... It can be tried again.": Case(
        "set_status", PAUSE, (Fault("status", method="PATCH", times=None),)
    ),
    "... Whether it was done is unclear.": Case(
        "set_status",
        PAUSE,
        (Fault("reset_after", method="PATCH"), Fault("delay", method="GET", times=2), UNREADABLE),
    ),
    "... But it may still come.": Case(
        "set_status", PAUSE, (Fault("hang", method="PATCH", times=None),)
    ),
    "Nothing was changed yet. Ask the user: ...": Case(
        "delete_audience", DELETE, settings=ASKED_FIRST
    ),
    "The code does not hold for this: it was used, is over ten minutes old, or something has"
    " changed since.": Case("delete_audience", {**DELETE, "confirm": "aaaa"}, settings=ASKED_FIRST),
    "The user did not agree to this: ...": Case(
        "delete_audience", DELETE, settings=ASKED_FIRST, answer=decline
    ),
    "There is no filter '...'.": Case("plan_audience", planned(technologies=["HubSpot"])),
    "'...' has no value '...'.": Case("plan_audience", planned(seniority=["king of the hill"])),
    "No topic was taken for '...'.": Case("plan_audience", planned("xyzzy plugh")),
    "Nobody matches. ...": Case("plan_audience", planned(companyName=["Nobody at All"])),
    "No file was written to ...": Case("export_audience", EXPORT),
    "The file '...' already exists in ...": Case(
        "export_audience", EXPORT, before=("export_audience",)
    ),
    "The people are still being put together. There is nothing to export yet.": Case(
        "export_audience",
        {"id": ACTIVE},
        before=("run_audience",),
        played=replace(QUICK, run_seconds=3_600),
    ),
    "This server lets no unmasked e-mail addresses or phone numbers out...": Case(
        "export_audience",
        {"id": ACTIVE, "format": "url"},
        settings=Settings(sandbox=True, contact="mask"),
    ),
    "No Sonarly API key is set, so nothing was asked of Sonarly.": Case(
        "sonarly_list_audiences", settings=Settings(toolsets="sonarly")
    ),
    "Sonarly refused with status 401: ...": Case(
        "sonarly_list_audiences", faults=refused(401, "Unauthorized")
    ),
    "Sonarly refused with status 403: ...": Case(
        "sonarly_list_audiences", faults=refused(403, "Forbidden")
    ),
}


@pytest.fixture
def anyio_backend(no_waiting: object) -> object:
    return no_waiting


def test_the_page_has_a_message_for_each_case_here_and_no_other() -> None:
    assert sorted(MESSAGES) == sorted([*STOPPED, *CASES])


def is_in(message: str, said: str) -> bool:
    """Whether a message was said, whatever stands where the page has '...'."""
    return re.search(".*".join(map(re.escape, message.split("..."))), said) is not None


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home where Cursor's configuration lacks a comma, and a machine on which nothing is set."""
    for name in [name for name in os.environ if name.startswith(("LEADPIPE_", "SONARLY_"))]:
        monkeypatch.delenv(name)
    for name in ("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    (tmp_path / ".cursor").mkdir()
    (tmp_path / ".cursor/mcp.json").write_text('{"mcpServers": {"one": {} "other": {}}}')


@pytest.mark.parametrize("message", STOPPED)
@pytest.mark.usefixtures("home", "logs_as_they_were")
def test_a_start_is_refused_in_these_words(
    message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    variables, words = STOPPED[message]
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(SystemExit) as stopped:
        main(words)

    said = f"{stopped.value.code} {capsys.readouterr().err}"
    assert is_in(message, " ".join(said.split()))


@pytest.mark.anyio
@pytest.mark.parametrize("message", CASES)
async def test_a_call_is_answered_in_these_words(message: str, tmp_path: Path) -> None:
    case, folder = CASES[message], tmp_path / "exports"
    if message.startswith("No file was written"):
        folder.write_text("")
    settings = case.settings.model_copy(update={"export_dir": folder})
    leadpipe, sonarly = Sandbox(case.played), SonarlySandbox()
    server = build_server(settings, service=leadpipe, sonarly=sonarly)

    async with Client(server, elicitation_callback=case.answer) as client:
        ids = await ids_of(client) if "id" in case.arguments else {}
        for fault in case.faults:
            (sonarly if case.tool.startswith("sonarly") else leadpipe).faults.add(fault)
        given = {name: ids.get(str(value), value) for name, value in case.arguments.items()}
        for tool in case.before:
            await client.call_tool(tool, given)
        said = said_in(await client.call_tool(case.tool, given))

    assert is_in(message, said)


async def ids_of(client: Client) -> dict[str, str]:
    reply: dict[str, Any] | None = (await client.call_tool("list_audiences", {})).structured_content
    assert reply
    ids: dict[str, str] = {row[2]: row[0] for row in reply["audiences"]["rows"]}
    return {ACTIVE: ids["active"], PAUSED: ids["paused"]}


def said_in(result: CallToolResult) -> str:
    """The refusal, or the summary and the warnings."""
    if reply := result.structured_content:
        return " ".join([reply["summary"], *reply.get("warnings", [])])
    (block,) = result.content
    assert isinstance(block, TextContent)
    return block.text
