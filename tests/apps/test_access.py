"""The page for people with a keyboard, a screen reader, a narrow window, or a dark screen."""

import json
from functools import cache
from typing import Any, Literal

import pytest
from playwright.async_api import Browser, Frame, Locator, Page, expect

from leadpipe_mcp.apps import page_with
from leadpipe_mcp.report import replies_about
from leadpipe_mcp.sandbox import Sandbox, SandboxSettings
from leadpipe_mcp.settings import Settings
from tests.apps.host import FOLDER, Host, bridge, opened
from tests.apps.seen import PLAN, shows
from tests.apps.test_audience import NAME, example

pytestmark = [pytest.mark.anyio, pytest.mark.machines]

LOOKS = [("light", 760), ("dark", 760), ("light", 320), ("dark", 320)]
WORST_TABS = 60


@cache
def axe() -> str:
    """Return the program that looks for what keeps people out."""
    bridge()  # installs it
    return (FOLDER / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")


async def barriers(page: Frame | Page) -> list[str]:
    """What axe-core finds in a page that is serious or critical, and what is cut off."""
    await page.evaluate(axe())
    found: list[dict[str, Any]] = await page.evaluate("axe.run().then((told) => told.violations)")
    serious = [
        f"{rule['id']}: {node['html']} {node['failureSummary']}"
        for rule in found
        if rule["impact"] in {"serious", "critical"}
        for node in rule["nodes"]
    ]
    wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [*serious, *([f"{wide} pixels too wide"] if wide > 0 else [])]


@pytest.mark.parametrize(("theme", "width"), LOOKS)
async def test_nothing_keeps_people_out_of_a_plan(host: Host, theme: str, width: int) -> None:
    await host.around.set_viewport_size({"width": width, "height": 900})
    await host.show("plan_audience", PLAN, theme=theme)
    await shows(host, "people match")
    assert await barriers(host.page) == []
    await host.page.get_by_role("button", name="Show five of them").click()
    await host.settled(1)
    await host.page.get_by_role("checkbox", name="Seniority").uncheck()
    await host.settled(2)
    assert await barriers(host.page) == []


@pytest.mark.parametrize(("theme", "width"), LOOKS)
async def test_nothing_keeps_people_out_of_an_audience(host: Host, theme: str, width: int) -> None:
    await host.around.set_viewport_size({"width": width, "height": 900})
    await host.show("get_audience", {"id": await example(host)}, theme=theme)
    await host.page.get_by_role("button", name="Who are they?").click()
    await host.settled(1)
    await host.page.get_by_role("button", name="What is new since").click()
    await host.settled(2)
    assert await barriers(host.page) == []


@pytest.mark.parametrize(("theme", "width"), LOOKS)
async def test_nothing_keeps_people_out_of_a_report(
    browser: Browser, theme: Literal["light", "dark"], width: int
) -> None:
    service = Sandbox(SandboxSettings())
    replies = await replies_about(NAME, Settings(sandbox=True), service=service)
    async with opened(browser, page_with(replies, "2026-05-04")) as (page, _):
        await page.set_viewport_size({"width": width, "height": 900})
        await page.emulate_media(color_scheme=theme)
        assert await barriers(page) == []
        await page.emulate_media(media="print", color_scheme=theme)
        assert await barriers(page) == []


async def test_a_keyboard_alone_chooses_leaves_out_and_saves(host: Host) -> None:
    plan = await host.show("plan_audience", PLAN)
    await shows(host, "people match")
    page, keyboard = host.page, host.around.keyboard
    await tab_to(host, page.get_by_role("radio", name="70 and up"))
    await keyboard.press("ArrowUp")
    await expect(page.get_by_role("radio", name="60 and up")).to_be_checked()
    await shows(host, f"{plan['ladder']['60']} people match")

    await tab_to(host, page.get_by_role("checkbox", name="Seniority"))
    await keyboard.press("Space")
    await host.settled(2)
    await tab_to(host, page.get_by_role("textbox", name="Name"))
    await keyboard.type("By hand")
    await tab_to(host, page.get_by_role("button", name="Save as draft"))
    await keyboard.press("Enter")
    await shows(host, "'By hand' is saved (draft).")
    _, saved = host.calls[-1]
    assert saved["config"]["minScore"] == 60
    assert "seniority" not in saved["config"]["filters"]


async def tab_to(host: Host, wanted: Locator) -> None:
    """Press the tabulator until this has the focus, and see that it shows it."""
    for _ in range(WORST_TABS):
        await host.around.keyboard.press("Tab")
        if await wanted.evaluate("(one) => one === document.activeElement"):
            break
    await expect(wanted).to_be_focused()
    marked = """(one) => [one, one.closest("label"), one.nextElementSibling].some((it) =>
        it && ["outlineStyle", "boxShadow"].some((n) => getComputedStyle(it)[n] !== "none"))"""
    assert await wanted.evaluate(marked)


async def test_what_changes_is_said_to_those_who_do_not_see_it(host: Host) -> None:
    plan = await host.show("plan_audience", PLAN)
    await host.page.get_by_role("radio", name="50 and up").check()
    await host.settled(1)
    said = host.page.locator("[aria-live=polite], [role=status]").first
    await expect(said).to_contain_text(str(plan["ladder"]["50"]))
    assert json.dumps(await host.told()).count(str(plan["ladder"]["50"])) >= 1
