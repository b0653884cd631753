"""Words looked up, each alone: which filters know them, as which values, and how surely."""

import pytest

from leadpipe_mcp.vocabulary.catalog import FilterCatalog
from leadpipe_mcp.vocabulary.resolve import Reading, look_up


def ask(word: str, catalog: FilterCatalog) -> tuple[Reading, ...]:
    return look_up([word], catalog)[word]


def in_short(readings: tuple[Reading, ...]) -> list[str]:
    return [f"{one.key}: {'true' if one.flag else ' | '.join(one.values)}" for one in readings]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("C-level", ["seniority: c_suite"]),
        ("CA", ["state: california"]),
        # What is exactly one thing is near to no other, though an industry has it in its name.
        ("legal", ["department: legal"]),
        ("business email", ["hasBusinessEmail: true"]),
        ("Is decision maker", ["role.isDecisionMaker: true"]),
        (
            "financial services",
            [f"{key}: financial services" for key in ("companyIndustry", "company.industryGroups")],
        ),
        ("VP", ["seniority: vp", "role.isVp: true"]),
        # A number of one thing is not one of another.
        ("over 5000 employees", ["companySize: 5001 to 10000 | 10000+"]),
        ("over 64 years old", ["ageRange: 65 and older"]),
    ],
)
def test_what_a_word_means_exactly_is_found_in_every_filter_that_has_it(
    word: str, meant: list[str], catalog: FilterCatalog
) -> None:
    readings = ask(word, catalog)

    assert in_short(readings) == meant
    assert {(one.sure, one.note) for one in readings} == {("exact", "")}


def test_what_a_word_is_near_to_is_found_with_the_reason(catalog: FilterCatalog) -> None:
    near = {"SaaS": "companyIndustry: software development", "Phoenix": "state: arizona"}
    for word, meant in near.items():
        (reading,) = ask(word, catalog)
        assert (in_short((reading,)), reading.sure) == ([meant], "close")
        assert reading.note


def test_what_several_values_hold_is_ambiguous_and_names_them(catalog: FilterCatalog) -> None:
    (industry,) = [one for one in ask("services", catalog) if one.key == "companyIndustry"]

    assert industry.sure == "ambiguous"
    assert {"advertising services", "financial services"} <= set(industry.values)
    assert industry.note == "6 values have these words in their names."


@pytest.mark.parametrize(
    "word",
    [
        *("VPs at SaaS companies in TX", "marketing in Texas", "Texas or Ohio", "vp, director"),
        *("not VP", "!vp of sales", "without phone", "using Salesforce", "zzz", " "),
        *("-B2B", "!vp", "≠ceo", "phone 🚫"),
    ],
)
def test_a_sentence_a_list_a_not_and_a_sign_are_not_words(
    word: str, catalog: FilterCatalog
) -> None:
    assert ask(word, catalog) == ()
