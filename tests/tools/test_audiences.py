"""Saved audiences, listed and shown."""

import pytest
from starlette.responses import JSONResponse

from tests.faults.service import Fault, Sandbox
from tests.tools.assistant import UNASKED, Assistant, Connect, Start, each_era, each_profile

pytestmark = pytest.mark.anyio

WANTED = {"topicIds": [117805]}
COLUMNS = ["id", "name", "status", "size", "refreshed"]


@each_profile
async def test_audiences_are_listed_with_what_other_tools_need(
    profile: str, connect: Connect
) -> None:
    async with connect(profile=profile) as client:
        reply = await client.call("list_audiences")
    assert reply["summary"] == "2 audiences."
    assert reply["audiences"]["columns"] == COLUMNS
    active, paused = reply["audiences"]["rows"]
    assert active[1:3] == ["Marketing Directors at Tech Companies", "active"]
    assert paused[1:3] == ["CRM Buyers in California", "paused"]
    assert active[4] == "2026-05-05"
    assert paused[4] == "2026-05-01"
    assert 0 < active[3] < paused[3] < 3_000
    assert set(reply) == {"summary", "audiences", "sandbox"}


@each_profile
async def test_audiences_are_listed_by_status(profile: str, connect: Connect) -> None:
    async with connect(profile=profile) as client:
        paused = await client.call("list_audiences", status="paused")
        drafts = await client.call("list_audiences", status="draft")
    assert paused["summary"] == "1 paused audience."
    assert [row[1] for row in paused["audiences"]["rows"]] == ["CRM Buyers in California"]
    assert drafts == {"summary": "0 draft audiences.", "sandbox": True}


async def test_audiences_are_found_by_words_of_their_name(client: Assistant) -> None:
    reply = await client.call("list_audiences", nameContains="BUYERS in")
    assert reply["summary"] == "1 audience with 'buyers in' in the name."
    assert [row[1] for row in reply["audiences"]["rows"]] == ["CRM Buyers in California"]
    reply = await client.call("list_audiences", nameContains="nobody", status="active")
    assert reply == {"summary": "0 active audiences with 'nobody' in the name.", "sandbox": True}


async def test_a_list_that_is_cut_says_so(client: Assistant) -> None:
    reply = await client.call("list_audiences", limit=1)
    assert len(reply["audiences"]["rows"]) == 1
    assert reply["warnings"] == ["There may be more than the first 1; raise limit to see them."]
    reply = await client.call("list_audiences", limit=1, nameContains="a")
    assert reply["summary"] == "2 audiences with 'a' in the name."
    assert reply["warnings"] == ["1 more not shown; raise limit to see them."]


async def test_names_are_looked_for_among_the_first_hundred(connect: Connect) -> None:
    async with connect(profile="flat", examples=False) as client:
        for number in range(101):
            await client.call_tool("create_audience", {"name": f"n{number}", "config": WANTED})
        reply = await client.call("list_audiences", nameContains="n7", limit=100)
    assert reply["summary"] == "11 audiences with 'n7' in the name."
    assert reply["warnings"] == ["There may be more than the first 100."]


async def test_the_size_of_an_audience_that_was_never_run_is_not_known(client: Assistant) -> None:
    await client.call("create_audience", name="New", config=WANTED)
    reply = await client.call("list_audiences", status="draft")
    (row,) = reply["audiences"]["rows"]
    assert row[1:] == ["New", "draft", "", ""]


async def test_what_no_reader_sees_is_not_in_a_name(client: Assistant) -> None:
    made = await client.call("create_audience", name="a\u202eb\u200b\U000e0041", config=WANTED)
    assert (made["name"], made["summary"][:4]) == ("ab", "'ab'")
    listed = await client.call("list_audiences", status="draft")
    assert listed["audiences"]["rows"][0][1] == "ab"
    shown = await client.call("get_audience", id=made["id"])
    assert shown["name"] == "ab"


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
    filters = reply["config"]["filters"]
    assert "director" in filters["seniority"]
    assert reply["config"]["topicIds"] == [117805, 117890, 117918]
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
    assert reply["next"] == [
        {"tool": "query_audience", "arguments": {"audienceId": audience}, "why": "see the people"}
    ]
    assert "warnings" not in reply


@each_profile
async def test_a_draft_is_shown_without_people(profile: str, connect: Connect) -> None:
    async with connect(profile=profile) as client:
        made = await client.call("create_audience", name="New", config=WANTED)
        reply = await client.call("get_audience", id=made["id"])
    assert reply["summary"] == "'New' is a draft. The people have not been put together yet."
    assert reply["run"] == {"state": "none"}
    assert not {"size", "runs", "dataDate", "lastRefreshedAt"} & set(reply)
    (step,) = reply["next"]
    assert (step["tool"], step["arguments"]["status"]) == ("set_status", "active")


async def test_a_run_that_is_being_built_is_told_with_the_way_to_wait(
    connect: Connect, moments: list[float]
) -> None:
    async with connect(run_seconds=60, settings=UNASKED) as client:
        made = await client.call("create_audience", name="New", config=WANTED)
        await client.call("set_status", id=made["id"], status="active")
        moments.append(moments[-1] + 30)
        reply = await client.call("get_audience", id=made["id"])
    assert reply["summary"] == "'New' is active. The people are still being put together."
    assert reply["run"]["state"] == "running"
    assert reply["runs"]["rows"][0][1:] == ["running", "2026-05-04", ""]
    assert "size" not in reply
    assert reply["next"] == [
        {
            "tool": "get_audience",
            "arguments": {"id": made["id"], "waitSeconds": 60},
            "why": "wait until its people are ready",
        }
    ]


@each_profile
@each_era
async def test_waiting_ends_when_the_people_are_ready_and_tells_how_far_it_is(
    profile: str, connect: Connect, moments: list[float]
) -> None:
    told: list[tuple[float, float | None, str | None]] = []

    async def listen(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total, message))
        moments.append(moments[-1] + 60)

    async with connect(profile=profile, run_seconds=60, settings=UNASKED) as client:
        made = await client.call("create_audience", name="New", config=WANTED)
        await client.call("set_status", id=made["id"], status="active")
        waiting = {"id": made["id"], "waitSeconds": 100}
        reply = await client.call_tool("get_audience", waiting, progress_callback=listen)
    shown = reply.structured_content
    assert shown is not None
    assert shown["summary"] == (
        f"'New' is active. The people are ready: {made['size']} people, data from 2026-05-04."
    )
    assert shown["size"] == made["size"] == shown["run"]["size"]
    assert shown["lastRefreshedAt"].startswith("2026-05-05")
    assert [total for _, total, _ in told] == [100, 100]
    assert 0 <= told[0][0] < told[1][0] < 100
    assert told[0][2] == "The people are still being put together."
    assert (told[1][2] or "").startswith("The people are ready")


async def test_waiting_ends_when_the_seconds_are_over(connect: Connect) -> None:
    # Takes the second that it waits.
    async with connect(run_seconds=60, settings=UNASKED) as client:
        made = await client.call("create_audience", name="New", config=WANTED)
        await client.call("set_status", id=made["id"], status="active")
        reply = await client.call("get_audience", id=made["id"], waitSeconds=1)
    assert reply["run"]["state"] == "queued"
    assert reply["next"][0]["arguments"] == {"id": made["id"], "waitSeconds": 60}


@each_profile
async def test_a_failed_run_is_called_so(profile: str, connect: Connect) -> None:
    async with connect(profile=profile, runs_fail=True, settings=UNASKED) as client:
        made = await client.call("create_audience", name="New", config=WANTED)
        await client.call("set_status", id=made["id"], status="active")
        reply = await client.call("get_audience", id=made["id"])
    assert reply["summary"] == "'New' is active. The last run failed."
    assert reply["run"] == {**reply["run"], "state": "failed"}
    assert "size" not in reply["run"]


async def test_a_config_that_the_service_hides_is_said_to_be_hidden(connect: Connect) -> None:
    async with connect(profile="catalog", detail_has_config=False) as client:
        reply = await client.call("get_audience", id=(await client.saved())["active"])
    assert reply["warnings"] == ["The service does not show this audience's config."]
    assert not {"config", "topics"} & set(reply)


async def test_topic_names_that_cannot_be_had_are_left_out(start: Start, connect: Connect) -> None:
    sandbox = start(profile="catalog")
    sandbox.faults.add(Fault("status", path="/topics/compare", times=3))
    async with connect(sandbox) as client:
        reply = await client.call("get_audience", id=(await client.saved())["active"])
        assert "topics" not in reply
        reply = await client.call("get_audience", id=reply["id"])
    assert len(reply["topics"]) == 3


async def test_runs_that_the_service_does_not_show_are_said_to_be_hidden(
    client: Assistant, sandbox: Sandbox
) -> None:
    audience = (await client.saved())["active"]
    sandbox.faults.add(Fault("status", path="/runs", status=404, times=None))
    reply = await client.call("get_audience", id=audience)
    assert reply["summary"] == (
        "'Marketing Directors at Tech Companies' is active. The service does not show its runs."
    )
    assert not {"run", "runs", "next"} & set(reply)
    assert reply["size"] > 0


async def test_an_audience_that_does_not_exist_is_refused(client: Assistant) -> None:
    said = await client.refused("get_audience", id="6fb81599-f601-4afe-b3ff-e8a211cae27d")
    assert said == (
        "The service refused with status 404: Audience not found."
        " Check the id; list_audiences shows those that exist. If the id is right, check"
        " LEADPIPE_BASE_URL."
    )


@each_profile
async def test_an_earlier_run_is_shown_by_its_date(profile: str, connect: Connect) -> None:
    async with connect(profile=profile) as client:
        audience = (await client.saved())["active"]
        runs = (await client.call("get_audience", id=audience))["runs"]
        day = runs["rows"][-1][runs["columns"].index("dataDate")]

        shown = await client.call("get_audience", id=audience, date=day, fillRates=True)
        nothing = await client.call("get_audience", id=audience, date="2020-01-01")

    assert shown["dataDate"] == shown["run"]["dataDate"] == day
    assert shown["size"] == shown["run"]["size"]
    assert shown["fillRates"]["jobTitle"] == 100
    assert 0 < shown["fillRates"]["phones" if profile == "flat" else "phone"] < 100
    assert "It has no people for 2020-01-01." in nothing["summary"]
    assert "size" not in nothing
    assert "fillRates" not in nothing


async def test_an_earlier_run_is_shown_by_its_id(connect: Connect) -> None:
    async with connect() as client:
        audience = (await client.saved())["active"]
        row = (await client.call("get_audience", id=audience))["runs"]["rows"][-1]

        shown = await client.call("get_audience", id=audience, runId=row[0])
        both = await client.refused("get_audience", id=audience, runId=row[0], date=row[2])
        waiting = await client.refused("get_audience", id=audience, date=row[2], waitSeconds=5)

    assert shown["run"]["id"] == row[0]
    assert "not both" in both
    assert "waitSeconds waits for the newest run" in waiting


async def test_an_audience_that_cannot_be_read_is_left_out_and_said(connect: Connect) -> None:
    good = {"id": "a", "name": "VPs", "status": "draft", "audienceSize": "1,480"}
    service = JSONResponse({"data": [good, {**good, "id": None}]})
    async with connect(service) as client:
        reply = await client.call("list_audiences")
    assert reply["summary"] == "1 audience."
    assert reply["warnings"] == ["1 of 2 audiences could not be read and is left out."]
