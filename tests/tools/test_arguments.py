"""What tools take: nothing unknown, nothing contradictory, harmless slips; said before anything
is asked of the service.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable

import pytest

from tests.faults.service import Sandbox
from tests.tools.assistant import Assistant, Connect, Reply

pytestmark = pytest.mark.anyio

ID = "6fb81599-f601-4afe-b3ff-e8a211cae27d"
WANTED = {"topicIds": [117805]}
CREATE = {"name": "Buyers", "config": WANTED}
TOPICS = "Ids of the topics they research: 1 to 250 (an older API takes 10)."


@pytest.fixture
async def unasked(connect: Connect, sandbox: Sandbox) -> AsyncGenerator[Assistant]:
    """A client whose calls must not reach the service."""
    async with connect() as client:
        yield client
    assert list(sandbox.requests) == []


async def test_an_unknown_argument_is_refused_by_name(unasked: Assistant) -> None:
    cases: list[tuple[str, Reply, str]] = [
        ("list_audiences", {"nameContain": "x"}, "'nameContain'. Did you mean 'nameContains'?"),
        (
            "get_audience",
            {"id": ID, "wait_seconds": 5},
            "'wait_seconds'. Did you mean 'waitSeconds'?",
        ),
        (
            "create_audience",
            {"name": "Buyers", "config": {**WANTED, "minscore": 80}},
            "'config.minscore'. Did you mean 'minScore'?",
        ),
        (
            "update_audience",
            {"id": ID, "config": {"zzz": 2}},
            (
                "'config.zzz'. There are: topicIds, minScore, maxScore, minTopicOverlap, filters,"
                " exclude and sourceUrl."
            ),
        ),
        ("delete_audience", {"id": ID, "force": True}, "'force'. There are: id and confirm."),
        ("get_account_status", {"key": 1}, "'key'. This takes none."),
    ]
    for tool, arguments, said in cases:
        assert await unasked.refused(tool, **arguments) == f"There is no argument {said}"


OTHER = "0f8fad5b-d9cb-469f-a165-70867728950e"
ALSO_REQUIRED: dict[str, Reply] = {
    "set_status": {"status": "paused"},
    "update_audience": {"name": "Buyers"},
    "update_pixel": {"status": "active"},
    "sonarly_update_audience": {"name": "Buyers"},
    "sonarly_move_audience": {"folderId": None},
}


@pytest.fixture
async def tools_of_one(client: Assistant) -> dict[str, str]:
    """The tools that take the id of one thing, and how else it may be called."""
    published: dict[str, str] = {}
    for tool in (await client.list_tools()).tools:
        names = {"id", "audienceId"} & set(tool.input_schema["properties"])
        assert len(names) <= 1, tool.name
        whose = "pixelId" if tool.name == "update_pixel" else "audienceId"
        if names:
            published[tool.name] = "id" if names == {"audienceId"} else whose
    return published


async def test_an_id_is_understood_under_both_names_in_every_tool(
    client: Assistant, tools_of_one: dict[str, str]
) -> None:
    assert len(tools_of_one) == 14
    for tool, other in tools_of_one.items():
        name = "id" if other != "id" else "audienceId"
        asked = ALSO_REQUIRED.get(tool, {})
        said = await client.refused(tool, **asked, **{name: ID})
        assert "argument" not in said
        assert await client.refused(tool, **asked, **{other: ID}) == said
        assert await client.refused(tool, **asked, **{other: ID, name: ID}) == said
        assert await client.refused(tool, **asked, **{other: ID, name: None}) == said


async def test_two_ids_that_differ_are_refused_by_name(
    client: Assistant, sandbox: Sandbox, tools_of_one: dict[str, str]
) -> None:
    for tool, other in tools_of_one.items():
        thing = "pixel" if tool == "update_pixel" else "audience"
        ids = {other: ID, "id" if other != "id" else "audienceId": OTHER}
        assert await client.refused(tool, **ALSO_REQUIRED.get(tool, {}), **ids) == (
            f"id and {thing}Id both name the {thing}, and they differ. Give one of them."
        )
    assert list(sandbox.requests) == []


async def test_the_other_side_of_a_comparison_is_understood_under_both_names(
    client: Assistant,
) -> None:
    ids = await client.saved()
    asked = {"id": ids["active"], "compareWith": {"id": ids["paused"]}}
    reply = await client.call("analyze_audience", **asked)
    assert reply["onlyThere"]["size"] > 0


async def test_an_id_is_required_by_its_published_name(unasked: Assistant) -> None:
    said = await unasked.refused("get_audience", audienceId=None)
    assert said == "'id' is required. It is: The audience's id."
    said = await unasked.refused("get_audience", audienceId=[ID], id=[OTHER])
    assert said == "id and audienceId both name the audience, and they differ. Give one of them."
    said = await unasked.refused("update_pixel", id=ID, audienceId=ID, status="active")
    assert said.startswith("There is no argument 'audienceId'.")


@pytest.fixture
async def uncounted(connect: Connect, sandbox: Sandbox) -> AsyncGenerator[Assistant]:
    """A client whose calls look up what there is, and go no further."""
    async with connect() as client:
        yield client
    assert {request.method for request in sandbox.requests} <= {"GET"}


@pytest.fixture
async def refused_config(uncounted: Assistant) -> Callable[..., Awaitable[str]]:
    """What a tool says of a config that it refuses."""

    async def refused_config(tool: str, **config: object) -> str:
        if tool == "update_audience":
            audience = (await uncounted.saved())["paused"]
            return await uncounted.refused(tool, id=audience, config=config)
        if tool == "create_audience":
            return await uncounted.refused(tool, **{**CREATE, "config": {**WANTED, **config}})
        topics = {"topics": ["117805"]} if tool == "plan_audience" else WANTED
        return await uncounted.refused(tool, **topics, **config)

    return refused_config


TAKING_A_CONFIG = (
    *("plan_audience", "preview_audience", "query_audience", "create_audience"),
    "update_audience",
)


async def test_an_unknown_key_in_filters_is_refused_by_name(
    uncounted: Assistant, refused_config: Callable[..., Awaitable[str]]
) -> None:
    cases: list[tuple[Reply, str]] = [
        ({"senority": ["vp"]}, "There is no filter 'senority'. Did you mean 'seniority'?"),
        ({"senority": None}, "There is no filter 'senority'. Did you mean 'seniority'?"),
        (
            {"seniority": {"values": ["vp"], "mod": "any"}},
            "'{}seniority' has no part 'mod'. Did you mean 'mode'?",
        ),
        ({"hasPhone": "perhaps"}, "'{}hasPhone' takes true or false."),
        ({"seniority": []}, "'{}seniority' is empty. Leave it out, or name at least one value."),
        ({"seniority": True}, "'{}seniority' takes words, not a yes or no."),
        ({"seniority": [["vp"]]}, "'{}seniority' takes a list of words."),
        ({"jobTitle": True}, "'{}jobTitle' takes words."),
    ]
    for part, name in (("filters", ""), ("exclude", "exclude.")):
        for filters, said in cases:
            text = await uncounted.refused("preview_audience", **WANTED, **{part: filters})
            assert text.startswith(said.format(name))
        for tool in TAKING_A_CONFIG:
            assert (await refused_config(tool, **{part: cases[0][0]})).startswith(cases[0][1])


async def test_what_belongs_beside_filters_is_refused_in_them(
    refused_config: Callable[..., Awaitable[str]],
) -> None:
    beside: Reply = {"minScore": 80, "seniority": ["vp"], "exclude": {}}
    for tool in TAKING_A_CONFIG:
        for part in ("filters", "exclude"):
            said = await refused_config(tool, **{part: beside})
            assert said == "Pass this beside filters, not inside: minScore and exclude."


async def test_what_is_missing_is_named_with_what_it_is_for(unasked: Assistant) -> None:
    cases: list[tuple[str, Reply, str]] = [
        ("preview_audience", {}, f"'topicIds' is required. It is: {TOPICS}"),
        ("delete_audience", {"id": None}, "'id' must be a text."),
        (
            "create_audience",
            {"name": "x", "config": {}},
            f"'config.topicIds' is required. It is: {TOPICS}",
        ),
        ("create_audience", {"config": WANTED}, "'name' is required. It is: A name the user will"),
        ("set_status", {"id": ID}, "'status' is required. It is: active: refreshed daily"),
    ]
    for tool, arguments, said in cases:
        assert (await unasked.refused(tool, **arguments)).startswith(said)


async def test_the_wrong_kind_of_value_is_refused_by_name(unasked: Assistant) -> None:
    cases: list[tuple[str, Reply, str]] = [
        ("preview_audience", {"topicIds": "many"}, "'topicIds.0' must be a whole number."),
        ("preview_audience", {"topicIds": {"a": 1}}, "'topicIds' must be a list."),
        ("preview_audience", {"topicIds": [True]}, "'topicIds.0' must be a whole number."),
        ("preview_audience", {"topicIds": True}, "'topicIds' must be a list."),
        ("preview_audience", {"topicIds": ["1" * 5_000]}, "'topicIds.0' is too large a number."),
        ("preview_audience", {"topicIds": "[" * 9_000}, "'topicIds.0' must be a whole number."),
        ("preview_audience", {**WANTED, "minScore": 70.5}, "'minScore' must be a whole number."),
        ("preview_audience", {**WANTED, "filters": "vp"}, "'filters' must be an object."),
        (
            "preview_audience",
            {**WANTED, "sourceUrl": "acme.example"},
            "'sourceUrl' must be a web address that starts with https://.",
        ),
        ("create_audience", {**CREATE, "config": "{nonsense"}, "'config' must be an object."),
        ("create_audience", {**CREATE, "name": 7}, "'name' must be a text."),
        ("create_audience", {**CREATE, "name": "\ud800"}, "'name' holds characters that no text"),
        (
            "create_audience",
            {**CREATE, "status": "live"},
            "'status' must be 'draft', 'active' or 'paused'.",
        ),
        (
            "get_audience",
            {"id": "first"},
            f"'id' must be an id like {ID}; list_audiences shows them.",
        ),
        (
            "query_audience",
            {**WANTED, "date": "2026-02-30"},
            "'date' must be a date like 2026-05-04.",
        ),
        ("query_audience", {**WANTED, "fields": [1]}, "'fields.0' must be a text."),
    ]
    for tool, arguments, said in cases:
        assert (await unasked.refused(tool, **arguments)).startswith(said)


async def test_bounds_are_told(unasked: Assistant) -> None:
    cases: list[tuple[str, Reply, str]] = [
        ("preview_audience", {"topicIds": []}, "'topicIds' needs at least 1 entry."),
        (
            "preview_audience",
            {"topicIds": [*range(1, 252)]},
            "'topicIds' takes at most 250 entries.",
        ),
        ("preview_audience", {"topicIds": [0]}, "'topicIds.0' must be 1 or more."),
        ("preview_audience", {**WANTED, "maxScore": -1}, "'maxScore' must be 0 or more."),
        (
            "preview_audience",
            {**WANTED, "minTopicOverlap": 0},
            "'minTopicOverlap' must be 1 or more.",
        ),
        (
            "preview_audience",
            {**WANTED, "sourceUrl": f"https://{'x' * 2_048}"},
            "'sourceUrl' must be at most 2048 characters long.",
        ),
        ("create_audience", {**CREATE, "name": " \t "}, "'name' must not be empty."),
        (
            "update_audience",
            {"id": ID, "name": "x" * 256},
            "'name' must be at most 255 characters long.",
        ),
        ("get_audience", {"id": ID, "waitSeconds": 301}, "'waitSeconds' must be 300 or less."),
        (
            "set_status",
            {"id": ID, "status": "active", "waitSeconds": -1},
            "'waitSeconds' must be 0",
        ),
        ("list_audiences", {"limit": 0}, "'limit' must be 1 or more."),
        ("list_audiences", {"limit": 101}, "'limit' must be 100 or less."),
        (
            "query_audience",
            {**WANTED, "minScore": 200, "limit": 0},
            "'minScore' must be 100 or less. 'limit' must be 1 or more.",
        ),
    ]
    for tool, arguments, said in cases:
        assert (await unasked.refused(tool, **arguments)).startswith(said)


async def test_arguments_that_do_not_go_together_are_refused(unasked: Assistant) -> None:
    own = "A saved audience has its own config; leave out"
    too_low, too_many = (
        "minScore (90) is above maxScore (80).",
        "minTopicOverlap (2) is above the number of topics (1).",
    )
    run = "runId needs an audienceId, and no date."
    nothing = "Nothing to change was given. Pass a name, a config, or both."
    cases: list[tuple[str, Reply, str]] = [
        ("preview_audience", {**WANTED, "minScore": 90, "maxScore": 80}, too_low),
        ("preview_audience", {"topicIds": [7, 7], "minTopicOverlap": 2}, too_many),
        (
            "create_audience",
            {**CREATE, "config": {**WANTED, "minScore": 90, "maxScore": 80}},
            too_low,
        ),
        ("query_audience", {**WANTED, "maxScore": 60}, "minScore (70) is above maxScore (60)."),
        ("query_audience", {**WANTED, "minTopicOverlap": 2}, too_many),
        (
            "query_audience",
            {},
            "Pass an audienceId, or topicIds for an audience that is not saved.",
        ),
        ("query_audience", {"audienceId": ID, **WANTED}, f"{own} topicIds, or audienceId."),
        (
            "query_audience",
            {"audienceId": ID, "minScore": 0, "maxScore": 9, "filters": {"hasPhone": True}},
            f"{own} minScore, maxScore and filters, or audienceId.",
        ),
        ("query_audience", {**WANTED, "runId": ID}, run),
        ("query_audience", {"audienceId": ID, "runId": ID, "date": "2026-05-04"}, run),
        ("update_audience", {"id": ID}, nothing),
        ("update_audience", {"id": ID, "name": None, "config": None}, nothing),
    ]
    for tool, arguments, said in cases:
        assert await unasked.refused(tool, **arguments) == said


async def test_a_value_that_is_refused_is_not_repeated(unasked: Assistant) -> None:
    secret = "jane.doe@acme.example"
    said = [
        await unasked.refused("get_audience", id=secret),
        await unasked.refused("set_status", id=ID, status=secret),
        await unasked.refused("preview_audience", topicIds=[secret], minScore=secret),
        await unasked.refused("preview_audience", **WANTED, filters=secret, sourceUrl=secret),
        await unasked.refused("create_audience", name=[secret], config=secret),
        await unasked.refused("query_audience", **WANTED, date=secret, cursor=secret),
    ]
    assert not any("jane" in text for text in said)


async def test_a_name_that_is_not_known_is_repeated_clean_and_short(unasked: Assistant) -> None:
    said = await unasked.refused("list_audiences", **{"a\u202e\U000e0041\nb": 1, "x" * 900: 2})
    assert said.startswith("There is no argument 'a b'.")
    assert "x" * 60 in said
    assert "x" * 65 not in said


async def test_a_name_that_is_an_address_or_a_key_is_not_repeated(uncounted: Assistant) -> None:
    names = {"jane.doe@acme.example": 1, "sk_live_0123": 2}
    said = await uncounted.refused("list_audiences", **names)
    assert "There is no argument '[email]'." in said
    assert "There is no argument '[key]'." in said
    for filters in (names, {"seniority": names}):
        said += await uncounted.refused("preview_audience", **WANTED, filters=filters)
    assert "There is no filter '[email]'." in said
    assert "'seniority' has no part '[email]'." in said
    assert "jane" not in said
    assert "0123" not in said


async def test_of_many_problems_the_first_are_told_and_how_many_more(uncounted: Assistant) -> None:
    said = await uncounted.refused("preview_audience", topicIds=["x"] * 250)
    told = said.count("must be a whole number.")
    assert 30 < told < 50
    assert said.endswith(f" And {250 - told} more problems.")
    filters = {f"x{number}": "y" for number in range(99)}
    said = await uncounted.refused("preview_audience", **WANTED, filters=filters)
    told = said.count("There is no filter")
    assert said.endswith(f" And {99 - told} more problems.")


async def test_a_filter_that_is_not_known_is_repeated_clean_and_short(uncounted: Assistant) -> None:
    cases: list[str] = ["x" * 9_000, "x." * 9_000 + "x", "a\u202e\nb"]
    for name in cases:
        for filters in ({name: ["vp"]}, {name: None}, {"seniority": {name: "vp"}}):
            said = await uncounted.refused("preview_audience", **WANTED, filters=filters)
            assert said.isprintable()
            assert "x" * 65 not in said
            assert len(said) < 700


async def test_every_problem_is_told_at_once(unasked: Assistant) -> None:
    said = await unasked.refused("query_audience", audienceId="x", limit=0, colour="red")
    assert said.count(" must be ") == 2
    assert "There is no argument 'colour'." in said


async def test_a_harmless_slip_is_understood(client: Assistant) -> None:
    slips: list[Reply] = [
        {"topicIds": "117805"},
        {"topicIds": ' ["117805"] '},
        {"minScore": "80"},
        {"minScore": 80.0},
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
    assert await client.call("list_audiences", limit="50", nameContains="") == default


async def test_null_is_the_default_in_every_tool(client: Assistant) -> None:
    config = {**WANTED, "minScore": None, "maxScore": None, "filters": None, "exclude": None}
    config["sourceUrl"] = None
    made = await client.call("create_audience", name="x", config=config, status=None, confirm=None)
    assert made["config"] == {**WANTED, "minScore": 70, "minTopicOverlap": 1}
    detail = await client.call("get_audience", id=made["id"], waitSeconds=None)
    assert detail["status"] == "draft"
    del config["sourceUrl"]
    others = dict.fromkeys(["audienceId", "date", "runId", "fields", "limit", "cursor", "contact"])
    page = await client.call("query_audience", **config, **others)
    assert len(page["people"]["rows"]) == 25


async def test_words_of_a_closed_set_are_understood_in_any_case(client: Assistant) -> None:
    found = await client.call("list_audiences", status=" Active ")
    assert found == await client.call("list_audiences", status="active")
    assert found["summary"] == "1 active audience."


async def test_an_id_is_understood_in_any_writing(client: Assistant) -> None:
    audience = (await client.saved())["active"]
    reply = await client.call("get_audience", id=f" {audience.upper()} ")
    assert reply["id"] == audience


async def test_an_id_that_stands_twice_counts_once_and_is_noted(client: Assistant) -> None:
    cases: list[tuple[str, tuple[str, ...]]] = [
        ("preview_audience", ()),
        ("create_audience", ("config",)),
        ("query_audience", ()),
    ]
    for tool, path in cases:
        config = {"topicIds": [117805, 117890, 117805, 117805], "minTopicOverlap": 2}
        reply = await client.call(tool, **({"name": "x", "config": config} if path else config))
        assert "2 repeated topic ids ignored." in reply["warnings"]
        once = await client.call("preview_audience", topicIds=[117805, 117890], minTopicOverlap=2)
        assert reply["size"] == once["size"]


async def test_an_id_that_stands_twice_in_a_change_is_noted(client: Assistant) -> None:
    made = await client.call("create_audience", **CREATE)
    twice = {"topicIds": [117890, 117890]}
    reply = await client.call("update_audience", id=made["id"], config=twice)
    assert reply["config"]["topicIds"] == [117890]
    assert reply["warnings"] == ["1 repeated topic id ignored."]
