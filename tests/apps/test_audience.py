"""The page draws an audience: how it is, who is in it, and what is new."""

import pytest
from playwright.async_api import Browser, expect

from leadpipe_mcp.apps import page_with
from leadpipe_mcp.report import replies_about
from leadpipe_mcp.sandbox import Sandbox, SandboxSettings
from leadpipe_mcp.settings import Settings
from tests.apps.host import Host, opened
from tests.apps.seen import rows, shows

pytestmark = [pytest.mark.anyio, pytest.mark.machines]

NAME = "Marketing Directors at Tech Companies"


async def example(host: Host) -> str:
    """The id of the sandbox's active audience."""
    found = await host.call("list_audiences", nameContains=NAME)
    return rows(found["audiences"])[0]["id"]


async def test_an_audience_is_drawn_and_says_who_is_in_it_and_who_is_new_when_asked(
    host: Host,
) -> None:
    audience_id = await example(host)
    audience = await host.show("get_audience", {"id": audience_id})
    await shows(host, NAME, "active", audience["size"], *audience["topics"].values())
    for run in rows(audience["runs"]):
        await shows(host, f"{run['size']:,}")

    await host.page.get_by_role("button", name="Who are they?").click()
    profile = await host.call("analyze_audience", audienceId=audience_id)
    for people in profile["breakdowns"]["seniorities"].values():
        await shows(host, people)
    await shows(host, *list(profile["breakdowns"]["companies"])[:3], "Business e-mail")

    await host.page.get_by_role("button", name="What is new since").click()
    name, asked = host.calls[-1]
    assert (name, asked["audienceId"]) == ("analyze_audience", audience_id)
    comparison = await host.call("analyze_audience", **asked)
    await shows(host, comparison["onlyHere"]["size"], comparison["onlyThere"]["size"])
    assert {name for name, _ in host.calls} == {"analyze_audience"}
    assert host.problems == []


async def test_a_profile_is_drawn_without_its_audience(host: Host) -> None:
    profile = await host.show("analyze_audience", {"audienceId": await example(host)})
    await shows(host, profile["size"], *profile["breakdowns"]["states"])
    for band, people in profile["scores"]["people"].items():
        await shows(host, band, people)


async def test_nothing_in_the_view_of_an_audience_changes_it(host: Host) -> None:
    await host.show("get_audience", {"id": await example(host)})
    pressed = [await button.inner_text() for button in await host.page.get_by_role("button").all()]
    assert pressed
    for button in await host.page.get_by_role("button").all():
        await button.click()
    await host.settled(len(pressed))
    assert {name for name, _ in host.calls} <= {"analyze_audience", "get_account_status"}


async def test_a_report_is_drawn_without_a_host_and_speaks_to_nobody(browser: Browser) -> None:
    service = Sandbox(SandboxSettings())
    replies = await replies_about(NAME, Settings(sandbox=True), service=service)
    audience, everyone, new, now, _ = replies
    async with opened(browser, page_with(replies, "2026-05-04")) as (page, requests):
        body = page.locator("body")
        for text in (
            NAME,
            "Slots: 1 of 3 in use",
            audience["size"],
            new["onlyHere"]["size"],
            *now["sample"]["rows"][0],
        ):
            await expect(body).to_contain_text(str(text))
        await expect(body).to_contain_text(next(iter(everyone["breakdowns"]["states"])))
        await expect(page.locator("button, input, select, textarea")).to_have_count(0)
        assert len(await page.pdf()) > 10_000
        assert len(requests) == 1
