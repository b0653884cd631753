"""Words looked up, each alone: which filters know them, as which values, and how surely."""

from collections.abc import Callable, Mapping

import pytest

from leadpipe_mcp.vocabulary.catalog import FilterCatalog
from leadpipe_mcp.vocabulary.resolve import Reading, look_up

Ask = Callable[..., tuple[Reading, ...]]


@pytest.fixture
def ask(catalogs: Mapping[str, FilterCatalog]) -> Ask:
    """Looks one word up in the catalogue of a profile."""

    def ask(word: str, profile: str = "catalog") -> tuple[Reading, ...]:
        return look_up([word], catalogs[profile])[word]

    return ask


def in_short(readings: tuple[Reading, ...]) -> list[tuple[str, object]]:
    return [(one.key, True if one.flag else list(one.values)) for one in readings]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("C-level", [("seniority", ["c_suite"])]),
        ("ops", [("department", ["operations"])]),
        ("CA", [("state", ["california"])]),
        ("women", [("gender", ["female"])]),
        (
            "$10M-$50M",
            [("companyRevenueRange", ["10 million to 25 million", "25 million to 50 million"])],
        ),
        ("director or above", [("seniority", ["director", "vp", "c_suite", "owner", "partner"])]),
        ("business email", [("hasBusinessEmail", True)]),
        ("Is decision maker", [("role.isDecisionMaker", True)]),
        (
            "financial services",
            [
                ("companyIndustry", ["financial services"]),
                ("company.industryGroups", ["financial services"]),
            ],
        ),
        ("VP", [("seniority", ["vp"]), ("role.isVp", True)]),
    ],
)
def test_what_a_word_means_exactly_is_found_in_every_filter_that_has_it(
    ask: Ask, word: str, meant: list[tuple[str, object]]
) -> None:
    readings = ask(word)

    assert in_short(readings) == meant
    assert {one.sure for one in readings} == {"exact"}
    assert {one.note for one in readings} == {""}


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("SaaS", [("companyIndustry", ["software development"])]),
        ("markting", [("department", ["marketing"])]),
        ("Phoenix", [("state", ["arizona"])]),
    ],
)
def test_what_a_word_is_near_to_is_found_with_the_reason(
    ask: Ask, word: str, meant: list[tuple[str, object]]
) -> None:
    readings = ask(word)

    assert in_short(readings) == meant
    assert {one.sure for one in readings} == {"close"}
    assert all(one.note for one in readings)


def test_what_several_values_hold_is_ambiguous_and_names_them(ask: Ask) -> None:
    (industry,) = [one for one in ask("services") if one.key == "companyIndustry"]

    assert industry.sure == "ambiguous"
    assert {"advertising services", "financial services"} <= set(industry.values)
    assert industry.note == "6 values have these words in their names."


def test_what_is_exactly_one_thing_is_near_to_no_other(ask: Ask) -> None:
    # It is in the name of an industry, too.
    assert in_short(ask("legal")) == [("department", ["legal"])]


@pytest.mark.parametrize(
    "word",
    [
        "VPs at SaaS companies in TX",
        "marketing in Texas",
        "Texas or Ohio",
        "vp, director",
        "not VP",
        "!vp of sales",
        "without phone",
        "using Salesforce",
        "zzz",
        " ",
    ],
)
def test_a_sentence_a_list_and_a_not_are_not_words(ask: Ask, word: str) -> None:
    assert ask(word) == ()


def test_the_words_of_the_service_are_what_is_found(ask: Ask) -> None:
    assert in_short(ask("C-level", "flat")) == [("seniority", ["cxo"])]
    assert in_short(ask("VP", "flat")) == [("seniority", ["vp"])]


@pytest.mark.parametrize("word", ["-B2B", "!vp", "≠ceo", "phone 🚫"])
def test_a_sign_is_no_part_of_a_word(ask: Ask, word: str) -> None:
    assert ask(word) == ()


def test_a_number_of_one_thing_is_not_one_of_another(ask: Ask) -> None:
    assert [one.key for one in ask("over 50 employees")] == ["companySize"]
    assert [one.key for one in ask("over 50 years old")] == ["ageRange"]
    assert [one.key for one in ask("$10M+")] == ["companyRevenueRange"]


def test_what_a_range_cuts_is_said(ask: Ask) -> None:
    (size,) = ask("51-200")
    assert size.note == "'101 to 250' only partly within it."
