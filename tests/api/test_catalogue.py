from collections.abc import Callable

import pytest
from pydantic import JsonValue
from starlette.responses import JSONResponse

from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.models import AudienceConfig
from leadpipe_mcp.errors import NotPossible, UnusableAnswer
from tests.api.answering import Connect, Start

pytestmark = pytest.mark.anyio
Offering = Callable[..., LeadpipeClient]
Filters = dict[str, JsonValue]


def offered(key: str, *values: object, **more: object) -> dict[str, object]:
    """A filter of the catalogue; its values stand for themselves if they are not objects."""
    listed: list[object] = [
        value if isinstance(value, dict) else {"value": value} for value in values
    ]
    kind = "multi_select" if values else "text_terms"
    return {"key": key, "label": key, "type": kind, "values": listed or None, **more}


def catalogue(*filters: object) -> JSONResponse:
    return JSONResponse({"data": {"groups": [{"key": "all", "filters": filters}]}})


@pytest.fixture
def offering(with_answers: Connect) -> Offering:
    """A client of a service whose catalogue has these filters."""

    def offering(*filters: object) -> LeadpipeClient:
        return with_answers({"GET /filters": catalogue(*filters)})

    return offering


async def spelled(client: LeadpipeClient, filters: Filters) -> Filters:
    config = AudienceConfig(topic_ids=(117805,), filters=filters)
    return (await client.configs.spell(config)).sent.filters


async def refusal(client: LeadpipeClient, filters: Filters) -> str:
    with pytest.raises(NotPossible) as caught:
        await spelled(client, filters)
    return str(caught.value)


async def test_a_filter_without_a_twin_is_refused_by_name(start: Start, connect: Connect) -> None:
    client = connect(start(profile="catalog", catalog_twins=False))
    said = await refusal(client, {"state": "texas", "hasPhone": True, "seniority": ["vp"]})
    assert "The service has no filter for 'state' now; it has company.industries," in said
    assert "no filter for 'hasPhone' now" in said
    assert "seniority'" not in said


async def test_a_documented_twin_that_is_gone_is_not_replaced(offering: Offering) -> None:
    client = offering(offered("role.seniorities", "vp", label="Seniority"))
    assert await refusal(client, {"seniority": ["vp"]}) == (
        "The service has no filter for 'seniority' now; it has role.seniorities."
    )


async def test_a_value_that_is_exactly_so_called_goes_first(offering: Offering) -> None:
    client = offering(
        offered("x.skills", "c", "c++", "C", {"value": "cs", "label": "C#"}),
        offered("x.sizes", "10000", "10000+"),
    )
    for word in ("c", "c++", "C"):
        assert await spelled(client, {"x.skills": [word]}) == {"x.skills": {"values": [word]}}
    assert await spelled(client, {"x.skills": ["c#"]}) == {"x.skills": {"values": ["cs"]}}
    assert await spelled(client, {"x.sizes": ["10000+"]}) == {"x.sizes": {"values": ["10000+"]}}


async def test_a_value_that_is_listed_twice_is_one_value(offering: Offering) -> None:
    client = offering(offered("x.states", "texas", "texas", "ohio", "ohio"))
    assert await spelled(client, {"x.states": ["TEXAS"]}) == {"x.states": {"values": ["texas"]}}
    config = AudienceConfig(topic_ids=(117805,), exclude={"x.states": ["ohio"]})
    without = await client.configs.spell(config)
    assert without.sent.filters == {"x.states": {"values": ["texas"]}}
    assert without.shown.exclude == {"x.states": ["ohio"]}


async def test_where_no_values_are_listed_any_word_will_do(offering: Offering) -> None:
    client = offering({"key": "company.industries"}, offered("x.sizes", "1", type="single_select"))
    assert await spelled(client, {"companyIndustry": ["Anything"]}) == {
        "company.industries": {"values": ["Anything"]}
    }
    assert await refusal(client, {"x.sizes": ["2"]})


async def test_a_range_of_numbers_cannot_be_said(offering: Offering) -> None:
    client = offering(offered("company.sizes", type="number_range"))
    assert await refusal(client, {"company.sizes": ["10 to 20"]}) == (
        "'company.sizes' takes a range of numbers, and how the service wants it written is not"
        " published."
    )


async def test_terms_are_contained_unless_the_service_knows_no_such_thing(
    offering: Offering,
) -> None:
    client = offering(
        offered("jobTitle.include"),
        offered("jobTitle.exact", operators=["equals"]),
        offered("company.domains"),
    )
    assert await spelled(client, {"jobTitle": "cfo"}) == {
        "jobTitle.include": {"values": ["cfo"], "operator": "contains", "mode": "any"}
    }
    assert await spelled(client, {"jobTitle.exact": ["cfo"]}) == {
        "jobTitle.exact": {"values": ["cfo"], "mode": "any"}
    }
    assert await spelled(client, {"companyDomain": "a.example"}) == {
        "company.domains": {"values": ["a.example"], "operator": "contains", "mode": "any"}
    }
    like: Filters = {"jobTitle.include": {"values": ["cfo"], "operator": "like", "mode": "all"}}
    assert await spelled(client, like) == like


async def test_the_catalogue_is_asked_for_once_a_day(start: Start, connect: Connect) -> None:
    sandbox = start()
    seconds = [0.0]
    client = connect(sandbox, clock=lambda: seconds[0])

    def asked() -> int:
        return sum(request.path.endswith("/filters") for request in sandbox.requests)

    for now, times in ((0, 1), (1, 1), (24 * 3600, 1), (24 * 3600 + 1, 2), (24 * 3600 + 2, 2)):
        seconds[0] = now
        await client.configs.filters()
        assert asked() == times


async def test_what_the_older_api_does_not_list_may_hold_any_word(with_answers: Connect) -> None:
    listed = JSONResponse({"data": {"seniority": ["cxo", 7, None], "new": ["x"]}})
    client = with_answers({"GET /filters": listed}, profile="flat")
    assert await spelled(client, {"state": "Anywhere", "seniority": "C-Suite"}) == {
        "state": "Anywhere",
        "seniority": ["cxo"],
    }
    assert "seniority takes: cxo." in await refusal(client, {"seniority": ["7"]})


OTHER_FORMS: list[tuple[object, str, str]] = [
    ({}, "auto", "its list of filters is of no known form"),
    ([], "auto", "its list of filters is of no known form"),
    ({"groups": {}}, "auto", "its list of filters is of no known form"),
    ({"seniority": "vp"}, "auto", "its list of filters is of no known form"),
    ({"seniority": ["vp"]}, "catalog", "its list of filters is of no known form"),
    ({"groups": []}, "flat", "its list of filters is of no known form"),
    ({"groups": [{"filters": None}]}, "auto", "what should be a list is not one"),
    ({"groups": [{}]}, "catalog", "what should be a list is not one"),
    ({"groups": [{"filters": [{}]}]}, "auto", "not what they should be: key"),
    (
        {"groups": [{"filters": [{"key": "a.b", "values": [{"count": "x"}]}]}]},
        "auto",
        "not what they should be: values",
    ),
]


@pytest.mark.parametrize(("data", "pin", "said"), OTHER_FORMS)
async def test_a_list_of_filters_of_another_form_is_not_used(
    data: object, pin: str, said: str, connect: Connect
) -> None:
    client = connect(JSONResponse({"data": data}), pin)
    with pytest.raises(UnusableAnswer) as caught:
        await client.configs.filters()
    assert said in caught.value.problem
