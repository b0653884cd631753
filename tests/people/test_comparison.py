"""Two snapshots side by side."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import pytest

from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.people.comparison import Segment, compare
from leadpipe_mcp.people.layout import SEEN
from leadpipe_mcp.people.profile import Share
from leadpipe_mcp.people.snapshot import Snapshot

pytestmark = pytest.mark.anyio
Row = Mapping[str, object]
Kept = Callable[..., Awaitable[Snapshot]]


def person(id_: object, score: object = 80, **told: object) -> Row:
    return {"id": id_, "intentScore": score, **told}


def hashed(number: int) -> str:
    return f"{number:064x}"


FIRST = [
    person("a", 90, seniority="vp", state="texas"),
    person("b", 80, seniority="vp", state="utah"),
    person("c", 60, seniority="director"),
]
SECOND = [
    person("b", 70, seniority="manager", state="utah"),
    person("d", 51, seniority="owner", companyIndustry="retail"),
    person("e", 52.5, seniority="owner"),
    person("f", None),
]


async def test_who_is_in_both_and_who_in_one_alone(kept: Kept) -> None:
    told = await compare(await kept(FIRST), await kept(SECOND))
    assert told.both == Segment(
        1, 80.0, {"seniority": (Share("vp", 1, 100.0),), "state": (Share("utah", 1, 100.0),)}
    )
    assert told.only_one == Segment(
        2,
        75.0,
        {
            "seniority": (Share("director", 1, 50.0), Share("vp", 1, 50.0)),
            "state": (Share("texas", 1, 50.0),),
        },
    )
    assert told.only_other.people == 3
    assert told.only_other.average_score == 51.8
    assert told.only_other.top == {
        "seniority": (Share("owner", 2, 66.7),),
        "companyIndustry": (Share("retail", 1, 33.3),),
    }
    assert told.notes == ()


async def test_the_other_way_round_the_sides_change(kept: Kept) -> None:
    one, other = await kept(FIRST), await kept(SECOND)
    forward, back = await compare(one, other), await compare(other, one)
    assert forward.only_one == back.only_other
    assert forward.only_other == back.only_one
    assert forward.both.people == back.both.people
    assert (forward.both.average_score, back.both.average_score) == (80.0, 70.0)


async def test_a_list_is_the_same_as_itself(kept: Kept) -> None:
    people = await kept(FIRST)
    told = await compare(people, people)
    assert (told.both.people, told.only_one.people, told.only_other.people) == (3, 0, 0)
    assert told.only_one == Segment(0, None, {})


@pytest.mark.parametrize("rows", [[], [person(None), person("")]])
async def test_a_list_of_nobody_has_nobody_in_common(kept: Kept, rows: list[Row]) -> None:
    told = await compare(await kept(FIRST), await kept(rows))
    assert (told.both.people, told.only_one.people, told.only_other.people) == (0, 3, 0)


async def test_people_without_an_id_are_noted(kept: Kept) -> None:
    told = await compare(
        await kept([*FIRST, person(None)]), await kept([*SECOND, person(""), person(None)])
    )
    assert told.notes == (
        "1 person of the first list cannot be compared: they have no id.",
        "2 people of the second list cannot be compared: they have no id.",
    )
    assert (told.both.people, told.only_one.people, told.only_other.people) == (1, 2, 3)


async def test_a_repeated_person_counts_once_and_is_noted(kept: Kept) -> None:
    told = await compare(await kept([*FIRST, FIRST[0], FIRST[1], FIRST[1]]), await kept(SECOND))
    assert (told.both.people, told.only_one.people) == (1, 2)
    assert told.notes == (
        "3 rows repeat a person.",
        "3 rows of the first list repeat a person, who counts once.",
    )


async def test_only_the_five_most_frequent_values_are_shown(kept: Kept) -> None:
    rows = [person(number, state=f"state {number % 8}") for number in range(20)]
    told = await compare(await kept(rows), await kept([]))
    assert [share.value for share in told.only_one.top["state"]] == [
        f"state {number}" for number in range(5)
    ]
    assert told.only_one.top["state"][0] == Share("state 0", 3, 15.0)


async def test_ids_are_compared_as_they_came_and_not_as_they_are_seen(kept: Kept) -> None:
    one = await kept([person("jane@x.example"), person(f"{'x' * 200}1")])
    other = await kept([person("joe@x.example"), person(f"{'x' * 200}2")])
    told = await compare(one, other)
    assert told.both.people == 0


async def test_ids_of_two_kinds_cannot_be_compared(kept: Kept) -> None:
    hashes = await kept([person(hashed(number)) for number in range(10)])
    numbers = await kept([person(f"person-{number}") for number in range(10)])
    with pytest.raises(NotPossible) as caught:
        await compare(hashes, numbers)
    assert caught.value.problem.startswith("The two lists cannot be compared: one identifies")
    assert (await compare(hashes, hashes)).both.people == 10


async def test_the_notes_of_both_lists_are_given(kept: Kept) -> None:
    told = await compare(await kept(FIRST, expected=4), await kept(SECOND, expected=5))
    assert told.notes == (
        "The service says 4 people; 3 came.",
        "The service says 5 people; 4 came.",
    )


async def test_nothing_is_written_beside_the_lists(kept: Kept) -> None:
    one, other = await kept(FIRST), await kept(SECOND)

    def found(folder: Path) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    before = found(one.folder.parent)
    await compare(one, other)
    assert found(one.folder.parent) == before


@pytest.mark.parametrize("side", ["one", "other"])
async def test_a_list_that_is_gone_is_named(kept: Kept, side: str) -> None:
    one, other = await kept(FIRST), await kept(SECOND)
    gone = one if side == "one" else other
    (gone.folder / SEEN).unlink()
    with pytest.raises(NotPossible) as caught:
        await compare(one, other)
    assert caught.value.problem == "The people of this run are no longer kept on this machine."
    assert not gone.folder.exists()
    assert (other if gone is one else one).folder.exists()
