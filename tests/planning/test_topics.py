"""What a user calls topics, and the topics that it finds."""

from string import ascii_lowercase
from typing import Any

import pytest

from leadpipe_mcp.api.topics import Catalogue, Topic
from leadpipe_mcp.errors import NotPossible, ServiceDown
from leadpipe_mcp.planning.topics import (
    Findings,
    Found,
    TopicFilter,
    compare,
    find_topics,
    known_kind,
    look_up,
    spelled,
    ways_to_say,
)
from tests.faults.service import Fault
from tests.planning.service import TopicService, client_of, start, topics_of

pytestmark = pytest.mark.anyio
LISTED = "The service's search failed; its list of all topics was searched instead."
TOPICS = topics_of(
    *("CRM", "CRM Software", "Customer Relationship Management", "Marketing Automation"),
    *("Email Marketing Automation", "E-Commerce Platforms", "Car Rental", "Cargo"),
    *("Vacation Rental Cars", "SEO", "Search Engine Optimization Tools", "C++", "C#"),
    *("Café Owners", "Men's Shoes", "News", "New Homes", "The Who"),
)


def find(phrase: str, *names: str, **given: Any) -> Found:  # noqa: ANN401 -- whatever find_topics takes
    """What the phrase finds among topics of these names, or else among all of the above."""
    topics = topics_of(*names) if names else TOPICS
    return find_topics([phrase], Catalogue(topics), **given)[0]


def hits(found: Found) -> list[tuple[str, str]]:
    return [(match.topic.name, match.how) for match in found.matches]


@pytest.mark.parametrize(
    ("phrase", "best"),
    [
        ("  Marketing-Automations ", [("Marketing Automation", "exact")]),
        ("ecommerce platform", [("E-Commerce Platforms", "exact")]),
        ("cafe owner", [("Café Owners", "exact")]),
        ("MEN\N{RIGHT SINGLE QUOTATION MARK}S shoe", [("Men's Shoes", "exact")]),
        ("c#", [("C#", "exact")]),
        ("the who", [("The Who", "exact")]),
        ("automation of marketing", [("Marketing Automation", "words")]),
        ("markting automaton", [("Marketing Automation", "close")]),
        ("CRM softwre", [("CRM Software", "close")]),
        # The best come first, and a word that ends goes before one that goes on.
        ("car rental", [("Car Rental", "exact"), ("Vacation Rental Cars", "words")]),
        ("car", [("Car Rental", "prefix"), ("Cargo", "prefix")]),
        # An abbreviation and its words find each other.
        ("crm", [("CRM", "exact"), ("Customer Relationship Management", "exact")]),
        ("SEO tools", [("Search Engine Optimization Tools", "exact")]),
        ("search engine optimization", [("SEO", "exact")]),
    ],
)
def test_a_phrase_finds_the_topics_that_it_means(phrase: str, best: list[tuple[str, str]]) -> None:
    assert hits(find(phrase))[: len(best)] == best


@pytest.mark.parametrize(
    ("phrase", "name", "how", "likeness"),
    [
        ("rental car", "Car Rental", "words", 1.0),
        # A word that ends counts twice as much as one that goes on.
        ("car", "Car Rental", "prefix", 3 / 10),
        ("car", "Cargo", "prefix", 3 / 5 / 2),
        # One letter makes another word of a short one, and is a slip in a long one.
        ("HR software", "VR Software", "close", 0.8 * 10 / 11),
        ("marketng automation", "Marketing Automation", "close", 38 / 39),
        ("automaton", "Email Automation", "close", 0.8),
        ("news", "New", "close", 6 / 7),
        # Words that are written apart may be all but the same.
        ("data base managment", "Database Management", "close", 18 / 19),
        ("zzz", "CRM", "close", 0.0),
    ],
)
def test_how_like_a_name_is_to_a_phrase_is_told(
    phrase: str, name: str, how: str, likeness: float
) -> None:
    assert compare(spelled(phrase), spelled(name)) == (how, pytest.approx(likeness))


def test_a_text_is_compared_without_its_accents_plurals_and_joining_words() -> None:
    assert spelled("Café owners' Böörds of the News") == ("cafe", "owner", "boord", "news")
    assert (spelled("the who"), spelled("the of")) == (("who",), ("the", "of"))
    ways = [" ".join(way) for way in ways_to_say("best crm")]
    assert ways == ["best crm", "best customer relationship management"]


def test_an_abbreviation_may_mean_two_things() -> None:
    ways = [" ".join(way) for way in ways_to_say("AR software")]
    assert ways == ["ar software", "account receivable software", "augmented reality software"]


def test_near_spellings_are_left_out_where_plain_ones_are_many() -> None:
    names = ("Payroll", "Payroll Forms", "Payroll Lists", "Payrol Software")
    assert {how for _, how in hits(find("payroll", *names))} == {"exact", "prefix"}
    assert ("Payrol Software", "close") in hits(find("payroll", *names[1:]))
    # All of them are found otherwise, however many are nearer.
    tigers = [f"{letter}tiger" for letter in ascii_lowercase]
    assert len(hits(find("tiger", *tigers, "Tigar Enclosure Supplies", limit=50))) == 27
    # What two names have in common may tell least about them.
    assert find("HR software", "CRM Software", "VR Software").matches == ()


def test_what_finds_nothing_names_the_nearest_if_there_is_any() -> None:
    near = find("car rental for yachts")
    assert near.matches == ()
    assert [topic.name for topic in near.nearest] == ["Car Rental", "Vacation Rental Cars"]
    assert find("car rental").nearest == ()
    assert find("zzz") == Found("zzz")
    assert find("???") == Found("???")


def test_only_topics_of_the_kind_are_found() -> None:
    sales, legal = (
        Topic(id=number, name=f"Payroll {number}", type="b2b", industry=industry)
        for number, industry in enumerate(("Sales", "Legal"))
    )
    for kind, phrase, names in (
        (TopicFilter(industry="LEGAL"), "payroll", ["Payroll 1"]),
        (TopicFilter("b2c"), "payrol 1", []),
        (TopicFilter(category="Product"), "payroll", []),
    ):
        (found,) = find_topics([phrase], Catalogue((sales, legal)), kind)
        assert [name for name, _ in hits(found)] == names


def listed(findings: Findings) -> list[list[tuple[str, str]]]:
    return [hits(found) for found in findings.found]


PLENTY = topics_of("Car", "Car Loans", "Car Tires", "Car Seats")


async def test_the_catalogue_is_searched_too_where_the_service_finds_little() -> None:
    service = TopicService(all=TOPICS, search=PLENTY)
    (found,) = listed(await look_up(service.topics, ["car"], limit=3))
    assert found == [("Car", "exact"), ("Car Loans", "prefix"), ("Car Seats", "prefix")]
    assert service.asked == [("search", {"q": "car", "limit": "3"})]
    service = TopicService(all=TOPICS, search=TOPICS[6:8])
    cars, seo, again = listed(await look_up(service.topics, ["rental car", "SEO", "rental car"]))
    assert cars == [("Car Rental", "words"), ("Vacation Rental Cars", "words"), ("Cargo", "close")]
    assert (again, seo[0]) == (cars, ("SEO", "exact"))
    assert sorted(path for path, _ in service.asked) == ["all", "search", "search"]
    # What looks like it in the catalogue is named only where nothing was found.
    for search, near in ((TOPICS[:1], []), (TOPICS[:0], ["Car Rental", "Vacation Rental Cars"])):
        service = TopicService(all=TOPICS, search=search)
        (yachts,) = (await look_up(service.topics, ["car rental for yachts"])).found
        assert (len(yachts.matches), [one.name for one in yachts.nearest]) == (len(search), near)


async def test_a_kind_is_asked_for_and_what_does_not_fit_is_left_out() -> None:
    legal = PLENTY[0].model_copy(update={"industry": "Legal"})
    service = TopicService(all=PLENTY, search=(legal, *PLENTY[1:]))
    kind = TopicFilter("b2b", "Sales", "Product")
    (found,) = listed(await look_up(service.topics, ["car loans"], kind, limit=2))
    assert found[0] == ("Car Loans", "exact")
    assert "Car" not in dict(found)
    # The service's search knows no category.
    asked = {"q": "car loans", "type": "b2b", "industry": "Sales", "limit": "50"}
    assert service.asked == [("search", asked), ("all", {})]


async def test_either_of_the_search_and_the_catalogue_is_enough_and_what_failed_is_said() -> None:
    unsearched = await look_up(TopicService(all=TOPICS).topics, ["SEO", "cargo"])
    assert [found[0] for found in listed(unsearched)] == [("SEO", "exact"), ("Cargo", "exact")]
    unlisted = await look_up(TopicService(search=TOPICS[6:7]).topics, ["car rental"])
    assert listed(unlisted) == [[("Car Rental", "exact")]]
    down = "The service failed with status 500."
    assert unlisted.problems() == [f"Part of the search failed. {down}"]
    assert unsearched.problems() == [f"{LISTED} {down}"]
    with pytest.raises(ServiceDown):
        await look_up(TopicService().topics, ["car", "car"])


async def test_a_slow_search_is_not_waited_for_where_the_catalogue_is_at_hand() -> None:
    sandbox = start()
    sandbox.faults.add(Fault("hang", path="/search", times=None))
    topics = client_of(sandbox).topics
    await topics.all()
    found = await look_up(topics, ["CRM"])
    assert found.problems() == [f"{LISTED} The service did not answer within 3 seconds."]
    assert hits(found.found[0])[0] == ("CRM", "exact")


async def test_a_kind_is_put_into_the_words_of_the_service_where_it_tells_them() -> None:
    industries = [{"value": "Real Estate", "count": 2}, {"value": "Sales", "count": 1}]
    topics = TopicService(facets={"industries": industries, "categories": []}).topics
    kind = await known_kind(topics, TopicFilter("b2b", "real-estate", "product"))
    assert kind == TopicFilter("b2b", "Real Estate", "product")
    with pytest.raises(NotPossible, match=r"industry 'Real Estat'\. The nearest: 'Real Estate'\."):
        await known_kind(topics, TopicFilter(industry="Real Estat"))
    with pytest.raises(NotPossible, match="search_topics without queries lists them"):
        await known_kind(topics, TopicFilter(industry="zzz"))
    facets = TopicService(facets={"categories": [{"value": "Product" + "x" * 60, "count": 1}]})
    with pytest.raises(NotPossible) as refused:
        await known_kind(facets.topics, TopicFilter(category="Product" + "x" * 59))
    cut = "Product" + "x" * 52 + "…"
    assert refused.value.problem == f"No topic has the category '{cut}'."
    assert refused.value.advice == f"The nearest: '{cut}'."
    # Where neither is asked for, nothing is.
    silent = TopicService()
    assert await known_kind(silent.topics, TopicFilter("b2b")) == TopicFilter("b2b")
    assert silent.asked == []
    zzz = TopicFilter(industry="zzz")
    assert await known_kind(TopicService().topics, zzz) == zzz
