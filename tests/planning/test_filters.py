"""From words to filters: what is said is data, in filter_words.toml; the rest stands here."""

import fnmatch
import math
import re
import time
import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

import anyio
import pytest
from pydantic import SecretStr

from leadpipe_mcp.api.filters import FLAT_KEYS, Kind, read_filters
from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.spelling import FilterCatalog, FilterEntry, FilterValue, Vocabulary
from leadpipe_mcp.api.transport import Transport
from leadpipe_mcp.planning.filters import (
    Found,
    Match,
    describe_filter,
    describe_filters,
    find_filters,
)
from leadpipe_mcp.planning.ranges import Span
from leadpipe_mcp.planning.words import known_words
from leadpipe_mcp.sandbox import Sandbox, SandboxSettings
from leadpipe_mcp.sandbox.topics import inventory


def table(name: str, entries: str) -> list[dict[str, Any]]:
    """The entries of a data file beside this one."""
    text = (Path(__file__).parent / name).read_text("utf-8")
    return cast("list[dict[str, Any]]", tomllib.loads(text)[entries])


SAYINGS = table("filter_words.toml", "saying")
BRIEFS = table("briefs.toml", "brief")
EVERYTHING_SAID = [
    *(saying["said"] for saying in SAYINGS),
    *(brief["filters"] for brief in BRIEFS if "filters" in brief),
]
PROFILES = ("mixed", "catalog", "flat")
Find = Callable[[str], Found]


@cache
def live(profile: str) -> FilterCatalog:
    """The catalogue that a sandbox of this profile serves."""

    async def ask() -> FilterCatalog:
        sandbox = Sandbox(SandboxSettings(profile=cast("Any", profile), people=2_000))
        client = LeadpipeClient(
            Transport("https://service.test", SecretStr("sk_test"), application=sandbox)
        )
        try:
            return await client.configs.filters()
        finally:
            await client.close()

    return anyio.run(ask)


@pytest.fixture
def find() -> Find:
    """Finds filters in the catalogue of May 2026."""
    return lambda about: find_filters(about, live("mixed"))


@pytest.fixture
def find_flat() -> Find:
    """Finds filters in the flat vocabulary."""
    return lambda about: find_filters(about, live("flat"))


def made(*entries: FilterEntry, vocabulary: Vocabulary = "catalog") -> FilterCatalog:
    return FilterCatalog(vocabulary, {entry.key: entry for entry in entries})


def entry(key: str, *values: str, kind: Kind = "values") -> FilterEntry:
    return FilterEntry(key, key, kind, tuple(FilterValue(value, value) for value in values))


def notes(found: Found) -> list[str | None]:
    return [match.note for match in found.matches]


def sure(found: Found) -> list[str]:
    return [match.sure for match in found.matches]


def in_full(filters: Mapping[str, Any], catalog: FilterCatalog) -> dict[str, Any]:
    """The filters with "all but" written out."""
    full: dict[str, Any] = {}
    for key, wanted in filters.items():
        if isinstance(wanted, list) and wanted[0] == "all but":
            values = [known.value for known in catalog.entries[key].values]
            full[key] = [value for value in values if value not in wanted]
        else:
            full[key] = wanted
    return full


@pytest.mark.parametrize("profile", ["mixed", "flat"])
@pytest.mark.parametrize("saying", SAYINGS, ids=[saying["said"] for saying in SAYINGS])
def test_what_is_said_is_found(saying: dict[str, Any], profile: str) -> None:
    catalog = live(profile)
    found = find_filters(saying["said"], catalog)
    flat = profile == "flat"

    def expected(name: str) -> list[str]:
        return (saying.get(f"flat_{name}") if flat else None) or (
            [] if flat and f"flat_{name}" in saying else saying.get(name, [])
        )

    assert found.filters == in_full(saying["flat" if flat else "catalog"], catalog)
    assert sure(found) == expected("sure")
    assert [unsaid.asked for unsaid in found.not_possible] == expected("not_possible")
    assert list(found.not_understood) == saying.get("not_understood", [])
    assert found.people_wanted == span(saying.get("people_wanted"))


def span(ends: list[int] | None) -> Span | None:
    """From and to how many people; no second number is no end."""
    return Span(ends[0], ends[1] if len(ends) > 1 else math.inf) if ends else None


def as_wanted(filters: Mapping[str, Any], catalog: FilterCatalog) -> dict[str, Any]:
    """Filters of either spelling as what they come to with this catalogue."""
    return dict(as_written(key, value, catalog) for key, value in filters.items())


def as_written(key: str, value: object, catalog: FilterCatalog) -> tuple[str, object]:
    entry = catalog.entry_for(key)
    if entry.kind in {"flag", "yes_no"}:
        return entry.key, value in (True, "y")
    words = [value] if isinstance(value, str) else cast("list[str]", value)
    if words[0] == "all but":
        return entry.key, {known.value for known in entry.values} - set(words)
    spelled = {"c_suite": "cxo"} if catalog.vocabulary == "flat" else {}
    return entry.key, {spelled.get(word, word) for word in words}


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("brief", BRIEFS, ids=[brief["says"][:50] for brief in BRIEFS])
def test_the_filters_of_a_brief_are_what_a_careful_colleague_would_take(
    brief: dict[str, Any], profile: str
) -> None:
    catalog = live(profile)
    found = find_filters(brief.get("filters", ""), catalog, decide=True)
    impossible = brief.get("not_possible", [])
    wanted = brief["applied"]
    if profile == "flat":
        impossible = brief.get("flat_not_possible", impossible)
        wanted = brief.get("flat", wanted)

    assert as_wanted(found.filters, catalog) == as_wanted(wanted, catalog)
    assert [unsaid.asked for unsaid in found.not_possible] == impossible
    assert list(found.not_understood) == brief.get("not_understood", [])
    assert found.people_wanted == span(brief.get("people_wanted"))


@pytest.mark.parametrize("brief", BRIEFS, ids=[brief["says"][:50] for brief in BRIEFS])
def test_the_topics_of_a_brief_are_there_to_be_chosen(brief: dict[str, Any]) -> None:
    chosen = cast("dict[str, str | list[str]]", brief["chosen"])
    parts = {part for phrase in brief["topics"] for part in re.split(r" (?:and|&) ", phrase)}
    names = [topic.name for topic in inventory()]
    assert set(chosen) == parts
    for one in chosen.values():
        for pattern in [one] if isinstance(one, str) else one:
            assert not pattern or fnmatch.filter(names, pattern), pattern
    assert brief["who"] in {"marketer", "sales", "recruiter", "founder"}


@pytest.mark.parametrize("said", EVERYTHING_SAID)
def test_when_decided_the_filters_are_what_is_taken_and_nothing_else(said: str) -> None:
    for catalog in map(live, PROFILES):
        found = find_filters(said, catalog, decide=True)
        taken = [match for match in found.matches if match.taken]
        left = [match for match in found.matches if not match.taken]

        assert set(catalog.spell(read_filters(found.filters))) == set(found.filters)
        assert {match.key for match in taken} == set(found.filters)
        for key, written in found.filters.items():
            _, value = as_written(key, written, catalog)
            its = [match for match in taken if match.key == key]
            assert all(holds(match, value) for match in its), key
            words = {word for match in its for word in match.choices[0].values}
            assert not isinstance(value, set) or value <= words
        assert all(match.sure == "ambiguous" for match in left)
        reasons = " ".join(unsaid.why for unsaid in found.not_possible)
        assert not left or "It needs an audience of its own" in reasons


def holds(match: Match, value: object) -> bool:
    """Whether the filter does what the wish asks for, in part where others ask for less."""
    choice = match.choices[0]
    if choice.flag is not None:
        return value is choice.flag
    held = cast("set[str]", value)
    return held.isdisjoint(choice.but) if choice.but else not held.isdisjoint(choice.values)


@pytest.mark.parametrize("said", EVERYTHING_SAID)
def test_when_not_decided_what_is_ambiguous_is_in_no_filter(said: str) -> None:
    for catalog in map(live, PROFILES):
        found = find_filters(said, catalog)
        assert all(match.taken == (match.sure != "ambiguous") for match in found.matches)
        assert {match.key for match in found.matches if match.taken} == set(found.filters)


def test_when_decided_the_likeliest_reading_is_taken_and_the_others_are_kept(find: Find) -> None:
    found = find_filters("finance", live("mixed"), decide=True)
    (finance,) = found.matches
    assert found.filters == {"role.departments": ["finance"]}
    assert (finance.sure, finance.taken, finance.key) == ("ambiguous", True, "role.departments")
    assert [choice.key for choice in finance.choices[1:]] == ["company.industries"]
    assert find_filters("25-34", live("mixed"), decide=True).filters == {
        "demographics.ageRanges": ["25 to 34"]
    }


def test_when_decided_the_first_of_two_filters_joined_by_or_is_taken() -> None:
    found = find_filters("Texas or women", live("mixed"), decide=True)
    assert found.filters == {"location.states": ["texas"]}
    assert [(match.asked, match.taken) for match in found.matches] == [
        ("Texas", True),
        ("women", False),
    ]
    (women,) = found.not_possible
    assert women.asked == "women"
    assert women.why == (
        "It needs an audience of its own: all filters must hold, and here 'Texas' was taken."
    )


def test_when_decided_the_first_value_is_taken_where_the_service_takes_one() -> None:
    found = find_filters("California or Texas", live("flat"), decide=True)
    assert found.filters == {"state": "california"}
    (texas,) = found.not_possible
    assert texas.asked == "Texas"
    assert texas.why == (
        "It needs an audience of its own: the service takes one value here, and 'california' was"
        " taken."
    )
    coast = find_filters("west coast or Nevada", live("flat"), decide=True)
    assert [choice.values for choice in coast.matches[0].choices] == [
        ("california",),
        ("oregon",),
        ("washington",),
    ]
    coast_left, nevada = coast.not_possible
    assert (coast_left.asked, nevada.asked) == ("west coast", "Nevada")
    assert coast_left.why == (
        "The service takes one value here, and 'california' was taken; 'oregon', 'washington' need"
        " audiences of their own."
    )
    assert nevada.why == texas.why
    same = find_filters("California, west coast", live("flat"), decide=True)
    assert same.filters == {"state": "california"}
    assert all(match.taken for match in same.matches)


def test_what_is_left_out_is_said_to_be_so(find: Find) -> None:
    agencies, phone = find("not agencies, phone").matches
    assert (agencies.out, agencies.key) == (True, "company.industries")
    assert (phone.out, phone.key) == (False, "contact.hasPhone")


def test_whoever_wants_everybody_needs_no_filter() -> None:
    found = find_filters("men and women, 25-34", live("flat"), decide=True)
    assert found.filters == {"ageRange": ["25 to 34"]}
    assert {unsaid.why for unsaid in found.not_possible} == {
        "All that the service tells apart is wanted, so it needs no filter."
    }


@pytest.mark.parametrize("profile", ["mixed", "flat", "catalog"])
def test_every_filter_that_is_found_can_be_sent(profile: str) -> None:
    catalog = live(profile)
    for saying in SAYINGS:
        found = find_filters(saying["said"], catalog)
        spelled = catalog.spell(read_filters(found.filters))
        assert set(spelled) == set(found.filters), saying["said"]


def test_every_saying_of_the_data_file_is_understood() -> None:
    catalog = live("mixed")
    for said in known_words().meanings:
        words = " ".join(said).upper() if said in known_words().capitals else " ".join(said)
        found = find_filters(f"in {words}", catalog)
        assert found.not_understood == (), words
        assert found.matches or found.not_possible, words


def test_no_saying_of_the_data_file_stands_for_what_another_says_cannot_be_said() -> None:
    assert not set(known_words().meanings) & set(known_words().impossible)


def test_a_close_match_says_why(find: Find) -> None:
    assert notes(find("SaaS")) == ["The catalogue has software companies, however they sell it."]
    assert notes(find("Californa")) == ["Taken for 'california'."]
    assert notes(find("over 100 million")) == ["Taken as the company's revenue a year."]
    assert notes(find("computer network")) == ["The only value with these words."]
    (ladder,) = notes(find("VP+"))
    assert ladder == "Counting 'owner', 'partner' as above the C-level."


def test_an_edge_that_does_not_fit_is_named(find: Find) -> None:
    assert notes(find("51-200 employees")) == ["'101 to 250' goes beyond 200."]
    assert notes(find("70-250 employees")) == ["'51 to 100' begins below 70."]
    assert notes(find("500+ employees")) == ["'251 to 500' holds only the edge and is left out."]
    (money,) = notes(find("$30m revenue"))
    assert money == (
        "'25 million to 50 million' begins below 30 million;"
        " '25 million to 50 million' goes beyond 30 million."
    )


def test_an_ambiguous_word_comes_with_what_it_can_mean(find: Find) -> None:
    (finance,) = find("finance").matches
    assert [(choice.key, choice.values) for choice in finance.choices] == [
        ("role.departments", ("finance",)),
        ("company.industries", ("financial services",)),
    ]


def test_the_words_beside_it_decide_what_a_word_means(find: Find) -> None:
    for said in ("finance managers", "VP of finance", "people in finance", "finance and HR"):
        assert find(said).filters.get("role.departments"), said
    for said in ("finance industry", "companies in finance", "finance or banking"):
        assert find(said).filters.get("company.industries"), said


def test_people_are_counted_where_the_catalogue_counts_them(find: Find, find_flat: Find) -> None:
    (women,) = find("women").matches
    (states,) = find("west coast").matches
    counts = {v.value: v.count for v in live("mixed").entries["location.states"].values}
    assert women.choices[0].people
    assert states.choices[0].people == sum(
        counts[state] or 0 for state in ("california", "oregon", "washington")
    )
    assert find("business email").matches[0].choices[0].people is None
    assert find_flat("women").matches[0].choices[0].people is None


def test_one_value_is_taken_where_the_service_takes_one(find_flat: Find) -> None:
    states = find_flat("Texas or Ohio")
    assert states.filters == {}
    assert set(notes(states)) == {
        "The service takes one value here: choose one, or make an audience for each."
    }
    assert find_flat("Texas, TX").filters == {"state": "texas"}
    (note,) = notes(find_flat("CFO"))
    assert note == (
        "By words in the title."
        " The service takes one title; 'cfo' would need an audience of its own."
    )


def test_or_between_two_filters_is_left_to_the_user(find: Find) -> None:
    found = find("Texas or women")
    assert (found.filters, sure(found)) == ({}, ["ambiguous", "ambiguous"])
    assert notes(found)[0] == (
        "All filters must hold, so 'or' between 'Texas' and 'women' needs an audience for each."
    )


def test_a_title_beside_a_level_is_said_as_a_level(find: Find) -> None:
    assert notes(find("VPs, CFOs")) == [None, "Taken as 'c_suite', to be one filter with 'VPs'."]


def test_what_is_left_out_holds_for_lists_of_the_same_filter(find: Find) -> None:
    assert (
        len(cast("list[str]", find("not banks and insurers").filters["company.industries"])) == 45
    )
    assert find("not banks, insurers").filters["company.industries"] == ["insurance"]
    without = find("excluding banks, insurers, Texas")
    assert len(cast("list[str]", without.filters["company.industries"])) == 45
    assert without.filters["location.states"] == ["texas"]
    assert find("not banks with a phone").filters["contact.hasPhone"] is True
    assert find("not banks; insurers").filters["company.industries"] == ["insurance"]


def test_what_is_left_out_of_what_is_named_is_taken_from_it(find: Find) -> None:
    found = find("directors and above, but not partners")
    assert found.filters == {"role.seniority": ["director", "vp", "c_suite", "owner"]}
    assert notes(found)[1] is None


def test_what_is_wanted_and_left_out_is_refused(find: Find) -> None:
    found = find("with a phone, without a phone")
    assert found.filters == {}
    assert {unsaid.why for unsaid in found.not_possible} == {
        "What is wanted here is also left out."
    }


def test_what_cannot_be_left_out_is_said(find: Find, find_flat: Find) -> None:
    (name,) = find("not at IBM").not_possible
    assert name.asked == "at IBM"
    assert name.why.startswith("The service has no way to leave this out")
    assert [unsaid.asked for unsaid in find_flat("not Texas").not_possible] == ["Texas"]


def test_a_long_list_cannot_be_left_out_by_naming_all_others() -> None:
    catalog = made(entry("company.industries", "banking", *(f"kind {n}" for n in range(201))))
    assert find_filters("not banking", catalog).filters == {}
    assert find_filters("banking", catalog).filters == {"company.industries": ["banking"]}


def test_the_words_follow_the_catalogue_and_not_the_other_way_round() -> None:
    catalog = made(
        entry("seniority", "Individual Contributor", "Head", "VP", "SVP", "CXO"),
        entry("state", "CA", "New York", kind="value"),
        entry("companyIndustry", "Software", "IT Services and IT Consulting"),
        vocabulary="flat",
    )
    assert find_filters("VP", catalog).filters == {"seniority": ["VP"]}
    assert find_filters("VP or above", catalog).filters == {"seniority": ["VP", "SVP", "CXO"]}
    assert find_filters("California", catalog).filters == {"state": "CA"}
    assert find_filters("New York", catalog).filters == {"state": "New York"}
    assert find_filters("software", catalog).filters == {"companyIndustry": ["Software"]}
    assert find_filters("IT consulting", catalog).filters == {
        "companyIndustry": ["IT Services and IT Consulting"]
    }


def test_what_the_service_does_not_have_is_not_possible() -> None:
    catalog = made(entry("role.seniority", "vp"), entry("company.sizes", "small", "large"))
    for said in ("women", "founders", "51-200 employees", "over 100 million", "manager or above"):
        found = find_filters(said, catalog)
        assert found.filters == {}
        (unsaid,) = found.not_possible
        assert unsaid.why == "The service has no filter or no value for it now.", said


def test_a_range_whose_form_is_not_known_is_not_possible() -> None:
    catalog = made(entry("company.employees", kind="range"))
    assert [u.asked for u in find_filters("51-200 employees", catalog).not_possible] == [
        "51-200 employees"
    ]


def test_nobody_outside_the_ranges_of_the_list_can_be_asked_for() -> None:
    catalog = made(entry("company.sizes", "1 to 10", "11 to 50", "self-employed", "51"))
    assert find_filters("over 1000 employees", catalog).not_possible
    assert find_filters("40-60 employees", catalog).filters == {"company.sizes": ["11 to 50", "51"]}


def test_a_filter_whose_values_are_not_listed_takes_the_word_itself() -> None:
    catalog = made(FilterEntry("state", "state", "value"), vocabulary="flat")
    found = find_filters("TX", catalog)
    assert found.filters == {"state": "texas"}
    assert notes(found) == ["The service does not list the values of this filter."]


def test_a_yes_or_no_may_be_a_list_of_words() -> None:
    catalog = made(entry("company.isB2b", "y", "n"))
    assert find_filters("B2B", catalog).filters == {"company.isB2b": ["y"]}
    assert find_filters("consumers", catalog).filters == {"company.isB2b": ["n"]}
    assert find_filters("B2B", made(entry("company.isB2b", "perhaps"))).filters == {}


def test_two_values_of_one_name_are_left_to_the_user() -> None:
    catalog = made(
        FilterEntry(
            "location.states",
            "States",
            "values",
            (FilterValue("us-ga", "Georgia"), FilterValue("ge", "Georgia")),
        )
    )
    assert sure(find_filters("Georgia", catalog)) == ["ambiguous"]


def test_an_industry_and_a_group_of_one_name_are_told_apart(find: Find) -> None:
    assert notes(find("financial services")) == [
        "'company.industryGroups' has one of this name too."
    ]
    groups = made(
        entry("company.industryGroups", "energy"), entry("company.industries", "utilities")
    )
    assert find_filters("energy", groups).filters == {"company.industryGroups": ["energy"]}


def test_several_values_with_a_word_are_left_to_the_user(find: Find) -> None:
    found = find("medical")
    assert sure(found) == ["close"]
    several = find("management")
    assert several.filters
    few = made(entry("company.industries", "wind turbines", "gas turbines"))
    (turbines,) = find_filters("turbines", few).matches
    assert turbines.sure == "ambiguous"
    many = made(entry("company.industries", *(f"turbine {letter}x" for letter in "abcdefgh")))
    assert find_filters("turbine", many).not_understood == ("turbine",)


def test_words_that_nobody_knows_come_back_as_they_were_said(find: Find) -> None:
    found = find("quux flib directors, zzyzx-ish; 42; Californa wibble")
    assert found.not_understood == ("quux flib", "zzyzx ish".replace(" ", "-"), "42", "wibble")
    assert found.filters == {"role.seniority": ["director"], "location.states": ["california"]}


def test_what_is_said_twice_is_shown_once(find: Find) -> None:
    found = find("VP, VP, USA, USA, blorb, blorb")
    assert len(found.matches) == len(found.not_possible) == len(found.not_understood) == 1


def test_an_empty_sentence_finds_nothing(find: Find) -> None:
    for said in ("", "   ", "!?;", "people at companies", "not", "at least", "VP or"):
        assert find(said).filters in ({}, {"role.seniority": ["vp"]}), said


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("VPs in ca", "california"),
        ("VPs, OR", "oregon"),
        ("in me", None),
        ("VPs IN the company", None),
        ("CPAs in pa", "pennsylvania"),
        ("VPs in IN with phone", "indiana"),
    ],
)
def test_a_state_code_counts_only_where_it_stands_as_one(
    said: str, state: str | None, find: Find
) -> None:
    states = cast("list[str]", find(said).filters.get("location.states", []))
    assert states == ([state] if state else [])


def test_a_stroke_joins_and_a_plus_joins_or_points_up(find: Find) -> None:
    assert find("marketing/sales").filters == {"role.departments": ["marketing", "sales"]}
    assert find("VP + marketing").filters == {
        "role.seniority": ["vp"],
        "role.departments": ["marketing"],
    }
    assert find("manager to C-level").filters == {
        "role.seniority": ["manager", "director", "vp", "c_suite"]
    }
    assert find("VP to California").filters == {
        "role.seniority": ["vp"],
        "location.states": ["california"],
    }
    assert find("at least the director").filters == find("director or above").filters
    assert find("up to manager").filters == {"role.seniority": ["entry", "senior", "manager"]}
    assert find("above Texas").not_understood == ("above",)


def test_a_company_is_named_by_a_name_and_not_by_a_kind(find: Find) -> None:
    assert find("works at Software Companies").filters == {
        "company.industries": ["software development"]
    }
    assert find("employed by Acme & Sons").filters["company.names"]
    assert find("https://www.Acme.com/").filters == {"company.domains": ["acme.com"]}


def test_filters_are_described_with_the_values_that_most_people_have() -> None:
    overview = {each.key: each for each in describe_filters(live("mixed"), most=2)}
    states = overview["location.states"]
    assert [value.value for value in states.values] == ["california", "texas"]
    assert states.total == 51
    assert overview["role.isCeo"].total == 0
    assert set(overview) == set(live("mixed").entries)


def test_a_filter_is_described_page_by_page() -> None:
    states = live("flat").entries["state"]
    first = describe_filter(states, most=30)
    rest = describe_filter(states, start=30, most=30)
    assert [v.value for v in (*first.values, *rest.values)] == [v.value for v in states.values]


def test_the_flat_keys_are_all_within_reach_of_words() -> None:
    keys = {
        reading.key
        for meanings in known_words().meanings.values()
        for meaning in meanings
        for reading in meaning.readings
    }
    assert set(FLAT_KEYS) - keys == {"companyDomain", "companyName"}


@pytest.mark.parametrize(
    "hostile",
    [
        "a" * 1000,
        "title contains " + "x " * 490,
        "revenue " + "of " * 330,
        "1" * 1000,
        "- " * 500,
        '"' * 1000,
        "a." * 500,
        "Acme " * 200,
        " " * 1000,
        "over " * 200,
        "zxqv kwjy " * 100,
        "1,0" * 330,
        "a hundred and " * 70,
        "in LA, " * 140,
        "1-2 " * 250,
        "VP of sales, CEO or " * 50,
        "not in Texas, Ohio, " * 50,
        "companies with " * 65,
    ],
    ids=lambda text: repr(text[:12]),
)
def test_no_text_takes_long_to_read(hostile: str) -> None:
    catalog = live("flat")

    def seconds() -> float:
        began = time.process_time()
        find_filters(hostile, catalog)
        return time.process_time() - began

    # It is a tenth of a second; a busy machine that also counts the lines takes ten times as long.
    assert any(seconds() < 1.5 for _ in range(3))
