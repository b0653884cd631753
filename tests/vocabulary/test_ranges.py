from collections.abc import Mapping
from math import inf

import pytest

from leadpipe_mcp.vocabulary.catalog import RANGES
from leadpipe_mcp.vocabulary.ranges import Cover, Span, cover, joined, read_range

SIZES = (
    *("1 to 10", "11 to 50", "51 to 100", "101 to 250", "251 to 500", "501 to 1000"),
    *("1001 to 5000", "5001 to 10000", "10000+"),
)
REVENUES = (
    *("under 1 million", "1 million to 5 million", "5 million to 10 million"),
    *("10 million to 25 million", "25 million to 50 million", "50 million to 100 million"),
    *("100 million to 250 million", "250 million to 500 million", "500 million to 1 billion"),
    "over 1 billion",
)
AGES = ("18 to 24", "25 to 34", "35 to 44", "45 to 54", "55 to 64", "65 and older")
KEYS: Mapping[tuple[str, ...], str] = {
    SIZES: "companySize",
    REVENUES: "companyRevenueRange",
    AGES: "ageRange",
}


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("51-200", 51, 200),
        ("51 \u2013 200", 51, 200),
        ("51 to 200 employees", 51, 200),
        ("between 51 and 200", 51, 200),
        ("from 51 to 200 people", 51, 200),
        ("200", 200, 200),
        ("1,000", 1_000, 1_000),
        ("200+", 200, inf),
        ("200 or more", 200, inf),
        ("at least 200", 200, inf),
        ("min 200", 200, inf),
        (">= 200", 200, inf),
        ("≥200", 200, inf),
        ("65 and older", 65, inf),
        ("65+ years old", 65, inf),
        ("up to 50", 0, 50),
        ("at most 50", 0, 50),
        ("max of 50", 0, 50),
        ("<=50", 0, 50),
        ("50 or less", 0, 50),
        ("$10M-$50M", 10e6, 50e6),
        ("10-50 million", 10e6, 50e6),
        ("$10m to $1bn in annual revenue", 10e6, 1e9),
        ("500k - 1m", 500e3, 1e6),
        ("50M+", 50e6, inf),
        ("€2.5 million or more", 2.5e6, inf),
        ("5 million USD", 5e6, 5e6),
    ],
)
def test_a_range_is_read_as_people_write_it(text: str, low: float, high: float) -> None:
    assert any(read_range(text, key) for key in RANGES)
    assert {read_range(text, key) for key in RANGES} - {None} == {(low, high, False, False)}


@pytest.mark.parametrize("text", ["over 1000", ">1000", "more than 1,000", "above 1k"])
def test_what_is_above_a_number_does_not_hold_the_number(text: str) -> None:
    assert read_range(text, "companySize") == (1000, inf, True, False)


@pytest.mark.parametrize("text", ["under 50", "<50", "fewer than 50", "below 50 employees"])
def test_what_is_below_a_number_does_not_hold_the_number(text: str) -> None:
    assert read_range(text, "companySize") == (0, 50, False, True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "many",
        "-50",
        "50-",
        "200-51",
        "not 50",
        "50%",
        "about 50",
        "50 dogs",
        "!50",
        "51-200-300",
    ],
)
def test_what_is_not_a_range_is_not_read_as_one(text: str) -> None:
    assert {read_range(text, key) for key in RANGES} == {None}


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("over 50 employees", "ageRange"),
        ("over 50 employees", "companyRevenueRange"),
        ("over 50 years", "companySize"),
        ("$50", "companySize"),
        ("51-200", "ageRange"),
    ],
)
def test_a_range_of_another_thing_is_not_one_of_this(text: str, key: str) -> None:
    assert read_range(text, key) is None


def test_ranges_that_follow_each_other_are_one() -> None:
    two = [Span(201, 500), Span(51, 200)]
    assert joined(two, "companySize") == [Span(51, 500)]
    assert joined([Span(51, 199), Span(201, 500)], "companySize") == [
        Span(51, 199),
        Span(201, 500),
    ]
    assert joined([Span(200, inf), Span(51, 250)], "companySize") == [Span(51, inf)]


@pytest.mark.parametrize(
    ("values", "text", "inside", "cut"),
    [
        (SIZES, "51-200", ["51 to 100"], ["101 to 250"]),
        (SIZES, "51-250", ["51 to 100", "101 to 250"], []),
        (SIZES, "200+", SIZES[4:], ["101 to 250"]),
        (SIZES, "under 50", ["1 to 10"], ["11 to 50"]),
        (SIZES, "<50", ["1 to 10"], ["11 to 50"]),
        (SIZES, "up to 50", ["1 to 10", "11 to 50"], []),
        (SIZES, "<51", ["1 to 10", "11 to 50"], []),
        (SIZES, ">1000", SIZES[6:], []),
        (SIZES, "1000+", SIZES[6:], ["501 to 1000"]),
        (SIZES, ">10000", ["10000+"], []),
        (SIZES, "10000 or more", ["10000+"], ["5001 to 10000"]),
        (SIZES, "<10000", SIZES[:7], ["5001 to 10000"]),
        (SIZES, "1-10000", SIZES[:8], []),
        (SIZES, "10001-20000", [], ["10000+"]),
        (REVENUES, "$10M-$50M", REVENUES[3:5], []),
        (REVENUES, "50M+", REVENUES[5:], []),
        (REVENUES, ">50M", REVENUES[5:], []),
        (REVENUES, "under 1 million", REVENUES[:1], []),
        (REVENUES, "up to 5 million", REVENUES[:2], []),
        (REVENUES, "$20M-$60M", ["25 million to 50 million"], [REVENUES[3], REVENUES[5]]),
        (REVENUES, "1bn+", ["over 1 billion"], []),
        (REVENUES, "2bn+", [], ["over 1 billion"]),
        (AGES, "65 and older", ["65 and older"], []),
        (AGES, "25-44", AGES[1:3], []),
        (AGES, "30-50", ["35 to 44"], ["25 to 34", "45 to 54"]),
        (AGES, "under 35", AGES[:2], []),
        (AGES, "over 64", ["65 and older"], []),
    ],
)
def test_the_values_inside_are_taken_and_those_that_are_cut_are_named(
    values: tuple[str, ...], text: str, inside: tuple[str, ...], cut: tuple[str, ...]
) -> None:
    key = KEYS[values]
    span = read_range(text, key)
    assert span is not None
    covered = cover(span, values, key)
    assert covered is not None
    assert (list(covered.inside), list(covered.cut)) == (list(inside), list(cut))


def test_where_none_is_met_the_nearest_is_named() -> None:
    for low, high, nearest in ((5, 9, "18 to 24"), (0, 1, "18 to 24")):
        covered = cover(Span(low, high), AGES, "ageRange")
        assert covered == Cover((), (), nearest)
    assert cover(Span(5000, inf), SIZES[:3], "companySize") == Cover((), (), "51 to 100")


def test_values_that_are_not_ranges_cover_nothing() -> None:
    span = read_range("51-200", "companySize")
    assert span is not None
    assert cover(span, ["female", "male"], "companySize") is None
    covered = cover(span, ["unknown", "51 to 100"], "companySize")
    assert covered is not None
    assert covered.inside == ("51 to 100",)
