"""What a user calls topics, and the topics that it finds."""

from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from leadpipe_mcp.api.in_process import serve_in_process
from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.topics import Catalogue, Topic, Topics
from leadpipe_mcp.api.transport import Transport
from leadpipe_mcp.errors import NotPossible, ServiceDown
from leadpipe_mcp.planning.names import spelled
from leadpipe_mcp.planning.topics import (
    Findings,
    TopicFilter,
    find_topics,
    known_kind,
    look_up,
    ways_to_say,
)
from leadpipe_mcp.sandbox.topics import inventory

pytestmark = pytest.mark.anyio
NAMES = (
    "CRM",
    "CRM Software",
    "Customer Relationship Management",
    "Marketing Automation",
    "Email Marketing Automation",
    "E-Commerce Platforms",
    "Car Rental",
    "Cargo",
    "Vacation Rental Cars",
    "SEO",
    "Search Engine Optimization Tools",
    "C++",
    "C#",
    "Café Owners",
    "Men's Shoes",
    "News",
    "New Homes",
    "The Who",
    "Company Policies",
    "Search Boxes",
)


def catalogue_of(*names: str) -> Catalogue:
    made = (
        Topic(id=number, name=name, type="b2b", industry="Sales", category="Product")
        for number, name in enumerate(names, 1)
    )
    return Catalogue(tuple(made))


CATALOGUE = catalogue_of(*NAMES)


def found(phrase: str, catalogue: Catalogue = CATALOGUE, **given: Any) -> list[tuple[str, str]]:  # noqa: ANN401 -- whatever find_topics takes
    (one,) = find_topics([phrase], catalogue, **given)
    return [(match.topic.name, match.how) for match in one.matches]


@pytest.mark.parametrize(
    ("phrase", "name", "how"),
    [
        ("marketing automation", "Marketing Automation", "exact"),
        ("  Marketing-Automations ", "Marketing Automation", "exact"),
        ("ecommerce platform", "E-Commerce Platforms", "exact"),
        ("cafe owner", "Café Owners", "exact"),
        ("mens shoe", "Men's Shoes", "exact"),
        ("MEN\N{RIGHT SINGLE QUOTATION MARK}S SHOES", "Men's Shoes", "exact"),
        ("company policy", "Company Policies", "exact"),
        ("search box", "Search Boxes", "exact"),
        ("c#", "C#", "exact"),
        ("news", "News", "exact"),
        ("the who", "The Who", "exact"),
        ("market", "Marketing Automation", "prefix"),
        ("ecommerce", "E-Commerce Platforms", "prefix"),
        ("automation of marketing", "Marketing Automation", "words"),
        ("rental car vacations", "Vacation Rental Cars", "words"),
        ("markting automaton", "Marketing Automation", "close"),
        ("CRM softwre", "CRM Software", "close"),
    ],
)
def test_a_phrase_finds_the_topic_that_it_means(phrase: str, name: str, how: str) -> None:
    assert found(phrase)[0] == (name, how)


def test_the_best_matches_come_first() -> None:
    assert found("car rental") == [("Car Rental", "exact"), ("Vacation Rental Cars", "words")]
    # A word that ends goes before one that goes on.
    assert found("car")[:2] == [("Car Rental", "prefix"), ("Cargo", "prefix")]
    assert found("marketing automation", limit=1) == [("Marketing Automation", "exact")]


def test_an_abbreviation_and_its_words_find_each_other() -> None:
    both = [("CRM", "exact"), ("Customer Relationship Management", "exact")]
    assert found("crm") == [*both, ("CRM Software", "prefix")]
    assert found("customer relationship management")[:2] == both[::-1]
    assert found("SEO tools") == [("Search Engine Optimization Tools", "exact")]
    assert found("search engine optimization")[:2] == [
        ("SEO", "exact"),
        ("Search Engine Optimization Tools", "prefix"),
    ]


def test_an_abbreviation_may_mean_two_things() -> None:
    ways = [way.text for way in ways_to_say("AR software")]
    assert ways == ["ar software", "account receivable software", "augmented reality software"]
    assert len(ways_to_say("garden gnome")) == 1


def test_near_spellings_are_left_out_where_plain_ones_are_many() -> None:
    many = catalogue_of("Lead", "Lead Forms", "Lead Lists", "Leed Certification")
    assert all(how != "close" for _, how in found("lead", many))
    assert found("lead forms", many) == [("Lead Forms", "exact")]
    few = catalogue_of("Lead", "Leads of Lead", "Laed")
    assert found("laed lead", few) == []


def test_words_in_common_do_not_make_a_near_spelling() -> None:
    (one,) = find_topics(["HR software"], catalogue_of("CRM Software", "VR Software"))
    assert one.matches == ()
    assert {topic.name for topic in one.nearest} == {"CRM Software", "VR Software"}


def test_what_finds_nothing_names_the_nearest_if_there_is_any() -> None:
    (one,) = find_topics(["car rental for yachts"], CATALOGUE)
    assert one.matches == ()
    assert one.nearest[0].name == "Car Rental"
    (none,) = find_topics(["zzz"], CATALOGUE)
    assert (none.matches, none.nearest) == ((), ())
    (blank,) = find_topics(["???"], CATALOGUE)
    assert (blank.matches, blank.nearest) == ((), ())


def test_only_topics_of_the_kind_are_found() -> None:
    sales, legal = (
        Topic(id=number, name=f"CRM {number}", type="b2b", industry=industry)
        for number, industry in enumerate(("Sales", "Legal"))
    )
    catalogue = Catalogue((sales, legal))
    assert found("crm", catalogue, kind=TopicFilter(industry="LEGAL")) == [("CRM 1", "prefix")]
    assert found("crn 1", catalogue, kind=TopicFilter("b2c")) == []
    assert found("crm", catalogue, kind=TopicFilter(category="Product")) == []
    assert TopicFilter().is_any
    assert not TopicFilter("b2b").is_any


def test_several_phrases_are_answered_in_their_order() -> None:
    answers = find_topics(["SEO", "nothing at all", "cargo"], CATALOGUE)
    assert [answer.phrase for answer in answers] == ["SEO", "nothing at all", "cargo"]
    assert answers[2].matches[0].topic.name == "Cargo"


def test_twenty_thousand_topics_are_searched_by_every_means() -> None:
    everything = Catalogue(
        tuple(Topic(id=t.id, name=t.name, industry=t.industry) for t in inventory())
    )
    assert found("markting automaton", everything)[0] == ("Marketing Automation", "close")
    assert found("CRM software", everything)[0] == ("CRM Software", "exact")
    assert len(found("a", everything)) == 10
    long = "marketing automation software for the reporting and pricing of consulting services now"
    assert found(long, everything) == []


def test_a_spelling_is_compared_without_what_does_not_matter() -> None:
    assert spelled("The Software of the Year").text == "software year"
    assert spelled("Classes, Taxes & Analyses").words == ("class", "tax", "analyse")
    assert spelled("of the").words == ("of", "the")
    assert spelled("...").words == ()


class Service:
    """A service that finds what the test says, lists what the test says, and counts calls."""

    def __init__(
        self,
        finds: tuple[Topic, ...] | int = (),
        lists: tuple[Topic, ...] | int = CATALOGUE.topics,
        facets: object = 500,
    ) -> None:
        self.answers = {"/search": _said(finds), "": _said(lists), "/facets": facets}
        self.asked: list[tuple[str, dict[str, str]]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        path = request.url.path.removeprefix("/v1/intent/topics")
        self.asked.append((path, dict(request.query_params)))
        answer = self.answers[path]
        if isinstance(answer, int):
            response = JSONResponse({}, answer)
        else:
            response = JSONResponse({"data": answer})
        await response(scope, receive, send)

    @property
    def topics(self) -> Topics:
        return LeadpipeClient(
            Transport("https://service.test", None, network=serve_in_process(self))
        ).topics

    def count(self, path: str) -> int:
        return sum(asked == path for asked, _ in self.asked)


def _said(topics: tuple[Topic, ...] | int) -> object:
    return topics if isinstance(topics, int) else [topic.model_dump() for topic in topics]


def listed(findings: Findings) -> list[list[tuple[str, str]]]:
    return [[(m.topic.name, m.how) for m in one.matches] for one in findings.found]


SEVERAL = tuple(topic for topic in CATALOGUE.topics if topic.name.startswith("Car"))
PLENTY = catalogue_of("Car", "Car Loans", "Car Tires", "Car Seats").topics


async def test_what_the_service_finds_plenty_of_needs_no_catalogue() -> None:
    service = Service(finds=PLENTY)
    findings = await look_up(service.topics, ["car"], limit=3)
    assert listed(findings) == [
        [("Car", "exact"), ("Car Loans", "prefix"), ("Car Seats", "prefix")]
    ]
    assert service.asked == [("/search", {"q": "car", "limit": "3"})]


async def test_where_the_service_finds_little_the_catalogue_is_searched_too() -> None:
    service = Service(finds=SEVERAL)
    findings = await look_up(service.topics, ["rental car", "SEO", "rental car"])
    cars = [
        ("Car Rental", "words"),
        ("Vacation Rental Cars", "words"),
    ]
    assert listed(findings)[0] == listed(findings)[2] == [*cars, ("Cargo", "close")]
    assert listed(findings)[1][0] == ("SEO", "exact")
    assert (service.count("/search"), service.count("")) == (2, 1)


async def test_an_abbreviation_is_looked_for_in_the_catalogue_as_well() -> None:
    service = Service(finds=catalogue_of("CRM", "CRM Software", "CRM Tools").topics)
    (found,) = listed(await look_up(service.topics, ["CRM"]))
    assert ("Customer Relationship Management", "exact") in found
    (words,) = listed(await look_up(service.topics, ["customer relationship management"]))
    assert ("CRM", "exact") in words


async def test_a_kind_is_asked_for_and_what_does_not_fit_is_left_out() -> None:
    legal = PLENTY[0].model_copy(update={"industry": "Legal"})
    service = Service(finds=(legal, *PLENTY[1:]), lists=PLENTY)
    kind = TopicFilter("b2b", "Sales", "Product")
    (found,) = listed(await look_up(service.topics, ["car loans"], kind, limit=2))
    assert found == [("Car Loans", "exact"), ("Car Seats", "close")][: len(found)]
    # The service's search knows no category.
    asked = {"q": "car loans", "type": "b2b", "industry": "Sales", "limit": "50"}
    assert service.asked[0] == ("/search", asked)
    assert service.count("") == 1


async def test_a_failed_search_is_reported_and_the_catalogue_is_searched() -> None:
    service = Service(finds=500)
    findings = await look_up(service.topics, ["SEO", "cargo"])
    assert [matches[0] for matches in listed(findings)] == [("SEO", "exact"), ("Cargo", "exact")]
    assert [type(failure) for failure in findings.failures] == [ServiceDown, ServiceDown]


async def test_without_a_catalogue_what_the_service_found_counts() -> None:
    findings = await look_up(Service(finds=SEVERAL[:1], lists=500).topics, ["car rental"])
    assert listed(findings) == [[("Car Rental", "exact")]]
    assert len(findings.failures) == 1


async def test_where_neither_answers_there_is_an_error() -> None:
    with pytest.raises(ServiceDown):
        await look_up(Service(finds=500, lists=500).topics, ["car", "car"])


async def test_a_kind_is_put_into_the_words_of_the_service() -> None:
    facets = {
        "industries": [{"value": "Real Estate", "count": 2}, {"value": "Sales", "count": 1}],
        "categories": [],
    }
    topics = Service(facets=facets).topics
    kind = await known_kind(topics, TopicFilter("b2b", "real-estate", "product"))
    assert kind == TopicFilter("b2b", "Real Estate", "product")
    with pytest.raises(NotPossible, match=r"industry 'Real Estat'\. The nearest: 'Real Estate'\."):
        await known_kind(topics, TopicFilter(industry="Real Estat"))
    with pytest.raises(NotPossible, match="search_topics without queries lists them"):
        await known_kind(topics, TopicFilter(industry="zzz"))


async def test_a_kind_is_taken_as_it_is_where_the_service_does_not_tell() -> None:
    service = Service()
    assert await known_kind(service.topics, TopicFilter("b2b")) == TopicFilter("b2b")
    assert service.asked == []
    assert await known_kind(service.topics, TopicFilter(industry="zzz")) == TopicFilter(
        industry="zzz"
    )
