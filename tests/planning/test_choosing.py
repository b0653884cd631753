"""Choosing topics: what a phrase comes to, how surely, and what else it could have been."""

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.topics import Topic
from leadpipe_mcp.api.transport import Application, Transport
from leadpipe_mcp.errors import ServiceDown
from leadpipe_mcp.planning.choosing import ChosenTopics, TopicChoice, choose_topics

pytestmark = pytest.mark.anyio
NAMES = (
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
    *(
        f"{name} Research"
        for name in [
            "API",
            "CRM",
            "DNS",
            "ERP",
            "GPU",
            "HPC",
            "IoT",
            "PIM",
            "SEO",
            "SQL",
            "SSO",
            "VPN",
        ]
    ),
)
TOPICS = (
    *(Topic(id=n, name=name, type="b2b") for n, name in enumerate(NAMES, 1)),
    Topic(id=101, name="Insurance", type="b2c"),
    Topic(id=102, name="Insurance", type="b2b"),
)


def service(*, catalogue: bool = True, search: bool = True) -> Application:
    """A service with these topics; its search finds names that begin so."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        words = request.query_params.get("q")
        works = catalogue if words is None else search
        found = [t for t in TOPICS if t.name.casefold().startswith((words or "").casefold())]
        shown = [{"id": t.id, "name": t.name, "type": t.type} for t in found]
        response = JSONResponse({"data": shown} if works else {}, 200 if works else 500)
        await response(scope, receive, send)

    return answer


async def choose(*asked: str | int, service: Application = service()) -> ChosenTopics:  # noqa: B008 -- it has no state
    client = LeadpipeClient(Transport("https://service.test", None, application=service))
    return await choose_topics(client.topics, asked, None)


def names(choice: TopicChoice) -> list[str]:
    return [topic.name for topic in choice.alternatives]


async def only(*asked: str | int) -> TopicChoice:
    (choice,) = (await choose(*asked)).choices
    return choice


async def test_a_topic_of_this_very_name_is_exact() -> None:
    choice = await only("marketing automation")

    assert choice.topic == TOPICS[3]
    assert choice.sure == "exact"


async def test_a_name_that_says_no_more_than_the_phrase_is_the_thing_itself() -> None:
    choice = await only("CRM")

    assert choice.topic == TOPICS[0]
    assert choice.sure == "close"
    assert names(choice)[0] == "CRM Platform"


async def test_an_aspect_of_it_among_others_is_ambiguous_and_shows_them() -> None:
    choice = await only("payroll")

    assert choice.topic
    assert (choice.topic.name, choice.sure) == ("Payroll Training", "ambiguous")
    assert names(choice) == ["Payroll Integration"]


async def test_another_spelling_is_close_and_says_so() -> None:
    choice = await only("marketing automaton")

    assert choice.topic == TOPICS[3]
    assert (choice.sure, choice.note) == ("close", "Taken for another spelling.")


async def test_an_abbreviation_stands_for_what_it_is_short_for() -> None:
    choice = await only("ABM")

    assert choice.topic == TOPICS[9]
    assert choice.sure == "exact"


async def test_of_two_topics_of_one_name_the_one_of_business_is_taken() -> None:
    choice = await only("insurance")

    assert choice.topic
    assert (choice.topic.id, choice.sure) == (102, "ambiguous")
    assert [topic.id for topic in choice.alternatives] == [101]


async def test_a_word_that_many_names_hold_somewhere_is_left_to_the_user() -> None:
    choice = await only("research")

    assert (choice.topic, choice.sure) == (None, "none")
    assert choice.note == "12 topics hold these words: name the one that is meant."
    assert len(choice.alternatives) == 3


async def test_what_nothing_is_called_comes_with_the_nearest() -> None:
    choice = await only("jogging shoes")

    assert (choice.topic, choice.sure) == (None, "none")
    assert "Running Shoes" in names(choice)


@pytest.mark.parametrize(
    "said",
    [
        "CRM software and marketing automation",
        "CRM software, marketing automation",
        "CRM software & marketing automation",
        "CRM software or marketing automation",
        "CRM software; marketing automation; crm software",
    ],
)
async def test_a_phrase_that_joins_several_is_all_of_them(said: str) -> None:
    chosen = await choose(said)

    assert [topic.id for topic in chosen.topics] == [1, 4]
    assert [choice.asked for choice in chosen.choices] == ["CRM software", "marketing automation"]


async def test_a_name_that_joins_words_itself_is_one() -> None:
    choice = await only("sales & marketing")

    assert choice.topic == TOPICS[5]


async def test_the_part_of_a_joined_phrase_that_is_not_found_is_said() -> None:
    chosen = await choose("marketing automation and zzzyx")

    assert [(choice.asked, choice.sure) for choice in chosen.choices] == [
        ("marketing automation", "exact"),
        ("zzzyx", "none"),
    ]


async def test_either_of_the_search_and_the_catalogue_is_enough() -> None:
    searched = await choose("CRM", service=service(catalogue=False))
    listed = await choose("CRM", service=service(search=False))

    assert searched.topics == listed.topics == (TOPICS[0],)
    assert searched.problems
    assert listed.problems


async def test_without_both_there_is_no_choice() -> None:
    with pytest.raises(ServiceDown):
        await choose("CRM", service=service(catalogue=False, search=False))


async def test_within_a_bound_the_first_stay_and_fewer_alternatives_are_shown() -> None:
    chosen = await choose("CRM", "payroll", "marketing automation", "CRM software")

    assert [topic.id for topic in chosen.within(2).topics] == [1, 8]
    assert [choice.asked for choice in chosen.within(2).left_out] == ["marketing automation"]
    assert chosen.within(10).left_out == ()
