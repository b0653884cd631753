"""What is asked for and left out, in the words of whichever service answers, or refused by name."""

from typing import Any

import pytest

from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.models import AudienceConfig, ServiceConfig, SpelledConfig
from leadpipe_mcp.errors import NotPossible
from tests.api.answering import Connect, Start
from tests.faults.service import Sandbox

pytestmark = pytest.mark.anyio
Json = dict[str, Any]
TEXT = {"operator": "contains", "mode": "any"}
ALL_FLAT: Json = {
    "companyIndustry": ["software development", "banking"],
    "seniority": ["director", "vp", "c_suite"],
    "companySize": ["51 to 100", "10000+"],
    "department": ["marketing"],
    "state": "california",
    "companyRevenueRange": ["10 million to 25 million"],
    "ageRange": ["25 to 34"],
    "gender": "female",
    "isB2b": "n",
    "jobTitle": "Manager",
    "hasBusinessEmail": True,
    "hasPersonalEmail": False,
    "hasLinkedin": False,
    "hasPhone": True,
    "companyDomain": "acme.example",
    "companyName": "north",
}
ALL_CATALOG: Json = {
    "company.industries": {"values": ["software development", "banking"]},
    "role.seniority": {"values": ["director", "vp", "cxo"]},
    "company.sizes": {"values": ["51 to 100", "10000+"]},
    "role.departments": {"values": ["marketing"]},
    "location.states": {"values": ["california"]},
    "company.revenueRanges": {"values": ["10 million to 25 million"]},
    "demographics.ageRanges": {"values": ["25 to 34"]},
    "demographics.genders": {"values": ["female"]},
    "company.isB2b": False,
    "jobTitle.include": {"values": ["Manager"], **TEXT},
    "contact.hasBusinessEmail": True,
    "contact.hasPersonalEmail": False,
    "contact.hasLinkedin": False,
    "contact.hasPhone": True,
    "company.domains": {"values": ["acme.example"], "operator": "equals", "mode": "any"},
    "company.names": {"values": ["north"], **TEXT},
}


async def spelled(
    client: LeadpipeClient, filters: Json, exclude: Json | None = None
) -> SpelledConfig:
    config = AudienceConfig(topic_ids=(117805,), filters=filters, exclude=exclude or {})
    return await client.configs.spell(config)


async def refusal(client: LeadpipeClient, filters: Json, exclude: Json | None = None) -> str:
    with pytest.raises(NotPossible) as caught:
        await spelled(client, filters, exclude)
    return str(caught.value)


@pytest.fixture(params=["flat", "catalog"])
def any_client(request: pytest.FixtureRequest, start: Start, connect: Connect) -> LeadpipeClient:
    """A client of each generation in turn."""
    return connect(start(profile=request.param))


@pytest.fixture
def flat(start: Start, connect: Connect) -> LeadpipeClient:
    return connect(start(profile="flat"))


@pytest.fixture
def catalog(start: Start, connect: Connect) -> LeadpipeClient:
    return connect(start(profile="catalog"))


async def known(client: LeadpipeClient, key: str) -> list[str]:
    return [v.value for v in (await client.configs.filters()).entry_for(key).values]


async def asked_for(client: LeadpipeClient, config: SpelledConfig, key: str) -> list[str]:
    """The values of a filter that are sent, whichever the spelling."""
    filters = await client.configs.filters()
    sent: Any = config.sent.filters[filters.entry_for(key).key]
    return sent if filters.vocabulary == "flat" else sent["values"]


async def test_each_service_is_told_in_its_own_spelling(
    flat: LeadpipeClient, catalog: LeadpipeClient
) -> None:
    older = (await spelled(flat, ALL_CATALOG)).sent.filters
    assert older == {**ALL_FLAT, "seniority": ["director", "vp", "cxo"]}
    newer = (await spelled(catalog, ALL_FLAT)).sent.filters
    assert newer == {**ALL_CATALOG, "role.seniority": {"values": ["director", "vp", "c_suite"]}}
    for client, filters in ((flat, older), (catalog, newer)):
        assert (await client.configs.preview(await spelled(client, filters))).size == 0
    # What a reply shows goes back to either.
    assert (await spelled(flat, (await spelled(catalog, ALL_FLAT)).shown.filters)).sent.filters == (
        older
    )


@pytest.mark.parametrize(
    ("keys", "forms"),
    [
        (("hasPhone", "contact.hasPhone"), [True, "Y", ["yes"], {"values": ["y"]}, " True "]),
        (("isB2b", "company.isB2b"), [False, "No", "FALSE", ["no"]]),
        (
            ("department", "role.departments"),
            ["human resources", ["Human Resources", "HUMAN-resources "], {"values": ["HR"]}],
        ),
    ],
)
async def test_a_filter_may_be_written_in_many_ways(
    keys: tuple[str, ...], forms: list[object], any_client: LeadpipeClient
) -> None:
    sent = [(await spelled(any_client, {key: form})).sent for key in keys for form in forms]
    assert all(one == sent[0] for one in sent)


FORMS = "It takes a list of words, {values, operator, mode}, {min, max}, or true or false."


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        ({"industry": ["banking"]}, "no filter 'industry'. Did you mean 'companyIndustry'"),
        ({"hasMail": True}, "There is no filter 'hasMail'. Did you mean 'has"),
        ({"xyzzy": 1}, "There is no filter 'xyzzy'. There are: companyIndustry, "),
        ({"company.industrys": ["banking"]}, "Did you mean 'companyIndustry', 'company.industries"),
        ({"role.isCeo": ["maybe"]}, "'role.isCeo' takes true or false."),
        ({"hasPhone": {"values": ["y"], "mode": "all"}}, "'hasPhone' takes true or false."),
        ({"seniority": True}, "'seniority' takes words."),
        ({"jobTitle": {"min": 3}}, "'jobTitle' takes words."),
        ({"companySize": {"min": 9, "max": 3}}, f"neither words nor a range of numbers. {FORMS}"),
        (
            {"companySize": {"min": "many"}},
            f"'companySize' cannot be read at min: Input should be a valid number. {FORMS}",
        ),
        ({"seniority": 3}, "'seniority' cannot be read at values: "),
        ({"seniority": {"values": ["vp"], "not": True}}, "'seniority' cannot be read at not: "),
        ({"seniority": {"values": ["vp"], "mode": 1}}, "'seniority' cannot be read at mode: "),
        ({"jobTitle": "x" * 256}, "should have at most 255 characters"),
        ({"companyName": [f"n{number}" for number in range(201)]}, "at most 200 items"),
        (
            {"jobTitle": {"values": ["cfo"], "operator": "like"}},
            "'jobTitle.include' has no operator 'like'. It has 'contains', 'equals'.",
        ),
        (
            {"jobTitle.include": {"values": ["cfo"], "mode": "some"}},
            "'jobTitle.include' has no mode 'some'. It has 'any', 'all'.",
        ),
        (
            {"companyIndustry": ["banking"], "company.industries": ["insurance"]},
            "'companyIndustry', 'company.industries' are one and the same filter. Name it once.",
        ),
    ],
)
async def test_what_is_wrongly_written_is_refused_by_name(
    filters: Json, said: str, catalog: LeadpipeClient
) -> None:
    assert said in await refusal(catalog, filters)


@pytest.mark.parametrize(
    ("filters", "exclude", "said"),
    [
        ({"jobTitle.exclude": ["intern"]}, {}, "There is no filter 'jobTitle.exclude'"),
        ({"role.isCeo": True}, {}, "There is no filter 'role.isCeo'. There are: companyIndustry"),
        ({"state": ["california", "texas"]}, {}, "takes one value for 'state', not 2. Make one"),
        ({}, {"state": ["Texas"]}, "The service takes one value for 'state', not 50."),
        ({"jobTitle": {"values": ["x"], "operator": "equals"}}, {}, "without operator and mode"),
        ({"jobTitle": {"values": ["x"], "mode": "all"}}, {}, "without operator and mode"),
        ({}, {"jobTitle": ["x"]}, "'exclude.jobTitle' cannot be applied: the service has no"),
    ],
)
async def test_what_the_older_api_cannot_say_is_refused_by_name(
    filters: Json, exclude: Json, said: str, flat: LeadpipeClient
) -> None:
    assert said in await refusal(flat, filters, exclude)


async def test_everything_that_is_wrong_is_said_at_once_and_nothing_of_it_is_sent(
    client: LeadpipeClient, sandbox: Sandbox
) -> None:
    await client.configs.filters()
    said = await refusal(client, {"industri": ["x"], "hasPhone": 1, "gender": ["boss"]})
    assert all(name in said for name in ("'industri'", "'hasPhone'", "'boss'"))
    assert len(sandbox.requests) == 1


async def test_a_value_that_is_not_there_is_refused_with_what_is_near_or_all_there_are(
    any_client: LeadpipeClient,
) -> None:
    said = await refusal(any_client, {"location.states": ["new yrok"]})
    assert said.startswith("'location.states' has no value 'new yrok'. Nearest: 'new york'")
    said = await refusal(any_client, {"gender": ["xqz"], "companyIndustry": ["xqzw"]})
    assert said.startswith("'gender' has no value 'xqz'. 'companyIndustry' has no value 'xqzw'. ")
    assert "gender takes: female, male." in said
    industries = ", ".join(await known(any_client, "companyIndustry"))
    assert f"companyIndustry takes: {industries}." in said
    said = await refusal(any_client, {"seniority": "jane.doe@acme.example"})
    assert said.startswith("'seniority' has no value '[email]'.")


async def test_all_other_values_are_asked_for_and_what_that_means_is_said(
    any_client: LeadpipeClient,
) -> None:
    config = await spelled(any_client, {}, {"department": ["Legal", "HR"]})
    rest = [
        v for v in await known(any_client, "department") if v not in {"legal", "human resources"}
    ]
    assert await asked_for(any_client, config, "department") == rest
    assert config.shown.exclude == {"department": ["human resources", "legal"]}
    assert (config.shown.filters, config.by_listing) == ({}, ("department",))
    said = "exclude.department also leaves out people whose department is not known."
    assert config.notes == (said,)
    female = await spelled(any_client, {}, {"gender": ["male"]})
    assert await asked_for(any_client, female, "gender") in ("female", ["female"])


async def test_titles_are_left_out_by_the_services_own_filter(catalog: LeadpipeClient) -> None:
    config = await spelled(catalog, {"jobTitle": ["chief"]}, {"jobTitle": ["Assistant"]})
    assert config.sent.filters == {
        "jobTitle.include": {"values": ["chief"], **TEXT},
        "jobTitle.exclude": {"values": ["Assistant"], **TEXT},
    }
    assert config.shown.filters == {"jobTitle": ["chief"]}
    assert config.shown.exclude == {"jobTitle": ["Assistant"]}
    assert (config.by_listing, config.notes) == ((), ())
    own = await spelled(catalog, {"jobTitle.exclude": ["Assistant"], "jobTitle": ["chief"]})
    assert (own.sent, own.shown) == (config.sent, config.shown)
    everyone, alike = await spelled(catalog, {}), await spelled(catalog, {"jobTitle": ["chief"]})
    others = await spelled(catalog, {}, {"jobTitle": ["chief"]})
    sizes = [await catalog.configs.size(each) for each in (everyone, alike, others)]
    assert sizes[0] == sizes[1] + sizes[2]


async def test_a_flag_that_is_left_out_is_its_opposite(any_client: LeadpipeClient) -> None:
    config = await spelled(any_client, {}, {"hasPhone": True, "isB2b": "no"})
    assert config.sent == (await spelled(any_client, {"hasPhone": False, "isB2b": True})).sent
    assert config.shown.filters == {"hasPhone": False, "isB2b": True}


async def test_what_is_left_of_a_rung_or_a_range_is_asked_for(any_client: LeadpipeClient) -> None:
    config = await spelled(
        any_client,
        {"seniority": ["director or above"], "companySize": {"min": 11, "max": 250}},
        {"seniority": ["owner", "partner"], "companySize": ["51 to 100"]},
    )
    high = "cxo" if (await any_client.configs.filters()).vocabulary == "flat" else "c_suite"
    assert config.shown.filters == {
        "seniority": ["director", "vp", high],
        "companySize": ["11 to 50", "101 to 250"],
    }
    assert (config.shown.exclude, config.by_listing) == ({}, ())


@pytest.mark.parametrize(
    ("filters", "exclude", "said"),
    [
        ({"seniority": ["VP"]}, {"role.seniority": ["director or above"]}, "'VP' is both asked"),
        ({"hasPhone": True}, {"hasPhone": True}, "'hasPhone' is both asked for and left out."),
        ({"jobTitle": ["cfo"]}, {"jobTitle": ["CFO"]}, "'cfo' is both asked for and left out in"),
        ({}, {"gender": ["female", "male"]}, "'exclude.gender' leaves nobody"),
        ({}, {"seniority": ["boss of all"]}, "'exclude.seniority' has no value 'boss of all'."),
        ({}, {"companyName": ["acme"]}, "the service has no filter that leaves it out."),
        ({}, {"seniorty": ["vp"]}, "There is no filter 'seniorty'. Did you mean 'seniority'"),
        ({}, {"state": ["not texas"]}, "without a sign or a 'not'"),
        ({}, {"seniority": True}, "'exclude.seniority' takes words."),
        ({}, {"role.seniority": ["vp"], "seniority": ["entry"]}, "are one and the same filter."),
        ({}, {"jobTitle": ["vp, sales"]}, "would leave out nobody by 'vp, sales'"),
        ({}, {"jobTitle.exclude": ["x"]}, "leaves people out twice over"),
    ],
)
async def test_what_cannot_be_left_out_is_refused_by_name(
    filters: Json, exclude: Json, said: str, catalog: LeadpipeClient
) -> None:
    assert said in await refusal(catalog, filters, exclude)


async def test_a_long_list_is_shown_as_what_it_leaves_out(any_client: LeadpipeClient) -> None:
    config = await spelled(any_client, {}, {"department": ["legal"]})
    saved = await any_client.configs.as_saved(ServiceConfig.model_validate(config.sent.written()))
    assert saved.shown == config.shown
    half = (await known(any_client, "department"))[:8]
    saved = await any_client.configs.as_saved(
        (await spelled(any_client, {"department": half})).sent
    )
    assert (saved.shown.filters, saved.shown.exclude) == ({"department": half}, {})
