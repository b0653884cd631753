"""Words looked up, each alone: which filters know them, as which values, and how surely."""

import pytest

from leadpipe_mcp.vocabulary.catalog import FilterCatalog
from leadpipe_mcp.vocabulary.resolve import look_up


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
