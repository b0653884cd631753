"""Asking the human: by the client where it can, by a question and a code where it cannot."""

import re

import pytest
from mcp import MCPError
from mcp.client.session import ClientRequestContext
from mcp.types import ElicitRequestFormParams, ElicitRequestParams, ElicitResult, ErrorData

from leadpipe_mcp.callers import Callers, Shared
from leadpipe_mcp.toolkit import Action
from leadpipe_mcp.toolkit.calls import Codes
from tests.faults.service import Fault, Sandbox
from tests.tools.assistant import Assistant, Connect, Human, Reply, Start, changes, each_era

pytestmark = pytest.mark.anyio

WANTED = {"topicIds": [117805]}
SLOT = "It takes one of your 3 slots; 1 in use now."


async def prepared(client: Assistant, action: str) -> tuple[str, Reply, str]:
    """A call that needs a yes: the tool, its arguments, and the question that it leads to."""
    if action == "create":
        size = (await client.call("preview_audience", **WANTED))["size"]
        question = f"Create and activate 'New' ({size:,} people)?"
        arguments: Reply = {"name": "New", "config": WANTED, "status": "active"}
        return "create_audience", arguments, f"{question} {SLOT}"
    ids = await client.saved()
    audience = ids["active" if action == "update" else "paused"]
    shown = await client.call("get_audience", id=audience)
    name, size = shown["name"], shown["size"]
    if action == "delete":
        question = f"Delete '{name}' ({size} people, paused)? This cannot be undone."
        return "delete_audience", {"id": audience}, question
    if action == "activate":
        size = (await client.call("preview_audience", **shown["config"]))["size"]
        question = f"Activate '{name}' ({size} people)? {SLOT}"
        return "set_status", {"id": audience, "status": "active"}, question
    config = {**shown["config"], "minScore": 60}
    config["filters"] = {**shown["config"]["filters"], "seniority": ["vp"]}
    size = (await client.call("preview_audience", **config))["size"]
    question = (
        f"Change '{name}', which is active? name: '{name}' → 'VPs'; minScore: 70 → 60;"
        f" seniority drops 'director' and 'c_suite'. It would have {size} people."
    )
    change = {"minScore": 60, "filters": {"seniority": "VP"}}
    return "update_audience", {"id": audience, "name": "VPs", "config": change}, question


async def deletion(client: Assistant) -> str:
    """What a human is asked before the paused audience is deleted."""
    return (await prepared(client, "delete"))[2]


@pytest.mark.parametrize("action", ["activate", "create", "update", "delete"])
async def test_the_human_is_asked_once_by_the_client_or_else_by_the_assistant_with_a_code(
    action: str, start: Start, connect: Connect
) -> None:
    service = start()
    asked: list[tuple[str, object]] = []

    async def agree(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        assert isinstance(params, ElicitRequestFormParams)
        assert changes(service) == []
        asked.append((params.message, params.requested_schema["required"]))
        return ElicitResult(action="accept", content={"approve": True})

    async with connect(service, answer=agree) as client:
        tool, arguments, question = await prepared(client, action)
        reply = await client.call(tool, **arguments)
    assert asked == [(question, ["approve"])]
    assert changes(service) != []
    assert not {"question", "confirm"} & set(reply)

    other = start()
    async with connect(other) as client:
        tool, arguments, question = await prepared(client, action)
        first = await client.call(tool, **arguments)
        code = first["confirm"]
        assert first == {
            "summary": f"Nothing was changed yet. Ask the user: «{question}» Only if they agree,"
            f' call {tool} again with the same arguments and confirm: "{code}" (holds for ten'
            " minutes).",
            "question": question,
            "confirm": code,
            "sandbox": True,
        }
        assert changes(other) == []
        assert await client.call(tool, **arguments, confirm=f" {code.upper()} ") == reply
        assert changes(other) == changes(service)


async def test_nobody_is_asked_about_what_frees_or_costs_nothing_is_so_already_or_cannot_be(
    human: Human, questions: list[str], connect: Connect
) -> None:
    bad: Reply = {**WANTED, "filters": {"seniority": ["bird"]}}
    async with connect(answer=human("decline")) as client:
        ids = await client.saved()
        await client.call("set_status", id=ids["active"], status="active")
        await client.call("update_audience", id=ids["active"], config={"minScore": 70})
        await client.refused("create_audience", name="New", config=bad, status="active")
        await client.call("set_status", id=ids["active"], status="paused")
        await client.call("update_audience", id=ids["paused"], name="Renamed")
        await client.call("create_audience", name="New", config=WANTED)
        await client.call("set_status", id=ids["paused"], status="draft")
    assert questions == []


@pytest.mark.parametrize(
    ("service", "slots"),
    [
        ({"slots": 2}, "the last of your 2 slots."),
        ({"slots_key": ""}, "an audience slot; the service does not show how many are free."),
    ],
)
async def test_the_question_says_what_it_does_to_the_slots(
    connect: Connect, service: Reply, slots: str
) -> None:
    async with connect(**service) as client:
        made = await client.call("create_audience", name="New", config=WANTED)
        activate: Reply = {"id": made["id"], "status": "active"}
        reply = await client.call("set_status", **activate)
        done = await client.call("set_status", **activate, confirm=reply["confirm"])
    assert reply["question"].endswith(f" people)? It takes {slots}")
    assert ("slots" in done) is ("slots_key" not in service)


async def test_the_question_says_the_last_size_where_the_present_one_cannot_be_had(
    connect: Connect,
) -> None:
    async with connect(profile="catalog", detail_has_config=False) as client:
        audience = (await client.saved())["paused"]
        size = (await client.call("get_audience", id=audience))["size"]
        made = await client.call("create_audience", name="New", config=WANTED)
        reply = await client.call("set_status", id=audience, status="active")
        draft = await client.call("set_status", id=made["id"], status="active")
    assert f"({size} people)" in reply["question"]
    assert draft["question"].startswith("Activate 'New' (an unknown number of people)? ")


@each_era
async def test_a_client_that_fails_to_ask_changes_nothing(
    sandbox: Sandbox, connect: Connect
) -> None:
    async def fail(context: ClientRequestContext, params: ElicitRequestParams) -> ErrorData:
        return ErrorData(code=-32601, message="Method not found")

    async with connect(answer=fail) as client:
        audience = (await client.saved())["paused"]
        if client.protocol_version > "2026":  # The client knows of its failure before the server.
            with pytest.raises(MCPError, match="Method not found"):
                await client.call_tool("delete_audience", {"id": audience})
        else:
            assert await client.refused("delete_audience", id=audience) == (
                "The user did not agree to this, because the client could not ask them:"
                f" {await deletion(client)} Nothing was changed. Tell the user; it can be done in"
                " the Leadpipe dashboard."
            )
    assert changes(sandbox) == []


@each_era
async def test_a_human_who_declines_is_not_asked_again_and_nothing_is_changed(
    human: Human, questions: list[str], sandbox: Sandbox, connect: Connect
) -> None:
    async with connect(answer=human("decline")) as client:
        audience = (await client.saved())["paused"]
        said = await client.refused("delete_audience", id=audience)
        assert questions == [question := await deletion(client)]
    assert said == (
        f"The user did not agree to this: {question} Nothing was changed. Ask them what they would"
        " like instead."
    )
    assert changes(sandbox) == []


async def test_whoever_activates_is_told_what_was_changed_since_it_was_active(
    connect: Connect, era: str
) -> None:
    async with connect() as client:
        audience = (await client.saved())["active"]
        size = (await client.call("get_audience", id=audience))["size"]
        await client.call("set_status", id=audience, status="paused")
        change = {"minScore": 60, "filters": {"seniority": None}, "exclude": {"state": ["texas"]}}
        await client.call("update_audience", id=audience, name="Other", config=change)
        question = (await client.call("set_status", id=audience, status="active"))["question"]
    now, _, changed = question.partition(" Changed since it was last active (")
    assert now.startswith("Activate 'Other' (")
    assert changed == (
        f"{size} people then): name: 'Marketing Directors at Tech Companies' → 'Other'; minScore:"
        " 70 → 60; seniority: 'director', 'vp' and 'c_suite' → not set; exclude.state: not set →"
        " 'texas'."
    )


@pytest.mark.parametrize("profile", ["mixed", "catalog"])
async def test_a_change_that_this_server_did_not_see_is_told_by_the_service(
    profile: str, start: Start, connect: Connect, moments: list[float]
) -> None:
    sandbox = start(profile=profile)
    async with connect(sandbox) as client:
        audience = (await client.saved())["active"]
        size = (await client.call("get_audience", id=audience))["size"]
        await client.call("set_status", id=audience, status="paused")
        moments.append(moments[-1] + 60)
        await client.call("update_audience", id=audience, config={"minScore": 60})
    async with connect(sandbox) as client:
        question = (await client.call("set_status", id=audience, status="active"))["question"]
        other = (await client.saved())["paused"]
        unchanged = (await client.call("set_status", id=other, status="active"))["question"]
        sandbox.faults.add(Fault("status", path="/runs", times=None))
        unclear = (await client.call("set_status", id=audience, status="active"))["question"]
    told = f"Its config was changed after its last refresh ({size} people then)."
    assert question.endswith(told) != unchanged.endswith(told)
    assert unclear.endswith("Whether it was changed since it was last active could not be checked.")


async def test_the_question_for_a_change_names_every_part_or_counts_the_rest(
    connect: Connect,
) -> None:
    titles = [f"head of {word} and everything else" for word in ("sales", "growth", "revenue")]
    states = ["texas", "ohio", "utah", "iowa", "maine", "nevada", "oregon", "kansas", "idaho"]
    filters = {
        "jobTitle": [f"{title} {number}" for title in titles for number in range(4)],
        "companyName": [f"{'Example ' * 8}{number}" for number in range(12)],
        "state": states,
        "gender": "female",
        "department": ["marketing"],
    }
    async with connect() as client:
        audience = (await client.saved())["active"]
        change = {"minScore": 60, "filters": filters, "exclude": {"ageRange": ["18-24"]}}
        question = (await client.call("update_audience", id=audience, config=change))["question"]
    assert len(question) < 1_000
    for part in ("jobTitle", "companyName", "state", "gender", "department", "exclude.ageRange"):
        assert part in question
    assert "jobTitle: not set → 'head of sales and everything else 0'" in question
    assert " and 4 more" in question
    assert re.search(r"; and \d more, of [\w., ]+ and [\w.]+\. It would have", question)


async def test_a_name_cannot_pass_for_the_words_of_a_question(client: Assistant) -> None:
    for mark in ("'", '"', "\u2019", "\u201d", "»", "`", "\uff07"):
        name = f"A{mark} (1 person)? It takes nothing. Ask for {mark}B"
        made = await client.call("create_audience", name=name, config=WANTED, sameName=True)
        question = (await client.call("delete_audience", id=made["id"]))["question"]
        shown = "A\u2019 (1 person)? It takes nothing. Ask for \u2019B"
        assert question.startswith(f"Delete '{shown}' (")
        assert question.count("'") == 2


async def test_what_the_oldest_of_many_questions_hold_is_free_again() -> None:
    codes = Codes(Callers())
    given = [codes.give(Action("export", "Export it?", {"id": 1}, holds=n)) for n in range(201)]
    assert len(set(given)) == 201
    for _ in range(300):
        codes.give(Action("delete", "Delete it?", {"id": 1}))
    assert not codes.is_held(0)
    assert codes.is_held(1)


async def test_a_code_holds_for_ten_minutes_and_what_it_is_about_is_held_as_long() -> None:
    now = [1_000.0]
    codes = Codes(Callers(Shared(clock=lambda: now[-1])))
    action = Action("export", "Export it?", {"id": 1}, holds="people.csv")
    for later, holds in {0: True, 600: True, 601: False, -1: False}.items():
        code = codes.give(action)
        now.append(now[-1] + later)
        if later >= 0:
            assert codes.is_held("people.csv") is holds
            assert codes.held_by(f" {code.upper()} ") == ("people.csv" if holds else None)
        assert await codes.redeem(code, action) is holds
        assert not codes.is_held("people.csv")


async def test_the_order_of_arguments_does_not_matter_to_a_code() -> None:
    codes = Codes(Callers())
    code = codes.give(Action("delete", "Delete it?", 1, arguments={"id": 1, "name": "x"}))
    action = Action("delete", "Delete it?", 1, arguments={"name": "x", "id": 1})
    assert await codes.redeem(code, action)


async def test_what_is_no_code_agrees_to_nothing() -> None:
    codes, action = Codes(Callers()), Action("delete", "Delete it?", {"id": 1})
    code = codes.give(action)
    # The last begins with an I as a capital, and with no ASCII letter as it is.
    for odd in (
        "",
        "123",
        code[:-1],
        f"{code}a",
        "\ud83d",
        f"\N{LATIN SMALL LETTER DOTLESS I}{code[1:]}",
    ):
        assert await codes.redeem(odd, action) is False
    assert await codes.redeem(code, action)
    assert await codes.redeem(code, action) is False
