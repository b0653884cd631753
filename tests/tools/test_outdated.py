"""People who were put together before their audience was changed are said to be so."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.tools.assistant import UNASKED, Assistant, Connect, Reply, Start

pytestmark = pytest.mark.anyio

OUTDATED = "from before the audience was last changed"


@pytest.fixture
def changed(
    connect: Connect, moments: list[float]
) -> Callable[[str, dict[str, Any]], Awaitable[list[Reply]]]:
    """The replies of changing an active audience, showing it, and showing its people."""

    async def changed(profile: str, change: dict[str, Any]) -> list[Reply]:
        async with connect(profile=profile, settings=UNASKED) as client:
            audience = (await client.saved())["active"]
            moments.append(moments[-1] + 60)
            return [
                await client.call("update_audience", id=audience, **change),
                await client.call("get_audience", id=audience),
                await client.call("query_audience", audienceId=audience, limit=3),
            ]

    return changed


@pytest.mark.parametrize("profile", ["mixed", "catalog"])
async def test_a_changed_config_makes_the_present_people_outdated(
    profile: str, changed: Callable[[str, dict[str, Any]], Awaitable[list[Reply]]]
) -> None:
    replies = await changed(profile, {"config": {"minScore": 90}})

    assert [OUTDATED in " ".join(reply.get("warnings", [])) for reply in replies] == [True] * 3


@pytest.mark.parametrize("profile", ["mixed", "catalog"])
async def test_a_new_name_leaves_the_people_as_good_as_they_were(
    profile: str, changed: Callable[[str, dict[str, Any]], Awaitable[list[Reply]]]
) -> None:
    replies = await changed(profile, {"name": "Another name"})

    assert OUTDATED not in str(replies)


async def test_where_people_are_kept_by_date_a_changed_config_has_none_yet(
    changed: Callable[[str, dict[str, Any]], Awaitable[list[Reply]]],
) -> None:
    replies = await changed("flat", {"config": {"minScore": 90}})

    assert OUTDATED not in str(replies)
    assert "have not been put together yet" in replies[1]["summary"]


async def listed_after(client: Assistant, audience: str, **change: object) -> list[str]:
    """The warnings of a list, after a change of an audience."""
    await client.call("update_audience", id=audience, **change)
    return (await client.call("list_audiences")).get("warnings", [])


@pytest.mark.parametrize("profile", ["mixed", "flat"])
@pytest.mark.parametrize("change", [{"config": {"minScore": 90}}, {"name": "Buyers"}])
async def test_a_listed_size_from_before_the_last_change_is_named(
    profile: str, change: Reply, connect: Connect, moments: list[float]
) -> None:
    async with connect(profile=profile, settings=UNASKED) as client:
        before = await client.call("list_audiences", status="active")
        ((audience, name, *_),) = before["audiences"]["rows"]
        moments.append(moments[-1] + 60)
        warnings = await listed_after(client, audience, **change)
        moments.append(moments[-1] + 86_400)
        refreshed = await client.call("list_audiences")

    assert "warnings" not in before
    (warning,) = warnings
    assert warning == (
        f"The size of '{change.get('name', name)}' may be out of date: it was"
        " changed (or only renamed or paused) after the last refresh; see get_audience."
    )
    assert "warnings" not in refreshed


async def test_of_many_such_sizes_the_first_are_named(
    start: Start, connect: Connect, moments: list[float]
) -> None:
    sandbox = start(profile="flat", examples=False, slots=9)
    async with connect(sandbox, settings=UNASKED) as client:
        config = {"topicIds": [117805]}
        for number in range(7):
            name = f"No. {number}"
            made = await client.call("create_audience", name=name, config=config, status="active")
            moments.append(moments[-1] + 60)
            await client.call("set_status", id=made["id"], status="paused")
        (warning,) = (await client.call("list_audiences"))["warnings"]
        (one,) = (await client.call("list_audiences", limit=1))["warnings"][1:]

    assert warning.startswith("The sizes of 'No. 6', 'No. 5', 'No. 4', 'No. 3', 'No. 2' and 2 more")
    assert one.startswith("The size of 'No. ")


async def test_where_a_list_does_not_say_when_audiences_were_changed_no_size_is_doubted(
    connect: Connect,
) -> None:
    async with connect(profile="catalog", settings=UNASKED) as client:
        audience = (await client.saved())["active"]
        assert await listed_after(client, audience, config={"minScore": 90}) == []
