"""A host that shows our page: a real bridge in a real browser, and a real client of the server.

The page runs in a frame as hosts give it: sandboxed, of another origin, under the policy that the
protocol's extension prescribes for a page that asks for nothing. What it calls goes through the
bridge to the client, where the test plays the human who is asked. No request leaves the browser.
"""

import shutil
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from mcp import Client
from mcp.client import ClientRequestContext
from mcp.client.extension import advertise
from mcp.server import Server
from mcp.types import (
    CallToolResult,
    ElicitRequestParams,
    ElicitResult,
    TextResourceContents,
    Tool,
)
from playwright.async_api import (
    Browser,
    ConsoleMessage,
    Error,
    Frame,
    Page,
    Request,
    Route,
    async_playwright,
)

from leadpipe_mcp.toolkit.calls import KIND_OF_PAGE, PAGES
from tests.node import install, program

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".venv" / "apps"
PACKAGES = {
    "@modelcontextprotocol/client": "2.4.0",
    "@modelcontextprotocol/ext-apps": "2.0.4",
    "axe-core": "4.14.1",
    "esbuild": "0.28.2",
    "zod": "4.6.7",
}
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
HOST, BRIDGE = "http://host.example/", "http://host.example/host.js"
FRAMED = "http://page.example/"
DEADLINE_MS = 15_000
# What a host sets for a page that names no other places.
POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; media-src 'self' data:; connect-src 'none'; frame-src 'none';"
    " object-src 'none'; base-uri 'self'"
)
AROUND = """<!doctype html><html lang="en"><title>A conversation</title>
<meta name="viewport" content="width=device-width">
<style>body { margin: 0; } iframe { width: 100%; border: 0; display: block; }</style>
<script src="/host.js"></script></html>"""
Json = dict[str, Any]
OFFERS: Json = {"serverTools": {}, "updateModelContext": {"text": {}, "structuredContent": {}}}


@cache
def bridge() -> str:
    """Return the host's side as one script, with the bridge in it."""
    install(FOLDER, PACKAGES)
    shutil.copy(Path(__file__).with_name("host.js"), FOLDER / "host.js")
    done = program(FOLDER, "esbuild", "host.js", "--bundle", "--log-level=error")
    assert done.returncode == 0, done.stderr
    return done.stdout


@asynccontextmanager
async def chromium() -> AsyncGenerator[Browser]:
    """Start the system's browser, without a window."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM)
        yield browser
        await browser.close()


async def unhindered(_: str, __: Json) -> None:
    """Let a call of the page pass."""


@dataclass
class Host:
    """A conversation in which the page is shown.

    Attributes:
        around: The host's own page in the browser.
        before: What happens before a call of the page is passed on; it may wait, or fail.
        questions: What the human was asked.
        answers: What the human says to the next question, from the last on; without one it fails.
        calls: What the page called, with what.
        requests: What the browser asked for over the network.
        problems: What the browser complains of.
    """

    client: Client
    around: Page
    questions: list[str]
    answers: list[bool]
    before: Callable[[str, Json], Awaitable[None]] = unhindered
    calls: list[tuple[str, Json]] = field(default_factory=list[tuple[str, Json]])
    requests: list[str] = field(default_factory=list[str])
    problems: list[str] = field(default_factory=list[str])
    text: str = ""

    @property
    def page(self) -> Frame:
        """The frame in which our page is."""
        (frame,) = self.around.main_frame.child_frames
        return frame

    async def call(self, name: str, **arguments: object) -> Json:
        """Call a tool as the model does, and return its structured reply."""
        result = await self.client.call_tool(name, arguments)
        assert result.structured_content is not None, result.content
        return result.structured_content

    async def show(
        self, name: str, arguments: Json, *, offers: Json = OFFERS, theme: str = "light"
    ) -> Json:
        """Call a tool as the model does, show its page, and return its reply."""
        result = await self.client.call_tool(name, arguments)
        await self.open(name, offers=offers, theme=theme)
        await self.give(result, arguments)
        return result.structured_content or {}

    async def open(
        self, name: str, *, text: str | None = None, offers: Json = OFFERS, theme: str = "light"
    ) -> None:
        """Show the page of a tool, or this text as if it were; it has nothing to draw yet."""
        tools = {tool.name: tool for tool in (await self.client.list_tools()).tools}
        self.text = text or await self.read(tools[name])
        given = {
            "address": FRAMED,
            "tools": [as_sent(tool) for tool in tools.values()],
            "tool": as_sent(tools[name]),
            "capabilities": offers,
            "context": {"theme": theme, "locale": "en-US", "displayMode": "inline"},
        }
        await self.around.goto(HOST)
        await self.around.evaluate("(given) => open_page(given)", given)

    async def read(self, tool: Tool) -> str:
        """Read the page that a tool names."""
        (content,) = (
            await self.client.read_resource((tool.meta or {})["ui"]["resourceUri"])
        ).contents
        assert isinstance(content, TextResourceContents)
        assert content.mime_type == KIND_OF_PAGE
        return content.text

    async def give(self, result: CallToolResult | Json, arguments: Json | None = None) -> None:
        """Send the page the arguments of a call and what came of it."""
        if isinstance(result, dict):
            result = CallToolResult(content=[], structured_content=result)
        sent = {"arguments": arguments or {}, "result": as_sent(result)}
        await self.around.evaluate(
            """async ({ arguments: given, result }) => {
                await bridge.sendToolInput({ arguments: given });
                await bridge.sendToolResult(result);
            }""",
            sent,
        )

    async def posted(self, direction: str = "toPage") -> list[Json]:
        """What was posted to the page, or by it."""
        return await self.around.evaluate("(direction) => posted[direction]", direction)

    async def settled(self, calls: int) -> None:
        """Wait until the page has seen the answers to so many of its calls."""
        await self.around.evaluate("(calls) => settle(calls)", calls)

    async def told(self) -> list[Json]:
        """What the page told the model."""
        return await self.around.evaluate("told")

    async def refused(self) -> list[str]:
        """The tools that the page wanted to call and may not."""
        return await self.around.evaluate("refused")

    async def called(self, source: Mapping[str, object], name: str, arguments: Json) -> Json:
        """Pass on a call of the page that has come through the bridge."""
        assert source["frame"] == self.around.main_frame
        self.calls.append((name, arguments))
        await self.before(name, arguments)
        return as_sent(await self.client.call_tool(name, arguments))

    async def served(self, route: Route, request: Request) -> None:
        """Answer the browser: with the host, with the page, or not at all."""
        self.requests.append(request.url)
        if request.url == HOST:
            await route.fulfill(body=AROUND, content_type="text/html")
        elif request.url == BRIDGE:
            await route.fulfill(body=bridge(), content_type="text/javascript")
        elif request.url == FRAMED:
            headers = {"content-security-policy": POLICY, "content-type": "text/html"}
            await route.fulfill(body=self.text, headers=headers)
        else:
            await route.abort()

    def failed(self, error: Error) -> None:
        """Note an error that nobody caught."""
        self.problems.append(str(error))

    def logged(self, message: ConsoleMessage) -> None:
        """Note what the browser complains of, as of a request that the policy forbids."""
        if message.type == "error":
            self.problems.append(message.text)


@asynccontextmanager
async def hosting(
    browser: Browser, server: Server[Any], *, scale: float = 1
) -> AsyncGenerator[Host]:
    """Open a host for a server, in a tab of its own, with so many pixels to a point."""
    questions: list[str] = []
    answers: list[bool] = []

    async def ask(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        del context
        questions.append(params.message)
        if answers.pop():
            return ElicitResult(action="accept", content={"approve": True})
        return ElicitResult(action="decline")

    tabs = await browser.new_context(
        viewport={"width": 760, "height": 900}, device_scale_factor=scale
    )
    shows = [advertise(PAGES, {"mimeTypes": [KIND_OF_PAGE]})]
    async with Client(server, extensions=shows, elicitation_callback=ask) as client:
        around = await tabs.new_page()
        host = Host(client, around, questions, answers)
        around.set_default_timeout(DEADLINE_MS)
        around.on("pageerror", host.failed)
        around.on("console", host.logged)
        await tabs.route("**/*", host.served)
        # What it calls may take anything, and has no type for that.
        await around.expose_binding("callTool", host.called)  # pyright: ignore[reportUnknownMemberType]
        yield host
    await tabs.close()


@asynccontextmanager
async def opened(browser: Browser, text: str) -> AsyncGenerator[tuple[Page, list[str]]]:
    """Open a page that is a file of its own, and return what it asks for over the network."""
    tabs = await browser.new_context(viewport={"width": 760, "height": 900})
    page = await tabs.new_page()
    requests: list[str] = []

    async def served(route: Route, request: Request) -> None:
        requests.append(request.url)
        await route.fulfill(body=text, content_type="text/html")

    await tabs.route("**/*", served)
    await page.goto(FRAMED)
    yield page, requests
    await tabs.close()


def as_sent(model: CallToolResult | Tool) -> Json:
    """Return something of the protocol as it goes over the wire."""
    return model.model_dump(by_alias=True, mode="json", exclude_none=True)
