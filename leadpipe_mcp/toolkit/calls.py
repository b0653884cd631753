"""One call of a tool: the way back to its client, and asking the human.

The human is asked before something is spent, changed for others, or gone. Where the client can ask
its user, it does, and a model cannot answer in the user's place. Where it cannot, the first call
changes nothing and answers with the question and a code; the second call carries the code. A yes,
given either way, holds for one call with just these arguments, on one state of the thing, for ten
minutes, once.
"""

import hmac
import json
import secrets
from base64 import b32decode, b32encode
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from hmac import compare_digest
from typing import Any, cast

from mcp import MCPError, types
from mcp.server import ServerRequestContext
from mcp.server.context import CallNext, HandlerResult
from mcp.types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import TypeAdapter, ValidationError

from leadpipe_mcp.api.budget import CallBudget
from leadpipe_mcp.callers import Callers
from leadpipe_mcp.errors import LeadpipeError
from leadpipe_mcp.toolkit import Action, Question
from leadpipe_mcp.toolkit.offered import OfferedTools
from leadpipe_mcp.toolkit.presenting import presentable_question

Context = ServerRequestContext[Any, Any]

CODE_SECONDS = 600
MOST_HOLDING = 200
PAGES, KIND_OF_PAGE = "io.modelcontextprotocol/ui", "text/html;profile=mcp-app"
"""What a client says that it has that shows pages (MCP Apps), and of which kind ours are."""
APPROVAL = "approval"  # what a client of 2026 reads as the name of the question
_TICK = {
    "type": "boolean",
    "title": "Go ahead",
    "description": "Tick to go ahead; leave empty to not.",
}
FORM: dict[str, Any] = {
    "type": "object",
    "properties": {"approve": _TICK},
    "required": ["approve"],
}
NOT_HELD = (
    "The code does not hold for this: it was used, is over ten minutes old, or something has"
    " changed since. Nothing was changed."
)


def asks_its_user(context: Context) -> bool:
    """Return whether the client can put a question to its user, out of the model's reach."""
    capabilities = context.session.client_capabilities
    asks = capabilities.elicitation if capabilities else None
    # A client of before the modes existed says {} and means forms.
    return asks is not None and (asks.form is not None or asks.url is None)


def shows_pages(context: Context) -> bool:
    """Return whether the client has said that it shows pages."""
    capabilities = context.session.client_capabilities
    extensions = (capabilities.extensions if capabilities else None) or {}
    kinds = (extensions.get(PAGES) or {}).get("mimeTypes")
    return isinstance(kinds, list | tuple) and KIND_OF_PAGE in kinds


class Declined(LeadpipeError):
    """The human did not agree, or could not be asked."""


@dataclass(eq=False)
class Asking(Exception):
    """The client, or the assistant, has to put the question to the user, and then call again."""

    question: types.InputRequiredResult | Question


@dataclass(eq=False)
class Agreed(Exception):
    """The human said yes in the middle of the call, which has to begin again with this code.

    While the human thought, the thing may have changed; then the code does not hold.
    """

    code: str


class Codes:
    """The codes with which a call is made again once the human has agreed.

    A code is sealed: any process that shares the secret can tell that it was given, to this caller,
    for just this action, and when. What processes share says whether it was used.
    """

    def __init__(self, callers: Callers) -> None:
        self._callers = callers
        self._shared = callers.shared
        self._holding: dict[str, tuple[object, float]] = {}
        self._in_use: list[object] = []

    def give(self, action: Action) -> str:
        """Return a new code for the action."""
        now = self._shared.clock()
        code = self._sealed(int(now).to_bytes(4) + secrets.token_bytes(3), action)
        if action.holds is not None:
            self._holding[code] = (action.holds, now + CODE_SECONDS)
            for oldest in list(self._holding)[:-MOST_HOLDING]:
                del self._holding[oldest]
        return code

    async def redeem(self, code: str, action: Action) -> bool:
        """Use the code up, and return whether it was given for just this action and still holds."""
        code = code.strip().lower()
        self._holding.pop(code, None)
        try:
            head = b32decode(code.upper())[:7]
        except ValueError:
            return False
        age = self._shared.clock() - int.from_bytes(head[:4])
        if (
            not compare_digest(self._sealed(head, action).encode(), code.encode())
            or not 0 <= age <= CODE_SECONDS
        ):
            return False
        return await self._shared.first_use(code, CODE_SECONDS)

    def _sealed(self, head: bytes, action: Action) -> str:
        """The code that begins with the head: when it was given, and what makes it unique."""
        meant = [self._callers.id(), action.name, action.question, action.seen, action.arguments]
        said = json.dumps(meant, sort_keys=True).encode()
        seal = hmac.digest(self._shared.key("codes"), head + said, "sha256")[:8]
        return b32encode(head + seal).decode().lower()

    def held_by(self, code: str) -> object:
        """Return what the open question holds that the code was given for, if there is one."""
        return self._open().get(code.strip().lower())

    def is_held(self, thing: object) -> bool:
        """Whether an open question or a call at work holds the thing."""
        return self.is_in_use(thing) or thing in self._open().values()

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

    def _open(self) -> dict[str, object]:
        now = self._shared.clock()
        return {code: thing for code, (thing, until) in self._holding.items() if now <= until}


@dataclass(frozen=True)
class Kit:
    """What every call works with: the open questions, the tools on offer, what was decided."""

    codes: Codes
    offered: OfferedTools
    asks: bool  # the human, before something is spent or gone
    invented: bool  # the people are, which every reply then says
    changed: Callable[[], None]  # called after each call that may have changed something
    largest_reply: int | None = None  # in bytes


@dataclass(frozen=True)
class Call:
    """One call of a tool: what it works with, and the way back to the client while it runs."""

    kit: Kit
    context: Context
    params: types.CallToolRequestParams
    budget: CallBudget
    agreed: str | None = None  # the code of a yes that the human gave in the middle of this call

    async def confirm(self, action: Action, code: str | None) -> None:
        """End the call here by raising, unless the human agreed to the action."""
        if not self.kit.asks:
            return
        # The code alone is not part of what is agreed to.
        given = {k: v for k, v in (self.params.arguments or {}).items() if k != "confirm"}
        shown = presentable_question(action.question)
        action = replace(action, question=shown, arguments=given)
        codes = self.kit.codes
        can_ask = asks_its_user(self.context)
        # Where the human can be asked, what the assistant brings is not looked at.
        known = self.agreed if can_ask else code
        if known and await codes.redeem(known, action):
            return
        if not can_ask:
            new = codes.give(action)
            summary = (
                f"{NOT_HELD if code else 'Nothing was changed yet.'} Ask the user: «{shown}» Only"
                f" if they agree, call {self.params.name} again with the same arguments and"
                f' confirm: "{new}" (holds for ten minutes).'
            )
            raise Asking(Question(summary=summary, question=shown, confirm=new))
        is_modern = self.context.protocol_version in MODERN_PROTOCOL_VERSIONS
        answer = await self._brought(action) if is_modern else await self._elicited(action)
        if not (
            isinstance(answer, types.ElicitResult)
            and answer.action == "accept"
            and (answer.content or {}).get("approve") is True
        ):
            raise Declined(
                f"The user did not agree to this: {shown} Nothing was changed.",
                "Ask them what they would like instead.",
            )
        if not is_modern:
            raise Agreed(codes.give(action))

    def code_could_come_from_a_page(self) -> bool:
        """Return whether our page gets the replies of this call, and in them a code.

        Its host cannot ask the human, and takes calls of the page for those of the model.
        """
        return self.kit.asks and shows_pages(self.context) and not asks_its_user(self.context)

    def code_in_hand(self, code: str | None) -> str:
        """The code of the question that this call answers; empty if it answers none."""
        return self.agreed or code or self.params.request_state or ""

    async def progress(self, done: float, total: float | None, message: str) -> None:
        """Tell the client how far the call is."""
        self.budget.done = max(done, self.budget.done)
        await self.context.session.report_progress(self.budget.done, total, message)

    async def tell(self, message: str) -> None:
        """Tell the client why it takes longer."""
        # Progress has to grow, though nothing was done.
        await self.progress(self.budget.done + 0.001, None, message)

    async def _elicited(self, action: Action) -> object:
        """The answer of a client that is asked in the middle of the call."""
        session, number = self.context.session, self.context.request_id
        try:
            with self.budget.asking_a_human():
                return await session.elicit_form(action.question, FORM, number)
        except ValueError:
            # An answer that is not what the form asks for is no agreement.
            return None
        except MCPError:
            raise Declined(
                "The user did not agree to this, because the client could not ask them:"
                f" {action.question} Nothing was changed.",
                f"Tell the user; it can be done in the {action.service} dashboard.",
            ) from None

    async def _brought(self, action: Action) -> object:
        """The answer with which a client of 2026 calls again.

        It brings back what was put beside the question as well. The SDK seals that: the client can
        neither read nor change it, nor bring it to another call. But it may come twice, and it
        holds though the thing has changed since; so it is a code.
        """
        codes, answers = self.kit.codes, self.params.input_responses or {}
        if await codes.redeem(self.params.request_state or "", action) and APPROVAL in answers:
            return answers[APPROVAL]
        form = types.ElicitRequestFormParams(message=action.question, requested_schema=FORM)
        raise Asking(
            types.InputRequiredResult(
                input_requests={APPROVAL: types.ElicitRequest(params=form)},
                request_state=codes.give(action),
            )
        )


@cache
def _answers() -> TypeAdapter[types.InputResponse]:
    return TypeAdapter(types.InputResponse)


async def take_odd_answers_for_none(ctx: Context, call_next: CallNext) -> HandlerResult:
    """Take an answer that is none for a cancelled question."""
    params = ctx.params or {}
    answers = params.get("inputResponses")
    if not isinstance(answers, dict):
        return await call_next(ctx)
    taken = cast("dict[str, object]", {**answers})
    for name, answer in taken.items():
        try:
            _answers().validate_python(answer)
        except ValidationError:
            taken[name] = {"action": "cancel"}
    return await call_next(replace(ctx, params={**params, "inputResponses": taken}))
