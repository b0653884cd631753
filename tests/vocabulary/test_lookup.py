"""Words looked up, each alone: which filters know them, as which values, and how surely."""

from collections.abc import Mapping

import pytest

from leadpipe_mcp.vocabulary.catalog import FilterCatalog, FilterEntry, FilterValue
from leadpipe_mcp.vocabulary.resolve import Reading, look_up


@pytest.mark.parametrize(
    ("word", "sure", "meant"),
    [
        ("C-level", "exact", {"seniority": "c_suite"}),
        ("CA", "exact", {"state": "california"}),
        # What is exactly one thing is near to no other, though an industry has it in its name.
        ("legal", "exact", {"department": "legal"}),
        ("business email", "exact", {"hasBusinessEmail": "true"}),
        ("Is decision maker", "exact", {"role.isDecisionMaker": "true"}),
        ("VP", "exact", {"seniority": "vp", "role.isVp": "true"}),
        # A number of one thing is not one of another.
        ("over 5000 employees", "exact", {"companySize": "5001 to 10000 | 10000+"}),
        ("over 64 years old", "exact", {"ageRange": "65 and older"}),
        # What is only near comes with the reason.
        ("SaaS", "close", {"companyIndustry": "software development"}),
        ("Phoenix", "close", {"state": "arizona"}),
    ],
)
def test_a_word_is_found_in_every_filter_that_has_it(
    word: str, sure: str, meant: dict[str, str], catalog: FilterCatalog
) -> None:
    readings = look_up(word, catalog)
    assert {one.key: " | ".join(one.values) for one in readings} == meant
    assert {(one.sure, bool(one.note)) for one in readings} == {(sure, sure == "close")}


def test_what_a_range_cuts_is_said(catalog: FilterCatalog) -> None:
    assert look_up("51-200 employees", catalog) == [
        Reading("companySize", "exact", ("51 to 100",), "'101 to 250' only partly within it.")
    ]


def test_a_yes_or_no_is_found_by_what_its_key_or_its_label_is_about(
    catalogs: Mapping[str, FilterCatalog],
) -> None:
    assert look_up("b2b", catalogs["flat"]) == [Reading("isB2b", "exact", ("true",))]
    for key, label in (("reach.hasWorkEmail", "Reach"), ("reach.x", "Has work email")):
        entries = {key: FilterEntry(key, label, "flag")}
        found = look_up("work email", FilterCatalog("catalog", entries))
        assert found == [Reading(key, "exact", ("true",))]


def test_what_is_near_comes_before_what_could_be_several_things() -> None:
    def listing(key: str, *values: str) -> FilterEntry:
        return FilterEntry(key, key, "values", tuple(FilterValue(v, v) for v in values))

    several, near = listing("a.b", "north area", "south area"), listing("c.d", "area code")
    found = look_up("area", FilterCatalog("catalog", {"a.b": several, "c.d": near}))
    assert [(one.key, one.sure) for one in found] == [("c.d", "close"), ("a.b", "ambiguous")]


def test_what_several_values_hold_is_ambiguous_and_names_them(catalog: FilterCatalog) -> None:
    (industry,) = [one for one in look_up("services", catalog) if one.key == "companyIndustry"]
    assert industry.sure == "ambiguous"
    assert {"advertising services", "financial services"} <= set(industry.values)
    assert industry.note == "6 values have these words in their names."


def test_a_sentence_a_list_a_not_and_a_sign_are_not_words(catalog: FilterCatalog) -> None:
    sentences = ("VPs at SaaS companies in TX", "marketing in Texas", "using Salesforce", "zzz")
    lists = ("Texas or Ohio", "vp, director")
    denied = ("not VP", "!vp of sales", "without phone", "-B2B", "≠ceo", "phone 🚫")
    for word in (*sentences, *lists, *denied):
        assert look_up(word, catalog) == [], word
