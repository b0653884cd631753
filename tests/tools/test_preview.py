"""preview_audience: how many people a config finds, who they are, and what was applied."""

import re

import pytest

from leadpipe_mcp.vocabulary.resolve import USE_EXCLUDE
from tests.faults.service import Fault, Sandbox
from tests.tools.assistant import Assistant, Connect, Reply, Start, changes, each_profile

pytestmark = pytest.mark.anyio

TOPICS = [117805, 117890]
SAMPLE_COLUMNS = ["name", "jobTitle", "company", "companyIndustry", "score"]


@each_profile
async def test_a_preview_counts_people_and_shows_five_of_them_masked(
    profile: str, start: Start, connect: Connect
) -> None:
    sandbox = start(profile=profile)
    async with connect(sandbox) as client:
        reply = await client.call("preview_audience", topicIds=TOPICS, filters={"state": "Texas"})
    size = reply["size"]
    assert reply["summary"] == f"{size} people match, data from 2026-05-04."
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
async def test_a_preview_shows_the_config_as_it_was_applied(profile: str, connect: Connect) -> None:
    wanted = {
        "topicIds": TOPICS,
        "minScore": 60,
        "maxScore": 95,
        "minTopicOverlap": 2,
        "sourceUrl": "https://acme.example/crm",
    }
    filters = {"seniority": ["C-Suite"], "isB2b": "Yes", "jobTitle": "chief"}
    exclude = {"department": ["HR"], "hasPhone": True}
    async with connect(profile=profile) as client:
        reply = await client.call("preview_audience", **wanted, filters=filters, exclude=exclude)
        again = await client.call("preview_audience", **reply["config"])
    assert reply["config"] == {
        **wanted,
        "filters": {
            "seniority": ["cxo" if profile == "flat" else "c_suite"],
            "isB2b": True,
            "jobTitle": ["chief"],
            "hasPhone": False,
        },
        "exclude": {"department": ["human resources"]},
    }
    assert again == reply


@pytest.mark.parametrize("profile", ["mixed", "catalog"])
async def test_the_make_up_is_of_everybody_where_the_service_counts_it(
    profile: str, connect: Connect
) -> None:
    async with connect(profile=profile) as client:
        reply = await client.call("preview_audience", topicIds=TOPICS)
    assert reply["countedOver"] == "all"
    for part in ("industries", "seniorities"):
        counts = list(reply[part].values())
        assert len(counts) == 5
        assert counts == sorted(counts, reverse=True)
        assert sum(counts) <= reply["size"]
    assert sum(reply["seniorities"].values()) > reply["size"] / 2


async def test_the_make_up_is_of_the_sample_where_the_service_counts_none(connect: Connect) -> None:
    async with connect(profile="flat") as client:
        reply = await client.call("preview_audience", topicIds=TOPICS)
    assert reply["countedOver"] == "the sample of 25"
    assert 5 <= sum(reply["seniorities"].values()) <= 25


async def test_two_configs_that_differ_have_two_hashes(connect: Connect) -> None:
    async with connect(profile="flat") as client:
        one = await client.call("preview_audience", topicIds=TOPICS)
        other = await client.call("preview_audience", topicIds=TOPICS, minScore=71)
    assert one["configHash"] != other["configHash"]


@each_profile
async def test_nobody_is_said_to_be_nobody(profile: str, connect: Connect) -> None:
    async with connect(profile=profile) as client:
        nobody = {"companyName": ["Nobody at all"]}
        reply = await client.call("preview_audience", topicIds=TOPICS, filters=nobody)
    assert reply["summary"] == "Nobody matches, data from 2026-05-04."
    assert reply["size"] == 0
    assert reply["warnings"] == [
        "Nobody matches. Leave a filter out, lower minScore, or take other topics."
    ]
    assert not {"next", "sample", "industries", "countedOver"} & set(reply)


async def test_a_small_audience_is_warned_of(connect: Connect) -> None:
    filters = {"department": ["sales"], "seniority": ["vp"]}
    async with connect() as client:
        reply = await client.call("preview_audience", topicIds=TOPICS, filters=filters)
    size = reply["size"]
    assert 1 < size < 100
    assert reply["warnings"] == [
        f"Only {size} people: small for outreach. Fewer filters bring more."
    ]


async def test_one_person_is_spoken_of_as_one(connect: Connect) -> None:
    async with connect(people=40) as client:
        sizes = [
            await client.call("preview_audience", topicIds=[topic], minScore=score)
            for topic in TOPICS
            for score in (85, 90, 95)
        ]
    (one, *_) = [reply for reply in sizes if reply["size"] == 1]
    assert one["summary"].startswith("1 person matches, ")
    assert one["warnings"] == ["Only 1 person: small for outreach. Fewer filters bring more."]


@pytest.mark.parametrize("profile", ["mixed", "catalog"])
async def test_a_score_that_the_service_raises_is_noted(profile: str, connect: Connect) -> None:
    async with connect(profile=profile) as client:
        reply = await client.call("preview_audience", topicIds=TOPICS, minScore=20)
    assert reply["config"]["minScore"] == 50
    assert reply["warnings"] == ["The service counts scores from 50, not 20."]


@pytest.mark.parametrize("profile", ["mixed", "flat"])
async def test_what_the_service_cannot_ask_is_refused_with_the_nearest_before_anything_is_sent(
    profile: str, start: Start, connect: Connect
) -> None:
    cases: list[tuple[Reply, str]] = [
        ({"seniority": ["wizard"]}, "'seniority' has no value 'wizard'. seniority takes: entry,"),
        (
            {"companyIndustry": ["Softwear Development"]},
            "'companyIndustry' has no value 'Softwear Development'. Nearest: 'software",
        ),
        (
            {"companyIndustry": ["SaaS"]},
            "'companyIndustry' has no value 'SaaS'. Nearest: 'software development'.",
        ),
        ({"seniority": ["!vp"]}, f"'seniority' has no value '!vp'. {USE_EXCLUDE}"),
        ({"state": "-texas"}, f"'state' has no value '-texas'. {USE_EXCLUDE}"),
        ({"state": ["not Texas"]}, f"'state' has no value 'not Texas'. {USE_EXCLUDE}"),
        ({"jobTitle": ["!intern"]}, "'!intern' carries a sign."),
        ({"companySize": ["60-90"]}, "'companySize' has no value '60-90'. Nearest: '51 to 100'."),
        ({"companySize": {"min": "many"}}, "'companySize.min' must be a number."),
        ({"companySize": {"min": 9, "max": 5}}, "'companySize' takes min, max or both"),
        ({"state": {"min": 1}}, "'state' takes words, not min and max."),
        ({"role.senority": ["vp"]}, "There is no filter 'role.senority'. Did you mean '"),
        ({"company.state": ["texas"]}, "There is no filter 'company.state'."),
        ({"without.phone": True}, "There is no filter 'without.phone'. To leave people out, use"),
        ({"exclude.state": ["texas"]}, "There is no filter 'exclude.state'. To leave people out,"),
        ({"technologies": ["Salesforce"]}, "No filter knows technologies used"),
        (
            {"seniority": ["vp"], "role.seniority": ["director"]},
            "'seniority', 'role.seniority' are one and the same filter. Name it once.",
        ),
    ]
    for filters, said in cases:
        sandbox = start(profile=profile)
        async with connect(sandbox) as client:
            text = await client.refused("preview_audience", topicIds=TOPICS, filters=filters)
        assert said in text
        assert [request.path for request in sandbox.requests] == ["/v1/intent/audiences/filters"]


async def test_everything_that_is_wrong_is_said_in_one_refusal_with_the_values_that_there_are(
    client: Assistant,
) -> None:
    said = await client.refused(
        "preview_audience",
        topicIds=TOPICS,
        filters={"seniority": ["wizard", "VP"], "income": ["high"], "companyIndustry": ["SaaS"]},
        exclude={"state": ["Germany"], "companyName": ["Acme"]},
    )
    for problem in (
        "'seniority' has no value 'wizard'.",
        "There is no filter 'income'.",
        "'companyIndustry' has no value 'SaaS'. Nearest: 'software development'.",
        "'exclude.state' has no value 'Germany'.",
        "'exclude.companyName' cannot be applied",
        "seniority takes: entry, senior, manager, director, vp, c_suite, owner, partner.",
    ):
        assert problem in said


async def test_an_exclusion_that_would_leave_out_others_or_nobody_is_refused(
    client: Assistant, sandbox: Sandbox
) -> None:
    cases: list[tuple[Reply, str]] = [
        ({"jobTitle": ["director, sales"]}, "would leave out nobody by 'director, sales'"),
        ({"jobTitle": ["assist*"]}, "'assist*' carries a sign."),
        ({"jobTitle": ["assist\u200bant"]}, "holds an invisible character"),
        ({"companyName": ["Acme"]}, "the service has no filter that leaves it out"),
        ({"jobTitle.exclude": ["assistant"]}, "leaves people out twice over"),
        ({"state": []}, "'exclude.state' is empty."),
        ({"hasPhone": "perhaps"}, "'exclude.hasPhone' takes true or false."),
        ({"audience": ["CRM Buyers"]}, "who is in another audience"),
    ]
    for exclude, said in cases:
        assert said in await client.refused("preview_audience", topicIds=TOPICS, exclude=exclude)
        assert [request.path for request in sandbox.requests] == ["/v1/intent/audiences/filters"]


async def test_what_a_service_of_flat_filters_cannot_leave_out_is_refused(connect: Connect) -> None:
    cases: list[tuple[Reply, str]] = [
        ({"state": ["texas"]}, "takes one value for 'state', so it cannot leave one out."),
        ({"jobTitle": ["assistant"]}, "'exclude.jobTitle' cannot be applied"),
        ({"role.isCeo": True}, "There is no filter 'role.isCeo'."),
    ]
    for exclude, said in cases:
        async with connect(profile="flat") as client:
            assert said in await client.refused(
                "preview_audience", topicIds=TOPICS, exclude=exclude
            )


async def test_what_is_asked_for_and_left_out_is_refused(client: Assistant) -> None:
    cases: list[tuple[Reply, Reply, str]] = [
        (
            {"seniority": ["VP"]},
            {"seniority": ["vice president"]},
            "'VP' is both asked for and left out in 'seniority'.",
        ),
        (
            {"jobTitle": ["Assistant"]},
            {"jobTitle": ["assistant"]},
            "'assistant' is both asked for and left out in 'jobTitle'.",
        ),
        ({"hasPhone": True}, {"hasPhone": True}, "'hasPhone' is both asked for and left out."),
    ]
    for filters, exclude, said in cases:
        wanted = {"topicIds": TOPICS, "filters": filters, "exclude": exclude}
        assert said in await client.refused("preview_audience", **wanted)


@each_profile
async def test_a_filter_is_known_by_its_flat_and_by_its_catalogue_key(
    profile: str, connect: Connect
) -> None:
    flat = {"seniority": ["vp"], "hasPhone": True}
    catalog = {"role.seniority": ["vp"], "contact.hasPhone": True}
    async with connect(profile=profile) as client:
        one = await client.call("preview_audience", topicIds=TOPICS, filters=flat)
        other = await client.call("preview_audience", topicIds=TOPICS, filters=catalog)
    assert other["config"] == one["config"]
    assert other["size"] == one["size"] > 0


@each_profile
async def test_who_is_left_out_is_nobody_of_those_who_would_be_found(
    profile: str, connect: Connect
) -> None:
    async with connect(profile=profile) as client:

        async def size(**more: object) -> int:
            return (await client.call("preview_audience", topicIds=TOPICS, **more))["size"]

        everybody = await size()
        for key, value in (("department", ["sales"]), ("seniority", ["VP+"]), ("hasPhone", True)):
            there, others = await size(filters={key: value}), await size(exclude={key: value})
            assert 0 < there < everybody
            assert there + others == everybody


async def test_of_a_rung_what_is_left_after_the_exclusion_is_asked_for(client: Assistant) -> None:
    wanted = {"filters": {"seniority": ["director or above"]}, "exclude": {"seniority": ["owner"]}}
    reply = await client.call("preview_audience", topicIds=TOPICS, **wanted)
    assert reply["config"]["filters"] == {"seniority": ["director", "vp", "c_suite", "partner"]}
    assert "exclude" not in reply["config"]


async def test_an_exclusion_by_listing_says_that_it_leaves_out_those_without_a_value(
    client: Assistant,
) -> None:
    reply = await client.call(
        "preview_audience", topicIds=TOPICS, exclude={"department": ["legal"]}
    )
    assert reply["warnings"] == [
        "exclude.department also leaves out people whose department is not known."
    ]


async def test_of_a_range_the_values_inside_are_taken_and_those_that_it_cuts_are_named(
    connect: Connect,
) -> None:
    cases: list[tuple[object, slice, str]] = [
        (["<10000"], slice(0, 7), "'5001 to 10000' is only partly within <10000"),
        ({"max": 9_999}, slice(0, 7), "'5001 to 10000' is only partly within 0 to 9,999"),
        (["51-200"], slice(2, 3), "'101 to 250' is only partly within 51-200"),
        ({"min": 200}, slice(4, 9), "'101 to 250' is only partly within 200 or more"),
        (["1000+"], slice(6, 9), "'501 to 1000' is only partly within 1000+"),
        ([">1000 employees"], slice(6, 9), ""),
        ("under 51", slice(0, 2), ""),
    ]
    for asked, inside, cut in cases:
        async with connect(profile="flat") as client:
            sizes = (await client.call("find_filters", key="companySize"))["values"]["rows"]
            wanted = {"topicIds": TOPICS, "filters": {"companySize": asked}}
            reply = await client.call("preview_audience", **wanted)
        assert reply["config"]["filters"] == {"companySize": [row[0] for row in sizes[inside]]}
        warned = " ".join(reply.get("warnings", []))
        assert f"companySize {cut}, so left out." in warned if cut else "partly" not in warned


@pytest.mark.parametrize(
    ("twins", "said"),
    [
        ({"state": "company.states"}, "The service has no filter for 'state' now"),
        ({"state": "location.state.exclude"}, "The service has no filter for 'state' now"),
        ({}, "The service has no filter for 'state' now"),
    ],
    ids=str,
)
async def test_a_flat_key_goes_to_no_catalogue_key_that_may_mean_something_else(
    start: Start, connect: Connect, twins: dict[str, str], said: str
) -> None:
    sandbox = start(catalog_twins=twins)
    async with connect(sandbox) as client:
        wanted = {"topicIds": TOPICS, "filters": {"state": ["texas"]}}
        assert said in await client.refused("preview_audience", **wanted)
    assert [request.path for request in sandbox.requests] == ["/v1/intent/audiences/filters"]


async def test_a_flat_key_that_has_one_likely_catalogue_key_is_applied_by_it_and_this_is_said(
    connect: Connect,
) -> None:
    async with connect(catalog_twins={"state": "person.usStates"}) as client:
        reply = await client.call("preview_audience", topicIds=TOPICS, filters={"state": "TX"})
    assert reply["config"]["filters"] == {"state": ["texas"]}
    assert (
        "Applied by the catalogue's only filters of that meaning: state is person.usStates."
        in reply["warnings"]
    )


async def test_ten_topics_are_the_most_where_the_service_takes_ten(connect: Connect) -> None:
    async with connect(profile="flat") as client:
        said = await client.refused("preview_audience", topicIds=[*range(117805, 117816)])
    assert said == (
        "The service takes at most 10 topics here, and 11 were named."
        " Leave some out, or make two audiences."
    )


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


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (
            Fault("status", status=401, message="Invalid API key sk_live_1"),
            "The service refused with status 401: Invalid API key [key]. LEADPIPE_API_KEY must",
        ),
        (
            Fault("status", status=503, message="mail ops@acme.example", times=3),
            "The service failed with status 503: mail [email]. The fault is on the service's side.",
        ),
        (Fault("wrong_shape"), "The service answered with status 200, but its list of filters"),
    ],
)
async def test_what_goes_wrong_at_the_service_is_said_with_what_to_do(
    client: Assistant, sandbox: Sandbox, fault: Fault, said: str
) -> None:
    sandbox.faults.add(fault)
    assert (await client.refused("preview_audience", topicIds=TOPICS)).startswith(said)
