"""Choosing topics: what a phrase comes to, how surely, and what else it could have been."""

from collections.abc import Mapping

import pytest
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from leadpipe_mcp.api.in_process import Application, serve_in_process
from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.topics import Topic
from leadpipe_mcp.api.transport import Transport
from leadpipe_mcp.errors import ServiceDown
from leadpipe_mcp.planning.choosing import ChosenTopics, TopicChoice, choose_topics
from tests.faults.service import Sandbox

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


PEOPLE = {topic.id: 1_000 - topic.id for topic in TOPICS}


def service(
    *,
    catalogue: bool = True,
    search: bool = True,
    compare: bool = True,
    people: Mapping[int, int] = PEOPLE,
    compared: list[list[int]] | None = None,
) -> Application:
    """A service with these topics; its search finds names that begin so."""

    def series(topic: int) -> dict[str, object]:
        day = {"date": "2026-05-04", "uniqueAudience": people.get(topic, PEOPLE[topic])}
        return {"topicId": topic, "topicName": str(topic), "data": [day]}

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        words = request.query_params.get("q")
        if request.url.path.endswith("/compare"):
            ids = (await request.json())["topicIds"]
            (compared if compared is not None else []).append(ids)
            works, data = compare, [series(topic) for topic in ids]
        else:
            works = catalogue if words is None else search
            found = [t for t in TOPICS if t.name.casefold().startswith((words or "").casefold())]
            data = [{"id": t.id, "name": t.name, "type": t.type} for t in found]
        response = JSONResponse({"data": data} if works else {}, 200 if works else 500)
        await response(scope, receive, send)

    return answer


async def choose(*asked: str | int, service: Application = service()) -> ChosenTopics:  # noqa: B008 -- it has no state
    client = LeadpipeClient(
        Transport("https://service.test", None, network=serve_in_process(service))
    )
    return await choose_topics(client.topics, asked, None)


def names(choice: TopicChoice) -> list[str]:
    return [topic.name for topic in choice.alternatives]


async def only(asked: str | int, people: Mapping[int, int] = PEOPLE) -> TopicChoice:
    (choice,) = (await choose(asked, service=service(people=people))).choices
    return choice


async def test_a_topic_of_this_very_name_is_exact() -> None:
    choice = await only("marketing automation")

    assert choice.topic == TOPICS[3]
    assert choice.sure == "exact"


async def test_of_the_names_that_say_no_more_the_one_that_most_research_is_taken() -> None:
    choice = await only("CRM", people={2: 5_000})

    assert choice.topic == TOPICS[1]
    assert choice.sure == "close"
    assert names(choice) == ["CRM Software"]


async def test_what_nobody_researches_is_never_taken() -> None:
    itself = await only("CRM", people={1: 0})
    literal = await only("marketing automation", people={4: 0})

    assert itself.topic == TOPICS[1]
    assert names(itself) == []
    assert literal.topic is None
    assert literal.note == "A topic of this name exists, but nobody researches it now."


async def test_an_aspect_is_never_taken_for_the_whole_but_shown_for_the_user_to_choose() -> None:
    choice = await only("payroll", people={8: 9_000})

    assert (choice.topic, choice.sure, choice.family) == (None, "ambiguous", 2)
    assert names(choice) == ["Payroll Training", "Payroll Integration"]
    assert choice.note == (
        "2 topics are about it, but none is the subject as a whole. Which one is meant?"
    )


async def test_the_only_topic_with_the_words_is_close() -> None:
    choice = await only("running")

    assert choice.topic
    assert (choice.topic.name, choice.sure) == ("Running Shoes", "close")


async def test_letter_for_letter_wins_over_another_way_to_write_it_whoever_researches_that() -> (
    None
):
    plain = await only("marketing automation", people={4: 10})
    hyphen = await only("marketing-automation", people={4: 10})

    assert plain.topic == hyphen.topic == TOPICS[3]
    assert plain.sure == hyphen.sure == "exact"


async def test_everything_is_compared_at_once_and_ten_topics_at_the_most() -> None:
    compared: list[list[int]] = []
    chosen = await choose("CRM", "payroll", "research", service=service(compared=compared))

    assert len(compared) == 1
    assert len(compared[0]) == 10
    assert compared[0][:3] == [1, 8, 13]
    assert chosen.audiences == {topic: 1_000 - topic for topic in compared[0]}


async def test_without_the_comparison_the_likeliest_is_taken_and_that_is_said() -> None:
    chosen = await choose("CRM", service=service(compare=False))

    assert chosen.topics == (TOPICS[0],)
    assert chosen.problems


async def test_another_spelling_is_close_and_says_so() -> None:
    choice = await only("marketing automaton")

    assert choice.topic == TOPICS[3]
    assert (choice.sure, choice.note) == ("close", "Another spelling.")


async def test_an_abbreviation_means_what_it_is_short_for() -> None:
    choice = await only("ABM")

    assert choice.topic == TOPICS[9]
    assert choice.sure == "close"


async def test_of_two_topics_of_one_name_the_one_of_business_is_taken() -> None:
    choice = await only("insurance")

    assert choice.topic
    assert (choice.topic.id, choice.sure) == (102, "ambiguous")
    assert [topic.id for topic in choice.alternatives] == [101]


async def test_a_phrase_without_a_topic_comes_with_the_nearest() -> None:
    choice = await only("jogging shoes")

    assert (choice.topic, choice.sure) == (None, "none")
    assert "Running Shoes" in names(choice)


async def test_a_phrase_that_joins_several_subjects_is_not_taken_apart() -> None:
    choice = await only("CRM software and marketing automation")

    assert (choice.topic, choice.sure) == (None, "none")


async def test_a_name_that_joins_words_itself_is_one() -> None:
    choice = await only("sales & marketing")

    assert choice.topic == TOPICS[5]


async def test_either_of_the_search_and_the_catalogue_is_enough() -> None:
    searched = await choose("CRM", service=service(catalogue=False))
    listed = await choose("CRM", service=service(search=False))

    assert searched.topics == listed.topics == (TOPICS[0],)
    assert searched.problems
    assert not listed.problems


async def test_without_both_there_is_no_choice() -> None:
    with pytest.raises(ServiceDown):
        await choose("CRM", service=service(catalogue=False, search=False))


async def test_within_a_bound_the_first_stay() -> None:
    chosen = await choose("CRM", "running", "marketing automation", "CRM software")

    assert [topic.id for topic in chosen.within(2).topics] == [1, 9]
    assert [choice.asked for choice in chosen.within(2).left_out] == ["marketing automation"]
    assert chosen.within(10).left_out == ()


@pytest.mark.parametrize(
    "phrase", ["business travel", "expense management", "zero trust", "last mile delivery"]
)
async def test_a_bare_phrase_ends_in_what_hundreds_research_or_in_a_question(phrase: str) -> None:
    transport = Transport(
        "https://service.test", SecretStr("sk_test"), network=serve_in_process(Sandbox())
    )
    chosen = await choose_topics(LeadpipeClient(transport).topics, [phrase], None)
    (choice,) = chosen.choices

    if choice.topic:
        assert chosen.audiences[choice.topic.id] > 100
        assert all(
            chosen.audiences[other.id] <= chosen.audiences[choice.topic.id]
            for other in choice.alternatives
        )
    else:
        assert choice.family > 50
        assert chosen.audiences[choice.alternatives[0].id] > 100
