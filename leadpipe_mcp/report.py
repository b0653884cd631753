"""`leadpipe-mcp report`: an audience drawn on the page that assistants show, as a file."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import anyio
from mcp import Client, types

from leadpipe_mcp.api.connections import Application
from leadpipe_mcp.apps import page_with
from leadpipe_mcp.clients import Machine, settings_for
from leadpipe_mcp.logs import set_up
from leadpipe_mcp.server import build_server
from leadpipe_mcp.settings import DEFAULT_TOOLSETS, Settings

Document = dict[str, Any]


class NoReport(Exception):
    """The report could not be made; the message says why."""


def run_report(client: str | None, flags: Mapping[str, object], *, audience: str, out: str) -> str:
    """Write the report of an audience, and say what was written.

    Raises:
        NoReport: If there is no such audience, or the file cannot be written.
    """
    settings, _ = settings_for(client, flags, Machine.here())
    set_up("ERROR", as_json=settings.log_json)
    path = Path(out).expanduser()
    if path.exists():
        raise NoReport(f"{path} is there already; choose another name")
    return _written(path, anyio.run(replies_about, audience, settings))


def _written(path: Path, replies: list[Document]) -> str:
    """Write the page, and say where it is."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(page_with(replies, f"{datetime.now().astimezone():%Y-%m-%d}"))
    except OSError as error:
        raise NoReport(f"{path} cannot be written: {error.strerror}") from None
    return f"{replies[0]['summary']}\n{path} shows it: open it in a browser, or print it to a PDF."


async def replies_about(
    audience: str, settings: Settings, *, service: Application | None = None
) -> list[Document]:
    """Ask what a report shows: the audience, its people, who is new, how it is today, the slots.

    Args:
        audience: The audience's id, or its whole name.
        settings: Whose key and service to use; nothing is changed with them.
        service: An application that answers in the service's place.
    """
    reading = {"read_only": True, "toolsets": DEFAULT_TOOLSETS}
    server = build_server(settings.model_copy(update=reading), service=service)
    async with Client(server) as client:
        try:
            return await _asked_about(client, audience)
        except NoReport as error:
            failed = error
    # Raised inside, it would come out in a group of one.
    raise failed


async def _asked_about(client: Client, audience: str) -> list[Document]:
    audience_id = await _id_of(client, audience)
    shown = await _asked(client, "get_audience", id=audience_id)
    replies = [shown]
    ready = [row for row in _rows(shown.get("runs")) if row["state"] == "ready"]
    if ready:
        replies.append(await _asked(client, "analyze_audience", audienceId=audience_id))
    if len(ready) > 1:
        asked = {"audienceId": audience_id, "compareWith": {"runId": ready[1]["runId"]}}
        replies.append(await _asked(client, "analyze_audience", **asked))
    if config := shown.get("config"):
        replies.append(await _asked(client, "preview_audience", **config))
    return [*replies, await _asked(client, "get_account_status")]


async def _id_of(client: Client, audience: str) -> str:
    """The id of an audience that is named by it, or by its whole name."""
    found = await _asked(client, "list_audiences", nameContains=audience[:100], limit=100)
    named = [row for row in _rows(found.get("audiences")) if row["name"] == audience]
    if len(named) > 1:
        ids = ", ".join(row["id"] for row in named)
        raise NoReport(f"several audiences have this name; give the id of one: {ids}")
    return named[0]["id"] if named else audience


async def _asked(client: Client, tool: str, **arguments: object) -> Document:
    reply = await client.call_tool(tool, arguments)
    if reply.is_error or reply.structured_content is None:
        texts = [block.text for block in reply.content if isinstance(block, types.TextContent)]
        raise NoReport(" ".join(texts))
    return reply.structured_content


def _rows(table: Document | None) -> list[Document]:
    if not table:
        return []
    return [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
