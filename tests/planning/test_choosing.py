"""Choosing topics: what a phrase comes to, how surely, and what else it could have been."""

from collections.abc import Mapping

import pytest

from leadpipe_mcp.api.topics import Topic
from leadpipe_mcp.errors import ServiceDown
from leadpipe_mcp.planning.choosing import choose_topics
from tests.planning.service import TopicService, audiences, topics_of

pytestmark = pytest.mark.anyio
RESEARCH = "API CRM DNS ERP GPU HPC IoT PIM SEO SQL SSO VPN".split()  # noqa: SIM905
TOPICS = (
    *topics_of(
        "CRM Software",
        "CRM Platform",
        "CRM Integration",
        "Marketing Automation",
        "Email Marketing Automation",
        "Sales and Marketing",
        "Payroll Integration",
        "Payroll Training",
        "Running Shoes",
        "Account Based Marketing",
        *(f"{name} Research" for name in RESEARCH),
    ),
    Topic(id=101, name="Insurance", type="b2c"),
    Topic(id=102, name="Insurance", type="b2b"),
    *(Topic(id=103, name="ITSM"), Topic(id=104, name="IT Service Management")),
    Topic(id=105, name="CRM Tool", type="b2b"),
    *(Topic(id=106, name="Sleep Tool", type="b2c"), Topic(id=107, name="Gym Service", type="both")),
    *(Topic(id=108, name="Color Grading"), Topic(id=109, name="Colour Grading")),
)
SPELLING = "Another spelling."
NO_NAME = "No topic has this name or a similar one."
PAYROLL = "2 topics are about it, but none is the subject as a whole. Which one is meant?"
TWO = "Several topics have this name; the business one was taken."
SAME = "The alternatives are the same thing under other names and can be added."
RESEARCHED = PAYROLL.replace("2", "12", 1)
ONLY = "The only topic with these words."
NOBODY = "Nobody researches the topic of this very name, so this one was taken."
DAY = {"date": "2026-05-04", "uniqueAudience": 1}
UNSOUGHT = "A topic of this name exists, but nobody researches it now."


@pytest.mark.parametrize(
    ("phrase", "people", "topic", "sure", "alternatives", "note"),
    [
        ("marketing automation", {}, 4, "exact", [], None),
        # Letter for letter, or nearly, wins whoever researches the rest.
        ("marketing-automation", {4: 10}, 4, "exact", [], None),
        # Of the names that say no more, the one that most research.
        ("CRM", {2: 5_000}, 2, "close", [1, 105], None),
        # What nobody researches is never taken, nor offered.
        ("CRM", {1: 0}, 2, "close", [105], None),
        ("marketing automation", {4: 0}, None, "none", [5], UNSOUGHT),
        # An aspect is never taken for the whole, but shown for the user to choose.
        ("payroll", {8: 9_000}, None, "ambiguous", [8, 7], PAYROLL),
        ("research", {}, None, "ambiguous", [11, 12, 13, 14, 15], RESEARCHED),
        ("running", {}, 9, "close", [], ONLY),
        # What consumers research is no software, whatever its name adds.
        ("sleep", {}, 106, "close", [], ONLY),
        ("gym", {}, 107, "close", [], ONLY),
        ("marketing automaton", {}, 4, "close", [], SPELLING),
        ("crm softwar", {}, 1, "close", [], ONLY),
        # The nearer spelling, or the larger topic of those that are equally near.
        ("colr grading", {}, 108, "close", [], SPELLING),
        ("colou grading", {}, 109, "close", [], SPELLING),
        ("insurence", {}, 101, "ambiguous", [102], SPELLING),
        ("slep", {}, 106, "close", [], SPELLING),
        # A spelling of a part of a name is no spelling of it.
        ("runing", {}, None, "none", [9], NO_NAME),
        ("automaton", {}, None, "none", [5, 4], NO_NAME),
        ("marketing automaton tool", {}, None, "none", [4, 5, 6], NO_NAME),
        # An abbreviation means what it is short for.
        ("ABM", {}, 10, "close", [], None),
        # Of two topics of one name, the business one.
        ("insurance", {}, 102, "ambiguous", [101], TWO),
        # The same thing under another name can be added.
        ("ITSM", {}, 103, "exact", [104], SAME),
        ("ITSM", {103: 0}, 104, "close", [], NOBODY),
        ("jogging shoes", {}, None, "none", [9], NO_NAME),
        # What joins several subjects is not taken apart; a name that joins words is one.
        ("CRM software and marketing automation", {}, None, "none", None, NO_NAME),
        ("sales & marketing", {}, 6, "exact", [], None),
    ],
)
async def test_a_phrase_comes_to_what_it_means_or_to_a_question(
    phrase: str,
    people: Mapping[int, int],
    topic: int | None,
    sure: str,
    alternatives: list[int] | None,
    note: str | None,
) -> None:
    service = TopicService(all=TOPICS, compare=audiences(lambda id_: people.get(id_, 1_000 - id_)))
    (choice,) = (await choose_topics(service.topics, [phrase], None)).choices
    assert (choice.asked, choice.sure, choice.note) == (phrase, sure, note)
    assert (choice.topic and choice.topic.id) == topic
    assert alternatives in (None, [other.id for other in choice.alternatives])


async def test_everything_is_compared_at_once_and_ten_topics_at_the_most() -> None:
    service = TopicService(all=TOPICS)
    chosen = await choose_topics(service.topics, ["CRM", "ITSM", "payroll", "research"], None)
    assert [path for path, _ in service.asked] == ["all", "compare"]
    (compared,) = [body["topicIds"] for path, body in service.asked if path == "compare"]
    # The likeliest of each phrase, then the next.
    assert compared == [1, 103, 8, 13, 2, 104, 7, 11, 105, 12]
    assert chosen.audiences == {topic: 1_000 - topic for topic in compared}


@pytest.mark.parametrize(
    "service", [TopicService(all=TOPICS, compare=500), TopicService(search=TOPICS[:2])]
)
async def test_without_the_comparison_or_the_catalogue_the_likeliest_is_taken_and_that_is_said(
    service: TopicService,
) -> None:
    chosen = await choose_topics(service.topics, ["CRM"], None)
    assert chosen.topics == (TOPICS[0],)
    assert chosen.problems
    # Without the catalogue and the search there is no choice.
    with pytest.raises(ServiceDown):
        await choose_topics(TopicService().topics, ["CRM"], None)


def found_on_it(id_: int, name: str, similarity: float | None, **more: str) -> dict[str, object]:
    return {"topicId": id_, "topicName": name, "similarity": similarity, **more}


async def test_what_a_website_is_about_comes_after_what_is_named_the_likest_first() -> None:
    likenesses = ((1, 0.5), (4, None), (8, 0.91), (9, 0.49))
    found = [found_on_it(n, TOPICS[n - 1].name, likeness) for n, likeness in likenesses]
    found += [found_on_it(10, "Account Based Marketing", 0.7, matchedKeyword="ABM")]
    service = TopicService(all=TOPICS, analyze={"topics": found})
    chosen = await choose_topics(service.topics, ["Payroll Training", 4], "www.acme.example")
    assert chosen.problems == ()
    assert [(c.asked, c.sure, c.note) for c in chosen.choices] == [
        ("Payroll Training", "exact", None),
        ("4", "exact", None),
        ("the website", "close", "On the website; similarity 0.91."),
        ("ABM", "close", "On the website; similarity 0.70."),
        ("the website", "close", "On the website; similarity 0.50."),
    ]
    # What is named and on the website too is answered once.
    kept = chosen.within(3)
    assert [(c.asked, c.topic and c.topic.id) for c in kept.choices] == [
        *(("Payroll Training", 8), ("4", 4), ("ABM", 10)),
    ]
    assert [c.topic and c.topic.id for c in kept.left_out] == [1]
    many = [found_on_it(n, TOPICS[n - 1].name, 0.9) for n in range(1, 8)]
    service = TopicService(all=TOPICS, analyze={"topics": many})
    chosen = (await choose_topics(service.topics, [], "www.acme.example")).within(10)
    assert (len(chosen.topics), len(chosen.left_out)) == (5, 2)


async def test_an_id_that_is_not_listed_is_looked_up_by_a_comparison() -> None:
    compared = [{"topicId": 997, "topicName": "Yachts"}, {"topicId": 998, "data": [DAY]}]
    service = TopicService(all=TOPICS, compare=compared)
    chosen = await choose_topics(service.topics, [997, 998, 999, 4], None)
    assert [(c.asked, c.sure, c.topic and c.topic.name, c.note) for c in chosen.choices] == [
        ("997", "exact", "Yachts", None),
        ("998", "exact", "998", None),
        ("999", "none", None, "There is no topic with this id."),
        ("4", "exact", "Marketing Automation", None),
    ]
    assert [body["topicIds"] for path, body in service.asked if path == "compare"] == [
        [997, 998, 999]
    ]
    with pytest.raises(ServiceDown):
        await choose_topics(TopicService(all=TOPICS, compare=500).topics, [999], None)


async def test_a_topic_whose_days_are_not_told_is_taken_and_what_failed_in_a_search_is_said() -> (
    None
):
    service = TopicService(all=TOPICS, compare=[{"topicId": 1, "topicName": "CRM Software"}])
    chosen = await choose_topics(service.topics, ["CRM"], None)
    assert (chosen.topics, chosen.audiences) == ((TOPICS[0],), {})
    # One person who is counted is more than a number that is not known.
    service = TopicService(all=TOPICS, compare=[{"topicId": 2, "data": [DAY]}])
    chosen = await choose_topics(service.topics, ["CRM"], None)
    assert (chosen.topics, chosen.audiences) == ((TOPICS[1],), {2: 1})

    def search(body: Mapping[str, str]) -> object:
        return TOPICS[:2] if body["q"] == "CRM" else 422

    service = TopicService(search=search)
    chosen = await choose_topics(service.topics, ["CRM", "Payroll"], None)
    assert [c.topic and c.topic.id for c in chosen.choices] == [1, None]
    assert len(chosen.problems) == 2
