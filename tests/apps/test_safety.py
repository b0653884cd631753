"""Whatever is in a reply is text; the page spends nothing, tells nobody and keeps no secret."""

import json
from typing import Any, cast

import pytest
from mcp import Client
from playwright.async_api import Browser
from pydantic import SecretStr

from leadpipe_mcp.sandbox import Sandbox, SandboxSettings
from leadpipe_mcp.server import build_server
from leadpipe_mcp.settings import Settings
from tests.apps.host import Host, Json, hosting
from tests.apps.seen import PLAN, shows
from tests.apps.test_audience import NAME, example

pytestmark = [pytest.mark.anyio, pytest.mark.machines]

NARROW = 320
RAN_WORD = "it ran"
RAN = f"parent.postMessage('{RAN_WORD}', '*')"
HOSTILE = {
    "an image": f'<img src="https://elsewhere.example/x.png" onerror="{RAN}">',
    "a script": f"</script><script>{RAN}</script>",
    "an attribute": f'"\' onfocus="{RAN}" autofocus tabindex="1" style="position:fixed;inset:0',
    "an address": f"javascript:{RAN}//url(https://elsewhere.example/)",
    "other directions": "\u202egnirts\u2066 \u2067x\u2069 \u200f\u061c" * 5,
    "10,000 characters": "W" * 10_000,
    "2,000 words": "lead " * 2_000,
}


OURS = {"dataDate", "columns", "state", "status", "target"}
"""What the server writes itself."""
NAMED = {
    "industries",
    "seniorities",
    "departments",
    "companySizes",
    "states",
    "companies",
    "topics",
}
"""Where what the service calls something is a key."""


def spoiled(value: Any, text: str, within: str = "") -> Any:  # noqa: ANN401 -- any JSON
    """A reply in which each name, title and word of the service is this text, or ends in it."""
    if isinstance(value, list):
        return [spoiled(one, text) for one in cast("list[Any]", value)]
    if isinstance(value, dict):
        items = cast("Json", value).items()
        kept = {key: one if key in OURS else spoiled(one, text, key) for key, one in items}
        is_named = within in NAMED and "columns" not in kept
        return {f"{key} {text}": one for key, one in kept.items()} if is_named else kept
    return text if isinstance(value, str) else value


@pytest.fixture(scope="module")
async def replies(anyio_backend: str) -> list[Json]:
    """A reply of each kind that the page draws."""
    assert anyio_backend
    server = build_server(Settings(sandbox=True), service=Sandbox(SandboxSettings()))
    async with Client(server) as client:

        async def call(name: str, arguments: Json) -> Json:
            return (await client.call_tool(name, arguments)).structured_content or {}

        plan = await call("plan_audience", PLAN)
        found = await call("list_audiences", {"nameContains": NAME})
        audience = await call("get_audience", {"id": found["audiences"]["rows"][0][0]})
        about: Json = {"audienceId": audience["id"]}
        before = {"compareWith": {"runId": audience["runs"]["rows"][1][0]}}
        return [
            plan,
            await call("preview_audience", plan["config"]),
            audience,
            await call("analyze_audience", about),
            await call("analyze_audience", about | before),
        ]


@pytest.mark.parametrize("what", HOSTILE)
async def test_hostile_words_are_shown_and_nothing_runs_or_loads_or_breaks(
    host: Host, replies: list[Json], what: str
) -> None:
    await host.around.set_viewport_size({"width": NARROW, "height": 700})
    await host.open("plan_audience")
    scripts = await host.page.evaluate("document.scripts.length")
    for reply in replies:
        await host.give(spoiled(reply, HOSTILE[what]))
        await host.settled(0)
        await shows(host, HOSTILE[what].strip()[:20])
        assert await host.page.evaluate("document.documentElement.scrollWidth") <= NARROW
        assert await host.page.evaluate("document.scripts.length") == scripts
        assert await host.page.locator("img, iframe, object, embed, link, a[href]").count() == 0
    assert RAN_WORD not in await host.posted("byPage")


async def test_the_page_gets_no_tool_that_spends_or_deletes_or_sends_people_out(host: Host) -> None:
    audience_id = await example(host)
    before = await host.call("get_audience", id=audience_id)
    await host.show("get_audience", {"id": audience_id})
    for name, arguments in {
        "set_status": {"id": audience_id, "status": "paused"},
        "delete_audience": {"id": audience_id},
        "update_audience": {"id": audience_id, "name": "x"},
        "run_audience": {"id": audience_id},
        "export_audience": {"audienceId": audience_id},
    }.items():
        answer = await call_from_the_page(host, name, arguments)
        assert answer["error"]["message"] == f"The page may not call {name}."
    assert host.calls == host.questions == []
    assert await host.call("get_audience", id=audience_id) == before


@pytest.mark.parametrize("agrees", [True, False])
async def test_the_page_activates_nothing_unless_the_human_agrees(
    host: Host, *, agrees: bool
) -> None:
    plan = await host.show("plan_audience", PLAN)
    host.answers.append(agrees)
    arguments = {"name": "Quick", "config": plan["config"], "status": "active"}
    answer = await call_from_the_page(host, "create_audience", arguments)
    (question,) = host.questions
    assert "Quick" in question
    assert ("structuredContent" in answer["result"]) == agrees
    assert '"confirm"' not in json.dumps(await host.posted())
    found: Json = await host.call("list_audiences", nameContains="Quick")
    shown = found.get("audiences", {"rows": []})["rows"]
    assert [row[2] for row in shown] == (["active"] if agrees else [])


async def test_nothing_that_is_posted_to_the_page_holds_the_key(browser: Browser) -> None:
    key = "sk_live_0123456789abcdefghijkl"
    service = Sandbox(SandboxSettings())
    settings = Settings(api_key=SecretStr(key))
    async with hosting(browser, build_server(settings, service=service)) as host:
        plan = await host.show("plan_audience", PLAN)
        await host.page.get_by_role("button", name="Show five of them").click()
        await host.page.get_by_role("radio", name="50 and up").check()
        await shows(host, plan["ladder"]["50"])
        await host.show("get_audience", {"id": await example(host)})
        assert key not in json.dumps([await host.posted(), host.text])
        assert "@" not in json.dumps(await host.posted())


async def call_from_the_page(host: Host, name: str, arguments: Json) -> Json:
    """Call a tool as a script in the page would, and return the answer."""
    return await host.page.evaluate(
        """([name, given]) => new Promise((answer) => {
            const id = `try-${Math.random()}`;
            addEventListener("message", ({ data }) => data.id === id && answer(data));
            const params = { name, arguments: given };
            parent.postMessage({ jsonrpc: "2.0", id, method: "tools/call", params }, "*");
        })""",
        [name, arguments],
    )
