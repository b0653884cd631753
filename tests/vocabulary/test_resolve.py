"""What one word means as a value of one filter: exactly, nearly, or not at all."""

from collections.abc import Mapping

import pytest

from leadpipe_mcp.vocabulary.catalog import FilterCatalog, FilterEntry, FilterValue
from leadpipe_mcp.vocabulary.resolve import USE_EXCLUDE, Meaning, has_sign, resolve

DENIED = Meaning("none", note=USE_EXCLUDE)


def listing(*values: str) -> FilterEntry:
    """A filter with these values; "value = Label" names both."""
    pairs = [value.partition(" = ") for value in values]
    return FilterEntry(
        "x.y", "Y", "values", tuple(FilterValue(value, label or value) for value, _, label in pairs)
    )


def meaning(catalog: FilterCatalog, key: str, word: str) -> Meaning:
    return resolve(word, catalog.entry_for(key), key)


def exactly(*values: str) -> Meaning:
    return Meaning("exact", values)


def test_a_value_is_itself_by_value_and_label_in_any_case(
    catalogs: Mapping[str, FilterCatalog],
) -> None:
    for catalog, entry in ((c, e) for c in catalogs.values() for e in c.entries.values()):
        key = catalog.name_of(entry.key)
        for value in entry.values:
            written = {value.value, value.label, value.value.upper(), f" {value.label.title()} "}
            written |= {value.value.replace(" ", "-"), value.value.replace(" ", "_")}
            for word in written:
                assert resolve(word, entry, key) == exactly(value.value), word
    signed = listing("10000+", "c++", "-1", "cs = C#", "cpd = C++ Dev", "!")
    for value in signed.values:
        for word in (value.value, value.label):
            assert resolve(word, signed, "x.y") == exactly(value.value), "even if it has a sign"
    assert resolve("A", listing("a", "A"), "x.y") == exactly("A")


LEVELS = ["entry", "senior", "manager", "director", "vp", "c_suite", "owner", "partner"]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (LEVELS[3:], "director or above|Directors and above|at least director|director+"),
        (LEVELS[4:], "VP+|VPs or higher|above director|vice president and above"),
        (LEVELS[4:], "VP level and above|VP level or higher"),
        (LEVELS[1:], "senior level and above"),
        (LEVELS[:3], "up to manager|manager or below"),
        (LEVELS[:2], "below manager"),
    ],
)
def test_a_rung_of_the_ladder_is_all_the_values_from_there(
    values: list[str], words: str, catalog: FilterCatalog
) -> None:
    for word in words.split("|"):
        found = meaning(catalog, "seniority", word)
        assert (found.sure, set(found.values)) == ("exact", set(values)), word
        assert meaning(catalog, "department", word).values == ()


@pytest.mark.parametrize(
    ("key", "word", "sure", "values", "could_be"),
    [
        # Of a range the values inside, or the nearest by name if there are none.
        ("companySize", "51-200", "exact", ["51 to 100"], []),
        ("companySize", "90-120", "none", [], ["51 to 100", "101 to 250"]),
        ("ageRange", "5-9", "none", [], ["18 to 24"]),
        # What is only near is never called the same.
        ("state", "Masachusetts", "close", ["massachusetts"], []),
        ("companyIndustry", "software developmnt", "close", ["software development"], []),
    ],
)
def test_a_range_and_a_near_word_are_taken_for_what_they_are(
    key: str, word: str, sure: str, values: list[str], could_be: list[str], catalog: FilterCatalog
) -> None:
    found = meaning(catalog, key, word)
    assert (found.sure, [*found.values], [*found.could_be]) == (sure, values, could_be)
    assert found.cut == (("101 to 250",) if word == "51-200" else ())
    assert bool(found.note) == (sure != "exact")


def close(note: str, *values: str) -> Meaning:
    return Meaning("close", values, note)


def test_what_is_near_comes_with_the_reason(catalog: FilterCatalog) -> None:
    fixed = "such names have no fixed bounds, and no filter knows a company's age or growth"
    assert meaning(catalog, "companySize", "SMB") == close(
        f"Taken as 1-500: {fixed}.",
        *("1 to 10", "11 to 50", "51 to 100", "101 to 250", "251 to 500"),
    )
    assert resolve("SMB", listing("5000 to 9000"), "companySize").values == ()
    divided = "The service divides industries differently, so the nearest are taken."
    assert meaning(catalog, "companyIndustry", "SaaS") == close(divided, "software development")
    only = "The only value with these words in its name."
    # The words may be in the value and in its label, but none of three letters, nor a number.
    assert resolve("area", listing("area north", "x"), "x.y") == close(only, "area north")
    assert resolve("area north", listing("area = North"), "x.y") == close(only, "area")
    for word, value in (("bar", "bar tab"), ("area1", "area1 north"), ("north bar", "bar north x")):
        assert resolve(word, listing(value), "x.y").values == (), word


def test_only_long_words_that_begin_alike_are_spellings_of_each_other() -> None:
    slip = "Taken as another spelling."
    assert resolve("ohiio", listing("ohio"), "x.y") == close(slip, "ohio")
    for word, value in (
        *(("balifornia", "california"), ("region12x", "region13x"), ("abcd", "abc")),
        *(("califrnia x", "california y"), ("califrnia", "california x")),
    ):
        assert resolve(word, listing(value), "x.y").values == (), word


def test_what_joins_two_words_is_written_in_two_ways_and_nothing_is_named_by_no_letter() -> None:
    assert resolve("R & D", listing("r and d"), "x.y") == exactly("r and d")
    assert resolve("", listing("?"), "x.y").values == ()
    assert not has_sign("`vp`")


def test_of_what_is_like_it_four_values_are_named() -> None:
    names = [f"northern{letter}" for letter in "abcdef"]
    assert resolve("northx", listing(*names), "x.y").could_be == tuple(names[:4])
    assert resolve("51-200", listing("small", "large"), "companySize") == Meaning(
        "none", note="Its values are not ranges of numbers."
    )


def test_what_is_near_several_values_is_ambiguous() -> None:
    states = ("north carolina", "south carolina")
    found = resolve("carolina", listing(*states), "x.y")
    assert (found.sure, found.values, found.could_be) == ("ambiguous", (), states)
    found = resolve("software", listing("software_a = Software", "software_b = Software"), "x.y")
    assert (found.sure, found.could_be) == ("ambiguous", ("software_a", "software_b"))
    assert found.note == "Several values have this name."


def test_what_is_near_to_nothing_is_nothing_and_a_list_in_one_word_is_said_to_be_one(
    catalog: FilterCatalog,
) -> None:
    for word in ("xyzzy", "a", "", "  ", "🚫", "boss of nobody"):
        for entry in catalog.entries.values():
            found = resolve(word, entry, catalog.name_of(entry.key))
            assert (found.sure, found.values) == ("none", ()), word
    found = meaning(catalog, "seniority", "VPs and directors")
    assert (found.sure, found.note) == ("none", "Send a list, one value each: 'VPs', 'directors'.")
    found = meaning(catalog, "seniority", "vp, , director")
    assert found.note == "Send a list, one value each: 'vp', 'director'."
    assert meaning(catalog, "seniority", "VPs and wizards").note == ""


SIGNED = "!{}|! {}|-{}|\u2212{}|\u2013{}|≠ {}|¬{}|~{}|<>{}|!={}|{} 🚫|❌ {}|{}!|{} -|*{}|\\{}|>{}"


def test_a_word_with_a_sign_is_refused_with_a_hint_to_exclude(catalog: FilterCatalog) -> None:
    for signed in SIGNED.split("|"):
        for key, word in (("seniority", "vp"), ("state", "Texas"), ("seniority", "VP+")):
            assert meaning(catalog, key, signed.format(word)) == DENIED, signed
        if signed[0] != ">":
            assert meaning(catalog, "companySize", signed.format("51-200")).values == ()
    assert meaning(catalog, "state", "Texas+") == DENIED
    signed, plain = "<10000|10000+|!vp|vp 🚫|vp-", "vp|e-commerce|r&d|children's|a / b|c_suite|a, b"
    assert all(map(has_sign, signed.split("|")))
    assert not any(map(has_sign, plain.split("|")))


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("state", "not texas|Outside of Texas|anything but texas|everyone but Texas"),
        ("seniority", "no managers|non-managers|without directors|not vp+|all but vp or above"),
        ("department", "never sales|excluding HR"),
        ("companyIndustry", "other than banking"),
        ("companySize", "not 51-200"),
    ],
)
def test_a_not_is_never_taken_for_what_it_denies(
    key: str, words: str, catalog: FilterCatalog
) -> None:
    for word in words.split("|"):
        assert meaning(catalog, key, word) == DENIED, word


def test_a_name_that_begins_like_a_not_is_a_name() -> None:
    entry = listing("nonprofit", "notaries", "no preference", "minus forty")
    words = ("non-profit", "notary", "No preference", "minus-forty")
    for word, value in zip(words, entry.values, strict=True):
        assert resolve(word, entry, "x.y") == exactly(value.value)
    assert resolve("non-profit", listing("banking"), "x.y").values == ()
