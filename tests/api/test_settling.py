"""What becomes of a change after each kind of failure, by what looks show."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import anyio
import pytest

from leadpipe_mcp.api.budget import call_budget
from leadpipe_mcp.api.settling import OutcomeWords, is_gone, settled, the_new_one
from leadpipe_mcp.errors import (
    NotDone,
    NotFound,
    RequestRefused,
    ServiceDown,
    ServiceError,
    TooManyRequests,
    Unclear,
    Unreachable,
    UnusableAnswer,
    WrongAddress,
)

pytestmark = pytest.mark.anyio

FIRM = OutcomeWords("it is as it was.", "Look at the thing.")
LISTED = replace(FIRM, firm=False)
AS_IT_WAS = "It failed. A look afterwards: it is as it was."
IGNORED = "The service ignored the change: tell the user; another try may not help."
LOST = Unreachable("It failed.", how="lost")
LATE = Unreachable("It failed.", how="late")
UNSENT = Unreachable("It failed again.", how="not sent")
DOWN = ServiceDown("It failed.", status=503)
GATEWAY = ServiceDown("It failed.", status=504)
PAUSE = TooManyRequests("It failed.", retry_after=20)
BLIND = ServiceDown("It cannot be seen.")
Happens = Sequence[str | ServiceError | None]


def unusable(status: int | None) -> UnusableAnswer:
    return UnusableAnswer("It failed.", status=status)


@dataclass
class Attempt:
    """A change and looks after it that come out in turn as given, the last one again and again."""

    changes: Happens
    looks: Happens = (None,)
    words: OutcomeWords = FIRM
    again: bool = False
    happened: list[str] = field(default_factory=list[str])
    """The changes and the looks, each with the second at which it was."""

    async def run(self) -> object:
        begun, changes, looks = anyio.current_time(), [*self.changes], [*self.looks]

        async def happen(what: str, outcomes: list[str | ServiceError | None]) -> str | None:
            self.happened.append(f"{what} {round(anyio.current_time() - begun)}")
            outcome = outcomes.pop(0) if len(outcomes) > 1 else outcomes[0]
            if isinstance(outcome, ServiceError):
                raise outcome
            return outcome

        return await settled(
            lambda: happen("change", changes),
            lambda: happen("look", looks),
            self.words,
            again=self.again,
        )


CHANGE, LOOKS = ["change 0"], ["look 0", "look 1", "look 3"]
AGAIN = [*CHANGE, *LOOKS, "change 3"]


@pytest.mark.parametrize(
    ("attempt", "made", "happened"),
    [
        (Attempt(["made"]), "made", CHANGE),
        (Attempt([LOST], ["seen"]), "seen", [*CHANGE, "look 0"]),
        (Attempt([LATE], [None, "seen"]), "seen", [*CHANGE, *LOOKS[:2]]),
        (Attempt([DOWN], [BLIND, BLIND, "seen"]), "seen", [*CHANGE, *LOOKS]),
        (Attempt([PAUSE], ["seen"], again=True), "seen", [*CHANGE, "look 0"]),
        *((Attempt([e, "made"], again=True), "made", AGAIN) for e in (LOST, DOWN, PAUSE)),
        (Attempt([unusable(300), "made"], again=True), "made", AGAIN),
        (Attempt([unusable(None), "made"], again=True), "made", AGAIN),
    ],
)
async def test_what_was_made_is_known_by_its_answer_by_a_look_or_by_another_try(
    attempt: Attempt, made: str, happened: list[str]
) -> None:
    with call_budget() as budget:
        assert await attempt.run() == made
    assert attempt.happened == happened
    assert budget.looked is (made == "seen")


@pytest.mark.parametrize(
    ("attempt", "error", "said", "happened"),
    [
        # No doubt, so no look.
        (Attempt([RequestRefused("No.")], again=True), RequestRefused, "No. ", CHANGE),
        (Attempt([UNSENT], again=True), Unreachable, "It failed again. ", CHANGE),
        (Attempt([PAUSE]), TooManyRequests, "It failed. ", CHANGE),
        # Sure to be undone.
        (Attempt([LOST]), NotDone, f"{AS_IT_WAS} It can be tried again.", [*CHANGE, *LOOKS]),
        (Attempt([LOST], words=LISTED), NotDone, f"{AS_IT_WAS} It can be ", [*CHANGE, *LOOKS]),
        (Attempt([unusable(199)]), NotDone, f"{AS_IT_WAS} It can be tried", [*CHANGE, *LOOKS]),
        *(
            (
                Attempt([unusable(n)], again=True),
                NotDone,
                f"{AS_IT_WAS} {IGNORED}",
                [*CHANGE, *LOOKS],
            )
            for n in (200, 299)
        ),
        (Attempt([LOST, UNSENT], again=True), NotDone, AS_IT_WAS, AGAIN),
        (
            *(Attempt([LOST], again=True), NotDone, f"{AS_IT_WAS} It can be tried again."),
            [*AGAIN, "look 3", "look 4", "look 6"],
        ),
        (Attempt([LOST, RequestRefused("No.")], again=True), RequestRefused, "No. ", AGAIN),
        # It may still come.
        *(
            (
                *(Attempt([one], again=True, words=words), Unclear),
                *(f"{AS_IT_WAS} But it may still come. Look at the thing.", [*CHANGE, *LOOKS]),
            )
            for one, words in ((LATE, FIRM), (GATEWAY, FIRM), (unusable(200), LISTED))
        ),
        # Nobody could look.
        *(
            (
                *(Attempt([LOST], looks, again=True), Unclear),
                "It failed. Whether it was done is unclear. It cannot be seen. Look at the thing.",
                [*CHANGE, *LOOKS],
            )
            for looks in ([BLIND], [None, None, BLIND])
        ),
        (Attempt([LOST], [BLIND, BLIND, None]), NotDone, AS_IT_WAS, [*CHANGE, *LOOKS]),
    ],
)
async def test_what_is_not_known_to_be_made_is_told_with_what_to_do(
    attempt: Attempt, error: type[ServiceError], said: str, happened: list[str]
) -> None:
    with call_budget() as budget, pytest.raises(ServiceError) as caught:
        await attempt.run()
    assert type(caught.value) is error
    assert f"{caught.value} ".startswith(said)
    assert attempt.happened == happened
    assert not budget.looked


async def test_an_outcome_keeps_what_the_service_said_of_the_failure() -> None:
    failure = ServiceDown("It failed.", status=503, code="DOWN", request_id="req-1")
    gateway = ServiceDown("It failed.", status=504, code="DOWN", request_id="req-1")
    for change, look in ((failure, None), (failure, BLIND), (gateway, None)):
        with pytest.raises(ServiceError) as caught:
            await Attempt([change], [look]).run()
        kept = caught.value
        assert (kept.status, kept.code, kept.request_id) == (change.status, "DOWN", "req-1")


@pytest.mark.parametrize(
    ("seconds", "looks", "said"),
    [
        (0.5, 0, "It failed. Whether it was done is unclear. No time was left to look. Look at"),
        (1.5, 1, AS_IT_WAS),
        (3.5, 2, AS_IT_WAS),
        (4.5, 3, AS_IT_WAS),
    ],
)
async def test_looks_end_with_the_time_of_the_call(seconds: float, looks: int, said: str) -> None:
    attempt = Attempt([LOST])
    with call_budget(seconds), pytest.raises(ServiceError) as caught:
        await attempt.run()
    assert str(caught.value).startswith(said)
    assert attempt.happened == [*CHANGE, *LOOKS[:looks]]


@pytest.mark.parametrize(
    ("pause", "seconds", "waits"),
    [(20, 30.5, False), (20, 31.5, True), (None, 10.5, False), (None, 11.5, True)],
)
async def test_a_pause_is_only_kept_where_time_remains_to_look(
    *, pause: float | None, seconds: float, waits: bool
) -> None:
    asked = TooManyRequests("It failed.", retry_after=pause)
    attempt = Attempt([asked, "made"], again=True)
    with call_budget(seconds):
        if waits:
            assert await attempt.run() == "made"
        else:
            with pytest.raises(TooManyRequests):
                await attempt.run()
    assert attempt.happened == (AGAIN if waits else CHANGE)


@dataclass
class Thing:
    """Something that was made."""

    id: str | None


def test_what_is_new_is_what_was_made_if_it_is_the_only_one_and_all_were_seen_before() -> None:
    only, *others = things = [Thing(f"id-{number}") for number in range(6)]
    assert the_new_one([only], "run", certain=True) is only
    for certain in (True, False):
        assert the_new_one(list[Thing](), "run", certain=certain) is None
    for fresh, certain, ids in (
        ([only], False, "id-0"),
        (others[:2], True, "id-1 or id-2"),
        (things, True, "id-0, id-1, id-2, id-3 or id-4"),
        ([Thing("x\u200b" * 60)], False, "x" * 39 + "…"),
        ([Thing(None)], False, ""),
    ):
        with pytest.raises(Unclear) as caught:
            the_new_one(fresh, "run", certain=certain)
        assert caught.value.problem == f"It may be the run with the id {ids}."


async def test_only_what_is_not_found_is_gone() -> None:
    async def get(error: ServiceError | None) -> str:
        if error:
            raise error
        return "there"

    assert await is_gone(lambda: get(NotFound("It is not there."))) is True
    assert await is_gone(lambda: get(None)) is None
    for error in (WrongAddress("Nothing is there."), ServiceDown("It failed.")):
        with pytest.raises(type(error)):
            await is_gone(lambda error=error: get(error))
