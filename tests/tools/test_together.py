"""What one tool answers is what the next one takes."""

from pathlib import Path

import pytest

from leadpipe_mcp.settings import Settings
from tests.tools.assistant import UNASKED, Connect, Reply

pytestmark = pytest.mark.anyio

BRIEFS: list[Reply] = [
    {
        "topics": ["CRM", "marketing automation"],
        "filters": {
            "seniority": ["VPs", "directors"],
            "companyIndustry": ["SaaS"],
            "hasBusinessEmail": True,
        },
    },
    {
        "topics": ["117805"],
        "filters": {"companySize": ["51-200", "mid-market"], "isB2b": "yes"},
        "exclude": {"department": ["legal"], "companyIndustry": ["banks"]},
    },
    {
        "topics": ["CRM", "Payroll"],
        "exclude": {"seniority": ["entry level"], "hasPhone": True},
        "minScore": 60,
        "minTopicOverlap": 2,
    },
    {
        "topics": ["expense management software", "ERP"],
        "filters": {"seniority": ["director or above"], "jobTitle": ["finance"]},
        "exclude": {"seniority": ["owner", "partner"], "ageRange": ["18-24"]},
    },
]
BEYOND_FLAT: Reply = {
    "topics": ["CRM"],
    "filters": {"state": ["CA", "West Coast"], "jobTitle": ["director", "manager"]},
    "exclude": {"jobTitle": ["assistant"], "role.isCeo": True, "companySize": ["1-10"]},
}


@pytest.mark.parametrize("profile", ["mixed", "flat", "catalog"])
async def test_a_planned_config_means_the_same_in_every_tool(
    profile: str, connect: Connect
) -> None:
    # In one conversation, so that the topics are read once.
    async with connect(profile=profile, slots=9, settings=UNASKED) as client:
        for brief in BRIEFS if profile == "flat" else [*BRIEFS, BEYOND_FLAT]:
            plan = await client.call("plan_audience", **brief, depth="size")
            made = await client.call("create_audience", name="Planned", config=plan["config"])
            shown = await client.call("get_audience", id=made["id"])
            preview = await client.call("preview_audience", **shown["config"])
            found = await client.call("query_audience", **preview["config"])
            same = await client.call("update_audience", id=made["id"], config=preview["config"])
            await client.call("set_status", id=made["id"], status="active")
            listed = await client.call("query_audience", audienceId=made["id"])

            assert plan["config"] == made["config"] == shown["config"] == preview["config"]
            assert "already looks like that" in same["summary"]
            sizes = [reply["size"] for reply in (plan, made, preview, found, listed)]
            assert sizes == [plan["size"]] * 5
            assert plan["size"] > 0


async def test_both_services_in_one_conversation(connect: Connect, tmp_path: Path) -> None:
    settings = Settings(sandbox=True, confirm="off", toolsets="all", export_dir=tmp_path)
    async with connect(settings=settings) as client:
        plan = await client.call("plan_audience", topics=["CRM"], filters={"state": ["TX"]})
        wanted = {"name": "Texans", "config": plan["config"], "status": "active"}
        made = await client.call("create_audience", **wanted)
        asked = {"id": made["id"], "format": "linkedin_urls"}
        receipt = await client.call("export_audience", **asked)
        (step,) = receipt["next"]
        listed = await client.call(step["tool"], **step["arguments"])
        shown = await client.call("sonarly_get_audience", id=listed["audience"]["id"])

    assert plan["size"] == made["size"] >= receipt["rows"] > 0
    assert step["tool"] == "sonarly_create_audience"
    assert "own import" in step["why"]
    assert shown["audience"]["name"] == "Texans"
    assert shown["audience"]["size"] == 0
