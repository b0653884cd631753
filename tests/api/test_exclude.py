"""Who is left out: by a filter of the service where it has one, else by asking for all others."""

from typing import Any

import pytest

from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.models import AudienceConfig, ServiceConfig, SpelledConfig
from leadpipe_mcp.errors import NotPossible
from tests.api.answering import PROFILES, Connect, Start

pytestmark = pytest.mark.anyio
Json = dict[str, Any]
TEXT = {"operator": "contains", "mode": "any"}


@pytest.fixture(params=PROFILES)
def client(request: pytest.FixtureRequest, start: Start, connect: Connect) -> LeadpipeClient:
    """A client of each profile in turn."""
    return connect(start(profile=request.param))


async def spelled(
    client: LeadpipeClient, exclude: Json, filters: Json | None = None, **how: bool
) -> SpelledConfig:
    config = AudienceConfig(topic_ids=(117805,), filters=filters or {}, exclude=exclude)
    return await client.configs.spell(config, **how)


async def refusal(client: LeadpipeClient, exclude: Json, filters: Json | None = None) -> str:
    with pytest.raises(NotPossible) as caught:
        await spelled(client, exclude, filters)
    return str(caught.value)


async def asked_for(client: LeadpipeClient, config: SpelledConfig, key: str) -> list[str]:
    """The values of a filter that are sent, whichever the spelling."""
    catalog = await client.configs.filters()
    sent: Any = config.sent.filters[catalog.entry_for(key).key]
    return sent if catalog.vocabulary == "flat" else sent["values"]


async def test_all_other_values_are_asked_for_and_what_that_means_is_said(
    client: LeadpipeClient,
) -> None:
    config = await spelled(client, {"department": ["Legal", "HR"]})
    known = [v.value for v in (await client.configs.filters()).entry_for("department").values]
    rest = [value for value in known if value not in {"legal", "human resources"}]
    assert await asked_for(client, config, "department") == rest
    assert config.shown.exclude == {"department": ["human resources", "legal"]}
    assert (config.shown.filters, config.by_listing) == ({}, ("department",))
    said = "exclude.department also leaves out people whose department is not known."
    assert config.notes == (said,)


async def test_titles_are_left_out_by_the_services_own_filter(
    start: Start, connect: Connect
) -> None:
    client = connect(start())
    config = await spelled(client, {"jobTitle": ["Assistant"]}, {"jobTitle": ["chief"]})
    assert config.sent.filters == {
        "jobTitle.include": {"values": ["chief"], **TEXT},
        "jobTitle.exclude": {"values": ["Assistant"], **TEXT},
    }
    assert config.shown.filters == {"jobTitle": ["chief"]}
    assert config.shown.exclude == {"jobTitle": ["Assistant"]}
    assert (config.by_listing, config.notes) == ((), ())
    own = await spelled(client, {}, {"jobTitle.exclude": ["Assistant"], "jobTitle": ["chief"]})
    assert (own.sent, own.shown) == (config.sent, config.shown)
    everyone, alike = await spelled(client, {}), await spelled(client, {}, {"jobTitle": ["chief"]})
    others = await spelled(client, {"jobTitle": ["chief"]})
    sizes = [await client.configs.size(each) for each in (everyone, alike, others)]
    assert sizes[0] == sizes[1] + sizes[2]


async def test_a_flag_that_is_left_out_is_its_opposite(client: LeadpipeClient) -> None:
    config = await spelled(client, {"hasPhone": True, "isB2b": "no"})
    assert config.sent == (await spelled(client, {}, {"hasPhone": False, "isB2b": True})).sent
    assert config.shown.filters == {"hasPhone": False, "isB2b": True}


async def test_what_is_left_of_a_rung_or_a_range_is_asked_for(client: LeadpipeClient) -> None:
    config = await spelled(
        client,
        {"seniority": ["owner", "partner"], "companySize": ["51 to 100"]},
        {"seniority": ["director or above"], "companySize": {"min": 11, "max": 250}},
    )
    high = "cxo" if (await client.configs.filters()).vocabulary == "flat" else "c_suite"
    assert config.shown.filters == {
        "seniority": ["director", "vp", high],
        "companySize": ["11 to 50", "101 to 250"],
    }
    assert (config.shown.exclude, config.by_listing) == ({}, ())


@pytest.mark.parametrize(
    ("filters", "exclude", "said"),
    [
        (
            {"seniority": ["VP"]},
            {"seniority": ["vice president"]},
            "'VP' is both asked for and left out in 'seniority'.",
        ),
        (
            {"seniority": ["VP", "director"]},
            {"role.seniority": ["director or above"]},
            "'VP' is both asked for and left out in 'seniority'.",
        ),
        ({"hasPhone": True}, {"hasPhone": True}, "'hasPhone' is both asked for and left out."),
        ({}, {"gender": ["female", "male"]}, "'exclude.gender' leaves nobody"),
        ({}, {"seniority": ["boss of all"]}, "'exclude.seniority' has no value 'boss of all'."),
        ({}, {"companyName": ["acme"]}, "the service has no filter that leaves it out."),
        ({}, {"seniorty": ["vp"]}, "There is no filter 'seniorty'. Did you mean 'seniority'"),
        ({}, {"state": ["not texas"]}, "without a sign or a 'not'"),
        ({}, {"seniority": True}, "'exclude.seniority' takes words, not a yes or no."),
        (
            {},
            {"role.seniority": ["vp"], "seniority": ["entry"]},
            "'exclude.role.seniority', 'exclude.seniority' are one and the same filter.",
        ),
    ],
)
async def test_what_cannot_be_left_out_is_refused_by_name(
    filters: Json, exclude: Json, said: str, client: LeadpipeClient
) -> None:
    assert said in await refusal(client, exclude, filters)


async def test_the_older_api_leaves_out_no_title_and_no_one_of_single_values(
    start: Start, connect: Connect
) -> None:
    client = connect(start(profile="flat"))
    assert await refusal(client, {"jobTitle": ["assistant"]}) == (
        "'exclude.jobTitle' cannot be applied: the service has no filter that leaves it out."
    )
    assert await refusal(client, {"state": ["Texas"]}) == (
        "The service takes one value for 'state', so it cannot leave one out."
    )
    female = await spelled(client, {"gender": ["male"]})
    assert female.sent.filters == {"gender": "female"}


async def test_titles_that_would_leave_out_nobody_or_contradict_are_refused(
    start: Start, connect: Connect
) -> None:
    client = connect(start(profile="catalog"))
    assert "would leave out nobody by 'vp, sales'" in await refusal(
        client, {"jobTitle": ["vp, sales"]}
    )
    assert await refusal(client, {"jobTitle": ["CFO"]}, {"jobTitle": ["cfo"]}) == (
        "'cfo' is both asked for and left out in 'jobTitle'."
    )
    assert "leaves people out twice over" in await refusal(client, {"jobTitle.exclude": ["x"]})


async def test_a_long_list_is_shown_as_what_it_leaves_out(client: LeadpipeClient) -> None:
    config = await spelled(client, {"department": ["legal"]})
    saved = await client.configs.as_saved(ServiceConfig.model_validate(config.sent.model_dump()))
    assert saved.shown == config.shown
    half = [v.value for v in (await client.configs.filters()).entry_for("department").values][:8]
    config = await spelled(client, {}, {"department": half})
    saved = await client.configs.as_saved(config.sent)
    assert (saved.shown.filters, saved.shown.exclude) == ({"department": half}, {})
