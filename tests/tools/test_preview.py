"""preview_audience: how many people a config finds, who they are, and what was applied."""

import re

import pytest

from leadpipe_mcp.vocabulary.resolve import USE_EXCLUDE
from tests.faults.service import Fault, Sandbox
from tests.tools.assistant import Assistant, Connect, Reply, Start, changes, each_profile

pytestmark = pytest.mark.anyio

TOPICS = [117805, 117890]


async def test_a_preview_counts_people_and_shows_five_of_them_masked(
    client: Assistant, sandbox: Sandbox
) -> None:
    reply = await client.call("preview_audience", topicIds=TOPICS, filters={"state": "Texas"})
    size = reply["size"]
    assert reply["summary"] == f"{size} people match, data from 2026-05-04."
    assert 5 < size < 100
    assert reply["dataDate"] == "2026-05-04"
    columns = ["name", "jobTitle", "company", "companyIndustry", "score"]
    assert reply["sample"]["columns"] == columns
    rows = reply["sample"]["rows"]
    assert len(rows) == 5
    assert all(re.fullmatch(r"\w+ \w\.", row[0]) for row in rows), "surnames are hidden"
    assert "@" not in str(reply)
    assert re.fullmatch(r"[0-9a-f]{16,64}", reply["configHash"])
    assert reply["next"] == [{"tool": "create_audience", "why": "save this config under a name"}]
    nobody = {"companyName": ["Nobody at all"]}
    reply = await client.call("preview_audience", topicIds=TOPICS, filters=nobody)
    assert reply["summary"] == "Nobody matches, data from 2026-05-04."
    assert reply["size"] == 0
    assert reply["warnings"] == [
        "Nobody matches. Leave a filter out, lower minScore, or take other topics."
    ]
    assert not {"next", "sample", "industries", "countedOver"} & set(reply)
    assert changes(sandbox) == []


async def test_an_end_of_a_range_may_come_as_text(client: Assistant) -> None:
    sizes = [
        (await client.call("preview_audience", topicIds=TOPICS, filters={"companySize": between}))
        for between in ({"min": "51", "max": "200"}, {"min": 51, "max": 200})
    ]
    assert sizes[0] == sizes[1]


async def test_topics_that_cannot_be_looked_up_are_previewed_and_said_to_be_unchecked(
    client: Assistant, sandbox: Sandbox
) -> None:
    sandbox.faults.add(Fault("status", path="/topics", times=None))
    reply = await client.call("preview_audience", topicIds=TOPICS)
    assert reply["warnings"] == [
        "Whether all of these topic ids exist could not be checked just now."
    ]


@each_profile
async def test_the_make_up_says_what_it_is_counted_over(profile: str, connect: Connect) -> None:
    async with connect(profile=profile) as client:
        reply = await client.call("preview_audience", topicIds=TOPICS)
        other = await client.call("preview_audience", topicIds=TOPICS, minScore=20)
    everyone = profile == "catalog"
    assert reply["countedOver"] == ("all" if everyone else "the sample of 25")
    for part in ("industries", "seniorities"):
        counts = list(reply[part].values())
        assert len(counts) == 5
        assert counts == sorted(counts, reverse=True)
        assert 5 <= sum(counts) <= (reply["size"] if everyone else 25)
    assert reply["configHash"] != other["configHash"]
    if everyone:
        assert other["config"]["minScore"] == 50
        assert other["warnings"] == ["The service counts scores from 50, not 20."]


async def test_a_small_audience_is_warned_of_and_one_person_spoken_of_as_one(
    connect: Connect,
) -> None:
    async with connect(people=40) as client:
        sizes = [
            await client.call("preview_audience", topicIds=[topic], minScore=score)
            for topic in TOPICS
            for score in (85, 90, 95)
        ]
    (one, *_) = [reply for reply in sizes if reply["size"] == 1]
    assert one["summary"].startswith("1 person matches, ")
    assert one["warnings"] == ["Only 1 person: small for outreach. Fewer filters bring more."]


UNKNOWN: list[tuple[Reply, str]] = [
    ({"seniority": ["wizard"]}, "'seniority' has no value 'wizard'. seniority takes: entry,"),
    ({"companyIndustry": ["SaaS"]}, "no value 'SaaS'. Nearest: 'software development'."),
    ({"state": ["not Texas"]}, f"'state' has no value 'not Texas'. {USE_EXCLUDE}"),
    ({"jobTitle": ["!intern"]}, "'!intern' carries a sign"),
    ({"companySize": ["60-90"]}, "'companySize' has no value '60-90'. Nearest: '51 to 100'."),
    ({"technologies": ["Salesforce"]}, "No filter knows technologies used"),
    (
        {"company.technologies": ["Salesforce"]},
        "'company.technologies'. There are: companyIndustry",
    ),
]


async def test_what_the_service_cannot_ask_is_refused_before_anything_is_sent(
    client: Assistant, sandbox: Sandbox
) -> None:
    for filters, said in UNKNOWN:
        assert said in await client.refused("preview_audience", topicIds=TOPICS, filters=filters)
    said = await client.refused(
        "preview_audience",
        topicIds=TOPICS,
        filters={"seniority": ["VP", "wizard"], "income": ["high"]},
        exclude={"seniority": ["vice president"], "state": ["Germany"]},
    )
    for problem in (
        "'seniority' has no value 'wizard'.",
        "There is no filter 'income'.",
        "'exclude.state' has no value 'Germany'.",
        "seniority takes: entry, senior, manager, director, vp, c_suite, owner, partner.",
    ):
        assert problem in said, "everything that is wrong is said at once"
    assert [request.path for request in sandbox.requests] == ["/v1/intent/audiences/filters"]


async def test_a_filter_that_the_service_drops_is_an_error(start: Start, connect: Connect) -> None:
    # This service's catalogue has the filter, and its routes ignore a no.
    sandbox = start(false_filter="ignore")
    async with connect(sandbox) as client:
        wanted = {"topicIds": TOPICS, "filters": {"hasPhone": False}}
        said = await client.refused("preview_audience", **wanted)
        assert said.startswith("The service took the config, but does not say that it applied")
        assert "hasPhone" in said
        assert said == await client.refused("create_audience", name="x", config=wanted)
    assert changes(sandbox) == []
