import pytest
from pydantic import JsonValue

from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.models import AudienceConfig
from leadpipe_mcp.errors import NotPossible
from tests.api.answering import PROFILES, Connect, Start
from tests.faults.service import Sandbox

pytestmark = pytest.mark.anyio
Filters = dict[str, JsonValue]
TWINS: list[tuple[Filters, Filters]] = [
    (
        {"companyIndustry": ["software development", "banking"]},
        {"company.industries": {"values": ["software development", "banking"]}},
    ),
    (
        {"seniority": ["director", "vp", "c_suite"]},
        {"role.seniority": {"values": ["director", "vp", "cxo"]}},
    ),
    (
        {"companySize": ["51 to 100", "10000+"]},
        {"company.sizes": {"values": ["51 to 100", "10000+"]}},
    ),
    ({"department": ["marketing"]}, {"role.departments": {"values": ["marketing"]}}),
    ({"state": "california"}, {"location.states": {"values": ["california"]}}),
    (
        {"companyRevenueRange": ["10 million to 25 million"]},
        {"company.revenueRanges": {"values": ["10 million to 25 million"]}},
    ),
    ({"ageRange": ["25 to 34"]}, {"demographics.ageRanges": {"values": ["25 to 34"]}}),
    ({"gender": "female"}, {"demographics.genders": {"values": ["female"]}}),
    ({"isB2b": "n"}, {"company.isB2b": False}),
    (
        {"jobTitle": "Manager"},
        {"jobTitle.include": {"values": ["manager"], "operator": "contains", "mode": "any"}},
    ),
    ({"hasBusinessEmail": True}, {"contact.hasBusinessEmail": True}),
    ({"hasPersonalEmail": False}, {"contact.hasPersonalEmail": False}),
    ({"hasLinkedin": False}, {"contact.hasLinkedin": False}),
    ({"hasPhone": True}, {"contact.hasPhone": True}),
    (
        {"companyDomain": "northwind-analytics.example"},
        {"company.domains": {"values": ["northwind-analytics.example"]}},
    ),
    ({"companyName": "north"}, {"company.names": {"values": ["NORTH"]}}),
]
ALL_FLAT: Filters = {key: value for flat, _ in TWINS for key, value in flat.items()}
ALL_CATALOG: Filters = {key: value for _, catalog in TWINS for key, value in catalog.items()}


async def size(client: LeadpipeClient, filters: Filters) -> int:
    config = AudienceConfig(topic_ids=(117805,), min_score=50, filters=filters)
    return (await client.configs.preview(await client.configs.spell(config))).size


async def refusal(client: LeadpipeClient, filters: object) -> str:
    config = AudienceConfig.model_construct(topic_ids=(117805,), filters=filters)
    with pytest.raises(NotPossible) as caught:
        await client.configs.preview(await client.configs.spell(config))
    return str(caught.value)


@pytest.fixture(params=PROFILES)
def any_client(request: pytest.FixtureRequest, start: Start, connect: Connect) -> LeadpipeClient:
    """A client of each profile in turn."""
    return connect(start(profile=request.param))


@pytest.fixture
def flat(start: Start, connect: Connect) -> LeadpipeClient:
    return connect(start(profile="flat"))


@pytest.fixture
def catalog(start: Start, connect: Connect) -> LeadpipeClient:
    return connect(start(profile="catalog"))


INDUSTRY = "software development"
ALIKE: list[tuple[tuple[str, ...], list[JsonValue]]] = [
    (("hasPhone", "contact.hasPhone"), [True, "Y", ["yes"], {"values": ["y"]}, " True "]),
    (("isB2b", "company.isB2b"), [False, "No", "FALSE", ["no"]]),
    (
        ("companyIndustry", "company.industries"),
        [
            {"values": [INDUSTRY]},
            INDUSTRY,
            ["Software Development", "SOFTWARE-development "],
            {"values": ["software_development"]},
        ],
    ),
]


async def test_a_filter_may_be_written_in_many_ways(any_client: LeadpipeClient) -> None:
    for keys, forms in ALIKE:
        sent: list[Filters] = []
        for filters in ({key: form} for key in keys for form in forms):
            config = AudienceConfig(topic_ids=(117805,), filters=filters)
            sent.append((await any_client.configs.spell(config)).sent.filters)
        assert all(one == sent[0] for one in sent), keys


async def test_the_service_is_told_in_its_own_spelling(start: Start, connect: Connect) -> None:
    def sent(sandbox: Sandbox) -> object:
        body = sandbox.requests[-1].body
        assert isinstance(body, dict)
        return body["filters"]  # pyright: ignore[reportUnknownVariableType] -- recorded JSON

    sandbox = start(profile="flat")
    await size(connect(sandbox), ALL_CATALOG)
    told = {**ALL_FLAT, "jobTitle": "manager", "companyName": "NORTH"}
    assert sent(sandbox) == {**told, "seniority": ["director", "vp", "cxo"]}
    text = {"operator": "contains", "mode": "any"}
    for profile in ("catalog", "mixed"):
        sandbox = start(profile=profile)
        await size(connect(sandbox), ALL_FLAT)
        assert sent(sandbox) == {
            **ALL_CATALOG,
            "role.seniority": {"values": ["director", "vp", "c_suite"]},
            "jobTitle.include": {"values": ["Manager"], **text},
            "company.names": {"values": ["north"], **text},
            "company.domains": {
                "values": ["northwind-analytics.example"],
                "operator": "equals",
                "mode": "any",
            },
        }


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        (
            {"industry": ["banking"]},
            "There is no filter 'industry'. Did you mean 'companyIndustry'",
        ),
        ({"hasMail": True}, "There is no filter 'hasMail'. Did you mean 'has"),
        ({"xyzzy": 1}, "There is no filter 'xyzzy'. There are: companyIndustry, "),
        ({"hasPhone": "maybe"}, "'hasPhone' takes true or false."),
        (
            {"contact.hasPhone": {"values": ["y"], "mode": "all"}},
            "'contact.hasPhone' takes true or false.",
        ),
        ({"seniority": True}, "'seniority' takes words, not a yes or no."),
        ({"jobTitle": {"min": 3}}, "'jobTitle' takes words."),
        ({"seniority": {"min": 3}}, "'seniority' takes words, not min and max."),
        ({"companySize": {"min": "many"}}, "'companySize.min' must be a number."),
        ({"companySize": {"min": 9, "max": 3}}, "takes min, max or both, min not above max."),
        ({"seniority": 3}, "'seniority' takes a list of words."),
        ({"seniority": []}, "'seniority' is empty. Leave it out, or name at least one value."),
        (
            {"seniority": {"values": ["vp"], "not": True}},
            "'seniority' has no part 'not'. Did you mean 'values', 'operator', 'mode', 'min'",
        ),
        ({"seniority": {"values": ["vp"], "mode": 1}}, "'seniority' takes one word as its mode."),
        (
            {"jobTitle": {"values": ["cfo"], "operator": ""}},
            "'jobTitle' takes one word as its operator.",
        ),
        ({"jobTitle": "x" * 256}, "'jobTitle' is too long"),
        ({"companyName": [f"name {number}" for number in range(201)]}, "'companyName' is too long"),
    ],
)
async def test_what_is_wrongly_written_is_refused_by_name(
    filters: Filters, said: str, catalog: LeadpipeClient
) -> None:
    assert said in await refusal(catalog, filters)


async def test_everything_that_is_wrong_is_said_at_once(any_client: LeadpipeClient) -> None:
    said = await refusal(any_client, {"industri": ["x"], "hasPhone": 1, "seniority": []})
    for name in ("'industri'", "'hasPhone'", "'seniority'"):
        assert name in said
    said = await refusal(any_client, {"companyIndustry": ["softwere"], "seniority": ["boss"]})
    for name in ("'softwere'", "'boss'"):
        assert name in said


async def test_nothing_wrong_is_sent(start: Start, connect: Connect) -> None:
    sandbox = start()
    client = connect(sandbox)
    await client.configs.filters()
    asked = len(sandbox.requests)
    for filters in ({"industri": ["x"]}, {"seniority": ["boss"]}, {"state": 1}):
        await refusal(client, filters)
    assert len(sandbox.requests) == asked


@pytest.mark.parametrize(
    ("key", "word", "near"),
    [
        ("companyIndustry", "software developmnt", "'software development'"),
        ("location.states", "new yrok", "'new york'"),
    ],
)
async def test_a_near_miss_is_refused_with_what_is_near(
    key: str, word: str, near: str, any_client: LeadpipeClient
) -> None:
    said = await refusal(any_client, {key: [word]})
    assert said.startswith(f"'{key}' has no value '{word}'. Nearest: ")
    assert near in said


async def test_what_is_not_near_anything_is_refused_with_all_values_or_where_they_are(
    any_client: LeadpipeClient,
) -> None:
    said = await refusal(any_client, {"gender": ["xqz"], "companyIndustry": ["xqzw"]})
    assert said.startswith("'gender' has no value 'xqz'. 'companyIndustry' has no value 'xqzw'. ")
    assert "gender takes: female, male." in said
    industries = (await any_client.configs.filters()).entry_for("companyIndustry").values
    if len(industries) > 60:
        assert f"find_filters with key companyIndustry lists its {len(industries)} values" in said
    else:
        assert f"companyIndustry takes: {', '.join(v.value for v in industries)}." in said


async def test_one_filter_in_two_spellings_is_refused(any_client: LeadpipeClient) -> None:
    both: Filters = {"companyIndustry": ["banking"], "company.industries": ["insurance"]}
    assert await refusal(any_client, both) == (
        "'companyIndustry', 'company.industries' are one and the same filter. Name it once."
    )


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        (
            {"jobTitle.exclude": ["intern"]},
            "There is no filter 'jobTitle.exclude'",
        ),
        ({"role.isCeo": True}, "There is no filter 'role.isCeo'. There are: companyIndustry"),
        (
            {"state": ["california", "texas"]},
            "The service takes one value for 'state', not 2. Make one audience for each.",
        ),
        (
            {"jobTitle.include": {"values": ["cfo"], "operator": "equals"}},
            "The service takes 'jobTitle' without operator and mode.",
        ),
        ({"jobTitle": {"values": ["cfo"], "mode": "all"}}, "without operator and mode"),
    ],
)
async def test_what_the_older_api_cannot_say_is_refused_by_name(
    filters: Filters, said: str, flat: LeadpipeClient
) -> None:
    assert said in await refusal(flat, filters)


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        (
            {"company.industrys": ["banking"]},
            "Did you mean 'companyIndustry', 'company.industries', 'company.industryGroups'?",
        ),
        ({"role.isCeo": ["maybe"]}, "'role.isCeo' takes true or false."),
        (
            {"jobTitle": {"values": ["cfo"], "operator": "like"}},
            "'jobTitle.include' has no operator 'like'. It has 'contains', 'equals'.",
        ),
        (
            {"jobTitle.include": {"values": ["cfo"], "mode": "some"}},
            "'jobTitle.include' has no mode 'some'. It has 'any', 'all'.",
        ),
        (
            {"seniority": {"values": ["vp"], "operator": "not_in"}},
            "'role.seniority' has no operator 'not_in'. It has 'in'.",
        ),
    ],
)
async def test_what_the_newer_api_cannot_say_is_refused_by_name(
    filters: Filters, said: str, catalog: LeadpipeClient
) -> None:
    assert said in await refusal(catalog, filters)


async def test_a_domain_that_is_meant_whole_goes_back_to_the_older_spelling(
    flat: LeadpipeClient, catalog: LeadpipeClient
) -> None:
    filters: Filters = {"companyDomain": "acme.example"}
    config = AudienceConfig(topic_ids=(117805,), filters=filters)
    newer = await catalog.configs.spell(config)
    assert (await flat.configs.spell(newer.shown)).sent.filters == filters
    part: Filters = {"company.domains": {"values": ["acme"], "operator": "contains"}}
    assert "without operator and mode" in await refusal(flat, part)


@pytest.mark.parametrize("key", ["seniority", "gender"])
async def test_a_value_that_is_an_address_is_not_repeated(
    any_client: LeadpipeClient, key: str
) -> None:
    said = await refusal(any_client, {key: "jane.doe@acme.example"})
    assert said.startswith(f"'{key}' has no value '[email]'.")
