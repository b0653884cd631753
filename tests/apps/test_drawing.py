"""A plan is drawn in a real browser; `make apps` tests what can be done with it."""

import pytest
from playwright.async_api import expect

from tests.apps.host import Host
from tests.apps.seen import PLAN, rows, shows, sized

pytestmark = pytest.mark.anyio


async def test_a_plan_is_drawn_with_all_that_its_reply_says(host: Host) -> None:
    plan = await host.show("plan_audience", PLAN)
    await sized(host, plan["size"])
    await shows(host, "Invented people", "400 to 500")

    radios = host.page.get_by_role("radiogroup", name="Lowest score").get_by_role("radio")
    await expect(radios).to_have_count(len(plan["ladder"]))
    for score, people in plan["ladder"].items():
        await expect(
            host.page.get_by_role("radio", name=f"{score} and up, {people} people")
        ).to_be_visible()
    await expect(host.page.get_by_role("radio", name="70 and up")).to_be_checked()

    for size in plan["sizeWithout"].values():
        await shows(host, size - plan["size"])
    for topic in rows(plan["topics"]):
        box = host.page.get_by_role("checkbox", name=topic["name"])
        await expect(box).to_be_checked()
        await shows(host, f"{topic['people']:,}", topic["uniquePeople"])
    for other in rows(plan["topicAlternatives"]):
        await expect(host.page.get_by_role("checkbox", name=other["name"])).not_to_be_checked()
    for value in rows(plan["values"]):
        if value["sure"] != "exact":
            await shows(host, value["asked"], value["became"], value["note"])
    await shows(host, *plan["seniorities"].values(), *plan["warnings"], *plan["reachable"].values())
    assert host.calls == []
    assert host.problems == []
