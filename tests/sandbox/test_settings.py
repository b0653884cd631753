from collections.abc import Callable
from typing import Any, Literal

import httpx
import pytest

from leadpipe_mcp.sandbox import SandboxSettings
from leadpipe_mcp.sandbox.settings import Profile
from tests.faults.service import Sandbox

pytestmark = pytest.mark.anyio
Start = Callable[[SandboxSettings], Sandbox]
Connect = Callable[..., httpx.AsyncClient]
AUDIENCES = "/v1/intent/audiences"
VALIDATE = f"{AUDIENCES}/validate"
PREVIEW = f"{AUDIENCES}/preview"
CONFIG: dict[str, Any] = {"topicIds": [117805], "minScore": 60}
FREEING = SandboxSettings(slots=1, examples=False)
KEEPING = SandboxSettings(slots=1, examples=False, deletion_frees_slot=False)
FULL = {"error": {"code": "SLOTS_FULL", "message": "All audience slots are in use"}}


@pytest.fixture
def play(start: Start, connect: Connect) -> Callable[[SandboxSettings], httpx.AsyncClient]:
    return lambda settings: connect(start(settings))


Play = Callable[[SandboxSettings], httpx.AsyncClient]


async def create(client: httpx.AsyncClient, **body: object) -> httpx.Response:
    return await client.post(AUDIENCES, json={"name": "Buyers", "config": CONFIG, **body})


async def active(client: httpx.AsyncClient) -> str:
    return (await create(client, status="active")).json()["data"]["id"]


async def test_full_slots_refuse_activation(play: Play) -> None:
    client = play(SandboxSettings(slots=2))
    first = await active(client)
    response = await create(client, status="active")
    assert (response.status_code, response.json()) == (403, FULL)
    draft = (await create(client)).json()["data"]["id"]
    change = {"status": "active", "name": "Renamed"}
    response = await client.patch(f"{AUDIENCES}/{draft}", json=change)
    assert (response.status_code, response.json()) == (403, FULL)
    read = (await client.get(f"{AUDIENCES}/{draft}")).json()["data"]
    assert (read["status"], read["name"]) == ("draft", "Buyers")
    response = await client.patch(f"{AUDIENCES}/{first}", json={"status": "active"})
    assert response.status_code == 200
    await client.patch(f"{AUDIENCES}/{first}", json={"status": "paused"})
    response = await client.patch(f"{AUDIENCES}/{draft}", json={"status": "active"})
    assert response.status_code == 200


@pytest.mark.parametrize(("settings", "status"), [(FREEING, 201), (KEEPING, 403)])
async def test_deletion_frees_a_slot_or_not(
    settings: SandboxSettings, status: int, play: Play
) -> None:
    client = play(settings)
    await client.delete(f"{AUDIENCES}/{await active(client)}")
    assert (await create(client, status="active")).status_code == status
    slots = (await client.get("/v1/data/account")).json()["data"]["audienceSlots"]
    assert slots == {"used": 1, "limit": 1, "remaining": 0}


async def test_without_slots_there_are_no_examples(play: Play) -> None:
    client = play(SandboxSettings(slots=0))
    assert (await client.get(AUDIENCES)).json()["data"] == []


@pytest.mark.parametrize("profile", ["flat", "catalog", "mixed"])
async def test_the_examples_are_in_the_profile_s_own_words(profile: Profile, play: Play) -> None:
    client = play(SandboxSettings(profile=profile, unknown_filters="reject"))
    for audience in (await client.get(AUDIENCES)).json()["data"]:
        assert audience["audienceSize"] > 0
        read = (await client.get(f"{AUDIENCES}/{audience['id']}")).json()["data"]
        assert len(read["config"]["filters"]) >= 1


async def test_the_examples_do_without_a_twin_for_states(play: Play) -> None:
    client = play(SandboxSettings(profile="catalog", catalog_twins={}))
    paused = (await client.get(AUDIENCES, params={"status": "paused"})).json()["data"][0]
    read = (await client.get(f"{AUDIENCES}/{paused['id']}")).json()["data"]
    assert read["config"]["filters"] == {}


async def test_a_detail_can_hide_its_config(play: Play) -> None:
    client = play(SandboxSettings(profile="catalog", detail_has_config=False))
    created = (await create(client)).json()["data"]
    read = (await client.get(f"{AUDIENCES}/{created['id']}")).json()["data"]
    assert "config" not in read


async def test_activation_can_wait_for_the_next_day(play: Play, moments: list[float]) -> None:
    client = play(SandboxSettings(activation_starts_run=False, examples=False))
    path = f"{AUDIENCES}/{await active(client)}/runs"
    assert (await client.get(path)).json()["data"] == []
    moments.append(moments[-1] + 86_400)
    assert len((await client.get(path)).json()["data"]) == 1


@pytest.mark.parametrize(("mode", "score"), [("replace", None), ("merge", 60)])
async def test_a_config_in_a_patch_replaces_or_merges(
    mode: Literal["replace", "merge"], score: int | None, play: Play
) -> None:
    client = play(SandboxSettings(config_patch=mode))
    created = (await create(client)).json()["data"]
    path = f"{AUDIENCES}/{created['id']}"
    changed = (await client.patch(path, json={"config": {"topicIds": [117890]}})).json()["data"]
    assert changed["config"]["topicIds"] == [117890]
    assert changed["config"].get("minScore") == score
    response = await client.patch(path, json={"config": {"minScore": 70}})
    assert response.status_code == 400


@pytest.mark.parametrize(("choice", "status"), [("accept", 200), ("reject", 400)])
async def test_an_empty_patch_and_a_way_back_to_draft(
    choice: Literal["accept", "reject"], status: int, play: Play
) -> None:
    client = play(SandboxSettings(empty_patch=choice, back_to_draft=choice))
    path = f"{AUDIENCES}/{await active(client)}"
    assert (await client.patch(path, json={})).status_code == status
    assert (await client.patch(path, json={"status": "draft"})).status_code == status
    assert (await client.patch(path, json={"status": "paused"})).status_code == 200
    assert (await client.patch(path, json={"status": "gone"})).status_code == 400


async def test_unknown_filters_are_ignored_visibly_or_refused(play: Play) -> None:
    body = {**CONFIG, "filters": {"company.age": {"values": ["old"]}, "role.isVp": True}}
    data = (await play(SandboxSettings()).post(PREVIEW, json=body)).json()["data"]
    assert data["appliedFilters"] == ["role.isVp"]
    response = await play(SandboxSettings(unknown_filters="reject")).post(PREVIEW, json=body)
    assert response.status_code == 400
    assert "company.age" in response.json()["error"]["message"]


@pytest.mark.parametrize(
    ("profile", "foreign"),
    [("flat", {"role.isVp": True}), ("catalog", {"seniority": ["vp"]})],
)
async def test_the_other_generation_s_filters_are_unknown(
    profile: Profile, foreign: dict[str, object], play: Play
) -> None:
    client = play(SandboxSettings(profile=profile))
    sizes = [
        (await client.post(PREVIEW, json={**CONFIG, "filters": filters})).json()["data"]
        for filters in ({}, foreign)
    ]
    assert sizes[0]["totalCount"] == sizes[1]["totalCount"]
    client = play(SandboxSettings(profile=profile, unknown_filters="reject"))
    response = await client.post(PREVIEW, json={**CONFIG, "filters": foreign})
    assert response.status_code == 400


async def test_unknown_topics_are_ignored_or_refused(play: Play) -> None:
    body = {"topicIds": [117805, 5]}
    assert (await play(SandboxSettings()).post(VALIDATE, json=body)).status_code == 200
    response = await play(SandboxSettings(unknown_topics="reject")).post(VALIDATE, json=body)
    assert response.status_code == 400
    assert "Unknown topic 5" in response.json()["error"]["message"]


@pytest.mark.parametrize("change", [{"minScore": 90, "maxScore": 80}, {"minTopicOverlap": 2}])
async def test_an_impossible_config_finds_nobody_or_is_refused(
    change: dict[str, int], play: Play
) -> None:
    body = {**CONFIG, **change}
    data = (await play(SandboxSettings()).post(PREVIEW, json=body)).json()["data"]
    assert (data["totalCount"], data["sample"]) == (0, [])
    client = play(SandboxSettings(impossible_config="reject"))
    assert (await client.post(PREVIEW, json=body)).status_code == 400


async def test_a_bad_config_is_reported_in_three_ways(play: Play) -> None:
    body: dict[str, object] = {"topicIds": [], "maxScore": 0}
    response = await play(SandboxSettings(validation_code="BAD")).post(VALIDATE, json=body)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "BAD"
    client = play(SandboxSettings(invalid_config="valid_false"))
    data = (await client.post(VALIDATE, json=body)).json()["data"]
    assert data["valid"] is False
    assert [issue["path"] for issue in data["issues"]] == ["topicIds", "maxScore"]
    assert (await client.post(PREVIEW, json=body)).status_code == 400
    response = await play(SandboxSettings(invalid_config="zod")).post(VALIDATE, json=body)
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (400, "ZodError")
    assert [issue["path"] for issue in error["issues"]] == [["topicIds"], ["maxScore"]]


async def test_false_asks_for_those_without_or_for_nothing(play: Play) -> None:
    filters = {"contact.hasPhone": False, "company.isB2b": False}
    body = {**CONFIG, "filters": filters}
    data = (await play(SandboxSettings()).post(PREVIEW, json=body)).json()["data"]
    assert data["appliedFilters"] == ["contact.hasPhone", "company.isB2b"]
    client = play(SandboxSettings(false_filter="ignore"))
    lax = (await client.post(PREVIEW, json=body)).json()["data"]
    assert lax["appliedFilters"] == ["company.isB2b"]
    assert lax["totalCount"] > data["totalCount"]


async def test_values_are_found_in_any_case_or_their_own(play: Play) -> None:
    body = {**CONFIG, "filters": {"companyIndustry": ["Software Development"]}}
    data = (await play(SandboxSettings()).post(PREVIEW, json=body)).json()["data"]
    assert data["totalCount"] == 0
    client = play(SandboxSettings(values_ignore_case=True))
    assert (await client.post(PREVIEW, json=body)).json()["data"]["totalCount"] > 0


async def test_the_default_score_is_a_setting(play: Play) -> None:
    body = {"topicIds": [117805]}
    totals = [
        (await play(settings).post(PREVIEW, json=body)).json()["data"]["totalCount"]
        for settings in (
            SandboxSettings(),
            SandboxSettings(default_min_score=50),
            SandboxSettings(profile="flat", default_min_score=0),
        )
    ]
    assert totals[0] < totals[1] == totals[2] < 50_000


async def test_previews_can_be_short_and_unmasked(play: Play) -> None:
    client = play(SandboxSettings(sample_rows=3, preview_masked=False))
    sample = (await client.post(PREVIEW, json=CONFIG)).json()["data"]["sample"]
    assert len(sample) == 3
    assert not any(row["lastName"].endswith(".") for row in sample)


async def test_answers_can_come_without_meta(play: Play) -> None:
    client = play(SandboxSettings(trace_meta=False))
    assert set((await client.get(AUDIENCES)).json()) == {"data"}


async def test_cancelling_too_late_can_have_another_status(play: Play) -> None:
    client = play(SandboxSettings(run_seconds=0, cancel_conflict_status=422, examples=False))
    path = f"{AUDIENCES}/{await active(client)}/runs"
    run = (await client.get(path)).json()["data"][0]
    assert (await client.delete(f"{path}/{run['id']}")).status_code == 422


async def test_the_separator_of_flat_fields_is_a_setting(play: Play) -> None:
    client = play(SandboxSettings(run_seconds=0, separator="|"))
    body = {**CONFIG, "limit": 100}
    rows = (await client.post(f"{AUDIENCES}/query", json=body)).json()["data"]
    assert any("|" in row["emails"] for row in rows)
    assert not any(", " in row["emails"] for row in rows)
