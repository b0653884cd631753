"""What one word means as a value of one filter: exactly, nearly, or not at all."""

from collections.abc import Mapping

import pytest

from leadpipe_mcp.vocabulary.catalog import FilterCatalog, FilterEntry, FilterValue
from leadpipe_mcp.vocabulary.resolve import USE_EXCLUDE, Meaning, has_sign, resolve


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


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("seniority", "vp", ["VPs", "Vice President", "vice-presidents"]),
        ("seniority", "c_suite", ["CXO", "C-level", "c_suite", "C-Suite"]),
        ("state", "california", ["CA"]),
        ("department", "human resources", ["HR"]),
        ("companySize", "51 to 100", ["51 - 100", "51\u2013100 employees"]),
        ("companySize", "10000+", ["10000+"]),
        ("ageRange", "65 and older", ["65+"]),
    ],
)
def test_another_name_of_the_same_thing_is_that_thing(
    key: str, value: str, words: list[str], catalog: FilterCatalog
) -> None:
    assert [meaning(catalog, key, word) for word in words] == [exactly(value)] * len(words)


def test_the_same_thing_is_the_value_that_the_catalogue_has(
    catalogs: Mapping[str, FilterCatalog],
) -> None:
    for word in ("C-level", "c_suite", "cxo"):
        assert meaning(catalogs["flat"], "seniority", word) == exactly("cxo")


LEVELS = ["entry", "senior", "manager", "director", "vp", "c_suite", "owner", "partner"]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (LEVELS[3:], "director or above|Directors and above|at least director|director+"),
        (LEVELS[4:], "VP+|VPs or higher|above director"),
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


def test_a_range_is_the_values_inside_and_names_those_that_it_cuts(catalog: FilterCatalog) -> None:
    found = meaning(catalog, "companySize", "51-200")
    assert found == Meaning("exact", ("51 to 100",), cut=("101 to 250",))


@pytest.mark.parametrize(
    ("key", "word", "nearest"),
    [
        ("companySize", "90-120", ["51 to 100", "101 to 250"]),
        ("companyRevenueRange", "2 billion or more", ["over 1 billion"]),
        ("ageRange", "5-9", ["18 to 24"]),
    ],
)
def test_where_no_value_lies_inside_a_range_the_nearest_is_named_and_none_taken(
    key: str, word: str, nearest: list[str], catalog: FilterCatalog
) -> None:
    found = meaning(catalog, key, word)
    assert (found.sure, found.values, found.could_be) == ("none", (), tuple(nearest))


@pytest.mark.parametrize(
    ("key", "word", "value"),
    [
        ("state", "Masachusetts", "massachusetts"),
        ("state", "hampshire", "new hampshire"),
        ("companyIndustry", "software developmnt", "software development"),
    ],
)
def test_what_is_only_near_is_never_called_the_same(
    key: str, word: str, value: str, catalog: FilterCatalog
) -> None:
    found = meaning(catalog, key, word)
    assert (found.sure, found.values) == ("close", (value,))
    assert found.note


@pytest.mark.parametrize(
    ("word", "values"),
    [
        ("carolina", ("north carolina", "south carolina")),
        ("software", ("software_a = Software", "software_b = Software")),
    ],
)
def test_what_is_near_several_values_is_ambiguous(word: str, values: tuple[str, ...]) -> None:
    found = resolve(word, listing(*values), "x.y")
    assert (found.sure, found.values) == ("ambiguous", ())
    assert found.could_be == tuple(value.partition(" = ")[0] for value in values)


@pytest.mark.parametrize("word", ["xyzzy", "a", "", "  ", "🚫", "boss of nobody"])
def test_what_is_near_to_nothing_is_nothing(word: str, catalog: FilterCatalog) -> None:
    for entry in catalog.entries.values():
        found = resolve(word, entry, catalog.name_of(entry.key))
        assert (found.sure, found.values) == ("none", ())


def test_a_list_in_one_word_is_said_to_be_one(catalog: FilterCatalog) -> None:
    found = meaning(catalog, "seniority", "VPs and directors")
    assert (found.sure, found.note) == ("none", "Send a list, one value each: 'VPs', 'directors'.")


SIGNED = "!{}|! {}|-{}|\u2212{}|\u2013{}|≠ {}|¬{}|~{}|<>{}|!={}|{} 🚫|❌ {}|{}!|{} -|*{}|\\{}|>{}"


@pytest.mark.parametrize("signed", SIGNED.split("|"))
def test_a_word_with_a_sign_is_refused_with_a_hint_to_exclude(
    signed: str, catalog: FilterCatalog
) -> None:
    for key, word in (("seniority", "vp"), ("state", "Texas"), ("seniority", "VP+")):
        assert meaning(catalog, key, signed.format(word)) == Meaning("none", note=USE_EXCLUDE)
    if signed[0] != ">":
        assert meaning(catalog, "companySize", signed.format("51-200")).values == ()


def test_a_sign_is_what_may_mean_not() -> None:
    signed, plain = "<10000|10000+|!vp|vp 🚫|vp-", "vp|e-commerce|r&d|children's|a / b|c_suite|a, b"
    assert all(map(has_sign, signed.split("|")))
    assert not any(map(has_sign, plain.split("|")))


def test_a_value_that_has_a_sign_is_still_that_value() -> None:
    entry = listing("10000+", "c++", "-1", "cs = C#", "!")
    for value in entry.values:
        for word in (value.value, value.label):
            assert resolve(word, entry, "x.y") == exactly(value.value)


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
        found = meaning(catalog, key, word)
        assert (found.sure, found.values, found.note) == ("none", (), USE_EXCLUDE), word


def test_a_name_that_begins_like_a_not_is_a_name() -> None:
    entry = listing("nonprofit", "notaries", "no preference", "minus forty")
    words = ("non-profit", "notary", "No preference", "minus-forty")
    for word, value in zip(words, entry.values, strict=True):
        assert resolve(word, entry, "x.y") == exactly(value.value)
    assert resolve("non-profit", listing("banking"), "x.y").values == ()
