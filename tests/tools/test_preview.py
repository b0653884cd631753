"""preview_audience: how many people a config finds, who they are, and what was applied."""

import re
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from mcp import Client

from leadpipe_mcp.sandbox import Fault, Sandbox

pytestmark = pytest.mark.anyio
Reply = dict[str, Any]
Start = Callable[..., Sandbox]
Connect = Callable[..., AbstractAsyncContextManager[Client]]
Call = Callable[..., Awaitable[Reply]]
Refused = Callable[..., Awaitable[str]]
Changes = Callable[[Sandbox], list[str]]

each_profile = pytest.mark.parametrize(
    ("profile", "era"),
    [("mixed", "auto"), ("mixed", "legacy"), ("flat", "legacy"), ("catalog", "auto")],
)
TOPICS = [117805, 117890]
SAMPLE_COLUMNS = ["name", "jobTitle", "company", "companyIndustry", "score"]


@pytest.fixture
def era() -> str:
    """Where no profile is named, one is enough; `each_profile` speaks both."""
    return "auto"


@each_profile
async def test_a_preview_counts_people_and_shows_five_of_them_masked(
    profile: str, start: Start, connect: Connect, call: Call, changes: Changes
) -> None:
    sandbox = start(profile=profile)
    async with connect(sandbox) as client:
        reply = await call(client, "preview_audience", topicIds=TOPICS, filters={"state": "Texas"})
    size = reply["size"]
    assert reply["summary"] == f"{size} people match, data of 2026-05-04."
    assert 5 < size < 100
    assert reply["dataDate"] == "2026-05-04"
    assert reply["sample"]["columns"] == SAMPLE_COLUMNS
    rows = reply["sample"]["rows"]
    assert len(rows) == 5
    assert all(re.fullmatch(r"\w+ \w\.", row[0]) for row in rows), "surnames are hidden"
    assert [row[-1] for row in rows] == sorted((row[-1] for row in rows), reverse=True)
    assert "@" not in str(reply)
    assert re.fullmatch(r"[0-9a-f]{16,64}", reply["configHash"])
    assert reply["next"] == [{"tool": "create_audience", "why": "save this config under a name"}]
    assert changes(sandbox) == []


@each_profile
async def test_a_preview_shows_the_config_as_it_was_applied(
    profile: str, start: Start, connect: Connect, call: Call
) -> None:
    wanted = {
        "topicIds": TOPICS,
        "minScore": 60,
        "maxScore": 95,
        "minTopicOverlap": 2,
        "sourceUrl": "https://acme.example/crm",
    }
    async with connect(start(profile=profile)) as client:
        filters = {"seniority": ["C-Suite"], "isB2b": "Yes"}
        reply = await call(client, "preview_audience", **wanted, filters=filters)
        again = await call(client, "preview_audience", **reply["config"])
    applied = reply["config"].pop("filters")
    assert reply["config"] == wanted
    if profile == "flat":
        assert applied == {"seniority": ["cxo"], "isB2b": "y"}
    else:
        assert applied == {"role.seniority": {"values": ["c_suite"]}, "company.isB2b": True}
    assert again["size"] == reply["size"]
    assert again["configHash"] == reply["configHash"]


@pytest.mark.parametrize("profile", ["mixed", "catalog"])
async def test_the_make_up_is_of_everybody_where_the_service_counts_it(
    profile: str, start: Start, connect: Connect, call: Call
) -> None:
    async with connect(start(profile=profile)) as client:
        reply = await call(client, "preview_audience", topicIds=TOPICS)
    assert reply["makeUpOf"] == "all"
    for part in ("industries", "seniorities"):
        counts = list(reply[part].values())
        assert len(counts) == 5
        assert counts == sorted(counts, reverse=True)
        assert sum(counts) <= reply["size"]
    assert sum(reply["seniorities"].values()) > reply["size"] / 2


async def test_the_make_up_is_of_the_sample_where_the_service_counts_none(
    start: Start, connect: Connect, call: Call
) -> None:
    async with connect(start(profile="flat")) as client:
        reply = await call(client, "preview_audience", topicIds=TOPICS)
    assert reply["makeUpOf"] == "the sample of 25"
    assert 5 <= sum(reply["seniorities"].values()) <= 25


async def test_two_configs_that_differ_have_two_hashes(
    start: Start, connect: Connect, call: Call
) -> None:
    async with connect(start(profile="flat")) as client:
        one = await call(client, "preview_audience", topicIds=TOPICS)
        other = await call(client, "preview_audience", topicIds=TOPICS, minScore=71)
    assert one["configHash"] != other["configHash"]


@each_profile
async def test_nobody_is_said_to_be_nobody(
    profile: str, start: Start, connect: Connect, call: Call
) -> None:
    async with connect(start(profile=profile)) as client:
        reply = await call(client, "preview_audience", topicIds=[999_999])
    assert reply["summary"] == "0 people match, data of 2026-05-04."
    assert reply["size"] == 0
    assert reply["warnings"] == [
        "Nobody matches. Leave a filter out, lower minScore, or take other topics."
    ]
    assert not {"next", "sample", "industries", "makeUpOf"} & set(reply)


async def test_a_small_audience_is_warned_of(start: Start, connect: Connect, call: Call) -> None:
    filters = {"state": "Texas", "seniority": ["vp"]}
    async with connect(start()) as client:
        reply = await call(client, "preview_audience", topicIds=TOPICS, filters=filters)
    size = reply["size"]
    assert 1 < size < 100
    assert reply["warnings"] == [
        f"Only {size} people: small for outreach. Fewer filters bring more."
    ]


async def test_one_person_is_spoken_of_as_one(start: Start, connect: Connect, call: Call) -> None:
    async with connect(start(people=40)) as client:
        sizes = [
            await call(client, "preview_audience", topicIds=[topic], minScore=score)
            for topic in TOPICS
            for score in (85, 90, 95)
        ]
    (one, *_) = [reply for reply in sizes if reply["size"] == 1]
    assert one["summary"].startswith("1 person matches, ")
    assert one["warnings"] == ["Only 1 person: small for outreach. Fewer filters bring more."]


@pytest.mark.parametrize("profile", ["mixed", "catalog"])
async def test_a_score_that_the_service_raises_is_noted(
    profile: str, start: Start, connect: Connect, call: Call
) -> None:
    async with connect(start(profile=profile)) as client:
        reply = await call(client, "preview_audience", topicIds=TOPICS, minScore=20)
    assert reply["config"]["minScore"] == 50
    assert reply["warnings"] == ["The service counts scores from 50, not 20."]


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        (
            {"seniority": ["vice president"]},
            "'seniority' has no value 'vice president'. It has 8 values, such as",
        ),
        (
            {"companyIndustry": ["Softwear Development"]},
            "'companyIndustry' has no value 'Softwear Development'. Nearest: 'software",
        ),
        (
            {"role.senority": ["vp"]},
            "There is no filter 'role.senority'. Did you mean 'role.seniority'",
        ),
        (
            {"seniority": ["vp"], "role.seniority": ["director"]},
            "'seniority', 'role.seniority' are one and the same filter. Name it once.",
        ),
    ],
)
async def test_a_filter_that_the_service_does_not_have_is_refused_with_the_nearest(
    client: Client, refused: Refused, sandbox: Sandbox, filters: Reply, said: str
) -> None:
    assert said in await refused(client, "preview_audience", topicIds=TOPICS, filters=filters)
    assert [request.path for request in sandbox.requests] == ["/v1/intent/audiences/filters"]


async def test_ten_topics_are_the_most_where_the_service_takes_ten(
    start: Start, connect: Connect, refused: Refused
) -> None:
    async with connect(start(profile="flat")) as client:
        said = await refused(client, "preview_audience", topicIds=[*range(1, 12)])
    assert said == (
        "The service takes at most 10 topics here, and 11 were named."
        " Leave some out, or make two audiences."
    )


async def test_a_filter_that_the_service_drops_is_an_error(
    start: Start, connect: Connect, refused: Refused, changes: Changes
) -> None:
    # This service's catalogue has the filter, and its routes ignore a no.
    sandbox = start(false_filter="ignore")
    async with connect(sandbox) as client:
        wanted = {"topicIds": TOPICS, "filters": {"hasPhone": False}}
        said = await refused(client, "preview_audience", **wanted)
        assert said.startswith("The service took the config, but does not say that it applied")
        assert "contact.hasPhone" in said
        assert said == await refused(client, "create_audience", name="x", config=wanted)
    assert changes(sandbox) == []


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (
            Fault("status", status=401, message="Invalid API key sk_live_1"),
            "The service refused with status 401: Invalid API key [key]. LEADPIPE_API_KEY must",
        ),
        (
            Fault("status", status=429, message="Slow down", retry_after=70, times=3),
            "The service refused with status 429: Slow down. Try again in 70 seconds.",
        ),
        (
            Fault("status", status=503, message="mail ops@acme.example", times=3),
            "The service failed with status 503: mail [email]. The fault is on the service's side.",
        ),
        (
            Fault("html", status=502, times=3),
            "The service failed with status 502. The fault is on the",
        ),
        (
            Fault("malformed", times=3),
            "The service answered with status 200, but the answer is not",
        ),
        (Fault("empty", times=3), "The service answered with status 200, but the answer is empty."),
        (Fault("wrong_shape"), "The service answered with status 200, but its list of filters"),
        (
            Fault("reset", times=3),
            "The connection to the service was lost before its answer was complete.",
        ),
    ],
)
async def test_what_goes_wrong_at_the_service_is_said_with_what_to_do(
    client: Client, refused: Refused, sandbox: Sandbox, fault: Fault, said: str
) -> None:
    sandbox.faults.add(fault)
    assert (await refused(client, "preview_audience", topicIds=TOPICS)).startswith(said)
