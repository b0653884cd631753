import re
from collections.abc import Mapping

import pytest

from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.vocabulary.catalog import (
    FLAT_KEYS,
    FilterCatalog,
    FilterEntry,
    FilterKind,
    FilterValue,
)

STATES = (FilterValue("texas", "Texas"), FilterValue("california", "California"))


def entry(key: str, *operators: str, kind: FilterKind = "values") -> FilterEntry:
    values = STATES if kind in {"values", "value"} else ()
    return FilterEntry(key, key, kind, values, operators)


def having(*entries: FilterEntry | str) -> FilterCatalog:
    """A catalogue of these filters; a key alone stands for a list of values."""
    built = [entry(each) if isinstance(each, str) else each for each in entries]
    return FilterCatalog("catalog", {each.key: each for each in built})


def refusal(catalog: FilterCatalog, key: str) -> str:
    with pytest.raises(NotPossible) as caught:
        catalog.entry_for(key)
    return str(caught.value)


def test_a_key_of_either_spelling_is_one_filter_in_either_catalogue(
    catalogs: Mapping[str, FilterCatalog],
) -> None:
    flat, newer = catalogs["flat"], catalogs["catalog"]
    for name, key in FLAT_KEYS.items():
        own = newer.entry_for(name)
        assert flat.entry_for(own.key) is flat.entry_for(name)
        assert (newer.name_of(own.key), flat.name_of(name)) == (name, name)
        assert key.twin in {None, own.key}
        assert newer.is_stand_in(name, own) == (key.twin is None)
        assert not flat.is_stand_in(name, flat.entry_for(name))
    for own in newer.entries:
        assert newer.entry_for(own).key == own
        assert newer.entry_for(newer.name_of(own)).key == own


@pytest.mark.parametrize(
    ("flat", "keys"),
    [
        ("state", "location.states geo.state person.state personal.states Location.usState"),
        ("companySize", "company.employeeCount company.sizeRanges company.companySize"),
        ("ageRange", "person.ages demographics.ageRange"),
    ],
)
def test_an_undocumented_filter_is_found_by_its_look(flat: str, keys: str) -> None:
    for key in keys.split():
        catalog = having(key, "role.departments")
        assert catalog.entry_for(flat).key == key
        assert catalog.name_of(key) == flat
        assert catalog.is_stand_in(flat, catalog.entry_for(flat))


@pytest.mark.parametrize(
    ("flat", "keys"),
    [
        ("state", "company.states location.state.exclude location.statesNot location.countries"),
        ("companySize", "audience.size"),
        ("ageRange", "company.age"),
        ("seniority", "role.seniorities"),
        ("jobTitle", "jobTitle.exact"),
    ],
)
def test_a_key_of_another_area_or_with_more_behind_it_is_another_filter(
    flat: str, keys: str
) -> None:
    for key in keys.split():
        catalog = having(key)
        assert f"no filter for '{flat}' now; it has {key}." in refusal(catalog, flat)
        assert catalog.name_of(key) == key
        assert catalog.entry_for(key).key == key


def test_of_two_that_it_could_be_none_is_taken_and_both_are_named() -> None:
    catalog = having("location.states", "geo.state")
    assert refusal(catalog, "state") == (
        "'state' could be 'location.states' or 'geo.state' here. Use that key itself."
    )
    assert [catalog.name_of(key) for key in catalog.entries] == ["location.states", "geo.state"]


@pytest.mark.parametrize(
    ("flat", "standing"),
    [
        ("state", entry("location.states", "not_in")),
        ("state", entry("location.states", kind="text")),
        ("companySize", entry("company.size", kind="range")),
        ("isB2b", entry("company.isB2b")),
        ("hasPhone", entry("contact.hasPhone", "is_not", kind="flag")),
    ],
)
def test_a_substitute_that_takes_other_values_is_refused(flat: str, standing: FilterEntry) -> None:
    assert refusal(having(standing), flat) == (
        f"'{flat}' could be '{standing.key}' here. Use that key itself."
    )


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("exclude.state", "use the argument exclude beside filters"),
        ("seniorty", "Did you mean 'seniority'"),
        ("role.seniorty", "Did you mean 'role.seniority'"),
        ("technologies", "No filter knows technologies used, funding, hiring, tenure, income"),
        ("", "There is no filter ''. There are: companyIndustry, "),
    ],
)
def test_an_unknown_key_is_refused_with_a_hint(
    key: str, said: str, catalogs: Mapping[str, FilterCatalog]
) -> None:
    refused = refusal(catalogs["catalog"], key)
    assert refused.startswith(f"There is no filter '{key}'.")
    assert said in refused
    assert re.search(r"jane|acme", refusal(catalogs["flat"], "jane.doe@acme.example")) is None


def test_only_titles_have_a_filter_that_leaves_out(catalogs: Mapping[str, FilterCatalog]) -> None:
    newer, flat = catalogs["catalog"], catalogs["flat"]
    out = {key: newer.excluding(each) for key, each in newer.entries.items()}
    assert {key: each.key for key, each in out.items() if each} == {
        "jobTitle.include": "jobTitle.exclude"
    }
    assert not any(map(flat.excluding, flat.entries.values()))
