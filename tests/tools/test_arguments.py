"""What tools take: nothing unknown, nothing contradictory, harmless slips; said before anything
is asked of the service.
"""

import pytest

from tests.faults.service import Sandbox
from tests.tools.assistant import Assistant, Reply

pytestmark = pytest.mark.anyio

ID = "6fb81599-f601-4afe-b3ff-e8a211cae27d"
OTHER = "0f8fad5b-d9cb-469f-a165-70867728950e"
WANTED = {"topicIds": [117805]}
CREATE = {"name": "Buyers", "config": WANTED}
TOPICS = "Ids of the topics they research: 1 to 250 (an older API takes 10)."

# Tool, arguments, and what a refusal begins with.
REFUSED: list[tuple[str, Reply, str]] = [
    # Unknown.
    ("list_audiences", {"nameContain": 1}, "There is no argument 'nameContain'. Did you mean 'na"),
    ("update_audience", {"id": ID, "config": {"zzz": 2}}, "There is no argument 'config.zzz'."),
    ("delete_audience", {"ident": ID}, "'id' is required. It is: The audience's id. There is no"),
    ("get_account_status", {"key": 1}, "There is no argument 'key'. This takes none."),
    ("list_audiences", {"a\u202e\U000e0041\nb": 1}, "There is no argument 'a b'."),
    ("update_pixel", {"id": ID, "audienceId": ID, "status": "active"}, "There is no argument 'aud"),
    # Missing, or of the wrong kind.
    ("preview_audience", {}, f"'topicIds' is required. It is: {TOPICS}"),
    ("get_audience", {"audienceId": None}, "'id' is required. It is: The audience's id."),
    ("preview_audience", {"topicIds": {"a": 1}}, "'topicIds' must be a list."),
    ("preview_audience", {"topicIds": ["1" * 5_000]}, "'topicIds.0' is too large a number."),
    ("preview_audience", {"topicIds": [True]}, "'topicIds.0' must be a whole number."),
    ("preview_audience", {"topicIds": "[" * 9_000}, "'topicIds.0' must be a whole number."),
    ("preview_audience", {**WANTED, "filters": "vp"}, "'filters' must be an object."),
    ("preview_audience", {**WANTED, "sourceUrl": "acme.example"}, "'sourceUrl' must be a web addr"),
    ("create_audience", {**CREATE, "name": "\ud800"}, "'name' holds characters that no text"),
    ("create_audience", {**CREATE, "status": "live"}, "'status' must be 'draft', 'active' or 'pau"),
    ("get_audience", {"id": "first"}, f"'id' must be an id like {ID}; list_audiences shows them."),
    ("query_audience", {**WANTED, "date": "2026-02-30"}, "'date' must be a date like 2026-05-04."),
    # Out of bounds.
    ("preview_audience", {"topicIds": []}, "'topicIds' needs at least 1 entry."),
    ("preview_audience", {"topicIds": [*range(1, 252)]}, "'topicIds' takes at most 250 entries."),
    ("create_audience", {**CREATE, "name": " \t "}, "'name' must not be empty."),
    ("update_audience", {"id": ID, "name": "x" * 256}, "'name' must be at most 255 characters"),
    ("query_audience", {**WANTED, "limit": 101}, "'limit' must be 100 or less."),
    ("get_audience", {"id": ID, "waitSeconds": 301}, "'waitSeconds' must be 300 or less."),
    ("compare_topics", {**WANTED, "days": 6}, "'days' must be 7 or more."),
    ("compare_topics", {**WANTED, "days": 91}, "'days' must be 90 or less."),
    ("analyze_audience", {"audienceId": ID, "top": 201}, "'top' must be 200 or less."),
    ("plan_audience", {"topics": ["a"] * 11}, "'topics' takes at most 10 entries."),
    ("search_topics", {"queries": ["a"] * 9}, "'queries' takes at most 8 entries."),
    ("search_topics", {"queries": ["a"], "limit": 51}, "'limit' must be 50 or less."),
    ("query_audience", {**WANTED, "minScore": 200, "limit": 0}, "'minScore' must be 100 or less."),
    # Contradictory.
    ("get_audience", {"id": OTHER, "audienceId": ID}, "id and audienceId both name the audience"),
    ("update_pixel", {"id": ID, "pixelId": OTHER, "status": "active"}, "id and pixelId both name"),
    ("get_audience", {"id": ID, "runId": ID, "date": "2026-05-04"}, "Name a date or a runId, not"),
    ("get_audience", {"id": ID, "runId": ID, "waitSeconds": 5}, "waitSeconds waits for the newest"),
    ("query_audience", {"audienceId": ID, "cursor": "a", "waitSeconds": 5}, "waitSeconds waits fo"),
    ("preview_audience", {**WANTED, "minScore": 90, "maxScore": 80}, "minScore (90) is above max"),
    ("preview_audience", {"topicIds": [7, 7], "minTopicOverlap": 2}, "minTopicOverlap (2) is"),
    ("query_audience", {}, "Pass an audienceId, or topicIds for an audience that is not saved."),
    ("query_audience", {"audienceId": ID, **WANTED, "minScore": 0}, "A saved audience has its own"),
    ("query_audience", {**WANTED, "runId": ID}, "runId needs an audienceId."),
    ("update_audience", {"id": ID, "config": None}, "Nothing to change was given. Pass a name, a"),
]


async def test_what_cannot_be_taken_is_refused_by_name_before_anything_is_asked(
    client: Assistant, sandbox: Sandbox
) -> None:
    for tool, arguments, said in REFUSED:
        assert (await client.refused(tool, **arguments)).startswith(said)
    assert list(sandbox.requests) == []


async def test_every_problem_is_told_at_once_and_of_many_how_many_more(client: Assistant) -> None:
    said = await client.refused("query_audience", audienceId="x", limit=0, **{"x" * 900: "red"})
    assert said.count(" must be ") == 2
    assert "There is no argument 'xxx" in said
    assert "x" * 65 not in said
    said = await client.refused("preview_audience", topicIds=["x"] * 250)
    told = said.count("must be a whole number.")
    assert 30 < told < 50
    assert said.endswith(f" And {250 - told} more problems.")
    # A refusal of very much is short all the same.
    await client.refused("list_audiences", **{f"argument {number}": 1 for number in range(300)})
    await client.refused("preview_audience", topicIds=[1], filters={"x" * 9_000: ["vp"]})


ALSO_REQUIRED: dict[str, Reply] = {
    "set_status": {"status": "paused"},
    "update_audience": {"name": "Buyers"},
    "update_pixel": {"status": "active"},
    "sonarly_update_audience": {"name": "Buyers"},
    "sonarly_move_audience": {"folderId": None},
}


async def test_an_id_is_understood_under_both_names_in_every_tool(client: Assistant) -> None:
    assert await client.saved()  # From now on the service's address is known to be right.
    tried = 0
    for tool in (await client.list_tools()).tools:
        names = {"id", "audienceId"} & set(tool.input_schema["properties"])
        if not names:
            continue
        (name,), tried = names, tried + 1
        whose = "pixelId" if tool.name == "update_pixel" else "audienceId"
        other = "id" if name == "audienceId" else whose
        asked = ALSO_REQUIRED.get(tool.name, {})
        said = await client.refused(tool.name, **asked, **{name: ID})
        assert "argument" not in said
        assert await client.refused(tool.name, **asked, **{other: ID, name: None}) == said
    assert tried == 14


async def test_the_other_side_of_a_comparison_is_understood_under_both_names(
    client: Assistant,
) -> None:
    ids = await client.saved()
    asked = {"id": ids["active"], "compareWith": {"id": ids["paused"]}}
    reply = await client.call("analyze_audience", **asked)
    assert reply["onlyThere"]["size"] > 0


async def test_every_tool_that_takes_filters_refuses_what_are_none_by_name(
    client: Assistant, sandbox: Sandbox
) -> None:
    paused = (await client.saved())["paused"]

    async def refused(tool: str, config: Reply) -> str:
        if tool == "update_audience":
            return await client.refused(tool, id=paused, config=config)
        if tool == "create_audience":
            return await client.refused(tool, name="Buyers", config=WANTED | config)
        topics = {"topics": ["117805"]} if tool == "plan_audience" else WANTED
        return await client.refused(tool, **topics, **config)

    for tool in ("plan", "preview", "query", "create", "update"):
        for part in ("filters", "exclude"):
            said = await refused(f"{tool}_audience", {part: {"senority": ["vp"]}})
            assert said.startswith("There is no filter 'senority'. Did you mean 'seniority'?")
            said = await refused(f"{tool}_audience", {part: {"minScore": 80, "exclude": {}}})
            assert said == "Pass this beside filters, not inside: minScore and exclude."
    assert {request.method for request in sandbox.requests} <= {"GET"}


async def test_a_config_as_json_text_is_understood_at_every_level(client: Assistant) -> None:
    config = (
        '{"topicIds": "[\\"117805\\"]", "minScore": "80", "filters": "{\\"state\\": \\"Texas\\"}",'
        ' "exclude": "{\\"department\\": \\"Legal\\"}"}'
    )
    reply = await client.call("create_audience", name="Buyers", config=config)
    assert reply["config"] == {
        "topicIds": [117805],
        "minScore": 80,
        "minTopicOverlap": 1,
        "filters": {"state": ["texas"]},
        "exclude": {"department": ["legal"]},
    }
    change = '{"minScore": "85", "filters": "{\\"state\\": null}", "exclude": {"department": null}}'
    reply = await client.call("update_audience", id=reply["id"], config=change)
    assert reply["config"] == {"topicIds": [117805], "minScore": 85, "minTopicOverlap": 1}


async def test_an_id_that_stands_twice_counts_once_and_is_noted(client: Assistant) -> None:
    config = {"topicIds": [117805, 117890, 117805, 117805], "minTopicOverlap": 2}
    once = await client.call("preview_audience", topicIds=[117805, 117890], minTopicOverlap=2)
    made = await client.call("create_audience", name="x", config=config)
    previewed = await client.call("preview_audience", **config)
    for reply in (made, previewed, await client.call("query_audience", **config)):
        assert "2 repeated topic ids ignored." in reply["warnings"]
        assert reply["size"] == once["size"]
    config = {"topicIds": [117890, 117890, 117805], "minTopicOverlap": 1}
    changed = await client.call("update_audience", id=made["id"], config=config)
    assert changed["config"]["topicIds"] == [117890, 117805]
    assert changed["warnings"] == ["1 repeated topic id ignored."]
