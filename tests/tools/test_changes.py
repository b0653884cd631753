"""How a change of an audience is said: as a row of a reply, and in a question."""

import pytest
from pydantic import JsonValue

from leadpipe_mcp.api.models import Audience
from leadpipe_mcp.tools.configs import Change, in_one_sentence
from leadpipe_mcp.tools.services import MOST_REMEMBERED, LastActive


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        (70, 90, "part: 70 → 90"),
        (None, True, "part: not set → true"),
        ("a", "b's", "part: 'a' → 'b\u2019s'"),
        (["a", "b"], ["b", "c"], "part adds 'c', drops 'a'"),
        (["a"], ["a", "b", "c"], "part adds 'b' and 'c'"),
        (None, ["a"], "part: not set → 'a'"),
        (["a"], None, "part: 'a' → not set"),
        ({"min": 1, "max": 5}, None, 'part: {"min": 1, "max": 5} → not set'),
        (None, [*"abcdefghij"], f"part: not set → {', '.join(map(repr, 'abcdefgh'))} and 2 more"),
    ],
)
def test_a_change_is_said_by_what_comes_and_what_goes(
    before: JsonValue, after: JsonValue, sentence: str
) -> None:
    assert Change("part", before, after).sentence() == sentence


def test_changes_for_which_there_is_no_room_are_counted_and_named() -> None:
    made = [Change(f"part{number}", None, "x" * 70) for number in range(20)]
    said = in_one_sentence(made)
    assert said.startswith(f"part0: not set → '{'x' * 70}'; part1")
    assert said.endswith(
        "; and 13 more, of part7, part8, part9, part10, part11, part12, part13, part14 and others"
    )


def test_only_so_many_audiences_are_remembered_and_only_what_can_be_compared() -> None:
    seen = LastActive()
    config = {"topicIds": [1]}
    for number in range(MOST_REMEMBERED + 1):
        told = {"id": str(number), "name": "A", "status": "active", "config": config}
        seen.note(Audience.model_validate(told))
    assert seen.of("0") is None
    assert seen.of("1") is not None
    seen.note(Audience.model_validate({"id": "p", "name": "A", "status": "paused"}))
    seen.note(Audience.model_validate({"id": "h", "name": "A", "status": "active"}))
    assert (seen.of("p"), seen.of("h")) == (None, None)
