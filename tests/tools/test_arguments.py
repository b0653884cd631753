"""What tools take: nothing unknown, nothing contradictory, harmless slips; said before anything
is asked of the service.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable

import pytest

from tests.faults.service import Sandbox
from tests.tools.assistant import Assistant, Connect, Reply

pytestmark = pytest.mark.anyio

ID = "6fb81599-f601-4afe-b3ff-e8a211cae27d"
OTHER = "0f8fad5b-d9cb-469f-a165-70867728950e"
WANTED = {"topicIds": [117805]}
CREATE = {"name": "Buyers", "config": WANTED}
TOPICS = "Ids of the topics they research: 1 to 250 (an older API takes 10)."
FIELDS = "topicIds, minScore, maxScore, minTopicOverlap, filters, exclude and sourceUrl."
TOO_LOW = "minScore (90) is above maxScore (80)."
TOO_MANY = "minTopicOverlap (2) is above the number of topics (1)."
OWN = "A saved audience has its own config; leave out"
RUN = "runId needs an audienceId, and no date."
DIFFER = "id and audienceId both name the audience, and they differ. Give one of them."

# Tool, arguments, and what a refusal begins with.
REFUSED: list[tuple[str, Reply, str]] = [
    # Unknown.
    (
        "list_audiences",
        {"nameContain": "x"},
        "There is no argument 'nameContain'. Did you mean 'nameContains'?",
    ),
    (
        "create_audience",
        {"name": "Buyers", "config": {**WANTED, "minscore": 80}},
        "There is no argument 'config.minscore'. Did you mean 'minScore'?",
    ),
    (
        "update_audience",
        {"id": ID, "config": {"zzz": 2}},
        f"There is no argument 'config.zzz'. There are: {FIELDS}",
    ),
    ("get_account_status", {"key": 1}, "There is no argument 'key'. This takes none."),
    ("list_audiences", {"a\u202e\U000e0041\nb": 1}, "There is no argument 'a b'."),
    ("update_pixel", {"id": ID, "audienceId": ID, "status": "active"}, "There is no argument 'aud"),
    # Missing.
    ("preview_audience", {}, f"'topicIds' is required. It is: {TOPICS}"),
    ("create_audience", {"name": "x", "config": {}}, "'config.topicIds' is required. It is: Ids"),
    ("get_audience", {"audienceId": None}, "'id' is required. It is: The audience's id."),
    # Of the wrong kind.
    ("delete_audience", {"id": None}, "'id' must be a text."),
    ("preview_audience", {"topicIds": "many"}, "'topicIds.0' must be a whole number."),
    ("preview_audience", {"topicIds": {"a": 1}}, "'topicIds' must be a list."),
    ("preview_audience", {"topicIds": [True]}, "'topicIds.0' must be a whole number."),
    ("preview_audience", {"topicIds": ["1" * 5_000]}, "'topicIds.0' is too large a number."),
    ("preview_audience", {"topicIds": "[" * 9_000}, "'topicIds.0' must be a whole number."),
    ("preview_audience", {**WANTED, "minScore": 70.5}, "'minScore' must be a whole number."),
    ("preview_audience", {**WANTED, "filters": "vp"}, "'filters' must be an object."),
    ("preview_audience", {**WANTED, "sourceUrl": "acme.example"}, "'sourceUrl' must be a web addr"),
    ("create_audience", {**CREATE, "name": "\ud800"}, "'name' holds characters that no text"),
    (
        "create_audience",
        {**CREATE, "status": "live"},
        "'status' must be 'draft', 'active' or 'paused'.",
    ),
    ("get_audience", {"id": "first"}, f"'id' must be an id like {ID}; list_audiences shows them."),
    ("query_audience", {**WANTED, "date": "2026-02-30"}, "'date' must be a date like 2026-05-04."),
    # Out of bounds.
    ("preview_audience", {"topicIds": []}, "'topicIds' needs at least 1 entry."),
    ("preview_audience", {"topicIds": [*range(1, 252)]}, "'topicIds' takes at most 250 entries."),
    ("preview_audience", {"topicIds": [0]}, "'topicIds.0' must be 1 or more."),
    ("preview_audience", {**WANTED, "maxScore": -1}, "'maxScore' must be 0 or more."),
    ("create_audience", {**CREATE, "name": " \t "}, "'name' must not be empty."),
    ("update_audience", {"id": ID, "name": "x" * 256}, "'name' must be at most 255 characters"),
    ("get_audience", {"id": ID, "waitSeconds": 301}, "'waitSeconds' must be 300 or less."),
    ("list_audiences", {"limit": 101}, "'limit' must be 100 or less."),
    (
        "query_audience",
        {**WANTED, "minScore": 200, "limit": 0},
        "'minScore' must be 100 or less. 'limit' must be 1 or more.",
    ),
    # Contradictory.
    ("get_audience", {"id": OTHER, "audienceId": ID}, DIFFER),
    ("query_audience", {"id": OTHER, "audienceId": ID}, DIFFER),
    ("update_pixel", {"id": ID, "pixelId": OTHER, "status": "active"}, "id and pixelId both name"),
    ("get_audience", {"id": ID, "runId": ID, "date": "2026-05-04"}, "Name a date or a runId, not"),
    ("get_audience", {"id": ID, "runId": ID, "waitSeconds": 5}, "waitSeconds waits for the newest"),
    ("preview_audience", {**WANTED, "minScore": 90, "maxScore": 80}, TOO_LOW),
    ("preview_audience", {"topicIds": [7, 7], "minTopicOverlap": 2}, TOO_MANY),
    ("query_audience", {**WANTED, "maxScore": 60}, "minScore (70) is above maxScore (60)."),
    ("query_audience", {}, "Pass an audienceId, or topicIds for an audience that is not saved."),
    ("query_audience", {"audienceId": ID, **WANTED}, f"{OWN} topicIds, or audienceId."),
    (
        "query_audience",
        {"audienceId": ID, "minScore": 0, "maxScore": 9, "filters": {"hasPhone": True}},
        f"{OWN} minScore, maxScore and filters, or audienceId.",
    ),
    ("query_audience", {**WANTED, "runId": ID}, RUN),
    ("query_audience", {"audienceId": ID, "runId": ID, "date": "2026-05-04"}, RUN),
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


ALSO_REQUIRED: dict[str, Reply] = {
    "set_status": {"status": "paused"},
    "update_audience": {"name": "Buyers"},
    "update_pixel": {"status": "active"},
    "sonarly_update_audience": {"name": "Buyers"},
    "sonarly_move_audience": {"folderId": None},
}


async def test_an_id_is_understood_under_both_names_in_every_tool(client: Assistant) -> None:
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


@pytest.fixture
async def refused_config(
    connect: Connect, sandbox: Sandbox
) -> AsyncGenerator[Callable[..., Awaitable[str]]]:
    """What a tool says of a config that it refuses once it has looked up what there is."""
    async with connect() as client:

        async def refused_config(tool: str, **config: object) -> str:
            if tool == "update_audience":
                audience = (await client.saved())["paused"]
                return await client.refused(tool, id=audience, config=config)
            if tool == "create_audience":
                return await client.refused(tool, name="Buyers", config={**WANTED, **config})
            topics = {"topics": ["117805"]} if tool == "plan_audience" else WANTED
            return await client.refused(tool, **topics, **config)

        yield refused_config
    assert {request.method for request in sandbox.requests} <= {"GET"}


async def test_every_tool_that_takes_filters_refuses_what_are_none_by_name(
    refused_config: Callable[..., Awaitable[str]],
) -> None:
    for tool in (
        *("plan_audience", "preview_audience", "query_audience", "create_audience"),
        "update_audience",
    ):
        for part in ("filters", "exclude"):
            said = await refused_config(tool, **{part: {"senority": ["vp"]}})
            assert said.startswith("There is no filter 'senority'. Did you mean 'seniority'?")
            said = await refused_config(tool, **{part: {"minScore": 80, "exclude": {}}})
            assert said == "Pass this beside filters, not inside: minScore and exclude."


async def test_a_filter_of_the_wrong_form_is_refused_by_name_clean_and_short(
    refused_config: Callable[..., Awaitable[str]],
) -> None:
    cases: list[tuple[Reply, str]] = [
        (
            {"seniority": {"values": ["vp"], "mod": "any"}},
            "'{}seniority' has no part 'mod'. Did you mean 'mode'?",
        ),
        ({"hasPhone": "perhaps"}, "'{}hasPhone' takes true or false."),
        ({"seniority": []}, "'{}seniority' is empty. Leave it out, or name at least one value."),
        ({"seniority": True}, "'{}seniority' takes words, not a yes or no."),
        ({"seniority": [["vp"]]}, "'{}seniority' takes a list of words."),
        ({"jobTitle": True}, "'{}jobTitle' takes words."),
        ({"a\u202e\nb": ["vp"]}, "There is no filter 'a b'."),
        ({"x." * 9_000 + "x": ["vp"]}, "There is no filter 'x.x"),
    ]
    for filters, said in cases:
        for part, name in (("filters", ""), ("exclude", "exclude.")):
            text = await refused_config("preview_audience", **{part: filters})
            assert text.startswith(said.format(name))
            assert len(text) < 700


async def test_a_harmless_slip_is_understood(client: Assistant) -> None:
    slips: list[Reply] = [
        {"topicIds": "117805", "minScore": "80"},
        {"topicIds": ' ["117805"] ', "minScore": 80.0},
        {"filters": '{"seniority": ["vp"], "hasPhone": true}'},
        {"filters": {"seniority": '{"values": "[\\"vp\\"]"}', "hasPhone": "yes"}},
        {"filters": {"seniority": " Vp ", "hasPhone": "Y", "department": None}},
        {"filters": {"role.seniority": ["vice presidents"], "hasPhone": "true"}},
        {"maxScore": None, "minTopicOverlap": None, "sourceUrl": None},
    ]
    filters = {"seniority": ["vp"], "hasPhone": True}
    wanted = {"topicIds": [117805], "minScore": 80, "filters": filters}
    right = await client.call("preview_audience", **wanted)
    assert 0 < right["size"] < 100
    for slip in slips:
        assert await client.call("preview_audience", **{**wanted, **slip}) == right
    size = {"companySize": '{"min": "51", "max": "100"}'}
    reply = await client.call("preview_audience", **WANTED, filters=size)
    assert reply["config"]["filters"] == {"companySize": ["51 to 100"]}


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


async def test_null_for_an_optional_argument_is_its_default(client: Assistant) -> None:
    default = await client.call("list_audiences")
    nulls = {"status": None, "nameContains": None, "limit": None}
    assert await client.call("list_audiences", **nulls) == default
    config = {**WANTED, "minScore": None, "maxScore": None, "filters": None, "exclude": None}
    made = await client.call("create_audience", name="x", config=config, status=None, confirm=None)
    assert made["config"] == {**WANTED, "minScore": 70, "minTopicOverlap": 1}
    others = dict.fromkeys(["audienceId", "date", "runId", "fields", "limit", "cursor", "contact"])
    page = await client.call("query_audience", **config, **others)
    assert len(page["people"]["rows"]) == 25


async def test_words_of_a_closed_set_and_ids_are_understood_in_any_writing(
    client: Assistant,
) -> None:
    found = await client.call("list_audiences", status=" Active ")
    assert found["summary"] == "1 active audience."
    audience = (await client.saved())["active"]
    reply = await client.call("get_audience", id=f" {audience.upper()} ")
    assert reply["id"] == audience


async def test_an_id_that_stands_twice_counts_once_and_is_noted(client: Assistant) -> None:
    config = {"topicIds": [117805, 117890, 117805, 117805], "minTopicOverlap": 2}
    once = await client.call("preview_audience", topicIds=[117805, 117890], minTopicOverlap=2)
    made = await client.call("create_audience", name="x", config=config)
    for reply in (
        made,
        await client.call("preview_audience", **config),
        await client.call("query_audience", **config),
    ):
        assert "2 repeated topic ids ignored." in reply["warnings"]
        assert reply["size"] == once["size"]
    config = {"topicIds": [117890, 117890, 117805], "minTopicOverlap": 1}
    changed = await client.call("update_audience", id=made["id"], config=config)
    assert changed["config"]["topicIds"] == [117890, 117805]
    assert changed["warnings"] == ["1 repeated topic id ignored."]
