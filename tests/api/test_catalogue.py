"""The service's own list of filters, however odd, and what its filters take."""

from collections.abc import Callable

import pytest
from starlette.responses import JSONResponse

from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.errors import UnusableAnswer
from tests.api.answering import Connect, Start
from tests.api.test_filters import TEXT, Json, refusal, spelled
from tests.faults.service import Sandbox

pytestmark = pytest.mark.anyio
Offering = Callable[..., LeadpipeClient]


def offered(key: str, *values: object, **more: object) -> Json:
    """A filter of the catalogue; its values stand for themselves if they are not objects."""
    listed: list[object] = [
        value if isinstance(value, dict) else {"value": value} for value in values
    ]
    kind = "multi_select" if values else "text_terms"
    return {"key": key, "label": key, "type": kind, "values": listed or None, **more}


@pytest.fixture
def offering(with_answers: Connect) -> Offering:
    """A client of a service whose catalogue has these filters."""

    def offering(*filters: object) -> LeadpipeClient:
        groups = [{"key": "all", "filters": filters}]
        return with_answers({"GET /filters": JSONResponse({"data": {"groups": groups}})})

    return offering


async def sent(client: LeadpipeClient, filters: Json) -> Json:
    return (await spelled(client, filters)).sent.filters


async def test_a_filter_without_a_twin_is_refused_by_name(
    start: Start, connect: Connect, offering: Offering
) -> None:
    client = connect(start(profile="catalog", catalog_twins=False))
    said = await refusal(client, {"state": "texas", "hasPhone": True, "seniority": ["vp"]})
    assert "The service has no filter for 'state' now; it has company.industries," in said
    assert "no filter for 'hasPhone' now" in said
    assert "seniority'" not in said
    # A documented one that is gone is not replaced.
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
        assert await sent(client, {"x.skills": [word]}) == {"x.skills": {"values": [word]}}
    assert await sent(client, {"x.skills": ["c#"]}) == {"x.skills": {"values": ["cs"]}}
    assert await sent(client, {"x.sizes": ["10000+"]}) == {"x.sizes": {"values": ["10000+"]}}


async def test_a_value_that_is_listed_twice_is_one_value(offering: Offering) -> None:
    client = offering(offered("x.states", "texas", "texas", "ohio", "ohio"))
    assert await sent(client, {"x.states": ["TEXAS"]}) == {"x.states": {"values": ["texas"]}}
    without = await spelled(client, {}, {"x.states": ["ohio"]})
    assert without.sent.filters == {"x.states": {"values": ["texas"]}}
    assert without.shown.exclude == {"x.states": ["ohio"]}


async def test_where_no_values_are_listed_any_word_will_do(offering: Offering) -> None:
    client = offering(
        {"key": "company.industries"},
        offered("x.sizes", *range(61), type="single_select"),
        offered("company.sizes", type="number_range"),
    )
    assert await sent(client, {"companyIndustry": ["Anything"]}) == {
        "company.industries": {"values": ["Anything"]}
    }
    assert await refusal(client, {}, {"companyIndustry": ["Anything"]}) == (
        "'exclude.companyIndustry' cannot be applied: its values are not listed."
    )
    said = await refusal(client, {"x.sizes": ["many"]})
    assert said.endswith("find_filters with key x.sizes lists its 61 values.")
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
        offered("jobTitle.like", operators=["like", "near"]),
        offered("company.domains"),
    )
    text = {"values": ["x"], "mode": "any"}
    for key, how in (
        ("jobTitle.include", TEXT),
        ("jobTitle.exact", {"operator": "equals"}),
        ("jobTitle.like", {}),
        ("company.domains", TEXT),
    ):
        assert await sent(client, {key: ["x"]}) == {key: text | how}
    like = {"jobTitle.include": {"values": ["cfo"], "operator": "like", "mode": "all"}}
    assert await sent(client, like) == like


async def test_values_are_left_out_by_exclude_even_where_the_service_has_an_operator_for_it(
    offering: Offering,
) -> None:
    client = offering(offered("x.states", "texas", "ohio", operators=["in", "not_in"]))
    assert await refusal(client, {"x.states": {"values": ["ohio"], "operator": "not_in"}}) == (
        "'x.states' is asked for by its values. To leave some out, use exclude."
    )


async def test_the_catalogue_is_asked_for_once_a_day(sandbox: Sandbox, connect: Connect) -> None:
    seconds = [0.0]
    client = connect(sandbox, clock=lambda: seconds[0])

    def asked() -> int:
        return sum(request.path.endswith("/filters") for request in sandbox.requests)

    for now, times in ((0, 1), (1, 1), (24 * 3600, 1), (24 * 3600 + 1, 2), (24 * 3600 + 2, 2)):
        seconds[0] = now
        await client.configs.filters()
        assert asked() == times


async def test_what_the_older_api_does_not_list_may_hold_any_word(with_answers: Connect) -> None:
    listed = JSONResponse({"data": {"seniority": ["cxo", 7, None], "gender": {}, "new": ["x"]}})
    client = with_answers({"GET /filters": listed}, profile="flat")
    filters = {"state": "Anywhere", "seniority": ["C-Suite", "7"]}
    assert await sent(client, filters) == {"state": "Anywhere", "seniority": ["cxo", "7"]}
    assert "seniority takes: cxo, 7." in await refusal(client, {"seniority": ["8"]})


NO_FORM, NO_LIST = "its list of filters is of no known form", "what should be a list is not one"


NOTHING: list[object] = [{}, [], {"groups": {}}, {"seniority": "vp"}]
OTHER_FORMS: list[tuple[object, str, str]] = [
    *((data, "auto", NO_FORM) for data in NOTHING),
    ({"seniority": ["vp"]}, "catalog", NO_FORM),
    ({"groups": []}, "flat", NO_FORM),
    ({"groups": [{"filters": None}]}, "auto", NO_LIST),
    ({"groups": [{}]}, "catalog", NO_LIST),
    ({"groups": [{"filters": [{}]}]}, "auto", "not what they should be: key"),
    ({"groups": [{"filters": [{"key": "a", "values": [{}]}]}]}, "auto", "should be: values"),
]


@pytest.mark.parametrize(("data", "pin", "said"), OTHER_FORMS)
async def test_a_list_of_filters_of_another_form_is_not_used(
    data: object, pin: str, said: str, connect: Connect
) -> None:
    client = connect(JSONResponse({"data": data}), pin)
    with pytest.raises(UnusableAnswer) as caught:
        await client.configs.filters()
    assert said in caught.value.problem
