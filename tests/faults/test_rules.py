"""Every rule can fail: each is shown an outcome that is wrong, and one that is not."""

from dataclasses import replace
from typing import Any

import pytest

from leadpipe_mcp.toolkit.running import LOOKED
from tests.faults.cells import ADDRESS, CELLS, Cell
from tests.faults.rules import complaints, differences, word
from tests.faults.worlds import KEY, Json, Outcome, Unspoilt

BEFORE: Json = {"audiences": ["Geese"]}
AFTER: Json = {"audiences": ["Geese", "Birds"]}
TWICE: Json = {"audiences": ["Geese", "Birds", "Birds"]}
HALF: Json = {"audiences": ["Geese", "Birds, a draft"]}
REPLY: Json = {
    "summary": "'Birds' is saved.",
    "id": "17",
    "people": {"columns": ["name", "city"], "rows": [["Ann", "Bonn"], ["Bo", "Rome"]]},
}
TOLD = "The service failed with status 500. The fault is on the service's side. Try again later."
REFUSED = Outcome(TOLD, is_refusal=True, seconds=1, state=BEFORE, may_have_written=True)
DONE = Outcome(
    "saved", is_refusal=False, seconds=1, state=AFTER, may_have_written=True, reply=REPLY
)
PLAIN = Unspoilt(BEFORE, DONE, HALF)
LOOKING = Unspoilt(BEFORE, replace(DONE, state=BEFORE, may_have_written=False))
CELL = next(cell for cell in CELLS if cell.fault == "500" and cell.row.tool == "create_audience")
UNSURE = f"{TOLD} Whether it was done is unclear. Look at what is there before trying again."


def said(text: str, **other: Any) -> Outcome:  # noqa: ANN401 -- whatever an Outcome has
    return replace(REFUSED, text=text, **other)


def replied(**parts: object) -> Outcome:
    reply = {key: value for key, value in {**REPLY, **parts}.items() if value is not None}
    return replace(DONE, reply=reply)


def only(outcome: Outcome, plain: Unspoilt = PLAIN, cell: Cell = CELL) -> str:
    (complaint,) = complaints(cell, plain, outcome)
    return complaint


def test_what_is_right_meets_every_rule() -> None:
    assert complaints(CELL, PLAIN, DONE) == []
    assert complaints(CELL, PLAIN, REFUSED) == []
    assert complaints(CELL, PLAIN, said(UNSURE)) == []
    assert complaints(CELL, PLAIN, said(UNSURE, state=AFTER)) == []
    assert complaints(CELL, LOOKING, LOOKING.outcome) == []


def test_a_call_that_lasts_too_long_is_noticed() -> None:
    assert only(replace(REFUSED, seconds=51)) == "it took 51.00 s"


@pytest.mark.parametrize(
    "leak",
    [
        ADDRESS,
        KEY,
        "http://127.0.0.1/v1",
        "https://inside.example/x",
        "Traceback",
        "httpx",
        "Pydantic",
    ],
)
def test_a_leak_is_noticed(leak: str) -> None:
    assert "it says" in only(said(f"{leak}: {TOLD}"))


def test_a_link_that_belongs_to_the_reply_is_no_leak() -> None:
    link = replace(DONE, text='{"url":"https://acme.example/"}')
    assert complaints(CELL, replace(PLAIN, outcome=link), link) == []
    assert "it says" in only(replace(link, text='{"url":"https://other.example/"}'))


def test_a_refusal_without_cause_is_noticed() -> None:
    assert "does not name the cause" in only(said("It did not work. Try again."))
    assert "does not name the cause" in only(said(TOLD.replace("500", "503")))
    resting = "The service failed 6 times in a row, so nothing was sent. Try again in 5 seconds."
    assert complaints(CELL, PLAIN, said(resting)) == []


def test_a_refusal_without_a_next_step_is_noticed() -> None:
    assert "no next step" in only(said("The service failed with status 500. What a pity. Really."))


def test_a_refusal_that_goes_on_and_on_is_noticed() -> None:
    assert only(said(f"{'No. ' * 300}{TOLD}")) == "it is too long"


def test_a_doubt_about_something_that_was_never_sent_is_noticed() -> None:
    assert "it doubts" in only(said(UNSURE, may_have_written=False))


def test_a_wrong_value_is_noticed_whatever_is_said() -> None:
    assert only(replied(id="18")) == "these are not what they should be: id"
    assert "id" in only(replied(id="18", warnings=["The id could not be read."]))
    assert "more" in only(replied(more="things"))
    other = {"columns": ["name", "city"], "rows": [["Ann", "Bonn"], ["Bo", "Oslo"]]}
    assert "people.city" in only(replied(people=other, warnings=["Rome could not be read."]))


def test_something_missing_is_noticed_unless_it_is_said() -> None:
    assert only(replied(id=None)) == "these are missing, and it does not say so: id"
    assert complaints(CELL, PLAIN, replied(id=None, warnings=["The id could not be read."])) == []
    names = {"columns": ["name"], "rows": [["Ann"], ["Bo"]]}
    assert "people.city" in only(replied(people=names))
    assert complaints(CELL, PLAIN, replied(people=names, notMeasured=["cities"])) == []


def test_a_sentence_that_is_always_there_excuses_nothing() -> None:
    always = replied(warnings=["The weather could not be seen."])
    plain = replace(PLAIN, outcome=always)
    assert "missing" in only(replied(id=None, warnings=["The weather could not be seen."]), plain)


def test_what_is_agreed_may_be_missing() -> None:
    plain = replace(PLAIN, outcome=replied(slots={"before": 1, "after": 2}))
    assert complaints(CELL, plain, replied(slots={"after": 2})) == []


def test_a_change_that_was_made_twice_is_noticed() -> None:
    for outcome in (DONE, REFUSED, said(UNSURE)):
        assert "neither what was nor" in only(replace(outcome, state=TWICE))


def test_saying_done_where_nothing_was_is_noticed() -> None:
    assert only(replace(DONE, state=BEFORE)) == "it says done, and nothing was"


def test_saying_not_done_where_it_was_is_noticed() -> None:
    text = TOLD.replace("The fault", "Nothing was changed. The fault")
    assert only(said(text, state=AFTER)) == "it says not done, and it was"
    assert "does not say so" in only(replace(REFUSED, state=AFTER))


def test_a_tool_that_reads_changes_nothing() -> None:
    assert "neither what was nor" in only(replace(LOOKING.outcome, state=AFTER), LOOKING)


def test_a_half_is_noticed_unless_it_is_said() -> None:
    half = "'Birds' is saved, but as a draft. The service failed with status 500. Try again later."
    told = replace(DONE, text=half, state=HALF, reply={"summary": half, "id": "17"})
    assert complaints(CELL, PLAIN, told) == []
    assert word(PLAIN, told) == "half"
    assert len(complaints(CELL, PLAIN, replace(DONE, state=HALF))) == 2


def test_every_outcome_has_its_word() -> None:
    assert word(PLAIN, DONE) == "right"
    assert word(PLAIN, replied(warnings=[LOOKED])) == "looked"
    assert word(PLAIN, replied(id=None)) == "part"
    assert word(PLAIN, REFUSED) == "said"
    assert word(PLAIN, said(UNSURE)) == "unclear"


def test_lists_may_only_grow_shorter() -> None:
    assert list(differences({"a": [1, 2]}, {"a": [1]})) == [("a", True)]
    assert list(differences({"a": [1, 2]}, {"a": [1, 3]})) == [("a", False)]
    assert list(differences({"a": [1, 2]}, {"a": [1, 2]})) == []
