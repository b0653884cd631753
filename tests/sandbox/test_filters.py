"""Filters: what each finds, how they may be spelled, and what the catalogues say of them."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.sandbox.asking import AUDIENCES, Play, ask

pytestmark = pytest.mark.anyio
Filters = dict[str, object]
PREVIEW = f"{AUDIENCES}/preview"
TERMS = {"values": ["manager"], "operator": "contains", "mode": "any"}
# A filter in the flat spelling and in the catalogue's, and what is true of the people it finds.
SPELLINGS: dict[str, tuple[object, str, object, Callable[[dict[str, Any]], bool]]] = {
    "companyIndustry": (
        ["software development", "banking"],
        "company.industries",
        {"values": ["software development", "banking"]},
        lambda row: row["companyIndustry"] in {"software development", "banking"},
    ),
    "state": (
        "california",
        "location.states",
        {"values": ["california"]},
        lambda row: row["state"] == "california",
    ),
    "isB2b": ("n", "company.isB2b", False, lambda row: row["isB2b"] == "n"),
    "jobTitle": ("Manager", "jobTitle.include", TERMS, lambda row: "Manager" in row["jobTitle"]),
    "hasLinkedin": (False, "contact.hasLinkedin", False, lambda row: row["linkedinUrl"] is None),
}


async def size(client: httpx.AsyncClient, filters: Filters) -> int:
    body = {"topicIds": [117805, 102081], "minScore": 50, "filters": filters}
    return (await ask(client, "POST", PREVIEW, body))["totalCount"]


@pytest.fixture
def mixed(play: Play) -> httpx.AsyncClient:
    return play()


@pytest.mark.parametrize("key", SPELLINGS)
async def test_a_filter_finds_those_it_names_in_every_spelling(
    key: str, flat: httpx.AsyncClient, catalog: httpx.AsyncClient, mixed: httpx.AsyncClient
) -> None:
    value, dotted, written, is_true = SPELLINGS[key]
    body = {"topicIds": [117805, 102081], "minScore": 50, "filters": {key: value}, "limit": 100}
    found = (await flat.post(f"{AUDIENCES}/query", json=body)).json()
    assert 0 < found["meta"]["totalCount"] < await size(flat, {})
    assert all(map(is_true, found["data"]))
    group, _, name = dotted.partition(".")
    sizes = {
        await size(catalog, {dotted: written}),
        await size(mixed, {key: value}),
        await size(mixed, {group: {name: written}}),
    }
    assert sizes == {found["meta"]["totalCount"]}


async def test_terms_are_contained_or_equal_and_any_or_all(catalog: httpx.AsyncClient) -> None:
    finance, chief = "chief financial officer", "cfo"

    async def titles(operator: str, mode: str, *values: str) -> int:
        terms = {"values": values, "operator": operator, "mode": mode}
        return await size(catalog, {"jobTitle.include": terms})

    either = await titles("contains", "any", finance, chief)
    assert either == await titles("contains", "any", finance) + await titles("equals", "any", chief)
    assert await titles("contains", "all", finance, chief) == 0
    nested: Filters = {"jobTitle": {"include": ["chief", "officer"], "includeMode": "all"}}
    assert await size(catalog, nested) == await titles("contains", "all", "chief", "officer") > 0
    exclusion: Filters = {"jobTitle.exclude": {"values": [finance, chief]}}
    assert await size(catalog, exclusion) == await size(catalog, {}) - either
    exact: Filters = {"jobTitle.exact": {"values": ["Chief Financial Officer"]}}
    assert await size(catalog, exact) == await titles("equals", "any", finance) > 0


async def test_a_filter_that_a_generation_does_not_know_leaves_nobody_out(
    flat: httpx.AsyncClient, catalog: httpx.AsyncClient
) -> None:
    assert await size(flat, {"role.isVp": True}) == await size(flat, {})
    assert await size(catalog, {"isVp": True}) == await size(catalog, {})


async def test_a_filter_of_the_wrong_form_is_refused(mixed: httpx.AsyncClient) -> None:
    wrong: list[object] = [
        {"state": ["california"]},
        {"seniority": "vp"},
        {"isB2b": True},
        {"hasPhone": "y"},
        {"jobTitle": "x" * 201},
        {"role.seniority": ["vp"]},
        {"role.isVp": {"values": [True]}},
        {"jobTitle.exact": {"values": ["cfo"], "operator": "contains"}},
        {"jobTitle": {"include": ["cfo"], "includeMode": 1}},
        {"jobTitle": "cfo", "jobTitle.include": {"values": ["cfo"]}},
        [],
    ]
    for filters in wrong:
        body = {"topicIds": [117805], "filters": filters}
        error = await ask(mixed, "POST", PREVIEW, body, expect=400)
        assert error["code"] == "VALIDATION_ERROR"
        assert "filters" in error["message"]
