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


def having(*keys: str, kind: FilterKind = "values", takes: str = "") -> FilterCatalog:
    """A catalogue of these filters."""
    values = STATES if kind in {"values", "value"} else ()
    entries = {key: FilterEntry(key, key, kind, values, tuple(takes.split())) for key in keys}
    return FilterCatalog("catalog", entries)


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
    ("flat", "keys", "others"),
    [
        (
            *("state", "location.states geo.state person.state personal.states Location.usState"),
            "company.states location.state.exclude location.statesNot location.countries",
        ),
        (
            *("companySize", "company.employeeCount company.sizeRanges company.companySize"),
            "audience.size",
        ),
        ("ageRange", "person.ages demographics.ageRange", "company.age"),
        ("seniority", "", "role.seniorities"),
        ("jobTitle", "", "jobTitle.exact"),
    ],
)
def test_an_undocumented_filter_is_found_by_its_look_and_one_of_another_area_is_another(
    flat: str, keys: str, others: str
) -> None:
    for key in keys.split():
        catalog = having(key, "role.departments")
        assert catalog.entry_for(flat).key == key
        assert catalog.name_of(key) == flat
        assert catalog.is_stand_in(flat, catalog.entry_for(flat))
    for key in others.split():
        catalog = having(key)
        assert f"no filter for '{flat}' now; it has {key}." in refusal(catalog, flat)
        assert catalog.name_of(key) == catalog.entry_for(key).key == key


def test_of_two_that_it_could_be_none_is_taken_nor_is_one_that_takes_other_values() -> None:
    two = having("location.states", "geo.state")
    assert refusal(two, "state") == (
        "'state' could be 'location.states' or 'geo.state' here. Use that key itself."
    )
    assert [two.name_of(key) for key in two.entries] == ["location.states", "geo.state"]
    for flat, catalog in (
        ("state", having("location.states", takes="not_in")),
        ("state", having("location.states", kind="text")),
        ("companySize", having("company.size", kind="range")),
        ("isB2b", having("company.isB2b")),
        ("hasPhone", having("contact.hasPhone", kind="flag", takes="is_not")),
    ):
        (key,) = catalog.entries
        assert refusal(catalog, flat) == f"'{flat}' could be '{key}' here. Use that key itself."


def test_an_unknown_key_is_refused_with_a_hint(catalogs: Mapping[str, FilterCatalog]) -> None:
    for key, said in (
        ("exclude.state", "use the argument exclude beside filters"),
        ("exclude.role.seniority", "use the argument exclude beside filters"),
        ("seniorty", "Did you mean 'seniority'?"),
        ("industry", "Did you mean 'companyIndustry'?"),
        ("role.seniorty", "Did you mean 'role.seniority'"),
        ("technologies", "No filter knows technologies used, funding, hiring, tenure, income"),
        ("company.technologies", "There are: companyIndustry, "),
        (
            "company.technologies",
            "No filter knows technologies used, funding, hiring, tenure, income",
        ),
        ("", "There is no filter ''. There are: companyIndustry, "),
    ):
        refused = refusal(catalogs["catalog"], key)
        assert refused.startswith(f"There is no filter '{key}'.")
        assert said in refused
    assert re.search(r"jane|acme", refusal(catalogs["flat"], "jane.doe@acme.example")) is None


def test_a_refusal_names_all_that_there_is_and_of_a_long_key_the_beginning() -> None:
    catalog = having("location.states", "company.names")
    assert refusal(catalog, "technologies") == (
        "There is no filter 'technologies'. There are: state, companyName. No filter knows "
        "technologies used, funding, hiring, tenure, income or who is in another audience."
    )
    assert refusal(catalog, "x" * 100).startswith(f"There is no filter '{'x' * 63}…'. ")
    assert refusal(catalog, "jobTitle.exclude") == (
        "There is no filter 'jobTitle.exclude' here, nor another that leaves out titles."
    )
    assert refusal(catalog, "seniority").endswith("; it has location.states, company.names.")


def test_only_titles_have_a_filter_that_leaves_out(catalogs: Mapping[str, FilterCatalog]) -> None:
    newer, flat = catalogs["catalog"], catalogs["flat"]
    out = {key: newer.excluding(each) for key, each in newer.entries.items()}
    found = {key: each.key for key, each in out.items() if each}
    assert found == {"jobTitle.include": "jobTitle.exclude"}
    assert not any(map(flat.excluding, flat.entries.values()))
