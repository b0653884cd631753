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


def test_a_value_is_itself_by_value_and_label_in_any_case(
    catalogs: Mapping[str, FilterCatalog],
) -> None:
    for catalog, entry in ((c, e) for c in catalogs.values() for e in c.entries.values()):
        key = catalog.name_of(entry.key)
        for value in entry.values:
            written = {value.value, value.label, value.value.upper(), f" {value.label.title()} "}
            written |= {value.value.replace(" ", "-"), value.value.replace(" ", "_")}
            for word in written:
                assert resolve(word, entry, key) == Meaning("exact", (value.value,)), word


@pytest.mark.parametrize(
    ("key", "word", "values"),
    [
        ("seniority", "VPs", ["vp"]),
        ("seniority", "Vice President", ["vp"]),
        ("seniority", "vice-presidents", ["vp"]),
        ("seniority", "Directors", ["director"]),
        ("seniority", "CXO", ["c_suite"]),
        ("seniority", "C-level", ["c_suite"]),
        ("seniority", "c_suite", ["c_suite"]),
        ("seniority", "cxo", ["c_suite"]),
        ("seniority", "C-Suite", ["c_suite"]),
        ("state", "CA", ["california"]),
        ("state", "tx", ["texas"]),
        ("department", "HR", ["human resources"]),
        ("department", "IT", ["information technology"]),
        ("companySize", "51 - 100", ["51 to 100"]),
        ("companySize", "51\u2013100 employees", ["51 to 100"]),
        ("companySize", "10000+", ["10000+"]),
        ("ageRange", "65+", ["65 and older"]),
    ],
)
def test_another_name_of_the_same_thing_is_that_thing(
    key: str, word: str, values: list[str], catalog: FilterCatalog
) -> None:
    assert meaning(catalog, key, word) == Meaning("exact", tuple(values))


def test_the_same_thing_is_the_value_that_the_catalogue_has(
    catalogs: Mapping[str, FilterCatalog],
) -> None:
    for word in ("C-level", "c_suite", "cxo"):
        assert meaning(catalogs["flat"], "seniority", word) == Meaning("exact", ("cxo",))


UP = ["director", "vp", "c_suite", "owner", "partner"]


@pytest.mark.parametrize(
    ("word", "values"),
    [
        ("director or above", UP),
        ("Directors and above", UP),
        ("at least director", UP),
        ("director+", UP),
        ("VP+", UP[1:]),
        ("VPs or higher", UP[1:]),
        ("above director", UP[1:]),
        ("C-level or above", UP[2:]),
        ("up to manager", ["entry", "senior", "manager"]),
        ("manager or below", ["entry", "senior", "manager"]),
        ("below manager", ["entry", "senior"]),
    ],
)
def test_a_rung_of_the_ladder_is_all_the_values_from_there(
    word: str, values: list[str], catalog: FilterCatalog
) -> None:
    found = meaning(catalog, "seniority", word)
    assert found.sure == "exact"
    assert set(found.values) == set(values)
    assert meaning(catalog, "department", word).values == ()


@pytest.mark.parametrize(
    ("key", "word", "values", "cut"),
    [
        ("companySize", "51-200", ["51 to 100"], ["101 to 250"]),
        ("companySize", "<50", ["1 to 10"], ["11 to 50"]),
        ("companySize", ">5000 employees", ["5001 to 10000", "10000+"], []),
        ("companySize", "between 501 and 5,000", ["501 to 1000", "1001 to 5000"], []),
        (
            "companyRevenueRange",
            "$10M-$50M",
            ["10 million to 25 million", "25 million to 50 million"],
            [],
        ),
        (
            "companyRevenueRange",
            "500M+",
            ["500 million to 1 billion", "over 1 billion"],
            [],
        ),
        ("ageRange", "under 30", ["18 to 24"], ["25 to 34"]),
    ],
)
def test_a_range_is_the_values_inside_and_names_those_that_it_cuts(
    key: str, word: str, values: list[str], cut: list[str], catalog: FilterCatalog
) -> None:
    assert meaning(catalog, key, word) == Meaning("exact", tuple(values), cut=tuple(cut))


@pytest.mark.parametrize(
    ("key", "word", "nearest"),
    [
        ("companySize", "60", ["51 to 100"]),
        ("companySize", "90-120", ["51 to 100", "101 to 250"]),
        ("companyRevenueRange", "$30M", ["25 million to 50 million"]),
        ("companyRevenueRange", "2 billion or more", ["over 1 billion"]),
        ("ageRange", "70", ["65 and older"]),
        ("ageRange", "5-9", ["18 to 24"]),
    ],
)
def test_where_no_value_lies_inside_a_range_the_nearest_is_named_and_none_taken(
    key: str, word: str, nearest: list[str], catalog: FilterCatalog
) -> None:
    found = meaning(catalog, key, word)
    assert (found.sure, found.values, found.could_be) == ("none", (), tuple(nearest))


def test_only_sizes_revenues_and_ages_are_ranges(catalog: FilterCatalog) -> None:
    for key in ("seniority", "department", "state", "gender", "companyIndustry"):
        assert meaning(catalog, key, "51-200").sure == "none"
    assert resolve("51-200", listing("big", "small"), "companySize").sure == "none"


@pytest.mark.parametrize(
    ("key", "word", "value"),
    [
        ("state", "californa", "california"),
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


def test_what_is_near_several_values_is_ambiguous() -> None:
    found = resolve("carolina", listing("north carolina", "south carolina"), "x.y")
    assert (found.sure, found.values) == ("ambiguous", ())
    assert found.could_be == ("north carolina", "south carolina")
    twins = listing("software_a = Software", "software_b = Software")
    found = resolve("software", twins, "x.y")
    assert (found.sure, found.could_be) == ("ambiguous", ("software_a", "software_b"))


@pytest.mark.parametrize("word", ["xyzzy", "a", "", "  ", "🚫", "boss of nobody"])
def test_what_is_near_to_nothing_is_nothing(word: str, catalog: FilterCatalog) -> None:
    for entry in catalog.entries.values():
        found = resolve(word, entry, catalog.name_of(entry.key))
        assert (found.sure, found.values) == ("none", ())


def test_a_list_in_one_word_is_said_to_be_one(catalog: FilterCatalog) -> None:
    found = meaning(catalog, "seniority", "VPs and directors")
    assert (found.sure, found.note) == (
        "none",
        "Send a list, one value each: 'VPs', 'directors'.",
    )


SIGNED = [
    *(
        "!{}",
        "! {}",
        "-{}",
        "- {}",
        "\u2212{}",
        "\u2013{}",
        "≠ {}",
        "¬{}",
        "~{}",
        "<>{}",
        "^{}",
        "!={}",
    ),
    *("{} 🚫", "❌ {}", "{}!", "{} -", "*{}", "\\{}", "<{}", ">{}"),
]


@pytest.mark.parametrize("signed", SIGNED)
def test_a_word_with_a_sign_is_refused_with_a_hint_to_exclude(
    signed: str, catalog: FilterCatalog
) -> None:
    for key, word in (("seniority", "vp"), ("state", "Texas")):
        assert meaning(catalog, key, signed.format(word)) == Meaning("none", note=USE_EXCLUDE)


@pytest.mark.parametrize(
    "signed",
    [
        "!51-200",
        "-51 to 200",
        "\u2212 200+",
        "≠ 51-200",
        "51-200 🚫",
        "not 51-200",
        "!VP+",
        "- VP or above",
    ],
)
def test_neither_a_range_nor_a_rung_takes_a_sign(signed: str, catalog: FilterCatalog) -> None:
    for key in ("companySize", "seniority"):
        assert meaning(catalog, key, signed).values == ()


@pytest.mark.parametrize(
    ("word", "signed"),
    [
        *(("<10000", True), ("10000+", True), ("!vp", True), ("vp 🚫", True), ("vp-", True)),
        *(("vp", False), ("e-commerce", False), ("r&d", False), ("children's", False)),
        *(("aerospace / defense", False), ("c_suite", False), ("it, services", False)),
    ],
)
def test_a_sign_is_what_may_mean_not(word: str, *, signed: bool) -> None:
    assert has_sign(word) == signed


def test_a_value_that_has_a_sign_is_still_that_value() -> None:
    entry = listing("10000+", "c++", "-1", "cs = C#", "!")
    for value in entry.values:
        assert resolve(value.value, entry, "x.y") == Meaning("exact", (value.value,))
        assert resolve(value.label, entry, "x.y") == Meaning("exact", (value.value,))


@pytest.mark.parametrize(
    ("key", "word"),
    [
        ("state", "not texas"),
        ("state", "Outside of Texas"),
        ("state", "anything but texas"),
        ("state", "everyone but Texas"),
        ("seniority", "no managers"),
        ("seniority", "non-managers"),
        ("seniority", "any but VP"),
        ("seniority", "anyone but VPs"),
        ("seniority", "without directors"),
        ("seniority", "all but vp or above"),
        ("seniority", "not vp+"),
        ("department", "never sales"),
        ("department", "excluding HR"),
        ("companyIndustry", "other than banking"),
        ("companySize", "not 51-200"),
    ],
)
def test_a_not_is_never_taken_for_what_it_denies(
    key: str, word: str, catalog: FilterCatalog
) -> None:
    found = meaning(catalog, key, word)
    assert (found.sure, found.values, found.note) == ("none", (), USE_EXCLUDE)


def test_a_name_that_begins_like_a_not_is_a_name() -> None:
    entry = listing("nonprofit", "notaries", "no preference", "minus forty")
    for word, value in (
        ("non-profit", "nonprofit"),
        ("Non Profits", "nonprofit"),
        ("notary", "notaries"),
        ("No preference", "no preference"),
        ("minus-forty", "minus forty"),
    ):
        assert resolve(word, entry, "x.y") == Meaning("exact", (value,))
    assert resolve("non-profit", listing("banking"), "x.y").values == ()


def test_everyday_names_belong_to_their_filter_alone(
    catalogs: Mapping[str, FilterCatalog],
) -> None:
    for catalog in catalogs.values():
        assert meaning(catalog, "department", "CA").values == ()
        assert meaning(catalog, "state", "IT").values == ()
        assert meaning(catalog, "companyIndustry", "VP").values == ()
