"""The page draws a plan, and tries changes with the tools that the assistant has."""

from typing import Any

import anyio
import pytest
from playwright.async_api import expect

from tests.apps.host import OFFERS, Host, Json, unhindered
from tests.apps.seen import PLAN, rows, shows, sized

pytestmark = [pytest.mark.anyio, pytest.mark.machines]


def without(config: Json, key: str) -> Json:
    """A config without one of its filters."""
    return config | {"filters": {k: v for k, v in config["filters"].items() if k != key}}


async def test_another_score_shows_the_size_that_a_preview_gives(host: Host) -> None:
    plan = await host.show("plan_audience", PLAN)
    await host.page.get_by_role("radio", name="50 and up").check()
    config = plan["config"] | {"minScore": 50}
    preview = await host.call("preview_audience", **config)
    assert preview["size"] == plan["ladder"]["50"] != plan["size"]
    await sized(host, preview["size"])
    assert host.calls == [("preview_audience", config)]
    (told,) = await host.told()
    assert told["structuredContent"]["config"] == config


async def test_a_filter_is_left_out_and_put_back_and_the_plan_is_made_again(host: Host) -> None:
    plan = await host.show("plan_audience", PLAN)
    config, page = plan["config"], host.page
    again = page.get_by_role("button", name="Plan again")
    await expect(again).to_be_hidden()

    await page.get_by_role("checkbox", name="Seniority").uncheck()
    await sized(host, plan["sizeWithout"]["seniority"])
    await shows(host, "before this change")
    assert host.calls == [("preview_audience", without(config, "seniority"))]

    await page.get_by_role("checkbox", name="Seniority").check()
    await sized(host, plan["size"])
    assert host.calls[1:] == [("preview_audience", config)]

    await page.get_by_role("checkbox", name="State").uncheck()
    await sized(host, plan["sizeWithout"]["exclude.state"])
    await again.click()
    await expect(again).to_be_hidden()
    name, asked = host.calls[-1]
    assert name == "plan_audience"
    anew = await host.call("plan_audience", **asked)
    assert "exclude" not in anew["config"]
    assert anew["config"]["filters"] == config["filters"]
    assert anew["target"] == plan["target"]
    for score, people in anew["ladder"].items():
        await expect(page.get_by_role("radio", name=f"{score} and up, {people}")).to_be_visible()


async def test_topics_are_added_and_left_out_and_one_stays(host: Host) -> None:
    plan = await host.show("plan_audience", PLAN)
    crm, automation = plan["config"]["topicIds"]
    ((_, other, _, _),) = plan["topicAlternatives"]["rows"]
    boxes = {
        name: host.page.get_by_role("checkbox", name=name, exact=False)
        for name in ("Customer Relationship Management", "CRM", "Marketing Automation")
    }
    await boxes["Customer Relationship Management"].check()
    await host.settled(1)
    await boxes["CRM"].uncheck()
    await host.settled(2)
    await boxes["Marketing Automation"].uncheck()
    await host.settled(3)
    tried = [arguments["topicIds"] for _, arguments in host.calls]
    assert tried == [[crm, automation, other], [automation, other], [other]]
    last = await host.call("preview_audience", **plan["config"] | {"topicIds": [other]})
    await sized(host, last["size"])
    await expect(boxes["Customer Relationship Management"]).to_be_disabled()


async def test_a_draft_is_saved_once_and_is_there(host: Host) -> None:
    plan = await host.show("plan_audience", PLAN)
    field = host.page.get_by_role("textbox", name="Name")
    save = host.page.get_by_role("button", name="Save as draft")
    await field.fill("Marketing leaders")
    await save.dblclick()
    await shows(host, f"'Marketing leaders' is saved (draft). {plan['size']} people match now.")
    await expect(save).to_be_disabled()
    await field.press("Enter")

    assert host.calls == [
        ("create_audience", {"name": "Marketing leaders", "config": plan["config"]})
    ]
    assert host.questions == []
    found = rows((await host.call("list_audiences", nameContains="Marketing leaders"))["audiences"])
    assert [audience["status"] for audience in found] == ["draft"]
    audience = await host.call("get_audience", id=found[0]["id"])
    assert audience["config"] == plan["config"]

    await host.page.get_by_role("radio", name="50 and up").check()
    await expect(save).to_be_enabled()


async def test_a_preview_has_no_ladder_and_learns_the_scores_that_are_tried(host: Host) -> None:
    config = {"topicIds": [600001], "minScore": 70, "minTopicOverlap": 1}
    preview = await host.show("preview_audience", config)
    await sized(host, preview["size"])
    await shows(host, *preview["sample"]["rows"][0][:3])
    await host.page.get_by_role("radio", name="90 and up").check()
    tried = await host.call("preview_audience", **config | {"minScore": 90})
    size = f"{tried['size']:,}"
    await expect(host.page.get_by_role("radio", name=f"90 and up, {size} people")).to_be_checked()


async def test_five_people_are_shown_masked_when_they_are_asked_for(host: Host) -> None:
    plan = await host.show("plan_audience", PLAN)
    await host.page.get_by_role("button", name="Show five of them").click()
    preview = await host.call("preview_audience", **plan["config"])
    for person in preview["sample"]["rows"]:
        await shows(host, *person)
    await expect(host.page.get_by_role("button", name="Show five of them")).to_be_hidden()


async def test_the_last_choice_is_shown_whichever_answer_comes_first(host: Host) -> None:
    plan = await host.show("plan_audience", PLAN)
    first, second = anyio.Event(), anyio.Event()

    async def before(_: str, arguments: Json) -> None:
        await {50: first, 90: second}[arguments["minScore"]].wait()

    host.before = before
    await host.page.get_by_role("radio", name="50 and up").check()
    await host.page.get_by_role("radio", name="90 and up").check()
    second.set()
    await sized(host, plan["ladder"]["90"])
    first.set()
    await host.settled(2)
    await sized(host, plan["ladder"]["90"])
    await expect(host.page.get_by_role("radio", name="90 and up")).to_be_checked()


async def test_each_choice_builds_on_the_one_before_be_that_answered_or_not(host: Host) -> None:
    plan = await host.show("plan_audience", PLAN)
    answered = anyio.Event()

    async def before(_: str, __: Json) -> None:
        await answered.wait()

    host.before = before
    await host.page.get_by_role("checkbox", name="Seniority").uncheck()
    await host.page.get_by_label("Name").fill("As it was")
    await host.page.get_by_role("button", name="Save as draft").click()
    await host.page.get_by_role("radio", name="60 and up").check()
    answered.set()
    await host.settled(3)

    (_, first), (_, draft), (_, second) = host.calls
    filters = {key: of for key, of in plan["config"]["filters"].items() if key != "seniority"}
    assert first == plan["config"] | {"filters": filters}
    assert second == first | {"minScore": 60}
    # What is saved is what was shown when it was pressed, and that it is saved is not forgotten.
    assert draft == {"name": "As it was", "config": plan["config"]}
    await host.page.get_by_role("checkbox", name="Seniority").check()
    await host.page.get_by_role("radio", name="70 and up").check()
    await shows(host, "'As it was' is saved (draft).")


async def test_a_call_that_takes_its_time_says_so_and_one_that_fails_can_be_tried_again(
    host: Host,
) -> None:
    plan = await host.show("plan_audience", PLAN)
    answered = anyio.Event()

    async def fails(_: str, __: Json) -> None:
        await answered.wait()
        raise ConnectionError("The connection was lost.")

    host.before = fails
    await host.page.get_by_role("radio", name="60 and up").check()
    await expect(host.page.locator("[aria-busy=true]").first).to_be_visible()
    answered.set()
    again = host.page.get_by_role("button", name="Try again")
    await expect(again).to_be_visible()

    host.before = unhindered
    await again.click()
    await sized(host, plan["ladder"]["60"])
    await expect(again).to_be_hidden()
    await expect(host.page.locator("[aria-busy=true]")).to_have_count(0)


@pytest.mark.parametrize("offers", [{}, {k: v for k, v in OFFERS.items() if k != "serverTools"}])
async def test_a_host_that_passes_no_calls_on_sees_a_picture_without_controls(
    host: Host, offers: dict[str, Any]
) -> None:
    plan = await host.show("plan_audience", PLAN, offers=offers)
    await sized(host, plan["size"])
    await shows(host, *plan["ladder"].values())
    await expect(host.page.locator("button, input, select, textarea, [tabindex]")).to_have_count(0)


async def test_what_is_no_plan_is_shown_as_its_words(host: Host) -> None:
    await host.show("plan_audience", {"topics": ["CRM"], "filters": {"no": 1}})
    await shows(host, "There is no filter 'no'.")
    await expect(host.page.get_by_role("button")).to_have_count(0)
