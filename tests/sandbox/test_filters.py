from collections.abc import Callable
from typing import Any

import httpx
import pytest

from leadpipe_mcp.sandbox import SandboxSettings
from tests.faults.service import Sandbox

pytestmark = pytest.mark.anyio
Start = Callable[[SandboxSettings], Sandbox]
Connect = Callable[..., httpx.AsyncClient]
Filters = dict[str, object]
PREVIEW = "/v1/intent/audiences/preview"
FLAT: Filters = {
    "companyIndustry": ["software development", "banking"],
    "seniority": ["director", "vp"],
    "companySize": ["51 to 100", "101 to 250"],
    "department": ["marketing"],
    "state": "california",
    "companyRevenueRange": ["10 million to 25 million"],
    "ageRange": ["25 to 34"],
    "gender": "female",
    "isB2b": "n",
    "jobTitle": "Manager",
    "hasBusinessEmail": True,
    "hasPersonalEmail": True,
    "hasLinkedin": False,
    "hasPhone": True,
    "companyDomain": "northwind-analytics.example",
    "companyName": "north",
}
CATALOG: Filters = {
    "company.industries": {"values": ["software development", "banking"]},
    "role.seniority": {"values": ["director", "vp"]},
    "company.sizes": {"values": ["51 to 100", "101 to 250"]},
    "role.departments": {"values": ["marketing"]},
    "location.states": {"values": ["california"]},
    "company.revenueRanges": {"values": ["10 million to 25 million"]},
    "demographics.ageRanges": {"values": ["25 to 34"]},
    "demographics.genders": {"values": ["female"]},
    "company.isB2b": False,
    "jobTitle.include": {"values": ["manager"], "operator": "contains", "mode": "any"},
    "contact.hasBusinessEmail": True,
    "contact.hasPersonalEmail": True,
    "contact.hasLinkedin": False,
    "contact.hasPhone": True,
    "company.domains": {"values": ["northwind-analytics.example"]},
    "company.names": {"values": ["NORTH"]},
}
PAIRS = list(zip(FLAT.items(), CATALOG.items(), strict=True))
# What a row of a query says about the filter, and whether that is right.
TRUTHS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "companyIndustry": lambda row: row["companyIndustry"] in {"software development", "banking"},
    "seniority": lambda row: row["seniority"] in {"director", "vp"},
    "companySize": lambda row: row["companySize"] in {"51 to 100", "101 to 250"},
    "department": lambda row: row["department"] == "marketing",
    "state": lambda row: row["state"] == "california",
    "companyRevenueRange": lambda row: row["companyRevenueRange"] == "10 million to 25 million",
    "ageRange": lambda row: row["ageRange"] == "25 to 34",
    "gender": lambda row: row["gender"] == "female",
    "isB2b": lambda row: row["isB2b"] == "n",
    "jobTitle": lambda row: "Manager" in row["jobTitle"],
    "hasBusinessEmail": lambda row: row["businessEmail"] is not None,
    "hasPersonalEmail": lambda row: row["personalEmail"] is not None,
    "hasLinkedin": lambda row: row["linkedinUrl"] is None,
    "hasPhone": lambda row: row["phones"] is not None,
    "companyDomain": lambda row: row["companyDomain"] == "northwind-analytics.example",
    "companyName": lambda row: "north" in row["company"].lower(),
}


async def size(client: httpx.AsyncClient, filters: Filters, **config: object) -> int:
    body = {"topicIds": [117805], "minScore": 50, "filters": filters, **config}
    response = await client.post(PREVIEW, json=body)
    assert response.status_code == 200, response.text
    return response.json()["data"]["totalCount"]


@pytest.fixture
def flat(start: Start, connect: Connect) -> httpx.AsyncClient:
    return connect(start(SandboxSettings(profile="flat", run_seconds=0)))


@pytest.fixture
def catalog(start: Start, connect: Connect) -> httpx.AsyncClient:
    return connect(start(SandboxSettings(profile="catalog")))


@pytest.fixture
def mixed(start: Start, connect: Connect) -> httpx.AsyncClient:
    return connect(start(SandboxSettings()))


async def test_every_filter_of_the_catalogue_changes_the_result(
    catalog: httpx.AsyncClient,
) -> None:
    answer = (await catalog.get("/v1/intent/audiences/filters")).json()["data"]
    filters = [known for group in answer["groups"] for known in group["filters"]]
    everybody = await size(catalog, {})
    sizes: dict[str, int] = {}
    for known in filters:
        words = {"company.names": "north", "company.domains": "northwind-analytics.example"}
        value: object = {"values": [words.get(known["key"], "sales manager")]}
        if known["type"] == "boolean":
            value = True
        elif known["type"] == "multi_select":
            value = {"values": [known["values"][0]["value"]]}
        sizes[known["key"]] = await size(catalog, {known["key"]: value})
    assert len(sizes) == answer["summary"]["filterCount"] == 23
    assert {key: found for key, found in sizes.items() if not 0 < found < everybody} == {}


@pytest.mark.parametrize("key", FLAT)
async def test_every_flat_filter_finds_exactly_those_it_names(
    key: str, flat: httpx.AsyncClient
) -> None:
    body = {"topicIds": [117805], "minScore": 50, "filters": {key: FLAT[key]}, "limit": 100}
    answer = (await flat.post("/v1/intent/audiences/query", json=body)).json()
    assert 0 < answer["meta"]["totalCount"] < await size(flat, {})
    assert all(map(TRUTHS[key], answer["data"]))


@pytest.mark.parametrize(("flatly", "dotted"), PAIRS)
async def test_a_filter_finds_as_many_in_either_spelling(
    flatly: tuple[str, object],
    dotted: tuple[str, object],
    flat: httpx.AsyncClient,
    catalog: httpx.AsyncClient,
    mixed: httpx.AsyncClient,
) -> None:
    sizes = {
        await size(flat, dict([flatly])),
        await size(catalog, dict([dotted])),
        await size(mixed, dict([flatly])),
        await size(mixed, dict([dotted])),
    }
    assert len(sizes) == 1
    nested: dict[str, object] = {}
    group, name = dotted[0].split(".")
    nested[group] = {name: dotted[1]}
    assert await size(mixed, nested) in sizes


async def test_both_spellings_of_a_config_have_one_hash(mixed: httpx.AsyncClient) -> None:
    hashes: set[str] = set()
    for filters in (FLAT, CATALOG, dict(reversed(CATALOG.items()))):
        body = {"topicIds": [117805, 117890], "filters": filters}
        response = await mixed.post("/v1/intent/audiences/validate", json=body)
        data = response.json()["data"]
        assert sorted(data["appliedFilters"]) == sorted(CATALOG)
        hashes.add(data["configHash"])
    assert len(hashes) == 1
    assert all(len(found) == 64 for found in hashes)


async def test_different_filters_narrow_together(catalog: httpx.AsyncClient) -> None:
    some = {key: CATALOG[key] for key in ("role.seniority", "contact.hasPhone")}
    together = await size(catalog, some)
    assert 0 < together < min([await size(catalog, {key: some[key]}) for key in some])


async def test_the_values_of_a_choice_divide_everybody(catalog: httpx.AsyncClient) -> None:
    answer = (await catalog.get("/v1/intent/audiences/filters")).json()["data"]
    choices = [
        known
        for group in answer["groups"]
        for known in group["filters"]
        if known["type"] == "multi_select"
    ]
    for known in choices:
        assert sum(value["count"] for value in known["values"]) == 50_000
        parts = [
            await size(catalog, {known["key"]: {"values": [value["value"]]}})
            for value in known["values"]
        ]
        assert sum(parts) == await size(catalog, {})


async def test_terms_are_contained_or_equal_and_any_or_all(catalog: httpx.AsyncClient) -> None:
    def titles(operator: str, mode: str, *values: str) -> Filters:
        return {"jobTitle.include": {"values": values, "operator": operator, "mode": mode}}

    finance, chief = "chief financial officer", "cfo"
    either = await size(catalog, titles("contains", "any", finance, chief))
    assert either == await size(catalog, titles("contains", "any", finance)) + await size(
        catalog, titles("contains", "any", chief)
    )
    assert await size(catalog, titles("contains", "all", finance, chief)) == 0
    assert await size(catalog, titles("contains", "all", "chief", "officer")) > either
    assert await size(catalog, titles("equals", "any", finance)) < either
    assert await size(catalog, titles("equals", "any", "chief")) == 0
    nested: Filters = {"jobTitle": {"include": [finance, chief], "includeMode": "any"}}
    assert await size(catalog, nested) == either
    nested = {"jobTitle": {"include": ["chief", "officer"], "includeMode": "all"}}
    chiefs = await size(catalog, titles("contains", "all", "chief", "officer"))
    assert await size(catalog, nested) == chiefs
    nested = {"jobTitle": {"include": {"values": ["chief", "officer"]}, "includeMode": "all"}}
    assert await size(catalog, nested) == chiefs


async def test_exclusion_leaves_the_others(catalog: httpx.AsyncClient) -> None:
    terms: Filters = {"values": ["manager", "director"]}
    included = await size(catalog, {"jobTitle.include": terms})
    assert await size(catalog, {"jobTitle.exclude": terms}) == await size(catalog, {}) - included
    exact = await size(catalog, {"jobTitle.exact": {"values": ["Marketing Manager"]}})
    assert 0 < exact < included


async def test_an_empty_filter_is_not_applied(mixed: httpx.AsyncClient) -> None:
    filters: Filters = {"role.seniority": {"values": []}, "jobTitle": "", "state": "california"}
    body = {"topicIds": [117805], "filters": filters}
    answer = (await mixed.post(PREVIEW, json=body)).json()["data"]
    assert answer["appliedFilters"] == ["location.states"]


async def test_seniority_is_spelt_differently_in_each_generation(
    flat: httpx.AsyncClient, catalog: httpx.AsyncClient
) -> None:
    answer = (await flat.get("/v1/intent/audiences/filters")).json()["data"]
    assert "cxo" in answer["seniority"]
    assert "c_suite" not in answer["seniority"]
    chiefs = await size(flat, {"seniority": ["cxo"]})
    assert chiefs == await size(catalog, {"role.seniority": {"values": ["c_suite"]}}) > 0
    assert await size(flat, {"seniority": ["c_suite"]}) == 0
    assert await size(catalog, {"role.seniority": {"values": ["cxo"]}}) == 0


@pytest.mark.parametrize(
    "filters",
    [
        {"state": ["california"]},
        {"state": 1},
        {"seniority": "vp"},
        {"seniority": [1]},
        {"isB2b": True},
        {"hasPhone": "y"},
        {"jobTitle": "x" * 201},
        {"companyName": ["north"]},
        {"role.seniority": ["vp"]},
        {"role.seniority": {"values": "vp"}},
        {"role.isVp": {"values": [True]}},
        {"jobTitle.include": {"values": ["cfo"], "operator": "like"}},
        {"jobTitle.exact": {"values": ["cfo"], "operator": "contains"}},
        {"jobTitle.include": {"values": ["cfo"], "mode": "some"}},
        {"jobTitle": {"include": ["cfo"], "includeMode": 1}},
        {"jobTitle": "cfo", "jobTitle.include": {"values": ["cfo"]}},
        {"role.isVp": True, "role": {"isVp": True}},
        [],
    ],
)
async def test_a_filter_of_the_wrong_form_is_refused(
    filters: object, mixed: httpx.AsyncClient
) -> None:
    body = {"topicIds": [117805], "filters": filters}
    response = await mixed.post(PREVIEW, json=body)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "VALIDATION_ERROR"
    assert "filters" in response.json()["error"]["message"]


async def test_a_catalogue_without_twins_does_not_know_them(start: Start, connect: Connect) -> None:
    twins = {"state": "places.stateCodes", "gender": ""}
    client = connect(start(SandboxSettings(catalog_twins=twins)))
    answer = (await client.get("/v1/intent/audiences/filters")).json()["data"]
    assert [group["key"] for group in answer["groups"]][-1] == "places"
    assert answer["groups"][-1]["label"] == "Places"
    assert answer["groups"][-1]["filters"][0]["label"] == "State codes"
    body = {
        "topicIds": [117805],
        "filters": {
            "gender": "female",
            "demographics.genders": {"values": ["male"]},
            "places": {"stateCodes": ["california"]},
        },
    }
    data = (await client.post("/v1/intent/audiences/validate", json=body)).json()["data"]
    assert data["appliedFilters"] == ["gender", "places.stateCodes"]


async def test_the_flat_catalogue_lists_the_closed_sets(flat: httpx.AsyncClient) -> None:
    data = (await flat.get("/v1/intent/audiences/filters")).json()["data"]
    assert set(data) == {
        "seniority",
        "companyIndustry",
        "companySize",
        "department",
        "companyRevenueRange",
        "ageRange",
        "gender",
        "state",
    }
    assert all(value == value.lower() for values in data.values() for value in values)
    assert data["companySize"][2:4] == ["51 to 100", "101 to 250"]


async def test_the_catalogue_describes_its_filters(catalog: httpx.AsyncClient) -> None:
    data = (await catalog.get("/v1/intent/audiences/filters")).json()["data"]
    summary = data["summary"]
    assert summary["groupCount"] == len(data["groups"]) == 6
    assert summary["defaultFieldLogic"] == "and"
    assert summary["filterCount"] == sum(
        summary[f"{section}FilterCount"] for section in ("recommended", "standard", "advanced")
    )
    industries = data["groups"][0]["filters"][0]
    assert industries["key"] == "company.industries"
    assert industries["ui"]["control"] == "multi_select"
    assert {"value", "label", "count"} == set(industries["values"][0])
    assert industries["values"][0]["label"] == "Software Development"
