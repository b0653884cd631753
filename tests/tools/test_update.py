"""update_audience: a change, not a replacement."""

import pytest

from tests.faults.service import Fault, Sandbox
from tests.tools.assistant import UNASKED, Assistant, Connect, Reply, Start, changes, each_profile

pytestmark = pytest.mark.anyio

OLD_LIST = (
    "The people shown are from before the audience was last changed; the next run applies its"
    " current config."
)
WANTED = {
    "topicIds": [117805, 117890],
    "minScore": 60,
    "maxScore": 95,
    "minTopicOverlap": 2,
    "filters": {"seniority": ["vp"], "hasPhone": True},
    "sourceUrl": "https://acme.example/crm",
}


@each_profile
async def test_filters_are_merged_by_key_and_null_removes_one(
    profile: str, connect: Connect
) -> None:
    async with connect(profile=profile) as client:
        made = await client.call("create_audience", name="VPs", config=WANTED)
        change = {"filters": {"department": ["Sales"], "hasPhone": None}}
        reply = await client.call("update_audience", id=made["id"], config=change)
        shown = await client.call("get_audience", id=made["id"])
        wanted = {**WANTED, "filters": {"seniority": ["vp"], "department": ["sales"]}}
        right = await client.call("preview_audience", **wanted)
    assert reply["config"] == shown["config"] == right["config"]
    assert reply["size"] == right["size"]
    rows = [["department", "", '["sales"]'], ["hasPhone", "true", ""]]
    assert reply["changes"]["columns"] == ["what", "before", "after"]
    assert sorted(reply["changes"]["rows"]) == rows
    assert reply["summary"].startswith("'VPs' was changed: ")
    assert reply["summary"].endswith(f". {right['size']} people match now.")
    assert [step["tool"] for step in reply["next"]] == ["set_status"]


@each_profile
async def test_what_is_not_named_stays(profile: str, start: Start, connect: Connect) -> None:
    sandbox = start(profile=profile)
    async with connect(sandbox) as client:
        made = await client.call("create_audience", name="VPs", config=WANTED)
        reply = await client.call("update_audience", id=made["id"], config={"minScore": 70})
    assert reply["config"] == {**made["config"], "minScore": 70}
    assert reply["changes"]["rows"] == [["minScore", "60", "70"]]
    assert changes(sandbox) == ["POST /audiences", f"PATCH /audiences/{made['id']}"]


async def test_null_removes_what_can_be_missing_and_leaves_the_rest(client: Assistant) -> None:
    made = await client.call("create_audience", name="VPs", config=WANTED)
    nulls = dict.fromkeys(
        ["topicIds", "minScore", "maxScore", "minTopicOverlap", "filters", "sourceUrl"]
    )
    reply = await client.call("update_audience", id=made["id"], config=nulls)
    expected = dict(made["config"])
    del expected["maxScore"], expected["sourceUrl"]
    assert reply["config"] == expected
    assert [row[::2] for row in reply["changes"]["rows"]] == [["maxScore", ""], ["sourceUrl", ""]]


async def test_everything_can_be_changed_at_once(client: Assistant) -> None:
    made = await client.call("create_audience", name="VPs", config=WANTED)
    config = {
        "topicIds": [117918],
        "minScore": 75,
        "maxScore": 90,
        "minTopicOverlap": 1,
        "filters": {"seniority": None, "hasPhone": None},
        "sourceUrl": "https://acme.example/erp",
    }
    reply = await client.call("update_audience", id=made["id"], name="All", config=config)
    del config["filters"]
    assert reply["config"] == config
    assert reply["name"] == "All"
    parts = [row[0] for row in reply["changes"]["rows"]]
    assert parts[0] == "name"
    assert reply["summary"].startswith(f"'All' was changed: {', '.join(parts)}.")
    assert reply["changes"]["rows"][1] == ["topicIds", "[117805, 117890]", "[117918]"]


async def test_an_audience_is_renamed_without_a_look_at_its_people(
    client: Assistant, sandbox: Sandbox
) -> None:
    audience = (await client.saved())["paused"]
    before = len(sandbox.requests)
    reply = await client.call("update_audience", id=audience, name=" CRM ")
    assert reply["summary"] == "'CRM' was changed: name."
    assert reply["changes"]["rows"] == [["name", "CRM Buyers in California", "CRM"]]
    assert reply["size"] > 0
    assert "config" not in reply
    assert [request.method for request in sandbox.requests][before:] == ["GET", "PATCH"]
    assert reply["next"] == [
        {"tool": "query_audience", "arguments": {"audienceId": audience}, "why": "see the people"}
    ]


@each_profile
async def test_a_change_to_what_is_so_already_changes_nothing(
    profile: str, start: Start, connect: Connect
) -> None:
    sandbox = start(profile=profile)
    same = {"minScore": "60", "filters": {"seniority": "VP", "role.departments": None}}
    async with connect(sandbox) as client:
        made = await client.call("create_audience", name="VPs", config=WANTED)
        reply = await client.call("update_audience", id=made["id"], name="VPs", config=same)
        empty = await client.call("update_audience", id=made["id"], config={})
    assert reply["summary"] == "'VPs' already looks like that, so nothing was changed."
    assert empty == reply
    assert not {"changes", "size", "next"} & set(reply)
    assert changes(sandbox) == ["POST /audiences"]


async def test_an_active_audience_is_changed_with_the_way_to_its_new_people(
    connect: Connect,
) -> None:
    async with connect(settings=UNASKED) as client:
        audience = (await client.saved())["active"]
        reply = await client.call("update_audience", id=audience, config={"minScore": 60})
    assert reply["status"] == "active"
    assert reply["next"][0]["tool"] == "get_audience"


@pytest.mark.parametrize("profile", ["mixed", "catalog"])
async def test_people_of_the_config_before_are_called_so_until_the_next_run(
    profile: str, connect: Connect, moments: list[float]
) -> None:
    async with connect(profile=profile, settings=UNASKED) as client:
        audience = (await client.saved())["active"]
        changed = await client.call("update_audience", id=audience, config={"minScore": 60})
        shown = await client.call("get_audience", id=audience)
        people = await client.call("query_audience", audienceId=audience)
        moments.append(moments[-1] + 86_400)
        shown_later = await client.call("get_audience", id=audience)
        people_later = await client.call("query_audience", audienceId=audience)
    for reply in (changed, shown, people):
        assert OLD_LIST in reply["warnings"]
    for reply in (shown_later, people_later):
        assert OLD_LIST not in reply.get("warnings", [])
    assert people["size"] < changed["size"]


async def test_people_whose_age_cannot_be_told_are_shown_all_the_same(
    sandbox: Sandbox, connect: Connect
) -> None:
    async with connect(settings=UNASKED) as client:
        audience = (await client.saved())["active"]
        await client.call("update_audience", id=audience, config={"minScore": 60})
        sandbox.faults.add(Fault("status", path="/validate", times=3))
        one = await client.call("query_audience", audienceId=audience)
        # The runs, the audience itself, and then their people.
        sandbox.faults.add(
            Fault("wrong_shape", method="GET", path=f"/audiences/{audience}", every=2)
        )
        other = await client.call("query_audience", audienceId=audience)
    assert "warnings" not in one
    assert other == one


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"minScore": 96}, "With this change, minScore (96) is above maxScore (95)."),
        (
            {"topicIds": [117805]},
            "With this change, minTopicOverlap (2) is above the number of topics (1).",
        ),
        (
            {"filters": {"role.senority": None}},
            "There is no filter 'role.senority'. Did you mean 'role.seniority'",
        ),
        ({"filters": {"seniority": ["wizard"]}}, "'seniority' has no value 'wizard'."),
        (
            {"filters": {"companyIndustry": ["SaaS"]}},
            "'companyIndustry' has no value 'SaaS'. Nearest: 'software development'.",
        ),
        ({"exclude": {"state": ["!texas"]}}, "'exclude.state' has no value '!texas'."),
        (
            {"filters": {"exclude.state": None}},
            "There is no filter 'exclude.state'. To leave people out, use the argument exclude",
        ),
        ({"exclude": {"exclude.state": None}}, "There is no filter 'exclude.state'."),
        ({"topicIds": [117805, 5]}, "There is no topic with the id 5"),
    ],
)
async def test_a_change_that_does_not_fit_is_refused(
    client: Assistant, sandbox: Sandbox, change: Reply, said: str
) -> None:
    made = await client.call("create_audience", name="VPs", config=WANTED)
    text = await client.refused("update_audience", id=made["id"], config=change)
    assert text.startswith(said)
    assert changes(sandbox) == ["POST /audiences"]


async def test_a_part_of_a_config_that_is_hidden_cannot_be_changed(
    start: Start, connect: Connect
) -> None:
    sandbox = start(profile="catalog", detail_has_config=False)
    async with connect(sandbox) as client:
        made = await client.call("create_audience", name="VPs", config=WANTED)
        said = await client.refused("update_audience", id=made["id"], config={"minScore": 70})
        renamed = await client.call("update_audience", id=made["id"], name="Others")
    assert said == (
        "The service does not show the config of 'VPs', so part of it cannot be changed"
        " without losing the rest. Nothing was changed."
        " Create a new audience with the whole config instead."
    )
    assert renamed["summary"] == "'Others' was changed: name."
    assert changes(sandbox) == ["POST /audiences", f"PATCH /audiences/{made['id']}"]


async def test_a_change_that_leaves_few_people_is_warned_of(client: Assistant) -> None:
    made = await client.call("create_audience", name="VPs", config=WANTED)
    change = {"filters": {"companyName": ["Nobody at all"]}}
    reply = await client.call("update_audience", id=made["id"], config=change)
    assert reply["size"] == 0
    assert reply["warnings"] == [
        "Nobody matches. Leave a filter out, lower minScore, or take other topics."
    ]


async def test_a_long_value_is_cut_in_the_table_of_changes(client: Assistant) -> None:
    made = await client.call("create_audience", name="VPs", config={"topicIds": [117805]})
    many = [f"acme{number}.example" for number in range(100)]
    change = {"filters": {"companyDomain": many}}
    reply = await client.call("update_audience", id=made["id"], config=change)
    (row,) = reply["changes"]["rows"]
    assert len(row[2]) == 200
    assert row[2].endswith("…")
    assert reply["config"]["filters"] == {"companyDomain": many}


EXCLUDING = {
    "topicIds": [117805],
    "filters": {"seniority": ["VP", "director"]},
    "exclude": {"department": ["legal"], "companyIndustry": ["banking"]},
}


@each_profile
async def test_exclusions_are_merged_by_key_and_null_removes_one(
    profile: str, connect: Connect
) -> None:
    change = {"exclude": {"department": None, "ageRange": ["18-24"]}}
    async with connect(profile=profile) as client:
        made = await client.call("create_audience", name="VPs", config=EXCLUDING)
        reply = await client.call("update_audience", id=made["id"], config=change)
        shown = await client.call("get_audience", id=made["id"])
        right = await client.call("preview_audience", **reply["config"])
    assert reply["config"]["filters"] == {"seniority": ["vp", "director"]}
    assert reply["config"]["exclude"] == {"companyIndustry": ["banking"], "ageRange": ["18 to 24"]}
    assert reply["config"] == shown["config"] == right["config"]
    assert reply["size"] == right["size"]
    assert sorted(reply["changes"]["rows"]) == [
        ["exclude.ageRange", "", '["18 to 24"]'],
        ["exclude.department", '["legal"]', ""],
    ]


@each_profile
@pytest.mark.parametrize(
    ("change", "filters", "exclude"),
    [
        (
            {"exclude": {"seniority": ["owner"]}},
            None,
            {"companyIndustry": ["banking"], "department": ["legal"], "seniority": ["owner"]},
        ),
        (
            {"filters": {"department": ["sales"]}},
            {"department": ["sales"], "seniority": ["director", "vp"]},
            {"companyIndustry": ["banking"]},
        ),
    ],
    ids=str,
)
async def test_a_key_that_is_named_in_one_leaves_the_other(
    profile: str, connect: Connect, change: Reply, filters: Reply | None, exclude: Reply
) -> None:
    async with connect(profile=profile) as client:
        made = await client.call("create_audience", name="VPs", config=EXCLUDING)
        reply = await client.call("update_audience", id=made["id"], config=change)
        shown = await client.call("get_audience", id=made["id"])

    def in_order(part: Reply | None) -> Reply | None:
        return part and {key: sorted(part[key]) for key in sorted(part)}

    assert reply["config"] == shown["config"]
    assert in_order(reply["config"].get("filters")) == filters
    assert in_order(reply["config"]["exclude"]) == exclude


async def test_titles_are_asked_for_and_left_out_side_by_side_but_none_both_ways(
    client: Assistant,
) -> None:
    config = {
        "topicIds": [117805],
        "filters": {"jobTitle": ["director", "manager"]},
        "exclude": {"jobTitle": ["assistant", "legal"]},
    }
    made = await client.call("create_audience", name="Titles", config=config)

    async def changed(**change: object) -> tuple[object, object]:
        reply = await client.call("update_audience", id=made["id"], config=change)
        shown = await client.call("get_audience", id=made["id"])
        assert reply["config"] == shown["config"]
        both = (reply["config"].get(part, {}) for part in ("filters", "exclude"))
        wanted, unwanted = (part.get("jobTitle") for part in both)
        return wanted, unwanted

    assert await changed(filters={"jobTitle": ["legal"]}) == (["legal"], ["assistant"])
    assert await changed(exclude={"jobTitle": ["Legal"]}) == (None, ["Legal"])
    assert await changed(filters={"jobTitle": ["chief"]}) == (["chief"], ["Legal"])
    assert await changed(exclude={"jobTitle": None}) == (["chief"], None)


@each_profile
@pytest.mark.parametrize(
    "part",
    [
        {"filters": {"companySize": ["over 10"]}},
        {"filters": {"seniority": ["VP or below"]}},
        {"exclude": {"gender": ["male"]}},
    ],
    ids=str,
)
async def test_the_config_of_a_reply_changes_nothing_however_it_was_said(
    profile: str, part: Reply, start: Start, connect: Connect
) -> None:
    sandbox = start(profile=profile)
    async with connect(sandbox) as client:
        made = await client.call("create_audience", name="X", config={"topicIds": [117805], **part})
        before = changes(sandbox)
        reply = await client.call("update_audience", id=made["id"], config=made["config"])

    assert reply["summary"] == "'X' already looks like that, so nothing was changed."
    assert changes(sandbox) == before
