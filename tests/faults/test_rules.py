"""Every rule can fail; that none fails for what is right, the matrix shows."""

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
NAMES: Json = {"columns": ["name"], "rows": [["Ann"], ["Bo"]]}
OTHER: Json = {"columns": ["name", "city"], "rows": [["Ann", "Bonn"], ["Bo", "Oslo"]]}
TOLD = "The service failed with status 500. The fault is on the service's side. Try again later."
UNSURE = f"{TOLD} Whether it was done is unclear. Look at what is there before trying again."
UNREAD = "The id could not be read."
REFUSED = Outcome(TOLD, is_refusal=True, seconds=1, state=BEFORE, may_have_written=True)
DONE = replace(REFUSED, text="saved", is_refusal=False, state=AFTER, reply=REPLY)
PLAIN = Unspoilt(BEFORE, DONE, HALF)
LOOKING = Unspoilt(BEFORE, replace(DONE, state=BEFORE, may_have_written=False))
CELL = next(cell for cell in CELLS if cell.fault == "500" and cell.row.tool == "create_audience")


def said(text: str, **other: Any) -> Outcome:  # noqa: ANN401 -- whatever an Outcome has
    return replace(REFUSED, text=text, **other)


def replied(**parts: object) -> Outcome:
    reply = {key: value for key, value in {**REPLY, **parts}.items() if value is not None}
    return replace(DONE, reply=reply)


LINKED = replace(DONE, text='{"url":"https://acme.example/"}')
ALWAYS = replied(warnings=["The weather could not be seen."])
NEITHER = "what is there is neither what was nor what should be"
WRONG: tuple[tuple[str, Unspoilt, Outcome], ...] = (
    ("it took 51.00 s", PLAIN, replace(REFUSED, seconds=51)),
    *(
        ("it says", PLAIN, said(f"{leak}: {TOLD}"))
        for leak in (ADDRESS, KEY, "http://127.0.0.1/v1", "https://inside.example/x", "httpx")
    ),
    # Only a link that belongs to the reply may be there.
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
    (
        "these are missing",
        replace(PLAIN, outcome=ALWAYS),
        replied(id=None, warnings=ALWAYS.reply["warnings"]),
    ),
    *((NEITHER, PLAIN, replace(one, state=TWICE)) for one in (DONE, REFUSED, said(UNSURE))),
    (NEITHER, LOOKING, replace(LOOKING.outcome, state=AFTER)),
    ("it says done, and nothing was", PLAIN, replace(DONE, state=BEFORE)),
    ("it does not say what is half done", PLAIN, replace(DONE, state=HALF)),
    ("it was done, and the refusal does not say so", PLAIN, replace(REFUSED, state=AFTER)),
)


@pytest.mark.parametrize(("complaint", "plain", "outcome"), WRONG)
def test_what_is_wrong_meets_its_rule(complaint: str, plain: Unspoilt, outcome: Outcome) -> None:
    (found,) = complaints(CELL, plain, outcome)
    assert found.startswith(complaint)


def test_every_outcome_has_its_word() -> None:
    half = replace(DONE, state=HALF)
    outcomes = [DONE, replied(warnings=[LOOKED]), replied(id=None), REFUSED, said(UNSURE), half]
    words = [word(PLAIN, outcome) for outcome in outcomes]
    assert words == ["right", "looked", "part", "said", "unclear", "half"]


def test_lists_may_only_grow_shorter() -> None:
    assert list(differences({"a": [1, 2]}, {"a": [1]})) == [("a", True)]
    assert list(differences({"a": [1, 2]}, {"a": [1, 3]})) == [("a", False)]
