"""How a call of a tool runs: its arguments checked, its reply given, its refusal worded."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from mcp import MCPError
from mcp.types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    InputRequiredResult,
    TextContent,
)
from pydantic import ValidationError

from leadpipe_mcp.api.budget import CallBudget, call_budget
from leadpipe_mcp.errors import LeadpipeError
from leadpipe_mcp.logs import log_call, log_crash
from leadpipe_mcp.text import nearest, quoted, redact
from leadpipe_mcp.toolkit.calls import Agreed, Asking, Call, Context, Kit
from leadpipe_mcp.toolkit.declaring import Declaration
from leadpipe_mcp.toolkit.models import Reply
from leadpipe_mcp.toolkit.presenting import presentable, presentable_refusal
from leadpipe_mcp.toolkit.wording import in_our_words

Begin = Callable[[Context, CallToolRequestParams, CallBudget], Call]
"""Begins a call of a tool."""
Declared = Declaration[Any, Any, Any]

CRASHED = (
    "{tool} failed inside leadpipe-mcp, so whether anything was changed is unknown. Look first;"
    " then try once more. The server's log tells where it failed."
)
LOOKED = "The service's own answer was lost; a look afterwards shows that it was done, once."


class Toolbox:
    """The tools that a server offers, and how a call of one is answered.

    Args:
        declarations: The tools.
        kit: What every call works with.
        begin: Begins a call.
    """

    def __init__(self, declarations: Sequence[Declared], kit: Kit, begin: Begin) -> None:
        self._declarations = {one.name: one for one in declarations}
        self._kit = kit
        self._begin = begin

    async def call(
        self, context: Context, params: CallToolRequestParams
    ) -> CallToolResult | InputRequiredResult:
        """Answer with the tool's reply, its refusal, or a question that the user has to answer.

        Raises:
            MCPError: If there is no such tool.
        """
        declaration = self._declarations.get(params.name)
        if declaration is None:
            close = nearest(params.name, self._declarations)
            hint = f" Did you mean {quoted(close)}?" if close else ""
            raise MCPError(INVALID_PARAMS, f"There is no tool '{redact(params.name, 64)}'.{hint}")
        started = time.monotonic()
        outcome = "cancelled"
        with call_budget() as spent:
            try:
                call = self._begin(context, params, spent)
                result, outcome = await self._outcome(declaration, call)
            finally:
                if not declaration.hints.read_only_hint:
                    self._kit.changed()
                log_call(
                    declaration.name,
                    outcome,
                    milliseconds=round((time.monotonic() - started) * 1000),
                    requests=spent.requests,
                    retries=spent.retries,
                    request_id=spent.request_id,
                )
        return result

    async def _outcome(
        self, declaration: Declared, call: Call
    ) -> tuple[CallToolResult | InputRequiredResult, str]:
        """What the client gets, and a word for the log."""
        spent = call.budget
        spent.tell = call.tell
        try:
            asked = declaration.arguments.model_validate(call.params.arguments or {})
        except ValidationError as error:
            return self._refused(in_our_words(error, declaration.arguments)), "refused:arguments"
        try:
            made = await declaration.function(call, asked)
        except Agreed as yes:
            # It looks at everything again.
            return await self._outcome(declaration, replace(call, agreed=yes.code))
        except LeadpipeError as error:
            return self._refused(str(error)), f"refused:{type(error).__name__}"
        except Asking as asking:
            asked = asking.question
            return success(asked, self._kit) if isinstance(asked, Reply) else asked, "asked"
        except Exception as crash:  # noqa: BLE001 -- any crash; its values go nowhere
            log_crash(declaration.name, crash)
            return self._refused(CRASHED.format(tool=declaration.name)), "crashed"
        seen = [*spent.gaps(), *([LOOKED] if spent.looked else [])]
        made.warnings = [*(made.warnings or ()), *seen]
        return success(made, self._kit), "ok"

    def _refused(self, text: str) -> CallToolResult:
        """What was refused, why, and what to do next, as text alone."""
        said = presentable_refusal(self._kit.offered.fit(text))
        return CallToolResult(content=[TextContent(type="text", text=said)], is_error=True)


def success(reply: Reply, kit: Kit) -> CallToolResult:
    """The reply as structured content, and the same as compact text."""
    fit = kit.offered.fit
    said = reply.model_dump(mode="json", by_alias=True, exclude_none=True)
    said["summary"] = fit(reply.summary)
    said["warnings"] = [words for text in reply.warnings or () if (words := fit(text))]
    # What this server does not offer, nobody can call next.
    said["next"] = [step for step in said.get("next", ()) if step["tool"] in kit.offered]
    said = presentable(said, kit.offered)
    kept = {key: value for key, value in said.items() if value not in ([], {})}
    last = {key: kept.pop(key) for key in ("warnings", "next") if key in kept}
    kept |= last | ({"sandbox": True} if kit.invented else {})
    text = json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
    return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=kept)
