import inspect
import re

import pytest
from pydantic import BaseModel, ValidationError, field_validator

from leadpipe_mcp import errors
from leadpipe_mcp.errors import (
    LeadpipeError,
    NotConfigured,
    NotPossible,
    ServiceError,
    SlotsFull,
    TooManyRequests,
    Unreachable,
)

ALL = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, LeadpipeError)
]


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn: dict[str, str] = {}
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"([│ ]*)(?:[├└]── )?([A-Z]\w+)(?:  |$)", line)
        if found and found[2] in {kind.__name__ for kind in ALL}:
            depth = len(line[: found.start(2)]) // 4
            above[depth:] = [found[2]]
            drawn[found[2]] = above[depth - 1] if depth else "Exception"
    assert drawn == {kind.__name__: kind.__base__.__name__ for kind in ALL if kind.__base__}


@pytest.mark.parametrize("kind", ALL)
def test_every_error_says_what_it_is(kind: type[LeadpipeError]) -> None:
    assert kind.__doc__
    assert isinstance(kind.retryable, bool)


@pytest.mark.parametrize("kind", [kind for kind in ALL if issubclass(kind, ServiceError)])
def test_every_error_of_the_service_gives_an_advice(kind: type[ServiceError]) -> None:
    if kind is ServiceError or kind is TooManyRequests:
        return
    error = kind("It failed.")
    assert error.advice == kind.what_next
    assert error.advice.endswith(".")
    assert str(error) == f"It failed. {kind.what_next}"
    assert str(kind("It failed.", "Do this.")) == "It failed. Do this."


def test_an_error_knows_what_the_service_said() -> None:
    error = SlotsFull("Full.", status=403, code="SLOTS_FULL", request_id="req_1")
    assert (error.status, error.code, error.request_id) == (403, "SLOTS_FULL", "req_1")
    assert not error.retryable
    assert Unreachable("No.").retryable


def test_a_wait_is_said_in_seconds() -> None:
    assert str(TooManyRequests("Slow down.", retry_after=6.4)) == (
        "Slow down. Try again in 7 seconds."
    )
    error = TooManyRequests("Slow down.", retry_after=None, code="RATE", request_id="req_1")
    assert str(error) == "Slow down. Try again in a minute."
    assert (error.status, error.code, error.request_id) == (429, "RATE", "req_1")
    assert error.retryable


def test_a_missing_key_says_how_to_set_it_or_do_without() -> None:
    said = str(NotConfigured())
    for word in ("LEADPIPE_API_KEY", "sk_", "--sandbox", "nothing was asked"):
        assert word in said


def test_what_is_not_possible_may_be_raised_by_a_validator() -> None:
    class Wish(BaseModel):
        word: str

        @field_validator("word")
        @classmethod
        def _known(cls, word: str) -> str:
            raise NotPossible(f"There is no '{word}'.", "Use another.")

    with pytest.raises(ValidationError, match=r"There is no 'x'\. Use another\."):
        Wish(word="x")
    assert isinstance(NotPossible("No."), ValueError)
    assert str(NotPossible("No.")) == "No."


def test_what_is_learned_later_is_said_as_well() -> None:
    error = SlotsFull("Full.")
    error.add_note("The audience is saved as a draft.")
    assert str(error).startswith("Full. The audience is saved as a draft. Pause an active")
