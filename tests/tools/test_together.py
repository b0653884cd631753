"""What one tool answers is what the next one takes."""

import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from leadpipe_mcp.sandbox import Sandbox
from leadpipe_mcp.settings import Settings

pytestmark = pytest.mark.anyio
Reply = dict[str, Any]
Call = Callable[..., Awaitable[Reply]]
Connect = Callable[..., AbstractAsyncContextManager[Client]]

SAID = "directors and VPs of marketing at software companies, business email, over 50 employees"


@pytest.mark.parametrize("profile", ["mixed", "flat", "catalog"])
async def test_from_a_sentence_to_people(
    profile: str, start: Callable[..., Sandbox], connect: Connect, call: Call
) -> None:
    settings = Settings(sandbox=True, confirm="off")
    async with connect(start(profile=profile, people=20_000), settings=settings) as client:
        found = await call(
            client, "search_topics", queries=["marketing roi", "markting automation"]
        )
        topics = [row[0] for row in found["topics"]["rows"][:4]]
        wanted = await call(client, "find_filters", about=SAID)
        preview = await call(
            client,
            "preview_audience",
            topicIds=topics,
            filters=wanted["filters"],
            sourceUrl="https://acme.example/roi",
        )
        config = preview["config"]
        people = await call(client, "query_audience", **config, limit=5)
        created = await call(client, "create_audience", name="Leaders", config=config)
        active = await call(client, "set_status", id=created["id"], status="active")
        shown = await call(client, "query_audience", audienceId=created["id"], limit=5)

    assert 117890 in topics
    assert "notUnderstood" not in wanted
    assert preview["size"] == people["size"] == created["size"] == active["size"] == shown["size"]
    assert preview["size"] > 5


async def test_topics_need_no_key(sandbox: Sandbox, connect: Connect, call: Call) -> None:
    async with connect(sandbox, settings=Settings()) as client:
        found = await call(client, "search_topics", queries=["crm"])
        await call(client, "compare_topics", topicIds=[117805])
        await call(client, "get_topic_movers")
        await call(client, "analyze_website_topics", url="https://acme.com")

    assert found["topics"]["rows"]
    assert all("X-API-Key" not in request.headers for request in sandbox.requests)


async def test_no_log_shows_whose_visits_were_asked_for(
    connect: Connect,
    call: Call,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    settings = Settings(sandbox=True, toolsets="all", log_level="DEBUG")

    async with connect(settings=settings) as client:
        await call(client, "query_visitor_data", email="canary@visitor.example")

    assert "canary" not in caplog.text


async def test_both_services_in_one_conversation(
    start: Callable[..., Sandbox], connect: Connect, call: Call, tmp_path: Path
) -> None:
    settings = Settings(sandbox=True, confirm="off", toolsets="all", export_dir=tmp_path)
    async with connect(start(people=20_000), settings=settings) as client:
        plan = await call(client, "plan_audience", topics=["CRM"], filters="directors in Texas")
        wanted = {"name": "Texans", "config": plan["config"], "status": "active"}
        made = await call(client, "create_audience", **wanted)
        asked = {"id": made["id"], "format": "linkedin_urls"}
        receipt = await call(client, "export_audience", **asked)
        (step,) = receipt["next"]
        listed = await call(client, step["tool"], **step["arguments"])
        shown = await call(client, "sonarly_get_audience", id=listed["audience"]["id"])

    assert plan["size"] == made["size"] >= receipt["rows"] > 0
    assert step["tool"] == "sonarly_create_audience"
    assert "own import" in step["why"]
    assert shown["audience"]["name"] == "Texans"
    assert shown["audience"]["size"] == 0


async def test_without_sonarlys_tools_the_export_names_its_import_alone(
    start: Callable[..., Sandbox], connect: Connect, call: Call, tmp_path: Path
) -> None:
    settings = Settings(sandbox=True, confirm="off", export_dir=tmp_path)
    async with connect(start(people=20_000), settings=settings) as client:
        wanted = {"topicIds": [117805]}
        made = await call(client, "create_audience", name="Leaders", config=wanted, status="active")
        receipt = await call(client, "export_audience", id=made["id"], format="linkedin_urls")

    assert "next" not in receipt
    assert "Sonarly's own import, which takes 1,000 profiles at a time" in receipt["summary"]
