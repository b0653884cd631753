"""Every rule can fail: each is shown an outcome that is wrong, and one that is not."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from leadpipe_mcp.toolkit.running import LOOKED
from tests.faults.cells import ADDRESS, CELLS
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


HALF_SAID = "'Birds' is saved, but as a draft. The service failed with status 500. Try again later."
UNREAD = "The id could not be read."
SLOTS = replace(PLAIN, outcome=replied(slots={"before": 1, "after": 2}))
LINKED = replace(DONE, text='{"url":"https://acme.example/"}')
NAMES = {"columns": ["name"], "rows": [["Ann"], ["Bo"]]}
OTHER = {"columns": ["name", "city"], "rows": [["Ann", "Bonn"], ["Bo", "Oslo"]]}
RIGHT: Mapping[str, tuple[Unspoilt, Outcome]] = {
    "done": (PLAIN, DONE),
    "not done": (PLAIN, REFUSED),
    "unclear, and it was not": (PLAIN, said(UNSURE)),
    "unclear, and it was": (PLAIN, said(UNSURE, state=AFTER)),
    "only read": (LOOKING, LOOKING.outcome),
    "a link that belongs to the reply": (replace(PLAIN, outcome=LINKED), LINKED),
    "a service at rest": (PLAIN, said("It failed 6 times in a row, so nothing was sent. Wait.")),
    "something missing that is said to be": (PLAIN, replied(id=None, warnings=[UNREAD])),
    "something missing that was not measured": (PLAIN, replied(people=NAMES, notMeasured=["x"])),
    "something missing that may be": (SLOTS, replied(slots={"after": 2})),
    "a half that is said to be": (
        PLAIN,
        replace(DONE, text=HALF_SAID, state=HALF, reply={"summary": HALF_SAID, "id": "17"}),
    ),
}
NEITHER = "what is there is neither what was nor what should be"
ALWAYS = replied(warnings=["The weather could not be seen."])
MISSING: Json = {key: value for key, value in ALWAYS.reply.items() if key != "id"}
WRONG: tuple[tuple[str, Unspoilt, Outcome], ...] = (
    ("it took 51.00 s", PLAIN, replace(REFUSED, seconds=51)),
    *(
        ("it says", PLAIN, said(f"{leak}: {TOLD}"))
        for leak in (ADDRESS, KEY, "http://127.0.0.1/v1", "https://inside.example/x", "httpx")
    ),
    ("it says", replace(PLAIN, outcome=LINKED), replace(LINKED, text='"https://other.example/"')),
    ("it does not name the cause", PLAIN, said("It did not work. Try again.")),
    ("it does not name the cause", PLAIN, said(TOLD.replace("500", "503"))),
    ("it ends with no next step", PLAIN, said("The service failed with status 500. Oh. Really.")),
    ("it is too long", PLAIN, said(f"{'No. ' * 300}{TOLD}")),
    ("it doubts, though", PLAIN, said(UNSURE, may_have_written=False)),
    ("these are not what they should be: id", PLAIN, replied(id="18", warnings=[UNREAD])),
    ("these are not what they should be: more", PLAIN, replied(more="things")),
    ("these are not what they should be: people.city", PLAIN, replied(people=OTHER)),
    ("these are missing, and it does not say so: id", PLAIN, replied(id=None)),
    ("these are missing, and it does not say so: people.city", PLAIN, replied(people=NAMES)),
    # A sentence that is always there excuses nothing.
    ("these are missing", replace(PLAIN, outcome=ALWAYS), replace(ALWAYS, reply=MISSING)),
    *((NEITHER, PLAIN, replace(one, state=TWICE)) for one in (DONE, REFUSED, said(UNSURE))),
    (NEITHER, LOOKING, replace(LOOKING.outcome, state=AFTER)),
    ("it says done, and nothing was", PLAIN, replace(DONE, state=BEFORE)),
    ("it does not say what is half done", PLAIN, replace(DONE, state=HALF)),
    ("it was done, and the refusal does not say so", PLAIN, replace(REFUSED, state=AFTER)),
)


@pytest.mark.parametrize("what", RIGHT)
def test_what_is_right_meets_every_rule(what: str) -> None:
    assert complaints(CELL, *RIGHT[what]) == []


@pytest.mark.parametrize(("complaint", "plain", "outcome"), WRONG)
def test_what_is_wrong_meets_its_rule(complaint: str, plain: Unspoilt, outcome: Outcome) -> None:
    (found,) = complaints(CELL, plain, outcome)
    assert found.startswith(complaint)


def test_every_outcome_has_its_word() -> None:
    outcomes = [DONE, replied(warnings=[LOOKED]), replied(id=None), REFUSED, said(UNSURE)]
    words = [word(PLAIN, outcome) for outcome in [*outcomes, RIGHT["a half that is said to be"][1]]]
    assert words == ["right", "looked", "part", "said", "unclear", "half"]


def test_lists_may_only_grow_shorter() -> None:
    assert list(differences({"a": [1, 2]}, {"a": [1]})) == [("a", True)]
    assert list(differences({"a": [1, 2]}, {"a": [1, 3]})) == [("a", False)]
