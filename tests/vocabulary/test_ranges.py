from collections.abc import Mapping
from math import inf

import pytest

from leadpipe_mcp.vocabulary.catalog import RANGES
from leadpipe_mcp.vocabulary.ranges import Cover, Span, cover, joined, read_number, read_range

SIZES = (
    *("1 to 10", "11 to 50", "51 to 100", "101 to 250", "251 to 500", "501 to 1000"),
    *("1001 to 5000", "5001 to 10000", "10000+"),
)
REVENUES = (
    *("under 1 million", "1 million to 5 million", "5 million to 10 million"),
    *("10 million to 25 million", "25 million to 50 million", "50 million to 100 million"),
    "over 1 billion",
)
AGES = ("18 to 24", "25 to 34", "35 to 44", "45 to 54", "55 to 64", "65 and older")
KEYS: Mapping[tuple[str, ...], str] = {
    SIZES: "companySize",
    REVENUES: "companyRevenueRange",
    AGES: "ageRange",
}


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (51, 200, "51-200|51 \u2013 200|51 to 200 employees|between 51 and 200|from 51 to 200"),
        (200, 200, "200"),
        (1_000, 1_000, "1,000"),
        (200, inf, "200+|200 or more|at least 200|min 200|>= 200|≥200"),
        (65, inf, "65 and older|65+ years old"),
        (130, 130, "130"),
        (0, 50, "up to 50|at most 50|max of 50|<=50|50 or less"),
        (10e6, 50e6, "$10M-$50M|10-50 million"),
        # Only the smaller number takes the unit of the larger.
        (50, 10e6, "50 to 10 million"),
        (10e6, 1e9, "$10m to $1bn in annual revenue"),
        (500e3, 1e6, "500k - 1m"),
        (2.5e6, inf, "€2.5 million or more"),
        (5e6, 5e6, "5 million USD"),
    ],
)
def test_a_range_is_read_as_people_write_it(low: float, high: float, texts: str) -> None:
    for text in texts.split("|"):
        assert {read_range(text, key) for key in RANGES} - {None} == {Span(low, high)}, text


def test_what_is_above_or_below_a_number_does_not_hold_the_number() -> None:
    for text in ("over 1000", ">1000", "more than 1,000", "above 1k"):
        assert read_range(text, "companySize") == Span(1001, inf)
    for text in ("under 50", "<50", "fewer than 50", "below 50 employees"):
        assert read_range(text, "companySize") == Span(0, 49)


def test_what_is_not_a_range_or_one_of_another_thing_is_not_read_as_one() -> None:
    odd = ("", "many", "-50", "50-", "200-51", "not 50", "50%", "about 50", "50 dogs", "!50")
    for text in (*odd, "51-200-300"):
        assert {read_range(text, key) for key in RANGES} == {None}, text
    assert read_range("130", "ageRange") == Span(130, 130)
    for text, key in (
        ("over 50 employees", "ageRange"),
        ("51-200", "ageRange"),
        ("over 50 employees", "companyRevenueRange"),
        ("over 50 years", "companySize"),
        ("$50", "companySize"),
        ("131", "ageRange"),
    ):
        assert read_range(text, key) is None, text


def test_ranges_that_follow_each_other_are_one() -> None:
    assert joined([Span(201, 500), Span(51, 200)], "companySize") == [Span(51, 500)]
    apart = [Span(51, 199), Span(201, 500)]
    assert joined(apart, "companySize") == apart
    assert joined([Span(200, inf), Span(51, 250)], "companySize") == [Span(51, inf)]


@pytest.mark.parametrize(
    ("values", "text", "inside", "cut"),
    [
        (SIZES, "51-200", SIZES[2:3], SIZES[3:4]),
        (SIZES, "200+", SIZES[4:], SIZES[3:4]),
        (SIZES, "<50", SIZES[:1], SIZES[1:2]),
        (SIZES, "up to 50", SIZES[:2], ()),
        (SIZES, ">1000", SIZES[6:], ()),
        (SIZES, "1000+", SIZES[6:], SIZES[5:6]),
        (SIZES, "10000 or more", SIZES[8:], SIZES[7:8]),
        # What begins where another ends begins one later.
        (SIZES, "5001-10000", SIZES[7:8], ()),
        (SIZES, "10001-20000", (), SIZES[8:]),
        (REVENUES, "$10M-$50M", REVENUES[3:5], ()),
        (REVENUES, "$20M-$60M", REVENUES[4:5], (REVENUES[3], REVENUES[5])),
        (REVENUES, "2bn+", (), REVENUES[-1:]),
        (AGES, "30-50", AGES[2:3], (AGES[1], AGES[3])),
        (AGES, "over 64", AGES[5:], ()),
    ],
)
def test_the_values_inside_are_taken_and_those_that_are_cut_are_named(
    values: tuple[str, ...], text: str, inside: tuple[str, ...], cut: tuple[str, ...]
) -> None:
    span = read_range(text, KEYS[values])
    covered = span and cover(span, values, KEYS[values])
    assert covered
    assert (covered.inside, covered.cut) == (inside, cut)


def test_where_none_is_met_the_nearest_is_named_and_what_is_no_range_covers_nothing() -> None:
    assert cover(Span(5, 9), AGES, "ageRange") == Cover((), (), "18 to 24")
    assert cover(Span(5000, inf), SIZES[:3], "companySize") == Cover((), (), "51 to 100")
    apart = ("10 to 20", "100 to 200")
    near = {(30, 40): "10 to 20", (80, 90): "100 to 200", (60, 99): "100 to 200"}
    for (low, high), nearest in near.items():
        assert cover(Span(low, high), apart, "companySize") == Cover((), (), nearest)
    assert cover(Span(51, 200), ["female", "male"], "companySize") is None
    assert cover(Span(5, 5), ["5", "6+"], "companySize") == Cover(("5",), (), "5")
    covered = cover(Span(51, 200), ["unknown", "51 to 100"], "companySize")
    assert covered == Cover(("51 to 100",), (), "51 to 100")


def test_a_number_is_one_number_and_no_range_of_them() -> None:
    given = {"50M": 50e6, "1,000": 1_000, "$2.5 million": 2.5e6}
    assert {text: read_number(text) for text in given} == given
    assert read_number("10-50 million") is read_number("many") is read_number("under 5") is None
