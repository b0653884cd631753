"""Saved audiences, listed and shown, and whether their people are those of their config."""

import pytest
from starlette.responses import JSONResponse

from tests.faults.service import Fault
from tests.tools.assistant import UNASKED, Assistant, Connect, Reply, Start, each_era, each_profile

pytestmark = pytest.mark.anyio

WANTED = {"topicIds": [117805]}
COLUMNS = ["id", "name", "status", "size", "refreshed"]
OUTDATED = "from before the audience was last changed"


async def test_audiences_are_listed_with_what_other_tools_need(connect: Connect) -> None:
    async with connect() as client:
        reply = await client.call("list_audiences")
        listed = await client.call("list_audiences", status="paused")
        none = await client.call("list_audiences", status="draft")
        await client.call("create_audience", name="a\u202eb\u200b\U000e0041", config=WANTED)
        drafts = await client.call("list_audiences", status="draft")
    assert reply["summary"] == "2 audiences."
    assert reply["audiences"]["columns"] == COLUMNS
    active, paused = reply["audiences"]["rows"]
    assert active[1:3] == ["Marketing Directors at Tech Companies", "active"]
    assert (active[4], paused[4]) == ("2026-05-05", "2026-05-01")
    assert 0 < active[3] < paused[3] < 3_000
    assert set(reply) == {"summary", "audiences", "sandbox"}
    assert listed["summary"] == "1 paused audience."
    assert listed["audiences"]["rows"] == [paused]
    assert none == {"summary": "0 draft audiences.", "sandbox": True}
    # What no reader sees is not in a name; the size of one that was never run is not known.
    assert drafts["audiences"]["rows"][0][1:] == ["ab", "draft"]


async def test_audiences_are_found_by_words_of_their_name_and_a_list_that_is_cut_says_so(
    client: Assistant,
) -> None:
    reply = await client.call("list_audiences", nameContains="BUYERS in")
    assert reply["summary"] == "1 audience with 'buyers in' in the name."
    assert [row[1] for row in reply["audiences"]["rows"]] == ["CRM Buyers in California"]
    reply = await client.call("list_audiences", limit=1)
    assert len(reply["audiences"]["rows"]) == 1
    assert reply["warnings"] == ["There may be more than the first 1; raise limit to see them."]
    reply = await client.call("list_audiences", limit=1, nameContains="a")
    assert reply["summary"] == "2 audiences with 'a' in the name."
    assert reply["warnings"] == ["1 more not shown; raise limit to see them."]


async def test_names_are_looked_for_among_the_first_hundred(connect: Connect) -> None:
    many = [{"id": f"{n}", "name": f"n{n}", "status": "draft"} for n in range(100)]
    async with connect(JSONResponse({"data": many})) as client:
        reply = await client.call("list_audiences", nameContains="n7", limit=100)
    assert reply["summary"] == "11 audiences with 'n7' in the name."
    assert reply["warnings"] == ["There may be more than the first 100."]


async def test_an_audience_that_cannot_be_read_is_left_out_and_said(connect: Connect) -> None:
    good = {"id": "a", "name": "VPs", "status": "draft", "audienceSize": "1,480"}
    service = JSONResponse({"data": [good, {**good, "id": None}]})
    async with connect(service) as client:
        reply = await client.call("list_audiences")
    assert reply["summary"] == "1 audience."
    assert reply["warnings"] == ["1 of 2 audiences could not be read and is left out."]


@each_profile
async def test_an_audience_is_shown_with_its_config_its_people_and_its_runs(
    profile: str, connect: Connect
) -> None:
    async with connect(profile=profile) as client:
        audience = (await client.saved())["active"]
        reply = await client.call("get_audience", id=audience)
    size = reply["size"]
    assert reply["summary"] == (
        "'Marketing Directors at Tech Companies' is active."
        f" The people are ready: {size} people, data from 2026-05-04."
    )
    assert (reply["id"], reply["status"], reply["dataDate"]) == (audience, "active", "2026-05-04")
    assert "director" in reply["config"]["filters"]["seniority"]
    assert reply["topics"] == {
        "117805": "Marketing ROI",
        "117890": "Marketing Automation",
        "117918": "Demand Generation Benchmarks",
    }
    assert reply["run"]["state"] == "ready"
    assert reply["run"]["size"] == size > 0
    ids = [] if profile == "flat" else ["runId"]
    assert reply["runs"]["columns"] == [*ids, "state", "dataDate", "size"]
    days = [row[-2] for row in reply["runs"]["rows"]]
    assert days == [f"2026-05-0{day}" for day in (4, 3, 2, 1)] + ["2026-04-30"]
    assert reply["runs"]["rows"][0][-1] == size
    assert [step["tool"] for step in reply["next"]] == ["query_audience"]
    assert "warnings" not in reply


async def test_a_draft_is_shown_without_people(connect: Connect) -> None:
    async with connect() as client:
        made = await client.call("create_audience", name="New", config=WANTED)
        reply = await client.call("get_audience", id=made["id"])
    assert reply["summary"] == "'New' is a draft. The people have not been put together yet."
    assert reply["run"] == {"state": "none"}
    assert not {"size", "runs", "dataDate", "lastRefreshedAt"} & set(reply)
    (step,) = reply["next"]
    assert (step["tool"], step["arguments"]["status"]) == ("set_status", "active")


@each_era
async def test_waiting_ends_when_the_people_are_ready_and_tells_how_far_it_is(
    connect: Connect, moments: list[float]
) -> None:
    told: list[tuple[float, float | None, str | None]] = []

    async def listen(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total, message))
        moments.append(moments[-1] + 60)

    async with connect(run_seconds=60, settings=UNASKED) as client:
        made = await client.call("create_audience", name="New", config=WANTED)
        await client.call("set_status", id=made["id"], status="active")
        moments.append(moments[-1] + 30)
        before = await client.call("get_audience", id=made["id"], waitSeconds=1)
        waiting = {"id": made["id"], "waitSeconds": 100}
        reply = await client.call_tool("get_audience", waiting, progress_callback=listen)
    assert before["summary"] == "'New' is active. The people are still being put together."
    assert "size" not in before
    (step,) = before["next"]
    assert (step["tool"], step["arguments"]["waitSeconds"]) == ("get_audience", 60)
    shown = reply.structured_content
    assert shown is not None
    assert shown["summary"] == (
        f"'New' is active. The people are ready: {made['size']} people, data from 2026-05-04."
    )
    assert shown["size"] == made["size"] == shown["run"]["size"]
    assert [total for _, total, _ in told] == [100, 100]
    assert 0 <= told[0][0] < told[1][0] < 100
    assert told[0][2] == "The people are still being put together."


async def test_what_the_service_hides_or_fails_to_say_is_left_out_and_said(
    start: Start, connect: Connect
) -> None:
    async with connect(profile="catalog", detail_has_config=False) as client:
        reply = await client.call("get_audience", id=(await client.saved())["active"])
    assert reply["warnings"] == ["The service does not show this audience's config."]
    assert not {"config", "topics"} & set(reply)
    sandbox = start(profile="catalog")
    sandbox.faults.add(Fault("status", path="/topics/compare", times=3))
    sandbox.faults.add(Fault("status", path="/runs", status=404, times=None))
    async with connect(sandbox) as client:
        reply = await client.call("get_audience", id=(await client.saved())["active"])
    assert reply["summary"].endswith("is active. The service does not show its runs.")
    assert not {"topics", "run", "runs", "next"} & set(reply)
    assert reply["size"] > 0


@each_profile
async def test_an_earlier_run_is_shown_by_its_date_or_id(profile: str, connect: Connect) -> None:
    async with connect(profile=profile) as client:
        audience = (await client.saved())["active"]
        runs = (await client.call("get_audience", id=audience))["runs"]
        last = dict(zip(runs["columns"], runs["rows"][-1], strict=True))
        day = last["dataDate"]
        shown = await client.call("get_audience", id=audience, date=day, fillRates=True)
        nothing = await client.call("get_audience", id=audience, date="2020-01-01")
        if "runId" in last:
            by_id = await client.call("get_audience", id=audience, runId=last["runId"])
            assert by_id["run"] == shown["run"]
    assert shown["dataDate"] == shown["run"]["dataDate"] == day
    assert shown["size"] == shown["run"]["size"]
    assert shown["fillRates"]["jobTitle"] == 100
    assert 0 < shown["fillRates"]["phones" if profile == "flat" else "phone"] < 100
    assert "It has no people for 2020-01-01." in nothing["summary"]
    assert not {"size", "fillRates"} & set(nothing)


@pytest.mark.parametrize("profile", ["mixed", "catalog", "flat"])
async def test_a_changed_config_makes_the_present_people_outdated_until_the_next_run(
    profile: str, connect: Connect, moments: list[float]
) -> None:
    async with connect(profile=profile, settings=UNASKED) as client:
        audience = (await client.saved())["active"]

        async def shown() -> list[Reply]:
            moments.append(moments[-1] + 60)
            return [
                await client.call("get_audience", id=audience),
                await client.call("query_audience", audienceId=audience, limit=3),
            ]

        renamed = await client.call("update_audience", id=audience, name="Another name")
        assert OUTDATED not in str([renamed, *await shown()])
        changed = await client.call("update_audience", id=audience, config={"minScore": 90})
        said = [OUTDATED in str(reply.get("warnings")) for reply in [changed, *await shown()]]
        # Where people are kept by date, there are none of the new config yet.
        assert said == [profile != "flat"] * 3
        moments.append(moments[-1] + 86_400)
        assert OUTDATED not in str(await shown())


@pytest.mark.parametrize("profile", ["mixed", "flat", "catalog"])
async def test_a_listed_size_from_before_the_last_change_is_named(
    profile: str, connect: Connect, moments: list[float]
) -> None:
    async with connect(profile=profile, settings=UNASKED) as client:
        ids = await client.saved()
        moments.append(moments[-1] + 60)
        await client.call("update_audience", id=ids["active"], name="A")
        one = await client.call("list_audiences", status="active")
        await client.call("update_audience", id=ids["paused"], name="P")
        both = await client.call("list_audiences")
        moments.append(moments[-1] + 86_400)
        refreshed = await client.call("list_audiences", status="active")
    rest = "changed (or only renamed or paused) after the last refresh; see get_audience."
    if profile == "catalog":
        # Its list does not say when audiences were changed.
        assert not {"warnings"} & {*one, *both}
    else:
        assert one["warnings"] == [f"The size of 'A' may be out of date: it was {rest}"]
        said = f"The sizes of 'A' and 'P' may be out of date: they were {rest}"
        assert both["warnings"] == [said]
    assert "warnings" not in refreshed
