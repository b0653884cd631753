"""Asking the human before something is spent, changed for others, or gone.

Where the client can ask its user, it does, and a model cannot answer in the user's place. Where
it cannot, the first call changes nothing and answers with the question and a code; the second
call carries the code. A yes, given either way, holds for one call with just these arguments, on
one state of the thing, for ten minutes, once.
"""

import hashlib
import json
import math
import secrets
from collections import OrderedDict
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import anyio
from mcp import MCPError
from mcp.server import ServerRequestContext
from mcp.types import (
    CallToolRequestParams,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    InputRequiredResult,
    InputResponse,
    InputResponses,
)
from mcp.types.version import MODERN_PROTOCOL_VERSIONS

from leadpipe_mcp.errors import LeadpipeError

CODE_SECONDS = 600
MOST_CODES = 200
APPROVAL = "approval"
"""What a client of 2026 reads as the name of the question."""


FORM: dict[str, Any] = {
    "type": "object",
    "properties": {
        "approve": {
            "type": "boolean",
            "title": "Go ahead",
            "description": "Tick to go ahead; leave empty to not.",
        }
    },
    "required": ["approve"],
}
"""What the human is asked to fill in."""


@dataclass(frozen=True)
class Request:
    """A client's request: what it brought, and the way back to the client meanwhile."""

    context: ServerRequestContext[Any, Any]
    arguments: dict[str, Any]
    answers: InputResponses | None = None
    """What the human answered, where a client of 2026 calls again."""
    state: str | None = None
    """What was put beside the question that it answers."""

    @classmethod
    def of(
        cls, context: ServerRequestContext[Any, Any], params: CallToolRequestParams
    ) -> "Request":
        """The request for a call of a tool."""
        return cls(context, params.arguments or {}, params.input_responses, params.request_state)

    async def report(self, done: float, total: float | None, message: str) -> None:
        """Tell the client how far it is."""
        await self.context.session.report_progress(done, total, message)


class Declined(LeadpipeError):
    """The human said no."""


class NotAsked(LeadpipeError):
    """The human could not be asked."""


class Asking(Exception):
    """The client has to put the question to its user first, and then call again."""

    def __init__(self, result: InputRequiredResult) -> None:
        super().__init__()
        self.result = result


class Agreed(Exception):
    """The human said yes in the middle of the call, which has to begin again with this code.

    While the human thought, the thing may have changed; then the code does not hold.
    """

    def __init__(self, code: str) -> None:
        super().__init__()
        self.code = code


class Unconfirmed(Exception):
    """The assistant has to put the question to the user, and to call again with the code."""

    def __init__(self, question: str, code: str, reason: str) -> None:
        super().__init__()
        self.question = question
        self.code = code
        self.reason = reason


@dataclass(frozen=True)
class Action:
    """Something that needs a yes: what it does, and to what, in the state it was seen in."""

    name: str
    question: str
    seen: object
    service: str = "Leadpipe"
    arguments: object = None
    """Those of the call: a question is too short to tell all of them."""
    holds: object = None
    """What no other question is about while this one is open, such as the name of a file."""

    @property
    def fingerprint(self) -> str:
        """The same for the same call on the same state, and for nothing else."""
        parts = [self.name, self.question, self.seen, self.arguments]
        told = json.dumps(parts, sort_keys=True, default=str)
        return hashlib.sha256(told.encode()).hexdigest()


@dataclass(frozen=True)
class _Given:
    """What a code was given for, and until when it holds."""

    fingerprint: str = ""
    until: float = -math.inf
    holds: object = None


class Codes:
    """The codes that were given out and not used yet, one for each question."""

    def __init__(self, clock: Callable[[], float] = anyio.current_time) -> None:
        self._clock = clock
        self._given: OrderedDict[str, _Given] = OrderedDict()
        self._in_use: list[object] = []

    def give(self, action: Action) -> str:
        """A new code for the action."""
        code = secrets.token_hex(3)
        until = self._clock() + CODE_SECONDS
        self._given[code] = _Given(action.fingerprint, until, action.holds)
        while len(self._given) > MOST_CODES:
            self._given.popitem(last=False)
        return code

    def redeem(self, code: str, action: Action) -> bool:
        """Whether the code was given for just this action and still holds. It is used up."""
        given = self._given.pop(code.strip().lower(), _Given())
        return given.fingerprint == action.fingerprint and self._clock() <= given.until

    def held_by(self, code: str) -> object:
        """What the question holds that the code was given for; None if that is taken back."""
        given = self._given.get(code.strip().lower(), _Given())
        return given.holds if self._clock() <= given.until else None

    def is_held(self, thing: object) -> bool:
        """Whether an open question or a call at work holds the thing."""
        return self.is_in_use(thing) or thing in map(self.held_by, self._given)

    def is_in_use(self, thing: object) -> bool:
        """Whether a call at work holds the thing."""
        return thing in self._in_use

    @contextmanager
    def using(self, thing: object) -> Generator[None]:
        """Let a call hold the thing meanwhile."""
        self._in_use.append(thing)
        try:
            yield
        finally:
            self._in_use.remove(thing)


async def ask(
    action: Action, code: str | None, codes: Codes, request: Request, *, agreed: str | None = None
) -> None:
    """Return once the human has agreed.

    Args:
        action: What needs a yes.
        code: The code that the assistant brings.
        codes: Those that were given out.
        request: The call that asks.
        agreed: The code of a yes that came in the middle of this very call.

    Raises:
        Agreed: If the yes came just now, and the call has to begin again.
        Declined: If the human said no.
        NotAsked: If the client says that it can ask, and fails to.
        Asking: If the client is to ask and call again.
        Unconfirmed: If the assistant is to ask and call again with a code.
    """
    # The code alone is not part of what is agreed to.
    given = {name: value for name, value in request.arguments.items() if name != "confirm"}
    action = replace(action, arguments=given)
    if _can_ask(request):
        if agreed and codes.redeem(agreed, action):
            return
        if not await _ask_human(action, codes, request):
            raise Declined(
                f"The user did not agree to this: {action.question} Nothing was changed.",
                "Ask them what they would like instead.",
            )
        # A client of 2026 has called again with its answer; one of before was asked just now.
        if request.state is None:
            raise Agreed(codes.give(action))
        return
    if code and codes.redeem(code, action):
        return
    reason = (
        "The code does not hold for this: it was used, is over ten minutes old, or something has"
        " changed since. Nothing was changed."
        if code
        else "Nothing was changed yet."
    )
    raise Unconfirmed(action.question, codes.give(action), reason)


def _can_ask(request: Request) -> bool:
    """Whether the client can put a question to its user."""
    capabilities = request.context.session.client_capabilities
    asks = capabilities.elicitation if capabilities else None
    # A client of before the modes existed says {} and means forms.
    return asks is not None and (asks.form is not None or asks.url is None)


async def _ask_human(action: Action, codes: Codes, request: Request) -> bool:
    """Whether the human agreed, asked in the way of the client's protocol."""
    context = request.context
    if context.protocol_version in MODERN_PROTOCOL_VERSIONS:
        return _agrees(_answer_brought(action, codes, request))
    try:
        return _agrees(await context.session.elicit_form(action.question, FORM, context.request_id))
    except ValueError:
        # An answer that is not what the form asks for is no agreement.
        return False
    except MCPError:
        raise NotAsked(
            "The user did not agree to this, because the client could not ask them:"
            f" {action.question} Nothing was changed.",
            f"Tell the user; it can be done in the {action.service} dashboard.",
        ) from None


def _answer_brought(action: Action, codes: Codes, request: Request) -> InputResponse:
    """The answer with which a client of 2026 calls again.

    It brings back what was put beside the question as well. The SDK seals that: the client can
    neither read nor change it, nor bring it to another call. But it may come twice, and it holds
    though the thing has changed since; so it is a code.

    Raises:
        Asking: If there is no answer yet, or only one to another question or one that was used.
    """
    holds = codes.redeem(request.state or "", action)
    answer = (request.answers or {}).get(APPROVAL)
    if holds and answer is not None:
        return answer
    form = ElicitRequestFormParams(message=action.question, requested_schema=FORM)
    raise Asking(
        InputRequiredResult(
            input_requests={APPROVAL: ElicitRequest(params=form)}, request_state=codes.give(action)
        )
    )


def _agrees(answer: InputResponse) -> bool:
    if not isinstance(answer, ElicitResult) or answer.action != "accept":
        return False
    return (answer.content or {}).get("approve") is True
