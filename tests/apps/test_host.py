"""The host of these tests lets a page no further than hosts should: a strange one tries."""

import pytest
from playwright.async_api import Browser

from leadpipe_mcp.sandbox import Sandbox, SandboxSettings
from leadpipe_mcp.server import build_server
from leadpipe_mcp.settings import Settings
from tests.apps.host import BRIDGE, FRAMED, HOST, hosting

pytestmark = [pytest.mark.anyio, pytest.mark.machines]

STRANGE = """<!doctype html><html lang="en"><title>A strange page</title><script>
const answers = {};
const ask = (method, params) => new Promise((answer) => {
  const id = Object.keys(answers).length + 1;
  answers[id] = answer;
  parent.postMessage({ jsonrpc: "2.0", id, method, params }, "*");
});
const call = (name, given) => ask("tools/call", { name, arguments: given });
const tried = async (attempt) => {
  try { await attempt(); return "done"; } catch { return "not"; }
};
addEventListener("message", ({ data }) => answers[data.id]?.(data));
const about = { appInfo: { name: "x", version: "1" }, appCapabilities: {} };
ask("ui/initialize", { ...about, protocolVersion: "2026-01-26" }).then(() =>
  parent.postMessage({ jsonrpc: "2.0", method: "ui/notifications/initialized" }, "*"));
</script></html>"""
TRIES = {
    "fetch": "() => fetch('https://elsewhere.example/')",
    "fetch the host": "() => fetch('http://host.example/')",
    "read the host": "() => parent.document.title",
    "keep something": "() => localStorage.setItem('x', '1')",
    "load an image": """() => new Promise((onload, onerror) => Object.assign(
        new Image(), { onload, onerror, src: 'https://elsewhere.example/x.png' }))""",
}


async def test_a_page_calls_tools_for_pages_and_no_other_and_reaches_nothing_else(
    browser: Browser,
) -> None:
    server = build_server(Settings(sandbox=True), service=Sandbox(SandboxSettings(people=300)))
    async with hosting(browser, server) as host:
        await host.open("plan_audience", text=STRANGE)
        asked = "(name) => call(name, { topicIds: [117805] })"
        preview = await host.page.evaluate(asked, "preview_audience")
        assert preview["result"]["structuredContent"]["size"] > 0

        for name in ("set_status", "delete_audience", "export_audience", "no_such_tool"):
            refusal = await host.page.evaluate(asked, name)
            assert refusal["error"]["message"] == f"The page may not call {name}."
        assert [name for name, _ in host.calls] == ["preview_audience"]

        for what, attempt in TRIES.items():
            assert await host.page.evaluate(f"tried({attempt})") == "not", what
        assert host.requests == [HOST, BRIDGE, FRAMED]
        assert sum("Content Security Policy" in problem for problem in host.problems) >= 3
