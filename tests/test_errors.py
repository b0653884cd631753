import inspect

import pytest
from pydantic import BaseModel, ValidationError, field_validator

from leadpipe_mcp import errors
from leadpipe_mcp.errors import (
    LEADPIPE,
    NotConfigured,
    NotPossible,
    ServiceError,
    SlotsFull,
    TooManyRequests,
)


@pytest.mark.parametrize(
    "kind",
    [
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, ServiceError) and kind is not ServiceError
    ],
)
def test_every_error_of_the_service_gives_an_advice(kind: type[ServiceError]) -> None:
    assert str(kind("It failed.")) == f"It failed. {LEADPIPE.fill(kind.what_next)}"
    assert kind.what_next.endswith(".")
    assert str(kind("It failed.", "Do this.")) == "It failed. Do this."


def test_a_wait_is_said_in_whole_seconds() -> None:
    error = TooManyRequests("Slow down.", retry_after=6.4)
    assert str(error) == "Slow down. Try again in 7 seconds."


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


def test_what_is_learned_later_is_said_as_well() -> None:
    error = SlotsFull("Full.")
    error.add_note("The audience is saved as a draft.")
    assert str(error).startswith("Full. The audience is saved as a draft. Pause an active")
