"""What is said of a request before it reaches a tool, where the SDK would say less."""

from dataclasses import replace
from typing import Any, cast

from mcp import MCPError
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.types import INVALID_PARAMS, INVALID_REQUEST, ElicitResult, ErrorData
from pydantic import ValidationError

# What the SDK says before the handshake, and then alone.
NOT_INITIALIZED = ErrorData(code=INVALID_PARAMS, message="Invalid request parameters", data="")
NO_HANDSHAKE = (
    "This connection was not initialized. Send the request initialize first, then the notification"
    " notifications/initialized, then this request again. (Protocol 2026-07-28 has no handshake:"
    " there every request of a connection, from the first one on, names"
    " io.modelcontextprotocol/protocolVersion, clientInfo and clientCapabilities in params._meta.)"
)
NO_ANSWER = ElicitResult(action="cancel").model_dump(mode="json", exclude_none=True)


async def ask_for_the_handshake(
    ctx: ServerRequestContext[Any, Any], call_next: CallNext
) -> HandlerResult:
    """Say what is missing where the SDK refuses a request because nobody has said hello."""
    try:
        return await call_next(ctx)
    except MCPError as error:
        if error.error != NOT_INITIALIZED:
            raise
        raise MCPError(INVALID_REQUEST, NO_HANDSHAKE) from None


async def take_odd_answers_for_none(
    ctx: ServerRequestContext[Any, Any], call_next: CallNext
) -> HandlerResult:
    """Take an answer of the human that is not one for a cancelled question."""
    params = ctx.params or {}
    answers = params.get("inputResponses")
    if not isinstance(answers, dict):
        return await call_next(ctx)
    given = cast("dict[str, object]", answers)
    understood = {name: a if _is_answer(a) else NO_ANSWER for name, a in given.items()}
    return await call_next(replace(ctx, params={**params, "inputResponses": understood}))


def _is_answer(given: object) -> bool:
    try:
        ElicitResult.model_validate(given, by_name=False)
    except ValidationError:
        return False
    return True
